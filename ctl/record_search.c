/* SPDX-License-Identifier: ISC */
/* Looks through the auditor's spool for records, and prints them. */
#include "ctl/record_search.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/audit_chain_line.h"
#include "base/audit_text.h"
#include "base/text.h"
#include "ctl/commands.h"
#include "ctl/record_filter.h"
#include "ctl/record_listing.h"
#include "ctl/spool.h"

#define LAST_MAX    1000000
#define SESSION_MAX 64
/* So many lines that are no records are named, the others counted. */
#define BAD_NAMED 10

struct search {
	const char *path;
	uint64_t last;
	char session[SESSION_MAX];
	struct record_filter filter;
	struct spool *spool;
	struct record_listing *listing;
	uint64_t bad;
};

/* ---- what is looked for */

static enum outcome
take_session(struct search *search, const char *text)
{
	uint64_t number;

	if (!text_parse_u64(text, 1, UINT64_MAX, &number))
		return OUTCOME_USAGE;
	(void)snprintf(search->session, sizeof(search->session),
	    "session=%" PRIu64, number);
	return record_filter_add(&search->filter, search->session);
}

static enum outcome
take_option(struct search *search, int option)
{
	switch (option) {
	case 's':
		search->path = optarg;
		return OUTCOME_OK;
	case 'f':
		return record_filter_since(&search->filter, optarg);
	case 'u':
		return record_filter_until(&search->filter, optarg);
	case 'i':
		return take_session(search, optarg);
	case 'l':
		return text_parse_u64(optarg, 1, LAST_MAX, &search->last)
			   ? OUTCOME_OK
			   : OUTCOME_USAGE;
	default:
		return OUTCOME_USAGE;
	}
}

static enum outcome
read_options(
    struct search *search, int argc, char **argv, bool takes_conditions)
{
	static const struct option options[] = {
	    {"last", required_argument, NULL, 'l'},
	    {"session", required_argument, NULL, 'i'},
	    {"since", required_argument, NULL, 'f'},
	    {"spool", required_argument, NULL, 's'},
	    {"until", required_argument, NULL, 'u'},
	    {NULL, 0, NULL, 0},
	};
	enum outcome outcome = OUTCOME_OK;
	int option;

	while (outcome == OUTCOME_OK &&
	       (option = getopt_long(argc, argv, "", options, NULL)) != -1)
		outcome = take_option(search, option);
	if (outcome == OUTCOME_OK && (optind < argc) != takes_conditions)
		outcome = OUTCOME_USAGE;
	for (; outcome == OUTCOME_OK && optind < argc; optind++)
		outcome = record_filter_add(&search->filter, argv[optind]);
	return outcome;
}

/* ---- looking */

static void
say_bad(struct search *search, const struct spool_line *line)
{
	search->bad++;
	/* What the auditor is writing just now has no end yet. */
	if (search->bad <= BAD_NAMED)
		(void)outcome_say(OUTCOME_DATA, "%s:%" PRIu64 ": no record%s",
		    spool_segment_name(search->spool, line->segment),
		    line->number,
		    line->is_whole ? "" : ": its writing was broken off");
}

static bool
take_line(void *arg, const struct spool_line *line)
{
	struct search *search = arg;
	struct audit_chain_line parsed;
	struct audit_text text;
	const char *why;
	char at[33];

	if (!audit_chain_line_parse(line->text, line->len, &parsed) ||
	    audit_text_parse(parsed.message, parsed.len, &text, &why, at) !=
		AUDIT_TEXT_RECORD)
		say_bad(search, line);
	else if (record_filter_takes(
		     &search->filter, parsed.message, parsed.len, &text))
		record_listing_add(search->listing, parsed.message, parsed.len);
	return true;
}

static enum outcome
look(struct search *search, bool wants_json)
{
	enum outcome outcome;

	search->listing = record_listing_new(wants_json, (size_t)search->last);
	outcome = spool_each(search->spool, take_line, search);
	if (search->bad > BAD_NAMED)
		(void)outcome_say(OUTCOME_DATA,
		    "%" PRIu64 " more lines are no records",
		    search->bad - BAD_NAMED);
	if (outcome == OUTCOME_OK)
		outcome = record_listing_end(search->listing);
	record_listing_free(search->listing);
	return outcome;
}

enum outcome
record_search_run(
    const struct ctl *ctl, int argc, char **argv, bool takes_conditions)
{
	struct search search = {.path = SPOOL_DEFAULT};
	enum outcome outcome =
	    read_options(&search, argc, argv, takes_conditions);

	if (outcome == OUTCOME_OK)
		outcome = spool_open(search.path, &search.spool);
	if (outcome == OUTCOME_OK)
		outcome = look(&search, ctl->wants_json);
	spool_close(search.spool);
	return outcome;
}
