/* SPDX-License-Identifier: ISC */
/*
 * TLS to a syslog receiver (RFC 5425), on a connected socket that does not
 * block.  No header of OpenSSL is needed to use it.
 *
 * TLS 1.2.  The receiver's certificate must lead to one of the CAs and
 * have the name as subjectAltName; ours is shown where there is one.
 */
#ifndef GATEWAY_SYSLOG_TLS_H
#define GATEWAY_SYSLOG_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/compiler.h"

struct syslog_tls;

/* PEM files; read for each connection, so that new ones count from the next
 * one on. */
struct syslog_tls_settings {
	const char *ca_file;	 /* "": the system's */
	const char *name;	 /* of the DNS, or an address */
	const char *certificate; /* "": we show none */
	const char *key;
};

#define SYSLOG_TLS_WHY_SIZE 512

/* fd is borrowed.  NULL and a sentence in `why`: files that cannot be used, or
 * no memory. */
struct syslog_tls *syslog_tls_new(const struct syslog_tls_settings *settings,
    int fd, char why[SYSLOG_TLS_WHY_SIZE]) must_check;
/* Says close_notify where the socket takes it at once.  NULL is fine. */
void syslog_tls_free(struct syslog_tls *tls);

enum syslog_tls_state {
	SYSLOG_TLS_DONE,
	SYSLOG_TLS_WANTS_READ,	/* again when the socket can be read, */
	SYSLOG_TLS_WANTS_WRITE, /* ... or written */
	SYSLOG_TLS_BROKEN	/* syslog_tls_why says how */
};

enum syslog_tls_state syslog_tls_handshake(struct syslog_tls *tls) must_check;

/* What of it was taken, in *done; after WANTS_* the same octets have to
 * follow. */
enum syslog_tls_state syslog_tls_write(struct syslog_tls *tls, const char *data,
    size_t len, size_t *done) must_check;

/* A receiver says nothing: DONE never comes, WANTS_READ is well, BROKEN the
 * end. */
enum syslog_tls_state syslog_tls_read(struct syslog_tls *tls) must_check;

/* So many octets went into the socket, those of the handshake too. */
uint64_t syslog_tls_octets(const struct syslog_tls *tls);

/* A write has begun that was not taken yet. */
bool syslog_tls_is_midway(const struct syslog_tls *tls);

/* Borrowed, until the next call. */
const char *syslog_tls_why(struct syslog_tls *tls);

#endif
