/* SPDX-License-Identifier: ISC */
/* The Unix socket at which gatewardenctl asks. */
#include "gateway/control_socket.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/control.h"
#include "base/must.h"
#include "base/text.h"
#include "gateway/control_server.h"
#include "gateway/settings.h"

#define BACKLOG	    16
#define FOLDER_MODE 0755
#define SOCKET_MODE 0666

struct control_socket {
	unsigned references; /* of the master's plans: one thread */
	int fd;
	struct sockaddr_un address;
};

/* Only the last folder of the way: those above it are the system's.  0 or
 * -errno. */
static int
make_folder(const char *path)
{
	char folder[sizeof(((struct sockaddr_un *)0)->sun_path)];
	char *slash;

	(void)strlcpy(folder, path, sizeof(folder));
	slash = strrchr(folder, '/');
	if (slash == NULL || slash == folder)
		return 0;
	*slash = '\0';
	if (mkdir(folder, FOLDER_MODE) < 0)
		return errno == EEXIST ? 0 : -errno;
	/* Our umask leaves less. */
	return chmod(folder, FOLDER_MODE) < 0 ? -errno : 0;
}

/* Does nobody listen at what is there? */
static bool
is_left_over(const struct sockaddr_un *address)
{
	struct stat status;
	int probe;
	bool is_refused;

	if (lstat(address->sun_path, &status) < 0 || !S_ISSOCK(status.st_mode))
		return false;
	probe =
	    socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (probe < 0)
		return false;
	is_refused = connect(probe, (const struct sockaddr *)address,
			 sizeof(*address)) < 0 &&
		     errno == ECONNREFUSED;
	(void)close(probe);
	return is_refused;
}

static bool
bind_to(const struct control_socket *socket)
{
	const struct sockaddr *address =
	    (const struct sockaddr *)&socket->address;

	if (bind(socket->fd, address, sizeof(socket->address)) == 0)
		return true;
	if (errno != EADDRINUSE)
		return false;
	if (!is_left_over(&socket->address)) {
		errno = EADDRINUSE;
		return false;
	}
	return unlink(socket->address.sun_path) == 0 &&
	       bind(socket->fd, address, sizeof(socket->address)) == 0;
}

/* 0 or -errno. */
static int
open_socket(struct control_socket *made, const char *path)
{
	int status = make_folder(path);

	if (status < 0)
		return status;
	made->address.sun_family = AF_UNIX;
	if (strlcpy(
		made->address.sun_path, path, sizeof(made->address.sun_path)) >=
	    sizeof(made->address.sun_path))
		return -ENAMETOOLONG;
	made->fd =
	    socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (made->fd < 0)
		return -errno;
	if (!bind_to(made))
		status = -errno;
	else if (chmod(path, SOCKET_MODE) < 0 || listen(made->fd, BACKLOG) < 0)
		status = -errno;
	if (status < 0)
		(void)close(made->fd);
	return status;
}

bool
control_socket_open(const struct settings *settings,
    struct control_socket *have, struct control_socket **made, char *why,
    size_t why_size)
{
	int status;

	*made = have;
	if (have != NULL) {
		have->references++;
		return true;
	}
	if (settings->control_socket[0] == '\0')
		return true;
	*made = must_alloc(1, sizeof(**made));
	(*made)->references = 1;
	status = open_socket(*made, settings->control_socket);
	if (status == 0)
		return true;
	(void)snprintf(why, why_size, "control.socket: cannot listen on %s: %s",
	    settings->control_socket, strerror(-status));
	free(*made);
	*made = NULL;
	return false;
}

void
control_socket_unref(struct control_socket *socket)
{
	if (socket == NULL || --socket->references > 0)
		return;
	(void)unlink(socket->address.sun_path);
	(void)close(socket->fd);
	free(socket);
}

int
control_socket_fd(const struct control_socket *socket)
{
	return socket->fd;
}

bool
control_socket_group(const char *setting, const char *name, uint32_t *number,
    char *why, size_t why_size)
{
	const struct group *found;
	uint64_t read;

	*number = CONTROL_NO_GROUP;
	if (name[0] == '\0')
		return true;
	if (text_parse_u64(name, 0, CONTROL_NO_GROUP - 1, &read)) {
		*number = (uint32_t)read;
		return true;
	}
	found = getgrnam(name);
	if (found == NULL) {
		(void)snprintf(
		    why, why_size, "%s: there is no group %s", setting, name);
		return false;
	}
	*number = found->gr_gid;
	return true;
}

bool
control_socket_groups(const struct settings *settings,
    struct control_groups *groups, char *why, size_t why_size)
{
	return control_socket_group("control.read_group",
		   settings->control_read_group, &groups->read, why,
		   why_size) &&
	       control_socket_group("control.operate_group",
		   settings->control_operate_group, &groups->operate, why,
		   why_size);
}
