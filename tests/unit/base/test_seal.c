/* SPDX-License-Identifier: ISC */
/* Tests that a seal does what its operations do, on the toy seal. */
#include "tests/support/unit.h"

#include <string.h>

#include "base/seal.h"
#include "tests/support/toy_seal.h"

#define ROOM (TOY_SEAL_HEADER + 5 + TOY_SEAL_TRAILER)

static size_t
wrap_hello(struct seal *seal, uint8_t token[ROOM])
{
	size_t len = 0;

	memcpy(token + seal->header, "hello", 5);
	assert_int_equal(seal_wrap(seal, token, 5, &len), REASON_OK);
	assert_int_equal(len, seal->header + 5 + seal->trailer);
	return len;
}

static void
what_was_sealed_opens(void **state)
{
	struct seal *sender = toy_seal_new(PROTECTION_CONFIDENTIALITY);
	struct seal *receiver = toy_seal_new(PROTECTION_CONFIDENTIALITY);
	uint8_t token[ROOM], *plain;
	size_t len = wrap_hello(sender, token), plain_len;

	(void)state;
	assert_int_equal(
	    seal_unwrap(receiver, token, len, &plain, &plain_len), REASON_OK);
	assert_int_equal(plain_len, 5);
	assert_memory_equal(plain, "hello", 5);
	seal_free(sender);
	seal_free(receiver);
}

static void
what_does_not_open_has_a_reason(void **state)
{
	struct seal *sender = toy_seal_new(PROTECTION_INTEGRITY);
	struct seal *receiver = toy_seal_new(PROTECTION_INTEGRITY);
	uint8_t token[ROOM], *plain;
	size_t len = wrap_hello(sender, token), plain_len;

	(void)state;
	token[TOY_SEAL_HEADER] ^= 1;
	assert_int_equal(seal_unwrap(receiver, token, len, &plain, &plain_len),
	    REASON_GSS_DEFECTIVE);
	seal_free(sender);
	seal_free(receiver);
}

static void
assert_opens(struct seal *seal, const uint8_t sealed[ROOM], enum reason reason)
{
	uint8_t token[ROOM], *plain;
	size_t plain_len;

	memcpy(token, sealed, ROOM);
	assert_int_equal(
	    seal_unwrap(seal, token, ROOM, &plain, &plain_len), reason);
}

static void
of_datagrams_each_opens_once_in_any_order(void **state)
{
	struct seal *sender = toy_seal_new(PROTECTION_INTEGRITY);
	struct seal *receiver = toy_seal_new(PROTECTION_INTEGRITY);
	uint8_t tokens[5][ROOM];

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(tokens); i++)
		(void)wrap_hello(sender, tokens[i]);
	assert_opens(receiver, tokens[0], REASON_OK);
	assert_opens(receiver, tokens[2], REASON_GSS_ORDER);
	assert_int_equal(seal_into_datagram(receiver), REASON_OK);
	assert_int_equal(receiver->plaintext_max,
	    65507 - 4 - TOY_SEAL_HEADER - TOY_SEAL_TRAILER);
	assert_opens(receiver, tokens[3], REASON_OK);
	assert_opens(receiver, tokens[2], REASON_OK);
	assert_opens(receiver, tokens[3], REASON_GSS_REPLAY);
	assert_opens(receiver, tokens[0], REASON_GSS_REPLAY);
	assert_opens(receiver, tokens[1], REASON_OK);
	assert_opens(receiver, tokens[4], REASON_OK);
	seal_free(sender);
	seal_free(receiver);
}

static void
no_seal_is_freed_too(void **state)
{
	(void)state;
	seal_free(NULL);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_was_sealed_opens),
	    cmocka_unit_test(what_does_not_open_has_a_reason),
	    cmocka_unit_test(of_datagrams_each_opens_once_in_any_order),
	    cmocka_unit_test(no_seal_is_freed_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
