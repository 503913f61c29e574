/* SPDX-License-Identifier: ISC */
/*
 * Where the main thread asks all workers for their sessions
 * (gateway/census.h), one worker after the other and one batch at a time.
 */
#ifndef GATEWAY_CENSUS_DESK_H
#define GATEWAY_CENSUS_DESK_H

#include <stddef.h>

#include "base/compiler.h"

struct census_batch;
struct census_desk;
struct census_question;
struct event_base;
struct worker;

/* `workers`, borrowed, are there until the desk is freed or have been joined.
 * Dies without memory. */
struct census_desk *census_desk_new(struct event_base *base,
    struct worker *const *workers, size_t count) must_check;
void census_desk_free(struct census_desk *desk); /* NULL is fine */

/* Asks; one question at a time.  The number and the way back are filled in. */
void census_desk_ask(struct census_desk *desk, struct census_question *question,
    void (*answered)(void *arg, struct census_batch *batch), void *arg);
/* After each answer, whose batch is the caller's to free: for the next one.  Of
 * the last batch of all is_last is set, and there is none behind it. */
void census_desk_go_on(struct census_desk *desk);
/* Nobody waits for an answer any more. */
void census_desk_cancel(struct census_desk *desk);

#endif
