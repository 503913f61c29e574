/* SPDX-License-Identifier: ISC */
/* TLS on an accepted connection, as a bufferevent. */
#include "relay/tls.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>

#include <openssl/err.h>
#include <openssl/x509.h>

#include "relay/tls_private.h"

struct bufferevent *
tls_accept(struct event_base *base, const struct tls_context *context, int fd)
{
	SSL *ssl = SSL_new(tls_context_ssl(context));
	struct bufferevent *bev = NULL;

	if (ssl != NULL && tls_wire_attach(ssl, fd) != NULL)
		bev = bufferevent_openssl_socket_new(base, fd, ssl,
		    BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
	if (bev == NULL) {
		SSL_free(ssl);
		(void)close(fd);
	}
	return bev;
}

static void
print_subject(const SSL *ssl, char out[TLS_SUBJECT_SIZE])
{
	const X509 *client = SSL_get0_peer_certificate(ssl);
	BIO *text = client != NULL ? BIO_new(BIO_s_mem()) : NULL;
	int len = 0;

	if (text != NULL &&
	    X509_NAME_print_ex(
		text, X509_get_subject_name(client), 0, XN_FLAG_RFC2253) >= 0)
		len = BIO_read(text, out, TLS_SUBJECT_SIZE - 1);
	out[len > 0 ? len : 0] = '\0';
	BIO_free(text);
}

void
tls_get_facts(struct bufferevent *bev, struct tls_facts *facts)
{
	const SSL *ssl = bufferevent_openssl_get_ssl(bev);

	(void)strlcpy(
	    facts->version, SSL_get_version(ssl), sizeof(facts->version));
	print_subject(ssl, facts->subject);
}

/* ---- failures ---- */

static enum reason
handshake_reason(unsigned long code)
{
	static const struct {
		int word;
		enum reason reason;
	} rows[] = {
	    {SSL_R_UNSUPPORTED_PROTOCOL, REASON_TLS_VERSION},
	    {SSL_R_UNKNOWN_PROTOCOL, REASON_TLS_VERSION},
	    {SSL_R_VERSION_TOO_LOW, REASON_TLS_VERSION},
	    {SSL_R_NO_PROTOCOLS_AVAILABLE, REASON_TLS_VERSION},
	    {SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE,
		REASON_TLS_CLIENT_CERTIFICATE},
	    {SSL_R_CERTIFICATE_VERIFY_FAILED, REASON_TLS_CLIENT_CERTIFICATE},
	};

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
		if (ERR_GET_LIB(code) == ERR_LIB_SSL &&
		    ERR_GET_REASON(code) == rows[i].word)
			return rows[i].reason;
	return REASON_TLS_HANDSHAKE;
}

static enum reason
broken_reason(const struct tls_wire *wire)
{
	if (wire->is_clear)
		return REASON_TLS_CLEAR;
	return reason_of_client(wire->error);
}

enum reason
tls_failure(struct bufferevent *bev, char *detail, size_t detail_size)
{
	const SSL *ssl = bufferevent_openssl_get_ssl(bev);
	unsigned long code = bufferevent_get_openssl_error(bev);
	const char *word = ERR_reason_error_string(code);
	enum reason reason;

	/* Of a broken connection libevent gives SSL_get_error's number. */
	if (ERR_GET_LIB(code) == 0) {
		(void)strlcpy(detail, "", detail_size);
		return broken_reason(tls_wire_of(ssl));
	}
	if (SSL_is_init_finished(ssl))
		reason = REASON_TLS_ERROR;
	else
		reason = handshake_reason(code);
	if (SSL_get_verify_result(ssl) != X509_V_OK)
		word =
		    X509_verify_cert_error_string(SSL_get_verify_result(ssl));
	(void)strlcpy(detail, word != NULL ? word : "", detail_size);
	return reason;
}

/* ---- the end ---- */

void
tls_say_end(struct bufferevent *bev)
{
	SSL *ssl = bufferevent_openssl_get_ssl(bev);

	if (ssl == NULL || !SSL_is_init_finished(ssl))
		return;
	ERR_clear_error();
	(void)SSL_shutdown(ssl);
	ERR_clear_error();
}

int
tls_take_fd(struct bufferevent *bev)
{
	struct tls_wire *wire = tls_wire_of(bufferevent_openssl_get_ssl(bev));
	int fd = wire->fd;

	wire->is_relayed = true; /* by somebody else */
	/* It may live until its callback has returned. */
	(void)bufferevent_disable(bev, EV_READ | EV_WRITE);
	bufferevent_free(bev);
	return fd;
}
