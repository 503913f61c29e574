/* SPDX-License-Identifier: ISC */
/* Joins two descriptors to a tunnel until both directions have ended. */
#include "agent/pump.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/stream.h"
#include "base/must.h"
#include "base/seal.h"

/* Octets that are read and sealed at a time. */
#define CHUNK_MAX 32768
#define ROOM_MAX  (RFC1961_HEADER + 2 * CHUNK_MAX)

enum watched { WATCH_FROM, WATCH_TO, WATCH_TUNNEL, WATCH_COUNT };

struct pump {
	struct stream *stream;
	int from, to;
	enum outcome outcome;

	/* from -> tunnel: what is ready to be sent */
	uint8_t up[ROOM_MAX];
	size_t up_at, up_len;
	bool from_ended, up_done;

	/* tunnel -> to: plaintext inside the stream */
	const uint8_t *down;
	size_t down_len;
	bool tunnel_ended, down_done;
};

static void
fail(struct pump *pump, enum outcome outcome, const char *what)
{
	pump->outcome = outcome_say(outcome, "%s", what);
}

static bool
is_transient(int error)
{
	return error == EAGAIN || error == EINTR;
}

/* ---- up: from our input into the tunnel ---- */

/* Makes a message of what was read behind the room for its header. */
static void
seal_chunk(struct pump *pump, size_t len)
{
	struct seal *seal = pump->stream->seal;
	size_t token_len;

	pump->up_at = 0;
	if (seal == NULL) {
		pump->up_len = len;
		return;
	}
	if (seal_wrap(seal, pump->up + RFC1961_HEADER, len, &token_len) !=
	    REASON_OK) {
		fail(pump, OUTCOME_KERBEROS, "a message was not sealed");
		return;
	}
	rfc1961_header(pump->up, RFC1961_DATA, (uint16_t)token_len);
	pump->up_len = RFC1961_HEADER + token_len;
}

static void
read_from(struct pump *pump)
{
	const struct seal *seal = pump->stream->seal;
	size_t header = seal != NULL ? RFC1961_HEADER + seal->header : 0;
	ssize_t len = read(pump->from, pump->up + header, CHUNK_MAX);

	if (len > 0)
		seal_chunk(pump, (size_t)len);
	else if (len == 0)
		pump->from_ended = true;
	else if (!is_transient(errno))
		fail(pump, OUTCOME_LOCAL, "standard input cannot be read");
}

static void
send_up(struct pump *pump)
{
	ssize_t len = send(pump->stream->fd, pump->up + pump->up_at,
	    pump->up_len - pump->up_at, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (len >= 0)
		pump->up_at += (size_t)len;
	else if (!is_transient(errno))
		fail(pump, OUTCOME_LOST, "the connection to the gateway broke");
}

static bool
has_up(const struct pump *pump)
{
	return pump->up_at < pump->up_len;
}

static void
end_up(struct pump *pump)
{
	if (!pump->from_ended || has_up(pump) || pump->up_done)
		return;
	pump->up_done = true;
	(void)shutdown(pump->stream->fd, SHUT_WR);
}

/* ---- down: out of the tunnel to our output ---- */

static void
take_plain(struct pump *pump)
{
	enum stream_result result = STREAM_DONE;

	while (pump->down_len == 0 && result == STREAM_DONE)
		result = stream_take_plain(
		    pump->stream, &pump->down, &pump->down_len);
	if (result == STREAM_BAD)
		fail(pump, OUTCOME_PROTOCOL,
		    "a message was changed on its way or is not the gateway's");
}

static void
fill_down(struct pump *pump)
{
	ptrdiff_t len = stream_fill(pump->stream);

	if (len > 0)
		take_plain(pump);
	else if (len < 0 && !is_transient(errno))
		fail(pump, OUTCOME_LOST, "the connection to the gateway broke");
	else if (len == 0 && pump->stream->in_len > 0)
		fail(pump, OUTCOME_LOST,
		    "the connection ended in the middle of a message");
	else if (len == 0)
		pump->tunnel_ended = true;
}

/* A pipe that polls as writable takes PIPE_BUF octets without blocking. */
static ssize_t
write_some(int fd, const uint8_t *data, size_t len)
{
	ssize_t written = send(fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (written >= 0 || errno != ENOTSOCK)
		return written;
	return write(fd, data, len < PIPE_BUF ? len : PIPE_BUF);
}

static void
write_down(struct pump *pump)
{
	ssize_t len = write_some(pump->to, pump->down, pump->down_len);

	if (len < 0) {
		if (!is_transient(errno))
			fail(pump, OUTCOME_LOCAL,
			    "standard output cannot be written");
		return;
	}
	pump->down += len;
	pump->down_len -= (size_t)len;
	if (pump->down_len == 0)
		take_plain(pump);
}

static void
end_down(struct pump *pump)
{
	if (!pump->tunnel_ended || pump->down_len > 0 || pump->down_done)
		return;
	pump->down_done = true;
	/* A socket may be our input too, and stays open for that. */
	if (shutdown(pump->to, SHUT_WR) < 0)
		(void)close(pump->to);
}

/* ---- both ---- */

static void
watch(const struct pump *pump, struct pollfd watched[WATCH_COUNT])
{
	bool wants_input = !pump->from_ended && !has_up(pump);
	bool wants_tunnel = !pump->tunnel_ended && pump->down_len == 0;

	/* A negative descriptor is not watched at all. */
	watched[WATCH_FROM] = (struct pollfd){
	    .fd = wants_input ? pump->from : -1, .events = POLLIN};
	watched[WATCH_TO] = (struct pollfd){
	    .fd = pump->down_len > 0 ? pump->to : -1, .events = POLLOUT};
	watched[WATCH_TUNNEL] = (struct pollfd){
	    .fd = wants_tunnel || has_up(pump) ? pump->stream->fd : -1};
	if (wants_tunnel)
		watched[WATCH_TUNNEL].events |= POLLIN;
	if (has_up(pump))
		watched[WATCH_TUNNEL].events |= POLLOUT;
}

static void
turn(struct pump *pump)
{
	const short broken = POLLERR | POLLHUP;
	struct pollfd watched[WATCH_COUNT];
	short tunnel;

	watch(pump, watched);
	if (poll(watched, WATCH_COUNT, -1) < 0) {
		if (errno != EINTR)
			fail(pump, OUTCOME_LOCAL, strerror(errno));
		return;
	}
	tunnel = watched[WATCH_TUNNEL].revents;
	if (watched[WATCH_FROM].revents != 0)
		read_from(pump);
	if (watched[WATCH_TO].revents != 0 && pump->outcome == OUTCOME_OK)
		write_down(pump);
	if ((tunnel & (POLLOUT | broken)) != 0 && has_up(pump) &&
	    pump->outcome == OUTCOME_OK)
		send_up(pump);
	if ((tunnel & (POLLIN | broken)) != 0 && !pump->tunnel_ended &&
	    pump->down_len == 0 && pump->outcome == OUTCOME_OK)
		fill_down(pump);
	end_up(pump);
	end_down(pump);
}

enum outcome
pump_run(struct stream *stream, int from, int to)
{
	static struct pump pump;

	must(stream->seal == NULL ||
	     (stream->seal->header + stream->seal->trailer <= CHUNK_MAX &&
		 CHUNK_MAX <= stream->seal->plaintext_max));
	memset(&pump, 0, sizeof(pump));
	pump.stream = stream;
	pump.from = from;
	pump.to = to;
	pump.down = stream->early + stream->early_at;
	pump.down_len = stream->early_len - stream->early_at;
	if (pump.down_len == 0)
		take_plain(&pump);
	while (pump.outcome == OUTCOME_OK && !(pump.up_done && pump.down_done))
		turn(&pump);
	return pump.outcome;
}
