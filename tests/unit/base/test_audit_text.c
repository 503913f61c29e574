/* SPDX-License-Identifier: ISC */
/* Records read back out of lines of a log. */
#include "tests/support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/audit_text.h"
#include "tests/support/records.h"

#define ELEMENT                                                                \
	"[gatewarden@32473 seq=\"7\" time=\"2025-11-24T16:00:00.123456Z\""     \
	" event=\"decision\" outcome=\"ok\" reason=\"ok\"]"

/* In memory that ends where the line ends. */
static enum audit_text_result
parse(const char *line, size_t len, struct audit_text *text, const char **why,
    char at[33])
{
	char *copy = malloc(len + 1);
	enum audit_text_result result;

	assert_non_null(copy);
	memcpy(copy + 1, line, len);
	result = audit_text_parse(copy + 1, len, text, why, at);
	free(copy);
	return result;
}

static enum audit_text_result
parse_line(const char *line, struct audit_text *text)
{
	const char *why;
	char at[33];

	return parse(line, strlen(line), text, &why, at);
}

static void
print(const struct audit_text *text, char out[AUDIT_RECORD_MAX])
{
	struct audit_stamp stamp = {
	    .sd_id = text->sd_id,
	    .instance = text->instance,
	    .boot_id = text->boot_id,
	    .sequence = text->sequence,
	    .delayed = text->delayed,
	};

	(void)audit_record_print(&text->record, &stamp, out);
}

static void
assert_reads_back(const struct audit_record *record, const char *printed)
{
	struct audit_text text;
	char again[AUDIT_RECORD_MAX];

	assert_int_equal(parse_line(printed, &text), AUDIT_TEXT_RECORD);
	assert_string_equal(text.record.identity, record->identity);
	assert_string_equal(text.record.rule, record->rule);
	assert_int_equal(text.record.asked_len, record->asked_len);
	assert_memory_equal(
	    text.record.asked, record->asked, record->asked_len);
	assert_int_equal(text.record.time_us, record->time_us);
	assert_int_equal(text.record.event, record->event);
	assert_int_equal(text.record.reason, record->reason);
	assert_true(address_is_equal(
	    &text.record.client.address, &record->client.address));
	assert_int_equal(text.record.client.port, record->client.port);
	if (text.is_cut) {
		assert_memory_equal(text.record.detail, record->detail,
		    strlen(text.record.detail));
		return;
	}
	assert_string_equal(text.record.detail, record->detail);
	print(&text, again);
	assert_string_equal(again, printed);
}

static void
what_is_printed_reads_back(void **state)
{
	struct audit_stamp stamp = {
	    .sd_id = "gw@1", .instance = "g \"]\\", .boot_id = "b"};
	char printed[AUDIT_RECORD_MAX];

	(void)state;
	srand(1);
	for (unsigned i = 0; i < 5000; i++) {
		struct audit_record record = i == 0   ? record_full()
					     : i == 1 ? record_largest()
						      : record_drawn();

		stamp.sequence = i;
		stamp.delayed = i % 2 == 0;
		(void)audit_record_print(&record, &stamp, printed);
		assert_reads_back(&record, printed);
	}
}

static void
every_command_reads_back(void **state)
{
	struct audit_stamp stamp = {
	    .sd_id = "gw@1", .instance = "", .boot_id = ""};
	char printed[AUDIT_RECORD_MAX];

	(void)state;
	for (unsigned command = 0; command <= UINT8_MAX; command++) {
		struct audit_record record = record_full();

		record.command = (uint8_t)command;
		(void)audit_record_print(&record, &stamp, printed);
		assert_reads_back(&record, printed);
	}
}

static void
what_receivers_put_in_front_is_known(void **state)
{
	static const char *const lines[] = {
	    ELEMENT,
	    ELEMENT " somebody may go",
	    "<86>" ELEMENT,
	    "<86>1 2026-11-24T09:30:00.120034Z gw1 gatewarden 812 decision "
	    "" ELEMENT "\xef\xbb\xbf text",
	    "<86>1 - - gatewarden - - " ELEMENT " text",
	    "1 2026-11-24T09:30:00.120034Z gw1 gatewarden 812 decision "
	    "" ELEMENT " text",
	    "Nov 24 09:30:00 gw1 gatewarden[812]: " ELEMENT " text",
	    "Nov  4 09:30:00 gw1 gatewarden[812]: " ELEMENT,
	    "<86>Nov  4 09:30:00 gatewarden[812]: " ELEMENT,
	    "2026-11-24T09:30:00.12+01:00 gw1 gatewarden[812]: " ELEMENT,
	    "Tue 2026-11-24 09:30:00 CET gw1 gatewarden: " ELEMENT,
	};
	struct audit_text text;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(lines); i++) {
		assert_int_equal(
		    parse_line(lines[i], &text), AUDIT_TEXT_RECORD);
		assert_int_equal(text.sequence, 7);
		assert_string_equal(text.sd_id, "gatewarden@32473");
		assert_int_equal(text.record.time_us, 1764000000123456);
	}
}

static void
lines_of_others_are_foreign(void **state)
{
	static const char *const lines[] = {
	    "",
	    " ",
	    "<",
	    "<86>",
	    "<>" ELEMENT,
	    "<x>" ELEMENT,
	    "<8600>" ELEMENT,
	    "<86" ELEMENT,
	    "x" ELEMENT,
	    "1 x",
	    "[gatewarden@32473]",
	    "[gatewarden@32473 event=\"decision\"]",
	    "[ seq=\"7\"]",
	    "[abcdefghijabcdefghijabcdefghijabcdef seq=\"7\"]",
	    "Nov 24 09:30:00 gw1 gatewarden[812]: started",
	    /* Somebody else who tells of one. */
	    "Nov 24 09:30:00 gw1 sshd[812]: " ELEMENT,
	    "Nov 24 09:30:00 gw1 sshd[812]: gatewarden[812]: " ELEMENT,
	    "Nov 24 09:30:00 gw1 gatewarden[812]: x " ELEMENT,
	    "Nov 24 09:30:00 gw1 gatewardens[812]: " ELEMENT,
	    "Nov 24 09:30:00 gw1 gatewarden(812): " ELEMENT,
	    "Nov 24 09:30:00 gw1 gatewarden[]: " ELEMENT,
	    "Nov 24 09:30:00 gw1 gatewarden[8: " ELEMENT,
	    "Nov 24 09:30:00 gw1 gatewarden[8x]: " ELEMENT,
	    "Nov 24 09:30:00 gw1 gatewarden[8]x: " ELEMENT,
	    "Nov 24 09:30:00 gw1 gatewarden:x: " ELEMENT,
	    "Nov 24 09:30:00 gw1 a b c gatewarden: " ELEMENT,
	    "Nov 24 09:30:00 gw1\x7f gatewarden: " ELEMENT,
	    "Nov 24 09:30:00 g\xc3\xb6 gatewarden: " ELEMENT,
	    "Nov 24 09:30:00 gw1 gatewarden[ 8]: " ELEMENT,
	    "Nov 24 09:30:00 gw1 gatewarden[/]: " ELEMENT,
	    "Nov 24 09:30:00 gw1 gatewarden[8]:",
	    "Nov 24 09:30:00 gw1 gatewarden[8]:x: " ELEMENT,
	    "<86>1 2026-11-24T09:30:00Z gw1 sshd 812 decision " ELEMENT,
	    "<86>1 2026-11-24T09:30:00Z gw1 gatewardens 812 - " ELEMENT,
	    "<86>1 2026-11-24T09:30:00Z gw1 gatewarden 812 - - " ELEMENT,
	};
	struct audit_text text;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(lines); i++)
		if (parse_line(lines[i], &text) != AUDIT_TEXT_FOREIGN)
			fail_msg("taken: %s", lines[i]);
}

#define BEGIN "[g@1 seq=\"7\" event=\"close\" outcome=\"ok\" reason=\"ok\""

static void
what_is_no_record_is_named(void **state)
{
	static const struct {
		const char *line, *at;
	} bad[] = {
	    {"[g@1 seq=\"7\"]", ""},
	    {"[g@1 seq=\"7\" outcome=\"ok\" reason=\"ok\"]", ""},
	    {"[g@1 seq=\"7\" event=\"open\" reason=\"ok\"]", ""},
	    {"[g@1 seq=\"7\" event=\"open\" outcome=\"ok\"]", ""},
	    {"[g@1 seq=\"\"]", "seq"},
	    {"[g@1 seq=\"x\"]", "seq"},
	    {"[g@1 seq=\"18446744073709551616\"]", "seq"},
	    {"[g@1 seq=\"7", "seq"},
	    {"[g@1 seq=\"7\\", "seq"},
	    {"[g@1 seq=\"7\\x", "seq"},
	    {"[g@1 seq=\"7]", "seq"},
	    {"[g@1 seq=\"7\\\\x00\"]", "seq"},
	    {"[g@1 seq=\"7\" seq=\"7\"]", "seq"},
	    {"[g@1 seq=\"7\" event=\"\"]", "event"},
	    {"[g@1 seq=\"7\" event=\"dance\"]", "event"},
	    {"[g@1 seq=\"7\" event=\"open\\\\x00\"]", "event"},
	    {"[g@1 seq=\"7\" outcome=\"maybe\"]", "outcome"},
	    {"[g@1 seq=\"7\" reason=\"none\"]", "reason"},
	    {BEGIN, ""},
	    {BEGIN " ]", ""},
	    {BEGIN " =\"\"]", ""},
	    {BEGIN " x]", "x"},
	    {BEGIN " x=]", "x"},
	    {BEGIN " x\x7f=\"\"]", "x"},
	    {BEGIN " x\xc3\xb6=\"\"]", "x"},
	    {BEGIN " hint=\"x\"]", "hint"},
	    {BEGIN " delayed=\"0\"]", "delayed"},
	    {BEGIN " delayed=\"11\"]", "delayed"},
	    {BEGIN " stale=\"yes\"]", "stale"},
	    {BEGIN " method=\"x\"]", "method"},
	    {BEGIN " protection=\"x\"]", "protection"},
	    {BEGIN " command=\"x\"]", "command"},
	    {BEGIN " client=\"x\"]", "client"},
	    {BEGIN " client=\"192.0.2.1\"]", "client"},
	    {BEGIN " client=\"192.0.2.1:1\\\\x00\"]", "client"},
	    {BEGIN " destination=\"x\"]", "destination"},
	    {BEGIN " destination=\"-:1\"]", "destination"},
	    {BEGIN " addresses=\"x\"]", "addresses"},
	    {BEGIN " addresses=\"192.0.2.1 \"]", "addresses"},
	    {BEGIN " addresses=\"192.0.2.1  192.0.2.2\"]", "addresses"},
	    {BEGIN " addresses=\"192.0.2.1:1\"]", "addresses"},
	    {BEGIN " addresses=\":: :: :: :: :: :: :: :: :: :: :: :: :: :: "
		   ":: :: ::\"]",
		"addresses"},
	    {BEGIN " report=\"x\"]", ""},
	    {BEGIN " report_action=\"permit\"]", ""},
	    {BEGIN " report_action=\"x\"]", "report_action"},
	    {BEGIN " identity=\"a\" claimed=\"a\"]", ""},
	    {BEGIN " cut=\"x\"]", "cut"},
	    {BEGIN " rule=\"\\\\\"]", "rule"},
	    {BEGIN " rule=\"\\\\x41\"]", "rule"},
	    {BEGIN " rule=\"a\\\\x00\"]", "rule"},
	    {BEGIN " listener=\"123456789012345678901234567890123\"]",
		"listener"},
	    {BEGIN " duration=\"1\"]", "duration"},
	    {BEGIN " duration=\"x.000000\"]", "duration"},
	    {BEGIN " duration=\"1.00000\"]", "duration"},
	    {BEGIN " duration=\"1.0000000\"]", "duration"},
	    {BEGIN " duration=\"111111111111111111111111.000000\"]",
		"duration"},
	    {BEGIN " duration=\"18446744073709.551616\"]", "duration"},
	    {BEGIN " time=\"2026-11-24T09:30:00.12003Z\"]", "time"},
	    {BEGIN " time=\"2026-11-24T09:30:00.120034\"]", "time"},
	    {BEGIN " time=\"2026-11-24T09:30:00.120034ZZ\"]", "time"},
	    {BEGIN " time=\"2026-11-24T09:30:00,120034Z\"]", "time"},
	    {BEGIN " time=\"2026-11-24T09:30-00.120034Z\"]", "time"},
	    {BEGIN " time=\"2026-11-24T09-30:00.120034Z\"]", "time"},
	    {BEGIN " time=\"2026-11-24 09:30:00.120034Z\"]", "time"},
	    {BEGIN " time=\"2026-11:24T09:30:00.120034Z\"]", "time"},
	    {BEGIN " time=\"2026:11-24T09:30:00.120034Z\"]", "time"},
	    {BEGIN " time=\"202x-11-24T09:30:00.120034Z\"]", "time"},
	    {BEGIN " time=\"2026-11-31T09:30:00.120034Z\"]", "time"},
	    {BEGIN " time=\"2026-13-24T09:30:00.120034Z\"]", "time"},
	    {BEGIN " time=\"2026-11-24T24:30:00.120034Z\"]", "time"},
	    {BEGIN " time=\"2026-11-24T09:60:00.120034Z\"]", "time"},
	    {BEGIN " time=\"2026-11-24T09:30:60.120034Z\"]", "time"},
	    {BEGIN " time=\"1969-11-24T09:30:00.120034Z\"]", "time"},
	};
	struct audit_text text;
	const char *why;
	char at[33];

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
		if (parse(bad[i].line, strlen(bad[i].line), &text, &why, at) !=
		    AUDIT_TEXT_BAD)
			fail_msg("not bad: %s", bad[i].line);
		assert_true(*why != '\0');
		assert_string_equal(at, bad[i].at);
	}
}

static void
a_value_does_not_hold_what_ends_texts(void **state)
{
	static const char line[] = BEGIN " rule=\"a\0b\"]";
	struct audit_text text;
	const char *why;
	char at[33];

	(void)state;
	assert_int_equal(
	    parse(line, sizeof(line) - 1, &text, &why, at), AUDIT_TEXT_BAD);
	assert_string_equal(at, "rule");
}

static void
a_detail_of_which_nothing_is_left_is_cut(void **state)
{
	struct audit_text text;

	(void)state;
	assert_int_equal(
	    parse_line(BEGIN " detail=\"\" cut=\"detail\"]", &text),
	    AUDIT_TEXT_RECORD);
	assert_true(text.is_cut);
}

static void
a_name_longer_than_a_request_holds_is_bad(void **state)
{
	char line[1024];
	struct audit_text text;

	(void)state;
	for (int len = 255; len <= 256; len++) {
		(void)snprintf(
		    line, sizeof(line), BEGIN " asked=\"%0*d\"]", len, 0);
		assert_int_equal(parse_line(line, &text),
		    len == 255 ? AUDIT_TEXT_RECORD : AUDIT_TEXT_BAD);
	}
	(void)snprintf(
	    line, sizeof(line), BEGIN " addresses=\"%0*d\"]", 800, 0);
	assert_int_equal(parse_line(line, &text), AUDIT_TEXT_BAD);
}

/* A later version says more. */
static void
parameters_that_are_new_are_passed_over(void **state)
{
	struct audit_text text;

	(void)state;
	assert_int_equal(
	    parse_line(BEGIN " colour=\"\\\"\\]\" lost=\"3\"] x", &text),
	    AUDIT_TEXT_RECORD);
	assert_int_equal(text.record.lost, 3);
}

static void
values_that_no_field_holds_are_bad(void **state)
{
	static const char *const names[] = {"identity", "claimed", "asked",
	    "rule", "addresses", "detail", "instance", "colour"};
	static char line[32 * 1024];
	static const size_t lens[] = {2049, 8200, 9000};
	struct audit_text text;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		for (size_t j = 0; j < ARRAY_COUNT(lens); j++) {
			int len = snprintf(line, sizeof(line),
			    BEGIN " %s=\"%0*d\"]", names[i], (int)lens[j], 0);

			assert_in_range(len, 0, sizeof(line) - 1);
			if (strcmp(names[i], "colour") != 0 || j > 0)
				assert_int_equal(
				    parse_line(line, &text), AUDIT_TEXT_BAD);
		}
	}
}

static void
a_line_too_long_is_bad(void **state)
{
	static char line[AUDIT_TEXT_LINE_MAX + 2];
	struct audit_text text;

	(void)state;
	(void)snprintf(
	    line, sizeof(line), "%-*s", AUDIT_TEXT_LINE_MAX, ELEMENT);
	assert_int_equal(parse_line(line, &text), AUDIT_TEXT_RECORD);
	line[AUDIT_TEXT_LINE_MAX] = ' ';
	assert_int_equal(parse_line(line, &text), AUDIT_TEXT_BAD);
}

static void
no_cut_of_a_line_is_a_record(void **state)
{
	static const char line[] =
	    "<86>Nov  4 09:30:00 gw1 gatewarden[812]: " ELEMENT;
	struct audit_text text;
	const char *why;
	char at[33];

	(void)state;
	for (size_t len = 0; len < sizeof(line) - 1; len++)
		assert_int_not_equal(
		    parse(line, len, &text, &why, at), AUDIT_TEXT_RECORD);
	assert_int_equal(
	    parse(line, sizeof(line) - 1, &text, &why, at), AUDIT_TEXT_RECORD);
}

/* ---- one parameter after the other */

struct walk {
	char text[4096];
};

static void
note_param(void *arg, const char *name, const char *value)
{
	struct walk *walk = arg;

	size_t len = strlen(walk->text);

	(void)snprintf(
	    walk->text + len, sizeof(walk->text) - len, "%s=%s|", name, value);
}

static void
parameters_come_one_by_one_and_unescaped(void **state)
{
	static const char line[] =
	    "<86>1 2025-11-24T16:00:00Z h gatewarden 7 decision "
	    "[a@1 seq=\"7\" asked=\"a\\]\\\"\\\\x00\" new=\"\"] words";
	struct walk walk = {.text = ""};

	(void)state;
	assert_true(audit_text_each(line, strlen(line), note_param, &walk));
	assert_string_equal(walk.text, "seq=7|asked=a]\"\\x00|new=|");
	/* Octet by octet: only what ends is whole. */
	for (size_t len = 0; len < strlen(line); len++) {
		bool is_whole = len >= strlen(line) - strlen(" words");

		walk.text[0] = '\0';
		assert_int_equal(
		    audit_text_each(line, len, note_param, &walk), is_whole);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(parameters_come_one_by_one_and_unescaped),
	    cmocka_unit_test(what_is_printed_reads_back),
	    cmocka_unit_test(every_command_reads_back),
	    cmocka_unit_test(what_receivers_put_in_front_is_known),
	    cmocka_unit_test(lines_of_others_are_foreign),
	    cmocka_unit_test(what_is_no_record_is_named),
	    cmocka_unit_test(a_value_does_not_hold_what_ends_texts),
	    cmocka_unit_test(a_detail_of_which_nothing_is_left_is_cut),
	    cmocka_unit_test(a_name_longer_than_a_request_holds_is_bad),
	    cmocka_unit_test(parameters_that_are_new_are_passed_over),
	    cmocka_unit_test(values_that_no_field_holds_are_bad),
	    cmocka_unit_test(a_line_too_long_is_bad),
	    cmocka_unit_test(no_cut_of_a_line_is_a_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
