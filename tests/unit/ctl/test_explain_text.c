/* SPDX-License-Identifier: ISC */
/* An explained decision for people. */
#include "tests/support/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl/explain_text.h"

/* What was printed. */
static char text[4096];

/* With standard output going elsewhere; NULL: into `text`. */
static enum outcome
print_to(const char *path, json_t *document)
{
	char name[] = "/tmp/gatewarden-test-XXXXXX";
	int out = path == NULL ? mkstemp(name) : open(path, O_WRONLY);
	int kept;
	enum outcome outcome;
	ssize_t len;

	assert_non_null(document);
	assert_true(out >= 0);
	(void)fflush(stdout);
	kept = dup(STDOUT_FILENO);
	assert_int_equal(dup2(out, STDOUT_FILENO), STDOUT_FILENO);
	outcome = explain_text_print(document);
	(void)fflush(stdout);
	clearerr(stdout);
	assert_int_equal(dup2(kept, STDOUT_FILENO), STDOUT_FILENO);
	(void)close(kept);
	if (path == NULL) {
		assert_int_equal(lseek(out, 0, SEEK_SET), 0);
		len = read(out, text, sizeof(text) - 1);
		assert_true(len >= 0);
		text[len] = '\0';
		(void)unlink(name);
	}
	(void)close(out);
	json_decref(document);
	return outcome;
}

/* Denied before any rule was asked; the user as given. */
static json_t *
document_of(json_t *subject)
{
	return json_pack("{s:{s:s, s:s}, s:{s:s}, s:o, s:[], s:[], s:[]}",
	    "decision", "decision", "deny", "reason", "denied_no_rule",
	    "question", "identity", "a@B", "subject", subject, "groups",
	    "addresses", "rules");
}

static void
who_is_not_known_is_not_said_to_be_missing(void **state)
{
	static const struct {
		const char *account, *says;
	} rows[] = {
	    {"unknown", "not known; account unknown"},
	    {"good", "not in the directory; account good"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		assert_int_equal(
		    print_to(NULL, document_of(json_pack("{s:b, s:s}", "asked",
				       1, "account", rows[i].account))),
		    OUTCOME_OK);
		if (strstr(text, rows[i].says) == NULL)
			fail_msg("%s", text);
	}
}

static void
limits_are_told(void **state)
{
	json_t *document = json_pack(
	    "{s:{s:s, s:s, s:i, s:i, s:i, s:i}, s:{}, s:{}, s:[], s:[]}",
	    "decision", "decision", "permit", "reason", "ok", "max_sessions", 7,
	    "max_rate", 1000, "max_duration", 60, "idle_timeout", 5, "question",
	    "subject", "addresses", "rules");

	(void)state;
	assert_int_equal(print_to(NULL, document), OUTCOME_OK);
	assert_non_null(strstr(text, "limit      7 sessions at a time\n"));
	assert_non_null(strstr(text, "limit      1000 octets a second\n"));
	assert_non_null(strstr(text, "limit      60 s for a session\n"));
	assert_non_null(strstr(text, "limit      5 s without an octet\n"));
}

/* Whether there were rules to list or none. */
static void
what_cannot_be_written_fails(void **state)
{
	json_t *document = document_of(json_object());

	(void)state;
	assert_int_equal(
	    print_to("/dev/full", document_of(json_object())), OUTCOME_LOCAL);
	assert_int_equal(
	    json_array_append_new(json_object_get(document, "rules"),
		json_pack("{s:s, s:s}", "name", "web", "part", "permits")),
	    0);
	assert_int_equal(print_to("/dev/full", document), OUTCOME_LOCAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(who_is_not_known_is_not_said_to_be_missing),
	    cmocka_unit_test(limits_are_told),
	    cmocka_unit_test(what_cannot_be_written_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
