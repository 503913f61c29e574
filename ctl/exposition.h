/* SPDX-License-Identifier: ISC */
/* The gateway's numbers as Prometheus reads them: its text format 0.0.4. */
#ifndef CTL_EXPOSITION_H
#define CTL_EXPOSITION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

#define EXPOSITION_TYPE "text/plain; version=0.0.4; charset=utf-8"

struct exposition;
struct options;

struct exposition *exposition_new(void) must_check; /* dies without memory */
void exposition_free(struct exposition *exposition);

/* A line of the control socket's answer to "metrics"
 * (gateway/control_commands.h); what is not known is passed over. */
void exposition_take(struct exposition *exposition, const struct options *line);

/* All of it, each metric (metrics.def) that has a value with its HELP and TYPE;
 * malloc'ed, with its length.  Where the gateway did not answer, that alone. */
char *exposition_print(
    struct exposition *exposition, bool is_up, size_t *len) must_check;

#endif
