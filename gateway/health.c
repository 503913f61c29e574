/* SPDX-License-Identifier: ISC */
/* Whether what sessions ask has answered lately. */
#include "gateway/health.h"

#include <stdbool.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "base/ctl_protocol.h"
#include "base/options.h"

#define FAILURES_MANY 3 /* one name alone may have broken servers */

static void
note(struct health *health, bool has_answered)
{
	if (has_answered) {
		atomic_store(&health->answered_us, clock_monotonic_us());
		atomic_store(&health->failures, 0);
	} else {
		(void)atomic_fetch_add(&health->failures, 1);
	}
}

void
health_note_name(struct health *health, enum reason reason)
{
	if (reason == REASON_OK || reason == REASON_NAME_UNKNOWN)
		note(health, true);
	else if (reason == REASON_RESOLVER_FAILED)
		note(health, false);
}

static bool
is_among(enum reason reason, const enum reason *reasons, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (reasons[i] == reason)
			return true;
	return false;
}

void
health_note_login(struct health *health, enum reason reason)
{
	static const enum reason answers[] = {REASON_OK, REASON_USER_UNKNOWN,
	    REASON_PASSWORD_WRONG, REASON_PASSWORD_EXPIRED,
	    REASON_ACCOUNT_EXPIRED, REASON_ACCOUNT_DENIED,
	    REASON_TRIES_EXCEEDED};
	static const enum reason failures[] = {REASON_PAM_ERROR,
	    REASON_CHECKER_LOST, REASON_CHECKER_TIMEOUT, REASON_CHECKER_BUSY};

	if (is_among(reason, answers, ARRAY_COUNT(answers)))
		note(health, true);
	else if (is_among(reason, failures, ARRAY_COUNT(failures)))
		note(health, false);
}

void
health_describe(const struct health *health, struct options *line)
{
	uint64_t answered_us = atomic_load(&health->answered_us);
	uint64_t failures = atomic_load(&health->failures);

	options_add(line, "asked", ctl_yes(answered_us != 0 || failures > 0));
	options_add(line, "up", ctl_yes(failures < FAILURES_MANY));
	options_add_u64(line, "failures", failures);
	if (answered_us != 0)
		options_add_u64(line, "answered_s",
		    (clock_monotonic_us() - answered_us) / 1000000);
}
