/* SPDX-License-Identifier: ISC */
/*
 * The addresses of this host, watched: the gateway must know which targets
 * are itself, and has no way to ask.
 */
#ifndef GATEWAY_INTERFACES_H
#define GATEWAY_INTERFACES_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct event_base;
struct interfaces;

/* The addresses are others than before. */
typedef void interfaces_fn(void *arg);

/* Reads the addresses and goes on watching.  NULL and errno. */
struct interfaces *interfaces_new(
    struct event_base *base, interfaces_fn *changed, void *arg) must_check;
void interfaces_free(struct interfaces *interfaces);

/* As CONTROL_ADDRESSES wants them; borrowed, until `changed` comes. */
const uint8_t *
interfaces_encoded(const struct interfaces *interfaces, size_t *len);

#endif
