/* SPDX-License-Identifier: ISC */
/* The password checker program, asked over a link, with a PAM module that
 * does to it whatever a module can do. */
#include "tests/support/unit.h"

#include "auth/password_protocol.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/link.h"
#include "base/options.h"
#include "tests/support/helper_program.h"

#define PROGRAM	   "./gatewarden-password-checker"
#define MODULE	   "tests/support/pam/pam_hostile.so"
#define PATIENCE_S 20
#define LOGINS_MAX 256

struct login {
	struct world *world;
	bool is_over;
	enum answer_outcome outcome;
	struct password_answer answer;
};

struct world {
	struct event_base *base;
	struct helper_program program;
	struct link *link;
	bool is_closed;
	char folder[64];
	struct login logins[LOGINS_MAX];
	size_t count, over;
};

/* ---- the world ---- */

static void
write_service(const struct world *world)
{
	char *module = realpath(MODULE, NULL);
	char path[128];
	FILE *file;

	assert_non_null(module); /* run it in the build's top folder */
	(void)snprintf(path, sizeof(path), "%s/gatewarden", world->folder);
	file = fopen(path, "w");
	assert_non_null(file);
	(void)fprintf(file,
	    "auth required %s folder=%s\n"
	    "account required %s\n",
	    module, world->folder, module);
	assert_int_equal(fclose(file), 0);
	free(module);
}

static void
on_closed(void *arg)
{
	struct world *world = arg;

	world->is_closed = true;
	(void)event_base_loopbreak(world->base);
}

static void
join(struct world *world, uint32_t slot)
{
	static const struct link_handler handlers[] = {{.handle = NULL}};

	world->is_closed = false;
	world->link =
	    link_new(world->base, helper_program_link(&world->program, slot),
		handlers, on_closed, world);
	assert_non_null(world->link);
}

struct limits {
	unsigned timeout_s, concurrency, queue;
	const char *service;
};

static const struct limits usual = {10, 8, 128, "gatewarden"};

static void
configure(struct world *world, const struct limits *limits)
{
	struct options *options = options_new();

	options_add(options, "gateway.log_level", "error");
	options_add(options, "password.service", limits->service);
	options_add(options, "password.service_dir", world->folder);
	options_add(options, "password.ruser", "gatewarden");
	options_add_u64(options, "password.timeout", limits->timeout_s);
	options_add_u64(options, "password.concurrency", limits->concurrency);
	options_add_u64(options, "password.queue_max", limits->queue);
	helper_program_configure(&world->program, options);
	options_free(options);
}

static struct world *
begin(const struct limits *limits)
{
	static struct world world;

	memset(&world, 0, sizeof(world));
	world.base = event_base_new();
	(void)snprintf(
	    world.folder, sizeof(world.folder), "/tmp/gatewarden-pam.XXXXXX");
	assert_non_null(mkdtemp(world.folder));
	write_service(&world);
	helper_program_start(&world.program, world.base, PROGRAM);
	join(&world, 1);
	if (limits != NULL) {
		configure(&world, limits);
		assert_true(world.program.is_ready);
	}
	return &world;
}

static void
remove_file(const struct world *world, const char *name)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", world->folder, name);
	(void)unlink(path);
}

static void
end(struct world *world)
{
	link_free(world->link);
	helper_program_stop(&world->program);
	event_base_free(world->base);
	remove_file(world, "gatewarden");
	remove_file(world, "linger");
	assert_int_equal(rmdir(world->folder), 0);
}

/* ---- asking ---- */

static void
on_answer(void *arg, enum answer_outcome outcome, struct link_message *message)
{
	struct login *login = arg;

	login->is_over = true;
	login->outcome = outcome;
	login->world->over++;
	if (outcome == ANSWER_GIVEN) {
		assert_int_equal(message->type, PASSWORD_ANSWER);
		assert_true(password_answer_parse(
		    message->data, message->len, &login->answer));
	}
	(void)event_base_loopbreak(login->world->base);
}

static struct login *
ask(struct world *world, const char *user, const char *password)
{
	uint8_t message[PASSWORD_QUESTION_MAX];
	struct password_question question = {
	    .password = (const uint8_t *)password,
	    .password_len = strlen(password),
	};
	struct login *login = &world->logins[world->count++];
	size_t len;

	assert_true(world->count <= LOGINS_MAX);
	login->world = world;
	(void)snprintf(question.user, sizeof(question.user), "%s", user);
	assert_true(address_parse("192.0.2.1", &question.client));
	len = password_question_print(message, sizeof(message), &question);
	assert_true(len > 0);
	assert_non_null(question_start(world->link, PASSWORD_CHECK, message,
	    len, PATIENCE_S * 1000, on_answer, login));
	return login;
}

static void
on_probed(void *arg, enum answer_outcome outcome, struct link_message *message)
{
	unsigned *count = arg;

	assert_int_equal(outcome, ANSWER_GIVEN);
	assert_int_equal(message->type, PASSWORD_ALIVE);
	++*count;
}

/* Until it has started what it can start: that comes when it has read what
 * there is, or 32 messages, of a link that speaks without pause. */
static void
settle(struct world *world)
{
	for (unsigned i = 0; i < 40; i++) {
		unsigned probed = 0;

		assert_non_null(question_start(world->link, PASSWORD_PROBE,
		    NULL, 0, PATIENCE_S * 1000, on_probed, &probed));
		while (probed == 0)
			(void)event_base_loop(world->base, EVLOOP_ONCE);
	}
}

static void
wait_for(struct world *world, const struct login *login)
{
	while (!login->is_over)
		(void)event_base_dispatch(world->base);
	assert_int_equal(login->outcome, ANSWER_GIVEN);
}

static void
wait_for_all(struct world *world)
{
	for (size_t i = 0; i < world->count; i++)
		wait_for(world, &world->logins[i]);
}

static void
assert_reason(const struct login *login, enum reason reason)
{
	assert_string_equal(
	    reason_name(login->answer.reason), reason_name(reason));
}

static struct login *
log_in(struct world *world, const char *user, const char *password)
{
	struct login *login = ask(world, user, password);

	wait_for(world, login);
	return login;
}

static void
assert_serves(struct world *world)
{
	struct login *login = log_in(world, "alice", "secret");

	assert_string_equal(login->answer.text, "");
	assert_reason(login, REASON_OK);
	assert_string_equal(login->answer.name, "alice");
	assert_reason(log_in(world, "alice", "wrong"), REASON_PASSWORD_WRONG);
}

/* ---- the usual ---- */

static void
the_right_password_is_right_and_the_wrong_one_wrong(void **state)
{
	struct world *world = begin(&usual);
	struct login *login;

	(void)state;
	assert_serves(world);
	login = log_in(world, "alice", "secretx");
	assert_reason(login, REASON_PASSWORD_WRONG);
	assert_string_equal(
	    login->answer.text, "pam_authenticate: Authentication failure");
	assert_string_equal(login->answer.name, "");
	assert_reason(log_in(world, "alice", "secre"), REASON_PASSWORD_WRONG);
	end(world);
}

static void
each_status_has_its_reason(void **state)
{
	static const struct {
		const char *user;
		enum reason reason;
	} rows[] = {
	    {"auth=3", REASON_PAM_ERROR},	 /* PAM_SERVICE_ERR */
	    {"auth=4", REASON_PAM_ERROR},	 /* PAM_SYSTEM_ERR */
	    {"auth=6", REASON_ACCOUNT_DENIED},	 /* PAM_PERM_DENIED */
	    {"auth=7", REASON_PASSWORD_WRONG},	 /* PAM_AUTH_ERR */
	    {"auth=9", REASON_PAM_ERROR},	 /* AUTHINFO_UNAVAIL */
	    {"auth=10", REASON_USER_UNKNOWN},	 /* PAM_USER_UNKNOWN */
	    {"auth=11", REASON_TRIES_EXCEEDED},	 /* PAM_MAXTRIES */
	    {"auth=13", REASON_ACCOUNT_EXPIRED}, /* PAM_ACCT_EXPIRED */
	    {"account=6", REASON_ACCOUNT_DENIED},
	    {"account=7", REASON_PASSWORD_WRONG},
	    {"account=10", REASON_USER_UNKNOWN},
	    {"account=12", REASON_PASSWORD_EXPIRED}, /* NEW_AUTHTOK_REQD */
	    {"account=13", REASON_ACCOUNT_EXPIRED},
	    {"account=26", REASON_PAM_ERROR},	     /* PAM_ABORT */
	    {"account=27", REASON_PASSWORD_EXPIRED}, /* AUTHTOK_EXPIRED */
	};
	struct world *world = begin(&usual);

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct login *login = log_in(world, rows[i].user, "secret");

		assert_reason(login, rows[i].reason);
		assert_string_equal(login->answer.name, "");
		assert_string_not_equal(login->answer.text, "");
	}
	end(world);
}

static void
modules_are_told_who_and_from_where(void **state)
{
	struct world *world = begin(&usual);

	(void)state;
	assert_reason(log_in(world, "items", "secret"), REASON_OK);
	end(world);
}

static void
a_password_is_taken_octet_by_octet(void **state)
{
	char long_password[PASSWORD_MAX + 1];
	struct world *world = begin(&usual);

	(void)state;
	memset(long_password, 's', PASSWORD_MAX);
	long_password[PASSWORD_MAX] = '\0';
	assert_reason(
	    log_in(world, "alice", long_password), REASON_PASSWORD_WRONG);
	assert_reason(
	    log_in(world, "alice", "\xff\x01\n%s%n"), REASON_PASSWORD_WRONG);
	assert_serves(world);
	end(world);
}

static void
a_failure_is_not_delayed_here(void **state)
{
	struct world *world = begin(&usual);
	uint64_t start_us = clock_monotonic_us();

	(void)state;
	/* The module asks for a minute. */
	assert_reason(log_in(world, "delay", "secret"), REASON_PASSWORD_WRONG);
	assert_true(clock_monotonic_us() - start_us < 10000000);
	end(world);
}

/* ---- what modules ask ---- */

static void
one_hidden_prompt_is_answered_and_nothing_else(void **state)
{
	static const struct {
		const char *user;
		enum reason reason;
	} rows[] = {
	    {"twice", REASON_PAM_CONVERSATION},
	    {"two", REASON_PAM_CONVERSATION},
	    {"visible", REASON_PAM_CONVERSATION},
	    {"odd", REASON_PAM_CONVERSATION},
	    {"says=31", REASON_OK},
	    {"says=32", REASON_PAM_CONVERSATION},
	    {"says=100", REASON_PAM_CONVERSATION},
	    {"at-once=32", REASON_OK},
	    {"at-once=33", REASON_PAM_CONVERSATION},
	    {"at-once=0", REASON_PAM_CONVERSATION},
	    {"at-once=100", REASON_PAM_CONVERSATION},
	};
	struct world *world = begin(&usual);

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
		assert_reason(
		    log_in(world, rows[i].user, "secret"), rows[i].reason);
	assert_serves(world);
	end(world);
}

static void
who_became_another_is_refused(void **state)
{
	struct world *world = begin(&usual);
	struct login *login = log_in(world, "become=root", "secret");

	(void)state;
	assert_reason(login, REASON_USER_CHANGED);
	assert_string_equal(login->answer.name, "");
	assert_string_equal(login->answer.text, "PAM_USER is \"root\"");
	end(world);
}

/* ---- what modules do to their process ---- */

static void
a_process_that_ends_fails_its_own_login(void **state)
{
	static const struct {
		const char *user;
		const char *text;
	} rows[] = {
	    {"crash", "PAM's process was killed by signal 11"},
	    {"exit=0", "PAM's process exited with status 0 and no answer"},
	    {"exit=9", "PAM's process exited with status 9 and no answer"},
	};
	struct world *world = begin(&usual);

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct login *login = log_in(world, rows[i].user, "secret");

		assert_reason(login, REASON_CHECKER_LOST);
		assert_string_equal(login->answer.text, rows[i].text);
		assert_serves(world);
	}
	end(world);
}

static void
what_a_module_changes_hurts_nobody_else(void **state)
{
	static const char *const users[] = {"fill", "leak", "mess"};
	struct world *world = begin(&usual);

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(users); i++) {
		assert_reason(log_in(world, users[i], "secret"), REASON_OK);
		assert_reason(log_in(world, "inspect", "secret"), REASON_OK);
	}
	end(world);
}

static void
garbage_instead_of_an_answer_is_none(void **state)
{
	struct world *world = begin(&usual);

	(void)state;
	assert_reason(log_in(world, "scribble", "secret"), REASON_CHECKER_LOST);
	assert_serves(world);
	end(world);
}

/* The process that "linger" has left behind; 0 when it has not yet said. */
static pid_t
lingering(const struct world *world)
{
	char path[128];
	int pid = 0;
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/linger", world->folder);
	file = fopen(path, "r");
	if (file == NULL)
		return 0;
	if (fscanf(file, "%d", &pid) != 1)
		pid = 0;
	(void)fclose(file);
	return (pid_t)pid;
}

static void
what_a_module_leaves_behind_is_ended(void **state)
{
	const struct timespec moment = {.tv_nsec = 10000000};
	struct world *world = begin(&usual);
	pid_t pid = 0;

	(void)state;
	assert_reason(log_in(world, "linger", "secret"), REASON_OK);
	assert_reason(log_in(world, "bear", "secret"), REASON_OK);
	for (int i = 0; i < 1000; i++) {
		pid = lingering(world);
		if (pid != 0 && kill(pid, 0) < 0 && errno == ESRCH)
			break;
		(void)nanosleep(&moment, NULL);
	}
	/* It may have died before it could say who it is. */
	if (pid != 0)
		assert_int_equal(kill(pid, 0), -1);
	assert_serves(world);
	end(world);
}

/* ---- time and numbers ---- */

static void
one_that_sleeps_holds_nobody_up(void **state)
{
	static const struct limits limits = {6, 4, 128, "gatewarden"};
	struct world *world = begin(&limits);
	struct login *slow[] = {ask(world, "sleep=60", "secret"),
	    ask(world, "end-slowly", "secret")};
	uint64_t start_us = clock_monotonic_us();

	(void)state;
	for (int i = 0; i < 20; i++)
		assert_reason(log_in(world, "alice", "secret"), REASON_OK);
	assert_false(slow[0]->is_over || slow[1]->is_over);
	for (size_t i = 0; i < 2; i++) {
		wait_for(world, slow[i]);
		assert_reason(slow[i], REASON_CHECKER_TIMEOUT);
	}
	assert_true(clock_monotonic_us() - start_us < 30000000);
	assert_serves(world);
	end(world);
}

static void
what_is_too_much_waits_and_then_is_turned_away(void **state)
{
	static const struct limits limits = {4, 1, 2, "gatewarden"};
	struct world *world = begin(&limits);
	struct login *runs = ask(world, "sleep=60", "secret");
	struct login *waits, *waits_too, *too_much;

	(void)state;
	settle(world);
	waits = ask(world, "alice", "secret");
	waits_too = ask(world, "alice", "secret");
	too_much = ask(world, "alice", "secret");
	wait_for(world, too_much);
	assert_reason(too_much, REASON_CHECKER_BUSY);
	assert_false(runs->is_over || waits->is_over || waits_too->is_over);
	wait_for_all(world);
	assert_reason(runs, REASON_CHECKER_TIMEOUT);
	assert_serves(world);
	end(world);
}

static void
many_at_once_are_all_answered(void **state)
{
	static const struct limits limits = {15, 4, 256, "gatewarden"};
	struct world *world = begin(&limits);

	(void)state;
	for (int i = 0; i < 60; i++)
		(void)ask(world, i % 2 == 0 ? "alice" : "auth=7", "secret");
	wait_for_all(world);
	for (size_t i = 0; i < 60; i++)
		assert_reason(&world->logins[i],
		    i % 2 == 0 ? REASON_OK : REASON_PASSWORD_WRONG);
	end(world);
}

/* More logins than it may have descriptors. */
static void
no_login_costs_a_descriptor(void **state)
{
	struct rlimit before, few;
	struct world *world;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = before;
	few.rlim_cur = 40;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	world = begin(&usual);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	for (int i = 0; i < 60; i++)
		assert_reason(
		    log_in(world, i % 3 == 0 ? "crash" : "alice", "secret"),
		    i % 3 == 0 ? REASON_CHECKER_LOST : REASON_OK);
	end(world);
}

/* ---- the program ---- */

static void
before_its_configuration_it_is_busy(void **state)
{
	struct world *world = begin(NULL);

	(void)state;
	assert_reason(log_in(world, "alice", "secret"), REASON_CHECKER_BUSY);
	configure(world, &usual);
	assert_serves(world);
	end(world);
}

static void
a_service_without_a_file_is_named_to_the_master(void **state)
{
	static const struct limits limits = {10, 8, 128, "nowhere"};
	struct world *world = begin(NULL);

	(void)state;
	configure(world, &limits);
	assert_false(world->program.is_ready);
	assert_non_null(strstr(world->program.failed, "nowhere"));
	end(world);
}

static void
an_asker_that_breaks_the_rules_loses_its_link_only(void **state)
{
	struct world *world = begin(&usual);

	(void)state;
	assert_int_equal(link_send(world->link, PASSWORD_CHECK, 1, "?", 1), 0);
	while (!world->is_closed)
		(void)event_base_dispatch(world->base);
	link_free(world->link);
	join(world, 2);
	assert_serves(world);
	end(world);
}

static void
an_asker_that_goes_takes_its_questions_along(void **state)
{
	static const struct limits limits = {10, 2, 128, "gatewarden"};
	struct world *world = begin(&limits);

	(void)state;
	for (int i = 0; i < 20; i++)
		(void)ask(world, i < 2 ? "sleep=1" : "sleep=60", "secret");
	settle(world);
	link_free(world->link);
	assert_int_equal(world->over, 20);
	join(world, 1);
	/* The two that ran end by themselves, the others never began. */
	assert_serves(world);
	end(world);
}

static void
it_says_that_it_is_there_while_logins_hang(void **state)
{
	static const struct limits limits = {3, 1, 128, "gatewarden"};
	struct world *world = begin(&limits);
	struct login *slow = ask(world, "sleep=60", "secret");

	(void)state;
	settle(world);
	assert_false(slow->is_over);
	wait_for(world, slow);
	end(world);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		the_right_password_is_right_and_the_wrong_one_wrong),
	    cmocka_unit_test(each_status_has_its_reason),
	    cmocka_unit_test(modules_are_told_who_and_from_where),
	    cmocka_unit_test(a_password_is_taken_octet_by_octet),
	    cmocka_unit_test(a_failure_is_not_delayed_here),
	    cmocka_unit_test(one_hidden_prompt_is_answered_and_nothing_else),
	    cmocka_unit_test(who_became_another_is_refused),
	    cmocka_unit_test(a_process_that_ends_fails_its_own_login),
	    cmocka_unit_test(what_a_module_changes_hurts_nobody_else),
	    cmocka_unit_test(garbage_instead_of_an_answer_is_none),
	    cmocka_unit_test(what_a_module_leaves_behind_is_ended),
	    cmocka_unit_test(one_that_sleeps_holds_nobody_up),
	    cmocka_unit_test(what_is_too_much_waits_and_then_is_turned_away),
	    cmocka_unit_test(many_at_once_are_all_answered),
	    cmocka_unit_test(no_login_costs_a_descriptor),
	    cmocka_unit_test(before_its_configuration_it_is_busy),
	    cmocka_unit_test(a_service_without_a_file_is_named_to_the_master),
	    cmocka_unit_test(
		an_asker_that_breaks_the_rules_loses_its_link_only),
	    cmocka_unit_test(an_asker_that_goes_takes_its_questions_along),
	    cmocka_unit_test(it_says_that_it_is_there_while_logins_hang),
	};

	/* A module looks whether another one has set it. */
	(void)unsetenv("LC_ALL");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
