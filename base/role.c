/* SPDX-License-Identifier: ISC */
/* The programs of the house and what they are called. */
#include "base/role.h"

#include "base/must.h"

static const char *const names[ROLE_COUNT] = {
    [ROLE_MASTER] = "master",
    [ROLE_GATEWAY] = "gateway",
    [ROLE_AUTHENTICATOR] = "authenticator",
    [ROLE_DIRECTORY_WATCH] = "directory-watch",
    [ROLE_DIRECTORY_LOOKUP] = "directory-lookup",
    [ROLE_AUDITOR] = "auditor",
    [ROLE_PASSWORD_CHECKER] = "password-checker",
};

const char *
role_name(enum role role)
{
	must(role < ROLE_COUNT);
	return names[role];
}
