/* SPDX-License-Identifier: ISC */
/*
 * What is asked of policy/judge and what is made of its answers: the same for
 * sessions and for explain.
 */
#ifndef GATEWAY_JUDGING_H
#define GATEWAY_JUDGING_H

#include "base/compiler.h"
#include "base/protection.h"
#include "policy/judge.h"

struct settings;
struct shared;

/* What is in force on a thread; borrowed. */
struct judging {
	const struct shared *shared;
	const struct settings *settings;
	const struct ruleset *rules; /* NULL until there are any */
	const struct own_addresses *own;
};

/*
 * By what is judged now; what it holds is borrowed from `judging` and
 * `subject` (NULL: the directory did not say).  *is_stale: the directory is
 * silent.  Once that has lasted too long there are no rules in it.
 */
struct judge_context judging_context(const struct judging *judging,
    const struct subject *subject, bool *is_stale);

/* Do rules or settings want to know what the directory says of a client? */
bool judging_needs_subject(
    const struct settings *settings, const struct ruleset *rules);

/*
 * How well what is asked is protected on its way between client and gateway,
 * with a seal of that protection.  TLS is confidentiality for what goes over
 * TCP; a datagram has its seal only.
 */
enum protection
judging_protection(bool is_tls, enum command command, enum protection seal);

/*
 * Where datagrams to a name go: of its addresses that are permitted (at least
 * one) to the one that they went to before (ADDRESS_NONE: to none); else to
 * the first that there is a way to from here; else to the first.
 */
const struct address *judging_choose(const struct address *permitted,
    size_t count, const struct address *before);

#endif
