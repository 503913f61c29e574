/* SPDX-License-Identifier: ISC */
/* What a confined program tries in vain; each try is a process of its own. */
#include "tests/support/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sandbox_confine.h"
#include "tests/support/folder.h"

#include "config.h"

#define NEVER (-1) /* no errno: the try ended the process by SIGSYS */

static char folder[FOLDER_SIZE], other[FOLDER_SIZE];

/* The errno of a try by a program with these needs, 0 if it was let, or
 * NEVER. */
static int
outcome(unsigned needs, int (*try)(void))
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		    sandbox_confine(needs, folder) < 0)
			_exit(255);
		errno = 0;
		_exit(try() == 0 ? 0 : errno);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFSIGNALED(status)) {
		assert_int_equal(WTERMSIG(status), SIGSYS);
		return NEVER;
	}
	assert_int_not_equal(WEXITSTATUS(status), 255);
	return WEXITSTATUS(status);
}

/* ---- what attackers do */

static int
execute(void)
{
	return execl("/bin/true", "true", NULL);
}

static int
trace(void)
{
	return ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) < 0 ? -1 : 0;
}

static int
mount_something(void)
{
	return mount("none", folder, "tmpfs", 0, NULL);
}

static int
leave_namespace(void)
{
	return (int)syscall(SYS_unshare, 0x10000000);
}

static int
load_program(void)
{
	return (int)syscall(SYS_bpf, 0, NULL, 0);
}

static int
read_another(void)
{
	return (int)syscall(
	    SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0, 0);
}

static void
what_only_attackers_do_ends_the_program(void **state)
{
	static int (*const tries[])(void) = {
	    execute,
	    mount_something,
	    leave_namespace,
	    load_program,
	    read_another,
#ifdef SANDBOX_WHOLE
	    trace,
#endif
	};
	const unsigned all =
	    SANDBOX_NETWORK | SANDBOX_THREADS | SANDBOX_PROCESSES;

	(void)state;
	(void)trace;
	for (size_t i = 0; i < ARRAY_COUNT(tries); i++) {
		assert_int_equal(outcome(0, tries[i]), NEVER);
		assert_int_equal(outcome(all, tries[i]), NEVER);
	}
}

/* ---- sockets */

static int
open_socket(int family)
{
	return socket(family, SOCK_DGRAM, 0) < 0 ? -1 : 0;
}

static int
open_local(void)
{
	return open_socket(AF_UNIX);
}

static int
open_ipv4(void)
{
	return open_socket(AF_INET);
}

static int
open_packet(void)
{
	return socket(AF_PACKET, SOCK_RAW, 0) < 0 ? -1 : 0;
}

static void
sockets_are_for_who_needs_them(void **state)
{
	(void)state;
	assert_int_equal(outcome(0, open_local), EPERM);
	assert_int_equal(outcome(0, open_ipv4), EPERM);
	assert_int_equal(outcome(SANDBOX_NETWORK, open_local), 0);
	assert_int_equal(outcome(SANDBOX_NETWORK, open_ipv4), 0);
	assert_int_equal(outcome(SANDBOX_NETWORK, open_packet), EPERM);
}

/* ---- what a terminal would do */

/* Nobody's descriptor: what the filter lets through is EBADF. */
static int
type_for_others(void)
{
	return (int)syscall(SYS_ioctl, -1, (unsigned long)TIOCSTI, "x");
}

static int
type_by_other_bits(void)
{
	return (int)syscall(SYS_ioctl, -1,
	    (unsigned long)TIOCSTI | (unsigned long)1 << 32, "x");
}

static int
paste_for_others(void)
{
	return (int)syscall(SYS_ioctl, -1, (unsigned long)TIOCLINUX, "x");
}

static int
ask_what_waits(void)
{
	int waits;

	return (int)syscall(SYS_ioctl, -1, (unsigned long)FIONREAD, &waits);
}

static void
nobody_types_for_others(void **state)
{
	(void)state;
	assert_int_equal(outcome(0, type_for_others), EPERM);
	assert_int_equal(outcome(0, type_by_other_bits), EPERM);
	assert_int_equal(outcome(0, paste_for_others), EPERM);
	assert_int_equal(outcome(0, ask_what_waits), EBADF);
}

/* ---- threads and processes */

static void *
run(void *arg)
{
	return arg;
}

static int
start_thread(void)
{
	pthread_t thread;

	errno = pthread_create(&thread, NULL, run, NULL);
	return errno == 0 ? pthread_join(thread, NULL) : -1;
}

static int
start_process(void)
{
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	return child < 0 || waitpid(child, NULL, 0) != child ? -1 : 0;
}

static int
become_root(void)
{
	return setuid(0);
}

static void
threads_and_children_are_for_who_needs_them(void **state)
{
	(void)state;
#ifdef SANDBOX_WHOLE
	assert_int_equal(outcome(0, start_thread), EPERM);
	assert_int_equal(outcome(0, start_process), EPERM);
	assert_int_equal(outcome(SANDBOX_THREADS, start_process), EPERM);
#endif
	assert_int_equal(outcome(SANDBOX_THREADS, start_thread), 0);
	assert_int_equal(outcome(SANDBOX_PROCESSES, start_process), 0);
	assert_int_equal(outcome(SANDBOX_PROCESSES, become_root), EPERM);
}

/* ---- files */

static int
make_file(const char *in)
{
	char path[FOLDER_SIZE + 8];

	(void)snprintf(path, sizeof(path), "%s/file", in);
	return open(path, O_WRONLY | O_CREAT, 0600) < 0 ? -1 : 0;
}

static int
make_own(void)
{
	return make_file(folder);
}

static int
make_other(void)
{
	return make_file(other);
}

static int
read_other(void)
{
	return open("/etc/passwd", O_RDONLY) < 0 ? -1 : 0;
}

static int
remove_other(void)
{
	char path[FOLDER_SIZE + 8];

	(void)snprintf(path, sizeof(path), "%s/there", other);
	return unlink(path);
}

static int
make_device(void)
{
	return mknod("device", S_IFCHR | 0600, 0);
}

static void
files_are_written_in_ones_own_folder(void **state)
{
	char path[FOLDER_SIZE + 8];
	int fd;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/there", other);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	(void)close(fd);
	assert_int_equal(outcome(0, make_own), 0);
	assert_int_equal(outcome(0, read_other), 0);
	assert_int_equal(outcome(0, make_device), NEVER);
#ifdef SANDBOX_WHOLE
	assert_int_equal(outcome(0, make_other), EACCES);
	assert_int_equal(outcome(0, remove_other), EACCES);
#else
	(void)make_other;
	(void)remove_other;
#endif
}

static void
who_runs_what_others_wrote_is_let(void **state)
{
	(void)state;
	assert_int_equal(outcome(SANDBOX_UNCONFINED, execute), 0);
}

static int
set_up(void **state)
{
	(void)state;
	folder_make(folder);
	folder_make(other);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	folder_remove(folder);
	folder_remove(other);
	return 0;
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_only_attackers_do_ends_the_program),
	    cmocka_unit_test(sockets_are_for_who_needs_them),
	    cmocka_unit_test(nobody_types_for_others),
	    cmocka_unit_test(threads_and_children_are_for_who_needs_them),
	    cmocka_unit_test(files_are_written_in_ones_own_folder),
	    cmocka_unit_test(who_runs_what_others_wrote_is_let),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
