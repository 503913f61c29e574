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

static size_t
print_3164_header(const struct syslog_form *form,
    const struct audit_record *record, char out[HEADER_MAX])
{
	time_t seconds = (time_t)(record->time_us / 1000000);
	char text[40];
	struct tm local;
	int len;

	if (localtime_r(&seconds, &local) == NULL ||
	    strftime(text, sizeof(text), "%b %e %H:%M:%S", &local) == 0)
		(void)snprintf(text, sizeof(text), "Jan  1 00:00:00");
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
