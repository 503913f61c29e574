/* SPDX-License-Identifier: ISC */
/* What a worker thread and the password checker say to each other. */
#include "auth/password_protocol.h"

#include <string.h>

#include "base/identity.h"
#include "base/wire.h"

/* ---- what may be asked ---- */

bool
password_user_is_valid(const void *user, size_t len)
{
	const char *name = user;

	return len <= PASSWORD_USER_MAX && identity_name_is_valid(name, len) &&
	       memchr(name, '/', len) == NULL &&
	       !(len == 1 && name[0] == '.') &&
	       !(len == 2 && name[0] == '.' && name[1] == '.');
}

bool
password_is_valid(const void *password, size_t len)
{
	return len >= 1 && len <= PASSWORD_MAX &&
	       memchr(password, '\0', len) == NULL;
}

static bool
may_be_asked(const struct password_question *question)
{
	return password_user_is_valid(question->user, strlen(question->user)) &&
	       password_is_valid(question->password, question->password_len);
}

/* ---- questions ---- */

/* How many octets of an address count, by its family. */
static const size_t address_lens[] = {
    [ADDRESS_NONE] = 0, [ADDRESS_IPV4] = 4, [ADDRESS_IPV6] = 16};

size_t
password_question_print(
    uint8_t *out, size_t size, const struct password_question *question)
{
	struct wire_writer writer;

	if (!may_be_asked(question) || question->client.family == ADDRESS_NONE)
		return 0;
	wire_writer_init(&writer, out, size);
	wire_put_string(&writer, question->user);
	wire_put_counted(&writer, question->password, question->password_len);
	wire_put_counted(&writer, question->client.bytes,
	    address_lens[question->client.family]);
	return writer.failed ? 0 : writer.len;
}

/* False if it is no address, or IPv4 that pretends to be IPv6. */
static bool
read_address(struct wire_reader *reader, struct address *address)
{
	size_t len;
	const uint8_t *bytes = wire_get_counted(reader, &len);

	if (len == address_lens[ADDRESS_IPV4]) {
		*address = address_from_ipv4(bytes);
		return true;
	}
	if (len != address_lens[ADDRESS_IPV6])
		return false;
	*address = address_from_ipv6(bytes);
	return address->family == ADDRESS_IPV6;
}

bool
password_question_parse(
    const void *data, size_t len, struct password_question *question)
{
	struct wire_reader reader;

	wire_reader_init(&reader, data, len);
	wire_get_string(&reader, question->user, sizeof(question->user));
	question->password = wire_get_counted(&reader, &question->password_len);
	return read_address(&reader, &question->client) &&
	       wire_is_done(&reader) && may_be_asked(question);
}

/* ---- answers ---- */

size_t
password_answer_print(
    uint8_t *out, size_t size, const struct password_answer *answer)
{
	struct wire_writer writer;

	wire_writer_init(&writer, out, size);
	wire_put_u16(&writer, (uint16_t)answer->reason);
	wire_put_string(&writer, answer->text);
	wire_put_string(&writer, answer->name);
	return writer.failed ? 0 : writer.len;
}

bool
password_answer_parse(
    const void *data, size_t len, struct password_answer *answer)
{
	struct wire_reader reader;
	uint16_t reason;

	memset(answer, 0, sizeof(*answer));
	wire_reader_init(&reader, data, len);
	reason = wire_get_u16(&reader);
	wire_get_string(&reader, answer->text, sizeof(answer->text));
	wire_get_string(&reader, answer->name, sizeof(answer->name));
	if (!wire_is_done(&reader) || reason >= REASON_COUNT)
		return false;
	answer->reason = (enum reason)reason;
	if (answer->reason != REASON_OK)
		return answer->name[0] == '\0';
	return password_user_is_valid(answer->name, strlen(answer->name));
}
