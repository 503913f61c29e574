/* SPDX-License-Identifier: ISC */
/* One audit entry: its form on a link and as syslog structured data. */
#include "base/audit_record.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/must.h"
#include "base/text.h"
#include "base/wire.h"

/* The longest field that is printed. */
#define FIELD_MAX (AUDIT_DETAIL_SIZE - 1)
_Static_assert(IDENTITY_NAME_MAX <= FIELD_MAX, "identity is a field");
_Static_assert(HOST_NAME_MAX_LEN + 8 <= FIELD_MAX, "destination is a field");

static const char *const event_names[AUDIT_EVENT_COUNT] = {
    [AUDIT_START] = "start",
    [AUDIT_STOP] = "stop",
    [AUDIT_RELOAD] = "reload",
    [AUDIT_DEPENDENCY] = "dependency",
    [AUDIT_AUTH] = "auth",
    [AUDIT_DECISION] = "decision",
    [AUDIT_OPEN] = "open",
    [AUDIT_BIND_PEER] = "bind-peer",
    [AUDIT_REVOKED] = "revoked",
    [AUDIT_CLOSE] = "close",
    [AUDIT_UDP_DROPS] = "udp-drops",
    [AUDIT_UDP_SUMMARY] = "udp-summary",
    [AUDIT_GAP] = "gap",
    [AUDIT_ADMIN] = "admin",
    [AUDIT_INTERIM] = "interim",
};

const char *
audit_event_name(enum audit_event event)
{
	must(event > 0 && event < AUDIT_EVENT_COUNT);
	return event_names[event];
}

/* On a link: every field in the order of the struct. */

static void
put_address(struct wire_writer *writer, const struct address *address)
{
	static const size_t lengths[] = {
	    [ADDRESS_NONE] = 0, [ADDRESS_IPV4] = 4, [ADDRESS_IPV6] = 16};

	wire_put_u8(writer, (uint8_t)address->family);
	wire_put_bytes(writer, address->bytes, lengths[address->family]);
}

static void
put_socket_address(
    struct wire_writer *writer, const struct socket_address *address)
{
	put_address(writer, &address->address);
	wire_put_u16(writer, address->port);
}

static void
put_endpoint(struct wire_writer *writer, const struct endpoint *endpoint)
{
	wire_put_u8(writer, (uint8_t)endpoint->kind);
	if (endpoint->kind == ENDPOINT_NAME)
		wire_put_string(writer, endpoint->name);
	else
		put_address(writer, &endpoint->address);
	wire_put_u16(writer, endpoint->port);
}

size_t
audit_record_encode(
    const struct audit_record *record, uint8_t out[AUDIT_ENCODED_MAX])
{
	struct wire_writer writer;

	wire_writer_init(&writer, out, AUDIT_ENCODED_MAX);
	wire_put_u8(&writer, (uint8_t)record->event);
	wire_put_u16(&writer, (uint16_t)record->reason);
	wire_put_u8(&writer, record->failed);
	wire_put_u64(&writer, record->time_us);
	wire_put_u64(&writer, record->session);
	wire_put_u64(&writer, record->generation);
	wire_put_u8(&writer, record->stale);
	wire_put_string(&writer, record->identity);
	wire_put_u8(&writer, record->is_claimed);
	wire_put_u8(&writer, record->has_method);
	wire_put_u8(&writer, (uint8_t)record->method);
	wire_put_string(&writer, record->mechanism);
	wire_put_string(&writer, record->indicators);
	wire_put_u8(&writer, record->has_protection);
	wire_put_u8(&writer, (uint8_t)record->protection);
	wire_put_string(&writer, record->tls);
	put_socket_address(&writer, &record->client);
	put_socket_address(&writer, &record->via);
	wire_put_string(&writer, record->listener);
	wire_put_u8(&writer, record->command);
	wire_put_counted(&writer, record->asked, record->asked_len);
	wire_put_u8(&writer, record->has_destination);
	if (record->has_destination)
		put_endpoint(&writer, &record->destination);
	wire_put_u8(&writer, record->address_count);
	for (size_t i = 0; i < record->address_count; i++)
		put_address(&writer, &record->addresses[i]);
	put_socket_address(&writer, &record->dialled);
	put_socket_address(&writer, &record->egress);
	wire_put_string(&writer, record->rule);
	wire_put_string(&writer, record->reported);
	wire_put_u8(&writer, record->would_permit);
	wire_put_u64(&writer, record->generation_before);
	wire_put_u64(&writer, record->bytes_to_target);
	wire_put_u64(&writer, record->bytes_to_client);
	wire_put_u64(&writer, record->datagrams_to_target);
	wire_put_u64(&writer, record->datagrams_to_client);
	wire_put_u64(&writer, record->dropped);
	wire_put_u64(&writer, record->duration_us);
	wire_put_u64(&writer, record->lost);
	wire_put_u8(&writer, (uint8_t)record->hint);
	wire_put_string(&writer, record->detail);
	must(!writer.failed);
	return writer.len;
}

static bool
get_bool(struct wire_reader *reader)
{
	uint8_t value = wire_get_u8(reader);

	if (value > 1)
		reader->failed = true;
	return value == 1;
}

/* A number from min to max; min once the reader has failed. */
static unsigned
get_enum(struct wire_reader *reader, size_t octets, unsigned min, unsigned max)
{
	unsigned value =
	    octets == 1 ? wire_get_u8(reader) : wire_get_u16(reader);

	if (value >= min && value <= max && !reader->failed)
		return value;
	reader->failed = true;
	return min;
}

static struct address
get_address(struct wire_reader *reader)
{
	struct address address = {.family = ADDRESS_NONE};
	enum address_family family = (enum address_family)get_enum(
	    reader, 1, ADDRESS_NONE, ADDRESS_IPV6);
	const uint8_t *bytes;

	if (family == ADDRESS_NONE)
		return address;
	bytes = wire_get_bytes(reader, family == ADDRESS_IPV4 ? 4 : 16);
	if (bytes == NULL)
		return address;
	address = family == ADDRESS_IPV4 ? address_from_ipv4(bytes)
					 : address_from_ipv6(bytes);
	if (address.family != family) /* mapped: not how we hold it */
		reader->failed = true;
	return address;
}

static struct socket_address
get_socket_address(struct wire_reader *reader)
{
	struct socket_address address = {.address = get_address(reader)};

	address.port = wire_get_u16(reader);
	return address;
}

/* A name is one that endpoint_from_name gives back as it is. */
static bool
is_normal(const struct endpoint *endpoint)
{
	struct endpoint normal;

	return endpoint->kind == ENDPOINT_ADDRESS ||
	       (endpoint_from_name(endpoint->name, strlen(endpoint->name),
		    endpoint->port, &normal) &&
		   normal.kind == ENDPOINT_NAME &&
		   strcmp(normal.name, endpoint->name) == 0);
}

static struct endpoint
get_endpoint(struct wire_reader *reader)
{
	struct endpoint endpoint = {.kind = (enum endpoint_kind)get_enum(reader,
					1, ENDPOINT_ADDRESS, ENDPOINT_NAME)};

	if (endpoint.kind == ENDPOINT_NAME)
		wire_get_string(reader, endpoint.name, sizeof(endpoint.name));
	else
		endpoint.address = get_address(reader);
	endpoint.port = wire_get_u16(reader);
	if (!is_normal(&endpoint))
		reader->failed = true;
	return endpoint;
}

static void
get_asked(struct wire_reader *reader, struct audit_record *record)
{
	size_t len;
	const uint8_t *asked = wire_get_counted(reader, &len);

	if (len > sizeof(record->asked))
		reader->failed = true;
	if (reader->failed)
		return;
	memcpy(record->asked, asked, len);
	record->asked_len = (uint8_t)len;
}

static void
get_addresses(struct wire_reader *reader, struct audit_record *record)
{
	record->address_count =
	    (uint8_t)get_enum(reader, 1, 0, AUDIT_ADDRESSES_MAX);
	for (size_t i = 0; i < record->address_count; i++) {
		record->addresses[i] = get_address(reader);
		if (record->addresses[i].family == ADDRESS_NONE)
			reader->failed = true;
	}
}

bool
audit_record_decode(const void *data, size_t len, struct audit_record *record)
{
	struct wire_reader reader;

	memset(record, 0, sizeof(*record));
	wire_reader_init(&reader, data, len);
	record->event = (enum audit_event)get_enum(
	    &reader, 1, AUDIT_START, AUDIT_EVENT_COUNT - 1);
	record->reason = (enum reason)get_enum(&reader, 2, 0, REASON_COUNT - 1);
	record->failed = get_bool(&reader);
	record->time_us = wire_get_u64(&reader);
	record->session = wire_get_u64(&reader);
	record->generation = wire_get_u64(&reader);
	record->stale = get_bool(&reader);
	wire_get_string(&reader, record->identity, sizeof(record->identity));
	record->is_claimed = get_bool(&reader);
	record->has_method = get_bool(&reader);
	record->method = (enum method)get_enum(&reader, 1, 0, METHOD_COUNT - 1);
	wire_get_string(&reader, record->mechanism, sizeof(record->mechanism));
	wire_get_string(
	    &reader, record->indicators, sizeof(record->indicators));
	record->has_protection = get_bool(&reader);
	record->protection =
	    (enum protection)get_enum(&reader, 1, 0, PROTECTION_COUNT - 1);
	wire_get_string(&reader, record->tls, sizeof(record->tls));
	record->client = get_socket_address(&reader);
	record->via = get_socket_address(&reader);
	wire_get_string(&reader, record->listener, sizeof(record->listener));
	record->command = wire_get_u8(&reader);
	get_asked(&reader, record);
	record->has_destination = get_bool(&reader);
	if (record->has_destination)
		record->destination = get_endpoint(&reader);
	get_addresses(&reader, record);
	record->dialled = get_socket_address(&reader);
	record->egress = get_socket_address(&reader);
	wire_get_string(&reader, record->rule, sizeof(record->rule));
	wire_get_string(&reader, record->reported, sizeof(record->reported));
	record->would_permit = get_bool(&reader);
	record->generation_before = wire_get_u64(&reader);
	record->bytes_to_target = wire_get_u64(&reader);
	record->bytes_to_client = wire_get_u64(&reader);
	record->datagrams_to_target = wire_get_u64(&reader);
	record->datagrams_to_client = wire_get_u64(&reader);
	record->dropped = wire_get_u64(&reader);
	record->duration_us = wire_get_u64(&reader);
	record->lost = wire_get_u64(&reader);
	record->hint = (enum hint)get_enum(&reader, 1, 0, HINT_COUNT - 1);
	wire_get_string(&reader, record->detail, sizeof(record->detail));
	return wire_is_done(&reader);
}

/* As structured data. */

struct printer {
	char *out;
	size_t len, size; /* one octet is kept for NUL */
	bool is_full;	  /* something had no room */
};

static void
put_octets(struct printer *printer, const char *octets, size_t len)
{
	must(len < printer->size - printer->len);
	memcpy(printer->out + printer->len, octets, len);
	printer->len += len;
	printer->out[printer->len] = '\0';
}

static void
put_text(struct printer *printer, const char *text)
{
	put_octets(printer, text, strlen(text));
}

/* How much of what text_quote wrote belongs together: \\, \xHH or one
 * character. */
static size_t
unit_length(const char *quoted)
{
	size_t len = 1;

	if (quoted[0] == '\\')
		return quoted[1] == '\\' ? 2 : 4;
	while (((unsigned char)quoted[len] & 0xc0) == 0x80)
		len++;
	return len;
}

#define UNIT_MAX 8

/* A unit as it stands in a PARAM-VALUE; returns its length there. */
static size_t
escape_unit(char out[UNIT_MAX], const char *unit, size_t unit_len)
{
	size_t len = 0;

	for (size_t i = 0; i < unit_len; i++) {
		if (strchr("\"\\]", unit[i]) != NULL)
			out[len++] = '\\';
		out[len++] = unit[i];
	}
	return len;
}

/* Whole, or up to where `keep` octets are left; true if it was whole. */
static bool
put_value(struct printer *printer, const void *octets, size_t octet_count,
    size_t keep)
{
	char quoted[TEXT_QUOTED_SIZE(FIELD_MAX)], unit[UNIT_MAX];

	must(text_quote(quoted, sizeof(quoted), octets, octet_count));
	for (const char *at = quoted; *at != '\0'; at += unit_length(at)) {
		size_t len = escape_unit(unit, at, unit_length(at));

		if (len + keep >= printer->size - printer->len)
			return false;
		put_octets(printer, unit, len);
	}
	return true;
}

/* What may stand behind any parameter. */
#define BEHIND "\" addresses_cut=\"1\" detail=\"\" cut=\"detail\"]"

/* Whole or not at all; true if whole.  All that the house says has room, but
 * for the addresses of a decision: no sender's mistake may end the auditor. */
static bool
put_param(
    struct printer *printer, const char *name, const void *octets, size_t len)
{
	size_t before = printer->len;

	if (strlen(name) + sizeof(" =\"") + sizeof(BEHIND) <
	    printer->size - printer->len) {
		put_text(printer, " ");
		put_text(printer, name);
		put_text(printer, "=\"");
		if (put_value(printer, octets, len, sizeof(BEHIND))) {
			put_text(printer, "\"");
			return true;
		}
	}
	printer->len = before;
	printer->out[before] = '\0';
	printer->is_full = true;
	return false;
}

static void
put_string(struct printer *printer, const char *name, const char *text)
{
	if (*text != '\0')
		(void)put_param(printer, name, text, strlen(text));
}

static void printf_like(3, 4) put_format(
    struct printer *printer, const char *name, const char *format, ...)
{
	char text[64];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	put_string(printer, name, text);
}

static void
put_number(struct printer *printer, const char *name, uint64_t number)
{
	if (number != 0)
		put_format(printer, name, "%" PRIu64, number);
}

static void
put_flag(struct printer *printer, const char *name, bool flag)
{
	if (flag)
		put_string(printer, name, "1");
}

static void
put_peer(struct printer *printer, const char *name,
    const struct socket_address *address)
{
	char text[SOCKET_ADDRESS_TEXT_SIZE];

	if (address->address.family != ADDRESS_NONE)
		put_string(printer, name, socket_address_print(address, text));
}

static void
put_time(struct printer *printer, uint64_t time_us)
{
	time_t seconds = (time_t)(time_us / 1000000);
	char text[64];
	struct tm utc;

	if (gmtime_r(&seconds, &utc) == NULL ||
	    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc) == 0)
		return; /* a year that no calendar has */
	put_format(
	    printer, "time", "%s.%06uZ", text, (unsigned)(time_us % 1000000));
}

static void
put_stamp(struct printer *printer, const struct audit_record *record,
    const struct audit_stamp *stamp)
{
	put_format(printer, "seq", "%" PRIu64, stamp->sequence);
	put_time(printer, record->time_us);
	put_string(printer, "instance", stamp->instance);
	put_string(printer, "boot", stamp->boot_id);
	put_flag(printer, "delayed", stamp->delayed);
}

static void
put_event(struct printer *printer, const struct audit_record *record)
{
	put_string(printer, "event", audit_event_name(record->event));
	put_string(printer, "outcome", record->failed ? "fail" : "ok");
	put_string(printer, "reason", reason_name(record->reason));
	put_string(printer, "hint", hint_name(record->hint));
	put_number(printer, "session", record->session);
	put_number(printer, "lost", record->lost);
}

static void
put_who(struct printer *printer, const struct audit_record *record)
{
	put_string(printer, record->is_claimed ? "claimed" : "identity",
	    record->identity);
	if (record->has_method)
		put_string(printer, "method", method_name(record->method));
	put_string(printer, "mechanism", record->mechanism);
	put_string(printer, "indicators", record->indicators);
	if (record->has_protection)
		put_string(
		    printer, "protection", protection_name(record->protection));
	put_string(printer, "tls", record->tls);
	put_peer(printer, "client", &record->client);
	put_peer(printer, "via", &record->via);
	put_string(printer, "listener", record->listener);
}

static void
put_count(struct printer *printer, const char *name, uint64_t count)
{
	put_format(printer, name, "%" PRIu64, count);
}

/* How much went each way; none is a number too. */
static void
put_amounts(struct printer *printer, const struct audit_record *record)
{
	bool is_udp = record->event == AUDIT_UDP_SUMMARY ||
		      record->event == AUDIT_UDP_DROPS;

	if (record->event != AUDIT_CLOSE && record->event != AUDIT_INTERIM &&
	    !is_udp)
		return;
	if (is_udp) {
		put_count(printer, "datagrams_to_target",
		    record->datagrams_to_target);
		put_count(printer, "datagrams_to_client",
		    record->datagrams_to_client);
		put_count(printer, "dropped", record->dropped);
	}
	put_count(printer, "bytes_to_target", record->bytes_to_target);
	put_count(printer, "bytes_to_client", record->bytes_to_client);
	put_format(printer, "duration", "%" PRIu64 ".%06u",
	    record->duration_us / 1000000,
	    (unsigned)(record->duration_us % 1000000));
}

/* With a space between two; or that there was no room for them. */
static void
put_addresses(struct printer *printer, const struct audit_record *record)
{
	char list[AUDIT_ADDRESSES_MAX * ADDRESS_TEXT_SIZE];
	char text[ADDRESS_TEXT_SIZE];
	bool was_full = printer->is_full;
	size_t len = 0;

	if (record->event != AUDIT_DECISION || record->address_count == 0)
		return;
	for (size_t i = 0; i < record->address_count; i++)
		len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%s",
		    i == 0 ? "" : " ",
		    address_print(&record->addresses[i], text));
	if (!put_param(printer, "addresses", list, len)) {
		put_text(printer, " addresses_cut=\"1\"");
		printer->is_full = was_full; /* the rest is whole */
	}
}

static void
put_what(struct printer *printer, const struct audit_record *record)
{
	char text[ENDPOINT_TEXT_SIZE];

	if (record->command != 0)
		put_string(printer, "command",
		    command_name((enum command)record->command));
	if (record->asked_len > 0)
		(void)put_param(
		    printer, "asked", record->asked, record->asked_len);
	if (record->has_destination)
		put_string(printer, "destination",
		    endpoint_print(&record->destination, text));
	put_string(printer, "rule", record->rule);
	put_string(printer, "report", record->reported);
	if (record->reported[0] != '\0')
		put_string(printer, "report_action",
		    record->would_permit ? "permit" : "deny");
	put_number(printer, "generation", record->generation);
	put_number(printer, "generation_before", record->generation_before);
	put_flag(printer, "stale", record->stale);
	put_peer(printer, "dialled", &record->dialled);
	put_peer(printer, "egress", &record->egress);
	put_amounts(printer, record);
	put_addresses(printer, record);
}

/* What comes last and may be cut. */
static void
put_detail(struct printer *printer, const char *detail)
{
	static const char cut[] = "\" cut=\"detail\"]";

	if (*detail == '\0' && printer->is_full) {
		put_text(printer, cut + 1);
		return;
	}
	if (*detail != '\0') {
		put_text(printer, " detail=\"");
		if (!put_value(printer, detail, strlen(detail), sizeof(cut))) {
			put_text(printer, cut);
			return;
		}
		put_text(printer, "\"");
	}
	put_text(printer, "]");
}

size_t
audit_record_print(const struct audit_record *record,
    const struct audit_stamp *stamp, char out[AUDIT_RECORD_MAX])
{
	struct printer printer = {
	    .out = out, .size = AUDIT_RECORD_MAX - 1024 + 1};

	put_text(&printer, "[");
	put_text(&printer, stamp->sd_id);
	put_stamp(&printer, record, stamp);
	put_event(&printer, record);
	put_who(&printer, record);
	put_what(&printer, record);
	put_detail(&printer, record->detail);
	return printer.len;
}

/* As a sentence. */

/* Writes what fits. */
static void
    printf_like(2, 3) say(struct printer *printer, const char *format, ...)
{
	size_t room = printer->size - printer->len;
	va_list args;
	int printed;

	va_start(args, format);
	printed = vsnprintf(printer->out + printer->len, room, format, args);
	va_end(args);
	if (printed > 0)
		printer->len +=
		    (size_t)printed < room ? (size_t)printed : room - 1;
}

static void
say_foreign(struct printer *printer, const void *octets, size_t len)
{
	(void)text_quote(printer->out + printer->len,
	    printer->size - printer->len, octets, len);
	printer->len += strlen(printer->out + printer->len);
}

static void
say_text(struct printer *printer, const char *text)
{
	say_foreign(printer, text, strlen(text));
}

/* "alice@EXAMPLE.COM", or at least where he is, and who he says he is. */
static void
say_who(struct printer *printer, const struct audit_record *record)
{
	char text[SOCKET_ADDRESS_TEXT_SIZE];

	if (record->identity[0] != '\0' && !record->is_claimed) {
		say_text(printer, record->identity);
		return;
	}
	if (record->client.address.family != ADDRESS_NONE)
		say(printer, "%s", socket_address_print(&record->client, text));
	else
		say(printer, "somebody");
	if (record->identity[0] != '\0') {
		say(printer, " as ");
		say_text(printer, record->identity);
	}
}

static void
say_where(struct printer *printer, const struct audit_record *record)
{
	char text[ENDPOINT_TEXT_SIZE];

	if (record->has_destination)
		say_foreign(printer, text,
		    strlen(endpoint_print(&record->destination, text)));
	else if (record->asked_len > 0)
		say_foreign(printer, record->asked, record->asked_len);
	else
		say(printer, "where it wanted");
}

/* ": why", for what failed. */
static void
say_why(struct printer *printer, const struct audit_record *record)
{
	if (record->reason != REASON_OK)
		say(printer, ": %s", reason_sentence(record->reason));
	else if (record->detail[0] != '\0') {
		say(printer, ": ");
		say_text(printer, record->detail);
	}
}

static void
say_auth(struct printer *printer, const struct audit_record *record)
{
	say_who(printer, record);
	say(printer, record->failed ? " was not proved" : " was proved");
	if (record->has_method)
		say(printer, " by %s", method_name(record->method));
	if (record->has_protection)
		say(printer, ", protection %s",
		    protection_name(record->protection));
}

/* What a client does with its target. */
static const char *
verb(uint8_t command)
{
	switch (command) {
	case COMMAND_CONNECT:
		return "connect to";
	case COMMAND_BIND:
		return "be called by";
	case COMMAND_UDP:
		return "exchange datagrams with";
	default:
		return "go to";
	}
}

/* Not about one of its destinations. */
static bool
is_association(const struct audit_record *record)
{
	return record->command == COMMAND_UDP && !record->has_destination &&
	       record->asked_len == 0;
}

static void
say_rule(struct printer *printer, const struct audit_record *record)
{
	if (record->rule[0] == '\0')
		return;
	say(printer, " (rule ");
	say_text(printer, record->rule);
	say(printer, ")");
}

static void
say_revoked(struct printer *printer, const struct audit_record *record)
{
	say_who(printer, record);
	if (is_association(record)) {
		say(printer, " may no longer exchange datagrams");
	} else {
		say(printer, " may no longer %s ", verb(record->command));
		say_where(printer, record);
	}
	say_rule(printer, record);
}

static void
say_decision(struct printer *printer, const struct audit_record *record)
{
	say_who(printer, record);
	if (is_association(record)) {
		say(printer, record->failed ? " may not exchange datagrams"
					    : " may exchange datagrams");
	} else {
		say(printer, record->failed ? " may not %s " : " may %s ",
		    verb(record->command));
		say_where(printer, record);
	}
	say_rule(printer, record);
}

static void
say_open(struct printer *printer, const struct audit_record *record)
{
	char text[SOCKET_ADDRESS_TEXT_SIZE];

	say_who(printer, record);
	if (record->command == COMMAND_UDP && !record->failed) {
		say(printer, " sends its datagrams to %s",
		    socket_address_print(&record->egress, text));
		return;
	}
	say(printer, record->failed ? " did not reach " : " reached ");
	say_where(printer, record);
}

static void
say_bind_peer(struct printer *printer, const struct audit_record *record)
{
	char text[SOCKET_ADDRESS_TEXT_SIZE];

	say_who(printer, record);
	say(printer,
	    record->failed ? " was not to be called by %s"
			   : " was called by %s",
	    socket_address_print(&record->dialled, text));
}

static void
say_amounts(struct printer *printer, const struct audit_record *record,
    const char *does)
{
	say_who(printer, record);
	say(printer, "'s session ");
	if (record->has_destination) {
		say(printer, "to ");
		say_where(printer, record);
		say(printer, " ");
	}
	say(printer,
	    "%s %" PRIu64 ".%03u s with %" PRIu64
	    " octets to the target and %" PRIu64 " to the client",
	    does, record->duration_us / 1000000,
	    (unsigned)(record->duration_us % 1000000 / 1000),
	    record->bytes_to_target, record->bytes_to_client);
}

static void
say_close(struct printer *printer, const struct audit_record *record)
{
	say_amounts(printer, record, "ended after");
}

static void
say_interim(struct printer *printer, const struct audit_record *record)
{
	say_amounts(printer, record, "lasts since");
}

static void
say_udp_summary(struct printer *printer, const struct audit_record *record)
{
	say_who(printer, record);
	say(printer,
	    " sent %" PRIu64 " datagrams and was sent %" PRIu64 ", %" PRIu64
	    " were dropped",
	    record->datagrams_to_target, record->datagrams_to_client,
	    record->dropped);
}

static void
say_gap(struct printer *printer, const struct audit_record *record)
{
	say(printer, "%" PRIu64 " records were lost", record->lost);
}

static void
say_start(struct printer *printer, const struct audit_record *record)
{
	say(printer, record->failed ? "could not start" : "started");
}

static void
say_stop(struct printer *printer, const struct audit_record *record)
{
	say(printer, record->failed ? "died" : "stopped");
}

static void
say_reload(struct printer *printer, const struct audit_record *record)
{
	say(printer, record->failed ? "something new was refused"
				    : "something new was taken");
}

static void
say_dependency(struct printer *printer, const struct audit_record *record)
{
	say(printer,
	    record->failed ? "a dependency is gone" : "a dependency is back");
}

static void
say_admin(struct printer *printer, const struct audit_record *record)
{
	say(printer, record->failed ? "an administrator's question was refused"
				    : "an administrator asked");
}

/* Severities of RFC 5424 section 6.2.1. */
enum { ERROR = 3, WARNING = 4, NOTICE = 5, INFORMATIONAL = 6 };

static const struct {
	void (*say)(struct printer *, const struct audit_record *);
	int severity, severity_failed;
} events[AUDIT_EVENT_COUNT] = {
    [AUDIT_START] = {say_start, NOTICE, ERROR},
    [AUDIT_STOP] = {say_stop, NOTICE, ERROR},
    [AUDIT_RELOAD] = {say_reload, NOTICE, ERROR},
    [AUDIT_DEPENDENCY] = {say_dependency, NOTICE, WARNING},
    [AUDIT_AUTH] = {say_auth, INFORMATIONAL, NOTICE},
    [AUDIT_DECISION] = {say_decision, INFORMATIONAL, NOTICE},
    [AUDIT_OPEN] = {say_open, INFORMATIONAL, NOTICE},
    [AUDIT_BIND_PEER] = {say_bind_peer, INFORMATIONAL, NOTICE},
    [AUDIT_REVOKED] = {say_revoked, INFORMATIONAL, NOTICE},
    [AUDIT_CLOSE] = {say_close, INFORMATIONAL, NOTICE},
    [AUDIT_UDP_DROPS] = {say_udp_summary, NOTICE, WARNING},
    [AUDIT_UDP_SUMMARY] = {say_udp_summary, INFORMATIONAL, NOTICE},
    [AUDIT_GAP] = {say_gap, ERROR, ERROR},
    [AUDIT_ADMIN] = {say_admin, NOTICE, WARNING},
    [AUDIT_INTERIM] = {say_interim, INFORMATIONAL, NOTICE},
};

size_t
audit_record_sentence(const struct audit_record *record, char *out, size_t size)
{
	struct printer printer = {.out = out, .size = size};

	must(record->event > 0 && record->event < AUDIT_EVENT_COUNT);
	must(size > 0);
	out[0] = '\0';
	events[record->event].say(&printer, record);
	say_why(&printer, record);
	return printer.len;
}

int
audit_record_severity(const struct audit_record *record)
{
	must(record->event > 0 && record->event < AUDIT_EVENT_COUNT);
	/* Nobody else will say that a program died. */
	if (record->reason == REASON_CRASH)
		return ERROR;
	return record->failed ? events[record->event].severity_failed
			      : events[record->event].severity;
}
