/* SPDX-License-Identifier: ISC */
/* Where the file of a PAM service is, without libpam. */
#ifndef BASE_PAM_SERVICE_H
#define BASE_PAM_SERVICE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

/*
 * True if `folder`, or where that is "" the system, has a file of that
 * service that we may read; else a sentence stands in why.  Where there is
 * none libpam would take the service "other".
 */
bool pamservice_is_there(const char *folder, const char *service, char *why,
    size_t why_size) must_check;

#endif
