/* SPDX-License-Identifier: ISC */
/* What the service manager is told (sd_notify(3)), where there is one. */
#ifndef GATEWAY_NOTIFY_H
#define GATEWAY_NOTIFY_H

#include <stdint.h>

void notify_ready(void);
void notify_reloading(void);
/* It may take that many seconds. */
void notify_stopping(uint64_t seconds);

#endif
