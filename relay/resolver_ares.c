/* SPDX-License-Identifier: ISC */
/* One c-ares channel on an event loop: asks for one name and family. */
#include "relay/resolver_ares.h"

#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <ares.h>
#include <event2/event.h>
#include <event2/event_struct.h>

#define CNAMES_MAX 8

/*
 * c-ares doubles its patience with each try: three tries with one server
 * take 1 + 2 + 4 times the first.
 */
#define TRIES	     3
#define TRY_DIVISOR  7
#define TRY_LEAST_MS 50

/* One descriptor of c-ares. */
struct watch {
	LIST_ENTRY(watch) entry;
	struct resolver_ares *ares;
	struct event event;
	ares_socket_t fd;
};

struct resolver_ares {
	struct event_base *base;
	ares_channel channel;
	struct event timer;
	LIST_HEAD(, watch) watches;
	bool hosts_file;
};

struct query {
	enum address_family family;
	resolver_answer_fn *done;
	void *arg;
};

/* After each call into c-ares: its next timeout may have changed. */
static void
settle(struct resolver_ares *ares)
{
	struct timeval tv;

	if (ares_timeout(ares->channel, NULL, &tv) != NULL)
		(void)evtimer_add(&ares->timer, &tv);
	else
		(void)evtimer_del(&ares->timer);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct resolver_ares *ares = arg;

	(void)fd;
	(void)what;
	ares_process_fd(ares->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	settle(ares);
}

static void
on_socket(evutil_socket_t fd, short what, void *arg)
{
	struct watch *watch = arg;
	struct resolver_ares *ares = watch->ares;

	/* The watch may be gone after this. */
	ares_process_fd(ares->channel,
	    (what & EV_READ) != 0 ? fd : ARES_SOCKET_BAD,
	    (what & EV_WRITE) != 0 ? fd : ARES_SOCKET_BAD);
	settle(ares);
}

static struct watch *
watch_of(struct resolver_ares *ares, ares_socket_t fd)
{
	struct watch *watch;

	LIST_FOREACH (watch, &ares->watches, entry)
		if (watch->fd == fd)
			return watch;
	watch = calloc(1, sizeof(*watch));
	if (watch == NULL)
		return NULL; /* its timeout will end the question */
	watch->ares = ares;
	watch->fd = fd;
	(void)event_assign(&watch->event, ares->base, fd, 0, on_socket, watch);
	LIST_INSERT_HEAD(&ares->watches, watch, entry);
	return watch;
}

static void
watch_free(struct watch *watch)
{
	(void)event_del(&watch->event);
	LIST_REMOVE(watch, entry);
	free(watch);
}

static void
on_socket_state(void *arg, ares_socket_t fd, int readable, int writable)
{
	struct resolver_ares *ares = arg;
	struct watch *watch = watch_of(ares, fd);
	short what = EV_PERSIST;

	if (watch == NULL)
		return;
	if (!readable && !writable) {
		watch_free(watch);
		return;
	}
	if (readable)
		what |= EV_READ;
	if (writable)
		what |= EV_WRITE;
	(void)event_del(&watch->event);
	(void)event_assign(
	    &watch->event, ares->base, fd, what, on_socket, watch);
	(void)event_add(&watch->event, NULL);
}

static int
try_ms(const struct resolver_settings *settings)
{
	unsigned ms = settings->timeout_ms / TRY_DIVISOR;

	return (int)(ms < TRY_LEAST_MS ? TRY_LEAST_MS : ms);
}

static int
open_channel(
    struct resolver_ares *ares, const struct resolver_settings *settings)
{
	char dns[] = "b";
	struct ares_options options = {
	    .flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES,
	    .timeout = try_ms(settings),
	    .tries = TRIES,
	    .lookups = dns,
	    .sock_state_cb = on_socket_state,
	    .sock_state_cb_data = ares,
	};
	int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
		   ARES_OPT_LOOKUPS | ARES_OPT_DOMAINS | ARES_OPT_SOCK_STATE_CB;

	return ares_init_options(&ares->channel, &options, mask);
}

/* c-ares passes over what it does not understand; a setting may not. */
static bool
is_server(const char *text)
{
	struct socket_address with_port;
	struct address alone;

	return socket_address_parse(text, &with_port) ||
	       address_parse(text, &alone);
}

static bool
are_servers(const char *list)
{
	char one[SOCKET_ADDRESS_TEXT_SIZE];
	size_t len;

	for (;; list += len + 1) {
		len = strcspn(list, ",");
		if (len >= sizeof(one))
			return false;
		memcpy(one, list, len);
		one[len] = '\0';
		if (!is_server(one))
			return false;
		if (list[len] == '\0')
			return true;
	}
}

struct resolver_ares *
resolver_ares_new(
    struct event_base *base, const struct resolver_settings *settings)
{
	struct resolver_ares *ares = calloc(1, sizeof(*ares));
	const char *servers = settings->servers;

	if (ares == NULL)
		return NULL;
	ares->base = base;
	ares->hosts_file = settings->hosts_file;
	LIST_INIT(&ares->watches);
	(void)evtimer_assign(&ares->timer, base, on_timer, ares);
	if (open_channel(ares, settings) != ARES_SUCCESS) {
		free(ares);
		return NULL;
	}
	if (servers != NULL && servers[0] != '\0' &&
	    (!are_servers(servers) || ares_set_servers_ports_csv(ares->channel,
					  servers) != ARES_SUCCESS)) {
		resolver_ares_free(ares);
		return NULL;
	}
	return ares;
}

static enum reason
reason_of(int status)
{
	switch (status) {
	case ARES_SUCCESS:
		return REASON_OK;
	case ARES_ENOTFOUND:
	case ARES_ENODATA:
	case ARES_EBADNAME:
		return REASON_NAME_UNKNOWN;
	case ARES_ENOMEM:
		return REASON_NO_MEMORY;
	default:
		return REASON_RESOLVER_FAILED;
	}
}

static void
lower_ttl(struct resolver_answer *answer, int ttl_s)
{
	unsigned ttl = ttl_s < 0 ? 0 : (unsigned)ttl_s;

	if (ttl < answer->ttl_s)
		answer->ttl_s = ttl;
}

static void
take_addresses(struct resolver_answer *answer, enum address_family family,
    const struct ares_addrinfo_node *node)
{
	struct socket_address found;

	for (; node != NULL; node = node->ai_next) {
		/* A mapped address in an AAAA record is none we asked for. */
		if (answer->count == RESOLVER_ADDRESSES_MAX ||
		    !socket_address_from(
			node->ai_addr, node->ai_addrlen, &found) ||
		    found.address.family != family)
			continue;
		answer->addresses[answer->count++] = found.address;
		lower_ttl(answer, node->ai_ttl);
	}
}

static void
take_answer(struct resolver_answer *answer, enum address_family family,
    const struct ares_addrinfo *info)
{
	const struct ares_addrinfo_cname *cname;
	unsigned cnames = 0;

	for (cname = info->cnames; cname != NULL; cname = cname->next) {
		lower_ttl(answer, cname->ttl);
		cnames++;
	}
	take_addresses(answer, family, info->nodes);
	if (cnames > CNAMES_MAX)
		answer->reason = REASON_RESOLVER_FAILED;
	else if (answer->count == 0)
		answer->reason = REASON_NAME_UNKNOWN;
}

static void
on_info(void *arg, int status, int timeouts, struct ares_addrinfo *info)
{
	struct query *query = arg;
	struct resolver_answer answer = {
	    .reason = reason_of(status), .ttl_s = UINT32_MAX};

	(void)timeouts;
	if (status == ARES_SUCCESS)
		take_answer(&answer, query->family, info);
	if (info != NULL)
		ares_freeaddrinfo(info);
	query->done(query->arg, &answer);
	free(query);
}

static void
take_hostent(struct resolver_answer *answer, const struct hostent *host)
{
	for (char **at = host->h_addr_list; *at != NULL; at++) {
		uint8_t bytes[16];

		if (answer->count == RESOLVER_ADDRESSES_MAX)
			break;
		memcpy(bytes, *at, (size_t)host->h_length);
		answer->addresses[answer->count++] =
		    host->h_addrtype == AF_INET6 ? address_from_ipv6(bytes)
						 : address_from_ipv4(bytes);
	}
}

/*
 * Asked apart from ares_getaddrinfo, which (in 1.18.1) leaks where a line of
 * the file is of the other family.  A name that the file knows in one family
 * only is not asked of the servers for the other.
 */
static bool
is_in_hosts(struct resolver_ares *ares, const char *name, int family,
    struct resolver_answer *answer)
{
	static const int families[] = {AF_INET6, AF_INET};
	bool is_known = false;

	for (size_t i = 0; i < ARRAY_COUNT(families); i++) {
		struct hostent *host = NULL;

		if (ares_gethostbyname_file(ares->channel, name, families[i],
			&host) != ARES_SUCCESS)
			continue;
		is_known = true;
		if (families[i] == family)
			take_hostent(answer, host);
		ares_free_hostent(host);
	}
	answer->reason = answer->count > 0 ? REASON_OK : REASON_NAME_UNKNOWN;
	return is_known;
}

void
resolver_ares_ask(struct resolver_ares *ares, const char *name,
    enum address_family family, resolver_answer_fn *done, void *arg)
{
	static const struct resolver_answer no_memory = {
	    .reason = REASON_NO_MEMORY};
	const struct ares_addrinfo_hints hints = {
	    .ai_family = family == ADDRESS_IPV6 ? AF_INET6 : AF_INET,
	    .ai_flags = ARES_AI_NOSORT,
	};
	struct resolver_answer found = {.ttl_s = 0};
	struct query *query;

	if (ares->hosts_file &&
	    is_in_hosts(ares, name, hints.ai_family, &found)) {
		done(arg, &found);
		return;
	}
	query = malloc(sizeof(*query));
	if (query == NULL) {
		done(arg, &no_memory);
		return;
	}
	*query = (struct query){family, done, arg};
	ares_getaddrinfo(ares->channel, name, NULL, &hints, on_info, query);
	settle(ares);
}

void
resolver_ares_free(struct resolver_ares *ares)
{
	struct watch *watch, *next;

	if (ares == NULL)
		return;
	ares_destroy(ares->channel);
	LIST_FOREACH_SAFE (watch, &ares->watches, entry, next)
		watch_free(watch);
	(void)evtimer_del(&ares->timer);
	free(ares);
}
