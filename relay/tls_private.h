/* SPDX-License-Identifier: ISC */
/* What the files of TLS share. */
#ifndef RELAY_TLS_PRIVATE_H
#define RELAY_TLS_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/ssl.h>

#include "base/compiler.h"

struct tls_context;

/* The listener's; borrowed. */
SSL_CTX *tls_context_ssl(const struct tls_context *context);

/*
 * tls_wire.c: the socket below TLS, from the first octet to the last.
 *
 * In the negotiation a write is what the socket takes.  From the handover to
 * the relay on, every write is taken whole and what the socket does not take
 * waits in `unsent`: so OpenSSL never stops in the middle of a record, and
 * reading (which may have to answer a key update) never depends on writing.
 */
struct tls_wire {
	int fd;		 /* borrowed */
	int error;	 /* errno that broke the connection; 0 */
	bool has_begun;	 /* an octet was read */
	bool is_clear;	 /* ... and it was none of TLS */
	bool is_at_end;	 /* the peer's FIN was read */
	bool is_relayed; /* handed over to the relay */
	bool is_closed;	 /* our end is said: nothing more goes out */
	uint8_t *unsent; /* octets [sent, len) wait for the socket */
	size_t sent, len, size;
};

/* Puts a wire below ssl, which owns it then; NULL without memory. */
struct tls_wire *tls_wire_attach(SSL *ssl, int fd) must_check;
/* The one below ssl. */
struct tls_wire *tls_wire_of(const SSL *ssl);

size_t tls_wire_unsent(const struct tls_wire *wire);
/* Sends what waits, as far as the socket takes it; 0 or -errno. */
int tls_wire_flush(struct tls_wire *wire) must_check;

#endif
