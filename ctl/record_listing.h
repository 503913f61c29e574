/* SPDX-License-Identifier: ISC */
/* Audit records, printed one after the other: lines for people, or one
 * document. */
#ifndef CTL_RECORD_LISTING_H
#define CTL_RECORD_LISTING_H

#include <stdbool.h>
#include <stddef.h>

#include "ctl/outcome.h"

struct record_listing;

/* last: only so many at the end are printed; 0: all, at once.  Dies without
 * memory. */
struct record_listing *
record_listing_new(bool wants_json, size_t last) must_check;
void record_listing_free(struct record_listing *listing); /* NULL is fine */

/* A message that audit_text_parse takes; copied where it waits. */
void record_listing_add(
    struct record_listing *listing, const char *message, size_t len);

/* Prints what waits, and the end. */
enum outcome record_listing_end(struct record_listing *listing) must_check;

#endif
