/* SPDX-License-Identifier: ISC */
/* gatewardenctl explain: what would be decided, and why. */
#include "ctl/commands.h"

#include <getopt.h>
#include <stddef.h>

#include "base/options.h"
#include "ctl/client.h"
#include "ctl/document.h"
#include "ctl/explain_text.h"
#include "ctl/moment_text.h"

static const struct document_field question_fields[] = {
    {"identity", DOCUMENT_TEXT},
    {"command", DOCUMENT_TEXT},
    {"destination", DOCUMENT_TEXT},
    {"listener", DOCUMENT_TEXT},
    {"method", DOCUMENT_TEXT},
    {"protection", DOCUMENT_TEXT},
    {"protection_assumed", DOCUMENT_BOOL},
    {"from", DOCUMENT_TEXT},
    {"indicators", DOCUMENT_TEXT},
    {"at", DOCUMENT_NUMBER},
    {"now", DOCUMENT_BOOL},
    {NULL, DOCUMENT_TEXT},
};

static const struct document_field subject_fields[] = {
    {"asked", DOCUMENT_BOOL},
    {"account", DOCUMENT_TEXT},
    {"reason", DOCUMENT_TEXT},
    {"dn", DOCUMENT_TEXT},
    {"silence", DOCUMENT_TEXT},
    {NULL, DOCUMENT_TEXT},
};

static const struct document_field group_fields[] = {
    {"dn", DOCUMENT_TEXT},
    {"origin", DOCUMENT_TEXT},
    {"through", DOCUMENT_TEXT},
    {"used", DOCUMENT_BOOL},
    {NULL, DOCUMENT_TEXT},
};

static const struct document_field resolution_fields[] = {
    {"asked", DOCUMENT_BOOL},
    {"reason", DOCUMENT_TEXT},
    {NULL, DOCUMENT_TEXT},
};

static const struct document_field address_fields[] = {
    {"address", DOCUMENT_TEXT},
    {"special", DOCUMENT_BOOL},
    {"decision", DOCUMENT_TEXT},
    {"reason", DOCUMENT_TEXT},
    {"rule", DOCUMENT_TEXT},
    {"valid_until", DOCUMENT_NUMBER},
    {"report", DOCUMENT_TEXT},
    {"report_action", DOCUMENT_TEXT},
    {NULL, DOCUMENT_TEXT},
};

static const struct document_field rule_fields[] = {
    {"name", DOCUMENT_TEXT},
    {"order", DOCUMENT_NUMBER},
    {"action", DOCUMENT_TEXT},
    {"dn", DOCUMENT_TEXT},
    {"address", DOCUMENT_TEXT},
    {"part", DOCUMENT_TEXT},
    {"failed", DOCUMENT_TEXT},
    {NULL, DOCUMENT_TEXT},
};

static const struct document_field decision_fields[] = {
    {"decision", DOCUMENT_TEXT},
    {"reason", DOCUMENT_TEXT},
    {"sentence", DOCUMENT_TEXT},
    {"rule", DOCUMENT_TEXT},
    {"valid_until", DOCUMENT_NUMBER},
    {"report", DOCUMENT_TEXT},
    {"report_action", DOCUMENT_TEXT},
    {"max_sessions", DOCUMENT_NUMBER},
    {"max_rate", DOCUMENT_NUMBER},
    {"max_duration", DOCUMENT_NUMBER},
    {"idle_timeout", DOCUMENT_NUMBER},
    {"egress", DOCUMENT_TEXT},
    {"rules_not_asked", DOCUMENT_NUMBER},
    {NULL, DOCUMENT_TEXT},
};

static const struct document_kind kinds[] = {
    {"decision", "decision", false, decision_fields},
    {"question", "question", false, question_fields},
    {"policy", "policy", false, document_policy_fields},
    {"subject", "subject", false, subject_fields},
    {"group", "groups", true, group_fields},
    {"resolution", "resolution", false, resolution_fields},
    {"address", "addresses", true, address_fields},
    {"rule", "rules", true, rule_fields},
    {NULL, NULL, false, NULL},
};

static enum outcome
on_line(void *arg, const struct options *line)
{
	document_add(arg, kinds, line);
	return OUTCOME_OK;
}

/* The names of options are those of the question, but for the time. */
static enum outcome
take_option(struct options *question, int option, const char *name)
{
	uint64_t at;

	if (option == '?')
		return OUTCOME_USAGE;
	if (option != 'a') {
		options_add(question, name, optarg);
		return OUTCOME_OK;
	}
	if (!moment_text_parse(optarg, &at)) {
		(void)outcome_say(OUTCOME_USAGE,
		    "%s is no time: write it as 2026-11-27T17:00:00+01:00 or "
		    "20261127160000Z",
		    optarg);
		return OUTCOME_USAGE;
	}
	options_add_u64(question, "at", at);
	return OUTCOME_OK;
}

static enum outcome
read_question(struct options *question, int argc, char **argv)
{
	static const struct option options[] = {
	    {"from", required_argument, NULL, 'o'},
	    {"listener", required_argument, NULL, 'o'},
	    {"method", required_argument, NULL, 'o'},
	    {"protection", required_argument, NULL, 'o'},
	    {"indicator", required_argument, NULL, 'o'},
	    {"at", required_argument, NULL, 'a'},
	    {NULL, 0, NULL, 0},
	};
	int option, index = 0;

	while ((option = getopt_long(argc, argv, "", options, &index)) != -1) {
		enum outcome outcome =
		    take_option(question, option, options[index].name);

		if (outcome != OUTCOME_OK)
			return outcome;
	}
	if (argc - optind != 3)
		return OUTCOME_USAGE;
	options_add(question, "command", "explain");
	options_add(question, "user", argv[optind]);
	options_add(question, "do", argv[optind + 1]);
	options_add(question, "destination", argv[optind + 2]);
	return OUTCOME_OK;
}

enum outcome
explain_run(const struct ctl *ctl, int argc, char **argv)
{
	struct options *question = options_new();
	json_t *document = document_new(kinds);
	enum outcome outcome = read_question(question, argc, argv);

	if (outcome == OUTCOME_OK)
		outcome =
		    client_ask(ctl->socket, question, on_line, NULL, document);
	if (outcome == OUTCOME_OK)
		outcome = ctl->wants_json
			      ? document_print(json_incref(document))
			      : explain_text_print(document);
	options_free(question);
	json_decref(document);
	return outcome;
}
