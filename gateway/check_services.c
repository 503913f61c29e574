/* SPDX-License-Identifier: ISC */
/* What `gatewarden --check` has looked at by programs of its own. */
#include "gateway/check_services.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/check_frame.h"
#include "base/findings.h"
#include "base/must.h"
#include "base/options.h"
#include "base/role.h"
#include "base/sandbox.h"
#include "base/secret.h"
#include "gateway/child.h"
#include "gateway/helper_options.h"
#include "gateway/plan.h"
#include "gateway/programs.h"
#include "gateway/settings.h"
#include "gateway/spawn.h"

#define WHY_SIZE 512

struct services_check {
	const struct settings *settings;
	const char *settings_path;
	const char *libexecdir;
	struct findings *findings;
};

static void
not_looked(
    const struct services_check *check, const char *path, const char *why)
{
	findings_add(check->findings, FINDING_PROGRAM,
	    &(struct finding_place){check->settings_path, path, NULL},
	    "the program %s: %s", path, why);
}

static void
take_status(const struct services_check *check, const char *path, int status)
{
	if (!WIFEXITED(status)) {
		not_looked(check, path, "it was ended");
		return;
	}
	switch (WEXITSTATUS(status)) {
	case EXIT_SUCCESS:
		break;
	case EX_UNAVAILABLE:
		check->findings->of_host++;
		break;
	case EX_CONFIG:
		check->findings->of_settings++;
		break;
	default:
		not_looked(check, path, "it failed");
	}
}

/* The program of that name, with the user and the settings of a role. */
static void
run(const struct services_check *check, const char *name, enum role role,
    const struct secret *secret)
{
	struct options *options;
	char path[WHY_SIZE];
	struct child_spec spec = {
	    .path = path, .krb5_config = check->settings->krb5_config};
	int orders, status;
	pid_t pid;

	/* That there is no such user was found before. */
	if (geteuid() == 0 &&
	    sandbox_user_find(
		programs_user(role, check->settings), &spec.user) < 0)
		return;
	options = options_new();
	(void)snprintf(
	    path, sizeof(path), "%s/gatewarden-%s", check->libexecdir, name);
	helper_options_add(options, role, check->settings);
	options_add(options, CHECK_PLACE, check->settings_path);
	orders = check_frame_orders(options, secret);
	options_free(options);
	if (orders < 0)
		die("orders for %s: %s", path, strerror(errno));
	(void)fflush(check->findings->out);
	pid = spawn_program(&spec, orders);
	(void)close(orders);
	if (pid < 0)
		not_looked(check, path, strerror(-pid));
	else if (waitpid(pid, &status, 0) == pid)
		take_status(check, path, status);
}

/* A password that cannot be read was found before. */
static void
check_directory(const struct services_check *check)
{
	char why[WHY_SIZE];
	struct secret *password = NULL;
	int fd = -1;

	if (check->settings->directory_uri.count == 0)
		return;
	if (check->settings->password_file[0] != '\0') {
		fd = plan_open_password(check->settings, why, sizeof(why));
		if (fd < 0)
			return;
		password = secret_read(fd);
		(void)close(fd);
	}
	run(check, "directory-check", ROLE_DIRECTORY_WATCH, password);
	secret_free(password);
}

void
check_services(const struct settings *settings, const char *settings_path,
    const char *libexecdir, struct findings *findings)
{
	const struct services_check check = {
	    settings, settings_path, libexecdir, findings};

	run(&check, "kerberos-check", ROLE_AUTHENTICATOR, NULL);
	check_directory(&check);
}
