/* SPDX-License-Identifier: ISC */
/* The programs of the house and what they are called. */
#ifndef BASE_ROLE_H
#define BASE_ROLE_H

#include "base/compiler.h"

enum role {
	ROLE_MASTER,
	ROLE_GATEWAY,
	ROLE_AUTHENTICATOR,
	ROLE_DIRECTORY_WATCH,
	ROLE_DIRECTORY_LOOKUP,
	ROLE_AUDITOR,
	ROLE_PASSWORD_CHECKER,
	ROLE_COUNT
};

/* "gateway", "authenticator", "directory-watch" ... */
const char *role_name(enum role role);

#endif
