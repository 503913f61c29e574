/* SPDX-License-Identifier: ISC */
/*
 * gatewardenctl's commands: one row each, one file each.
 *
 * A new one is a `run` function in ctl/WORDS.c, declared here, a row in
 * ctl/commands.c, and its part of man/gatewardenctl.1.  What it asks the
 * gateway is answered there by gateway/control_NAME.c.
 */
#ifndef CTL_COMMANDS_H
#define CTL_COMMANDS_H

#include <stdbool.h>

#include "base/compiler.h"
#include "ctl/outcome.h"

/* What stands before the command. */
struct ctl {
	const char *socket; /* the path of the control socket */
	bool wants_json;    /* one document instead of text */
};

struct ctl_command {
	const char *words; /* one or two, with a space between */
	const char *usage; /* what may stand behind them */
	/* argv[0] is the last of the words; getopt_long may be used as it
	 * is.  OUTCOME_USAGE without a sentence: main prints the usage. */
	enum outcome (*run)(const struct ctl *ctl, int argc, char **argv);
};

/* Ends with a row without words. */
extern const struct ctl_command ctl_commands[];

/* Takes no option and `count` arguments?  For `run`, which may have none. */
bool commands_no_options(int argc, char **argv, int count) must_check;

enum outcome
audit_grep_run(const struct ctl *ctl, int argc, char **argv) must_check;
enum outcome
audit_init_run(const struct ctl *ctl, int argc, char **argv) must_check;
enum outcome
audit_show_run(const struct ctl *ctl, int argc, char **argv) must_check;
enum outcome
audit_verify_run(const struct ctl *ctl, int argc, char **argv) must_check;
enum outcome kill_run(const struct ctl *ctl, int argc, char **argv) must_check;
enum outcome
sessions_run(const struct ctl *ctl, int argc, char **argv) must_check;
enum outcome
status_run(const struct ctl *ctl, int argc, char **argv) must_check;
enum outcome
log_level_run(const struct ctl *ctl, int argc, char **argv) must_check;
enum outcome drain_run(const struct ctl *ctl, int argc, char **argv) must_check;
enum outcome
restart_run(const struct ctl *ctl, int argc, char **argv) must_check;
enum outcome
doctor_run(const struct ctl *ctl, int argc, char **argv) must_check;
enum outcome
explain_run(const struct ctl *ctl, int argc, char **argv) must_check;
enum outcome
policy_lint_run(const struct ctl *ctl, int argc, char **argv) must_check;
enum outcome
policy_list_run(const struct ctl *ctl, int argc, char **argv) must_check;
enum outcome
reload_run(const struct ctl *ctl, int argc, char **argv) must_check;
enum outcome
replay_run(const struct ctl *ctl, int argc, char **argv) must_check;

#endif
