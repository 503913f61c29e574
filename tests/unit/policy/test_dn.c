/* SPDX-License-Identifier: ISC */
/* Equal names get one form; what is no name is refused. */
#include "tests/support/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "policy/dn.h"

static void
assert_normalised(const char *dn, const char *expected)
{
	char *got = dn_normalise(dn);
	char *again;

	if (got == NULL)
		fail_msg("refused: %s", dn);
	assert_string_equal(got, expected);
	again = dn_normalise(got);
	assert_non_null(again);
	assert_string_equal(again, expected);
	free(again);
	free(got);
}

static void
equal_names_get_one_form(void **state)
{
	static const struct {
		const char *dn, *expected;
	} rows[] = {
	    {"", ""},
	    {"   ", ""},
	    {"dc=com", "dc=com"},
	    {"CN=Alice Liddell,OU=People,DC=Example,DC=COM",
		"cn=alice liddell,ou=people,dc=example,dc=com"},
	    {" cn = Alice  Liddell , ou = x ", "cn=alice liddell,ou=x"},
	    {"cn=a\\,b,dc=x", "cn=a\\,b,dc=x"},
	    {"cn=a\\2Cb,dc=x", "cn=a\\,b,dc=x"},
	    {"cn=a\\2cb\\3D\\=c", "cn=a\\,b==c"},
	    {"cn=\\#a#b", "cn=\\#a#b"},
	    {"cn=\\23a", "cn=\\#a"},
	    {"cn=\\20\\23a\\20", "cn=\\#a"},
	    {"cn=\\ a\\ ", "cn=a"},
	    {"cn=a\\ \\ b", "cn=a b"},
	    {"cn=\\ ", "cn="},
	    {"cn=", "cn="},
	    {"cn=,dc=x", "cn=,dc=x"},
	    {"cn=\\\"q\\\"\\+\\;\\<\\>\\\\", "cn=\\\"q\\\"\\+\\;\\<\\>\\\\"},
	    {"cn=J\xc3\xbcrgen", "cn=j\\c3\\bcrgen"},
	    {"cn=J\\C3\\BCrgen", "cn=j\\c3\\bcrgen"},
	    {"cn=a\\00b\\0A\x7f", "cn=a\\00b\\0a\\7f"},
	    {"cn=\\41", "cn=a"},
	    {"2.5.4.3=X", "2.5.4.3=x"},
	    {"0.9.2342=X", "0.9.2342=x"},
	    {"x-y2=Z", "x-y2=z"},
	    {"cn=#04024869 , dc=x", "cn=#04024869,dc=x"},
	    {"cn=#0AfF", "cn=#0aff"},
	    {"ou=b+cn=a,dc=x", "cn=a+ou=b,dc=x"},
	    {"cn=b + cn=a + cn=ab", "cn=a+cn=ab+cn=b"},
	    {"cn=ab+cn=a", "cn=a+cn=ab"},
	    {"cn=a+cn=a", "cn=a+cn=a"},
	    {"a=1+b=2+c=3+d=4+e=5+f=6+g=7+h=8",
		"a=1+b=2+c=3+d=4+e=5+f=6+g=7+h=8"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
		assert_normalised(rows[i].dn, rows[i].expected);
}

static void
what_is_no_name_is_refused(void **state)
{
	static const char *const rows[] = {
	    "alice",
	    "=alice",
	    "cn",
	    "cn ",
	    ",",
	    "cn=a,",
	    ",cn=a",
	    "cn=a,,dc=x",
	    "cn=a+",
	    "cn=a+,dc=x",
	    "cn=a;dc=x",
	    "cn=\"a\"",
	    "cn=a<b",
	    "cn=a>b",
	    "cn=a\\",
	    "cn=a\\z",
	    "cn=a\\4",
	    "cn=a\\4z",
	    "cn=#",
	    "cn=#0",
	    "cn=#04z",
	    "cn=#0402 4869",
	    "c_n=a",
	    "-cn=a",
	    "2.=a",
	    "2..5=a",
	    "02.5=a",
	    "2.5.=a",
	    "2.5x=a",
	    "c n=a",
	    "c~n=a",
	    "~=a",
	    "a=1+b=2+c=3+d=4+e=5+f=6+g=7+h=8+i=9",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		char *got;

		errno = 0;
		got = dn_normalise(rows[i]);
		if (got != NULL)
			fail_msg("taken: %s", rows[i]);
		assert_int_equal(errno, EINVAL);
	}
}

/* Every octet in a value, raw where it may stand and as a pair of digits. */
static void
every_octet_has_one_form(void **state)
{
	(void)state;
	for (unsigned octet = 1; octet < 256; octet++) {
		char raw[16] = "cn=x?y", escaped[16];
		char *a, *b;

		raw[4] = (char)octet;
		snprintf(escaped, sizeof(escaped), "cn=x\\%02Xy", octet);
		a = dn_normalise(raw);
		b = dn_normalise(escaped);
		assert_non_null(b);
		if (strchr("\"+,;<>\\", (int)octet) != NULL) {
			assert_null(a);
		} else {
			assert_non_null(a);
			assert_string_equal(a, b);
		}
		free(a);
		free(b);
	}
}

static void
what_is_inside_is_told_from_what_looks_like_it(void **state)
{
	static const struct {
		const char *dn, *base;
		bool is_inside;
	} rows[] = {
	    {"dc=org", "dc=org", true},
	    {"cn=a,dc=org", "dc=org", true},
	    {"cn=a,ou=b,dc=x,dc=org", "dc=x,dc=org", true},
	    {"cn=a", "", true},
	    {"", "", true},
	    {"", "dc=org", false},
	    {"dc=com", "dc=org", false},
	    {"cn=a,dc=com", "dc=org", false},
	    {"cn=adc=org", "dc=org", false},
	    {"xdc=org", "dc=org", false},
	    {",dc=org", "dc=org", false},
	    {"cn=a\\,dc=org", "dc=org", false},
	    {"\\,dc=org", "dc=org", false},
	    {"cn=a\\\\,dc=org", "dc=org", true},
	    {"cn=a\\\\\\,dc=org", "dc=org", false},
	    {"cn=a+dc=org", "dc=org", false},
	    {"dc=org", "cn=a,dc=org", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
		if (dn_is_inside(rows[i].dn, rows[i].base) != rows[i].is_inside)
			fail_msg("%s in %s", rows[i].dn, rows[i].base);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(equal_names_get_one_form),
	    cmocka_unit_test(what_is_no_name_is_refused),
	    cmocka_unit_test(every_octet_has_one_form),
	    cmocka_unit_test(what_is_inside_is_told_from_what_looks_like_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
