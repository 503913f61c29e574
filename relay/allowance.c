/* SPDX-License-Identifier: ISC */
/* So much a second, and after a pause more at once. */
#include "relay/allowance.h"

#include "base/clock.h"

#define ONE UINT64_C(1000000)

struct allowance
allowance_of(uint64_t per_second)
{
	struct allowance allowance = {.per_second = 0};

	if (per_second != 0)
		allowance_set(&allowance, per_second, 2 * per_second);
	allowance.left = allowance.most;
	return allowance;
}

static void
fill(struct allowance *allowance)
{
	uint64_t now = clock_monotonic_us();
	uint64_t passed = now - allowance->filled_us;

	allowance->filled_us = now;
	if (passed >
	    (allowance->most - allowance->left) / allowance->per_second)
		allowance->left = allowance->most;
	else
		allowance->left += passed * allowance->per_second;
}

void
allowance_set(struct allowance *allowance, uint64_t per_second, uint64_t burst)
{
	if (allowance->per_second != 0)
		fill(allowance);
	allowance->filled_us = clock_monotonic_us();
	allowance->per_second = per_second;
	allowance->most = burst * ONE;
	if (allowance->left > allowance->most)
		allowance->left = allowance->most;
}

bool
allowance_take(struct allowance *allowance, uint64_t cost)
{
	if (allowance->per_second == 0)
		return true;
	if (cost > allowance_left(allowance))
		return false;
	allowance->left -= cost * ONE;
	return true;
}

void
allowance_give(struct allowance *allowance, uint64_t cost)
{
	if (cost > (allowance->most - allowance->left) / ONE)
		allowance->left = allowance->most;
	else
		allowance->left += cost * ONE;
}

uint64_t
allowance_left(struct allowance *allowance)
{
	fill(allowance);
	return allowance->left / ONE;
}

bool
allowance_is_full(struct allowance *allowance)
{
	fill(allowance);
	return allowance->left == allowance->most;
}
