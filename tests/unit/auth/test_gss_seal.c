/* SPDX-License-Identifier: ISC */
/* The seal of real Kerberos contexts: of a stream. */
#include "tests/support/unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/rfc1961.h"
#include "base/seal.h"
#include "tests/support/seal_pair.h"

/* ---- sizes ---- */

static void
sizes_are_those_of_rfc_4121(void **state)
{
	static const struct {
		enum protection protection;
		size_t overhead, max;
	} rows[] = {
	    {PROTECTION_NONE, 28, 65507},
	    {PROTECTION_INTEGRITY, 28, 65507},
	    {PROTECTION_SELECTIVE, 60, 65475},
	    {PROTECTION_CONFIDENTIALITY, 60, 65475},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct seal_pair pair =
		    seal_pair_make(KERBEROS_FLAGS, rows[i].protection);

		assert_int_equal(
		    pair.seal->header + pair.seal->trailer, rows[i].overhead);
		assert_int_equal(pair.seal->plaintext_max, rows[i].max);
		seal_pair_end(&pair);
	}
}

/* Seals len octets into token_len (0: whatever it takes), lets the client
 * open them, compares. */
static void
assert_client_opens(
    struct seal_pair *pair, size_t len, int confidential, size_t token_len)
{
	struct seal *seal = pair->seal;
	uint8_t *token = malloc(seal->header + len + seal->trailer);
	gss_buffer_desc sealed, plain = GSS_C_EMPTY_BUFFER;
	OM_uint32 minor;
	size_t sealed_len;
	int conf_state;
	gss_qop_t qop;

	assert_non_null(token);
	for (size_t i = 0; i < len; i++)
		token[seal->header + i] = (uint8_t)(i * 7);
	assert_int_equal(seal_wrap(seal, token, len, &sealed_len), REASON_OK);
	if (token_len > 0)
		assert_int_equal(sealed_len, token_len);
	assert_true(sealed_len <= RFC1961_TOKEN_MAX);
	sealed.value = token;
	sealed.length = sealed_len;
	assert_int_equal(gss_unwrap(&minor, pair->client.handle, &sealed,
			     &plain, &conf_state, &qop),
	    GSS_S_COMPLETE);
	assert_int_equal(conf_state, confidential);
	assert_int_equal(qop, GSS_C_QOP_DEFAULT);
	assert_int_equal(plain.length, len);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(((uint8_t *)plain.value)[i], (uint8_t)(i * 7));
	if (plain.length == 0)
		free(plain.value); /* libgssapi would not */
	(void)gss_release_buffer(&minor, &plain);
	free(token);
}

static void
our_messages_are_as_agreed_at_every_size(void **state)
{
	static const struct {
		enum protection protection;
		int confidential;
	} rows[] = {
	    {PROTECTION_NONE, 0},
	    {PROTECTION_INTEGRITY, 0},
	    {PROTECTION_SELECTIVE, 1},
	    {PROTECTION_CONFIDENTIALITY, 1},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct seal_pair pair =
		    seal_pair_make(KERBEROS_FLAGS, rows[i].protection);
		size_t max = pair.seal->plaintext_max;
		size_t overhead = RFC1961_TOKEN_MAX - max;
		const size_t sizes[] = {0, 1, 15, 16, 17, 4096, max - 1, max};

		for (size_t j = 0; j < ARRAY_COUNT(sizes); j++)
			assert_client_opens(&pair, sizes[j],
			    rows[i].confidential, sizes[j] + overhead);
		seal_pair_end(&pair);
	}
}

static void
one_octet_more_than_the_limit_does_not_fit_the_length_field(void **state)
{
	(void)state;
	for (int confidential = 0; confidential < 2; confidential++) {
		struct seal_pair pair = seal_pair_make(
		    KERBEROS_FLAGS, confidential ? PROTECTION_CONFIDENTIALITY
						 : PROTECTION_INTEGRITY);
		uint8_t *text = calloc(1, pair.seal->plaintext_max + 1);
		gss_buffer_desc token;

		token = seal_pair_wrap(
		    &pair, confidential, text, pair.seal->plaintext_max + 1);
		assert_int_equal(token.length, RFC1961_TOKEN_MAX + 1);
		seal_pair_drop(&token);
		free(text);
		seal_pair_end(&pair);
	}
}

/* RFC 4757 pads and has headers of several lengths: nothing can be sealed
 * where it stands. */
static void
messages_without_a_fixed_form_are_sealed_all_the_same(void **state)
{
	static const enum protection protections[] = {
	    PROTECTION_INTEGRITY, PROTECTION_CONFIDENTIALITY};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct seal_pair pair;
		gss_buffer_desc token;

		kerberos_grow_old(true);
		pair = seal_pair_establish_with(
		    "old.keytab", KERBEROS_OLD, KERBEROS_FLAGS);
		kerberos_grow_old(false);
		pair.seal = gssctx_into_seal(pair.context, protections[i]);
		pair.context = NULL;
		assert_non_null(pair.seal);
		assert_int_equal(pair.seal->header, 0);
		for (size_t len = 0; len < 300; len += 37)
			assert_client_opens(&pair, len, i, 0);
		assert_client_opens(&pair, pair.seal->plaintext_max, i, 0);
		token = seal_pair_wrap(&pair, i, "from old times", 14);
		seal_pair_assert_opens(pair.seal, &token, "from old times");
		seal_pair_assert_fails(pair.seal, &token, REASON_GSS_REPLAY);
		seal_pair_drop(&token);
		seal_pair_end(&pair);
	}
}

/* ---- order ---- */

static void
a_replayed_message_is_refused(void **state)
{
	struct seal_pair pair =
	    seal_pair_make(KERBEROS_FLAGS, PROTECTION_CONFIDENTIALITY);
	gss_buffer_desc token = seal_pair_wrap(&pair, 1, "once", 4);

	(void)state;
	seal_pair_assert_opens(pair.seal, &token, "once");
	seal_pair_assert_fails(pair.seal, &token, REASON_GSS_REPLAY);
	seal_pair_assert_fails(pair.seal, &token, REASON_GSS_REPLAY);
	seal_pair_drop(&token);
	seal_pair_end(&pair);
}

static void
swapped_messages_are_refused(void **state)
{
	struct seal_pair pair =
	    seal_pair_make(KERBEROS_FLAGS, PROTECTION_INTEGRITY);
	gss_buffer_desc first = seal_pair_wrap(&pair, 0, "first", 5);
	gss_buffer_desc second = seal_pair_wrap(&pair, 0, "second", 6);

	(void)state;
	seal_pair_assert_fails(pair.seal, &second, REASON_GSS_ORDER);
	seal_pair_assert_fails(pair.seal, &first, REASON_GSS_ORDER);
	seal_pair_drop(&first);
	seal_pair_drop(&second);
	seal_pair_end(&pair);
}

static void
a_missing_message_is_seen(void **state)
{
	struct seal_pair pair =
	    seal_pair_make(KERBEROS_FLAGS, PROTECTION_CONFIDENTIALITY);
	gss_buffer_desc first = seal_pair_wrap(&pair, 1, "first", 5);
	gss_buffer_desc second = seal_pair_wrap(&pair, 1, "second", 6);
	gss_buffer_desc third = seal_pair_wrap(&pair, 1, "third", 5);

	(void)state;
	seal_pair_assert_opens(pair.seal, &first, "first");
	seal_pair_assert_fails(pair.seal, &third, REASON_GSS_ORDER);
	seal_pair_drop(&first);
	seal_pair_drop(&second);
	seal_pair_drop(&third);
	seal_pair_end(&pair);
}

/* libgssapi calls it unsequenced, not old, once it is 64 behind. */
static void
a_replay_from_long_ago_is_refused(void **state)
{
	struct seal_pair pair =
	    seal_pair_make(KERBEROS_FLAGS, PROTECTION_INTEGRITY);
	gss_buffer_desc first = seal_pair_wrap(&pair, 0, "0", 1);

	(void)state;
	seal_pair_assert_opens(pair.seal, &first, "0");
	for (int i = 1; i <= 90; i++) {
		gss_buffer_desc token = seal_pair_wrap(&pair, 0, "n", 1);

		seal_pair_assert_opens(pair.seal, &token, "n");
		seal_pair_drop(&token);
	}
	seal_pair_assert_fails(pair.seal, &first, REASON_GSS_ORDER);
	seal_pair_drop(&first);
	seal_pair_end(&pair);
}

static void
without_sequence_a_replay_is_seen_and_a_gap_is_not(void **state)
{
	struct seal_pair pair =
	    seal_pair_make(KERBEROS_FLAGS & ~(OM_uint32)GSS_C_SEQUENCE_FLAG,
		PROTECTION_INTEGRITY);
	gss_buffer_desc first = seal_pair_wrap(&pair, 0, "first", 5);
	gss_buffer_desc second = seal_pair_wrap(&pair, 0, "second", 6);

	(void)state;
	seal_pair_assert_opens(pair.seal, &second, "second");
	seal_pair_assert_opens(pair.seal, &first, "first");
	seal_pair_assert_fails(pair.seal, &second, REASON_GSS_REPLAY);
	seal_pair_drop(&first);
	seal_pair_drop(&second);
	seal_pair_end(&pair);
}

static void
our_own_message_sent_back_is_refused(void **state)
{
	struct seal_pair pair =
	    seal_pair_make(KERBEROS_FLAGS, PROTECTION_CONFIDENTIALITY);
	uint8_t token[128] = {0};
	size_t len;
	gss_buffer_desc reflected;

	(void)state;
	assert_int_equal(seal_wrap(pair.seal, token, 4, &len), REASON_OK);
	reflected.value = token;
	reflected.length = len;
	seal_pair_assert_fails(pair.seal, &reflected, REASON_GSS_DEFECTIVE);
	seal_pair_end(&pair);
}

/* ---- changed messages ---- */

static void
refuse_every_flip(int confidential, enum protection protection)
{
	struct seal_pair pair = seal_pair_make(KERBEROS_FLAGS, protection);
	gss_buffer_desc token =
	    seal_pair_wrap(&pair, confidential, "untouched", 9);
	uint8_t *octets = token.value;
	char opened[256];

	for (size_t bit = 0; bit < token.length * 8; bit++) {
		octets[bit / 8] ^= (uint8_t)(1U << bit % 8);
		assert_int_not_equal(seal_pair_open(pair.seal, octets,
					 token.length, opened, sizeof(opened)),
		    REASON_OK);
		octets[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
	seal_pair_assert_opens(pair.seal, &token, "untouched");
	seal_pair_drop(&token);
	seal_pair_end(&pair);
}

static void
a_flip_of_any_bit_is_refused(void **state)
{
	(void)state;
	refuse_every_flip(0, PROTECTION_INTEGRITY);
	refuse_every_flip(0, PROTECTION_SELECTIVE);
	refuse_every_flip(1, PROTECTION_INTEGRITY);
	refuse_every_flip(1, PROTECTION_CONFIDENTIALITY);
}

static void
a_message_of_any_other_length_is_refused(void **state)
{
	struct seal_pair pair =
	    seal_pair_make(KERBEROS_FLAGS, PROTECTION_CONFIDENTIALITY);
	gss_buffer_desc token = seal_pair_wrap(&pair, 1, "whole", 5);
	uint8_t longer[256] = {0};
	char opened[256];

	(void)state;
	assert_true(token.length + 32 < sizeof(longer));
	memcpy(longer, token.value, token.length);
	for (size_t len = 0; len < token.length + 32; len++) {
		if (len == token.length)
			continue;
		assert_int_not_equal(seal_pair_open(pair.seal, longer, len,
					 opened, sizeof(opened)),
		    REASON_OK);
	}
	seal_pair_assert_opens(pair.seal, &token, "whole");
	seal_pair_drop(&token);
	seal_pair_end(&pair);
}

static void
a_message_of_another_context_is_refused(void **state)
{
	struct seal_pair ours =
	    seal_pair_make(KERBEROS_FLAGS, PROTECTION_CONFIDENTIALITY);
	struct seal_pair theirs =
	    seal_pair_make(KERBEROS_FLAGS, PROTECTION_CONFIDENTIALITY);
	gss_buffer_desc token = seal_pair_wrap(&theirs, 1, "theirs", 6);

	(void)state;
	seal_pair_assert_fails(ours.seal, &token, REASON_GSS_DEFECTIVE);
	seal_pair_drop(&token);
	seal_pair_end(&ours);
	seal_pair_end(&theirs);
}

/* ---- confidentiality ---- */

static void
an_integrity_only_message_is_refused_at_level_2(void **state)
{
	struct seal_pair pair =
	    seal_pair_make(KERBEROS_FLAGS, PROTECTION_CONFIDENTIALITY);
	gss_buffer_desc token = seal_pair_wrap(&pair, 0, "in the open", 11);

	(void)state;
	seal_pair_assert_fails(pair.seal, &token, REASON_GSS_CONFIDENTIALITY);
	seal_pair_drop(&token);
	seal_pair_end(&pair);
}

static void
a_confidential_message_is_taken_at_every_level(void **state)
{
	(void)state;
	for (int i = PROTECTION_NONE; i < PROTECTION_COUNT; i++) {
		struct seal_pair pair =
		    seal_pair_make(KERBEROS_FLAGS, (enum protection)i);
		gss_buffer_desc token = seal_pair_wrap(&pair, 1, "hidden", 6);

		seal_pair_assert_opens(pair.seal, &token, "hidden");
		seal_pair_drop(&token);
		seal_pair_end(&pair);
	}
}

static void
selective_takes_both_kinds(void **state)
{
	struct seal_pair pair =
	    seal_pair_make(KERBEROS_FLAGS, PROTECTION_SELECTIVE);
	gss_buffer_desc open_one = seal_pair_wrap(&pair, 0, "open", 4);
	gss_buffer_desc hidden_one = seal_pair_wrap(&pair, 1, "hidden", 6);

	(void)state;
	seal_pair_assert_opens(pair.seal, &open_one, "open");
	seal_pair_assert_opens(pair.seal, &hidden_one, "hidden");
	seal_pair_drop(&open_one);
	seal_pair_drop(&hidden_one);
	seal_pair_end(&pair);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sizes_are_those_of_rfc_4121),
	    cmocka_unit_test(our_messages_are_as_agreed_at_every_size),
	    cmocka_unit_test(
		one_octet_more_than_the_limit_does_not_fit_the_length_field),
	    cmocka_unit_test(
		messages_without_a_fixed_form_are_sealed_all_the_same),
	    cmocka_unit_test(a_replayed_message_is_refused),
	    cmocka_unit_test(swapped_messages_are_refused),
	    cmocka_unit_test(a_missing_message_is_seen),
	    cmocka_unit_test(a_replay_from_long_ago_is_refused),
	    cmocka_unit_test(
		without_sequence_a_replay_is_seen_and_a_gap_is_not),
	    cmocka_unit_test(our_own_message_sent_back_is_refused),
	    cmocka_unit_test(a_flip_of_any_bit_is_refused),
	    cmocka_unit_test(a_message_of_any_other_length_is_refused),
	    cmocka_unit_test(a_message_of_another_context_is_refused),
	    cmocka_unit_test(an_integrity_only_message_is_refused_at_level_2),
	    cmocka_unit_test(a_confidential_message_is_taken_at_every_level),
	    cmocka_unit_test(selective_takes_both_kinds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
