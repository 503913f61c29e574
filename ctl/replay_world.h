/* SPDX-License-Identifier: ISC */
/*
 * What a replay asks the gateway: its own addresses, who users are, what
 * names resolve to; each user and each name once.
 *
 * Without a gateway, or from where it does not say, things are not known.
 */
#ifndef CTL_REPLAY_WORLD_H
#define CTL_REPLAY_WORLD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "ctl/retrial.h"

struct daemon_facts;
struct replay_world;
struct subject;

/* The socket's path is borrowed.  Says on standard error if no gateway
 * answers.  Dies without memory. */
struct replay_world *replay_world_new(const char *socket) must_check;
void replay_world_free(struct replay_world *world); /* NULL is fine */

/* Borrowed; NULL: no gateway answers. */
const struct daemon_facts *replay_world_facts(const struct replay_world *world);
/* The gateway's; all empty without one.  Borrowed. */
const struct own_addresses *replay_world_own(const struct replay_world *world);
bool replay_world_checks_accounts(const struct replay_world *world);

/* Who somebody is today, borrowed; NULL: not known. */
const struct subject *
replay_world_subject(struct replay_world *world, const char *who);

/* A retrial_resolve_fn; arg is the world. */
size_t replay_world_resolve(
    void *arg, const char *name, struct address out[AUDIT_ADDRESSES_MAX]);

#endif
