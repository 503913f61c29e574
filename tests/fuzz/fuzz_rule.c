/* SPDX-License-Identifier: ISC */
/*
 * Fuzzes entries made into rules and sets: a line with the DN, then lines
 * such as "gwAction: permit".
 */
#include "tests/fuzz/fuzz.h"

#include <stdbool.h>
#include <string.h>

#include "policy/entry.h"
#include "policy/rule.h"
#include "policy/rule_parse.h"

/* Takes the next line off *text, its newline made NUL; NULL at the end. */
static char *
next_line(char **text)
{
	char *line = *text;

	if (line != NULL) {
		*text = strchr(line, '\n');
		if (*text != NULL)
			*(*text)++ = '\0';
	}
	return line;
}

static struct entry *
entry_of(char *text)
{
	struct entry *entry = entry_new(next_line(&text));
	char *line;

	property(entry != NULL);
	while ((line = next_line(&text)) != NULL) {
		char *value = strstr(line, ": ");

		if (value == NULL)
			continue;
		*value = '\0';
		value += 2;
		property(entry_add(entry, line, value, strlen(value)) == 0);
	}
	return entry;
}

static void
check_rule(const struct rule *rule)
{
	property(rule->name[0] != '\0' && rule->normalised_dn != NULL);
	property(rule->commands != 0 && rule->methods != 0);
	property(rule->targets.destination_count + rule->set_dns.count > 0);
	property(rule_compare(rule, rule) == 0);
}

static void
check_set(const struct target_set *set)
{
	property(set->name[0] != '\0' && set->normalised_dn != NULL);
	property(set->targets.destination_count > 0);
}

/* Whether the entry is taken as a rule or a set; checks what came of it. */
static bool
is_taken(const struct entry *entry)
{
	struct rule *rule = NULL;
	struct target_set *set = NULL;
	char why[512] = "";
	bool is_made;

	if (rule_parse(entry, &rule, &set, why, sizeof(why)) != 0) {
		property(why[0] != '\0' && rule == NULL && set == NULL);
		return false;
	}
	is_made = rule != NULL || set != NULL;
	property(rule == NULL || set == NULL);
	if (rule != NULL)
		check_rule(rule);
	if (set != NULL)
		check_set(set);
	rule_free(rule);
	target_set_free(set);
	return is_made;
}

/* What could narrow a rule is never ignored; a description is. */
static void
check_strangers(struct entry *entry)
{
	property(entry_add(entry, "description", "x", 1) == 0);
	property(is_taken(entry));
	property(entry_add(entry, "gwSomethingNew", "x", 1) == 0);
	property(!is_taken(entry));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct entry *entry;

	property(text != NULL);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	entry = entry_of(text);
	if (is_taken(entry))
		check_strangers(entry);
	entry_free(entry);
	free(text);
	return 0;
}
