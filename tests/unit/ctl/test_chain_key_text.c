/* SPDX-License-Identifier: ISC */
/* The audit chain's first key as people keep it. */
#include "tests/support/unit.h"

#include <string.h>

#include "base/compiler.h"
#include "ctl/chain_key_text.h"

#define GROUPS                                                                 \
	"00010203 04050607 08090a0b 0c0d0e0f 10111213 14151617 18191a1b "      \
	"1c1d1e1f"

static void
assert_reads(const char *text)
{
	uint8_t key[AUDIT_CHAIN_KEY_SIZE];

	assert_true(chain_key_text_parse(text, strlen(text), key));
	for (size_t i = 0; i < sizeof(key); i++)
		assert_int_equal(key[i], i);
}

static void
a_key_reads_back(void **state)
{
	uint8_t key[AUDIT_CHAIN_KEY_SIZE];
	char text[80];

	(void)state;
	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)i;
	chain_key_text_print(key, text);
	assert_string_equal(text, GROUPS);
	assert_reads(text);
}

static void
people_may_write_it_otherwise(void **state)
{
	(void)state;
	assert_reads("000102030405060708090A0B0C0D0E0F101112131415161718191A1B"
		     "1C1D1E1F\r\n");
	assert_reads("00010203-04050607-08090a0b-0c0d0e0f\n"
		     "10111213-14151617-18191a1b-1c1d1e1f\n");
}

static void
what_is_no_key_is_refused(void **state)
{
	static const char *const texts[] = {
	    "",
	    "0",
	    GROUPS "0",
	    "g" GROUPS,
	    GROUPS GROUPS,
	    "0x" GROUPS,
	};
	uint8_t key[AUDIT_CHAIN_KEY_SIZE];

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
		assert_false(
		    chain_key_text_parse(texts[i], strlen(texts[i]), key));
	for (size_t len = 0; len < strlen(GROUPS); len++)
		assert_false(chain_key_text_parse(GROUPS, len, key));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_key_reads_back),
	    cmocka_unit_test(people_may_write_it_otherwise),
	    cmocka_unit_test(what_is_no_key_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
