/* SPDX-License-Identifier: ISC */
/*
 * The life of the whole house: all programs start together, a dead one comes
 * back, a reload is taken by all or by none, and the end has an order.
 */
#ifndef GATEWAY_HOUSE_H
#define GATEWAY_HOUSE_H

#include "base/compiler.h"

struct settings;

struct house_spec {
	const char *settings_path;
	struct settings *settings; /* taken */
	const char *libexecdir;
};

/*
 * Serves until SIGTERM or SIGINT.  The exit status: 0; 78 if a program does
 * not take the configuration at the start; 1 if the start fails otherwise.
 * HOUSE_RETURNS after SIGUSR2: the program is to be executed anew, by this
 * process, whose descriptors and environment hold the listening sockets for it.
 */
#define HOUSE_RETURNS (-1)
int house_run(const struct house_spec *spec) must_check;

#endif
