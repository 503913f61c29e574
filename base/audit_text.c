/* SPDX-License-Identifier: ISC */
/* An audit record read back out of a line of a log. */
#include "base/audit_text.h"

#include <string.h>
#include <time.h>

#include "base/text.h"

#define NAME_SIZE 33
/* Of any field, as its octets were. */
#define VALUE_MAX (AUDIT_DETAIL_SIZE - 1)

/* What is left of the line; `at` and `end` bound it. */
struct cursor {
	const char *at, *end;
};

static size_t
left(const struct cursor *cursor)
{
	return (size_t)(cursor->end - cursor->at);
}

static bool
take(struct cursor *cursor, const char *text)
{
	size_t len = strlen(text);

	if (left(cursor) < len || memcmp(cursor->at, text, len) != 0)
		return false;
	cursor->at += len;
	return true;
}

/* ---- what is in front of the element */

/* A run of what is no space, and the spaces behind it. */
static bool
take_word(struct cursor *cursor, struct cursor *word)
{
	word->at = cursor->at;
	while (left(cursor) > 0 && *cursor->at > ' ' && *cursor->at <= '~')
		cursor->at++;
	word->end = cursor->at;
	if (left(cursor) == 0 || *cursor->at != ' ' || left(word) == 0)
		return false;
	while (left(cursor) > 0 && *cursor->at == ' ')
		cursor->at++;
	return true;
}

static bool
is_digits(const struct cursor *word)
{
	for (const char *c = word->at; c < word->end; c++)
		if (*c < '0' || *c > '9')
			return false;
	return left(word) > 0;
}

/* "gatewarden[812]:" or "gatewarden:". */
static bool
is_tag(struct cursor word)
{
	struct cursor pid;

	if (!take(&word, "gatewarden"))
		return false;
	if (take(&word, ":"))
		return left(&word) == 0;
	if (!take(&word, "["))
		return false;
	pid.at = word.at;
	pid.end = memchr(word.at, ']', left(&word));
	if (pid.end == NULL || !is_digits(&pid))
		return false;
	word.at = pid.end + 1;
	return take(&word, ":") && left(&word) == 0;
}

/* Behind its bracket. */
static bool
take_priority(struct cursor *cursor)
{
	struct cursor digits;

	digits.at = cursor->at;
	digits.end = memchr(cursor->at, '>', left(cursor));
	if (digits.end == NULL || !is_digits(&digits) || left(&digits) > 3)
		return false;
	cursor->at = digits.end + 1;
	return true;
}

/* "TIME HOST gatewarden PID MSGID ", behind the version. */
static bool
take_5424(struct cursor *cursor)
{
	struct cursor words[5];

	for (size_t i = 0; i < ARRAY_COUNT(words); i++)
		if (!take_word(cursor, &words[i]))
			return false;
	return take(&words[2], "gatewarden") && left(&words[2]) == 0;
}

/* "Mmm dd hh:mm:ss HOST gatewarden[812]: " or with another time; the first
 * word that ends like a tag is the tag. */
static bool
take_3164(struct cursor *cursor)
{
	struct cursor word;

	for (size_t i = 0; i < 7; i++) {
		if (!take_word(cursor, &word))
			return false;
		if (word.end[-1] == ':')
			return is_tag(word);
	}
	return false;
}

/* Up to the element's bracket; false if the line is somebody else's. */
static bool
take_header(struct cursor *cursor)
{
	if (take(cursor, "<") && !take_priority(cursor))
		return false;
	if (take(cursor, "1 "))
		return take_5424(cursor);
	return (left(cursor) > 0 && *cursor->at == '[') || take_3164(cursor);
}

/* ---- the element: RFC 5424 section 6.3 */

static bool
take_name(struct cursor *cursor, char name[NAME_SIZE])
{
	size_t len = 0;

	while (left(cursor) > len && cursor->at[len] > ' ' &&
	       cursor->at[len] <= '~' &&
	       memchr("= ]\"", cursor->at[len], 4) == NULL)
		len++;
	if (len == 0 || len >= NAME_SIZE)
		return false;
	memcpy(name, cursor->at, len);
	name[len] = '\0';
	cursor->at += len;
	return true;
}

/* A value as text_quote wrote it. */
struct quoted {
	char text[TEXT_QUOTED_SIZE(VALUE_MAX)];
};

/* Behind the quotation mark that ends it; its escapes are undone. */
static bool
take_value(struct cursor *cursor, struct quoted *value)
{
	size_t len = 0;

	for (; left(cursor) > 0 && *cursor->at != '"'; cursor->at++) {
		if (*cursor->at == '\\') {
			cursor->at++;
			if (left(cursor) == 0 ||
			    memchr("\"\\]", *cursor->at, 3) == NULL)
				return false;
		} else if (*cursor->at == ']' || *cursor->at == '\0') {
			return false;
		}
		if (len == sizeof(value->text) - 1)
			return false;
		value->text[len++] = *cursor->at;
	}
	value->text[len] = '\0';
	return take(cursor, "\"");
}

/* ---- the parameters */

/* A value's octets: they end in NUL, but may hold others. */
struct octets {
	size_t len;
	char text[VALUE_MAX + 1];
};

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
parse_event(const struct octets *value, struct audit_text *text)
{
	unsigned found;

	if (!find(value->text, AUDIT_EVENT_COUNT, name_of_event, &found))
		return false;
	text->record.event = (enum audit_event)found;
	return true;
}

static bool
parse_reason(const struct octets *value, struct audit_text *text)
{
	unsigned found;

	if (!find(value->text, REASON_COUNT, name_of_reason, &found))
		return false;
	text->record.reason = (enum reason)found;
	return true;
}

static bool
parse_hint(const struct octets *value, struct audit_text *text)
{
	unsigned found;

	if (!find(value->text, HINT_COUNT, name_of_hint, &found))
		return false;
	text->record.hint = (enum hint)found;
	return true;
}

/* One of two words. */
static bool
parse_either(
    const struct octets *value, const char *no, const char *yes, bool *is_yes)
{
	*is_yes = strcmp(value->text, yes) == 0;
	return *is_yes || strcmp(value->text, no) == 0;
}

static bool
parse_outcome(const struct octets *value, struct audit_text *text)
{
	return parse_either(value, "ok", "fail", &text->record.failed);
}

static bool
parse_report_action(const struct octets *value, struct audit_text *text)
{
	return parse_either(
	    value, "deny", "permit", &text->record.would_permit);
}

static bool
parse_cut(const struct octets *value, struct audit_text *text)
{
	text->is_cut = true;
	return strcmp(value->text, "detail") == 0;
}

/* So many digits, and what has to stand behind them. */
static bool
take_digits(struct cursor *cursor, size_t count, const char *end, int *number)
{
	struct cursor digits = {cursor->at, cursor->at + count};

	*number = 0;
	if (left(cursor) < count || !is_digits(&digits))
		return false;
	for (; digits.at < digits.end; digits.at++)
		*number = *number * 10 + (*digits.at - '0');
	cursor->at += count;
	return take(cursor, end);
}

/* "2026-11-24T09:30:00.120034Z". */
static bool
parse_time(const struct octets *value, struct audit_text *text)
{
	struct cursor cursor = {value->text, value->text + value->len};
	struct tm tm = {.tm_isdst = 0};
	struct tm again;
	int us;
	time_t seconds;

	if (!take_digits(&cursor, 4, "-", &tm.tm_year) ||
	    !take_digits(&cursor, 2, "-", &tm.tm_mon) ||
	    !take_digits(&cursor, 2, "T", &tm.tm_mday) ||
	    !take_digits(&cursor, 2, ":", &tm.tm_hour) ||
	    !take_digits(&cursor, 2, ":", &tm.tm_min) ||
	    !take_digits(&cursor, 2, ".", &tm.tm_sec) ||
	    !take_digits(&cursor, 6, "Z", &us) || left(&cursor) > 0)
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
parse_duration(const struct octets *value, struct audit_text *text)
{
	char seconds[24];
	const char *point = strchr(value->text, '.');
	struct cursor behind;
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
	behind = (struct cursor){point + 1, value->text + value->len};
	if (!text_parse_u64(seconds, 0, UINT64_MAX / 1000000, &whole) ||
	    !take_digits(&behind, 6, "", &us) || left(&behind) > 0 ||
	    whole * 1000000 > UINT64_MAX - (uint64_t)us)
		return false;
	text->record.duration_us = whole * 1000000 + (uint64_t)us;
	return true;
}

static bool
parse_identity(const struct octets *value, struct audit_text *text)
{
	return strlcpy(text->record.identity, value->text,
		   sizeof(text->record.identity)) <
	       sizeof(text->record.identity);
}

static bool
parse_claimed(const struct octets *value, struct audit_text *text)
{
	text->record.is_claimed = true;
	return parse_identity(value, text);
}

static bool
parse_method(const struct octets *value, struct audit_text *text)
{
	text->record.has_method = true;
	return method_parse(value->text, &text->record.method);
}

static bool
parse_protection(const struct octets *value, struct audit_text *text)
{
	text->record.has_protection = true;
	return protection_parse(value->text, &text->record.protection);
}

static bool
parse_command(const struct octets *value, struct audit_text *text)
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
parse_asked(const struct octets *value, struct audit_text *text)
{
	if (value->len > sizeof(text->record.asked))
		return false;
	memcpy(text->record.asked, value->text, value->len);
	text->record.asked_len = (uint8_t)value->len;
	return true;
}

static bool
parse_destination(const struct octets *value, struct audit_text *text)
{
	text->record.has_destination = true;
	return endpoint_parse(value->text, &text->record.destination);
}

/* As many as there are, with one space between two. */
static bool
parse_addresses(const struct octets *value, struct audit_text *text)
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

typedef bool parse_fn(const struct octets *, struct audit_text *);

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
_Static_assert(ARRAY_COUNT(params) <= 64, "a bit for each");

static bool
store_string(const struct octets *value, void *field, size_t size)
{
	return strlcpy(field, value->text, size) < size;
}

static bool
store_number(const struct octets *value, void *field, size_t size)
{
	(void)size;
	return text_parse_u64(value->text, 0, UINT64_MAX, field);
}

static bool
store_flag(const struct octets *value, void *field, size_t size)
{
	(void)size;
	*(bool *)field = true;
	return strcmp(value->text, "1") == 0;
}

static bool
store_peer(const struct octets *value, void *field, size_t size)
{
	(void)size;
	return socket_address_parse(value->text, field);
}

static bool
store(
    const struct param *param, const struct octets *value, struct audit_text *t)
{
	static bool (*const stores[])(const struct octets *, void *, size_t) = {
	    [STRING] = store_string,
	    [NUMBER] = store_number,
	    [FLAG] = store_flag,
	    [PEER] = store_peer,
	};

	/* Of all but `asked` no octet is NUL. */
	if (strlen(value->text) != value->len && param->parse != parse_asked)
		return false;
	if (param->kind == OWN)
		return param->parse(value, t);
	return stores[param->kind](
	    value, (char *)t + param->offset, param->size);
}

static const struct param *
find_param(const char *name)
{
	for (size_t i = 0; i < ARRAY_COUNT(params); i++)
		if (strcmp(params[i].name, name) == 0)
			return &params[i];
	return NULL;
}

/* One parameter; NULL, or what is wrong with it. */
static const char *
take_param(struct cursor *cursor, char name[NAME_SIZE], uint64_t *seen,
    struct audit_text *text)
{
	const struct param *param;
	struct quoted quoted;
	struct octets value;
	uint64_t bit;

	name[0] = '\0';
	if (!take_name(cursor, name))
		return "a parameter has no name";
	if (!take(cursor, "=\"") || !take_value(cursor, &quoted))
		return "a value does not end, or is not escaped";
	param = find_param(name);
	if (param == NULL)
		return NULL;
	bit = UINT64_C(1) << (param - params);
	if ((*seen & bit) != 0)
		return "a parameter stands there twice";
	*seen |= bit;
	if (!text_unquote(
		(uint8_t *)value.text, VALUE_MAX, &value.len, quoted.text))
		return "a value is not quoted as ours are";
	value.text[value.len] = '\0';
	/* What has nothing to say is absent, unless all of it was cut. */
	if ((value.len == 0 && strcmp(name, "detail") != 0) ||
	    !store(param, &value, text))
		return "a value is none that the parameter has";
	return NULL;
}

static bool
has(uint64_t seen, const char *name)
{
	return (seen >> (find_param(name) - params) & 1) != 0;
}

/* What is there only together. */
static const char *
missing(uint64_t seen)
{
	if (!has(seen, "event") || !has(seen, "outcome") ||
	    !has(seen, "reason"))
		return "event, outcome or reason is missing";
	if (has(seen, "identity") && has(seen, "claimed"))
		return "identity and claimed exclude each other";
	if (has(seen, "report") != has(seen, "report_action"))
		return "report and report_action belong together";
	return NULL;
}

static const char *
take_params(struct cursor *cursor, char at[NAME_SIZE], struct audit_text *text)
{
	const char *why = NULL;
	uint64_t seen = 0;

	while (why == NULL && take(cursor, " "))
		why = take_param(cursor, at, &seen, text);
	if (why != NULL)
		return why;
	at[0] = '\0';
	if (!take(cursor, "]"))
		return "the element does not end";
	return missing(seen);
}

enum audit_text_result
audit_text_parse(const char *line, size_t len, struct audit_text *text,
    const char **why, char at[33])
{
	struct cursor cursor = {line, line + len}, ahead;

	memset(text, 0, sizeof(*text));
	*why = "";
	at[0] = '\0';
	if (!take_header(&cursor) || !take(&cursor, "[") ||
	    !take_name(&cursor, text->sd_id))
		return AUDIT_TEXT_FOREIGN;
	ahead = cursor;
	if (!take(&ahead, " seq=\""))
		return AUDIT_TEXT_FOREIGN;
	*why = len > AUDIT_TEXT_LINE_MAX ? "the line is too long"
					 : take_params(&cursor, at, text);
	return *why == NULL ? AUDIT_TEXT_RECORD : AUDIT_TEXT_BAD;
}
