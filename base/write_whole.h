/* SPDX-License-Identifier: ISC */
/* Octets into a file or pipe, all of them. */
#ifndef BASE_WRITE_WHOLE_H
#define BASE_WRITE_WHOLE_H

#include <stddef.h>

#include "base/compiler.h"

/* write(2) again and again, past signals too; fd must not be O_NONBLOCK.  0 or
 * -errno; then some of it may be written. */
int write_whole(int fd, const void *data, size_t len) must_check;

#endif
