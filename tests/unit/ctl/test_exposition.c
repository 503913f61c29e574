/* SPDX-License-Identifier: ISC */
/* What Prometheus is told: its text format, value by value. */
#include "tests/support/unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/options.h"
#include "ctl/exposition.h"

static struct options *
line_of(const char *kind, const char *name, const char *value)
{
	struct options *line = options_new();

	options_add(line, "kind", kind);
	options_add(line, "name", name);
	options_add(line, "value", value);
	return line;
}

static char *
print(struct exposition *exposition, bool is_up)
{
	size_t len;
	char *text = exposition_print(exposition, is_up, &len);

	assert_int_equal(strlen(text), len);
	exposition_free(exposition);
	return text;
}

static void
labels_are_escaped_and_samples_of_a_metric_stand_together(void **state)
{
	struct exposition *exposition = exposition_new();
	struct options *lines[] = {line_of("ended", "a\"b\\c\nd", "1"),
	    line_of("counter", "accepted", "7"), line_of("ended", "ok", "2")};
	char *text;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(lines); i++) {
		exposition_take(exposition, lines[i]);
		options_free(lines[i]);
	}
	text = print(exposition, true);
	assert_non_null(strstr(text,
	    "gatewarden_sessions_ended_total{reason=\"a\\\"b\\\\c\\nd\"} 1\n"
	    "gatewarden_sessions_ended_total{reason=\"ok\"} 2\n"));
	assert_non_null(
	    strstr(text, "gatewarden_events_total{event=\"accepted\"} 7\n"));
	assert_non_null(strstr(text, "gatewarden_up 1\n"));
	free(text);
}

static void
a_histogram_has_its_bounds_in_seconds(void **state)
{
	struct exposition *exposition = exposition_new();
	struct options *line = options_new();
	char *text;

	(void)state;
	options_add(line, "kind", "handshake");
	options_add(line, "method", "gssapi");
	options_add(line, "bound", "500");
	options_add(line, "bound", "2500000");
	options_add(line, "below", "3");
	options_add(line, "below", "4");
	options_add(line, "count", "5");
	options_add(line, "sum_us", "12000001");
	exposition_take(exposition, line);
	options_free(line);
	text = print(exposition, true);
	assert_non_null(strstr(text,
	    "# TYPE gatewarden_handshake_seconds histogram\n"
	    "gatewarden_handshake_seconds_bucket"
	    "{method=\"gssapi\",le=\"0.0005\"} 3\n"
	    "gatewarden_handshake_seconds_bucket"
	    "{method=\"gssapi\",le=\"2.5000\"} 4\n"
	    "gatewarden_handshake_seconds_bucket"
	    "{method=\"gssapi\",le=\"+Inf\"} 5\n"
	    "gatewarden_handshake_seconds_sum{method=\"gssapi\"} 12.000001\n"
	    "gatewarden_handshake_seconds_count{method=\"gssapi\"} 5\n"));
	free(text);
}

static void
of_a_gateway_that_does_not_answer_that_alone_is_told(void **state)
{
	struct exposition *exposition = exposition_new();
	struct options *line = line_of("counter", "accepted", "7");
	char *text;

	(void)state;
	exposition_take(exposition, line);
	options_free(line);
	text = print(exposition, false);
	assert_non_null(strstr(text, "\ngatewarden_up 0\n"));
	assert_null(strstr(text, "accepted"));
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		labels_are_escaped_and_samples_of_a_metric_stand_together),
	    cmocka_unit_test(a_histogram_has_its_bounds_in_seconds),
	    cmocka_unit_test(
		of_a_gateway_that_does_not_answer_that_alone_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
