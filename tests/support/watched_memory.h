/* SPDX-License-Identifier: ISC */
/*
 * libevent's memory under watch: whether what it frees, or still holds, shows
 * part of a secret.
 */
#ifndef TESTS_SUPPORT_WATCHED_MEMORY_H
#define TESTS_SUPPORT_WATCHED_MEMORY_H

#include <stddef.h>

/* As many octets in a row are a find. */
#define WATCHED_MEMORY_WINDOW 4

/* Before anything else is asked of libevent. */
void watched_memory_start(void);

/* From now on octets of this secret are looked for; borrowed.  NULL: none. */
void watched_memory_secret(const void *secret, size_t len);

/* Blocks that were freed with part of the secret in them since it was set,
 * and blocks that are held and have some now. */
unsigned watched_memory_freed(void);
unsigned watched_memory_held(void);

#endif
