/* SPDX-License-Identifier: ISC */
/* Turns into another program: user, environment, descriptors, exec. */
#ifndef GATEWAY_SPAWN_H
#define GATEWAY_SPAWN_H

#include <sys/types.h>

#include "base/compiler.h"

struct child_spec;

/*
 * Starts the program with `control` (borrowed) as its descriptor CONTROL_FD,
 * nothing on its standard input, our standard error, and no other
 * descriptor.  Its pid, or -errno.
 */
pid_t spawn_program(const struct child_spec *spec, int control) must_check;

#endif
