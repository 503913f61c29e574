/* SPDX-License-Identifier: ISC */
/* The audit chain's first key as people keep it. */
#ifndef CTL_CHAIN_KEY_TEXT_H
#define CTL_CHAIN_KEY_TEXT_H

#include <stdbool.h>

#include "base/audit_chain.h"
#include "ctl/outcome.h"

/* Eight groups of eight hexadecimal digits, on one line. */
void
chain_key_text_print(const uint8_t key[AUDIT_CHAIN_KEY_SIZE], char out[80]);

/* The way back, whatever spaces, dashes and line ends are between the digits,
 * which may be capital. */
bool chain_key_text_parse(
    const char *text, size_t len, uint8_t key[AUDIT_CHAIN_KEY_SIZE]) must_check;

/* Reads it from a file; "-": from standard input.  Not OUTCOME_OK: said. */
enum outcome chain_key_text_read(
    const char *path, uint8_t key[AUDIT_CHAIN_KEY_SIZE]) must_check;

#endif
