/* SPDX-License-Identifier: ISC */
/*
 * How long judging takes: nanoseconds for each judgement, by name and by
 * (name, address), with 10, 1 000 and 10 000 rules of mixed kinds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/must.h"
#include "policy/entry.h"
#include "policy/judge.h"
#include "policy/ruleset.h"
#include "policy/subject.h"

#define GROUPS	      500
#define MEMBERSHIPS   20
#define REQUESTS      1000
#define JUDGEMENTS_NS 300000000 /* for each figure */

static uint64_t random_state = 1;

static unsigned
below(unsigned limit)
{
	random_state =
	    random_state * 6364136223846793005U + 1442695040888963407U;
	return (unsigned)(random_state >> 33) % limit;
}

static void
add(struct entry *entry, const char *attribute, const char *value)
{
	if (entry_add(entry, attribute, value, strlen(value)) != 0)
		die("no memory");
}

static void
print_group(char out[64], unsigned group)
{
	snprintf(out, 64, "cn=group %u,ou=groups,dc=example,dc=com", group);
}

/* Of ten rules six name a host, two a domain, two a network. */
static void
print_destination(char out[64], unsigned i)
{
	static const char kinds[] = "hhhhhhddnn";

	switch (kinds[i % 10]) {
	case 'h':
		snprintf(out, 64, "host%u.example.com", i);
		break;
	case 'd':
		snprintf(out, 64, "*.domain%u.example.com", i);
		break;
	default:
		snprintf(out, 64, "10.%u.%u.0/24", i / 256 % 256, i % 256);
		break;
	}
}

static void
add_rule(struct ruleset_builder *builder, unsigned i)
{
	static const char *const ports[] = {"443", "80", "22", "8000-8999"};
	char text[64], why[512];
	struct entry *entry;

	snprintf(text, sizeof(text), "cn=rule %u,ou=rules,dc=example", i);
	entry = entry_new(text);
	if (entry == NULL)
		die("no memory");
	add(entry, "objectClass", "gwRule");
	snprintf(text, sizeof(text), "rule %u", i);
	add(entry, "cn", text);
	add(entry, "gwAction", below(10) == 0 ? "deny" : "permit");
	snprintf(text, sizeof(text), "%u", below(2000));
	add(entry, "gwOrder", text);
	print_destination(text, i);
	add(entry, "gwDestination", text);
	print_group(text, below(GROUPS));
	add(entry, "gwGroup", text);
	add(entry, "gwPort", ports[below(4)]);
	if (ruleset_builder_add(builder, entry, why, sizeof(why)) != 0)
		die("%s", why);
	entry_free(entry);
}

static struct ruleset *
make_rules(unsigned count)
{
	struct ruleset_builder *builder = ruleset_builder_new();
	struct ruleset *rules;
	char why[512];

	if (builder == NULL)
		die("no memory");
	for (unsigned i = 0; i < count; i++)
		add_rule(builder, i);
	rules = ruleset_build(builder, 1, why, sizeof(why));
	if (rules == NULL)
		die("%s", why);
	return rules;
}

static struct subject *
make_subject(void)
{
	struct subject *subject = subject_new("uid=alice,dc=example,dc=com");
	char text[64];

	for (unsigned i = 0; subject != NULL && i < MEMBERSHIPS; i++) {
		print_group(text, below(GROUPS));
		if (subject_add_group(subject, text) != 0)
			die("no memory");
	}
	if (subject == NULL)
		die("no memory");
	subject_finish(subject);
	return subject;
}

static void
make_request(struct request *request, unsigned rules)
{
	static const struct identity identity = {
	    .name = "alice@EXAMPLE.COM", .method = METHOD_GSSAPI};
	char name[64];
	unsigned number = below(rules);

	if (below(3) == 0)
		snprintf(name, sizeof(name), "host%u.example.com", number);
	else if (below(2) == 0)
		snprintf(name, sizeof(name), "a.domain%u.example.com", number);
	else
		snprintf(name, sizeof(name), "host%u.example.org", number);
	*request = (struct request){.identity = &identity,
	    .command = COMMAND_CONNECT,
	    .listener = "office",
	    .protection = PROTECTION_CONFIDENTIALITY};
	if (!endpoint_from_name(
		name, strlen(name), 443, &request->destination) ||
	    !address_parse("192.0.2.1", &request->client.address))
		die("bad request");
}

static uint64_t
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

typedef void
judge_fn(const struct judge_context *context, const struct request *request,
    const struct address *address, unsigned *decisions);

static void
by_name(const struct judge_context *context, const struct request *request,
    const struct address *address, unsigned *decisions)
{
	(void)address;
	decisions[judge_request(context, request).decision]++;
}

static void
by_address(const struct judge_context *context, const struct request *request,
    const struct address *address, unsigned *decisions)
{
	decisions[judge_address(context, request, address).decision]++;
}

static void
measure(const struct judge_context *context, const struct request *requests,
    const struct address *addresses, judge_fn *judge, const char *what)
{
	unsigned decisions[3] = {0};
	uint64_t started = now_ns(), took = 0, count = 0;

	while (took < JUDGEMENTS_NS) {
		for (unsigned i = 0; i < REQUESTS; i++)
			judge(context, &requests[i], &addresses[i], decisions);
		count += REQUESTS;
		took = now_ns() - started;
	}
	printf("%6zu rules, %s: %6llu ns (denied %u %%)\n",
	    ruleset_count(context->rules), what,
	    (unsigned long long)(took / count),
	    (unsigned)(100 * (uint64_t)decisions[DECISION_DENY] / count));
}

static void
run(unsigned rules)
{
	static struct request requests[REQUESTS];
	static struct address addresses[REQUESTS];
	struct ruleset *ruleset = make_rules(rules);
	struct subject *subject = make_subject();
	struct judge_context context = {.rules = ruleset, .subject = subject};

	for (unsigned i = 0; i < REQUESTS; i++) {
		uint8_t bytes[4] = {10, (uint8_t)below(40), (uint8_t)below(256),
		    (uint8_t)below(256)};

		make_request(&requests[i], rules);
		addresses[i] = address_from_ipv4(bytes);
	}
	measure(&context, requests, addresses, by_name, "by name");
	measure(&context, requests, addresses, by_address, "by address");
	subject_unref(subject);
	ruleset_unref(ruleset);
}

int
main(void)
{
	run(10);
	run(1000);
	run(10000);
	return 0;
}
