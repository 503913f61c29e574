/* SPDX-License-Identifier: ISC */
/* Whichever allocation fails, it is told and nothing is lost or half done. */
#include "tests/support/unit.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/entry.h"
#include "policy/judge.h"
#include "policy/lint.h"
#include "policy/ruleset.h"
#include "policy/subject.h"
#include "tests/unit/policy/rule_text.h"

/* How many allocations still work; below 0: all. */
static long left = -1;

static bool
fails(void)
{
	if (left < 0)
		return false;
	if (left > 0) {
		left--;
		return false;
	}
	errno = ENOMEM;
	return true;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_reallocarray(void *old, size_t count, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t len);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_reallocarray(void *old, size_t count, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t len);
int __wrap_asprintf(char **out, const char *format, ...) printf_like(2, 3);
int __wrap___asprintf_chk(char **out, int flag, const char *format, ...)
    printf_like(3, 4);

void *
__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

void *
__wrap_reallocarray(void *old, size_t count, size_t size)
{
	return fails() ? NULL : __real_reallocarray(old, count, size);
}

char *
__wrap_strdup(const char *text)
{
	return fails() ? NULL : __real_strdup(text);
}

char *
__wrap_strndup(const char *text, size_t len)
{
	return fails() ? NULL : __real_strndup(text, len);
}

int
__wrap_asprintf(char **out, const char *format, ...)
{
	va_list arguments;
	int len = -1;

	va_start(arguments, format);
	if (!fails())
		len = vasprintf(out, format, arguments);
	va_end(arguments);
	return len;
}

int
__wrap___asprintf_chk(char **out, int flag, const char *format, ...)
{
	va_list arguments;
	int len = -1;

	(void)flag;
	va_start(arguments, format);
	if (!fails())
		len = vasprintf(out, format, arguments);
	va_end(arguments);
	return len;
}

static const char rules_text[] =
    "dn: cn=s\nobjectClass: gwDestinations\ncn: s\n"
    "gwDestination: a.example\ngwDestination: 10.0.0.0/8\n\n"
    "dn: cn=t\nobjectClass: gwDestinations\ncn: t\n"
    "gwDestination: a.example\n\n"
    "dn: cn=r\nobjectClass: gwRule\ncn: r\ngwAction: permit\n"
    "gwUser: cn=u\ngwGroup: cn=g\ngwPrincipal: a@R\ngwListener: x\n"
    "gwClient: 10.0.0.0/8\ngwDestination: *.example\ngwPort: 80\n"
    "gwDestinationSet: cn=s\ngwDestinationSet: cn=t\n"
    "gwIndicator: otp\ngwIndicator: pin\n"
    "gwSchedule: Mon 08:00-18:00 UTC\n"
    "gwSchedule: Tue 08:00-18:00 UTC\n\n"
    "dn: cn=q\nobjectClass: gwRule\ncn: q\ngwAction: permit\n"
    "gwDestination: *\ngwDestination: 11.0.0.0/8\n"
    "gwDestinationSet: cn=s\n\n"
    "dn: cn=p\nobjectClass: gwRule\ncn: p\ngwAction: deny\n"
    "gwDestination: 10.0.0.0/8\ngwPort: 443\n\n";

/* More keys than the index begins with. */
static size_t
make_text(char *out, size_t size)
{
	size_t len = (size_t)snprintf(out, size, "%s", rules_text);

	len += (size_t)snprintf(out + len, size - len,
	    "dn: cn=many\nobjectClass: gwRule\ncn: many\ngwAction: deny\n");
	for (int i = 0; i < 40; i++)
		len += (size_t)snprintf(
		    out + len, size - len, "gwDestination: h%d.example\n", i);
	return len;
}

static void
a_rule_set_is_whole_or_not_there(void **state)
{
	static char text[8192];
	struct ruleset *rules = NULL;
	long allocations = 0;

	(void)state;
	assert_true(make_text(text, sizeof(text)) < sizeof(text));
	for (; rules == NULL; allocations++) {
		char why[512] = "";

		left = allocations;
		rules = rule_text_build(text, why, sizeof(why));
		left = -1;
		if (rules == NULL)
			assert_string_equal(why, "");
	}
	assert_int_equal(ruleset_count(rules), 4);
	assert_true(allocations > 100);
	ruleset_unref(rules);
}

static void
an_entry_is_whole_or_not_there(void **state)
{
	struct entry *entry = entry_new("cn=x"), *copy = NULL;
	uint8_t *data = NULL;
	size_t len = 0;
	long allocations;

	(void)state;
	assert_non_null(entry);
	assert_int_equal(entry_add(entry, "a", "1", 1), 0);
	assert_int_equal(entry_add(entry, "a", "2", 1), 0);
	assert_int_equal(entry_add(entry, "b", "3", 1), 0);
	left = 0;
	assert_int_equal(entry_encode(entry, &data, &len), -ENOMEM);
	left = -1;
	assert_int_equal(entry_encode(entry, &data, &len), 0);
	for (allocations = 0; copy == NULL; allocations++) {
		errno = 0;
		left = allocations;
		copy = entry_decode(data, len);
		left = -1;
		if (copy == NULL)
			assert_int_equal(errno, ENOMEM);
	}
	assert_true(allocations > 10);
	assert_int_equal(copy->count, 2);
	entry_free(copy);
	free(data);
	entry_free(entry);
}

static void
a_value_that_found_no_memory_is_not_there(void **state)
{
	struct entry *entry = entry_new("cn=x");

	(void)state;
	assert_int_equal(entry_add(entry, "a", "1", 1), 0);
	for (long allocations = 0; allocations < 4; allocations++) {
		left = allocations;
		assert_int_equal(entry_add(entry, "b", "2", 1), -ENOMEM);
		left = -1;
		assert_null(entry_find(entry, "b"));
		assert_int_equal(entry_find(entry, "a")->count, 1);
		/* The name itself is there after two allocations. */
		if (entry->count == 2)
			break;
	}
	entry_free(entry);
}

static void
a_subject_is_whole_or_not_there(void **state)
{
	struct subject *subject = NULL;
	int error = -ENOMEM;
	long allocations;

	(void)state;
	for (allocations = 0; subject == NULL; allocations++) {
		left = allocations;
		subject = subject_new("cn=alice");
		left = -1;
	}
	assert_int_equal(allocations, 4);
	for (allocations = 0; error != 0; allocations++) {
		left = allocations;
		error = subject_add_group(subject, "cn=g");
		left = -1;
		assert_true(error == 0 || error == -ENOMEM);
	}
	assert_int_equal(allocations, 4);
	assert_int_equal(subject->count, 1);
	subject_unref(subject);
}

/* What cannot be told for want of memory is told when it is resolved. */
static void
judging_by_name_needs_no_memory_to_be_safe(void **state)
{
	static const struct identity alice = {
	    .name = "alice@R", .method = METHOD_GSSAPI};
	struct request request = {
	    .identity = &alice, .command = COMMAND_CONNECT, .listener = "x"};
	char why[512];
	struct ruleset *rules = rule_text_build(
	    "dn: cn=d\nobjectClass: gwRule\ncn: d\ngwAction: deny\n"
	    "gwDestination: 10.0.0.0/8\n\n"
	    "dn: cn=p\nobjectClass: gwRule\ncn: p\ngwAction: permit\n"
	    "gwDestination: 10.0.0.0/9\n",
	    why, sizeof(why));
	struct judge_context context = {.rules = rules};

	(void)state;
	assert_non_null(rules);
	assert_true(
	    endpoint_from_name("a.example", 9, 443, &request.destination));
	assert_int_equal(
	    judge_request(&context, &request).decision, DECISION_DENY);
	for (long allocations = 0; allocations < 2; allocations++) {
		struct verdict verdict;

		left = allocations;
		verdict = judge_request(&context, &request);
		left = -1;
		assert_int_equal(verdict.decision, DECISION_DEPENDS);
	}
	ruleset_unref(rules);
}

static void
count_shadows(void *arg, const struct lint_finding *finding)
{
	*(size_t *)arg +=
	    finding->kind == LINT_SHADOWED || finding->kind == LINT_OVERTAKEN;
}

/* Nothing is found then that is not there. */
static void
linting_without_memory_finds_less(void **state)
{
	static const struct lint_facts facts = {.now = 0};
	char why[512];
	struct ruleset *rules = rule_text_build(
	    "dn: cn=a\nobjectClass: gwRule\ncn: a\ngwAction: permit\n"
	    "gwOrder: 1\ngwClient: 10.0.0.0/9\ngwClient: 10.128.0.0/9\n"
	    "gwDestination: 10.0.0.0/9\ngwDestination: 10.128.0.0/9\n\n"
	    "dn: cn=b\nobjectClass: gwRule\ncn: b\ngwAction: permit\n"
	    "gwClient: 10.0.0.0/8\ngwDestination: 10.0.0.0/8\n",
	    why, sizeof(why));
	enum lint_outcome outcome = LINT_NO_MEMORY;
	size_t found = 0;

	(void)state;
	assert_non_null(rules);
	for (long allocations = 0; found == 0; allocations++) {
		assert_in_range(allocations, 0, 100);
		left = allocations;
		outcome = lint_rules(rules, &facts, count_shadows, &found);
		left = -1;
	}
	assert_int_equal(outcome, LINT_DONE);
	assert_int_equal(found, 1);
	ruleset_unref(rules);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_rule_set_is_whole_or_not_there),
	    cmocka_unit_test(an_entry_is_whole_or_not_there),
	    cmocka_unit_test(a_value_that_found_no_memory_is_not_there),
	    cmocka_unit_test(a_subject_is_whole_or_not_there),
	    cmocka_unit_test(judging_by_name_needs_no_memory_to_be_safe),
	    cmocka_unit_test(linting_without_memory_finds_less),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
