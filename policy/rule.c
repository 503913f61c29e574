/* SPDX-License-Identifier: ISC */
/* One rule: what an entry of class gwRule says, checked. */
#include "policy/rule.h"

#include <stdlib.h>
#include <string.h>

#include "base/endpoint.h"
#include "policy/dn.h"

struct rule *
rule_new(const char *dn)
{
	struct rule *rule = calloc(1, sizeof(*rule));

	if (rule == NULL)
		return NULL;
	rule->order = RULE_ORDER_DEFAULT;
	rule->not_before = INT64_MIN;
	rule->not_after = INT64_MAX;
	rule->dn = strdup(dn);
	rule->normalised_dn = dn_normalise(dn);
	if (rule->dn == NULL || rule->normalised_dn == NULL) {
		rule_free(rule);
		return NULL;
	}
	return rule;
}

static void
texts_fini(struct rule_texts *texts)
{
	for (size_t i = 0; i < texts->count; i++)
		free(texts->texts[i]);
	free(texts->texts);
}

void
rule_free(struct rule *rule)
{
	if (rule == NULL)
		return;
	texts_fini(&rule->users);
	texts_fini(&rule->groups);
	texts_fini(&rule->principals);
	texts_fini(&rule->listeners);
	texts_fini(&rule->set_dns);
	texts_fini(&rule->indicators);
	for (size_t i = 0; i < rule->schedule_count; i++)
		schedule_fini(&rule->schedules[i]);
	free(rule->schedules);
	free(rule->clients);
	target_list_fini(&rule->targets);
	free(rule->sets);
	free(rule->name);
	free(rule->normalised_dn);
	free(rule->dn);
	free(rule);
}

int
rule_compare(const struct rule *a, const struct rule *b)
{
	if (a->order != b->order)
		return a->order < b->order ? -1 : 1;
	if (a->permits != b->permits)
		return a->permits ? 1 : -1;
	return strcmp(a->normalised_dn, b->normalised_dn);
}

const struct target_list *
rule_targets(const struct rule *rule, size_t i)
{
	if (i == 0)
		return &rule->targets;
	return i <= rule->set_dns.count ? &rule->sets[i - 1]->targets : NULL;
}

bool
rule_has_name(const struct rule *rule, const struct endpoint *asked)
{
	const struct target_list *list;

	for (size_t i = 0; (list = rule_targets(rule, i)) != NULL; i++)
		if (target_list_has_name(list, asked) &&
		    rule_has_port(rule, i, asked->port))
			return true;
	return false;
}

bool
rule_has_port(const struct rule *rule, size_t i, uint16_t port)
{
	return target_has_port(&rule->targets, port) &&
	       (i == 0 || target_has_port(&rule->sets[i - 1]->targets, port));
}

bool
rule_is_about_everything(const struct rule *rule)
{
	const struct target_list *list;

	if (rule->targets.port_count > 0)
		return false;
	for (size_t i = 0; (list = rule_targets(rule, i)) != NULL; i++)
		if (target_list_is_everything(list))
			return true;
	return false;
}

bool
rule_has_pattern(const struct rule *rule)
{
	for (size_t i = 0; i < rule->principals.count; i++)
		if (strchr(rule->principals.texts[i], '*') != NULL)
			return true;
	return false;
}
