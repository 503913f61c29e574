/* SPDX-License-Identifier: ISC */
/* Audit records for tests. */
#include "tests/support/records.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"

static struct socket_address
peer(const char *text)
{
	struct socket_address address;

	must(socket_address_parse(text, &address));
	return address;
}

struct audit_record
record_full(void)
{
	struct audit_record record = {
	    .event = AUDIT_CLOSE,
	    .reason = REASON_IDLE,
	    .hint = HINT_CURL_7_69,
	    .time_us = 1764000000123456,
	    .session = 17,
	    .generation = 42,
	    .stale = true,
	    .identity = "alice@EXAMPLE.COM",
	    .has_method = true,
	    .method = METHOD_GSSAPI,
	    .mechanism = "krb5",
	    .indicators = "otp hardened",
	    .has_protection = true,
	    .protection = PROTECTION_CONFIDENTIALITY,
	    .client = peer("192.0.2.7:40000"),
	    .via = peer("192.0.2.9:50001"),
	    .listener = "main",
	    .command = COMMAND_CONNECT,
	    .asked_len = 16,
	    .asked = "WWW.example.com.",
	    .has_destination = true,
	    .destination = {.kind = ENDPOINT_NAME,
		.name = "www.example.com",
		.port = 443},
	    .address_count = 2,
	    .addresses = {peer("192.0.2.80:0").address,
		peer("[2001:db8::5]:0").address},
	    .dialled = peer("[2001:db8::5]:443"),
	    .egress = peer("[2001:db8::1]:50000"),
	    .rule = "cn=web,ou=rules,dc=example,dc=com",
	    .reported = "dry run",
	    .would_permit = true,
	    .generation_before = 41,
	    .bytes_to_target = 1234,
	    .bytes_to_client = 567890,
	    .datagrams_to_target = 7,
	    .datagrams_to_client = 8,
	    .dropped = 9,
	    .duration_us = 12000345,
	    .lost = 3,
	    .detail = "some words",
	};

	return record;
}

static void
fill(char *field, size_t size, char with)
{
	memset(field, with, size - 1);
	field[size - 1] = '\0';
}

struct audit_record
record_largest(void)
{
	struct audit_record record = record_full();

	record.time_us = UINT64_C(253402300799999999);
	record.session = record.generation = record.lost = UINT64_MAX;
	record.bytes_to_target = record.bytes_to_client = UINT64_MAX;
	record.event = AUDIT_UDP_SUMMARY;
	record.datagrams_to_target = record.datagrams_to_client = UINT64_MAX;
	record.dropped = UINT64_MAX;
	record.duration_us = UINT64_MAX;
	record.protection = PROTECTION_CONFIDENTIALITY;
	record.client = record.via = record.dialled = record.egress =
	    peer("[2001:db8:1111:2222:3333:4444:5555:6666]:65535");
	fill(record.mechanism, sizeof(record.mechanism), '\x01');
	fill(record.listener, sizeof(record.listener), '\x01');
	/* Of these every octet is printable. */
	fill(record.identity, sizeof(record.identity), '\\');
	fill(record.rule, sizeof(record.rule), '\\');
	fill(record.reported, sizeof(record.reported), '\\');
	fill(record.indicators, sizeof(record.indicators), '\\');
	record.generation_before = UINT64_MAX;
	fill(record.detail, sizeof(record.detail), '\x01');
	memset(record.asked, 0, sizeof(record.asked));
	record.asked_len = 255;
	fill(record.destination.name, sizeof(record.destination.name), 'a');
	for (size_t i = 50; i < HOST_NAME_MAX_LEN; i += 50)
		record.destination.name[i] = '.';
	record.destination.port = 65535;
	record.address_count = AUDIT_ADDRESSES_MAX;
	for (size_t i = 0; i < AUDIT_ADDRESSES_MAX; i++)
		record.addresses[i] = record.client.address;
	return record;
}

/* What people have tried to break receivers with. */
static const char *const nasty[] = {
    "]",
    "\"",
    "\\",
    "\"]",
    "\\]",
    "\r\n<13>1 ",
    "\n<0>",
    "\x1b[2J",
    "\x9b",
    "\xc2\x9b",
    "\xff",
    "\xc3",
    "\xe2\x80\xae",
    "\xe2\x80\xa8",
    "\xc3\xa9",
    "\xf0\x9f\x98\x80",
    "\xef\xbb\xbf",
    "\x7f",
    " ",
    "=",
    "[a b=\"c\"]",
    "%s%n",
    "\\x5d",
    "\\\\",
    "\\x",
    "#012",
    "'",
    "`id`",
    "\t",
    "\xc0\x80",
    "$!all-json",
    "\\u0000",
    "\xed\xa0\x80",
};

static size_t
draw_octets(uint8_t *out, size_t max)
{
	size_t want = (size_t)rand() % (max + 1), len = 0;

	while (len < want) {
		const char *piece = nasty[(size_t)rand() % ARRAY_COUNT(nasty)];
		size_t piece_len = strlen(piece);

		if (rand() % 2 == 0) {
			out[len++] = (uint8_t)rand();
		} else if (len + piece_len <= max) {
			memcpy(out + len, piece, piece_len);
			len += piece_len;
		}
	}
	return len;
}

static void
draw_string(char *out, size_t size)
{
	size_t len = draw_octets((uint8_t *)out, size - 1);

	for (size_t i = 0; i < len; i++)
		if (out[i] == '\0')
			out[i] = '\x01';
	out[len] = '\0';
}

static uint64_t
draw_number(void)
{
	return rand() % 3 == 0 ? 0 : (uint64_t)rand() * (uint64_t)rand();
}

struct audit_record
record_drawn(void)
{
	struct audit_record record = record_full();

	record.event = (enum audit_event)(1 + rand() % (AUDIT_EVENT_COUNT - 1));
	record.reason = (enum reason)(rand() % REASON_COUNT);
	record.failed = rand() % 2;
	record.hint = (enum hint)(rand() % HINT_COUNT);
	record.stale = rand() % 2;
	record.session = draw_number();
	record.generation = draw_number();
	record.lost = draw_number();
	record.bytes_to_target = draw_number();
	record.bytes_to_client = draw_number();
	record.datagrams_to_target = draw_number();
	record.datagrams_to_client = draw_number();
	record.dropped = draw_number();
	record.duration_us = draw_number();
	record.has_method = rand() % 2;
	record.has_protection = rand() % 2;
	record.is_claimed = rand() % 2;
	record.has_destination = rand() % 2;
	if (!record.has_destination)
		memset(&record.destination, 0, sizeof(record.destination));
	record.address_count = (uint8_t)(rand() % 3);
	if (rand() % 2)
		memset(&record.via, 0, sizeof(record.via));
	if (rand() % 2)
		memset(&record.dialled, 0, sizeof(record.dialled));
	draw_string(record.identity, sizeof(record.identity));
	draw_string(record.rule, sizeof(record.rule));
	draw_string(record.detail, sizeof(record.detail));
	record.asked_len =
	    (uint8_t)draw_octets(record.asked, sizeof(record.asked));
	return record;
}
