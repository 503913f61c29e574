/* SPDX-License-Identifier: ISC */
/* Which methods a client gets, and what is remembered of it. */
#include "tests/support/unit.h"

#include <string.h>

#include "gateway/session_private.h"
#include "gateway/ticketless.h"
#include "gateway/worker.h"

static struct shared shared;
static struct worker worker;
static struct settings settings;
static struct listener_settings listener;
static struct session session;

static int
set_up(void **state)
{
	(void)state;
	shared.ticketless = ticketless_new();
	assert_non_null(shared.ticketless);
	worker.shared = &shared;
	settings.ticketless_tries = 2;
	settings.ticketless_window = 60;
	settings.ticketless_memory = 600;
	memset(&listener, 0, sizeof(listener));
	listener.method_count = 2;
	listener.method[0] = METHOD_GSSAPI;
	listener.method[1] = METHOD_PASSWORD;
	memset(&session, 0, sizeof(session));
	session.worker = &worker;
	session.settings = &settings;
	session.listener = &listener;
	assert_true(address_parse("192.0.2.1", &session.client.address));
	session.is_tls = true; /* passwords may be taken */
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	ticketless_free(shared.ticketless);
	return 0;
}

static void
assert_methods(size_t count, const enum method *wanted)
{
	struct front_methods methods = session_methods(&session);

	assert_int_equal(methods.count, count);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(methods.method[i], wanted[i]);
}

static const enum method gssapi_first[] = {METHOD_GSSAPI, METHOD_PASSWORD};
static const enum method gssapi_last[] = {METHOD_PASSWORD, METHOD_GSSAPI};

static void
end_at(enum hint_stage stage, enum reason reason)
{
	session.facts.stage = stage;
	session_methods_learn(&session, reason);
}

static void
the_listeners_order_is_ours(void **state)
{
	(void)state;
	assert_methods(2, gssapi_first);
	listener.method[0] = METHOD_PASSWORD;
	listener.method[1] = METHOD_GSSAPI;
	assert_methods(2, gssapi_last);
	listener.method_count = 1;
	assert_methods(1, gssapi_last);
}

static void
passwords_are_taken(bool are)
{
	struct front_methods methods = session_methods(&session);

	assert_int_equal(methods.count, are ? 2 : 1);
	assert_true(methods.no_password_here == !are);
	assert_int_equal(methods.method[0], METHOD_GSSAPI);
}

static void
passwords_are_not_taken_in_clear_over_a_network(void **state)
{
	(void)state;
	session.is_tls = false;
	passwords_are_taken(false);
	/* From this host, but over a network's address. */
	assert_true(address_parse("127.0.0.1", &session.client.address));
	assert_true(address_parse("192.0.2.9", &listener.bind.address));
	passwords_are_taken(false);
	/* All addresses are no loopback address either. */
	assert_true(address_parse("0.0.0.0", &listener.bind.address));
	passwords_are_taken(false);
}

static void
passwords_are_taken_on_this_host(void **state)
{
	(void)state;
	session.is_tls = false;
	assert_true(address_parse("127.0.0.1", &listener.bind.address));
	assert_true(address_parse("127.0.0.5", &session.client.address));
	passwords_are_taken(true);
	assert_true(address_parse("::1", &listener.bind.address));
	assert_true(address_parse("::1", &session.client.address));
	passwords_are_taken(true);
	assert_true(address_parse("::2", &session.client.address));
	passwords_are_taken(false);
	/* A load balancer's word does not make a client local. */
	assert_true(address_parse("127.0.0.1", &session.client.address));
	assert_true(address_parse("127.0.0.1", &session.via.address));
	passwords_are_taken(false);
}

static void
passwords_are_taken_where_the_settings_say_so(void **state)
{
	struct settings_networks *networks = &settings.cleartext_networks;

	(void)state;
	session.is_tls = false;
	networks->count = 2;
	assert_true(network_parse("198.51.100.0/24", &networks->networks[0]));
	assert_true(network_parse("192.0.2.0/24", &networks->networks[1]));
	passwords_are_taken(true);
	assert_true(address_parse("192.0.3.1", &session.client.address));
	passwords_are_taken(false);
	networks->count = 0;
	session.is_tls = true;
	passwords_are_taken(true);
	session.is_tls = false;
}

static void
a_password_is_no_ticket(void **state)
{
	(void)state;
	end_at(HINT_STAGE_CHOSEN, REASON_CLIENT_CLOSED);
	end_at(HINT_STAGE_CHOSEN, REASON_CLIENT_CLOSED);
	assert_methods(2, gssapi_last);
	session.is_proved = true;
	session.identity.method = METHOD_PASSWORD;
	end_at(HINT_STAGE_REQUEST, REASON_OK);
	assert_methods(2, gssapi_last);
	session.identity.method = METHOD_GSSAPI;
	end_at(HINT_STAGE_REQUEST, REASON_OK);
	assert_methods(2, gssapi_first);
}

static void
who_leaves_twice_without_a_token_gets_the_next_method(void **state)
{
	(void)state;
	end_at(HINT_STAGE_CHOSEN, REASON_CLIENT_CLOSED);
	assert_methods(2, gssapi_first);
	end_at(HINT_STAGE_CHOSEN, REASON_CLIENT_RESET);
	assert_methods(2, gssapi_last);
	/* Another address is not meant. */
	session.client.address.bytes[3]++;
	assert_methods(2, gssapi_first);
	session.client.address.bytes[3]--;
	/* Somebody there has a ticket after all. */
	end_at(HINT_STAGE_CONTEXT, REASON_GSS_LEVEL);
	assert_methods(2, gssapi_first);
}

static void
only_leaving_before_the_first_token_counts(void **state)
{
	static const struct {
		enum hint_stage stage;
		enum reason reason;
	} others[] = {
	    {HINT_STAGE_START, REASON_CLIENT_CLOSED},
	    {HINT_STAGE_TOKEN, REASON_CLIENT_CLOSED},
	    {HINT_STAGE_CHOSEN, REASON_HANDSHAKE_TIMEOUT},
	    {HINT_STAGE_CHOSEN, REASON_GSS_BAD_FRAME},
	    {HINT_STAGE_CHOSEN, REASON_TRUNCATED},
	    {HINT_STAGE_CHOSEN, REASON_SHUTDOWN},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(others); i++)
		for (int j = 0; j < 3; j++)
			end_at(others[i].stage, others[i].reason);
	assert_methods(2, gssapi_first);
}

/* Nothing is lowered where there is nothing else. */
static void
where_gssapi_is_the_only_method_nothing_changes(void **state)
{
	(void)state;
	listener.method_count = 1;
	for (int i = 0; i < 5; i++)
		end_at(HINT_STAGE_CHOSEN, REASON_CLIENT_CLOSED);
	assert_methods(1, gssapi_first);
	/* Nor is it remembered for a listener that has another. */
	listener.method_count = 2;
	assert_methods(2, gssapi_first);
}

static void
it_can_be_switched_off(void **state)
{
	(void)state;
	settings.ticketless_tries = 0;
	for (int i = 0; i < 5; i++)
		end_at(HINT_STAGE_CHOSEN, REASON_CLIENT_CLOSED);
	assert_methods(2, gssapi_first);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		the_listeners_order_is_ours, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		passwords_are_not_taken_in_clear_over_a_network, set_up,
		tear_down),
	    cmocka_unit_test_setup_teardown(
		passwords_are_taken_on_this_host, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		passwords_are_taken_where_the_settings_say_so, set_up,
		tear_down),
	    cmocka_unit_test_setup_teardown(
		a_password_is_no_ticket, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		who_leaves_twice_without_a_token_gets_the_next_method, set_up,
		tear_down),
	    cmocka_unit_test_setup_teardown(
		only_leaving_before_the_first_token_counts, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		where_gssapi_is_the_only_method_nothing_changes, set_up,
		tear_down),
	    cmocka_unit_test_setup_teardown(
		it_can_be_switched_off, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
