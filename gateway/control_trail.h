/* SPDX-License-Identifier: ISC */
/* What was asked over the control socket, and by whom, on record. */
#ifndef GATEWAY_CONTROL_TRAIL_H
#define GATEWAY_CONTROL_TRAIL_H

#include <stdint.h>
#include <sys/socket.h>

#include "base/compiler.h"

struct audit_sender;
struct options;

struct control_trail {
	struct audit_sender *audit; /* borrowed */
	uint64_t refused_us;	    /* when a refusal was last on record */
	unsigned untold;	    /* refusals since */
};

/* A question that will be answered: its command and all that came with it. */
void control_trail_question(struct control_trail *trail,
    const struct ucred *peer, const struct options *asked);

/* Somebody was turned away.  Anybody may knock as often as he likes, and the
 * trail is not his to fill: one record a second, which counts the others. */
void control_trail_refusal(
    struct control_trail *trail, const struct ucred *peer, const char *why);

#endif
