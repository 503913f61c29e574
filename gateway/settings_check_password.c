/* SPDX-License-Identifier: ISC */
/* What the table of settings cannot say of the section password. */
#include "gateway/settings_private.h"

#include <string.h>

#include "base/identity.h"

#define WRONG(to, member, ...)                                                 \
	(to)->setting((to)->arg, SETTINGS_ROW_##member, __VA_ARGS__)

static void
check_realm(const struct settings *s, const struct settings_reporter *to)
{
	const char *realm = s->password_realm;

	if (strpbrk(realm, "/@ ") != NULL ||
	    !identity_name_is_valid(realm, strlen(realm)))
		WRONG(to, password_realm,
		    "\"%s\" is not allowed; allowed is a word without / and @",
		    realm);
}

static void
check_delays(const struct settings *s, const struct settings_reporter *to)
{
	if (s->password_failure_delay > s->password_failure_delay_max)
		WRONG(to, password_failure_delay,
		    "is more than password.failure_delay_max; as much or "
		    "less is allowed");
}

/* One source by itself must not use up a name's budget. */
static void
check_budgets(const struct settings *s, const struct settings_reporter *to)
{
	if (s->password_pair_burst >= s->password_name_burst)
		WRONG(to, password_pair_burst,
		    "is not less than password.name_burst; less is allowed");
	if (s->password_pair_refill <= s->password_name_refill)
		WRONG(to, password_pair_refill,
		    "is not more than password.name_refill; more is allowed");
}

void
settings_check_password(
    struct settings *settings, const struct settings_reporter *reporter)
{
	const char *bad = settings_read_networks(
	    &settings->password_allow_cleartext, &settings->cleartext_networks);

	if (bad != NULL)
		WRONG(reporter, password_allow_cleartext, SETTINGS_NO_NETWORK,
		    bad);
	check_realm(settings, reporter);
	check_delays(settings, reporter);
	check_budgets(settings, reporter);
}
