/* SPDX-License-Identifier: ISC */
/* The level octet and the seal of real Kerberos contexts. */
#include "tests/support/unit.h"

#include "auth/gss_context.h"

#include <stdlib.h>
#include <string.h>

#include "base/rfc1961.h"
#include "base/seal.h"
#include "tests/support/kerberos.h"

struct pair {
	struct gssaccept *accept;
	struct kerberos_client client;
	struct gssctx *context; /* the gateway's side */
	struct seal *seal;	/* made of it */
};

static struct pair
establish_with(const char *keytab, const char *service, OM_uint32 flags)
{
	struct pair pair = {.accept = kerberos_acceptor_with(keytab)};
	struct accept_answer answer;
	char why[256] = "";

	kerberos_establish(pair.accept, &pair.client, service, flags, &answer);
	pair.context = gssctx_import(
	    answer.exported, answer.exported_len, why, sizeof(why));
	assert_string_equal(why, "");
	assert_non_null(pair.context);
	return pair;
}

static struct pair
establish(OM_uint32 flags)
{
	return establish_with("gateway.keytab", KERBEROS_SOCKS, flags);
}

static struct pair
establish_seal(OM_uint32 flags, enum protection protection)
{
	struct pair pair = establish(flags);

	pair.seal = gssctx_into_seal(pair.context, protection);
	pair.context = NULL;
	assert_non_null(pair.seal);
	return pair;
}

static void
end(struct pair *pair)
{
	seal_free(pair->seal);
	gssctx_free(pair->context);
	kerberos_end(&pair->client);
	gssaccept_free(pair->accept);
}

/* A message of the client's; the caller frees it. */
static gss_buffer_desc
client_wrap(struct pair *pair, int confidential, const void *text, size_t len)
{
	gss_buffer_desc plain = {
	    .length = len, .value = (void *)(uintptr_t)text};
	gss_buffer_desc token = GSS_C_EMPTY_BUFFER;
	OM_uint32 minor;

	assert_int_equal(gss_wrap(&minor, pair->client.handle, confidential,
			     GSS_C_QOP_DEFAULT, &plain, NULL, &token),
	    GSS_S_COMPLETE);
	return token;
}

/* Opens a copy of it. */
static enum reason
open_copy(
    struct seal *seal, const void *token, size_t len, char *text, size_t size)
{
	uint8_t *copy = malloc(len + 1);
	uint8_t *plain;
	size_t plain_len;
	enum reason reason;

	assert_non_null(copy);
	memcpy(copy, token, len);
	reason = seal_unwrap(seal, copy, len, &plain, &plain_len);
	if (reason == REASON_OK) {
		assert_true(plain >= copy && plain + plain_len <= copy + len);
		assert_true(plain_len < size);
		memcpy(text, plain, plain_len);
		text[plain_len] = '\0';
	}
	free(copy);
	return reason;
}

static void
assert_opens(struct seal *seal, const gss_buffer_desc *token, const char *text)
{
	char opened[256];

	assert_int_equal(open_copy(seal, token->value, token->length, opened,
			     sizeof(opened)),
	    REASON_OK);
	assert_string_equal(opened, text);
}

static void
assert_fails(
    struct seal *seal, const gss_buffer_desc *token, enum reason reason)
{
	char opened[256];

	assert_int_equal(open_copy(seal, token->value, token->length, opened,
			     sizeof(opened)),
	    reason);
}

static void
drop(gss_buffer_desc *token)
{
	OM_uint32 minor;

	(void)gss_release_buffer(&minor, token);
}

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
		struct pair pair =
		    establish_seal(KERBEROS_FLAGS, rows[i].protection);

		assert_int_equal(
		    pair.seal->header + pair.seal->trailer, rows[i].overhead);
		assert_int_equal(pair.seal->plaintext_max, rows[i].max);
		end(&pair);
	}
}

/* Seals len octets into token_len (0: whatever it takes), lets the client
 * open them, compares. */
static void
assert_client_opens(
    struct pair *pair, size_t len, int confidential, size_t token_len)
{
	struct seal *seal = pair->seal;
	uint8_t *token = malloc(seal->header + len + seal->trailer);
	gss_buffer_desc sealed, plain = GSS_C_EMPTY_BUFFER;
	OM_uint32 minor;
	size_t sealed_len;
	int conf_state;

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
			     &plain, &conf_state, NULL),
	    GSS_S_COMPLETE);
	assert_int_equal(conf_state, confidential);
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
		struct pair pair =
		    establish_seal(KERBEROS_FLAGS, rows[i].protection);
		size_t max = pair.seal->plaintext_max;
		size_t overhead = RFC1961_TOKEN_MAX - max;
		const size_t sizes[] = {0, 1, 15, 16, 17, 4096, max - 1, max};

		for (size_t j = 0; j < ARRAY_COUNT(sizes); j++)
			assert_client_opens(&pair, sizes[j],
			    rows[i].confidential, sizes[j] + overhead);
		end(&pair);
	}
}

static void
one_octet_more_than_the_limit_does_not_fit_the_length_field(void **state)
{
	(void)state;
	for (int confidential = 0; confidential < 2; confidential++) {
		struct pair pair = establish_seal(
		    KERBEROS_FLAGS, confidential ? PROTECTION_CONFIDENTIALITY
						 : PROTECTION_INTEGRITY);
		uint8_t *text = calloc(1, pair.seal->plaintext_max + 1);
		gss_buffer_desc token;

		token = client_wrap(
		    &pair, confidential, text, pair.seal->plaintext_max + 1);
		assert_int_equal(token.length, RFC1961_TOKEN_MAX + 1);
		drop(&token);
		free(text);
		end(&pair);
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
		struct pair pair;
		gss_buffer_desc token;

		kerberos_grow_old(true);
		pair =
		    establish_with("old.keytab", KERBEROS_OLD, KERBEROS_FLAGS);
		kerberos_grow_old(false);
		pair.seal = gssctx_into_seal(pair.context, protections[i]);
		pair.context = NULL;
		assert_non_null(pair.seal);
		assert_int_equal(pair.seal->header, 0);
		for (size_t len = 0; len < 300; len += 37)
			assert_client_opens(&pair, len, i, 0);
		assert_client_opens(&pair, pair.seal->plaintext_max, i, 0);
		token = client_wrap(&pair, i, "from old times", 14);
		assert_opens(pair.seal, &token, "from old times");
		assert_fails(pair.seal, &token, REASON_GSS_REPLAY);
		drop(&token);
		end(&pair);
	}
}

/* ---- order ---- */

static void
a_replayed_message_is_refused(void **state)
{
	struct pair pair =
	    establish_seal(KERBEROS_FLAGS, PROTECTION_CONFIDENTIALITY);
	gss_buffer_desc token = client_wrap(&pair, 1, "once", 4);

	(void)state;
	assert_opens(pair.seal, &token, "once");
	assert_fails(pair.seal, &token, REASON_GSS_REPLAY);
	assert_fails(pair.seal, &token, REASON_GSS_REPLAY);
	drop(&token);
	end(&pair);
}

static void
swapped_messages_are_refused(void **state)
{
	struct pair pair = establish_seal(KERBEROS_FLAGS, PROTECTION_INTEGRITY);
	gss_buffer_desc first = client_wrap(&pair, 0, "first", 5);
	gss_buffer_desc second = client_wrap(&pair, 0, "second", 6);

	(void)state;
	assert_fails(pair.seal, &second, REASON_GSS_ORDER);
	assert_fails(pair.seal, &first, REASON_GSS_ORDER);
	drop(&first);
	drop(&second);
	end(&pair);
}

static void
a_missing_message_is_seen(void **state)
{
	struct pair pair =
	    establish_seal(KERBEROS_FLAGS, PROTECTION_CONFIDENTIALITY);
	gss_buffer_desc first = client_wrap(&pair, 1, "first", 5);
	gss_buffer_desc second = client_wrap(&pair, 1, "second", 6);
	gss_buffer_desc third = client_wrap(&pair, 1, "third", 5);

	(void)state;
	assert_opens(pair.seal, &first, "first");
	assert_fails(pair.seal, &third, REASON_GSS_ORDER);
	drop(&first);
	drop(&second);
	drop(&third);
	end(&pair);
}

/* libgssapi calls it unsequenced, not old, once it is 64 behind. */
static void
a_replay_from_long_ago_is_refused(void **state)
{
	struct pair pair = establish_seal(KERBEROS_FLAGS, PROTECTION_INTEGRITY);
	gss_buffer_desc first = client_wrap(&pair, 0, "0", 1);

	(void)state;
	assert_opens(pair.seal, &first, "0");
	for (int i = 1; i <= 90; i++) {
		gss_buffer_desc token = client_wrap(&pair, 0, "n", 1);

		assert_opens(pair.seal, &token, "n");
		drop(&token);
	}
	assert_fails(pair.seal, &first, REASON_GSS_ORDER);
	drop(&first);
	end(&pair);
}

static void
without_sequence_a_replay_is_seen_and_a_gap_is_not(void **state)
{
	struct pair pair =
	    establish_seal(KERBEROS_FLAGS & ~(OM_uint32)GSS_C_SEQUENCE_FLAG,
		PROTECTION_INTEGRITY);
	gss_buffer_desc first = client_wrap(&pair, 0, "first", 5);
	gss_buffer_desc second = client_wrap(&pair, 0, "second", 6);

	(void)state;
	assert_opens(pair.seal, &second, "second");
	assert_opens(pair.seal, &first, "first");
	assert_fails(pair.seal, &second, REASON_GSS_REPLAY);
	drop(&first);
	drop(&second);
	end(&pair);
}

static void
our_own_message_sent_back_is_refused(void **state)
{
	struct pair pair =
	    establish_seal(KERBEROS_FLAGS, PROTECTION_CONFIDENTIALITY);
	uint8_t token[128] = {0};
	size_t len;
	gss_buffer_desc reflected;

	(void)state;
	assert_int_equal(seal_wrap(pair.seal, token, 4, &len), REASON_OK);
	reflected.value = token;
	reflected.length = len;
	assert_fails(pair.seal, &reflected, REASON_GSS_DEFECTIVE);
	end(&pair);
}

/* ---- changed messages ---- */

static void
refuse_every_flip(int confidential, enum protection protection)
{
	struct pair pair = establish_seal(KERBEROS_FLAGS, protection);
	gss_buffer_desc token =
	    client_wrap(&pair, confidential, "untouched", 9);
	uint8_t *octets = token.value;
	char opened[256];

	for (size_t bit = 0; bit < token.length * 8; bit++) {
		octets[bit / 8] ^= (uint8_t)(1U << bit % 8);
		assert_int_not_equal(open_copy(pair.seal, octets, token.length,
					 opened, sizeof(opened)),
		    REASON_OK);
		octets[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
	assert_opens(pair.seal, &token, "untouched");
	drop(&token);
	end(&pair);
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
	struct pair pair =
	    establish_seal(KERBEROS_FLAGS, PROTECTION_CONFIDENTIALITY);
	gss_buffer_desc token = client_wrap(&pair, 1, "whole", 5);
	uint8_t longer[256] = {0};
	char opened[256];

	(void)state;
	assert_true(token.length + 32 < sizeof(longer));
	memcpy(longer, token.value, token.length);
	for (size_t len = 0; len < token.length + 32; len++) {
		if (len == token.length)
			continue;
		assert_int_not_equal(
		    open_copy(pair.seal, longer, len, opened, sizeof(opened)),
		    REASON_OK);
	}
	assert_opens(pair.seal, &token, "whole");
	drop(&token);
	end(&pair);
}

static void
a_message_of_another_context_is_refused(void **state)
{
	struct pair ours =
	    establish_seal(KERBEROS_FLAGS, PROTECTION_CONFIDENTIALITY);
	struct pair theirs =
	    establish_seal(KERBEROS_FLAGS, PROTECTION_CONFIDENTIALITY);
	gss_buffer_desc token = client_wrap(&theirs, 1, "theirs", 6);

	(void)state;
	assert_fails(ours.seal, &token, REASON_GSS_DEFECTIVE);
	drop(&token);
	end(&ours);
	end(&theirs);
}

/* ---- confidentiality ---- */

static void
an_integrity_only_message_is_refused_at_level_2(void **state)
{
	struct pair pair =
	    establish_seal(KERBEROS_FLAGS, PROTECTION_CONFIDENTIALITY);
	gss_buffer_desc token = client_wrap(&pair, 0, "in the open", 11);

	(void)state;
	assert_fails(pair.seal, &token, REASON_GSS_CONFIDENTIALITY);
	drop(&token);
	end(&pair);
}

static void
a_confidential_message_is_taken_at_every_level(void **state)
{
	(void)state;
	for (int i = PROTECTION_NONE; i < PROTECTION_COUNT; i++) {
		struct pair pair =
		    establish_seal(KERBEROS_FLAGS, (enum protection)i);
		gss_buffer_desc token = client_wrap(&pair, 1, "hidden", 6);

		assert_opens(pair.seal, &token, "hidden");
		drop(&token);
		end(&pair);
	}
}

static void
selective_takes_both_kinds(void **state)
{
	struct pair pair = establish_seal(KERBEROS_FLAGS, PROTECTION_SELECTIVE);
	gss_buffer_desc open_one = client_wrap(&pair, 0, "open", 4);
	gss_buffer_desc hidden_one = client_wrap(&pair, 1, "hidden", 6);

	(void)state;
	assert_opens(pair.seal, &open_one, "open");
	assert_opens(pair.seal, &hidden_one, "hidden");
	drop(&open_one);
	drop(&hidden_one);
	end(&pair);
}

/* ---- the level octet ---- */

static void
every_level_octet_comes_through_sealed_either_way(void **state)
{
	struct pair pair = establish(KERBEROS_FLAGS);

	(void)state;
	for (int i = 0; i < 512; i++) {
		uint8_t sent = (uint8_t)i, level = (uint8_t)~sent;
		gss_buffer_desc token = client_wrap(&pair, i >= 256, &sent, 1);

		assert_int_equal(gssctx_unwrap_level(pair.context, token.value,
				     token.length, &level),
		    REASON_OK);
		assert_int_equal(level, sent);
		drop(&token);
	}
	end(&pair);
}

static void
our_level_octet_is_29_octets_in_the_open(void **state)
{
	struct pair pair = establish(KERBEROS_FLAGS);
	uint8_t token[29];
	gss_buffer_desc sealed = {.value = token};
	gss_buffer_desc plain = GSS_C_EMPTY_BUFFER;
	OM_uint32 minor;
	int conf_state;

	(void)state;
	assert_int_equal(gssctx_wrap_level(pair.context, 2, token,
			     sizeof(token), &sealed.length),
	    REASON_OK);
	assert_int_equal(sealed.length, 29);
	assert_int_equal(gss_unwrap(&minor, pair.client.handle, &sealed, &plain,
			     &conf_state, NULL),
	    GSS_S_COMPLETE);
	assert_int_equal(conf_state, 0);
	assert_int_equal(plain.length, 1);
	assert_memory_equal(plain.value, "\2", 1);
	assert_int_equal(
	    gssctx_wrap_level(pair.context, 2, token, 28, &sealed.length),
	    REASON_GSS_SEAL);
	drop(&plain);
	end(&pair);
}

static void
what_is_not_one_sealed_octet_is_no_level(void **state)
{
	struct pair pair = establish(KERBEROS_FLAGS);
	gss_buffer_desc none = client_wrap(&pair, 0, "", 0);
	gss_buffer_desc two = client_wrap(&pair, 0, "\1\1", 2);
	gss_buffer_desc skipped = client_wrap(&pair, 0, "\1", 1);
	gss_buffer_desc late = client_wrap(&pair, 0, "\1", 1);
	uint8_t large[2048] = {0}, level;

	(void)state;
	assert_int_equal(
	    gssctx_unwrap_level(pair.context, none.value, none.length, &level),
	    REASON_GSS_LEVEL);
	assert_int_equal(
	    gssctx_unwrap_level(pair.context, two.value, two.length, &level),
	    REASON_GSS_LEVEL);
	assert_int_equal(
	    gssctx_unwrap_level(pair.context, late.value, late.length, &level),
	    REASON_GSS_LEVEL);
	assert_int_equal(gssctx_unwrap_level(pair.context, "\1", 1, &level),
	    REASON_GSS_LEVEL);
	assert_int_equal(gssctx_unwrap_level(pair.context, large, 0, &level),
	    REASON_GSS_LEVEL);
	assert_int_equal(
	    gssctx_unwrap_level(pair.context, large, sizeof(large), &level),
	    REASON_GSS_LEVEL);
	drop(&none);
	drop(&two);
	drop(&skipped);
	drop(&late);
	end(&pair);
}

/* ---- import ---- */

static void
what_is_no_context_is_not_imported(void **state)
{
	static uint8_t large[512 * 1024];
	char why[256] = "";

	(void)state;
	assert_null(gssctx_import("", 0, why, sizeof(why)));
	assert_string_not_equal(why, "");
	assert_null(gssctx_import(large, sizeof(large), why, sizeof(why)));
	why[0] = '\0';
	assert_null(gssctx_import("nothing of ours", 15, why, sizeof(why)));
	assert_string_not_equal(why, "");
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
	    cmocka_unit_test(every_level_octet_comes_through_sealed_either_way),
	    cmocka_unit_test(our_level_octet_is_29_octets_in_the_open),
	    cmocka_unit_test(what_is_not_one_sealed_octet_is_no_level),
	    cmocka_unit_test(what_is_no_context_is_not_imported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
