/* SPDX-License-Identifier: ISC */
/* What the service manager is told (sd_notify(3)), where there is one. */
#ifndef GATEWAY_NOTIFY_H
#define GATEWAY_NOTIFY_H

#include <stdint.h>

#include "base/compiler.h"

/* `status` in words, for who looks at the service. */
void notify_ready(const char *status);
/* The house is alive: WATCHDOG_USEC tells how often it wants to hear it; 0 if
 * not at all. */
void notify_alive(void);
uint64_t notify_watchdog_us(void) must_check;
/* A descriptor that is to be there at the next start, and one that is not any
 * more; nothing happens where there is no store. */
void notify_store(const char *name, int fd);
void notify_forget(const char *name);
void notify_reloading(void);
/* It may take that many seconds. */
void notify_stopping(uint64_t seconds);

#endif
