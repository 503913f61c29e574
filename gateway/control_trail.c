/* SPDX-License-Identifier: ISC */
/* What was asked over the control socket, and by whom, on record. */
#include "gateway/control_trail.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/audit_record.h"
#include "base/clock.h"
#include "base/ctl_protocol.h"
#include "base/log.h"
#include "base/options.h"
#include "base/text.h"
#include "gateway/audit_sender.h"
#include "gateway/control_server.h"

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

/* ---- questions */

/* A text of any octets; its end is where its quote is. */
static void
put_quoted(char *out, size_t size, const char *text)
{
	size_t len = strlen(out);

	if (len + 1 < size)
		out[len++] = '"';
	for (; *text != '\0' && len + 2 < size; text++) {
		if (*text == '"' || *text == '\\')
			out[len++] = '\\';
		out[len++] = *text;
	}
	if (len + 1 < size)
		out[len++] = '"';
	out[len] = '\0';
}

static bool
takes(const struct control_command *command, const char *name)
{
	const char *const *argument = command->arguments;

	for (; argument != NULL && *argument != NULL; argument++)
		if (strcmp(*argument, name) == 0)
			return true;
	return false;
}

static void
record_question(struct control_trail *trail, const struct ucred *peer,
    const struct control_command *command, const struct options *asked)
{
	const char *name, *value;
	char text[AUDIT_DETAIL_SIZE - WHO_SIZE];

	(void)strlcpy(text, command->name, sizeof(text));
	for (size_t i = 0; options_at(asked, i, &name, &value); i++) {
		if (!takes(command, name))
			continue;
		(void)strlcat(text, " ", sizeof(text));
		(void)strlcat(text, name, sizeof(text));
		(void)strlcat(text, "=", sizeof(text));
		put_quoted(text, sizeof(text), value);
	}
	record(trail, peer, false, text);
}

static void
count(struct control_told *told, const struct control_command *command)
{
	struct control_counted *counted = told->untold;

	while (counted->count > 0 && counted->command != command->name)
		counted++;
	counted->command = command->name;
	counted->count++;
}

static void
record_counts(struct control_trail *trail, const struct control_told *told)
{
	char text[AUDIT_DETAIL_SIZE - WHO_SIZE] = "more questions";
	size_t len;

	for (size_t i = 0;
	     i < CONTROL_COMMANDS_MAX && told->untold[i].count > 0; i++) {
		len = strlen(text);
		(void)snprintf(text + len, sizeof(text) - len,
		    "%s %" PRIu64 " %s", i == 0 ? ":" : ",",
		    told->untold[i].count, told->untold[i].command);
	}
	record(trail, &told->last, false, text);
}

bool
control_trail_settle(
    struct control_trail *trail, struct control_told *told, uint64_t now_us)
{
	if (now_us < told->until_us)
		return false;
	if (told->untold[0].count > 0)
		record_counts(trail, told);
	*told = (struct control_told){.until_us = 0};
	return true;
}

void
control_trail_question(struct control_trail *trail, struct control_told *told,
    const struct ucred *peer, const struct control_command *command,
    const struct options *asked)
{
	uint64_t now_us = clock_monotonic_us();

	if (control_trail_settle(trail, told, now_us))
		told->until_us = now_us + CONTROL_TOLD_PERIOD_US;
	told->last = *peer;
	if (command->operates) {
		record_question(trail, peer, command, asked);
		return;
	}
	if (told->told == CONTROL_TOLD_EACH) {
		count(told, command);
		return;
	}
	told->told++;
	record_question(trail, peer, command, asked);
}

void
control_trail_tell(
    struct control_trail *trail, const struct ucred *peer, const char *what)
{
	record(trail, peer, false, what);
}

/* ---- refusals */

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
