/* SPDX-License-Identifier: ISC */
/* So much a second, and after a pause twice that at once. */
#include "relay/allowance.h"

#include "base/clock.h"

/* Then it is full, however empty it was. */
#define FULL_AFTER_US UINT64_C(2000000)

/* What is left is counted in millionths: what a microsecond brings. */
#define ONE 1000000

struct allowance
allowance_of(uint64_t per_second)
{
	return (struct allowance){
	    .per_second = per_second,
	    .left = FULL_AFTER_US * per_second,
	    .filled_us = clock_monotonic_us(),
	};
}

static void
fill(struct allowance *allowance)
{
	uint64_t now = clock_monotonic_us();
	uint64_t passed = now - allowance->filled_us;
	uint64_t most = FULL_AFTER_US * allowance->per_second;

	if (passed >= FULL_AFTER_US)
		allowance->left = most;
	else
		allowance->left += passed * allowance->per_second;
	if (allowance->left > most)
		allowance->left = most;
	allowance->filled_us = now;
}

bool
allowance_take(struct allowance *allowance, uint64_t cost)
{
	if (allowance->per_second == 0)
		return true;
	fill(allowance);
	if (cost > allowance->left / ONE)
		return false;
	allowance->left -= cost * ONE;
	return true;
}
