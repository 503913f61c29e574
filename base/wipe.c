/* SPDX-License-Identifier: ISC */
/* Takes octets that may be secret out of libevent's buffers. */
#include "base/wipe.h"

#include <string.h>

#include <event2/buffer.h>

/* The first piece that lies together; 0 if there is none. */
static size_t
wipe_piece(struct evbuffer *buffer, size_t len)
{
	struct evbuffer_iovec piece;

	if (evbuffer_peek(buffer, -1, NULL, &piece, 1) < 1)
		return 0;
	if (piece.iov_len < len)
		len = piece.iov_len;
	explicit_bzero(piece.iov_base, len);
	return evbuffer_drain(buffer, len) == 0 ? len : 0;
}

void
wipe_drain(struct evbuffer *buffer, size_t len)
{
	size_t wiped;

	while (len > 0 && (wiped = wipe_piece(buffer, len)) > 0)
		len -= wiped;
}

void
wipe_drain_all(struct evbuffer *buffer)
{
	wipe_drain(buffer, evbuffer_get_length(buffer));
}
