/* SPDX-License-Identifier: ISC */
/*
 * The seal of real Kerberos contexts: of datagrams.  First what libgssapi
 * itself says of messages out of order, since the seal builds on it.
 */
#include "tests/support/unit.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/replay_window.h"
#include "base/rfc1961.h"
#include "base/seal.h"
#include "tests/support/seal_pair.h"

#define NO_ORDER   (KERBEROS_FLAGS & ~(OM_uint32)GSS_C_SEQUENCE_FLAG)
#define NO_REPLAY  (KERBEROS_FLAGS & ~(OM_uint32)GSS_C_REPLAY_FLAG)
#define NO_NUMBERS (NO_ORDER & NO_REPLAY)

static const OM_uint32 all_flags[] = {
    KERBEROS_FLAGS, NO_ORDER, NO_REPLAY, NO_NUMBERS};

/* ---- contexts that our own acceptor would refuse for their flags ---- */

static gss_ctx_id_t
accept_any(struct kerberos_client *client, const char *keytab,
    const char *service, OM_uint32 flags)
{
	gss_ctx_id_t handle = GSS_C_NO_CONTEXT;
	gss_buffer_desc answer = GSS_C_EMPTY_BUFFER;
	OM_uint32 minor;

	assert_int_equal(setenv("KRB5_KTNAME", kerberos_path(keytab), 1), 0);
	assert_int_equal(setenv("KRB5RCACHENAME", "none:", 1), 0);
	kerberos_begin(client, service, flags);
	assert_int_equal(
	    gss_accept_sec_context(&minor, &handle, GSS_C_NO_CREDENTIAL,
		&client->token, GSS_C_NO_CHANNEL_BINDINGS, NULL, NULL, &answer,
		NULL, NULL, NULL),
	    GSS_S_COMPLETE);
	assert_int_equal(kerberos_continue(client, answer.value, answer.length),
	    GSS_S_COMPLETE);
	(void)gss_release_buffer(&minor, &answer);
	return handle;
}

static struct seal_pair
establish_any(const char *keytab, const char *service, OM_uint32 flags)
{
	struct seal_pair pair = {.accept = NULL};
	gss_ctx_id_t handle = accept_any(&pair.client, keytab, service, flags);
	gss_buffer_desc exported = GSS_C_EMPTY_BUFFER;
	char why[256];
	OM_uint32 minor;

	assert_int_equal(
	    gss_export_sec_context(&minor, &handle, &exported), GSS_S_COMPLETE);
	pair.context =
	    gssctx_import(exported.value, exported.length, why, sizeof(why));
	assert_non_null(pair.context);
	(void)gss_release_buffer(&minor, &exported);
	return pair;
}

/* ---- what libgssapi says ---- */

static OM_uint32
raw_unwrap(gss_ctx_id_t handle, const gss_buffer_desc *token)
{
	gss_buffer_desc copy = {.length = token->length};
	gss_buffer_desc plain = GSS_C_EMPTY_BUFFER;
	OM_uint32 major, minor;
	int conf_state = -1;

	copy.value = malloc(copy.length);
	assert_non_null(copy.value);
	memcpy(copy.value, token->value, copy.length);
	major = gss_unwrap(&minor, handle, &copy, &plain, &conf_state, NULL);
	/* Whatever it says of the order, it gives out the plaintext. */
	assert_int_equal(plain.length, 1);
	assert_memory_equal(plain.value, "x", 1);
	assert_int_equal(conf_state, 1);
	(void)gss_release_buffer(&minor, &plain);
	free(copy.value);
	return major;
}

/* Which message it is given (they are numbered from 0), and what it says
 * with the flags in the order of all_flags. */
struct saying {
	unsigned message;
	OM_uint32 says[4];
};

#define MESSAGES 300

static void
libgssapi_says(const struct saying *sayings, size_t count, unsigned which)
{
	struct seal_pair pair = {.seal = NULL};
	gss_ctx_id_t handle = accept_any(
	    &pair.client, "gateway.keytab", KERBEROS_SOCKS, all_flags[which]);
	gss_buffer_desc tokens[MESSAGES];
	OM_uint32 minor;

	for (unsigned i = 0; i < MESSAGES; i++)
		tokens[i] = seal_pair_wrap(&pair, 1, "x", 1);
	for (size_t i = 0; i < count; i++) {
		unsigned message = sayings[i].message;
		OM_uint32 said = raw_unwrap(handle, &tokens[message]);

		if (said != sayings[i].says[which])
			print_error("flags %u, message %u: 0x%x\n", which,
			    message, said);
		assert_int_equal(said, sayings[i].says[which]);
	}
	for (unsigned i = 0; i < MESSAGES; i++)
		seal_pair_drop(&tokens[i]);
	(void)gss_delete_sec_context(&minor, &handle, GSS_C_NO_BUFFER);
	seal_pair_end(&pair);
}

static void
what_libgssapi_says_of_messages_out_of_order(void **state)
{
	enum {
		OK = GSS_S_COMPLETE,
		DUP = GSS_S_DUPLICATE_TOKEN,
		OLD = GSS_S_OLD_TOKEN,
		UNSEQ = GSS_S_UNSEQ_TOKEN,
		GAP = GSS_S_GAP_TOKEN
	};
	static const struct saying sayings[] = {
	    /* sequence and replay, replay, sequence, neither */
	    {0, {OK, OK, OK, OK}}, {0, {DUP, DUP, UNSEQ, OK}},
	    {2, {GAP, OK, GAP, OK}}, {1, {UNSEQ, OK, UNSEQ, OK}},
	    {1, {DUP, DUP, UNSEQ, OK}}, {60, {GAP, OK, GAP, OK}},
	    {70, {GAP, OK, GAP, OK}},
	    {7, {UNSEQ, OK, UNSEQ, OK}}, /* new, 64 behind */
	    {7, {DUP, DUP, UNSEQ, OK}},
	    {6, {UNSEQ, OLD, UNSEQ, OK}}, /* new, 65 behind */
	    {2, {UNSEQ, OLD, UNSEQ, OK}}, /* a replay, 69 behind */
	    {60, {DUP, DUP, UNSEQ, OK}},
	    {299, {GAP, OK, GAP, OK}}, /* 229 further */
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_COUNT(all_flags); i++)
		libgssapi_says(sayings, ARRAY_COUNT(sayings), i);
}

/* ---- datagrams of RFC 4121 ---- */

/* A context that has come as far as an association: the level and the
 * request were read, the seal is one of datagrams. */
struct association {
	struct seal_pair pair;
	gss_buffer_desc level, request; /* as they came over TCP */
};

static struct association
associate_with(const char *keytab, const char *service, OM_uint32 flags,
    enum protection protection)
{
	int confidential = protection == PROTECTION_CONFIDENTIALITY;
	struct association made = {
	    .pair = establish_any(keytab, service, flags)};
	struct seal_pair *pair = &made.pair;
	uint8_t level;

	made.level = seal_pair_wrap(pair, 0, "\2", 1);
	assert_int_equal(gssctx_unwrap_level(pair->context, made.level.value,
			     made.level.length, &level),
	    REASON_OK);
	pair->seal = gssctx_into_seal(pair->context, protection);
	pair->context = NULL;
	assert_non_null(pair->seal);
	made.request = seal_pair_wrap(pair, confidential, "request", 7);
	seal_pair_assert_opens(pair->seal, &made.request, "request");
	return made;
}

static struct association
associate(OM_uint32 flags, enum protection protection)
{
	struct association made =
	    associate_with("gateway.keytab", KERBEROS_SOCKS, flags, protection);

	assert_int_equal(seal_into_datagram(made.pair.seal), REASON_OK);
	return made;
}

static void
end(struct association *association)
{
	seal_pair_drop(&association->level);
	seal_pair_drop(&association->request);
	seal_pair_end(&association->pair);
}

static gss_buffer_desc
wrap(struct association *association, const char *text)
{
	int confidential =
	    association->pair.seal->protection == PROTECTION_CONFIDENTIALITY;

	return seal_pair_wrap(
	    &association->pair, confidential, text, strlen(text));
}

static void
opens(struct association *association, const gss_buffer_desc *token,
    const char *text)
{
	seal_pair_assert_opens(association->pair.seal, token, text);
}

static void
fails(struct association *association, const gss_buffer_desc *token,
    enum reason reason)
{
	seal_pair_assert_fails(association->pair.seal, token, reason);
}

/* Messages that are lost on their way. */
static void
lose(struct association *association, unsigned count)
{
	while (count-- > 0) {
		gss_buffer_desc token = wrap(association, "lost");

		seal_pair_drop(&token);
	}
}

/* Messages that arrive. */
static void
deliver(struct association *association, unsigned count)
{
	while (count-- > 0) {
		gss_buffer_desc token = wrap(association, "n");

		opens(association, &token, "n");
		seal_pair_drop(&token);
	}
}

static void
each_datagram_opens_once_in_any_order(void **state)
{
	static const unsigned order[] = {3, 0, 1, 9, 8, 2, 7, 4, 6, 5};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(all_flags); i++) {
		struct association association =
		    associate(all_flags[i], PROTECTION_CONFIDENTIALITY);
		gss_buffer_desc tokens[ARRAY_COUNT(order)];

		for (size_t j = 0; j < ARRAY_COUNT(order); j++)
			tokens[j] = wrap(&association, "datagram");
		for (size_t j = 0; j < ARRAY_COUNT(order); j++) {
			opens(&association, &tokens[order[j]], "datagram");
			fails(
			    &association, &tokens[order[j]], REASON_GSS_REPLAY);
		}
		for (size_t j = 0; j < ARRAY_COUNT(order); j++) {
			fails(&association, &tokens[j], REASON_GSS_REPLAY);
			seal_pair_drop(&tokens[j]);
		}
		end(&association);
	}
}

static void
a_replay_from_any_time_is_refused(void **state)
{
	static const unsigned ages[] = {1, 63, 64, 65, 90, 1024, 2000,
	    REPLAY_WINDOW_SIZE - 1, REPLAY_WINDOW_SIZE, 3000};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(all_flags); i++) {
		for (size_t j = 0; j < ARRAY_COUNT(ages); j++) {
			struct association association =
			    associate(all_flags[i], PROTECTION_INTEGRITY);
			gss_buffer_desc first = wrap(&association, "first");

			opens(&association, &first, "first");
			deliver(&association, ages[j]);
			fails(&association, &first, REASON_GSS_REPLAY);
			deliver(&association, 1);
			seal_pair_drop(&first);
			end(&association);
		}
	}
}

static void
what_is_late_opens_as_long_as_the_window_is_wide(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(all_flags); i++) {
		struct association association =
		    associate(all_flags[i], PROTECTION_INTEGRITY);
		gss_buffer_desc too_late = wrap(&association, "too late");
		gss_buffer_desc late = wrap(&association, "late");

		deliver(&association, REPLAY_WINDOW_SIZE - 1);
		opens(&association, &late, "late");
		fails(&association, &late, REASON_GSS_REPLAY);
		fails(&association, &too_late, REASON_GSS_REPLAY);
		seal_pair_drop(&too_late);
		seal_pair_drop(&late);
		end(&association);
	}
}

/* libgssapi's window shifts by as many bits as were lost, which means nothing
 * from 64 on. */
static void
however_many_are_lost_the_next_opens(void **state)
{
	static const unsigned counts[] = {
	    1, 62, 63, 64, 65, 127, 128, 1000, REPLAY_WINDOW_SIZE, 5000};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(all_flags); i++) {
		struct association association =
		    associate(all_flags[i], PROTECTION_INTEGRITY);

		for (size_t j = 0; j < ARRAY_COUNT(counts); j++) {
			gss_buffer_desc overtaken;

			deliver(&association, 2);
			lose(&association, counts[j]);
			overtaken = wrap(&association, "overtaken");
			deliver(&association, 3);
			opens(&association, &overtaken, "overtaken");
			fails(&association, &overtaken, REASON_GSS_REPLAY);
			seal_pair_drop(&overtaken);
		}
		end(&association);
	}
}

static void
what_was_said_on_tcp_is_no_datagram(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(all_flags); i++) {
		struct association association =
		    associate(all_flags[i], PROTECTION_INTEGRITY);

		fails(&association, &association.request, REASON_GSS_REPLAY);
		fails(&association, &association.level, REASON_GSS_REPLAY);
		deliver(&association, 1);
		fails(&association, &association.request, REASON_GSS_REPLAY);
		fails(&association, &association.level, REASON_GSS_REPLAY);
		end(&association);
	}
}

/* The level message alone was read: what came before the association. */
static void
the_level_message_is_no_datagram(void **state)
{
	struct seal_pair pair = seal_pair_establish(NO_ORDER);
	gss_buffer_desc token = seal_pair_wrap(&pair, 0, "\1", 1);
	gss_buffer_desc datagram = seal_pair_wrap(&pair, 0, "new", 3);
	uint8_t level;

	(void)state;
	assert_int_equal(gssctx_unwrap_level(
			     pair.context, token.value, token.length, &level),
	    REASON_OK);
	pair.seal = gssctx_into_seal(pair.context, PROTECTION_INTEGRITY);
	pair.context = NULL;
	assert_int_equal(seal_into_datagram(pair.seal), REASON_OK);
	seal_pair_assert_fails(pair.seal, &token, REASON_GSS_REPLAY);
	seal_pair_assert_opens(pair.seal, &datagram, "new");
	seal_pair_drop(&token);
	seal_pair_drop(&datagram);
	seal_pair_end(&pair);
}

static void
a_forged_number_moves_nothing(void **state)
{
	static const uint8_t numbers[][8] = {{0, 0, 0, 0, 0xff}, {0x7f, 0xff},
	    {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe}};
	struct association association =
	    associate(NO_ORDER, PROTECTION_CONFIDENTIALITY);
	gss_buffer_desc token = wrap(&association, "genuine");

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(numbers); i++) {
		gss_buffer_desc forged = wrap(&association, "forged");

		memcpy((uint8_t *)forged.value + 8, numbers[i], 8);
		fails(&association, &forged, REASON_GSS_DEFECTIVE);
		seal_pair_drop(&forged);
	}
	opens(&association, &token, "genuine");
	deliver(&association, 1);
	seal_pair_drop(&token);
	end(&association);
}

static void
refuse_every_flip(int confidential, enum protection protection)
{
	struct association association = associate(NO_ORDER, protection);
	gss_buffer_desc token =
	    seal_pair_wrap(&association.pair, confidential, "untouched", 9);
	uint8_t *octets = token.value;
	char opened[256];

	for (size_t bit = 0; bit < token.length * 8; bit++) {
		octets[bit / 8] ^= (uint8_t)(1U << bit % 8);
		assert_int_not_equal(
		    seal_pair_open(association.pair.seal, octets, token.length,
			opened, sizeof(opened)),
		    REASON_OK);
		octets[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
	for (size_t len = 0; len < token.length; len++)
		assert_int_not_equal(seal_pair_open(association.pair.seal,
					 octets, len, opened, sizeof(opened)),
		    REASON_OK);
	opens(&association, &token, "untouched");
	seal_pair_drop(&token);
	end(&association);
}

static void
a_flip_of_any_bit_and_any_cut_is_refused(void **state)
{
	(void)state;
	refuse_every_flip(0, PROTECTION_INTEGRITY);
	refuse_every_flip(1, PROTECTION_INTEGRITY);
	refuse_every_flip(1, PROTECTION_CONFIDENTIALITY);
}

static void
confidentiality_is_required_as_on_tcp(void **state)
{
	static const struct {
		enum protection protection;
		int confidential;
		bool opens;
	} rows[] = {
	    {PROTECTION_NONE, 0, true},
	    {PROTECTION_NONE, 1, true},
	    {PROTECTION_INTEGRITY, 0, true},
	    {PROTECTION_INTEGRITY, 1, true},
	    {PROTECTION_SELECTIVE, 0, true},
	    {PROTECTION_SELECTIVE, 1, true},
	    {PROTECTION_CONFIDENTIALITY, 0, false},
	    {PROTECTION_CONFIDENTIALITY, 1, true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct association association =
		    associate(NO_ORDER, rows[i].protection);
		gss_buffer_desc token = seal_pair_wrap(
		    &association.pair, rows[i].confidential, "text", 4);

		if (rows[i].opens)
			opens(&association, &token, "text");
		else
			fails(&association, &token, REASON_GSS_CONFIDENTIALITY);
		fails(&association, &token, REASON_GSS_REPLAY);
		seal_pair_drop(&token);
		end(&association);
	}
}

static void
an_empty_datagram_opens(void **state)
{
	struct association association =
	    associate(NO_ORDER, PROTECTION_CONFIDENTIALITY);
	gss_buffer_desc token = wrap(&association, "");

	(void)state;
	opens(&association, &token, "");
	fails(&association, &token, REASON_GSS_REPLAY);
	seal_pair_drop(&token);
	end(&association);
}

static void
our_own_datagram_sent_back_is_refused(void **state)
{
	struct association association =
	    associate(NO_ORDER, PROTECTION_CONFIDENTIALITY);
	uint8_t token[128] = {0};
	gss_buffer_desc reflected = {.value = token};

	(void)state;
	/* As many as it takes to be new. */
	for (unsigned i = 0; i < 50; i++) {
		assert_int_equal(seal_wrap(association.pair.seal, token, 4,
				     &reflected.length),
		    REASON_OK);
		assert_int_not_equal(
		    seal_pair_open(association.pair.seal, token,
			reflected.length, (char[64]){0}, 64),
		    REASON_OK);
	}
	deliver(&association, 1);
	end(&association);
}

/* Writes the message in the frame of RFC 2743 section 3.1. */
static gss_buffer_desc
frame(uint8_t out[128], const gss_buffer_desc *token)
{
	static const uint8_t before[] = {0x60, 0, 0x06, 0x09, 0x2a, 0x86, 0x48,
	    0x86, 0xf7, 0x12, 0x01, 0x02, 0x02};
	gss_buffer_desc framed = {
	    .value = out, .length = sizeof(before) + token->length};

	assert_true(framed.length < 128);
	memcpy(out, before, sizeof(before));
	out[1] = (uint8_t)(framed.length - 2);
	memcpy(out + sizeof(before), token->value, token->length);
	return framed;
}

static void
libgssapi_takes_off_a_frame_that_nobody_protects(void **state)
{
	struct seal_pair pair = {.seal = NULL};
	gss_ctx_id_t handle = accept_any(
	    &pair.client, "gateway.keytab", KERBEROS_SOCKS, NO_ORDER);
	gss_buffer_desc token = seal_pair_wrap(&pair, 1, "x", 1);
	uint8_t octets[128];
	gss_buffer_desc framed = frame(octets, &token);
	OM_uint32 minor;

	(void)state;
	assert_int_equal(raw_unwrap(handle, &framed), GSS_S_COMPLETE);
	assert_int_equal(raw_unwrap(handle, &token), GSS_S_DUPLICATE_TOKEN);
	seal_pair_drop(&token);
	(void)gss_delete_sec_context(&minor, &handle, GSS_C_NO_BUFFER);
	seal_pair_end(&pair);
}

/* RFC 4121 has no such frame: one message in two forms. */
static void
a_message_in_a_frame_is_refused(void **state)
{
	(void)state;
	for (int datagrams = 0; datagrams < 2; datagrams++) {
		struct association association =
		    associate_with("gateway.keytab", KERBEROS_SOCKS, NO_ORDER,
			PROTECTION_INTEGRITY);
		gss_buffer_desc token = wrap(&association, "x");
		uint8_t octets[128];
		gss_buffer_desc framed = frame(octets, &token);

		if (datagrams)
			assert_int_equal(
			    seal_into_datagram(association.pair.seal),
			    REASON_OK);
		fails(&association, &framed, REASON_GSS_DEFECTIVE);
		opens(&association, &token, "x");
		seal_pair_drop(&token);
		end(&association);
	}
}

/* RFC 4121 section 4.2.5, as Windows sends it: what follows the header is
 * turned to the right.  Nothing protects by how much. */
static void
rotate(gss_buffer_desc *token, uint16_t count)
{
	uint8_t *octets = token->value, turned[256];
	size_t len = token->length - 16;

	assert_true(len <= sizeof(turned));
	for (size_t i = 0; i < len; i++)
		turned[(i + count) % len] = octets[16 + i];
	memcpy(octets + 16, turned, len);
	octets[6] = (uint8_t)(count >> 8);
	octets[7] = (uint8_t)count;
}

static void
a_message_opens_once_however_it_is_rotated(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct association association = associate(NO_ORDER,
		    i ? PROTECTION_CONFIDENTIALITY : PROTECTION_INTEGRITY);
		gss_buffer_desc token = wrap(&association, "turned");
		gss_buffer_desc same = {.length = token.length};
		uint8_t octets[256];

		assert_true(token.length <= sizeof(octets));
		memcpy(octets, token.value, token.length);
		same.value = octets;
		rotate(&token, 28);
		opens(&association, &token, "turned");
		fails(&association, &token, REASON_GSS_REPLAY);
		fails(&association, &same, REASON_GSS_REPLAY);
		seal_pair_drop(&token);
		end(&association);
	}
}

/* ---- our own datagrams ---- */

static void
the_largest_fits_a_udp_datagram(void **state)
{
	static const struct {
		enum protection protection;
		size_t max;
	} rows[] = {
	    {PROTECTION_INTEGRITY, 65507 - 4 - 28},
	    {PROTECTION_SELECTIVE, 65507 - 4 - 60},
	    {PROTECTION_CONFIDENTIALITY, 65507 - 4 - 60},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct association association =
		    associate(NO_ORDER, rows[i].protection);
		struct seal *seal = association.pair.seal;
		uint8_t *token = calloc(1, RFC1961_TOKEN_MAX);
		gss_buffer_desc sealed = {.value = token};
		gss_buffer_desc plain = GSS_C_EMPTY_BUFFER;
		OM_uint32 minor;

		assert_non_null(token);
		assert_int_equal(seal->plaintext_max, rows[i].max);
		assert_int_equal(
		    seal_wrap(seal, token, seal->plaintext_max, &sealed.length),
		    REASON_OK);
		assert_int_equal(RFC1961_HEADER + sealed.length, 65507);
		assert_int_equal(
		    gss_unwrap(&minor, association.pair.client.handle, &sealed,
			&plain, NULL, NULL),
		    GSS_S_COMPLETE);
		assert_int_equal(plain.length, rows[i].max);
		(void)gss_release_buffer(&minor, &plain);
		free(token);
		end(&association);
	}
}

/* ---- messages older than RFC 4121 ---- */

static struct association
associate_old(OM_uint32 flags, enum protection protection)
{
	struct association association;

	kerberos_grow_old(true);
	association =
	    associate_with("old.keytab", KERBEROS_OLD, flags, protection);
	kerberos_grow_old(false);
	return association;
}

static void
pass_old_messages_once(OM_uint32 flags, enum protection protection)
{
	struct association association = associate_old(flags, protection);
	gss_buffer_desc first, overtaken;

	assert_int_equal(seal_into_datagram(association.pair.seal), REASON_OK);
	fails(&association, &association.request, REASON_GSS_REPLAY);
	fails(&association, &association.level, REASON_GSS_REPLAY);
	first = wrap(&association, "first");
	opens(&association, &first, "first");
	fails(&association, &first, REASON_GSS_REPLAY);
	overtaken = wrap(&association, "overtaken");
	deliver(&association, 1);
	/* With sequence it could be a replay. */
	if ((flags & GSS_C_SEQUENCE_FLAG) != 0)
		fails(&association, &overtaken, REASON_GSS_REPLAY);
	else
		opens(&association, &overtaken, "overtaken");
	fails(&association, &overtaken, REASON_GSS_REPLAY);
	lose(&association, 30);
	deliver(&association, 60);
	fails(&association, &first, REASON_GSS_REPLAY);
	deliver(&association, 2000);
	fails(&association, &first, REASON_GSS_REPLAY);
	seal_pair_drop(&first);
	seal_pair_drop(&overtaken);
	end(&association);
}

static void
old_messages_pass_once_as_libgssapi_knows_them(void **state)
{
	static const OM_uint32 flags[] = {KERBEROS_FLAGS, NO_ORDER, NO_REPLAY};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(flags); i++) {
		pass_old_messages_once(flags[i], PROTECTION_INTEGRITY);
		pass_old_messages_once(flags[i], PROTECTION_CONFIDENTIALITY);
	}
}

static void
old_messages_that_nothing_watches_are_no_datagrams(void **state)
{
	struct association association =
	    associate_old(NO_NUMBERS, PROTECTION_INTEGRITY);
	struct seal *seal = association.pair.seal;
	gss_buffer_desc token = wrap(&association, "still a stream");

	(void)state;
	assert_int_equal(seal_into_datagram(seal), REASON_GSS_FLAGS);
	assert_int_equal(seal->plaintext_max + seal->trailer, 65535);
	opens(&association, &token, "still a stream");
	seal_pair_drop(&token);
	end(&association);
}

static void
old_messages_are_refused_when_changed(void **state)
{
	struct association association =
	    associate_old(NO_ORDER, PROTECTION_CONFIDENTIALITY);
	gss_buffer_desc token = wrap(&association, "untouched");
	uint8_t *octets = token.value;

	(void)state;
	assert_int_equal(seal_into_datagram(association.pair.seal), REASON_OK);
	for (size_t i = 0; i < token.length; i++) {
		octets[i] ^= 0x10;
		assert_int_not_equal(
		    seal_pair_open(association.pair.seal, octets, token.length,
			(char[64]){0}, 64),
		    REASON_OK);
		octets[i] ^= 0x10;
	}
	opens(&association, &token, "untouched");
	seal_pair_drop(&token);
	end(&association);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_libgssapi_says_of_messages_out_of_order),
	    cmocka_unit_test(each_datagram_opens_once_in_any_order),
	    cmocka_unit_test(a_replay_from_any_time_is_refused),
	    cmocka_unit_test(what_is_late_opens_as_long_as_the_window_is_wide),
	    cmocka_unit_test(however_many_are_lost_the_next_opens),
	    cmocka_unit_test(what_was_said_on_tcp_is_no_datagram),
	    cmocka_unit_test(the_level_message_is_no_datagram),
	    cmocka_unit_test(a_forged_number_moves_nothing),
	    cmocka_unit_test(a_flip_of_any_bit_and_any_cut_is_refused),
	    cmocka_unit_test(confidentiality_is_required_as_on_tcp),
	    cmocka_unit_test(an_empty_datagram_opens),
	    cmocka_unit_test(our_own_datagram_sent_back_is_refused),
	    cmocka_unit_test(libgssapi_takes_off_a_frame_that_nobody_protects),
	    cmocka_unit_test(a_message_in_a_frame_is_refused),
	    cmocka_unit_test(a_message_opens_once_however_it_is_rotated),
	    cmocka_unit_test(the_largest_fits_a_udp_datagram),
	    cmocka_unit_test(old_messages_pass_once_as_libgssapi_knows_them),
	    cmocka_unit_test(
		old_messages_that_nothing_watches_are_no_datagrams),
	    cmocka_unit_test(old_messages_are_refused_when_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
