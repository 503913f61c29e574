/* SPDX-License-Identifier: ISC */
/* A set of rules that is not in force, to be judged by here. */
#include "ctl/candidate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "ctl/daemon.h"
#include "policy/entry.h"
#include "policy/ldap_file.h"
#include "policy/rule_set_stream.h"
#include "policy/ruleset.h"

#define WHY_SIZE 1024

struct candidate {
	struct ruleset_builder *builder;
	char why[WHY_SIZE];
};

static int
add(void *arg, const struct entry *entry)
{
	struct candidate *candidate = arg;

	return ruleset_builder_add(candidate->builder, entry, candidate->why,
		   sizeof(candidate->why)) == 0
		   ? 0
		   : 1;
}

static enum outcome
build(const char *path, struct candidate *candidate, struct ruleset **rules)
{
	*rules = ruleset_build(
	    candidate->builder, 1, candidate->why, sizeof(candidate->why));
	candidate->builder = NULL;
	if (*rules == NULL)
		return outcome_say(
		    OUTCOME_DATA, "%s: %s", path, candidate->why);
	return OUTCOME_OK;
}

static enum outcome
read_rules(const char *path, FILE *file, struct ruleset **rules)
{
	struct candidate candidate = {.builder = ruleset_builder_new()};
	enum outcome outcome;
	char why[WHY_SIZE] = "";
	int result;

	if (candidate.builder == NULL)
		die("out of memory");
	result = ldif_read(file, add, &candidate, why, sizeof(why));
	if (result < 0) /* begins with the line */
		outcome = outcome_say(OUTCOME_DATA, "%s:%s", path, why);
	else if (result > 0)
		outcome =
		    outcome_say(OUTCOME_DATA, "%s: %s", path, candidate.why);
	else
		outcome = build(path, &candidate, rules);
	ruleset_builder_free(candidate.builder);
	return outcome;
}

enum outcome
candidate_read_file(const char *path, struct ruleset **rules)
{
	FILE *file = fopen(path, "re");
	enum outcome outcome;

	if (file == NULL)
		return outcome_say(OUTCOME_NO_INPUT, "%s: cannot be read: %s",
		    path, strerror(errno));
	outcome = read_rules(path, file, rules);
	(void)fclose(file);
	return outcome;
}

/* What directory-watch has read is whole; what it says may still be wrong. */
static int
add_all(struct candidate *candidate, const uint8_t *set, size_t len)
{
	const uint8_t *octets;
	size_t at = 0, octet_count;
	int result = 0;

	while (result == 0 &&
	       rule_set_next(set, len, &at, &octets, &octet_count) == 1) {
		struct entry *entry = entry_decode(octets, octet_count);

		if (entry == NULL) {
			(void)strlcpy(candidate->why,
			    "an entry could not be read",
			    sizeof(candidate->why));
			return 1;
		}
		result = add(candidate, entry);
		entry_free(entry);
	}
	return result;
}

enum outcome
candidate_ask(const char *socket, const char *base, struct ruleset **rules)
{
	struct candidate candidate = {.builder = ruleset_builder_new()};
	enum outcome outcome;
	uint8_t *set;
	size_t len;

	if (candidate.builder == NULL)
		die("out of memory");
	outcome = daemon_ask_set(socket, base, &set, &len);
	if (outcome == OUTCOME_OK) {
		outcome = add_all(&candidate, set, len) == 0
			      ? build(base, &candidate, rules)
			      : outcome_say(OUTCOME_DATA, "%s: %s", base,
				    candidate.why);
		free(set);
	}
	ruleset_builder_free(candidate.builder);
	return outcome;
}
