/* SPDX-License-Identifier: ISC */
/* Texts, each once and with how often it came. */
#ifndef CTL_TALLY_H
#define CTL_TALLY_H

#include <stdint.h>

#include <jansson.h>

#include "base/compiler.h"

struct tally;

struct tally *tally_new(void) must_check; /* dies without memory */
void tally_free(struct tally *tally);	  /* NULL is fine */

/* Counts the text; it is copied.  Dies without memory. */
void tally_add(struct tally *tally, const char *text);

/* On standard output, one line each: what stands before it, the text, quoted,
 * and the number in brackets. */
void tally_print(const struct tally *tally, const char *before);
/* An array of objects with text and count. */
json_t *tally_array(const struct tally *tally) must_check;

#endif
