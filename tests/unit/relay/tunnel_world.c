/* SPDX-License-Identifier: ISC */
/* Two peers over TCP on loopback with a tunnel between them. */
#include "tests/unit/relay/tunnel_world.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <linux/sockios.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <event2/bufferevent.h>
#include <event2/event.h>

#include "base/clock.h"
#include "base/rfc1961.h"
#include "relay/buffer.h"
#include "relay/channel.h"
#include "relay/tls.h"
#include "tests/support/tls_end.h"
#include "tests/support/toy_seal.h"

/* More than anything here takes, sanitizers included. */
#define PATIENCE_MS 20000

/* Milliseconds for what nobody reads, which stays where it is. */
#define WAITS_MAX 200

/* ... and for an end that must come. */
#define ENDS_MAX 10000

/* ---- seams: what the kernel may do ---- */

ssize_t __wrap_readv(int fd, const struct iovec *iov, int count);
ssize_t __real_readv(int fd, const struct iovec *iov, int count);
ssize_t __wrap_writev(int fd, const struct iovec *iov, int count);
ssize_t __real_writev(int fd, const struct iovec *iov, int count);
struct buffer *__wrap_buffer_take(struct buffer_pool *pool, size_t least);
struct buffer *__real_buffer_take(struct buffer_pool *pool, size_t least);
void __wrap_buffer_give(struct buffer_pool *pool, struct buffer *buffer);
void __real_buffer_give(struct buffer_pool *pool, struct buffer *buffer);

struct tunnel_seam seam;

uint64_t random_state;

uint32_t
random_below(uint32_t limit)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 32) % limit;
}

static ssize_t
nasty(int fd, const struct iovec *iov, int count,
    ssize_t (*call)(int fd, const struct iovec *iov, int count))
{
	struct iovec one = {iov[0].iov_base, 1};

	switch (random_below(8)) {
	case 0:
		errno = EINTR;
		return -1;
	case 1:
		errno = EAGAIN;
		return -1;
	case 2:
	case 3:
		return call(fd, &one, 1);
	default:
		return call(fd, iov, count);
	}
}

ssize_t
__wrap_readv(int fd, const struct iovec *iov, int count)
{
	ssize_t len;

	seam.reads++;
	if (seam.read_errno != 0 && fd == seam.failing_fd) {
		errno = seam.read_errno;
		return -1;
	}
	len = seam.is_nasty ? nasty(fd, iov, count, __real_readv)
			    : __real_readv(fd, iov, count);
	if (len > 0)
		seam.held += (size_t)len;
	if (seam.held > seam.held_most)
		seam.held_most = seam.held;
	return len;
}

ssize_t
__wrap_writev(int fd, const struct iovec *iov, int count)
{
	ssize_t len;

	if (seam.write_errno != 0 && fd == seam.failing_fd) {
		errno = seam.write_errno;
		return -1;
	}
	len = seam.is_nasty ? nasty(fd, iov, count, __real_writev)
			    : __real_writev(fd, iov, count);
	if (len > 0)
		seam.held -= (size_t)len;
	return len;
}

struct buffer *
__wrap_buffer_take(struct buffer_pool *pool, size_t least)
{
	if (seam.no_buffers)
		return NULL;
	seam.buffers++;
	return __real_buffer_take(pool, least);
}

void
__wrap_buffer_give(struct buffer_pool *pool, struct buffer *buffer)
{
	if (buffer != NULL)
		seam.buffers--;
	__real_buffer_give(pool, buffer);
}

/* ---- a world: two peers and the tunnel between them ---- */

static int listener = -1;
static struct sockaddr_in listener_at;

const struct tunnel_settings patient = {
    .idle_ms = 60000, .half_close_ms = 60000};

uint64_t
now_ms(void)
{
	return clock_monotonic_us() / 1000;
}

static unsigned
open_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned count = 0;

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		count++;
	(void)closedir(dir);
	return count;
}

/*
 * Each world has a loopback address of its own: with one for all, TIME_WAIT
 * would eat up the ports.
 */
static void
listen_anew(void)
{
	static uint32_t last;
	socklen_t len = sizeof(listener_at);

	if (last == 0)
		last = (uint32_t)now_ms();
	last++;
	if (listener >= 0)
		(void)close(listener);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	listener_at = (struct sockaddr_in){.sin_family = AF_INET};
	listener_at.sin_addr.s_addr = htonl(0x7f400000 | (last & 0x3fffff));
	assert_int_equal(
	    bind(listener, (struct sockaddr *)&listener_at, len), 0);
	assert_int_equal(listen(listener, 16), 0);
	assert_int_equal(
	    getsockname(listener, (struct sockaddr *)&listener_at, &len), 0);
}

static void
connect_pair(struct peer *peer)
{
	peer->fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(peer->fd, (struct sockaddr *)&listener_at,
			     sizeof(listener_at)),
	    0);
	peer->far_fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
	assert_true(peer->far_fd >= 0);
	assert_int_equal(fcntl(peer->fd, F_SETFL, O_NONBLOCK), 0);
	channel_tune_socket(peer->fd);
	channel_tune_socket(peer->far_fd);
}

static void
on_done(void *arg, enum reason reason, const struct tunnel_counts *counts)
{
	struct world *world = arg;

	world->calls++;
	world->reason = reason;
	world->counts = *counts;
	world->tunnel = NULL;
}

static void
on_tls(struct bufferevent *bev, short what, void *arg)
{
	bool *is_open = arg;

	(void)bev;
	assert_int_equal(what, BEV_EVENT_CONNECTED);
	*is_open = true;
}

/* Both versions take turns. */
static void
shake_hands(struct world *world)
{
	static unsigned worlds;
	struct peer *client = &world->peers[CLIENT];
	bool is_open = false;

	client->tls =
	    tls_end_new(worlds++ % 2 == 0 ? TLS_END_1_3 : TLS_END_1_2, NULL);
	world->bev = tls_accept(world->base, tls_any_context(), client->far_fd);
	assert_non_null(world->bev);
	bufferevent_setcb(world->bev, NULL, NULL, on_tls, &is_open);
	assert_int_equal(bufferevent_enable(world->bev, EV_READ | EV_WRITE), 0);
	while (!is_open || !tls_end_handshake(client->tls)) {
		(void)tls_end_handshake(client->tls);
		while (peer_write(client, SIZE_MAX) > 0)
			;
		turn(world);
		(void)peer_read(world, CLIENT, SIZE_MAX);
	}
	/* What the client says from now on is the tunnel's. */
	assert_int_equal(bufferevent_disable(world->bev, EV_READ), 0);
}

void
world_init(struct world *world, unsigned form)
{
	const struct sigaction ignore = {.sa_handler = SIG_IGN};

	memset(world, 0, sizeof(*world));
	memset(&seam, 0, sizeof(seam));
	assert_int_equal(sigaction(SIGPIPE, &ignore, NULL), 0);
	listen_anew();
	world->descriptors = open_descriptors();
	world->base = event_base_new();
	world->is_sealed = (form & SEALED) != 0;
	world->is_tls = (form & IN_TLS) != 0;
	for (int i = 0; i < PEERS; i++)
		connect_pair(&world->peers[i]);
	if (world->is_tls)
		shake_hands(world);
	if (world->is_sealed)
		world->peers[CLIENT].seal =
		    toy_seal_new(PROTECTION_CONFIDENTIALITY);
}

static void
start_tunnel(struct world *world, const struct tunnel_settings *settings,
    struct seal *seal, const void *opened, size_t opened_len,
    const void *pending, size_t pending_len)
{
	struct channel *client =
	    world->is_tls ? channel_new_tls(world->bev)
			  : channel_new_socket(world->peers[CLIENT].far_fd);

	world->bev = NULL;
	world->tunnel = tunnel_start(world->base, settings, client,
	    channel_new_socket(world->peers[TARGET].far_fd), seal, opened,
	    opened_len, pending, pending_len, on_done, world);
	assert_non_null(world->tunnel);
	assert_int_equal(world->calls, 0);
}

void
start_with(struct world *world, const struct tunnel_settings *settings,
    const void *opened, size_t opened_len, const void *pending,
    size_t pending_len)
{
	struct seal *seal =
	    world->is_sealed ? toy_seal_new(PROTECTION_CONFIDENTIALITY) : NULL;

	start_tunnel(
	    world, settings, seal, opened, opened_len, pending, pending_len);
}

void
start_sealed_by(struct world *world, struct seal *seal)
{
	start_tunnel(world, &patient, seal, NULL, 0, NULL, 0);
}

void
start(struct world *world, unsigned form)
{
	world_init(world, form);
	start_with(world, &patient, NULL, 0, NULL, 0);
}

void
peer_close(struct peer *peer, bool reset)
{
	const struct linger at_once = {1, 0};

	if (peer->fd < 0)
		return;
	if (reset)
		assert_int_equal(setsockopt(peer->fd, SOL_SOCKET, SO_LINGER,
				     &at_once, sizeof(at_once)),
		    0);
	(void)close(peer->fd);
	peer->fd = -1;
	peer->has_reset = reset;
}

void
world_fini(struct world *world)
{
	if (world->tunnel != NULL)
		tunnel_cancel(world->tunnel, true, &world->counts);
	for (int i = 0; i < PEERS; i++) {
		struct peer *peer = &world->peers[i];

		peer_close(peer, true);
		seal_free(peer->seal);
		tls_end_free(peer->tls);
		free(peer->out);
		free(peer->in);
	}
	assert_int_equal(seam.buffers, 0);
	event_base_free(world->base);
	assert_int_equal(open_descriptors(), world->descriptors);
}

void
turn(struct world *world)
{
	(void)event_base_loop(world->base, EVLOOP_NONBLOCK);
}

/* ---- what the peers say ---- */

uint8_t
octet(int who, uint64_t place)
{
	uint64_t mixed = (place + 1) * 0x9e3779b97f4a7c15u;

	return (uint8_t)((mixed >> 40) + (uint64_t)who * 101);
}

void
queue(struct peer *peer, const void *data, size_t len)
{
	if (peer->out_len + len > peer->out_size) {
		peer->out_size = (peer->out_len + len) * 2;
		peer->out = realloc(peer->out, peer->out_size);
		assert_non_null(peer->out);
	}
	memcpy(peer->out + peer->out_len, data, len);
	peer->out_len += len;
}

void
unqueue(struct peer *peer, size_t len)
{
	if (len == 0)
		return;
	peer->out_len -= len;
	memmove(peer->out, peer->out + len, peer->out_len);
}

size_t
seal_frame(struct seal *seal, uint8_t *frame, const void *plain, size_t len)
{
	uint8_t *token = frame + RFC1961_HEADER;
	size_t token_len;

	memcpy(token + seal->header, plain, len);
	assert_int_equal(seal_wrap(seal, token, len, &token_len), REASON_OK);
	rfc1961_header(frame, RFC1961_DATA, (uint16_t)token_len);
	return RFC1961_HEADER + token_len;
}

void
queue_text(struct peer *peer, const void *text, size_t len)
{
	static uint8_t frame[RFC1961_FRAME_MAX];

	if (peer->seal == NULL)
		queue(peer, text, len);
	else
		queue(peer, frame, seal_frame(peer->seal, frame, text, len));
}

void
queue_stream(struct world *world, int who, size_t len, size_t most)
{
	static uint8_t plain[65000];
	struct peer *peer = &world->peers[who];

	while (len > 0) {
		size_t part = len < most ? len : most;

		for (size_t i = 0; i < part; i++)
			plain[i] = octet(who, peer->sent + i);
		queue_text(peer, plain, part);
		peer->sent += part;
		len -= part;
	}
}

/* Octets that the socket took. */
static size_t
send_raw(struct peer *peer, const uint8_t *data, size_t len)
{
	ssize_t done = 0;

	if (len > 0)
		done = send(peer->fd, data, len, MSG_NOSIGNAL);
	/* The error is said once: a read would only see an end now. */
	if (done < 0 && errno != EAGAIN)
		peer->sees_reset = true;
	return done > 0 ? (size_t)done : 0;
}

/* Part of the next record, or of what TLS itself has to say. */
static size_t
send_record(struct peer *peer, size_t most)
{
	size_t len = peer->out_len < most ? peer->out_len : most, done;
	const uint8_t *record;

	if (len > 16384)
		len = 16384;
	if (tls_end_peek(peer->tls, &record) == 0 && len > 0) {
		tls_end_write(peer->tls, peer->out, len);
		peer->encrypted = len;
	}
	len = tls_end_peek(peer->tls, &record);
	done = send_raw(peer, record, len);
	tls_end_drop(peer->tls, done);
	if (done == len) {
		unqueue(peer, peer->encrypted);
		peer->encrypted = 0;
	}
	return done;
}

size_t
peer_write(struct peer *peer, size_t most)
{
	size_t done;

	if (peer->tls != NULL) {
		const uint8_t *record;

		done = send_record(peer, most);
		if (peer->wants_finish &&
		    tls_end_peek(peer->tls, &record) == 0) {
			peer->wants_finish = false;
			(void)shutdown(peer->fd, SHUT_WR);
		}
		return done;
	}
	done = send_raw(
	    peer, peer->out, peer->out_len < most ? peer->out_len : most);
	unqueue(peer, done);
	return done;
}

void
peer_finish(struct peer *peer)
{
	assert_int_equal(peer->out_len, 0);
	peer->has_finished = true;
	if (peer->tls != NULL) {
		tls_end_finish(peer->tls);
		peer->wants_finish = true;
		(void)peer_write(peer, SIZE_MAX);
	} else {
		assert_int_equal(shutdown(peer->fd, SHUT_WR), 0);
	}
}

/* ---- what they hear ---- */

static void
hear(struct world *world, int who, const uint8_t *data, size_t len)
{
	struct peer *peer = &world->peers[who];

	for (size_t i = 0; i < len; i++)
		if (data[i] != octet(!who, peer->received + i))
			fail_msg("octet %ju to %d is wrong",
			    (uintmax_t)(peer->received + i), who);
	peer->received += len;
}

static void
hear_sealed(struct world *world, const uint8_t *data, size_t len)
{
	struct peer *client = &world->peers[CLIENT];
	size_t need, consumed;
	struct rfc1961_frame frame;

	client->in = realloc(client->in, client->in_len + len);
	assert_non_null(client->in);
	memcpy(client->in + client->in_len, data, len);
	client->in_len += len;
	while (
	    client->in_len > 0 && rfc1961_parse(client->in, client->in_len,
				      &need, &consumed, &frame) == PARSE_DONE) {
		uint8_t *plain;
		size_t plain_len;

		assert_int_equal(frame.type, RFC1961_DATA);
		assert_int_equal(
		    seal_unwrap(client->seal, client->in + RFC1961_HEADER,
			frame.token_len, &plain, &plain_len),
		    REASON_OK);
		assert_true(plain_len > 0);
		hear(world, CLIENT, plain, plain_len);
		client->in_len -= consumed;
		memmove(client->in, client->in + consumed, client->in_len);
	}
}

static void
hear_any(struct world *world, int who, const uint8_t *data, size_t len)
{
	if (world->peers[who].seal != NULL)
		hear_sealed(world, data, len);
	else
		hear(world, who, data, len);
}

static void
hear_tls(struct world *world, const uint8_t *data, size_t len)
{
	static uint8_t plain[16384];
	struct peer *client = &world->peers[CLIENT];
	ssize_t got;

	tls_end_feed(client->tls, data, len);
	if (!tls_end_handshake(client->tls))
		return;
	while ((got = tls_end_read(client->tls, plain, sizeof(plain))) > 0)
		hear_any(world, CLIENT, plain, (size_t)got);
	client->sees_end = got == 0;
	assert_false(tls_end_is_broken(client->tls));
}

size_t
peer_read(struct world *world, int who, size_t most)
{
	static uint8_t data[262144];
	struct peer *peer = &world->peers[who];
	ssize_t len;

	if (peer->fd < 0 || peer->sees_end || peer->sees_reset || most == 0)
		return 0;
	len =
	    recv(peer->fd, data, most < sizeof(data) ? most : sizeof(data), 0);
	if (len < 0 && errno == EAGAIN)
		return 0;
	if (len <= 0) {
		/* Inside TLS the end is said before the FIN. */
		peer->sees_end = len == 0 && peer->tls == NULL;
		peer->sees_reset = len < 0;
		return 0;
	}
	if (peer->tls != NULL)
		hear_tls(world, data, (size_t)len);
	else
		hear_any(world, who, data, (size_t)len);
	return (size_t)len;
}

/* Is the kernel still carrying something?  (A busy machine takes its time.) */
static bool
is_in_flight(const struct world *world)
{
	int octets;

	for (int i = 0; i < PEERS; i++) {
		const struct peer *peer = &world->peers[i];

		if (ioctl(peer->fd, SIOCOUTQ, &octets) == 0 && octets > 0)
			return true;
		/* The tunnel may have closed it. */
		if (ioctl(peer->far_fd, SIOCOUTQ, &octets) == 0 && octets > 0)
			return true;
	}
	return false;
}

void
exchange(struct world *world)
{
	int quiet = 0;

	while (quiet < 4) {
		size_t moved = 0;

		turn(world);
		for (int i = 0; i < PEERS; i++) {
			if (world->peers[i].fd >= 0)
				moved += peer_write(&world->peers[i], SIZE_MAX);
			moved += peer_read(world, i, SIZE_MAX);
		}
		quiet = moved > 0 ? 0 : quiet + 1;
	}
}

void
exchange_patiently(struct world *world)
{
	const struct timespec moment = {.tv_nsec = 1000000};

	exchange(world);
	for (int i = 0; i < WAITS_MAX && is_in_flight(world); i++) {
		(void)nanosleep(&moment, NULL);
		exchange(world);
	}
}

void
exchange_all(struct world *world)
{
	uint64_t began = now_ms();

	do
		exchange(world);
	while ((world->peers[CLIENT].out_len > 0 ||
		   world->peers[TARGET].out_len > 0) &&
	       now_ms() - began < PATIENCE_MS);
}

/* A FIN is no octet that could be counted. */
static void
await_ends(struct world *world)
{
	const struct timespec moment = {.tv_nsec = 1000000};

	for (int i = 0; i < ENDS_MAX; i++) {
		bool is_missing = false;

		for (int who = 0; who < PEERS; who++)
			is_missing |= world->peers[who].fd >= 0 &&
				      !world->peers[who].sees_end;
		if (!is_missing)
			return;
		(void)nanosleep(&moment, NULL);
		exchange(world);
	}
}

void
exchange_to_the_end(struct world *world)
{
	uint64_t began = now_ms();

	while (world->calls == 0 && now_ms() - began < PATIENCE_MS)
		exchange(world);
	assert_int_equal(world->calls, 1);
	/* After a reset the kernel counts for ever what was not taken. */
	if (world->reason == REASON_OK) {
		exchange_patiently(world);
		await_ends(world);
	} else {
		exchange(world);
	}
}

bool
is_broken(struct peer *peer)
{
	struct pollfd poller = {.fd = peer->fd};

	return peer->sees_reset ||
	       (poll(&poller, 1, 0) == 1 && (poller.revents & POLLERR) != 0);
}
