/* SPDX-License-Identifier: ISC */
/* An audit record as a whole syslog message (RFC 5424 or RFC 3164). */
#ifndef GATEWAY_SYSLOG_MESSAGE_H
#define GATEWAY_SYSLOG_MESSAGE_H

#include <sys/types.h>

#include "base/audit_record.h"

struct syslog_form {
	bool rfc5424;	  /* else RFC 3164 as /dev/log takes it */
	bool has_host;	  /* RFC 3164: a remote receiver wants it */
	int facility;	  /* its number */
	const char *host; /* printable ASCII without spaces, or "-" */
	pid_t pid;
};

/* Returns the length, at most AUDIT_RECORD_MAX - 1; ends in NUL. */
size_t syslog_message_print(const struct syslog_form *form,
    const struct audit_record *record, const struct audit_stamp *stamp,
    char out[AUDIT_RECORD_MAX]);

/* From here on a record says that it waited, in microseconds. */
#define SYSLOG_DELAYED_US  1000000
#define SYSLOG_FORWARD_MAX (AUDIT_RECORD_MAX + 16)

/*
 * A message that was printed with rfc5424, in the form of its receiver; where
 * it is older than SYSLOG_DELAYED_US at now_us, with delayed="1" at the end
 * of its element.  Returns the length; 0 if it is not of that form.
 */
size_t
syslog_message_forward(const struct syslog_form *form, const char *message,
    size_t len, uint64_t now_us, char out[SYSLOG_FORWARD_MAX]);

/* The host's name as RFC 5424 section 6.2.4 allows it, or "-". */
void syslog_message_host(char out[256]);

#endif
