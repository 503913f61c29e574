/* SPDX-License-Identifier: ISC */
/*
 * What the keytab holds: services, realms, kinds of keys.  Read again when
 * the file has changed.  Runs in the authenticator; reads files.
 */
#ifndef AUTH_GSS_KEYTAB_H
#define AUTH_GSS_KEYTAB_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

struct gsskeytab;

/*
 * Reads the file; keys of weak kinds and a file that others may read are
 * worth a warning in the log.  NULL with a sentence in why that names the
 * file if it cannot be read or is empty.
 */
struct gsskeytab *
gsskeytab_new(const char *path, char *why, size_t why_size) must_check;
void gsskeytab_free(struct gsskeytab *keytab);

/* Looks whether the file has changed and reads it again if so.  While it
 * cannot be read what was known stays. */
void gsskeytab_refresh(struct gsskeytab *keytab);

/* Is there a key for a principal whose first component is `service`? */
bool gsskeytab_has_service(const struct gsskeytab *keytab, const char *service);

/* A line "key=PRINCIPAL kvno N KIND YYYY-MM-DD" for each key, as many as there
 * is room for; the date is that of its making. */
void
gsskeytab_describe(const struct gsskeytab *keytab, char *facts, size_t size);

/* Does one of the principals belong to this realm? */
bool gsskeytab_has_realm(const struct gsskeytab *keytab, const char *realm);

#endif
