/* SPDX-License-Identifier: ISC */
/* Each helper is told the settings of its own sections and no others. */
#include "tests/support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/options.h"
#include "gateway/capacity.h"
#include "gateway/helper_options.h"
#include "gateway/programs.h"
#include "gateway/settings.h"

static const char text[] =
    "gateway { log_level = \"debug\" }\n"
    "kerberos { services = {socks, rcmd, host}\n timeout = 9 }\n"
    "directory { uri = {\"ldap://a\", \"ldaps://b\"}\n member_of = false\n"
    " rule_base = \"dc=x\"\n user_base = \"dc=x\"\n lookups = 3 }\n"
    "policy { allow_empty = true }\n"
    "audit { spool_max = 77 }\n"
    "listener front { address = \"127.0.0.1:1080\" }\n";

static struct settings *
load(const char *from)
{
	int fd = memfd_create("settings", MFD_CLOEXEC);
	struct settings *settings;

	assert_int_equal(write(fd, from, strlen(from)), strlen(from));
	settings = settings_load_fd(fd, "settings", stderr);
	assert_non_null(settings);
	(void)close(fd);
	return settings;
}

static struct options *
options_of(enum role role)
{
	struct options *options = options_new();
	struct settings *settings = load(text);

	helper_options_add(options, role, settings);
	settings_unref(settings);
	return options;
}

static void
an_authenticator_is_told_about_kerberos(void **state)
{
	struct options *options = options_of(ROLE_AUTHENTICATOR);

	(void)state;
	assert_int_equal(options_get_u64(options, "kerberos.timeout", 0), 9);
	assert_string_equal(
	    options_get_nth(options, "kerberos.services", 0), "socks");
	assert_string_equal(
	    options_get_nth(options, "kerberos.services", 2), "host");
	assert_null(options_get_nth(options, "kerberos.services", 3));
	/* An empty list is told by silence. */
	assert_null(options_get(options, "kerberos.realms", NULL));
	assert_null(options_get(options, "directory.uri", NULL));
	assert_null(options_get(options, "audit.target", NULL));
	options_free(options);
}

static void
the_directory_programs_are_told_about_the_directory(void **state)
{
	struct options *watch = options_of(ROLE_DIRECTORY_WATCH);
	struct options *lookup = options_of(ROLE_DIRECTORY_LOOKUP);

	(void)state;
	assert_string_equal(
	    options_get_nth(watch, "directory.uri", 1), "ldaps://b");
	assert_false(options_get_bool(watch, "directory.member_of", true));
	assert_true(options_get_bool(watch, "policy.allow_empty", false));
	assert_string_equal(
	    options_get_nth(lookup, "directory.uri", 0), "ldap://a");
	assert_null(options_get(lookup, "policy.allow_empty", NULL));
	assert_null(options_get(lookup, "kerberos.keytab", NULL));
	options_free(watch);
	options_free(lookup);
}

static void
all_are_told_the_log_level_and_nobody_the_users(void **state)
{
	(void)state;
	for (enum role role = ROLE_GATEWAY; role < ROLE_COUNT; role++) {
		struct options *options = options_of(role);

		assert_string_equal(
		    options_get(options, "gateway.log_level", ""), "debug");
		assert_null(options_get(options, "gateway.state_dir", NULL));
		assert_null(options_get(options, "users.gateway", NULL));
		options_free(options);
	}
}

static void
the_auditor_is_told_about_the_audit(void **state)
{
	struct options *options = options_of(ROLE_AUDITOR);

	(void)state;
	assert_int_equal(options_get_u64(options, "audit.spool_max", 0), 77);
	assert_null(options_get(options, "kerberos.keytab", NULL));
	options_free(options);
}

static void
programs_are_as_many_as_the_settings_say(void **state)
{
	struct settings *settings = load(text);

	(void)state;
	assert_int_equal(programs_count(ROLE_MASTER, settings), 0);
	assert_int_equal(programs_count(ROLE_GATEWAY, settings), 1);
	assert_int_equal(
	    programs_count(ROLE_AUTHENTICATOR, settings), capacity_cores());
	assert_int_equal(programs_count(ROLE_DIRECTORY_LOOKUP, settings), 3);
	assert_int_equal(programs_count(ROLE_DIRECTORY_WATCH, settings), 1);
	assert_int_equal(programs_count(ROLE_AUDITOR, settings), 1);
	assert_int_equal(programs_count(ROLE_PASSWORD_CHECKER, settings), 0);
	settings_unref(settings);
}

#define RULES "policy { file = \"/etc/rules.ldif\" }\n"

static void
passwords_want_a_checker_and_the_first_a_restart(void **state)
{
	struct settings *without =
	    load(RULES "listener front { address = \"127.0.0.1:1080\" }\n");
	struct settings *with =
	    load(RULES "password { timeout = 7 }\n"
		       "listener front { address = \"127.0.0.1:1080\" }\n"
		       "listener back { address = \"127.0.0.1:1081\"\n"
		       "methods = {gssapi, password} }\n");
	struct options *options = options_new();

	(void)state;
	assert_int_equal(programs_count(ROLE_PASSWORD_CHECKER, without), 0);
	assert_int_equal(programs_count(ROLE_PASSWORD_CHECKER, with), 1);
	assert_string_equal(programs_user(ROLE_PASSWORD_CHECKER, with), "root");
	assert_string_equal(programs_restart_needed(without, with),
	    "the first listener with passwords");
	assert_null(programs_restart_needed(with, with));
	assert_null(programs_restart_needed(with, without));
	helper_options_add(options, ROLE_PASSWORD_CHECKER, with);
	assert_int_equal(options_get_u64(options, "password.timeout", 0), 7);
	assert_null(options_get(options, "kerberos.keytab", NULL));
	options_free(options);
	settings_unref(with);
	settings_unref(without);
}

static void
without_a_directory_nobody_is_looked_up(void **state)
{
	struct settings *settings =
	    load(RULES "listener front { address = \"127.0.0.1:1080\" }\n");

	(void)state;
	assert_int_equal(programs_count(ROLE_DIRECTORY_LOOKUP, settings), 0);
	assert_int_equal(programs_count(ROLE_DIRECTORY_WATCH, settings), 1);
	settings_unref(settings);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_authenticator_is_told_about_kerberos),
	    cmocka_unit_test(
		the_directory_programs_are_told_about_the_directory),
	    cmocka_unit_test(all_are_told_the_log_level_and_nobody_the_users),
	    cmocka_unit_test(the_auditor_is_told_about_the_audit),
	    cmocka_unit_test(programs_are_as_many_as_the_settings_say),
	    cmocka_unit_test(passwords_want_a_checker_and_the_first_a_restart),
	    cmocka_unit_test(without_a_directory_nobody_is_looked_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
