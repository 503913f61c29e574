/* SPDX-License-Identifier: ISC */
/* The socket below TLS, as a BIO of OpenSSL's. */
#include "relay/tls_private.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include <openssl/bio.h>

#define HANDSHAKE_RECORD 0x16 /* RFC 8446 section 5.1: what a client begins */

/* Room for one record (RFC 8446 section 5.2) and answers behind it. */
#define UNSENT_FIRST 20480

static struct tls_wire *
wire_of(BIO *bio)
{
	return BIO_get_data(bio);
}

/* ---- reading ---- */

static ssize_t
receive(struct tls_wire *wire, void *out, size_t size)
{
	struct iovec iov = {out, size};
	ssize_t len;

	do
		len = readv(wire->fd, &iov, 1);
	while (len < 0 && errno == EINTR);
	return len;
}

/* A client that speaks something else is not waited for: OpenSSL looks at
 * five octets first, which are more than SOCKS's greeting has. */
static bool
is_tls(struct tls_wire *wire, const char *data)
{
	if (!wire->has_begun)
		wire->is_clear = data[0] != HANDSHAKE_RECORD;
	wire->has_begun = true;
	return !wire->is_clear;
}

static int
wire_read(BIO *bio, char *out, int size)
{
	struct tls_wire *wire = wire_of(bio);
	ssize_t len = receive(wire, out, (size_t)size);

	BIO_clear_retry_flags(bio);
	if (len > 0)
		return is_tls(wire, out) ? (int)len : -1;
	wire->is_at_end = len == 0;
	if (len < 0 && errno == EAGAIN)
		BIO_set_retry_read(bio);
	else if (len < 0)
		wire->error = errno;
	return (int)len;
}

/* ---- writing ---- */

/* Octets taken, 0 when the socket is full, or -errno. */
static ssize_t
send_some(struct tls_wire *wire, const void *data, size_t len)
{
	struct iovec iov = {(void *)(uintptr_t)data, len};
	ssize_t taken;

	do
		taken = writev(wire->fd, &iov, 1);
	while (taken < 0 && errno == EINTR);
	if (taken >= 0)
		return taken;
	if (errno == EAGAIN)
		return 0;
	wire->error = errno;
	return -errno;
}

size_t
tls_wire_unsent(const struct tls_wire *wire)
{
	return wire->len - wire->sent;
}

int
tls_wire_flush(struct tls_wire *wire)
{
	ssize_t taken;

	if (tls_wire_unsent(wire) == 0)
		return 0;
	taken =
	    send_some(wire, wire->unsent + wire->sent, tls_wire_unsent(wire));
	if (taken < 0)
		return (int)taken;
	wire->sent += (size_t)taken;
	if (tls_wire_unsent(wire) == 0) {
		free(wire->unsent);
		wire->unsent = NULL;
		wire->sent = wire->len = wire->size = 0;
	}
	return 0;
}

static bool
keep(struct tls_wire *wire, const char *data, size_t len)
{
	size_t size = wire->size == 0 ? UNSENT_FIRST : wire->size;
	uint8_t *larger;

	/* A client that always leaves some of it must not make it grow. */
	if (wire->sent > 0) {
		wire->len -= wire->sent;
		memmove(wire->unsent, wire->unsent + wire->sent, wire->len);
		wire->sent = 0;
	}
	while (size < wire->len + len)
		size *= 2;
	if (size > wire->size) {
		larger = realloc(wire->unsent, size);
		if (larger == NULL) {
			wire->error = ENOMEM;
			return false;
		}
		wire->unsent = larger;
		wire->size = size;
	}
	memcpy(wire->unsent + wire->len, data, len);
	wire->len += len;
	return true;
}

/* All of it is taken, or the connection is broken. */
static int
write_whole(struct tls_wire *wire, const char *data, size_t len)
{
	ssize_t taken = 0;

	if (wire->is_closed)
		return (int)len;
	if (tls_wire_unsent(wire) == 0)
		taken = send_some(wire, data, len);
	if (taken < 0)
		return -1;
	if ((size_t)taken < len &&
	    !keep(wire, data + taken, len - (size_t)taken))
		return -1;
	return (int)len;
}

static int
wire_write(BIO *bio, const char *data, int len)
{
	struct tls_wire *wire = wire_of(bio);
	ssize_t taken;

	BIO_clear_retry_flags(bio);
	if (wire->is_relayed)
		return write_whole(wire, data, (size_t)len);
	taken = send_some(wire, data, (size_t)len);
	if (taken > 0)
		return (int)taken;
	if (taken == 0)
		BIO_set_retry_write(bio);
	return -1;
}

/* ---- the BIO ---- */

static long
wire_control(BIO *bio, int command, long number, void *pointer)
{
	const struct tls_wire *wire = wire_of(bio);

	(void)number;
	switch (command) {
	case BIO_C_GET_FD:
		/* libevent closes it with the bufferevent, but not when the
		 * relay has it. */
		if (pointer != NULL)
			*(int *)pointer = wire->fd;
		return wire->is_relayed ? -1 : wire->fd;
	case BIO_CTRL_EOF:
		return wire->is_at_end;
	case BIO_CTRL_FLUSH:
		return 1;
	default:
		return 0;
	}
}

static int
wire_free(BIO *bio)
{
	struct tls_wire *wire = wire_of(bio);

	if (wire != NULL)
		free(wire->unsent);
	free(wire);
	return 1;
}

static BIO_METHOD *wire_method;

static void
make_method(void)
{
	BIO_METHOD *method = BIO_meth_new(
	    BIO_get_new_index() | BIO_TYPE_SOURCE_SINK | BIO_TYPE_DESCRIPTOR,
	    "wire");

	if (method == NULL)
		return;
	(void)BIO_meth_set_read(method, wire_read);
	(void)BIO_meth_set_write(method, wire_write);
	(void)BIO_meth_set_ctrl(method, wire_control);
	(void)BIO_meth_set_destroy(method, wire_free);
	wire_method = method;
}

struct tls_wire *
tls_wire_attach(SSL *ssl, int fd)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct tls_wire *wire = calloc(1, sizeof(*wire));
	BIO *bio = NULL;

	(void)pthread_once(&once, make_method);
	if (wire_method != NULL && wire != NULL)
		bio = BIO_new(wire_method);
	if (bio == NULL) {
		free(wire);
		return NULL;
	}
	wire->fd = fd;
	BIO_set_data(bio, wire);
	BIO_set_init(bio, 1);
	SSL_set_bio(ssl, bio, bio);
	return wire;
}

struct tls_wire *
tls_wire_of(const SSL *ssl)
{
	return wire_of(SSL_get_rbio(ssl));
}
