/* SPDX-License-Identifier: ISC */
/* An audit record as a whole syslog message (RFC 5424 or RFC 3164). */
#include "gateway/syslog_message.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/must.h"

#define APP_NAME     "gatewarden"
#define SENTENCE_MAX 512
#define HEADER_MAX   450 /* with a host's name of 255 octets */
_Static_assert(SENTENCE_MAX + HEADER_MAX + 8 <= 1024,
    "the structured data leaves room for the rest");

static size_t
print_5424_header(const struct syslog_form *form,
    const struct audit_record *record, char out[HEADER_MAX])
{
	time_t seconds = (time_t)(record->time_us / 1000000);
	char text[40];
	struct tm utc;
	int len;

	if (gmtime_r(&seconds, &utc) == NULL || utc.tm_year > 9999 - 1900 ||
	    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc) == 0)
		(void)snprintf(text, sizeof(text), "9999-12-31T23:59:59");
	len = snprintf(out, HEADER_MAX, "<%d>1 %s.%06uZ %s " APP_NAME " %d %s ",
	    form->facility * 8 + audit_record_severity(record), text,
	    (unsigned)(record->time_us % 1000000), form->host, (int)form->pid,
	    audit_event_name(record->event));
	must(len > 0 && len < HEADER_MAX);
	return (size_t)len;
}

static void
print_3164_time(uint64_t time_us, char *out, size_t size)
{
	time_t seconds = (time_t)(time_us / 1000000);
	struct tm local;

	if (localtime_r(&seconds, &local) == NULL ||
	    strftime(out, size, "%b %e %H:%M:%S", &local) == 0)
		(void)snprintf(out, size, "Jan  1 00:00:00");
}

static size_t
print_3164_header(const struct syslog_form *form,
    const struct audit_record *record, char out[HEADER_MAX])
{
	char text[40];
	int len;

	print_3164_time(record->time_us, text, sizeof(text));
	len = snprintf(out, HEADER_MAX, "<%d>%s %s%s" APP_NAME "[%d]: ",
	    form->facility * 8 + audit_record_severity(record), text,
	    form->has_host ? form->host : "", form->has_host ? " " : "",
	    (int)form->pid);
	must(len > 0 && len < HEADER_MAX);
	return (size_t)len;
}

static bool
is_ascii(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text >= 0x80)
			return false;
	return true;
}

size_t
syslog_message_print(const struct syslog_form *form,
    const struct audit_record *record, const struct audit_stamp *stamp,
    char out[AUDIT_RECORD_MAX])
{
	char header[HEADER_MAX], sentence[SENTENCE_MAX];
	char data[AUDIT_RECORD_MAX];
	int len;

	(void)(form->rfc5424 ? print_5424_header(form, record, header)
			     : print_3164_header(form, record, header));
	(void)audit_record_print(record, stamp, data);
	(void)audit_record_sentence(record, sentence, sizeof(sentence));
	/* The structured data first in RFC 3164 too: a sentence cannot be
	 * taken for it.  RFC 5424 section 6.4 wants the mark in front of what
	 * is not ASCII. */
	len = snprintf(out, AUDIT_RECORD_MAX, "%s%s %s%s", header, data,
	    form->rfc5424 && !is_ascii(sentence) ? "\xef\xbb\xbf" : "",
	    sentence);
	must(len > 0 && len < AUDIT_RECORD_MAX);
	return (size_t)len;
}

/* Forwarding */

#define BOM	"\xef\xbb\xbf"
#define DELAYED " delayed=\"1\""

/* What a message of RFC 5424 begins with, each up to the space behind it. */
enum token { VERSION, TIMESTAMP, HOSTNAME, APP, PROCID, MSGID, TOKEN_COUNT };

struct parts {
	struct part {
		const char *text;
		size_t len;
	} tokens[TOKEN_COUNT], element, rest; /* rest: what is behind it */
	uint64_t time_us;
};

/* The length of the SD-ELEMENT, its brackets included; 0 if it is none. */
static size_t
element_len(const char *text, size_t len)
{
	bool is_quoted = false;

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\\' && is_quoted)
			i++;
		else if (text[i] == '"')
			is_quoted = !is_quoted;
		else if (text[i] == ']' && !is_quoted)
			return i + 1;
	}
	return 0;
}

/* TIMESTAMP as print_5424_header writes it. */
static bool
parse_time(const struct part *part, uint64_t *time_us)
{
	char text[40], end = '\0';
	struct tm utc = {.tm_isdst = 0};
	unsigned micro;
	const char *rest;
	time_t seconds;

	if (part->len >= sizeof(text))
		return false;
	memcpy(text, part->text, part->len);
	text[part->len] = '\0';
	rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &utc);
	if (rest == NULL || sscanf(rest, ".%6u%c", &micro, &end) != 2 ||
	    end != 'Z')
		return false;
	seconds = timegm(&utc);
	if (seconds < 0)
		return false;
	*time_us = (uint64_t)seconds * 1000000 + micro;
	return true;
}

static bool
take_apart(const char *message, size_t len, struct parts *parts)
{
	const char *at = message, *end = message + len;

	for (int i = 0; i < TOKEN_COUNT; i++) {
		const char *space = memchr(at, ' ', (size_t)(end - at));

		if (space == NULL)
			return false;
		parts->tokens[i] = (struct part){at, (size_t)(space - at)};
		at = space + 1;
	}
	if (at == end || *at != '[' || message[0] != '<' ||
	    message[parts->tokens[VERSION].len - 1] != '1')
		return false;
	parts->element = (struct part){at, element_len(at, (size_t)(end - at))};
	at += parts->element.len;
	if (parts->element.len == 0 || at == end || *at != ' ')
		return false;
	at++;
	parts->rest = (struct part){at, (size_t)(end - at)};
	return parse_time(&parts->tokens[TIMESTAMP], &parts->time_us);
}

static int
forward_3164_header(const struct syslog_form *form, const struct parts *parts,
    char out[HEADER_MAX])
{
	const struct part *token = parts->tokens;
	char text[40];

	print_3164_time(parts->time_us, text, sizeof(text));
	return snprintf(out, HEADER_MAX,
	    "%.*s%s %.*s%s%.*s[%.*s]: ", (int)token[VERSION].len - 1,
	    token[VERSION].text, text,
	    form->has_host ? (int)token[HOSTNAME].len : 0, token[HOSTNAME].text,
	    form->has_host ? " " : "", (int)token[APP].len, token[APP].text,
	    (int)token[PROCID].len, token[PROCID].text);
}

static int
forward_5424_header(
    const char *message, const struct parts *parts, char out[HEADER_MAX])
{
	return snprintf(out, HEADER_MAX, "%.*s",
	    (int)(parts->element.text - message), message);
}

size_t
syslog_message_forward(const struct syslog_form *form, const char *message,
    size_t len, uint64_t now_us, char out[SYSLOG_FORWARD_MAX])
{
	char header[HEADER_MAX];
	struct parts parts;
	struct part rest;
	int header_len, out_len;

	if (len >= AUDIT_RECORD_MAX || !take_apart(message, len, &parts))
		return 0;
	header_len = form->rfc5424
			 ? forward_5424_header(message, &parts, header)
			 : forward_3164_header(form, &parts, header);
	if (header_len <= 0 || header_len >= HEADER_MAX)
		return 0;
	rest = parts.rest;
	/* RFC 3164 knows no mark. */
	if (!form->rfc5424 && rest.len >= strlen(BOM) &&
	    memcmp(rest.text, BOM, strlen(BOM)) == 0) {
		rest.text += strlen(BOM);
		rest.len -= strlen(BOM);
	}
	out_len = snprintf(out, SYSLOG_FORWARD_MAX, "%s%.*s%s] %.*s", header,
	    (int)parts.element.len - 1, parts.element.text,
	    now_us > parts.time_us + SYSLOG_DELAYED_US ? DELAYED : "",
	    (int)rest.len, rest.text);
	must(out_len > 0 && out_len < SYSLOG_FORWARD_MAX);
	return (size_t)out_len;
}

void
syslog_message_host(char out[256])
{
	out[255] = '\0';
	if (gethostname(out, 255) < 0)
		out[0] = '\0';
	for (const char *c = out; *c != '\0'; c++)
		if (*c <= ' ' || *c > '~')
			out[0] = '\0';
	if (out[0] == '\0')
		memcpy(out, "-", 2);
}
