/* SPDX-License-Identifier: ISC */
/* A set of rules that is not in force, to be judged by here. */
#include "ctl/candidate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/daemon.h"
#include "policy/entry.h"
#include "policy/intake.h"
#include "policy/ldap_file.h"
#include "policy/rule_set_stream.h"

#define WHY_SIZE 1024

/* Where rules are from. */
struct candidate {
	const char *name;
};

/* All that is wrong is said. */
static void
on_wrong(void *arg, const char *why)
{
	const struct candidate *from = arg;

	(void)outcome_say(OUTCOME_DATA, "%s: %s", from->name, why);
}

static int
add(void *arg, const struct entry *entry)
{
	intake_add(arg, entry);
	return 0;
}

/* Without facts users can be looked up, as far as is known. */
static enum outcome
end(struct intake *intake, const struct daemon_facts *facts,
    struct ruleset **rules)
{
	*rules = intake_end(intake, 1, facts == NULL || facts->has_directory);
	return *rules != NULL ? OUTCOME_OK : OUTCOME_DATA;
}

static enum outcome
read_rules(const char *path, FILE *file, const struct daemon_facts *facts,
    struct ruleset **rules)
{
	struct candidate from = {path};
	struct intake intake;
	char why[WHY_SIZE] = "";

	intake_begin(&intake, on_wrong, &from);
	if (ldif_read(file, add, &intake, why, sizeof(why)) != 0) {
		intake_fini(&intake);
		/* It begins with the line. */
		return outcome_say(OUTCOME_DATA, "%s:%s", path, why);
	}
	if (intake.rules == 0 && (facts == NULL || !facts->allow_empty)) {
		intake_fini(&intake);
		return outcome_say(OUTCOME_DATA,
		    "%s: there is no rule at all (policy.allow_empty)", path);
	}
	return end(&intake, facts, rules);
}

enum outcome
candidate_read_file(
    const char *path, const struct daemon_facts *facts, struct ruleset **rules)
{
	FILE *file = fopen(path, "re");
	enum outcome outcome;

	if (file == NULL)
		return outcome_say(OUTCOME_NO_INPUT, "%s: cannot be read: %s",
		    path, strerror(errno));
	outcome = read_rules(path, file, facts, rules);
	(void)fclose(file);
	return outcome;
}

/* What directory-watch has read is whole, and not empty unless it may be; what
 * it says may still be wrong. */
static void
add_all(struct intake *intake, const uint8_t *set, size_t len)
{
	const uint8_t *octets;
	size_t at = 0, octet_count;

	while (rule_set_next(set, len, &at, &octets, &octet_count) == 1) {
		struct entry *entry = entry_decode(octets, octet_count);

		if (entry == NULL)
			intake_add_broken(intake);
		else
			intake_add(intake, entry);
		entry_free(entry);
	}
}

enum outcome
candidate_ask(const char *socket, const char *base, struct ruleset **rules)
{
	struct candidate from = {base != NULL ? base : "the rules in force"};
	struct intake intake;
	enum outcome outcome;
	uint8_t *set;
	size_t len;

	outcome = daemon_ask_set(socket, base, &set, &len);
	if (outcome != OUTCOME_OK)
		return outcome;
	intake_begin(&intake, on_wrong, &from);
	add_all(&intake, set, len);
	free(set);
	return end(&intake, NULL, rules);
}
