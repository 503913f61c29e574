/* SPDX-License-Identifier: ISC */
/* gatewardenctl's commands: one row each. */
#include "ctl/commands.h"

#include <stddef.h>
#include <unistd.h>

const struct ctl_command ctl_commands[] = {
    {"audit grep",
	"[--since time] [--until time] [--last number]\n"
	"           [--session number] [--spool folder] field=value ...",
	audit_grep_run},
    {"audit init", "[--spool folder] [--user name]", audit_init_run},
    {"audit show",
	"[--since time] [--until time] [--last number]\n"
	"           [--session number] [--spool folder]",
	audit_show_run},
    {"audit verify", "--key file [--last line | number] [--spool folder]",
	audit_verify_run},
    {"drain", "[--timeout seconds]", drain_run},
    {"doctor", "[-c file] [-L directory] [--program path]", doctor_run},
    {"explain",
	"user connect|bind|udp host:port [--from address]\n"
	"           [--listener name] [--method method] [--protection level]\n"
	"           [--at time] [--indicator word ...]",
	explain_run},
    {"kill",
	"[--session number] [--user user] [--rule rule]\n"
	"           [--target host[:port]]",
	kill_run},
    {"log-level", "[error|warning|info|debug]", log_level_run},
    {"policy lint", "[--ask] [--base dn | ldif]", policy_lint_run},
    {"policy list", "", policy_list_run},
    {"reload", "", reload_run},
    {"replay", "--rules ldif | --base dn file", replay_run},
    {"restart", "[--timeout seconds]", restart_run},
    {"sessions",
	"[--session number] [--user user] [--rule rule]\n"
	"           [--target host[:port]] [--sort age|bytes|rate] [--watch]",
	sessions_run},
    {"status", "", status_run},
    {NULL, NULL, NULL},
};

bool
commands_no_options(int argc, char **argv, int count)
{
	return getopt(argc, argv, "+") == -1 && argc - optind == count;
}
