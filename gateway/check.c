/* SPDX-License-Identifier: ISC */
/* What `gatewarden --check` looks at besides the settings file itself. */
#include "gateway/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/findings.h"
#include "base/pam_service.h"
#include "base/sandbox.h"
#include "base/secret.h"
#include "gateway/check_host.h"
#include "gateway/check_services.h"
#include "gateway/control_socket.h"
#include "gateway/papers.h"
#include "gateway/programs.h"
#include "gateway/settings.h"
#include "gateway/tls_listeners.h"

#define WHY_SIZE 512

struct check {
	const struct settings *settings;
	const char *settings_path;
	struct findings *findings;
};

static void
check_programs(struct check *check, const char *libexecdir)
{
	for (enum role role = ROLE_GATEWAY; role < ROLE_COUNT; role++) {
		char *path = programs_path(role, libexecdir);

		if (programs_count(role, check->settings) > 0 &&
		    access(path, X_OK) < 0)
			findings_add(check->findings, FINDING_PROGRAM,
			    &(struct finding_place){
				check->settings_path, path, NULL},
			    "the program %s: %s", path, strerror(errno));
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
			findings_add(check->findings, FINDING_USER,
			    &(struct finding_place){
				check->settings_path, name, NULL},
			    "users: there is no user %s for the %s", name,
			    role_name(role));
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

/* Who has to read it; where we are not root, all programs are us. */
static const char *
reader_of(const struct check *check, const struct named_file *file,
    char (*number)[16])
{
	if (geteuid() == 0 && file->owner != ROLE_MASTER)
		return programs_user(file->owner, check->settings);
	(void)snprintf(*number, sizeof(*number), "%u", (unsigned)geteuid());
	return *number;
}

static enum finding
missing(const struct named_file *file)
{
	return strcmp(file->setting, "kerberos.keytab") == 0
		   ? FINDING_KEYTAB_MISSING
		   : FINDING_FILE_MISSING;
}

static const char *
place_of(const struct check *check, const struct named_file *file)
{
	return file->place != NULL ? file->place : check->settings_path;
}

static void
check_file(struct check *check, const struct named_file *file)
{
	char number[16];
	const struct finding_place about = {
	    place_of(check, file), file->path, reader_of(check, file, &number)};
	struct findings *findings = check->findings;
	struct stat status;

	if (file->path[0] == '\0')
		return;
	if (stat(file->path, &status) < 0)
		findings_add(findings, missing(file), &about, "%s: %s: %s",
		    file->setting, file->path, strerror(errno));
	else if (!S_ISREG(status.st_mode))
		findings_add(findings, FINDING_FILE_KIND, &about,
		    "%s: %s is not a file", file->setting, file->path);
	else if (file->is_secret && !is_secret_kept(&status))
		findings_add(findings, FINDING_SECRET_OPEN, &about,
		    "%s: %s has mode %04o; nobody else may read or write it "
		    "(0400, 0600, 0440 or 0640)",
		    file->setting, file->path,
		    (unsigned)(status.st_mode & 07777));
	else if (!may_owner_read(check, file, &status))
		findings_add(findings,
		    file->is_secret ? FINDING_SECRET_UNREADABLE
				    : FINDING_FILE_UNREADABLE,
		    &about, "%s: %s cannot be read by its program",
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
	    {"audit.tls_ca_file", settings->audit_tls_ca_file, ROLE_AUDITOR,
		false, NULL},
	    {"audit.tls_certificate", settings->audit_tls_certificate,
		ROLE_AUDITOR, false, NULL},
	    {"audit.tls_key", settings->audit_tls_key, ROLE_AUDITOR, true,
		NULL},
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
		findings_add(check->findings, FINDING_TLS,
		    &(struct finding_place){
			place_of(check, &file), file.path, NULL},
		    "%s: %s: %s", setting, file.path, strerror(errno));
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
		if (context == NULL)
			findings_add(check->findings, FINDING_TLS,
			    &(struct finding_place){
				NULL, listener->tls_certificate, NULL},
			    "%s", why);
		else if (stale[0] != '\0')
			(void)fprintf(
			    check->findings->out, "%s (a warning)\n", stale);
	}
	tls_context_free(context);
	for (size_t i = 0; i < TLS_FILE_COUNT; i++)
		secret_free(texts[i]);
}

static void
check_pam(struct check *check)
{
	const struct settings *settings = check->settings;
	const char *folder = settings->password_service_dir;
	char why[WHY_SIZE], path[WHY_SIZE];

	if (programs_count(ROLE_PASSWORD_CHECKER, settings) == 0 ||
	    pamservice_is_there(
		folder, settings->password_service, why, sizeof(why)))
		return;
	(void)snprintf(path, sizeof(path), "%s/%s",
	    folder[0] != '\0' ? folder : "/etc/pam.d",
	    settings->password_service);
	findings_add(check->findings, FINDING_PAM_SERVICE,
	    &(struct finding_place){check->settings_path, path, NULL}, "%s",
	    why);
}

static void
check_group(struct check *check, const char *setting, const char *name)
{
	uint32_t number;
	char why[WHY_SIZE];

	if (!control_socket_group(setting, name, &number, why, sizeof(why)))
		findings_add(check->findings, FINDING_CONTROL_GROUP,
		    &(struct finding_place){check->settings_path, name, NULL},
		    "%s", why);
}

static void
check_control(struct check *check)
{
	const struct settings *settings = check->settings;

	check_group(check, "control.read_group", settings->control_read_group);
	check_group(
	    check, "control.operate_group", settings->control_operate_group);
}

int
check_settings_file(const char *path, FILE *errors)
{
	struct findings findings = {.out = errors};
	struct stat status;

	if (stat(path, &status) == 0 && (status.st_mode & S_IWOTH) != 0)
		findings_add(&findings, FINDING_SETTINGS_OPEN,
		    &(struct finding_place){path, path, NULL},
		    "has mode %04o; everybody may write it",
		    (unsigned)(status.st_mode & 07777));
	return findings_status(&findings);
}

static void
check_settings_group(struct check *check)
{
	const char *path = check->settings_path;
	struct stat status;

	if (stat(path, &status) == 0 && (status.st_mode & S_IWGRP) != 0)
		findings_add(check->findings, FINDING_SETTINGS_GROUP,
		    &(struct finding_place){path, path, NULL},
		    "has mode %04o; its group may write it",
		    (unsigned)(status.st_mode & 07777));
}

int
check_surroundings(const struct settings *settings, const char *settings_path,
    const char *libexecdir, FILE *errors)
{
	struct findings findings = {.out = errors};
	struct check check = {settings, settings_path, &findings};

	check_settings_group(&check);
	check_programs(&check, libexecdir);
	if (geteuid() == 0)
		check_users(&check);
	check_files(&check);
	for (size_t n = 0; n < settings->listener_count; n++)
		if (settings->listeners[n].tls_certificate[0] != '\0')
			check_tls(&check, &settings->listeners[n]);
	check_pam(&check);
	check_control(&check);
	check_host(settings, settings_path, &findings);
	check_services(settings, settings_path, libexecdir, &findings);
	return findings_status(&findings);
}
