/* SPDX-License-Identifier: ISC */
/* The client's end of TLS for tests. */
#include "tests/support/tls_end.h"

#include "tests/support/unit.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "relay/tls_context.h"

#define DAY_SECONDS 86400

/* ---- certificates ---- */

static char *
text_of(BIO *bio)
{
	char *data, *text;
	long len = BIO_get_mem_data(bio, &data);

	text = strndup(data, (size_t)len);
	assert_non_null(text);
	BIO_free(bio);
	return text;
}

static void
add_extension(X509 *own, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	assert_non_null(extension);
	assert_int_equal(X509_add_ext(own, extension, -1), 1);
	X509_EXTENSION_free(extension);
}

static X509 *
read_certificate(const char *text)
{
	BIO *bio = BIO_new_mem_buf(text, -1);
	X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);

	BIO_free(bio);
	assert_non_null(certificate);
	return certificate;
}

static EVP_PKEY *
read_key(const char *text)
{
	BIO *bio = BIO_new_mem_buf(text, -1);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);

	BIO_free(bio);
	assert_non_null(key);
	return key;
}

/* Takes both. */
static void
sign(X509 *own, X509 *issuer, EVP_PKEY *key)
{
	assert_int_equal(
	    X509_set_issuer_name(own, X509_get_subject_name(issuer)), 1);
	assert_true(X509_sign(own, key, EVP_sha256()) > 0);
	X509_free(issuer);
	EVP_PKEY_free(key);
}

void
tls_paper_init(struct tls_paper *paper, const char *name,
    const struct tls_paper *issuer, int from_days, int to_days)
{
	static long serial;
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *own = X509_new();
	BIO *out = BIO_new(BIO_s_mem());

	assert_true(key != NULL && own != NULL && out != NULL);
	(void)X509_set_version(own, X509_VERSION_3);
	(void)ASN1_INTEGER_set(X509_get_serialNumber(own), ++serial);
	(void)X509_gmtime_adj(
	    X509_getm_notBefore(own), (long)from_days * DAY_SECONDS);
	(void)X509_gmtime_adj(
	    X509_getm_notAfter(own), (long)to_days * DAY_SECONDS);
	(void)X509_NAME_add_entry_by_txt(X509_get_subject_name(own), "CN",
	    MBSTRING_UTF8, (const unsigned char *)name, -1, -1, 0);
	(void)X509_set_pubkey(own, key);
	if (issuer == NULL) {
		add_extension(own, NID_basic_constraints, "critical,CA:TRUE");
		X509_up_ref(own);
		EVP_PKEY_up_ref(key);
		sign(own, own, key);
	} else {
		sign(own, read_certificate(issuer->certificate),
		    read_key(issuer->key));
	}
	assert_int_equal(PEM_write_bio_X509(out, own), 1);
	paper->certificate = text_of(out);
	out = BIO_new(BIO_s_mem());
	assert_int_equal(
	    PEM_write_bio_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL), 1);
	paper->key = text_of(out);
	X509_free(own);
	EVP_PKEY_free(key);
}

void
tls_paper_fini(struct tls_paper *paper)
{
	free(paper->certificate);
	free(paper->key);
}

struct tls_context *
tls_paper_context(const struct tls_paper *paper,
    const struct tls_paper *client_ca, bool needs_1_3)
{
	struct tls_text files[TLS_FILE_COUNT] = {
	    [TLS_CERTIFICATE] = {paper->certificate,
		strlen(paper->certificate)},
	    [TLS_KEY] = {paper->key, strlen(paper->key)},
	};
	struct tls_context *context;
	enum tls_file wrong;
	char why[512] = "";

	if (client_ca != NULL)
		files[TLS_CLIENT_CA] = (struct tls_text){
		    client_ca->certificate, strlen(client_ca->certificate)};
	context = tls_context_new(files, needs_1_3, &wrong, why, sizeof(why));
	if (context == NULL)
		fail_msg("%s %s", tls_file_name(wrong), why);
	return context;
}

struct tls_context *
tls_any_context(void)
{
	static struct tls_context *context;
	struct tls_paper paper;

	if (context == NULL) {
		tls_paper_init(&paper, "gw.example.com", NULL, -1, 30);
		context = tls_paper_context(&paper, NULL, false);
		tls_paper_fini(&paper);
	}
	return context;
}

/* ---- the client's end ---- */

struct tls_end {
	SSL_CTX *context;
	SSL *ssl;
	BIO *in, *out;
	bool is_broken;
};

static void
show(SSL_CTX *context, const struct tls_paper *own)
{
	X509 *certificate = read_certificate(own->certificate);
	EVP_PKEY *key = read_key(own->key);

	assert_int_equal(SSL_CTX_use_certificate(context, certificate), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(context, key), 1);
	X509_free(certificate);
	EVP_PKEY_free(key);
}

struct tls_end *
tls_end_new(enum tls_end_version version, const struct tls_paper *own)
{
	static const int versions[] = {
	    [TLS_END_1_1] = TLS1_1_VERSION,
	    [TLS_END_1_2] = TLS1_2_VERSION,
	    [TLS_END_1_3] = TLS1_3_VERSION,
	};
	struct tls_end *end = calloc(1, sizeof(*end));

	assert_non_null(end);
	end->context = SSL_CTX_new(TLS_client_method());
	/* TLS 1.1's signatures are below what Debian allows. */
	if (version == TLS_END_1_1)
		SSL_CTX_set_security_level(end->context, 0);
	assert_int_equal(
	    SSL_CTX_set_min_proto_version(end->context, versions[version]), 1);
	assert_int_equal(
	    SSL_CTX_set_max_proto_version(end->context, versions[version]), 1);
	if (own != NULL)
		show(end->context, own);
	end->ssl = SSL_new(end->context);
	end->in = BIO_new(BIO_s_mem());
	end->out = BIO_new(BIO_s_mem());
	assert_true(end->ssl != NULL && end->in != NULL && end->out != NULL);
	SSL_set_bio(end->ssl, end->in, end->out);
	SSL_set_connect_state(end->ssl);
	return end;
}

void
tls_end_free(struct tls_end *end)
{
	if (end == NULL)
		return;
	SSL_free(end->ssl);
	SSL_CTX_free(end->context);
	free(end);
}

/* What OpenSSL said: only that it waits is no failure. */
static void
look(struct tls_end *end, int result)
{
	int kind = SSL_get_error(end->ssl, result);

	if (result <= 0 && kind != SSL_ERROR_WANT_READ &&
	    kind != SSL_ERROR_ZERO_RETURN)
		end->is_broken = true;
	ERR_clear_error();
}

bool
tls_end_handshake(struct tls_end *end)
{
	if (!SSL_is_init_finished(end->ssl))
		look(end, SSL_do_handshake(end->ssl));
	return SSL_is_init_finished(end->ssl);
}

bool
tls_end_is_broken(const struct tls_end *end)
{
	return end->is_broken;
}

size_t
tls_end_peek(struct tls_end *end, const uint8_t **octets)
{
	char *data;
	long len = BIO_get_mem_data(end->out, &data);

	*octets = (const uint8_t *)data;
	return (size_t)len;
}

void
tls_end_drop(struct tls_end *end, size_t len)
{
	static uint8_t waste[65536];

	while (len > 0) {
		size_t part = len < sizeof(waste) ? len : sizeof(waste);

		assert_int_equal(
		    BIO_read(end->out, waste, (int)part), (int)part);
		len -= part;
	}
}

void
tls_end_feed(struct tls_end *end, const void *octets, size_t len)
{
	assert_int_equal(BIO_write(end->in, octets, (int)len), (int)len);
}

void
tls_end_write(struct tls_end *end, const void *plain, size_t len)
{
	if (len > 0)
		assert_int_equal(
		    SSL_write(end->ssl, plain, (int)len), (int)len);
}

ssize_t
tls_end_read(struct tls_end *end, void *plain, size_t size)
{
	int result = SSL_read(end->ssl, plain, (int)size);

	if (result > 0)
		return result;
	if (SSL_get_error(end->ssl, result) == SSL_ERROR_ZERO_RETURN)
		return 0;
	look(end, result);
	return -1;
}

void
tls_end_finish(struct tls_end *end)
{
	assert_true(SSL_shutdown(end->ssl) >= 0);
}

void
tls_end_update_keys(struct tls_end *end, bool ask)
{
	assert_int_equal(
	    SSL_key_update(end->ssl,
		ask ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED),
	    1);
	look(end, SSL_do_handshake(end->ssl));
}

void
tls_end_renegotiate(struct tls_end *end)
{
	assert_int_equal(SSL_renegotiate(end->ssl), 1);
	look(end, SSL_do_handshake(end->ssl));
}
