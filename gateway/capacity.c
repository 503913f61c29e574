/* SPDX-License-Identifier: ISC */
/* How many of what the settings and this machine have room for. */
#include "gateway/capacity.h"

#include <inttypes.h>
#include <sched.h>
#include <sys/resource.h>

#include "base/log.h"
#include "gateway/control_askers.h"
#include "gateway/settings.h"

uint32_t
capacity_cores(void)
{
	cpu_set_t cores;

	if (sched_getaffinity(0, sizeof(cores), &cores) != 0)
		return 1;
	return (uint32_t)CPU_COUNT(&cores);
}

uint32_t
capacity_workers(const struct settings *settings)
{
	return settings->workers != 0 ? (uint32_t)settings->workers
				      : capacity_cores();
}

uint32_t
capacity_authenticators(const struct settings *settings)
{
	return settings->authenticators != 0
		   ? (uint32_t)settings->authenticators
		   : capacity_cores();
}

/* Descriptors of the program itself: of each worker its loop, its mailbox, its
 * links, and two for each listener; who asks over the control socket, and whom
 * that asks; and some for what comes and goes. */
static uint64_t
own_descriptors(const struct settings *settings)
{
	uint64_t helpers =
	    capacity_authenticators(settings) + settings->lookups;

	return 32 + CONTROL_CALLS_MAX + settings->lookups +
	       capacity_workers(settings) *
		   (8 + helpers + 2 * settings->listener_count);
}

uint64_t
capacity_descriptors(const struct settings *settings)
{
	return own_descriptors(settings) + 2 * settings->sessions_max;
}

/* How many sessions fit into the limit of descriptors: each takes its client's
 * and its target's, and none may take one that a link needs. */
uint64_t
capacity_sessions(const struct settings *settings)
{
	uint64_t own = own_descriptors(settings), fit = 1;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 ||
	    limit.rlim_cur == RLIM_INFINITY)
		return UINT64_MAX;
	if (limit.rlim_cur > own + 2)
		fit = (limit.rlim_cur - own) / 2;
	return fit;
}

void
capacity_warn(const struct settings *settings)
{
	uint64_t fit = capacity_sessions(settings);

	if (fit < settings->sessions_max)
		log_warning(NULL,
		    "the limit of descriptors leaves room for %" PRIu64
		    " sessions; gateway.sessions_max is %" PRIu64,
		    fit, settings->sessions_max);
}
