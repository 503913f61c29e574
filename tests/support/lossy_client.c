/* SPDX-License-Identifier: ISC */
/*
 * The datagrams of a SOCKS client, and of its target, with a network between
 * client and gateway that loses, repeats, reorders, changes and replays them,
 * both ways (tests/support/shim.h).
 *
 * usage: lossy_client CONTEXT PROTECTION COUNT CLIENT GATEWAY TARGET
 *
 * CONTEXT is a file with the client's exported GSS context: whoever calls has
 * negotiated, asked for the association, and holds its connection.  CLIENT
 * and TARGET are addresses to bind to, GATEWAY is an address and a port.
 * Prints both accounts; exits 1 if one is bad.
 */
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "auth/gss_context.h"
#include "base/address.h"
#include "base/endpoint.h"
#include "base/must.h"
#include "base/rfc1961.h"
#include "base/seal.h"
#include "base/socks5_udp.h"
#include "base/text.h"
#include "base/wire.h"
#include "tests/support/shim.h"

#define CONTEXT_MAX   65536
#define PAYLOAD_MAX   1400
#define IN_FLIGHT_MAX 24 /* so that no kernel buffer runs over */
#define PATIENCE_MS   20000
#define RRC	      (RFC1961_HEADER + 6) /* where it stands in a datagram */

struct world {
	struct seal *seal;
	struct shim *up, *down; /* client to gateway, and back */
	int client, target;	/* sockets */
	struct socket_address gateway, target_address;
	uint64_t count;
	uint64_t replies;  /* that the gateway has sent */
	uint8_t *answered; /* by datagram: was there a reply? */
	uint64_t answered_twice;
	unsigned in_flight; /* to the gateway and back, about */
	unsigned stalls;
};

/* ---- sockets */

static int
open_socket(const struct socket_address *address)
{
	struct sockaddr_storage storage;
	socklen_t len = socket_address_to(address, &storage);
	int fd = socket(
	    storage.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&storage, len) < 0)
		die("cannot bind: %s", strerror(errno));
	return fd;
}

static struct socket_address
bound_to(int fd)
{
	struct sockaddr_storage storage;
	socklen_t len = sizeof(storage);
	struct socket_address address;

	must(getsockname(fd, (struct sockaddr *)&storage, &len) == 0);
	must(socket_address_from((struct sockaddr *)&storage, len, &address));
	return address;
}

static void
send_to(int fd, const void *octets, size_t len,
    const struct socket_address *address)
{
	struct sockaddr_storage storage;
	socklen_t storage_len = socket_address_to(address, &storage);

	if (sendto(fd, octets, len, 0, (struct sockaddr *)&storage,
		storage_len) != (ssize_t)len)
		die("cannot send: %s", strerror(errno));
}

/* ---- what a datagram says: its number, and what follows from it */

static size_t
print_payload(uint8_t *out, uint64_t number)
{
	size_t len = 8 + number * 7919 % (number % 16 == 0 ? 1300 : 100);
	struct wire_writer writer;

	wire_writer_init(&writer, out, PAYLOAD_MAX);
	wire_put_u64(&writer, number);
	memset(out + 8, (uint8_t)number, len - 8);
	return len;
}

static uint64_t
read_payload(const struct world *world, const uint8_t *payload, size_t len)
{
	uint8_t expected[PAYLOAD_MAX];
	struct wire_reader reader;
	uint64_t number;

	wire_reader_init(&reader, payload, len);
	number = wire_get_u64(&reader);
	if (number >= world->count || print_payload(expected, number) != len ||
	    memcmp(expected, payload, len) != 0)
		die("a datagram came that nobody sent");
	return number;
}

/* ---- the client */

static size_t
seal_datagram(struct world *world, uint64_t number, uint8_t *out)
{
	struct seal *seal = world->seal;
	uint8_t *plain = out + RFC1961_HEADER + seal->header;
	struct socks5_udp header = {
	    .peer = endpoint_from_address(
		&world->target_address.address, world->target_address.port)};
	size_t len = socks5_udp_print(plain, &header), token_len;

	len += print_payload(plain + len, number);
	must(seal_wrap(seal, out + RFC1961_HEADER, len, &token_len) ==
	     REASON_OK);
	rfc1961_header(out, RFC1961_DATA, (uint16_t)token_len);
	return RFC1961_HEADER + token_len;
}

/* What the network lets arrive at the gateway. */
static void
send_arrivals(struct world *world)
{
	struct shim_arrival arrival;

	while (shim_arrive(world->up, &arrival)) {
		send_to(world->client, arrival.octets, arrival.len,
		    &world->gateway);
		world->in_flight += arrival.is_due;
	}
}

/* What the network lets arrive at the client. */
static void
take_arrivals(struct world *world)
{
	struct shim_arrival arrival;

	while (shim_arrive(world->down, &arrival)) {
		struct rfc1961_frame frame;
		struct socks5_udp header;
		size_t need, used, len;
		uint8_t *plain;
		enum reason why;
		uint64_t number;

		if (rfc1961_parse(arrival.octets, arrival.len, &need, &used,
			&frame) != PARSE_DONE ||
		    frame.type != RFC1961_DATA || used != arrival.len ||
		    seal_unwrap(world->seal, arrival.octets + RFC1961_HEADER,
			frame.token_len, &plain, &len) != REASON_OK)
			continue;
		must(arrival.kind != SHIM_FORGED);
		must(socks5_udp_parse(plain, len, &used, &header, &why) ==
		     PARSE_DONE);
		must(header.frag == 0 &&
		     header.peer.port == world->target_address.port);
		number = read_payload(world, plain + used, len - used);
		world->answered_twice += world->answered[number];
		world->answered[number] = 1;
		shim_delivered(world->down, arrival.number);
	}
}

/* The gateway's replies; the network has them now. */
static void
read_replies(struct world *world)
{
	uint8_t octets[SHIM_LEN_MAX];
	ssize_t len;

	while ((len = recv(world->client, octets, sizeof(octets), 0)) > 0) {
		must(world->replies < world->count);
		shim_send(world->down, octets, (size_t)len);
		world->replies++;
		if (world->in_flight > 0)
			world->in_flight--;
		take_arrivals(world);
	}
	must(len < 0 && errno == EAGAIN);
}

/* ---- the target */

static void
echo(struct world *world)
{
	uint8_t octets[SHIM_LEN_MAX];
	struct sockaddr_storage storage;
	socklen_t storage_len = sizeof(storage);
	ssize_t len;

	while ((len = recvfrom(world->target, octets, sizeof(octets), 0,
		    (struct sockaddr *)&storage, &storage_len)) > 0) {
		shim_delivered(
		    world->up, read_payload(world, octets, (size_t)len));
		must(sendto(world->target, octets, (size_t)len, 0,
			 (struct sockaddr *)&storage, storage_len) == len);
	}
	must(len < 0 && errno == EAGAIN);
}

/* ---- from the first to the last */

/* Moves what can be moved; waits for it where too much is under way. */
static void
move(struct world *world, unsigned in_flight_max)
{
	struct pollfd fds[] = {
	    {.fd = world->client, .events = POLLIN},
	    {.fd = world->target, .events = POLLIN},
	};

	do {
		int ready = poll(fds, ARRAY_COUNT(fds),
		    world->in_flight > in_flight_max ? PATIENCE_MS : 0);

		must(ready >= 0);
		if (ready == 0 && world->in_flight > in_flight_max) {
			world->stalls++;
			world->in_flight = 0;
		}
		echo(world);
		read_replies(world);
	} while (world->in_flight > in_flight_max);
}

static void
exchange(struct world *world)
{
	for (uint64_t i = 0; i < world->count; i++) {
		uint8_t datagram[SHIM_LEN_MAX];
		size_t len = seal_datagram(world, i, datagram);

		shim_send(world->up, datagram, len);
		send_arrivals(world);
		move(world, IN_FLIGHT_MAX);
	}
	while (shim_wait(world->up)) {
		send_arrivals(world);
		move(world, IN_FLIGHT_MAX);
	}
	move(world, 0);
	/* Those that were late, and may come or not. */
	for (int i = 0; i < 10; i++) {
		(void)usleep(20000);
		move(world, 0);
	}
	while (shim_wait(world->down))
		take_arrivals(world);
}

static struct seal *
read_context(const char *path, const char *protection_text)
{
	static uint8_t octets[CONTEXT_MAX];
	FILE *file = fopen(path, "rb");
	struct gssctx *context;
	enum protection protection;
	struct seal *seal;
	char why[256];
	size_t len;

	if (file == NULL || !protection_parse(protection_text, &protection))
		die("%s: no context, or no protection", path);
	len = fread(octets, 1, sizeof(octets), file);
	(void)fclose(file);
	context = gssctx_import(octets, len, why, sizeof(why));
	if (context == NULL)
		die("%s: %s", path, why);
	seal = gssctx_into_seal(context, protection);
	if (seal == NULL || seal_into_datagram(seal) != REASON_OK)
		die("%s: no seal", path);
	return seal;
}

static struct socket_address
read_address(const char *text)
{
	struct endpoint endpoint;

	if (!endpoint_parse(text, &endpoint) ||
	    endpoint.kind != ENDPOINT_ADDRESS)
		die("not ADDRESS:PORT: %s", text);
	return (struct socket_address){endpoint.address, endpoint.port};
}

static double
now_seconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static bool
report(const struct world *world, double seconds)
{
	bool up = shim_report(world->up, "client -> shim -> gateway", stdout);
	bool down =
	    shim_report(world->down, "gateway -> shim -> client", stdout);

	printf("  answered twice %ju; waited in vain %u times; %.1f s\n",
	    (uintmax_t)world->answered_twice, world->stalls, seconds);
	return up && down && world->answered_twice == 0;
}

int
main(int argc, char **argv)
{
	struct world world = {.seal = NULL};
	struct socket_address client, target;
	double began;
	bool is_good;

	if (argc != 7 || !text_parse_u64(argv[3], 1, 100000000, &world.count))
		die("usage: %s CONTEXT PROTECTION COUNT CLIENT GATEWAY TARGET",
		    argv[0]);
	world.seal = read_context(argv[1], argv[2]);
	client = read_address(argv[4]);
	world.gateway = read_address(argv[5]);
	target = read_address(argv[6]);
	world.client = open_socket(&client);
	world.target = open_socket(&target);
	world.target_address = bound_to(world.target);
	world.up = shim_new(world.count, 10 + world.seal->protection, RRC);
	world.down = shim_new(world.count, 20 + world.seal->protection, RRC);
	world.answered = must_alloc(world.count, 1);
	began = now_seconds();
	exchange(&world);
	is_good = report(&world, now_seconds() - began);
	shim_free(world.up);
	shim_free(world.down);
	free(world.answered);
	seal_free(world.seal);
	return is_good ? EXIT_SUCCESS : EXIT_FAILURE;
}
