/* SPDX-License-Identifier: ISC */
/* What a command asks of the master for an administrator. */
#ifndef GATEWAY_CONTROL_MASTER_H
#define GATEWAY_CONTROL_MASTER_H

#include <stdint.h>

#include "base/control_request.h"

struct control_call;
struct question;

struct control_asking {
	struct control_call *call;
	struct question *question; /* NULL: none is in flight */
	void (*answered)(
	    struct control_asking *asking, struct control_answer *answer);
};

/* Asks; who asks is filled in.  `answered` comes later, or the call fails. */
void control_ask_master(
    struct control_asking *asking, const struct control_request *request);
void control_asking_cancel(struct control_asking *asking);

#endif
