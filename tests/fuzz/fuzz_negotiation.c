/* SPDX-License-Identifier: ISC */
/*
 * Fuzzes a whole sub-negotiation: any octets, cut anywhere, with a scripted
 * authenticator (the tokens say what it does) and a toy context.
 *
 * octet 0: the policy; octet 1: how the rest is cut, and whether the client
 * finishes.  Whatever the cuts, the same octets must come to the same end.
 */
#include "tests/fuzz/fuzz.h"

#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include "auth/authenticators.h"
#include "auth/negotiation.h"
#include "base/log.h"
#include "base/rfc1961.h"
#include "base/seal.h"
#include "tests/support/scripted_authenticator.h"
#include "tests/support/toy_context.h"

#define INPUT_MAX  4096
#define TURNS	   4
#define LAST_TURNS 64

/* How a negotiation ended, as far as client and session can see. */
struct ending {
	unsigned told;
	enum reason reason;
	enum protection protection;
	size_t output_len, left;
	uint8_t output[INPUT_MAX * 4];
};

struct world {
	struct event_base *base;
	struct negotiation_policy policy;
	struct hint_facts facts;
	struct negotiation *negotiation;
	struct bufferevent *bev;
	int client;
	struct ending *ending;
};

static void
on_done(void *arg, enum reason reason, const char *detail, struct proof *proof)
{
	struct world *world = arg;
	struct ending *ending = world->ending;

	world->negotiation = NULL;
	ending->told++;
	ending->reason = reason;
	property(detail != NULL);
	property((proof != NULL) == (reason == REASON_OK));
	if (proof == NULL)
		return;
	ending->protection = proof->protection;
	property(proof->protection >= world->policy.minimum);
	property(*detail == '\0' || (world->policy.allow_nec &&
					proof->protection > PROTECTION_NONE));
	property(proof->protection <= world->policy.maximum);
	property(strcmp(proof->identity.name, "alice@EXAMPLE.COM") == 0);
	property(proof->seal != NULL);
	seal_free(proof->seal);
}

static void
turn(struct world *world, int turns)
{
	struct evbuffer *input = bufferevent_get_input(world->bev);

	for (int i = 0; i < turns; i++) {
		(void)event_base_loop(
		    world->base, EVLOOP_NONBLOCK | EVLOOP_ONCE);
		property(evbuffer_get_length(input) <= RFC1961_FRAME_MAX);
	}
}

static void
feed(struct world *world, const uint8_t *data, size_t size, size_t piece)
{
	/* A socket takes no more than some hundred messages, however short. */
	if (piece < size / 100 + 1)
		piece = size / 100 + 1;
	for (size_t at = 0; at < size; at += piece) {
		size_t len = size - at < piece ? size - at : piece;

		property(send(world->client, data + at, len, MSG_NOSIGNAL) ==
			 (ssize_t)len);
		turn(world, TURNS);
	}
}

static void
negotiate(const struct negotiation_policy *policy, const uint8_t *data,
    size_t size, size_t piece, bool finishes, struct ending *ending)
{
	struct world world = {
	    .base = event_base_new(), .policy = *policy, .ending = ending};
	struct authenticators *pool = authenticators_new(world.base, 10000);
	struct scripted_authenticator helper;
	int fds[2], other;
	ssize_t len;

	memset(ending, 0, sizeof(*ending));
	scripted_authenticator_init(&helper, world.base, &other);
	authenticators_link(pool, 0, other);
	property(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
	world.client = fds[0];
	world.bev =
	    bufferevent_socket_new(world.base, fds[1], BEV_OPT_CLOSE_ON_FREE);
	world.negotiation = negotiation_start(
	    world.bev, pool, policy, &world.facts, on_done, &world);
	property(world.negotiation != NULL && ending->told == 0);
	feed(&world, data, size, piece);
	if (finishes)
		(void)shutdown(world.client, SHUT_WR);
	turn(&world, LAST_TURNS);

	property(ending->told <= 1);
	property(!finishes || ending->told == 1 || helper.held != 0);
	ending->left = evbuffer_get_length(bufferevent_get_input(world.bev));
	len = recv(world.client, ending->output, sizeof(ending->output), 0);
	ending->output_len = len > 0 ? (size_t)len : 0;

	negotiation_cancel(world.negotiation);
	bufferevent_free(world.bev);
	(void)close(world.client);
	authenticators_free(pool);
	scripted_authenticator_fini(&helper);
	event_base_free(world.base);
	property(toy_context_count() == 0);
	property(ending->told <= 1);
}

/* All that the client gets is whole frames; the last may be an abort. */
static void
check_output(const struct ending *ending)
{
	struct rfc1961_frame frame = {.type = RFC1961_DATA};
	size_t at = 0, need, consumed;
	bool has_abort = false;

	while (at < ending->output_len) {
		property(!has_abort);
		property(
		    rfc1961_parse(ending->output + at, ending->output_len - at,
			&need, &consumed, &frame) == PARSE_DONE);
		at += consumed;
		has_abort = frame.type == RFC1961_ABORT;
		if (has_abort && ending->output_len - at == 2)
			at += 2; /* the two zeros of the long abort */
		property(frame.type != RFC1961_DATA);
	}
	if (ending->told > 0 && ending->reason == REASON_OK)
		property(frame.type == RFC1961_LEVEL);
	if (has_abort)
		property(ending->told == 1 && ending->reason != REASON_OK);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ending whole, pieces;
	struct negotiation_policy policy;
	bool finishes;

	if (size < 2 || size > INPUT_MAX)
		return 0;
	log_init("fuzz", LOG_LEVEL_ERROR);
	policy = (struct negotiation_policy){
	    .minimum = (enum protection)(data[0] & 3),
	    .maximum = (enum protection)(data[0] >> 2 & 3),
	    .short_abort = (data[0] & 16) != 0,
	    .allow_nec = (data[0] & 48) == 48,
	    .token_max = (data[0] & 32) != 0 ? 8 : 2048,
	    .rounds_max = (data[0] & 64) != 0 ? 2 : 4,
	    .total_max = (data[0] & 128) != 0 ? 12 : 4096,
	};
	if (policy.maximum < policy.minimum)
		policy.maximum = policy.minimum;
	finishes = (data[1] & 128) != 0;
	negotiate(&policy, data + 2, size - 2, INPUT_MAX, finishes, &whole);
	check_output(&whole);
	negotiate(&policy, data + 2, size - 2, (data[1] & 127U) + 1, finishes,
	    &pieces);
	property(whole.told == pieces.told);
	property(whole.reason == pieces.reason);
	property(whole.protection == pieces.protection);
	property(whole.output_len == pieces.output_len);
	property(memcmp(whole.output, pieces.output, whole.output_len) == 0);
	property(whole.told == 0 || whole.reason != REASON_OK ||
		 whole.left == pieces.left);
	return 0;
}
