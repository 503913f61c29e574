/* SPDX-License-Identifier: ISC */
/* Audit records: over a link, as structured data, as sentences. */
#include "tests/support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/audit_record.h"
#include "base/text.h"
#include "tests/support/records.h"
#include "tests/support/structured_data.h"

static const struct audit_stamp stamp = {
    .sd_id = "gatewarden@32473",
    .instance = "gw1",
    .boot_id = "b0",
    .sequence = 7,
};

static void
assert_same(const struct audit_record *a, const struct audit_record *b)
{
	uint8_t x[AUDIT_ENCODED_MAX], y[AUDIT_ENCODED_MAX];
	size_t len = audit_record_encode(a, x);

	assert_int_equal(audit_record_encode(b, y), len);
	assert_memory_equal(x, y, len);
}

static void
what_is_encoded_decodes_to_the_same(void **state)
{
	struct audit_record record, again;
	uint8_t encoded[AUDIT_ENCODED_MAX];
	size_t len;

	(void)state;
	srand(1);
	for (int i = 0; i < 2000; i++) {
		record = i == 0	  ? record_full()
			 : i == 1 ? record_largest()
				  : record_drawn();
		len = audit_record_encode(&record, encoded);
		assert_true(audit_record_decode(encoded, len, &again));
		assert_same(&record, &again);
		assert_string_equal(again.detail, record.detail);
		assert_string_equal(again.identity, record.identity);
		assert_int_equal(again.asked_len, record.asked_len);
		assert_memory_equal(
		    again.asked, record.asked, record.asked_len);
		assert_int_equal(again.duration_us, record.duration_us);
		assert_int_equal(again.reason, record.reason);
		assert_int_equal(again.client.port, record.client.port);
		assert_int_equal(again.via.port, record.via.port);
	}
}

static void
what_is_cut_or_longer_is_refused(void **state)
{
	const struct audit_record record = record_full();
	uint8_t encoded[AUDIT_ENCODED_MAX + 1] = {0};
	struct audit_record again;
	size_t len = audit_record_encode(&record, encoded);

	(void)state;
	for (size_t cut = 0; cut < len; cut++)
		assert_false(audit_record_decode(encoded, cut, &again));
	assert_false(audit_record_decode(encoded, len + 1, &again));
	assert_true(audit_record_decode(encoded, len, &again));
}

static void
values_out_of_range_are_refused(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
	} bad[] = {
	    {0, 0},		    /* event */
	    {0, AUDIT_EVENT_COUNT}, /* event */
	    {1, 0xff},		    /* reason */
	    {3, 2},		    /* failed */
	    {28, 2},		    /* stale */
	};
	const struct audit_record record = record_full();
	uint8_t encoded[AUDIT_ENCODED_MAX];
	struct audit_record again;
	size_t len;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
		len = audit_record_encode(&record, encoded);
		encoded[bad[i].at] = bad[i].value;
		assert_false(audit_record_decode(encoded, len, &again));
	}
}

static void
a_mapped_address_is_no_address_of_ours(void **state)
{
	static const uint8_t mapped[16] = {
	    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1};
	struct audit_record record = record_full(), again;
	uint8_t encoded[AUDIT_ENCODED_MAX];
	size_t len;

	(void)state;
	record.dialled.address.family = ADDRESS_IPV6;
	memcpy(record.dialled.address.bytes, mapped, sizeof(mapped));
	len = audit_record_encode(&record, encoded);
	assert_false(audit_record_decode(encoded, len, &again));
}

static void
a_destination_that_is_not_normalised_is_refused(void **state)
{
	static const char *const names[] = {
	    "", "WWW", "a b", "a.", "192.0.2.1", "a\x01"};
	struct audit_record record = record_full(), again;
	uint8_t encoded[AUDIT_ENCODED_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		size_t len;

		(void)snprintf(record.destination.name,
		    sizeof(record.destination.name), "%s", names[i]);
		len = audit_record_encode(&record, encoded);
		assert_false(audit_record_decode(encoded, len, &again));
	}
}

static void
a_name_longer_than_a_request_holds_is_refused(void **state)
{
	struct audit_record record = record_full(), again;
	uint8_t encoded[AUDIT_ENCODED_MAX] = {0};
	uint8_t *asked;
	size_t len;

	(void)state;
	memset(record.asked, '?', sizeof(record.asked));
	record.asked_len = sizeof(record.asked);
	len = audit_record_encode(&record, encoded);
	assert_true(audit_record_decode(encoded, len, &again));
	asked = memmem(encoded, len, record.asked, sizeof(record.asked));
	assert_non_null(asked);
	asked[-2] = 1; /* of a length in 32 bits: 256 and more */
	assert_false(audit_record_decode(encoded, sizeof(encoded), &again));
}

static void
a_full_record_prints_like_this(void **state)
{
	const struct audit_record record = record_full();
	char out[AUDIT_RECORD_MAX];
	size_t len = audit_record_print(&record, &stamp, out);

	(void)state;
	assert_string_equal(out,
	    "[gatewarden@32473 seq=\"7\" time=\"2025-11-24T16:00:00.123456Z\""
	    " instance=\"gw1\" boot=\"b0\" event=\"close\" outcome=\"ok\""
	    " reason=\"idle_timeout\" hint=\"curl_7_69\" session=\"17\" "
	    "lost=\"3\""
	    " identity=\"alice@EXAMPLE.COM\" method=\"gssapi\""
	    " mechanism=\"krb5\" indicators=\"otp hardened\""
	    " protection=\"confidentiality\""
	    " client=\"192.0.2.7:40000\" via=\"192.0.2.9:50001\" "
	    "listener=\"main\""
	    " command=\"connect\" asked=\"WWW.example.com.\""
	    " destination=\"www.example.com:443\""
	    " rule=\"cn=web,ou=rules,dc=example,dc=com\" report=\"dry run\""
	    " report_action=\"permit\" generation=\"42\""
	    " generation_before=\"41\""
	    " stale=\"1\" dialled=\"[2001:db8::5\\]:443\""
	    " egress=\"[2001:db8::1\\]:50000\""
	    " bytes_to_target=\"1234\" bytes_to_client=\"567890\""
	    " duration=\"12.000345\" detail=\"some words\"]");
	assert_int_equal(len, strlen(out));
}

static void
who_was_only_claimed_is_no_identity(void **state)
{
	struct audit_record record = record_full(), again;
	uint8_t encoded[AUDIT_ENCODED_MAX];
	char out[AUDIT_RECORD_MAX];
	size_t len;

	(void)state;
	record.event = AUDIT_AUTH;
	record.is_claimed = true;
	len = audit_record_encode(&record, encoded);
	assert_true(audit_record_decode(encoded, len, &again));
	assert_true(again.is_claimed);
	(void)audit_record_print(&again, &stamp, out);
	assert_non_null(strstr(out, " claimed=\"alice@EXAMPLE.COM\""));
	assert_null(strstr(out, "identity="));
	(void)audit_record_sentence(&again, out, sizeof(out));
	assert_ptr_equal(
	    strstr(out, "192.0.2.7:40000 as alice@EXAMPLE.COM"), out);
	memset(&record.client, 0, sizeof(record.client));
	(void)audit_record_sentence(&record, out, sizeof(out));
	assert_ptr_equal(strstr(out, "somebody as alice@EXAMPLE.COM"), out);
}

static void
a_summary_says_what_was_dropped_too(void **state)
{
	struct audit_record record = {
	    .event = AUDIT_UDP_SUMMARY, .identity = "a@B", .duration_us = 1};
	char out[AUDIT_RECORD_MAX];

	(void)state;
	record.datagrams_to_target = 2;
	record.datagrams_to_client = 1;
	record.bytes_to_target = 30;
	(void)audit_record_print(&record, &stamp, out);
	assert_non_null(strstr(out,
	    " datagrams_to_target=\"2\" datagrams_to_client=\"1\""
	    " dropped=\"0\" bytes_to_target=\"30\" bytes_to_client=\"0\""
	    " duration=\"0.000001\"]"));
	assert_int_equal(audit_record_sentence(&record, out, sizeof(out)),
	    strlen("a@B sent 2 datagrams and was sent 1, 0 were dropped"));
	assert_string_equal(
	    out, "a@B sent 2 datagrams and was sent 1, 0 were dropped");
}

static void
an_association_is_said_to_be_one(void **state)
{
	struct audit_record record = {
	    .event = AUDIT_DECISION, .command = COMMAND_UDP};
	char out[256];

	(void)state;
	(void)snprintf(record.identity, sizeof(record.identity), "a@B");
	(void)snprintf(record.rule, sizeof(record.rule), "names");
	(void)audit_record_sentence(&record, out, sizeof(out));
	assert_string_equal(out, "a@B may exchange datagrams (rule names)");
	record.failed = true;
	record.rule[0] = '\0';
	(void)audit_record_sentence(&record, out, sizeof(out));
	assert_string_equal(out, "a@B may not exchange datagrams");
	record.event = AUDIT_OPEN;
	record.failed = false;
	assert_true(socket_address_parse("192.0.2.1:4000", &record.egress));
	(void)audit_record_sentence(&record, out, sizeof(out));
	assert_string_equal(out, "a@B sends its datagrams to 192.0.2.1:4000");
}

static void
what_is_absent_is_not_printed(void **state)
{
	const struct audit_record record = {
	    .event = AUDIT_START, .detail = "x"};
	struct audit_stamp delayed = stamp;
	char out[AUDIT_RECORD_MAX];

	(void)state;
	delayed.delayed = true;
	(void)audit_record_print(&record, &delayed, out);
	assert_string_equal(out,
	    "[gatewarden@32473 seq=\"7\" time=\"1970-01-01T00:00:00.000000Z\""
	    " instance=\"gw1\" boot=\"b0\" delayed=\"1\" event=\"start\""
	    " outcome=\"ok\" reason=\"ok\" detail=\"x\"]");
}

static void
assert_octets(const struct structured_data *data, const char *name,
    const void *octets, size_t len)
{
	const char *value = structured_data_value(data, name);
	uint8_t out[AUDIT_DETAIL_SIZE];
	size_t out_len;

	if (len == 0) {
		assert_null(value);
		return;
	}
	assert_non_null(value);
	assert_true(text_unquote(out, sizeof(out), &out_len, value));
	assert_int_equal(out_len, len);
	assert_memory_equal(out, octets, len);
}

static void
any_octets_come_back_whole(void **state)
{
	static struct structured_data data;
	char out[AUDIT_RECORD_MAX];
	size_t len;

	(void)state;
	srand(2);
	for (int i = 0; i < 2000; i++) {
		struct audit_record record = record_drawn();

		(void)audit_record_print(&record, &stamp, out);
		assert_true(structured_data_parse(out, &len, &data));
		assert_int_equal(len, strlen(out));
		for (const char *c = out; *c != '\0'; c++)
			assert_true((unsigned char)*c >= 0x20);
		assert_octets(&data, record.is_claimed ? "claimed" : "identity",
		    record.identity, strlen(record.identity));
		assert_octets(&data, "asked", record.asked, record.asked_len);
		assert_octets(&data, "rule", record.rule, strlen(record.rule));
		if (structured_data_value(&data, "cut") == NULL)
			assert_octets(&data, "detail", record.detail,
			    strlen(record.detail));
	}
}

static void
what_ends_a_value_is_escaped(void **state)
{
	struct audit_record record = {.event = AUDIT_AUTH};
	char out[AUDIT_RECORD_MAX];

	(void)state;
	(void)snprintf(
	    record.identity, sizeof(record.identity), "%s", "a\"b]c\\d\ne");
	(void)audit_record_print(&record, &stamp, out);
	assert_non_null(
	    strstr(out, "identity=\"a\\\"b\\]c\\\\\\\\d\\\\x0ae\""));
}

static void
the_largest_record_is_whole_but_for_its_detail(void **state)
{
	static struct structured_data data;
	struct audit_record record = record_largest();
	struct audit_stamp largest = {.sequence = UINT64_MAX, .delayed = true};
	char sd_id[33], instance[65], boot_id[37], out[AUDIT_RECORD_MAX];
	uint8_t detail[AUDIT_DETAIL_SIZE];
	size_t len;

	(void)state;
	memset(sd_id, 'a', sizeof(sd_id));
	sd_id[10] = '@';
	sd_id[32] = '\0';
	memset(instance, '"', sizeof(instance));
	instance[64] = '\0';
	memset(boot_id, 'b', sizeof(boot_id));
	boot_id[36] = '\0';
	largest.sd_id = sd_id;
	largest.instance = instance;
	largest.boot_id = boot_id;
	for (int event = AUDIT_START; event < AUDIT_EVENT_COUNT; event++) {
		record.event = (enum audit_event)event;
		len = audit_record_print(&record, &largest, out);
		assert_int_equal(len, strlen(out));
		assert_true(len <= AUDIT_RECORD_MAX - 1024);
		assert_true(structured_data_parse(out, &len, &data));
		assert_octets(
		    &data, "identity", record.identity, IDENTITY_NAME_MAX);
		assert_octets(&data, "asked", record.asked, 255);
		assert_octets(&data, "rule", record.rule, AUDIT_RULE_SIZE - 1);
		assert_octets(&data, "instance", instance, 64);
		assert_string_equal(
		    structured_data_value(&data, "cut"), "detail");
		assert_true(text_unquote(detail, sizeof(detail), &len,
		    structured_data_value(&data, "detail")));
		assert_true(len < AUDIT_DETAIL_SIZE - 1);
		assert_memory_equal(detail, record.detail, len);
		assert_true((structured_data_value(&data, "addresses") !=
				NULL) != (structured_data_value(&data,
					      "addresses_cut") != NULL) ||
			    event != AUDIT_DECISION);
	}
}

/* The house has no such names, but a sender may be broken. */
static void
a_record_that_is_too_large_lacks_what_has_no_room(void **state)
{
	static struct structured_data data;
	struct audit_record record = record_largest();
	char out[AUDIT_RECORD_MAX];
	size_t len;

	(void)state;
	memset(record.identity, 1, sizeof(record.identity) - 1);
	memset(record.rule, 1, sizeof(record.rule) - 1);
	memset(record.reported, 1, sizeof(record.reported) - 1);
	memset(record.indicators, 1, sizeof(record.indicators) - 1);
	for (int i = 0; i < 2 * AUDIT_EVENT_COUNT; i++) {
		record.event = (enum audit_event)(i / 2);
		if (i % 2 == 1)
			record.detail[0] = '\0';
		if (i < 2)
			continue; /* 0 is no event */
		len = audit_record_print(&record, &stamp, out);
		assert_int_equal(len, strlen(out));
		assert_true(len <= AUDIT_RECORD_MAX - 1024);
		assert_true(structured_data_parse(out, &len, &data));
		assert_octets(
		    &data, "identity", record.identity, IDENTITY_NAME_MAX);
		assert_string_equal(
		    structured_data_value(&data, "cut"), "detail");
	}
}

static void
a_detail_is_cut_between_characters(void **state)
{
	static struct structured_data data;
	struct audit_record record = record_largest();
	char out[AUDIT_RECORD_MAX];

	(void)state;
	for (size_t shift = 0; shift < 4; shift++) {
		size_t len;

		for (size_t i = shift; i + 2 < AUDIT_DETAIL_SIZE - 1; i += 3)
			memcpy(record.detail + i, "\xe2\x82\xac", 3);
		memset(record.detail, 'x', shift);
		(void)audit_record_print(&record, &stamp, out);
		assert_true(structured_data_parse(out, &len, &data));
		for (const char *c =
			 structured_data_value(&data, "detail") + shift;
		     c[0] == '\xe2'; c += 3)
			assert_memory_equal(c, "\xe2\x82\xac", 3);
	}
}

static const char *
said(struct audit_record record)
{
	static char out[512];
	size_t len = audit_record_sentence(&record, out, sizeof(out));

	assert_int_equal(len, strlen(out));
	return out;
}

static void
sentences_say_it_for_people(void **state)
{
	struct audit_record record = record_full();

	(void)state;
	assert_string_equal(said(record),
	    "alice@EXAMPLE.COM's session to www.example.com:443 ended after "
	    "12.000 s with 1234 octets to the target and 567890 to the "
	    "client: Nothing moved for as long as the settings allow.");
	record.reason = REASON_OK;
	record.detail[0] = '\0';
	record.event = AUDIT_DECISION;
	assert_string_equal(said(record),
	    "alice@EXAMPLE.COM may connect to www.example.com:443 (rule "
	    "cn=web,ou=rules,dc=example,dc=com)");
	record.failed = true;
	record.reason = REASON_DENIED_NO_RULE;
	record.rule[0] = '\0';
	assert_string_equal(said(record),
	    "alice@EXAMPLE.COM may not connect to www.example.com:443: No "
	    "rule permits the request.");
	record.event = AUDIT_OPEN;
	record.reason = REASON_CONNECT_REFUSED;
	assert_string_equal(said(record),
	    "alice@EXAMPLE.COM did not reach www.example.com:443: The target "
	    "refused the connection.");
	record.event = AUDIT_BIND_PEER;
	record.reason = REASON_BIND_STRANGER;
	assert_true(socket_address_parse("198.51.100.7:20", &record.dialled));
	assert_string_equal(said(record),
	    "alice@EXAMPLE.COM was not to be called by 198.51.100.7:20: "
	    "Somebody called who is not the one whom the client expects; the "
	    "wait went on.");
	record.failed = false;
	record.reason = REASON_OK;
	assert_string_equal(
	    said(record), "alice@EXAMPLE.COM was called by 198.51.100.7:20");
	record.failed = true;
	record.event = AUDIT_AUTH;
	record.reason = REASON_GSS_TOKEN_REPLAY;
	record.identity[0] = '\0';
	record.has_protection = false;
	assert_string_equal(said(record),
	    "192.0.2.7:40000 was not proved by gssapi: The context token has "
	    "been seen before.");
	record.event = AUDIT_CLOSE;
	record.has_destination = false;
	record.reason = REASON_OK;
	record.detail[0] = '\0';
	assert_string_equal(said(record),
	    "192.0.2.7:40000's session ended after 12.000 s with 1234 octets "
	    "to the target and 567890 to the client");
	record.event = AUDIT_DECISION;
	record.reason = REASON_BAD_NAME;
	record.command = COMMAND_UDP;
	record.asked_len = 2;
	record.asked[0] = '\n';
	assert_string_equal(said(record),
	    "192.0.2.7:40000 may not exchange datagrams with \\x0aW: The host "
	    "name was not one: empty, too long, or with characters no host "
	    "name has.");
	record = (struct audit_record){
	    .event = AUDIT_GAP, .lost = 5, .detail = "why\n"};
	assert_string_equal(said(record), "5 records were lost: why\\x0a");
}

static void
a_sentence_is_cut_where_it_does_not_fit(void **state)
{
	const struct audit_record record = record_largest();
	char out[64];
	size_t len;

	(void)state;
	for (size_t size = 1; size <= sizeof(out); size++) {
		memset(out, 'X', sizeof(out));
		len = audit_record_sentence(&record, out, size);
		assert_int_equal(len, strlen(out));
		assert_true(strlen(out) < size);
	}
}

static void
severities_are_those_of_the_outcome(void **state)
{
	struct audit_record record = {.event = AUDIT_DECISION};

	(void)state;
	assert_int_equal(audit_record_severity(&record), 6);
	record.failed = true;
	assert_int_equal(audit_record_severity(&record), 5);
	record.event = AUDIT_GAP;
	assert_int_equal(audit_record_severity(&record), 3);
	record.event = AUDIT_CLOSE;
	record.reason = REASON_CRASH;
	assert_int_equal(audit_record_severity(&record), 3);
	for (int event = 1; event < AUDIT_EVENT_COUNT; event++) {
		record.event = (enum audit_event)event;
		record.failed = event % 2;
		assert_in_range(audit_record_severity(&record), 3, 6);
		assert_true(strlen(audit_event_name(record.event)) <= 32);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_encoded_decodes_to_the_same),
	    cmocka_unit_test(what_is_cut_or_longer_is_refused),
	    cmocka_unit_test(values_out_of_range_are_refused),
	    cmocka_unit_test(a_mapped_address_is_no_address_of_ours),
	    cmocka_unit_test(a_destination_that_is_not_normalised_is_refused),
	    cmocka_unit_test(a_name_longer_than_a_request_holds_is_refused),
	    cmocka_unit_test(a_full_record_prints_like_this),
	    cmocka_unit_test(who_was_only_claimed_is_no_identity),
	    cmocka_unit_test(a_summary_says_what_was_dropped_too),
	    cmocka_unit_test(an_association_is_said_to_be_one),
	    cmocka_unit_test(what_is_absent_is_not_printed),
	    cmocka_unit_test(any_octets_come_back_whole),
	    cmocka_unit_test(what_ends_a_value_is_escaped),
	    cmocka_unit_test(the_largest_record_is_whole_but_for_its_detail),
	    cmocka_unit_test(a_record_that_is_too_large_lacks_what_has_no_room),
	    cmocka_unit_test(a_detail_is_cut_between_characters),
	    cmocka_unit_test(sentences_say_it_for_people),
	    cmocka_unit_test(a_sentence_is_cut_where_it_does_not_fit),
	    cmocka_unit_test(severities_are_those_of_the_outcome),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
