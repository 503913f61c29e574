/* SPDX-License-Identifier: ISC */
/* What `gatewarden --check-policy` looks at: the rules, as the daemon would
 * read them. */
#ifndef GATEWAY_POLICY_CHECK_H
#define GATEWAY_POLICY_CHECK_H

#include <stdio.h>

#include "base/compiler.h"

struct settings;

/*
 * Starts directory-watch for one reading, of the rules that the settings name
 * or of the LDIF file (NULL: none; a regular one, opened with our own rights),
 * and builds the rule set of what it says, as the gateway does.  Nothing of a
 * daemon that runs beside it is touched, and nothing is left running.
 *
 * One line on `errors` for each entry that is wrong, with its DN, attribute
 * and value; on `out` how many rules are good.  The exit status: 0; EX_CONFIG:
 * something is wrong with the rules or the settings; EX_UNAVAILABLE: they
 * could not be read.
 *
 * Where we are root, the rules are looked at as the gateway's user, and root
 * is given up for good.
 */
int policy_check(const struct settings *settings, const char *libexecdir,
    const char *ldif, FILE *out, FILE *errors) must_check;

#endif
