/* SPDX-License-Identifier: ISC */
/* What `gatewarden --check` looks at on this host: addresses, the receiver of
 * records, the auditor's folder, the limit of descriptors. */
#include "gateway/check_host.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/findings.h"
#include "base/role.h"
#include "base/sandbox.h"
#include "gateway/capacity.h"
#include "gateway/programs.h"
#include "gateway/settings.h"

#define CONNECT_MS 1000
#define ROOM_LEAST (1024 * 1024)

struct host_check {
	const struct settings *settings;
	const char *settings_path;
	struct findings *findings;
};

/* ---- sockets */

/* 0 or the errno with which it was refused. */
static int
try_connect(const void *address, socklen_t len, int family, int type)
{
	int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct pollfd poller = {.fd = fd, .events = POLLOUT};
	socklen_t size = sizeof(int);
	int error = 0;

	if (fd < 0)
		return errno;
	if (connect(fd, address, len) < 0)
		error = errno;
	if (error == EINPROGRESS) {
		if (poll(&poller, 1, CONNECT_MS) != 1)
			error = ETIMEDOUT;
		else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) <
			 0)
			error = errno;
	}
	(void)close(fd);
	return error;
}

static int
try_unix(const char *path, int type)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (strlcpy(address.sun_path, path, sizeof(address.sun_path)) >=
	    sizeof(address.sun_path))
		return ENAMETOOLONG;
	return try_connect(&address, sizeof(address), AF_UNIX, type);
}

static int
try_tcp(const char *text)
{
	struct socket_address address;
	struct sockaddr_storage to;
	socklen_t len;

	if (!socket_address_parse(text, &address))
		return EINVAL;
	len = socket_address_to(&address, &to);
	return try_connect(&to, len, to.ss_family, SOCK_STREAM);
}

static void
check_receiver(const struct host_check *check)
{
	const char *target = check->settings->audit_target;
	const struct finding_place about = {check->settings_path, target, NULL};
	int error = strncmp(target, "unix:", strlen("unix:")) == 0
			? try_unix(target + strlen("unix:"), SOCK_DGRAM)
			: try_tcp(target + strlen("tcp:"));

	if (error != 0)
		findings_add(check->findings, FINDING_SYSLOG, &about,
		    "audit.target: nobody receives at %s: %s", target,
		    strerror(error));
}

/* ---- listeners */

/* A full backlog is somebody's, too. */
static bool
is_gateway_there(const struct settings *settings)
{
	int error;

	if (settings->control_socket[0] == '\0')
		return false;
	error = try_unix(settings->control_socket, SOCK_SEQPACKET);
	return error == 0 || error == EAGAIN;
}

/* As the master does it.  0 or an errno. */
static int
try_listen(const struct socket_address *address)
{
	const int yes = 1;
	struct sockaddr_storage to;
	socklen_t len = socket_address_to(address, &to);
	int fd = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int error = 0;

	if (fd < 0)
		return errno;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) < 0 ||
	    (to.ss_family == AF_INET6 &&
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof(yes)) <
		    0) ||
	    bind(fd, (const struct sockaddr *)&to, len) < 0)
		error = errno;
	(void)close(fd);
	return error;
}

static void
check_listener(const struct host_check *check,
    const struct listener_settings *listener, bool is_running)
{
	char port[8];
	const struct finding_place about = {check->settings_path, port, NULL};
	int error = try_listen(&listener->bind);

	(void)snprintf(port, sizeof(port), "%u", (unsigned)listener->bind.port);
	if (error == EADDRINUSE && !is_running)
		findings_add(check->findings, FINDING_ADDRESS_IN_USE, &about,
		    "listener %s: another program listens on %s",
		    listener->name, listener->address);
	else if (error != 0 && error != EADDRINUSE)
		findings_add(check->findings, FINDING_ADDRESS, &about,
		    "listener %s cannot listen on %s: %s", listener->name,
		    listener->address, strerror(error));
}

static void
check_listeners(const struct host_check *check)
{
	const struct settings *settings = check->settings;
	bool is_running = is_gateway_there(settings);

	for (size_t n = 0; n < settings->listener_count; n++)
		check_listener(check, &settings->listeners[n], is_running);
}

/* ---- the auditor's folder */

static bool
is_owned_otherwise(const struct settings *settings, const struct stat *status)
{
	const char *name = programs_user(ROLE_AUDITOR, settings);
	struct sandbox_user user;

	return geteuid() == 0 && sandbox_user_find(name, &user) == 0 &&
	       user.uid != 0 && status->st_uid != user.uid;
}

static void
check_room(const struct host_check *check, const struct finding_place *about)
{
	struct statvfs room;

	if (statvfs(about->subject, &room) < 0)
		return;
	if ((uint64_t)room.f_bavail * room.f_frsize < ROOM_LEAST ||
	    (room.f_files > 0 && room.f_favail == 0))
		findings_add(check->findings, FINDING_STATE_FULL, about,
		    "gateway.state_dir: %s is on a full file system",
		    about->subject);
}

/* A folder that is not there yet is made at the start. */
static void
check_folder(const struct host_check *check)
{
	char *path = programs_folder(ROLE_AUDITOR, check->settings);
	const struct finding_place about = {check->settings_path, path,
	    programs_user(ROLE_AUDITOR, check->settings)};
	struct stat status;

	if (stat(path, &status) < 0) {
		free(path);
		return;
	}
	if (access(path, W_OK | X_OK) < 0)
		findings_add(check->findings, FINDING_STATE_READ_ONLY, &about,
		    "gateway.state_dir: %s cannot be written: %s", path,
		    strerror(errno));
	else if (is_owned_otherwise(check->settings, &status))
		findings_add(check->findings, FINDING_STATE_OWNER, &about,
		    "gateway.state_dir: %s does not belong to the auditor",
		    path);
	check_room(check, &about);
	free(path);
}

/* ---- limits */

/* Programs are started with the hard limit. */
static void
check_descriptors(const struct host_check *check)
{
	uint64_t need = capacity_descriptors(check->settings);
	char text[24];
	const struct finding_place about = {check->settings_path, text, NULL};
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 ||
	    limit.rlim_max == RLIM_INFINITY || limit.rlim_max >= need)
		return;
	(void)snprintf(text, sizeof(text), "%" PRIu64, need);
	findings_add(check->findings, FINDING_DESCRIPTORS, &about,
	    "gateway.sessions_max: %" PRIu64 " sessions want %" PRIu64
	    " descriptors, and the limit is %" PRIu64,
	    check->settings->sessions_max, need, (uint64_t)limit.rlim_max);
}

void
check_host(const struct settings *settings, const char *settings_path,
    struct findings *findings)
{
	const struct host_check check = {settings, settings_path, findings};

	check_listeners(&check);
	check_receiver(&check);
	check_folder(&check);
	check_descriptors(&check);
}
