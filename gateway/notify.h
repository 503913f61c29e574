/* SPDX-License-Identifier: ISC */
/* What the service manager is told (sd_notify(3)), where there is one. */
#ifndef GATEWAY_NOTIFY_H
#define GATEWAY_NOTIFY_H

void notify_ready(void);
void notify_reloading(void);
void notify_stopping(void);

#endif
