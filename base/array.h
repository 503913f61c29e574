/* SPDX-License-Identifier: ISC */
/* Arrays that grow by one element at a time, without copying at each. */
#ifndef BASE_ARRAY_H
#define BASE_ARRAY_H

#include <stddef.h>

#include "base/compiler.h"

/*
 * Room for one element behind the first `count` of an array: the array
 * itself or, where `count` is 0 or a power of two, another of twice that
 * length with the same elements.  NULL without memory; the array is then what
 * it was.  For an array (NULL at first) that has grown by nothing else; it may
 * have been cut.
 */
void *array_room(void *array, size_t count, size_t size) must_check;

#endif
