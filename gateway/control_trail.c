/* SPDX-License-Identifier: ISC */
/* What was asked over the control socket, and by whom, on record. */
#include "gateway/control_trail.h"

#include <stdio.h>
#include <string.h>

#include "base/audit_record.h"
#include "base/clock.h"
#include "base/ctl_protocol.h"
#include "base/log.h"
#include "base/options.h"
#include "base/text.h"
#include "gateway/audit_sender.h"

#define REFUSED_EVERY_US 1000000 /* between two records of refusals */
#define WHO_SIZE	 64	 /* "uid 0, pid 1: " */

static void
record(struct control_trail *trail, const struct ucred *peer, bool failed,
    const char *what)
{
	struct audit_record entry = {.event = AUDIT_ADMIN, .failed = failed};
	char quoted[TEXT_QUOTED_SIZE(AUDIT_DETAIL_SIZE)];

	(void)snprintf(entry.detail, sizeof(entry.detail), "uid %u, pid %d: %s",
	    (unsigned)peer->uid, (int)peer->pid, what);
	(void)text_quote(
	    quoted, sizeof(quoted), entry.detail, strlen(entry.detail));
	log_info(
	    NULL, "control socket: %s%s", failed ? "refused: " : "", quoted);
	audit_sender_write(trail->audit, &entry);
}

void
control_trail_question(struct control_trail *trail, const struct ucred *peer,
    const struct options *asked)
{
	const char *name, *value;
	char text[AUDIT_DETAIL_SIZE - WHO_SIZE];
	size_t len;

	(void)strlcpy(text, options_get(asked, "command", ""), sizeof(text));
	for (size_t i = 0; options_at(asked, i, &name, &value); i++) {
		if (strcmp(name, "command") == 0)
			continue;
		len = strlen(text);
		if (len + 1 == sizeof(text))
			break;
		(void)snprintf(
		    text + len, sizeof(text) - len, " %s=%s", name, value);
	}
	record(trail, peer, false, text);
}

void
control_trail_refusal(
    struct control_trail *trail, const struct ucred *peer, const char *why)
{
	uint64_t now_us = clock_monotonic_us();
	char text[CTL_SENTENCE_SIZE];

	if (trail->refused_us != 0 &&
	    now_us < trail->refused_us + REFUSED_EVERY_US) {
		trail->untold++;
		return;
	}
	trail->refused_us = now_us;
	(void)strlcpy(text, why, sizeof(text));
	if (trail->untold > 0)
		(void)snprintf(text, sizeof(text),
		    "%s (and %u refusals before)", why, trail->untold);
	trail->untold = 0;
	record(trail, peer, true, text);
}
