/* SPDX-License-Identifier: ISC */
/* gatewardenctl audit grep: those records of the spool whose fields have these
 * values. */
#include "ctl/commands.h"
#include "ctl/record_search.h"

enum outcome
audit_grep_run(const struct ctl *ctl, int argc, char **argv)
{
	return record_search_run(ctl, argc, argv, true);
}
