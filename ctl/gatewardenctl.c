/* SPDX-License-Identifier: ISC */
/*
 * gatewardenctl: what an administrator asks a running gateway.
 *
 * Reads its own options and finds the command; see ctl/commands.h.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/client.h"
#include "ctl/commands.h"

#include "config.h"

static enum outcome
explain_usage(void)
{
	(void)fputs("usage: gatewardenctl [--socket path] [--json] command\n"
		    "       gatewardenctl --version\n"
		    "commands:\n",
	    stderr);
	for (const struct ctl_command *row = ctl_commands; row->words != NULL;
	     row++)
		(void)fprintf(stderr, "       %s%s%s\n", row->words,
		    row->usage[0] != '\0' ? " " : "", row->usage);
	return OUTCOME_USAGE;
}

/* How many of the arguments are the command's words; 0: they are not. */
static int
count_words(const char *words, int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		size_t len = strlen(argv[i]);

		if (len == 0 || strncmp(words, argv[i], len) != 0)
			return 0;
		if (words[len] == '\0')
			return i + 1;
		if (words[len] != ' ')
			return 0;
		words += len + 1;
	}
	return 0;
}

static enum outcome
run_command(const struct ctl *ctl, int argc, char **argv)
{
	for (const struct ctl_command *row = ctl_commands; row->words != NULL;
	     row++) {
		int words = count_words(row->words, argc, argv);

		if (words == 0)
			continue;
		/* A command reads its options from where it begins: 0 makes
		 * glibc forget how we have read ours. */
		optind = 0;
		return row->run(ctl, argc - (words - 1), argv + (words - 1));
	}
	return OUTCOME_USAGE;
}

/* People write --json anywhere: takes it out.  Returns how many arguments are
 * left. */
static int
take_json(int argc, char **argv, bool *wants_json)
{
	bool is_over = false; /* behind "--" nothing is an option */
	int left = 0;

	for (int i = 0; i < argc; i++) {
		is_over |= strcmp(argv[i], "--") == 0;
		if (!is_over && strcmp(argv[i], "--json") == 0)
			*wants_json = true;
		else
			argv[left++] = argv[i];
	}
	argv[left] = NULL;
	return left;
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
	    {"socket", required_argument, NULL, 's'},
	    {"version", no_argument, NULL, 'V'},
	    {NULL, 0, NULL, 0},
	};
	struct ctl ctl = {.socket = getenv("GATEWARDEN_CONTROL")};
	enum outcome outcome = OUTCOME_USAGE;
	int option;

	argc = take_json(argc, argv, &ctl.wants_json);
	while ((option = getopt_long(argc, argv, "+s:", options, NULL)) != -1) {
		if (option == 'V') {
			(void)puts("gatewardenctl " PACKAGE_VERSION);
			return EXIT_SUCCESS;
		}
		if (option == 's')
			ctl.socket = optarg;
		else
			return (int)explain_usage();
	}
	if (ctl.socket == NULL)
		ctl.socket = CLIENT_SOCKET;
	if (optind < argc)
		outcome = run_command(&ctl, argc - optind, argv + optind);
	if (outcome == OUTCOME_USAGE)
		return (int)explain_usage();
	return (int)outcome;
}
