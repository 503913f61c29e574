/* SPDX-License-Identifier: ISC */
/* Moves datagrams between one client and the targets that it names. */
#include "relay/association.h"

#include <stdlib.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/clock.h"
#include "base/fragments.h"
#include "base/must.h"
#include "base/rfc1961.h"
#include "base/seal.h"
#include "base/socks5_udp.h"
#include "base/timeval.h"
#include "relay/allowance.h"
#include "relay/datagrams.h"
#include "relay/destinations.h"
#include "relay/dialler.h"
#include "relay/door.h"
#include "relay/rate.h"

/* What one socket gets at a time, before others have their turn. */
#define WAKE_BATCHES 4
#define WAKE_OCTETS  (256 * 1024)

/* The most octets that a datagram can have. */
#define DATAGRAM_MAX_IPV6 65527

enum family { FAMILY_IPV4, FAMILY_IPV6, FAMILIES };

struct association {
	struct event_base *base;
	struct association_settings settings;
	struct association_owner owner;
	struct datagrams *batch;
	struct destinations *destinations;
	struct fragments *fragments; /* NULL: they are dropped */
	struct seal *seal;
	struct door client, targets[FAMILIES];
	struct socket_address bound;
	struct socket_address peer; /* the client's; port 0: not known yet */
	struct allowance fresh, octets;
	struct event idle;
	uint64_t active_us;
	struct association_counts counts;
	uint64_t noticed_us; /* 0: never */
};

static const char *const drop_names[DROP_COUNT] = {
    [DROP_SOURCE] = "source",
    [DROP_MALFORMED] = "malformed",
    [DROP_SEAL] = "seal",
    [DROP_REPLAY] = "replay",
    [DROP_FRAGMENT] = "fragment",
    [DROP_DENIED] = "denied",
    [DROP_WAITING] = "waiting",
    [DROP_NOWHERE] = "nowhere",
    [DROP_RATE] = "rate",
    [DROP_STRANGER] = "stranger",
    [DROP_OVERSIZE] = "oversize",
    [DROP_UNSENT] = "unsent",
};

const char *
association_drop_name(enum association_drop drop)
{
	must(drop < DROP_COUNT);
	return drop_names[drop];
}

/* What a network does by itself, and what a client cannot know, is no cause
 * for alarm. */
static bool
is_odd(enum association_drop drop)
{
	return drop == DROP_SOURCE || drop == DROP_MALFORMED ||
	       drop == DROP_SEAL || drop == DROP_STRANGER;
}

static void
count_drop(struct association *association, enum association_drop drop)
{
	struct association_counts *counts = &association->counts;
	uint64_t now;

	counts->drops[drop]++;
	if (!is_odd(drop))
		return;
	now = clock_monotonic_us();
	if (association->noticed_us != 0 &&
	    now - association->noticed_us < ASSOCIATION_NOTICE_US)
		return;
	association->noticed_us = now;
	association->owner.notice(association->owner.arg, counts);
}

/* ---- idle */

static void
on_idle(evutil_socket_t fd, short what, void *arg)
{
	struct association *association = arg;
	uint64_t idle_us = (uint64_t)association->settings.idle_ms * 1000;
	uint64_t passed_us = clock_monotonic_us() - association->active_us;
	struct timeval left;

	(void)fd;
	(void)what;
	if (passed_us >= idle_us) {
		association->owner.done(association->owner.arg, REASON_IDLE);
		return;
	}
	left = timeval_ms((idle_us - passed_us) / 1000 + 1);
	(void)evtimer_add(&association->idle, &left);
}

/* ---- out */

/* What has left by a door, and what did not. */
static void
flush(struct association *association, struct door *door)
{
	struct association_counts *counts = &association->counts;
	struct door_sent sent;

	if (door->count == 0)
		return;
	sent = door_flush(door);
	counts->drops[DROP_OVERSIZE] += sent.too_large;
	counts->drops[DROP_UNSENT] += sent.refused;
	if (door == &association->client) {
		counts->datagrams_to_client += sent.datagrams;
		counts->bytes_to_client += sent.bytes;
	} else {
		counts->datagrams_to_target += sent.datagrams;
		counts->bytes_to_target += sent.bytes;
	}
	association->active_us = clock_monotonic_us();
}

static void
flush_all(struct association *association)
{
	flush(association, &association->client);
	for (size_t i = 0; i < FAMILIES; i++)
		flush(association, &association->targets[i]);
}

static void on_target(evutil_socket_t fd, short what, void *arg);

/* The socket for a target's family, opened when it is needed first. */
static struct door *
target_door(struct association *association, enum address_family family)
{
	struct door *door =
	    &association
		 ->targets[family == ADDRESS_IPV6 ? FAMILY_IPV6 : FAMILY_IPV4];
	struct address any = {.family = family};
	struct socket_address bound;

	if (door->fd >= 0)
		return door;
	if (door_open(door, &any, 0, 0, &bound) != 0)
		return NULL;
	if (door_watch(door, association->base, on_target, association) == 0)
		return door;
	door_close(door);
	return NULL;
}

typedef void take_fn(struct association *association, struct datagram *item);

/* What has come by a socket; not all of it at once, others wait. */
static void
serve(struct association *association, int fd, take_fn *take)
{
	struct datagrams *batch = association->batch;
	size_t octets = 0;

	for (int i = 0; i < WAKE_BATCHES && octets < WAKE_OCTETS; i++) {
		datagrams_receive(fd, batch);
		for (size_t j = 0; j < batch->count; j++) {
			octets += batch->items[j].len;
			take(association, &batch->items[j]);
		}
		flush_all(association);
		if (batch->count < DATAGRAMS_MAX)
			break;
	}
}

/* No more than this association may move, nor than all that share its rate;
 * what does not fit at once is lost. */
static bool
may_pass(struct association *association, size_t len)
{
	struct rate *rate = association->settings.rate;

	if (!allowance_take(&association->octets, len))
		return false;
	if (rate == NULL || rate_take_whole(rate, len))
		return true;
	allowance_give(&association->octets, len);
	return false;
}

/* The payload is borrowed until flush_all. */
static void
send_to_target(struct association *association,
    const struct destination *destination, uint8_t *payload, size_t len)
{
	struct datagram item = {
	    .data = payload,
	    .len = len,
	    .peer = destination->peer,
	    .payload_len = len,
	};
	struct door *door;

	if (!may_pass(association, len)) {
		count_drop(association, DROP_RATE);
		return;
	}
	door = target_door(association, destination->peer.address.family);
	if (door == NULL)
		count_drop(association, DROP_UNSENT);
	else
		door_put(door, &item);
}

/* ---- where to */

static enum association_drop
drop_of(enum ruling ruling)
{
	switch (ruling) {
	case RULING_DENY:
		return DROP_DENIED;
	case RULING_NOWHERE:
		return DROP_NOWHERE;
	case RULING_NONE:
	case RULING_PERMIT:
	case RULING_WAIT:
	case RULING_BUSY:
		break;
	}
	return DROP_WAITING;
}

/* NULL when it was not to be had; that is counted. */
static struct destination *
destination_of(struct association *association, const struct endpoint *asked)
{
	struct destination *destination =
	    destinations_find(association->destinations, asked);

	if (destination != NULL)
		return destination;
	if (!allowance_take(&association->fresh, 1)) {
		count_drop(association, DROP_RATE);
		return NULL;
	}
	destination = destinations_add(association->destinations, asked);
	if (destination == NULL)
		count_drop(association, DROP_WAITING);
	return destination;
}

static void
forward(struct association *association, const struct endpoint *asked,
    uint8_t *payload, size_t len)
{
	struct destination *destination = destination_of(association, asked);
	enum ruling ruling;

	if (destination == NULL)
		return;
	ruling = destinations_rule(association->destinations, destination);
	if (ruling == RULING_PERMIT) {
		send_to_target(association, destination, payload, len);
		return;
	}
	if (ruling == RULING_WAIT &&
	    destinations_hold(
		association->destinations, destination, payload, len))
		return;
	if (ruling == RULING_DENY)
		destination->refused++;
	count_drop(association, drop_of(ruling));
}

void
association_answer(struct association *association,
    const struct endpoint *asked, const struct association_answer *answer)
{
	struct destinations *destinations = association->destinations;
	enum ruling ruling;
	struct destination *destination =
	    destinations_answer(destinations, asked, answer, &ruling);
	struct held *held;

	if (destination == NULL)
		return;
	while ((held = destinations_take_held(destinations, destination)) !=
	       NULL) {
		if (ruling == RULING_PERMIT) {
			send_to_target(
			    association, destination, held->payload, held->len);
			flush_all(association);
		} else {
			count_drop(association, drop_of(ruling));
		}
		free(held);
	}
}

void
association_rules_changed(struct association *association)
{
	destinations_rules_changed(association->destinations);
}

/* ---- from the client */

/* Opened where it stands; NULL if it is not as it should be. */
static uint8_t *
open_message(struct association *association, const struct datagram *item,
    size_t *plain_len)
{
	struct rfc1961_frame frame;
	size_t need, consumed;
	uint8_t *plain;
	enum reason reason;

	/* RFC 1961 section 5: one message, of exactly this length. */
	if (rfc1961_parse(item->data, item->len, &need, &consumed, &frame) !=
		PARSE_DONE ||
	    frame.type != RFC1961_DATA || consumed != item->len ||
	    frame.token_len == 0) {
		count_drop(association, DROP_MALFORMED);
		return NULL;
	}
	reason = seal_unwrap(association->seal, item->data + RFC1961_HEADER,
	    frame.token_len, &plain, plain_len);
	if (reason == REASON_OK)
		return plain;
	count_drop(
	    association, reason == REASON_GSS_REPLAY ? DROP_REPLAY : DROP_SEAL);
	return NULL;
}

/* A datagram that is good tells the client's port. */
static bool
is_from_client(
    const struct association *association, const struct socket_address *source)
{
	return address_is_equal(&source->address, &association->peer.address) &&
	       (association->peer.port == 0 ||
		   association->peer.port == source->port);
}

static void
reassemble(struct association *association, const struct socks5_udp *header,
    uint8_t *payload, size_t len)
{
	struct fragment fragment = {header->frag, &header->peer, payload, len};
	struct fragments_whole whole;
	enum fragments_result result = fragments_take(
	    association->fragments, &fragment, clock_monotonic_us(), &whole);

	association->counts.drops[DROP_FRAGMENT] += whole.lost;
	if (result != FRAGMENTS_WHOLE)
		return;
	forward(association, &header->peer, (uint8_t *)(uintptr_t)whole.data,
	    whole.len);
	/* What was put together lasts until the next one. */
	if (header->frag != 0)
		flush_all(association);
}

static void
take_from_client(struct association *association, struct datagram *item)
{
	struct socks5_udp header;
	uint8_t *plain = item->data;
	size_t plain_len = item->len, consumed;
	enum reason why;

	if (!is_from_client(association, &item->peer)) {
		count_drop(association, DROP_SOURCE);
		return;
	}
	if (association->seal != NULL) {
		plain = open_message(association, item, &plain_len);
		if (plain == NULL)
			return;
	}
	if (item->is_cut || socks5_udp_parse(plain, plain_len, &consumed,
				&header, &why) != PARSE_DONE) {
		count_drop(association, DROP_MALFORMED);
		return;
	}
	association->peer.port = item->peer.port;
	if (association->fragments != NULL)
		reassemble(association, &header, plain + consumed,
		    plain_len - consumed);
	else if (header.frag != 0)
		count_drop(association, DROP_FRAGMENT);
	else
		forward(association, &header.peer, plain + consumed,
		    plain_len - consumed);
}

static void
on_client(evutil_socket_t fd, short what, void *arg)
{
	(void)what;
	serve(arg, fd, take_from_client);
}

/* ---- to the client */

/* Puts the header in front, and the seal around both; false if it does not
 * fit. */
static bool
compose(struct association *association, struct datagram *item)
{
	struct seal *seal = association->seal;
	size_t largest = association->peer.address.family == ADDRESS_IPV6
			     ? DATAGRAM_MAX_IPV6
			     : SOCKS5_UDP_DATAGRAM_MAX;
	size_t header_len = item->peer.address.family == ADDRESS_IPV6
				? SOCKS5_UDP_HEADER_IPV6
				: SOCKS5_UDP_HEADER_IPV4;
	size_t around =
	    seal == NULL ? 0 : RFC1961_HEADER + seal->header + seal->trailer;

	if (item->is_cut || header_len + item->len + around > largest ||
	    (seal != NULL && header_len + item->len > seal->plaintext_max))
		return false;
	item->data -= header_len;
	item->len += header_len;
	must(socks5_udp_print_source(item->data, &item->peer) == header_len);
	return true;
}

static bool
seal_message(struct seal *seal, struct datagram *item)
{
	size_t token_len;

	item->data -= seal->header;
	if (seal_wrap(seal, item->data, item->len, &token_len) != REASON_OK)
		return false;
	item->data -= RFC1961_HEADER;
	item->len = RFC1961_HEADER + token_len;
	rfc1961_header(item->data, RFC1961_DATA, (uint16_t)token_len);
	return true;
}

static void
take_from_target(struct association *association, struct datagram *item)
{
	if (!destinations_may_answer(association->destinations, &item->peer)) {
		count_drop(association, DROP_STRANGER);
		return;
	}
	if (!may_pass(association, item->len)) {
		count_drop(association, DROP_RATE);
		return;
	}
	item->payload_len = item->len;
	if (!compose(association, item)) {
		count_drop(association, DROP_OVERSIZE);
		return;
	}
	if (association->seal != NULL &&
	    !seal_message(association->seal, item)) {
		count_drop(association, DROP_UNSENT);
		return;
	}
	item->peer = association->peer;
	door_put(&association->client, item);
}

static void
on_target(evutil_socket_t fd, short what, void *arg)
{
	(void)what;
	serve(arg, fd, take_from_target);
}

/* ---- from its opening to its end */

static bool
make_parts(struct association *association)
{
	const struct association_settings *settings = &association->settings;
	struct fragments_limits limits = {
	    .octets = settings->reassembly_octets,
	    .count = FRAGMENTS_POSITION_MAX,
	    .timeout_us = (uint64_t)settings->reassembly_timeout_ms * 1000,
	};

	association->batch = datagrams_join();
	association->destinations = destinations_new(settings->destinations_max,
	    association->owner.judge, association->owner.arg);
	if (settings->reassembly_octets > 0)
		association->fragments = fragments_new(&limits);
	return association->batch != NULL &&
	       association->destinations != NULL &&
	       (settings->reassembly_octets == 0 ||
		   association->fragments != NULL);
}

struct association *
association_open(struct event_base *base,
    const struct association_settings *settings,
    const struct association_owner *owner, enum reason *why)
{
	struct association *association = calloc(1, sizeof(*association));
	int error;

	*why = REASON_NO_MEMORY;
	if (association == NULL)
		return NULL;
	association->base = base;
	association->settings = *settings;
	association->owner = *owner;
	association->peer = settings->client;
	association->fresh = allowance_of(settings->new_max);
	association->octets = allowance_of(settings->octets_max);
	door_init(&association->client);
	for (size_t i = 0; i < FAMILIES; i++)
		door_init(&association->targets[i]);
	(void)evtimer_assign(&association->idle, base, on_idle, association);
	if (!make_parts(association)) {
		association_close(association, NULL);
		return NULL;
	}
	error = door_open(&association->client, &settings->local,
	    settings->port_min, settings->port_max, &association->bound);
	if (error != 0) {
		*why = dial_reason(error);
		association_close(association, NULL);
		return NULL;
	}
	return association;
}

/* It has come, and goes nowhere now. */
static void
count_what_waits(struct association *association)
{
	uint64_t *drops = association->counts.drops;

	if (association->fragments != NULL)
		drops[DROP_FRAGMENT] +=
		    fragments_expire(association->fragments, UINT64_MAX);
	if (association->destinations != NULL)
		drops[DROP_WAITING] +=
		    destinations_held(association->destinations);
}

struct association_counts
association_count(const struct association *association)
{
	return association->counts;
}

void
association_close(
    struct association *association, struct association_counts *counts)
{
	if (association == NULL)
		return;
	count_what_waits(association);
	if (counts != NULL)
		*counts = association->counts;
	(void)event_del(&association->idle);
	door_close(&association->client);
	for (size_t i = 0; i < FAMILIES; i++)
		door_close(&association->targets[i]);
	destinations_free(association->destinations);
	fragments_free(association->fragments);
	seal_free(association->seal);
	if (association->batch != NULL)
		datagrams_leave(association->batch);
	free(association);
}

struct socket_address
association_bound(const struct association *association)
{
	return association->bound;
}

enum reason
association_start(struct association *association, struct seal *seal)
{
	struct timeval idle = timeval_ms(association->settings.idle_ms);

	association->seal = seal;
	if (seal != NULL &&
	    (RFC1961_HEADER + seal->header + SOCKS5_UDP_HEADER_IPV6 >
		    DATAGRAM_HEADROOM ||
		seal->trailer > DATAGRAM_TAILROOM))
		return REASON_GSS_SEAL;
	association->active_us = clock_monotonic_us();
	if (door_watch(&association->client, association->base, on_client,
		association) != 0)
		return REASON_NO_MEMORY;
	if (association->settings.idle_ms > 0 &&
	    evtimer_add(&association->idle, &idle) != 0)
		return REASON_NO_MEMORY;
	return REASON_OK;
}
