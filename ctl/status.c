/* SPDX-License-Identifier: ISC */
/* gatewardenctl status: how the gateway and its surroundings are. */
#include "ctl/commands.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/ctl_protocol.h"
#include "base/must.h"
#include "base/text.h"
#include "ctl/client.h"
#include "ctl/document.h"

#define SENTENCE_SIZE 256
#define MIB	      (1024 * 1024)
/* A program that has been asked for its pulse for so long is stuck. */
#define SILENT_MS 10000

struct look {
	bool wants_json;
	json_t *document;
	unsigned troubles;
	bool has_policy;
};

static const struct document_field gateway_fields[] = {
    {"version", DOCUMENT_TEXT},
    {"up_s", DOCUMENT_NUMBER},
    {"sessions", DOCUMENT_NUMBER},
    {"unproved", DOCUMENT_NUMBER},
    {"sessions_max", DOCUMENT_NUMBER},
    {NULL, DOCUMENT_TEXT},
};
static const struct document_field directory_fields[] = {
    {"configured", DOCUMENT_BOOL},
    {"up", DOCUMENT_BOOL},
    {NULL, DOCUMENT_TEXT},
};
static const struct document_field health_fields[] = {
    {"asked", DOCUMENT_BOOL},
    {"up", DOCUMENT_BOOL},
    {"failures", DOCUMENT_NUMBER},
    {"answered_s", DOCUMENT_NUMBER},
    {NULL, DOCUMENT_TEXT},
};
static const struct document_field loop_fields[] = {
    {"worker", DOCUMENT_NUMBER},
    {"late_us", DOCUMENT_NUMBER},
    {NULL, DOCUMENT_TEXT},
};
static const struct document_field counter_fields[] = {
    {"name", DOCUMENT_TEXT},
    {"value", DOCUMENT_NUMBER},
    {NULL, DOCUMENT_TEXT},
};
static const struct document_field program_fields[] = {
    {"program", DOCUMENT_TEXT},
    {"index", DOCUMENT_NUMBER},
    {"starts", DOCUMENT_NUMBER},
    {"pid", DOCUMENT_NUMBER},
    {"up_s", DOCUMENT_NUMBER},
    {"generation", DOCUMENT_NUMBER},
    {"silence_ms", DOCUMENT_NUMBER},
    {"failing", DOCUMENT_BOOL},
    {"receiver", DOCUMENT_BOOL},
    {"spool_octets", DOCUMENT_NUMBER},
    {"spool_max", DOCUMENT_NUMBER},
    {"record", DOCUMENT_NUMBER},
    {"waiting", DOCUMENT_NUMBER},
    {NULL, DOCUMENT_TEXT},
};
static const struct document_kind kinds[] = {
    {"gateway", "gateway", false, gateway_fields},
    {"policy", "policy", false, document_policy_fields},
    {"directory", "directory", false, directory_fields},
    {"resolver", "resolver", false, health_fields},
    {"pam", "pam", false, health_fields},
    {"loop", "loops", true, loop_fields},
    {"counter", "counters", true, counter_fields},
    {"program", "programs", true, program_fields},
    {NULL, NULL, false, NULL},
};

/* ---- texts */

static const char *
print_time(uint64_t s, char text[SENTENCE_SIZE])
{
	if (s < 120)
		(void)snprintf(text, SENTENCE_SIZE, "%" PRIu64 " s", s);
	else if (s < 7200)
		(void)snprintf(text, SENTENCE_SIZE, "%" PRIu64 " min", s / 60);
	else if (s < 172800)
		(void)snprintf(text, SENTENCE_SIZE, "%" PRIu64 " h", s / 3600);
	else
		(void)snprintf(
		    text, SENTENCE_SIZE, "%" PRIu64 " days", s / 86400);
	return text;
}

/* A line for people; one about trouble is marked, and counted. */
static void printf_like(4, 5) say(struct look *look, bool is_trouble,
    const char *what, const char *format, ...)
{
	char sentence[SENTENCE_SIZE * 4];
	char quoted[TEXT_QUOTED_SIZE(sizeof(sentence))];
	va_list args;

	look->troubles += is_trouble;
	if (look->wants_json)
		return;
	va_start(args, format);
	(void)vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	(void)text_quote(quoted, sizeof(quoted), sentence, strlen(sentence));
	(void)printf("%c %-20s %s\n", is_trouble ? '!' : ' ', what, quoted);
}

/* ---- lines */

static void
say_gateway(struct look *look, const struct options *line)
{
	char up[SENTENCE_SIZE];

	say(look, false, "gateway",
	    "version %s, up %s, %s sessions of %s (%s not proved yet)",
	    options_get(line, "version", "?"),
	    print_time(ctl_number(line, "up_s"), up),
	    options_get(line, "sessions", "?"),
	    options_get(line, "sessions_max", "?"),
	    options_get(line, "unproved", "?"));
}

static void
say_policy(struct look *look, const struct options *line)
{
	uint64_t now = (uint64_t)time(NULL);
	uint64_t confirmed = ctl_number(line, "confirmed");
	bool is_expired = ctl_is_yes(line, "expired");
	bool is_stale = ctl_is_yes(line, "stale");
	char ago[SENTENCE_SIZE];

	look->has_policy = true;
	say(look, is_expired || is_stale, "policy",
	    "generation %s, %s rules, confirmed %s ago%s",
	    options_get(line, "generation", "?"),
	    options_get(line, "count", "?"),
	    print_time(now > confirmed ? now - confirmed : 0, ago),
	    is_expired ? ": too old, everything is denied"
	    : is_stale ? ": stale"
		       : "");
}

static void
say_directory(struct look *look, const struct options *line)
{
	const char *uri;
	bool is_up = ctl_is_yes(line, "up");

	if (!ctl_is_yes(line, "configured"))
		return;
	for (size_t i = 0; (uri = options_get_nth(line, "uri", i)) != NULL; i++)
		say(look, !is_up && i == 0, "directory", "%s%s", uri,
		    i > 0   ? ""
		    : is_up ? ", answers"
			    : ", does not answer");
}

/* What sessions have met: nobody asks for our sake. */
static void
say_health(struct look *look, const struct options *line)
{
	const char *kind = options_get(line, "kind", "");
	bool is_up = ctl_is_yes(line, "up");
	bool has_answered = options_get(line, "answered_s", NULL) != NULL;
	char ago[SENTENCE_SIZE];

	if (!ctl_is_yes(line, "asked"))
		return;
	(void)print_time(ctl_number(line, "answered_s"), ago);
	say(look, !is_up, kind, "%s%s%s; %s questions without an answer since",
	    has_answered ? "answered " : "has not answered",
	    has_answered ? ago : "", has_answered ? " ago" : "",
	    options_get(line, "failures", "?"));
}

static void
say_loop(struct look *look, const struct options *line)
{
	char what[SENTENCE_SIZE];
	uint64_t late_us = ctl_number(line, "late_us");

	(void)snprintf(
	    what, sizeof(what), "worker %s", options_get(line, "worker", "?"));
	say(look, false, what,
	    "its loop was late by %" PRIu64 ".%" PRIu64
	    " ms at most, in two minutes",
	    late_us / 1000, late_us / 100 % 10);
}

static void
say_auditor(struct look *look, const struct options *line)
{
	bool is_failing = ctl_is_yes(line, "failing");
	bool is_refused = !ctl_is_yes(line, "receiver");

	if (options_get(line, "spool_octets", NULL) == NULL)
		return;
	say(look, is_failing || is_refused, "  spool",
	    "%" PRIu64 " of %" PRIu64 " MiB, record %s, %s wait for the "
	    "receiver%s",
	    ctl_number(line, "spool_octets") / MIB,
	    ctl_number(line, "spool_max") / MIB,
	    options_get(line, "record", "?"), options_get(line, "waiting", "?"),
	    is_failing	 ? ": nothing can be written"
	    : is_refused ? ", which does not take them"
			 : "");
}

static void
say_keys(struct look *look, const struct options *line)
{
	const char *key;

	if (strcmp(options_get(line, "index", ""), "0") != 0)
		return; /* the others have the same */
	for (size_t i = 0; (key = options_get_nth(line, "key", i)) != NULL; i++)
		say(look, false, "  key", "%s", key);
}

static void
say_program(struct look *look, const struct options *line)
{
	char what[SENTENCE_SIZE], up[SENTENCE_SIZE];
	bool is_up = options_get(line, "pid", NULL) != NULL;
	bool is_silent = ctl_number(line, "silence_ms") > SILENT_MS;

	(void)snprintf(what, sizeof(what), "%s %s",
	    options_get(line, "program", "?"), options_get(line, "index", "?"));
	if (is_up)
		say(look, is_silent, what, "pid %s, up %s, %s%s",
		    options_get(line, "pid", "?"),
		    print_time(ctl_number(line, "up_s"), up),
		    ctl_number(line, "starts") == 1 ? "started once"
						    : "started again",
		    is_silent ? "; it does not answer" : "");
	else
		say(look, true, what, "is not running");
	say_auditor(look, line);
	say_keys(look, line);
}

/* Lists within a line, which a table of fields does not have. */
static void
add_lists(struct look *look, const struct options *line, const char *member,
    const char *name)
{
	json_t *programs = json_object_get(look->document, "programs");
	json_t *texts = json_array();
	const char *text;
	json_t *of =
	    strcmp(name, "uri") == 0
		? json_object_get(look->document, "directory")
		: json_array_get(programs, json_array_size(programs) - 1);

	for (size_t i = 0; (text = options_get_nth(line, name, i)) != NULL; i++)
		must(json_array_append_new(texts, document_text(text)) == 0);
	if (json_array_size(texts) > 0)
		must(json_object_set(of, member, texts) == 0);
	json_decref(texts);
}

static enum outcome
on_line(void *arg, const struct options *line)
{
	static const struct {
		const char *kind;
		void (*say)(struct look *look, const struct options *line);
	} sayers[] = {
	    {"gateway", say_gateway},
	    {"policy", say_policy},
	    {"directory", say_directory},
	    {"resolver", say_health},
	    {"pam", say_health},
	    {"loop", say_loop},
	    {"program", say_program},
	};
	const char *kind = options_get(line, "kind", "");
	struct look *look = arg;

	document_add(look->document, kinds, line);
	if (strcmp(kind, "program") == 0)
		add_lists(look, line, "keys", "key");
	if (strcmp(kind, "directory") == 0)
		add_lists(look, line, "uris", "uri");
	for (size_t i = 0; i < ARRAY_COUNT(sayers); i++)
		if (strcmp(kind, sayers[i].kind) == 0)
			sayers[i].say(look, line);
	return OUTCOME_OK;
}

static enum outcome
finish(struct look *look)
{
	enum outcome outcome = OUTCOME_OK;

	if (!look->has_policy)
		say(look, true, "policy", "no rules are in force");
	if (look->wants_json)
		outcome = document_print(json_incref(look->document));
	if (outcome == OUTCOME_OK && look->troubles > 0)
		outcome = OUTCOME_FOUND;
	return outcome;
}

enum outcome
status_run(const struct ctl *ctl, int argc, char **argv)
{
	struct look look = {.wants_json = ctl->wants_json};
	struct options *question;
	enum outcome outcome;

	if (!commands_no_options(argc, argv, 0))
		return OUTCOME_USAGE;
	look.document = document_new(kinds);
	question = options_new();
	options_add(question, "command", "status");
	outcome = client_ask(ctl->socket, question, on_line, NULL, &look);
	if (outcome == OUTCOME_OK)
		outcome = finish(&look);
	options_free(question);
	json_decref(look.document);
	return outcome;
}
