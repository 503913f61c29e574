/* SPDX-License-Identifier: ISC */
/* TLS to a syslog receiver (RFC 5425). */
#include "gateway/syslog_tls.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#define SYSTEM_CA_FILE "/etc/ssl/certs/ca-certificates.crt"

struct syslog_tls {
	SSL_CTX *context;
	SSL *ssl;
	bool is_midway;
	char why[SYSLOG_TLS_WHY_SIZE];
};

/* OpenSSL's word for what went wrong last. */
static const char *
last_error(void)
{
	unsigned long code = ERR_peek_last_error();
	const char *text = code == 0 ? NULL : ERR_reason_error_string(code);

	return text != NULL ? text : "no reason is known";
}

/* ---- the beginning ---- */

static bool
take_authorities(SSL_CTX *context, const struct syslog_tls_settings *settings,
    char why[SYSLOG_TLS_WHY_SIZE])
{
	const char *path =
	    *settings->ca_file != '\0' ? settings->ca_file : SYSTEM_CA_FILE;

	if (SSL_CTX_load_verify_locations(context, path, NULL) == 1)
		return true;
	(void)snprintf(why, SYSLOG_TLS_WHY_SIZE,
	    "the certificates in %s cannot be used: %s", path, last_error());
	return false;
}

static bool
take_own_certificate(SSL_CTX *context,
    const struct syslog_tls_settings *settings, char why[SYSLOG_TLS_WHY_SIZE])
{
	const char *wrong = settings->certificate;

	if (*settings->certificate == '\0')
		return true;
	if (SSL_CTX_use_certificate_chain_file(context, wrong) == 1) {
		wrong = settings->key;
		if (SSL_CTX_use_PrivateKey_file(
			context, wrong, SSL_FILETYPE_PEM) == 1 &&
		    SSL_CTX_check_private_key(context) == 1)
			return true;
	}
	(void)snprintf(why, SYSLOG_TLS_WHY_SIZE, "%s cannot be used: %s", wrong,
	    last_error());
	return false;
}

static SSL_CTX *
make_context(
    const struct syslog_tls_settings *settings, char why[SYSLOG_TLS_WHY_SIZE])
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());

	(void)strlcpy(why, "no memory for TLS", SYSLOG_TLS_WHY_SIZE);
	if (context == NULL)
		return NULL;
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	/* What is not taken may be offered from another place. */
	(void)SSL_CTX_set_mode(
	    context, SSL_MODE_ENABLE_PARTIAL_WRITE |
			 SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	(void)SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	/* A write never waits for what the receiver says. */
	(void)SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
	/* In 1.3 a receiver judges our certificate when the handshake is done
	 * for us: what we sent by then it would have taken and thrown away. */
	if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
	    SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION) == 1 &&
	    take_authorities(context, settings, why) &&
	    take_own_certificate(context, settings, why))
		return context;
	SSL_CTX_free(context);
	return NULL;
}

/* RFC 5425 section 5.2: the name, and no common name in its place. */
static bool
expect_name(SSL *ssl, const char *name)
{
	X509_VERIFY_PARAM *wanted = SSL_get0_param(ssl);
	char host[256]; /* OpenSSL's macro takes no const */

	X509_VERIFY_PARAM_set_hostflags(
	    wanted, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
	if (X509_VERIFY_PARAM_set1_ip_asc(wanted, name) == 1)
		return true;
	if (strlcpy(host, name, sizeof(host)) >= sizeof(host))
		return false;
	return X509_VERIFY_PARAM_set1_host(wanted, host, 0) == 1 &&
	       SSL_set_tlsext_host_name(ssl, host) == 1;
}

struct syslog_tls *
syslog_tls_new(const struct syslog_tls_settings *settings, int fd,
    char why[SYSLOG_TLS_WHY_SIZE])
{
	struct syslog_tls *tls = calloc(1, sizeof(*tls));

	(void)strlcpy(why, "no memory for TLS", SYSLOG_TLS_WHY_SIZE);
	if (tls == NULL)
		return NULL;
	ERR_clear_error();
	tls->context = make_context(settings, why);
	if (tls->context != NULL)
		tls->ssl = SSL_new(tls->context);
	if (tls->ssl != NULL && SSL_set_fd(tls->ssl, fd) == 1 &&
	    expect_name(tls->ssl, settings->name))
		return tls;
	syslog_tls_free(tls);
	return NULL;
}

void
syslog_tls_free(struct syslog_tls *tls)
{
	if (tls == NULL)
		return;
	if (tls->ssl != NULL && SSL_is_init_finished(tls->ssl) == 1) {
		ERR_clear_error();
		(void)SSL_shutdown(tls->ssl);
	}
	SSL_free(tls->ssl);
	SSL_CTX_free(tls->context);
	free(tls);
}

/* ---- its way ---- */

static void
explain(struct syslog_tls *tls, int error)
{
	long verified = SSL_get_verify_result(tls->ssl);

	if (verified != X509_V_OK)
		(void)snprintf(tls->why, sizeof(tls->why),
		    "its certificate: %s",
		    X509_verify_cert_error_string(verified));
	else if (error == SSL_ERROR_SYSCALL)
		(void)strlcpy(tls->why,
		    errno != 0 ? strerror(errno) : "the connection has ended",
		    sizeof(tls->why));
	else if (error == SSL_ERROR_ZERO_RETURN)
		(void)strlcpy(
		    tls->why, "it has ended the connection", sizeof(tls->why));
	else
		(void)snprintf(
		    tls->why, sizeof(tls->why), "TLS: %s", last_error());
}

static enum syslog_tls_state
state_of(struct syslog_tls *tls, int status)
{
	int error = SSL_get_error(tls->ssl, status);

	switch (error) {
	case SSL_ERROR_NONE:
		return SYSLOG_TLS_DONE;
	case SSL_ERROR_WANT_READ:
		return SYSLOG_TLS_WANTS_READ;
	case SSL_ERROR_WANT_WRITE:
		return SYSLOG_TLS_WANTS_WRITE;
	default:
		explain(tls, error);
		return SYSLOG_TLS_BROKEN;
	}
}

enum syslog_tls_state
syslog_tls_handshake(struct syslog_tls *tls)
{
	ERR_clear_error();
	errno = 0;
	return state_of(tls, SSL_connect(tls->ssl));
}

enum syslog_tls_state
syslog_tls_write(
    struct syslog_tls *tls, const char *data, size_t len, size_t *done)
{
	int status;

	ERR_clear_error();
	errno = 0;
	status = SSL_write_ex(tls->ssl, data, len, done);
	tls->is_midway = status != 1;
	if (status != 1)
		*done = 0;
	return state_of(tls, status);
}

/* Octets that it sends for no reason are dropped. */
enum syslog_tls_state
syslog_tls_read(struct syslog_tls *tls)
{
	char ignored[512];
	size_t got;
	int status;

	ERR_clear_error();
	errno = 0;
	status = SSL_read_ex(tls->ssl, ignored, sizeof(ignored), &got);
	return status == 1 ? SYSLOG_TLS_WANTS_READ : state_of(tls, status);
}

uint64_t
syslog_tls_octets(const struct syslog_tls *tls)
{
	return BIO_number_written(SSL_get_wbio(tls->ssl));
}

bool
syslog_tls_is_midway(const struct syslog_tls *tls)
{
	return tls->is_midway;
}

const char *
syslog_tls_why(struct syslog_tls *tls)
{
	return tls->why;
}
