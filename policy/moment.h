/* SPDX-License-Identifier: ISC */
/* A moment as LDAP writes it (GeneralizedTime, RFC 4517 section 3.3.13). */
#ifndef POLICY_MOMENT_H
#define POLICY_MOMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

/*
 * "20261127170000Z", "202611271700+0100", "20261127170000.0Z": minutes and
 * seconds may be left out, a fraction of a second is dropped (of minutes and
 * hours there may be none).  *at is in seconds since 1970.
 */
bool moment_parse(const char *text, int64_t *at) must_check;

#endif
