/* SPDX-License-Identifier: ISC */
/* What is said against rules, and what is not. */
#include "tests/support/unit.h"

#include <stdio.h>
#include <string.h>

#include "base/compiler.h"
#include "policy/judge.h"
#include "policy/lint.h"
#include "policy/moment.h"
#include "policy/rule.h"
#include "policy/ruleset.h"
#include "tests/unit/policy/rule_text.h"

#define NOW "20261126120000Z" /* a Thursday */

static char found[4096];
static struct own_addresses *own;

/* "KIND rule or set (by rule ...); " */
static void
on_finding(void *arg, const struct lint_finding *finding)
{
	(void)arg;
	(void)snprintf(found + strlen(found), sizeof(found) - strlen(found),
	    "%s %s", lint_name(finding->kind),
	    finding->rule != NULL ? finding->rule->name : finding->set->name);
	for (size_t i = 0; i < finding->by_count; i++)
		(void)snprintf(found + strlen(found),
		    sizeof(found) - strlen(found), "%s%s",
		    i == 0 ? " by " : ",", finding->by[i]->name);
	(void)snprintf(
	    found + strlen(found), sizeof(found) - strlen(found), "; ");
}

static const char *
findings(const char *text)
{
	char why[512];
	struct ruleset *rules = rule_text_build(text, why, sizeof(why));
	struct lint_facts facts = {.own = own};

	if (rules == NULL)
		fail_msg("%s\n%s", text, why);
	found[0] = '\0';
	assert_true(moment_parse(NOW, &facts.now));
	assert_int_equal(
	    lint_rules(rules, &facts, on_finding, NULL), LINT_DONE);
	ruleset_unref(rules);
	return found;
}

/* Lines in one text, with a semicolon between them. */
static void
add_rule(char *text, size_t size, const char *name, const char *order,
    const char *lines)
{
	size_t len = strlen(text);

	(void)snprintf(text + len, size - len,
	    "dn: cn=%s,dc=x\nobjectClass: gwRule\ncn: %s\ngwOrder: %s\n%s\n\n",
	    name, name, order, lines);
	for (char *at = text + len; *at != '\0'; at++)
		if (*at == ';')
			*at = '\n';
}

static const char *
findings_of(const char *first, const char *second)
{
	char text[4096] = "dn: cn=web,dc=x\nobjectClass: gwDestinations\n"
			  "cn: web\ngwDestination: www.example.com\n"
			  "gwDestination: 192.0.2.0/24\ngwPort: 80\n"
			  "gwPort: 443\n\n";

	add_rule(text, sizeof(text), "a", "1", first);
	add_rule(text, sizeof(text), "b", "2", second);
	return findings(text);
}

#define P "gwAction: permit;"
#define D "gwAction: deny;"

/* What is said of b when a comes first: "s"hadowed, "o"vertaken or neither. */
struct pair {
	const char *a, *b;
	char said;
};

static const struct pair pairs[] = {
    /* the same, and each way to be about less */
    {P "gwDestination: a.test", P "gwDestination: a.test", 's'},
    {P "gwDestination: *.test", P "gwDestination: a.test", 's'},
    {P "gwDestination: *.test", P "gwDestination: *.b.test", 's'},
    {P "gwDestination: *.test", P "gwDestination: test", 0},
    {P "gwDestination: *.test", P "gwDestination: atest", 0},
    {P "gwDestination: *.b.test", P "gwDestination: *.test", 0},
    {P "gwDestination: *", P "gwDestination: *.test", 's'},
    {P "gwDestination: a.test", P "gwDestination: a.test;gwDestination: b.test",
	0},
    /* networks */
    {P "gwDestination: 10.0.0.0/8", P "gwDestination: 10.1.0.0/16", 's'},
    {P "gwDestination: 10.1.0.0/16", P "gwDestination: 10.0.0.0/8", 0},
    {P "gwDestination: 10.0.0.0/9;gwDestination: 10.128.0.0/9",
	P "gwDestination: 10.0.0.0/8", 's'},
    {P "gwDestination: 10.0.0.0/9;gwDestination: 10.128.0.0/10",
	P "gwDestination: 10.0.0.0/8", 0},
    {P "gwDestination: *", P "gwDestination: 2001:db8::/32", 's'},
    /* a host may be the gateway's own, which no star opens */
    {P "gwDestination: *", P "gwDestination: 192.0.2.5", 'o'},
    {P "gwDestination: 192.0.2.0/24", P "gwDestination: 192.0.2.5", 'o'},
    {P "gwDestination: 192.0.2.5", P "gwDestination: 192.0.2.5", 's'},
    {P "gwDestination: *", P "gwDestination: 127.0.0.1", 0},
    {P "gwDestination: 127.0.0.0/8", P "gwDestination: 127.0.0.1", 's'},
    {P "gwDestination: 169.254.0.0/16", P "gwDestination: 169.254.169.254", 0},
    {P "gwDestination: 64:ff9b::/96", P "gwDestination: 64:ff9b::7f00:1", 0},
    /* denials */
    {D "gwDestination: *", P "gwDestination: 127.0.0.1", 's'},
    {D "gwDestination: 10.0.0.0/8", D "gwDestination: 10.1.0.0/16", 's'},
    {D "gwDestination: a.test", P "gwDestination: a.test", 's'},
    {P "gwDestination: 10.0.0.0/8", D "gwDestination: 10.1.2.3", 'o'},
    {P "gwDestination: *", D "gwDestination: *", 'o'},
    {P "gwDestination: 10.0.0.0/8",
	D "gwDestination: 10.1.0.0/16;gwMethod: gssapi", 'o'},
    {D "gwDestination: *;gwMethod: gssapi;gwMethod: password",
	D "gwDestination: *", 'o'},
    {P "gwDestination: *", D "gwDestination: *;gwMethod: none", 0},
    {P "gwDestination: *", D "gwDestination: 127.0.0.0/8", 0},
    {P "gwDestination: *", D "gwDestination: 169.254.169.254", 0},
    /* subjects */
    {P "gwDestination: *", P "gwDestination: *;gwGroup: cn=g", 'o'},
    {D "gwDestination: *", P "gwDestination: *;gwGroup: cn=g", 's'},
    {P "gwDestination: *;gwGroup: cn=g", P "gwDestination: *", 0},
    {P "gwDestination: *;gwGroup: cn=g;gwGroup: cn=h",
	P "gwDestination: *;gwGroup: CN=G", 's'},
    {P "gwDestination: *;gwGroup: cn=g;gwPrincipal: *@R",
	P "gwDestination: *;gwGroup: cn=g", 'o'},
    {P "gwDestination: *;gwGroup: cn=g",
	P "gwDestination: *;gwGroup: cn=g;gwUser: uid=u", 0},
    {P "gwDestination: *;gwUser: uid=u", P "gwDestination: *;gwGroup: uid=u",
	0},
    {P "gwDestination: *;gwPrincipal: *@R",
	P "gwDestination: *;gwPrincipal: a@R", 's'},
    {P "gwDestination: *;gwPrincipal: *@R",
	P "gwDestination: *;gwPrincipal: */admin@R", 's'},
    {P "gwDestination: *;gwPrincipal: */admin@R",
	P "gwDestination: *;gwPrincipal: *@R", 0},
    {P "gwDestination: *;gwPrincipal: *@R",
	P "gwDestination: *;gwPrincipal: a@S", 0},
    /* clients and listeners */
    {P "gwDestination: *;gwClient: 10.0.0.0/8",
	P "gwDestination: *;gwClient: 10.1.0.0/16", 's'},
    {P "gwDestination: *;gwClient: 10.0.0.0/9;gwClient: 10.128.0.0/9",
	P "gwDestination: *;gwClient: 10.0.0.0/8", 's'},
    {P "gwDestination: *;gwClient: 10.0.0.0/9;gwClient: 11.0.0.0/8",
	P "gwDestination: *;gwClient: 10.0.0.0/8", 0},
    {P "gwDestination: *;gwClient: 10.0.0.0/8;gwClient: 11.0.0.0/8",
	P "gwDestination: *;gwClient: 64:ff9b::a00:0/104", 0},
    {P "gwDestination: *;gwClient: 10.0.0.0/8", P "gwDestination: *", 0},
    {P "gwDestination: *;gwListener: in;gwListener: vpn",
	P "gwDestination: *;gwListener: in", 's'},
    {P "gwDestination: *;gwListener: in", P "gwDestination: *", 0},
    /* ports */
    {P "gwDestination: *;gwPort: 1-1024", P "gwDestination: *;gwPort: 443",
	's'},
    {P "gwDestination: *;gwPort: 1-80;gwPort: 81-100",
	P "gwDestination: *;gwPort: 70-90", 's'},
    {P "gwDestination: *;gwPort: 443", P "gwDestination: *", 0},
    {P "gwDestination: *;gwPort: 1-65535", P "gwDestination: *", 0},
    {P "gwDestinationSet: cn=web,dc=x",
	P "gwDestination: www.example.com;gwPort: 443", 's'},
    {P "gwDestinationSet: cn=web,dc=x",
	P "gwDestination: www.example.com;gwPort: 22", 0},
    {P "gwDestination: *;gwPort: 443",
	P "gwDestinationSet: cn=web,dc=x;gwPort: 443", 's'},
    {P "gwDestination: *;gwPort: 443", P "gwDestinationSet: cn=web,dc=x", 0},
    /* commands, methods, protection, indicators */
    {P "gwDestination: *;gwCommand: connect;gwCommand: bind",
	P "gwDestination: *;gwCommand: bind", 's'},
    {P "gwDestination: *", P "gwDestination: *;gwCommand: bind", 0},
    {D "gwDestination: *;gwCommand: udp",
	P "gwDestination: a.test;gwCommand: udp", 's'},
    {D "gwDestination: *.test;gwCommand: udp",
	P "gwDestination: a.test;gwCommand: udp", 'o'},
    {P "gwDestination: *;gwMethod: gssapi", P "gwDestination: *", 0},
    {P "gwDestination: *", P "gwDestination: *;gwMethod: gssapi", 's'},
    {P "gwDestination: *", P "gwDestination: *;gwMethod: none", 0},
    {P "gwDestination: *;gwProtection: integrity",
	P "gwDestination: *;gwProtection: confidentiality", 's'},
    {P "gwDestination: *;gwProtection: confidentiality",
	P "gwDestination: *;gwProtection: integrity", 0},
    {P "gwDestination: *;gwIndicator: otp;gwIndicator: pkinit",
	P "gwDestination: *;gwIndicator: otp", 's'},
    {P "gwDestination: *;gwIndicator: otp", P "gwDestination: *", 0},
    /* time */
    {P "gwDestination: *;gwNotAfter: 20300101000000Z", P "gwDestination: *", 0},
    {P "gwDestination: *;gwNotAfter: 20300101000000Z",
	P "gwDestination: *;gwNotAfter: 20290101000000Z", 's'},
    {P "gwDestination: *;gwSchedule: Mon-Fri 08:00-18:00 UTC",
	P "gwDestination: *", 0},
    {P "gwDestination: *;gwSchedule: Mon-Fri 08:00-18:00 UTC",
	P "gwDestination: *;gwSchedule: Tue 09:00-17:00 UTC", 's'},
    {P "gwDestination: *;gwSchedule: Mon-Fri 08:00-18:00 UTC",
	P "gwDestination: *;gwSchedule: Tue 09:00-17:00 Europe/Amsterdam", 0},
    {P "gwDestination: *;gwSchedule: Sat 00:00-12:00 UTC;"
       "gwSchedule: Sat 12:00-06:00 UTC",
	P "gwDestination: *;gwSchedule: Sat 11:00-05:00 UTC", 's'},
    {P "gwDestination: *;gwSchedule: Sun-Sat 00:00-24:00 UTC",
	P "gwDestination: *;gwSchedule: Tue 09:00-17:00 Europe/Amsterdam", 's'},
    {P "gwDestination: *;gwSchedule: Sun-Sat 00:00-24:00 UTC",
	P "gwDestination: *", 's'},
    {P "gwDestination: *;gwSchedule: Sat 00:00-24:00 UTC",
	P "gwDestination: *;gwSchedule: Sat 22:00-06:00 UTC", 0},
    {P "gwDestination: *;gwNotBefore: 20270101000000Z", P "gwDestination: *",
	0},
    {P "gwDestination: *;gwSchedule: Sat 00:00-24:00 UTC;"
       "gwSchedule: Mon-Fri 08:00-18:00 Europe/Amsterdam",
	P "gwDestination: *;gwSchedule: Tue 09:00-17:00 Europe/Amsterdam", 's'},
    /* more of lists, networks and denials */
    {P "gwDestination: *;gwListener: in;gwListener: vpn",
	P "gwDestination: *;gwListener: office;gwListener: vpn", 0},
    {P "gwDestination: *;gwListener: in", P "gwDestination: *;gwListener: vpn",
	0},
    {P "gwDestination: *;gwClient: 10.0.0.0/8",
	P "gwDestination: *;gwClient: 2001:db8::/32", 0},
    {P "gwDestination: *.b.test;gwDestination: *.c.test",
	P "gwDestination: *.a.c.test", 's'},
    {P "gwDestination: *.test", P "gwDestination: *", 0},
    {P "gwDestination: 0.0.0.0/0", P "gwDestination: 10.0.0.0/8", 's'},
    {P "gwDestination: 0.0.0.0/0", P "gwDestination: 127.0.0.1", 0},
    {P "gwDestination: 127.0.0.0/8;gwDestination: 169.254.0.0/16",
	P "gwDestination: 169.254.1.0/24", 's'},
    {P "gwDestination: 10.0.0.0/9;gwDestination: 10.128.0.0/9;gwGroup: cn=g",
	P "gwDestination: 10.0.0.0/8;gwGroup: cn=g", 's'},
    {P "gwDestination: 0.0.0.0/1;gwGroup: cn=g",
	P "gwDestination: 0.0.0.0/2;gwGroup: cn=g", 's'},
    {P "gwDestination: 128.0.0.0/2;gwDestination: 192.0.0.0/3;"
       "gwGroup: cn=g",
	P "gwDestination: 128.0.0.0/1;gwGroup: cn=g", 'o'},
    {D "gwDestination: 128.0.0.0/2;gwDestination: 192.0.0.0/3",
	P "gwDestination: 128.0.0.0/1", 'o'},
    {D "gwDestination: 128.0.0.0/2", P "gwDestination: 128.0.0.0/1", 0},
    {D "gwDestination: 10.0.0.0/8", P "gwDestination: 127.0.0.0/8", 0},
    {D "gwDestination: a.test", P "gwDestination: b.test", 0},
    {D "gwDestination: *.test;gwCommand: udp",
	D "gwDestination: a.test;gwCommand: udp", 's'},
    {D "gwDestination: *.test;gwCommand: udp",
	P "gwDestination: a.test;gwCommand: udp;gwReportOnly: TRUE", 's'},
    /* what decides nothing takes nothing */
    {P "gwDestination: *;gwReportOnly: TRUE", P "gwDestination: *", 0},
    {P "gwDestination: *;gwEnabled: FALSE", P "gwDestination: *", 0},
    {D "gwDestination: *", P "gwDestination: *;gwReportOnly: TRUE", 's'},
    {P "gwDestination: 10.0.0.0/8",
	P "gwDestination: 10.1.0.0/16;gwReportOnly: TRUE", 's'},
    {P "gwDestination: *", P "gwDestination: a.test;gwReportOnly: TRUE", 'o'},
    {P "gwDestination: *", D "gwDestination: *;gwReportOnly: TRUE", 'o'},
};

static void
check_pairs(const struct pair *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *said = findings_of(rows[i].a, rows[i].b);
		bool is_shadowed = strstr(said, "shadowed b by a;") != NULL;
		bool is_overtaken = strstr(said, "overtaken b by a;") != NULL;

		if (is_shadowed != (rows[i].said == 's') ||
		    is_overtaken != (rows[i].said == 'o'))
			fail_msg("%s\nbefore\n%s\nsaid: %s", rows[i].a,
			    rows[i].b, said);
	}
}

static void
what_can_never_match_is_shadowed(void **state)
{
	(void)state;
	check_pairs(pairs, ARRAY_COUNT(pairs));
}

/* The same where the gateway's own addresses are known. */
static const struct pair known_pairs[] = {
    {P "gwDestination: *", P "gwDestination: 192.0.2.5", 's'},
    {P "gwDestination: *", P "gwDestination: 192.0.2.7", 0},
    {P "gwDestination: *", D "gwDestination: 192.0.2.7", 0},
    {P "gwDestination: 192.0.2.7", P "gwDestination: 192.0.2.7", 's'},
    /* A permission takes a denial's whole where nothing is special. */
    {P "gwDestination: 2001:db8::/32",
	D "gwDestination: 2001:db8:1::/48;gwMethod: gssapi", 's'},
    {P "gwDestination: 2001:db8::/32",
	D "gwDestination: 2001:db8::/48;gwMethod: gssapi", 'o'},
    {P "gwDestination: 2000::/3", D "gwDestination: 2000::/4;gwMethod: gssapi",
	'o'},
    {P "gwDestination: fe00::/7", D "gwDestination: fe00::/8;gwMethod: gssapi",
	'o'},
    {P "gwDestination: 10.0.0.0/8",
	D "gwDestination: 10.1.0.0/16;gwMethod: gssapi", 'o'},
};

static void
what_is_known_of_the_gateway_makes_more_certain(void **state)
{
	struct address here[2];
	struct own_addresses known = {.count = 2, .addresses = here};

	(void)state;
	assert_true(address_parse("192.0.2.7", &here[0]));
	assert_true(address_parse("2001:db8::7", &here[1]));
	own = &known;
	check_pairs(known_pairs, ARRAY_COUNT(known_pairs));
	own = NULL;
}

static void
several_rules_take_one_destination_each(void **state)
{
	char text[2048] = "";

	(void)state;
	add_rule(text, sizeof(text), "a", "1", P "gwDestination: a.test");
	add_rule(text, sizeof(text), "b", "2", D "gwDestination: 10.0.0.0/8");
	add_rule(text, sizeof(text), "c", "3",
	    P "gwDestination: a.test;gwDestination: 10.1.0.0/16");
	assert_string_equal(findings(text), "shadowed c by a,b; ");
}

/* One subject each, or one destination each, or both. */
static void
several_rules_take_one_subject_each(void **state)
{
	char text[2048] = "";

	(void)state;
	add_rule(
	    text, sizeof(text), "a", "1", D "gwDestination: *;gwGroup: cn=g");
	add_rule(text, sizeof(text), "b", "2",
	    D "gwDestination: a.test;gwUser: uid=u;gwPrincipal: *@R");
	add_rule(text, sizeof(text), "c", "3",
	    P "gwDestination: a.test;gwGroup: cn=g;gwUser: uid=u");
	add_rule(text, sizeof(text), "d", "4",
	    P "gwDestination: a.test;gwGroup: cn=g;gwUser: uid=u;"
	      "gwPrincipal: a@R");
	add_rule(text, sizeof(text), "e", "5",
	    P "gwDestination: a.test;gwGroup: cn=g;gwUser: uid=v");
	add_rule(text, sizeof(text), "f", "6",
	    P "gwDestination: a.test;gwDestination: b.test;gwGroup: cn=g;"
	      "gwPrincipal: b@R");
	assert_string_equal(
	    findings(text), "shadowed c by b,a; shadowed d by b,a; ");
}

static const struct {
	const char *rule, *said;
} alone[] = {
    {P "gwDestination: *;gwNotAfter: 20261126120000Z", "expired b; "},
    {P "gwDestination: *;gwNotAfter: 20261126120001Z", ""},
    {P "gwDestination: *;gwNotBefore: 20261126120001Z", "not_yet b; "},
    {P "gwDestination: *;gwNotBefore: 20261126120000Z", ""},
    {P "gwDestination: *;gwSchedule: Fri 08:00-18:00 UTC;"
       "gwNotAfter: 20261127080000Z",
	"never b; "},
    {P "gwDestination: *;gwSchedule: Fri 08:00-18:00 UTC;"
       "gwNotAfter: 20261127080001Z",
	""},
    {P "gwDestination: *;gwSchedule: Sat-Sun 00:00-24:00 UTC;"
       "gwNotBefore: 20301202000000Z;gwNotAfter: 20301207000000Z",
	"never b; "},
    {P "gwDestination: *;gwSchedule: Mon 00:00-01:00 UTC;"
       "gwNotBefore: 20301202000000Z;gwNotAfter: 20301207000000Z",
	"not_yet b; "},
    {P "gwDestination: *;gwSchedule: Sun 02:10-02:50 Europe/Amsterdam;"
       "gwNotBefore: 20270328000000Z;gwNotAfter: 20270329000000Z",
	"never b; "},
    {P "gwDestination: 224.0.0.0/3", "closed b; "},
    {P "gwDestination: 127.0.0.0/8", ""},
    {P "gwDestination: *;gwMethod: none;gwPrincipal: a@R", "contradictory b; "},
    {D "gwDestination: *;gwMethod: none;gwUser: uid=a", "contradictory b; "},
    {P "gwDestination: *;gwMethod: none;gwGroup: cn=a", "contradictory b; "},
    {P "gwDestination: *;gwMethod: none;gwIndicator: otp", "contradictory b; "},
    {P "gwDestination: *;gwMethod: password;gwIndicator: otp",
	"contradictory b; "},
    {P "gwDestination: *;gwMethod: none;gwMethod: password;gwIndicator: otp;"
       "gwGroup: cn=a",
	"contradictory b; "},
    {P "gwDestination: *;gwMethod: none;gwMethod: gssapi;gwPrincipal: a@R", ""},
    {P "gwDestination: *;gwMethod: password;gwPrincipal: a@R", ""},
    {P "gwDestination: *;gwMethod: password;gwMethod: gssapi;gwIndicator: otp",
	""},
    {D "gwDestination: *;gwMethod: none", ""},
    {P "gwDestination: 224.0.0.0/3;gwDestination: a.test", ""},
    {D "gwDestination: 224.0.0.0/3", ""},
    {P "gwDestinationSet: cn=web,dc=x;gwPort: 22", "no_port b; "},
    {P "gwDestination: *;gwReportOnly: TRUE", "report_only b; "},
    {P "gwDestination: *;gwEnabled: FALSE", "disabled b; "},
};

static void
each_rule_is_looked_at_by_itself(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(alone); i++) {
		const char *said =
		    findings_of(D "gwDestinationSet: cn=web,dc=x;gwPort: 80",
			alone[i].rule);

		if (strcmp(said, alone[i].said) != 0)
			fail_msg("%s\nsaid: %s", alone[i].rule, said);
	}
}

static void
a_set_that_nobody_names_is_told(void **state)
{
	(void)state;
	assert_string_equal(
	    findings_of(P "gwDestination: a.test", P "gwDestination: b.test"),
	    "unused_set web; ");
}

static void
each_kind_has_a_name_and_a_sentence(void **state)
{
	size_t mistakes = 0;

	(void)state;
	for (enum lint_kind kind = 0; kind < LINT_COUNT; kind++) {
		assert_true(lint_name(kind)[0] != '\0');
		assert_true(lint_sentence(kind)[0] != '\0');
		mistakes += lint_is_mistake(kind);
	}
	assert_in_range(mistakes, 1, LINT_COUNT - 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_can_never_match_is_shadowed),
	    cmocka_unit_test(what_is_known_of_the_gateway_makes_more_certain),
	    cmocka_unit_test(several_rules_take_one_destination_each),
	    cmocka_unit_test(several_rules_take_one_subject_each),
	    cmocka_unit_test(each_rule_is_looked_at_by_itself),
	    cmocka_unit_test(a_set_that_nobody_names_is_told),
	    cmocka_unit_test(each_kind_has_a_name_and_a_sentence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
