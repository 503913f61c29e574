/* SPDX-License-Identifier: ISC */
/* Asks of the master what an administrator asks of us: new settings, another
 * log level, or the end. */
#include <stdlib.h>

#include "base/control_request.h"
#include "base/ctl_protocol.h"
#include "base/log.h"
#include "base/must.h"
#include "base/options.h"
#include "base/text.h"
#include "gateway/control_commands.h"
#include "gateway/control_master.h"
#include "gateway/control_server.h"

static void
say_outcome(struct control_call *call, const struct control_answer *answer)
{
	struct options *line = control_line_begin("outcome");

	options_add(line, "done", ctl_yes(answer->is_done));
	options_add(line, "sentence", answer->sentence);
	control_line_end(call, line);
	control_call_done(call);
}

static void
on_answer(struct control_asking *asking, struct control_answer *answer)
{
	say_outcome(asking->call, answer);
}

static void *
ask(struct control_call *call, enum control_verb verb, uint32_t seconds,
    uint32_t number)
{
	const struct control_request request = {
	    .verb = verb, .seconds = seconds, .number = number};
	struct control_asking *asking = must_alloc(1, sizeof(*asking));

	asking->call = call;
	asking->answered = on_answer;
	control_ask_master(asking, &request);
	return asking;
}

static void
end(void *state)
{
	struct control_asking *asking = state;

	if (asking != NULL)
		control_asking_cancel(asking);
	free(asking);
}

static void *
ask_end(struct control_call *call, enum control_verb verb)
{
	const char *text =
	    options_get(control_call_asked(call), "seconds", NULL);
	uint64_t seconds = CONTROL_NO_SECONDS;

	if (text != NULL && !text_parse_u64(text, 0, 86400, &seconds)) {
		control_call_fail(
		    call, CTL_BAD_QUESTION, "the seconds are 0 to 86400");
		return NULL;
	}
	return ask(call, verb, (uint32_t)seconds, 0);
}

static const char *const end_arguments[] = {"seconds", NULL};

static void *
start_drain(struct control_call *call)
{
	return ask_end(call, CONTROL_VERB_DRAIN);
}

const struct control_command control_drain = {
    .name = "drain",
    .operates = true,
    .arguments = end_arguments,
    .start = start_drain,
    .end = end,
};

static void *
start_reload(struct control_call *call)
{
	return ask(call, CONTROL_VERB_RELOAD, CONTROL_NO_SECONDS, 0);
}

const struct control_command control_reload = {
    .name = "reload",
    .operates = true,
    .start = start_reload,
    .end = end,
};

static void *
start_restart(struct control_call *call)
{
	return ask_end(call, CONTROL_VERB_RESTART);
}

const struct control_command control_restart = {
    .name = "restart",
    .operates = true,
    .arguments = end_arguments,
    .start = start_restart,
    .end = end,
};

static void *
start_log_level(struct control_call *call)
{
	return ask(call, CONTROL_VERB_LOG_LEVEL, CONTROL_NO_SECONDS, 0);
}

const struct control_command control_log_level = {
    .name = "log-level",
    .start = start_log_level,
    .end = end,
};

static void *
start_set_log_level(struct control_call *call)
{
	const char *text = options_get(control_call_asked(call), "level", "");
	enum log_level level;

	if (!log_level_parse(text, &level)) {
		control_call_fail(call, CTL_BAD_QUESTION,
		    "the levels are error, warning, info and debug");
		return NULL;
	}
	return ask(call, CONTROL_VERB_LOG_LEVEL, CONTROL_NO_SECONDS,
	    (uint32_t)level + 1);
}

static const char *const level_arguments[] = {"level", NULL};

const struct control_command control_set_log_level = {
    .name = "set-log-level",
    .arguments = level_arguments,
    .operates = true,
    .start = start_set_log_level,
    .end = end,
};
