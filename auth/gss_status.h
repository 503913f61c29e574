/* SPDX-License-Identifier: ISC */
/* What libgssapi has to say about a failure, as one line of text. */
#ifndef AUTH_GSS_STATUS_H
#define AUTH_GSS_STATUS_H

#include <stddef.h>
#include <stdint.h>

/*
 * Writes the mechanism's sentence, or the general one where the mechanism
 * has none; cut to fit, always ended by NUL.  It may quote foreign names.
 */
void gssstatus_print(char *out, size_t size, uint32_t major, uint32_t minor);

#endif
