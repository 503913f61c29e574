/* SPDX-License-Identifier: ISC */
/* Tests quoting foreign text, reading it back, and reading numbers. */
#include "tests/support/unit.h"

#include <string.h>

#include "base/text.h"

/* Octets and how they are shown. */
static const struct {
	const char *octets;
	size_t len;
	const char *shown;
} rows[] = {
    {"", 0, ""},
    {"hello", 5, "hello"},
    {"a\0b", 3, "a\\x00b"},
    {"\r\n<13>1", 7, "\\x0d\\x0a<13>1"},
    {"\x1b[2J", 4, "\\x1b[2J"},
    {"\x7f", 1, "\\x7f"},
    {"\\", 1, "\\\\"},
    {"\\x41", 4, "\\\\x41"},
    {"\"]'", 3, "\"]'"},
    {"gr\xc3\xbc\xc3\x9f", 6, "gr\xc3\xbc\xc3\x9f"},
    {"\xe2\x82\xac", 3, "\xe2\x82\xac"},
    {"\xf0\x9f\x98\x80", 4, "\xf0\x9f\x98\x80"},
    /* C1: U+0085 and U+009F; U+00A0 shows */
    {"\xc2\x85", 2, "\\xc2\\x85"},
    {"\xc2\x9f", 2, "\\xc2\\x9f"},
    {"\xc2\xa0", 2, "\xc2\xa0"},
    /* U+202E turns the direction, U+2066 too; U+2029 ends a paragraph */
    {"a\xe2\x80\xae"
     "b",
	5,
	"a\\xe2\\x80\\xae"
	"b"},
    {"\xe2\x81\xa6", 3, "\\xe2\\x81\\xa6"},
    {"\xe2\x80\xa9", 3, "\\xe2\\x80\\xa9"},
    {"\xef\xbb\xbf", 3, "\\xef\\xbb\\xbf"},
    /* U+E0041, a tag */
    {"\xf3\xa0\x81\x81", 4, "\\xf3\\xa0\\x81\\x81"},
    /* not UTF-8: stray, overlong, surrogate, beyond U+10FFFF, cut */
    {"\x80", 1, "\\x80"},
    {"\xff\xfe", 2, "\\xff\\xfe"},
    {"\xc0\x80", 2, "\\xc0\\x80"},
    {"\xe0\x9f\xbf", 3, "\\xe0\\x9f\\xbf"},
    {"\xf0\x8f\xbf\xbf", 4, "\\xf0\\x8f\\xbf\\xbf"},
    {"\xed\xa0\x80", 3, "\\xed\\xa0\\x80"},
    {"\xed\xbf\xbf", 3, "\\xed\\xbf\\xbf"},
    {"\xf4\x90\x80\x80", 4, "\\xf4\\x90\\x80\\x80"},
    {"\xe2\x82", 2, "\\xe2\\x82"},
    {"\xe2\x82z", 3, "\\xe2\\x82z"},
    {"\xc3(", 2, "\\xc3("},
};

static void
foreign_text_is_shown_and_reads_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		char shown[64];
		uint8_t back[16];
		size_t len = 99;

		assert_true(text_quote(
		    shown, sizeof(shown), rows[i].octets, rows[i].len));
		assert_string_equal(shown, rows[i].shown);
		assert_true(text_unquote(back, sizeof(back), &len, shown));
		assert_int_equal(len, rows[i].len);
		assert_memory_equal(back, rows[i].octets, len);
	}
}

/* Every octet and every pair of them. */
static void
every_octet_reads_back(void **state)
{
	(void)state;
	for (unsigned pair = 0; pair < 65536; pair++) {
		uint8_t octets[2] = {(uint8_t)(pair >> 8), (uint8_t)pair};
		char shown[TEXT_QUOTED_SIZE(2)];
		uint8_t back[2];
		size_t len;

		assert_true(text_quote(shown, sizeof(shown), octets, 2));
		assert_true(text_is_printable(shown, strlen(shown)));
		assert_true(text_unquote(back, 2, &len, shown));
		assert_int_equal(len, 2);
		assert_memory_equal(back, octets, 2);
	}
}

static void
the_longest_text_fits_the_size_that_the_header_tells(void **state)
{
	uint8_t octets[255];
	char shown[TEXT_QUOTED_SIZE(sizeof(octets))];

	(void)state;
	memset(octets, 0xff, sizeof(octets));
	assert_true(text_quote(shown, sizeof(shown), octets, sizeof(octets)));
	assert_int_equal(strlen(shown), sizeof(shown) - 1);
	assert_false(
	    text_quote(shown, sizeof(shown) - 1, octets, sizeof(octets)));
	assert_int_equal(strlen(shown), sizeof(shown) - 1 - 4);
}

static void
what_does_not_fit_is_cut_at_a_whole_character(void **state)
{
	static const char *const cut[] = {"", "", "a", "a", "a", "a", "a\\x00",
	    "a\\x00", "a\\x00\xc3\xbc", "a\\x00\xc3\xbc!"};
	char shown[16] = "unset";

	(void)state;
	assert_false(text_quote(shown, 0, "a", 1));
	assert_string_equal(shown, "unset");
	for (size_t size = 1; size < ARRAY_COUNT(cut); size++) {
		assert_int_equal(text_quote(shown, size, "a\0\xc3\xbc!", 5),
		    size == ARRAY_COUNT(cut) - 1);
		assert_string_equal(shown, cut[size]);
	}
}

static void
only_what_would_be_written_reads_back(void **state)
{
	static const char *const refused[] = {
	    "\\",	  /* nothing behind */
	    "\\n",	  /* not ours */
	    "\\x",	  /* cut */
	    "\\x0",	  /* cut */
	    "\\x0g",	  /* no digit */
	    "\\x:0",	  /* no digit */
	    "\\x0A",	  /* upper case */
	    "\\x41",	  /* 'A' shows as itself */
	    "\\x5c",	  /* a backslash is doubled */
	    "\\xc3\\xbc", /* valid and printable */
	    "\xff",	  /* should have been \xff */
	    "a\nb",	  /* a control */
	    "\xe2\x80\xae",
	};
	uint8_t out[16];
	size_t len = 99;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(refused); i++)
		assert_false(text_unquote(out, sizeof(out), &len, refused[i]));
	assert_true(text_unquote(out, 3, &len, "abc"));
	assert_false(text_unquote(out, 2, &len, "abc"));
	assert_true(text_unquote(out, 0, &len, ""));
	assert_int_equal(len, 0);
}

static void
utf8_is_told_from_other_octets(void **state)
{
	(void)state;
	assert_true(text_is_utf8("", 0));
	assert_true(text_is_utf8("a\0\xc3\xbc\xe2\x80\xae", 7));
	assert_false(text_is_utf8("a\xc3", 2));
	assert_true(text_is_printable("a\\\xc3\xbc", 4));
	assert_false(text_is_printable("a\0", 2));
	assert_false(text_is_printable("\xe2\x80\xae", 3));
	assert_false(text_is_printable("a\xff", 2));
	/* the last of each length, and the ends of the surrogates */
	assert_true(text_is_utf8("\x7f\xdf\xbf\xef\xbf\xbf", 6));
	assert_true(
	    text_is_utf8("\xf4\x8f\xbf\xbf\xed\x9f\xbf\xee\x80\x80", 10));
	assert_false(text_is_utf8("\xc1\xbf", 2));
	assert_false(text_is_utf8("\xf8\x88\x80\x80\x80", 5));
}

static void
numbers_are_read_strictly(void **state)
{
	static const struct {
		const char *text;
		uint64_t min, max;
		bool is_read;
		uint64_t value;
	} numbers[] = {
	    {"0", 0, 9, true, 0},
	    {"9", 0, 9, true, 9},
	    {"10", 0, 9, false, 0},
	    {"1", 2, 9, false, 0},
	    {"18446744073709551615", 0, UINT64_MAX, true, UINT64_MAX},
	    {"18446744073709551616", 0, UINT64_MAX, false, 0},
	    {"99999999999999999999", 0, UINT64_MAX, false, 0},
	    {"", 0, 9, false, 0},
	    {"00", 0, 9, false, 0},
	    {"07", 0, 9, false, 0},
	    {"+7", 0, 9, false, 0},
	    {"-7", 0, UINT64_MAX, false, 0},
	    {" 7", 0, 9, false, 0},
	    {"7 ", 0, 9, false, 0},
	    {"0x7", 0, 9, false, 0},
	    {"7:", 0, 99, false, 0},
	    {"7/", 0, 99, false, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(numbers); i++) {
		uint64_t value = 77;

		assert_int_equal(text_parse_u64(numbers[i].text, numbers[i].min,
				     numbers[i].max, &value),
		    numbers[i].is_read);
		assert_true(
		    value == (numbers[i].is_read ? numbers[i].value : 77));
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(foreign_text_is_shown_and_reads_back),
	    cmocka_unit_test(every_octet_reads_back),
	    cmocka_unit_test(
		the_longest_text_fits_the_size_that_the_header_tells),
	    cmocka_unit_test(what_does_not_fit_is_cut_at_a_whole_character),
	    cmocka_unit_test(only_what_would_be_written_reads_back),
	    cmocka_unit_test(utf8_is_told_from_other_octets),
	    cmocka_unit_test(numbers_are_read_strictly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
