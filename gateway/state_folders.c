/* SPDX-License-Identifier: ISC */
/* The folders in which programs keep what must survive a restart. */
#include "gateway/state_folders.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/role.h"
#include "base/sandbox.h"
#include "gateway/programs.h"
#include "gateway/settings.h"

/* Programs pass through it to their own folders. */
#define STATE_DIR_MODE 0711
#define FOLDER_MODE    0700

/* What is there already stays as it is.  0 or -errno. */
static int
make_one(const char *path)
{
	if (mkdir(path, STATE_DIR_MODE) < 0)
		return errno == EEXIST ? 0 : -errno;
	/* Our umask leaves less. */
	return chmod(path, STATE_DIR_MODE) < 0 ? -errno : 0;
}

/* With the folders on the way to it. */
static int
make_path(const char *path)
{
	char partial[PATH_MAX];

	if (strlcpy(partial, path, sizeof(partial)) >= sizeof(partial))
		return -ENAMETOOLONG;
	for (char *end = partial + 1; *end != '\0'; end++) {
		int status;

		if (*end != '/')
			continue;
		*end = '\0';
		status = make_one(partial);
		if (status < 0)
			return status;
		*end = '/';
	}
	return make_one(partial);
}

/* By one who may chown(2) but has no right in a folder that is another's. */
static int
give_folder(int fd, const struct sandbox_user *user)
{
	char self[sizeof("/proc/self/fd/") + 10];
	struct stat is;

	if (fstat(fd, &is) < 0)
		return -errno;
	(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	if ((is.st_mode & 07777) != FOLDER_MODE && chmod(self, FOLDER_MODE) < 0)
		return -errno;
	if ((is.st_uid != user->uid || is.st_gid != user->gid) &&
	    fchownat(fd, "", user->uid, user->gid, AT_EMPTY_PATH) < 0)
		return -errno;
	return 0;
}

static int
make_folder(const char *path, const struct sandbox_user *user)
{
	int status, fd;

	if (mkdir(path, FOLDER_MODE) < 0 && errno != EEXIST)
		return -errno;
	/* Its owner may have put something else there. */
	fd = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	status = give_folder(fd, user);
	(void)close(fd);
	return status;
}

static bool
make_for(
    enum role role, const struct settings *settings, char *why, size_t why_size)
{
	const char *name = programs_user(role, settings);
	char *path = programs_folder(role, settings);
	struct sandbox_user user = {geteuid(), getegid()};
	int status = 0;

	if (geteuid() == 0) {
		status = sandbox_user_find(name, &user);
		if (status < 0)
			(void)snprintf(why, why_size,
			    "users: there is no user %s for the %s", name,
			    role_name(role));
	}
	if (status == 0) {
		status = make_folder(path, &user);
		if (status < 0)
			(void)snprintf(why, why_size,
			    "gateway.state_dir: cannot make %s: %s", path,
			    strerror(-status));
	}
	free(path);
	return status == 0;
}

bool
state_folders_make(const struct settings *settings, char *why, size_t why_size)
{
	int status = make_path(settings->state_dir);

	if (status < 0) {
		(void)snprintf(why, why_size,
		    "gateway.state_dir: cannot make %s: %s",
		    settings->state_dir, strerror(-status));
		return false;
	}
	for (enum role role = ROLE_GATEWAY; role < ROLE_COUNT; role++) {
		if (!make_for(role, settings, why, why_size))
			return false;
	}
	return true;
}
