/* SPDX-License-Identifier: ISC */
/*
 * The copy on disk of the last rules that were taken, for a start while the
 * directory is silent.  Its modification time is when the directory last said
 * that the rules are these.
 */
#ifndef POLICY_RULES_COPY_H
#define POLICY_RULES_COPY_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

/* Writes it beside `path`, down to the disk: this may take long.  0 or
 * -errno. */
int rules_copy_write(const char *path, const void *set, size_t len,
    uint64_t confirmed_us) must_check;

/* Makes what was written the copy.  0 or -errno. */
int rules_copy_publish(const char *path) must_check;

/* Where the folder does not let it go it is emptied, which makes it none.  0
 * (also if there was none) or -errno. */
int rules_copy_remove(const char *path) must_check;

/* Sets the time alone.  0 or -errno. */
int rules_copy_confirm(const char *path, uint64_t confirmed_us) must_check;

/* *set is malloc'ed.  0; -errno: -ENOENT without a copy, -EBADMSG for a file
 * that is not whole. */
int rules_copy_read(const char *path, uint8_t **set, size_t *len,
    uint64_t *confirmed_us) must_check;

#endif
