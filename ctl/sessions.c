/* SPDX-License-Identifier: ISC */
/* gatewardenctl sessions and kill: who is in, and the end of some of them. */
#include "ctl/commands.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/ctl_protocol.h"
#include "base/must.h"
#include "ctl/client.h"
#include "ctl/document.h"
#include "ctl/table.h"

#define WATCH_S	    2 /* between two looks */
#define WATCH_ROWS  40
#define NUMBER_SIZE 24
#define CLEAR	    "\033[H\033[2J"

enum sort { SORT_NONE, SORT_AGE, SORT_BYTES, SORT_RATE };

struct seen {
	struct options *line;
	uint64_t session, age_ms, bytes;
	uint64_t rate; /* octets a second: since the last look, or ever */
};

/* One look at all that fit. */
struct look {
	struct seen *seen;
	size_t count;
};

struct view {
	const struct ctl *ctl;
	struct options *question;
	enum sort sort;
	bool watches;
	struct look now, before;
};

static const struct document_field session_fields[] = {
    {"session", DOCUMENT_NUMBER},
    {"step", DOCUMENT_TEXT},
    {"user", DOCUMENT_TEXT},
    {"method", DOCUMENT_TEXT},
    {"client", DOCUMENT_TEXT},
    {"listener", DOCUMENT_TEXT},
    {"command", DOCUMENT_TEXT},
    {"destination", DOCUMENT_TEXT},
    {"dialled", DOCUMENT_TEXT},
    {"rule", DOCUMENT_TEXT},
    {"age_ms", DOCUMENT_NUMBER},
    {"to_target", DOCUMENT_NUMBER},
    {"to_client", DOCUMENT_NUMBER},
    {NULL, DOCUMENT_TEXT},
};

/* ---- a look */

static void
look_free(struct look *look)
{
	for (size_t i = 0; i < look->count; i++)
		options_free(look->seen[i].line);
	free(look->seen);
	*look = (struct look){.seen = NULL};
}

static struct options *
copy(const struct options *line)
{
	struct options *made = options_new();
	const char *name, *value;

	for (size_t i = 0; options_at(line, i, &name, &value); i++)
		options_add(made, name, value);
	return made;
}

static enum outcome
on_line(void *arg, const struct options *line)
{
	struct look *look = arg;
	const char *kind = options_get(line, "kind", "");
	struct seen *room;

	if (strcmp(kind, "count") == 0)
		return OUTCOME_OK;
	if (strcmp(kind, "session") != 0)
		return outcome_say(OUTCOME_PROTOCOL,
		    "the gateway's answer is of no known kind");
	room = array_room(look->seen, look->count, sizeof(*room));
	if (room == NULL)
		return outcome_say(OUTCOME_LOCAL, "out of memory");
	look->seen = room;
	look->seen[look->count++] = (struct seen){
	    .line = copy(line),
	    .session = ctl_number(line, "session"),
	    .age_ms = ctl_number(line, "age_ms"),
	    .bytes =
		ctl_number(line, "to_target") + ctl_number(line, "to_client"),
	};
	return OUTCOME_OK;
}

static int
by_session(const void *a, const void *b)
{
	const struct seen *left = a, *right = b;

	return (left->session > right->session) -
	       (left->session < right->session);
}

/* What has moved since the last look or, without one, ever. */
static void
find_rates(struct look *now, const struct look *before)
{
	for (size_t i = 0; i < now->count; i++) {
		struct seen *seen = &now->seen[i];
		const struct seen key = {.session = seen->session};
		const struct seen *old =
		    before->count > 0
			? bsearch(&key, before->seen, before->count,
			      sizeof(key), by_session)
			: NULL;
		uint64_t bytes = seen->bytes - (old != NULL ? old->bytes : 0);
		uint64_t ms = seen->age_ms - (old != NULL ? old->age_ms : 0);

		seen->rate = ms == 0 ? 0 : bytes * 1000 / ms;
	}
}

/* ---- in which order */

static int
descending(uint64_t left, uint64_t right)
{
	return (left < right) - (left > right);
}

static int
by_age(const void *a, const void *b)
{
	const struct seen *left = a, *right = b;

	return descending(left->age_ms, right->age_ms);
}

static int
by_bytes(const void *a, const void *b)
{
	const struct seen *left = a, *right = b;

	return descending(left->bytes, right->bytes);
}

static int
by_rate(const void *a, const void *b)
{
	const struct seen *left = a, *right = b;

	return descending(left->rate, right->rate);
}

static void
put_in_order(struct look *look, enum sort sort)
{
	static int (*const orders[])(const void *, const void *) = {
	    [SORT_NONE] = by_session,
	    [SORT_AGE] = by_age,
	    [SORT_BYTES] = by_bytes,
	    [SORT_RATE] = by_rate,
	};

	if (look->count > 0)
		qsort(look->seen, look->count, sizeof(look->seen[0]),
		    orders[sort]);
}

/* ---- for people, and for programs */

static const char *
print_octets(uint64_t octets, char text[NUMBER_SIZE])
{
	static const char units[] = " KMGTPE";
	double value = (double)octets;
	size_t unit = 0;

	while (value >= 9999.5 && unit + 2 < sizeof(units)) {
		value /= 1024;
		unit++;
	}
	(void)snprintf(text, NUMBER_SIZE, unit == 0 ? "%.0f" : "%.0f%c", value,
	    units[unit]);
	return text;
}

static const char *
print_age(uint64_t ms, char text[NUMBER_SIZE])
{
	uint64_t s = ms / 1000;

	if (s < 3600)
		(void)snprintf(text, NUMBER_SIZE, "%" PRIu64 ":%02" PRIu64,
		    s / 60, s % 60);
	else
		(void)snprintf(text, NUMBER_SIZE, "%" PRIu64 "h%02" PRIu64,
		    s / 3600, s / 60 % 60);
	return text;
}

static void
add_row(struct table *table, const struct seen *seen)
{
	char age[NUMBER_SIZE], sent[NUMBER_SIZE], got[NUMBER_SIZE],
	    rate[NUMBER_SIZE];
	const struct options *line = seen->line;
	const char *const cells[] = {
	    options_get(line, "session", "?"),
	    options_get(line, "user", "-"),
	    options_get(line, "client", "-"),
	    options_get(line, "command", options_get(line, "step", "-")),
	    options_get(line, "destination", "-"),
	    options_get(line, "rule", "-"),
	    print_age(seen->age_ms, age),
	    print_octets(ctl_number(line, "to_target"), sent),
	    print_octets(ctl_number(line, "to_client"), got),
	    print_octets(seen->rate, rate),
	};

	table_add(table, cells);
}

static enum outcome
print_table(const struct look *look, size_t rows_max)
{
	static const char *const headings[] = {"SESSION", "USER", "CLIENT",
	    "COMMAND", "DESTINATION", "RULE", "AGE", "SENT", "RECEIVED",
	    "RATE/S"};
	struct table *table = table_new(headings, ARRAY_COUNT(headings));
	enum outcome outcome;

	for (size_t i = 0; i < look->count && i < rows_max; i++)
		add_row(table, &look->seen[i]);
	outcome = table_print(table);
	table_free(table);
	return outcome;
}

static enum outcome
print_document(const struct look *look)
{
	json_t *document = json_object(), *sessions = json_array();

	for (size_t i = 0; i < look->count; i++) {
		json_t *session =
		    document_object(look->seen[i].line, session_fields);

		must(json_object_set_new(session, "rate",
			 json_integer((json_int_t)look->seen[i].rate)) == 0);
		must(json_array_append_new(sessions, session) == 0);
	}
	must(json_object_set_new(document, "sessions", sessions) == 0);
	return document_print(document);
}

/* ---- the commands */

static enum outcome
take_look(struct view *view)
{
	enum outcome outcome = client_ask(
	    view->ctl->socket, view->question, on_line, NULL, &view->now);

	if (outcome != OUTCOME_OK)
		return outcome;
	put_in_order(&view->before, SORT_NONE);
	find_rates(&view->now, &view->before);
	put_in_order(&view->now, view->sort);
	return OUTCOME_OK;
}

static enum outcome
watch(struct view *view)
{
	for (;;) {
		enum outcome outcome = take_look(view);

		if (outcome != OUTCOME_OK)
			return outcome;
		(void)printf(CLEAR "%zu sessions\n\n", view->now.count);
		outcome = print_table(&view->now, WATCH_ROWS);
		if (outcome != OUTCOME_OK)
			return outcome;
		look_free(&view->before);
		view->before = view->now;
		view->now = (struct look){.seen = NULL};
		(void)sleep(WATCH_S);
	}
}

static enum outcome
show(struct view *view)
{
	enum outcome outcome;

	if (view->watches)
		return watch(view);
	outcome = take_look(view);
	if (outcome != OUTCOME_OK)
		return outcome;
	return view->ctl->wants_json ? print_document(&view->now)
				     : print_table(&view->now, SIZE_MAX);
}

static bool
read_sort(const char *text, enum sort *sort)
{
	static const char *const names[] = {
	    [SORT_AGE] = "age", [SORT_BYTES] = "bytes", [SORT_RATE] = "rate"};

	for (size_t i = SORT_AGE; i < ARRAY_COUNT(names); i++) {
		if (strcmp(text, names[i]) == 0) {
			*sort = (enum sort)i;
			return true;
		}
	}
	return false;
}

static bool
read_options(
    struct view *view, const struct option *options, int argc, char **argv)
{
	static const char *const names[] = {['s'] = "session",
	    ['u'] = "user",
	    ['r'] = "rule",
	    ['t'] = "target"};
	int option;

	while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		if (option == 'w')
			view->watches = true;
		else if (option == 'o' && !read_sort(optarg, &view->sort))
			return false;
		else if (option == '?')
			return false;
		else if (option != 'o')
			options_add(view->question, names[option], optarg);
	}
	return optind == argc && !(view->watches && view->ctl->wants_json);
}

static enum outcome
run(const struct ctl *ctl, const char *command, const struct option *options,
    int argc, char **argv)
{
	struct view view = {.ctl = ctl, .question = options_new()};
	enum outcome outcome = OUTCOME_USAGE;

	options_add(view.question, "command", command);
	if (read_options(&view, options, argc, argv))
		outcome = show(&view);
	options_free(view.question);
	look_free(&view.now);
	look_free(&view.before);
	return outcome;
}

#define FILTERS                                                                \
	{"session", required_argument, NULL, 's'},                             \
	    {"user", required_argument, NULL, 'u'},                            \
	    {"rule", required_argument, NULL, 'r'},                            \
	{                                                                      \
		"target", required_argument, NULL, 't'                         \
	}

enum outcome
sessions_run(const struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
	    FILTERS,
	    {"sort", required_argument, NULL, 'o'},
	    {"watch", no_argument, NULL, 'w'},
	    {NULL, 0, NULL, 0},
	};

	return run(ctl, "sessions", options, argc, argv);
}

enum outcome
kill_run(const struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
	    FILTERS,
	    {NULL, 0, NULL, 0},
	};

	return run(ctl, "kill", options, argc, argv);
}
