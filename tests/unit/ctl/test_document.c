/* SPDX-License-Identifier: ISC */
/* Lines become parts of one document, each text of the type it should be. */
#include "tests/support/unit.h"

#include <stdlib.h>
#include <string.h>

#include "ctl/document.h"

static const struct document_field fields[] = {
    {"name", DOCUMENT_TEXT},
    {"number", DOCUMENT_NUMBER},
    {"is", DOCUMENT_BOOL},
    {NULL, DOCUMENT_TEXT},
};

static const struct document_kind kinds[] = {
    {"one", "one", false, fields},
    {"many", "all", true, fields},
    {NULL, NULL, false, NULL},
};

static void
expect(json_t *document, const char *wanted)
{
	char *text = json_dumps(document, JSON_COMPACT | JSON_SORT_KEYS);

	assert_non_null(text);
	assert_string_equal(text, wanted);
	free(text);
}

static struct options *
line(const char *kind, const char *name, const char *number, const char *is)
{
	struct options *options = options_new();

	options_add(options, "kind", kind);
	options_add(options, "name", name);
	options_add(options, "number", number);
	options_add(options, "is", is);
	options_add(options, "unknown", "text");
	return options;
}

static void
add(json_t *document, const char *kind, const char *name, const char *number,
    const char *is)
{
	struct options *options = line(kind, name, number, is);

	document_add(document, kinds, options);
	options_free(options);
}

static void
lines_become_objects_and_lists(void **state)
{
	json_t *document = document_new(kinds);

	(void)state;
	expect(document, "{\"all\":[]}");
	add(document, "one", "a", "0", "true");
	add(document, "many", "b", "9223372036854775807", "false");
	add(document, "many", "c", "3", "false");
	add(document, "of a newer gateway", "d", "4", "false");
	expect(document, "{\"all\":[{\"is\":false,\"name\":\"b\","
			 "\"number\":9223372036854775807},"
			 "{\"is\":false,\"name\":\"c\",\"number\":3}],"
			 "\"one\":{\"is\":true,\"name\":\"a\",\"number\":0}}");
	json_decref(document);
}

static void
what_is_of_no_type_is_null(void **state)
{
	json_t *document = document_new(kinds);

	(void)state;
	add(document, "one", "", "9223372036854775808", "yes");
	expect(document, "{\"all\":[],\"one\":{\"is\":null,\"name\":\"\","
			 "\"number\":null}}");
	json_decref(document);
}

static void
octets_that_are_no_text_are_quoted(void **state)
{
	json_t *document = document_new(kinds);

	(void)state;
	add(document, "one", "a\xff\n", "1", "true");
	expect(document, "{\"all\":[],\"one\":{\"is\":true,"
			 "\"name\":\"a\\\\xff\\\\x0a\",\"number\":1}}");
	json_decref(document);
}

static void
what_a_line_does_not_have_is_left_out(void **state)
{
	struct options *options = options_new();
	json_t *document = document_new(kinds);

	(void)state;
	options_add(options, "kind", "one");
	document_add(document, kinds, options);
	expect(document, "{\"all\":[],\"one\":{}}");
	options_free(options);
	json_decref(document);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lines_become_objects_and_lists),
	    cmocka_unit_test(what_is_of_no_type_is_null),
	    cmocka_unit_test(octets_that_are_no_text_are_quoted),
	    cmocka_unit_test(what_a_line_does_not_have_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
