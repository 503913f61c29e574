/* SPDX-License-Identifier: ISC */
/*
 * A whole configuration with everything that the master opens for it, and
 * how each program is told about it.
 */
#ifndef GATEWAY_PLAN_H
#define GATEWAY_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "gateway/control_server.h"

struct child;
struct control_socket;
struct listeners;
struct papers;
struct settings;

struct plan {
	uint64_t generation;
	struct settings *settings;
	struct listeners *listeners;
	struct papers *papers;
	struct control_socket *control;	      /* NULL: none is wanted */
	struct control_groups control_groups; /* that may ask there */
	int password;			      /* of the directory, or -1 */
};

/* What does not change from one plan to the next. */
struct plan_extras {
	const char *boot_id;
	const uint8_t *addresses; /* as CONTROL_ADDRESSES wants them */
	size_t addresses_len;
};

/*
 * Takes settings and opens what they name; sockets are shared with `before`
 * (borrowed, may be NULL).  NULL with a sentence in why; the settings are
 * released then, too.
 */
struct plan *plan_open(struct settings *settings, uint64_t generation,
    const struct plan *before, char *why, size_t why_size) must_check;
void plan_close(struct plan *plan);

/* The file with the directory's password, opened; -1 and a sentence in why. */
int plan_open_password(
    const struct settings *settings, char *why, size_t why_size) must_check;

/* Sends it whole to a child, from CONFIGURE to COMMIT.  A child that cannot
 * take it is killed. */
void plan_tell(const struct plan *plan, const struct plan_extras *extras,
    struct child *child);

#endif
