/* SPDX-License-Identifier: ISC */
/* directory-lookup itself, with a real directory, a master and a gateway of
 * the test's. */
#include "tests/support/unit.h"

#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/link.h"
#include "base/options.h"
#include "base/wire.h"
#include "policy/lookup_protocol.h"
#include "policy/provenance.h"
#include "policy/subject.h"
#include "tests/unit/policy/ldap_directory.h"

#define PATIENCE_US 20000000
#define GROUP(name) "cn=" name ",ou=groups,dc=example,dc=com"

static struct event_base *base;
static struct options *options;
static struct directory_program *program;
static struct link *gateway;

/* The last answer. */
static bool has_answer;
static unsigned answers;
static uint16_t answer_type;
static struct subject *subject;
static char why[1024];
/* Groups that came before it, and where they come from. */
static struct subject *ahead;
static struct provenance *provenance;

#define NUMBER 77

static void
on_groups(void *arg, struct link_message *message)
{
	(void)arg;
	assert_int_equal(
	    lookup_groups_number(message->data, message->len), NUMBER);
	assert_int_equal(
	    lookup_groups_decode(message->data, message->len, ahead), 0);
}

static void
on_findings(void *arg, struct link_message *message)
{
	(void)arg;
	assert_int_equal(
	    lookup_groups_number(message->data, message->len), NUMBER);
	assert_int_equal(lookup_findings_decode(
			     message->data, message->len, provenance, ahead),
	    0);
}

static void
on_answer(void *arg, enum answer_outcome outcome, struct link_message *answer)
{
	struct wire_reader reader;

	(void)arg;
	assert_int_equal(outcome, ANSWER_GIVEN);
	has_answer = true;
	answers++;
	answer_type = answer->type;
	subject_unref(subject);
	subject = NULL;
	why[0] = '\0';
	if (answer->type == LOOKUP_SUBJECT) {
		subject =
		    lookup_subject_decode(answer->data, answer->len, ahead);
		assert_non_null(subject);
	} else if (answer->type == LOOKUP_FAILED) {
		wire_reader_init(&reader, answer->data, answer->len);
		wire_get_string(&reader, why, sizeof(why));
		assert_true(wire_is_done(&reader));
	}
}

static void
ask_question(uint16_t type, const void *name, size_t len)
{
	struct wire_writer writer;
	uint8_t data[2048];

	wire_writer_init(&writer, data, sizeof(data));
	wire_put_u32(&writer, NUMBER);
	wire_put_counted(&writer, name, len);
	assert_non_null(question_start(gateway, type, data, writer.len,
	    PATIENCE_US / 1000, on_answer, NULL));
}

static void
ask_octets(const void *name, size_t len)
{
	ask_question(LOOKUP_NAME, name, len);
}

static void
ask(const char *name)
{
	has_answer = false;
	ask_octets(name, strlen(name));
	assert_true(directory_await(base, &has_answer, PATIENCE_US));
}

static void
explain(const char *name)
{
	has_answer = false;
	ask_question(LOOKUP_EXPLAIN, name, strlen(name));
	assert_true(directory_await(base, &has_answer, PATIENCE_US));
}

static void
look_for(const char *dn, size_t len)
{
	struct wire_writer writer;
	uint8_t data[2048];

	has_answer = false;
	wire_writer_init(&writer, data, sizeof(data));
	wire_put_counted(&writer, dn, len);
	assert_non_null(question_start(gateway, LOOKUP_ENTRY, data, writer.len,
	    PATIENCE_US / 1000, on_answer, NULL));
	assert_true(directory_await(base, &has_answer, PATIENCE_US));
}

static void
on_closed(void *arg)
{
	(void)arg;
	link_free(gateway);
	gateway = NULL;
}

static const struct link_handler handlers[] = {
    {LOOKUP_GROUPS, 4, LOOKUP_MESSAGE_MAX, on_groups},
    {LOOKUP_FINDINGS, 4, LOOKUP_MESSAGE_MAX, on_findings},
    {.handle = NULL},
};

static void
start_lookup(void)
{
	program = directory_program_new(base, "gatewarden-directory-lookup");
	directory_program_configure(
	    program, options, DIRECTORY_READER_PASSWORD);
	gateway = link_new(base, directory_program_link(program, 1), handlers,
	    on_closed, NULL);
	assert_non_null(gateway);
}

/* Seconds that the directory may take: a busy machine must not matter, but
 * where it is waited for in vain. */
#define PATIENT	  10
#define IMPATIENT 1

static void
use_directory(const char *user_base, uint64_t timeout_s)
{
	directory_add_server(options, "ldap", 1);
	options_add(options, "directory.ca_file", directory_path("ca.pem"));
	options_add(options, "directory.bind", "simple");
	options_add(options, "directory.bind_dn", DIRECTORY_READER);
	options_add_u64(options, "directory.timeout", timeout_s);
	options_add(options, "directory.user_base", user_base);
	options_add(options, "gateway.log_level", "error");
}

static int
set_up_empty(void **state)
{
	(void)state;
	base = event_base_new();
	options = options_new();
	ahead = subject_new(NULL);
	provenance = provenance_new();
	assert_non_null(ahead);
	assert_non_null(provenance);
	answers = 0;
	return 0;
}

static int
set_up_people(void **state, uint64_t timeout_s)
{
	(void)set_up_empty(state);
	use_directory("ou=people,dc=example,dc=com", timeout_s);
	options_add(
	    options, "directory.group_base", "ou=groups,dc=example,dc=com");
	options_add(options, "directory.group_filter", "(member=%d)");
	return 0;
}

static int
set_up(void **state)
{
	return set_up_people(state, PATIENT);
}

static int
set_up_impatient(void **state)
{
	return set_up_people(state, IMPATIENT);
}

static void
by_principal(void)
{
	options_add(options, "directory.user_filter", "(krbPrincipalName=%p)");
	start_lookup();
}

static int
tear_down(void **state)
{
	(void)state;
	directory_signal(SIGCONT);
	directory_program_free(program);
	program = NULL;
	link_free(gateway);
	gateway = NULL;
	subject_unref(subject);
	subject = NULL;
	subject_unref(ahead);
	provenance_free(provenance);
	options_free(options);
	event_base_free(base);
	return 0;
}

static void
must_have_groups(const char *const groups[], size_t count)
{
	if (answer_type != LOOKUP_SUBJECT)
		print_error("%s\n", why);
	assert_int_equal(answer_type, LOOKUP_SUBJECT);
	assert_int_equal(subject->count, count);
	for (size_t i = 0; groups != NULL && i < count; i++)
		assert_true(subject_is_member(subject, groups[i]));
}

static void
must_fail(const char *because)
{
	assert_int_equal(answer_type, LOOKUP_FAILED);
	if (strstr(why, because) == NULL)
		print_error("%s\n", why);
	assert_non_null(strstr(why, because));
}

/* ---- users and groups */

static void
groups_in_groups_are_found_and_loops_end(void **state)
{
	static const char *const groups[] = {
	    GROUP("staff"), GROUP("everybody"), GROUP("loop")};

	(void)state;
	by_principal();
	ask("alice@EXAMPLE.COM");
	must_have_groups(groups, 3);
	assert_string_equal(
	    subject->dn, "cn=alice,ou=people,dc=example,dc=com");
}

static void
groups_that_a_user_names_are_found_too(void **state)
{
	static const char *const groups[] = {
	    GROUP("named"), GROUP("gone"), GROUP("outer"), GROUP("far")};

	(void)state;
	by_principal();
	ask("carol@EXAMPLE.COM");
	must_have_groups(groups, 4);
}

static void
member_of_alone_will_do(void **state)
{
	static const char *const groups[] = {
	    GROUP("named"), GROUP("gone"), GROUP("far")};

	(void)state;
	use_directory("dc=example,dc=com", PATIENT);
	by_principal();
	ask("carol@EXAMPLE.COM");
	must_have_groups(groups, 3);
}

static void
member_of_is_not_followed_where_it_was_said(void **state)
{
	(void)state;
	options_add(options, "directory.member_of", "false");
	by_principal();
	ask("carol@EXAMPLE.COM");
	must_have_groups(NULL, 0);
	ask("alice@EXAMPLE.COM");
	assert_int_equal(subject->count, 3);
}

static void
a_user_without_groups_is_found(void **state)
{
	(void)state;
	by_principal();
	ask("alone@EXAMPLE.COM");
	must_have_groups(NULL, 0);
	assert_string_equal(
	    subject->dn, "cn=alone,ou=people,dc=example,dc=com");
}

static void
nobody_is_nobody(void **state)
{
	(void)state;
	by_principal();
	ask("nobody@EXAMPLE.COM");
	assert_int_equal(answer_type, LOOKUP_NOBODY);
}

static void
two_entries_are_no_user(void **state)
{
	(void)state;
	by_principal();
	ask("twin@EXAMPLE.COM");
	must_fail("more than one entry below ou=people,dc=example,dc=com");
}

static void
parts_of_the_principal_find_the_user(void **state)
{
	(void)state;
	options_add(options, "directory.user_filter",
	    "(&(cn=%u)(!(cn=%r))(krbPrincipalName=%u@%r))");
	start_lookup();
	ask("alice@EXAMPLE.COM");
	assert_int_equal(answer_type, LOOKUP_SUBJECT);
	/* Without a realm there is nothing that could be asked. */
	ask("alice");
	assert_int_equal(answer_type, LOOKUP_NOBODY);
}

static void
groups_nested_too_deep_are_a_failure(void **state)
{
	(void)state;
	by_principal();
	ask("deep@EXAMPLE.COM");
	must_fail("directory.nesting_max");
}

static void
groups_nested_deep_are_found_where_it_was_said(void **state)
{
	(void)state;
	options_add_u64(options, "directory.nesting_max", 20);
	by_principal();
	ask("deep@EXAMPLE.COM");
	assert_int_equal(answer_type, LOOKUP_SUBJECT);
	assert_int_equal(subject->count, 20);
	assert_true(subject_is_member(subject, GROUP("level20")));
}

static void
too_many_groups_are_a_failure(void **state)
{
	(void)state;
	options_add_u64(options, "directory.groups_max", 2);
	by_principal();
	ask("alice@EXAMPLE.COM");
	must_fail("more than 2 groups");
}

#define MANY 5000

static void
add_many(void)
{
	char *ldif;
	size_t len;
	FILE *out = open_memstream(&ldif, &len);

	assert_non_null(out);
	for (unsigned i = 0; i < MANY; i++)
		(void)fprintf(out,
		    "dn: " GROUP(
			"many%u") "\nchangetype: add\n"
				  "objectClass: groupOfNames\n"
				  "member: "
				  "cn=alone,ou=people,dc=example,dc=com\n\n",
		    i);
	assert_int_equal(fclose(out), 0);
	directory_modify(ldif);
	free(ldif);
}

/* More than a message holds. */
static void
thousands_of_groups_come_whole(void **state)
{
	char group[64];

	(void)state;
	add_many();
	options_add_u64(options, "directory.groups_max", MANY);
	by_principal();
	ask("alone@EXAMPLE.COM");
	must_have_groups(NULL, MANY);
	for (unsigned i = 0; i < MANY; i++) {
		(void)snprintf(group, sizeof(group), GROUP("many%u"), i);
		assert_true(subject_is_member(subject, group));
	}
}

static void
a_base_that_is_not_there_is_a_failure(void **state)
{
	(void)state;
	use_directory("ou=none,dc=example,dc=com", PATIENT);
	by_principal();
	ask("alice@EXAMPLE.COM");
	must_fail("there is no such entry");
}

/* ---- accounts */

#define NOT_LOCKED "(!(pwdAccountLockedTime=*))"

static void
a_locked_account_has_no_groups_and_is_said(void **state)
{
	(void)state;
	options_add(options, "directory.account_filter", NOT_LOCKED);
	by_principal();
	ask("locked@EXAMPLE.COM");
	must_have_groups(NULL, 0);
	assert_true(subject->is_disabled);
	assert_string_equal(
	    subject->dn, "cn=locked,ou=people,dc=example,dc=com");
	ask("alice@EXAMPLE.COM");
	assert_int_equal(subject->count, 3);
	assert_false(subject->is_disabled);
}

static void
an_account_is_locked_and_unlocked(void **state)
{
	(void)state;
	options_add(options, "directory.account_filter", NOT_LOCKED);
	by_principal();
	for (int i = 0; i < 2; i++) {
		directory_modify("dn: cn=alice,ou=people,dc=example,dc=com\n"
				 "changetype: modify\n"
				 "add: pwdAccountLockedTime\n"
				 "pwdAccountLockedTime: 000001010000Z\n");
		ask("alice@EXAMPLE.COM");
		must_have_groups(NULL, 0);
		assert_true(subject->is_disabled);
		directory_modify("dn: cn=alice,ou=people,dc=example,dc=com\n"
				 "changetype: modify\n"
				 "delete: pwdAccountLockedTime\n");
		ask("alice@EXAMPLE.COM");
		assert_int_equal(subject->count, 3);
		assert_false(subject->is_disabled);
	}
}

static void
without_a_filter_every_account_is_good(void **state)
{
	(void)state;
	by_principal();
	ask("locked@EXAMPLE.COM");
	assert_int_equal(subject->count, 3);
	assert_false(subject->is_disabled);
}

/* A server without the attribute must not make everybody good. */
static void
a_filter_that_the_server_does_not_know_matches_nobody(void **state)
{
	(void)state;
	options_add(options, "directory.account_filter",
	    "(!(userAccountControl:1.2.840.113556.1.4.803:=2))");
	by_principal();
	ask("alice@EXAMPLE.COM");
	must_have_groups(NULL, 0);
	assert_true(subject->is_disabled);
}

static void
a_filter_that_is_none_is_a_failure(void **state)
{
	(void)state;
	options_add(options, "directory.account_filter", "(&(a=b)x)");
	by_principal();
	ask("alice@EXAMPLE.COM");
	must_fail("Bad search filter");
}

static void
who_has_no_entry_is_denied_where_it_was_said(void **state)
{
	(void)state;
	options_add(options, "directory.require_entry", "true");
	by_principal();
	ask("nobody@EXAMPLE.COM");
	must_have_groups(NULL, 0);
	assert_null(subject->dn);
	assert_true(subject->is_disabled);
	ask("alice@EXAMPLE.COM");
	assert_false(subject->is_disabled);
}

/* ---- for who wants to know why */

static void
groups_come_with_how_they_were_found(void **state)
{
	static const char *const groups[] = {
	    GROUP("staff"), GROUP("everybody"), GROUP("loop")};

	(void)state;
	by_principal();
	explain("alice@EXAMPLE.COM");
	must_have_groups(groups, 3);
	assert_string_equal(
	    subject->dn, "cn=alice,ou=people,dc=example,dc=com");
	assert_int_equal(provenance->count, 3);
	for (uint32_t i = 0; i < 3; i++) {
		const struct finding *finding = &provenance->findings[i];

		assert_string_equal(finding->group, groups[i]);
		assert_int_equal(finding->origin, ORIGIN_MEMBER);
		assert_int_equal(
		    finding->through, i == 0 ? FINDING_DIRECT : i - 1);
	}
	/* And what others ask meanwhile is answered as ever. */
	ask("alice@EXAMPLE.COM");
	must_have_groups(groups, 3);
}

static void
thousands_of_findings_come_whole(void **state)
{
	(void)state;
	options_add_u64(options, "directory.groups_max", MANY);
	by_principal();
	explain("alone@EXAMPLE.COM"); /* add_many's */
	must_have_groups(NULL, MANY);
	assert_int_equal(provenance->count, MANY);
}

static void
what_cannot_be_found_cannot_be_explained(void **state)
{
	(void)state;
	options_add(options, "directory.account_filter", NOT_LOCKED);
	by_principal();
	explain("nobody@EXAMPLE.COM");
	assert_int_equal(answer_type, LOOKUP_NOBODY);
	explain("locked@EXAMPLE.COM");
	must_have_groups(NULL, 0);
	assert_true(subject->is_disabled);
	explain("twin@EXAMPLE.COM");
	must_fail("more than one entry");
	explain("deep@EXAMPLE.COM");
	must_fail("directory.nesting_max");
	assert_int_equal(provenance->count, 0);
}

static void
an_entry_is_there_or_not(void **state)
{
	static const struct {
		const char *dn;
		uint16_t answer;
	} rows[] = {
	    {GROUP("staff"), LOOKUP_THERE},
	    {"CN=Staff, OU=Groups, DC=example, DC=com", LOOKUP_THERE},
	    {"cn=alice,ou=people,dc=example,dc=com", LOOKUP_THERE},
	    {GROUP("gone"), LOOKUP_MISSING},
	    {"cn=x,dc=elsewhere", LOOKUP_MISSING},
	    {"cn=there,ou=part,dc=example,dc=com", LOOKUP_FAILED},
	    {"staff", LOOKUP_FAILED},
	};

	(void)state;
	by_principal();
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		look_for(rows[i].dn, strlen(rows[i].dn));
		assert_int_equal(answer_type, rows[i].answer);
	}
	must_fail("no DN");
	look_for("cn=x\0", 5);
	must_fail("no DN");
}

/* ---- realms with directories of their own */

#define ORG "ou=org,dc=example,dc=com"

static void
add_org(void)
{
	directory_modify(
	    "dn: " ORG "\nchangetype: add\n"
	    "objectClass: organizationalUnit\n\n"
	    "dn: cn=alice," ORG "\nchangetype: add\n"
	    "objectClass: person\nobjectClass: anything\nsn: x\n"
	    "memberOf: " GROUP("staff") "\n"
					"memberOf: cn=far\\2C" ORG "\n\n"
					"dn: cn=ours," ORG "\nchangetype: add\n"
					"objectClass: groupOfNames\n"
					"member: cn=alice," ORG "\n\n");
}

static void
add_realm(const char *rest, const char *uri)
{
	char line[512];

	(void)snprintf(line, sizeof(line), "EXAMPLE.ORG %s %s", uri, rest);
	options_add(options, "directory.realms", line);
}

/* And whose directory it is cannot put its users into groups of others. */
static void
a_realm_has_its_own_directory(void **state)
{
	static const char *const groups[] = {"cn=ours," ORG};

	(void)state;
	add_org();
	add_realm(ORG " (cn=%u)", options_get(options, "directory.uri", ""));
	by_principal();
	ask("alice@EXAMPLE.ORG");
	must_have_groups(groups, 1);
	assert_string_equal(subject->dn, "cn=alice," ORG);
	explain("alice@EXAMPLE.ORG");
	must_have_groups(groups, 1);
	assert_int_equal(provenance->count, 1);
	ask("alice@EXAMPLE.COM");
	assert_int_equal(subject->count, 3);
	ask("alone@EXAMPLE.ORG");
	assert_int_equal(answer_type, LOOKUP_NOBODY);
	/* A realm is what is behind the @, and nothing else. */
	ask("alice@EXAMPLE.ORG.");
	assert_int_equal(answer_type, LOOKUP_NOBODY);
	ask("alice@example.org");
	assert_int_equal(answer_type, LOOKUP_NOBODY);
}

static void
a_realm_whose_directory_is_down_fails_alone(void **state)
{
	(void)state;
	add_realm(ORG, "ldap://127.0.0.1:1,ldap://127.0.0.1:2");
	by_principal();
	ask("alice@EXAMPLE.ORG");
	must_fail("ldap://127.0.0.1:2");
	look_for("cn=ours," ORG, strlen("cn=ours," ORG));
	must_fail("ldap://127.0.0.1:2");
	ask("alice@EXAMPLE.COM");
	assert_int_equal(subject->count, 3);
}

/* ---- names that would be more than a name */

static FILE *
open_log(void)
{
	FILE *log = fopen(directory_path("slapd.log"), "re");

	assert_non_null(log);
	assert_int_equal(fseek(log, 0, SEEK_END), 0);
	return log;
}

static unsigned
hex(char digit)
{
	return (unsigned)(isdigit((unsigned char)digit)
			      ? digit - '0'
			      : toupper((unsigned char)digit) - 'A' + 10);
}

/* The octets of "(krbPrincipalName=...)", as slapd writes it. */
static size_t
unescape(const char *from, char *to)
{
	size_t len = 0;

	for (; *from != '\0' && *from != ')'; from++) {
		if (*from == '\\') {
			to[len++] = (char)(hex(from[1]) << 4 | hex(from[2]));
			from += 2;
		} else {
			to[len++] = *from;
		}
	}
	assert_string_equal(from, ")\"\n");
	return len;
}

/* Each search since the log was opened must be for these octets. */
static unsigned
count_searches(FILE *log, const void *name, size_t len)
{
	static const char before[] = "filter=\"(krbPrincipalName=";
	char line[4096], value[4096];
	const char *filter;
	unsigned count = 0;

	while (fgets(line, sizeof(line), log) != NULL) {
		if (strstr(line, " SRCH base=") == NULL)
			continue;
		filter = strstr(line, before);
		assert_non_null(filter);
		assert_int_equal(
		    unescape(filter + sizeof(before) - 1, value), len);
		assert_memory_equal(value, name, len);
		count++;
	}
	(void)fclose(log);
	return count;
}

static void
a_name_is_asked_for_as_it_is_once(void **state)
{
	static const char *const names[] = {"*", "a)(uid=*", "%s", "%p%u%d",
	    "\\", "\\2a", "..", "../../x", "#x", " x", "x ", " ", "a,b=c",
	    "a+b=c", "\"", "<>", ";", "=", "alice*", "(", ")", "&", "|", "!",
	    "alice@EXAMPLE.COM)(objectClass=*", "a\nb", "a\r", "\t", "\x7f",
	    "\xc3\xa9", "\xff\xfe"};
	char octet[2] = "";

	(void)state;
	by_principal();
	ask("alice@EXAMPLE.COM"); /* connected from here on */
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		FILE *log = open_log();

		ask(names[i]);
		assert_int_equal(answer_type, LOOKUP_NOBODY);
		assert_int_equal(
		    count_searches(log, names[i], strlen(names[i])), 1);
	}
	for (unsigned value = 1; value <= 255; value++) {
		FILE *log = open_log();

		octet[0] = (char)value;
		ask(octet);
		assert_int_equal(answer_type, LOOKUP_NOBODY);
		assert_int_equal(count_searches(log, octet, 1), 1);
	}
}

static void
what_is_no_name_is_not_asked_for(void **state)
{
	FILE *log;

	(void)state;
	by_principal();
	ask("alice@EXAMPLE.COM");
	log = open_log();
	ask("");
	assert_int_equal(answer_type, LOOKUP_NOBODY);
	has_answer = false;
	ask_octets("alice@EXAMPLE.COM\0x", 19);
	assert_true(directory_await(base, &has_answer, PATIENCE_US));
	must_fail("no name");
	assert_int_equal(count_searches(log, "", 0), 0);
}

static void
a_long_name_is_asked_for_whole(void **state)
{
	char name[1024];
	FILE *log;

	(void)state;
	by_principal();
	ask("alice@EXAMPLE.COM");
	memset(name, '*', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	log = open_log();
	ask(name);
	assert_int_equal(answer_type, LOOKUP_NOBODY);
	assert_int_equal(count_searches(log, name, sizeof(name) - 1), 1);
}

/* ---- a directory that is away */

static void
a_directory_that_was_started_anew_is_not_noticed(void **state)
{
	(void)state;
	by_principal();
	ask("alice@EXAMPLE.COM");
	assert_int_equal(answer_type, LOOKUP_SUBJECT);
	directory_kill();
	directory_start();
	ask("alice@EXAMPLE.COM");
	assert_int_equal(answer_type, LOOKUP_SUBJECT);
}

static void
a_directory_that_is_down_is_said(void **state)
{
	uint64_t until_us;

	(void)state;
	by_principal();
	ask("alice@EXAMPLE.COM");
	directory_kill();
	ask("alice@EXAMPLE.COM");
	must_fail("connecting: Can't contact LDAP server");
	look_for(GROUP("staff"), strlen(GROUP("staff")));
	must_fail("connecting: Can't contact LDAP server");
	directory_start();
	until_us = clock_monotonic_us() + 3000000;
	do
		ask("alice@EXAMPLE.COM");
	while (answer_type == LOOKUP_FAILED && clock_monotonic_us() < until_us);
	assert_int_equal(answer_type, LOOKUP_SUBJECT);
}

/* Nobody waits in line for a server that does not answer. */
static void
a_directory_that_hangs_fails_all_who_ask_soon(void **state)
{
	uint64_t began_us;
	bool all = false;

	(void)state;
	by_principal();
	ask("alice@EXAMPLE.COM");
	answers = 0;
	directory_signal(SIGSTOP);
	began_us = clock_monotonic_us();
	for (int i = 0; i < 50; i++)
		ask_octets("alice@EXAMPLE.COM", 17);
	while (!all && clock_monotonic_us() < began_us + PATIENCE_US) {
		(void)event_base_loop(base, EVLOOP_NONBLOCK);
		(void)usleep(1000);
		all = answers == 50;
	}
	assert_true(all);
	assert_int_equal(answer_type, LOOKUP_FAILED);
	/* A search and a connection that time out. */
	assert_true(clock_monotonic_us() - began_us < 3500000);
	directory_signal(SIGCONT);
	(void)usleep(1100000);
	ask("alice@EXAMPLE.COM");
	assert_int_equal(answer_type, LOOKUP_SUBJECT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define TEST_IMPATIENT(name)                                                   \
	cmocka_unit_test_setup_teardown(name, set_up_impatient, tear_down)
#define TEST_EMPTY(name)                                                       \
	cmocka_unit_test_setup_teardown(name, set_up_empty, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(groups_in_groups_are_found_and_loops_end),
	    TEST(groups_that_a_user_names_are_found_too),
	    TEST_EMPTY(member_of_alone_will_do),
	    TEST(member_of_is_not_followed_where_it_was_said),
	    TEST(a_user_without_groups_is_found),
	    TEST(nobody_is_nobody),
	    TEST(two_entries_are_no_user),
	    TEST(parts_of_the_principal_find_the_user),
	    TEST(groups_nested_too_deep_are_a_failure),
	    TEST(groups_nested_deep_are_found_where_it_was_said),
	    TEST(too_many_groups_are_a_failure),
	    TEST(thousands_of_groups_come_whole),
	    TEST_EMPTY(a_base_that_is_not_there_is_a_failure),
	    TEST(a_locked_account_has_no_groups_and_is_said),
	    TEST(an_account_is_locked_and_unlocked),
	    TEST(without_a_filter_every_account_is_good),
	    TEST(a_filter_that_the_server_does_not_know_matches_nobody),
	    TEST(a_filter_that_is_none_is_a_failure),
	    TEST(who_has_no_entry_is_denied_where_it_was_said),
	    TEST(groups_come_with_how_they_were_found),
	    TEST(thousands_of_findings_come_whole),
	    TEST(what_cannot_be_found_cannot_be_explained),
	    TEST(an_entry_is_there_or_not),
	    TEST(a_realm_has_its_own_directory),
	    TEST(a_realm_whose_directory_is_down_fails_alone),
	    TEST(a_name_is_asked_for_as_it_is_once),
	    TEST(what_is_no_name_is_not_asked_for),
	    TEST(a_long_name_is_asked_for_whole),
	    TEST(a_directory_that_was_started_anew_is_not_noticed),
	    TEST(a_directory_that_is_down_is_said),
	    TEST_IMPATIENT(a_directory_that_hangs_fails_all_who_ask_soon),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
