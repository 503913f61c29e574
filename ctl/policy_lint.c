/* SPDX-License-Identifier: ISC */
/*
 * gatewardenctl policy lint: what can be said against the rules in force, or
 * against those of an LDIF file or of another base.
 */
#include "ctl/commands.h"

#include <getopt.h>
#include <time.h>

#include "ctl/candidate.h"
#include "ctl/daemon.h"
#include "ctl/lint_report.h"
#include "ctl/lint_world.h"
#include "policy/judge.h"
#include "policy/lint.h"
#include "policy/rule.h"
#include "policy/ruleset.h"

struct asked {
	const char *ldif, *base; /* neither: the rules in force */
	bool asks;		 /* the gateway, about an LDIF file too */
};

static bool
read_options(struct asked *asked, int argc, char **argv)
{
	static const struct option options[] = {
	    {"ask", no_argument, NULL, 'a'},
	    {"base", required_argument, NULL, 'b'},
	    {NULL, 0, NULL, 0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'a')
			asked->asks = true;
		else if (option == 'b')
			asked->base = optarg;
		else
			return false;
	}
	if (optind < argc)
		asked->ldif = argv[optind++];
	if (asked->ldif == NULL)
		asked->asks = true;
	return optind == argc && (asked->ldif == NULL || asked->base == NULL);
}

static void
on_finding(void *arg, const struct lint_finding *lint)
{
	const struct lint_remark remark = {
	    .kind = lint_name(lint->kind),
	    .sentence = lint_sentence(lint->kind),
	    .is_mistake = lint_is_mistake(lint->kind),
	    .name = lint->rule != NULL ? lint->rule->name : lint->set->name,
	    .dn = lint->rule != NULL ? lint->rule->dn : lint->set->dn,
	    .value = lint->rule != NULL && lint->set != NULL ? lint->set->name
							     : NULL,
	    .by_count = lint->by_count,
	    .by = lint->by,
	};

	lint_report_add(arg, &remark);
}

/* `facts` NULL: without a gateway. */
static enum outcome
look(const struct ctl *ctl, const struct ruleset *rules,
    const struct daemon_facts *facts, struct lint_report *report)
{
	struct own_addresses own = {.count = 0};
	struct lint_facts known = {.now = time(NULL)};

	if (facts != NULL) {
		own = (struct own_addresses){
		    .count = facts->address_count,
		    .addresses = facts->addresses,
		    .port_count = facts->port_count,
		    .ports = facts->ports,
		};
		known.own = &own;
	}
	switch (lint_rules(rules, &known, on_finding, report)) {
	case LINT_DONE:
		break;
	case LINT_CUT_SHORT:
		lint_report_omit(
		    report, "some pairs of rules: there are too many alike");
		break;
	case LINT_NO_MEMORY:
		return outcome_say(OUTCOME_LOCAL, "out of memory");
	}
	if (facts != NULL)
		lint_world(ctl->socket, facts, rules, report);
	else
		lint_report_omit(report,
		    "whether users, groups, listeners and names are there: a "
		    "gateway can be asked (--ask)");
	return OUTCOME_OK;
}

static enum outcome
lint(const struct ctl *ctl, const struct ruleset *rules,
    const struct daemon_facts *facts)
{
	struct lint_report *report = lint_report_new();
	enum outcome outcome = look(ctl, rules, facts, report);

	if (outcome == OUTCOME_OK)
		outcome = lint_report_print(
		    report, ruleset_count(rules), ctl->wants_json);
	lint_report_free(report);
	return outcome;
}

static enum outcome
run(const struct ctl *ctl, const struct asked *asked,
    const struct daemon_facts *facts)
{
	struct ruleset *rules = NULL;
	enum outcome outcome =
	    asked->ldif != NULL
		? candidate_read_file(asked->ldif, facts, &rules)
		: candidate_ask(ctl->socket, asked->base, &rules);

	if (outcome == OUTCOME_OK)
		outcome = lint(ctl, rules, facts);
	ruleset_unref(rules);
	return outcome;
}

enum outcome
policy_lint_run(const struct ctl *ctl, int argc, char **argv)
{
	struct asked asked = {.ldif = NULL};
	struct daemon_facts facts;
	enum outcome outcome;

	if (!read_options(&asked, argc, argv))
		return OUTCOME_USAGE;
	if (!asked.asks)
		return run(ctl, &asked, NULL);
	outcome = daemon_ask_facts(ctl->socket, &facts);
	if (outcome == OUTCOME_OK)
		outcome = run(ctl, &asked, &facts);
	daemon_facts_fini(&facts);
	return outcome;
}
