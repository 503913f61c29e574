/* SPDX-License-Identifier: ISC */
/* An explained decision for people. */
#ifndef CTL_EXPLAIN_TEXT_H
#define CTL_EXPLAIN_TEXT_H

#include <jansson.h>

#include "base/compiler.h"
#include "ctl/outcome.h"

/* The document of `explain`, on standard output; borrowed. */
enum outcome explain_text_print(const json_t *document) must_check;

#endif
