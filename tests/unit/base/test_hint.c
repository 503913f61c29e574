/* SPDX-License-Identifier: ISC */
/* Clients in the field, known by how far they come and how they end. */
#include "tests/support/unit.h"

#include "base/hint.h"

#include <string.h>

static void
every_known_client_is_known(void **state)
{
	static const struct {
		struct hint_facts facts;
		enum reason reason;
		const char *hint;
	} cases[] = {
	    /* It offers none and gssapi and leaves when gssapi is chosen. */
	    {{.offers_as_curl_does = true, .stage = HINT_STAGE_CHOSEN},
		REASON_CLIENT_CLOSED, "curl_7_69"},
	    {{.offers_as_curl_does = true, .stage = HINT_STAGE_CHOSEN},
		REASON_CLIENT_RESET, "curl_7_69"},
	    {{.stage = HINT_STAGE_CHOSEN}, REASON_CLIENT_CLOSED, "no_ticket"},
	    {{.stage = HINT_STAGE_CHOSEN}, REASON_HANDSHAKE_TIMEOUT, ""},
	    {{.stage = HINT_STAGE_CHOSEN}, REASON_CLIENT_ERROR, "no_ticket"},
	    {{.stage = HINT_STAGE_START}, REASON_CLIENT_CLOSED, ""},
	    {{.offers_only_none = true}, REASON_NO_METHOD, "only_none"},
	    {{.offers_only_none = false}, REASON_NO_METHOD, ""},
	    {{.offers_only_none = true}, REASON_CLIENT_CLOSED, ""},

	    {{.stage = HINT_STAGE_TOKEN, .mech = CONTEXT_MECH_SPNEGO},
		REASON_GSS_NO_CREDENTIAL, "spnego"},
	    {{.stage = HINT_STAGE_TOKEN,
		 .mech = CONTEXT_MECH_SPNEGO,
		 .may_spnego = true},
		REASON_GSS_NO_CREDENTIAL, ""},
	    {{.stage = HINT_STAGE_TOKEN, .mech = CONTEXT_MECH_NTLM},
		REASON_GSS_DEFECTIVE_TOKEN, "ntlm"},
	    {{.stage = HINT_STAGE_TOKEN, .mech = CONTEXT_MECH_KRB5},
		REASON_GSS_DEFECTIVE_TOKEN, ""},

	    {{.offers_as_curl_does = true, .stage = HINT_STAGE_CONTEXT},
		REASON_HANDSHAKE_TIMEOUT, "curl_8_16"},
	    {{.offers_as_curl_does = true, .stage = HINT_STAGE_CONTEXT},
		REASON_CLIENT_CLOSED, "curl_8_16"},
	    {{.stage = HINT_STAGE_CONTEXT}, REASON_CLIENT_CLOSED, ""},

	    {{.stage = HINT_STAGE_CONTEXT, .first_octet = 5},
		REASON_GSS_BAD_FRAME, "no_level"},
	    {{.stage = HINT_STAGE_CONTEXT, .first_octet = 4},
		REASON_GSS_BAD_FRAME, ""},
	    {{.stage = HINT_STAGE_CONTEXT, .bare_level = true},
		REASON_GSS_LEVEL, "nec_level"},
	    {{.stage = HINT_STAGE_CONTEXT}, REASON_GSS_LEVEL, ""},

	    {{.stage = HINT_STAGE_LEVEL, .wish = 0, .granted = 1},
		REASON_GSS_CLEAR, "clear_wish"},
	    {{.offers_as_curl_does = true,
		 .stage = HINT_STAGE_LEVEL,
		 .wish = 2,
		 .granted = 2},
		REASON_GSS_CLEAR, "curl_8_20"},
	    {{.stage = HINT_STAGE_LEVEL, .wish = 2, .granted = 2},
		REASON_GSS_CLEAR, ""},
	    {{.offers_as_curl_does = true,
		 .stage = HINT_STAGE_LEVEL,
		 .wish = 0,
		 .granted = 1},
		REASON_CLIENT_CLOSED, "curl_old"},
	    {{.stage = HINT_STAGE_LEVEL, .wish = 0, .granted = 1},
		REASON_CLIENT_CLOSED, "level_refused"},
	    {{.stage = HINT_STAGE_LEVEL, .wish = 2, .granted = 1},
		REASON_CLIENT_CLOSED, "level_refused"},
	    {{.stage = HINT_STAGE_LEVEL, .wish = 2, .granted = 2},
		REASON_CLIENT_CLOSED, ""},
	    {{.offers_as_curl_does = true,
		 .stage = HINT_STAGE_LEVEL,
		 .wish = 2,
		 .granted = 2},
		REASON_CLIENT_CLOSED, ""},
	    {{.offers_as_curl_does = true, .stage = HINT_STAGE_LEVEL},
		REASON_CLIENT_CLOSED, "curl_old"},

	    {{.offers_as_curl_does = true, .stage = HINT_STAGE_REQUEST},
		REASON_CLIENT_CLOSED, ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
		assert_string_equal(
		    hint_name(hint_find(&cases[i].facts, cases[i].reason)),
		    cases[i].hint);
}

static void
what_goes_well_needs_no_hint(void **state)
{
	struct hint_facts facts = {.offers_as_curl_does = true};

	(void)state;
	for (int i = 0; i <= HINT_STAGE_REQUEST; i++) {
		facts.stage = (enum hint_stage)i;
		assert_int_equal(hint_find(&facts, REASON_OK), HINT_NONE);
	}
}

static void
every_hint_has_a_name_and_a_sentence_of_its_own(void **state)
{
	(void)state;
	assert_string_equal(hint_name(HINT_NONE), "");
	assert_string_equal(hint_sentence(HINT_NONE), "");
	for (unsigned i = HINT_NONE + 1; i < HINT_COUNT; i++) {
		const char *sentence = hint_sentence((enum hint)i);

		assert_true(strlen(hint_name((enum hint)i)) > 0);
		assert_int_equal(sentence[strlen(sentence) - 1], '.');
		for (unsigned j = HINT_NONE + 1; j < i; j++)
			assert_string_not_equal(
			    hint_name((enum hint)i), hint_name((enum hint)j));
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_known_client_is_known),
	    cmocka_unit_test(what_goes_well_needs_no_hint),
	    cmocka_unit_test(every_hint_has_a_name_and_a_sentence_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
