/* SPDX-License-Identifier: ISC */
/* How many of what the settings and this machine have room for. */
#ifndef GATEWAY_CAPACITY_H
#define GATEWAY_CAPACITY_H

#include <stdint.h>

struct settings;

/* Processors that we may run on. */
uint32_t capacity_cores(void);
/* The gateway's threads with sessions. */
uint32_t capacity_workers(const struct settings *settings);
uint32_t capacity_authenticators(const struct settings *settings);

/* What the gateway needs for gateway.sessions_max. */
uint64_t capacity_descriptors(const struct settings *settings);

/* How many sessions fit into the gateway's limit of descriptors. */
uint64_t capacity_sessions(const struct settings *settings);
/* Says in the log if gateway.sessions_max does not fit. */
void capacity_warn(const struct settings *settings);

#endif
