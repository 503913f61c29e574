/* SPDX-License-Identifier: ISC */
/* The first rule that matches (name, address) decides; no match denies. */
#include "tests/support/unit.h"

#include <stdio.h>
#include <string.h>

#include "policy/judge.h"
#include "policy/moment.h"
#include "policy/rule.h"
#include "policy/ruleset.h"
#include "policy/subject.h"
#include "tests/unit/policy/rule_text.h"

/* One rule; more attribute lines in `rest`. */
#define R(name, action, rest)                                                  \
	"dn: cn=" name "\nobjectClass: gwRule\ncn: " name                      \
	"\ngwAction: " action "\n" rest "\n"
#define SET(name, rest)                                                        \
	"dn: cn=" name "\nobjectClass: gwDestinations\ncn: " name "\n" rest "\n"

static const struct identity alice = {
    .name = "alice@EXAMPLE.COM", .method = METHOD_GSSAPI};

/* The world of one test; torn down by it. */
struct world {
	struct judge_context context;
	struct request request;
	struct ruleset *rules;
	struct subject *subject;
	struct own_addresses own;
	struct address own_list[4];
};

static struct address
address_of(const char *text)
{
	struct address address;

	if (!address_parse(text, &address))
		fail_msg("no address: %s", text);
	return address;
}

static void
begin(struct world *world, const char *rules)
{
	char why[512];

	*world = (struct world){.context.own = &world->own};
	world->own.addresses = world->own_list;
	world->rules = rule_text_build(rules, why, sizeof(why));
	if (world->rules == NULL)
		fail_msg("%s", why);
	world->subject = subject_new("uid=alice,dc=x");
	assert_non_null(world->subject);
	assert_int_equal(subject_add_group(world->subject, "cn=admins"), 0);
	subject_finish(world->subject);
	world->context.rules = world->rules;
	world->context.subject = world->subject;
	world->request = (struct request){
	    .identity = &alice,
	    .command = COMMAND_CONNECT,
	    .client = {address_of("192.0.2.10"), 4711},
	    .listener = "office",
	    .protection = PROTECTION_CONFIDENTIALITY,
	};
}

static void
end(struct world *world)
{
	ruleset_unref(world->rules);
	subject_unref(world->subject);
}

static void
add_own(struct world *world, const char *address)
{
	world->own_list[world->own.count++] = address_of(address);
}

static void
ask_for(struct world *world, const char *host, uint16_t port)
{
	if (!endpoint_from_name(
		host, strlen(host), port, &world->request.destination))
		fail_msg("no host: %s", host);
}

/* host:port at this address (NULL: it is one itself). */
static struct verdict
verdict_of(
    struct world *world, const char *host, uint16_t port, const char *address)
{
	struct address at;

	ask_for(world, host, port);
	if (address == NULL)
		return judge_request(&world->context, &world->request);
	at = address_of(address);
	return judge_address(&world->context, &world->request, &at);
}

static void
assert_verdict(struct verdict verdict, enum decision decision,
    enum reason reason, const char *rule)
{
	assert_int_equal(verdict.decision, decision);
	assert_string_equal(reason_name(verdict.reason), reason_name(reason));
	assert_string_equal(verdict.rule, rule);
}

static void
assert_permits(struct world *world, const char *host, const char *address,
    const char *rule)
{
	assert_verdict(verdict_of(world, host, 443, address), DECISION_PERMIT,
	    REASON_OK, rule);
}

static void
assert_denies(struct world *world, const char *host, const char *address,
    enum reason reason, const char *rule)
{
	assert_verdict(
	    verdict_of(world, host, 443, address), DECISION_DENY, reason, rule);
}

static void
no_rule_denies(void **state)
{
	struct world world;

	(void)state;
	begin(&world, "");
	assert_denies(&world, "192.0.2.1", NULL, REASON_DENIED_NO_RULE, "");
	assert_denies(
	    &world, "www.example.com", NULL, REASON_DENIED_NO_RULE, "");
	assert_denies(
	    &world, "www.example.com", "192.0.2.1", REASON_DENIED_NO_RULE, "");
	world.context.rules = NULL;
	assert_denies(&world, "192.0.2.1", NULL, REASON_POLICY_UNAVAILABLE, "");
	assert_denies(
	    &world, "www.example.com", NULL, REASON_POLICY_UNAVAILABLE, "");
	assert_denies(&world, "www.example.com", "192.0.2.1",
	    REASON_POLICY_UNAVAILABLE, "");
	end(&world);
}

static void
names_match_the_name_and_networks_the_address(void **state)
{
	struct world world;

	(void)state;
	begin(&world,
	    R("exact", "permit", "gwDestination: www.example.com\n") R("below",
		"permit", "gwDestination: *.example.org\n") R("net", "permit",
		"gwDestination: 198.51.100.0/24\ngwDestination: "
		"2001:db8::/32\n"));
	assert_permits(&world, "www.example.com", "192.0.2.1", "exact");
	assert_permits(&world, "WWW.example.com.", "2001:db9::1", "exact");
	assert_denies(
	    &world, "ww.example.com", "192.0.2.1", REASON_DENIED_NO_RULE, "");
	assert_denies(&world, "a.www.example.com", "192.0.2.1",
	    REASON_DENIED_NO_RULE, "");
	assert_permits(&world, "a.example.org", "192.0.2.1", "below");
	assert_permits(&world, "a.b.c.example.org", "192.0.2.1", "below");
	assert_denies(
	    &world, "example.org", "192.0.2.1", REASON_DENIED_NO_RULE, "");
	assert_denies(
	    &world, "aexample.org", "192.0.2.1", REASON_DENIED_NO_RULE, "");
	assert_permits(&world, "elsewhere.example", "198.51.100.7", "net");
	assert_permits(&world, "198.51.100.255", NULL, "net");
	assert_permits(&world, "2001:db8::1", NULL, "net");
	assert_permits(&world, "::ffff:198.51.100.1", NULL, "net");
	assert_denies(&world, "198.51.101.0", NULL, REASON_DENIED_NO_RULE, "");
	assert_denies(&world, "2001:db9::1", NULL, REASON_DENIED_NO_RULE, "");
	end(&world);
}

static void
a_star_matches_names_and_addresses(void **state)
{
	struct world world;

	(void)state;
	begin(&world, R("any", "permit", "gwDestination: *\n"));
	assert_permits(&world, "a.example", "192.0.2.1", "any");
	assert_permits(&world, "192.0.2.1", NULL, "any");
	assert_permits(&world, "2001:db8::1", NULL, "any");
	assert_verdict(verdict_of(&world, "a.example", 443, NULL),
	    DECISION_DEPENDS, REASON_OK, "");
	end(&world);
}

static void
the_first_rule_in_order_decides(void **state)
{
	struct world world;

	(void)state;
	begin(&world,
	    R("early", "permit", "gwOrder: 1\ngwDestination: 10.1.0.0/16\n") R(
		"deny", "deny", "gwOrder: 2\ngwDestination: 10.0.0.0/8\n")
		R("same-deny", "deny", "gwOrder: 3\ngwDestination: 192.0.2.1\n")
		    R("permit", "permit", "gwOrder: 3\ngwDestination: *\n") R(
			"never", "deny",
			"gwOrder: 4\ngwDestination: *\n") R("off", "deny",
			"gwOrder: 0\ngwEnabled: FALSE\ngwDestination: *\n"));
	assert_permits(&world, "10.1.2.3", NULL, "early");
	assert_denies(&world, "10.2.2.3", NULL, REASON_DENIED_RULE, "deny");
	assert_denies(
	    &world, "a.example", "10.2.2.3", REASON_DENIED_RULE, "deny");
	assert_denies(
	    &world, "192.0.2.1", NULL, REASON_DENIED_RULE, "same-deny");
	assert_permits(&world, "a.example", "192.0.2.2", "permit");
	end(&world);
}

static void
sets_and_ports_narrow_each_other(void **state)
{
	struct world world;

	(void)state;
	begin(&world,
	    SET("web", "gwDestination: a.example\ngwDestination: "
		       "192.0.2.0/24\ngwPort: 80\ngwPort: 443\n")
		SET("all", "gwDestination: b.example\n") R("r", "permit",
		    "gwDestinationSet: cn=web\ngwDestinationSet: cn=all\n"
		    "gwDestination: c.example\ngwPort: 400-500\n"
		    "gwPort: 8000\n"));
	assert_verdict(verdict_of(&world, "a.example", 443, "192.0.3.1"),
	    DECISION_PERMIT, REASON_OK, "r");
	assert_verdict(verdict_of(&world, "x.example", 443, "192.0.2.1"),
	    DECISION_PERMIT, REASON_OK, "r");
	assert_verdict(verdict_of(&world, "a.example", 80, "192.0.2.1"),
	    DECISION_DENY, REASON_DENIED_NO_RULE, "");
	assert_verdict(verdict_of(&world, "a.example", 8000, "192.0.2.1"),
	    DECISION_DENY, REASON_DENIED_NO_RULE, "");
	assert_verdict(verdict_of(&world, "b.example", 8000, "192.0.2.1"),
	    DECISION_PERMIT, REASON_OK, "r");
	assert_verdict(verdict_of(&world, "b.example", 80, "192.0.3.1"),
	    DECISION_DENY, REASON_DENIED_NO_RULE, "");
	assert_verdict(verdict_of(&world, "c.example", 400, "192.0.3.1"),
	    DECISION_PERMIT, REASON_OK, "r");
	assert_verdict(verdict_of(&world, "c.example", 500, "192.0.3.1"),
	    DECISION_PERMIT, REASON_OK, "r");
	assert_verdict(verdict_of(&world, "c.example", 399, "192.0.3.1"),
	    DECISION_DENY, REASON_DENIED_NO_RULE, "");
	assert_verdict(verdict_of(&world, "c.example", 501, "192.0.3.1"),
	    DECISION_DENY, REASON_DENIED_NO_RULE, "");
	assert_verdict(verdict_of(&world, "c.example", 501, NULL),
	    DECISION_DENY, REASON_DENIED_NO_RULE, "");
	end(&world);
}

static void
every_condition_must_hold(void **state)
{
	struct world world;

	(void)state;
	begin(
	    &world, R("r", "permit",
			"gwDestination: *\ngwClient: 192.0.2.0/24\n"
			"gwClient: 2001:db8::/32\ngwListener: office\n"
			"gwListener: vpn\ngwCommand: connect\ngwCommand: udp\n"
			"gwMethod: gssapi\ngwProtection: integrity\n"));
	assert_permits(&world, "192.0.2.1", NULL, "r");
	world.request.client.address = address_of("2001:db8::9");
	world.request.listener = "vpn";
	world.request.command = COMMAND_UDP;
	world.request.protection = PROTECTION_SELECTIVE;
	assert_permits(&world, "192.0.2.1", NULL, "r");

	world.request.client.address = address_of("192.0.3.1");
	assert_denies(&world, "192.0.2.1", NULL, REASON_DENIED_NO_RULE, "");
	world.request.client.address = address_of("192.0.2.1");
	assert_permits(&world, "192.0.2.1", NULL, "r");

	world.request.listener = "vpn2";
	assert_denies(&world, "192.0.2.1", NULL, REASON_DENIED_NO_RULE, "");
	world.request.listener = "office";

	world.request.command = COMMAND_BIND;
	assert_denies(&world, "192.0.2.1", NULL, REASON_DENIED_NO_RULE, "");
	world.request.command = COMMAND_CONNECT;

	world.request.protection = PROTECTION_NONE;
	assert_denies(&world, "192.0.2.1", NULL, REASON_DENIED_NO_RULE, "");
	world.request.protection = PROTECTION_INTEGRITY;
	assert_permits(&world, "192.0.2.1", NULL, "r");
	end(&world);
}

static void
selective_is_not_confidential(void **state)
{
	struct world world;

	(void)state;
	begin(&world, R("r", "permit",
			  "gwDestination: *\ngwProtection: "
			  "confidentiality\n"));
	assert_permits(&world, "192.0.2.1", NULL, "r");
	world.request.protection = PROTECTION_SELECTIVE;
	assert_denies(&world, "192.0.2.1", NULL, REASON_DENIED_NO_RULE, "");
	end(&world);
}

static void
the_method_that_proved_must_be_one_of_the_rule(void **state)
{
	struct identity bob = {.name = "bob", .method = METHOD_PASSWORD};
	struct world world;

	(void)state;
	begin(&world,
	    R("gss", "permit", "gwMethod: gssapi\ngwDestination: 192.0.2.1\n")
		R("any", "permit", "gwDestination: 192.0.2.2\n") R("none",
		    "permit", "gwMethod: none\ngwDestination: 192.0.2.3\n")
		    R("deny", "deny", "gwDestination: 192.0.2.4\n"));
	world.request.identity = &bob;
	assert_denies(&world, "192.0.2.1", NULL, REASON_DENIED_NO_RULE, "");
	assert_permits(&world, "192.0.2.2", NULL, "any");
	assert_denies(&world, "192.0.2.3", NULL, REASON_DENIED_NO_RULE, "");
	assert_denies(&world, "192.0.2.4", NULL, REASON_DENIED_RULE, "deny");

	/* Nobody was proved. */
	world.request.identity = NULL;
	assert_denies(&world, "192.0.2.2", NULL, REASON_DENIED_NO_RULE, "");
	assert_permits(&world, "192.0.2.3", NULL, "none");
	assert_denies(&world, "192.0.2.4", NULL, REASON_DENIED_RULE, "deny");
	end(&world);
}

static void
subjects_are_alternatives(void **state)
{
	struct identity bob = {
	    .name = "bob/admin@EXAMPLE.COM", .method = METHOD_GSSAPI};
	struct world world;

	(void)state;
	begin(&world,
	    R("user", "permit",
		"gwUser: uid=carol,dc=x\ngwUser: UID=Alice, DC=x\n"
		"gwGroup: cn=nobody\ngwDestination: 192.0.2.1\n")
		R("group", "permit",
		    "gwUser: uid=bob,dc=x\ngwGroup: cn=Admins\n"
		    "gwDestination: 192.0.2.2\n") R("principal", "permit",
		    "gwGroup: cn=nobody\ngwPrincipal: */admin@EXAMPLE.COM\n"
		    "gwDestination: 192.0.2.3\n") R("realm", "permit",
		    "gwPrincipal: carol@EXAMPLE.COM\n"
		    "gwPrincipal: alice@EXAMPLE.COM\n"
		    "gwDestination: 192.0.2.4\n"));
	assert_permits(&world, "192.0.2.1", NULL, "user");
	assert_permits(&world, "192.0.2.2", NULL, "group");
	assert_denies(&world, "192.0.2.3", NULL, REASON_DENIED_NO_RULE, "");
	assert_permits(&world, "192.0.2.4", NULL, "realm");
	world.request.identity = &bob;
	assert_permits(&world, "192.0.2.3", NULL, "principal");
	assert_denies(&world, "192.0.2.4", NULL, REASON_DENIED_NO_RULE, "");

	/* The directory has no such user. */
	subject_unref(world.subject);
	world.subject = subject_new(NULL);
	world.context.subject = world.subject;
	assert_denies(&world, "192.0.2.1", NULL, REASON_DENIED_NO_RULE, "");
	assert_permits(&world, "192.0.2.3", NULL, "principal");
	end(&world);
}

static void
who_proved_nothing_is_no_subject(void **state)
{
	struct world world;

	(void)state;
	begin(&world, R("r", "permit",
			  "gwMethod: none\ngwUser: uid=alice,dc=x\n"
			  "gwDestination: *\n"));
	world.request.identity = NULL;
	assert_denies(&world, "192.0.2.1", NULL, REASON_DENIED_NO_RULE, "");
	world.context.subject = NULL;
	assert_denies(&world, "192.0.2.1", NULL, REASON_DENIED_NO_RULE, "");
	end(&world);
}

static void
groups_are_compared_whole(void **state)
{
	struct world world;

	(void)state;
	begin(&world,
	    R("shorter", "permit", "gwGroup: cn=admin\ngwDestination: *\n")
		R("longer", "permit", "gwGroup: cn=admins2\ngwDestination: *\n")
		    R("below", "permit",
			"gwGroup: cn=admins,dc=x\ngwDestination: *\n"));
	assert_denies(&world, "192.0.2.1", NULL, REASON_DENIED_NO_RULE, "");
	end(&world);
}

static void
a_silent_directory_denies_what_asks_it(void **state)
{
	struct world world;

	(void)state;
	begin(&world,
	    R("first", "permit", "gwOrder: 1\ngwDestination: 192.0.2.1\n") R(
		"own", "permit",
		"gwOrder: 2\ngwGroup: cn=a\ngwPrincipal: alice@EXAMPLE.COM\n"
		"gwDestination: 192.0.2.2\n") R("other", "permit",
		"gwOrder: 3\ngwGroup: cn=a\ngwPort: 80\ngwDestination: *\n")
		R("staff", "permit",
		    "gwOrder: 4\ngwUser: cn=a\ngwDestination: 192.0.2.0/24\n"
		    "gwDestination: *.staff.example\n")
		    R("last", "permit", "gwOrder: 5\ngwDestination: *\n"));
	world.context.subject = NULL;
	assert_permits(&world, "192.0.2.1", NULL, "first");
	assert_permits(&world, "192.0.2.2", NULL, "own");
	assert_denies(
	    &world, "192.0.2.3", NULL, REASON_DIRECTORY_UNAVAILABLE, "staff");
	assert_permits(&world, "192.0.3.1", NULL, "last");
	assert_denies(&world, "a.staff.example", "192.0.3.1",
	    REASON_DIRECTORY_UNAVAILABLE, "staff");
	assert_verdict(verdict_of(&world, "a.example", 443, NULL),
	    DECISION_DEPENDS, REASON_OK, "");
	end(&world);
}

static void
special_addresses_are_closed_to_names_and_broad_networks(void **state)
{
	static const char *const special[] = {"0.0.0.0", "0.255.255.255",
	    "127.0.0.1", "127.255.255.255", "169.254.0.1", "169.254.169.254",
	    "100.100.100.200", "168.63.129.16", "224.0.0.1", "239.255.255.255",
	    "240.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "febf::1",
	    "fec0::1", "feff::1", "ff02::1", "ff0e::1", "fd00:ec2::254",
	    "198.51.100.1", "2001:db8::1"};
	static const char *const ordinary[] = {"1.0.0.0", "126.255.255.255",
	    "128.0.0.1", "169.253.255.255", "169.255.0.0", "100.100.100.199",
	    "100.100.100.201", "168.63.129.17", "223.255.255.255", "10.0.0.1",
	    "198.51.100.2", "fe00::1", "fe7f::1", "fd00:ec2::253",
	    "fd00:ec2::255", "2001:db8::2", "::2:0:0"};
	struct world world;

	(void)state;
	begin(&world,
	    R("any", "permit",
		"gwDestination: *\ngwDestination: a.example\n"
		"gwDestination: 0.0.0.0/0\ngwDestination: ::/0\n"
		"gwDestination: 198.51.100.0/31\n"
		"gwDestination: 2001:db8::/127\n"
		"gwDestination: 126.0.0.0/7\ngwDestination: fe00::/9\n"));
	add_own(&world, "198.51.100.1");
	add_own(&world, "2001:db8::1");
	for (size_t i = 0; i < ARRAY_COUNT(special); i++) {
		struct address address = address_of(special[i]);

		assert_true(judge_is_special(&address, &world.own));
		assert_denies(
		    &world, special[i], NULL, REASON_DENIED_SPECIAL, "");
		assert_denies(
		    &world, "a.example", special[i], REASON_DENIED_SPECIAL, "");
	}
	for (size_t i = 0; i < ARRAY_COUNT(ordinary); i++) {
		struct address address = address_of(ordinary[i]);

		assert_false(judge_is_special(&address, &world.own));
		assert_permits(&world, ordinary[i], NULL, "any");
	}
	/* Without a list there are no own addresses. */
	world.context.own = NULL;
	assert_permits(&world, "198.51.100.1", NULL, "any");
	end(&world);
}

static void
no_rule_leads_to_our_own_listeners(void **state)
{
	static const uint16_t ports[] = {1080, 1081};
	static const char *const here[] = {"127.0.0.1", "127.255.255.255",
	    "0.0.0.0", "::", "::1", "198.51.100.1", "2001:db8::1",
	    /* NAT64 and 6to4 of own addresses */
	    "64:ff9b::127.0.0.1", "2002:c633:6401::"};
	struct world world;

	(void)state;
	begin(&world, R("open", "permit",
			  "gwDestination: 127.0.0.0/8\ngwDestination: ::/127\n"
			  "gwDestination: 0.0.0.0/8\ngwDestination: ::1/128\n"
			  "gwDestination: ::/128\n"
			  "gwDestination: 198.51.100.1/32\n"
			  "gwDestination: 198.51.100.2/32\n"
			  "gwDestination: 2001:db8::1/128\n"
			  "gwDestination: 64:ff9b::127.0.0.1/128\n"
			  "gwDestination: 2002:c633:6401::/128\n"
			  "gwDestination: 2002:c633:6402::/128\n"));
	add_own(&world, "198.51.100.1");
	add_own(&world, "2001:db8::1");
	world.own.ports = ports;
	world.own.port_count = ARRAY_COUNT(ports);
	for (size_t i = 0; i < ARRAY_COUNT(here); i++) {
		for (size_t port = 0; port < ARRAY_COUNT(ports); port++) {
			assert_verdict(
			    verdict_of(&world, here[i], ports[port], NULL),
			    DECISION_DENY, REASON_LOOP, "open");
			assert_verdict(verdict_of(&world, "a.example",
					   ports[port], here[i]),
			    DECISION_DENY, REASON_LOOP, "open");
		}
		assert_verdict(verdict_of(&world, here[i], 1082, NULL),
		    DECISION_PERMIT, REASON_OK, "open");
	}
	/* Somebody else may listen at the same port. */
	assert_verdict(verdict_of(&world, "198.51.100.2", 1080, NULL),
	    DECISION_PERMIT, REASON_OK, "open");
	assert_verdict(verdict_of(&world, "2002:c633:6402::", 1080, NULL),
	    DECISION_PERMIT, REASON_OK, "open");
	end(&world);
}

static void
a_network_inside_opens_them(void **state)
{
	struct world world;

	(void)state;
	begin(&world,
	    R("open", "permit",
		"gwDestination: 127.0.0.0/8\ngwDestination: 169.254.0.0/16\n"
		"gwDestination: fe80::/64\ngwDestination: ::1\n"
		"gwDestination: 198.51.100.1\n"
		"gwDestination: 2001:db8::1/128\n"
		"gwDestination: 224.0.0.251\ngwDestination: a.example\n"));
	add_own(&world, "198.51.100.1");
	add_own(&world, "2001:db8::1");
	add_own(&world, "127.0.0.1");
	assert_permits(&world, "127.0.0.1", NULL, "open");
	assert_permits(&world, "127.9.9.9", NULL, "open");
	assert_permits(&world, "a.example", "127.0.0.1", "open");
	assert_permits(&world, "b.example", "127.0.0.1", "open");
	assert_permits(&world, "169.254.1.1", NULL, "open");
	/* A block inside a block is opened for itself only. */
	assert_denies(
	    &world, "169.254.169.254", NULL, REASON_DENIED_SPECIAL, "");
	assert_permits(&world, "fe80::1", NULL, "open");
	assert_denies(&world, "fe80:1::1", NULL, REASON_DENIED_NO_RULE, "");
	assert_permits(&world, "::1", NULL, "open");
	assert_permits(&world, "198.51.100.1", NULL, "open");
	assert_permits(&world, "2001:db8::1", NULL, "open");
	assert_permits(&world, "224.0.0.251", NULL, "open");
	assert_denies(
	    &world, "a.example", "224.0.0.252", REASON_DENIED_SPECIAL, "");
	end(&world);
}

static void
deny_rules_reach_special_addresses_in_any_way(void **state)
{
	struct world world;

	(void)state;
	begin(&world,
	    R("name", "deny", "gwOrder: 1\ngwDestination: a.example\n")
		R("broad", "deny", "gwOrder: 1\ngwDestination: 126.0.0.0/7\n")
		    R("open", "permit",
			"gwOrder: 2\ngwDestination: 127.0.0.0/8\n"
			"gwDestination: 169.254.0.0/16\n")
			R("star", "deny", "gwOrder: 3\ngwDestination: *\n"));
	assert_denies(&world, "127.0.0.1", NULL, REASON_DENIED_RULE, "broad");
	assert_denies(
	    &world, "a.example", "169.254.1.1", REASON_DENIED_RULE, "name");
	assert_permits(&world, "b.example", "169.254.1.1", "open");
	assert_denies(&world, "224.0.0.1", NULL, REASON_DENIED_RULE, "star");
	end(&world);
}

/* Writes each IPv6 form that carries the IPv4 address. */
static size_t
embed(const char *text, struct address forms[6])
{
	struct address inner = address_of(text);
	const uint8_t *b = inner.bytes;
	char out[6][64];

	snprintf(out[0], 64, "::%02x%02x:%02x%02x", b[0], b[1], b[2], b[3]);
	snprintf(
	    out[1], 64, "64:ff9b::%02x%02x:%02x%02x", b[0], b[1], b[2], b[3]);
	snprintf(out[2], 64, "64:ff9b:1:2:3:4:%02x%02x:%02x%02x", b[0], b[1],
	    b[2], b[3]);
	snprintf(
	    out[3], 64, "2002:%02x%02x:%02x%02x:1::2", b[0], b[1], b[2], b[3]);
	snprintf(out[4], 64, "2001:0:1:2:3:4:%02x%02x:%02x%02x", b[0] ^ 0xff,
	    b[1] ^ 0xff, b[2] ^ 0xff, b[3] ^ 0xff);
	snprintf(
	    out[5], 64, "::ffff:%02x%02x:%02x%02x", b[0], b[1], b[2], b[3]);
	for (size_t i = 0; i < 6; i++)
		forms[i] = address_of(out[i]);
	return 6;
}

static void
every_embedding_of_a_special_address_is_closed(void **state)
{
	static const char *const special[] = {"0.0.0.2", "127.0.0.1",
	    "169.254.169.254", "169.254.1.1", "100.100.100.200",
	    "168.63.129.16", "224.0.0.1", "255.255.255.255", "198.51.100.1"};
	struct world world;

	(void)state;
	begin(&world,
	    R("any", "permit",
		"gwDestination: *\ngwDestination: ::/0\n"
		"gwDestination: 64:ff9b::/96\ngwDestination: 64:ff9b:1::/48\n"
		"gwDestination: 2002::/16\ngwDestination: 2001::/32\n"
		"gwDestination: ::/96\ngwDestination: a.example\n"
		"gwDestination: 2002:7f00::/24\n"));
	add_own(&world, "198.51.100.1");
	for (size_t i = 0; i < ARRAY_COUNT(special); i++) {
		struct address forms[6];
		size_t count = embed(special[i], forms);

		for (size_t j = 0; j < count; j++) {
			char text[ADDRESS_TEXT_SIZE];

			address_print(&forms[j], text);
			assert_true(judge_is_special(&forms[j], &world.own));
			assert_denies(
			    &world, text, NULL, REASON_DENIED_SPECIAL, "");
			assert_denies(&world, "a.example", text,
			    REASON_DENIED_SPECIAL, "");
		}
	}
	end(&world);
}

static void
a_denied_network_is_denied_in_every_embedding(void **state)
{
	struct address forms[6];
	struct world world;

	(void)state;
	begin(&world,
	    R("deny", "deny", "gwOrder: 1\ngwDestination: 10.0.0.0/8\n")
		R("any", "permit", "gwOrder: 2\ngwDestination: *\n"));
	embed("10.1.2.3", forms);
	for (size_t i = 0; i < ARRAY_COUNT(forms); i++) {
		char text[ADDRESS_TEXT_SIZE];

		assert_denies(&world, address_print(&forms[i], text), NULL,
		    REASON_DENIED_RULE, "deny");
		assert_denies(
		    &world, "a.example", text, REASON_DENIED_RULE, "deny");
	}
	embed("11.1.2.3", forms);
	for (size_t i = 0; i < ARRAY_COUNT(forms); i++) {
		char text[ADDRESS_TEXT_SIZE];

		assert_permits(
		    &world, address_print(&forms[i], text), NULL, "any");
	}
	end(&world);
}

/* What a rule permits as IPv4 it does not permit in another form. */
static void
a_permitted_network_is_not_permitted_embedded(void **state)
{
	struct address forms[6];
	struct world world;

	(void)state;
	begin(&world, R("r", "permit",
			  "gwDestination: 10.0.0.0/8\ngwDestination: "
			  "64:ff9b::a00:1\ngwDestination: 64:ff9b::7f00:1\n"));
	embed("10.1.2.3", forms);
	for (size_t i = 0; i < 5; i++) {
		char text[ADDRESS_TEXT_SIZE];

		assert_denies(&world, address_print(&forms[i], text), NULL,
		    REASON_DENIED_NO_RULE, "");
	}
	/* The last form is the IPv4 address itself. */
	assert_permits(&world, "::ffff:10.1.2.3", NULL, "r");
	assert_permits(&world, "64:ff9b::10.0.0.1", NULL, "r");
	/* Only the address itself, written out, opens a closed one. */
	assert_permits(&world, "64:ff9b::127.0.0.1", NULL, "r");
	end(&world);
}

static void
assert_by_name(struct world *world, enum decision decision, enum reason reason,
    const char *rule)
{
	assert_verdict(
	    verdict_of(world, "a.example", 443, NULL), decision, reason, rule);
}

/* Judges a.example by name under these rules alone. */
static void
assert_asked(const char *rules, enum decision decision, enum reason reason,
    const char *rule)
{
	struct world world;

	begin(&world, rules);
	add_own(&world, "198.51.100.0");
	add_own(&world, "198.51.100.1");
	add_own(&world, "2001:db8::1");
	assert_by_name(&world, decision, reason, rule);
	end(&world);
}

static void
own_addresses_count_by_name_too(void **state)
{
	struct world world;

	(void)state;
	begin(&world,
	    R("d", "deny", "gwDestination: 127.0.0.0/9\n") R("p", "permit",
		"gwDestination: 127.0.0.0/8\n"
		"gwDestination: 198.51.100.0/31\n"));
	add_own(&world, "127.128.0.1");
	assert_by_name(&world, DECISION_DEPENDS, REASON_OK, "");
	world.context.own = NULL;
	assert_by_name(&world, DECISION_DEPENDS, REASON_OK, "");
	end(&world);
}

#define PERMIT(dests) R("permit", "permit", "gwOrder: 5\n" dests)
#define DENY(dests)   R("deny", "deny", "gwOrder: 4\n" dests)
#define TO(dest)      "gwDestination: " dest "\n"

static void
no_query_is_made_where_every_address_is_denied(void **state)
{
	(void)state;
	assert_asked(
	    PERMIT(TO("b.example")), DECISION_DENY, REASON_DENIED_NO_RULE, "");
	assert_asked(
	    DENY(TO("10.0.0.0/8")), DECISION_DENY, REASON_DENIED_NO_RULE, "");
	assert_asked(DENY(TO("a.example")) PERMIT(TO("*")), DECISION_DENY,
	    REASON_DENIED_RULE, "deny");
	assert_asked(DENY(TO("*.example")) PERMIT(TO("a.example")),
	    DECISION_DENY, REASON_DENIED_RULE, "deny");
	assert_asked(DENY(TO("10.0.0.0/8") TO("*")) PERMIT(TO("*")),
	    DECISION_DENY, REASON_DENIED_RULE, "deny");
	assert_asked(DENY(TO("0.0.0.0/0") TO("::/0")) PERMIT(TO("*")),
	    DECISION_DENY, REASON_DENIED_RULE, "deny");
	assert_asked(DENY(TO("0.0.0.0/1") TO("128.0.0.0/1") TO("::/1")
			     TO("8000::/1")) PERMIT(TO("*")),
	    DECISION_DENY, REASON_DENIED_RULE, "deny");
	assert_asked(DENY(TO("10.0.0.0/9") TO("10.128.0.0/9"))
			 PERMIT(TO("10.0.0.0/8")),
	    DECISION_DENY, REASON_DENIED_RULE, "deny");
	assert_asked(DENY(TO("10.0.0.0/8")) PERMIT(TO("10.1.0.0/16")),
	    DECISION_DENY, REASON_DENIED_RULE, "deny");
	assert_asked(DENY(TO("10.0.0.0/8")) PERMIT(TO("64:ff9b::a00:0/104")),
	    DECISION_DENY, REASON_DENIED_RULE, "deny");
	assert_asked(DENY(TO("10.0.0.0/8")) PERMIT(TO("2002:a00::/24")),
	    DECISION_DENY, REASON_DENIED_RULE, "deny");
	assert_asked(DENY(TO("0.0.0.0/0")) PERMIT(TO("2001::/32")),
	    DECISION_DENY, REASON_DENIED_RULE, "deny");
	assert_asked(DENY(TO("0.0.0.0/0")) PERMIT(TO("2001:0:1234::/64")),
	    DECISION_DENY, REASON_DENIED_RULE, "deny");
	assert_asked(DENY(TO("0.0.0.0/0")) PERMIT(TO("::/96")), DECISION_DENY,
	    REASON_DENIED_RULE, "deny");
	assert_asked(DENY(TO("0.0.0.0/1")) PERMIT(TO("::7f00:0/104")),
	    DECISION_DENY, REASON_DENIED_RULE, "deny");
	assert_asked(DENY(TO("192.0.2.1")) PERMIT(TO("2002:c000:201:5::/64")),
	    DECISION_DENY, REASON_DENIED_RULE, "deny");
	/* Only the gateway's own addresses are left, or nothing real. */
	assert_asked(PERMIT(TO("198.51.100.0/31")), DECISION_DENY,
	    REASON_DENIED_SPECIAL, "");
	assert_asked(PERMIT(TO("64:ff9b::7f00:0/104")), DECISION_DENY,
	    REASON_DENIED_SPECIAL, "");
	assert_asked(PERMIT(TO("::fffe:0:0/95")) DENY(TO("::fffe:0:0/96")),
	    DECISION_DENY, REASON_DENIED_RULE, "deny");
}

static void
a_query_is_made_where_some_address_is_permitted(void **state)
{
	static const char *const rules[] = {
	    PERMIT(TO("a.example")),
	    PERMIT(TO("*.example")),
	    PERMIT(TO("10.0.0.0/8")),
	    PERMIT(TO("2001:db8::/32")),
	    PERMIT(TO("127.0.0.0/8")),
	    PERMIT(TO("169.254.169.254")),
	    PERMIT(TO("198.51.100.1")),
	    PERMIT(TO("2001:db8::1")),
	    PERMIT(TO("64:ff9b::7f00:1")),
	    DENY(TO("0.0.0.0/0")) PERMIT(TO("*")),
	    DENY(TO("::/0")) PERMIT(TO("*")),
	    DENY(TO("0.0.0.0/0") TO("::/1")) PERMIT(TO("a.example")),
	    DENY(TO("10.0.0.0/9")) PERMIT(TO("10.0.0.0/8")),
	    DENY(TO("10.0.0.0/8")) PERMIT(TO("64:ff9b::/96")),
	    DENY(TO("10.0.0.0/8")) PERMIT(TO("2002:a00::/23")),
	    DENY(TO("10.0.0.0/8")) PERMIT(TO("2001:0:1:2::/64")),
	    DENY(TO("0.0.0.0/0")) PERMIT(TO("2000::/3")),
	    DENY(TO("0.0.0.0/1")) PERMIT(TO("64:ff9b:1:2::/64")),
	    DENY(TO("b.example")) PERMIT(TO("*")),
	    DENY(TO("0.0.0.0/0")) PERMIT(TO("::1")),
	    DENY(TO("0.0.0.0/0")) PERMIT(TO("2002::/15")),
	    DENY(TO("c.example") TO("10.0.0.0/8") TO("*.b.example")
		    TO("*.c.test"))
		PERMIT(TO("b.example") TO("*.c.example") TO("11.0.0.0/8")),
	    R("late", "deny", "gwOrder: 9\ngwDestination: *\n")
		PERMIT(TO("a.example")),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rules); i++)
		assert_asked(rules[i], DECISION_DEPENDS, REASON_OK, "");
}

static void
a_rule_that_does_not_apply_neither_opens_nor_closes(void **state)
{
	(void)state;
	assert_asked(R("other", "deny", "gwOrder: 1\ngwPort: 80\n" TO("*"))
			 PERMIT(TO("*")),
	    DECISION_DEPENDS, REASON_OK, "");
	assert_asked(R("other", "deny", "gwOrder: 1\ngwGroup: cn=b\n" TO("*"))
			 PERMIT(TO("*")),
	    DECISION_DEPENDS, REASON_OK, "");
	assert_asked(R("other", "permit", "gwCommand: bind\n" TO("*")),
	    DECISION_DENY, REASON_DENIED_NO_RULE, "");
	assert_asked(
	    SET("s", TO("0.0.0.0/0") TO("::/0") "gwPort: 80\n") R("other",
		"deny", "gwOrder: 1\ngwDestinationSet: cn=s\n") PERMIT(TO("*")),
	    DECISION_DEPENDS, REASON_OK, "");
}

static void
a_silent_directory_closes_by_name_too(void **state)
{
	struct world world;

	(void)state;
	begin(&world,
	    R("four", "permit", "gwOrder: 1\ngwGroup: cn=a\n" TO("0.0.0.0/0"))
		R("six", "permit", "gwOrder: 2\ngwGroup: cn=b\n" TO("::/0"))
		    PERMIT(TO("*")));
	world.context.subject = NULL;
	assert_by_name(
	    &world, DECISION_DENY, REASON_DIRECTORY_UNAVAILABLE, "four");
	end(&world);
}

/* By name, rules with a network are found by whom they permit. */
static void
a_network_is_found_by_each_kind_of_subject(void **state)
{
	static const char *const finding[] = {"gwUser: uid=alice,dc=x\n",
	    "gwGroup: cn=admins\n", "gwPrincipal: alice@EXAMPLE.COM\n",
	    "gwPrincipal: *@EXAMPLE.COM\n",
	    "gwUser: cn=x\ngwPrincipal: *@EXAMPLE.COM\n", ""};
	static const char *const missing[] = {"gwUser: uid=alice2,dc=x\n",
	    "gwGroup: cn=admins2\n", "gwPrincipal: alice@EXAMPLE.CO\n",
	    "gwPrincipal: *@EXAMPLE.CO\n"};
	char text[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(finding); i++) {
		snprintf(text, sizeof(text),
		    R("r", "permit", TO("10.0.0.0/8") "%s"), finding[i]);
		assert_asked(text, DECISION_DEPENDS, REASON_OK, "");
	}
	for (size_t i = 0; i < ARRAY_COUNT(missing); i++) {
		snprintf(text, sizeof(text),
		    R("r", "permit", TO("10.0.0.0/8") "%s"), missing[i]);
		assert_asked(text, DECISION_DENY, REASON_DENIED_NO_RULE, "");
	}
}

/* Nobody known: all rules with networks are asked. */
static void
a_network_is_found_for_nobody(void **state)
{
	struct world world;

	(void)state;
	begin(&world,
	    R("none", "permit",
		"gwMethod: none\n" TO("b.example") TO("10.0.0.0/8"))
		R("group", "permit", "gwGroup: cn=admins\n" TO("10.0.0.0/8")));
	/* The directory knows of groups without a user. */
	subject_unref(world.subject);
	world.subject = subject_new(NULL);
	assert_non_null(world.subject);
	assert_int_equal(subject_add_group(world.subject, "cn=admins"), 0);
	subject_finish(world.subject);
	world.context.subject = world.subject;
	assert_by_name(&world, DECISION_DEPENDS, REASON_OK, "");
	world.request.identity = NULL;
	assert_by_name(&world, DECISION_DEPENDS, REASON_OK, "");
	end(&world);
}

/* More lists of rules than fit are as good as all rules. */
static void
many_groups_and_many_sets_find_all_rules(void **state)
{
	static char text[64 * 1024];
	struct world world;
	size_t len = 0;

	(void)state;
	for (unsigned i = 0; i < 100; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    SET("s%u", "gwDestination: a.example\n") R("r%u", "deny",
			"gwOrder: %u\ngwDestinationSet: cn=s%u\n"
			"gwDestination: 10.%u.0.0/16\ngwGroup: cn=g%u\n"
			"gwPort: 80\n"),
		    i, i, i, i, i, i, i, i);
	snprintf(text + len, sizeof(text) - len,
	    SET("last", "gwDestination: a.example\n") R(
		"last", "permit", "gwDestinationSet: cn=last\ngwGroup: cn=g7\n")
		R("net", "permit", TO("10.0.0.0/8") "gwGroup: cn=g99\n"));
	begin(&world, text);
	for (unsigned i = 0; i < 100; i++) {
		char group[16];

		snprintf(group, sizeof(group), "cn=g%u", i);
		assert_int_equal(subject_add_group(world.subject, group), 0);
	}
	subject_finish(world.subject);
	assert_permits(&world, "a.example", "192.0.2.1", "last");
	assert_by_name(&world, DECISION_DEPENDS, REASON_OK, "");
	assert_verdict(verdict_of(&world, "a.example", 80, "192.0.2.1"),
	    DECISION_DENY, REASON_DENIED_RULE, "r0");
	assert_verdict(verdict_of(&world, "a.example", 81, "192.0.2.1"),
	    DECISION_PERMIT, REASON_OK, "last");
	world.request.command = COMMAND_UDP;
	assert_by_name(&world, DECISION_DENY, REASON_DENIED_NO_RULE, "");
	world.request.command = COMMAND_CONNECT;
	/* The groups alone are too many. */
	assert_verdict(verdict_of(&world, "b.example", 443, NULL),
	    DECISION_DEPENDS, REASON_OK, "");
	end(&world);
}

/* More networks than it is worth while to look at: ask, then judge each. */
static void
what_takes_too_long_to_tell_depends(void **state)
{
	static char text[400 * 1024];
	struct world world;
	size_t len = 0;

	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    R("d%u", "deny",
			"gwOrder: 1\ngwDestination: 10.%u.%u.0/24\n")
			R("p%u", "permit", "gwDestination: 10.%u.%u.0/24\n"),
		    i, i, i / 250, i % 250, i, i, i / 250, i % 250);
	assert_true(len < sizeof(text));
	begin(&world, text);
	assert_by_name(&world, DECISION_DEPENDS, REASON_OK, "");
	assert_denies(
	    &world, "a.example", "10.3.249.1", REASON_DENIED_RULE, "d999");
	end(&world);
}

static void
assert_command(struct world *world, enum decision decision, enum reason reason,
    const char *rule)
{
	world->request.command = COMMAND_UDP;
	assert_verdict(judge_command(&world->context, &world->request),
	    decision, reason, rule);
}

static void
a_command_is_permitted_where_some_destination_is(void **state)
{
	struct world world;

	(void)state;
	begin(&world,
	    R("web", "permit", "gwDestination: *\n") R("dns-not-here", "deny",
		"gwCommand: udp\ngwDestination: 10.0.0.0/8\n")
		R("dns-not-there", "deny",
		    "gwCommand: udp\ngwDestination: *\ngwPort: 1-52\n")
		    R("dns", "permit",
			"gwCommand: udp\ngwDestination: 10.0.0.0/8\n"
			"gwPort: 53\ngwGroup: cn=admins\n") R("names-not",
			"deny", "gwCommand: udp\ngwDestination: *.example\n")
			R("more-dns", "permit",
			    "gwOrder: 2000\ngwCommand: udp\n"
			    "gwDestination: *\ngwGroup: cn=admins\n"));
	assert_command(&world, DECISION_PERMIT, REASON_OK, "dns");
	world.context.subject = NULL;
	assert_command(
	    &world, DECISION_DENY, REASON_DIRECTORY_UNAVAILABLE, "dns");
	world.context.rules = NULL;
	assert_command(&world, DECISION_DENY, REASON_POLICY_UNAVAILABLE, "");
	end(&world);

	begin(&world,
	    R("web", "permit", "gwDestination: *\n") R("others", "permit",
		"gwCommand: udp\ngwDestination: *\ngwGroup: cn=staff\n")
		R("some", "deny",
		    "gwCommand: udp\ngwDestination: 10.0.0.0/8\n"));
	assert_command(&world, DECISION_DENY, REASON_DENIED_NO_RULE, "");
	world.request.protection = PROTECTION_NONE;
	assert_command(&world, DECISION_DENY, REASON_DENIED_NO_RULE, "");
	end(&world);
}

static void
a_command_is_denied_where_everything_is(void **state)
{
	static const char all[] = R("first", "permit",
	    "gwCommand: udp\ngwOrder: 1\ngwDestination: 192.0.2.1\n"
	    "gwProtection: confidentiality\n")
	    R("all", "deny", "gwCommand: udp\ngwDestinationSet: cn=s\n")
		R("late", "permit", "gwCommand: udp\ngwDestination: *\n")
		    SET("s", "gwDestination: *\n");
	struct world world;

	(void)state;
	begin(&world, all);
	assert_command(&world, DECISION_PERMIT, REASON_OK, "first");
	world.request.protection = PROTECTION_INTEGRITY;
	assert_command(&world, DECISION_DENY, REASON_DENIED_RULE, "all");
	end(&world);

	/* Ports leave something open. */
	begin(&world,
	    R("all", "deny",
		"gwCommand: udp\ngwDestinationSet: cn=s\ngwPort: 53\n")
		R("late", "permit", "gwCommand: udp\ngwDestination: *\n")
		    SET("s", "gwDestination: *\n"));
	assert_command(&world, DECISION_PERMIT, REASON_OK, "late");
	end(&world);
	begin(&world,
	    R("all", "deny", "gwCommand: udp\ngwDestinationSet: cn=s\n")
		R("late", "permit", "gwCommand: udp\ngwDestination: *\n")
		    SET("s", "gwDestination: *\ngwPort: 53\n"));
	assert_command(&world, DECISION_PERMIT, REASON_OK, "late");
	end(&world);
}

static void
set_time(struct world *world, const char *text)
{
	int64_t at;

	assert_true(moment_parse(text, &at));
	world->request.time_us = (uint64_t)at * 1000000;
}

static void
assert_valid_until(const struct verdict *verdict, const char *text)
{
	int64_t at;

	assert_true(moment_parse(text, &at));
	assert_true(verdict->valid_until_us == (uint64_t)at * 1000000);
}

static void
a_rule_exists_only_in_its_time(void **state)
{
	struct world world;
	struct verdict verdict;

	(void)state;
	begin(&world,
	    R("shut", "deny",
		"gwOrder: 1\ngwDestination: *\n"
		"gwSchedule: Sat-Sun 00:00-24:00 UTC\n") R("grant", "permit",
		"gwDestination: *\ngwNotBefore: 20261101000000Z\n"
		"gwNotAfter: 20261201000000Z\n") R("always", "permit",
		"gwOrder: 2000\n"
		"gwDestination: 198.51.100.1\n"));
	/* A Friday: until the night to Saturday. */
	set_time(&world, "20261127120000Z");
	verdict = verdict_of(&world, "192.0.2.1", 443, NULL);
	assert_verdict(verdict, DECISION_PERMIT, REASON_OK, "grant");
	assert_valid_until(&verdict, "20261128000000Z");
	set_time(&world, "20261128000000Z");
	verdict = verdict_of(&world, "192.0.2.1", 443, NULL);
	assert_verdict(verdict, DECISION_DENY, REASON_DENIED_RULE, "shut");
	assert_valid_until(&verdict, "20261130000000Z");
	/* A Monday: until the grant ends. */
	set_time(&world, "20261130120000Z");
	verdict = verdict_of(&world, "192.0.2.1", 443, NULL);
	assert_valid_until(&verdict, "20261201000000Z");
	set_time(&world, "20261201000000Z");
	verdict = verdict_of(&world, "192.0.2.1", 443, NULL);
	assert_verdict(verdict, DECISION_DENY, REASON_DENIED_NO_RULE, "");
	/* Before it begins, what comes later counts. */
	set_time(&world, "20261030120000Z");
	verdict = verdict_of(&world, "198.51.100.1", 443, NULL);
	assert_verdict(verdict, DECISION_PERMIT, REASON_OK, "always");
	assert_valid_until(&verdict, "20261031000000Z");
	end(&world);
}

/* A rule out of its time asks for no query and opens no command. */
static void
names_and_commands_are_judged_in_time_too(void **state)
{
	struct world world;
	struct verdict verdict;

	(void)state;
	begin(&world,
	    R("past", "permit",
		"gwOrder: 1\ngwDestination: *\ngwCommand: connect\n"
		"gwCommand: udp\ngwNotAfter: 20261101000000Z\n")
		R("soon", "permit",
		    "gwOrder: 2\ngwDestination: *\ngwCommand: connect\n"
		    "gwCommand: udp\ngwNotBefore: 20261201000000Z\n"));
	set_time(&world, "20261127120000Z");
	verdict = verdict_of(&world, "www.example.com", 443, NULL);
	assert_verdict(verdict, DECISION_DENY, REASON_DENIED_NO_RULE, "");
	assert_valid_until(&verdict, "20261201000000Z");
	assert_command(&world, DECISION_DENY, REASON_DENIED_NO_RULE, "");
	set_time(&world, "20261201000000Z");
	assert_command(&world, DECISION_PERMIT, REASON_OK, "soon");
	world.request.command = COMMAND_CONNECT;
	verdict = verdict_of(&world, "www.example.com", 443, NULL);
	assert_int_equal(verdict.decision, DECISION_DEPENDS);
	end(&world);
}

static void
a_rule_that_does_not_concern_a_request_does_not_end_it(void **state)
{
	struct world world;
	struct verdict verdict;

	(void)state;
	begin(&world, R("other", "deny",
			  "gwOrder: 1\ngwPort: 22\ngwDestination: *\n"
			  "gwSchedule: Mon-Sun 12:00-13:00 UTC\n")
			  R("any", "permit", "gwDestination: *\n"));
	set_time(&world, "20261127120000Z");
	verdict = verdict_of(&world, "192.0.2.1", 443, NULL);
	assert_true(verdict.valid_until_us == UINT64_MAX);
	end(&world);
}

static void
a_rule_may_demand_an_indicator(void **state)
{
	struct identity with_otp = alice;
	struct world world;

	(void)state;
	begin(&world, R("strong", "permit",
			  "gwDestination: *\ngwIndicator: otp\n"
			  "gwIndicator: pkinit\n"));
	assert_denies(&world, "192.0.2.1", NULL, REASON_DENIED_NO_RULE, "");
	world.request.identity = &with_otp;
	(void)snprintf(
	    with_otp.indicators, sizeof(with_otp.indicators), "radius otp");
	assert_permits(&world, "192.0.2.1", NULL, "strong");
	(void)snprintf(with_otp.indicators, sizeof(with_otp.indicators),
	    "otp2 xpkinit pot");
	assert_denies(&world, "192.0.2.1", NULL, REASON_DENIED_NO_RULE, "");
	world.request.identity = NULL;
	assert_denies(&world, "192.0.2.1", NULL, REASON_DENIED_NO_RULE, "");
	end(&world);
}

static void
a_dry_run_is_told_and_decides_nothing(void **state)
{
	struct world world;
	struct verdict verdict;

	(void)state;
	begin(&world,
	    R("dry", "deny",
		"gwOrder: 1\ngwReportOnly: TRUE\n"
		"gwDestination: www.example.com\n") R("dry too", "permit",
		"gwOrder: 2\ngwReportOnly: TRUE\n"
		"gwDestination: *\n")
		R("web", "permit", "gwPort: 443\ngwDestination: *\n"));
	verdict = verdict_of(&world, "www.example.com", 443, "192.0.2.1");
	assert_verdict(verdict, DECISION_PERMIT, REASON_OK, "web");
	assert_string_equal(verdict.reported, "dry");
	assert_false(verdict.would_permit);
	verdict = verdict_of(&world, "www.example.com", 443, NULL);
	assert_int_equal(verdict.decision, DECISION_DEPENDS);
	assert_string_equal(verdict.reported, "dry");
	verdict = verdict_of(&world, "a.example.com", 22, "192.0.2.1");
	assert_verdict(verdict, DECISION_DENY, REASON_DENIED_NO_RULE, "");
	assert_string_equal(verdict.reported, "dry too");
	assert_true(verdict.would_permit);
	/* A closed address is not what it would permit. */
	verdict = verdict_of(&world, "a.example.com", 22, "127.0.0.1");
	assert_string_equal(verdict.reported, "");
	end(&world);
}

static void
a_dry_run_is_told_only_where_it_matches(void **state)
{
	struct world world;
	struct verdict verdict;

	(void)state;
	begin(&world,
	    R("other name", "deny",
		"gwReportOnly: TRUE\ngwDestination: 10.0.0.0/8\n"
		"gwDestination: other.example.com\n") R("other port", "deny",
		"gwReportOnly: TRUE\ngwPort: 22\n"
		"gwDestination: www.example.com\n") R("who knows", "deny",
		"gwReportOnly: TRUE\ngwGroup: cn=staff\n"
		"gwDestination: www.example.com\n") R("web", "permit",
		"gwPrincipal: alice@EXAMPLE.COM\ngwDestination: *\n"));
	world.context.subject = NULL;
	verdict = verdict_of(&world, "www.example.com", 443, NULL);
	assert_int_equal(verdict.decision, DECISION_DEPENDS);
	assert_string_equal(verdict.reported, "");
	verdict = verdict_of(&world, "www.example.com", 443, "192.0.2.1");
	assert_verdict(verdict, DECISION_PERMIT, REASON_OK, "web");
	assert_string_equal(verdict.reported, "");
	end(&world);
}

static void
a_dry_run_permits_no_command(void **state)
{
	struct world world;

	(void)state;
	begin(&world, R("dry", "permit",
			  "gwReportOnly: TRUE\ngwCommand: udp\n"
			  "gwDestination: *\n"));
	assert_command(&world, DECISION_DENY, REASON_DENIED_NO_RULE, "");
	end(&world);
}

static void
a_permission_comes_with_its_limits(void **state)
{
	struct world world;
	struct verdict verdict;

	(void)state;
	begin(&world,
	    R("slow", "permit", "gwDestination: 192.0.2.1\ngwMaxRate: 1000\n"));
	verdict = verdict_of(&world, "192.0.2.1", 443, NULL);
	assert_non_null(verdict.limits);
	assert_true(verdict.limits->max_rate == 1000);
	assert_true(verdict.limits->max_sessions == 0);
	verdict = verdict_of(&world, "192.0.2.2", 443, NULL);
	assert_null(verdict.limits);
	end(&world);
}

static void
what_does_not_fit_is_named(void **state)
{
	static const struct {
		const char *name, *failed;
	} expected[] = {
	    {"command", "gwCommand"},
	    {"method", "gwMethod"},
	    {"client", "gwClient"},
	    {"listener", "gwListener"},
	    {"indicator", "gwIndicator"},
	    {"destination", "gwDestination"},
	    {"port", "gwPort"},
	    {"principal", "gwPrincipal"},
	    {"group", "gwGroup"},
	    {"user", "gwUser"},
	    {"soon", "gwNotBefore"},
	    {"past", "gwNotAfter"},
	    {"hours", "gwSchedule"},
	};
	struct address at = address_of("192.0.2.1");
	struct world world;

	(void)state;
	begin(&world,
	    R("command", "permit", "gwDestination: *\ngwCommand: udp\n") R(
		"method", "permit",
		"gwDestination: *\ngwMethod: password\n") R("client", "permit",
		"gwDestination: *\ngwClient: 10.0.0.1\n") R("listener",
		"permit",
		"gwDestination: *\ngwListener: x\n") R("indicator", "permit",
		"gwDestination: *\ngwIndicator: otp\n") R("destination",
		"permit", "gwDestination: 192.0.2.2\n") R("port", "permit",
		"gwDestination: 192.0.2.1\ngwPort: 22\n") R("principal",
		"permit", "gwDestination: *\ngwPrincipal: b@R\n") R("group",
		"permit", "gwDestination: *\ngwGroup: cn=x\n") R("user",
		"permit", "gwDestination: *\ngwUser: uid=x\n") R("soon",
		"permit", "gwDestination: *\ngwNotBefore: 20270101000000Z\n")
		R("past", "permit",
		    "gwDestination: *\ngwNotAfter: 20260101000000Z\n")
		    R("hours", "permit",
			"gwDestination: *\ngwSchedule: Sun 01:00-02:00 UTC\n"));
	set_time(&world, "20261127120000Z");
	ask_for(&world, "192.0.2.1", 443);
	for (size_t i = 0; i < ruleset_count(world.rules); i++) {
		const struct rule *rule = ruleset_rule(world.rules, i);
		struct bearing bearing =
		    judge_rule(&world.context, &world.request, &at, rule);
		size_t j = 0;

		while (strcmp(expected[j].name, rule->name) != 0)
			assert_true(++j < ARRAY_COUNT(expected));
		assert_int_equal(bearing.kind, BEARING_FAILS);
		assert_string_equal(bearing.failed, expected[j].failed);
	}
	assert_null(ruleset_rule(world.rules, ruleset_count(world.rules)));
	end(&world);
}

static void
what_fits_is_said(void **state)
{
	struct address at = address_of("192.0.2.1");
	struct world world;
	struct bearing bearing;

	(void)state;
	begin(&world, R("web", "permit", "gwDestination: *\n"));
	ask_for(&world, "192.0.2.1", 443);
	bearing = judge_rule(
	    &world.context, &world.request, &at, ruleset_rule(world.rules, 0));
	assert_int_equal(bearing.kind, BEARING_PERMITS);
	assert_null(bearing.failed);
	end(&world);
}

static void
a_disabled_account_is_denied_whatever_the_rules_say(void **state)
{
	static const char rules[] = R("all", "permit",
	    "gwDestination: *\ngwCommand: connect\ngwCommand: udp\n");
	struct world world;

	(void)state;
	begin(&world, rules);
	world.subject->is_disabled = true;
	assert_denies(&world, "192.0.2.1", NULL, REASON_ACCOUNT_DISABLED, "");
	assert_denies(
	    &world, "www.example.com", NULL, REASON_ACCOUNT_DISABLED, "");
	assert_denies(&world, "www.example.com", "192.0.2.1",
	    REASON_ACCOUNT_DISABLED, "");
	world.request.command = COMMAND_UDP;
	assert_verdict(judge_command(&world.context, &world.request),
	    DECISION_DENY, REASON_ACCOUNT_DISABLED, "");
	world.request.command = COMMAND_CONNECT;
	world.subject->is_disabled = false;
	assert_permits(&world, "192.0.2.1", NULL, "all");
	/* The directory did not say: that counts where accounts are checked. */
	world.context.subject = NULL;
	assert_permits(&world, "192.0.2.1", NULL, "all");
	world.context.checks_accounts = true;
	assert_denies(
	    &world, "192.0.2.1", NULL, REASON_DIRECTORY_UNAVAILABLE, "");
	end(&world);
}

static void
of_several_addresses_the_first_permission_speaks(void **state)
{
	static const char *const texts[] = {
	    "192.0.2.1", "192.0.2.2", "192.0.2.3"};
	struct address addresses[ARRAY_COUNT(texts)], permitted[3];
	struct verdict verdict;
	struct world world;
	size_t count;

	(void)state;
	begin(&world, R("two", "permit", "gwDestination: 192.0.2.2\n")
			  R("three", "permit", "gwDestination: 192.0.2.3\n"));
	for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
		addresses[i] = address_of(texts[i]);
	ask_for(&world, "www.example.com", 443);
	verdict = judge_addresses(&world.context, &world.request, addresses,
	    ARRAY_COUNT(texts), permitted, &count);
	assert_verdict(verdict, DECISION_PERMIT, REASON_OK, "two");
	assert_int_equal(count, 2);
	assert_true(address_is_equal(&permitted[0], &addresses[1]));
	assert_true(address_is_equal(&permitted[1], &addresses[2]));
	verdict = judge_addresses(
	    &world.context, &world.request, addresses, 1, permitted, &count);
	assert_verdict(verdict, DECISION_DENY, REASON_DENIED_NO_RULE, "");
	assert_int_equal(count, 0);
	end(&world);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_rule_exists_only_in_its_time),
	    cmocka_unit_test(names_and_commands_are_judged_in_time_too),
	    cmocka_unit_test(
		a_rule_that_does_not_concern_a_request_does_not_end_it),
	    cmocka_unit_test(a_rule_may_demand_an_indicator),
	    cmocka_unit_test(a_dry_run_is_told_and_decides_nothing),
	    cmocka_unit_test(a_dry_run_is_told_only_where_it_matches),
	    cmocka_unit_test(a_dry_run_permits_no_command),
	    cmocka_unit_test(a_permission_comes_with_its_limits),
	    cmocka_unit_test(what_does_not_fit_is_named),
	    cmocka_unit_test(
		a_disabled_account_is_denied_whatever_the_rules_say),
	    cmocka_unit_test(what_fits_is_said),
	    cmocka_unit_test(no_rule_denies),
	    cmocka_unit_test(names_match_the_name_and_networks_the_address),
	    cmocka_unit_test(a_star_matches_names_and_addresses),
	    cmocka_unit_test(the_first_rule_in_order_decides),
	    cmocka_unit_test(sets_and_ports_narrow_each_other),
	    cmocka_unit_test(every_condition_must_hold),
	    cmocka_unit_test(selective_is_not_confidential),
	    cmocka_unit_test(the_method_that_proved_must_be_one_of_the_rule),
	    cmocka_unit_test(subjects_are_alternatives),
	    cmocka_unit_test(who_proved_nothing_is_no_subject),
	    cmocka_unit_test(groups_are_compared_whole),
	    cmocka_unit_test(a_silent_directory_denies_what_asks_it),
	    cmocka_unit_test(
		special_addresses_are_closed_to_names_and_broad_networks),
	    cmocka_unit_test(no_rule_leads_to_our_own_listeners),
	    cmocka_unit_test(a_network_inside_opens_them),
	    cmocka_unit_test(deny_rules_reach_special_addresses_in_any_way),
	    cmocka_unit_test(every_embedding_of_a_special_address_is_closed),
	    cmocka_unit_test(a_denied_network_is_denied_in_every_embedding),
	    cmocka_unit_test(a_permitted_network_is_not_permitted_embedded),
	    cmocka_unit_test(own_addresses_count_by_name_too),
	    cmocka_unit_test(no_query_is_made_where_every_address_is_denied),
	    cmocka_unit_test(a_query_is_made_where_some_address_is_permitted),
	    cmocka_unit_test(
		a_rule_that_does_not_apply_neither_opens_nor_closes),
	    cmocka_unit_test(a_silent_directory_closes_by_name_too),
	    cmocka_unit_test(a_network_is_found_by_each_kind_of_subject),
	    cmocka_unit_test(a_network_is_found_for_nobody),
	    cmocka_unit_test(many_groups_and_many_sets_find_all_rules),
	    cmocka_unit_test(what_takes_too_long_to_tell_depends),
	    cmocka_unit_test(a_command_is_permitted_where_some_destination_is),
	    cmocka_unit_test(a_command_is_denied_where_everything_is),
	    cmocka_unit_test(of_several_addresses_the_first_permission_speaks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
