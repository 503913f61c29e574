/* SPDX-License-Identifier: ISC */
/* Random rule sets and requests with boundary cases weighted. */
#include "tests/unit/policy/random_policy.h"

#include "tests/support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/moment.h"
#include "policy/ruleset.h"
#include "policy/subject.h"
#include "tests/unit/policy/rule_text.h"

/* splitmix64: the same everywhere for the same seed. */
static uint64_t
random_next(void)
{
	uint64_t z = random_seed += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

size_t
random_below(size_t limit)
{
	return (size_t)(random_next() % limit);
}

bool
random_one_in(size_t n)
{
	return random_below(n) == 0;
}

#define PICK(array) ((array)[random_below(ARRAY_COUNT(array))])

static const char *const hosts[] = {
    "example", "a.example", "b.a.example", "aexample", "c.test", "x.c.test"};
static const char *const destinations[] = {"*", "example", "a.example",
    "b.a.example", "c.test", "*.example", "*.a.example", "*.test", "*.c.test",
    "0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1", "10.0.0.0/8", "10.0.0.0/9",
    "10.128.0.0/9", "10.1.2.3", "10.1.0.0/16", "127.0.0.0/8", "127.0.0.1",
    "126.0.0.0/7", "169.254.0.0/16", "169.254.169.254", "192.0.2.0/24",
    "192.0.2.128/25", "198.51.100.0/31", "198.51.100.1", "224.0.0.0/4", "::/0",
    "::/1", "8000::/1", "2000::/3", "2001:db8::/32", "2001:db8::1",
    "2001:db8::/127", "64:ff9b::/96", "64:ff9b::a00:0/104", "64:ff9b::7f00:1",
    "64:ff9b::/97", "64:ff9b:1::/48", "64:ff9b:1:2::/64", "2002::/16",
    "2002:a00::/24", "2002:a01:203::/48", "2001::/32", "2001:0:1:2::/64",
    "2001:0:1:2:3:4:f5ff:ffff", "::/96", "::a00:0/104", "fe80::/10", "fe80::1",
    "::1", "ff02::/16", "fd00:ec2::254", "::fffe:0:0/95"};
/* Few and fitting: together they often cover all that others permit. */
static const char *const halves[] = {"0.0.0.0/1", "128.0.0.0/1", "::/1",
    "8000::/1", "a.example", "10.0.0.0/8", "10.0.0.0/9", "10.128.0.0/9",
    "64:ff9b::a00:0/104", "64:ff9b::a00:0/105", "64:ff9b::/97",
    "64:ff9b::8000:0/97", "2002:a00::/24", "2002:a00::/25", "2002:a80:1:2::/64",
    "2001:0:1:2::/64", "2001:0:1:2:8000::/65", "64:ff9b:1:2::/64",
    "64:ff9b:1:2::/65", "198.51.100.0/31", "198.51.100.0", "64:ff9b::7f00:1",
    "64:ff9b::7f00:0/104", "127.0.0.1", "127.0.0.0/8", "::fffe:0:0/95",
    "::fffe:0:0/96", "::/96", "169.254.169.254/31", "169.254.169.255"};
static const char *const clients[] = {
    "192.0.2.10", "192.0.3.10", "2001:db8::10", "64:ff9b::a00:1", "10.0.0.1"};
static const char *const client_networks[] = {"192.0.2.0/24", "192.0.2.10",
    "2001:db8::/32", "0.0.0.0/0", "::/0", "10.0.0.0/8"};
static const char *const ports[] = {
    "1", "80", "443", "80-443", "444-65535", "1-65535"};
static const unsigned asked_ports[] = {1, 79, 80, 443, 444, 65535};
static const char *const users[] = {"uid=alice", "uid=bob"};
static const char *const groups[] = {
    "cn=admin", "cn=admins", "cn=admins2", "cn=staff"};
static const char *const principals[] = {
    "alice@R", "bob@R", "alice/admin@R", "alice@S", "bob/admin@R"};
static const char *const patterns[] = {
    "alice@R", "bob@R", "*@R", "*@S", "*/admin@R"};
static const char *const listeners[] = {"office", "vpn", "vpn2"};
static const char *const commands[] = {"connect", "bind", "udp"};
static const char *const methods[] = {"none", "gssapi", "password"};
static const char *const protections[] = {
    "none", "integrity", "confidentiality"};
static const char *const indicators[] = {"otp", "pkinit", "ot"};
static const char *const carried[] = {
    "", "otp", "pkinit", "otp pkinit", "otpx", "o otp"};
/* Around the moments that are asked for. */
static const char *const schedules[] = {"Mon-Fri 08:00-18:00 Europe/Amsterdam",
    "Fri-Fri 22:00-06:00 UTC", "Sat-Sun 00:00-24:00 America/New_York",
    "Sun-Sun 02:30-03:00 Europe/Amsterdam", "Fri-Mon 17:00-16:59 UTC"};
static const char *const moments[] = {"20261025003000Z", "20261025013000Z",
    "20261127170000Z", "20261127170001Z", "20261128050000Z"};
static const char *const orders[] = {"0", "1", "2", "1000"};
static const char *const set_dns[] = {"cn=s0", "cn=s1"};
static const char *const set_names[] = {"s0", "s1"};
static const char *const rule_dns[] = {
    "cn=r0", "cn=r1", "cn=r2", "cn=r3", "cn=r4", "cn=r5", "cn=r6", "cn=r7"};
static const char *const rule_names[] = {
    "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7"};
static const char *const owns[] = {
    "198.51.100.0", "198.51.100.1", "2001:db8::1", "127.0.0.1", NULL};

struct address random_addresses[RANDOM_ADDRESSES_MAX];
size_t random_address_count;
uint64_t random_seed;

static void
add_value(
    struct reference_entry *entry, const char *attribute, const char *value)
{
	assert_true(entry->count < ARRAY_COUNT(entry->values));
	entry->values[entry->count++] =
	    (struct reference_value){attribute, value};
}

/* One to three different values, in one of `odds` entries. */
static void
maybe_add(struct reference_entry *entry, size_t odds, const char *attribute,
    const char *const *pool, size_t pool_size)
{
	size_t start = random_below(pool_size), count = 1 + random_below(3);

	if (!random_one_in(odds))
		return;
	for (size_t i = 0; i < count && i * 2 < pool_size; i++)
		add_value(entry, attribute, pool[(start + i) % pool_size]);
}

#define MAYBE(entry, odds, attribute, pool)                                    \
	maybe_add(entry, odds, attribute, pool, ARRAY_COUNT(pool))

static const char *
value_of(const struct reference_entry *entry, const char *attribute,
    const char *otherwise)
{
	for (size_t i = 0; i < entry->count; i++)
		if (strcmp(entry->values[i].attribute, attribute) == 0)
			return entry->values[i].value;
	return otherwise;
}

static void
add_destinations(struct reference_entry *entry)
{
	size_t count = 1 + random_below(4),
	       at = random_below(ARRAY_COUNT(destinations));

	for (size_t i = 0; i < count; i++) {
		at = (at + 1 + random_below(8)) % ARRAY_COUNT(destinations);
		add_value(entry, "gwDestination", destinations[at]);
	}
}

static void
make_set(struct reference_entry *entry, size_t i)
{
	*entry = (struct reference_entry){.dn = set_dns[i]};
	add_value(entry, "objectClass", "gwDestinations");
	add_value(entry, "cn", set_names[i]);
	add_destinations(entry);
	MAYBE(entry, 3, "gwPort", ports);
}

static void
make_rule(struct reference_entry *entry, size_t i)
{
	*entry = (struct reference_entry){.dn = rule_dns[i], .is_rule = true};
	add_value(entry, "objectClass", "gwRule");
	add_value(entry, "cn", rule_names[i]);
	add_value(entry, "gwAction", random_one_in(3) ? "deny" : "permit");
	if (!random_one_in(3))
		add_value(entry, "gwOrder", PICK(orders));
	if (random_one_in(10))
		add_value(entry, "gwEnabled", "FALSE");
	if (random_one_in(3))
		add_value(entry, "gwDestinationSet", set_dns[0]);
	if (random_one_in(3))
		add_value(entry, "gwDestinationSet", set_dns[1]);
	if (random_one_in(2) ||
	    *value_of(entry, "gwDestinationSet", "") == '\0')
		add_destinations(entry);
	MAYBE(entry, 6, "gwUser", users);
	MAYBE(entry, 4, "gwGroup", groups);
	MAYBE(entry, 6, "gwPrincipal", patterns);
	MAYBE(entry, 6, "gwClient", client_networks);
	MAYBE(entry, 8, "gwListener", listeners);
	MAYBE(entry, 4, "gwPort", ports);
	MAYBE(entry, 8, "gwCommand", commands);
	MAYBE(entry, 8, "gwMethod", methods);
	if (random_one_in(8))
		add_value(entry, "gwProtection", PICK(protections));
	MAYBE(entry, 8, "gwIndicator", indicators);
	MAYBE(entry, 6, "gwSchedule", schedules);
	/* Never both in an order that is refused. */
	if (random_one_in(8))
		add_value(entry,
		    random_one_in(2) ? "gwNotBefore" : "gwNotAfter",
		    PICK(moments));
	if (random_one_in(8))
		add_value(
		    entry, "gwReportOnly", random_one_in(4) ? "FALSE" : "TRUE");
}

static int
compare_entries(const void *a, const void *b)
{
	const struct reference_entry *left = a, *right = b;
	long difference = strtol(value_of(left, "gwOrder", "1000"), NULL, 10) -
			  strtol(value_of(right, "gwOrder", "1000"), NULL, 10);
	int order = (difference > 0) - (difference < 0);

	if (order == 0)
		order = strcmp(value_of(left, "gwAction", ""),
		    value_of(right, "gwAction", ""));
	return order != 0 ? order : strcmp(left->dn, right->dn);
}

static size_t
print_entry(
    const struct reference_entry *entry, char *out, size_t size, size_t len)
{
	len += (size_t)snprintf(out + len, size - len, "dn: %s\n", entry->dn);
	for (size_t i = 0; i < entry->count; i++)
		len += (size_t)snprintf(out + len, size - len, "%s: %s\n",
		    entry->values[i].attribute, entry->values[i].value);
	len += (size_t)snprintf(out + len, size - len, "\n");
	assert_true(len < size);
	return len;
}

/* Many denials first, then some permits, for anyone. */
static void
make_half_rule(struct reference_entry *entry, size_t i)
{
	bool is_deny = !random_one_in(3);
	size_t count = is_deny ? 1 + random_below(5) : 1,
	       at = random_below(ARRAY_COUNT(halves));

	*entry = (struct reference_entry){.dn = rule_dns[i], .is_rule = true};
	add_value(entry, "objectClass", "gwRule");
	add_value(entry, "cn", rule_names[i]);
	add_value(entry, "gwAction", is_deny ? "deny" : "permit");
	if (random_one_in(6))
		add_value(entry, "gwGroup", PICK(groups));
	for (size_t j = 0; j < count; j++) {
		at = (at + 1 + random_below(3)) % ARRAY_COUNT(halves);
		add_value(entry, "gwDestination", halves[at]);
	}
}

void
random_world(struct world *world)
{
	size_t rule_count = 1 + random_below(ARRAY_COUNT(rule_dns)), len = 0;
	bool in_halves = random_one_in(4);
	size_t kept = 0;
	char why[512];

	world->count = 0;
	for (size_t i = 0; i < ARRAY_COUNT(set_dns); i++)
		make_set(&world->entries[world->count++], i);
	for (size_t i = 0; i < rule_count; i++)
		(in_halves ? make_half_rule : make_rule)(
		    &world->entries[world->count++], i);
	for (size_t i = 0; i < world->count; i++)
		len = print_entry(
		    &world->entries[i], world->text, sizeof(world->text), len);
	world->rules = rule_text_build(world->text, why, sizeof(why));
	if (world->rules == NULL)
		fail_msg("%s\n%s", world->text, why);

	for (size_t i = 0; i < world->count; i++)
		if (*value_of(&world->entries[i], "gwEnabled", "") == '\0')
			world->entries[kept++] = world->entries[i];
	world->count = kept;
	qsort(world->entries, kept, sizeof(world->entries[0]), compare_entries);
	world->own.addresses = world->own_list;
	for (world->own.count = 0; owns[world->own.count] != NULL;
	     world->own.count++)
		assert_true(address_parse(owns[world->own.count],
		    &world->own_list[world->own.count]));
}

static void
choose_groups(struct question *question)
{
	size_t count = random_below(3), at = random_below(ARRAY_COUNT(groups));

	for (size_t i = 0; i < count; i++)
		question->asked_groups[i] =
		    groups[(at + i) % ARRAY_COUNT(groups)];
	question->ask.groups = question->asked_groups;
}

/* A moment that some rule names, or one beside it. */
static void
choose_time(struct question *question)
{
	assert_true(moment_parse(PICK(moments), &question->ask.now));
	question->ask.now += (int64_t)random_below(3) - 1;
	if (random_one_in(3))
		question->ask.now += (int64_t)random_below(7 * 86400);
}

void
random_choose_address(struct question *question)
{
	question->address =
	    random_addresses[random_below(random_address_count)];
	question->ask.address =
	    address_print(&question->address, question->address_text);
}

/* Anything at all; few rules fit that. */
static void
choose(struct question *question)
{
	struct reference_ask *ask = &question->ask;

	ask->own = owns;
	ask->subject_known = !random_one_in(6);
	ask->subject_dn = random_one_in(4) ? NULL : PICK(users);
	choose_groups(question);
	ask->method = random_one_in(8) ? "none" : PICK(methods);
	ask->principal = PICK(principals);
	ask->indicators = PICK(carried);
	ask->client = PICK(clients);
	ask->listener = PICK(listeners);
	ask->command = random_one_in(3) ? PICK(commands) : "connect";
	ask->protection = (int)random_below(PROTECTION_COUNT);
	ask->port = PICK(asked_ports);
	ask->host = random_one_in(3) ? NULL : PICK(hosts);
	random_choose_address(question);
	choose_time(question);
}

/* Somewhere in one of the rule's networks, by one of its names. */
static void
aim_at_destination(struct question *question, const char *value)
{
	struct reference_ask *ask = &question->ask;
	struct network network;

	if (network_parse(value, &network)) {
		question->address = network.base;
		ask->address =
		    address_print(&network.base, question->address_text);
	} else if (*value == '*' && value[1] != '\0') {
		ask->host = strcmp(value, "*.example") == 0  ? "a.example"
			    : strcmp(value, "*.test") == 0   ? "c.test"
			    : strcmp(value, "*.c.test") == 0 ? "x.c.test"
							     : "b.a.example";
	} else if (*value != '*') {
		ask->host = value;
	}
}

static const char *
some_client_in(const char *value)
{
	struct network network;
	struct address client;
	size_t at = random_below(ARRAY_COUNT(clients));

	assert_true(network_parse(value, &network));
	for (;; at = (at + 1) % ARRAY_COUNT(clients))
		if (address_parse(clients[at], &client) &&
		    network_has(&network, &client))
			return clients[at];
}

/* Makes the question fit one value of a rule. */
static void
aim_at(struct question *question, const char *attribute, const char *value)
{
	struct reference_ask *ask = &question->ask;

	if (strcmp(attribute, "gwDestination") == 0)
		aim_at_destination(question, value);
	else if (strcmp(attribute, "gwClient") == 0)
		ask->client = some_client_in(value);
	else if (strcmp(attribute, "gwUser") == 0)
		ask->subject_dn = value;
	else if (strcmp(attribute, "gwGroup") == 0)
		question->asked_groups[0] = value;
	else if (strcmp(attribute, "gwPrincipal") == 0)
		ask->principal = strcmp(value, "*@R") == 0   ? "bob@R"
				 : strcmp(value, "*@S") == 0 ? "alice@S"
				 : *value == '*'	     ? "alice/admin@R"
							     : value;
	else if (strcmp(attribute, "gwListener") == 0)
		ask->listener = value;
	else if (strcmp(attribute, "gwCommand") == 0)
		ask->command = value;
	else if (strcmp(attribute, "gwMethod") == 0)
		ask->method = value;
	else if (strcmp(attribute, "gwIndicator") == 0)
		ask->indicators = value;
	else if (strcmp(attribute, "gwPort") == 0)
		ask->port = (unsigned)strtoul(value, NULL, 10);
}

/* Most questions are about some rule, and miss it by little. */
static void
aim(struct question *question, const struct world *world)
{
	const struct reference_entry *rule = &world->entries[0];

	for (size_t tries = 0; tries < 4; tries++) {
		rule = &world->entries[random_below(world->count)];
		if (strcmp(value_of(rule, "gwAction", ""), "permit") == 0)
			break;
	}
	question->ask.subject_known = true;
	question->ask.protection = PROTECTION_CONFIDENTIALITY;
	question->ask.method = "gssapi";
	question->ask.command = "connect";
	for (size_t i = 0; i < rule->count; i++)
		if (!random_one_in(30))
			aim_at(question, rule->values[i].attribute,
			    rule->values[i].value);
}

/* The same for the real judge. */
static void
translate(struct question *question)
{
	struct reference_ask *ask = &question->ask;
	struct request *request = &question->request;
	struct identity *identity = &question->identity;

	if (ask->subject_known) {
		question->subject = subject_new(ask->subject_dn);
		assert_non_null(question->subject);
		for (size_t i = 0; ask->groups[i] != NULL; i++)
			assert_int_equal(subject_add_group(
					     question->subject, ask->groups[i]),
			    0);
		subject_finish(question->subject);
		question->context.subject = question->subject;
	}
	if (strcmp(ask->method, "none") == 0) {
		ask->principal = NULL;
	} else {
		snprintf(identity->name, sizeof(identity->name), "%s",
		    ask->principal);
		snprintf(identity->indicators, sizeof(identity->indicators),
		    "%s", ask->indicators);
		assert_true(method_parse(ask->method, &identity->method));
		request->identity = identity;
	}
	if (ask->host == NULL)
		request->destination = endpoint_from_address(
		    &question->address, (uint16_t)ask->port);
	else
		assert_true(endpoint_from_name(ask->host, strlen(ask->host),
		    (uint16_t)ask->port, &request->destination));
	assert_true(address_parse(ask->client, &request->client.address));
	request->listener = ask->listener;
	assert_true(command_parse(ask->command, &request->command));
	request->protection = (enum protection)ask->protection;
	request->time_us = (uint64_t)ask->now * 1000000 + random_below(1000000);
}

void
random_question(struct question *question, const struct world *world)
{
	*question = (struct question){
	    .context = {.rules = world->rules, .own = &world->own}};
	choose(question);
	if (!random_one_in(8))
		aim(question, world);
	translate(question);
}

static void
add_address(const struct address *address)
{
	struct address plain = *address;

	/* A mapped address is held as IPv4. */
	if (address->family == ADDRESS_IPV6)
		plain = address_from_ipv6(address->bytes);
	assert_true(random_address_count < RANDOM_ADDRESSES_MAX);
	random_addresses[random_address_count++] = plain;
}

static int
bits_in(const struct address *address)
{
	return address->family == ADDRESS_IPV4 ? 32 : 128;
}

/* One more (step 1) or less (step 0xff..). */
static struct address
neighbour(const struct address *address, bool is_next)
{
	struct address result = *address;

	for (int i = bits_in(address) / 8 - 1; i >= 0; i--) {
		result.bytes[i] =
		    (uint8_t)(result.bytes[i] + (is_next ? 1 : -1));
		if (result.bytes[i] != (is_next ? 0 : 0xff))
			break;
	}
	return result;
}

static struct address
last_of(const struct network *network)
{
	struct address last = network->base;

	for (int i = network->prefix_len; i < bits_in(&last); i++)
		last.bytes[i / 8] |= (uint8_t)(0x80 >> i % 8);
	return last;
}

/* The ends of a network, what is beside them, and something inside. */
static void
add_ends(const struct network *network)
{
	struct address first = network->base, last = last_of(network);
	struct address inside = first, beside;

	for (int i = network->prefix_len; i < bits_in(&first); i++)
		if (random_one_in(2))
			inside.bytes[i / 8] |= (uint8_t)(0x80 >> i % 8);
	add_address(&first);
	add_address(&last);
	add_address(&inside);
	beside = neighbour(&first, false);
	add_address(&beside);
	beside = neighbour(&last, true);
	add_address(&beside);
}

/* Puts an IPv4 address where the IPv6 address can carry one. */
static void
add_carrying(const struct address *carrier, const struct address *ipv4)
{
	static const struct {
		const char *network;
		size_t at;
		uint8_t flip;
	} forms[] = {{"::/96", 12, 0}, {"64:ff9b::/96", 12, 0},
	    {"64:ff9b:1::/48", 12, 0}, {"2002::/16", 2, 0},
	    {"2001::/32", 12, 0xff}};

	for (size_t i = 0; i < ARRAY_COUNT(forms); i++) {
		struct address address = *carrier;
		struct network network;

		assert_true(network_parse(forms[i].network, &network));
		if (!network_has(&network, carrier))
			continue;
		for (size_t j = 0; j < 4; j++)
			address.bytes[forms[i].at + j] =
			    ipv4->bytes[j] ^ forms[i].flip;
		add_address(&address);
	}
}

static int
compare_addresses(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct address));
}

static void
drop_doubles(void)
{
	size_t kept = 0;

	qsort(random_addresses, random_address_count,
	    sizeof(random_addresses[0]), compare_addresses);
	for (size_t i = 0; i < random_address_count; i++)
		if (kept == 0 || !address_is_equal(&random_addresses[i],
				     &random_addresses[kept - 1]))
			random_addresses[kept++] = random_addresses[i];
	random_address_count = kept;
}

/*
 * All rules are made of a few networks, so these random_addresses stand for
 * every address there is: what differs for any two of them differs at the end
 * of some network.
 */
void
random_addresses_make(void)
{
	static const char *const more[] = {"0.0.0.0/8", "100.100.100.200",
	    "168.63.129.16", "240.0.0.0/4", "::", "fec0::/10", "ff00::/8",
	    "203.0.113.7", "2003::1"};
	size_t plain;
	struct network network;

	for (size_t i = 0; i < ARRAY_COUNT(destinations); i++)
		if (network_parse(destinations[i], &network))
			add_ends(&network);
	for (size_t i = 0; i < ARRAY_COUNT(halves); i++)
		if (network_parse(halves[i], &network))
			add_ends(&network);
	for (size_t i = 0; i < ARRAY_COUNT(more); i++) {
		assert_true(network_parse(more[i], &network));
		add_ends(&network);
	}
	drop_doubles();
	plain = random_address_count;
	for (size_t i = 0; i < plain; i++)
		for (size_t j = 0; j < plain; j++)
			if (random_addresses[i].family == ADDRESS_IPV6 &&
			    random_addresses[j].family == ADDRESS_IPV4)
				add_carrying(
				    &random_addresses[i], &random_addresses[j]);
	drop_doubles();
}
