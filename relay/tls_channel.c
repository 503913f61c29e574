/* SPDX-License-Identifier: ISC */
/* One end of a relayed connection: TLS. */
#include "relay/tls.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>

#include <openssl/err.h>

#include "base/must.h"
#include "relay/channel_private.h"
#include "relay/tls_private.h"

/*
 * Past this nothing is read: whoever asks for answers (key updates) and does
 * not take them would fill our memory.  One record is less than 17 KiB.
 */
#define UNSENT_MAX 65536

struct tls_channel {
	struct channel channel; /* first: the two have one address */
	SSL *ssl;
	struct tls_wire *wire;	     /* the one below ssl */
	bool is_dry;		     /* OpenSSL waits for the socket */
	bool is_at_end;		     /* the client's close_notify was read */
	int read_error, write_error; /* errno, said from now on; 0 */
};

static struct tls_channel *
upcast(struct channel *channel)
{
	return (struct tls_channel *)channel;
}

static const struct tls_channel *
upcast_const(const struct channel *channel)
{
	return (const struct tls_channel *)channel;
}

/* What went wrong, after SSL_get_error() said so. */
static int
failure(const struct tls_channel *tls, int kind)
{
	unsigned long code = ERR_peek_error();

	/* A socket says once that it was reset: to whoever asks first. */
	if (tls->wire->error != 0)
		return tls->wire->error;
	if (kind != SSL_ERROR_SSL)
		return EIO;
	if (tls->wire->is_at_end &&
	    ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
		return CHANNEL_TRUNCATED;
	return CHANNEL_BROKEN;
}

/* Is there more to be had?  Then *len octets were read. */
static bool
read_some(struct tls_channel *tls, void *out, size_t size, size_t *len)
{
	int kind;

	ERR_clear_error();
	if (SSL_read_ex(tls->ssl, out, size, len) == 1)
		return true;
	kind = SSL_get_error(tls->ssl, 0);
	if (kind == SSL_ERROR_ZERO_RETURN)
		tls->is_at_end = true;
	else if (kind == SSL_ERROR_WANT_READ)
		tls->is_dry = true;
	else
		tls->read_error = failure(tls, kind);
	ERR_clear_error();
	return false;
}

static ssize_t
tls_readv(struct channel *channel, const struct iovec *iov, int count)
{
	struct tls_channel *tls = upcast(channel);
	ssize_t total = 0;

	tls->is_dry = false;
	if (channel_is_read_held(channel))
		return -EAGAIN;
	for (int i = 0; i < count; i++) {
		size_t at = 0, len;

		while (at < iov[i].iov_len && !channel_is_read_held(channel) &&
		       tls->read_error == 0 && !tls->is_at_end &&
		       read_some(tls, (uint8_t *)iov[i].iov_base + at,
			   iov[i].iov_len - at, &len))
			at += len;
		total += (ssize_t)at;
		if (at < iov[i].iov_len)
			break;
	}
	if (total > 0 || tls->is_at_end)
		return total;
	return tls->read_error != 0 ? -tls->read_error : -EAGAIN;
}

/* One record at most; 0 when the wire is full or broken. */
static size_t
write_some(struct tls_channel *tls, const void *data, size_t size)
{
	size_t len;

	if (tls->write_error != 0 || tls_wire_unsent(tls->wire) > 0)
		return 0;
	ERR_clear_error();
	if (SSL_write_ex(tls->ssl, data, size, &len) == 1)
		return len;
	/* The wire takes all, and nothing is renegotiated: there is nothing
	 * to wait for. */
	tls->write_error = failure(tls, SSL_get_error(tls->ssl, 0));
	ERR_clear_error();
	return 0;
}

static ssize_t
tls_writev(struct channel *channel, const struct iovec *iov, int count)
{
	struct tls_channel *tls = upcast(channel);
	ssize_t total = 0;
	int error = tls_wire_flush(tls->wire);

	if (error < 0)
		return error;
	for (int i = 0; i < count; i++) {
		const uint8_t *data = iov[i].iov_base;
		size_t at = 0, len = 1;

		while (at < iov[i].iov_len && len > 0) {
			len = write_some(tls, data + at, iov[i].iov_len - at);
			at += len;
		}
		total += (ssize_t)at;
		if (at < iov[i].iov_len)
			break;
	}
	if (total > 0)
		return total;
	return tls->write_error != 0 ? -tls->write_error : -EAGAIN;
}

/* FIN behind the last octet. */
static void
close_wire(struct tls_channel *tls)
{
	if (tls->wire->is_closed && tls_wire_unsent(tls->wire) == 0)
		(void)shutdown(tls->channel.fd, SHUT_WR);
}

static void
tls_finish(struct channel *channel)
{
	struct tls_channel *tls = upcast(channel);

	ERR_clear_error();
	/* Fails only where the connection is gone; reading will say so. */
	(void)SSL_shutdown(tls->ssl);
	ERR_clear_error();
	tls->wire->is_closed = true;
	close_wire(tls);
}

static int
tls_flush(struct channel *channel)
{
	struct tls_channel *tls = upcast(channel);
	bool had_unsent = tls_wire_unsent(tls->wire) > 0;
	int error = tls_wire_flush(tls->wire);

	if (error == 0 && had_unsent)
		close_wire(tls);
	return error;
}

static bool
tls_has_unsent(const struct channel *channel)
{
	return tls_wire_unsent(upcast_const(channel)->wire) > 0;
}

static bool
tls_is_read_held(const struct channel *channel)
{
	return tls_wire_unsent(upcast_const(channel)->wire) >= UNSENT_MAX;
}

/* Part of a record may lie in OpenSSL for long: only until it has said that
 * it waits for the socket is that something to read. */
static bool
tls_has_pending(const struct channel *channel)
{
	const struct tls_channel *tls = upcast_const(channel);

	if (tls->is_dry || channel_is_read_held(channel))
		return false;
	return tls->read_error != 0 || tls->is_at_end ||
	       SSL_has_pending(tls->ssl) == 1;
}

static void
tls_free(struct channel *channel)
{
	struct tls_channel *tls = upcast(channel);

	SSL_free(tls->ssl);
	free(tls);
}

static const struct channel_ops tls_ops = {
    .readv = tls_readv,
    .writev = tls_writev,
    .finish = tls_finish,
    .flush = tls_flush,
    .has_pending = tls_has_pending,
    .has_unsent = tls_has_unsent,
    .is_read_held = tls_is_read_held,
    .free = tls_free,
};

struct channel *
channel_new_tls(struct bufferevent *bev)
{
	struct tls_channel *tls = calloc(1, sizeof(*tls));
	SSL *ssl = bufferevent_openssl_get_ssl(bev);
	int fd;

	if (tls == NULL) {
		bufferevent_free(bev);
		return NULL;
	}
	must(SSL_up_ref(ssl) == 1);
	fd = tls_take_fd(bev);
	tls->channel = (struct channel){.ops = &tls_ops, .fd = fd};
	tls->ssl = ssl;
	tls->wire = tls_wire_of(ssl);
	/* From here on an end that TLS does not vouch for is none. */
	(void)SSL_clear_options(ssl, SSL_OP_IGNORE_UNEXPECTED_EOF);
	/* One call of the kernel for a record, not two. */
	SSL_set_read_ahead(ssl, 1);
	return &tls->channel;
}
