/* SPDX-License-Identifier: ISC */
/*
 * A seal without cryptography, for unit tests: numbers its messages, knows a
 * changed, repeated or missing one, and has a header and a trailer.
 */
#ifndef TESTS_SUPPORT_TOY_SEAL_H
#define TESTS_SUPPORT_TOY_SEAL_H

#include "base/seal.h"

#define TOY_SEAL_HEADER	 12
#define TOY_SEAL_TRAILER 4

struct seal *toy_seal_new(enum protection protection);

#endif
