/* SPDX-License-Identifier: ISC */
/* What `gatewarden --check` looks at besides the settings file itself. */
#ifndef GATEWAY_CHECK_H
#define GATEWAY_CHECK_H

#include <stdbool.h>
#include <stdio.h>

#include "base/compiler.h"

struct settings;

/*
 * Checks that the programs are there, the users exist (where we are root),
 * the files that the settings name can be read, and those that hold secrets
 * are nobody else's to read.  One line on `errors` for each thing that is
 * wrong; true if nothing is.
 */
bool check_surroundings(const struct settings *settings,
    const char *settings_path, const char *libexecdir, FILE *errors) must_check;

#endif
