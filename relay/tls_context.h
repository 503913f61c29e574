/* SPDX-License-Identifier: ISC */
/*
 * What a listener brings to its TLS handshakes: certificate, key and demands.
 *
 * Immutable once made, and shared between threads.
 */
#ifndef RELAY_TLS_CONTEXT_H
#define RELAY_TLS_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

struct tls_context;

/* The files that make one, as the text that stands in them (PEM). */
enum tls_file {
	TLS_CERTIFICATE, /* ours first, then those that it leads by */
	TLS_KEY,	 /* not encrypted */
	TLS_CLIENT_CA,	 /* absent: clients show no certificate */
	TLS_FILE_COUNT
};

/* The name of the setting: "tls_key". */
const char *tls_file_name(enum tls_file file);

struct tls_text {
	const void *data; /* NULL: there is no such file */
	size_t len;
};

/*
 * NULL with a sentence in `why` about the file `*wrong`.  Only TLS 1.2 with
 * forward secrecy and authenticated ciphers, and TLS 1.3; of 1.2 nothing if
 * `needs_1_3`.  Sessions are never resumed, nothing is renegotiated.
 */
struct tls_context *
tls_context_new(const struct tls_text files[TLS_FILE_COUNT], bool needs_1_3,
    enum tls_file *wrong, char *why, size_t why_size) must_check;

/* NULL is fine. */
void tls_context_free(struct tls_context *context);

/* Is our certificate good for today?  If not, why: "has expired on ...". */
bool tls_context_is_current(
    const struct tls_context *context, char *why, size_t why_size);

#endif
