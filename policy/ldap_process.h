/* SPDX-License-Identifier: ISC */
/* A child process for what may block: it writes into a pipe, and its parent
 * never waits. */
#ifndef POLICY_LDAP_PROCESS_H
#define POLICY_LDAP_PROCESS_H

#include <stddef.h>
#include <sys/types.h>

#include "base/compiler.h"

/*
 * Forks.  In the child 0, and *fd is all that it has of its parent, which it
 * does not outlive; in the parent the child, and *fd does not block.  -1 and
 * errno.
 */
pid_t process_fork(int *fd) must_check;

/* In the child: all of it, or the end of the process. */
void process_write(int fd, const void *data, size_t len);

/* Its exit status, as waitpid gives it; killed if it has not exited. */
int process_reap(pid_t pid);

#endif
