/* SPDX-License-Identifier: ISC */
/* What was done to a spool, in words. */
#include "ctl/chain_sentence.h"

#include <inttypes.h>

#include "base/must.h"

/* %1 is the first record's number, %2 the last's, %3 the other's. */
static const struct row {
	const char *name;
	const char *one, *several; /* NULL: the same */
} rows[CHAIN_FINDING_KINDS] = {
    [CHAIN_CHANGED] = {"changed", "record %1 was changed",
	"records %1 to %2 were changed, or written by somebody without the "
	"key"},
    [CHAIN_TEXT_CHANGED] = {"changed",
	"record %1 was changed: its text is not the one that its MAC was made "
	"for",
	NULL},
    [CHAIN_MAC_CHANGED] = {"changed",
	"record %1 was changed: its MAC, and not its text", NULL},
    [CHAIN_NUMBER_CHANGED] = {"changed",
	"record %1 was changed: it says that it is record %3", NULL},
    [CHAIN_OVERWRITTEN] = {"changed",
	"record %1 was changed: what stands there is no record any more", NULL},
    [CHAIN_DROPPED] = {"dropped", "record %1 is missing: it was dropped",
	"records %1 to %2 are missing: they were dropped"},
    [CHAIN_LOST] = {"lost",
	"record %1 is missing, and the auditor went on without it: a crash "
	"lost it, or it was cut off before a start",
	"records %1 to %2 are missing, and the auditor went on without them: "
	"a crash lost them, or they were cut off before a start"},
    [CHAIN_INSERTED] = {"inserted",
	"a line was inserted that says it is record %1: another one is",
	"a line was inserted that is no record"},
    [CHAIN_COPIED] = {"inserted",
	"a line was inserted: it is record %1 once more", NULL},
    [CHAIN_SWAPPED] = {"swapped", "records %1 and %3 were swapped", NULL},
    [CHAIN_MOVED] = {"moved", "record %1 was moved: it stands behind record %3",
	"record %1 was moved: it stands in front of all"},
    [CHAIN_MISORDERED] = {"misordered",
	"records %1 to %2 are not in their order", NULL},
    [CHAIN_TRUNCATED] = {"truncated",
	"the end is missing: record %1, which is known to have been written",
	"the end is missing: records %1 to %2, which are known to have been "
	"written"},
    [CHAIN_DIFFERS] = {"differs",
	"record %1 is another than the one that was given as the last", NULL},
    [CHAIN_WRONG_KEY] = {"wrong_key",
	"no record fits the key: it is another chain's, or all were changed",
	NULL},
    [CHAIN_WRONG_RUNNING_KEY] = {"wrong_running_key",
	"chain.key does not come from the key: one of them is another "
	"chain's",
	NULL},
};

const char *
chain_sentence_name(enum chain_finding_kind kind)
{
	must(kind < CHAIN_FINDING_KINDS);
	return rows[kind].name;
}

static bool
is_several(const struct chain_finding *finding)
{
	if (finding->kind == CHAIN_INSERTED)
		return finding->first == 0;
	if (finding->kind == CHAIN_MOVED)
		return finding->other == 0;
	return finding->last > finding->first;
}

void
chain_sentence_print(const struct chain_finding *finding, FILE *out)
{
	const uint64_t numbers[] = {
	    finding->first, finding->last, finding->other};
	const struct row *row = &rows[finding->kind];
	const char *text = row->several != NULL && is_several(finding)
			       ? row->several
			       : row->one;

	for (; *text != '\0'; text++)
		if (*text != '%')
			(void)fputc(*text, out);
		else
			(void)fprintf(out, "%" PRIu64, numbers[*++text - '1']);
}
