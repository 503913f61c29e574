/* SPDX-License-Identifier: ISC */
/* What a program gives up: its user, new privileges, core dumps. */
#include "base/sandbox.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/text.h"

int
sandbox_user_find(const char *text, struct sandbox_user *user)
{
	const struct passwd *entry;
	uint64_t number;

	/* (uid_t)-1 means "leave it" to setresuid(2). */
	if (text_parse_u64(text, 0, UINT32_MAX - 1, &number)) {
		entry = getpwuid((uid_t)number);
		user->uid = (uid_t)number;
		user->gid = entry != NULL ? entry->pw_gid : (gid_t)number;
		return 0;
	}
	errno = 0;
	entry = getpwnam(text);
	if (entry == NULL)
		return errno != 0 ? -errno : -ENOENT;
	user->uid = entry->pw_uid;
	user->gid = entry->pw_gid;
	return 0;
}

int
sandbox_become(const struct sandbox_user *user)
{
	if (geteuid() != 0)
		return 0;
	/* A user namespace may forbid setgroups(2); that is no loss where
	 * there is no group to lose. */
	if (setgroups(0, NULL) < 0 && getgroups(0, NULL) != 0)
		return -errno;
	if (setresgid(user->gid, user->gid, user->gid) < 0 ||
	    setresuid(user->uid, user->uid, user->uid) < 0)
		return -errno;
	if (user->uid != 0 && setresuid(0, 0, 0) == 0)
		return -EPERM;
	return 0;
}

int
sandbox_enter(bool may_gain)
{
	const struct rlimit none = {0, 0};
	const struct sigaction ignore = {.sa_handler = SIG_IGN};

	if ((!may_gain && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ||
	    setrlimit(RLIMIT_CORE, &none) < 0 ||
	    sigaction(SIGPIPE, &ignore, NULL) < 0)
		return -errno;
	return 0;
}
