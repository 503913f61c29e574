/* SPDX-License-Identifier: ISC */
/* gatewardenctl doctor: what `gatewarden --check` finds, gateway or none. */
#include "ctl/commands.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/must.h"
#include "ctl/document.h"

#define ARGUMENTS_MAX 8

extern char **environ;

struct doctor {
	const char *program, *settings,
	    *libexecdir; /* the latter may be NULL */
	bool wants_json;
	json_t *findings;
	json_t *last; /* borrowed; its remedy may follow */
};

static bool
read_options(struct doctor *doctor, int argc, char **argv)
{
	static const struct option options[] = {
	    {"program", required_argument, NULL, 'p'},
	    {NULL, 0, NULL, 0},
	};
	int option;

	while (
	    (option = getopt_long(argc, argv, "c:L:", options, NULL)) != -1) {
		if (option == 'c')
			doctor->settings = optarg;
		else if (option == 'L')
			doctor->libexecdir = optarg;
		else if (option == 'p')
			doctor->program = optarg;
		else
			return false;
	}
	return optind == argc;
}

/* Its standard error goes into the pipe.  0 or an errno. */
static int
start(const struct doctor *doctor, int pipe_fd, pid_t *pid)
{
	const char *arguments[ARGUMENTS_MAX] = {doctor->program, "--check"};
	size_t count = 2;
	posix_spawn_file_actions_t actions;
	int error;

	if (doctor->settings != NULL) {
		arguments[count++] = "-c";
		arguments[count++] = doctor->settings;
	}
	if (doctor->libexecdir != NULL) {
		arguments[count++] = "-L";
		arguments[count++] = doctor->libexecdir;
	}
	must(posix_spawn_file_actions_init(&actions) == 0);
	must(posix_spawn_file_actions_adddup2(
		 &actions, pipe_fd, STDERR_FILENO) == 0);
	must(posix_spawn_file_actions_addopen(
		 &actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0) == 0);
	error = posix_spawn(pid, doctor->program, &actions, NULL,
	    (char *const *)(uintptr_t)arguments, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	return error;
}

/* "place: sentence", or behind a tab "name: command" of the one before. */
static void
take_line(struct doctor *doctor, char *line)
{
	char *command = strstr(line, ": ");

	if (line[0] != '\t' || command == NULL || doctor->last == NULL) {
		doctor->last = json_pack("{s:o, s:n, s:n}", "sentence",
		    document_text(line), "name", "command");
		must(
		    doctor->last != NULL &&
		    json_array_append_new(doctor->findings, doctor->last) == 0);
		return;
	}
	*command = '\0';
	must(json_object_set_new(
		 doctor->last, "name", document_text(line + 1)) == 0);
	must(json_object_set_new(
		 doctor->last, "command", document_text(command + 2)) == 0);
}

static void
read_lines(struct doctor *doctor, FILE *in)
{
	char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, in) > 0) {
		line[strcspn(line, "\n")] = '\0';
		if (doctor->wants_json)
			take_line(doctor, line);
		else
			(void)printf("%s\n", line);
	}
	free(line);
}

static enum outcome
look(struct doctor *doctor)
{
	int ends[2], error, status = 0;
	pid_t pid;
	FILE *in;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return outcome_say(OUTCOME_LOCAL, "%s", strerror(errno));
	error = start(doctor, ends[1], &pid);
	(void)close(ends[1]);
	in = fdopen(ends[0], "r");
	must(in != NULL);
	if (error == 0) {
		read_lines(doctor, in);
		if (waitpid(pid, &status, 0) != pid)
			error = errno;
	}
	(void)fclose(in);
	if (error != 0)
		return outcome_say(
		    OUTCOME_LOCAL, "%s: %s", doctor->program, strerror(error));
	return status == 0 ? OUTCOME_OK : OUTCOME_FOUND;
}

enum outcome
doctor_run(const struct ctl *ctl, int argc, char **argv)
{
	struct doctor doctor = {
	    .program = SBINDIR "/gatewarden", .wants_json = ctl->wants_json};
	enum outcome outcome, printed = OUTCOME_OK;

	if (!read_options(&doctor, argc, argv))
		return OUTCOME_USAGE;
	doctor.findings = json_array();
	must(doctor.findings != NULL);
	outcome = look(&doctor);
	if (doctor.wants_json && outcome != OUTCOME_LOCAL)
		printed = document_print(
		    json_pack("{s:O}", "findings", doctor.findings));
	json_decref(doctor.findings);
	return printed != OUTCOME_OK ? printed : outcome;
}
