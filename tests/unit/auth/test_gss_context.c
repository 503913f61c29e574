/* SPDX-License-Identifier: ISC */
/* Real Kerberos contexts: the level octet, and what is imported. */
#include "tests/support/unit.h"

#include "auth/gss_context.h"

#include <string.h>

#include "tests/support/seal_pair.h"

/* ---- the level octet ---- */

static void
every_level_octet_comes_through_sealed_either_way(void **state)
{
	struct seal_pair pair = seal_pair_establish(KERBEROS_FLAGS);

	(void)state;
	for (int i = 0; i < 512; i++) {
		uint8_t sent = (uint8_t)i, level = (uint8_t)~sent;
		gss_buffer_desc token =
		    seal_pair_wrap(&pair, i >= 256, &sent, 1);

		assert_int_equal(gssctx_unwrap_level(pair.context, token.value,
				     token.length, &level),
		    REASON_OK);
		assert_int_equal(level, sent);
		seal_pair_drop(&token);
	}
	seal_pair_end(&pair);
}

static void
our_level_octet_is_29_octets_in_the_open(void **state)
{
	struct seal_pair pair = seal_pair_establish(KERBEROS_FLAGS);
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
	seal_pair_drop(&plain);
	seal_pair_end(&pair);
}

static void
what_is_not_one_sealed_octet_is_no_level(void **state)
{
	struct seal_pair pair = seal_pair_establish(KERBEROS_FLAGS);
	gss_buffer_desc none = seal_pair_wrap(&pair, 0, "", 0);
	gss_buffer_desc two = seal_pair_wrap(&pair, 0, "\1\1", 2);
	gss_buffer_desc skipped = seal_pair_wrap(&pair, 0, "\1", 1);
	gss_buffer_desc late = seal_pair_wrap(&pair, 0, "\1", 1);
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
	seal_pair_drop(&none);
	seal_pair_drop(&two);
	seal_pair_drop(&skipped);
	seal_pair_drop(&late);
	seal_pair_end(&pair);
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
	    cmocka_unit_test(every_level_octet_comes_through_sealed_either_way),
	    cmocka_unit_test(our_level_octet_is_29_octets_in_the_open),
	    cmocka_unit_test(what_is_not_one_sealed_octet_is_no_level),
	    cmocka_unit_test(what_is_no_context_is_not_imported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
