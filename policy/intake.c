/* SPDX-License-Identifier: ISC */
/* Entries made into a rule set, and everything said that is wrong with them. */
#include "policy/intake.h"

#include "policy/entry.h"
#include "policy/ruleset.h"

#define WHY_SIZE 1024

/* An empty sentence is how the builder says that there is no memory. */
static void
complain(struct intake *intake, const char *why)
{
	intake->wrongs++;
	intake->wrong(intake->arg, why[0] != '\0' ? why : "out of memory");
}

void
intake_begin(struct intake *intake, intake_wrong_fn *wrong, void *arg)
{
	*intake = (struct intake){
	    .builder = ruleset_builder_new(), .wrong = wrong, .arg = arg};
	if (intake->builder == NULL)
		complain(intake, "");
}

void
intake_fini(struct intake *intake)
{
	ruleset_builder_free(intake->builder);
	intake->builder = NULL;
}

void
intake_add(struct intake *intake, const struct entry *entry)
{
	char why[WHY_SIZE] = "";

	intake->rules += entry_is_a(entry, "gwRule");
	if (intake->builder != NULL &&
	    ruleset_builder_add(intake->builder, entry, why, sizeof(why)) != 0)
		complain(intake, why);
}

void
intake_add_broken(struct intake *intake)
{
	complain(intake, "an entry could not be read");
}

static void
on_set_wrong(void *arg, const char *why)
{
	complain(arg, why);
}

static bool
is_served(
    struct intake *intake, const struct ruleset *rules, bool has_directory)
{
	if (has_directory || !ruleset_needs_subject(rules))
		return true;
	complain(intake,
	    "a rule has gwUser or gwGroup, but directory.uri names no "
	    "directory to look them up");
	return false;
}

struct ruleset *
intake_end(struct intake *intake, uint64_t generation, bool has_directory)
{
	struct ruleset_builder *builder = intake->builder;
	struct ruleset *rules;

	if (builder == NULL || intake->wrongs > 0) {
		intake_fini(intake);
		return NULL;
	}
	intake->builder = NULL;
	rules =
	    ruleset_build_telling(builder, generation, on_set_wrong, intake);
	if (rules != NULL && !is_served(intake, rules, has_directory)) {
		ruleset_unref(rules);
		return NULL;
	}
	return rules;
}
