/* SPDX-License-Identifier: ISC */
/* Answers which sessions there are, and ends those that an administrator
 * names. */
#include "gateway/control_commands.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/ctl_protocol.h"
#include "base/log.h"
#include "base/must.h"
#include "base/options.h"
#include "base/text.h"
#include "gateway/census.h"
#include "gateway/census_desk.h"
#include "gateway/control_server.h"

struct roll {
	struct control_call *call;
	struct census_desk *desk;
	struct census_batch *batch; /* that is being said; NULL: none yet */
	size_t next;		    /* of its lines */
	uint64_t count;
	bool ends, is_whole;
};

static void
say_count(struct roll *roll)
{
	struct options *line = control_line_begin("count");

	options_add_u64(line, "sessions", roll->count);
	control_line_end(roll->call, line);
}

static void
on_batch(void *arg, struct census_batch *batch)
{
	struct roll *roll = arg;

	roll->batch = batch;
	roll->next = 0;
	roll->count += batch->count;
	roll->is_whole = batch->is_last;
	control_call_pump(roll->call);
}

static bool
pump(struct control_call *call, void *state)
{
	struct roll *roll = state;
	struct census_batch *batch = roll->batch;

	if (batch == NULL)
		return false;
	if (roll->next < batch->count) {
		control_call_line(call, batch->lines[roll->next++]);
		return true;
	}
	roll->batch = NULL;
	if (batch->is_last) {
		say_count(roll);
		control_call_done(call);
	} else {
		census_desk_go_on(roll->desk);
	}
	census_batch_free(batch);
	return false;
}

static void
end(void *state)
{
	struct roll *roll = state;

	if (roll == NULL)
		return;
	census_desk_cancel(roll->desk);
	if (roll->ends)
		control_call_tell(roll->call,
		    roll->is_whole
			? "kill has ended %" PRIu64 " sessions"
			: "kill was broken off; it has ended %" PRIu64
			  " sessions or some more",
		    roll->count);
	census_batch_free(roll->batch);
	free(roll);
}

/* False, and the call has failed, if one of them is none. */
static bool
read_question(struct control_call *call, struct census_question *question)
{
	const struct options *asked = control_call_asked(call);
	const char *id = options_get(asked, "session", NULL);
	bool is_good;

	is_good = (id == NULL ||
		      text_parse_u64(id, 1, UINT64_MAX, &question->session)) &&
		  strlcpy(question->user, options_get(asked, "user", ""),
		      sizeof(question->user)) < sizeof(question->user) &&
		  strlcpy(question->rule, options_get(asked, "rule", ""),
		      sizeof(question->rule)) < sizeof(question->rule) &&
		  strlcpy(question->target, options_get(asked, "target", ""),
		      sizeof(question->target)) < sizeof(question->target);
	if (!is_good)
		control_call_fail(call, CTL_BAD_QUESTION,
		    "session is a number; user, rule and target are texts no "
		    "longer than there can be");
	return is_good;
}

static void *
ask(struct control_call *call, struct census_question *question)
{
	struct roll *roll = must_alloc(1, sizeof(*roll));

	roll->call = call;
	roll->desk = control_call_world(call)->census;
	roll->ends = question->ends;
	census_desk_ask(roll->desk, question, on_batch, roll);
	return roll;
}

static void *
start_sessions(struct control_call *call)
{
	struct census_question question = {.ends = false};

	return read_question(call, &question) ? ask(call, &question) : NULL;
}

static void *
start_kill(struct control_call *call)
{
	struct census_question question = {.ends = true};

	if (!read_question(call, &question))
		return NULL;
	if (question.session == 0 && question.user[0] == '\0' &&
	    question.rule[0] == '\0' && question.target[0] == '\0') {
		control_call_fail(call, CTL_BAD_QUESTION,
		    "kill wants to know which: session, user, rule or target");
		return NULL;
	}
	return ask(call, &question);
}

static const char *const arguments[] = {
    "session", "user", "rule", "target", NULL};

const struct control_command control_sessions = {
    .name = "sessions",
    .arguments = arguments,
    .sole = "census",
    .start = start_sessions,
    .pump = pump,
    .end = end,
};

const struct control_command control_kill = {
    .name = "kill",
    .arguments = arguments,
    .sole = "census",
    .operates = true,
    .start = start_kill,
    .pump = pump,
    .end = end,
};
