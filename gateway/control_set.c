/* SPDX-License-Identifier: ISC */
/* Answers with a whole set of rules: the one in force, or what directory-watch
 * reads below another base. */
#include "gateway/control_commands.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/options.h"
#include "base/text.h"
#include "base/wire.h"
#include "gateway/control_server.h"
#include "gateway/policy_source.h"
#include "gateway/settings.h"
#include "policy/rule_set_stream.h"
#include "policy/watch_protocol.h"

#define PIECE_LIMIT_MS 10000

struct delivery {
	struct control_call *call;
	struct policy_source *policy;
	uint32_t ticket;
	struct question *question;
	uint64_t len, at;
	bool is_ours; /* directory-watch keeps it for us */
};

/* ---- what directory-watch says */

static void
fail_as_told(struct control_call *call, const struct link_message *answer)
{
	char why[CTL_SENTENCE_SIZE] = "", quoted[CTL_SENTENCE_SIZE];
	struct wire_reader reader;

	wire_reader_init(&reader, answer->data, answer->len);
	wire_get_string(&reader, why, sizeof(why));
	(void)text_quote(quoted, sizeof(quoted), why, strlen(why));
	control_call_fail(call, CTL_UNAVAILABLE, "%s", quoted);
}

/* True if there is an answer of that type. */
static bool
is_answer(struct delivery *delivery, enum answer_outcome outcome,
    const struct link_message *answer, uint16_t type)
{
	delivery->question = NULL;
	if (outcome == ANSWER_GIVEN && answer->type == type)
		return true;
	delivery->is_ours = false;
	if (outcome == ANSWER_GIVEN && answer->type == WATCH_SET_FAILED)
		fail_as_told(delivery->call, answer);
	else
		control_call_fail(delivery->call, CTL_UNAVAILABLE,
		    outcome == ANSWER_TIMEOUT
			? "directory-watch does not answer in time"
			: "directory-watch is gone");
	return false;
}

static void
on_piece(void *arg, enum answer_outcome outcome, struct link_message *answer)
{
	struct delivery *delivery = arg;

	if (!is_answer(delivery, outcome, answer, WATCH_OCTETS))
		return;
	if (answer->len == 0 || answer->len > delivery->len - delivery->at) {
		control_call_fail(delivery->call, CTL_UNAVAILABLE,
		    "directory-watch gives other than it has said");
		return;
	}
	control_call_octets(delivery->call, answer->data, answer->len);
	delivery->at += answer->len;
	control_call_pump(delivery->call);
}

static void
say_len(const struct delivery *delivery)
{
	struct options *line = control_line_begin("set");

	options_add_u64(line, "octets", delivery->len);
	control_line_end(delivery->call, line);
}

static void
on_ready(void *arg, enum answer_outcome outcome, struct link_message *answer)
{
	struct delivery *delivery = arg;
	struct wire_reader reader;

	if (!is_answer(delivery, outcome, answer, WATCH_SET_READY))
		return;
	wire_reader_init(&reader, answer->data, answer->len);
	delivery->len = wire_get_u64(&reader);
	if (!wire_is_done(&reader) || delivery->len > RULE_SET_OCTETS_MAX) {
		control_call_fail(delivery->call, CTL_UNAVAILABLE,
		    "directory-watch has more than this program takes");
		return;
	}
	say_len(delivery);
	control_call_pump(delivery->call);
}

/* ---- what it is asked */

static void
fail_to_ask(struct control_call *call)
{
	control_call_fail(call, CTL_UNAVAILABLE, "directory-watch: %s",
	    errno == EPIPE ? "it is not there" : strerror(errno));
}

/* The next piece, when the peer has taken most of the one before. */
static bool
pump(struct control_call *call, void *state)
{
	struct delivery *delivery = state;
	uint8_t data[12];
	struct wire_writer writer;

	if (delivery->at == delivery->len) {
		delivery->is_ours = false;
		control_call_done(call);
		return false;
	}
	wire_writer_init(&writer, data, sizeof(data));
	wire_put_u32(&writer, delivery->ticket);
	wire_put_u64(&writer, delivery->at);
	delivery->question = policy_source_ask(delivery->policy, WATCH_PIECE,
	    data, writer.len, PIECE_LIMIT_MS, on_piece, delivery);
	if (delivery->question == NULL)
		fail_to_ask(call);
	return false;
}

/* Of all servers, one after the other, and what they say. */
static unsigned
reading_limit_ms(const struct settings *settings)
{
	return (unsigned)settings->directory_timeout * 1000 *
	       (unsigned)(settings->directory_uri.count + 4) * 2;
}

static void
ask_for_set(struct delivery *delivery, const char *base)
{
	const struct control_world *world = control_call_world(delivery->call);
	uint8_t data[WATCH_BASE_MAX - 1 + 8];
	struct wire_writer writer;

	wire_writer_init(&writer, data, sizeof(data));
	wire_put_u32(&writer, delivery->ticket);
	wire_put_string(&writer, base);
	if (writer.failed) {
		control_call_fail(
		    delivery->call, CTL_BAD_QUESTION, "the base is too long");
		return;
	}
	delivery->question =
	    policy_source_ask(delivery->policy, WATCH_SET, data, writer.len,
		reading_limit_ms(world->settings), on_ready, delivery);
	delivery->is_ours = delivery->question != NULL;
	if (delivery->question == NULL)
		fail_to_ask(delivery->call);
}

static void *
start(struct control_call *call)
{
	struct delivery *delivery = must_alloc(1, sizeof(*delivery));

	delivery->call = call;
	delivery->policy = control_call_world(call)->policy;
	delivery->ticket = policy_source_ticket(delivery->policy);
	ask_for_set(
	    delivery, options_get(control_call_asked(call), "base", ""));
	return delivery;
}

static void
end(void *state)
{
	struct delivery *delivery = state;
	uint8_t data[4];
	struct wire_writer writer;

	if (delivery->is_ours) {
		wire_writer_init(&writer, data, sizeof(data));
		wire_put_u32(&writer, delivery->ticket);
		policy_source_tell(
		    delivery->policy, WATCH_SET_DROP, data, writer.len);
	}
	question_cancel(delivery->question);
	free(delivery);
}

static const char *const set_arguments[] = {"base", NULL};

const struct control_command control_set = {
    .name = "set",
    .arguments = set_arguments,
    .sole = "set", /* directory-watch keeps one */
    .start = start,
    .pump = pump,
    .end = end,
};
