/* SPDX-License-Identifier: ISC */
/* Context tokens seen from outside: mechanisms, and encodings that hold. */
#include "tests/support/unit.h"

#include "base/context_token.h"

#include <string.h>

#define KRB5   "\x06\x09\x2a\x86\x48\x86\xf7\x12\x01\x02\x02"
#define SPNEGO "\x06\x06\x2b\x06\x01\x05\x05\x02"
#define IAKERB "\x06\x06\x2b\x06\x01\x05\x02\x05"
#define NTLM   "\x06\x0a\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x0a"
/* SPNEGO with Kerberos 5 as its only mechanism. */
#define OFFER "\x60\x1b" SPNEGO "\xa0\x11\x30\x0f\xa0\x0d\x30\x0b" KRB5

static void
the_mechanism_is_the_one_that_is_named(void **state)
{
	static const struct {
		const char *token;
		size_t len;
		enum context_mech mech;
	} cases[] = {
#define CASE(text, mech) {text, sizeof(text) - 1, CONTEXT_MECH_##mech}
	    CASE("\x60\x0d" KRB5 "\1\0", KRB5),
	    CASE("\x60\x81\x0d" KRB5 "\1\0", KRB5),
	    CASE("\x60\x84\0\0\0\x0d" KRB5 "\1\0", KRB5),
	    CASE(OFFER, SPNEGO),
	    CASE("\x60\x08" IAKERB, OTHER),
	    CASE("\x60\x02\x06\x00", OTHER),
	    CASE("\x60\x0c" NTLM, NTLM),
	    CASE("NTLMSSP\0\1\0\0\0", NTLM),
	    CASE("NTLMSSP\0", NTLM),
	    CASE("NTLMSSP", UNKNOWN),
	    CASE("", UNKNOWN),
	    CASE("\x60", UNKNOWN),
	    CASE("\x60\x80\0\0", UNKNOWN),
	    CASE("\x60\x85\0\0\0\0\0\x0d" KRB5 "\1\0", UNKNOWN),
	    CASE("\x60\x0e" KRB5 "\1\0", UNKNOWN), /* cut */
	    CASE("\x60\x0a" KRB5 "\1\0", UNKNOWN), /* the name sticks out */
	    CASE("\x61\x0d" KRB5 "\1\0", UNKNOWN),
	    CASE("\x60\x02\x04\x00", UNKNOWN),
	    CASE("\x60\x00", UNKNOWN),
#undef CASE
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
		assert_int_equal(
		    context_token_mech(cases[i].token, cases[i].len),
		    cases[i].mech);
}

static void
a_mechanism_is_known_by_all_its_octets(void **state)
{
	uint8_t token[] = OFFER;

	(void)state;
	for (size_t i = 4; i < 10; i++) {
		token[i] ^= 1;
		assert_int_equal(context_token_mech(token, sizeof(token) - 1),
		    CONTEXT_MECH_OTHER);
		token[i] ^= 1;
	}
}

static void
a_whole_token_is_whole_and_each_cut_is_not(void **state)
{
	static const char offer[] = OFFER;
	uint8_t copy[sizeof(offer)];

	(void)state;
	assert_true(context_token_is_whole(offer, sizeof(offer) - 1));
	assert_false(context_token_is_whole(offer, sizeof(offer)));
	for (size_t cut = 0; cut < sizeof(offer) - 1; cut++) {
		memcpy(copy, offer, sizeof(offer));
		assert_false(context_token_is_whole(copy, cut));
	}
}

/* Each length octet, one too large: what is inside does not hold. */
static void
a_length_that_leads_out_of_its_parent_is_seen(void **state)
{
	static const size_t lengths[] = {1, 3, 11, 13, 15, 17, 19};
	uint8_t token[] = OFFER;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(lengths); i++) {
		token[lengths[i]]++;
		assert_false(context_token_is_whole(token, sizeof(token) - 1));
		token[lengths[i]]--;
	}
	assert_true(context_token_is_whole(token, sizeof(token) - 1));
}

static void
odd_encodings_are_not_whole(void **state)
{
	(void)state;
	assert_false(context_token_is_whole("\x04\x01x", 3));	 /* primitive */
	assert_false(context_token_is_whole("\xbf\x01\x00", 3)); /* long tag */
	assert_false(context_token_is_whole("\x30\x80\0\0", 4));
	assert_true(context_token_is_whole("\xa1\x81\x02\x30\x00", 5));
	/* What an octet string holds is not looked at. */
	assert_true(context_token_is_whole("\xa1\x04\x04\x02\x30\x7f", 6));
}

static void
nesting_has_an_end(void **state)
{
	uint8_t nested[18];

	(void)state;
	for (size_t depth = 1; depth <= 9; depth++) {
		for (size_t i = 0; i < depth; i++) {
			nested[2 * i] = 0x30;
			nested[2 * i + 1] = (uint8_t)(2 * (depth - i - 1));
		}
		assert_int_equal(
		    context_token_is_whole(nested, 2 * depth), depth <= 8);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_mechanism_is_the_one_that_is_named),
	    cmocka_unit_test(a_mechanism_is_known_by_all_its_octets),
	    cmocka_unit_test(a_whole_token_is_whole_and_each_cut_is_not),
	    cmocka_unit_test(a_length_that_leads_out_of_its_parent_is_seen),
	    cmocka_unit_test(odd_encodings_are_not_whole),
	    cmocka_unit_test(nesting_has_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
