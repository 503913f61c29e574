/* SPDX-License-Identifier: ISC */
/*
 * Turns into another program: user, environment, descriptors, exec.
 *
 * Between fork and exec nothing of libevent is touched.
 */
#include "gateway/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/control.h"
#include "base/log.h"
#include "gateway/child.h"

#define NO_EXEC_STATUS 127 /* as a shell would say */

static const char *const variables_passed_on[] = {
    "TZ",
    "ASAN_OPTIONS",
    "LSAN_OPTIONS",
    "UBSAN_OPTIONS",
};

_Noreturn static void
give_up(const struct child_spec *spec, const char *step)
{
	log_error(
	    NULL, "cannot start %s: %s: %s", spec->path, step, strerror(errno));
	_exit(NO_EXEC_STATUS);
}

/* Signals as a fresh program expects them. */
static void
reset_signals(void)
{
	static const int ours[] = {SIGPIPE, SIGCHLD, SIGHUP, SIGINT, SIGTERM};
	const struct sigaction normal = {.sa_handler = SIG_DFL};
	sigset_t none;

	for (size_t i = 0; i < ARRAY_COUNT(ours); i++)
		(void)sigaction(ours[i], &normal, NULL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Where CONTROL_FD is `control` already, dup2 would leave it to be closed by
 * exec. */
static bool
place_control(int control)
{
	if (control == CONTROL_FD)
		return fcntl(control, F_SETFD, 0) == 0;
	return dup2(control, CONTROL_FD) == CONTROL_FD;
}

static bool
place_descriptors(int control)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	return null >= 0 && dup2(null, STDIN_FILENO) >= 0 &&
	       dup2(STDERR_FILENO, STDOUT_FILENO) >= 0 &&
	       place_control(control) &&
	       close_range(CONTROL_FD + 1, ~0U, 0) == 0;
}

static void
raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/* Only what we know: a variable can change what a library does. */
static bool
make_environment(const struct child_spec *spec)
{
	const char *values[ARRAY_COUNT(variables_passed_on)];
	bool was_good = true;

	for (size_t i = 0; i < ARRAY_COUNT(values); i++)
		values[i] = getenv(variables_passed_on[i]);
	if (clearenv() != 0)
		return false;
	for (size_t i = 0; i < ARRAY_COUNT(values); i++) {
		if (values[i] != NULL)
			was_good &=
			    setenv(variables_passed_on[i], values[i], 1) == 0;
	}
	if (spec->krb5_config[0] != '\0')
		was_good &= setenv("KRB5_CONFIG", spec->krb5_config, 1) == 0;
	return was_good && setenv("LANG", "C", 1) == 0 &&
	       setenv("LDAPNOINIT", "1", 1) == 0 &&
	       setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1) == 0;
}

_Noreturn static void
become_program(const struct child_spec *spec, int control, pid_t master)
{
	char *arguments[] = {strdup(spec->path), NULL};
	int status;

	reset_signals();
	if (!place_descriptors(control))
		give_up(spec, "descriptors");
	if (spec->needs_descriptors)
		raise_descriptor_limit();
	status = sandbox_become(&spec->user);
	if (status < 0) {
		errno = -status;
		give_up(spec, "become user");
	}
	/* After the change of user, which clears it. */
	if (prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0) < 0)
		give_up(spec, "prctl");
	if (getppid() != master)
		_exit(NO_EXEC_STATUS);
	if (!make_environment(spec))
		give_up(spec, "environment");
	(void)umask(077);
	(void)execv(spec->path, arguments);
	give_up(spec, "exec");
}

pid_t
spawn_program(const struct child_spec *spec, int control)
{
	pid_t master = getpid();
	pid_t pid = fork();

	if (pid == 0)
		become_program(spec, control, master);
	return pid < 0 ? -errno : pid;
}
