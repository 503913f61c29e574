/* SPDX-License-Identifier: ISC */
/* gatewardenctl policy list: the rules in force, in their order. */
#include "ctl/commands.h"

#include <stdio.h>
#include <string.h>

#include "base/ctl_protocol.h"
#include "base/must.h"
#include "ctl/client.h"
#include "ctl/document.h"
#include "ctl/table.h"

struct listing {
	bool wants_json;
	json_t *document, *rules; /* the latter borrowed of the first */
	struct table *table;
};

static const struct document_field rule_fields[] = {
    {"name", DOCUMENT_TEXT},
    {"order", DOCUMENT_NUMBER},
    {"action", DOCUMENT_TEXT},
    {"report_only", DOCUMENT_BOOL},
    {"dn", DOCUMENT_TEXT},
    {NULL, DOCUMENT_TEXT},
};

static void
print_policy(const struct options *line)
{
	(void)printf("generation %s, %s rules%s\n\n",
	    options_get(line, "generation", "?"),
	    options_get(line, "count", "?"),
	    ctl_is_yes(line, "expired")
		? ", too old: the directory is silent, everything is denied"
	    : ctl_is_yes(line, "stale") ? ", stale: the directory is silent"
					: "");
}

static void
add_rule(struct table *table, const struct options *line)
{
	const char *const cells[] = {
	    options_get(line, "order", "?"),
	    options_get(line, "name", "?"),
	    options_get(line, "action", "?"),
	    ctl_is_yes(line, "report_only") ? "reports only" : "decides",
	    options_get(line, "dn", "?"),
	};

	table_add(table, cells);
}

static enum outcome
on_line(void *arg, const struct options *line)
{
	struct listing *listing = arg;
	bool is_policy = strcmp(options_get(line, "kind", ""), "policy") == 0;

	if (listing->wants_json && is_policy)
		must(json_object_update_new(listing->document,
			 document_object(line, document_policy_fields)) == 0);
	else if (listing->wants_json)
		must(json_array_append_new(listing->rules,
			 document_object(line, rule_fields)) == 0);
	else if (is_policy)
		print_policy(line);
	else
		add_rule(listing->table, line);
	return OUTCOME_OK;
}

static enum outcome
print(struct listing *listing)
{
	return listing->wants_json
		   ? document_print(json_incref(listing->document))
		   : table_print(listing->table);
}

enum outcome
policy_list_run(const struct ctl *ctl, int argc, char **argv)
{
	static const char *const headings[] = {
	    "ORDER", "NAME", "ACTION", "EFFECT", "DN"};
	struct listing listing = {.wants_json = ctl->wants_json};
	struct options *question;
	enum outcome outcome;

	if (!commands_no_options(argc, argv, 0))
		return OUTCOME_USAGE;
	listing.table = table_new(headings, ARRAY_COUNT(headings));
	listing.document = json_object();
	listing.rules = json_array();
	must(
	    json_object_set_new(listing.document, "rules", listing.rules) == 0);
	question = options_new();
	options_add(question, "command", "rules");
	outcome = client_ask(ctl->socket, question, on_line, NULL, &listing);
	if (outcome == OUTCOME_OK)
		outcome = print(&listing);
	options_free(question);
	json_decref(listing.document);
	table_free(listing.table);
	return outcome;
}
