/* SPDX-License-Identifier: ISC */
/* Foreign text made safe to show, and text from people read strictly. */
#include "base/text.h"

#include <string.h>

/* A character is at most four octets, each shown as \xHH. */
#define UNIT_MAX  16
#define LINE_SIZE 2048

/*
 * What does not show as itself: controls (C0, DEL, C1), the format
 * characters (Cf) of Unicode 15, among them all that turn the direction of
 * writing, and the separators of lines and paragraphs.  In order.
 */
static const struct {
	uint32_t first, last;
} hidden[] = {
    {0x0000, 0x001f},
    {0x007f, 0x009f},
    {0x00ad, 0x00ad},
    {0x0600, 0x0605},
    {0x061c, 0x061c},
    {0x06dd, 0x06dd},
    {0x070f, 0x070f},
    {0x0890, 0x0891},
    {0x08e2, 0x08e2},
    {0x180e, 0x180e},
    {0x200b, 0x200f},
    {0x2028, 0x202e},
    {0x2060, 0x206f},
    {0xfeff, 0xfeff},
    {0xfff9, 0xfffb},
    {0x110bd, 0x110bd},
    {0x110cd, 0x110cd},
    {0x13430, 0x1343f},
    {0x1bca0, 0x1bca3},
    {0x1d173, 0x1d17a},
    {0xe0000, 0xe007f},
};

/* The forms of RFC 3629 section 3, by the number of octets. */
static const struct {
	uint8_t mask, lead;
	uint32_t min; /* less would have fitted in a shorter form */
} forms[] = {
    {0x80, 0x00, 0x0},
    {0xe0, 0xc0, 0x80},
    {0xf0, 0xe0, 0x800},
    {0xf8, 0xf0, 0x10000},
};

/* The octets of the character that data begins with, 0 if it is not one. */
static size_t
character(const uint8_t *data, size_t len, uint32_t *code)
{
	size_t form = 0;

	while ((data[0] & forms[form].mask) != forms[form].lead)
		if (++form == ARRAY_COUNT(forms))
			return 0;
	if (form >= len)
		return 0;
	*code = data[0] & (uint8_t)~forms[form].mask;
	for (size_t i = 1; i <= form; i++) {
		if ((data[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (data[i] & 0x3f);
	}
	if (*code < forms[form].min || *code > 0x10ffff)
		return 0;
	if (*code >= 0xd800 && *code <= 0xdfff) /* surrogates */
		return 0;
	return form + 1;
}

static bool
shows(uint32_t code)
{
	for (size_t i = 0; i < ARRAY_COUNT(hidden); i++)
		if (code >= hidden[i].first && code <= hidden[i].last)
			return false;
	return true;
}

/*
 * Writes the first character of data, or its first octet if it is not one,
 * as it is shown.  Returns how many octets of data that was.
 */
static size_t
quote_one(char out[UNIT_MAX], size_t *out_len, const uint8_t *data, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	uint32_t code;
	size_t octets = character(data, len, &code);

	*out_len = 0;
	if (octets > 0 && shows(code)) {
		if (code == '\\')
			out[(*out_len)++] = '\\';
		memcpy(out + *out_len, data, octets);
		*out_len += octets;
		return octets;
	}
	if (octets == 0)
		octets = 1;
	for (size_t i = 0; i < octets; i++) {
		out[(*out_len)++] = '\\';
		out[(*out_len)++] = 'x';
		out[(*out_len)++] = digits[data[i] >> 4];
		out[(*out_len)++] = digits[data[i] & 0xf];
	}
	return octets;
}

bool
text_quote(char *out, size_t size, const void *data, size_t len)
{
	const uint8_t *octets = data;
	size_t written = 0;

	if (size == 0)
		return false;
	for (size_t at = 0; at < len;) {
		char unit[UNIT_MAX];
		size_t unit_len;

		at += quote_one(unit, &unit_len, octets + at, len - at);
		if (unit_len >= size - written) {
			out[written] = '\0';
			return false;
		}
		memcpy(out + written, unit, unit_len);
		written += unit_len;
	}
	out[written] = '\0';
	return true;
}

/* True if text_quote writes `text` for these octets. */
static bool
is_quoted(const char *text, const uint8_t *octets, size_t len)
{
	for (size_t at = 0; at < len;) {
		char unit[UNIT_MAX];
		size_t unit_len;

		at += quote_one(unit, &unit_len, octets + at, len - at);
		if (strncmp(text, unit, unit_len) != 0)
			return false;
		text += unit_len;
	}
	return true;
}

static bool
parse_hex(char digit, uint8_t *value)
{
	if (digit >= '0' && digit <= '9')
		*value = (uint8_t)(digit - '0');
	else if (digit >= 'a' && digit <= 'f')
		*value = (uint8_t)(digit - 'a' + 10);
	else
		return false;
	return true;
}

/* Reads one octet; NULL for a backslash with neither \ nor xHH behind. */
static const char *
unquote_one(const char *text, uint8_t *octet)
{
	uint8_t high, low;

	*octet = (uint8_t)text[0];
	if (text[0] != '\\')
		return text + 1;
	if (text[1] == '\\')
		return text + 2;
	if (text[1] != 'x' || !parse_hex(text[2], &high) ||
	    !parse_hex(text[3], &low))
		return NULL;
	*octet = (uint8_t)(high << 4 | low);
	return text + 4;
}

bool
text_unquote(uint8_t *out, size_t size, size_t *out_len, const char *text)
{
	size_t len = 0;

	for (const char *at = text; *at != '\0'; len++) {
		uint8_t octet;

		at = unquote_one(at, &octet);
		if (at == NULL || len == size)
			return false;
		out[len] = octet;
	}
	*out_len = len;
	return is_quoted(text, out, len);
}

bool
text_is_utf8(const void *data, size_t len)
{
	const uint8_t *octets = data;

	for (size_t at = 0, n; at < len; at += n) {
		uint32_t code;

		n = character(octets + at, len - at, &code);
		if (n == 0)
			return false;
	}
	return true;
}

bool
text_is_printable(const void *data, size_t len)
{
	const uint8_t *octets = data;

	for (size_t at = 0, n; at < len; at += n) {
		uint32_t code;

		n = character(octets + at, len - at, &code);
		if (n == 0 || !shows(code))
			return false;
	}
	return true;
}

bool
text_parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *value)
{
	uint64_t number = 0;

	if (text[0] == '\0' || (text[0] == '0' && text[1] != '\0'))
		return false;
	for (; *text != '\0'; text++) {
		uint64_t digit = (uint64_t)(*text - '0');

		if (*text < '0' || *text > '9')
			return false;
		if (number > (UINT64_MAX - digit) / 10)
			return false;
		number = number * 10 + digit;
	}
	if (number < min || number > max)
		return false;
	*value = number;
	return true;
}

void
text_say(FILE *file, const char *program, const char *format, va_list args)
{
	char line[LINE_SIZE], quoted[TEXT_QUOTED_SIZE(LINE_SIZE)];

	(void)vsnprintf(line, sizeof(line), format, args);
	(void)text_quote(quoted, sizeof(quoted), line, strlen(line));
	(void)fprintf(file, "%s: %s\n", program, quoted);
}
