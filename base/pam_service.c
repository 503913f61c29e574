/* SPDX-License-Identifier: ISC */
/* Where the file of a PAM service is, without libpam. */
#include "base/pam_service.h"

#include <stdio.h>
#include <unistd.h>

#define PATH_SIZE 512

/* Where libpam looks, the vendors' folder last. */
static const char *const folders[] = {"/etc/pam.d", "/usr/lib/pam.d"};

static bool
has_file(const char *folder, const char *service)
{
	char path[PATH_SIZE];

	return snprintf(path, sizeof(path), "%s/%s", folder, service) <
		   (int)sizeof(path) &&
	       access(path, R_OK) == 0;
}

bool
pamservice_is_there(
    const char *folder, const char *service, char *why, size_t why_size)
{
	bool is_there = folder[0] != '\0' && has_file(folder, service);

	for (size_t i = 0; folder[0] == '\0' && i < ARRAY_COUNT(folders); i++)
		is_there |= has_file(folders[i], service);
	if (!is_there)
		(void)snprintf(why, why_size,
		    "password.service: there is no readable file %s in %s",
		    service, folder[0] != '\0' ? folder : folders[0]);
	return is_there;
}
