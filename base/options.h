/* SPDX-License-Identifier: ISC */
/* A helper's configuration: names and texts that the master hands over. */
#ifndef BASE_OPTIONS_H
#define BASE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

struct options;

struct options *options_new(void) must_check; /* dies without memory */
void options_free(struct options *options);

/* Adds; a name may be added several times (a list keeps its order). */
void options_add(struct options *options, const char *name, const char *text);
void options_add_u64(struct options *options, const char *name, uint64_t value);

/* The first text of that name, borrowed; `otherwise` if there is none. */
const char *options_get(
    const struct options *options, const char *name, const char *otherwise);
/* A copy of it, for the caller to free; "" if there is none. */
char *options_copy(const struct options *options, const char *name) must_check;
/* The n-th text of that name, from 0; NULL behind the last. */
const char *
options_get_nth(const struct options *options, const char *name, size_t n);
/* The n-th of all, from 0, borrowed; false behind the last. */
bool options_at(const struct options *options, size_t n, const char **name,
    const char **text);
/* must() be a number if it is there: the master has checked it. */
uint64_t options_get_u64(
    const struct options *options, const char *name, uint64_t otherwise);
bool options_get_bool(
    const struct options *options, const char *name, bool otherwise);

/* For the link: *data is malloc'ed and the caller's; dies without memory. */
void options_encode(const struct options *options, uint8_t **data, size_t *len);
/* NULL if the octets are not what options_encode writes. */
struct options *options_decode(const void *data, size_t len) must_check;

#endif
