/* SPDX-License-Identifier: ISC */
/* Who asks over the control socket: how many questions at a time, and how
 * fast. */
#include "gateway/control_askers.h"

#include <stdlib.h>

#define BURST_US (CONTROL_ASK_EVERY_US * (CONTROL_ASK_BURST - 1))

void
control_askers_init(struct control_askers *askers)
{
	*askers = (struct control_askers){.calls = 0};
	TAILQ_INIT(&askers->list);
}

static void
forget(struct control_askers *askers, struct control_asker *asker)
{
	TAILQ_REMOVE(&askers->list, asker, entry);
	free(asker);
}

void
control_askers_fini(struct control_askers *askers, struct control_trail *trail)
{
	struct control_asker *asker;

	while ((asker = TAILQ_FIRST(&askers->list)) != NULL) {
		control_trail_settle(trail, &asker->told, UINT64_MAX);
		forget(askers, asker);
	}
}

static struct control_asker *
find(struct control_askers *askers, uint32_t uid)
{
	struct control_asker *asker;

	TAILQ_FOREACH (asker, &askers->list, entry)
		if (asker->uid == uid)
			return asker;
	return NULL;
}

/* As many as there are users who may ask, and of them those who did within
 * the last seconds. */
static struct control_asker *
add(struct control_askers *askers, uint32_t uid, bool is_ours)
{
	struct control_asker *asker = calloc(1, sizeof(*asker));

	if (asker == NULL)
		return NULL;
	asker->uid = uid;
	asker->is_ours = is_ours;
	TAILQ_INSERT_TAIL(&askers->list, asker, entry);
	return asker;
}

static bool
has_room(const struct control_askers *askers, const struct control_asker *asker,
    bool is_ours)
{
	if (askers->calls >= CONTROL_CALLS_MAX)
		return false;
	if (is_ours)
		return true;
	return askers->calls_of_others <
		   CONTROL_CALLS_MAX - CONTROL_CALLS_KEPT &&
	       (asker == NULL || asker->calls < CONTROL_CALLS_EACH);
}

struct control_asker *
control_askers_enter(struct control_askers *askers, uint32_t uid, bool is_ours)
{
	struct control_asker *asker = find(askers, uid);

	if (!has_room(askers, asker, is_ours))
		return NULL;
	if (asker == NULL)
		asker = add(askers, uid, is_ours);
	if (asker == NULL)
		return NULL;
	asker->calls++;
	askers->calls++;
	askers->calls_of_others += !is_ours;
	return asker;
}

void
control_askers_leave(struct control_askers *askers, struct control_asker *asker)
{
	asker->calls--;
	askers->calls--;
	askers->calls_of_others -= !asker->is_ours;
}

uint64_t
control_asker_wait_us(struct control_asker *asker, uint64_t now_us)
{
	if (asker->due_us < now_us)
		asker->due_us = now_us;
	if (asker->due_us > now_us + BURST_US)
		return asker->due_us - now_us - BURST_US;
	asker->due_us += CONTROL_ASK_EVERY_US;
	return 0;
}

bool
control_askers_tidy(
    struct control_askers *askers, struct control_trail *trail, uint64_t now_us)
{
	struct control_asker *asker = TAILQ_FIRST(&askers->list), *next;

	for (; asker != NULL; asker = next) {
		next = TAILQ_NEXT(asker, entry);
		if (control_trail_settle(trail, &asker->told, now_us) &&
		    asker->calls == 0 && asker->due_us <= now_us)
			forget(askers, asker);
	}
	return !TAILQ_EMPTY(&askers->list);
}
