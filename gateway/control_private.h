/* SPDX-License-Identifier: ISC */
/* The server of the control socket, as its calls see it. */
#ifndef GATEWAY_CONTROL_PRIVATE_H
#define GATEWAY_CONTROL_PRIVATE_H

#include "gateway/control_askers.h"
#include "gateway/control_server.h"
#include "gateway/control_trail.h"

struct event;

struct control_server {
	const struct control_world *world;
	struct control_trail trail;
	const struct control_command *const *commands;
	int fd;
	struct control_groups groups;
	struct event *listening;
	struct event *resume;  /* listening, after a shortage */
	struct event *tidying; /* while there are askers */
	struct control_askers askers;
	TAILQ_HEAD(, control_call) calls;
};

/* A connection of that user, who has been counted; fd taken. */
void control_call_open(struct control_server *server, int fd,
    const struct ucred *peer, struct control_asker *asker, bool may_operate);
/* Ends it at once; not inside a command's function. */
void control_call_free(struct control_call *call);

/* control_metrics.c: what status does not say. */
void control_metrics_say(
    struct control_call *call, const struct control_world *world);

/* Tells who may not ask why, and the trail; fd taken. */
void control_call_refuse(struct control_server *server, int fd,
    const struct ucred *peer, enum ctl_failure failure, const char *why);

#endif
