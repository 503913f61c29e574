/* SPDX-License-Identifier: ISC */
/*
 * CPU seconds that the tunnel needs for a gigabyte over loopback, in clear
 * and through seals that cost next to nothing or as much as the toy seal.
 *
 * bench_tunnel [megabytes [streams ...]].  The tunnels run in this process;
 * one child writes and one reads, and what they need is not counted.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
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
#include "relay/channel.h"
#include "relay/tunnel.h"
#include "tests/support/toy_seal.h"

#define STREAMS_MAX   256
#define MESSAGE_PLAIN 16384
#define CHUNK	      262144

enum direction { DOWN, UP, BOTH };

/* A tunnel's two connections: the peers' ends and its own. */
struct stream {
	int client, target;
	int near_client, near_target;
	struct seal *seal; /* the writer's or the reader's */
	uint8_t *frame;	   /* the sealed message that is being written */
	size_t frame_len, frame_at;
	uint64_t left[2]; /* octets to write still, by direction */
};

struct run {
	const char *name;
	struct seal *(*seal_new)(void); /* NULL: clear */
	enum direction direction;
	unsigned streams;
	uint64_t octets; /* of one stream, each way */
	struct event_base *base;
	unsigned running;
};

static struct stream streams[STREAMS_MAX];
static uint8_t chunk[CHUNK];

/* ---- a seal that costs nothing: what framing alone needs ---- */

static enum reason
bare_wrap(
    struct seal *seal, uint8_t *token, size_t plain_len, size_t *token_len)
{
	(void)token;
	*token_len = seal->header + plain_len + seal->trailer;
	return REASON_OK;
}

static enum reason
bare_unwrap(struct seal *seal, uint8_t *token, size_t token_len,
    uint8_t **plain, size_t *plain_len)
{
	*plain = token + seal->header;
	*plain_len = token_len - seal->header - seal->trailer;
	return REASON_OK;
}

static void
bare_free(struct seal *seal)
{
	free(seal);
}

static struct seal *
bare_seal_new(void)
{
	static const struct seal_ops ops = {
	    .wrap = bare_wrap, .unwrap = bare_unwrap, .free = bare_free};
	struct seal *seal = must_alloc(1, sizeof(*seal));

	*seal = (struct seal){
	    .ops = &ops, .header = 32, .trailer = 28, .plaintext_max = 65475};
	return seal;
}

static struct seal *
toy_new(void)
{
	return toy_seal_new(PROTECTION_CONFIDENTIALITY);
}

/* ---- connections ---- */

static void
connect_pair(int listener, const struct sockaddr_in *at, int *far, int *near)
{
	*far = socket(AF_INET, SOCK_STREAM, 0);
	must(connect(*far, (const struct sockaddr *)at, sizeof(*at)) == 0);
	*near = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
	must(*near >= 0);
	must(fcntl(*far, F_SETFL, O_NONBLOCK) == 0);
}

static void
connect_all(const struct run *run)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	socklen_t len = sizeof(at);
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	must(bind(listener, (struct sockaddr *)&at, len) == 0);
	must(listen(listener, 64) == 0);
	must(getsockname(listener, (struct sockaddr *)&at, &len) == 0);
	for (unsigned i = 0; i < run->streams; i++) {
		struct stream *stream = &streams[i];

		memset(stream, 0, sizeof(*stream));
		connect_pair(
		    listener, &at, &stream->client, &stream->near_client);
		connect_pair(
		    listener, &at, &stream->target, &stream->near_target);
	}
	(void)close(listener);
}

static void
close_fars(const struct run *run)
{
	for (unsigned i = 0; i < run->streams; i++) {
		(void)close(streams[i].client);
		(void)close(streams[i].target);
	}
}

static void
close_nears(const struct run *run)
{
	for (unsigned i = 0; i < run->streams; i++) {
		(void)close(streams[i].near_client);
		(void)close(streams[i].near_target);
	}
}

/* ---- the peers ---- */

static void
make_frame(struct stream *stream)
{
	size_t len = stream->left[UP] < MESSAGE_PLAIN ? (size_t)stream->left[UP]
						      : MESSAGE_PLAIN;
	size_t token_len;

	memcpy(
	    stream->frame + RFC1961_HEADER + stream->seal->header, chunk, len);
	must(seal_wrap(stream->seal, stream->frame + RFC1961_HEADER, len,
		 &token_len) == REASON_OK);
	rfc1961_header(stream->frame, RFC1961_DATA, (uint16_t)token_len);
	stream->frame_len = RFC1961_HEADER + token_len;
	stream->frame_at = 0;
	stream->left[UP] -= len;
}

/* As much as the socket takes; true when all is written. */
static int
write_sealed(struct stream *stream)
{
	for (;;) {
		ssize_t len;

		if (stream->frame_at == stream->frame_len) {
			if (stream->left[UP] == 0)
				return 1;
			make_frame(stream);
		}
		len = write(stream->client, stream->frame + stream->frame_at,
		    stream->frame_len - stream->frame_at);
		if (len <= 0)
			return 0;
		stream->frame_at += (size_t)len;
	}
}

static int
write_clear(int fd, uint64_t *left)
{
	while (*left > 0) {
		ssize_t len =
		    write(fd, chunk, *left < CHUNK ? (size_t)*left : CHUNK);

		if (len <= 0)
			return 0;
		*left -= (uint64_t)len;
	}
	return 1;
}

static int
write_one(const struct run *run, struct stream *stream, int way)
{
	if (way == DOWN)
		return write_clear(stream->target, &stream->left[DOWN]);
	if (run->seal_new == NULL)
		return write_clear(stream->client, &stream->left[UP]);
	return write_sealed(stream);
}

_Noreturn static void
be_writer(const struct run *run)
{
	static struct pollfd polls[STREAMS_MAX * 2];
	unsigned open = 0;

	close_nears(run);
	for (unsigned i = 0; i < run->streams * 2; i++) {
		struct stream *stream = &streams[i / 2];
		unsigned way = i % 2;

		polls[i].fd = way == UP ? stream->client : stream->target;
		polls[i].events = POLLOUT;
		open++;
		if (run->direction == BOTH || run->direction == way)
			stream->left[way] = run->octets;
		if (run->seal_new != NULL && way == UP) {
			stream->seal = run->seal_new();
			stream->frame = must_alloc(1, RFC1961_FRAME_MAX);
		}
	}
	while (open > 0) {
		must(poll(polls, run->streams * 2, -1) > 0);
		for (unsigned i = 0; i < run->streams * 2; i++) {
			if (polls[i].revents == 0 ||
			    !write_one(run, &streams[i / 2], (int)i % 2))
				continue;
			(void)shutdown(polls[i].fd, SHUT_WR);
			polls[i].fd = -1;
			open--;
		}
	}
	_exit(0);
}

_Noreturn static void
be_reader(const struct run *run)
{
	static struct pollfd polls[STREAMS_MAX * 2];
	unsigned open = run->streams * 2;

	close_nears(run);
	for (unsigned i = 0; i < run->streams * 2; i++) {
		polls[i].fd =
		    i % 2 == 0 ? streams[i / 2].client : streams[i / 2].target;
		polls[i].events = POLLIN;
	}
	while (open > 0) {
		must(poll(polls, run->streams * 2, -1) > 0);
		for (unsigned i = 0; i < run->streams * 2; i++) {
			if (polls[i].revents == 0 ||
			    read(polls[i].fd, chunk, CHUNK) > 0)
				continue;
			polls[i].fd = -1;
			open--;
		}
	}
	_exit(0);
}

/* ---- the tunnels ---- */

static void
on_done(void *arg, enum reason reason, const struct tunnel_counts *counts)
{
	struct run *run = arg;

	must(reason == REASON_OK);
	must(run->direction == UP || counts->to_client == run->octets);
	must(run->direction == DOWN || counts->to_target == run->octets);
	if (--run->running == 0)
		(void)event_base_loopbreak(run->base);
}

static double
cpu_seconds(void)
{
	struct rusage usage;

	(void)getrusage(RUSAGE_SELF, &usage);
	return (double)usage.ru_utime.tv_sec + (double)usage.ru_stime.tv_sec +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void
start_tunnels(struct run *run)
{
	const struct tunnel_settings settings = {.idle_ms = 60000};

	for (unsigned i = 0; i < run->streams; i++)
		must(tunnel_start(run->base, &settings,
			 channel_new_socket(streams[i].near_client),
			 channel_new_socket(streams[i].near_target),
			 run->seal_new != NULL ? run->seal_new() : NULL, NULL,
			 0, NULL, 0, on_done, run) != NULL);
	run->running = run->streams;
}

static pid_t
fork_peer(const struct run *run, void (*be)(const struct run *run))
{
	pid_t pid = fork();

	must(pid >= 0);
	if (pid == 0)
		be(run);
	return pid;
}

static void
measure(struct run *run)
{
	static const char *const names[] = {"down", "up", "both"};
	pid_t writer, reader;
	double cpu, gigabytes;
	uint64_t began;

	connect_all(run);
	writer = fork_peer(run, be_writer);
	reader = fork_peer(run, be_reader);
	close_fars(run);
	run->base = event_base_new();
	began = clock_monotonic_us();
	cpu = cpu_seconds();
	start_tunnels(run);
	(void)event_base_dispatch(run->base);
	cpu = cpu_seconds() - cpu;
	gigabytes = (double)run->octets * run->streams / 1e9 *
		    (run->direction == BOTH ? 2 : 1);
	printf("%-6s %-4s %3u streams %8.0f MB/s %6.2f CPU s/GB\n", run->name,
	    names[run->direction], run->streams,
	    gigabytes * 1e9 / (double)(clock_monotonic_us() - began),
	    cpu / gigabytes);
	(void)fflush(stdout);
	event_base_free(run->base);
	must(waitpid(writer, NULL, 0) == writer);
	must(waitpid(reader, NULL, 0) == reader);
}

static unsigned
number(const char *text, unsigned long most)
{
	unsigned long value = strtoul(text, NULL, 10);

	must(value > 0 && value <= most);
	return (unsigned)value;
}

static void
measure_all(unsigned count, unsigned megabytes)
{
	static const struct {
		const char *name;
		struct seal *(*seal_new)(void);
	} forms[] = {
	    {"clear", NULL}, {"framed", bare_seal_new}, {"toy", toy_new}};

	for (size_t i = 0; i < ARRAY_COUNT(forms); i++)
		for (enum direction way = DOWN; way <= BOTH; way++) {
			struct run run = {
			    .name = forms[i].name,
			    .seal_new = forms[i].seal_new,
			    .direction = way,
			    .streams = count,
			    .octets = (uint64_t)megabytes * 1000000 / count,
			};

			measure(&run);
		}
}

int
main(int argc, char **argv)
{
	static const unsigned usual[] = {1, 8, 64};
	const struct sigaction ignore = {.sa_handler = SIG_IGN};
	unsigned megabytes = argc > 1 ? number(argv[1], 1000000) : 2000;

	must(sigaction(SIGPIPE, &ignore, NULL) == 0);
	for (int i = 2; i < argc; i++)
		measure_all(number(argv[i], STREAMS_MAX), megabytes);
	for (size_t i = 0; argc <= 2 && i < ARRAY_COUNT(usual); i++)
		measure_all(usual[i], megabytes);
	return 0;
}
