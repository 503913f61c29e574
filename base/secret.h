/* SPDX-License-Identifier: ISC */
/* A secret in memory: wiped when freed, kept out of core dumps, never
 * logged. */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <stdint.h>

#include "base/compiler.h"

struct secret {
	size_t len;
	uint8_t *data; /* NUL follows data[len - 1] */
	size_t size;   /* of what is wiped */
};

/* Copies len octets; NULL and errno when there is no memory. */
struct secret *secret_new(const void *data, size_t len) must_check;

/*
 * Reads a whole file of at most 4096 octets from its start, without its last
 * newline; fd stays open.  NULL and errno (EFBIG, EINVAL when empty).
 */
struct secret *secret_read(int fd) must_check;

/* Processes that are forked from now on find zeros in its place.  0 or
 * -errno. */
int secret_hide_from_children(struct secret *secret) must_check;

/* Reads a whole file of at most `most` octets as it is (none is fine); fd
 * stays open.  NULL and errno (EFBIG). */
struct secret *secret_read_all(int fd, size_t most) must_check;

void secret_free(struct secret *secret);

#endif
