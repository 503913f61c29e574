/* SPDX-License-Identifier: ISC */
/* gatewardenctl reload, drain, restart and log-level: what the whole house is
 * told to do.
 */
#include "ctl/commands.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/ctl_protocol.h"
#include "ctl/client.h"
#include "ctl/document.h"

struct telling {
	bool wants_json;
	bool is_answered;
	bool is_done;
};

static const struct document_field outcome_fields[] = {
    {"done", DOCUMENT_BOOL},
    {"sentence", DOCUMENT_TEXT},
    {NULL, DOCUMENT_TEXT},
};

static enum outcome
on_line(void *arg, const struct options *line)
{
	struct telling *telling = arg;
	const char *sentence = options_get(line, "sentence", "");

	if (strcmp(options_get(line, "kind", ""), "outcome") != 0)
		return outcome_say(OUTCOME_PROTOCOL,
		    "the gateway's answer is of no known kind");
	telling->is_answered = true;
	telling->is_done = ctl_is_yes(line, "done");
	if (telling->wants_json)
		return document_print(document_object(line, outcome_fields));
	if (!telling->is_done)
		return outcome_say(OUTCOME_DATA, "refused: %s", sentence);
	(void)printf("%s\n", sentence);
	return OUTCOME_OK;
}

static enum outcome
tell(const struct ctl *ctl, const struct options *question)
{
	struct telling telling = {.wants_json = ctl->wants_json};
	enum outcome outcome =
	    client_ask(ctl->socket, question, on_line, NULL, &telling);

	if (outcome == OUTCOME_OK && !telling.is_answered)
		return outcome_say(
		    OUTCOME_PROTOCOL, "the gateway has not said the outcome");
	if (outcome == OUTCOME_OK && !telling.is_done)
		return OUTCOME_DATA;
	return outcome;
}

enum outcome
reload_run(const struct ctl *ctl, int argc, char **argv)
{
	struct options *question;
	enum outcome outcome;

	if (!commands_no_options(argc, argv, 0))
		return OUTCOME_USAGE;
	question = options_new();
	options_add(question, "command", "reload");
	outcome = tell(ctl, question);
	options_free(question);
	return outcome;
}

/* drain and restart: how long sessions may go on. */
static enum outcome
end_run(const struct ctl *ctl, const char *command, int argc, char **argv)
{
	static const struct option options[] = {
	    {"timeout", required_argument, NULL, 't'},
	    {NULL, 0, NULL, 0},
	};
	struct options *question = options_new();
	enum outcome outcome = OUTCOME_USAGE;
	int option;

	options_add(question, "command", command);
	while ((option = getopt_long(argc, argv, "+", options, NULL)) == 't')
		options_add(question, "seconds", optarg);
	if (option == -1 && optind == argc)
		outcome = tell(ctl, question);
	options_free(question);
	return outcome;
}

enum outcome
drain_run(const struct ctl *ctl, int argc, char **argv)
{
	return end_run(ctl, "drain", argc, argv);
}

enum outcome
restart_run(const struct ctl *ctl, int argc, char **argv)
{
	return end_run(ctl, "restart", argc, argv);
}

enum outcome
log_level_run(const struct ctl *ctl, int argc, char **argv)
{
	struct options *question = options_new();
	enum outcome outcome = OUTCOME_USAGE;

	if (commands_no_options(argc, argv, 0)) {
		options_add(question, "command", "log-level");
		outcome = tell(ctl, question);
	} else if (argc - optind == 1) {
		options_add(question, "command", "set-log-level");
		options_add(question, "level", argv[optind]);
		outcome = tell(ctl, question);
	}
	options_free(question);
	return outcome;
}
