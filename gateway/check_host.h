/* SPDX-License-Identifier: ISC */
/* What `gatewarden --check` looks at on this host: addresses, the receiver of
 * records, the auditor's folder, the limit of descriptors. */
#ifndef GATEWAY_CHECK_HOST_H
#define GATEWAY_CHECK_HOST_H

struct findings;
struct settings;

/* Adds what would hinder a gateway with these settings here.  Starts and
 * changes nothing, and waits a second at most for each receiver.  While a
 * gateway answers at the control socket, addresses in use are taken for its
 * own. */
void check_host(const struct settings *settings, const char *settings_path,
    struct findings *findings);

#endif
