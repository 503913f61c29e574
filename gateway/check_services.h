/* SPDX-License-Identifier: ISC */
/* What `gatewarden --check` has looked at by programs of its own, with the
 * users that will need it: the KDC and the directory. */
#ifndef GATEWAY_CHECK_SERVICES_H
#define GATEWAY_CHECK_SERVICES_H

struct findings;
struct settings;

/* Starts one after the other and waits for it; what they find is printed, and
 * counted as well as their exit statuses tell. */
void check_services(const struct settings *settings, const char *settings_path,
    const char *libexecdir, struct findings *findings);

#endif
