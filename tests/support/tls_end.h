/* SPDX-License-Identifier: ISC */
/*
 * The client's end of TLS for tests: OpenSSL over memory, so that the test
 * moves each octet, and certificates made on the spot.
 */
#ifndef TESTS_SUPPORT_TLS_END_H
#define TESTS_SUPPORT_TLS_END_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A certificate and its key, as PEM. */
struct tls_paper {
	char *certificate, *key;
};

/* Signed by `issuer` (NULL: by itself, as a CA), valid from and to so many
 * days from now. */
void tls_paper_init(struct tls_paper *paper, const char *name,
    const struct tls_paper *issuer, int from_days, int to_days);
void tls_paper_fini(struct tls_paper *paper);

struct tls_context;
/* A listener's; client_ca may be NULL. */
struct tls_context *tls_paper_context(const struct tls_paper *paper,
    const struct tls_paper *client_ca, bool needs_1_3);
/* Of a certificate that the process makes once. */
struct tls_context *tls_any_context(void);

struct tls_end;

enum tls_end_version { TLS_END_1_1, TLS_END_1_2, TLS_END_1_3 };

/* Speaks that version and no other; shows `own` if it is asked (NULL:
 * nothing). */
struct tls_end *
tls_end_new(enum tls_end_version version, const struct tls_paper *own);
void tls_end_free(struct tls_end *end);

/* Is the handshake done?  Goes on with it. */
bool tls_end_handshake(struct tls_end *end);
/* Did anything fail? */
bool tls_end_is_broken(const struct tls_end *end);

/* Octets for the peer, and from it. */
size_t tls_end_peek(struct tls_end *end, const uint8_t **octets);
void tls_end_drop(struct tls_end *end, size_t len);
void tls_end_feed(struct tls_end *end, const void *octets, size_t len);

void tls_end_write(struct tls_end *end, const void *plain, size_t len);
/* Octets, 0 at close_notify, -1 when there are none (or it is broken). */
ssize_t tls_end_read(struct tls_end *end, void *plain, size_t size);
/* close_notify. */
void tls_end_finish(struct tls_end *end);
/* TLS 1.3: new keys for what we send; with `ask` the peer's, too. */
void tls_end_update_keys(struct tls_end *end, bool ask);
/* TLS 1.2. */
void tls_end_renegotiate(struct tls_end *end);

#endif
