/* SPDX-License-Identifier: ISC */
/*
 * Sealed datagrams through a network that loses, repeats, reorders, changes
 * and replays them (tests/support/shim.h): none is delivered twice, and what
 * comes within the window is.  DATAGRAMS in the environment says how many;
 * tests/long/datagram_shim asks for a million.
 */
#include "tests/support/unit.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/seal.h"
#include "base/wire.h"
#include "tests/support/seal_pair.h"
#include "tests/support/shim.h"

#define DATAGRAMS     20000
#define PLAIN_LEN_MAX 1500
#define RRC	      6 /* where it stands in a message */

static uint64_t
datagrams(void)
{
	const char *text = getenv("DATAGRAMS");

	return text == NULL ? DATAGRAMS : strtoull(text, NULL, 10);
}

/* The number, and what follows from it. */
static size_t
print_plain(uint8_t out[PLAIN_LEN_MAX], uint64_t number)
{
	size_t len = 8 + number * 7919 % (number % 16 == 0 ? 1400 : 100);
	struct wire_writer writer;

	wire_writer_init(&writer, out, PLAIN_LEN_MAX);
	wire_put_u64(&writer, number);
	memset(out + 8, (uint8_t)number, len - 8);
	return len;
}

/* The receiver believes what opens, so it must be what was sent. */
static uint64_t
number_of(const uint8_t *plain, size_t len)
{
	uint8_t expected[PLAIN_LEN_MAX];
	struct wire_reader reader;
	uint64_t number;

	wire_reader_init(&reader, plain, len);
	number = wire_get_u64(&reader);
	assert_int_equal(len, print_plain(expected, number));
	assert_memory_equal(plain, expected, len);
	return number;
}

/* All that arrives in this tick. */
static void
receive(struct shim *shim, struct seal *seal)
{
	struct shim_arrival arrival;

	while (shim_arrive(shim, &arrival)) {
		uint8_t *plain;
		size_t len;
		enum reason reason = seal_unwrap(
		    seal, arrival.octets, arrival.len, &plain, &len);

		if (arrival.is_due)
			assert_int_equal(reason, REASON_OK);
		if (arrival.kind == SHIM_FORGED)
			assert_int_not_equal(reason, REASON_OK);
		else if (reason != REASON_OK)
			assert_int_equal(reason, REASON_GSS_REPLAY);
		if (reason == REASON_OK)
			shim_delivered(shim, number_of(plain, len));
	}
}

static void
through_the_shim(OM_uint32 flags, enum protection protection)
{
	struct seal_pair pair = seal_pair_make(flags, protection);
	uint64_t count = datagrams();
	struct shim *shim = shim_new(count, (unsigned)protection, RRC);

	assert_int_equal(seal_into_datagram(pair.seal), REASON_OK);
	for (uint64_t i = 0; i < count; i++) {
		uint8_t plain[PLAIN_LEN_MAX];
		size_t len = print_plain(plain, i);
		bool is_hidden = protection == PROTECTION_CONFIDENTIALITY ||
				 (protection == PROTECTION_SELECTIVE && i % 2);
		gss_buffer_desc token =
		    seal_pair_wrap(&pair, is_hidden, plain, len);

		shim_send(shim, token.value, token.length);
		seal_pair_drop(&token);
		receive(shim, pair.seal);
	}
	while (shim_wait(shim))
		receive(shim, pair.seal);
	assert_true(shim_report(shim, protection_name(protection), stdout));
	shim_free(shim);
	seal_pair_end(&pair);
}

#define NO_ORDER (KERBEROS_FLAGS & ~(OM_uint32)GSS_C_SEQUENCE_FLAG)

/* RFC 1961 has UDP clients not ask for sequence. */
static void
at_every_level(void **state)
{
	(void)state;
	through_the_shim(NO_ORDER, PROTECTION_INTEGRITY);
	through_the_shim(NO_ORDER, PROTECTION_SELECTIVE);
	through_the_shim(NO_ORDER, PROTECTION_CONFIDENTIALITY);
}

/* But a client chooses before it knows what it will ask for. */
static void
of_a_client_that_asked_for_sequence(void **state)
{
	(void)state;
	through_the_shim(KERBEROS_FLAGS, PROTECTION_INTEGRITY);
	through_the_shim(KERBEROS_FLAGS, PROTECTION_CONFIDENTIALITY);
}

/*
 * That the shim can tell: libgssapi's own window, with sequence, its verdict
 * read as well as can be (loss and reordering are normal, a duplicate and an
 * old message are not), lets replays through.
 */
static bool
libgssapi_lets_pass(gss_ctx_id_t handle, const struct shim_arrival *arrival)
{
	gss_buffer_desc token = {
	    .length = arrival->len, .value = arrival->octets};
	gss_buffer_desc plain = GSS_C_EMPTY_BUFFER;
	OM_uint32 major, minor;

	major = gss_unwrap(&minor, handle, &token, &plain, NULL, NULL);
	(void)gss_release_buffer(&minor, &plain);
	return (major & ~(OM_uint32)(GSS_S_GAP_TOKEN | GSS_S_UNSEQ_TOKEN)) ==
	       GSS_S_COMPLETE;
}

static void
libgssapi_alone_would_not_do(void **state)
{
	struct seal_pair pair = {.accept = kerberos_acceptor()};
	struct accept_answer answer;
	gss_buffer_desc exported;
	gss_ctx_id_t handle = GSS_C_NO_CONTEXT;
	struct shim *shim = shim_new(DATAGRAMS, 1, RRC);
	struct shim_arrival arrival;
	OM_uint32 minor;

	(void)state;
	kerberos_establish(
	    pair.accept, &pair.client, KERBEROS_SOCKS, KERBEROS_FLAGS, &answer);
	exported.length = answer.exported_len;
	exported.value = (void *)(uintptr_t)answer.exported;
	assert_int_equal(
	    gss_import_sec_context(&minor, &exported, &handle), GSS_S_COMPLETE);
	for (uint64_t i = 0; i < DATAGRAMS; i++) {
		gss_buffer_desc token = seal_pair_wrap(&pair, 0, "x", 1);

		shim_send(shim, token.value, token.length);
		seal_pair_drop(&token);
		while (shim_arrive(shim, &arrival))
			if (libgssapi_lets_pass(handle, &arrival))
				shim_delivered(shim, arrival.number);
	}
	while (shim_wait(shim))
		while (shim_arrive(shim, &arrival))
			;
	assert_false(
	    shim_report(shim, "libgssapi alone, which is to be", stdout));
	(void)gss_delete_sec_context(&minor, &handle, GSS_C_NO_BUFFER);
	shim_free(shim);
	seal_pair_end(&pair);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(at_every_level),
	    cmocka_unit_test(of_a_client_that_asked_for_sequence),
	    cmocka_unit_test(libgssapi_alone_would_not_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
