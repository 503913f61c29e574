/* SPDX-License-Identifier: ISC */
/*
 * What `gatewarden --check-policy` looks at.
 *
 * To directory-watch we are its master and its gateway; it reads with its own
 * user and secrets, and we build the rule set with nobody's rights but the
 * gateway's.
 */
#include "gateway/policy_check.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/control.h"
#include "base/link.h"
#include "base/must.h"
#include "base/options.h"
#include "base/sandbox.h"
#include "base/wire.h"
#include "gateway/child.h"
#include "gateway/helper_options.h"
#include "gateway/plan.h"
#include "gateway/programs.h"
#include "gateway/settings.h"
#include "gateway/wiring.h"
#include "policy/entry.h"
#include "policy/intake.h"
#include "policy/ruleset.h"
#include "policy/watch_protocol.h"

#define WHY_SIZE     1024
#define GENERATION   1
#define STOP_LIMIT_S 5
#define UNDECIDED    (-1)
#define STDIN_NAME   "-" /* how directory-watch calls what we opened for it */

struct policy_check {
	const struct settings *settings;
	const char *ldif; /* NULL: what the settings name */
	FILE *out, *errors;
	struct event_base *base;
	struct event *deadline;
	struct child *watch;
	struct link *link;
	struct intake intake;
	int status; /* UNDECIDED, or what we exit with */
};

static void
finish(struct policy_check *check, int status)
{
	if (check->status == UNDECIDED)
		check->status = status;
	(void)event_base_loopbreak(check->base);
}

static void printf_like(3, 4)
    give_up(struct policy_check *check, int status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vfprintf(check->errors, format, args);
	va_end(args);
	(void)fputc('\n', check->errors);
	finish(check, status);
}

/* ---- what directory-watch says */

static void
on_wrong(void *arg, const char *why)
{
	struct policy_check *check = arg;

	(void)fprintf(check->errors, "%s\n", why);
}

static void
on_begin(void *arg, struct link_message *message)
{
	struct policy_check *check = arg;

	(void)message;
	intake_fini(&check->intake);
	intake_begin(&check->intake, on_wrong, check);
}

static void
on_put(void *arg, struct link_message *message)
{
	struct policy_check *check = arg;
	struct entry *entry = entry_decode(message->data, message->len);

	if (entry == NULL)
		intake_add_broken(&check->intake);
	else
		intake_add(&check->intake, entry);
	entry_free(entry);
}

static void
on_commit(void *arg, struct link_message *message)
{
	struct policy_check *check = arg;
	struct ruleset *rules;

	(void)message;
	rules = intake_end(&check->intake, GENERATION,
	    check->settings->directory_uri.count > 0);
	if (rules != NULL)
		(void)fprintf(check->out, "%zu %s good\n", check->intake.rules,
		    check->intake.rules == 1 ? "rule is" : "rules are");
	finish(check, rules != NULL ? EXIT_SUCCESS : EX_CONFIG);
	ruleset_unref(rules);
}

/* A file that cannot be read as rules is a mistake of who wrote it; a
 * directory that cannot be read may be there again tomorrow. */
static void
on_unreadable(struct policy_check *check, const char *why)
{
	if (check->ldif != NULL && strncmp(why, STDIN_NAME ":", 2) == 0)
		give_up(check, EX_CONFIG, "%s%s", check->ldif,
		    why + strlen(STDIN_NAME));
	else if (check->ldif != NULL || check->settings->policy_file[0] != '\0')
		give_up(check, EX_CONFIG, "%s", why);
	else
		give_up(check, EX_UNAVAILABLE, "the directory: %s", why);
}

static void
on_state(void *arg, struct link_message *message)
{
	struct policy_check *check = arg;
	struct wire_reader reader;
	char why[WHY_SIZE];
	bool is_up;

	wire_reader_init(&reader, message->data, message->len);
	is_up = wire_get_u8(&reader) != 0;
	wire_get_string(&reader, why, sizeof(why));
	if (!is_up)
		on_unreadable(check, reader.failed ? "?" : why);
}

static void
on_nothing(void *arg, struct link_message *message)
{
	(void)arg;
	(void)message;
}

static void
on_closed(void *arg)
{
	struct policy_check *check = arg;

	link_free(check->link);
	check->link = NULL;
	if (check->status == UNDECIDED)
		give_up(check, EX_UNAVAILABLE, "directory-watch has ended");
	finish(check, check->status);
}

static const struct link_handler handlers[] = {
    {WATCH_BEGIN, 0, 0, on_begin},
    {WATCH_PUT, 1, LINK_MESSAGE_MAX, on_put},
    {WATCH_COMMIT, 9, 9, on_commit},
    {WATCH_CONFIRM, 8, 8, on_nothing},
    {WATCH_STATE, 5, LINK_MESSAGE_MAX, on_state},
    {WATCH_SUBJECTS, 0, 0, on_nothing},
    {.handle = NULL},
};

/* ---- its start */

static void
on_ready(void *arg, struct child *child, bool is_first)
{
	(void)arg;
	(void)child;
	(void)is_first;
}

static void
on_failed(void *arg, struct child *child, const char *why)
{
	give_up(arg, EX_CONFIG, "%s: %s", child_name(child), why);
}

static const struct child_functions child_functions = {
    .ready = on_ready,
    .failed = on_failed,
};

/*
 * The first text of a name counts.  Without a state_dir the daemon's copy of
 * the rules is neither read nor written.  To an LDIF file the directory says
 * nothing.
 */
static void
configure(const struct policy_check *check)
{
	const struct settings *settings = check->settings;
	struct options *options = options_new();
	uint8_t *data;
	size_t len;

	options_add(options, "gateway.log_level", "error");
	if (check->ldif == NULL) {
		helper_options_add(options, ROLE_DIRECTORY_WATCH, settings);
	} else {
		options_add(options, "policy.file", STDIN_NAME);
		options_add(options, "policy.allow_empty",
		    settings->allow_empty ? "true" : "false");
	}
	options_encode(options, &data, &len);
	(void)child_send(check->watch, CONTROL_CONFIGURE, 0, data, len, -1);
	free(data);
	options_free(options);
}

/* Opens it and hands it over; "": there is none. */
static bool
hand_over(const struct policy_check *check, const char *name, const char *path,
    int fd, const char *why)
{
	if (fd < 0) {
		(void)fprintf(check->errors, "%s%s%s\n", path,
		    *path != '\0' ? ": " : "", why);
		return false;
	}
	child_send_named(check->watch, CONTROL_FILE, name, fd);
	(void)close(fd);
	return true;
}

/* What is no file in full, such as a FIFO that nobody writes to, has no end
 * that could be waited for.  -1 and why. */
static int
open_ldif(const char *path, const char **why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat status;

	*why = "";
	if (fd < 0 || fstat(fd, &status) != 0)
		*why = strerror(errno);
	else if (!S_ISREG(status.st_mode))
		*why = "not a regular file";
	else
		return fd;
	if (fd >= 0)
		(void)close(fd);
	return -1;
}

static bool
hand_over_files(struct policy_check *check)
{
	char why[WHY_SIZE] = "";
	const char *wrong;
	int fd;

	if (check->ldif != NULL) {
		fd = open_ldif(check->ldif, &wrong);
		check->status = EX_UNAVAILABLE;
		return hand_over(check, "policy.file", check->ldif, fd, wrong);
	}
	if (check->settings->password_file[0] == '\0')
		return true;
	check->status = EX_CONFIG;
	fd = plan_open_password(check->settings, why, sizeof(why));
	return hand_over(check, "directory.password", "", fd, why);
}

static bool
find_user(
    const struct policy_check *check, enum role role, struct sandbox_user *user)
{
	const char *name = programs_user(role, check->settings);

	if (geteuid() != 0 || sandbox_user_find(name, user) == 0)
		return true;
	(void)fprintf(check->errors, "users: there is no user %s for the %s\n",
	    name, role_name(role));
	return false;
}

static bool
start_watch(struct policy_check *check, const char *libexecdir)
{
	char *path = programs_path(ROLE_DIRECTORY_WATCH, libexecdir);
	struct child_spec spec = {
	    .role = ROLE_DIRECTORY_WATCH,
	    .path = path,
	    .krb5_config = check->settings->krb5_config,
	    .hang_ms = programs_hang_ms(ROLE_DIRECTORY_WATCH, check->settings),
	};
	int status = -EACCES, fd = -1;

	check->status = EX_CONFIG;
	if (find_user(check, ROLE_DIRECTORY_WATCH, &spec.user)) {
		check->watch =
		    child_new(check->base, &spec, &child_functions, check);
		check->status = EX_UNAVAILABLE;
		status = child_start(check->watch);
		if (status < 0)
			(void)fprintf(
			    check->errors, "%s: %s\n", path, strerror(-status));
	}
	free(path);
	if (status >= 0)
		fd = wiring_join(check->watch, ROLE_GATEWAY);
	if (fd >= 0)
		check->link =
		    link_new(check->base, fd, handlers, on_closed, check);
	return check->link != NULL;
}

/* What comes from the directory is looked at without root's rights. */
static bool
become_gateway(struct policy_check *check)
{
	struct sandbox_user user = {0};
	int status;

	check->status = EX_CONFIG;
	if (!find_user(check, ROLE_GATEWAY, &user))
		return false;
	status = sandbox_become(&user);
	if (status == 0)
		status = sandbox_enter(false);
	if (status < 0)
		(void)fprintf(check->errors, "cannot become %s: %s\n",
		    programs_user(ROLE_GATEWAY, check->settings),
		    strerror(-status));
	return status == 0;
}

/* ---- the whole */

static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct policy_check *check = arg;

	(void)fd;
	(void)what;
	if (check->status == UNDECIDED)
		give_up(check, EX_UNAVAILABLE, "no answer in time");
	finish(check, check->status);
}

static void
run(struct policy_check *check, unsigned limit_ms)
{
	const struct timeval limit = {
	    .tv_sec = limit_ms / 1000, .tv_usec = limit_ms % 1000 * 1000};

	if (evtimer_add(check->deadline, &limit) == 0)
		(void)event_base_dispatch(check->base);
}

/* It closes its link when it ends.  One that does not, in time, has no master
 * any more once we are gone, and the kernel tells it so. */
static void
stop_watch(struct policy_check *check)
{
	pid_t pid = check->watch == NULL ? 0 : child_pid(check->watch);

	if (pid != 0 && check->link != NULL) {
		(void)child_send(check->watch, CONTROL_STOP, 0, NULL, 0, -1);
		run(check, STOP_LIMIT_S * 1000);
	}
	if (pid != 0 && (check->link == NULL || kill(pid, SIGKILL) == 0))
		(void)waitpid(pid, NULL, 0);
	if (pid != 0)
		child_buried(check->watch);
	child_free(check->watch);
}

static void
read_rules(struct policy_check *check, const char *libexecdir)
{
	if (!start_watch(check, libexecdir))
		return;
	configure(check);
	if (!hand_over_files(check) || !become_gateway(check))
		return;
	child_commit(check->watch, GENERATION);
	check->status = UNDECIDED;
	run(check, programs_hang_ms(ROLE_DIRECTORY_WATCH, check->settings));
}

int
policy_check(const struct settings *settings, const char *libexecdir,
    const char *ldif, FILE *out, FILE *errors)
{
	struct policy_check check = {
	    .settings = settings,
	    .ldif = ldif,
	    .out = out,
	    .errors = errors,
	    .base = event_base_new(),
	};

	if (check.base == NULL)
		die("no event loop: %s", strerror(errno));
	check.deadline = evtimer_new(check.base, on_deadline, &check);
	if (check.deadline == NULL)
		die("out of memory");
	read_rules(&check, libexecdir);
	stop_watch(&check);
	intake_fini(&check.intake);
	link_free(check.link);
	event_free(check.deadline);
	event_base_free(check.base);
	return check.status;
}
