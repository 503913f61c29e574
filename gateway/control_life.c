/* SPDX-License-Identifier: ISC */
/* Asks of the master what an administrator asks of us: new settings, another
 * log level, or the end. */
#include <stdlib.h>

#include "base/control.h"
#include "base/control_request.h"
#include "base/ctl_protocol.h"
#include "base/link.h"
#include "base/log.h"
#include "base/options.h"
#include "base/program.h"
#include "base/text.h"
#include "gateway/control_commands.h"
#include "gateway/control_server.h"

/* Two rounds of programs that may take their time for it. */
#define REQUEST_LIMIT_MS 120000

struct asking {
	struct control_call *call;
	struct question *question;
};

static void
say_outcome(struct control_call *call, const struct control_answer *answer)
{
	struct options *line = options_new();

	options_add(line, "kind", "outcome");
	options_add(line, "done", ctl_yes(answer->is_done));
	options_add(line, "sentence", answer->sentence);
	control_call_line(call, line);
	options_free(line);
	control_call_done(call);
}

static void
on_answer(void *arg, enum answer_outcome outcome, struct link_message *message)
{
	struct control_answer answer;
	struct asking *asking = arg;

	asking->question = NULL;
	if (outcome != ANSWER_GIVEN ||
	    !control_answer_decode(message->data, message->len, &answer))
		control_call_fail(asking->call, CTL_UNAVAILABLE,
		    "the master has not answered");
	else
		say_outcome(asking->call, &answer);
}

static void *
ask(struct control_call *call, enum control_verb verb, uint32_t seconds,
    uint32_t number)
{
	const struct ucred *peer = control_call_peer(call);
	const struct control_request request = {
	    .verb = verb,
	    .seconds = seconds,
	    .number = number,
	    .uid = peer->uid,
	    .pid = (uint32_t)peer->pid,
	};
	struct program *program = control_call_world(call)->program;
	uint8_t data[CONTROL_REQUEST_MAX];
	struct asking *asking = calloc(1, sizeof(*asking));

	if (asking != NULL && program != NULL) {
		asking->call = call;
		asking->question = program_ask(program, CONTROL_REQUEST, data,
		    control_request_encode(&request, data), REQUEST_LIMIT_MS,
		    on_answer, asking);
	}
	if (asking == NULL || asking->question == NULL)
		control_call_fail(
		    call, CTL_UNAVAILABLE, "the master cannot be asked");
	return asking;
}

static void
end(void *state)
{
	struct asking *asking = state;

	if (asking != NULL)
		question_cancel(asking->question);
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
