/* SPDX-License-Identifier: ISC */
/* The rules that could have all subjects of another, found by an index. */
#include "policy/rivals.h"

#include <stdlib.h>
#include <string.h>

#include "policy/ruleset_private.h"
#include "policy/subsume.h"

struct rivals {
	struct rule_index *index;
};

static struct rule_key
text_key(enum rule_key_kind kind, const char *text)
{
	return (struct rule_key){kind, text, strlen(text)};
}

/* Rules for anybody, and rules with patterns. */
static const struct rule_key anybody = {RULE_KEY_ANY_SUBJECT, "anybody", 7};
static const struct rule_key patterns = {RULE_KEY_ANY_SUBJECT, "patterns", 8};

static int
index_texts(struct rivals *rivals, enum rule_key_kind kind,
    const struct rule_texts *texts, uint32_t place)
{
	int error = 0;

	for (size_t i = 0; i < texts->count && error == 0; i++) {
		struct rule_key key = text_key(kind, texts->texts[i]);

		error = rule_index_add(rivals->index, &key, place);
	}
	return error;
}

static bool
is_for_anybody(const struct rule *rule)
{
	return !subsume_asks_directory(rule) && rule->principals.count == 0;
}

static int
index_rule(struct rivals *rivals, const struct rule *rule, uint32_t place)
{
	if (is_for_anybody(rule))
		return rule_index_add(rivals->index, &anybody, place);
	if (rule_has_pattern(rule) &&
	    rule_index_add(rivals->index, &patterns, place) != 0)
		return -1;
	if (index_texts(rivals, RULE_KEY_USER, &rule->users, place) != 0 ||
	    index_texts(rivals, RULE_KEY_GROUP, &rule->groups, place) != 0)
		return -1;
	return index_texts(
	    rivals, RULE_KEY_PRINCIPAL, &rule->principals, place);
}

struct rivals *
rivals_new(const struct ruleset *rules)
{
	struct rivals *rivals = calloc(1, sizeof(*rivals));
	bool was_good;

	if (rivals == NULL)
		return NULL;
	rivals->index = rule_index_new();
	was_good = rivals->index != NULL;
	for (size_t i = 0; was_good && i < rules->enabled_count; i++)
		if (!rules->rules[i]->is_report_only)
			was_good = index_rule(rivals, rules->rules[i],
				       (uint32_t)i) == 0;
	if (!was_good) {
		rivals_free(rivals);
		return NULL;
	}
	return rivals;
}

void
rivals_free(struct rivals *rivals)
{
	if (rivals == NULL)
		return;
	rule_index_free(rivals->index);
	free(rivals);
}

static void
add_source(const struct rivals *rivals, struct rivals_found *found,
    struct rule_key key)
{
	const struct rule_slot *slot = rule_index_find(rivals->index, &key);

	if (slot == NULL)
		return;
	found->lists[found->count++] = &slot->own;
	found->total += slot->own.count;
}

static void
add_part(const struct rivals *rivals, const struct subject_part *part,
    struct rivals_found *found)
{
	static const enum rule_key_kind kinds[] = {
	    [SUBJECT_USER] = RULE_KEY_USER,
	    [SUBJECT_GROUP] = RULE_KEY_GROUP,
	    [SUBJECT_PRINCIPAL] = RULE_KEY_PRINCIPAL,
	};

	if (part->kind == SUBJECT_PRINCIPAL)
		add_source(rivals, found, patterns);
	add_source(rivals, found, text_key(kinds[part->kind], part->text));
}

/* Whoever has all subjects has any one of them. */
void
rivals_find(const struct rivals *rivals, const struct rule *rule,
    const struct subject_part *part, struct rivals_found *found)
{
	struct subject_part first;

	*found = (struct rivals_found){.count = 0};
	add_source(rivals, found, anybody);
	if (part == NULL && subsume_part(rule, 0, &first))
		part = &first;
	if (part != NULL)
		add_part(rivals, part, found);
}
