/* SPDX-License-Identifier: ISC */
/* A child process for what may block. */
#include "policy/ldap_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/write_whole.h"

#define CHILD_FD 3 /* where the child writes */

/* Holds nothing of the parent's, and does not outlive it. */
static int
leave_parent(int fd, pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent ||
	    dup2(fd, CHILD_FD) != CHILD_FD ||
	    close_range(CHILD_FD + 1, ~0U, 0) != 0)
		_exit(EX_OSERR);
	return CHILD_FD;
}

pid_t
process_fork(int *fd)
{
	pid_t parent = getpid(), pid;
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) != 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		*fd = leave_parent(fds[1], parent);
		return 0;
	}
	(void)close(fds[1]);
	if (pid < 0) {
		(void)close(fds[0]);
		return -1;
	}
	(void)fcntl(fds[0], F_SETFL, O_NONBLOCK);
	*fd = fds[0];
	return pid;
}

void
process_write(int fd, const void *data, size_t len)
{
	if (write_whole(fd, data, len) < 0)
		_exit(EX_IOERR);
}

int
process_reap(pid_t pid)
{
	int status = -1;

	(void)kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}
