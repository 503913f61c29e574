/* SPDX-License-Identifier: ISC */
/* Accepting real tickets: who gets in, and why everybody else does not. */
#include "tests/support/unit.h"

#include "auth/gss_accept.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <gssapi/gssapi_krb5.h>
#include <krb5.h>

#include "auth/gss_context.h"
#include "base/seal.h"
#include "tests/support/kerberos.h"

static const char *const services[] = {"socks", "rcmd", NULL};
static const char *const none[] = {NULL};

static struct gssaccept_settings
usual_settings(void)
{
	return (struct gssaccept_settings){
	    .keytab = kerberos_path("gateway.keytab"),
	    .replay_cache = kerberos_path("replay"),
	    .services = services,
	    .realms = none,
	};
}

static struct gssaccept *
accept_with(const struct gssaccept_settings *settings)
{
	char why[512] = "";
	struct gssaccept *accept = gssaccept_new(settings, why, sizeof(why));

	assert_string_equal(why, "");
	assert_non_null(accept);
	return accept;
}

/* What becomes of one token. */
static void
present(struct gssaccept *accept, const void *token, size_t len,
    struct accept_answer *answer)
{
	struct gssaccept_half *half = NULL;

	gssaccept_step(accept, &half, false, token, len, answer);
	gssaccept_half_free(half);
}

static void
present_fresh(struct gssaccept *accept, const char *service, OM_uint32 flags,
    struct accept_answer *answer)
{
	struct kerberos_client client;

	kerberos_begin(&client, service, flags);
	present(accept, client.token.value, client.token.length, answer);
	kerberos_end(&client);
}

static void
assert_refused(const struct accept_answer *answer, enum reason reason)
{
	assert_int_equal(answer->outcome, ACCEPT_FAILED);
	assert_string_equal(reason_name(answer->reason), reason_name(reason));
	assert_string_equal(answer->name, "");
	assert_int_equal(answer->exported_len, 0);
}

static void
assert_is_refused_with(OM_uint32 flags, const char *service, enum reason reason)
{
	struct gssaccept *accept = kerberos_acceptor();
	struct accept_answer answer;

	present_fresh(accept, service, flags, &answer);
	assert_refused(&answer, reason);
	/* Ours is the refusal: no token says otherwise. */
	assert_int_equal(answer.token_len, 0);
	gssaccept_free(accept);
}

/* ---- who gets in ---- */

static void
a_client_is_named_with_its_realm(void **state)
{
	struct gssaccept *accept = kerberos_acceptor();
	struct kerberos_client client;
	struct accept_answer answer;

	(void)state;
	kerberos_establish(
	    accept, &client, KERBEROS_SOCKS, KERBEROS_FLAGS, &answer);
	assert_string_equal(answer.name, "alice@EXAMPLE.COM");
	assert_int_equal(answer.flags & KERBEROS_FLAGS, KERBEROS_FLAGS);
	assert_true(answer.token_len > 0);
	assert_true(answer.exported_len > 0);
	kerberos_end(&client);
	gssaccept_free(accept);
}

static void
every_listed_service_is_accepted(void **state)
{
	struct gssaccept *accept = kerberos_acceptor();
	struct kerberos_client client;
	struct accept_answer answer;

	(void)state;
	kerberos_establish(
	    accept, &client, "rcmd@gw.example.com", KERBEROS_FLAGS, &answer);
	kerberos_end(&client);
	gssaccept_free(accept);
}

static void
a_missing_sequence_flag_is_told_not_refused(void **state)
{
	struct gssaccept *accept = kerberos_acceptor();
	struct kerberos_client client;
	struct accept_answer answer;

	(void)state;
	kerberos_establish(accept, &client, KERBEROS_SOCKS,
	    KERBEROS_FLAGS & ~(OM_uint32)GSS_C_SEQUENCE_FLAG, &answer);
	assert_int_equal(answer.flags & CONTEXT_SEQUENCE, 0);
	kerberos_end(&client);
	gssaccept_free(accept);
}

/* When the client's ticket for the gateway ends. */
static time_t
ticket_end(void)
{
	krb5_context krb5;
	krb5_ccache cache;
	krb5_cc_cursor cursor;
	krb5_creds credential;
	time_t end = 0;

	assert_int_equal(krb5_init_context(&krb5), 0);
	assert_int_equal(krb5_cc_default(krb5, &cache), 0);
	assert_int_equal(krb5_cc_start_seq_get(krb5, cache, &cursor), 0);
	while (krb5_cc_next_cred(krb5, cache, &cursor, &credential) == 0) {
		const krb5_data *first = &credential.server->data[0];

		if (first->length == 5 && memcmp(first->data, "socks", 5) == 0)
			end = (time_t)(uint32_t)credential.times.endtime;
		krb5_free_cred_contents(krb5, &credential);
	}
	(void)krb5_cc_end_seq_get(krb5, cache, &cursor);
	(void)krb5_cc_close(krb5, cache);
	krb5_free_context(krb5);
	assert_int_not_equal(end, 0);
	return end;
}

static void
what_the_ticket_says_of_its_proof_is_told(void **state)
{
	struct gssaccept *accept = kerberos_acceptor();
	struct kerberos_client client;
	struct accept_answer answer;

	(void)state;
	kerberos_establish(
	    accept, &client, KERBEROS_SOCKS, KERBEROS_FLAGS, &answer);
	assert_string_equal(answer.indicators, "");
	kerberos_end(&client);
	kerberos_login("carol", "");
	kerberos_establish(
	    accept, &client, KERBEROS_SOCKS, KERBEROS_FLAGS, &answer);
	assert_string_equal(answer.indicators, "spake");
	kerberos_end(&client);
	gssaccept_free(accept);
	kerberos_login("alice", "");
}

static void
the_lifetime_ends_with_the_ticket(void **state)
{
	struct gssaccept *accept = kerberos_acceptor();
	struct kerberos_client client;
	struct accept_answer answer;
	struct timespec now;
	int64_t wanted_us, off_us;

	(void)state;
	kerberos_login("alice", "-l 600s");
	kerberos_establish(
	    accept, &client, KERBEROS_SOCKS, KERBEROS_FLAGS, &answer);
	(void)clock_gettime(CLOCK_REALTIME, &now);
	wanted_us = (ticket_end() - now.tv_sec) * 1000000 - now.tv_nsec / 1000;
	off_us = (int64_t)answer.lifetime_us - wanted_us;
	assert_true(off_us > -100000 && off_us < 100000);
	kerberos_end(&client);
	gssaccept_free(accept);
	kerberos_login("alice", "");
}

/* libkrb5 still takes it, within its tolerance of clocks. */
static void
a_ticket_that_has_just_ended_has_no_lifetime(void **state)
{
	struct gssaccept *accept = kerberos_acceptor();
	struct kerberos_client client;
	struct accept_answer answer;

	(void)state;
	kerberos_login("alice", "-l 2s");
	kerberos_begin(&client, KERBEROS_SOCKS, KERBEROS_FLAGS);
	(void)sleep(3);
	present(accept, client.token.value, client.token.length, &answer);
	assert_int_equal(answer.outcome, ACCEPT_DONE);
	assert_int_equal(answer.lifetime_us, 0);
	kerberos_end(&client);
	gssaccept_free(accept);
	kerberos_login("alice", "");
}

/* ---- tokens that are none ---- */

/* libgssapi wants to go on and has nothing to say; no error test sees it. */
static void
seventeen_octets_do_not_make_an_endless_negotiation(void **state)
{
	static const uint8_t token[17] = {0x60, 0x0f, 0x06, 0x09, 0x2a, 0x86,
	    0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02, 0x02, 0x00, 0x41, 0x41};
	struct gssaccept *accept = kerberos_acceptor();
	struct accept_answer answer;

	(void)state;
	present(accept, token, sizeof(token), &answer);
	assert_refused(&answer, REASON_GSS_ROUNDS);
	gssaccept_free(accept);
}

/* A frame without anything that libkrb5 would complain about. */
static void
a_token_of_nothing_is_refused_in_words(void **state)
{
	static const uint8_t token[] = {0x60, 0x13, 0x06, 0x09, 0x2a, 0x86,
	    0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02, 0x01, 0x00, 0x6e, 0x04,
	    0x30, 0x02, 0x00, 0x00};
	struct gssaccept *accept = kerberos_acceptor();
	struct accept_answer answer;

	(void)state;
	present(accept, token, sizeof(token), &answer);
	assert_refused(&answer, REASON_GSS_DEFECTIVE_TOKEN);
	assert_string_not_equal(answer.text, "Success");
	assert_string_not_equal(answer.text, "");
	gssaccept_free(accept);
}

static void
another_mechanism_is_no_credential(void **state)
{
	/* SPNEGO with Kerberos 5 as its only mechanism. */
	static const uint8_t token[] = {0x60, 0x1b, 0x06, 0x06, 0x2b, 0x06,
	    0x01, 0x05, 0x05, 0x02, 0xa0, 0x11, 0x30, 0x0f, 0xa0, 0x0d, 0x30,
	    0x0b, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02,
	    0x02};
	struct gssaccept *accept = kerberos_acceptor();
	struct accept_answer answer;

	(void)state;
	present(accept, token, sizeof(token), &answer);
	assert_refused(&answer, REASON_GSS_NO_CREDENTIAL);
	gssaccept_free(accept);
}

/* ---- SPNEGO, where it is allowed ---- */

static gss_OID_set_desc
only_krb5(void)
{
	return (gss_OID_set_desc){1, (gss_OID)gss_mech_krb5};
}

/* One token each way, and the context is the one of Kerberos 5 inside. */
static void
spnego_leads_to_kerberos_in_one_round(void **state)
{
	struct gssaccept *accept = kerberos_acceptor();
	gss_OID_set_desc mechs = only_krb5();
	struct gssaccept_half *half = NULL;
	struct kerberos_client client;
	struct accept_answer answer;
	struct gssctx *context;
	char why[512] = "";
	uint8_t sealed[512], level;
	gss_buffer_desc token;
	OM_uint32 minor;
	int state_of = 0;
	size_t len;

	(void)state;
	kerberos_begin_spnego(&client, KERBEROS_SOCKS, KERBEROS_FLAGS, &mechs);
	gssaccept_step(accept, &half, true, client.token.value,
	    client.token.length, &answer);
	assert_string_equal(answer.text, "");
	assert_int_equal(answer.outcome, ACCEPT_DONE);
	assert_string_equal(answer.name, "alice@EXAMPLE.COM");
	assert_true(answer.by_spnego);
	assert_int_equal(answer.flags & KERBEROS_FLAGS, KERBEROS_FLAGS);
	assert_true(answer.token_len > 0);
	assert_int_equal(
	    kerberos_continue(&client, answer.token, answer.token_len),
	    GSS_S_COMPLETE);

	/* What was handed over seals and opens like any other. */
	context = gssctx_import(
	    answer.exported, answer.exported_len, why, sizeof(why));
	assert_string_equal(why, "");
	assert_int_equal(
	    gssctx_wrap_level(context, 2, sealed, sizeof(sealed), &len),
	    REASON_OK);
	token = (gss_buffer_desc){.length = len, .value = sealed};
	assert_int_equal(gss_unwrap(&minor, client.handle, &token,
			     &client.token, &state_of, NULL),
	    GSS_S_COMPLETE);
	assert_int_equal(client.token.length, 1);
	memcpy(&level, client.token.value, 1);
	assert_int_equal(level, 2);
	seal_free(gssctx_into_seal(context, PROTECTION_CONFIDENTIALITY));
	kerberos_end(&client);
	gssaccept_free(accept);
}

static void
spnego_without_mutual_is_refused_like_any_other(void **state)
{
	struct gssaccept *accept = kerberos_acceptor();
	gss_OID_set_desc mechs = only_krb5();
	struct gssaccept_half *half = NULL;
	struct kerberos_client client;
	struct accept_answer answer;

	(void)state;
	kerberos_begin_spnego(&client, KERBEROS_SOCKS,
	    KERBEROS_FLAGS & ~(OM_uint32)GSS_C_MUTUAL_FLAG, &mechs);
	gssaccept_step(accept, &half, true, client.token.value,
	    client.token.length, &answer);
	assert_refused(&answer, REASON_GSS_FLAGS);
	kerberos_end(&client);
	gssaccept_free(accept);
}

static void
spnego_for_another_service_is_refused(void **state)
{
	struct gssaccept *accept = kerberos_acceptor();
	gss_OID_set_desc mechs = only_krb5();
	struct gssaccept_half *half = NULL;
	struct kerberos_client client;
	struct accept_answer answer;

	(void)state;
	kerberos_begin_spnego(
	    &client, "host@gw.example.com", KERBEROS_FLAGS, &mechs);
	gssaccept_step(accept, &half, true, client.token.value,
	    client.token.length, &answer);
	assert_refused(&answer, REASON_GSS_WRONG_SERVICE);
	kerberos_end(&client);
	gssaccept_free(accept);
}

static void
spnego_is_refused_where_it_is_not_allowed(void **state)
{
	struct gssaccept *accept = kerberos_acceptor();
	gss_OID_set_desc mechs = only_krb5();
	struct kerberos_client client;
	struct accept_answer answer;

	(void)state;
	kerberos_begin_spnego(&client, KERBEROS_SOCKS, KERBEROS_FLAGS, &mechs);
	present(accept, client.token.value, client.token.length, &answer);
	assert_refused(&answer, REASON_GSS_NO_CREDENTIAL);
	kerberos_end(&client);
	gssaccept_free(accept);
}

/* A later token goes on where the first began. */
static void
spnego_goes_on_over_several_rounds(void **state)
{
	/* SPNEGO's offer without a token of the mechanism. */
	static const uint8_t offer[] = {0x60, 0x1b, 0x06, 0x06, 0x2b, 0x06,
	    0x01, 0x05, 0x05, 0x02, 0xa0, 0x11, 0x30, 0x0f, 0xa0, 0x0d, 0x30,
	    0x0b, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02,
	    0x02};
	struct gssaccept *accept = kerberos_acceptor();
	struct gssaccept_half *half = NULL;
	struct kerberos_client client;
	struct accept_answer answer;
	uint8_t second[4096];
	size_t len;

	(void)state;
	gssaccept_step(accept, &half, true, offer, sizeof(offer), &answer);
	assert_int_equal(answer.outcome, ACCEPT_CONTINUE);
	assert_non_null(half);
	assert_true(answer.token_len > 0);
	/* NegTokenResp { responseToken [2] OCTET STRING } */
	kerberos_begin(&client, KERBEROS_SOCKS, KERBEROS_FLAGS);
	len = client.token.length;
	assert_true(len + 16 < sizeof(second) && len > 255 && len < 65000);
	memcpy(second, "\xa1\x82\0\0\x30\x82\0\0\xa2\x82\0\0\x04\x82\0\0", 16);
	for (size_t i = 0; i < 4; i++) {
		size_t inner = len + 4 * (3 - i);

		second[4 * i + 2] = (uint8_t)(inner >> 8);
		second[4 * i + 3] = (uint8_t)inner;
	}
	memcpy(second + 16, client.token.value, len);
	gssaccept_step(accept, &half, true, second, len + 16, &answer);
	assert_null(half);
	if (answer.outcome == ACCEPT_DONE) {
		assert_string_equal(answer.name, "alice@EXAMPLE.COM");
		assert_true(answer.by_spnego);
	} else {
		assert_int_equal(answer.outcome, ACCEPT_FAILED);
	}
	kerberos_end(&client);
	gssaccept_free(accept);
}

/* Another mechanism than Kerberos 5 is never what it leads to. */
static void
spnego_leads_nowhere_else(void **state)
{
	/* Offers NegoEx; then IAKERB; then NTLM. */
	static const uint8_t offers[][30] = {
	    {0x60, 0x1c, 0x06, 0x06, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x02, 0xa0,
		0x12, 0x30, 0x10, 0xa0, 0x0e, 0x30, 0x0c, 0x06, 0x0a, 0x2b,
		0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x02, 0x02, 0x1e},
	    {0x60, 0x18, 0x06, 0x06, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x02, 0xa0,
		0x0e, 0x30, 0x0c, 0xa0, 0x0a, 0x30, 0x08, 0x06, 0x06, 0x2b,
		0x06, 0x01, 0x05, 0x02, 0x05},
	    {0x60, 0x1c, 0x06, 0x06, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x02, 0xa0,
		0x12, 0x30, 0x10, 0xa0, 0x0e, 0x30, 0x0c, 0x06, 0x0a, 0x2b,
		0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x02, 0x02, 0x0a},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(offers); i++) {
		struct gssaccept *accept = kerberos_acceptor();
		struct gssaccept_half *half = NULL;
		struct accept_answer answer;

		gssaccept_step(accept, &half, true, offers[i],
		    (size_t)offers[i][1] + 2, &answer);
		assert_int_equal(answer.outcome, ACCEPT_FAILED);
		gssaccept_half_free(half);
		gssaccept_free(accept);
	}
}

static void
spnego_whose_encoding_does_not_hold_is_not_tried(void **state)
{
	struct gssaccept *accept = kerberos_acceptor();
	gss_OID_set_desc mechs = only_krb5();
	struct gssaccept_half *half = NULL;
	struct kerberos_client client;
	struct accept_answer answer;
	size_t len;

	(void)state;
	kerberos_begin_spnego(&client, KERBEROS_SOCKS, KERBEROS_FLAGS, &mechs);
	len = client.token.length;
	for (size_t cut = 1; cut < len; cut++) {
		gssaccept_step(accept, &half, true, client.token.value,
		    len - cut, &answer);
		assert_int_equal(answer.outcome, ACCEPT_FAILED);
		assert_null(half);
	}
	kerberos_end(&client);
	gssaccept_free(accept);
}

/*
 * A few octets of an AP-REQ are not protected (the ticket's own words about
 * its service and key number, reserved bits); changed, they change nothing.
 */
static void
a_changed_octet_never_makes_anybody_else(void **state)
{
	struct gssaccept *accept = kerberos_acceptor();
	struct kerberos_client client;
	struct accept_answer answer;
	size_t len, harmless = 0;

	(void)state;
	kerberos_begin(&client, KERBEROS_SOCKS, KERBEROS_FLAGS);
	len = client.token.length;
	for (size_t i = 0; i < len && i < client.token.length; i++) {
		uint8_t *octets = client.token.value;

		octets[i] ^= 0x41;
		present(accept, octets, client.token.length, &answer);
		octets[i] ^= 0x41;
		if (answer.outcome != ACCEPT_DONE)
			continue;
		assert_string_equal(answer.name, "alice@EXAMPLE.COM");
		harmless++;
		/* This one is in the replay cache now. */
		kerberos_end(&client);
		kerberos_begin(&client, KERBEROS_SOCKS, KERBEROS_FLAGS);
	}
	assert_true(harmless < 64);
	kerberos_end(&client);
	gssaccept_free(accept);
}

static void
a_cut_token_is_refused(void **state)
{
	struct gssaccept *accept = kerberos_acceptor();
	struct kerberos_client client;
	struct accept_answer answer;

	(void)state;
	kerberos_begin(&client, KERBEROS_SOCKS, KERBEROS_FLAGS);
	for (size_t len = 1; len < client.token.length; len++) {
		present(accept, client.token.value, len, &answer);
		assert_int_not_equal(answer.outcome, ACCEPT_DONE);
	}
	present(accept, client.token.value, client.token.length, &answer);
	assert_int_equal(answer.outcome, ACCEPT_DONE);
	kerberos_end(&client);
	gssaccept_free(accept);
}

static void
a_token_counts_once_whoever_asks(void **state)
{
	struct gssaccept *accept = kerberos_acceptor();
	struct kerberos_client client;
	struct accept_answer answer;

	(void)state;
	kerberos_begin(&client, KERBEROS_SOCKS, KERBEROS_FLAGS);
	present(accept, client.token.value, client.token.length, &answer);
	assert_int_equal(answer.outcome, ACCEPT_DONE);
	present(accept, client.token.value, client.token.length, &answer);
	assert_refused(&answer, REASON_GSS_TOKEN_REPLAY);
	gssaccept_free(accept);

	/* The cache outlives the program. */
	accept = kerberos_acceptor();
	present(accept, client.token.value, client.token.length, &answer);
	assert_refused(&answer, REASON_GSS_TOKEN_REPLAY);
	gssaccept_free(accept);
	kerberos_end(&client);
}

/* ---- who does not ---- */

static void
a_ticket_for_another_service_is_refused(void **state)
{
	(void)state;
	assert_is_refused_with(
	    KERBEROS_FLAGS, "host@gw.example.com", REASON_GSS_WRONG_SERVICE);
}

static void
a_context_without_mutual_or_replay_is_refused(void **state)
{
	(void)state;
	assert_is_refused_with(KERBEROS_FLAGS & ~(OM_uint32)GSS_C_MUTUAL_FLAG,
	    KERBEROS_SOCKS, REASON_GSS_FLAGS);
	assert_is_refused_with(KERBEROS_FLAGS & ~(OM_uint32)GSS_C_REPLAY_FLAG,
	    KERBEROS_SOCKS, REASON_GSS_FLAGS);
}

/* Three legs, and messages of another form: the first leg goes on. */
static void
dce_style_takes_a_second_token_and_is_refused(void **state)
{
	struct gssaccept *accept = kerberos_acceptor();
	struct gssaccept_half *half = NULL;
	struct kerberos_client client;
	struct accept_answer answer;

	(void)state;
	kerberos_begin(
	    &client, KERBEROS_SOCKS, KERBEROS_FLAGS | GSS_C_DCE_STYLE);
	gssaccept_step(accept, &half, false, client.token.value,
	    client.token.length, &answer);
	assert_int_equal(answer.outcome, ACCEPT_CONTINUE);
	assert_non_null(half);
	assert_true(answer.token_len > 0);
	assert_int_equal(
	    kerberos_continue(&client, answer.token, answer.token_len),
	    GSS_S_COMPLETE);
	gssaccept_step(accept, &half, false, client.token.value,
	    client.token.length, &answer);
	assert_refused(&answer, REASON_GSS_FLAGS);
	assert_null(half);
	kerberos_end(&client);
	gssaccept_free(accept);
}

static void
a_half_made_context_can_be_forgotten(void **state)
{
	struct gssaccept *accept = kerberos_acceptor();
	struct gssaccept_half *half = NULL;
	struct kerberos_client client;
	struct accept_answer answer;

	(void)state;
	kerberos_begin(
	    &client, KERBEROS_SOCKS, KERBEROS_FLAGS | GSS_C_DCE_STYLE);
	gssaccept_step(accept, &half, false, client.token.value,
	    client.token.length, &answer);
	assert_non_null(half);
	gssaccept_half_free(half);
	kerberos_end(&client);
	gssaccept_free(accept);
}

static void
a_foreign_realm_is_accepted_only_if_it_is_listed(void **state)
{
	static const char *const listed[] = {
	    "ELSEWHERE.TEST", "OTHER.TEST", NULL};
	struct gssaccept_settings settings = usual_settings();
	struct gssaccept *strict = accept_with(&settings), *lax;
	struct accept_answer answer;

	(void)state;
	settings.realms = listed;
	lax = accept_with(&settings);
	kerberos_login("alice@OTHER.TEST", "");
	present_fresh(strict, KERBEROS_SOCKS, KERBEROS_FLAGS, &answer);
	assert_refused(&answer, REASON_GSS_FOREIGN_REALM);
	assert_string_equal(answer.text, "alice@OTHER.TEST");
	present_fresh(lax, KERBEROS_SOCKS, KERBEROS_FLAGS, &answer);
	assert_int_equal(answer.outcome, ACCEPT_DONE);
	assert_string_equal(answer.name, "alice@OTHER.TEST");
	gssaccept_free(strict);
	gssaccept_free(lax);
	kerberos_login("alice", "");
}

static void
ask_as(const char *client, OM_uint32 flags, struct accept_answer *answer)
{
	struct gssaccept *accept = kerberos_acceptor();
	size_t len;
	uint8_t *token = kerberos_forge(client, flags, &len);

	present(accept, token, len, answer);
	free(token);
	gssaccept_free(accept);
}

static void
assert_nobody_is(const char *client, enum reason reason)
{
	struct accept_answer answer;

	ask_as(client, KERBEROS_FLAGS, &answer);
	assert_refused(&answer, reason);
}

static void
a_name_that_could_be_misread_is_no_identity(void **state)
{
	struct accept_answer answer;

	(void)state;
	assert_nobody_is("x\\/admin", REASON_GSS_BAD_NAME);
	assert_nobody_is("alice\\@EXAMPLE.COM", REASON_GSS_BAD_NAME);
	assert_nobody_is("two\\nlines", REASON_GSS_BAD_NAME);
	assert_nobody_is("tab\\tbed", REASON_GSS_BAD_NAME);
	assert_nobody_is("nul\\0led", REASON_GSS_BAD_NAME);
	assert_nobody_is("back\\\\slash", REASON_GSS_BAD_NAME);
	assert_nobody_is("bell\a", REASON_GSS_BAD_NAME);
	assert_nobody_is("not utf-8 \xff", REASON_GSS_BAD_NAME);
	assert_nobody_is("", REASON_GSS_BAD_NAME);
	ask_as("carol/admin/x", KERBEROS_FLAGS, &answer);
	assert_int_equal(answer.outcome, ACCEPT_DONE);
	assert_string_equal(answer.name, "carol/admin/x@EXAMPLE.COM");
}

static void
a_long_name_is_refused_never_cut(void **state)
{
	static char name[25001]; /* twice in a token of 65535 */
	const size_t room = IDENTITY_NAME_MAX - strlen("@EXAMPLE.COM");
	struct accept_answer answer;

	(void)state;
	memset(name, 'a', sizeof(name) - 1);
	assert_nobody_is(name, REASON_GSS_BAD_NAME);
	name[4096] = '\0';
	assert_nobody_is(name, REASON_GSS_BAD_NAME);
	name[room + 1] = '\0';
	assert_nobody_is(name, REASON_GSS_BAD_NAME);
	name[room] = '\0';
	ask_as(name, KERBEROS_FLAGS, &answer);
	assert_int_equal(answer.outcome, ACCEPT_DONE);
	assert_int_equal(strlen(answer.name), IDENTITY_NAME_MAX);
}

static void
nobody_in_particular_is_refused(void **state)
{
	(void)state;
	assert_nobody_is("WELLKNOWN/ANONYMOUS", REASON_GSS_ANONYMOUS);
	assert_nobody_is(
	    "WELLKNOWN/ANONYMOUS@WELLKNOWN:ANONYMOUS", REASON_GSS_ANONYMOUS);
}

/* MIT's client always asks for integrity; others need not. */
static void
a_context_without_integrity_is_refused(void **state)
{
	struct accept_answer answer;

	(void)state;
	ask_as("alice", GSS_C_MUTUAL_FLAG | GSS_C_REPLAY_FLAG, &answer);
	assert_refused(&answer, REASON_GSS_FLAGS);
	ask_as("alice",
	    GSS_C_MUTUAL_FLAG | GSS_C_REPLAY_FLAG | GSS_C_INTEG_FLAG, &answer);
	assert_int_equal(answer.outcome, ACCEPT_DONE);
	assert_int_equal(
	    answer.flags & (CONTEXT_CONFIDENTIALITY | CONTEXT_SEQUENCE), 0);
}

/* ---- clocks: with krb5.conf's clockskew at one second ---- */

static struct gssaccept *
intolerant_acceptor(void)
{
	char usual[512];
	struct gssaccept *accept;

	(void)snprintf(usual, sizeof(usual), "%s", getenv("KRB5_CONFIG"));
	kerberos_run("sed 's/rdns = false/&\\n\\tclockskew = 1/' '%s' >'%s'",
	    usual, kerberos_path("strict.conf"));
	assert_int_equal(
	    setenv("KRB5_CONFIG", kerberos_path("strict.conf"), 1), 0);
	accept = kerberos_acceptor();
	return accept;
}

static void
back_to_tolerance(void)
{
	assert_int_equal(
	    setenv("KRB5_CONFIG", kerberos_path("krb5.conf"), 1), 0);
	kerberos_login("alice", "");
}

static void
a_token_of_another_time_is_clock_skew(void **state)
{
	struct kerberos_client client;
	struct gssaccept *accept = intolerant_acceptor();
	struct accept_answer answer;

	(void)state;
	kerberos_begin(&client, KERBEROS_SOCKS, KERBEROS_FLAGS);
	(void)sleep(3);
	present(accept, client.token.value, client.token.length, &answer);
	assert_refused(&answer, REASON_GSS_CLOCK_SKEW);
	assert_string_not_equal(answer.text, "");
	/* The library's own error token tells the client. */
	assert_true(answer.token_len > 0);
	kerberos_end(&client);
	gssaccept_free(accept);
	back_to_tolerance();
}

static void
a_ticket_that_has_ended_is_refused(void **state)
{
	struct kerberos_client client;
	struct gssaccept *accept = intolerant_acceptor();
	struct accept_answer answer;

	(void)state;
	kerberos_login("alice", "-l 1s");
	kerberos_begin(&client, KERBEROS_SOCKS, KERBEROS_FLAGS);
	(void)sleep(4);
	present(accept, client.token.value, client.token.length, &answer);
	assert_refused(&answer, REASON_GSS_TICKET_EXPIRED);
	kerberos_end(&client);
	gssaccept_free(accept);
	back_to_tolerance();
}

static void
the_lifetime_does_not_hang_on_the_tolerance(void **state)
{
	struct gssaccept *accept = intolerant_acceptor();
	struct kerberos_client client;
	struct accept_answer answer;
	int64_t left_us;

	(void)state;
	kerberos_login("alice", "-l 600s");
	kerberos_establish(
	    accept, &client, KERBEROS_SOCKS, KERBEROS_FLAGS, &answer);
	left_us = (ticket_end() - time(NULL)) * 1000000;
	assert_true((int64_t)answer.lifetime_us > left_us - 1500000 &&
		    (int64_t)answer.lifetime_us < left_us + 1500000);
	kerberos_end(&client);
	gssaccept_free(accept);
	back_to_tolerance();
}

/* ---- keys ---- */

static void
change_key(const char *keytab)
{
	kerberos_run("kadmin.local ktadd -k '%s' socks/gw.example.com "
		     ">/dev/null",
	    keytab);
	kerberos_login("alice", "");
}

static void
a_new_key_works_at_once_and_a_missing_one_is_named(void **state)
{
	struct gssaccept_settings settings = usual_settings();
	struct gssaccept *accept;
	struct accept_answer answer;
	char keytab[512];

	(void)state;
	(void)snprintf(
	    keytab, sizeof(keytab), "%s", kerberos_path("rotated.keytab"));
	kerberos_run("cp '%s' '%s'", settings.keytab, keytab);
	settings.keytab = keytab;
	accept = accept_with(&settings);

	/* The realm has a new key, the keytab does not. */
	change_key(kerberos_path("new.keytab"));
	present_fresh(accept, KERBEROS_SOCKS, KERBEROS_FLAGS, &answer);
	assert_refused(&answer, REASON_GSS_KEY_UNKNOWN);
	assert_non_null(strstr(answer.text, "socks/gw.example.com"));
	assert_non_null(strstr(answer.text, "kvno 2"));

	kerberos_run("printf 'rkt %s\\nwkt %s\\n' | ktutil >/dev/null",
	    kerberos_path("new.keytab"), keytab);
	present_fresh(accept, KERBEROS_SOCKS, KERBEROS_FLAGS, &answer);
	assert_int_equal(answer.outcome, ACCEPT_DONE);
	gssaccept_free(accept);
	kerberos_run("cp '%s' '%s'", keytab, kerberos_path("gateway.keytab"));
}

/* ---- starts that fail ---- */

static void
assert_does_not_start(
    const struct gssaccept_settings *settings, const char *names)
{
	char why[512] = "";

	assert_null(gssaccept_new(settings, why, sizeof(why)));
	assert_non_null(strstr(why, names));
}

static void
a_keytab_that_is_not_there_fails_the_start(void **state)
{
	struct gssaccept_settings settings = usual_settings();

	(void)state;
	settings.keytab = kerberos_path("missing.keytab");
	assert_does_not_start(&settings, settings.keytab);
}

static void
a_file_that_is_no_keytab_fails_the_start(void **state)
{
	struct gssaccept_settings settings = usual_settings();

	(void)state;
	settings.keytab = kerberos_path("krb5.conf");
	assert_does_not_start(&settings, settings.keytab);
	settings.keytab = kerberos_path("empty.keytab");
	kerberos_run("printf '\\005\\002' >'%s'", settings.keytab);
	assert_does_not_start(&settings, settings.keytab);
}

static void
a_keytab_without_a_listed_service_fails_the_start(void **state)
{
	struct gssaccept_settings settings = usual_settings();

	(void)state;
	settings.keytab = kerberos_path("clients.keytab");
	assert_does_not_start(&settings, settings.keytab);
}

static void
a_replay_cache_that_cannot_be_written_fails_the_start(void **state)
{
	struct gssaccept_settings settings = usual_settings();

	(void)state;
	settings.replay_cache = kerberos_path("missing/replay");
	assert_does_not_start(&settings, settings.replay_cache);
}

static void
the_replay_cache_is_nobody_elses(void **state)
{
	struct gssaccept *accept = kerberos_acceptor();
	struct stat status;

	(void)state;
	assert_int_equal(stat(kerberos_path("replay"), &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	gssaccept_free(accept);
}

/* What making an acceptor writes to the log. */
static void
read_log(const char *keytab, char *log, size_t size)
{
	int kept = dup(STDERR_FILENO);
	FILE *file = freopen(kerberos_path("log"), "w+", stderr);
	size_t len;

	assert_non_null(file);
	gssaccept_free(kerberos_acceptor_with(keytab));
	rewind(stderr);
	len = fread(log, 1, size - 1, stderr);
	log[len] = '\0';
	(void)dup2(kept, STDERR_FILENO);
	(void)close(kept);
}

static void
weak_keys_and_an_open_file_are_warned_of(void **state)
{
	char log[2048];

	(void)state;
	assert_int_equal(chmod(kerberos_path("old.keytab"), 0644), 0);
	read_log("old.keytab", log, sizeof(log));
	assert_non_null(strstr(log, "arcfour-hmac"));
	assert_non_null(strstr(log, "socks/old.example.com@EXAMPLE.COM"));
	assert_non_null(strstr(log, "mode 0644"));
	read_log("gateway.keytab", log, sizeof(log));
	assert_string_equal(log, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_client_is_named_with_its_realm),
	    cmocka_unit_test(every_listed_service_is_accepted),
	    cmocka_unit_test(a_missing_sequence_flag_is_told_not_refused),
	    cmocka_unit_test(what_the_ticket_says_of_its_proof_is_told),
	    cmocka_unit_test(the_lifetime_ends_with_the_ticket),
	    cmocka_unit_test(a_ticket_that_has_just_ended_has_no_lifetime),
	    cmocka_unit_test(
		seventeen_octets_do_not_make_an_endless_negotiation),
	    cmocka_unit_test(a_token_of_nothing_is_refused_in_words),
	    cmocka_unit_test(another_mechanism_is_no_credential),
	    cmocka_unit_test(spnego_leads_to_kerberos_in_one_round),
	    cmocka_unit_test(spnego_without_mutual_is_refused_like_any_other),
	    cmocka_unit_test(spnego_for_another_service_is_refused),
	    cmocka_unit_test(spnego_is_refused_where_it_is_not_allowed),
	    cmocka_unit_test(spnego_goes_on_over_several_rounds),
	    cmocka_unit_test(spnego_leads_nowhere_else),
	    cmocka_unit_test(spnego_whose_encoding_does_not_hold_is_not_tried),
	    cmocka_unit_test(a_changed_octet_never_makes_anybody_else),
	    cmocka_unit_test(a_cut_token_is_refused),
	    cmocka_unit_test(a_token_counts_once_whoever_asks),
	    cmocka_unit_test(a_ticket_for_another_service_is_refused),
	    cmocka_unit_test(a_context_without_mutual_or_replay_is_refused),
	    cmocka_unit_test(a_context_without_integrity_is_refused),
	    cmocka_unit_test(dce_style_takes_a_second_token_and_is_refused),
	    cmocka_unit_test(a_half_made_context_can_be_forgotten),
	    cmocka_unit_test(a_foreign_realm_is_accepted_only_if_it_is_listed),
	    cmocka_unit_test(a_name_that_could_be_misread_is_no_identity),
	    cmocka_unit_test(a_long_name_is_refused_never_cut),
	    cmocka_unit_test(nobody_in_particular_is_refused),
	    cmocka_unit_test(a_token_of_another_time_is_clock_skew),
	    cmocka_unit_test(a_ticket_that_has_ended_is_refused),
	    cmocka_unit_test(the_lifetime_does_not_hang_on_the_tolerance),
	    cmocka_unit_test(
		a_new_key_works_at_once_and_a_missing_one_is_named),
	    cmocka_unit_test(a_keytab_that_is_not_there_fails_the_start),
	    cmocka_unit_test(a_file_that_is_no_keytab_fails_the_start),
	    cmocka_unit_test(a_keytab_without_a_listed_service_fails_the_start),
	    cmocka_unit_test(
		a_replay_cache_that_cannot_be_written_fails_the_start),
	    cmocka_unit_test(the_replay_cache_is_nobody_elses),
	    cmocka_unit_test(weak_keys_and_an_open_file_are_warned_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
