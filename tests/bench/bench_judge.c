/* SPDX-License-Identifier: ISC */
/*
 * How long judging takes, by name and by (name, address): of 100, 10 000 and
 * 100 000 rules of mixed kinds, for users in 1, 50 and 500 groups; how long
 * the rules take to load and how much memory they hold; and how long it takes
 * to judge 10 000 running sessions again.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/must.h"
#include "policy/entry.h"
#include "policy/judge.h"
#include "policy/ruleset.h"
#include "policy/subject.h"

#define GROUPS	   5000
#define REQUESTS   1000
#define JUDGEMENTS 100000 /* for each figure */
#define SESSIONS   10000
#define RULES_MAX  100000

/* Of each rule, by its number. */
static uint16_t group_of[RULES_MAX], port_of[RULES_MAX];

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
static char
kind_of(unsigned i)
{
	return "hhhhhhddnn"[i % 10];
}

static void
print_destination(char out[64], unsigned i)
{
	switch (kind_of(i)) {
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
	static const uint16_t first_ports[] = {443, 80, 22, 8000};
	unsigned port = below(4);
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
	if (below(20) == 0)
		add(entry, "gwSchedule",
		    "Mon-Fri 08:00-18:00 Europe/Amsterdam");
	if (below(20) == 0)
		add(entry, "gwNotAfter", "20301231235959Z");
	print_destination(text, i);
	add(entry, "gwDestination", text);
	group_of[i] = (uint16_t)below(GROUPS);
	print_group(text, group_of[i]);
	add(entry, "gwGroup", text);
	port_of[i] = first_ports[port];
	add(entry, "gwPort", ports[port]);
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
make_subject(unsigned memberships, bool is_member[GROUPS])
{
	struct subject *subject = subject_new("uid=alice,dc=example,dc=com");
	char text[64];

	memset(is_member, 0, GROUPS * sizeof(bool));
	for (unsigned i = 0; subject != NULL && i < memberships; i++) {
		unsigned group = below(GROUPS);

		is_member[group] = true;
		print_group(text, group);
		if (subject_add_group(subject, text) != 0)
			die("no memory");
	}
	if (subject == NULL)
		die("no memory");
	subject_finish(subject);
	return subject;
}

/* A rule for a group of the user's, where there is one; else any. */
static unsigned
rule_of_theirs(unsigned rules, const bool is_member[GROUPS])
{
	unsigned start = below(rules);

	for (unsigned i = 0; i < rules; i++)
		if (is_member[group_of[(start + i) % rules]])
			return (start + i) % rules;
	return start;
}

/* Half of the requests go where some rule for the user leads to, half where
 * any rule leads to. */
static void
make_request(struct request *request, struct address *address, unsigned rules,
    const bool is_member[GROUPS])
{
	static const struct identity identity = {
	    .name = "alice@EXAMPLE.COM", .method = METHOD_GSSAPI};
	unsigned number =
	    below(2) == 0 ? rule_of_theirs(rules, is_member) : below(rules);
	uint8_t bytes[4] = {10, (uint8_t)(number / 256), (uint8_t)number, 1};
	char name[64];

	*address = address_from_ipv4(bytes);
	if (kind_of(number) == 'h')
		snprintf(name, sizeof(name), "host%u.example.com", number);
	else if (kind_of(number) == 'd')
		snprintf(name, sizeof(name), "a.domain%u.example.com", number);
	else
		snprintf(name, sizeof(name), "host%u.example.org", number);
	*request = (struct request){.identity = &identity,
	    .command = COMMAND_CONNECT,
	    .listener = "office",
	    .protection = PROTECTION_CONFIDENTIALITY,
	    .time_us = UINT64_C(1795798800000000)};
	if (!endpoint_from_name(
		name, strlen(name), port_of[number], &request->destination) ||
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

static int
compare_times(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

	return (left > right) - (left < right);
}

/* Each judgement by itself: the clock's own cost, about 20 ns, is in it. */
static void
measure(const struct judge_context *context, const struct request *requests,
    const struct address *addresses, judge_fn *judge, unsigned groups,
    const char *what)
{
	static uint32_t took_ns[JUDGEMENTS];
	unsigned decisions[3] = {0};

	for (unsigned i = 0; i < JUDGEMENTS; i++) {
		unsigned which = i % REQUESTS;
		uint64_t started = now_ns();

		judge(context, &requests[which], &addresses[which], decisions);
		took_ns[i] = (uint32_t)(now_ns() - started);
	}
	qsort(took_ns, JUDGEMENTS, sizeof(took_ns[0]), compare_times);
	printf("%6zu rules, %3u groups, %s: p50 %6.2f us, p99 %6.2f us "
	       "(%u %% denied)\n",
	    ruleset_count(context->rules), groups, what,
	    took_ns[JUDGEMENTS / 2] / 1000.0,
	    took_ns[JUDGEMENTS / 100 * 99] / 1000.0,
	    (unsigned)(100 * (uint64_t)decisions[DECISION_DENY] / JUDGEMENTS));
}

/* What a change of the rules costs a gateway, directory aside. */
static void
judge_again(const struct judge_context *context, const struct request *requests,
    const struct address *addresses)
{
	unsigned decisions[3] = {0};
	uint64_t started = now_ns();

	for (unsigned i = 0; i < SESSIONS; i++)
		by_address(context, &requests[i % REQUESTS],
		    &addresses[i % REQUESTS], decisions);
	printf("%6zu rules: %d sessions judged again in %.1f ms\n",
	    ruleset_count(context->rules), SESSIONS,
	    (double)(now_ns() - started) / 1e6);
}

static void
run(unsigned rules)
{
	static const unsigned memberships[] = {1, 50, 500};
	static struct request requests[REQUESTS];
	static struct address addresses[REQUESTS];
	size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
	uint64_t started = now_ns();
	struct ruleset *ruleset = make_rules(rules);
	double load_s = (double)(now_ns() - started) / 1e9;
	struct judge_context context = {.rules = ruleset};

	printf("%6u rules: loaded in %.2f s, %.1f MiB\n", rules, load_s,
	    (double)(mallinfo2().uordblks + mallinfo2().hblkhd - before) /
		1048576);
	for (size_t i = 0; i < ARRAY_COUNT(memberships); i++) {
		static bool is_member[GROUPS];
		struct subject *subject =
		    make_subject(memberships[i], is_member);

		for (size_t r = 0; r < REQUESTS; r++)
			make_request(
			    &requests[r], &addresses[r], rules, is_member);
		context.subject = subject;
		measure(&context, requests, addresses, by_name, memberships[i],
		    "by name   ");
		measure(&context, requests, addresses, by_address,
		    memberships[i], "by address");
		if (memberships[i] == 50)
			judge_again(&context, requests, addresses);
		subject_unref(subject);
	}
	ruleset_unref(ruleset);
}

int
main(void)
{
	run(100);
	run(10000);
	run(100000);
	return 0;
}
