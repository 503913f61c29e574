/* SPDX-License-Identifier: ISC */
/* gatewardenctl audit show: the records of the spool, for people to read. */
#include "ctl/commands.h"
#include "ctl/record_search.h"

enum outcome
audit_show_run(const struct ctl *ctl, int argc, char **argv)
{
	return record_search_run(ctl, argc, argv, false);
}
