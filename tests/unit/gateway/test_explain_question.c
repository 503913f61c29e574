/* SPDX-License-Identifier: ISC */
/* What is asked of explain becomes what a session would be, or is refused. */
#include "tests/support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/ctl_protocol.h"
#include "base/options.h"
#include "gateway/explain_question.h"
#include "gateway/settings.h"

#define PAIRS_MAX 8

static const char text[] =
    "policy { file = \"/etc/rules.ldif\" }\n"
    "password { realm = \"EXAMPLE.COM\" }\n"
    "listener main { address = \"192.0.2.1:1080\"\n"
    " methods = {gssapi, password}\n protection_maximum = \"selective\" }\n"
    "listener tls { address = \"192.0.2.1:1081\"\n methods = {password}\n"
    " tls_certificate = \"/cert\"\n tls_key = \"/key\" }\n"
    "listener clear { address = \"192.0.2.1:1082\"\n"
    " methods = {gssapi}\n protection_minimum = \"none\" }\n";

static struct settings *settings;
static struct explain_question question;
static char why[CTL_SENTENCE_SIZE];

static int
set_up(void **state)
{
	int fd = memfd_create("settings", MFD_CLOEXEC);

	(void)state;
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	settings = settings_load_fd(fd, "settings", stderr);
	(void)close(fd);
	return settings == NULL ? -1 : 0;
}

static int
tear_down(void **state)
{
	(void)state;
	settings_unref(settings);
	return 0;
}

/* Names and texts by turns; what may not be left out is put there where it is
 * not. */
static bool
read_question(const char *const *pairs)
{
	static const char *const needed[][2] = {
	    {"user", "alice@EXAMPLE.COM"},
	    {"do", "connect"},
	    {"destination", "www.example.com:443"},
	};
	struct options *asked = options_new();
	bool was_read;

	for (; *pairs != NULL; pairs += 2)
		options_add(asked, pairs[0], pairs[1]);
	for (size_t i = 0; i < ARRAY_COUNT(needed); i++)
		if (options_get(asked, needed[i][0], NULL) == NULL)
			options_add(asked, needed[i][0], needed[i][1]);
	why[0] = '\0';
	was_read =
	    explain_question_read(asked, settings, &question, why, sizeof(why));
	options_free(asked);
	return was_read;
}

#define READ(...) read_question((const char *const[]){__VA_ARGS__, NULL})

static void
what_is_left_out_is_what_most_sessions_have(void **state)
{
	(void)state;
	assert_true(READ("user", "alice@EXAMPLE.COM"));
	assert_string_equal(question.identity.name, "alice@EXAMPLE.COM");
	assert_int_equal(question.identity.method, METHOD_GSSAPI);
	assert_int_equal(question.command, COMMAND_CONNECT);
	assert_string_equal(question.destination.name, "www.example.com");
	assert_int_equal(question.destination.port, 443);
	assert_int_equal(question.client.address.family, ADDRESS_NONE);
	assert_string_equal(question.listener->name, "main");
	assert_int_equal(question.protection, PROTECTION_SELECTIVE);
	assert_true(question.is_protection_assumed);
	assert_true(question.has_seal);
	assert_false(question.has_time);
	assert_string_equal(question.identity.indicators, "");
}

static void
all_of_it_can_be_said(void **state)
{
	(void)state;
	assert_true(READ("do", "udp", "destination", "[2001:DB8::1]:53", "from",
	    "192.0.2.7", "listener", "clear", "method", "gssapi", "protection",
	    "integrity", "at", "1795661012", "indicator", "otp", "indicator",
	    "pkinit"));
	assert_int_equal(question.command, COMMAND_UDP);
	assert_int_equal(question.destination.address.family, ADDRESS_IPV6);
	assert_int_equal(question.client.address.family, ADDRESS_IPV4);
	assert_string_equal(question.listener->name, "clear");
	assert_int_equal(question.protection, PROTECTION_INTEGRITY);
	assert_false(question.is_protection_assumed);
	assert_true(question.has_time);
	assert_true(question.time_us == 1795661012000000);
	assert_string_equal(question.identity.indicators, "otp pkinit");
}

static void
a_name_is_one_by_its_method(void **state)
{
	(void)state;
	assert_true(READ("method", "password", "user", "ALICE"));
	assert_string_equal(question.identity.name, "alice@EXAMPLE.COM");
	assert_int_equal(question.identity.method, METHOD_PASSWORD);
	assert_true(READ("method", "password", "user", "Alice@EXAMPLE.COM"));
	assert_string_equal(question.identity.name, "alice@EXAMPLE.COM");
	assert_true(READ("user", "Alice/admin@EXAMPLE.COM"));
	assert_string_equal(question.identity.name, "Alice/admin@EXAMPLE.COM");
}

static void
protection_is_what_the_listener_makes_of_it(void **state)
{
	(void)state;
	assert_true(READ("method", "password"));
	assert_int_equal(question.protection, PROTECTION_NONE);
	assert_false(question.has_seal);
	assert_true(READ("listener", "tls"));
	assert_int_equal(question.protection, PROTECTION_CONFIDENTIALITY);
	assert_true(READ("listener", "tls", "protection", "confidentiality"));
	assert_true(READ("listener", "tls", "do", "udp"));
	assert_int_equal(question.protection, PROTECTION_NONE);
	assert_false(question.has_seal);
	assert_true(READ("listener", "clear", "protection", "none"));
	assert_false(question.has_seal);
}

static void
what_cannot_be_is_said(void **state)
{
	static const struct {
		const char *name, *text, *says;
	} wrong[] = {
	    {"listener", "x", "there is no listener x"},
	    {"method", "magic", "magic is no method"},
	    {"method", "none", "listener main does not offer method none"},
	    {"user", "alice", "has no realm"},
	    {"user", "", "cannot be one"},
	    {"user", "al\nice@X", "cannot be one"},
	    {"do", "listen", "connect, bind or udp"},
	    {"destination", "www.example.com", "is no destination"},
	    {"destination", "2001:db8::1:80", "is no destination"},
	    {"destination", "w w:80", "is no destination"},
	    {"destination", "h:65536", "is no destination"},
	    {"from", "192.0.2.0/24", "is no address"},
	    {"protection", "much", "much is no protection"},
	    {"protection", "none", "it grants integrity to selective"},
	    {"protection", "confidentiality", "does not grant"},
	    {"at", "-1", "is no time"},
	    {"at", "253402300800", "is no time"},
	    {"at", "now", "is no time"},
	    {"indicator", "a b", "is no indicator"},
	    {"indicator", "", "is no indicator"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
		assert_false(READ(wrong[i].name, wrong[i].text));
		if (strstr(why, wrong[i].says) == NULL)
			fail_msg("%s is not in %s", wrong[i].says, why);
	}
	assert_false(READ("method", "password", "user", "a@OTHER"));
	assert_false(READ("method", "password", "protection", "integrity"));
	assert_false(READ("method", "password", "indicator", "otp"));
	assert_false(READ("listener", "tls", "protection", "none"));
}

static void
nothing_asked_is_no_question(void **state)
{
	struct options *asked = options_new();

	(void)state;
	assert_false(explain_question_read(
	    asked, settings, &question, why, sizeof(why)));
	assert_string_equal(why, "no user is named");
	options_free(asked);
}

static void
indicators_of_all_lengths_fit_or_are_refused(void **state)
{
	char word[2 * IDENTITY_INDICATORS_SIZE];

	(void)state;
	for (size_t len = 1; len < sizeof(word) - 1; len++) {
		memset(word, 'x', len);
		word[len] = '\0';
		assert_int_equal(
		    READ("indicator", word), len < IDENTITY_INDICATORS_SIZE);
		assert_int_equal(READ("indicator", "a", "indicator", word),
		    len + 2 < IDENTITY_INDICATORS_SIZE);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_left_out_is_what_most_sessions_have),
	    cmocka_unit_test(all_of_it_can_be_said),
	    cmocka_unit_test(a_name_is_one_by_its_method),
	    cmocka_unit_test(protection_is_what_the_listener_makes_of_it),
	    cmocka_unit_test(what_cannot_be_is_said),
	    cmocka_unit_test(nothing_asked_is_no_question),
	    cmocka_unit_test(indicators_of_all_lengths_fit_or_are_refused),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
