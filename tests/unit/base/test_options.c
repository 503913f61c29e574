/* SPDX-License-Identifier: ISC */
/* Options arrive as they were added, and nothing else is read as options. */
#include "tests/support/unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/options.h"

static void
the_first_text_of_a_name_is_found(void **state)
{
	struct options *options = options_new();

	(void)state;
	options_add(options, "audit.target", "unix:/dev/log");
	options_add(options, "audit.target", "tcp:192.0.2.1:514");
	assert_string_equal(
	    options_get(options, "audit.target", NULL), "unix:/dev/log");
	assert_string_equal(options_get(options, "audit", "none"), "none");
	assert_null(options_get(options, "audit", NULL));
	options_free(options);
	options_free(NULL);
}

static void
a_list_keeps_its_order(void **state)
{
	struct options *options = options_new();

	(void)state;
	options_add(options, "directory.uri", "ldap://a");
	options_add(options, "other", "x");
	options_add(options, "directory.uri", "ldap://b");
	assert_string_equal(
	    options_get_nth(options, "directory.uri", 0), "ldap://a");
	assert_string_equal(
	    options_get_nth(options, "directory.uri", 1), "ldap://b");
	assert_null(options_get_nth(options, "directory.uri", 2));
	options_free(options);
}

static void
numbers_and_booleans_come_back(void **state)
{
	struct options *options = options_new();

	(void)state;
	options_add_u64(options, "least", 0);
	options_add_u64(options, "most", UINT64_MAX);
	options_add(options, "yes", "true");
	options_add(options, "no", "false");
	assert_int_equal(options_get_u64(options, "least", 7), 0);
	assert_true(options_get_u64(options, "most", 7) == UINT64_MAX);
	assert_int_equal(options_get_u64(options, "none", 7), 7);
	assert_true(options_get_bool(options, "yes", false));
	assert_false(options_get_bool(options, "no", true));
	assert_true(options_get_bool(options, "none", true));
	assert_false(options_get_bool(options, "none", false));
	options_free(options);
}

static void
what_was_encoded_decodes_to_the_same(void **state)
{
	struct options *options = options_new(), *copy;
	uint8_t *data;
	size_t len;

	(void)state;
	options_add(options, "empty", "");
	options_add(options, "name", "\xc3\xa9 \n\"text\"");
	options_add(options, "name", "second");
	options_encode(options, &data, &len);
	copy = options_decode(data, len);
	assert_non_null(copy);
	assert_string_equal(options_get(copy, "empty", NULL), "");
	assert_string_equal(
	    options_get_nth(copy, "name", 0), "\xc3\xa9 \n\"text\"");
	assert_string_equal(options_get_nth(copy, "name", 1), "second");
	assert_null(options_get_nth(copy, "name", 2));
	options_free(copy);
	free(data);
	options_free(options);
}

static void
no_options_are_options_too(void **state)
{
	struct options *options = options_new(), *copy;
	uint8_t *data;
	size_t len;

	(void)state;
	options_encode(options, &data, &len);
	assert_non_null(data);
	assert_int_equal(len, 0);
	copy = options_decode(data, len);
	assert_non_null(copy);
	options_free(copy);
	free(data);
	options_free(options);
}

static void
all_of_them_come_one_by_one(void **state)
{
	struct options *options = options_new();
	const char *name, *text;

	(void)state;
	assert_false(options_at(options, 0, &name, &text));
	options_add(options, "a", "1");
	options_add(options, "b", "2");
	assert_true(options_at(options, 1, &name, &text));
	assert_string_equal(name, "b");
	assert_string_equal(text, "2");
	assert_false(options_at(options, 2, &name, &text));
	options_free(options);
}

static void
every_cut_is_refused(void **state)
{
	struct options *options = options_new();
	uint8_t *data;
	size_t len;

	(void)state;
	options_add(options, "name", "text");
	options_encode(options, &data, &len);
	for (size_t cut = 1; cut < len; cut++) {
		uint8_t *part = malloc(cut); /* a read past it shows */

		memcpy(part, data, cut);
		assert_null(options_decode(part, cut));
		free(part);
	}
	free(data);
	options_free(options);
}

static void
odd_octets_are_refused(void **state)
{
	static const struct {
		size_t len;
		uint8_t data[16];
	} odd[] = {
	    {9, {0, 0, 0, 0, 0, 0, 0, 1, 'x'}},		     /* no name */
	    {10, {0, 0, 0, 1, 0, 0, 0, 0, 1, 'x'}},	     /* NUL in a name */
	    {10, {0, 0, 0, 1, 'x', 0, 0, 0, 1, 0}},	     /* NUL in a text */
	    {10, {0xff, 0xff, 0xff, 0xff, 'x', 0, 0, 0, 0}}, /* too long */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(odd); i++)
		assert_null(options_decode(odd[i].data, odd[i].len));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_first_text_of_a_name_is_found),
	    cmocka_unit_test(a_list_keeps_its_order),
	    cmocka_unit_test(numbers_and_booleans_come_back),
	    cmocka_unit_test(what_was_encoded_decodes_to_the_same),
	    cmocka_unit_test(no_options_are_options_too),
	    cmocka_unit_test(all_of_them_come_one_by_one),
	    cmocka_unit_test(every_cut_is_refused),
	    cmocka_unit_test(odd_octets_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
