/* SPDX-License-Identifier: ISC */
/*
 * What was asked over the control socket, and by whom, on record.
 *
 * The trail has its place for what sessions do: a full queue loses its oldest
 * records, whatever they are.  So nobody's questions may fill it.  In a period
 * of CONTROL_TOLD_PERIOD_US the first CONTROL_TOLD_EACH questions of a user
 * have a record each, and every one that changes something; one record at its
 * end counts the others.
 */
#ifndef GATEWAY_CONTROL_TRAIL_H
#define GATEWAY_CONTROL_TRAIL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/compiler.h"

#define CONTROL_TOLD_PERIOD_US 10000000
#define CONTROL_TOLD_EACH      8
#define CONTROL_COMMANDS_MAX   20

struct audit_sender;
struct control_command;
struct options;

struct control_trail {
	struct audit_sender *audit; /* borrowed */
	uint64_t refused_us;	    /* when a refusal was last on record */
	unsigned untold;	    /* refusals since */
};

/* What the trail knows of one user's questions; zero at first. */
struct control_told {
	uint64_t until_us; /* the end of the period; 0: none has begun */
	unsigned told;	   /* that have a record each */
	struct ucred last; /* whose questions are counted */
	struct control_counted {
		const char *command; /* borrowed */
		uint64_t count;
	} untold[CONTROL_COMMANDS_MAX]; /* up to the first of count 0 */
};

/* A question that will be answered: its command and what the command knows of
 * all that came with it, each text in double quotes. */
void control_trail_question(struct control_trail *trail,
    struct control_told *told, const struct ucred *peer,
    const struct control_command *command, const struct options *asked);

/* What has come of one that changed something. */
void control_trail_tell(
    struct control_trail *trail, const struct ucred *peer, const char *what);

/* Writes what has been counted if the period is over at that time; true if
 * nothing is left to be told. */
bool control_trail_settle(
    struct control_trail *trail, struct control_told *told, uint64_t now_us);

/* Somebody was turned away.  Anybody may knock as often as he likes, and the
 * trail is not his to fill: one record a second, which counts the others. */
void control_trail_refusal(
    struct control_trail *trail, const struct ucred *peer, const char *why);

#endif
