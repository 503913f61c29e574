/* SPDX-License-Identifier: ISC */
/* The logins of the password checker, waiting and running. */
#include "auth/password_logins.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/queue.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "auth/password_child.h"
#include "base/log.h"
#include "base/must.h"
#include "base/secret.h"
#include "base/text.h"
#include "base/timeval.h"

#define STAT_SIZE 512 /* of /proc/PID/stat up to the parent's pid */

struct login {
	TAILQ_ENTRY(login) entry;
	struct logins *logins;
	void *asker; /* NULL: nobody wants to know */
	uint64_t id;
	struct secret *question; /* while it waits */
	struct event deadline;
	/* Once it runs: */
	pid_t pid;
	int fd; /* -1 when all was heard */
	struct event readable;
	unsigned texts; /* that it has said */
	bool was_answered;
};

TAILQ_HEAD(login_list, login);

struct logins {
	struct event_base *base;
	logins_done_fn *done;
	struct logins_settings settings;
	char *service, *service_dir, *ruser; /* the texts of settings */
	bool is_configured;

	struct login_list waiting, running;
	size_t waiting_count, running_count;
	struct event start; /* activated when one could begin to run */
	int deaths;	    /* a signalfd */
	struct event death;
};

/* ---- answers ---- */

/* The first one counts. */
static void
tell(struct login *login, const struct password_answer *answer)
{
	if (login->was_answered)
		return;
	login->was_answered = true;
	if (login->asker != NULL)
		login->logins->done(login->asker, login->id, answer);
}

static void
tell_failure(struct login *login, enum reason reason, const char *text)
{
	struct password_answer answer = {.reason = reason};

	(void)strlcpy(answer.text, text, sizeof(answer.text));
	tell(login, &answer);
}

static void
stop_hearing(struct login *login)
{
	if (login->fd < 0)
		return;
	(void)event_del(&login->readable);
	(void)close(login->fd);
	login->fd = -1;
}

static void
login_free(struct login *login)
{
	stop_hearing(login);
	(void)evtimer_del(&login->deadline);
	secret_free(login->question);
	free(login);
}

static void
drop_waiting(struct login *login)
{
	struct logins *logins = login->logins;

	TAILQ_REMOVE(&logins->waiting, login, entry);
	logins->waiting_count--;
	login_free(login);
}

/* ---- a login that runs ---- */

/* More than a conversation may have do not come from ours. */
static void
hear_text(struct login *login, const char *text)
{
	char quoted[TEXT_QUOTED_SIZE(PASSWORD_TEXT_SIZE)];

	if (++login->texts > PAMCONV_MESSAGES_MAX) {
		stop_hearing(login);
		return;
	}
	(void)text_quote(quoted, sizeof(quoted), text, strlen(text));
	log_debug(NULL, "login %d: PAM says: %s", (int)login->pid, quoted);
}

/* Until there is nothing more, now or ever. */
static void
hear(struct login *login)
{
	char text[PASSWORD_TEXT_SIZE];
	struct password_answer answer;

	while (login->fd >= 0) {
		switch (password_child_hear(login->fd, text, &answer)) {
		case PASSWORD_REPORT_NONE:
			return;
		case PASSWORD_REPORT_TEXT:
			hear_text(login, text);
			break;
		case PASSWORD_REPORT_ANSWER:
			stop_hearing(login);
			tell(login, &answer);
			break;
		case PASSWORD_REPORT_END:
			/* How it died is known when it is waited for. */
			stop_hearing(login);
			break;
		}
	}
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	hear(arg);
}

/* Its session is its process group; those that left it come to us. */
static void
end_group(pid_t pid)
{
	(void)kill(-pid, SIGKILL);
	(void)kill(pid, SIGKILL);
}

static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct login *login = arg;

	(void)fd;
	(void)what;
	if (login->pid == 0) {
		tell_failure(login, REASON_CHECKER_BUSY,
		    "waited for a free process until the deadline");
		drop_waiting(login);
		return;
	}
	log_warning(NULL, "login %d did not end in time and is killed",
	    (int)login->pid);
	stop_hearing(login);
	end_group(login->pid);
	tell_failure(login, REASON_CHECKER_TIMEOUT,
	    "PAM's process was killed at the deadline");
}

static void
run(struct login *login, pid_t pid, int fd)
{
	struct logins *logins = login->logins;

	TAILQ_REMOVE(&logins->waiting, login, entry);
	logins->waiting_count--;
	TAILQ_INSERT_TAIL(&logins->running, login, entry);
	logins->running_count++;
	secret_free(login->question);
	login->question = NULL;
	login->pid = pid;
	login->fd = fd;
	must(event_assign(&login->readable, logins->base, fd,
		 EV_READ | EV_PERSIST, on_readable, login) == 0);
	must(event_add(&login->readable, NULL) == 0);
}

static void
start_one(struct logins *logins)
{
	struct login *login = TAILQ_FIRST(&logins->waiting);
	int fd = -1;
	pid_t pid =
	    password_child_fork(&logins->settings.pam, login->question, &fd);

	if (pid < 0) {
		log_error(NULL, "no process for a login: %s", strerror(-pid));
		tell_failure(login, REASON_CHECKER_BUSY, strerror(-pid));
		drop_waiting(login);
		return;
	}
	run(login, pid, fd);
}

static void
on_start(evutil_socket_t fd, short what, void *arg)
{
	struct logins *logins = arg;

	(void)fd;
	(void)what;
	while (!TAILQ_EMPTY(&logins->waiting) &&
	       logins->running_count < logins->settings.concurrency)
		start_one(logins);
}

/* ---- deaths ---- */

static struct login *
find_running(const struct logins *logins, pid_t pid)
{
	struct login *login;

	TAILQ_FOREACH (login, &logins->running, entry) {
		if (login->pid == pid)
			return login;
	}
	return NULL;
}

/* The parent of a process, or 0. */
static pid_t
parent_of(pid_t pid)
{
	char path[32], text[STAT_SIZE];
	const char *behind_name;
	FILE *file;
	size_t len;
	int parent;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "re");
	if (file == NULL)
		return 0;
	len = fread(text, 1, sizeof(text) - 1, file);
	(void)fclose(file);
	text[len] = '\0';
	/* "PID (NAME) STATE PARENT"; a name may have anything in it. */
	behind_name = strrchr(text, ')');
	if (behind_name == NULL ||
	    sscanf(behind_name + 1, " %*c %d", &parent) != 1)
		return 0;
	return (pid_t)parent;
}

/*
 * Kills our children that are no logins: what modules left behind.  None of
 * them can have gone and left its number to another, since we have not waited
 * for it.  Their own children come to us when they die, and their turn then.
 */
static void
end_orphans(const struct logins *logins)
{
	DIR *processes = opendir("/proc");
	struct dirent *entry;
	uint64_t number;

	if (processes == NULL)
		return;
	while ((entry = readdir(processes)) != NULL) {
		pid_t pid;

		if (!text_parse_u64(entry->d_name, 1, INT32_MAX, &number))
			continue;
		pid = (pid_t)number;
		if (parent_of(pid) == getpid() &&
		    find_running(logins, pid) == NULL)
			(void)kill(pid, SIGKILL);
	}
	(void)closedir(processes);
}

static void
tell_death(struct login *login, int status)
{
	char text[64];

	if (WIFSIGNALED(status))
		(void)snprintf(text, sizeof(text),
		    "PAM's process was killed by signal %d", WTERMSIG(status));
	else
		(void)snprintf(text, sizeof(text),
		    "PAM's process exited with status %d and no answer",
		    WEXITSTATUS(status));
	tell_failure(login, REASON_CHECKER_LOST, text);
}

static void
bury(struct login *login, int status)
{
	struct logins *logins = login->logins;

	/* Its answer may wait to be read. */
	hear(login);
	tell_death(login, status);
	TAILQ_REMOVE(&logins->running, login, entry);
	logins->running_count--;
	login_free(login);
	event_active(&logins->start, EV_TIMEOUT, 0);
}

static void
on_death(evutil_socket_t fd, short what, void *arg)
{
	struct signalfd_siginfo told;
	struct logins *logins = arg;
	siginfo_t info;
	bool left_orphans = false;

	(void)what;
	/* One may stand for several. */
	while (read(fd, &told, sizeof(told)) == sizeof(told))
		continue;
	for (;;) {
		struct login *login;
		int status;

		info.si_pid = 0;
		/* Not gone yet, so that its group is still its own. */
		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 ||
		    info.si_pid == 0)
			break;
		login = find_running(logins, info.si_pid);
		if (login != NULL)
			end_group(info.si_pid);
		must(waitpid(info.si_pid, &status, 0) == info.si_pid);
		if (login == NULL || !WIFEXITED(status) ||
		    WEXITSTATUS(status) != PASSWORD_CHILD_ALONE ||
		    !login->was_answered)
			left_orphans = true;
		if (login != NULL)
			bury(login, status);
	}
	if (left_orphans)
		end_orphans(logins);
}

/* ---- asking ---- */

static struct login *
make_login(struct logins *logins, const void *question, size_t len)
{
	struct login *login = calloc(1, sizeof(*login));

	if (login == NULL)
		return NULL;
	login->logins = logins;
	login->fd = -1;
	must(evtimer_assign(
		 &login->deadline, logins->base, on_deadline, login) == 0);
	login->question = secret_new(question, len);
	if (login->question == NULL ||
	    secret_hide_from_children(login->question) < 0) {
		login_free(login);
		return NULL;
	}
	return login;
}

void
logins_ask(struct logins *logins, void *asker, uint64_t id,
    const void *question, size_t len)
{
	struct password_answer busy = {.reason = REASON_CHECKER_BUSY};
	struct timeval timeout;
	struct login *login = NULL;

	if (logins->is_configured &&
	    logins->waiting_count < logins->settings.queue_max)
		login = make_login(logins, question, len);
	if (login == NULL) {
		logins->done(asker, id, &busy);
		return;
	}
	login->asker = asker;
	login->id = id;
	timeout = timeval_ms(logins->settings.timeout_ms);
	must(evtimer_add(&login->deadline, &timeout) == 0);
	TAILQ_INSERT_TAIL(&logins->waiting, login, entry);
	logins->waiting_count++;
	/* Not here: the caller's buffers hold the password, and a child would
	 * have a copy of them. */
	event_active(&logins->start, EV_TIMEOUT, 0);
}

void
logins_forget(struct logins *logins, const void *asker)
{
	struct login *login, *next;

	TAILQ_FOREACH_SAFE (login, &logins->waiting, entry, next) {
		if (login->asker == asker)
			drop_waiting(login);
	}
	TAILQ_FOREACH (login, &logins->running, entry) {
		if (login->asker == asker)
			login->asker = NULL;
	}
}

/* ---- beginning and end ---- */

/*
 * By a descriptor: for a handler the kernel would save the registers on the
 * stack, and a password that was copied is in some of them.
 */
static void
watch_deaths(struct logins *logins)
{
	sigset_t child;

	(void)sigemptyset(&child);
	(void)sigaddset(&child, SIGCHLD);
	must(sigprocmask(SIG_BLOCK, &child, NULL) == 0);
	logins->deaths = signalfd(-1, &child, SFD_NONBLOCK | SFD_CLOEXEC);
	if (logins->deaths < 0 ||
	    event_assign(&logins->death, logins->base, logins->deaths,
		EV_READ | EV_PERSIST, on_death, logins) < 0 ||
	    event_add(&logins->death, NULL) < 0)
		die("cannot watch for SIGCHLD: %s", strerror(errno));
}

struct logins *
logins_new(struct event_base *base, logins_done_fn *done)
{
	struct logins *logins = must_alloc(1, sizeof(*logins));

	logins->base = base;
	logins->done = done;
	TAILQ_INIT(&logins->waiting);
	TAILQ_INIT(&logins->running);
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
		die("cannot adopt what modules leave behind: %s",
		    strerror(errno));
	must(evtimer_assign(&logins->start, base, on_start, logins) == 0);
	watch_deaths(logins);
	return logins;
}

static void
free_texts(struct logins *logins)
{
	free(logins->service);
	free(logins->service_dir);
	free(logins->ruser);
}

void
logins_free(struct logins *logins)
{
	struct login *login, *next;

	if (logins == NULL)
		return;
	TAILQ_FOREACH_SAFE (login, &logins->waiting, entry, next)
		login_free(login);
	TAILQ_FOREACH_SAFE (login, &logins->running, entry, next) {
		end_group(login->pid);
		(void)waitpid(login->pid, NULL, 0);
		login_free(login);
	}
	TAILQ_INIT(&logins->running);
	end_orphans(logins);
	(void)event_del(&logins->start);
	(void)event_del(&logins->death);
	(void)close(logins->deaths);
	free_texts(logins);
	free(logins);
}

bool
logins_configure(struct logins *logins, const struct logins_settings *settings)
{
	char *service = strdup(settings->pam.service);
	char *service_dir = strdup(settings->pam.service_dir);
	char *ruser = strdup(settings->pam.ruser);

	if (service == NULL || service_dir == NULL || ruser == NULL) {
		free(service);
		free(service_dir);
		free(ruser);
		return false;
	}
	free_texts(logins);
	logins->service = service;
	logins->service_dir = service_dir;
	logins->ruser = ruser;
	logins->settings = *settings;
	logins->settings.pam = (struct pamconv_settings){
	    .service = service, .service_dir = service_dir, .ruser = ruser};
	logins->is_configured = true;
	event_active(&logins->start, EV_TIMEOUT, 0);
	return true;
}
