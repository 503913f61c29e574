/* SPDX-License-Identifier: ISC */
/* What a program may still ask of the kernel. */
#include "base/sandbox_confine.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/landlock.h>
#include <linux/sockios.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include "base/must.h"

#include "config.h"

/* ---- system calls */

/* Of an architecture that lacks one of them, libseccomp leaves it out. */
#define CALL(name) SCMP_SYS(name)

static const int of_all[] = {
    /* descriptors */
    CALL(read),
    CALL(write),
    CALL(readv),
    CALL(writev),
    CALL(pread64),
    CALL(pwrite64),
    CALL(preadv),
    CALL(pwritev),
    CALL(close),
    CALL(close_range),
    CALL(dup),
    CALL(dup2),
    CALL(dup3),
    CALL(fcntl),
    CALL(pipe2),
    CALL(eventfd2),
    CALL(lseek),
    CALL(sendfile),
    CALL(splice),
    /* events and time */
    CALL(epoll_create1),
    CALL(epoll_ctl),
    CALL(epoll_wait),
    CALL(epoll_pwait),
    CALL(epoll_pwait2),
    CALL(poll),
    CALL(ppoll),
    CALL(select),
    CALL(pselect6),
    CALL(timerfd_create),
    CALL(timerfd_settime),
    CALL(timerfd_gettime),
    CALL(clock_gettime),
    CALL(clock_getres),
    CALL(clock_nanosleep),
    CALL(nanosleep),
    CALL(gettimeofday),
    CALL(time),
    CALL(alarm),
    CALL(getitimer),
    CALL(setitimer),
    /* sockets that are there */
    CALL(sendmsg),
    CALL(recvmsg),
    CALL(sendto),
    CALL(recvfrom),
    CALL(sendmmsg),
    CALL(recvmmsg),
    CALL(shutdown),
    CALL(getsockopt),
    CALL(setsockopt),
    CALL(getsockname),
    CALL(getpeername),
    /* memory */
    CALL(mmap),
    CALL(munmap),
    CALL(mprotect),
    CALL(mremap),
    CALL(madvise),
    CALL(brk),
    CALL(mincore),
    CALL(membarrier),
    CALL(memfd_create),
    CALL(mlock),
    CALL(munlock),
    /* threads and signals */
    CALL(futex),
    CALL(rseq),
    CALL(set_robust_list),
    CALL(get_robust_list),
    CALL(set_tid_address),
    CALL(arch_prctl),
    CALL(sched_yield),
    CALL(sched_getaffinity),
    CALL(getcpu),
    CALL(rt_sigaction),
    CALL(rt_sigprocmask),
    CALL(rt_sigreturn),
    CALL(rt_sigpending),
    CALL(rt_sigtimedwait),
    CALL(rt_sigsuspend),
    CALL(sigaltstack),
    CALL(restart_syscall),
    CALL(tgkill),
    CALL(exit),
    CALL(exit_group),
    CALL(getpid),
    CALL(gettid),
    CALL(getppid),
    CALL(getuid),
    CALL(geteuid),
    CALL(getgid),
    CALL(getegid),
    CALL(getresuid),
    CALL(getresgid),
    CALL(getgroups),
    CALL(getpgrp),
    CALL(getpgid),
    CALL(getsid),
    CALL(prctl),
    CALL(capget),
    CALL(prlimit64),
    CALL(getrlimit),
    CALL(setrlimit),
    CALL(getrusage),
    CALL(times),
    CALL(uname),
    CALL(sysinfo),
    CALL(getrandom),
    CALL(umask),
    CALL(setsid),
    /* files; what of them may be written Landlock and their modes say */
    CALL(open),
    CALL(openat),
    CALL(stat),
    CALL(lstat),
    CALL(fstat),
    CALL(newfstatat),
    CALL(statx),
    CALL(statfs),
    CALL(fstatfs),
    CALL(access),
    CALL(faccessat),
    CALL(faccessat2),
    CALL(readlink),
    CALL(readlinkat),
    CALL(getcwd),
    CALL(getdents),
    CALL(getdents64),
    CALL(ftruncate),
    CALL(truncate),
    CALL(fallocate),
    CALL(fsync),
    CALL(fdatasync),
    CALL(flock),
    CALL(rename),
    CALL(renameat),
    CALL(renameat2),
    CALL(unlink),
    CALL(unlinkat),
    CALL(mkdir),
    CALL(mkdirat),
    CALL(rmdir),
    CALL(link),
    CALL(linkat),
    CALL(chmod),
    CALL(fchmod),
    CALL(fchmodat),
    CALL(fchown),
    CALL(utimensat),
    CALL(fadvise64),
    CALL(readahead),
};
static const int of_sockets[] = {
    CALL(connect), CALL(bind), CALL(listen), CALL(accept), CALL(accept4)};
static const int of_processes[] = {CALL(wait4), CALL(waitid), CALL(kill),
    CALL(fork), CALL(vfork), CALL(pidfd_open), CALL(pidfd_send_signal)};

/* Who makes one of these is not our program any more. */
static const int of_attackers[] = {CALL(execve), CALL(execveat),
    CALL(process_vm_readv), CALL(process_vm_writev), CALL(kcmp), CALL(mount),
    CALL(umount2), CALL(move_mount), CALL(open_tree), CALL(fsopen),
    CALL(pivot_root), CALL(chroot), CALL(setns), CALL(unshare), CALL(bpf),
    CALL(perf_event_open), CALL(userfaultfd), CALL(io_uring_setup),
    CALL(init_module), CALL(finit_module), CALL(delete_module),
    CALL(kexec_load), CALL(kexec_file_load), CALL(reboot), CALL(swapon),
    CALL(swapoff), CALL(settimeofday), CALL(clock_settime), CALL(adjtimex),
    CALL(open_by_handle_at), CALL(personality), CALL(modify_ldt), CALL(iopl),
    CALL(ioperm), CALL(acct), CALL(quotactl), CALL(sethostname),
    CALL(setdomainname), CALL(mknod), CALL(mknodat)};

#ifndef SANDBOX_WHOLE
/* The leak checker stops our threads and looks at them, by a child. */
#	define OF_SANITIZERS SANDBOX_PROCESSES
#	define PTRACE_IS     SCMP_ACT_ALLOW
#else
#	define OF_SANITIZERS 0
#	define PTRACE_IS     SCMP_ACT_KILL_PROCESS
#endif

static bool
add_all(scmp_filter_ctx filter, uint32_t action, const int *calls, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (seccomp_rule_add(filter, action, calls[i], 0) < 0)
			return false;
	return true;
}

/* Lets a call whose argument of that number is so. */
static bool
let_if(scmp_filter_ctx filter, int call, struct scmp_arg_cmp condition)
{
	return seccomp_rule_add_array(
		   filter, SCMP_ACT_ALLOW, call, 1, &condition) == 0;
}

/* Of the argument's bits that the mask has.  A filter sees 64 of them, and the
 * kernel takes 32 where it wants an int. */
static struct scmp_arg_cmp
has_bits(unsigned argument, uint64_t mask, uint64_t bits)
{
	return (struct scmp_arg_cmp){.arg = argument,
	    .op = SCMP_CMP_MASKED_EQ,
	    .datum_a = mask,
	    .datum_b = bits};
}

static bool
add_sockets(scmp_filter_ctx filter, unsigned needs)
{
	static const int families[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};

	if ((needs & SANDBOX_NETWORK) == 0)
		return true;
	for (size_t i = 0; i < ARRAY_COUNT(families); i++)
		if (!let_if(filter, CALL(socket),
			has_bits(0, UINT32_MAX, (uint64_t)families[i])))
			return false;
	return add_all(
	    filter, SCMP_ACT_ALLOW, of_sockets, ARRAY_COUNT(of_sockets));
}

/* Of which libevent and the C library make use; terminals have others, one of
 * which types commands for whoever sits there. */
static bool
add_ioctls(scmp_filter_ctx filter)
{
	static const unsigned long requests[] = {FIONREAD, FIONBIO, FIOCLEX,
	    TCGETS, SIOCGIFINDEX, SIOCGIFNAME, SIOCOUTQ};

	for (size_t i = 0; i < ARRAY_COUNT(requests); i++)
		if (!let_if(filter, CALL(ioctl),
			has_bits(1, UINT32_MAX, requests[i])))
			return false;
	return true;
}

#define NEW_TIME 0x80 /* CLONE_NEWTIME, newer than some headers */
#define NAMESPACES                                                             \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |         \
	    CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | NEW_TIME)

/* The arguments of clone3 lie in memory, where no filter looks: the C library
 * takes clone instead when it hears that there is no such call. */
static bool
add_clone(scmp_filter_ctx filter, unsigned needs)
{
	if (seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), CALL(clone3), 0) <
	    0)
		return false;
	if ((needs & SANDBOX_PROCESSES) != 0)
		return let_if(filter, CALL(clone), has_bits(0, NAMESPACES, 0));
	if ((needs & SANDBOX_THREADS) != 0)
		return let_if(filter, CALL(clone),
		    has_bits(0, NAMESPACES | CLONE_THREAD, CLONE_THREAD));
	return true;
}

static bool
add_calls(scmp_filter_ctx filter, unsigned needs)
{
	return add_all(filter, SCMP_ACT_ALLOW, of_all, ARRAY_COUNT(of_all)) &&
	       add_all(filter, SCMP_ACT_KILL_PROCESS, of_attackers,
		   ARRAY_COUNT(of_attackers)) &&
	       seccomp_rule_add(filter, PTRACE_IS, CALL(ptrace), 0) == 0 &&
	       add_sockets(filter, needs) && add_clone(filter, needs) &&
	       ((needs & SANDBOX_PROCESSES) == 0 ||
		   add_all(filter, SCMP_ACT_ALLOW, of_processes,
		       ARRAY_COUNT(of_processes))) &&
	       /* Links between programs are made by the master. */
	       let_if(filter, CALL(socketpair),
		   has_bits(0, UINT32_MAX, AF_UNIX)) &&
	       add_ioctls(filter);
}

static int
filter_calls(unsigned needs)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int status = filter == NULL ? -ENOMEM : 0;

	if (status == 0 && !add_calls(filter, needs))
		status = -EINVAL;
	if (status == 0)
		status = seccomp_load(filter);
	seccomp_release(filter);
	return status;
}

/* ---- files */

#ifdef SANDBOX_WHOLE

/* Newer than the oldest headers that we build with. */
#	ifndef LANDLOCK_ACCESS_FS_REFER
#		define LANDLOCK_ACCESS_FS_REFER (1ULL << 13)
#	endif
#	ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#		define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#	endif

#	define WRITING                                                        \
		(LANDLOCK_ACCESS_FS_WRITE_FILE |                               \
		    LANDLOCK_ACCESS_FS_REMOVE_DIR |                            \
		    LANDLOCK_ACCESS_FS_REMOVE_FILE |                           \
		    LANDLOCK_ACCESS_FS_MAKE_CHAR |                             \
		    LANDLOCK_ACCESS_FS_MAKE_DIR |                              \
		    LANDLOCK_ACCESS_FS_MAKE_REG |                              \
		    LANDLOCK_ACCESS_FS_MAKE_SOCK |                             \
		    LANDLOCK_ACCESS_FS_MAKE_FIFO |                             \
		    LANDLOCK_ACCESS_FS_MAKE_BLOCK |                            \
		    LANDLOCK_ACCESS_FS_MAKE_SYM)

static uint64_t
writing(long version)
{
	return WRITING | (version >= 2 ? LANDLOCK_ACCESS_FS_REFER : 0) |
	       (version >= 3 ? LANDLOCK_ACCESS_FS_TRUNCATE : 0);
}

/* Of a folder that is not there, but may come, the one that it would be in. */
static int
open_folder(const char *folder)
{
	char parent[PATH_MAX];
	int fd = open(folder, O_PATH | O_CLOEXEC);
	char *slash;

	if (fd >= 0 || errno != ENOENT)
		return fd;
	(void)strlcpy(parent, folder, sizeof(parent));
	slash = strrchr(parent, '/');
	if (slash == NULL || slash == parent)
		return -1;
	*slash = '\0';
	return open(parent, O_PATH | O_CLOEXEC);
}

static int
let_write(int ruleset, const char *folder, uint64_t access)
{
	struct landlock_path_beneath_attr beneath = {
	    .allowed_access = access,
	    .parent_fd = open_folder(folder),
	};
	int status = 0;

	if (beneath.parent_fd < 0)
		return -errno;
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH,
		&beneath, 0) < 0)
		status = -errno;
	(void)close(beneath.parent_fd);
	return status;
}

static int
filter_files(const char *folder)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);
	struct landlock_ruleset_attr attributes = {
	    .handled_access_fs = writing(version) | LANDLOCK_ACCESS_FS_EXECUTE,
	};
	int ruleset, status = 0;

	if (version < 1) {
		log_info(NULL, "this kernel has no Landlock: what may be "
			       "written is left to the files' modes");
		return 0;
	}
	ruleset = (int)syscall(
	    SYS_landlock_create_ruleset, &attributes, sizeof(attributes), 0);
	if (ruleset < 0)
		return -errno;
	if (folder != NULL)
		status = let_write(ruleset, folder, writing(version));
	if (status == 0)
		status = let_write(
		    ruleset, "/dev/null", LANDLOCK_ACCESS_FS_WRITE_FILE);
	if (status == 0 && syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		status = -errno;
	(void)close(ruleset);
	return status;
}

#else

/* Sanitizers and coverage write what they find where they like. */
static int
filter_files(const char *folder)
{
	(void)folder;
	return 0;
}

#endif

int
sandbox_confine(unsigned needs, const char *folder)
{
	int status;

	if ((needs & SANDBOX_UNCONFINED) != 0)
		return 0;
	status = filter_files(folder);
	return status < 0 ? status : filter_calls(needs | OF_SANITIZERS);
}
