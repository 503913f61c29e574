/* SPDX-License-Identifier: ISC */
/* What was done to a spool, in words. */
#ifndef CTL_CHAIN_SENTENCE_H
#define CTL_CHAIN_SENTENCE_H

#include <stdio.h>

#include "ctl/chain_findings.h"

/* "changed", "dropped" ... */
const char *chain_sentence_name(enum chain_finding_kind kind);

/* A sentence, without the place and without a full stop. */
void chain_sentence_print(const struct chain_finding *finding, FILE *out);

#endif
