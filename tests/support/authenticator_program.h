/* SPDX-License-Identifier: ISC */
/* The authenticator program itself, beside a real realm. */
#ifndef TESTS_SUPPORT_AUTHENTICATOR_PROGRAM_H
#define TESTS_SUPPORT_AUTHENTICATOR_PROGRAM_H

#include "tests/support/helper_program.h"

/* Starts it, not configured yet. */
void authenticator_program_start(
    struct helper_program *program, struct event_base *base);

/* Hands over a configuration: with_kdc.sh's keytab where `keytab` is NULL,
 * its folder for the replay cache. */
void authenticator_program_configure(
    struct helper_program *program, const char *keytab);

#endif
