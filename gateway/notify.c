/* SPDX-License-Identifier: ISC */
/*
 * What the service manager is told (sd_notify(3)): one datagram to the socket
 * that NOTIFY_SOCKET names.
 */
#include "gateway/notify.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

static void
tell(const char *text)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	size_t len = path != NULL ? strlen(path) : 0;
	int fd;

	if (len == 0 || len >= sizeof(to.sun_path))
		return;
	memcpy(to.sun_path, path, len);
	if (path[0] == '@') /* the abstract name space */
		to.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 ||
	    sendto(fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT,
		(const struct sockaddr *)&to,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0)
		log_warning(NULL, "cannot tell the service manager %s", text);
	if (fd >= 0)
		(void)close(fd);
}

void
notify_ready(void)
{
	tell("READY=1");
}

void
notify_reloading(void)
{
	char text[80];

	(void)snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%llu",
	    (unsigned long long)clock_monotonic_us());
	tell(text);
}

void
notify_stopping(uint64_t seconds)
{
	char text[80];

	(void)snprintf(text, sizeof(text),
	    "STOPPING=1\nEXTEND_TIMEOUT_USEC=%llu",
	    (unsigned long long)seconds * 1000000);
	tell(text);
}
