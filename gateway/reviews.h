/* SPDX-License-Identifier: ISC */
/*
 * All standing sessions of one worker judged again, a few at a time: the loop
 * has others to serve.
 */
#ifndef GATEWAY_REVIEWS_H
#define GATEWAY_REVIEWS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

struct reviews;
struct worker;

/* For the worker's sessions; the worker is borrowed and has its settings.  A
 * round begins by itself when what was looked up of users is out of date
 * (directory.cache_ttl).  NULL without memory. */
struct reviews *reviews_new(struct worker *worker) must_check;
void reviews_free(struct reviews *reviews); /* NULL is fine */

/* Begins a round, or begins the one that is under way anew.  users_too: what
 * the directory says of users may be different, so that all are looked up;
 * else only the rules are. */
void reviews_begin(struct reviews *reviews, bool users_too);

/* The present round: sessions that open now need no review of it. */
uint64_t reviews_round(const struct reviews *reviews);

#endif
