/* SPDX-License-Identifier: ISC */
/* What administrators ask of the house, by way of the gateway. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/control_request.h"
#include "base/log.h"
#include "base/must.h"
#include "gateway/child.h"
#include "gateway/house_private.h"
#include "gateway/plan.h"
#include "gateway/settings.h"
#include "gateway/supervisor.h"

static void
forget(struct reload_askers *askers)
{
	struct reload_asker *asker;

	while ((asker = STAILQ_FIRST(askers)) != NULL) {
		STAILQ_REMOVE_HEAD(askers, entry);
		free(asker);
	}
}

void
house_asked_forget(struct house *house)
{
	forget(&house->reload_askers);
	forget(&house->next_askers);
}

void
house_asked_tell(struct house *house, bool is_done, const char *sentence)
{
	struct reload_asker *asker;

	STAILQ_FOREACH (asker, &house->reload_askers, entry)
		child_answer(asker->child, asker->id, is_done, sentence);
	forget(&house->reload_askers);
}

const char *
house_asked_by(const struct house *house, char text[HOUSE_ASKED_BY_SIZE])
{
	const struct reload_asker *asker = STAILQ_FIRST(&house->reload_askers);

	if (asker == NULL)
		return "SIGHUP";
	(void)snprintf(text, HOUSE_ASKED_BY_SIZE, "uid %u, pid %u",
	    (unsigned)asker->uid, (unsigned)asker->pid);
	return text;
}

static void
ask_reload(struct house *house, struct child *child, uint64_t id,
    const struct control_request *request)
{
	struct reload_asker *asker = must_alloc(1, sizeof(*asker));

	asker->child = child;
	asker->id = id;
	asker->uid = request->uid;
	asker->pid = request->pid;
	STAILQ_INSERT_TAIL(&house->next_askers, asker, entry);
	house_reload_ask(house);
}

static void
ask_drain(struct house *house, struct child *child, uint64_t id,
    const struct control_request *request)
{
	uint64_t seconds = request->seconds != CONTROL_NO_SECONDS
			       ? request->seconds
			       : house->now->settings->drain_timeout;
	char text[HOUSE_WHY_SIZE];

	(void)snprintf(text, sizeof(text),
	    "nobody is let in any more; the gateway ends with its last "
	    "session, or in %llu seconds",
	    (unsigned long long)seconds);
	child_answer(child, id, true, text);
	log_info(NULL, "uid %u, pid %u: drain", (unsigned)request->uid,
	    (unsigned)request->pid);
	house_drain(house, seconds);
}

static void
ask_restart(struct house *house, struct child *child, uint64_t id,
    const struct control_request *request)
{
	uint64_t seconds =
	    request->seconds != CONTROL_NO_SECONDS ? request->seconds : 0;
	char text[HOUSE_WHY_SIZE] = "";

	log_info(NULL, "uid %u, pid %u: restart", (unsigned)request->uid,
	    (unsigned)request->pid);
	if (!house_may_restart(house, text)) {
		child_answer(child, id, false, text);
		return;
	}
	(void)snprintf(text, sizeof(text),
	    "who comes waits; the gateway starts anew after its last session, "
	    "or in %llu seconds",
	    (unsigned long long)seconds);
	child_answer(child, id, true, text);
	house_restart(house, seconds);
}

static const struct child *
find_program(const struct house *house, uint32_t number)
{
	const struct child *child = supervisor_next(house->supervisor, NULL);

	while (child != NULL && number-- > 0)
		child = supervisor_next(house->supervisor, child);
	return child;
}

static void
ask_program(struct house *house, struct child *asker, uint64_t id,
    const struct control_request *request)
{
	const struct child *child = find_program(house, request->number);
	char facts[CONTROL_SENTENCE_SIZE];
	int len;

	if (child == NULL) {
		child_answer(asker, id, false, "there is no such program");
		return;
	}
	len = snprintf(facts, sizeof(facts),
	    "program=%s\nindex=%u\nstarts=%u\n", role_name(child_role(child)),
	    (unsigned)child_index(child), child_starts(child));
	if (child_pid(child) != 0)
		(void)snprintf(facts + len, sizeof(facts) - (size_t)len,
		    "pid=%d\nup_s=%llu\ngeneration=%llu\nsilence_ms=%llu\n%s",
		    (int)child_pid(child),
		    (unsigned long long)((clock_monotonic_us() -
					     child_started_us(child)) /
					 1000000),
		    (unsigned long long)child_generation(child),
		    (unsigned long long)child_silence_us(child) / 1000,
		    child_facts(child));
	child_answer(asker, id, true, facts);
}

static void
set_log_level(struct house *house, enum log_level level)
{
	struct child *child = NULL;

	house->has_level = true;
	house->level = level;
	log_init("gatewarden", level);
	while ((child = supervisor_next(house->supervisor, child)) != NULL)
		house_tell_log_level(house, child);
}

static void
ask_log_level(struct house *house, struct child *child, uint64_t id,
    const struct control_request *request)
{
	if (request->number > LOG_LEVEL_DEBUG + 1) {
		child_answer(child, id, false, "there is no such level");
		return;
	}
	if (request->number > 0)
		set_log_level(house, (enum log_level)(request->number - 1));
	child_answer(child, id, true, log_level_name(house->level));
}

void
house_asked(void *arg, struct child *child, uint64_t id,
    const struct control_request *request)
{
	struct house *house = arg;

	if (house_is_ending(house)) {
		child_answer(child, id, false, "the gateway is stopping");
		return;
	}
	switch (request->verb) {
	case CONTROL_VERB_RELOAD:
		ask_reload(house, child, id, request);
		break;
	case CONTROL_VERB_DRAIN:
		ask_drain(house, child, id, request);
		break;
	case CONTROL_VERB_RESTART:
		ask_restart(house, child, id, request);
		break;
	case CONTROL_VERB_PROGRAM:
		ask_program(house, child, id, request);
		break;
	case CONTROL_VERB_LOG_LEVEL:
		ask_log_level(house, child, id, request);
		break;
	case CONTROL_VERB_END:
		child_answer(child, id, false, "this gateway cannot do that");
		break;
	}
}
