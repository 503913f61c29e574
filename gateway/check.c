/* SPDX-License-Identifier: ISC */
/* What `gatewarden --check` looks at besides the settings file itself. */
#include "gateway/check.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sandbox.h"
#include "gateway/programs.h"
#include "gateway/settings.h"

struct check {
	const struct settings *settings;
	const char *settings_path;
	FILE *errors;
	bool was_good;
};

static void
    printf_like(2, 3) complain(struct check *check, const char *format, ...)
{
	va_list args;

	(void)fprintf(check->errors, "%s: ", check->settings_path);
	va_start(args, format);
	(void)vfprintf(check->errors, format, args);
	va_end(args);
	(void)fputc('\n', check->errors);
	check->was_good = false;
}

static void
check_programs(struct check *check, const char *libexecdir)
{
	for (enum role role = ROLE_GATEWAY; role < ROLE_COUNT; role++) {
		char *path = programs_path(role, libexecdir);

		if (programs_count(role, check->settings) > 0 &&
		    access(path, X_OK) < 0)
			complain(
			    check, "the program %s: %s", path, strerror(errno));
		free(path);
	}
}

static void
check_users(struct check *check)
{
	struct sandbox_user user;

	for (enum role role = ROLE_GATEWAY; role < ROLE_COUNT; role++) {
		const char *name = programs_user(role, check->settings);

		if (sandbox_user_find(name, &user) < 0)
			complain(check, "users: there is no user %s for the %s",
			    name, role_name(role));
	}
}

/* The files that settings name; `owner` is the role whose user reads it
 * (ROLE_MASTER: the master opens it). */
struct named_file {
	const char *setting;
	const char *path; /* "" if the setting is not used */
	enum role owner;
	bool is_secret;
};

static bool
is_secret_kept(const struct stat *status)
{
	return (status->st_mode & (S_IWGRP | S_IRWXO)) == 0;
}

/* Root can read everything: what counts is who will be reading. */
static bool
may_owner_read(const struct check *check, const struct named_file *file,
    const struct stat *status)
{
	struct sandbox_user user;

	if (geteuid() != 0)
		return access(file->path, R_OK) == 0;
	if (file->owner == ROLE_MASTER ||
	    sandbox_user_find(
		programs_user(file->owner, check->settings), &user) < 0 ||
	    user.uid == 0)
		return true;
	if (status->st_uid == user.uid)
		return (status->st_mode & S_IRUSR) != 0;
	if (status->st_gid == user.gid)
		return (status->st_mode & S_IRGRP) != 0;
	return (status->st_mode & S_IROTH) != 0;
}

static void
check_file(struct check *check, const struct named_file *file)
{
	struct stat status;

	if (file->path[0] == '\0')
		return;
	if (stat(file->path, &status) < 0)
		complain(check, "%s: %s: %s", file->setting, file->path,
		    strerror(errno));
	else if (!S_ISREG(status.st_mode))
		complain(
		    check, "%s: %s is not a file", file->setting, file->path);
	else if (file->is_secret && !is_secret_kept(&status))
		complain(check,
		    "%s: %s has mode %04o; nobody else may read or write it "
		    "(0400, 0600, 0440 or 0640)",
		    file->setting, file->path,
		    (unsigned)(status.st_mode & 07777));
	else if (!may_owner_read(check, file, &status))
		complain(check, "%s: %s cannot be read by its program",
		    file->setting, file->path);
}

static void
check_files(struct check *check)
{
	const struct settings *settings = check->settings;
	const struct named_file files[] = {
	    {"kerberos.keytab", settings->keytab, ROLE_AUTHENTICATOR, true},
	    {"kerberos.config", settings->krb5_config, ROLE_AUTHENTICATOR,
		false},
	    {"policy.file", settings->policy_file, ROLE_DIRECTORY_WATCH, false},
	    {"directory.ca_file", settings->ca_file, ROLE_DIRECTORY_WATCH,
		false},
	    {"directory.password_file", settings->password_file, ROLE_MASTER,
		true},
	    {"directory.client_keytab", settings->client_keytab,
		ROLE_DIRECTORY_WATCH, true},
	};

	for (size_t i = 0; i < ARRAY_COUNT(files); i++)
		check_file(check, &files[i]);
}

bool
check_surroundings(const struct settings *settings, const char *settings_path,
    const char *libexecdir, FILE *errors)
{
	struct check check = {
	    .settings = settings,
	    .settings_path = settings_path,
	    .errors = errors,
	    .was_good = true,
	};

	check_programs(&check, libexecdir);
	if (geteuid() == 0)
		check_users(&check);
	check_files(&check);
	return check.was_good;
}
