/* SPDX-License-Identifier: ISC */
/* What a worker thread and an authenticator say to each other. */
#include "auth/authenticator_protocol.h"

#include <string.h>

#include "base/link.h"
#include "base/wire.h"

_Static_assert(
    ACCEPT_ANSWER_MAX <= LINK_MESSAGE_MAX, "the longest answer fits a message");

size_t
accept_question_print(
    uint8_t *out, size_t size, const struct accept_question *question)
{
	struct wire_writer writer;

	wire_writer_init(&writer, out, size);
	wire_put_u64(&writer, question->acceptance);
	wire_put_u8(&writer, question->is_first);
	wire_put_u8(&writer, question->may_spnego);
	wire_put_counted(&writer, question->token, question->token_len);
	return writer.failed ? 0 : writer.len;
}

bool
accept_question_parse(
    const void *data, size_t len, struct accept_question *question)
{
	struct wire_reader reader;
	uint8_t is_first, may_spnego;

	wire_reader_init(&reader, data, len);
	question->acceptance = wire_get_u64(&reader);
	is_first = wire_get_u8(&reader);
	question->is_first = is_first == 1;
	may_spnego = wire_get_u8(&reader);
	question->may_spnego = may_spnego == 1;
	question->token = wire_get_counted(&reader, &question->token_len);
	return wire_is_done(&reader) && is_first <= 1 && may_spnego <= 1 &&
	       question->token_len >= 1 &&
	       question->token_len <= ACCEPT_TOKEN_MAX;
}

size_t
accept_answer_print(
    uint8_t *out, size_t size, const struct accept_answer *answer)
{
	struct wire_writer writer;

	wire_writer_init(&writer, out, size);
	wire_put_u8(&writer, (uint8_t)answer->outcome);
	wire_put_u16(&writer, (uint16_t)answer->reason);
	wire_put_string(&writer, answer->text);
	wire_put_counted(&writer, answer->token, answer->token_len);
	wire_put_string(&writer, answer->name);
	wire_put_string(&writer, answer->indicators);
	wire_put_u8(&writer, answer->by_spnego);
	wire_put_u32(&writer, answer->flags);
	wire_put_u64(&writer, answer->lifetime_us);
	wire_put_counted(&writer, answer->exported, answer->exported_len);
	return writer.failed ? 0 : writer.len;
}

/* What each outcome must bring, and must not. */
static bool
is_consistent(const struct accept_answer *answer)
{
	bool is_done = answer->outcome == ACCEPT_DONE;
	bool has_identity =
	    identity_name_is_valid(answer->name, strlen(answer->name));

	if (is_done != has_identity || is_done != (answer->exported_len > 0))
		return false;
	if ((answer->by_spnego || answer->indicators[0] != '\0') && !is_done)
		return false;
	if (answer->outcome == ACCEPT_CONTINUE && answer->token_len == 0)
		return false;
	return (answer->outcome == ACCEPT_FAILED) ==
	       (answer->reason != REASON_OK);
}

bool
accept_answer_parse(const void *data, size_t len, struct accept_answer *answer)
{
	struct wire_reader reader;
	uint8_t outcome, by_spnego;
	uint16_t reason;

	memset(answer, 0, sizeof(*answer));
	wire_reader_init(&reader, data, len);
	outcome = wire_get_u8(&reader);
	reason = wire_get_u16(&reader);
	wire_get_string(&reader, answer->text, sizeof(answer->text));
	answer->token = wire_get_counted(&reader, &answer->token_len);
	wire_get_string(&reader, answer->name, sizeof(answer->name));
	wire_get_string(
	    &reader, answer->indicators, sizeof(answer->indicators));
	by_spnego = wire_get_u8(&reader);
	answer->by_spnego = by_spnego == 1;
	answer->flags = wire_get_u32(&reader);
	answer->lifetime_us = wire_get_u64(&reader);
	answer->exported = wire_get_counted(&reader, &answer->exported_len);
	if (!wire_is_done(&reader) || outcome >= ACCEPT_OUTCOME_COUNT ||
	    by_spnego > 1 || reason >= REASON_COUNT ||
	    answer->token_len > ACCEPT_TOKEN_MAX ||
	    answer->exported_len > ACCEPT_EXPORTED_MAX)
		return false;
	answer->outcome = (enum accept_outcome)outcome;
	answer->reason = (enum reason)reason;
	return is_consistent(answer);
}
