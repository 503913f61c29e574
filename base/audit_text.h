/* SPDX-License-Identifier: ISC */
/*
 * An audit record read back out of a line of a log: what audit_record_print
 * wrote, behind what rsyslogd, journald or nobody has put in front of it.
 *
 * Pure.  Lines are foreign: anybody may have written anything into a log.
 */
#ifndef BASE_AUDIT_TEXT_H
#define BASE_AUDIT_TEXT_H

#include "base/audit_record.h"

/* Longer lines are no records: what is in front of one is not long. */
#define AUDIT_TEXT_LINE_MAX (AUDIT_RECORD_MAX + 1024)

struct audit_text {
	struct audit_record record;
	/* What the auditor had added. */
	char sd_id[33], instance[65], boot_id[65];
	uint64_t sequence;
	bool delayed;
	bool is_cut; /* the detail is only how it begins */
};

enum audit_text_result {
	AUDIT_TEXT_RECORD,
	AUDIT_TEXT_FOREIGN, /* no line of Gatewarden's */
	AUDIT_TEXT_BAD	    /* looks like one, but is none: *why */
};

/*
 * Reads a line without its end.  These are lines of ours:
 *
 *	<PRI>1 TIME HOST gatewarden PID MSGID [ELEMENT]...	RFC 5424
 *	Mmm dd hh:mm:ss HOST gatewarden[PID]: [ELEMENT]...	traditional
 *	TIME HOST gatewarden[PID]: [ELEMENT]...		        rsyslog's own
 *	[ELEMENT]...						the text alone
 *
 * with or without <PRI> in front of the last three; the first parameter of
 * the element is `seq`, whatever its SD-ID.  Parameters that are not known
 * are passed over; one that stands there twice, or has a value that
 * audit_record_print does not write, makes the line bad.  Then *why is a
 * static sentence, and *at the parameter's name, cut to fit, or "".
 */
enum audit_text_result audit_text_parse(const char *line, size_t len,
    struct audit_text *text, const char **why, char at[33]) must_check;

/*
 * Calls `each` for each parameter of such a line, known or not, in order; its
 * value as text_quote wrote it, until the call returns.  False where the
 * element ends otherwise than it should; who has parsed the line before knows
 * that it does not.
 */
bool audit_text_each(const char *line, size_t len,
    void (*each)(void *arg, const char *name, const char *value),
    void *arg) must_check;

#endif
