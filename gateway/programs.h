/* SPDX-License-Identifier: ISC */
/* What the settings say about each of the master's programs. */
#ifndef GATEWAY_PROGRAMS_H
#define GATEWAY_PROGRAMS_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/role.h"

struct options;
struct settings;

/* How many of that role are to run. */
uint32_t programs_count(enum role role, const struct settings *settings);
/* Names what cannot be had without a restart, since it wants a program that
 * was not started; or NULL. */
const char *programs_restart_needed(
    const struct settings *now, const struct settings *next);
/* The user that it runs as, where we are root. */
const char *programs_user(enum role role, const struct settings *settings);
/* How long its pulse may stay out. */
unsigned programs_hang_ms(enum role role, const struct settings *settings);

/* The program's file in libexecdir; the caller frees. */
char *programs_path(enum role role, const char *libexecdir) must_check;
/* Its own folder under state_dir; the caller frees. */
char *
programs_folder(enum role role, const struct settings *settings) must_check;

#endif
