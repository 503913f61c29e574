/* SPDX-License-Identifier: ISC */
/* Asks the gateway one question over its control socket. */
#ifndef CTL_CLIENT_H
#define CTL_CLIENT_H

#include <stddef.h>

#include "base/compiler.h"
#include "base/options.h"
#include "ctl/outcome.h"

#define CLIENT_SOCKET	  RUNSTATEDIR "/gatewarden/control" /* unless told */
#define CLIENT_SILENCE_MS 30000 /* between two words of the gateway */

/* A line of the answer; borrowed.  Anything but OUTCOME_OK ends it. */
typedef enum outcome client_line_fn(void *arg, const struct options *line);
/* A piece of a stream; borrowed. */
typedef enum outcome client_octets_fn(void *arg, const void *data, size_t len);

/*
 * Connects to the socket at `path`, asks, and hands over the answer as it
 * comes; returns when it is whole.  Anything but OUTCOME_OK was said on
 * standard error, by us or by the function that returned it.  `octets` is NULL
 * where none may come.
 */
enum outcome client_ask(const char *path, const struct options *question,
    client_line_fn *line, client_octets_fn *octets, void *arg) must_check;

#endif
