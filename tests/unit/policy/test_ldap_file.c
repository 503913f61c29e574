/* SPDX-License-Identifier: ISC */
/* Rules out of an LDIF file, and what is refused in one. */
#include "tests/support/unit.h"

#include <stdio.h>
#include <string.h>

#include "policy/entry.h"
#include "policy/ldap_file.h"

static unsigned entries;
static char last_dn[256];
static char last_value[256];

static int
on_entry(void *arg, const struct entry *entry)
{
	const struct entry_attribute *attribute =
	    entry_find(entry, "description");

	entries++;
	(void)strlcpy(last_dn, entry->dn, sizeof(last_dn));
	last_value[0] = '\0';
	if (attribute != NULL)
		(void)strlcpy(last_value,
		    (const char *)attribute->values[0].octets,
		    sizeof(last_value));
	return arg == NULL ? 0 : 7;
}

static int
read_text(const char *text, void *arg, char why[256])
{
	char copy[1024];
	FILE *file;
	int result;

	(void)strlcpy(copy, text, sizeof(copy));
	file = fmemopen(copy, strlen(copy), "r");
	assert_non_null(file);
	entries = 0;
	why[0] = '\0';
	result = ldif_read(file, on_entry, arg, why, 256);
	assert_int_equal(fclose(file), 0);
	return result;
}

#define RULE "objectClass: gwRule\n"

static void
entries_are_read_with_folds_and_base64(void **state)
{
	char why[256];

	(void)state;
	assert_int_equal(read_text("version: 1\n\n"
				   "# a comment,\n"
				   " folded: too\n"
				   "dn: cn=a,dc=example\n" RULE "cn: a\n"
				   "description: two\n"
				   "  lines\n"
				   "\n\n# between\n\n"
				   "dn:: Y249YixkYz1leGFtcGxl\n"
				   "objectclass: GWDESTINATIONS\n"
				   "description:: YmFzZTY0",
			     NULL, why),
	    0);
	assert_int_equal(entries, 2);
	assert_string_equal(last_dn, "cn=b,dc=example");
	assert_string_equal(last_value, "base64");
}

static void
lines_may_end_as_windows_ends_them(void **state)
{
	char why[256];

	(void)state;
	assert_int_equal(read_text("dn: cn=a\r\nobjectClass: gwRule\r\n"
				   "description: two\r\n  lines\r\n\r\n"
				   "dn: cn=b\r\nobjectClass: gwRule\r\n"
				   "description: end\r\n",
			     NULL, why),
	    0);
	assert_int_equal(entries, 2);
	assert_string_equal(last_value, "end");
}

static void
entries_of_other_classes_are_passed_over(void **state)
{
	char why[256];

	(void)state;
	assert_int_equal(
	    read_text("dn: ou=rules\nobjectClass: organizationalUnit\n\n"
		      "dn: cn=a,ou=rules\n" RULE,
		NULL, why),
	    0);
	assert_int_equal(entries, 1);
	assert_string_equal(last_dn, "cn=a,ou=rules");
}

static void
an_empty_file_has_no_entries(void **state)
{
	static const char *const texts[] = {"\n", "# nothing\n", "version: 1"};
	char why[256];

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(read_text(texts[i], NULL, why), 0);
		assert_int_equal(entries, 0);
	}
}

static void
what_is_wrong_is_refused_with_its_line(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
	    {"dn: cn=a\ncn:< file:///etc/hostname\n",
		"2: a value by reference (:<) is refused"},
	    {"dn: cn=a\nobjectClass: gwRule\ncn:\n < file:///etc/hostname\n"
	     "\ncn: b\n",
		"3: a value by reference (:<) is refused"},
	    {"dn:< file:///etc/hostname\n",
		"1: a value by reference (:<) is refused"},
	    {"dn: cn=a\n" RULE "\ninclude: file:///etc/hostname\n",
		"4: include is refused"},
	    {"\n# one\ndn: cn=a\nchangetype: delete\n",
		"4: a change record: only entries are read"},
	    {"dn: cn=a\ncontrol: 1.2.3\n",
		"2: a change record: only entries are read"},
	    {"cn: a\n", "1: an entry begins with its dn"},
	    {"dn: cn=a\n" RULE "dn: cn=b\n",
		"3: a second dn: no empty line is between two entries"},
	    {"dn: cn=a\nno colon here\n", "2: not \"attribute: value\""},
	    {"dn: cn=a\n* : x\n", "2: not an attribute's name"},
	    {"dn: cn=a\n2.5.4.3: x\n", "2: not an attribute's name"},
	    {"dn: \n" RULE, "1: not a dn"},
	    {"dn:: AGE=\n" RULE, "1: not a dn"},
	    {"dn: cn=a\ncn: a\n", "1: the entry has no objectClass"},
	    {"\n\ndn: cn=a\nobjectClass: gwRul\ngwAction: deny\n",
		"3: the entry has attributes of a rule, and is neither "
		"gwRule nor gwDestinations"},
	    {"dn: cn=a\nobjectClass: 1.2.840.1\n",
		"1: an objectClass is a name here, no number"},
	};
	char why[256];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(read_text(cases[i].text, NULL, why), -1);
		assert_string_equal(why, cases[i].why);
	}
}

static void
a_file_with_a_nul_is_refused(void **state)
{
	char text[] = "dn: cn=a\n\0" RULE, why[256];
	FILE *file = fmemopen(text, sizeof(text) - 1, "r");

	(void)state;
	entries = 0;
	assert_int_equal(ldif_read(file, on_entry, NULL, why, sizeof(why)), -1);
	assert_string_equal(why, "1: there is a NUL in the file");
	assert_int_equal(entries, 0);
	assert_int_equal(fclose(file), 0);
}

static void
the_callback_may_stop_it(void **state)
{
	char why[256];

	(void)state;
	assert_int_equal(
	    read_text("dn: cn=a\n" RULE "\ndn: cn=b\n" RULE, why, why), 7);
	assert_int_equal(entries, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(entries_are_read_with_folds_and_base64),
	    cmocka_unit_test(lines_may_end_as_windows_ends_them),
	    cmocka_unit_test(entries_of_other_classes_are_passed_over),
	    cmocka_unit_test(an_empty_file_has_no_entries),
	    cmocka_unit_test(what_is_wrong_is_refused_with_its_line),
	    cmocka_unit_test(a_file_with_a_nul_is_refused),
	    cmocka_unit_test(the_callback_may_stop_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
