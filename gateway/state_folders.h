/* SPDX-License-Identifier: ISC */
/* The folders in which programs keep what must survive a restart. */
#ifndef GATEWAY_STATE_FOLDERS_H
#define GATEWAY_STATE_FOLDERS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

struct settings;

/* Makes state_dir and in it each program's own folder: mode 0700, owned by
 * the program's user.  False with a sentence in why. */
bool state_folders_make(
    const struct settings *settings, char *why, size_t why_size) must_check;

#endif
