/* SPDX-License-Identifier: ISC */
/* Octets into a file or pipe, all of them. */
#include "base/write_whole.h"

#include <errno.h>
#include <stdint.h>
#include <unistd.h>

int
write_whole(int fd, const void *data, size_t len)
{
	const uint8_t *octets = data;

	while (len > 0) {
		ssize_t done = write(fd, octets, len);

		if (done < 0 && errno != EINTR)
			return -errno;
		if (done > 0) {
			octets += done;
			len -= (size_t)done;
		}
	}
	return 0;
}
