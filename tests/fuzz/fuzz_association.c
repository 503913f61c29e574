/* SPDX-License-Identifier: ISC */
/*
 * Fuzzes an association: the input decides what a client, two targets and a
 * stranger send, what the judge says and when, and how time goes by.  Real
 * sockets, a toy seal.
 *
 * The first octet says whether there is a seal, whether fragments are put
 * together, and whether the client's port is known; then come pairs of an
 * action and its amount.
 */
#include "tests/fuzz/fuzz.h"

#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/rfc1961.h"
#include "base/seal.h"
#include "base/socks5_udp.h"
#include "base/wire.h"
#include "relay/association.h"
#include "relay/datagrams.h"
#include "relay/destinations.h"
#include "tests/support/fake_clock.h"
#include "tests/support/toy_seal.h"

/* Bounds what one input can do. */
#define ACTIONS_MAX  400
#define DATAGRAM_MAX 1024

/* The third is a name, which leads to the first target. */
enum { FIRST, SECOND, BY_NAME, DESTINATIONS };
enum { TARGETS = 2 };
enum { CLIENT, STRANGER, SENDERS };

struct world {
	struct event_base *base;
	struct association *association;
	struct seal *seal; /* the client's */
	int senders[SENDERS], targets[TARGETS];
	struct socket_address senders_at[SENDERS], targets_at[TARGETS];
	struct socket_address bound; /* the association, for clients */
	struct socket_address outside[TARGETS]; /* ... as a target saw it */
	struct endpoint destinations[DESTINATIONS];
	enum ruling next;		  /* what the judge says */
	enum ruling said[DESTINATIONS];	  /* what it said last */
	bool was_permitted[DESTINATIONS]; /* ever */
	bool is_wild; /* datagrams of any content were sent */
	uint32_t serial;
	uint64_t sent, delivered;    /* by clients; at targets */
	uint64_t answered, returned; /* by targets; at clients */
	uint8_t last[DATAGRAM_MAX];
	size_t last_len;
};

static struct world world;

static int
open_socket(struct socket_address *at)
{
	struct address local;
	int fd;

	property(address_parse("127.0.0.1", &local));
	fd = datagrams_socket(&local, 0, 0, at);
	property(fd >= 0);
	return fd;
}

static void
send_to(int fd, const void *data, size_t len, const struct socket_address *at)
{
	struct sockaddr_storage storage;
	socklen_t storage_len = socket_address_to(at, &storage);

	property(sendto(fd, data, len, 0, (struct sockaddr *)&storage,
		     storage_len) == (ssize_t)len);
}

/* ---- the judge ---- */

static size_t
index_of(const struct endpoint *asked)
{
	for (size_t i = 0; i < DESTINATIONS; i++)
		if (endpoint_is_equal(asked, &world.destinations[i]))
			return i;
	return DESTINATIONS; /* from a wild datagram */
}

static struct association_answer
make_answer(const struct endpoint *asked, enum ruling ruling)
{
	size_t index = index_of(asked);

	if (index == DESTINATIONS && ruling == RULING_PERMIT)
		ruling = RULING_DENY;
	if (index < DESTINATIONS && ruling != RULING_BUSY) {
		world.said[index] = ruling;
		if (ruling == RULING_PERMIT)
			world.was_permitted[index] = true;
	}
	return (struct association_answer){
	    .ruling = ruling,
	    .address = world.targets_at[0].address,
	    .expires_us = clock_monotonic_us() + 10000000,
	    .told = true,
	};
}

static struct association_answer
judge(void *arg, const struct association_question *question)
{
	(void)arg;
	return make_answer(question->asked, world.next);
}

static void
on_done(void *arg, enum reason reason)
{
	(void)arg;
	(void)reason;
	property(0); /* nothing that comes as a datagram ends it */
}

static enum ruling
ruling_of(uint8_t amount, bool may_wait)
{
	static const enum ruling rulings[] = {RULING_PERMIT, RULING_DENY,
	    RULING_NOWHERE, RULING_BUSY, RULING_WAIT};

	return rulings[amount % (may_wait ? 5 : 4)];
}

/* ---- datagrams: a payload is one chunk, or those of its fragments ---- */

static void
put_chunk(struct wire_writer *writer, size_t destination, uint8_t len)
{
	wire_put_u8(writer, (uint8_t)destination);
	wire_put_u32(writer, world.serial++);
	wire_put_u8(writer, len);
	for (uint8_t i = 0; i < len; i++)
		wire_put_u8(writer, len);
}

/* What arrives at a target is what was sent to it, and was permitted. */
static void
check_payload(size_t target, const uint8_t *payload, size_t len)
{
	struct wire_reader reader;

	wire_reader_init(&reader, payload, len);
	do {
		uint8_t destination = wire_get_u8(&reader);
		uint8_t filler;

		(void)wire_get_u32(&reader);
		filler = wire_get_u8(&reader);
		property(wire_get_bytes(&reader, filler) != NULL);
		property(destination < DESTINATIONS);
		property((destination == SECOND) == (target == SECOND));
		property(world.said[destination] == RULING_PERMIT);
	} while (wire_remaining(&reader) > 0);
	property(wire_is_done(&reader));
}

/* Sealed if there is a seal; the last one can be sent again. */
static void
send_plain(int sender, const uint8_t *plain, size_t len)
{
	uint8_t out[DATAGRAM_MAX + 64];
	uint8_t *token = out + RFC1961_HEADER;
	size_t token_len;

	memcpy(world.last, plain, len);
	world.last_len = len;
	if (world.seal != NULL) {
		memcpy(token + world.seal->header, plain, len);
		property(
		    seal_wrap(world.seal, token, len, &token_len) == REASON_OK);
		rfc1961_header(out, RFC1961_DATA, (uint16_t)token_len);
		world.last_len = RFC1961_HEADER + token_len;
		memcpy(world.last, out, world.last_len);
	}
	send_to(
	    world.senders[sender], world.last, world.last_len, &world.bound);
	world.sent++;
}

static void
send_good(int sender, size_t destination, uint8_t frag, uint8_t len)
{
	const struct socks5_udp header = {
	    .frag = frag, .peer = world.destinations[destination]};
	uint8_t plain[DATAGRAM_MAX];
	struct wire_writer writer;
	size_t header_len = socks5_udp_print(plain, &header);

	wire_writer_init(
	    &writer, plain + header_len, sizeof(plain) - header_len);
	put_chunk(&writer, destination, len);
	send_plain(sender, plain, header_len + writer.len);
}

static void
send_again(int sender, bool is_changed, uint8_t amount)
{
	if (world.last_len == 0)
		return;
	if (is_changed) {
		world.last[amount % world.last_len] ^= 1;
		/* In clear it may say anything now. */
		world.is_wild |= world.seal == NULL;
	}
	send_to(
	    world.senders[sender], world.last, world.last_len, &world.bound);
	world.sent++;
	if (is_changed)
		world.last_len = 0;
}

static void
answer_from(int fd, size_t target, uint8_t len)
{
	uint8_t payload[1 + UINT8_MAX] = {(uint8_t)target};

	if (world.outside[target].port == 0)
		return;
	send_to(fd, payload, 1 + (size_t)len, &world.outside[target]);
	world.answered++;
}

/* ---- what arrives ---- */

static void
drain_target(size_t target)
{
	static uint8_t data[DATAGRAM_SIZE];
	struct sockaddr_storage storage;
	socklen_t storage_len = sizeof(storage);
	ssize_t len;

	while ((len = recvfrom(world.targets[target], data, sizeof(data), 0,
		    (struct sockaddr *)&storage, &storage_len)) >= 0) {
		property(socket_address_from((struct sockaddr *)&storage,
		    storage_len, &world.outside[target]));
		world.delivered++;
		if (!world.is_wild)
			check_payload(target, data, (size_t)len);
	}
}

/* What a client gets is an answer of whom it was permitted to send to. */
static void
check_answer(uint8_t *data, size_t len)
{
	struct rfc1961_frame frame;
	struct socks5_udp header;
	size_t need, consumed;
	enum reason why;
	uint8_t target;

	if (world.seal != NULL) {
		property(rfc1961_parse(data, len, &need, &consumed, &frame) ==
			 PARSE_DONE);
		property(frame.type == RFC1961_DATA && consumed == len);
		property(seal_unwrap(world.seal, data + RFC1961_HEADER,
			     frame.token_len, &data, &len) == REASON_OK);
	}
	property(socks5_udp_parse(data, len, &consumed, &header, &why) ==
		 PARSE_DONE);
	property(header.frag == 0 && consumed < len);
	target = data[consumed];
	property(target < TARGETS);
	property(header.peer.port == world.targets_at[target].port);
	property(world.was_permitted[target] ||
		 (target == FIRST && world.was_permitted[BY_NAME]));
}

static void
drain_sender(int sender)
{
	static uint8_t data[DATAGRAM_SIZE];
	ssize_t len;

	while (
	    (len = recv(world.senders[sender], data, sizeof(data), 0)) >= 0) {
		world.returned++;
		check_answer(data, (size_t)len);
	}
}

static void
turn(void)
{
	for (int i = 0; i < 2; i++)
		property(event_base_loop(world.base,
			     EVLOOP_NONBLOCK | EVLOOP_NO_EXIT_ON_EMPTY) >= 0);
	for (size_t i = 0; i < TARGETS; i++)
		drain_target(i);
	for (int i = 0; i < SENDERS; i++)
		drain_sender(i);
}

/* ---- the input ---- */

static void
say(size_t destination, uint8_t amount)
{
	struct association_answer answer;

	/* Only one that it waits for. */
	if (world.said[destination] != RULING_WAIT)
		return;
	answer = make_answer(
	    &world.destinations[destination], ruling_of(amount, false));
	if (answer.ruling == RULING_BUSY)
		world.said[destination] = RULING_NONE;
	association_answer(
	    world.association, &world.destinations[destination], &answer);
}

/* What was permitted before has to be asked about again. */
static void
change_rules(void)
{
	association_rules_changed(world.association);
	for (size_t i = 0; i < DESTINATIONS; i++)
		if (world.said[i] == RULING_PERMIT)
			world.said[i] = RULING_NONE;
}

/* Octets of the input that it took. */
static size_t
send_wild(uint8_t amount, const uint8_t *data, size_t size, bool is_sealed)
{
	size_t len = amount < size ? amount : size;

	world.is_wild = true;
	if (is_sealed) {
		send_plain(CLIENT, data, len);
		return len;
	}
	send_to(world.senders[CLIENT], data, len, &world.bound);
	world.sent++;
	return len;
}

/* One action; the octets of the input that it took beside its own two. */
static size_t
act(uint8_t action, uint8_t amount, const uint8_t *rest, size_t size)
{
	size_t target = amount % TARGETS;

	switch (action % 16) {
	case 0:
	case 1:
	case 2:
		send_good(CLIENT, action % 16, 0, amount);
		break;
	case 3:
		send_good(CLIENT, FIRST, amount, 3);
		break;
	case 4:
		send_good(CLIENT, BY_NAME, amount, 200);
		break;
	case 5:
		return send_wild(amount, rest, size, false);
	case 6:
		return send_wild(amount, rest, size, true);
	case 7:
		send_again(CLIENT, false, amount);
		break;
	case 8:
		send_again(CLIENT, true, amount);
		break;
	case 9:
		send_again(STRANGER, false, amount);
		break;
	case 10:
		answer_from(world.targets[target], target, amount);
		break;
	case 11:
		answer_from(world.senders[STRANGER], target, amount);
		break;
	case 12:
		say(amount % DESTINATIONS, amount / DESTINATIONS);
		break;
	case 13:
		change_rules();
		break;
	case 14:
		fake_clock_advance((uint64_t)amount * 100000);
		break;
	case 15:
		world.next = ruling_of(amount, true);
		break;
	}
	return 0;
}

/* ---- from the beginning to the end ---- */

/* Only of what is odd, and no more of it than was dropped. */
static void
on_notice(void *arg, const struct association_counts *so_far)
{
	(void)arg;
	property(so_far->drops[DROP_SOURCE] + so_far->drops[DROP_MALFORMED] +
		     so_far->drops[DROP_SEAL] + so_far->drops[DROP_STRANGER] >
		 0);
}

static void
begin(uint8_t flags)
{
	static const struct association_owner owner = {
	    judge, on_notice, on_done, NULL};
	struct association_settings settings = {
	    .destinations_max = 64,
	    .new_max = 5,
	    .reassembly_octets = (flags & 2) != 0 ? 500 : 0,
	    .reassembly_timeout_ms = 5000,
	};
	struct seal *seal = NULL;
	enum reason why;

	if (world.base == NULL) {
		world.base = event_base_new();
		/* Else each input would make the thread's batch anew. */
		property(datagrams_join() != NULL);
	}
	world = (struct world){.base = world.base, .next = RULING_PERMIT};
	property(world.base != NULL);
	for (int i = 0; i < SENDERS; i++)
		world.senders[i] = open_socket(&world.senders_at[i]);
	for (int i = 0; i < TARGETS; i++) {
		world.targets[i] = open_socket(&world.targets_at[i]);
		world.destinations[i] = endpoint_from_address(
		    &world.targets_at[i].address, world.targets_at[i].port);
	}
	property(endpoint_from_name("a.example", 9, world.targets_at[0].port,
	    &world.destinations[BY_NAME]));
	settings.local = world.senders_at[CLIENT].address;
	settings.client = world.senders_at[CLIENT];
	if ((flags & 4) == 0)
		settings.client.port = 0;
	if ((flags & 1) != 0) {
		seal = toy_seal_new(PROTECTION_CONFIDENTIALITY);
		world.seal = toy_seal_new(PROTECTION_CONFIDENTIALITY);
		property(seal_into_datagram(seal) == REASON_OK);
		property(seal_into_datagram(world.seal) == REASON_OK);
	}
	world.association =
	    association_open(world.base, &settings, &owner, &why);
	property(world.association != NULL);
	world.bound = association_bound(world.association);
	property(association_start(world.association, seal) == REASON_OK);
}

/* Each datagram was relayed, dropped for one reason, or waits at the end. */
static void
check_counts(const struct association_counts *counts, bool puts_together)
{
	uint64_t up = counts->datagrams_to_target, down;

	property(world.delivered == counts->datagrams_to_target);
	property(world.returned == counts->datagrams_to_client);
	property(counts->drops[DROP_UNSENT] == 0);
	for (int i = DROP_SOURCE; i <= DROP_RATE; i++)
		up += counts->drops[i];
	property(up <= world.sent);
	/* One that was put together counts once. */
	if (!puts_together)
		property(world.sent - up <= DESTINATIONS_HELD_MAX);
	down = counts->datagrams_to_client + counts->drops[DROP_STRANGER] +
	       counts->drops[DROP_OVERSIZE];
	property(down == world.answered);
}

static void
finish(uint8_t flags)
{
	struct association_counts counts;

	association_close(world.association, &counts);
	check_counts(&counts, (flags & 2) != 0);
	for (int i = 0; i < SENDERS; i++)
		(void)close(world.senders[i]);
	for (int i = 0; i < TARGETS; i++)
		(void)close(world.targets[i]);
	seal_free(world.seal);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t at = 1;

	if (size == 0)
		return 0;
	begin(data[0]);
	for (int i = 0; i < ACTIONS_MAX && at + 2 <= size; i++) {
		uint8_t action = data[at], amount = data[at + 1];

		at += 2;
		at += act(action, amount, data + at, size - at);
		turn();
	}
	finish(data[0]);
	return 0;
}
