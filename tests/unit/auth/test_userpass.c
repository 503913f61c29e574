/* SPDX-License-Identifier: ISC */
/* The sub-negotiation of RFC 1929, with a scripted password checker. */
#include "tests/support/unit.h"

#include "auth/userpass.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include "auth/passwords.h"
#include "base/clock.h"
#include "base/compiler.h"
#include "base/rfc1929.h"
#include "tests/support/scripted_checker.h"
#include "tests/support/watched_memory.h"

#define TURNS_MAX   60
#define PATIENCE_MS 20000 /* for a machine that has other things to do */

#define PROVED "\1\0"
#define FAILED "\1\1"

struct world {
	struct event_base *base;
	struct passwords *passwords;
	struct throttle *throttle;
	struct scripted_checker checker;
	struct bufferevent *bev;
	int client; /* the other end */
	struct userpass_policy policy;
	struct address address;
	struct userpass *userpass;
	unsigned told;
	enum reason reason;
	char detail[64];
	char claimed[IDENTITY_NAME_SIZE];
	struct proof proof;
	bool has_proof;
};

static void
on_done(void *arg, const struct userpass_result *result)
{
	struct world *world = arg;

	world->told++;
	world->userpass = NULL;
	world->reason = result->reason;
	(void)snprintf(
	    world->detail, sizeof(world->detail), "%s", result->detail);
	memcpy(world->claimed, result->claimed, strlen(result->claimed) + 1);
	world->has_proof = result->proof != NULL;
	if (result->proof != NULL)
		world->proof = *result->proof;
}

/* Another connection of the same client. */
static void
connect_client(struct world *world)
{
	int fds[2];

	assert_int_equal(
	    socketpair(
		AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds),
	    0);
	world->client = fds[0];
	world->bev =
	    bufferevent_socket_new(world->base, fds[1], BEV_OPT_CLOSE_ON_FREE);
	assert_non_null(world->bev);
	assert_int_equal(bufferevent_enable(world->bev, EV_READ | EV_WRITE), 0);
}

static void
disconnect_client(struct world *world)
{
	userpass_cancel(world->userpass);
	world->userpass = NULL;
	bufferevent_free(world->bev);
	(void)close(world->client);
}

static void
begin(struct world *world)
{
	int link;

	memset(world, 0, sizeof(*world));
	world->policy = (struct userpass_policy){
	    .realm = "pam",
	    .name_max = 64,
	    .delay_ms = 0,
	    .delay_max_ms = 0,
	    .wait_ms = PATIENCE_MS,
	    .budgets =
		{
		    .pair = {.burst = 1000, .refill_us = 1000000},
		    .name = {.burst = 1000, .refill_us = 1000000},
		    .source = {.burst = 1000, .refill_us = 1000000},
		},
	};
	assert_true(address_parse("192.0.2.1", &world->address));
	world->base = event_base_new();
	world->passwords = passwords_new(world->base, PATIENCE_MS);
	world->throttle = throttle_new();
	scripted_checker_init(&world->checker, world->base, &link);
	passwords_link(world->passwords, 0, link);
	connect_client(world);
}

static void
end(struct world *world)
{
	disconnect_client(world);
	passwords_free(world->passwords);
	throttle_free(world->throttle);
	scripted_checker_fini(&world->checker);
	event_base_free(world->base);
}

static void
start(struct world *world)
{
	world->told = 0;
	world->userpass = userpass_start(world->bev, world->passwords,
	    world->throttle, &world->policy, &world->address, on_done, world);
	assert_non_null(world->userpass);
	assert_int_equal(world->told, 0); /* never inside of the call */
}

static void
turn(struct world *world)
{
	for (int i = 0; i < TURNS_MAX; i++)
		(void)event_base_loop(
		    world->base, EVLOOP_NONBLOCK | EVLOOP_ONCE);
}

static void
turn_until_told(struct world *world)
{
	uint64_t end_us = clock_monotonic_us() + PATIENCE_MS * UINT64_C(1000);

	while (world->told == 0 && clock_monotonic_us() < end_us)
		(void)event_base_loop(world->base, EVLOOP_ONCE);
	turn(world);
	assert_int_equal(world->told, 1);
}

static void
client_sends(struct world *world, const void *data, size_t len)
{
	assert_int_equal(send(world->client, data, len, MSG_NOSIGNAL), len);
	turn(world);
}

#define SENDS(world, text) client_sends(world, text, sizeof(text) - 1)

static void
assert_client_got(struct world *world, const void *data, size_t len)
{
	uint8_t got[64];
	ssize_t got_len;

	turn(world);
	got_len = recv(world->client, got, sizeof(got), 0);
	if (got_len < 0)
		got_len = 0;
	assert_int_equal(got_len, len);
	assert_memory_equal(got, data, len);
}

#define ASSERT_GOT(world, text) assert_client_got(world, text, sizeof(text) - 1)

static void
assert_failed(const struct world *world, enum reason reason)
{
	assert_int_equal(world->told, 1);
	assert_string_equal(reason_name(world->reason), reason_name(reason));
	assert_false(world->has_proof);
}

static void
assert_proved(const struct world *world, const char *name)
{
	assert_int_equal(world->told, 1);
	assert_string_equal(reason_name(world->reason), "ok");
	assert_true(world->has_proof);
	assert_string_equal(world->proof.identity.name, name);
	assert_string_equal(world->claimed, name);
	assert_int_equal(world->proof.identity.method, METHOD_PASSWORD);
	assert_string_equal(world->proof.identity.mechanism, "pam");
	assert_true(world->proof.identity.expires_us == 0);
	assert_int_equal(world->proof.protection, PROTECTION_NONE);
	assert_null(world->proof.seal);
}

static size_t
left_in_input(const struct world *world)
{
	return evbuffer_get_length(bufferevent_get_input(world->bev));
}

static size_t
compose(uint8_t out[RFC1929_MAX], const void *user, size_t user_len,
    const void *password, size_t password_len)
{
	size_t len = 0;

	out[len++] = 1;
	out[len++] = (uint8_t)user_len;
	memcpy(out + len, user, user_len);
	len += user_len;
	out[len++] = (uint8_t)password_len;
	memcpy(out + len, password, password_len);
	return len + password_len;
}

/* What becomes of these two, in one segment. */
static void
try_one(struct world *world, const void *user, size_t user_len,
    const void *password, size_t password_len)
{
	uint8_t message[RFC1929_MAX];
	size_t len = compose(message, user, user_len, password, password_len);

	start(world);
	client_sends(world, message, len);
	turn_until_told(world);
}

#define TRY(world, user, password)                                             \
	try_one(world, user, sizeof(user) - 1, password, sizeof(password) - 1)

/* ---- all goes well ---- */

static void
a_right_password_makes_a_proof(void **state)
{
	struct world world;

	(void)state;
	begin(&world);
	TRY(&world, "alice", "Right");
	ASSERT_GOT(&world, PROVED);
	assert_proved(&world, "alice@pam");
	assert_string_equal(world.checker.user, "alice");
	assert_memory_equal(world.checker.password, "Right", 5);
	assert_true(address_is_equal(&world.checker.client, &world.address));
	end(&world);
}

static void
the_realm_is_the_settings_word(void **state)
{
	struct world world;

	(void)state;
	begin(&world);
	world.policy.realm = "EXAMPLE.COM";
	TRY(&world, "alice", "Right");
	assert_proved(&world, "alice@EXAMPLE.COM");
	end(&world);
}

static void
octets_behind_the_message_are_the_next_ones(void **state)
{
	struct world world;

	(void)state;
	begin(&world);
	start(&world);
	SENDS(&world, "\1\5alice\5Right\5\1\0\1\177\0\0\1\0\120GET /");
	turn_until_told(&world);
	assert_proved(&world, "alice@pam");
	ASSERT_GOT(&world, PROVED);
	assert_int_equal(left_in_input(&world), 15);
	/* And reading is on. */
	SENDS(&world, "more");
	assert_int_equal(left_in_input(&world), 19);
	end(&world);
}

static void
what_waits_in_the_buffer_already_is_read(void **state)
{
	struct world world;

	(void)state;
	begin(&world);
	SENDS(&world, "\1\5alice\5Right\5\1\0");
	assert_int_equal(left_in_input(&world), 16);
	start(&world);
	turn_until_told(&world);
	assert_proved(&world, "alice@pam");
	assert_int_equal(left_in_input(&world), 3);
	end(&world);
}

static void
nothing_is_said_before_the_message_is_whole(void **state)
{
	static const char message[] = "\1\5alice\5Right";
	struct world world;

	(void)state;
	begin(&world);
	start(&world);
	for (size_t i = 0; i < sizeof(message) - 1; i++) {
		ASSERT_GOT(&world, "");
		assert_int_equal(world.checker.asked, 0);
		client_sends(&world, message + i, 1);
	}
	turn_until_told(&world);
	assert_proved(&world, "alice@pam");
	ASSERT_GOT(&world, PROVED);
	end(&world);
}

static void
one_person_has_one_name(void **state)
{
	static const struct {
		bool lower_case;
		const char *identity;
	} cases[] = {
	    {true, "laura\xc3\x84z_9@pam"}, {false, "LaUrA\xc3\x84Z_9@pam"}};
	static const char name[] = "LaUrA\xc3\x84Z_9";

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct world world;

		begin(&world);
		world.policy.lower_case = cases[i].lower_case;
		try_one(&world, name, strlen(name), "Right", 5);
		assert_int_equal(world.reason, REASON_OK);
		assert_string_equal(
		    world.proof.identity.name, cases[i].identity);
		end(&world);
	}
}

static void
the_longest_fields_are_passed_on_whole(void **state)
{
	uint8_t user[255], password[255];
	struct world world;

	(void)state;
	begin(&world);
	world.policy.name_max = 255;
	memset(user, 'u', sizeof(user));
	for (size_t i = 0; i < sizeof(password); i++)
		password[i] = (uint8_t)(255 - i);
	password[0] = 'R';
	try_one(&world, user, sizeof(user), password, sizeof(password));
	assert_int_equal(world.told, 1);
	assert_int_equal(world.reason, REASON_OK);
	assert_int_equal(strlen(world.proof.identity.name), 255 + 4);
	assert_int_equal(world.checker.password_len, 255);
	assert_memory_equal(world.checker.password, password, 255);
	end(&world);
}

static void
the_buffers_limit_is_as_it_was(void **state)
{
	struct world world;
	size_t low, high;

	(void)state;
	begin(&world);
	bufferevent_setwatermark(world.bev, EV_READ, 0, 4321);
	TRY(&world, "alice", "Right");
	assert_int_equal(
	    bufferevent_getwatermark(world.bev, EV_READ, &low, &high), 0);
	assert_int_equal(low, 0);
	assert_int_equal(high, 4321);
	end(&world);
}

/* ---- failures ---- */

static void
each_failure_has_its_reason_and_one_reply(void **state)
{
	static const struct {
		const char *password;
		enum reason reason;
		const char *detail;
	} failures[] = {
	    {"Wrong", REASON_PASSWORD_WRONG, "as PAM says"},
	    {"Unknown", REASON_USER_UNKNOWN, ""},
	    {"Locked", REASON_ACCOUNT_DENIED, ""},
	    {"Error", REASON_PAM_ERROR, ""},
	    {"Other", REASON_USER_CHANGED, ""},
	    {"Broken", REASON_CHECKER_LOST, ""},
	};
	struct world world;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(failures); i++) {
		begin(&world);
		try_one(&world, "alice", 5, failures[i].password,
		    strlen(failures[i].password));
		assert_failed(&world, failures[i].reason);
		assert_string_equal(world.detail, failures[i].detail);
		assert_string_equal(world.claimed, "alice@pam");
		ASSERT_GOT(&world, FAILED);
		end(&world);
	}
}

static void
names_that_nobody_has_are_not_asked_about(void **state)
{
	static const struct {
		const char *name;
		size_t len;
	} names[] = {
	    {"", 0},
	    {"al\0ice", 6},
	    {"alice\0", 6},
	    {"\0", 1},
	    {"alice@EXAMPLE.COM", 17},
	    {"@", 1},
	    {"alice/admin", 11},
	    {"../alice", 8},
	    {".", 1},
	    {"..", 2},
	    {"al\nice", 6},
	    {"al\177ice", 6},
	    {"al\xffice", 6},
	    {"al\xe2\x80\xaeice", 8},
	    {" alice", 6},
	    {"alice ", 6},
	    {"al  ice", 7},
	    {"a234567890123456789012345678901234567890123456789012345678901234"
	     "5",
		65},
	};
	struct world world;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		begin(&world);
		try_one(&world, names[i].name, names[i].len, "Right", 5);
		assert_failed(&world, REASON_BAD_USERPASS);
		assert_string_equal(world.claimed, "");
		ASSERT_GOT(&world, FAILED);
		assert_int_equal(world.checker.asked, 0);
		end(&world);
	}
}

static void
names_that_look_odd_are_asked_about_as_they_are(void **state)
{
	static const char *const names[] = {"*", "a)(uid=*", "%s", "\\", "#x",
	    "j\xc3\xb6rg", "al ice", "...", "-f", "DOMAIN\\alice"};
	struct world world;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		begin(&world);
		try_one(&world, names[i], strlen(names[i]), "Unknown", 7);
		assert_failed(&world, REASON_USER_UNKNOWN);
		assert_string_equal(world.checker.user, names[i]);
		end(&world);
	}
}

static void
passwords_that_are_none_are_not_asked_about(void **state)
{
	struct world world;

	(void)state;
	begin(&world);
	TRY(&world, "alice", "");
	assert_failed(&world, REASON_BAD_USERPASS);
	assert_string_equal(world.claimed, "alice@pam");
	ASSERT_GOT(&world, FAILED);
	TRY(&world, "alice", "Right\0Wrong");
	assert_failed(&world, REASON_BAD_USERPASS);
	ASSERT_GOT(&world, FAILED);
	assert_int_equal(world.checker.asked, 0);
	end(&world);
}

static void
another_version_is_refused_at_its_octet(void **state)
{
	struct world world;

	(void)state;
	begin(&world);
	world.policy.delay_ms = world.policy.delay_max_ms = PATIENCE_MS * 10;
	start(&world);
	SENDS(&world, "\5");
	assert_failed(&world, REASON_BAD_USERPASS);
	ASSERT_GOT(&world, FAILED);
	end(&world);
}

static void
an_end_in_the_middle_is_a_truncated_message(void **state)
{
	static const char message[] = "\1\5alice\5Right";
	struct world world;

	(void)state;
	for (size_t cut = 0; cut < sizeof(message) - 1; cut++) {
		begin(&world);
		start(&world);
		client_sends(&world, message, cut);
		assert_int_equal(shutdown(world.client, SHUT_WR), 0);
		turn_until_told(&world);
		assert_failed(
		    &world, cut == 0 ? REASON_CLIENT_CLOSED : REASON_TRUNCATED);
		assert_string_equal(world.claimed, "");
		ASSERT_GOT(&world, "");
		assert_int_equal(world.checker.asked, 0);
		end(&world);
	}
}

static void
a_client_that_only_ends_its_side_gets_its_answer(void **state)
{
	struct world world;

	(void)state;
	begin(&world);
	start(&world);
	SENDS(&world, "\1\5alice\4Hold");
	assert_int_equal(shutdown(world.client, SHUT_WR), 0);
	turn(&world);
	assert_int_equal(world.told, 0);
	scripted_checker_answer(&world.checker, 'R');
	turn_until_told(&world);
	assert_proved(&world, "alice@pam");
	ASSERT_GOT(&world, PROVED);
	end(&world);
}

static void
a_checker_that_is_not_there_is_a_failure_like_others(void **state)
{
	struct world world;

	(void)state;
	begin(&world);
	scripted_checker_fini(&world.checker);
	turn(&world);
	TRY(&world, "alice", "Right");
	assert_failed(&world, REASON_CHECKER_BUSY);
	ASSERT_GOT(&world, FAILED);
	end(&world);

	begin(&world);
	start(&world);
	SENDS(&world, "\1\5alice\4Hold");
	scripted_checker_fini(&world.checker);
	turn_until_told(&world);
	assert_failed(&world, REASON_CHECKER_LOST);
	ASSERT_GOT(&world, FAILED);
	end(&world);
}

/* ---- time ---- */

#define DELAY_MS 200

/* How long the failure's reply took. */
static uint64_t
time_failure(struct world *world, const char *user, const char *password)
{
	uint8_t message[RFC1929_MAX];
	size_t len =
	    compose(message, user, strlen(user), password, strlen(password));
	uint64_t began_us = clock_monotonic_us();

	start(world);
	client_sends(world, message, len);
	turn_until_told(world);
	assert_true(world->reason != REASON_OK);
	ASSERT_GOT(world, FAILED);
	return clock_monotonic_us() - began_us;
}

static void
every_failure_takes_its_time(void **state)
{
	static const struct {
		const char *user, *password;
	} failures[] = {
	    {"alice", "Wrong"},
	    {"alice", "Unknown"},
	    {"alice", "Locked"},
	    {"alice", "Other"},
	    {"alice", "Broken"},
	    {"alice", ""},
	    {"alice@EXAMPLE.COM", "Right"},
	    {"", "Right"},
	};
	struct world world;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(failures); i++) {
		begin(&world);
		world.policy.delay_ms = world.policy.delay_max_ms = DELAY_MS;
		assert_true(time_failure(&world, failures[i].user,
				failures[i].password) >= DELAY_MS * 750);
		end(&world);
	}
}

static void
one_that_is_refused_takes_its_time_too(void **state)
{
	struct world world;

	(void)state;
	begin(&world);
	world.policy.delay_ms = world.policy.delay_max_ms = DELAY_MS;
	world.policy.budgets.pair =
	    (struct budget){.burst = 1, .refill_us = 3600 * UINT64_C(1000000)};
	(void)time_failure(&world, "alice", "Wrong");
	assert_int_equal(world.checker.asked, 1);
	assert_true(time_failure(&world, "alice", "Right") >= DELAY_MS * 750);
	assert_string_equal(reason_name(world.reason), "rate_limited");
	assert_string_equal(world.claimed, "alice@pam");
	assert_int_equal(world.checker.asked, 1);
	end(&world);
}

static void
failing_again_takes_longer_up_to_a_bound(void **state)
{
	struct world world;

	(void)state;
	begin(&world);
	world.policy.delay_ms = 100;
	world.policy.delay_max_ms = DELAY_MS;
	world.policy.budgets.pair.refill_us = 3600 * UINT64_C(1000000);
	for (int i = 0; i < 4; i++)
		(void)time_failure(&world, "alice", "Wrong");
	/* Four quarters more; and then no more than the maximum, of which a
	 * quarter may be missing. */
	assert_true(time_failure(&world, "alice", "Wrong") >= 150000);
	for (int i = 0; i < 20; i++) {
		world.policy.delay_ms = i % 2 == 0 ? 0 : 1;
		(void)time_failure(&world, "alice", "Wrong");
	}
	world.policy.delay_ms = DELAY_MS;
	assert_true(time_failure(&world, "alice", "Wrong") >= DELAY_MS * 750);
	end(&world);
}

static void
success_takes_no_time(void **state)
{
	struct world world;

	(void)state;
	begin(&world);
	world.policy.delay_ms = world.policy.delay_max_ms = 10 * PATIENCE_MS;
	TRY(&world, "alice", "Right");
	assert_proved(&world, "alice@pam");
	end(&world);
}

static void
a_late_word_of_the_checker_is_passed_on_when_it_comes(void **state)
{
	struct world world;

	(void)state;
	begin(&world);
	world.policy.delay_ms = world.policy.delay_max_ms = 20;
	start(&world);
	SENDS(&world, "\1\5alice\4Hold");
	(void)poll(NULL, 0, 60);
	turn(&world);
	assert_int_equal(world.told, 0);
	ASSERT_GOT(&world, "");
	scripted_checker_answer(&world.checker, 'W');
	turn_until_told(&world);
	assert_failed(&world, REASON_PASSWORD_WRONG);
	ASSERT_GOT(&world, FAILED);
	end(&world);
}

/* ---- tries under way ---- */

static void
one_that_has_to_wait_is_asked_when_it_may(void **state)
{
	struct world first, second;

	(void)state;
	begin(&first);
	first.policy.budgets.pair =
	    (struct budget){.burst = 1, .refill_us = 3600 * UINT64_C(1000000)};
	second = first; /* another connection in the same world */
	connect_client(&second);
	start(&first);
	SENDS(&first, "\1\5alice\4Hold");
	start(&second);
	SENDS(&second, "\1\5alice\5Right");
	(void)poll(NULL, 0, 50);
	turn(&second);
	assert_int_equal(first.checker.asked, 1);
	assert_int_equal(second.told, 0);
	scripted_checker_answer(&first.checker, 'R');
	turn_until_told(&first);
	turn_until_told(&second);
	assert_proved(&second, "alice@pam");
	disconnect_client(&second);
	end(&first);
}

static void
one_that_has_waited_is_refused_if_it_must(void **state)
{
	struct world first, second;

	(void)state;
	begin(&first);
	first.policy.budgets.pair =
	    (struct budget){.burst = 1, .refill_us = 3600 * UINT64_C(1000000)};
	second = first;
	connect_client(&second);
	start(&first);
	SENDS(&first, "\1\5alice\4Hold");
	start(&second);
	SENDS(&second, "\1\5alice\5Right");
	scripted_checker_answer(&first.checker, 'W');
	turn_until_told(&first);
	turn_until_told(&second);
	assert_failed(&second, REASON_RATE_LIMITED);
	assert_int_equal(first.checker.asked, 1);
	disconnect_client(&second);
	end(&first);
}

static void
nobody_waits_for_ever(void **state)
{
	struct world first, second;

	(void)state;
	begin(&first);
	first.policy.budgets.pair =
	    (struct budget){.burst = 1, .refill_us = 3600 * UINT64_C(1000000)};
	second = first;
	connect_client(&second);
	second.policy.wait_ms = 50;
	start(&first);
	SENDS(&first, "\1\5alice\4Hold");
	start(&second);
	SENDS(&second, "\1\5alice\5Right");
	turn_until_told(&second);
	assert_failed(&second, REASON_CHECKER_BUSY);
	ASSERT_GOT(&second, FAILED);
	disconnect_client(&second);
	end(&first);
}

/* ---- cancel ---- */

static void
cancelled_it_says_nothing_to_its_owner(void **state)
{
	struct world world;

	(void)state;
	begin(&world);
	start(&world);
	SENDS(&world, "\1\5alice\4Hold");
	assert_string_equal(userpass_claimed(world.userpass), "alice@pam");
	userpass_cancel(world.userpass);
	world.userpass = NULL;
	scripted_checker_answer(&world.checker, 'R');
	turn(&world);
	assert_int_equal(world.told, 0);
	/* The client has asked and is told. */
	ASSERT_GOT(&world, FAILED);
	userpass_cancel(NULL);
	end(&world);
}

static void
cancelled_before_the_message_it_says_nothing_at_all(void **state)
{
	struct world world;

	(void)state;
	begin(&world);
	start(&world);
	SENDS(&world, "\1\5alice\4Hol");
	assert_string_equal(userpass_claimed(world.userpass), "");
	userpass_cancel(world.userpass);
	world.userpass = NULL;
	turn(&world);
	ASSERT_GOT(&world, "");
	end(&world);
}

static void
what_was_cancelled_counts_as_failed(void **state)
{
	struct world world;

	(void)state;
	begin(&world);
	world.policy.budgets.pair =
	    (struct budget){.burst = 1, .refill_us = 3600 * UINT64_C(1000000)};
	start(&world);
	SENDS(&world, "\1\5alice\4Hold");
	disconnect_client(&world);
	connect_client(&world);
	TRY(&world, "alice", "Right");
	assert_failed(&world, REASON_RATE_LIMITED);
	end(&world);
}

/* ---- nothing of a password stays behind ---- */

#define SECRET_LEN 120

/* A greeting that is taken off first, then the message, then what follows. */
struct stream {
	uint8_t octets[3 + RFC1929_MAX + 3000];
	size_t greeting, message, len;
	uint8_t secret[SECRET_LEN];
};

static void
compose_stream(struct stream *stream, char what, size_t tail)
{
	stream->secret[0] = (uint8_t)what;
	for (size_t i = 1; i < SECRET_LEN; i++)
		stream->secret[i] = (uint8_t)(255 - i);
	memcpy(stream->octets, "\5\1\2", 3);
	stream->greeting = 3;
	stream->message =
	    compose(stream->octets + 3, "alice", 5, stream->secret, SECRET_LEN);
	stream->len = 3 + stream->message;
	memset(stream->octets + stream->len, 'x', tail);
	stream->len += tail;
}

/* Takes the greeting off as the session does, and goes on. */
static void
take_greeting(struct world *world)
{
	assert_int_equal(
	    evbuffer_drain(bufferevent_get_input(world->bev), 3), 0);
	start(world);
}

static void
assert_nothing_is_left(struct world *world)
{
	assert_int_equal(watched_memory_held(), 0);
	end(world);
	assert_int_equal(watched_memory_freed(), 0);
	watched_memory_secret(NULL, 0);
}

/* In two pieces, cut at each place. */
static void
a_message_in_pieces_leaves_nothing(void **state)
{
	struct stream stream = {.len = 0};
	struct world world;

	(void)state;
	for (size_t tail = 0; tail <= 3000; tail += 1500) {
		compose_stream(&stream, tail == 0 ? 'W' : 'R', tail);
		for (size_t cut = 3; cut < stream.len; cut++) {
			begin(&world);
			watched_memory_secret(stream.secret, SECRET_LEN);
			client_sends(&world, stream.octets, cut);
			take_greeting(&world);
			client_sends(
			    &world, stream.octets + cut, stream.len - cut);
			turn_until_told(&world);
			assert_int_equal(world.checker.asked, 1);
			memset(world.checker.password, 0, SECRET_LEN);
			if (tail > 0)
				assert_true(left_in_input(&world) > 0);
			assert_nothing_is_left(&world);
			if (cut > 3 + stream.message)
				cut += 97;
		}
	}
}

static void
a_message_octet_by_octet_leaves_nothing(void **state)
{
	struct stream stream = {.len = 0};
	struct world world;

	(void)state;
	compose_stream(&stream, 'R', 20);
	begin(&world);
	watched_memory_secret(stream.secret, SECRET_LEN);
	client_sends(&world, stream.octets, 3);
	take_greeting(&world);
	for (size_t i = 3; i < stream.len; i++)
		client_sends(&world, stream.octets + i, 1);
	turn_until_told(&world);
	assert_proved(&world, "alice@pam");
	assert_nothing_is_left(&world);
}

static void
a_message_that_ends_in_the_middle_leaves_nothing(void **state)
{
	struct stream stream = {.len = 0};
	struct world world;

	(void)state;
	compose_stream(&stream, 'R', 0);
	for (size_t cut = 3; cut < stream.len; cut++) {
		bool is_cancelled = cut % 2 == 0;

		begin(&world);
		watched_memory_secret(stream.secret, SECRET_LEN);
		client_sends(&world, stream.octets, cut);
		take_greeting(&world);
		turn(&world);
		if (is_cancelled) {
			userpass_cancel(world.userpass);
			world.userpass = NULL;
		} else {
			assert_int_equal(shutdown(world.client, SHUT_WR), 0);
			turn_until_told(&world);
		}
		assert_nothing_is_left(&world);
	}
}

static void
a_message_of_another_version_leaves_nothing(void **state)
{
	struct stream stream = {.len = 0};
	struct world world;

	(void)state;
	compose_stream(&stream, 'R', 0);
	stream.octets[3] = 5;
	begin(&world);
	watched_memory_secret(stream.secret, SECRET_LEN);
	client_sends(&world, stream.octets, stream.len);
	take_greeting(&world);
	turn_until_told(&world);
	assert_failed(&world, REASON_BAD_USERPASS);
	assert_nothing_is_left(&world);
}

/* The watch itself finds what is not wiped. */
static void
what_is_not_wiped_is_found(void **state)
{
	struct stream stream = {.len = 0};
	struct world world;

	(void)state;
	compose_stream(&stream, 'R', 0);
	begin(&world);
	watched_memory_secret(stream.secret, SECRET_LEN);
	client_sends(&world, stream.octets, stream.len);
	assert_true(watched_memory_held() > 0);
	assert_int_equal(
	    evbuffer_drain(bufferevent_get_input(world.bev), stream.len), 0);
	end(&world);
	assert_true(watched_memory_freed() > 0);
	watched_memory_secret(NULL, 0);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_right_password_makes_a_proof),
	    cmocka_unit_test(the_realm_is_the_settings_word),
	    cmocka_unit_test(octets_behind_the_message_are_the_next_ones),
	    cmocka_unit_test(what_waits_in_the_buffer_already_is_read),
	    cmocka_unit_test(nothing_is_said_before_the_message_is_whole),
	    cmocka_unit_test(one_person_has_one_name),
	    cmocka_unit_test(the_longest_fields_are_passed_on_whole),
	    cmocka_unit_test(the_buffers_limit_is_as_it_was),
	    cmocka_unit_test(each_failure_has_its_reason_and_one_reply),
	    cmocka_unit_test(names_that_nobody_has_are_not_asked_about),
	    cmocka_unit_test(names_that_look_odd_are_asked_about_as_they_are),
	    cmocka_unit_test(passwords_that_are_none_are_not_asked_about),
	    cmocka_unit_test(another_version_is_refused_at_its_octet),
	    cmocka_unit_test(an_end_in_the_middle_is_a_truncated_message),
	    cmocka_unit_test(a_client_that_only_ends_its_side_gets_its_answer),
	    cmocka_unit_test(
		a_checker_that_is_not_there_is_a_failure_like_others),
	    cmocka_unit_test(every_failure_takes_its_time),
	    cmocka_unit_test(one_that_is_refused_takes_its_time_too),
	    cmocka_unit_test(failing_again_takes_longer_up_to_a_bound),
	    cmocka_unit_test(success_takes_no_time),
	    cmocka_unit_test(
		a_late_word_of_the_checker_is_passed_on_when_it_comes),
	    cmocka_unit_test(one_that_has_to_wait_is_asked_when_it_may),
	    cmocka_unit_test(one_that_has_waited_is_refused_if_it_must),
	    cmocka_unit_test(nobody_waits_for_ever),
	    cmocka_unit_test(cancelled_it_says_nothing_to_its_owner),
	    cmocka_unit_test(
		cancelled_before_the_message_it_says_nothing_at_all),
	    cmocka_unit_test(what_was_cancelled_counts_as_failed),
	    cmocka_unit_test(a_message_in_pieces_leaves_nothing),
	    cmocka_unit_test(a_message_octet_by_octet_leaves_nothing),
	    cmocka_unit_test(a_message_that_ends_in_the_middle_leaves_nothing),
	    cmocka_unit_test(a_message_of_another_version_leaves_nothing),
	    cmocka_unit_test(what_is_not_wiped_is_found),
	};

	watched_memory_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
