/* SPDX-License-Identifier: ISC */
/*
 * Listeners of a gateway that has just started: they wait until there is a
 * word about the rules, so that nobody is refused who comes a moment too
 * early.  Clients wait meanwhile in the kernel's queue, and a load balancer's
 * check sends them elsewhere.
 */
#ifndef GATEWAY_OPENING_H
#define GATEWAY_OPENING_H

#include "base/compiler.h"

struct event_base;
struct mail;
struct opening;

/* Hands a listener (MAIL_LISTENER) to who accepts on it; takes its name and
 * descriptor. */
typedef void opening_fn(void *arg, const struct mail *listener);

/* They are opened all the same after so many milliseconds.  Dies without
 * memory. */
struct opening *opening_new(struct event_base *base, unsigned patience_ms,
    opening_fn *hand, void *arg) must_check;
void opening_free(struct opening *opening); /* closes what waits; NULL: fine */

/* Hands it, now or when the time has come; takes its name and descriptor. */
void opening_put(struct opening *opening, const struct mail *listener);
/* Those that wait are closed: the settings have changed. */
void opening_forget(struct opening *opening);
/* The time has come; once is enough. */
void opening_open(struct opening *opening);

#endif
