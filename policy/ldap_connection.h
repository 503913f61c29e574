/* SPDX-License-Identifier: ISC */
/*
 * A bound connection to the first of several directory servers that answers.
 *
 * libldap blocks: only directory programs use it, under a deadline of their
 * own.  TLS is verified, StartTLS never falls back, referrals are not chased,
 * aliases not followed.
 */
#ifndef POLICY_LDAP_CONNECTION_H
#define POLICY_LDAP_CONNECTION_H

#include <stdbool.h>
#include <stdint.h>

#include <ldap.h>

#include "base/compiler.h"

struct options;
struct secret;

#define DIRECTORY_URIS_MAX 8
#define DIRECTORY_WHY_SIZE 512

enum directory_bind { DIRECTORY_ANONYMOUS, DIRECTORY_SIMPLE, DIRECTORY_GSSAPI };

/* How to connect; texts are copies. */
struct directory_settings {
	unsigned uri_count;
	char *uris[DIRECTORY_URIS_MAX];
	bool start_tls;
	char *ca_file; /* "" : the system's */
	enum directory_bind bind;
	char *bind_dn;
	struct secret *password; /* of a simple bind */
	char *client_keytab;
	char *client_principal; /* "": the keytab's first */
	unsigned timeout_s;
};

/* Copies from the helper's options; `password` is taken and may be NULL.
 * Dies without memory. */
void directory_settings_init(struct directory_settings *settings,
    const struct options *options, struct secret *password);
void directory_settings_fini(struct directory_settings *settings);

/* Where a gssapi bind finds its keytab and keeps its tickets: in the
 * environment, so before any thread or library asks. */
void directory_settings_export(const struct directory_settings *settings);

/* NULL, and in `why` each server with what happened, in plain words. */
LDAP *directory_open(const struct directory_settings *settings,
    char why[DIRECTORY_WHY_SIZE]) must_check;
void directory_close(LDAP *ld); /* NULL is fine */

/* What to do with each entry of a search: 0, or anything else to stop. */
typedef int directory_entry_fn(void *arg, LDAP *ld, LDAPMessage *entry);

/*
 * libldap's own failures are small negative numbers, as -errno is: those of
 * ours are shifted out of their way.
 */
#define DIRECTORY_ERRNO(error) (-10000 - (error))

/*
 * Searches in pages (RFC 2696) until all entries were seen.  0; an LDAP
 * result code, or what the callback returned.
 */
int directory_search(LDAP *ld, const struct directory_settings *settings,
    const char *base, int scope, const char *filter, char **attributes,
    directory_entry_fn *entry, void *arg) must_check;

/* What such a result means, for people: libldap's own codes and -errno. */
const char *directory_error(int result);

#endif
