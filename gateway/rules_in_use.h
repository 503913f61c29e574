/* SPDX-License-Identifier: ISC */
/*
 * Rule sets that are or were in force, kept until nobody else has them and
 * freed on the main thread: to free 100 000 rules takes a tenth of a second,
 * for which no worker's sessions are to wait.
 */
#ifndef GATEWAY_RULES_IN_USE_H
#define GATEWAY_RULES_IN_USE_H

#include "base/compiler.h"

struct event_base;
struct rules_in_use;
struct ruleset;

/* Looks once a second, on that loop.  NULL when there is no memory. */
struct rules_in_use *rules_in_use_new(struct event_base *base) must_check;
/* After the workers have ended, so that what is left is freed here, too.  NULL
 * is fine. */
void rules_in_use_free(struct rules_in_use *in_use);

/* Takes a reference of its own, before anybody else gets one. */
void rules_in_use_add(struct rules_in_use *in_use, struct ruleset *rules);

#endif
