/* SPDX-License-Identifier: ISC */
/*
 * Datagrams a second through an association, in clear and inside a Kerberos
 * seal, beside two forwarders that look at nothing: one that moves a datagram
 * at a time, and one that moves batches as the association does.
 *
 * bench_udp [datagrams], run by with_kdc.sh.  A child is client and target: it
 * sends, echoes, and keeps a few datagrams under way, so that no buffer runs
 * over.  What relays is this process, and its CPU time is what is printed: a
 * datagram that goes there and back counts as two.
 */
#include "tests/support/unit.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/must.h"
#include "base/rfc1961.h"
#include "base/seal.h"
#include "base/socks5_udp.h"
#include "base/text.h"
#include "relay/association.h"
#include "relay/datagrams.h"
#include "tests/support/seal_pair.h"

#define IN_FLIGHT   32
#define PATIENCE_MS 1000

enum kind { ONE_BY_ONE, BATCHES, CLEAR, SEALED };

struct run {
	const char *name;
	enum kind kind;
	enum protection protection; /* if SEALED */
	size_t payload;
	uint64_t count;
	int client, target; /* the child's sockets */
	struct socket_address client_at, target_at;
	struct socket_address relay_at;
	int near, far; /* ours, of a forwarder */
	struct datagrams *batch;
	struct seal_pair pair;
	struct event_base *base;
};

static int
open_socket(struct socket_address *at)
{
	struct address local;
	int fd;

	must(address_parse("127.0.0.1", &local));
	fd = datagrams_socket(&local, 0, 0, at);
	must(fd >= 0);
	return fd;
}

/* ---- the child: client and target */

static size_t
make_datagram(struct run *run, uint8_t *out)
{
	struct socks5_udp header = {
	    .peer = endpoint_from_address(
		&run->target_at.address, run->target_at.port)};
	size_t len = run->kind < CLEAR ? 0 : socks5_udp_print(out, &header);
	gss_buffer_desc token;

	memset(out + len, 'x', run->payload);
	len += run->payload;
	if (run->kind != SEALED)
		return len;
	token = seal_pair_wrap(&run->pair,
	    run->protection == PROTECTION_CONFIDENTIALITY, out, len);
	rfc1961_header(out, RFC1961_DATA, (uint16_t)token.length);
	memcpy(out + RFC1961_HEADER, token.value, token.length);
	len = RFC1961_HEADER + token.length;
	seal_pair_drop(&token);
	return len;
}

static void
echo(struct run *run)
{
	static uint8_t octets[DATAGRAM_SIZE];
	struct sockaddr_storage from;
	socklen_t from_len = sizeof(from);
	ssize_t len;

	while ((len = recvfrom(run->target, octets, sizeof(octets), 0,
		    (struct sockaddr *)&from, &from_len)) > 0)
		(void)sendto(run->target, octets, (size_t)len, 0,
		    (struct sockaddr *)&from, from_len);
}

static uint64_t
take_replies(struct run *run)
{
	static uint8_t octets[DATAGRAM_SIZE];
	uint64_t count = 0;

	while (recv(run->client, octets, sizeof(octets), 0) > 0)
		count++;
	return count;
}

/* How many were lost. */
static uint64_t
exchange(struct run *run)
{
	static uint8_t octets[DATAGRAM_SIZE];
	struct pollfd fds[] = {
	    {.fd = run->client, .events = POLLIN},
	    {.fd = run->target, .events = POLLIN},
	};
	uint64_t sent = 0, back = 0, lost = 0;
	struct sockaddr_storage relay;
	socklen_t relay_len = socket_address_to(&run->relay_at, &relay);

	while (back + lost < run->count) {
		while (sent < run->count && sent - back - lost < IN_FLIGHT) {
			size_t len = make_datagram(run, octets);

			must(sendto(run->client, octets, len, 0,
				 (struct sockaddr *)&relay,
				 relay_len) == (ssize_t)len);
			sent++;
		}
		if (poll(fds, ARRAY_COUNT(fds), PATIENCE_MS) == 0)
			lost = sent - back;
		echo(run);
		back += take_replies(run);
	}
	return lost;
}

_Noreturn static void
be_peer(struct run *run)
{
	uint64_t lost = exchange(run);

	if (lost > 0)
		printf("  %ju lost: ", (uintmax_t)lost);
	(void)fflush(stdout);
	_exit(0);
}

/* ---- forwarders that look at nothing */

static void
move_one(int from, int to, const struct socket_address *peer)
{
	static uint8_t octets[DATAGRAM_SIZE];
	struct sockaddr_storage storage;
	socklen_t storage_len = socket_address_to(peer, &storage);
	ssize_t len = recvfrom(from, octets, sizeof(octets), 0, NULL, NULL);

	if (len > 0)
		(void)sendto(to, octets, (size_t)len, 0,
		    (struct sockaddr *)&storage, storage_len);
}

static void
move_batch(struct datagrams *batch, int from, int to,
    const struct socket_address *peer)
{
	datagrams_receive(from, batch);
	for (size_t i = 0; i < batch->count; i++)
		batch->items[i].peer = *peer;
	datagrams_send(to, batch->items, batch->count);
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct run *run = arg;
	int to = fd == run->near ? run->far : run->near;
	const struct socket_address *peer =
	    fd == run->near ? &run->target_at : &run->client_at;

	(void)what;
	if (run->kind == ONE_BY_ONE)
		move_one(fd, to, peer);
	else
		move_batch(run->batch, fd, to, peer);
}

/* ---- the association */

static struct association_answer
permit(void *arg, const struct association_question *question)
{
	(void)arg;
	return (struct association_answer){
	    .ruling = RULING_PERMIT,
	    .address = question->asked->address,
	    .expires_us = UINT64_MAX,
	};
}

static void
on_done(void *arg, enum reason reason)
{
	(void)arg;
	die("the association ended: %s", reason_name(reason));
}

static void
on_notice(void *arg, const struct association_counts *so_far)
{
	(void)arg;
	(void)so_far; /* the bench counts what arrives */
}

static struct association *
associate(struct run *run)
{
	const struct association_owner owner = {
	    permit, on_notice, on_done, run};
	const struct association_settings settings = {
	    .local = run->client_at.address,
	    .client = run->client_at,
	    .destinations_max = 64,
	    .new_max = 64,
	};
	struct association *association;
	enum reason why;

	association = association_open(run->base, &settings, &owner, &why);
	must(association != NULL);
	if (run->kind == SEALED) {
		run->pair = seal_pair_make(KERBEROS_FLAGS, run->protection);
		must(seal_into_datagram(run->pair.seal) == REASON_OK);
	}
	must(association_start(association, run->pair.seal) == REASON_OK);
	run->pair.seal = NULL; /* the association's */
	run->relay_at = association_bound(association);
	return association;
}

/* ---- runs */

static double
cpu_seconds(void)
{
	struct rusage usage;

	(void)getrusage(RUSAGE_SELF, &usage);
	return (double)usage.ru_utime.tv_sec + (double)usage.ru_stime.tv_sec +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void
on_child(evutil_socket_t signal, short what, void *arg)
{
	(void)signal;
	(void)what;
	(void)event_base_loopbreak(arg);
}

static void
relay(struct run *run)
{
	struct event *child =
	    evsignal_new(run->base, SIGCHLD, on_child, run->base);
	uint64_t began = clock_monotonic_us();
	double cpu = cpu_seconds(), seconds;
	int status;
	pid_t pid;

	must(child != NULL && event_add(child, NULL) == 0);
	(void)fflush(stdout);
	pid = fork();
	must(pid >= 0);
	if (pid == 0)
		be_peer(run);
	(void)event_base_dispatch(run->base);
	seconds = (double)(clock_monotonic_us() - began) / 1e6;
	cpu = cpu_seconds() - cpu;
	must(waitpid(pid, &status, 0) == pid && status == 0);
	printf("%-26s %5zu octets: %7.0f datagrams/s, %5.2f us of CPU each\n",
	    run->name, run->payload, 2.0 * (double)run->count / seconds,
	    cpu * 1e6 / 2.0 / (double)run->count);
	event_free(child);
}

static void
forward(struct run *run)
{
	struct socket_address far_at;
	struct event *events[2];

	run->batch = datagrams_join();
	must(run->batch != NULL);
	run->near = open_socket(&run->relay_at);
	run->far = open_socket(&far_at);
	events[0] = event_new(
	    run->base, run->near, EV_READ | EV_PERSIST, on_readable, run);
	events[1] = event_new(
	    run->base, run->far, EV_READ | EV_PERSIST, on_readable, run);
	for (size_t i = 0; i < 2; i++)
		must(events[i] != NULL && event_add(events[i], NULL) == 0);
	relay(run);
	for (size_t i = 0; i < 2; i++)
		event_free(events[i]);
	datagrams_leave(run->batch);
	(void)close(run->near);
	(void)close(run->far);
}

static void
measure(struct run *run)
{
	run->base = event_base_new();
	must(run->base != NULL);
	run->client = open_socket(&run->client_at);
	run->target = open_socket(&run->target_at);
	if (run->kind < CLEAR) {
		forward(run);
	} else {
		struct association *association = associate(run);

		relay(run);
		association_close(association, NULL);
	}
	if (run->kind == SEALED)
		seal_pair_end(&run->pair);
	(void)close(run->client);
	(void)close(run->target);
	event_base_free(run->base);
}

int
main(int argc, char **argv)
{
	static const struct run kinds[] = {
	    {.name = "forwarder, one by one", .kind = ONE_BY_ONE},
	    {.name = "forwarder, batches", .kind = BATCHES},
	    {.name = "association, clear", .kind = CLEAR},
	    {.name = "association, integrity",
		.kind = SEALED,
		.protection = PROTECTION_INTEGRITY},
	    {.name = "association, confidential",
		.kind = SEALED,
		.protection = PROTECTION_CONFIDENTIALITY},
	};
	static const size_t payloads[] = {64, 1200};
	uint64_t count = 200000;

	if (argc > 1 && !text_parse_u64(argv[1], 1, 100000000, &count))
		die("usage: %s [datagrams]", argv[0]);
	for (size_t i = 0; i < ARRAY_COUNT(payloads); i++) {
		for (size_t j = 0; j < ARRAY_COUNT(kinds); j++) {
			struct run run = kinds[j];

			run.payload = payloads[i];
			run.count = count;
			measure(&run);
		}
	}
	return EXIT_SUCCESS;
}
