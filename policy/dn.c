/* SPDX-License-Identifier: ISC */
/* Distinguished names (RFC 4514) in one form. */
#include "policy/dn.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Pairs in one RDN; real directories have one, seldom two. */
#define PAIRS_MAX 8

struct pair {
	const char *text; /* in the reader's scratch */
	size_t len;
};

/* What is left to read, the RDN being read, and what was written. */
struct dn_reader {
	const char *at;
	char *scratch; /* the pairs of this RDN */
	size_t scratch_len;
	struct pair pairs[PAIRS_MAX];
	size_t pair_count;
	char *out;
	size_t out_len;
};

static bool
is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static char
to_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* -1 if it is not a hexadecimal digit. */
static int
hex_value(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *found = c == '\0' ? NULL : strchr(digits, to_lower(c));

	return found == NULL ? -1 : (int)(found - digits);
}

static void
skip_spaces(struct dn_reader *reader)
{
	reader->at += strspn(reader->at, " ");
}

static void
put(struct dn_reader *reader, char c)
{
	reader->scratch[reader->scratch_len++] = c;
}

/* descr or numericoid (RFC 4512 section 1.4). */
static bool
read_descr(struct dn_reader *reader)
{
	if (!is_alpha(*reader->at))
		return false;
	while (is_alpha(*reader->at) || is_digit(*reader->at) ||
	       *reader->at == '-')
		put(reader, to_lower(*reader->at++));
	return true;
}

static bool
read_oid(struct dn_reader *reader)
{
	do {
		if (!is_digit(*reader->at))
			return false;
		if (reader->at[0] == '0' && is_digit(reader->at[1]))
			return false;
		while (is_digit(*reader->at))
			put(reader, *reader->at++);
		if (*reader->at != '.')
			return true;
		put(reader, *reader->at++);
	} while (true);
}

static bool
read_type(struct dn_reader *reader)
{
	skip_spaces(reader);
	if (!read_descr(reader) && !read_oid(reader))
		return false;
	skip_spaces(reader);
	if (*reader->at != '=')
		return false;
	put(reader, *reader->at++);
	skip_spaces(reader);
	return true;
}

/* "#" and the BER of a value that has no text form. */
static bool
read_hexstring(struct dn_reader *reader)
{
	const char *start = reader->at;

	put(reader, *reader->at++);
	while (hex_value(reader->at[0]) >= 0 && hex_value(reader->at[1]) >= 0) {
		put(reader, to_lower(*reader->at++));
		put(reader, to_lower(*reader->at++));
	}
	return reader->at > start + 1;
}

/* One character of a value, its escape read.  False if none may stand. */
static bool
read_character(struct dn_reader *reader, char *c)
{
	const char *at = reader->at;

	if (*at != '\\') {
		*c = *at;
		reader->at++;
		return strchr("\";<>", *at) == NULL;
	}
	if (at[1] != '\0' && strchr(" \"#+,;<=>\\", at[1]) != NULL) {
		*c = at[1];
		reader->at += 2;
		return true;
	}
	if (hex_value(at[1]) < 0 || hex_value(at[2]) < 0)
		return false;
	*c = (char)(hex_value(at[1]) << 4 | hex_value(at[2]));
	reader->at += 3;
	return true;
}

static void
put_escaped(struct dn_reader *reader, char c, bool is_first)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t octet = (uint8_t)c;

	if (octet < 0x20 || octet >= 0x7f) {
		put(reader, '\\');
		put(reader, digits[octet >> 4]);
		put(reader, digits[octet & 15]);
		return;
	}
	if (strchr("\"+,;<>\\", c) != NULL || (is_first && c == '#'))
		put(reader, '\\');
	put(reader, to_lower(c));
}

/* Outer spaces, escaped or not, mean nothing and inner runs are one (RFC
 * 4518 section 2.6.1). */
static bool
read_string(struct dn_reader *reader)
{
	bool is_first = true, has_space = false;

	while (*reader->at != '\0' && strchr(",+", *reader->at) == NULL) {
		char c;

		if (!read_character(reader, &c))
			return false;
		if (c == ' ') {
			has_space = true;
			continue;
		}
		if (has_space && !is_first)
			put(reader, ' ');
		put_escaped(reader, c, is_first);
		is_first = has_space = false;
	}
	return true;
}

static bool
read_pair(struct dn_reader *reader)
{
	struct pair *pair = &reader->pairs[reader->pair_count];

	if (reader->pair_count == PAIRS_MAX)
		return false;
	pair->text = reader->scratch + reader->scratch_len;
	if (!read_type(reader))
		return false;
	if (!(*reader->at == '#' ? read_hexstring(reader)
				 : read_string(reader)))
		return false;
	skip_spaces(reader);
	pair->len =
	    (size_t)(reader->scratch + reader->scratch_len - pair->text);
	reader->pair_count++;
	return true;
}

static int
compare_pairs(const void *a, const void *b)
{
	const struct pair *left = a, *right = b;
	size_t len = left->len < right->len ? left->len : right->len;
	int order = memcmp(left->text, right->text, len);

	if (order != 0)
		return order;
	return (left->len > right->len) - (left->len < right->len);
}

/* The pairs of an RDN are a set: their order says nothing. */
static bool
read_rdn(struct dn_reader *reader)
{
	reader->scratch_len = 0;
	reader->pair_count = 0;
	if (!read_pair(reader))
		return false;
	while (*reader->at == '+') {
		reader->at++;
		if (!read_pair(reader))
			return false;
	}
	qsort(reader->pairs, reader->pair_count, sizeof(reader->pairs[0]),
	    compare_pairs);
	for (size_t i = 0; i < reader->pair_count; i++) {
		if (i > 0)
			reader->out[reader->out_len++] = '+';
		memcpy(reader->out + reader->out_len, reader->pairs[i].text,
		    reader->pairs[i].len);
		reader->out_len += reader->pairs[i].len;
	}
	return true;
}

static bool
read_dn(struct dn_reader *reader)
{
	skip_spaces(reader);
	if (*reader->at == '\0')
		return true; /* the root */
	if (!read_rdn(reader))
		return false;
	while (*reader->at == ',') {
		reader->at++;
		reader->out[reader->out_len++] = ',';
		if (!read_rdn(reader))
			return false;
	}
	return *reader->at == '\0';
}

char *
dn_normalise(const char *dn)
{
	/* An octet of a value is three at most in the result. */
	size_t size = 3 * strlen(dn) + 1;
	struct dn_reader reader = {.at = dn};
	bool is_dn = false;

	reader.out = malloc(size);
	reader.scratch = malloc(size);
	if (reader.out == NULL || reader.scratch == NULL) {
		errno = ENOMEM;
	} else {
		is_dn = read_dn(&reader);
		reader.out[reader.out_len] = '\0';
		errno = is_dn ? errno : EINVAL;
	}
	free(reader.scratch);
	if (!is_dn) {
		free(reader.out);
		return NULL;
	}
	return reader.out;
}

bool
dn_is_inside(const char *dn, const char *base)
{
	size_t len = strlen(dn), base_len = strlen(base), escapes = 0;
	const char *comma;

	if (len == base_len || base_len == 0)
		return base_len == 0 || strcmp(dn, base) == 0;
	if (len < base_len + 2 || strcmp(dn + len - base_len, base) != 0)
		return false;
	/* It separates, unless it is escaped. */
	comma = dn + len - base_len - 1;
	while (comma - escapes > dn && comma[-1 - (ptrdiff_t)escapes] == '\\')
		escapes++;
	return *comma == ',' && escapes % 2 == 0;
}
