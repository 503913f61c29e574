/* SPDX-License-Identifier: ISC */
/* Whole syslog messages, in both forms. */
#include "tests/support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/audit_text.h"
#include "gateway/syslog_message.h"
#include "tests/support/records.h"

static const struct audit_stamp stamp = {
    .sd_id = "g@1", .instance = "i", .boot_id = "b", .sequence = 7};

static void
rfc5424_looks_like_this(void **state)
{
	const struct syslog_form form = {
	    .rfc5424 = true, .facility = 10, .host = "gw1", .pid = 99};
	struct audit_record record = {
	    .event = AUDIT_START, .time_us = 1764000000123456};
	char out[AUDIT_RECORD_MAX];
	size_t len = syslog_message_print(&form, &record, &stamp, out);

	(void)state;
	assert_int_equal(len, strlen(out));
	assert_string_equal(out,
	    "<85>1 2025-11-24T16:00:00.123456Z gw1 gatewarden 99 start "
	    "[g@1 seq=\"7\" time=\"2025-11-24T16:00:00.123456Z\" "
	    "instance=\"i\" boot=\"b\" event=\"start\" outcome=\"ok\" "
	    "reason=\"ok\"] started");
}

static void
what_is_not_ascii_is_marked_as_utf8(void **state)
{
	const struct syslog_form form = {
	    .rfc5424 = true, .facility = 10, .host = "gw1", .pid = 99};
	struct audit_record record = record_full();
	char out[AUDIT_RECORD_MAX];

	(void)state;
	(void)snprintf(
	    record.identity, sizeof(record.identity), "%s", "h\xc3\xb6st@X");
	(void)syslog_message_print(&form, &record, &stamp, out);
	assert_non_null(strstr(out, "] \xef\xbb\xbfh\xc3\xb6st@X"));
}

static void
rfc3164_has_local_time_and_a_tag(void **state)
{
	struct syslog_form form = {.facility = 10, .host = "gw1", .pid = 99};
	struct audit_record record = {
	    .event = AUDIT_STOP, .time_us = 1764950400123456};
	char out[AUDIT_RECORD_MAX];

	(void)state;
	assert_int_equal(setenv("TZ", "XST-2", 1), 0);
	tzset();
	(void)syslog_message_print(&form, &record, &stamp, out);
	assert_memory_equal(out, "<85>Dec  5 18:00:00 gatewarden[99]: [g@1 ",
	    strlen("<85>Dec  5 18:00:00 gatewarden[99]: [g@1 "));
	form.has_host = true;
	(void)syslog_message_print(&form, &record, &stamp, out);
	assert_memory_equal(out, "<85>Dec  5 18:00:00 gw1 gatewarden[99]: ",
	    strlen("<85>Dec  5 18:00:00 gw1 gatewarden[99]: "));
}

static void
the_largest_record_fits_with_the_longest_host(void **state)
{
	struct syslog_form form = {
	    .rfc5424 = true, .facility = 23, .pid = 2147483647};
	struct audit_record record = record_largest();
	struct audit_stamp largest = {.sequence = UINT64_MAX, .delayed = true};
	char host[256], id[33], instance[65], out[AUDIT_RECORD_MAX];

	(void)state;
	memset(host, 'h', sizeof(host));
	host[255] = '\0';
	memset(id, '@', sizeof(id));
	id[32] = '\0';
	memset(instance, ']', sizeof(instance));
	instance[64] = '\0';
	form.host = host;
	largest.sd_id = id;
	largest.instance = instance;
	largest.boot_id = "01234567-0123-0123-0123-0123456789ab";
	for (int event = 1; event < AUDIT_EVENT_COUNT; event++) {
		record.event = (enum audit_event)event;
		assert_in_range(
		    syslog_message_print(&form, &record, &largest, out), 6000,
		    AUDIT_RECORD_MAX - 1);
	}
}

static void
a_time_past_all_calendars_still_prints(void **state)
{
	const struct syslog_form form = {
	    .rfc5424 = true, .facility = 10, .host = "gw1", .pid = 99};
	struct audit_record record = {
	    .event = AUDIT_START, .time_us = UINT64_MAX};
	char out[AUDIT_RECORD_MAX];

	(void)state;
	(void)syslog_message_print(&form, &record, &stamp, out);
	assert_memory_equal(out, "<85>1 9999-12-31T23:59:59.", 26);
}

static void
this_host_has_a_name_or_a_dash(void **state)
{
	char host[256];

	(void)state;
	syslog_message_host(host);
	assert_true(strlen(host) > 0);
	for (const char *c = host; *c != '\0'; c++)
		assert_in_range(*c, '!', '~');
}

static void
both_forms_read_back(void **state)
{
	struct audit_record record = record_full();
	char out[AUDIT_RECORD_MAX], at[33];

	(void)state;
	for (unsigned form_no = 0; form_no < 4; form_no++) {
		struct syslog_form form = {.rfc5424 = form_no / 2,
		    .has_host = form_no % 2,
		    .host = "gw1",
		    .pid = 99};
		size_t len = syslog_message_print(&form, &record, &stamp, out);
		struct audit_text text;
		const char *why;

		assert_int_equal(audit_text_parse(out, len, &text, &why, at),
		    AUDIT_TEXT_RECORD);
		assert_int_equal(text.record.session, record.session);
		assert_string_equal(text.record.detail, record.detail);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rfc5424_looks_like_this),
	    cmocka_unit_test(what_is_not_ascii_is_marked_as_utf8),
	    cmocka_unit_test(rfc3164_has_local_time_and_a_tag),
	    cmocka_unit_test(the_largest_record_fits_with_the_longest_host),
	    cmocka_unit_test(a_time_past_all_calendars_still_prints),
	    cmocka_unit_test(both_forms_read_back),
	    cmocka_unit_test(this_host_has_a_name_or_a_dash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
