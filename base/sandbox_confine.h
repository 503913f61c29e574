/* SPDX-License-Identifier: ISC */
/*
 * What a program may still ask of the kernel: a list of system calls (seccomp)
 * and one folder in which it may write (Landlock).
 *
 * All calls that are not on the list fail with EPERM, so that a library that
 * tries something new gets an error that it knows; those that only an attacker
 * makes (execve, ptrace, mount, bpf ...) end the program, and its death is on
 * record as any other.
 */
#ifndef BASE_SANDBOX_CONFINE_H
#define BASE_SANDBOX_CONFINE_H

#include "base/compiler.h"

/* Besides memory, time, files that are there for reading, its event loop and
 * what was handed to it. */
enum sandbox_need {
	SANDBOX_NETWORK = 1,   /* Unix, IPv4, IPv6 and netlink sockets */
	SANDBOX_THREADS = 2,   /* threads of its own */
	SANDBOX_PROCESSES = 4, /* children of its own, the same program */
	SANDBOX_UNCONFINED = 8 /* it runs what others wrote: nothing is done */
};

/*
 * For this thread and all that it starts, for good; before there are others.
 * Nothing can be written but below `folder` (NULL: nowhere), and nothing be
 * executed.  Where the kernel has no Landlock the log says so.  0 or -errno.
 */
int sandbox_confine(unsigned needs, const char *folder) must_check;

#endif
