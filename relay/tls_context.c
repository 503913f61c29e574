/* SPDX-License-Identifier: ISC */
/* What a listener brings to its TLS handshakes. */
#include "relay/tls_context.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "relay/tls_private.h"

/* Of TLS 1.2; all of 1.3's are like these. */
#define CIPHERS_OF_1_2 "ECDHE+AESGCM:ECDHE+CHACHA20"

struct tls_context {
	SSL_CTX *ssl;
};

/* One that is being made. */
struct making {
	const struct tls_text *files;
	SSL_CTX *ssl;
	enum tls_file *wrong;
	char *why;
	size_t why_size;
};

const char *
tls_file_name(enum tls_file file)
{
	static const char *const names[TLS_FILE_COUNT] = {
	    [TLS_CERTIFICATE] = "tls_certificate",
	    [TLS_KEY] = "tls_key",
	    [TLS_CLIENT_CA] = "tls_client_ca",
	};

	return names[file];
}

/* False: it says what is wrong, and OpenSSL's word for it if it has one. */
static bool
complain(const struct making *making, enum tls_file file, const char *what)
{
	unsigned long code = ERR_peek_error();
	const char *detail = code != 0 ? ERR_reason_error_string(code) : NULL;

	*making->wrong = file;
	(void)snprintf(making->why, making->why_size, "%s%s%s", what,
	    detail != NULL ? ": " : "", detail != NULL ? detail : "");
	ERR_clear_error();
	return false;
}

/* An encrypted key is an error: nobody is there to be asked. */
static int
no_password(char *out, int size, int is_writing, void *arg)
{
	(void)out;
	(void)size;
	(void)is_writing;
	(void)arg;
	return -1;
}

static BIO *
open_text(const struct making *making, enum tls_file file)
{
	const struct tls_text *text = &making->files[file];

	if (text->data == NULL || text->len > INT_MAX)
		return NULL;
	return BIO_new_mem_buf(text->data, (int)text->len);
}

/* The next certificate, or NULL at the end (ERR_R_NO_START_LINE). */
static X509 *
next_certificate(BIO *in)
{
	return PEM_read_bio_X509(in, NULL, no_password, NULL);
}

static bool
is_at_end(void)
{
	unsigned long code = ERR_peek_last_error();
	bool is_end = ERR_GET_LIB(code) == ERR_LIB_PEM &&
		      ERR_GET_REASON(code) == PEM_R_NO_START_LINE;

	if (is_end)
		ERR_clear_error();
	return is_end;
}

static bool
use_certificate(const struct making *making)
{
	BIO *in = open_text(making, TLS_CERTIFICATE);
	X509 *own = in != NULL ? next_certificate(in) : NULL, *other;
	bool was_taken;

	if (own == NULL) {
		BIO_free(in);
		return complain(making, TLS_CERTIFICATE,
		    "holds no certificate in the form PEM");
	}
	was_taken = SSL_CTX_use_certificate(making->ssl, own) == 1;
	X509_free(own);
	while (was_taken && (other = next_certificate(in)) != NULL) {
		was_taken = SSL_CTX_add0_chain_cert(making->ssl, other) == 1;
		if (!was_taken)
			X509_free(other);
	}
	BIO_free(in);
	return (was_taken && is_at_end()) ||
	       complain(making, TLS_CERTIFICATE, "cannot be used");
}

static bool
use_key(const struct making *making)
{
	BIO *in = open_text(making, TLS_KEY);
	EVP_PKEY *key =
	    in != NULL ? PEM_read_bio_PrivateKey(in, NULL, no_password, NULL)
		       : NULL;
	bool was_taken;

	BIO_free(in);
	if (key == NULL)
		return complain(making, TLS_KEY,
		    "holds no key in the form PEM that is not encrypted");
	was_taken = X509_check_private_key(
			SSL_CTX_get0_certificate(making->ssl), key) == 1;
	if (!was_taken) {
		EVP_PKEY_free(key);
		ERR_clear_error();
		return complain(making, TLS_KEY,
		    "is not the key of the certificate in tls_certificate");
	}
	was_taken = SSL_CTX_use_PrivateKey(making->ssl, key) == 1;
	EVP_PKEY_free(key);
	return was_taken || complain(making, TLS_KEY, "cannot be used");
}

static bool
demand_client_certificates(const struct making *making)
{
	X509_STORE *store = SSL_CTX_get_cert_store(making->ssl);
	BIO *in = open_text(making, TLS_CLIENT_CA);
	bool was_taken = in != NULL;
	unsigned count = 0;
	X509 *ca;

	while (was_taken && (ca = next_certificate(in)) != NULL) {
		was_taken = X509_STORE_add_cert(store, ca) == 1 &&
			    SSL_CTX_add_client_CA(making->ssl, ca) == 1;
		X509_free(ca);
		count++;
	}
	BIO_free(in);
	if (!was_taken || !is_at_end() || count == 0)
		return complain(making, TLS_CLIENT_CA,
		    "holds no certificates in the form PEM");
	SSL_CTX_set_verify(making->ssl,
	    SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	return true;
}

static bool
set_manners(SSL_CTX *ssl, bool needs_1_3)
{
	/* A resumed session would outlive a certificate and a CA that a
	 * reload took away; sessions here are long and few. */
	(void)SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
	(void)SSL_CTX_set_options(ssl,
	    SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
		SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
		/* Passwords come this way. */
		SSL_OP_CLEANSE_PLAINTEXT |
		/* Until the relay a client that goes away is no attack. */
		SSL_OP_IGNORE_UNEXPECTED_EOF);
	(void)SSL_CTX_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE |
					SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
					SSL_MODE_RELEASE_BUFFERS);
	return SSL_CTX_set_num_tickets(ssl, 0) == 1 &&
	       SSL_CTX_set_cipher_list(ssl, CIPHERS_OF_1_2) == 1 &&
	       SSL_CTX_set_min_proto_version(
		   ssl, needs_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION) == 1;
}

static bool
make(const struct making *making, bool needs_1_3)
{
	ERR_clear_error();
	if (making->ssl == NULL || !set_manners(making->ssl, needs_1_3))
		return complain(making, TLS_CERTIFICATE, "no TLS can be made");
	return use_certificate(making) && use_key(making) &&
	       (making->files[TLS_CLIENT_CA].data == NULL ||
		   demand_client_certificates(making));
}

struct tls_context *
tls_context_new(const struct tls_text files[TLS_FILE_COUNT], bool needs_1_3,
    enum tls_file *wrong, char *why, size_t why_size)
{
	struct tls_context *context = malloc(sizeof(*context));
	const struct making making = {
	    .files = files,
	    .ssl = context != NULL ? SSL_CTX_new(TLS_server_method()) : NULL,
	    .wrong = wrong,
	    .why = why,
	    .why_size = why_size,
	};

	if (!make(&making, needs_1_3)) {
		SSL_CTX_free(making.ssl);
		free(context);
		return NULL;
	}
	context->ssl = making.ssl;
	return context;
}

void
tls_context_free(struct tls_context *context)
{
	if (context == NULL)
		return;
	SSL_CTX_free(context->ssl);
	free(context);
}

static void
print_time(const ASN1_TIME *when, char *out, size_t size)
{
	BIO *text = BIO_new(BIO_s_mem());
	int len = 0;

	if (text != NULL && ASN1_TIME_print(text, when) == 1)
		len = BIO_read(text, out, (int)size - 1);
	out[len > 0 ? len : 0] = '\0';
	BIO_free(text);
}

bool
tls_context_is_current(
    const struct tls_context *context, char *why, size_t why_size)
{
	const X509 *own = SSL_CTX_get0_certificate(context->ssl);
	bool has_begun = X509_cmp_current_time(X509_get0_notBefore(own)) < 0;
	bool has_ended = X509_cmp_current_time(X509_get0_notAfter(own)) < 0;
	char when[64];

	if (has_begun && !has_ended)
		return true;
	print_time(
	    has_ended ? X509_get0_notAfter(own) : X509_get0_notBefore(own),
	    when, sizeof(when));
	(void)snprintf(why, why_size, "the certificate %s %s",
	    has_ended ? "has expired on" : "is not valid before", when);
	return false;
}

SSL_CTX *
tls_context_ssl(const struct tls_context *context)
{
	return context->ssl;
}
