/* SPDX-License-Identifier: ISC */
/*
 * The tunnel between two peers over TCP on loopback, clear and through the
 * toy seal.  Octets say where they belong, so that each one is checked.
 */
#include "tests/support/unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/rfc1961.h"
#include "relay/buffer.h"
#include "relay/channel.h"
#include "relay/tunnel.h"
#include "tests/support/toy_seal.h"

#define SCRIPTS 10000

/* ---- seams: what the kernel may do ---- */

ssize_t __wrap_readv(int fd, const struct iovec *iov, int count);
ssize_t __real_readv(int fd, const struct iovec *iov, int count);
ssize_t __wrap_writev(int fd, const struct iovec *iov, int count);
ssize_t __real_writev(int fd, const struct iovec *iov, int count);
struct buffer *__wrap_buffer_take(struct buffer_pool *pool, size_t least);
struct buffer *__real_buffer_take(struct buffer_pool *pool, size_t least);
void __wrap_buffer_give(struct buffer_pool *pool, struct buffer *buffer);
void __real_buffer_give(struct buffer_pool *pool, struct buffer *buffer);

static struct {
	bool is_nasty;	/* one octet at a time, EINTR, EAGAIN */
	int read_errno; /* what each read fails with */
	int write_errno;
	bool no_buffers;
	size_t held; /* read and not written yet, in clear */
	size_t held_most;
	unsigned buffers; /* in use */
	unsigned reads;
} seam;

static uint64_t random_state;

static uint32_t
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
	if (seam.read_errno != 0) {
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

	if (seam.write_errno != 0) {
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

enum { CLIENT, TARGET, PEERS };

struct peer {
	int fd;			 /* ours; -1 when closed */
	int far_fd;		 /* the tunnel's, until it has it */
	uint64_t sent, received; /* plaintext octets */
	bool has_finished, sees_end, sees_reset, has_reset;
	struct seal *seal; /* what the client seals and opens with */
	uint8_t *out;	   /* to be written still */
	size_t out_len, out_size;
	uint8_t *in; /* sealed, not whole yet */
	size_t in_len;
};

struct world {
	struct event_base *base;
	struct tunnel *tunnel;
	struct peer peers[PEERS];
	unsigned calls;
	enum reason reason;
	struct tunnel_counts counts;
	bool is_sealed;
	unsigned descriptors;
};

static int listener = -1;
static struct sockaddr_in listener_at;

static const struct tunnel_settings patient = {
    .idle_ms = 60000, .half_close_ms = 60000};

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

/* A fresh port now and then, before TIME_WAIT has eaten all of the last. */
static void
listen_anew(void)
{
	socklen_t len = sizeof(listener_at);

	if (listener >= 0)
		(void)close(listener);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	listener_at = (struct sockaddr_in){.sin_family = AF_INET};
	listener_at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
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
world_init(struct world *world, bool is_sealed)
{
	memset(world, 0, sizeof(*world));
	memset(&seam, 0, sizeof(seam));
	listen_anew();
	world->descriptors = open_descriptors();
	world->base = event_base_new();
	world->is_sealed = is_sealed;
	for (int i = 0; i < PEERS; i++)
		connect_pair(&world->peers[i]);
	if (is_sealed)
		world->peers[CLIENT].seal =
		    toy_seal_new(PROTECTION_CONFIDENTIALITY);
}

static void
start_with(struct world *world, const struct tunnel_settings *settings,
    const void *opened, size_t opened_len, const void *pending,
    size_t pending_len)
{
	struct seal *seal =
	    world->is_sealed ? toy_seal_new(PROTECTION_CONFIDENTIALITY) : NULL;

	world->tunnel = tunnel_start(world->base, settings,
	    channel_new_socket(world->peers[CLIENT].far_fd),
	    channel_new_socket(world->peers[TARGET].far_fd), seal, opened,
	    opened_len, pending, pending_len, on_done, world);
	assert_non_null(world->tunnel);
	assert_int_equal(world->calls, 0);
}

static void
start(struct world *world, bool is_sealed)
{
	world_init(world, is_sealed);
	start_with(world, &patient, NULL, 0, NULL, 0);
}

static void
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

static void
world_fini(struct world *world)
{
	if (world->tunnel != NULL)
		tunnel_cancel(world->tunnel, true, &world->counts);
	for (int i = 0; i < PEERS; i++) {
		struct peer *peer = &world->peers[i];

		peer_close(peer, true);
		seal_free(peer->seal);
		free(peer->out);
		free(peer->in);
	}
	assert_int_equal(seam.buffers, 0);
	event_base_free(world->base);
	assert_int_equal(open_descriptors(), world->descriptors);
}

static void
turn(struct world *world)
{
	(void)event_base_loop(world->base, EVLOOP_NONBLOCK);
}

/* ---- what the peers say ---- */

/* The octet at a place of the stream that `who` sends. */
static uint8_t
octet(int who, uint64_t place)
{
	uint64_t mixed = (place + 1) * 0x9e3779b97f4a7c15u;

	return (uint8_t)((mixed >> 40) + (uint64_t)who * 101);
}

static void
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

/* The frame with a sealed message; returns its length. */
static size_t
seal_frame(struct seal *seal, uint8_t *frame, const void *plain, size_t len)
{
	uint8_t *token = frame + RFC1961_HEADER;
	size_t token_len;

	memcpy(token + seal->header, plain, len);
	assert_int_equal(seal_wrap(seal, token, len, &token_len), REASON_OK);
	rfc1961_header(frame, RFC1961_DATA, (uint16_t)token_len);
	return RFC1961_HEADER + token_len;
}

static void
queue_text(struct peer *peer, const void *text, size_t len)
{
	static uint8_t frame[RFC1961_FRAME_MAX];

	if (peer->seal == NULL)
		queue(peer, text, len);
	else
		queue(peer, frame, seal_frame(peer->seal, frame, text, len));
}

/* len octets of the peer's stream, in messages of up to `most`. */
static void
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

/* Writes up to `most` octets of what is queued. */
static size_t
peer_write(struct peer *peer, size_t most)
{
	size_t len = peer->out_len < most ? peer->out_len : most;
	ssize_t done = 0;

	if (len > 0)
		done = send(peer->fd, peer->out, len, MSG_NOSIGNAL);
	/* The error is said once: a read would only see an end now. */
	if (done < 0 && errno != EAGAIN)
		peer->sees_reset = true;
	if (done <= 0)
		return 0;
	peer->out_len -= (size_t)done;
	memmove(peer->out, peer->out + done, peer->out_len);
	return (size_t)done;
}

static void
peer_finish(struct peer *peer)
{
	assert_int_equal(peer->out_len, 0);
	assert_int_equal(shutdown(peer->fd, SHUT_WR), 0);
	peer->has_finished = true;
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

static size_t
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
		peer->sees_end = len == 0;
		peer->sees_reset = len < 0;
		return 0;
	}
	if (peer->seal != NULL)
		hear_sealed(world, data, (size_t)len);
	else
		hear(world, who, data, (size_t)len);
	return (size_t)len;
}

/* Everybody writes and reads all he can until nothing moves. */
static void
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

static uint64_t
now_ms(void)
{
	return clock_monotonic_us() / 1000;
}

/* Exchanges until the tunnel is done, at most a few seconds. */
static void
exchange_to_the_end(struct world *world)
{
	uint64_t began = now_ms();

	while (world->calls == 0 && now_ms() - began < 15000)
		exchange(world);
	exchange(world);
	assert_int_equal(world->calls, 1);
}

static bool
is_broken(struct peer *peer)
{
	struct pollfd poller = {.fd = peer->fd};

	return peer->sees_reset ||
	       (poll(&poller, 1, 0) == 1 && (poller.revents & POLLERR) != 0);
}

/* ---- random scripts against a model ---- */

struct script {
	uint64_t seed;
	bool is_sealed, is_nasty;
};

static void
random_step(struct world *world, struct script *script)
{
	int who = (int)random_below(PEERS);
	struct peer *peer = &world->peers[who];
	uint32_t choice = random_below(100);
	size_t len =
	    random_below(4) == 0 ? random_below(40000) : random_below(300);

	(void)script;
	if (choice < 30 && peer->fd >= 0 && !peer->has_finished)
		queue_stream(world, who, len, 1 + random_below(20000));
	else if (choice < 60 && peer->fd >= 0 && !peer->has_finished)
		(void)peer_write(peer, len);
	else if (choice < 80)
		(void)peer_read(world, who, len);
	else if (choice < 98)
		turn(world);
	else if (choice < 99 && peer->fd >= 0 && !peer->has_finished &&
		 peer->out_len == 0)
		peer_finish(peer);
	else if (peer->fd >= 0 && random_below(3) == 0)
		peer_close(peer, true);
}

/* The model: nobody was reset, so all must have arrived. */
static void
check_whole(const struct world *world)
{
	const struct peer *client = &world->peers[CLIENT];
	const struct peer *target = &world->peers[TARGET];

	assert_int_equal(world->reason, REASON_OK);
	assert_int_equal(client->received, target->sent);
	assert_int_equal(target->received, client->sent);
	assert_int_equal(world->counts.to_client, target->sent);
	assert_int_equal(world->counts.to_target, client->sent);
	assert_true(client->sees_end && target->sees_end);
	assert_int_equal(client->in_len, 0);
}

/* The model: one was reset, so the other must know. */
static void
check_reset(struct world *world)
{
	int who = world->peers[CLIENT].has_reset ? CLIENT : TARGET;
	struct peer *other = &world->peers[!who];

	assert_true(other->received <= world->peers[who].sent);
	if (world->reason == REASON_OK) /* all was over before the reset */
		return;
	assert_int_equal(world->reason,
	    who == CLIENT ? REASON_CLIENT_RESET : REASON_TARGET_RESET);
	if (!other->sees_end)
		assert_true(is_broken(other));
	else
		assert_true(other->received == world->peers[who].sent);
}

static void
finish_script(struct world *world)
{
	exchange(world);
	for (int i = 0; i < PEERS; i++)
		if (world->peers[i].fd >= 0 && !world->peers[i].has_finished &&
		    world->calls == 0) {
			exchange(world);
			if (world->calls == 0)
				peer_finish(&world->peers[i]);
		}
	exchange_to_the_end(world);
}

static void
run_script(struct script *script)
{
	struct world world;
	unsigned steps;
	bool was_reset = false;

	random_state = script->seed;
	start(&world, script->is_sealed);
	seam.is_nasty = script->is_nasty;
	steps = random_below(120);
	for (unsigned i = 0; i < steps && !was_reset; i++) {
		random_step(&world, script);
		was_reset = world.peers[CLIENT].has_reset ||
			    world.peers[TARGET].has_reset;
	}
	if (was_reset) {
		exchange_to_the_end(&world);
		check_reset(&world);
	} else {
		finish_script(&world);
		check_whole(&world);
	}
	world_fini(&world);
}

static uint64_t
seed_of_run(void)
{
	const char *text = getenv("TUNNEL_SEED");
	struct timespec now;

	if (text != NULL)
		return strtoull(text, NULL, 0);
	(void)clock_gettime(CLOCK_REALTIME, &now);
	return ((uint64_t)now.tv_sec << 20 ^ (uint64_t)now.tv_nsec) | 1;
}

static void
random_scripts_match_the_model(void **state)
{
	uint64_t seed = seed_of_run();

	(void)state;
	print_message("TUNNEL_SEED=%ju\n", (uintmax_t)seed);
	for (unsigned i = 0; i < SCRIPTS; i++) {
		struct script script = {
		    .seed = (seed + i) * 0x9e3779b97f4a7c15u | 1,
		    .is_sealed = i % 2 == 1,
		    .is_nasty = i % 4 >= 2,
		};

		if (i % 1000 == 0)
			print_message("script %u\n", i);
		run_script(&script);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(random_scripts_match_the_model),
	};
	const struct sigaction ignore = {.sa_handler = SIG_IGN};

	if (sigaction(SIGPIPE, &ignore, NULL) < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
