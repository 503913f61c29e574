/* SPDX-License-Identifier: ISC */
/* What `gatewarden --check` looks at besides the settings file itself. */
#include "gateway/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/pam_service.h"
#include "base/sandbox.h"
#include "base/secret.h"
#include "gateway/control_socket.h"
#include "gateway/papers.h"
#include "gateway/programs.h"
#include "gateway/settings.h"
#include "gateway/tls_listeners.h"

#define WHY_SIZE 512

struct check {
	const struct settings *settings;
	const char *settings_path;
	FILE *errors;
	bool was_good;
};

static void printf_like(3, 0) complain_va(
    struct check *check, const char *place, const char *format, va_list args)
{
	(void)fprintf(check->errors, "%s: ", place);
	(void)vfprintf(check->errors, format, args);
	(void)fputc('\n', check->errors);
	check->was_good = false;
}

static void
    printf_like(2, 3) complain(struct check *check, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	complain_va(check, check->settings_path, format, args);
	va_end(args);
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
	const char *place; /* file:line of the setting; NULL: not known */
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

static void printf_like(3, 4) complain_of(
    struct check *check, const struct named_file *file, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	complain_va(check,
	    file->place != NULL ? file->place : check->settings_path, format,
	    args);
	va_end(args);
}

static void
check_file(struct check *check, const struct named_file *file)
{
	struct stat status;

	if (file->path[0] == '\0')
		return;
	if (stat(file->path, &status) < 0)
		complain_of(check, file, "%s: %s: %s", file->setting,
		    file->path, strerror(errno));
	else if (!S_ISREG(status.st_mode))
		complain_of(check, file, "%s: %s is not a file", file->setting,
		    file->path);
	else if (file->is_secret && !is_secret_kept(&status))
		complain_of(check, file,
		    "%s: %s has mode %04o; nobody else may read or write it "
		    "(0400, 0600, 0440 or 0640)",
		    file->setting, file->path,
		    (unsigned)(status.st_mode & 07777));
	else if (!may_owner_read(check, file, &status))
		complain_of(check, file, "%s: %s cannot be read by its program",
		    file->setting, file->path);
}

static void
check_files(struct check *check)
{
	const struct settings *settings = check->settings;
	const struct named_file files[] = {
	    {"kerberos.keytab", settings->keytab, ROLE_AUTHENTICATOR, true,
		NULL},
	    {"kerberos.config", settings->krb5_config, ROLE_AUTHENTICATOR,
		false, NULL},
	    {"policy.file", settings->policy_file, ROLE_DIRECTORY_WATCH, false,
		NULL},
	    {"directory.ca_file", settings->ca_file, ROLE_DIRECTORY_WATCH,
		false, NULL},
	    {"directory.password_file", settings->password_file, ROLE_MASTER,
		true, NULL},
	    {"directory.client_keytab", settings->client_keytab,
		ROLE_DIRECTORY_WATCH, true, NULL},
	};

	for (size_t i = 0; i < ARRAY_COUNT(files); i++)
		check_file(check, &files[i]);
}

/* Of a file that the settings name; false if something was wrong with it. */
static bool
read_paper(struct check *check, const struct listener_settings *listener,
    enum tls_file paper, struct secret **text)
{
	char setting[64];
	const struct named_file file = {
	    .setting = setting,
	    .path = settings_tls_path(listener, paper),
	    .owner = ROLE_MASTER,
	    .is_secret = paper == TLS_KEY,
	    .place = listener->tls_places[paper],
	};
	int fd;

	(void)snprintf(
	    setting, sizeof(setting), "listener.%s", tls_file_name(paper));
	if (file.path[0] == '\0')
		return true;
	check_file(check, &file);
	fd = open(file.path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	*text = secret_read_all(fd, PAPER_MAX);
	if (*text == NULL)
		complain_of(check, &file, "%s: %s: %s", setting, file.path,
		    strerror(errno));
	(void)close(fd);
	return *text != NULL;
}

/* What the gateway will make of the files; a certificate out of its time is
 * only warned of. */
static void
check_tls(struct check *check, const struct listener_settings *listener)
{
	struct secret *texts[TLS_FILE_COUNT] = {NULL};
	char why[TLS_LISTENERS_WHY_SIZE] = "", stale[sizeof(why)] = "";
	struct tls_context *context = NULL;
	bool were_read = true;

	for (enum tls_file paper = 0; paper < TLS_FILE_COUNT; paper++)
		were_read &= read_paper(check, listener, paper, &texts[paper]);
	if (were_read) {
		context = tls_listeners_context(listener, texts,
		    (const char *const *)listener->tls_places, why, stale,
		    sizeof(why));
		check->was_good &= context != NULL;
		if (context == NULL)
			(void)fprintf(check->errors, "%s\n", why);
		else if (stale[0] != '\0')
			(void)fprintf(check->errors, "%s (a warning)\n", stale);
	}
	tls_context_free(context);
	for (size_t i = 0; i < TLS_FILE_COUNT; i++)
		secret_free(texts[i]);
}

static void
check_pam(struct check *check)
{
	const struct settings *settings = check->settings;
	char why[WHY_SIZE];

	if (programs_count(ROLE_PASSWORD_CHECKER, settings) > 0 &&
	    !pamservice_is_there(settings->password_service_dir,
		settings->password_service, why, sizeof(why)))
		complain(check, "%s", why);
}

static void
check_control(struct check *check)
{
	uint32_t group;
	char why[WHY_SIZE];

	if (!control_socket_group(check->settings, &group, why, sizeof(why)))
		complain(check, "%s", why);
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
	for (size_t n = 0; n < settings->listener_count; n++)
		if (settings->listeners[n].tls_certificate[0] != '\0')
			check_tls(&check, &settings->listeners[n]);
	check_pam(&check);
	check_control(&check);
	return check.was_good;
}
