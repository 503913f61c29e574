/* SPDX-License-Identifier: ISC */
/*
 * How long it takes to look for rules that can never match, among 100 000
 * rules of several shapes: mixed ones as in bench_judge, rules that differ in
 * their subjects alone, in their destinations alone, or in neither.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/must.h"
#include "policy/entry.h"
#include "policy/lint.h"
#include "policy/ruleset.h"

#define RULES	  100000
#define GROUPS	  5000
#define SET_SIZE  1000
#define SET_RULES 1000

static unsigned
scatter(unsigned i, unsigned limit)
{
	return (i * 2654435761U >> 7) % limit;
}

static void
add(struct entry *entry, const char *attribute, const char *value)
{
	if (entry_add(entry, attribute, value, strlen(value)) != 0)
		die("no memory");
}

static void printf_like(3, 4) add_text(
    struct entry *entry, const char *attribute, const char *format, ...)
{
	char text[128];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	add(entry, attribute, text);
}

static void
mixed(struct entry *entry, unsigned i)
{
	static const char *const ports[] = {"443", "80", "22", "8000-8999"};

	if (i % 10 < 6)
		add_text(entry, "gwDestination", "host%u.example.com", i);
	else if (i % 10 < 8)
		add_text(entry, "gwDestination", "*.domain%u.example.com", i);
	else
		add_text(entry, "gwDestination", "10.%u.%u.0/24", i / 256 % 256,
		    i % 256);
	add_text(entry, "gwGroup", "cn=group %u,dc=x", scatter(i, GROUPS));
	add(entry, "gwPort", ports[scatter(i, 4)]);
	add_text(entry, "gwOrder", "%u", scatter(i, 2000));
}

static void
by_subject(struct entry *entry, unsigned i)
{
	add(entry, "gwDestination", "*");
	add_text(entry, "gwGroup", "cn=group %u,dc=x", i);
}

static void
by_destination(struct entry *entry, unsigned i)
{
	add_text(entry, "gwDestination", "host%u.example.com", i);
	add(entry, "gwGroup", "cn=staff,dc=x");
}

/* Neither index helps. */
static void
by_client(struct entry *entry, unsigned i)
{
	add(entry, "gwDestination", "*");
	add_text(
	    entry, "gwClient", "10.%u.%u.%u", i >> 16, i >> 8 & 255, i & 255);
}

static void
by_set(struct entry *entry, unsigned i)
{
	add(entry, "gwDestinationSet", "cn=set,dc=x");
	add_text(entry, "gwGroup", "cn=group %u,dc=x", i % (SET_RULES / 2));
}

static void
take(struct ruleset_builder *builder, struct entry *entry)
{
	char why[512];

	if (ruleset_builder_add(builder, entry, why, sizeof(why)) != 0)
		die("%s", why);
	entry_free(entry);
}

static struct entry *
begin(const char *class, const char *name)
{
	char dn[128];
	struct entry *entry;

	(void)snprintf(dn, sizeof(dn), "cn=%s,dc=x", name);
	entry = entry_new(dn);
	if (entry == NULL)
		die("no memory");
	add(entry, "objectClass", class);
	add(entry, "cn", name);
	return entry;
}

static void
add_set(struct ruleset_builder *builder)
{
	struct entry *entry = begin("gwDestinations", "set");

	for (unsigned i = 0; i < SET_SIZE; i++)
		add_text(entry, "gwDestination", "db%u.example.com", i);
	take(builder, entry);
}

static struct ruleset *
make_rules(unsigned count, void (*fill)(struct entry *entry, unsigned i))
{
	struct ruleset_builder *builder = ruleset_builder_new();
	struct ruleset *rules;
	char why[512], name[64];

	if (builder == NULL)
		die("no memory");
	add_set(builder);
	for (unsigned i = 0; i < count; i++) {
		struct entry *entry;

		(void)snprintf(name, sizeof(name), "rule %u", i);
		entry = begin("gwRule", name);
		add(entry, "gwAction", "permit");
		fill(entry, i);
		take(builder, entry);
	}
	rules = ruleset_build(builder, 1, why, sizeof(why));
	if (rules == NULL)
		die("%s", why);
	return rules;
}

static void
count_finding(void *arg, const struct lint_finding *finding)
{
	unsigned *counts = arg;

	counts[finding->kind]++;
}

static void
measure(const char *shape, unsigned count,
    void (*fill)(struct entry *entry, unsigned i))
{
	struct ruleset *rules = make_rules(count, fill);
	const struct lint_facts facts = {.now = 0};
	unsigned counts[LINT_COUNT] = {0};
	clock_t start = clock();
	enum lint_outcome outcome =
	    lint_rules(rules, &facts, count_finding, counts);

	printf("%u rules %s: %.2f s of CPU, %u shadowed, %u overtaken%s\n",
	    count, shape, (double)(clock() - start) / CLOCKS_PER_SEC,
	    counts[LINT_SHADOWED], counts[LINT_OVERTAKEN],
	    outcome == LINT_CUT_SHORT ? ", cut short" : "");
	ruleset_unref(rules);
}

int
main(void)
{
	measure("of mixed kinds", RULES, mixed);
	measure("that differ in their group", RULES, by_subject);
	measure("that differ in their host", RULES, by_destination);
	measure("that differ in their client", RULES, by_client);
	measure("with a set of 1000 hosts", SET_RULES, by_set);
	return EXIT_SUCCESS;
}
