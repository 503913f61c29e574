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
#define DIRECTORY_WHY_SIZE 1024

enum directory_bind { DIRECTORY_ANONYMOUS, DIRECTORY_SIMPLE, DIRECTORY_GSSAPI };

/* How to connect; texts are copies. */
struct directory_settings {
	unsigned uri_count;
	char *uris[DIRECTORY_URIS_MAX];
	bool start_tls;
	char *ca_file; /* "": the system's */
	enum directory_bind bind;
	char *bind_dn;
	struct secret *password; /* of a simple bind */
	char *client_keytab;
	char *client_principal; /* "": the keytab's first */
	unsigned timeout_s;
	unsigned first; /* the server to begin with: the last that answered */
};

/* Copies from the helper's options; `password` is taken and may be NULL.
 * Dies without memory. */
void directory_settings_init(struct directory_settings *settings,
    const struct options *options, struct secret *password);
/* One more server; NULL: none of those so far. */
void directory_settings_servers(
    struct directory_settings *settings, const char *uri);
void directory_settings_fini(struct directory_settings *settings);

/* What libraries read from the environment, which must not be the caller's:
 * before the first connection. */
void directory_settings_export(const struct directory_settings *settings);

/*
 * Tries one server after the other, each for no more than some timeouts, and
 * begins no further try when budget_s have passed.  NULL, and in `why` each
 * server with what happened, in plain words.
 */
LDAP *directory_open(struct directory_settings *settings, unsigned budget_s,
    char why[DIRECTORY_WHY_SIZE]) must_check;
void directory_close(LDAP *ld); /* NULL is fine */

/* How far one server let us come. */
enum directory_step {
	DIRECTORY_STEP_HANDLE,
	DIRECTORY_STEP_CONNECT,
	DIRECTORY_STEP_TLS,
	DIRECTORY_STEP_BIND
};

struct directory_failure {
	enum directory_step step;
	int result; /* libldap's */
};

/* Tries that one.  NULL, where it failed, and a sentence behind what is in
 * `why`. */
LDAP *
directory_open_one(const struct directory_settings *settings, const char *uri,
    struct directory_failure *failure, char why[DIRECTORY_WHY_SIZE]) must_check;

/* The certificate that a server shows, in DER, trusted or not: to say what is
 * wrong with it.  Nothing is told to the server.  bv_val is NULL if there is
 * none, else for ldap_memfree. */
struct berval directory_certificate(
    const struct directory_settings *settings, const char *uri) must_check;

#endif
