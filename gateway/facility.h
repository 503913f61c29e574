/* SPDX-License-Identifier: ISC */
/* The syslog facilities that records may have. */
#ifndef GATEWAY_FACILITY_H
#define GATEWAY_FACILITY_H

#include <stdbool.h>

#include "base/compiler.h"

/* "authpriv" to its number (RFC 5424 section 6.2.1): auth, authpriv, daemon,
 * local0 to local7; false for any other. */
bool facility_parse(const char *text, int *facility) must_check;

#endif
