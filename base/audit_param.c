/* SPDX-License-Identifier: ISC */
/* The parameters of a record in a log: which there are, and what their values
 * say. */
#include "base/audit_param.h"

#include <stddef.h>
#include <string.h>
#include <time.h>

#include "base/audit_text.h"
#include "base/text.h"

static bool
find(const char *text, unsigned count, const char *name_of(unsigned),
    unsigned *found)
{
	for (unsigned i = 0; i < count; i++) {
		const char *name = name_of(i);

		if (name != NULL && strcmp(name, text) == 0) {
			*found = i;
			return true;
		}
	}
	return false;
}

static const char *
name_of_event(unsigned event)
{
	return event == 0 ? NULL : audit_event_name((enum audit_event)event);
}

static const char *
name_of_reason(unsigned reason)
{
	return reason_name((enum reason)reason);
}

static const char *
name_of_hint(unsigned hint)
{
	return hint_name((enum hint)hint);
}

static bool
parse_event(const struct audit_value *value, struct audit_text *text)
{
	unsigned found;

	if (!find(value->text, AUDIT_EVENT_COUNT, name_of_event, &found))
		return false;
	text->record.event = (enum audit_event)found;
	return true;
}

static bool
parse_reason(const struct audit_value *value, struct audit_text *text)
{
	unsigned found;

	if (!find(value->text, REASON_COUNT, name_of_reason, &found))
		return false;
	text->record.reason = (enum reason)found;
	return true;
}

static bool
parse_hint(const struct audit_value *value, struct audit_text *text)
{
	unsigned found;

	if (!find(value->text, HINT_COUNT, name_of_hint, &found))
		return false;
	text->record.hint = (enum hint)found;
	return true;
}

/* One of two words. */
static bool
parse_either(const struct audit_value *value, const char *no, const char *yes,
    bool *is_yes)
{
	*is_yes = strcmp(value->text, yes) == 0;
	return *is_yes || strcmp(value->text, no) == 0;
}

static bool
parse_outcome(const struct audit_value *value, struct audit_text *text)
{
	return parse_either(value, "ok", "fail", &text->record.failed);
}

static bool
parse_report_action(const struct audit_value *value, struct audit_text *text)
{
	return parse_either(
	    value, "deny", "permit", &text->record.would_permit);
}

static bool
parse_cut(const struct audit_value *value, struct audit_text *text)
{
	text->is_cut = true;
	return strcmp(value->text, "detail") == 0;
}

/* So many digits, and what has to stand behind them. */
static bool
take_digits(const char **at, size_t count, const char *end, int *number)
{
	for (*number = 0; count > 0; count--, ++*at) {
		if (**at < '0' || **at > '9')
			return false;
		*number = *number * 10 + (**at - '0');
	}
	if (strncmp(*at, end, strlen(end)) != 0)
		return false;
	*at += strlen(end);
	return true;
}

/* "2026-11-24T09:30:00.120034Z". */
static bool
parse_time(const struct audit_value *value, struct audit_text *text)
{
	const char *at = value->text;
	struct tm tm = {.tm_isdst = 0};
	struct tm again;
	int us;
	time_t seconds;

	if (!take_digits(&at, 4, "-", &tm.tm_year) ||
	    !take_digits(&at, 2, "-", &tm.tm_mon) ||
	    !take_digits(&at, 2, "T", &tm.tm_mday) ||
	    !take_digits(&at, 2, ":", &tm.tm_hour) ||
	    !take_digits(&at, 2, ":", &tm.tm_min) ||
	    !take_digits(&at, 2, ".", &tm.tm_sec) ||
	    !take_digits(&at, 6, "Z", &us) || *at != '\0')
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	again = tm;
	seconds = timegm(&again);
	/* What was no moment has become another, in the field above. */
	if (seconds < 0 || again.tm_mon != tm.tm_mon ||
	    again.tm_mday != tm.tm_mday || again.tm_hour != tm.tm_hour ||
	    again.tm_min != tm.tm_min)
		return false;
	text->record.time_us = (uint64_t)seconds * 1000000 + (uint64_t)us;
	return true;
}

/* "12.000345". */
static bool
parse_duration(const struct audit_value *value, struct audit_text *text)
{
	char seconds[24];
	const char *point = strchr(value->text, '.');
	uint64_t whole;
	size_t len;
	int us;

	if (point == NULL)
		return false;
	len = (size_t)(point - value->text);
	if (len >= sizeof(seconds))
		return false;
	memcpy(seconds, value->text, len);
	seconds[len] = '\0';
	point++;
	if (!text_parse_u64(seconds, 0, UINT64_MAX / 1000000, &whole) ||
	    !take_digits(&point, 6, "", &us) || *point != '\0' ||
	    whole * 1000000 > UINT64_MAX - (uint64_t)us)
		return false;
	text->record.duration_us = whole * 1000000 + (uint64_t)us;
	return true;
}

static bool
parse_identity(const struct audit_value *value, struct audit_text *text)
{
	return strlcpy(text->record.identity, value->text,
		   sizeof(text->record.identity)) <
	       sizeof(text->record.identity);
}

static bool
parse_claimed(const struct audit_value *value, struct audit_text *text)
{
	text->record.is_claimed = true;
	return parse_identity(value, text);
}

static bool
parse_method(const struct audit_value *value, struct audit_text *text)
{
	text->record.has_method = true;
	return method_parse(value->text, &text->record.method);
}

static bool
parse_protection(const struct audit_value *value, struct audit_text *text)
{
	text->record.has_protection = true;
	return protection_parse(value->text, &text->record.protection);
}

static bool
parse_command(const struct audit_value *value, struct audit_text *text)
{
	enum command command;

	/* Which octet it was is not on record. */
	text->record.command = UINT8_MAX;
	if (strcmp(value->text, command_name((enum command)UINT8_MAX)) == 0)
		return true;
	if (!command_parse(value->text, &command))
		return false;
	text->record.command = (uint8_t)command;
	return true;
}

static bool
parse_asked(const struct audit_value *value, struct audit_text *text)
{
	if (value->len > sizeof(text->record.asked))
		return false;
	memcpy(text->record.asked, value->text, value->len);
	text->record.asked_len = (uint8_t)value->len;
	return true;
}

static bool
parse_destination(const struct audit_value *value, struct audit_text *text)
{
	text->record.has_destination = true;
	return endpoint_parse(value->text, &text->record.destination);
}

/* As many as there are, with one space between two. */
static bool
parse_addresses(const struct audit_value *value, struct audit_text *text)
{
	struct audit_record *record = &text->record;
	char copy[AUDIT_ADDRESSES_MAX * ADDRESS_TEXT_SIZE];
	char *rest = copy, *word;

	if (strlcpy(copy, value->text, sizeof(copy)) >= sizeof(copy))
		return false;
	while ((word = strsep(&rest, " ")) != NULL) {
		if (record->address_count == AUDIT_ADDRESSES_MAX ||
		    !address_parse(
			word, &record->addresses[record->address_count]))
			return false;
		record->address_count++;
	}
	return true;
}

enum kind { OWN, STRING, NUMBER, FLAG, PEER };

typedef bool parse_fn(const struct audit_value *, struct audit_text *);

#define IN(field)    offsetof(struct audit_text, field)
#define SIZE(field)  sizeof(((struct audit_text *)NULL)->field)
#define OF(field)    IN(record.field)
#define TEXT(field)  .kind = STRING, .offset = IN(field), .size = SIZE(field)
#define COUNT(field) .kind = NUMBER, .offset = OF(field)
#define ADDR(field)  .kind = PEER, .offset = OF(field)

/* In the order in which they are printed. */
static const struct param {
	const char *name;
	parse_fn *parse; /* of kind OWN */
	enum kind kind;
	size_t offset, size;
} params[] = {
    {"seq", .kind = NUMBER, .offset = IN(sequence)},
    {"time", .parse = parse_time},
    {"instance", TEXT(instance)},
    {"boot", TEXT(boot_id)},
    {"delayed", .kind = FLAG, .offset = IN(delayed)},
    {"event", .parse = parse_event},
    {"outcome", .parse = parse_outcome},
    {"reason", .parse = parse_reason},
    {"hint", .parse = parse_hint},
    {"session", COUNT(session)},
    {"lost", COUNT(lost)},
    {"identity", .parse = parse_identity},
    {"claimed", .parse = parse_claimed},
    {"method", .parse = parse_method},
    {"mechanism", TEXT(record.mechanism)},
    {"indicators", TEXT(record.indicators)},
    {"protection", .parse = parse_protection},
    {"tls", TEXT(record.tls)},
    {"client", ADDR(client)},
    {"via", ADDR(via)},
    {"listener", TEXT(record.listener)},
    {"command", .parse = parse_command},
    {"asked", .parse = parse_asked},
    {"destination", .parse = parse_destination},
    {"addresses", .parse = parse_addresses},
    {"rule", TEXT(record.rule)},
    {"report", TEXT(record.reported)},
    {"report_action", .parse = parse_report_action},
    {"generation", COUNT(generation)},
    {"generation_before", COUNT(generation_before)},
    {"stale", .kind = FLAG, .offset = OF(stale)},
    {"dialled", ADDR(dialled)},
    {"egress", ADDR(egress)},
    {"datagrams_to_target", COUNT(datagrams_to_target)},
    {"datagrams_to_client", COUNT(datagrams_to_client)},
    {"dropped", COUNT(dropped)},
    {"bytes_to_target", COUNT(bytes_to_target)},
    {"bytes_to_client", COUNT(bytes_to_client)},
    {"duration", .parse = parse_duration},
    {"detail", TEXT(record.detail)},
    {"cut", .parse = parse_cut},
};
_Static_assert(ARRAY_COUNT(params) <= AUDIT_PARAMS_MAX, "as is promised");

static bool
store_string(const struct audit_value *value, void *field, size_t size)
{
	return strlcpy(field, value->text, size) < size;
}

static bool
store_number(const struct audit_value *value, void *field, size_t size)
{
	(void)size;
	return text_parse_u64(value->text, 0, UINT64_MAX, field);
}

static bool
store_flag(const struct audit_value *value, void *field, size_t size)
{
	(void)size;
	*(bool *)field = true;
	return strcmp(value->text, "1") == 0;
}

static bool
store_peer(const struct audit_value *value, void *field, size_t size)
{
	(void)size;
	return socket_address_parse(value->text, field);
}

bool
audit_param_store(
    int number, const struct audit_value *value, struct audit_text *t)
{
	static bool (*const stores[])(
	    const struct audit_value *, void *, size_t) = {
	    [STRING] = store_string,
	    [NUMBER] = store_number,
	    [FLAG] = store_flag,
	    [PEER] = store_peer,
	};
	const struct param *param = &params[number];

	/* Of all but `asked` no octet is NUL. */
	if (strlen(value->text) != value->len && param->parse != parse_asked)
		return false;
	if (param->kind == OWN)
		return param->parse(value, t);
	return stores[param->kind](
	    value, (char *)t + param->offset, param->size);
}

int
audit_param_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_COUNT(params); i++)
		if (strcmp(params[i].name, name) == 0)
			return (int)i;
	return -1;
}

bool
audit_param_is_number(int number)
{
	return params[number].kind == NUMBER;
}
