/* SPDX-License-Identifier: ISC */
/* A subject comes over the link as it was, and nothing else is one. */
#include "tests/support/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/link.h"
#include "policy/lookup_protocol.h"
#include "policy/subject.h"

static bool is_memory_gone;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

void *
__wrap_malloc(size_t size)
{
	return is_memory_gone ? NULL : __real_malloc(size);
}

static struct subject *
alice(void)
{
	struct subject *subject = subject_new("uid=alice,dc=example");

	assert_non_null(subject);
	assert_int_equal(subject_add_group(subject, "cn=staff"), 0);
	assert_int_equal(subject_add_group(subject, "cn=admins"), 0);
	subject_finish(subject);
	return subject;
}

static void
a_subject_comes_through(void **state)
{
	struct subject *subject = alice(), *copy;
	uint8_t *data;
	size_t len;

	(void)state;
	assert_int_equal(lookup_subject_encode(subject, &data, &len), 0);
	copy = lookup_subject_decode(data, len);
	assert_non_null(copy);
	assert_string_equal(copy->dn, "uid=alice,dc=example");
	assert_false(copy->is_disabled);
	assert_int_equal(copy->count, 2);
	assert_true(subject_is_member(copy, "cn=staff"));
	assert_true(subject_is_member(copy, "cn=admins"));
	subject_unref(copy);
	subject_unref(subject);
	free(data);
}

static void
an_account_that_is_not_good_comes_through(void **state)
{
	static const char *const dns[] = {"uid=alice,dc=example", NULL};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(dns); i++) {
		struct subject *subject = subject_new(dns[i]), *copy;
		uint8_t *data;
		size_t len;

		assert_non_null(subject);
		subject->is_disabled = true;
		assert_int_equal(
		    lookup_subject_encode(subject, &data, &len), 0);
		copy = lookup_subject_decode(data, len);
		assert_non_null(copy);
		assert_true(copy->is_disabled);
		assert_int_equal(copy->dn == NULL, dns[i] == NULL);
		assert_int_equal(copy->count, 0);
		subject_unref(copy);
		subject_unref(subject);
		free(data);
	}
}

static void
what_is_cut_or_longer_is_refused(void **state)
{
	struct subject *subject = alice();
	uint8_t *data, *part;
	size_t len;

	(void)state;
	assert_int_equal(lookup_subject_encode(subject, &data, &len), 0);
	for (size_t cut = 0; cut < len; cut++) {
		part = malloc(cut + 1); /* a read past it shows */
		memcpy(part, data, cut);
		errno = 0;
		assert_null(lookup_subject_decode(part, cut));
		assert_int_equal(errno, EINVAL);
		free(part);
	}
	assert_null(lookup_subject_decode(data, len + 1));
	assert_int_equal(errno, EINVAL);
	subject_unref(subject);
	free(data);
}

static void
what_is_no_dn_is_refused(void **state)
{
	static const struct {
		size_t len;
		uint8_t data[20];
	} odd[] = {
	    {10, {1, 0, 0, 0, 1, 'u', 0, 0, 0, 0}},
	    {18, {1, 0, 0, 0, 4, 'c', 'n', '=', 'x', 0, 0, 0, 1, 0, 0, 0, 1,
		     'g'}},
	    /* A DN where there is said to be none; a bit that means nothing. */
	    {13, {2, 0, 0, 0, 4, 'c', 'n', '=', 'x', 0, 0, 0, 0}},
	    {13, {5, 0, 0, 0, 4, 'c', 'n', '=', 'x', 0, 0, 0, 0}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(odd); i++) {
		assert_null(lookup_subject_decode(odd[i].data, odd[i].len));
		assert_int_equal(errno, EINVAL);
	}
}

static void
more_groups_than_a_message_holds_are_refused(void **state)
{
	struct subject *subject = subject_new("uid=alice");
	char group[1024];
	uint8_t *data;
	size_t len;

	(void)state;
	assert_non_null(subject);
	for (size_t i = 0; i < LINK_MESSAGE_MAX / 1000 + 1; i++) {
		(void)snprintf(group, sizeof(group), "cn=%01000zu", i);
		assert_int_equal(subject_add_group(subject, group), 0);
	}
	assert_int_equal(
	    lookup_subject_encode(subject, &data, &len), -EMSGSIZE);
	assert_null(data);
	subject_unref(subject);
}

static void
without_memory_nothing_is_encoded(void **state)
{
	struct subject *subject = alice();
	uint8_t *data;
	size_t len;
	int status;

	(void)state;
	is_memory_gone = true;
	status = lookup_subject_encode(subject, &data, &len);
	is_memory_gone = false;
	assert_int_equal(status, -ENOMEM);
	subject_unref(subject);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_subject_comes_through),
	    cmocka_unit_test(an_account_that_is_not_good_comes_through),
	    cmocka_unit_test(what_is_cut_or_longer_is_refused),
	    cmocka_unit_test(what_is_no_dn_is_refused),
	    cmocka_unit_test(more_groups_than_a_message_holds_are_refused),
	    cmocka_unit_test(without_memory_nothing_is_encoded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
