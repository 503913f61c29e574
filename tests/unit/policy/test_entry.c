/* SPDX-License-Identifier: ISC */
/* An entry finds its attributes and survives the way over a link. */
#include "tests/support/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/link.h"
#include "policy/entry.h"

static void
add(struct entry *entry, const char *attribute, const char *value)
{
	assert_int_equal(entry_add(entry, attribute, value, strlen(value)), 0);
}

static void
attributes_are_found_in_any_case(void **state)
{
	struct entry *entry = entry_new("cn=x");
	const struct entry_attribute *found;

	(void)state;
	assert_non_null(entry);
	add(entry, "gwUser", "a");
	add(entry, "GWUSER", "b");
	add(entry, "gwUser;lang-en", "c");
	add(entry, "gwUsers", "d");
	assert_int_equal(entry->count, 2);
	found = entry_find(entry, "gwuser");
	assert_non_null(found);
	assert_string_equal(found->name, "gwUser");
	assert_int_equal(found->count, 3);
	assert_string_equal((char *)found->values[2].octets, "c");
	assert_null(entry_find(entry, "gwUse"));
	assert_null(entry_find(entry, "gwUsersX"));
	entry_free(entry);
	entry_free(NULL);
}

static void
a_class_is_one_of_several_in_any_case(void **state)
{
	struct entry *entry = entry_new("cn=x");

	(void)state;
	assert_non_null(entry);
	assert_false(entry_is_a(entry, "gwRule"));
	add(entry, "objectclass", "top");
	assert_false(entry_is_a(entry, "gwRule"));
	add(entry, "objectclass", "GWRULE");
	assert_true(entry_is_a(entry, "gwRule"));
	assert_true(entry_is_a(entry, "top"));
	assert_false(entry_is_a(entry, "gwRules"));
	entry_free(entry);
}

static void
an_entry_survives_the_link(void **state)
{
	struct entry *entry = entry_new("cn=x,dc=example"), *copy;
	uint8_t *data;
	size_t len;

	(void)state;
	assert_non_null(entry);
	add(entry, "cn", "x");
	add(entry, "empty", "");
	assert_int_equal(entry_add(entry, "binary", "a\0b\xff", 4), 0);
	add(entry, "cn", "y");
	assert_int_equal(entry_encode(entry, &data, &len), 0);
	copy = entry_decode(data, len);
	assert_non_null(copy);
	assert_string_equal(copy->dn, "cn=x,dc=example");
	assert_int_equal(copy->count, 3);
	for (size_t i = 0; i < copy->count; i++) {
		const struct entry_attribute *a = &entry->attributes[i];
		const struct entry_attribute *b = &copy->attributes[i];

		assert_string_equal(a->name, b->name);
		assert_int_equal(a->count, b->count);
		for (size_t j = 0; j < a->count; j++) {
			assert_int_equal(a->values[j].len, b->values[j].len);
			assert_memory_equal(a->values[j].octets,
			    b->values[j].octets, a->values[j].len + 1);
		}
	}
	entry_free(copy);
	free(data);
	entry_free(entry);
}

static void
a_cut_or_lengthened_message_is_refused(void **state)
{
	struct entry *entry = entry_new("cn=x");
	uint8_t *data, *exact;
	size_t len;

	(void)state;
	add(entry, "cn", "x");
	add(entry, "gwPort", "80");
	add(entry, "gwPort", "443");
	assert_int_equal(entry_encode(entry, &data, &len), 0);
	for (size_t i = 0; i < len; i++) {
		exact = malloc(i + 1);
		assert_non_null(exact);
		memcpy(exact, data, i);
		errno = 0;
		assert_null(entry_decode(exact, i));
		assert_int_equal(errno, EINVAL);
		free(exact);
	}
	exact = calloc(1, len + 1);
	assert_non_null(exact);
	memcpy(exact, data, len);
	assert_null(entry_decode(exact, len + 1));
	free(exact);
	data[4] = '\0'; /* in the DN */
	assert_null(entry_decode(data, len));
	free(data);
	entry_free(entry);
}

static void
an_entry_larger_than_a_message_is_refused(void **state)
{
	struct entry *entry = entry_new("cn=x");
	char *value = calloc(1, LINK_MESSAGE_MAX);
	uint8_t *data;
	size_t len, rest = LINK_MESSAGE_MAX - (4 + 4 + 4) - (4 + 2 + 4) - 4;

	(void)state;
	assert_non_null(value);
	assert_int_equal(entry_add(entry, "cn", value, rest), 0);
	assert_int_equal(entry_encode(entry, &data, &len), 0);
	assert_int_equal(len, LINK_MESSAGE_MAX);
	free(data);
	entry_free(entry);

	entry = entry_new("cn=x");
	assert_int_equal(entry_add(entry, "cn", value, rest + 1), 0);
	assert_int_equal(entry_encode(entry, &data, &len), -EMSGSIZE);
	entry_free(entry);
	free(value);
}

static void
an_entry_with_too_many_attributes_is_refused(void **state)
{
	struct entry *entry = entry_new("cn=x");
	uint8_t *data;
	size_t len;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		char name[16];

		snprintf(name, sizeof(name), "a%d", i);
		add(entry, name, "x");
	}
	assert_int_equal(entry_encode(entry, &data, &len), 0);
	data[4 + 4 + 3]++; /* the number of attributes */
	errno = 0;
	assert_null(entry_decode(data, len));
	assert_int_equal(errno, EINVAL);
	free(data);
	add(entry, "a1000", "x");
	assert_int_equal(entry_encode(entry, &data, &len), -EMSGSIZE);
	entry_free(entry);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attributes_are_found_in_any_case),
	    cmocka_unit_test(a_class_is_one_of_several_in_any_case),
	    cmocka_unit_test(an_entry_survives_the_link),
	    cmocka_unit_test(a_cut_or_lengthened_message_is_refused),
	    cmocka_unit_test(an_entry_larger_than_a_message_is_refused),
	    cmocka_unit_test(an_entry_with_too_many_attributes_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
