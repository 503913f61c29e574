/* SPDX-License-Identifier: ISC */
/* What is asked of policy/judge and what is made of its answers. */
#include "gateway/judging.h"

#include "base/clock.h"
#include "gateway/settings.h"
#include "gateway/worker.h"
#include "policy/ruleset.h"
#include "relay/sockets.h"

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

const struct address *
judging_choose(
    const struct address *permitted, size_t count, const struct address *before)
{
	struct address ours;

	for (size_t i = 0; i < count; i++)
		if (address_is_equal(&permitted[i], before))
			return &permitted[i];
	for (size_t i = 0; i < count; i++)
		if (sockets_local_towards(&permitted[i], &ours) == 0)
			return &permitted[i];
	return &permitted[0];
}
