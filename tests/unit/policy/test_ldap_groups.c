/* SPDX-License-Identifier: ISC */
/* Every way to be in a group, beside a real directory. */
#include "tests/support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/options.h"
#include "base/secret.h"
#include "policy/ldap_account.h"
#include "policy/ldap_connection.h"
#include "policy/ldap_groups.h"
#include "policy/provenance.h"
#include "policy/subject.h"
#include "tests/unit/policy/ldap_directory.h"

#define SUFFIX	     "dc=example,dc=com"
#define GROUP(name)  "cn=" name ",ou=groups," SUFFIX
#define PERSON(name) "cn=" name ",ou=people," SUFFIX
#define EVERY_WAY    "(|(member=%d)(uniqueMember=%d)(memberUid=%u))"

static struct directory_settings directory;
static LDAP *ld;
static struct groups_settings settings;
static struct subject *subject;
static struct provenance *provenance; /* NULL: nobody wants to know */
static char why[DIRECTORY_WHY_SIZE];

/* ---- entries of the test's own */

#define ADD(dn, class) "dn: " dn "\nchangetype: add\nobjectClass: " class "\n"

/* SIDs: an account 1105 of one domain, its group 513, another domain's. */
#define USER_SID     "AQUAAAAAAAUVAAAAAQAAAAIAAAADAAAAUQQAAA=="
#define GROUP_SID    "AQUAAAAAAAUVAAAAAQAAAAIAAAADAAAAAQIAAA=="
#define STRANGER_SID "AQUAAAAAAAUVAAAACQAAAAIAAAADAAAAAQIAAA=="

static const char *const entries[] = {
    ADD(PERSON("ways"), "person") "objectClass: anything\nsn: x\n"
				  "uid: ways\nuid: w(a)y*s\\\n"
				  "primaryGroupID: 513\n"
				  "objectSid:: " USER_SID "\n\n",
    ADD(GROUP("unique"), "groupOfUniqueNames") "uniqueMember: " PERSON(
	"ways") "\n\n",
    /* Another one with the same DN (RFC 4517 section 4.2.31). */
    ADD(GROUP("other"), "groupOfUniqueNames") "uniqueMember: " PERSON(
	"ways") "#'0101'B\n\n",
    ADD(GROUP("around"), "groupOfUniqueNames") "uniqueMember: " GROUP(
	"unique") "\n\n",
    ADD(GROUP("posix"), "posixGroup") "gidNumber: 1\nmemberUid: ways\n\n",
    ADD(GROUP("odd"), "posixGroup") "gidNumber: 2\nmemberUid: w(a)y*s\\\n\n",
    /* What must not match: parts of a name, and a group's own. */
    ADD(GROUP("star"), "posixGroup") "gidNumber: 3\nmemberUid: w\n"
				     "memberUid: WAYS\nmemberUid: wxays\\\n\n",
    ADD(GROUP("over"), "posixGroup") "gidNumber: 4\nmemberUid: posix\n"
				     "memberUid: unique\n\n",
    ADD(GROUP("primary"), "groupOfNames") "objectClass: anything\n"
					  "member: cn=nobody\n"
					  "objectSid:: " GROUP_SID "\n\n",
    ADD(GROUP("everyone"), "groupOfNames") "member: " GROUP("primary") "\n\n",
    ADD(GROUP("stranger"), "groupOfNames") "objectClass: anything\n"
					   "member: cn=nobody\n"
					   "objectSid:: " STRANGER_SID "\n\n",
    /* A ring of three, and a group that is in itself. */
    ADD(GROUP("one"), "groupOfNames") "member: " PERSON(
	"ways") "\n"
		"member: " GROUP("three") "\n\n",
    ADD(GROUP("two"), "groupOfNames") "member: " GROUP("one") "\n\n",
    ADD(GROUP("three"), "groupOfNames") "member: " GROUP("two") "\n\n",
    ADD(GROUP("itself"), "groupOfNames") "member: " GROUP(
	"itself") "\n"
		  "member: " GROUP("two") "\n\n",
};

/* ---- one look-up */

static int
connect_all(void **state)
{
	struct options *options = options_new();
	char no_why[DIRECTORY_WHY_SIZE];

	(void)state;
	directory_add_server(options, "ldap", 1);
	options_add(options, "directory.ca_file", directory_path("ca.pem"));
	options_add(options, "directory.bind", "simple");
	options_add(options, "directory.bind_dn", DIRECTORY_READER);
	options_add_u64(options, "directory.timeout", 10);
	directory_settings_init(&directory, options,
	    secret_new(
		DIRECTORY_READER_PASSWORD, strlen(DIRECTORY_READER_PASSWORD)));
	options_free(options);
	ld = directory_open(&directory, 10, no_why);
	if (ld == NULL)
		fail_msg("%s", no_why);
	for (size_t i = 0; i < ARRAY_COUNT(entries); i++)
		directory_modify(entries[i]);
	return 0;
}

static int
disconnect_all(void **state)
{
	(void)state;
	directory_close(ld);
	directory_settings_fini(&directory);
	return 0;
}

static int
set_up(void **state)
{
	static char base[] = "ou=groups," SUFFIX;

	(void)state;
	settings = (struct groups_settings){
	    .base = base,
	    .member_of = true,
	    .nesting_max = 16,
	    .groups_max = 4096,
	    .timeout_s = 10,
	};
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	subject_unref(subject);
	subject = NULL;
	provenance_free(provenance);
	provenance = NULL;
	return 0;
}

static int
look_up(const char *dn, const char *filter)
{
	struct account account;
	int result;

	settings.filter = (char *)(uintptr_t)filter;
	subject_unref(subject);
	subject = subject_new(dn);
	assert_non_null(subject);
	why[0] = '\0';
	assert_int_equal(account_read(ld, dn, "", 10, &account), 0);
	assert_true(account.is_good);
	result =
	    groups_find(ld, &settings, subject, dn, &account, provenance, why);
	account_fini(&account);
	return result;
}

static void
must_be_in(const char *const groups[], size_t count)
{
	for (size_t i = 0; i < subject->count && subject->count != count; i++)
		print_error("%s\n", subject->groups[i]);
	assert_int_equal(subject->count, count);
	for (size_t i = 0; i < count; i++)
		assert_true(subject_is_member(subject, groups[i]));
}

#define MUST_BE_IN(...)                                                        \
	do {                                                                   \
		static const char *const groups[] = {__VA_ARGS__};             \
		must_be_in(groups, ARRAY_COUNT(groups));                       \
	} while (0)

/* ---- ways */

static void
groups_in_a_ring_end(void **state)
{
	(void)state;
	assert_int_equal(look_up(PERSON("ways"), "(member=%d)"), 0);
	MUST_BE_IN(GROUP("one"), GROUP("two"), GROUP("three"), GROUP("itself"));
}

static void
unique_members_are_members(void **state)
{
	(void)state;
	assert_int_equal(look_up(PERSON("ways"), "(uniqueMember=%d)"), 0);
	MUST_BE_IN(GROUP("unique"), GROUP("around"));
}

/* By uid's values, each and whole; a group is nobody's uid. */
static void
members_are_named_by_uid_too(void **state)
{
	(void)state;
	assert_int_equal(
	    look_up(PERSON("ways"), "(|(uniqueMember=%d)(memberUid=%u))"), 0);
	MUST_BE_IN(
	    GROUP("unique"), GROUP("around"), GROUP("posix"), GROUP("odd"));
}

static void
who_has_no_uid_is_a_member_by_dn_alone(void **state)
{
	(void)state;
	assert_int_equal(look_up(PERSON("alice"), EVERY_WAY), 0);
	MUST_BE_IN(GROUP("staff"), GROUP("everybody"), GROUP("loop"));
}

static void
the_primary_group_is_found_by_its_identifier(void **state)
{
	(void)state;
	settings.primary_group = true;
	assert_int_equal(look_up(PERSON("ways"), EVERY_WAY), 0);
	MUST_BE_IN(GROUP("one"), GROUP("two"), GROUP("three"), GROUP("itself"),
	    GROUP("unique"), GROUP("around"), GROUP("posix"), GROUP("odd"),
	    GROUP("primary"), GROUP("everyone"));
	assert_int_equal(look_up(PERSON("alice"), "(member=%d)"), 0);
	assert_int_equal(subject->count, 3);
}

/* The filter is trusted with it: groups that it found are not asked about,
 * but for the primary group, which it cannot know. */
static void
in_chain_the_filter_is_asked_once(void **state)
{
	(void)state;
	settings.is_in_chain = true;
	assert_int_equal(look_up(PERSON("ways"), "(member=%d)"), 0);
	MUST_BE_IN(GROUP("one"));
	settings.primary_group = true;
	assert_int_equal(look_up(PERSON("ways"), "(member=%d)"), 0);
	MUST_BE_IN(GROUP("one"), GROUP("primary"), GROUP("everyone"));
}

static void
in_chain_what_the_user_names_counts(void **state)
{
	(void)state;
	settings.is_in_chain = true;
	assert_int_equal(look_up(PERSON("carol"), "(member=%d)"), 0);
	MUST_BE_IN(GROUP("named"), GROUP("gone"));
}

/* ---- where they come from */

static void
explain(const char *dn, const char *filter)
{
	provenance_free(provenance);
	provenance = provenance_new();
	assert_non_null(provenance);
	assert_int_equal(look_up(dn, filter), 0);
	assert_int_equal(provenance->count, subject->count);
	for (size_t i = 0; i < provenance->count; i++)
		assert_true(
		    subject_is_member(subject, provenance->findings[i].group));
}

/* Through no group if `through` is NULL. */
static void
comes_from(const char *group, enum origin origin, const char *through)
{
	const struct finding *finding = provenance->findings;
	size_t i = 0;

	while (i < provenance->count && strcmp(finding[i].group, group) != 0)
		i++;
	assert_true(i < provenance->count);
	finding += i;
	assert_string_equal(
	    origin_print(finding->origin), origin_print(origin));
	if (through == NULL) {
		assert_int_equal(finding->through, FINDING_DIRECT);
		return;
	}
	assert_true(finding->through < provenance->count);
	assert_string_equal(
	    provenance->findings[finding->through].group, through);
}

static void
each_group_comes_from_what_names_its_member(void **state)
{
	(void)state;
	settings.primary_group = true;
	explain(PERSON("ways"), EVERY_WAY);
	assert_int_equal(provenance->count, 10);
	comes_from(GROUP("primary"), ORIGIN_PRIMARY_GROUP, NULL);
	comes_from(GROUP("everyone"), ORIGIN_MEMBER, GROUP("primary"));
	comes_from(GROUP("one"), ORIGIN_MEMBER, NULL);
	comes_from(GROUP("unique"), ORIGIN_UNIQUE_MEMBER, NULL);
	comes_from(GROUP("around"), ORIGIN_UNIQUE_MEMBER, GROUP("unique"));
	comes_from(GROUP("posix"), ORIGIN_MEMBER_UID, NULL);
	comes_from(GROUP("odd"), ORIGIN_MEMBER_UID, NULL);
}

/* By the shortest way, in a ring and in itself too. */
static void
groups_in_a_ring_come_through_each_other(void **state)
{
	(void)state;
	explain(PERSON("ways"), "(&(objectClass=*)(member=%d))");
	assert_int_equal(provenance->count, 4);
	comes_from(GROUP("one"), ORIGIN_MEMBER, NULL);
	comes_from(GROUP("two"), ORIGIN_MEMBER, GROUP("one"));
	comes_from(GROUP("three"), ORIGIN_MEMBER, GROUP("two"));
	comes_from(GROUP("itself"), ORIGIN_MEMBER, GROUP("two"));
}

static void
a_group_that_the_member_names_comes_from_that(void **state)
{
	(void)state;
	explain(PERSON("carol"), EVERY_WAY);
	assert_int_equal(provenance->count, 4);
	comes_from(GROUP("named"), ORIGIN_MEMBER_OF, NULL);
	comes_from(GROUP("gone"), ORIGIN_MEMBER_OF, NULL);
	comes_from(GROUP("far"), ORIGIN_MEMBER_OF, GROUP("named"));
	comes_from(GROUP("outer"), ORIGIN_MEMBER, GROUP("named"));
}

/* A filter may know of members what no attribute of ours says. */
static void
what_only_the_filter_knows_comes_from_the_filter(void **state)
{
	(void)state;
	explain(PERSON("alice"), "(|(&(cn=far)(!(sn=%d)))(member=%d))");
	comes_from(GROUP("staff"), ORIGIN_MEMBER, NULL);
	comes_from(GROUP("everybody"), ORIGIN_MEMBER, GROUP("staff"));
	comes_from(GROUP("far"), ORIGIN_FILTER, NULL);
}

/* The server's own answer is more than the group's members say. */
static void
in_chain_the_server_knows(void **state)
{
	(void)state;
	settings.is_in_chain = true;
	settings.primary_group = true;
	explain(PERSON("ways"), "(|(cn=three)(cn=two)(member=%d))");
	comes_from(GROUP("one"), ORIGIN_MEMBER, NULL);
	comes_from(GROUP("two"), ORIGIN_IN_CHAIN, NULL);
	comes_from(GROUP("three"), ORIGIN_IN_CHAIN, NULL);
	comes_from(GROUP("primary"), ORIGIN_PRIMARY_GROUP, NULL);
	comes_from(GROUP("everyone"), ORIGIN_MEMBER, GROUP("primary"));
}

/* To know more finds nothing else. */
static void
explained_or_not_the_groups_are_the_same(void **state)
{
	static const char *const people[] = {
	    PERSON("ways"), PERSON("alice"), PERSON("carol"), PERSON("alone")};

	(void)state;
	settings.primary_group = true;
	for (size_t i = 0; i < ARRAY_COUNT(people); i++) {
		struct subject *plain;

		assert_int_equal(look_up(people[i], EVERY_WAY), 0);
		plain = subject_ref(subject);
		explain(people[i], EVERY_WAY);
		assert_int_equal(plain->count, subject->count);
		for (size_t n = 0; n < plain->count; n++)
			assert_string_equal(
			    plain->groups[n], subject->groups[n]);
		subject_unref(plain);
		provenance_free(provenance);
		provenance = NULL;
	}
}

/* ---- names that would be more than names */

static const char *const odd_names[] = {"a,b", "a+b=c", "\"quoted\"",
    "back\\slash", "st*r", "(paren)(|(cn=*", "semi;colon<>", "#hash", " lead",
    "trail ", "caf\xc3\xa9", "\xe4\xb8\x9c", "%d%u", "a=b", "a/b", "x\r\ny",
    "\x01\x7f"};

/* RFC 4514: every octet as \xx. */
static char *
odd_dn(const char *name)
{
	char *dn;
	size_t len;
	FILE *out = open_memstream(&dn, &len);

	assert_non_null(out);
	(void)fputs("cn=", out);
	for (; *name != '\0'; name++)
		(void)fprintf(out, "\\%02x", (unsigned char)*name);
	(void)fputs(",ou=people," SUFFIX, out);
	assert_int_equal(fclose(out), 0);
	return dn;
}

static void
add_member(const char *dn, size_t number)
{
	char *ldif;

	assert_true(
	    asprintf(&ldif,
		"dn: %s\nchangetype: add\nobjectClass: person\nsn: x\n\n"
		"dn: cn=odd%zu,ou=groups," SUFFIX "\nchangetype: add\n"
		"objectClass: groupOfNames\nmember: %s\n\n"
		"dn: cn=odder%zu,ou=groups," SUFFIX "\nchangetype: add\n"
		"objectClass: groupOfUniqueNames\nuniqueMember: %s\n\n",
		dn, number, dn, number, dn) > 0);
	directory_modify(ldif);
	free(ldif);
}

static void
must_be_in_numbered(const char *prefix, size_t number)
{
	char group[64];

	(void)snprintf(
	    group, sizeof(group), "cn=%s%zu,ou=groups," SUFFIX, prefix, number);
	assert_true(subject_is_member(subject, group));
}

static void
odd_names_are_in_their_own_groups_only(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(odd_names); i++) {
		char *dn = odd_dn(odd_names[i]);

		add_member(dn, i);
		free(dn);
	}
	for (size_t i = 0; i < ARRAY_COUNT(odd_names); i++) {
		char *dn = odd_dn(odd_names[i]);

		explain(dn, EVERY_WAY);
		assert_int_equal(subject->count, 2);
		assert_int_not_equal(provenance->findings[0].origin,
		    provenance->findings[1].origin);
		must_be_in_numbered("odd", i);
		must_be_in_numbered("odder", i);
		free(dn);
	}
}

/* ---- bounds */

#define MANY 5000

static void
add_many(void)
{
	char *ldif;
	size_t len;
	FILE *out = open_memstream(&ldif, &len);

	assert_non_null(out);
	(void)fputs(ADD(PERSON("many"), "person") "sn: x\n\n", out);
	for (unsigned i = 0; i < MANY; i++)
		(void)fprintf(out,
		    "dn: cn=many%u,ou=groups," SUFFIX "\nchangetype: add\n"
		    "objectClass: groupOfNames\nmember: " PERSON("many") "\n\n",
		    i);
	assert_int_equal(fclose(out), 0);
	directory_modify(ldif);
	free(ldif);
}

static void
more_groups_than_a_page_are_all_found(void **state)
{
	(void)state;
	add_many();
	settings.groups_max = MANY;
	assert_int_equal(look_up(PERSON("many"), "(member=%d)"), 0);
	assert_int_equal(subject->count, MANY);
	settings.groups_max = MANY - 1;
	assert_int_not_equal(look_up(PERSON("many"), "(member=%d)"), 0);
	assert_non_null(strstr(why, "directory.groups_max"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(groups_in_a_ring_end),
	    TEST(unique_members_are_members),
	    TEST(members_are_named_by_uid_too),
	    TEST(who_has_no_uid_is_a_member_by_dn_alone),
	    TEST(the_primary_group_is_found_by_its_identifier),
	    TEST(in_chain_the_filter_is_asked_once),
	    TEST(in_chain_what_the_user_names_counts),
	    TEST(each_group_comes_from_what_names_its_member),
	    TEST(groups_in_a_ring_come_through_each_other),
	    TEST(a_group_that_the_member_names_comes_from_that),
	    TEST(what_only_the_filter_knows_comes_from_the_filter),
	    TEST(in_chain_the_server_knows),
	    TEST(explained_or_not_the_groups_are_the_same),
	    TEST(odd_names_are_in_their_own_groups_only),
	    TEST(more_groups_than_a_page_are_all_found),
	};

	return cmocka_run_group_tests(tests, connect_all, disconnect_all);
}
