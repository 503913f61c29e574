/* SPDX-License-Identifier: ISC */
/* What `gatewarden --check` looks at besides the settings file itself. */
#ifndef GATEWAY_CHECK_H
#define GATEWAY_CHECK_H

#include <stdio.h>

#include "base/compiler.h"

struct settings;

/* Before it is read: may everybody write it?  Two lines on `errors` then, and
 * EX_CONFIG; else 0. */
int check_settings_file(const char *path, FILE *errors) must_check;

/*
 * Checks that no group may write the settings file, the programs are there,
 * the users exist (where we are root), the files that the settings name can be
 * read, those that hold secrets are nobody else's to read, and this host is
 * ready (gateway/check_host.h).  Two lines on `errors` for each finding.  The
 * exit status: 0; EX_CONFIG: the settings or what they name; EX_UNAVAILABLE:
 * only the host.
 */
int check_surroundings(const struct settings *settings,
    const char *settings_path, const char *libexecdir, FILE *errors) must_check;

#endif
