/* SPDX-License-Identifier: ISC */
/* A subject comes over the link as it was, and nothing else is one. */
#include "tests/support/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/lookup_protocol.h"
#include "policy/provenance.h"
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
	assert_int_equal(lookup_subject_encode(subject, 0, &data, &len), 0);
	copy = lookup_subject_decode(data, len, NULL);
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
		    lookup_subject_encode(subject, 0, &data, &len), 0);
		copy = lookup_subject_decode(data, len, NULL);
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
	assert_int_equal(lookup_subject_encode(subject, 0, &data, &len), 0);
	for (size_t cut = 0; cut < len; cut++) {
		part = malloc(cut + 1); /* a read past it shows */
		memcpy(part, data, cut);
		errno = 0;
		assert_null(lookup_subject_decode(part, cut, NULL));
		assert_int_equal(errno, EINVAL);
		free(part);
	}
	assert_null(lookup_subject_decode(data, len + 1, NULL));
	assert_int_equal(errno, EINVAL);
	subject_unref(subject);
	free(data);
}

static void
what_is_no_dn_is_refused(void **state)
{
	static const struct {
		size_t len;
		uint8_t data[24];
	} odd[] = {
	    {14, {1, 0, 0, 0, 1, 'u'}},
	    {22, {1, 0, 0, 0, 4, 'c', 'n', '=', 'x', 0, 0, 0, 0, 0, 0, 0, 1, 0,
		     0, 0, 1, 'g'}},
	    /* A DN where there is said to be none; a bit that means nothing;
	     * groups that went ahead and are not there. */
	    {17, {2, 0, 0, 0, 4, 'c', 'n', '=', 'x'}},
	    {17, {5, 0, 0, 0, 4, 'c', 'n', '=', 'x'}},
	    {17, {1, 0, 0, 0, 4, 'c', 'n', '=', 'x', 0, 0, 0, 1, 0, 0, 0, 1}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(odd); i++) {
		assert_null(
		    lookup_subject_decode(odd[i].data, odd[i].len, NULL));
		assert_int_equal(errno, EINVAL);
	}
}

/* ---- more groups than a message holds */

#define MANY 5000

static struct subject *
many(void)
{
	struct subject *subject = subject_new("uid=alice");
	char group[64];

	assert_non_null(subject);
	for (unsigned i = 0; i < MANY; i++) {
		(void)snprintf(group, sizeof(group),
		    "cn=group%u,ou=groups,dc=example,dc=com", i);
		assert_int_equal(subject_add_group(subject, group), 0);
	}
	subject_finish(subject);
	return subject;
}

/* Sends them ahead, and returns how many messages it took; the answer is in
 * *data. */
static unsigned
send_ahead(const struct subject *subject, struct subject *ahead, uint8_t **data,
    size_t *len)
{
	size_t first = 0;
	unsigned messages = 0;

	while (lookup_subject_encode(subject, first, data, len) != 0) {
		assert_null(*data);
		assert_int_equal(
		    lookup_groups_encode(subject, &first, 7, data, len), 0);
		assert_true(*len <= LOOKUP_MESSAGE_MAX);
		assert_int_equal(lookup_groups_number(*data, *len), 7);
		assert_int_equal(lookup_groups_decode(*data, *len, ahead), 0);
		assert_int_equal(ahead->count, first);
		free(*data);
		messages++;
	}
	return messages;
}

static void
what_is_too_much_goes_ahead(void **state)
{
	struct subject *subject = many(), *ahead = subject_new(NULL), *copy;
	uint8_t *data;
	size_t len;

	(void)state;
	assert_true(send_ahead(subject, ahead, &data, &len) > 5);
	copy = lookup_subject_decode(data, len, ahead);
	assert_non_null(copy);
	assert_int_equal(copy->count, MANY);
	for (size_t i = 0; i < MANY; i++)
		assert_string_equal(copy->groups[i], subject->groups[i]);
	assert_int_equal(ahead->count, 0);
	subject_unref(copy);
	/* And none of it twice. */
	errno = 0;
	assert_null(lookup_subject_decode(data, len, ahead));
	assert_int_equal(errno, EINVAL);
	assert_null(lookup_subject_decode(data, len, NULL));
	free(data);
	subject_unref(ahead);
	subject_unref(subject);
}

static void
all_groups_may_go_ahead(void **state)
{
	struct subject *subject = alice(), *ahead = subject_new(NULL), *copy;
	uint8_t *data;
	size_t len, first = 0;

	(void)state;
	assert_int_equal(
	    lookup_groups_encode(subject, &first, 7, &data, &len), 0);
	assert_int_equal(first, 2);
	assert_int_equal(lookup_groups_decode(data, len, ahead), 0);
	free(data);
	assert_int_equal(lookup_subject_encode(subject, first, &data, &len), 0);
	copy = lookup_subject_decode(data, len, ahead);
	assert_non_null(copy);
	assert_int_equal(copy->count, 2);
	free(data);
	subject_unref(copy);
	subject_unref(ahead);
	subject_unref(subject);
}

static void
groups_that_are_cut_are_refused(void **state)
{
	static const uint8_t one[] = {
	    0, 0, 0, 7, 0, 0, 0, 4, 'c', 'n', '=', 'x'};

	(void)state;
	for (size_t cut = 0; cut <= sizeof(one); cut++) {
		struct subject *ahead = subject_new(NULL);
		uint8_t *part = malloc(cut + 1);
		/* Without any group it is whole, too. */
		bool is_whole = cut == 4 || cut == sizeof(one);

		memcpy(part, one, cut);
		assert_int_equal(lookup_groups_decode(part, cut, ahead),
		    is_whole ? 0 : -EINVAL);
		assert_int_equal(
		    lookup_groups_number(part, cut), cut < 4 ? 0 : 7);
		free(part);
		subject_unref(ahead);
	}
}

static void
groups_without_end_are_refused(void **state)
{
	static const uint8_t one[] = {
	    0, 0, 0, 7, 0, 0, 0, 4, 'c', 'n', '=', 'x'};
	struct subject *ahead = subject_new(NULL);

	(void)state;
	for (unsigned i = 0; i < LOOKUP_GROUPS_MAX; i++)
		assert_int_equal(
		    lookup_groups_decode(one, sizeof(one), ahead), 0);
	assert_int_equal(
	    lookup_groups_decode(one, sizeof(one), ahead), -EINVAL);
	subject_unref(ahead);
}

/* ---- where groups come from */

static void
findings_come_through(void **state)
{
	struct provenance *sent = provenance_new(), *found = provenance_new();
	struct subject *ahead = subject_new(NULL);
	uint8_t *data;
	size_t len, first = 0;

	(void)state;
	for (unsigned i = 0; i < ORIGIN_COUNT; i++) {
		char group[16];

		(void)snprintf(group, sizeof(group), "cn=g%u", i);
		assert_int_equal(provenance_add(sent, group, (enum origin)i,
				     i == 0 ? FINDING_DIRECT : i - 1),
		    0);
	}
	assert_int_equal(
	    lookup_findings_encode(sent, &first, 7, &data, &len), 0);
	assert_int_equal(first, ORIGIN_COUNT);
	assert_int_equal(lookup_groups_number(data, len), 7);
	assert_int_equal(lookup_findings_decode(data, len, found, ahead), 0);
	assert_int_equal(found->count, ORIGIN_COUNT);
	assert_int_equal(ahead->count, ORIGIN_COUNT);
	for (size_t i = 0; i < ORIGIN_COUNT; i++) {
		assert_string_equal(
		    found->findings[i].group, sent->findings[i].group);
		assert_string_equal(ahead->groups[i], sent->findings[i].group);
		assert_int_equal(found->findings[i].origin, i);
		assert_int_equal(
		    found->findings[i].through, sent->findings[i].through);
	}
	free(data);
	provenance_free(sent);
	provenance_free(found);
	subject_unref(ahead);
}

static void
findings_that_are_too_many_for_a_message_come_in_several(void **state)
{
	struct provenance *sent = provenance_new(), *found = provenance_new();
	struct subject *ahead = subject_new(NULL);
	unsigned messages = 0;
	char group[64];

	(void)state;
	for (uint32_t i = 0; i < MANY; i++) {
		(void)snprintf(group, sizeof(group),
		    "cn=group%u,ou=groups,dc=example,dc=com", i);
		assert_int_equal(provenance_add(sent, group, ORIGIN_MEMBER,
				     i == 0 ? FINDING_DIRECT : 0),
		    0);
	}
	for (size_t first = 0; first < MANY; messages++) {
		uint8_t *data;
		size_t len;

		assert_int_equal(
		    lookup_findings_encode(sent, &first, 7, &data, &len), 0);
		assert_true(len <= LOOKUP_MESSAGE_MAX);
		assert_int_equal(
		    lookup_findings_decode(data, len, found, ahead), 0);
		assert_int_equal(found->count, first);
		free(data);
	}
	assert_true(messages > 5);
	assert_int_equal(ahead->count, MANY);
	provenance_free(sent);
	provenance_free(found);
	subject_unref(ahead);
}

/* A number, and two findings: the second through the first. */
static const uint8_t two_findings[] = {0, 0, 0, 7,		       /**/
    ORIGIN_MEMBER, 255, 255, 255, 255, 0, 0, 0, 4, 'c', 'n', '=', 'x', /**/
    ORIGIN_MEMBER_OF, 0, 0, 0, 0, 0, 0, 0, 4, 'c', 'n', '=', 'y'};

static int
decode(const uint8_t *octets, size_t len)
{
	struct provenance *found = provenance_new();
	struct subject *ahead = subject_new(NULL);
	uint8_t *part = malloc(len + 1); /* a read past it shows */
	int result;

	memcpy(part, octets, len);
	result = lookup_findings_decode(part, len, found, ahead);
	free(part);
	provenance_free(found);
	subject_unref(ahead);
	return result;
}

static void
findings_that_are_cut_are_refused(void **state)
{
	(void)state;
	for (size_t cut = 0; cut <= sizeof(two_findings); cut++) {
		bool is_whole =
		    cut == 4 || cut == 17 || cut == sizeof(two_findings);

		assert_int_equal(
		    decode(two_findings, cut), is_whole ? 0 : -EINVAL);
	}
}

/* An origin that there is not, a way through what comes later, no DN. */
static void
findings_that_make_no_sense_are_refused(void **state)
{
	static const struct {
		size_t at;
		uint8_t octet;
	} odd[] = {{4, ORIGIN_COUNT}, {4, 255}, {5, 0}, {21, 1}, {21, 2},
	    {18, 1}, {13, '='}, {15, '+'}, {26, 0}, {16, 0}};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(odd); i++) {
		uint8_t octets[sizeof(two_findings)];

		memcpy(octets, two_findings, sizeof(octets));
		octets[odd[i].at] = odd[i].octet;
		assert_int_equal(decode(octets, sizeof(octets)), -EINVAL);
	}
}

static void
findings_without_end_are_refused(void **state)
{
	struct provenance *found = provenance_new();
	struct subject *ahead = subject_new(NULL);

	(void)state;
	for (unsigned i = 0; i < LOOKUP_GROUPS_MAX; i++)
		assert_int_equal(
		    lookup_findings_decode(two_findings, 17, found, ahead), 0);
	assert_int_equal(
	    lookup_findings_decode(two_findings, 17, found, ahead), -EINVAL);
	provenance_free(found);
	subject_unref(ahead);
}

static void
without_memory_nothing_is_encoded(void **state)
{
	struct provenance *found = provenance_new();
	struct subject *subject = alice();
	uint8_t *data;
	size_t len, first = 0;
	int status;

	(void)state;
	is_memory_gone = true;
	status = lookup_subject_encode(subject, 0, &data, &len);
	is_memory_gone = false;
	assert_int_equal(status, -ENOMEM);
	is_memory_gone = true;
	status = lookup_groups_encode(subject, &first, 7, &data, &len);
	is_memory_gone = false;
	assert_int_equal(status, -ENOMEM);
	assert_int_equal(first, 0);
	is_memory_gone = true;
	status = lookup_findings_encode(found, &first, 7, &data, &len);
	is_memory_gone = false;
	assert_int_equal(status, -ENOMEM);
	provenance_free(found);
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
	    cmocka_unit_test(what_is_too_much_goes_ahead),
	    cmocka_unit_test(all_groups_may_go_ahead),
	    cmocka_unit_test(groups_that_are_cut_are_refused),
	    cmocka_unit_test(groups_without_end_are_refused),
	    cmocka_unit_test(findings_come_through),
	    cmocka_unit_test(
		findings_that_are_too_many_for_a_message_come_in_several),
	    cmocka_unit_test(findings_that_are_cut_are_refused),
	    cmocka_unit_test(findings_that_make_no_sense_are_refused),
	    cmocka_unit_test(findings_without_end_are_refused),
	    cmocka_unit_test(without_memory_nothing_is_encoded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
