/* SPDX-License-Identifier: ISC */
/* The authenticator program, asked by a pool, with real tickets. */
#include "tests/support/unit.h"

#include "auth/authenticators.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>
#include <gssapi/gssapi_ext.h>

#include "auth/authenticator_protocol.h"
#include "auth/gss_context.h"
#include "base/clock.h"
#include "base/link.h"
#include "base/seal.h"
#include "tests/support/authenticator_program.h"
#include "tests/support/kerberos.h"

#define TIMEOUT_MS 3000

struct world {
	struct event_base *base;
	struct authenticators *pool;
	struct helper_program program;
};

struct told {
	struct event_base *base;
	unsigned count;
	enum acceptance_outcome outcome;
	enum reason reason;
	char text[ACCEPT_TEXT_SIZE];
	struct identity identity;
	uint8_t token[ACCEPT_TOKEN_MAX];
	size_t token_len;
	struct gssctx *context;
};

static void
launch(struct world *world)
{
	authenticator_program_start(&world->program, world->base);
	authenticators_link(
	    world->pool, 0, helper_program_link(&world->program, 1));
}

static void
begin(struct world *world)
{
	memset(world, 0, sizeof(*world));
	world->base = event_base_new();
	world->pool = authenticators_new(world->base, TIMEOUT_MS);
	launch(world);
	authenticator_program_configure(&world->program, NULL);
	assert_true(world->program.is_ready);
}

static void
end(struct world *world)
{
	authenticators_free(world->pool);
	helper_program_stop(&world->program);
	event_base_free(world->base);
}

static void
on_told(void *arg, const struct acceptance_answer *answer)
{
	struct told *told = arg;
	char why[256];

	told->count++;
	told->outcome = answer->outcome;
	told->reason = answer->reason;
	(void)snprintf(told->text, sizeof(told->text), "%s", answer->text);
	told->identity = answer->identity;
	if (answer->token_len > 0)
		memcpy(told->token, answer->token, answer->token_len);
	told->token_len = answer->token_len;
	if (answer->exported_len > 0)
		told->context = gssctx_import(
		    answer->exported, answer->exported_len, why, sizeof(why));
	(void)event_base_loopbreak(told->base);
}

/* One step, until it is answered. */
static struct acceptance *
step(struct world *world, struct acceptance *acceptance, const void *token,
    size_t len, struct told *told)
{
	memset(told, 0, sizeof(*told));
	told->base = world->base;
	acceptance = acceptance_step(
	    world->pool, acceptance, false, token, len, on_told, told);
	assert_non_null(acceptance);
	while (told->count == 0)
		(void)event_base_dispatch(world->base);
	return acceptance;
}

/* A whole acceptance of a fresh token. */
static void
accept_one(struct world *world, struct kerberos_client *client,
    const char *service, struct told *told)
{
	kerberos_begin(client, service, KERBEROS_FLAGS);
	acceptance_free(
	    step(world, NULL, client->token.value, client->token.length, told));
}

static void
assert_serves(struct world *world)
{
	static struct told told;
	struct kerberos_client client;

	accept_one(world, &client, KERBEROS_SOCKS, &told);
	assert_string_equal(told.text, "");
	assert_int_equal(told.outcome, ACCEPTANCE_DONE);
	gssctx_free(told.context);
	kerberos_end(&client);
}

static void
assert_failed(const struct told *told, enum reason reason)
{
	assert_int_equal(told->outcome, ACCEPTANCE_FAILED);
	assert_string_equal(reason_name(told->reason), reason_name(reason));
}

/* ---- */

static void
the_context_that_is_handed_over_opens_what_the_client_seals(void **state)
{
	static struct told told;
	struct world world;
	struct kerberos_client client;
	gss_buffer_desc plain = {.length = 5, .value = (char[]){"hello"}};
	gss_buffer_desc sealed = GSS_C_EMPTY_BUFFER;
	struct seal *seal;
	uint8_t *opened;
	size_t opened_len;
	OM_uint32 minor;
	uint64_t now_us;

	(void)state;
	begin(&world);
	accept_one(&world, &client, KERBEROS_SOCKS, &told);
	now_us = clock_monotonic_us();
	assert_int_equal(told.outcome, ACCEPTANCE_DONE);
	assert_string_equal(told.identity.name, "alice@EXAMPLE.COM");
	assert_true(told.identity.expires_us > now_us + 3600000000 &&
		    told.identity.expires_us <= now_us + 36000000000);
	assert_int_equal(kerberos_continue(&client, told.token, told.token_len),
	    GSS_S_COMPLETE);
	assert_non_null(told.context);
	seal = gssctx_into_seal(told.context, PROTECTION_CONFIDENTIALITY);
	assert_non_null(seal);
	assert_int_equal(gss_wrap(&minor, client.handle, 1, GSS_C_QOP_DEFAULT,
			     &plain, NULL, &sealed),
	    GSS_S_COMPLETE);
	assert_int_equal(seal_unwrap(seal, sealed.value, sealed.length, &opened,
			     &opened_len),
	    REASON_OK);
	assert_int_equal(opened_len, 5);
	assert_memory_equal(opened, "hello", 5);
	(void)gss_release_buffer(&minor, &sealed);
	seal_free(seal);
	kerberos_end(&client);
	end(&world);
}

static void
a_refusal_comes_with_what_the_library_says(void **state)
{
	static struct told told;
	struct world world;

	(void)state;
	begin(&world);
	acceptance_free(step(&world, NULL, "nonsense", 8, &told));
	assert_failed(&told, REASON_GSS_DEFECTIVE_TOKEN);
	assert_string_not_equal(told.text, "");
	assert_serves(&world);
	end(&world);
}

static void
before_its_configuration_it_is_busy(void **state)
{
	static struct told told;
	struct world world;

	(void)state;
	memset(&world, 0, sizeof(world));
	world.base = event_base_new();
	world.pool = authenticators_new(world.base, TIMEOUT_MS);
	launch(&world);
	acceptance_free(step(&world, NULL, "token", 5, &told));
	assert_failed(&told, REASON_AUTH_BUSY);
	end(&world);
}

static void
a_bad_keytab_is_named_to_the_master(void **state)
{
	struct world world;

	(void)state;
	memset(&world, 0, sizeof(world));
	world.base = event_base_new();
	authenticator_program_start(&world.program, world.base);
	authenticator_program_configure(&world.program, "/nowhere/keytab");
	assert_false(world.program.is_ready);
	assert_non_null(strstr(world.program.failed, "/nowhere/keytab"));
	end(&world);
}

static void
half_made_contexts_are_bounded_and_forgotten(void **state)
{
	static struct acceptance *acceptances[ACCEPT_HALF_MADE_MAX + 1];
	static struct told told;
	struct world world;
	struct kerberos_client client;

	(void)state;
	begin(&world);
	for (size_t i = 0; i < ARRAY_COUNT(acceptances); i++) {
		kerberos_begin(
		    &client, KERBEROS_SOCKS, KERBEROS_FLAGS | GSS_C_DCE_STYLE);
		acceptances[i] = step(&world, NULL, client.token.value,
		    client.token.length, &told);
		if (i < ACCEPT_HALF_MADE_MAX)
			assert_int_equal(told.outcome, ACCEPTANCE_CONTINUE);
		else
			assert_failed(&told, REASON_AUTH_BUSY);
		kerberos_end(&client);
	}
	/* Whoever needs no second token does not mind. */
	assert_serves(&world);
	for (size_t i = 0; i < ARRAY_COUNT(acceptances); i++)
		acceptance_free(acceptances[i]);
	kerberos_begin(
	    &client, KERBEROS_SOCKS, KERBEROS_FLAGS | GSS_C_DCE_STYLE);
	acceptances[0] =
	    step(&world, NULL, client.token.value, client.token.length, &told);
	assert_int_equal(told.outcome, ACCEPTANCE_CONTINUE);
	assert_int_equal(kerberos_continue(&client, told.token, told.token_len),
	    GSS_S_COMPLETE);
	acceptances[0] = step(&world, acceptances[0], client.token.value,
	    client.token.length, &told);
	assert_failed(&told, REASON_GSS_FLAGS);
	acceptance_free(acceptances[0]);
	kerberos_end(&client);
	end(&world);
}

static void
a_replay_is_seen_by_its_successor(void **state)
{
	static struct told told;
	struct world world;
	struct kerberos_client client;

	(void)state;
	begin(&world);
	kerberos_begin(&client, KERBEROS_SOCKS, KERBEROS_FLAGS);
	acceptance_free(
	    step(&world, NULL, client.token.value, client.token.length, &told));
	assert_int_equal(told.outcome, ACCEPTANCE_DONE);
	gssctx_free(told.context);
	helper_program_stop(&world.program);
	launch(&world);
	authenticator_program_configure(&world.program, NULL);
	acceptance_free(
	    step(&world, NULL, client.token.value, client.token.length, &told));
	assert_failed(&told, REASON_GSS_TOKEN_REPLAY);
	kerberos_end(&client);
	end(&world);
}

/* Somebody else holds the replay cache's lock for good. */
static void
one_that_hangs_dies(void **state)
{
	static struct told told;
	struct flock all = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	struct world world;
	struct kerberos_client client;
	int fd, status;

	(void)state;
	begin(&world);
	assert_serves(&world);
	fd = open(kerberos_path("replay"), O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_OFD_SETLK, &all), 0);
	accept_one(&world, &client, KERBEROS_SOCKS, &told);
	assert_failed(&told, REASON_AUTH_LOST);
	status = helper_program_wait(&world.program);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM);
	(void)close(fd);
	kerberos_end(&client);
	end(&world);
}

static void
on_link_closed(void *arg)
{
	bool *is_closed = arg;

	*is_closed = true;
}

static void
an_asker_that_breaks_the_rules_loses_its_link_only(void **state)
{
	static const struct link_handler handlers[] = {{.handle = NULL}};
	const struct timeval moment = {.tv_usec = 10000};
	bool is_closed = false;
	struct world world;
	struct link *link;

	(void)state;
	begin(&world);
	link = link_new(world.base, helper_program_link(&world.program, 7),
	    handlers, on_link_closed, &is_closed);
	assert_non_null(link);
	assert_int_equal(link_send(link, ACCEPT_STEP, 1, "?", 1), 0);
	for (int i = 0; i < 1000 && !is_closed; i++) {
		(void)event_base_loopexit(world.base, &moment);
		(void)event_base_dispatch(world.base);
	}
	assert_true(is_closed);
	assert_serves(&world);
	link_free(link);
	assert_serves(&world);
	end(&world);
}

static void
it_leaves_no_trace(void **state)
{
	struct world world;

	(void)state;
	assert_int_equal(
	    setenv("KRB5_TRACE", kerberos_path("authenticator.trace"), 1), 0);
	memset(&world, 0, sizeof(world));
	world.base = event_base_new();
	world.pool = authenticators_new(world.base, TIMEOUT_MS);
	launch(&world);
	assert_int_equal(unsetenv("KRB5_TRACE"), 0);
	authenticator_program_configure(&world.program, NULL);
	assert_serves(&world);
	assert_int_not_equal(
	    access(kerberos_path("authenticator.trace"), F_OK), 0);
	end(&world);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		the_context_that_is_handed_over_opens_what_the_client_seals),
	    cmocka_unit_test(a_refusal_comes_with_what_the_library_says),
	    cmocka_unit_test(before_its_configuration_it_is_busy),
	    cmocka_unit_test(a_bad_keytab_is_named_to_the_master),
	    cmocka_unit_test(half_made_contexts_are_bounded_and_forgotten),
	    cmocka_unit_test(a_replay_is_seen_by_its_successor),
	    cmocka_unit_test(one_that_hangs_dies),
	    cmocka_unit_test(
		an_asker_that_breaks_the_rules_loses_its_link_only),
	    cmocka_unit_test(it_leaves_no_trace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
