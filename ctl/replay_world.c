/* SPDX-License-Identifier: ISC */
/* What a replay asks the gateway, each thing once. */
#include "ctl/replay_world.h"

#include <stdlib.h>
#include <string.h>
#include <sys/tree.h>

#include "base/must.h"
#include "ctl/daemon.h"
#include "policy/subject.h"

/* A gateway that does not say this often in a row is asked no more: each
 * time may take CLIENT_SILENCE_MS. */
#define FAILURES_MAX 5

_Static_assert(DAEMON_ADDRESSES_MAX <= AUDIT_ADDRESSES_MAX,
    "a name has no more addresses today");

/* A user or a name, and what was said of it. */
struct known {
	RB_ENTRY(known) entry;
	char *name;
	struct subject *subject; /* NULL: not known, or a host's name */
	size_t address_count;
	struct address addresses[AUDIT_ADDRESSES_MAX];
};

RB_HEAD(known_tree, known);

struct replay_world {
	const char *socket;
	bool has_gateway;
	unsigned failures; /* in a row */
	struct daemon_facts facts;
	struct own_addresses own;
	struct known_tree users, hosts;
};

static int
compare(const struct known *a, const struct known *b)
{
	return strcmp(a->name, b->name);
}

/* tree.h's own RB_GENERATE_STATIC needs a macro that glibc does not have. */
RB_GENERATE_INTERNAL(
    known_tree, known, entry, compare, __attribute__((unused)) static)

struct replay_world *
replay_world_new(const char *socket)
{
	struct replay_world *world = must_alloc(1, sizeof(*world));

	world->socket = socket;
	world->has_gateway =
	    daemon_ask_facts(socket, &world->facts) == OUTCOME_OK;
	if (!world->has_gateway)
		(void)outcome_say(OUTCOME_UNAVAILABLE,
		    "judging without it: who is in which group, and which "
		    "addresses are the gateway's own, is not known");
	world->own = (struct own_addresses){
	    .count = world->facts.address_count,
	    .addresses = world->facts.addresses,
	    .port_count = world->facts.port_count,
	    .ports = world->facts.ports,
	};
	return world;
}

static void
free_tree(struct known_tree *tree)
{
	struct known *known;

	while ((known = RB_ROOT(tree)) != NULL) {
		RB_REMOVE(known_tree, tree, known);
		subject_unref(known->subject);
		free(known->name);
		free(known);
	}
}

void
replay_world_free(struct replay_world *world)
{
	if (world == NULL)
		return;
	free_tree(&world->users);
	free_tree(&world->hosts);
	if (world->has_gateway)
		daemon_facts_fini(&world->facts);
	free(world);
}

const struct daemon_facts *
replay_world_facts(const struct replay_world *world)
{
	return world->has_gateway ? &world->facts : NULL;
}

const struct own_addresses *
replay_world_own(const struct replay_world *world)
{
	return &world->own;
}

bool
replay_world_checks_accounts(const struct replay_world *world)
{
	return world->has_gateway && world->facts.checks_accounts;
}

/* Whether it is to be asked; counts what it does not say. */
static bool
may_ask(const struct replay_world *world)
{
	return world->has_gateway && world->failures < FAILURES_MAX;
}

static void
note(struct replay_world *world, enum outcome outcome)
{
	if (outcome == OUTCOME_OK)
		world->failures = 0;
	else if (++world->failures == FAILURES_MAX)
		(void)outcome_say(outcome, "the gateway is asked no more");
}

/* What is known of the name; a new row, *is_new, if nothing is yet. */
static struct known *
find(struct known_tree *tree, const char *name, bool *is_new)
{
	struct known *known = must_alloc(1, sizeof(*known)), *found;

	known->name = must_strdup(name);
	found = RB_INSERT(known_tree, tree, known);
	*is_new = found == NULL;
	if (found == NULL)
		return known;
	free(known->name);
	free(known);
	return found;
}

const struct subject *
replay_world_subject(struct replay_world *world, const char *who)
{
	struct daemon_subject answer;
	enum outcome outcome;
	struct known *known;
	bool is_new;

	known = find(&world->users, who, &is_new);
	if (!is_new || !may_ask(world))
		return known->subject;
	outcome = daemon_ask_subject(world->socket, who, &answer);
	note(world, outcome);
	if (outcome != OUTCOME_OK)
		return NULL;
	known->subject = subject_ref(answer.subject);
	daemon_subject_fini(&answer);
	return known->subject;
}

size_t
replay_world_resolve(
    void *arg, const char *name, struct address out[AUDIT_ADDRESSES_MAX])
{
	struct replay_world *world = arg;
	struct daemon_name answer;
	struct known *known;
	bool is_new;

	known = find(&world->hosts, name, &is_new);
	if (is_new && may_ask(world)) {
		enum outcome outcome =
		    daemon_ask_name(world->socket, name, &answer);

		note(world, outcome);
		known->address_count = outcome == OUTCOME_OK ? answer.count : 0;
		memcpy(known->addresses, answer.addresses,
		    known->address_count * sizeof(*out));
	}
	memcpy(out, known->addresses, known->address_count * sizeof(*out));
	return known->address_count;
}
