/* SPDX-License-Identifier: ISC */
/* Looks through the auditor's spool for records, and prints them. */
#ifndef CTL_RECORD_SEARCH_H
#define CTL_RECORD_SEARCH_H

#include <stdbool.h>

#include "base/compiler.h"
#include "ctl/outcome.h"

struct ctl;

/* A command's `run`, with conditions behind the options or none.  Reads the
 * files alone: no gateway need be there. */
enum outcome record_search_run(const struct ctl *ctl, int argc, char **argv,
    bool takes_conditions) must_check;

#endif
