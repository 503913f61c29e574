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

static void
entries_are_read_with_folds_and_base64(void **state)
{
	char why[256];

	(void)state;
	assert_int_equal(read_text("version: 1\n\n"
				   "# a comment\n"
				   "dn: cn=a,dc=example\n"
				   "cn: a\n"
				   "description: two\n"
				   "  lines\n"
				   "\n\n"
				   "dn:: Y249YixkYz1leGFtcGxl\n"
				   "description:: YmFzZTY0\n",
			     NULL, why),
	    0);
	assert_int_equal(entries, 2);
	assert_string_equal(last_dn, "cn=b,dc=example");
	assert_string_equal(last_value, "base64");
}

static void
what_reaches_out_of_the_file_is_refused(void **state)
{
	char why[256];

	(void)state;
	assert_int_equal(
	    read_text("dn: cn=a\ncn:< file:///etc/hostname\n", NULL, why), -1);
	assert_string_equal(
	    why, "line 1: a value by reference (:<) is refused");
	assert_int_equal(
	    read_text("dn: cn=a\ncn: a\n\ninclude: file:///etc/hostname\n",
		NULL, why),
	    -1);
	assert_string_equal(why, "line 4: include is refused");
}

static void
what_is_no_entry_is_refused(void **state)
{
	static const char *const texts[] = {
	    "dn: cn=a\nchangetype: delete\n",
	    "cn: a\n",
	    "dn: cn=a\ndn: cn=b\n",
	    "dn: cn=a\nno colon here\n",
	};
	char why[256];

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(read_text(texts[i], NULL, why), -1);
		assert_non_null(strstr(why, "line 1: "));
		assert_int_equal(entries, 0);
	}
}

static void
the_callback_may_stop_it(void **state)
{
	char why[256];

	(void)state;
	assert_int_equal(
	    read_text("dn: cn=a\ncn: a\n\ndn: cn=b\ncn: b\n", why, why), 7);
	assert_int_equal(entries, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(entries_are_read_with_folds_and_base64),
	    cmocka_unit_test(what_reaches_out_of_the_file_is_refused),
	    cmocka_unit_test(what_is_no_entry_is_refused),
	    cmocka_unit_test(the_callback_may_stop_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
