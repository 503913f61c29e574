/* SPDX-License-Identifier: ISC */
/*
 * Fuzzes the tunnel: the input decides what client and target do, in which
 * chunks, and when.  What arrives must be a prefix of what was sent, and all
 * of it where the tunnel says that both directions were finished.
 *
 * The first octet says whether there is a seal; then come pairs of an action
 * and its amount.
 */
#include "tests/fuzz/fuzz.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/compiler.h"
#include "base/rfc1961.h"
#include "relay/buffer.h"
#include "relay/channel.h"
#include "relay/tunnel.h"
#include "tests/support/toy_seal.h"

#define QUEUE_MAX 65536
/* Small, so that little is needed to fill them. */
#define SOCKET_BUFFER 6000
#define TURNS_MAX     20000
/* Too short for a message of the toy seal, so that no guess can be right. */
#define GARBAGE_MAX (RFC1961_HEADER + TOY_SEAL_HEADER)

enum { CLIENT, TARGET, PEERS };

struct peer {
	int fd;
	struct seal *seal;
	uint64_t sent, received;
	bool has_finished, sees_end;
	size_t out_len, in_len;
	uint8_t out[QUEUE_MAX], in[QUEUE_MAX];
};

struct world {
	struct event_base *base;
	struct tunnel *tunnel;
	struct peer peers[PEERS];
	bool is_sealed, is_tampered, is_broken;
	unsigned calls;
	enum reason reason;
	struct tunnel_counts counts;
};

static struct world world;

static uint8_t
octet(int who, uint64_t place)
{
	return (uint8_t)(place * 167 + (place >> 8) * 31 + (uint64_t)who * 89);
}

static void
on_done(void *arg, enum reason reason, const struct tunnel_counts *counts)
{
	(void)arg;
	world.calls++;
	world.reason = reason;
	world.counts = *counts;
	world.tunnel = NULL;
}

static struct channel *
make_peer(struct peer *peer)
{
	const int size = SOCKET_BUFFER;
	struct channel *channel;
	int fds[2];

	property(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
	for (int i = 0; i < 2; i++)
		property(setsockopt(fds[i], SOL_SOCKET, SO_SNDBUF, &size,
			     sizeof(size)) == 0);
	peer->fd = fds[0];
	channel = channel_new_socket(fds[1]);
	property(channel != NULL);
	return channel;
}

static void
begin(bool is_sealed)
{
	static const struct tunnel_settings settings = {.idle_ms = 60000};
	const struct sigaction ignore = {.sa_handler = SIG_IGN};
	struct channel *client, *target;
	struct seal *seal = NULL;

	(void)sigaction(SIGPIPE, &ignore, NULL);
	if (world.base == NULL) {
		world.base = event_base_new();
		/* The pool outlives the tunnels: buffers cost time. */
		property(buffer_pool_join() != NULL);
	}
	client = make_peer(&world.peers[CLIENT]);
	target = make_peer(&world.peers[TARGET]);
	world.is_sealed = is_sealed;
	if (is_sealed) {
		seal = toy_seal_new(PROTECTION_CONFIDENTIALITY);
		world.peers[CLIENT].seal =
		    toy_seal_new(PROTECTION_CONFIDENTIALITY);
	}
	world.tunnel = tunnel_start(world.base, &settings, client, target, seal,
	    NULL, 0, NULL, 0, on_done, NULL);
	property(world.tunnel != NULL && world.calls == 0);
}

static void
end(void)
{
	if (world.tunnel != NULL)
		tunnel_cancel(world.tunnel, true, &world.counts);
	for (int i = 0; i < PEERS; i++) {
		if (world.peers[i].fd >= 0)
			(void)close(world.peers[i].fd);
		seal_free(world.peers[i].seal);
		memset(&world.peers[i], 0, offsetof(struct peer, out));
	}
	world.calls = 0;
	world.is_tampered = world.is_broken = false;
}

/* ---- what the peers do ---- */

static void
say(int who, size_t len)
{
	struct peer *peer = &world.peers[who];
	uint8_t *frame = peer->out + peer->out_len;
	uint8_t *plain = frame;
	size_t token_len;

	if (peer->has_finished || peer->out_len + len + RFC1961_HEADER +
					  TOY_SEAL_HEADER + TOY_SEAL_TRAILER >
				      QUEUE_MAX)
		return;
	if (peer->seal != NULL)
		plain += RFC1961_HEADER + peer->seal->header;
	for (size_t i = 0; i < len; i++)
		plain[i] = octet(who, peer->sent + i);
	peer->sent += len;
	if (peer->seal == NULL) {
		peer->out_len += len;
		return;
	}
	property(seal_wrap(peer->seal, frame + RFC1961_HEADER, len,
		     &token_len) == REASON_OK);
	rfc1961_header(frame, RFC1961_DATA, (uint16_t)token_len);
	peer->out_len += RFC1961_HEADER + token_len;
}

static void
send_some(int who, size_t most)
{
	struct peer *peer = &world.peers[who];
	size_t len = peer->out_len < most ? peer->out_len : most;
	ssize_t done;

	if (peer->fd < 0 || len == 0)
		return;
	done = send(peer->fd, peer->out, len, MSG_NOSIGNAL);
	if (done <= 0)
		return;
	peer->out_len -= (size_t)done;
	memmove(peer->out, peer->out + done, peer->out_len);
}

static void
check_octets(int who, const uint8_t *data, size_t len)
{
	struct peer *peer = &world.peers[who];

	property(peer->received + len <= world.peers[!who].sent);
	for (size_t i = 0; i < len; i++)
		property(data[i] == octet(!who, peer->received + i));
	peer->received += len;
}

static void
open_messages(struct peer *client)
{
	struct rfc1961_frame frame;
	size_t need, consumed;

	while (rfc1961_parse(client->in, client->in_len, &need, &consumed,
		   &frame) == PARSE_DONE) {
		size_t plain_len;
		uint8_t *plain;

		property(frame.type == RFC1961_DATA && frame.token_len > 0);
		property(seal_unwrap(client->seal, client->in + RFC1961_HEADER,
			     frame.token_len, &plain, &plain_len) == REASON_OK);
		check_octets(CLIENT, plain, plain_len);
		client->in_len -= consumed;
		memmove(client->in, client->in + consumed, client->in_len);
	}
}

static void
receive_some(int who, size_t most)
{
	struct peer *peer = &world.peers[who];
	size_t room = QUEUE_MAX - peer->in_len;
	ssize_t len;

	if (peer->fd < 0 || peer->sees_end || most == 0)
		return;
	len = recv(
	    peer->fd, peer->in + peer->in_len, most < room ? most : room, 0);
	peer->sees_end = len == 0;
	if (len <= 0)
		return;
	peer->in_len += (size_t)len;
	if (peer->seal != NULL) {
		open_messages(peer);
		return;
	}
	check_octets(who, peer->in, peer->in_len);
	peer->in_len = 0;
}

static void
finish(int who)
{
	struct peer *peer = &world.peers[who];

	if (peer->fd < 0 || peer->has_finished || peer->out_len > 0)
		return;
	(void)shutdown(peer->fd, SHUT_WR);
	peer->has_finished = true;
}

static void
hang_up(int who)
{
	struct peer *peer = &world.peers[who];

	if (peer->fd >= 0)
		(void)close(peer->fd);
	peer->fd = -1;
	world.is_broken = true;
}

/* Once: behind it nothing that the client sends can be good. */
static void
insert_garbage(const uint8_t *garbage, size_t len)
{
	struct peer *client = &world.peers[CLIENT];

	if (!world.is_sealed || world.is_tampered || client->has_finished ||
	    len == 0 || client->out_len + len > QUEUE_MAX)
		return;
	memcpy(client->out + client->out_len, garbage, len);
	client->out_len += len;
	world.is_tampered = true;
}

static void
flip(size_t amount)
{
	struct peer *client = &world.peers[CLIENT];

	if (!world.is_sealed || world.is_tampered || client->out_len == 0)
		return;
	client->out[amount % client->out_len] ^=
	    (uint8_t)(1u << (amount / 16) % 8);
	world.is_tampered = true;
}

/* ---- the script ---- */

static void
act(uint8_t action, size_t amount, const uint8_t *rest, size_t rest_len)
{
	int who = action & 1 ? TARGET : CLIENT;

	switch (action / 2 % 9) {
	case 0:
		say(who, amount);
		break;
	case 1:
		say(who, amount * 60);
		break;
	case 2:
		send_some(who, amount * amount);
		break;
	case 3:
		receive_some(who, amount * amount);
		break;
	case 4:
		(void)event_base_loop(world.base, EVLOOP_NONBLOCK);
		break;
	case 5:
		finish(who);
		break;
	case 6:
		if (who == TARGET)
			flip(amount);
		else
			insert_garbage(rest,
			    rest_len < GARBAGE_MAX ? rest_len : GARBAGE_MAX);
		break;
	case 7:
		if (amount > 200)
			hang_up(who);
		break;
	case 8:
		if (amount > 200 && world.tunnel != NULL) {
			tunnel_expire(world.tunnel, REASON_LIFETIME);
			world.is_broken = true;
		}
		break;
	}
}

static void
play_to_the_end(void)
{
	for (int i = 0; i < TURNS_MAX && world.calls == 0; i++) {
		for (int who = 0; who < PEERS; who++) {
			send_some(who, SIZE_MAX);
			finish(who);
			receive_some(who, SIZE_MAX);
		}
		(void)event_base_loop(world.base, EVLOOP_NONBLOCK);
	}
	property(world.calls == 1);
	receive_some(CLIENT, SIZE_MAX);
	receive_some(TARGET, SIZE_MAX);
}

static void
check_end(void)
{
	const struct peer *client = &world.peers[CLIENT];
	const struct peer *target = &world.peers[TARGET];

	property(world.counts.to_target <= client->sent);
	property(world.counts.to_client <= target->sent);
	property(target->received <= world.counts.to_target);
	property(client->received <= world.counts.to_client);
	if (!world.is_tampered && !world.is_broken)
		property(world.reason == REASON_OK);
	if (world.is_tampered && !world.is_broken)
		property(world.reason != REASON_OK);
	if (world.reason != REASON_OK || world.is_broken)
		return;
	property(world.counts.to_target == client->sent);
	property(world.counts.to_client == target->sent);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	begin(data[0] & 1);
	for (size_t i = 1; i + 1 < size; i += 2)
		act(data[i], data[i + 1], data + i + 2, size - i - 2);
	play_to_the_end();
	check_end();
	end();
	return 0;
}
