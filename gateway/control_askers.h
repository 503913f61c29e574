/* SPDX-License-Identifier: ISC */
/*
 * Who asks over the control socket: each user has a share of the questions at
 * a time, and a rate.
 *
 * Root and our own user always find room: the others together cannot take
 * all of it.
 */
#ifndef GATEWAY_CONTROL_ASKERS_H
#define GATEWAY_CONTROL_ASKERS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/compiler.h"
#include "gateway/control_trail.h"

#define CONTROL_CALLS_MAX  16 /* questions at a time */
#define CONTROL_CALLS_KEPT 6  /* of them, for root and our own user */
#define CONTROL_CALLS_EACH 6  /* at a time, of any other user */

#define CONTROL_ASK_EVERY_US 2000 /* of one user, in the long run */
#define CONTROL_ASK_BURST    100  /* questions that need not wait */

struct control_asker {
	TAILQ_ENTRY(control_asker) entry;
	uint32_t uid;
	bool is_ours;	 /* root, or our own user */
	unsigned calls;	 /* at the moment */
	uint64_t due_us; /* when all that was asked is paid for */
	struct control_told told;
};

struct control_askers {
	TAILQ_HEAD(control_asker_list, control_asker) list;
	unsigned calls, calls_of_others;
};

void control_askers_init(struct control_askers *askers);
/* Frees; what the trail was not told yet it is told. */
void
control_askers_fini(struct control_askers *askers, struct control_trail *trail);

/* One more call of that user; NULL if there is no room for it. */
struct control_asker *control_askers_enter(
    struct control_askers *askers, uint32_t uid, bool is_ours) must_check;
void control_askers_leave(
    struct control_askers *askers, struct control_asker *asker);

/* 0 if one more question may be answered now, which is counted; or how long
 * it must wait at least. */
uint64_t
control_asker_wait_us(struct control_asker *asker, uint64_t now_us) must_check;

/* To be called every second or so: tells the trail what is due and forgets
 * who has not asked lately.  False if nobody is left. */
bool control_askers_tidy(struct control_askers *askers,
    struct control_trail *trail, uint64_t now_us) must_check;

#endif
