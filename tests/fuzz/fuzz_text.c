/* SPDX-License-Identifier: ISC */
/* Fuzzes quoting foreign text, reading it back, and reading numbers. */
#include "tests/fuzz/fuzz.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"

#define CUT_MAX 24 /* octets of input that are quoted into every size */

/* Quoted text is safe to show and reads back to the same octets. */
static void
check_quote(const uint8_t *data, size_t len)
{
	char *quoted = malloc(TEXT_QUOTED_SIZE(len));
	uint8_t *back = malloc(len + 1);
	size_t back_len;

	property(quoted != NULL && back != NULL);
	property(text_quote(quoted, TEXT_QUOTED_SIZE(len), data, len));
	property(text_is_printable(quoted, strlen(quoted)));
	property(text_unquote(back, len, &back_len, quoted));
	property(back_len == len);
	property(len == 0 || memcmp(back, data, len) == 0);
	if (len > 0)
		property(!text_unquote(back, len - 1, &back_len, quoted));
	free(back);
	free(quoted);
}

/* What is cut reads back to a beginning of it. */
static void
check_cut(const uint8_t *data, size_t len)
{
	char whole[TEXT_QUOTED_SIZE(CUT_MAX)], cut[sizeof(whole)];
	uint8_t back[CUT_MAX];
	size_t back_len, whole_len;

	if (len > CUT_MAX)
		len = CUT_MAX;
	property(text_quote(whole, sizeof(whole), data, len));
	whole_len = strlen(whole);
	for (size_t size = 1; size <= whole_len + 1; size++) {
		property(
		    text_quote(cut, size, data, len) == (size > whole_len));
		property(strlen(cut) < size);
		property(strncmp(whole, cut, strlen(cut)) == 0);
		property(text_unquote(back, sizeof(back), &back_len, cut));
		property(back_len <= len);
		property(back_len == 0 || memcmp(back, data, back_len) == 0);
	}
}

/* What reads back is exactly what would have been written. */
static void
check_unquote(const char *text, size_t len)
{
	uint8_t *octets = malloc(len + 1);
	char *again = malloc(TEXT_QUOTED_SIZE(len));
	size_t octets_len;

	property(octets != NULL && again != NULL);
	if (text_unquote(octets, len, &octets_len, text)) {
		property(text_quote(
		    again, TEXT_QUOTED_SIZE(len), octets, octets_len));
		property(strcmp(again, text) == 0);
	}
	free(again);
	free(octets);
}

/* Every number that is read is one for strtoull, and written the same. */
static void
check_number(const char *text)
{
	uint64_t value;
	char again[32];

	if (!text_parse_u64(text, 0, UINT64_MAX, &value))
		return;
	errno = 0;
	property(strtoull(text, NULL, 10) == value && errno == 0);
	snprintf(again, sizeof(again), "%llu", (unsigned long long)value);
	property(strcmp(again, text) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	property(text != NULL);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	if (text_is_printable(data, size))
		property(text_is_utf8(data, size));
	check_quote(data, size);
	check_cut(data, size);
	check_unquote(text, strlen(text));
	check_number(text);
	free(text);
	return 0;
}
