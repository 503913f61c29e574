/* SPDX-License-Identifier: ISC */
/* Foreign text made safe to show, and text from people read strictly. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/compiler.h"

/* Room that text_quote needs for `len` octets, the final NUL included. */
#define TEXT_QUOTED_SIZE(len) ((size_t)(len)*4 + 1)

/*
 * Writes len octets of foreign data as printable UTF-8: valid, printable
 * UTF-8 stays as it is; controls (C0, DEL, C1), bidirectional and other
 * format characters, line and paragraph separators, and octets that are not
 * valid UTF-8 become \xHH for each octet; a backslash becomes \\ .  The
 * result reads back to the same octets (text_unquote).  Always ends in NUL;
 * what does not fit in `size` is cut at a whole character and the result is
 * false.
 */
bool text_quote(char *out, size_t size, const void *data, size_t len);

/*
 * The way back.  Writes at most `size` octets to out and their number to
 * *out_len; false if `text` is not something text_quote writes.
 */
bool text_unquote(
    uint8_t *out, size_t size, size_t *out_len, const char *text) must_check;

/* One line of a program's, "program: ...", cut at 2048 octets and quoted:
 * names and other people's words are in it. */
void text_say(FILE *file, const char *program, const char *format, va_list args)
    printf_like(3, 0);

/* True if the octets are valid UTF-8 (RFC 3629), NUL allowed. */
bool text_is_utf8(const void *data, size_t len);

/* True if they are moreover nothing that text_quote shows as \xHH. */
bool text_is_printable(const void *data, size_t len);

/*
 * Reads a decimal number without sign, space or leading zero, from min to
 * max; false for anything else, and *value is left alone.
 */
bool text_parse_u64(
    const char *text, uint64_t min, uint64_t max, uint64_t *value) must_check;

#endif
