/* SPDX-License-Identifier: ISC */
/*
 * The gateway program's main thread: takes settings, listeners, links and
 * rules and hands them to the worker threads.  It has no sessions.
 */
#include <sys/queue.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "auth/throttle.h"
#include "base/clock.h"
#include "base/control.h"
#include "base/link.h"
#include "base/log.h"
#include "base/must.h"
#include "base/program.h"
#include "base/sandbox_confine.h"
#include "base/wire.h"
#include "gateway/audit_sender.h"
#include "gateway/budgets.h"
#include "gateway/capacity.h"
#include "gateway/control_askers.h"
#include "gateway/census_desk.h"
#include "gateway/control_commands.h"
#include "gateway/control_server.h"
#include "gateway/drain.h"
#include "gateway/rule_totals.h"
#include "gateway/rule_uses.h"
#include "gateway/rules_in_use.h"
#include "gateway/connected.h"
#include "gateway/housekeeping.h"
#include "gateway/opening.h"
#include "gateway/policy_source.h"
#include "gateway/settings.h"
#include "gateway/statistics.h"
#include "gateway/ticketless.h"
#include "gateway/tls_listeners.h"
#include "gateway/worker.h"
#include "policy/lookup_now.h"
#include "policy/ruleset.h"
#include "policy/subject_cache.h"
#include "relay/resolver.h"

#define OPENING_PATIENCE_MS 10000 /* a directory may hang at our start */

/* What came from the master and waits for the configuration's end. */
struct arrival {
	STAILQ_ENTRY(arrival) entry;
	enum mail_kind kind; /* MAIL_LINK or MAIL_LISTENER */
	uint32_t slot;
	struct mail mail;
};

struct gateway {
	struct program *program;
	struct settings *settings; /* in force; NULL before the first */
	struct settings *arriving;
	struct tls_listeners *tls;	    /* in force */
	struct tls_listeners *arriving_tls; /* NULL: no file has come */
	char why[512]; /* why arriving is NULL although it came */
	STAILQ_HEAD(, arrival) arrivals;
	struct shared shared;
	struct audit_sender *audit;
	struct statistics *statistics;
	struct housekeeping *housekeeping;
	struct drain *drain; /* NULL: nobody has asked for it */
	struct opening *opening;
	struct policy_source *policy;
	struct control_world world; /* what the control socket's answers see */
	struct control_server *control;
	int arriving_control; /* its socket, or -1 */
	struct control_groups control_groups;
	struct rules_in_use *rules;
	size_t address_count; /* of this host */
	struct address *addresses;
	size_t worker_count;
	struct worker **workers;
};

static void
start(void *state, struct program *program)
{
	struct gateway *gateway = state;

	gateway->program = program;
	gateway->arriving_control = -1;
	STAILQ_INIT(&gateway->arrivals);
	/* Ids are never used twice, not by the next gateway either. */
	atomic_store(&gateway->shared.next_session, clock_wall_us() << 8);
}

/* ---- links: to the main thread, or handed to a worker */

static void
hand_link(struct gateway *gateway, enum role peer, uint32_t index,
    uint32_t slot, int fd)
{
	struct mail mail = {
	    .kind = MAIL_LINK, .peer = peer, .index = index, .fd = fd};

	if (slot != SLOT_MAIN && slot <= gateway->worker_count)
		worker_mail(gateway->workers[slot - 1], &mail);
	else if (slot == SLOT_MAIN && peer == ROLE_AUDITOR)
		audit_sender_link(gateway->audit, fd);
	else if (slot == SLOT_MAIN && peer == ROLE_DIRECTORY_WATCH)
		policy_source_link(gateway->policy, fd);
	else if (slot == SLOT_MAIN && peer == ROLE_DIRECTORY_LOOKUP)
		lookup_now_link(gateway->world.lookups, index, fd);
	else
		(void)close(fd);
}

static void
keep_arrival(struct gateway *gateway, struct arrival *arrival)
{
	struct arrival *copy = must_alloc(1, sizeof(*copy));

	*copy = *arrival;
	STAILQ_INSERT_TAIL(&gateway->arrivals, copy, entry);
}

static void
linked(void *state, enum role peer, uint32_t index, uint32_t slot, int fd)
{
	struct gateway *gateway = state;
	struct arrival arrival = {
	    .kind = MAIL_LINK,
	    .slot = slot,
	    .mail = {.peer = peer, .index = index, .fd = fd},
	};

	if (gateway->settings != NULL)
		hand_link(gateway, peer, index, slot, fd);
	else
		keep_arrival(gateway, &arrival);
}

/* ---- rules and addresses: every worker gets its own reference or copy */

static void
rules_changed(void *arg, struct ruleset *rules)
{
	struct gateway *gateway = arg;

	subject_cache_expire(gateway->shared.subjects);
	ruleset_unref(gateway->world.rules);
	gateway->world.rules = ruleset_ref(rules);
	rules_in_use_add(gateway->rules, rules);
	for (size_t i = 0; i < gateway->worker_count; i++) {
		struct mail mail = {
		    .kind = MAIL_RULES, .rules = ruleset_ref(rules)};

		worker_mail(gateway->workers[i], &mail);
	}
}

static void
subjects_changed(void *arg)
{
	struct gateway *gateway = arg;

	subject_cache_expire(gateway->shared.subjects);
	for (size_t i = 0; i < gateway->worker_count; i++) {
		struct mail mail = {.kind = MAIL_SUBJECTS};

		worker_mail(gateway->workers[i], &mail);
	}
}

/* There are rules, or it is known why there are none. */
static void
rules_settled(void *arg)
{
	struct gateway *gateway = arg;

	opening_open(gateway->opening);
}

/* The host's interfaces', what the listeners are bound to, and what the
 * settings add. */
static size_t
list_addresses(const struct gateway *gateway, struct address *list)
{
	const struct settings *settings = gateway->settings;
	size_t count = gateway->address_count;

	memcpy(list, gateway->addresses, count * sizeof(struct address));
	for (size_t i = 0; i < settings->listener_count; i++)
		list[count++] = settings->listeners[i].bind.address;
	for (size_t i = 0; i < settings->own_addresses.count; i++)
		must(address_parse(
		    settings->own_addresses.texts[i], &list[count++]));
	return count;
}

/* The caller frees. */
static struct address *
copy_addresses(const struct gateway *gateway, size_t *count)
{
	const struct settings *settings = gateway->settings;
	struct address *addresses =
	    must_alloc(gateway->address_count + settings->listener_count +
			   settings->own_addresses.count + 1,
		sizeof(struct address));

	*count = list_addresses(gateway, addresses);
	return addresses;
}

static void
send_addresses(struct gateway *gateway)
{
	struct own_addresses *own = &gateway->world.own;

	if (gateway->settings == NULL)
		return; /* make_threads comes back here */
	free((void *)(uintptr_t)own->addresses);
	own->addresses = copy_addresses(gateway, &own->count);
	for (size_t i = 0; i < gateway->worker_count; i++) {
		struct mail mail = {.kind = MAIL_ADDRESSES};

		mail.addresses = copy_addresses(gateway, &mail.count);
		worker_mail(gateway->workers[i], &mail);
	}
}

static void
take_addresses(struct gateway *gateway, const struct link_message *message)
{
	struct wire_reader reader;
	uint32_t count;

	wire_reader_init(&reader, message->data, message->len);
	count = wire_get_u32(&reader);
	must(count <= LINK_MESSAGE_MAX / 5);
	free(gateway->addresses);
	gateway->addresses = must_alloc(count + 1, sizeof(struct address));
	gateway->address_count = count;
	for (uint32_t i = 0; i < count; i++) {
		bool is_ipv4 = wire_get_u8(&reader) == 4;
		const uint8_t *bytes =
		    wire_get_bytes(&reader, is_ipv4 ? 4 : 16);

		must(bytes != NULL);
		gateway->addresses[i] = is_ipv4 ? address_from_ipv4(bytes)
						: address_from_ipv6(bytes);
	}
	must(wire_is_done(&reader));
	send_addresses(gateway);
}

/* ---- settings and listeners: they arrive one by one, and count together */

static void
take_settings(struct gateway *gateway, int fd)
{
	char *text = NULL;
	size_t len = 0;
	FILE *errors = open_memstream(&text, &len);

	must(errors != NULL);
	settings_unref(gateway->arriving);
	gateway->arriving = settings_load_fd(fd, "settings", errors);
	(void)fclose(errors);
	(void)strlcpy(gateway->why, text, sizeof(gateway->why));
	free(text);
}

static void
take_file(void *state, const char *name, int fd)
{
	struct gateway *gateway = state;

	if (gateway->arriving_tls == NULL)
		gateway->arriving_tls = tls_listeners_new();
	tls_listeners_add(gateway->arriving_tls, name, fd);
}

static void
take_listener(struct gateway *gateway, struct link_message *message)
{
	struct arrival arrival = {.kind = MAIL_LISTENER};
	struct wire_reader reader;
	char name[LISTENER_NAME_SIZE];

	wire_reader_init(&reader, message->data, message->len);
	wire_get_string(&reader, name, sizeof(name));
	must(!reader.failed && message->fd >= 0);
	arrival.mail.name = must_strdup(name);
	arrival.mail.fd = message->fd;
	message->fd = -1;
	keep_arrival(gateway, &arrival);
}

static void
take_control(struct gateway *gateway, struct link_message *message)
{
	struct wire_reader reader;

	wire_reader_init(&reader, message->data, message->len);
	gateway->control_groups.read = wire_get_u32(&reader);
	gateway->control_groups.operate = wire_get_u32(&reader);
	must(wire_is_done(&reader) && message->fd >= 0);
	if (gateway->arriving_control >= 0)
		(void)close(gateway->arriving_control);
	gateway->arriving_control = message->fd;
	message->fd = -1;
}

static void
on_drained(void *arg)
{
	struct gateway *gateway = arg;

	program_send(gateway->program, CONTROL_DRAINED, 0, NULL, 0);
}

static void
begin_drain(struct gateway *gateway)
{
	if (gateway->settings == NULL)
		on_drained(gateway);
	else if (gateway->drain == NULL) {
		opening_open(gateway->opening);
		gateway->drain = drain_start(program_base(gateway->program),
		    &gateway->shared, gateway->workers, gateway->worker_count,
		    on_drained, gateway);
	}
}

static void
on_message(void *state, struct link_message *message)
{
	struct gateway *gateway = state;

	switch (message->type) {
	case CONTROL_SETTINGS:
		take_settings(gateway, message->fd);
		break;
	case CONTROL_LISTENER:
		take_listener(gateway, message);
		break;
	case CONTROL_SOCKET:
		take_control(gateway, message);
		break;
	case CONTROL_ADDRESSES:
		take_addresses(gateway, message);
		break;
	case CONTROL_DRAIN:
		begin_drain(gateway);
		break;
	default:
		log_warning(NULL, "the master sent a message of type %u",
		    (unsigned)message->type);
		break;
	}
}

/* ---- configure: the arrivals come into force together */

/* A number that no other sender of records has. */
static uint64_t
audit_source(const struct gateway *gateway, unsigned slot)
{
	return atomic_load(&gateway->shared.next_session) + slot;
}

/* What the control socket's answers are made with: as a worker's sessions have
 * it, and the main thread's own. */
static void
make_control(struct gateway *gateway)
{
	struct control_world *world = &gateway->world;

	world->base = program_base(gateway->program);
	world->shared = &gateway->shared;
	world->policy = gateway->policy;
	world->program = gateway->program;
	world->lookups =
	    lookup_now_new(world->base, worker_lookup_ms(gateway->settings));
	if (world->lookups == NULL)
		die("out of memory");
	world->resolver = worker_make_resolver(world->base, gateway->settings);
	world->workers = gateway->workers;
	world->worker_count = gateway->worker_count;
	world->started_us = clock_monotonic_us();
	world->census = census_desk_new(
	    world->base, gateway->workers, gateway->worker_count);
	gateway->control =
	    control_server_new(world, gateway->audit, control_commands);
}

/* The settings in force are others. */
static void
hand_control(struct gateway *gateway)
{
	struct control_world *world = &gateway->world;

	world->settings = gateway->settings;
	free((void *)(uintptr_t)world->own.ports);
	world->own.ports = settings_ports(world->settings);
	world->own.port_count = world->settings->listener_count;
	if (gateway->arriving_control >= 0)
		control_server_listen(gateway->control,
		    gateway->arriving_control, &gateway->control_groups);
	gateway->arriving_control = -1;
}

/* Every worker accepts on the same socket, each by its own descriptor. */
static void
hand_listener(void *arg, const struct mail *arrived)
{
	struct gateway *gateway = arg;

	for (size_t i = 0; i < gateway->worker_count; i++) {
		struct mail mail = {.kind = MAIL_LISTENER};

		mail.name = must_strdup(arrived->name);
		mail.fd = fcntl(arrived->fd, F_DUPFD_CLOEXEC, 0);
		if (mail.fd < 0)
			die("no descriptor for listener %s", mail.name);
		worker_mail(gateway->workers[i], &mail);
	}
	free(arrived->name);
	(void)close(arrived->fd);
}

static const struct policy_source_events policy_events = {
    .changed = rules_changed,
    .subjects_changed = subjects_changed,
    .settled = rules_settled,
};

static void
make_threads(struct gateway *gateway)
{
	struct settings *settings = gateway->settings;
	struct subject_cache_settings cache = {
	    .ttl_s = (unsigned)settings->cache_ttl,
	    .negative_ttl_s = (unsigned)settings->cache_negative_ttl,
	    .stale_max_s = (unsigned)settings->stale_max,
	    .entries_max = settings->cache_max,
	};

	gateway->shared.subjects = subject_cache_new(&cache);
	capacity_warn(settings);
	gateway->shared.rule_totals = rule_totals_new();
	gateway->shared.budgets = budgets_new(capacity_sessions(settings));
	gateway->statistics =
	    statistics_new(program_base(gateway->program), &gateway->shared);
	gateway->audit = audit_sender_new(
	    program_base(gateway->program), audit_source(gateway, SLOT_MAIN));
	gateway->shared.ticketless = ticketless_new();
	gateway->shared.throttle = throttle_new();
	gateway->shared.rule_uses = rule_uses_new();
	gateway->shared.connected = connected_new();
	gateway->rules = rules_in_use_new(program_base(gateway->program));
	if (gateway->shared.subjects == NULL || gateway->audit == NULL ||
	    gateway->shared.rule_uses == NULL ||
	    gateway->shared.rule_totals == NULL ||
	    gateway->shared.connected == NULL || gateway->rules == NULL ||
	    gateway->shared.budgets == NULL ||
	    gateway->shared.ticketless == NULL ||
	    gateway->shared.throttle == NULL || gateway->statistics == NULL)
		die("out of memory");
	gateway->policy = policy_source_new(program_base(gateway->program),
	    &gateway->shared, gateway->audit, settings->directory_uri.count > 0,
	    &policy_events, gateway);
	gateway->opening = opening_new(program_base(gateway->program),
	    OPENING_PATIENCE_MS, hand_listener, gateway);
	gateway->worker_count = capacity_workers(settings);
	gateway->workers =
	    must_alloc(gateway->worker_count, sizeof(struct worker *));
	for (unsigned i = 0; i < gateway->worker_count; i++)
		gateway->workers[i] = worker_new(&gateway->shared, settings,
		    gateway->tls, audit_source(gateway, i + 1));
	gateway->housekeeping = housekeeping_new(program_base(gateway->program),
	    &gateway->shared, gateway->workers, gateway->worker_count);
	if (gateway->housekeeping == NULL)
		die("out of memory");
	make_control(gateway);
	send_addresses(gateway);
}

/* Listeners that the new settings do not have are closed. */
static void
close_listeners(struct gateway *gateway, const struct settings *before)
{
	opening_forget(gateway->opening);
	for (size_t i = 0; i < before->listener_count; i++) {
		for (size_t w = 0; w < gateway->worker_count; w++) {
			struct mail mail = {.kind = MAIL_LISTENER, .fd = -1};

			mail.name = must_strdup(before->listeners[i].name);
			worker_mail(gateway->workers[w], &mail);
		}
	}
}

static void
hand_arrivals(struct gateway *gateway)
{
	struct arrival *arrival;

	while ((arrival = STAILQ_FIRST(&gateway->arrivals)) != NULL) {
		STAILQ_REMOVE_HEAD(&gateway->arrivals, entry);
		if (arrival->kind == MAIL_LISTENER)
			opening_put(gateway->opening, &arrival->mail);
		else
			hand_link(gateway, arrival->mail.peer,
			    arrival->mail.index, arrival->slot,
			    arrival->mail.fd);
		free(arrival);
	}
}

static void
hand_settings(struct gateway *gateway)
{
	for (size_t i = 0; i < gateway->worker_count; i++) {
		struct mail mail = {.kind = MAIL_SETTINGS,
		    .settings = settings_ref(gateway->settings),
		    .tls = tls_listeners_ref(gateway->tls)};

		worker_mail(gateway->workers[i], &mail);
	}
}

/* What TLS the listeners of the new settings speak; false: it cannot be. */
static bool
make_tls(struct gateway *gateway, char *why, size_t why_size)
{
	struct tls_listeners *tls = gateway->arriving_tls;

	gateway->arriving_tls = NULL;
	if (tls == NULL)
		tls = tls_listeners_new();
	if (!tls_listeners_make(tls, gateway->arriving, why, why_size)) {
		tls_listeners_unref(tls);
		return false;
	}
	tls_listeners_unref(gateway->tls);
	gateway->tls = tls;
	return true;
}

static int
configure(
    void *state, const struct options *options, char *why, size_t why_size)
{
	struct gateway *gateway = state;
	struct settings *before = gateway->settings;

	(void)options;
	if (gateway->arriving == NULL) {
		(void)strlcpy(why, gateway->why, why_size);
		tls_listeners_unref(gateway->arriving_tls);
		gateway->arriving_tls = NULL;
		return -1;
	}
	if (!make_tls(gateway, why, why_size))
		return -1;
	gateway->settings = gateway->arriving;
	gateway->arriving = NULL;
	if (before == NULL) {
		make_threads(gateway);
	} else {
		hand_settings(gateway);
		send_addresses(gateway);
		close_listeners(gateway, before);
		subject_cache_expire(gateway->shared.subjects);
	}
	hand_arrivals(gateway);
	hand_control(gateway);
	statistics_set_interval(
	    gateway->statistics, gateway->settings->statistics_interval);
	settings_unref(before);
	return 0;
}

/* ---- stop: sessions end with a record each, then the program */

static void
stop(void *state)
{
	struct gateway *gateway = state;
	struct mail mail = {.kind = MAIL_STOP};

	drain_cancel(gateway->drain);
	gateway->drain = NULL;
	for (size_t i = 0; i < gateway->worker_count; i++)
		worker_mail(gateway->workers[i], &mail);
	for (size_t i = 0; i < gateway->worker_count; i++)
		worker_join(gateway->workers[i]);
	housekeeping_free(gateway->housekeeping);
	opening_free(gateway->opening);
	control_server_free(gateway->control);
	census_desk_free(gateway->world.census);
	lookup_now_free(gateway->world.lookups);
	resolver_free(gateway->world.resolver);
	ruleset_unref(gateway->world.rules);
	free((void *)(uintptr_t)gateway->world.own.addresses);
	free((void *)(uintptr_t)gateway->world.own.ports);
	free(gateway->workers);
	free(gateway->addresses);
	gateway->worker_count = 0;
	policy_source_free(gateway->policy);
	rules_in_use_free(gateway->rules);
	audit_sender_free(gateway->audit);
	statistics_free(gateway->statistics);
	budgets_free(gateway->shared.budgets);
	subject_cache_free(gateway->shared.subjects);
	rule_totals_free(gateway->shared.rule_totals);
	rule_uses_free(gateway->shared.rule_uses);
	connected_free(gateway->shared.connected);
	ticketless_free(gateway->shared.ticketless);
	throttle_free(gateway->shared.throttle);
	tls_listeners_unref(gateway->tls);
	settings_unref(gateway->settings);
	program_exit(gateway->program);
}

static const struct program_functions functions = {
    .role = ROLE_GATEWAY,
    .needs = SANDBOX_NETWORK | SANDBOX_THREADS,
    .configure = configure,
    .file = take_file,
    .linked = linked,
    .message = on_message,
    .stop = stop,
};

int
main(int argc, char **argv)
{
	static struct gateway gateway;

	program_run(&functions, start, &gateway, argc, argv);
}
