/* SPDX-License-Identifier: ISC */
/*
 * Messages that were written to a stream and may not have arrived: each with
 * its number and where in the stream it ends.
 */
#ifndef GATEWAY_SYSLOG_UNACKED_H
#define GATEWAY_SYSLOG_UNACKED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

struct syslog_unacked;

struct syslog_unacked *syslog_unacked_new(void) must_check; /* or dies */
void syslog_unacked_free(struct syslog_unacked *unacked);   /* NULL: fine */

/* The next message, which ends so many octets behind the stream's beginning.
 * Dies without memory. */
void syslog_unacked_add(
    struct syslog_unacked *unacked, uint64_t number, uint64_t end);

/* So many octets have arrived: messages that end there or before are
 * forgotten.  True, and the last one's number, if there were any. */
bool syslog_unacked_confirm(
    struct syslog_unacked *unacked, uint64_t octets, uint64_t *number);

bool syslog_unacked_is_empty(const struct syslog_unacked *unacked);
void syslog_unacked_clear(struct syslog_unacked *unacked);

#endif
