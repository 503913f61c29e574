/* SPDX-License-Identifier: ISC */
/* Names to addresses with c-ares: one resolver for each event loop. */
#include "relay/resolver.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <sys/tree.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/clock.h"
#include "base/timeval.h"
#include "relay/resolver_ares.h"

/* Names that are remembered, each about a kilobyte. */
#define KNOWN_MAX 2048

/* RFC 8305 section 3: the wait for AAAA when A has come. */
#define RESOLUTION_DELAY_MS 50

/* How often resolv.conf is looked at. */
#define CHECK_EVERY_US 10000000
#define RESOLV_CONF    "/etc/resolv.conf"

/* The question for one address family of a name. */
struct half {
	struct name *name;
	bool is_answered;
	struct resolver_answer answer;
};

enum { IPV6, IPV4, HALVES };

/*
 * A name is asked for (in the tree), then known (in the tree and in by_use),
 * then dropped (in neither).  It is freed when it is dropped and c-ares owes
 * no answer: single questions cannot be taken back.
 */
struct name {
	RB_ENTRY(name) node;
	TAILQ_ENTRY(name) use;
	TAILQ_HEAD(, resolution) waiting;
	struct resolver *resolver;
	struct event timer; /* tells with what has come until then */
	unsigned owed;
	bool is_known, is_dropped;
	uint64_t expires_us;
	struct half halves[HALVES];
	char text[];
};

struct resolution {
	TAILQ_ENTRY(resolution) entry; /* of name->waiting, then of told */
	struct resolver *resolver;
	struct name *name; /* NULL once it is told */
	resolution_done_fn *done;
	void *arg;
	enum reason reason;
	size_t count;
	struct address addresses[RESOLVER_ADDRESSES_MAX];
};

/* A tree, not a hash: foreign names cannot unbalance it. */
RB_HEAD(names, name);

struct resolver {
	struct event_base *base;
	struct resolver_settings settings;
	struct resolver_ares *ares;
	struct resolver_ares *old; /* finishes what it was asked */
	struct names names;
	TAILQ_HEAD(, name) by_use; /* the one used last at the end */
	unsigned known, asking;
	TAILQ_HEAD(, resolution) told;
	struct event deliver;
	bool follows_resolv_conf;
	uint64_t checked_us;
	struct stat resolv_conf;
};

static int
compare(const struct name *a, const struct name *b)
{
	return strcmp(a->text, b->text);
}

/* tree.h's own RB_GENERATE_STATIC needs a macro that glibc does not have. */
RB_GENERATE_INTERNAL(names, name, node, compare, static __attribute__((unused)))

static struct name *
find(struct resolver *resolver, const char *text)
{
	struct name *name = RB_ROOT(&resolver->names);

	while (name != NULL) {
		int order = strcmp(text, name->text);

		if (order == 0)
			break;
		name = order < 0 ? RB_LEFT(name, node) : RB_RIGHT(name, node);
	}
	return name;
}

static void
drop(struct name *name)
{
	struct resolver *resolver = name->resolver;

	if (!name->is_dropped) {
		(void)RB_REMOVE(names, &resolver->names, name);
		(void)evtimer_del(&name->timer);
		name->is_dropped = true;
	}
	if (name->is_known) {
		TAILQ_REMOVE(&resolver->by_use, name, use);
		resolver->known--;
		name->is_known = false;
	}
	if (name->owed == 0)
		free(name);
}

/* RFC 8305 section 4: the families take turns, IPv6 first. */
static size_t
interleave(const struct name *name, struct address *out)
{
	const struct resolver_answer *ipv6 = &name->halves[IPV6].answer;
	const struct resolver_answer *ipv4 = &name->halves[IPV4].answer;
	size_t count = 0;

	for (size_t i = 0; i < RESOLVER_ADDRESSES_MAX; i++) {
		if (i < ipv6->count && count < RESOLVER_ADDRESSES_MAX)
			out[count++] = ipv6->addresses[i];
		if (i < ipv4->count && count < RESOLVER_ADDRESSES_MAX)
			out[count++] = ipv4->addresses[i];
	}
	return count;
}

static enum reason
half_reason(const struct half *half)
{
	return half->is_answered ? half->answer.reason : REASON_RESOLVER_FAILED;
}

/* Of both: an address tells most, "there is none" only if both say so. */
static enum reason
name_reason(const struct name *name)
{
	enum reason ipv6 = half_reason(&name->halves[IPV6]);
	enum reason ipv4 = half_reason(&name->halves[IPV4]);

	if (ipv6 == REASON_OK || ipv4 == REASON_OK)
		return REASON_OK;
	return ipv6 == REASON_NAME_UNKNOWN ? ipv4 : ipv6;
}

static unsigned
name_ttl_s(const struct name *name)
{
	const struct resolver_settings *settings = &name->resolver->settings;
	enum reason reason = name_reason(name);
	unsigned ttl_s = settings->ttl_max_s;

	if (reason == REASON_NAME_UNKNOWN)
		return settings->negative_ttl_s;
	if (reason != REASON_OK)
		return 0;
	for (int i = 0; i < HALVES; i++) {
		const struct half *half = &name->halves[i];
		enum reason why = half_reason(half);

		if (why == REASON_OK && half->answer.ttl_s < ttl_s)
			ttl_s = half->answer.ttl_s;
		else if (why != REASON_OK && why != REASON_NAME_UNKNOWN)
			ttl_s = 0; /* half of it is missing: ask again soon */
	}
	return ttl_s < settings->ttl_min_s ? settings->ttl_min_s : ttl_s;
}

static void
set_expiry(struct name *name)
{
	name->expires_us =
	    clock_monotonic_us() + (uint64_t)name_ttl_s(name) * 1000000;
}

static void
tell(struct resolution *resolution, enum reason reason, const struct name *name)
{
	struct resolver *resolver = resolution->resolver;

	resolution->name = NULL;
	resolution->reason = reason;
	if (reason == REASON_OK)
		resolution->count = interleave(name, resolution->addresses);
	TAILQ_INSERT_TAIL(&resolver->told, resolution, entry);
	event_active(&resolver->deliver, EV_TIMEOUT, 0);
}

static void
remember(struct name *name)
{
	struct resolver *resolver = name->resolver;

	TAILQ_INSERT_TAIL(&resolver->by_use, name, use);
	name->is_known = true;
	resolver->known++;
	if (resolver->known > KNOWN_MAX)
		drop(TAILQ_FIRST(&resolver->by_use));
}

/* All who wait are told what is known now. */
static void
conclude(struct name *name)
{
	struct resolution *resolution;
	enum reason reason = name_reason(name);

	(void)evtimer_del(&name->timer);
	while ((resolution = TAILQ_FIRST(&name->waiting)) != NULL) {
		TAILQ_REMOVE(&name->waiting, resolution, entry);
		tell(resolution, reason, name);
	}
	set_expiry(name);
	if (name_ttl_s(name) > 0)
		remember(name);
	else
		drop(name);
}

static void
arm(struct name *name, unsigned ms)
{
	const struct timeval tv = timeval_ms(ms);

	(void)evtimer_add(&name->timer, &tv);
}

static void
on_time(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	conclude(arg);
}

static void
on_answer(void *arg, const struct resolver_answer *answer)
{
	struct half *half = arg;
	struct name *name = half->name;

	half->answer = *answer;
	half->is_answered = true;
	if (--name->owed == 0)
		name->resolver->asking--;
	if (name->is_dropped)
		drop(name);
	else if (name->is_known)
		set_expiry(name);
	else if (name->owed == 0)
		conclude(name);
	else if (half == &name->halves[IPV4] && answer->reason == REASON_OK)
		arm(name, RESOLUTION_DELAY_MS);
}

static struct name *
name_new(struct resolver *resolver, const char *text)
{
	size_t size = strlen(text) + 1;
	struct name *name = calloc(1, sizeof(*name) + size);

	if (name == NULL)
		return NULL;
	name->resolver = resolver;
	TAILQ_INIT(&name->waiting);
	for (int i = 0; i < HALVES; i++)
		name->halves[i].name = name;
	(void)evtimer_assign(&name->timer, resolver->base, on_time, name);
	memcpy(name->text, text, size);
	(void)RB_INSERT(names, &resolver->names, name);
	return name;
}

/* The name may be gone after this: the answer may be there already. */
static void
ask(struct name *name)
{
	struct resolver *resolver = name->resolver;

	name->owed = HALVES;
	resolver->asking++;
	arm(name, resolver->settings.timeout_ms);
	resolver_ares_ask(resolver->ares, name->text, ADDRESS_IPV6, on_answer,
	    &name->halves[IPV6]);
	resolver_ares_ask(resolver->ares, name->text, ADDRESS_IPV4, on_answer,
	    &name->halves[IPV4]);
}

static void
wait_for(struct resolution *resolution, struct name *name)
{
	resolution->name = name;
	TAILQ_INSERT_TAIL(&name->waiting, resolution, entry);
}

static void
ask_for(struct resolution *resolution, const char *text)
{
	struct resolver *resolver = resolution->resolver;
	struct name *name;

	if (resolver->asking >= resolver->settings.outstanding_max) {
		tell(resolution, REASON_RESOLVER_BUSY, NULL);
		return;
	}
	name = name_new(resolver, text);
	if (name == NULL) {
		tell(resolution, REASON_NO_MEMORY, NULL);
		return;
	}
	wait_for(resolution, name);
	ask(name);
}

static bool
is_same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	       a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static void
follow_resolv_conf(struct resolver *resolver)
{
	uint64_t now_us = clock_monotonic_us();
	struct resolver_ares *ares;
	struct stat found;

	if (!resolver->follows_resolv_conf ||
	    now_us - resolver->checked_us < CHECK_EVERY_US)
		return;
	resolver->checked_us = now_us;
	if (stat(RESOLV_CONF, &found) < 0 ||
	    is_same_file(&found, &resolver->resolv_conf))
		return;
	ares = resolver_ares_new(resolver->base, &resolver->settings);
	if (ares == NULL)
		return;
	resolver_ares_free(resolver->old);
	resolver->old = resolver->ares;
	resolver->ares = ares;
	resolver->resolv_conf = found;
}

struct resolution *
resolution_start(struct resolver *resolver, const char *text,
    resolution_done_fn *done, void *arg)
{
	struct resolution *resolution = calloc(1, sizeof(*resolution));
	struct name *name;

	if (resolution == NULL)
		return NULL;
	resolution->resolver = resolver;
	resolution->done = done;
	resolution->arg = arg;
	follow_resolv_conf(resolver);
	name = find(resolver, text);
	if (name != NULL && name->is_known &&
	    name->expires_us <= clock_monotonic_us()) {
		drop(name);
		name = NULL;
	}
	if (name == NULL) {
		ask_for(resolution, text);
	} else if (name->is_known) {
		TAILQ_REMOVE(&resolver->by_use, name, use);
		TAILQ_INSERT_TAIL(&resolver->by_use, name, use);
		tell(resolution, name_reason(name), name);
	} else {
		wait_for(resolution, name);
	}
	return resolution;
}

void
resolution_cancel(struct resolution *resolution)
{
	if (resolution == NULL)
		return;
	if (resolution->name != NULL)
		TAILQ_REMOVE(&resolution->name->waiting, resolution, entry);
	else
		TAILQ_REMOVE(&resolution->resolver->told, resolution, entry);
	free(resolution);
}

static void
on_deliver(evutil_socket_t fd, short what, void *arg)
{
	struct resolver *resolver = arg;
	struct resolution *resolution = TAILQ_FIRST(&resolver->told);

	(void)fd;
	(void)what;
	if (resolution == NULL)
		return;
	TAILQ_REMOVE(&resolver->told, resolution, entry);
	if (!TAILQ_EMPTY(&resolver->told))
		event_active(&resolver->deliver, EV_TIMEOUT, 0);
	resolution->done(resolution->arg, resolution->reason,
	    resolution->addresses, resolution->count);
	free(resolution);
}

struct resolver *
resolver_new(struct event_base *base, const struct resolver_settings *settings)
{
	struct resolver *resolver = calloc(1, sizeof(*resolver));

	if (resolver == NULL)
		return NULL;
	resolver->base = base;
	RB_INIT(&resolver->names);
	TAILQ_INIT(&resolver->by_use);
	TAILQ_INIT(&resolver->told);
	(void)event_assign(
	    &resolver->deliver, base, -1, 0, on_deliver, resolver);
	resolver->checked_us = clock_monotonic_us();
	(void)stat(RESOLV_CONF, &resolver->resolv_conf);
	resolver->ares = resolver_ares_new(base, settings);
	if (resolver->ares == NULL) {
		free(resolver);
		return NULL;
	}
	resolver->settings = *settings;
	resolver->follows_resolv_conf =
	    settings->servers == NULL || settings->servers[0] == '\0';
	resolver->settings.servers = NULL;
	return resolver;
}

void
resolver_free(struct resolver *resolver)
{
	struct resolution *resolution;
	struct name *name;

	if (resolver == NULL)
		return;
	/* Concludes what is asked for, so that only known names are left. */
	resolver_ares_free(resolver->old);
	resolver_ares_free(resolver->ares);
	while ((name = TAILQ_FIRST(&resolver->by_use)) != NULL)
		drop(name);
	while ((resolution = TAILQ_FIRST(&resolver->told)) != NULL)
		resolution_cancel(resolution);
	(void)event_del(&resolver->deliver);
	free(resolver);
}

uint64_t
resolver_expiry_us(struct resolver *resolver, const char *text)
{
	const struct name *name = find(resolver, text);

	return name != NULL && name->is_known ? name->expires_us : 0;
}
