/* SPDX-License-Identifier: ISC */
/*
 * What client and gateway say to each other between the proof and the relay:
 * a stream of bytes, inside the seal where there is one.
 */
#ifndef GATEWAY_CONVERSATION_H
#define GATEWAY_CONVERSATION_H

#include <stddef.h>

#include "base/compiler.h"
#include "base/parse.h"
#include "base/reason.h"

struct evbuffer;
struct seal;

/*
 * Moves the next piece of what the client sent from `input` to `opened`: one
 * sealed message, or in clear what is there, up to a bound.  DONE when
 * something was moved (a sealed message may be empty), MORE when the client
 * has to send more first, BAD with why; then nothing of the bad message is in
 * `opened`.
 */
enum parse_result conversation_read(struct evbuffer *input, struct seal *seal,
    struct evbuffer *opened, enum reason *why) must_check;

/* Appends data to `output`, inside the seal if there is one. */
enum reason conversation_write(struct evbuffer *output, struct seal *seal,
    const void *data, size_t len) must_check;

#endif
