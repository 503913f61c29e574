/* SPDX-License-Identifier: ISC */
/* What is asked of policy/judge and what is made of its answers. */
#include "gateway/judging.h"

#include "base/clock.h"
#include "gateway/settings.h"
#include "gateway/worker.h"
#include "policy/ruleset.h"

struct judge_context
judging_context(const struct judging *judging, const struct subject *subject,
    bool *is_stale)
{
	const struct settings *settings = judging->settings;
	uint64_t stale_max_us = settings->stale_max * 1000000;
	uint64_t confirmed_us = atomic_load(&judging->shared->confirmed_us);
	struct judge_context context = {
	    .rules = judging->rules,
	    .subject = subject,
	    .checks_accounts = settings_check_accounts(settings),
	    .own = judging->own,
	};

	*is_stale = !atomic_load(&judging->shared->directory_up);
	if (*is_stale && confirmed_us + stale_max_us < clock_wall_us())
		context.rules = NULL;
	return context;
}

bool
judging_needs_subject(
    const struct settings *settings, const struct ruleset *rules)
{
	return rules != NULL && (ruleset_needs_subject(rules) ||
				    settings_check_accounts(settings));
}

enum protection
judging_protection(bool is_tls, enum command command, enum protection seal)
{
	if (is_tls && command != COMMAND_UDP &&
	    seal < PROTECTION_CONFIDENTIALITY)
		return PROTECTION_CONFIDENTIALITY;
	return seal;
}

struct verdict
judging_addresses(const struct judge_context *context,
    const struct request *request, const struct address *addresses,
    size_t count, struct address *permitted, size_t *permitted_count)
{
	struct verdict verdict, first = {.rule = "", .reported = ""};

	*permitted_count = 0;
	for (size_t i = 0; i < count; i++) {
		verdict = judge_address(context, request, &addresses[i]);
		if (verdict.decision == DECISION_PERMIT)
			permitted[(*permitted_count)++] = addresses[i];
		if (i == 0 || (verdict.decision == DECISION_PERMIT &&
				  *permitted_count == 1))
			first = verdict;
	}
	return first;
}
