/* SPDX-License-Identifier: ISC */
/*
 * gatewardenctl replay: yesterday's decisions, judged again by rules that are
 * not in force yet.
 */
#include "ctl/commands.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/audit_text.h"
#include "ctl/candidate.h"
#include "ctl/replay_report.h"
#include "ctl/replay_world.h"
#include "ctl/retrial.h"
#include "policy/ruleset.h"
#include "policy/subject.h"

/* One more than a line may have: what is longer is seen to be. */
#define LINE_SIZE (AUDIT_TEXT_LINE_MAX + 1)

struct replay {
	const char *path;  /* of the log; "-": standard input */
	const char *rules; /* LDIF, or NULL ... */
	const char *base;  /* ... and below this DN */
	struct replay_world *known;
	struct retrial_world world;
	struct replay_report *report;
};

/* Is asked only if something depends on it. */
static void
find_subject(struct replay *replay, const struct audit_record *record)
{
	struct judge_context *context = &replay->world.context;

	context->subject = NULL;
	if (record->identity[0] == '\0' || record->is_claimed ||
	    !retrial_is_about_rules(record))
		return;
	if (!context->checks_accounts && !ruleset_needs_subject(context->rules))
		return;
	context->subject =
	    replay_world_subject(replay->known, record->identity);
	if (context->subject != NULL && context->subject->dn == NULL)
		replay_report_unknown(replay->report, record->identity);
}

static void
judge(struct replay *replay, const struct audit_record *record)
{
	struct retrial retrial;

	if (record->event != AUDIT_DECISION)
		return;
	find_subject(replay, record);
	retrial = retrial_judge(&replay->world, record);
	replay_report_decision(replay->report, record, &retrial);
}

static void
take_line(struct replay *replay, uint64_t number, const char *line, size_t len)
{
	struct audit_text text;
	const char *why;
	char at[33];

	replay_report_line(replay->report);
	switch (audit_text_parse(line, len, &text, &why, at)) {
	case AUDIT_TEXT_RECORD:
		judge(replay, &text.record);
		return;
	case AUDIT_TEXT_BAD:
		replay_report_bad(
		    replay->report, replay->path, number, why, at);
		return;
	case AUDIT_TEXT_FOREIGN:
		return;
	}
}

/* A line without its end, or as much of it as there is room for; false at the
 * end of the file. */
static bool
read_line(FILE *file, char line[LINE_SIZE], size_t *len)
{
	int c = getc_unlocked(file);

	*len = 0;
	if (c == EOF)
		return false;
	for (; c != EOF && c != '\n'; c = getc_unlocked(file))
		if (*len < LINE_SIZE)
			line[(*len)++] = (char)c;
	return true;
}

static enum outcome
read_log(struct replay *replay, FILE *file)
{
	char line[LINE_SIZE];
	size_t len;

	for (uint64_t number = 1; read_line(file, line, &len); number++)
		take_line(replay, number, line, len);
	if (ferror(file))
		return outcome_say(OUTCOME_NO_INPUT, "%s: cannot be read: %s",
		    replay->path, strerror(errno));
	return OUTCOME_OK;
}

static enum outcome
open_log(struct replay *replay)
{
	enum outcome outcome;
	FILE *file;

	if (strcmp(replay->path, "-") == 0)
		return read_log(replay, stdin);
	file = fopen(replay->path, "re");
	if (file == NULL)
		return outcome_say(OUTCOME_NO_INPUT, "%s: cannot be read: %s",
		    replay->path, strerror(errno));
	outcome = read_log(replay, file);
	(void)fclose(file);
	return outcome;
}

static bool
read_options(struct replay *replay, int argc, char **argv)
{
	static const struct option options[] = {
	    {"base", required_argument, NULL, 'b'},
	    {"rules", required_argument, NULL, 'r'},
	    {NULL, 0, NULL, 0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'r')
			replay->rules = optarg;
		else if (option == 'b')
			replay->base = optarg;
		else
			return false;
	}
	if ((replay->rules == NULL) == (replay->base == NULL) ||
	    argc - optind != 1)
		return false;
	replay->path = argv[optind];
	return true;
}

static enum outcome
judge_log(struct replay *replay, const struct ctl *ctl, struct ruleset *rules)
{
	enum outcome outcome;

	replay->world = (struct retrial_world){
	    .context = {.rules = rules,
		.checks_accounts = replay_world_checks_accounts(replay->known),
		.own = replay_world_own(replay->known)},
	    .resolve = replay_world_resolve,
	    .arg = replay->known,
	};
	outcome = open_log(replay);
	if (outcome == OUTCOME_OK)
		outcome = replay_report_print(replay->report, ctl->wants_json);
	return outcome;
}

/* Only below a base there are no rules without a gateway. */
static enum outcome
read_rules(struct replay *replay, const struct ctl *ctl, struct ruleset **rules)
{
	enum outcome outcome = OUTCOME_OK;

	if (replay->base != NULL)
		outcome = candidate_ask(ctl->socket, replay->base, rules);
	if (outcome == OUTCOME_OK)
		replay->known = replay_world_new(ctl->socket);
	if (replay->rules != NULL)
		outcome = candidate_read_file(
		    replay->rules, replay_world_facts(replay->known), rules);
	return outcome;
}

static enum outcome
run(struct replay *replay, const struct ctl *ctl)
{
	struct ruleset *rules = NULL;
	enum outcome outcome = read_rules(replay, ctl, &rules);

	if (outcome == OUTCOME_OK)
		outcome = judge_log(replay, ctl, rules);
	replay_world_free(replay->known);
	ruleset_unref(rules);
	return outcome;
}

enum outcome
replay_run(const struct ctl *ctl, int argc, char **argv)
{
	struct replay replay = {.path = NULL};
	enum outcome outcome;

	if (!read_options(&replay, argc, argv))
		return OUTCOME_USAGE;
	replay.report = replay_report_new();
	outcome = run(&replay, ctl);
	replay_report_free(replay.report);
	return outcome;
}
