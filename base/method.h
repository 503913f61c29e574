/* SPDX-License-Identifier: ISC */
/* The ways to prove who one is (RFC 1928 section 3). */
#ifndef BASE_METHOD_H
#define BASE_METHOD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

enum method { METHOD_NONE, METHOD_GSSAPI, METHOD_PASSWORD, METHOD_COUNT };

/* "none", "gssapi", "password". */
const char *method_name(enum method method);
bool method_parse(const char *text, enum method *method) must_check;

/* The octet of RFC 1928 section 3, which is the enumerator's value. */
#define METHOD_OCTET(method)  ((uint8_t)(method))
#define METHOD_NOT_ACCEPTABLE 0xff

#endif
