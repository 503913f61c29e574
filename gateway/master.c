/* SPDX-License-Identifier: ISC */
/*
 * gatewarden, the master: reads the command line and the settings, then
 * keeps the house (gateway/house.h).  It parses no byte from a client.
 */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/log.h"
#include "base/must.h"
#include "gateway/check.h"
#include "gateway/house.h"
#include "gateway/policy_check.h"
#include "gateway/settings.h"

#include "config.h"

#define DEFAULT_PATH SYSCONFDIR "/gatewarden/gatewarden.conf"

enum action {
	ACTION_RUN,
	ACTION_CHECK,
	ACTION_CHECK_POLICY,
	ACTION_PRINT,
	ACTION_VERSION
};

struct invocation {
	enum action action;
	const char *settings_path;
	const char *libexecdir;
	const char *ldif; /* NULL: none */
	char **argv;
};

static const char usage[] =
    "usage: gatewarden [-f] [-c file] [-L directory]\n"
    "       gatewarden --check [-c file] [-L directory]\n"
    "       gatewarden --check-policy [-c file] [-L directory] [LDIF]\n"
    "       gatewarden --print-config [-c file]\n"
    "       gatewarden --version\n";

static const struct option long_options[] = {
    {"check", no_argument, NULL, 'C'},
    {"check-policy", no_argument, NULL, 'R'},
    {"print-config", no_argument, NULL, 'P'},
    {"version", no_argument, NULL, 'V'},
    {NULL, 0, NULL, 0},
};

_Noreturn static void
explain_usage(void)
{
	(void)fputs(usage, stderr);
	exit(EX_USAGE);
}

static void
take_option(struct invocation *invocation, int option)
{
	switch (option) {
	case 'c':
		invocation->settings_path = optarg;
		break;
	case 'L':
		invocation->libexecdir = optarg;
		break;
	case 'f': /* it always stays in the foreground */
		break;
	case 'C':
		invocation->action = ACTION_CHECK;
		break;
	case 'R':
		invocation->action = ACTION_CHECK_POLICY;
		break;
	case 'P':
		invocation->action = ACTION_PRINT;
		break;
	case 'V':
		invocation->action = ACTION_VERSION;
		break;
	default:
		explain_usage();
	}
}

static struct invocation
read_invocation(int argc, char **argv)
{
	struct invocation invocation = {
	    .action = ACTION_RUN,
	    .settings_path = DEFAULT_PATH,
	    .libexecdir = LIBEXECDIR,
	    .argv = argv,
	};
	int option;

	while ((option = getopt_long(
		    argc, argv, "c:fL:", long_options, NULL)) != -1)
		take_option(&invocation, option);
	if (invocation.action == ACTION_CHECK_POLICY && optind < argc)
		invocation.ldif = argv[optind++];
	if (optind != argc)
		explain_usage();
	return invocation;
}

/* Descriptors of secrets pass through us. */
static void
give_up_core_dumps(void)
{
	const struct rlimit none = {0, 0};

	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ||
	    setrlimit(RLIMIT_CORE, &none) < 0)
		die("cannot give up core dumps: %s", strerror(errno));
}

static int
check(const struct settings *settings, const struct invocation *invocation)
{
	int status = check_surroundings(settings, invocation->settings_path,
	    invocation->libexecdir, stderr);

	if (status == EXIT_SUCCESS)
		(void)printf("%s is good\n", invocation->settings_path);
	return status;
}

static int
run(struct settings *settings, const struct invocation *invocation)
{
	const struct house_spec spec = {
	    .settings_path = invocation->settings_path,
	    .settings = settings_ref(settings),
	    .libexecdir = invocation->libexecdir,
	};

	int status;

	give_up_core_dumps();
	(void)umask(077);
	status = house_run(&spec);
	if (status != HOUSE_RETURNS)
		return status;
	/* Perhaps a newer one: as it was found when we were started. */
	(void)execvp(invocation->argv[0], invocation->argv);
	log_error(NULL, "%s cannot be executed: %s", invocation->argv[0],
	    strerror(errno));
	return EX_OSERR;
}

static int
act(const struct invocation *invocation, struct settings *settings)
{
	switch (invocation->action) {
	case ACTION_CHECK:
		return check(settings, invocation);
	case ACTION_CHECK_POLICY:
		give_up_core_dumps();
		return policy_check(settings, invocation->libexecdir,
		    invocation->ldif, stdout, stderr);
	case ACTION_PRINT:
		settings_print(settings, stdout);
		return EXIT_SUCCESS;
	case ACTION_RUN:
		return run(settings, invocation);
	case ACTION_VERSION:
		break;
	}
	(void)puts("gatewarden " PACKAGE_VERSION);
	return EXIT_SUCCESS;
}

int
main(int argc, char **argv)
{
	const struct invocation invocation = read_invocation(argc, argv);
	struct settings *settings;
	int status;

	log_init("gatewarden", LOG_LEVEL_INFO);
	if (invocation.action == ACTION_VERSION)
		return act(&invocation, NULL);
	if (invocation.action == ACTION_CHECK) {
		status = check_settings_file(invocation.settings_path, stderr);
		if (status != EXIT_SUCCESS)
			return status;
	}
	settings = settings_load(invocation.settings_path, stderr);
	if (settings == NULL)
		return EX_CONFIG;
	status = act(&invocation, settings);
	settings_unref(settings);
	return status;
}
