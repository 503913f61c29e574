/* SPDX-License-Identifier: ISC */
/* Answers how the house is: what the gateway knows itself, and what the
 * master knows of each program. */
#include "gateway/control_commands.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/ctl_protocol.h"
#include "base/must.h"
#include "base/options.h"
#include "gateway/budgets.h"
#include "gateway/capacity.h"
#include "gateway/control_master.h"
#include "gateway/control_private.h"
#include "gateway/counters.h"
#include "gateway/loop_watch.h"
#include "gateway/settings.h"
#include "gateway/worker.h"

#include "config.h"

struct status {
	struct control_asking asking; /* first: it is the status */
	uint32_t number;	      /* of the program */
};

/* ---- what we know ourselves */

static void
say_gateway(struct control_call *call, const struct control_world *world)
{
	struct options *line = control_line_begin("gateway");
	uint64_t fit = capacity_sessions(world->settings);
	uint64_t most = world->settings->sessions_max;

	options_add(line, "version", PACKAGE_VERSION);
	options_add_u64(
	    line, "up_s", (clock_monotonic_us() - world->started_us) / 1000000);
	options_add_u64(
	    line, "sessions", budgets_sessions(world->shared->budgets));
	options_add_u64(
	    line, "unproved", budgets_unproved(world->shared->budgets));
	options_add_u64(line, "sessions_max", fit < most ? fit : most);
	control_line_end(call, line);
}

static void
say_directory(struct control_call *call, const struct control_world *world)
{
	const struct settings_list *uris = &world->settings->directory_uri;
	struct options *line = control_line_begin("directory");

	options_add(line, "configured", ctl_yes(uris->count > 0));
	options_add(
	    line, "up", ctl_yes(atomic_load(&world->shared->directory_up)));
	for (size_t i = 0; i < uris->count; i++)
		options_add(line, "uri", uris->texts[i]);
	control_line_end(call, line);
}

static void
say_health(
    struct control_call *call, const char *kind, const struct health *health)
{
	struct options *line = control_line_begin(kind);

	health_describe(health, line);
	control_line_end(call, line);
}

static void
say_loops(struct control_call *call, const struct control_world *world)
{
	for (size_t i = 0; i < world->worker_count; i++) {
		struct options *line = control_line_begin("loop");

		options_add_u64(line, "worker", i + 1);
		options_add_u64(line, "late_us",
		    loop_watch_worst_us(world->workers[i]->watch));
		control_line_end(call, line);
	}
}

static void
say_counters(struct control_call *call, struct counters *counters)
{
	for (enum counter counter = 0; counter < COUNTER_COUNT; counter++) {
		struct options *line = control_line_begin("counter");

		options_add(line, "name", counter_name(counter));
		options_add_u64(line, "value", counters_get(counters, counter));
		control_line_end(call, line);
	}
}

/* ---- what the master knows */

static void ask_program(struct status *status);

/* Facts are another program's words: what is no NAME=VALUE is passed over. */
static void
say_program(struct control_call *call, char *facts)
{
	struct options *line = control_line_begin("program");
	char *fact, *value;

	while ((fact = strsep(&facts, "\n")) != NULL) {
		value = strchr(fact, '=');
		if (value == NULL || value == fact)
			continue;
		*value++ = '\0';
		options_add(line, fact, value);
	}
	control_line_end(call, line);
}

static void
on_answer(struct control_asking *asking, struct control_answer *answer)
{
	struct status *status = (struct status *)asking;

	if (!answer->is_done) {
		control_call_done(asking->call);
		return;
	}
	say_program(asking->call, answer->sentence);
	status->number++;
	ask_program(status);
}

static void
ask_program(struct status *status)
{
	const struct control_request request = {
	    .verb = CONTROL_VERB_PROGRAM,
	    .seconds = CONTROL_NO_SECONDS,
	    .number = status->number,
	};

	control_ask_master(&status->asking, &request);
}

/* ---- the command */

static void *
start(struct control_call *call)
{
	const struct control_world *world = control_call_world(call);
	struct status *status = must_alloc(1, sizeof(*status));

	say_gateway(call, world);
	if (world->rules != NULL)
		control_policy_say_now(call, world->rules);
	say_directory(call, world);
	say_health(call, "resolver", &world->shared->names);
	say_health(call, "pam", &world->shared->logins);
	say_loops(call, world);
	say_counters(call, &world->shared->counters);
	status->asking.call = call;
	status->asking.answered = on_answer;
	ask_program(status);
	return status;
}

static void *
start_metrics(struct control_call *call)
{
	control_metrics_say(call, control_call_world(call));
	return start(call);
}

static void
end(void *state)
{
	struct status *status = state;

	control_asking_cancel(&status->asking);
	free(status);
}

const struct control_command control_status = {
    .name = "status",
    .start = start,
    .end = end,
};

const struct control_command control_metrics = {
    .name = "metrics",
    .is_routine = true,
    .start = start_metrics,
    .end = end,
};
