/* SPDX-License-Identifier: ISC */
/*
 * Fuzzes a whole sub-negotiation of RFC 1929: any octets, cut anywhere, with
 * a scripted password checker (the passwords say what it does).
 *
 * octet 0: how the rest is cut, and whether the client finishes.  Whatever
 * the cuts, the same octets must come to the same end.
 */
#include "tests/fuzz/fuzz.h"

#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include "auth/passwords.h"
#include "auth/userpass.h"
#include "base/log.h"
#include "base/rfc1929.h"
#include "tests/support/scripted_checker.h"

#define INPUT_MAX  1024
#define TURNS	   4
#define LAST_TURNS 64

static const struct userpass_policy policy = {
    .realm = "pam",
    .name_max = 64,
    .wait_ms = 1000,
    .budgets = {.pair = {.burst = 10, .refill_us = 1},
	.name = {.burst = 10, .refill_us = 1},
	.source = {.burst = 10, .refill_us = 1}},
};

/* How it ended, as far as client and session can see. */
struct ending {
	unsigned told, asked;
	enum reason reason;
	char claimed[IDENTITY_NAME_SIZE];
	size_t output_len, left;
	uint8_t output[16];
};

struct world {
	struct userpass *userpass;
	struct ending *ending;
};

static void
on_done(void *arg, const struct userpass_result *result)
{
	struct world *world = arg;
	struct ending *ending = world->ending;

	world->userpass = NULL;
	ending->told++;
	ending->reason = result->reason;
	memcpy(ending->claimed, result->claimed, strlen(result->claimed) + 1);
	property((result->proof != NULL) == (result->reason == REASON_OK));
	if (result->proof == NULL)
		return;
	property(result->proof->seal == NULL);
	property(result->proof->identity.method == METHOD_PASSWORD);
	property(strcmp(result->proof->identity.name, ending->claimed) == 0);
	property(
	    identity_name_is_valid(ending->claimed, strlen(ending->claimed)));
	/* Nobody is somebody else's NAME@realm, or a principal's instance. */
	property(strcmp(strchr(ending->claimed, '@'), "@pam") == 0);
	property(strchr(ending->claimed, '/') == NULL);
}

static void
turn(struct event_base *base, int turns)
{
	for (int i = 0; i < turns; i++)
		(void)event_base_loop(base, EVLOOP_NONBLOCK | EVLOOP_ONCE);
}

static void
negotiate(const uint8_t *data, size_t size, size_t piece, bool finishes,
    struct ending *ending)
{
	struct event_base *base = event_base_new();
	struct passwords *passwords = passwords_new(base, 10000);
	/* One for all: it forgets within a microsecond. */
	static struct throttle *throttle;
	struct address client = {ADDRESS_IPV4, {192, 0, 2, 1}};
	struct world world = {.ending = ending};
	struct scripted_checker checker;
	struct bufferevent *bev;
	int fds[2], other;
	ssize_t len;

	if (throttle == NULL)
		throttle = throttle_new();
	memset(ending, 0, sizeof(*ending));
	scripted_checker_init(&checker, base, &other);
	passwords_link(passwords, 0, other);
	property(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
	bev = bufferevent_socket_new(base, fds[1], BEV_OPT_CLOSE_ON_FREE);
	world.userpass = userpass_start(
	    bev, passwords, throttle, &policy, &client, on_done, &world);
	property(world.userpass != NULL && ending->told == 0);
	/* A socket takes no more than some hundred messages. */
	if (piece < size / 100 + 1)
		piece = size / 100 + 1;
	for (size_t at = 0; at < size; at += piece) {
		len = (ssize_t)(size - at < piece ? size - at : piece);
		property(
		    send(fds[0], data + at, (size_t)len, MSG_NOSIGNAL) == len);
		turn(base, TURNS);
	}
	if (finishes)
		(void)shutdown(fds[0], SHUT_WR);
	turn(base, LAST_TURNS);

	property(!finishes || ending->told == 1 || checker.held != 0);
	ending->asked = checker.asked;
	ending->left = evbuffer_get_length(bufferevent_get_input(bev));
	len = recv(fds[0], ending->output, sizeof(ending->output), 0);
	ending->output_len = len > 0 ? (size_t)len : 0;

	userpass_cancel(world.userpass);
	bufferevent_free(bev);
	(void)close(fds[0]);
	passwords_free(passwords);
	scripted_checker_fini(&checker);
	event_base_free(base);
	property(ending->told <= 1);
}

/* Nothing, or one reply that says how it ended. */
static void
check_output(const struct ending *ending)
{
	uint8_t reply[RFC1929_REPLY];

	property(ending->asked <= 1);
	if (ending->output_len == 0) {
		property(ending->told == 0 || ending->reason != REASON_OK);
		return;
	}
	property(ending->told == 1);
	rfc1929_reply(reply, ending->reason == REASON_OK);
	property(ending->output_len == sizeof(reply));
	property(memcmp(ending->output, reply, sizeof(reply)) == 0);
	property(ending->reason != REASON_OK || ending->asked == 1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ending whole, pieces;
	bool finishes;

	if (size < 1 || size > INPUT_MAX)
		return 0;
	log_init("fuzz", LOG_LEVEL_ERROR);
	finishes = (data[0] & 128) != 0;
	negotiate(data + 1, size - 1, INPUT_MAX, finishes, &whole);
	check_output(&whole);
	negotiate(data + 1, size - 1, (data[0] & 127U) + 1, finishes, &pieces);
	property(whole.told == pieces.told);
	property(whole.asked == pieces.asked);
	property(whole.reason == pieces.reason);
	property(strcmp(whole.claimed, pieces.claimed) == 0);
	property(whole.output_len == pieces.output_len);
	property(memcmp(whole.output, pieces.output, whole.output_len) == 0);
	return 0;
}
