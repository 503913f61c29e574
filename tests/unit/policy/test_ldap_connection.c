/* SPDX-License-Identifier: ISC */
/* Connections to real directories: every form, and every way to refuse one. */
#include "tests/support/unit.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/options.h"
#include "base/secret.h"
#include "policy/ldap_connection.h"
#include "policy/ldap_search.h"
#include "tests/unit/policy/ldap_directory.h"

static struct options *options;
static struct secret *password;
static char why[DIRECTORY_WHY_SIZE];

static void
add_server(const char *scheme, unsigned host)
{
	directory_add_server(options, scheme, host);
}

static void
by_password(const char *dn, const char *text)
{
	options_add(options, "directory.bind", "simple");
	options_add(options, "directory.bind_dn", dn);
	secret_free(password);
	password = secret_new(text, strlen(text));
}

static int
set_up(void **state)
{
	(void)state;
	options = options_new();
	options_add(options, "directory.ca_file", directory_path("ca.pem"));
	options_add_u64(options, "directory.timeout", 2);
	password = NULL;
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	secret_free(password);
	options_free(options);
	return 0;
}

static LDAP *
try_opening(void)
{
	struct directory_settings settings;
	LDAP *ld;

	directory_settings_init(&settings, options, password);
	password = NULL;
	directory_settings_export(&settings);
	ld = directory_open(&settings, 60, why);
	directory_settings_fini(&settings);
	return ld;
}

static LDAP *
must_open(void)
{
	LDAP *ld = try_opening();

	if (ld == NULL)
		print_error("%s\n", why);
	assert_non_null(ld);
	return ld;
}

static void
must_fail(const char *because)
{
	LDAP *ld = try_opening();

	assert_null(ld);
	if (strstr(why, because) == NULL)
		print_error("%s\n", why);
	assert_non_null(strstr(why, because));
}

static int
count_entry(void *arg, LDAP *ld, LDAPMessage *entry)
{
	unsigned *count = arg;

	(void)ld;
	(void)entry;
	++*count;
	return 0;
}

/* How many rules are below a folder. */
static int
count_rules(LDAP *ld, const char *base, bool must_be_whole, unsigned *count)
{
	const struct directory_query query = {
	    .base = base,
	    .scope = LDAP_SCOPE_SUBTREE,
	    .filter = "(objectClass=gwRule)",
	    .timeout_s = 2,
	    .must_be_whole = must_be_whole,
	    .entry = count_entry,
	    .arg = count,
	};

	*count = 0;
	return directory_search(ld, &query);
}

static void
must_read_rules(LDAP *ld)
{
	unsigned count;

	assert_int_equal(
	    count_rules(ld, "ou=rules,dc=example,dc=com", true, &count), 0);
	assert_int_equal(count, 2);
	directory_close(ld);
}

/* ---- the forms */

static void
start_tls_and_a_password(void **state)
{
	LDAP *ld;

	(void)state;
	add_server("ldap", 1);
	by_password(DIRECTORY_READER, DIRECTORY_READER_PASSWORD);
	ld = must_open();
	assert_true(ldap_tls_inplace(ld));
	must_read_rules(ld);
}

static void
tls_from_the_first_octet(void **state)
{
	LDAP *ld;

	(void)state;
	add_server("ldaps", 1);
	by_password(DIRECTORY_READER, DIRECTORY_READER_PASSWORD);
	ld = must_open();
	assert_true(ldap_tls_inplace(ld));
	must_read_rules(ld);
}

static void
a_local_socket(void **state)
{
	(void)state;
	options_add(options, "directory.uri", directory_variable("LDAPI_URI"));
	by_password(DIRECTORY_READER, DIRECTORY_READER_PASSWORD);
	must_read_rules(must_open());
}

static void
nobody_in_particular(void **state)
{
	(void)state;
	add_server("ldap", 1);
	must_read_rules(must_open());
}

static void
clear_text_only_where_it_was_said(void **state)
{
	LDAP *ld;

	(void)state;
	add_server("ldap", 2);
	options_add(options, "directory.start_tls", "false");
	ld = must_open();
	assert_false(ldap_tls_inplace(ld));
	directory_close(ld);
}

static void
a_ticket_of_the_principal_that_was_named(void **state)
{
	char *who = NULL;
	LDAP *ld;

	(void)state;
	add_server("ldap", 1);
	options_add(options, "directory.bind", "gssapi");
	options_add(options, "directory.client_keytab",
	    directory_path("directory.keytab"));
	options_add(options, "directory.client_principal",
	    "gatewarden/gw.example.com@EXAMPLE.COM");
	ld = must_open();
	assert_int_equal(
	    ldap_get_option(ld, LDAP_OPT_X_SASL_USERNAME, &who), 0);
	assert_string_equal(who, "gatewarden/gw.example.com@EXAMPLE.COM");
	ldap_memfree(who);
	must_read_rules(ld);
}

static void
a_ticket_protects_a_connection_without_tls(void **state)
{
	ber_len_t strength = 0;
	char *who = NULL;
	LDAP *ld;

	(void)state;
	add_server("ldap", 1);
	options_add(options, "directory.start_tls", "false");
	options_add(options, "directory.bind", "gssapi");
	options_add(options, "directory.client_keytab",
	    directory_path("directory.keytab"));
	ld = must_open();
	assert_int_equal(
	    ldap_get_option(ld, LDAP_OPT_X_SASL_SSF, &strength), 0);
	assert_true(strength >= 56);
	assert_int_equal(
	    ldap_get_option(ld, LDAP_OPT_X_SASL_USERNAME, &who), 0);
	/* The keytab's first. */
	assert_string_equal(who, "other/gw.example.com@EXAMPLE.COM");
	ldap_memfree(who);
	must_read_rules(ld);
}

/* ---- the refusals */

static void
a_principal_without_a_key_is_said(void **state)
{
	(void)state;
	add_server("ldap", 1);
	options_add(options, "directory.bind", "gssapi");
	options_add(options, "directory.client_keytab",
	    directory_path("directory.keytab"));
	options_add(
	    options, "directory.client_principal", "nobody@EXAMPLE.COM");
	must_fail("bind: no ticket by ");
}

static void
start_tls_that_is_refused_does_not_fall_back(void **state)
{
	(void)state;
	add_server("ldap", 2);
	must_fail("TLS: Protocol error");
}

static void
certificates_that_are_not_good_are_refused(void **state)
{
	static const char *const schemes[] = {"ldap", "ldaps"};

	(void)state;
	for (unsigned host = 3; host <= 6; host++)
		for (size_t i = 0; i < 2; i++) {
			(void)tear_down(NULL);
			(void)set_up(NULL);
			add_server(schemes[i], host);
			must_fail("TLS: not trusted: ");
		}
}

static void
another_ca_is_refused(void **state)
{
	(void)state;
	options_free(options);
	options = options_new();
	options_add(
	    options, "directory.ca_file", directory_path("unknown.pem"));
	add_server("ldaps", 1);
	must_fail("TLS: not trusted: ");
}

static void
without_a_ca_file_the_systems_cas_count(void **state)
{
	(void)state;
	options_free(options);
	options = options_new();
	add_server("ldaps", 1);
	must_fail("TLS: not trusted: ");
}

static void
a_ca_file_that_is_not_there_is_said(void **state)
{
	(void)state;
	options_free(options);
	options = options_new();
	options_add(options, "directory.ca_file", "/nonexistent/ca.pem");
	add_server("ldap", 1);
	must_fail("/nonexistent/ca.pem");
}

static void
a_wrong_password_is_refused(void **state)
{
	(void)state;
	add_server("ldap", 1);
	by_password(DIRECTORY_READER, "wrong");
	must_fail("bind: Invalid credentials");
}

static void
an_empty_password_is_never_sent(void **state)
{
	(void)state;
	add_server("ldap", 1);
	by_password(DIRECTORY_READER, "");
	must_fail("bind: there is no password");
}

static void
a_password_without_a_dn_is_never_sent(void **state)
{
	(void)state;
	add_server("ldap", 1);
	by_password("", DIRECTORY_READER_PASSWORD);
	must_fail("bind: there is no password or no DN");
}

static void
a_server_that_is_not_there_is_named(void **state)
{
	(void)state;
	options_add(options, "directory.uri", "ldap://127.0.0.1:1");
	must_fail("ldap://127.0.0.1:1: connecting: Can't contact LDAP server");
}

static void
no_server_at_all_is_said(void **state)
{
	(void)state;
	must_fail("directory.uri names no server");
}

/* ---- several servers, silent servers */

static void
the_next_server_takes_over(void **state)
{
	(void)state;
	options_add(options, "directory.uri", "ldap://127.0.0.1:1");
	add_server("ldap", 2);
	add_server("ldaps", 3);
	add_server("ldap", 1);
	must_read_rules(must_open());
}

static void
the_server_that_answered_is_asked_first_again(void **state)
{
	struct directory_settings settings;

	(void)state;
	options_add(options, "directory.uri", "ldap://127.0.0.1:1");
	add_server("ldap", 1);
	directory_settings_init(&settings, options, NULL);
	directory_close(directory_open(&settings, 60, why));
	assert_string_not_equal(why, "");
	directory_close(directory_open(&settings, 60, why));
	assert_string_equal(why, "");
	directory_settings_fini(&settings);
}

static void
must_take_at_most(const char *scheme, uint64_t most_us)
{
	uint64_t began_us = clock_monotonic_us();

	add_server(scheme, 1);
	directory_signal(SIGSTOP);
	assert_null(try_opening());
	directory_signal(SIGCONT);
	assert_true(clock_monotonic_us() - began_us < most_us);
}

static void
a_server_that_is_silent_in_start_tls_is_left(void **state)
{
	(void)state;
	must_take_at_most("ldap", 4000000);
}

static void
a_server_that_is_silent_in_tls_is_left(void **state)
{
	(void)state;
	must_take_at_most("ldaps", 4000000);
}

static void
a_server_that_is_silent_in_bind_is_left(void **state)
{
	(void)state;
	options_add(options, "directory.start_tls", "false");
	must_take_at_most("ldap", 4000000);
}

static void
a_server_that_falls_silent_in_a_search_is_left(void **state)
{
	unsigned count;
	LDAP *ld;

	(void)state;
	add_server("ldap", 1);
	ld = must_open();
	directory_signal(SIGSTOP);
	assert_int_equal(
	    count_rules(ld, "ou=rules,dc=example,dc=com", true, &count),
	    LDAP_TIMEOUT);
	directory_signal(SIGCONT);
	directory_close(ld);
}

static void
the_budget_ends_the_tries(void **state)
{
	struct directory_settings settings;

	(void)state;
	add_server("ldap", 1);
	add_server("ldap", 1);
	add_server("ldap", 1);
	directory_settings_init(&settings, options, NULL);
	directory_signal(SIGSTOP);
	assert_null(directory_open(&settings, 1, why));
	directory_signal(SIGCONT);
	assert_int_equal(settings.first, 1);
	directory_close(directory_open(&settings, 1, why));
	assert_string_equal(why, "");
	directory_settings_fini(&settings);
}

/* ---- searches */

static LDAP *
open_as_reader(void)
{
	add_server("ldap", 1);
	by_password(DIRECTORY_READER, DIRECTORY_READER_PASSWORD);
	return must_open();
}

static void
more_entries_than_a_server_gives_at_once_come_in_pages(void **state)
{
	LDAP *ld = open_as_reader();
	unsigned count;

	(void)state;
	assert_int_equal(
	    count_rules(ld, "ou=many,dc=example,dc=com", true, &count), 0);
	assert_int_equal(count, 3000);
	directory_close(ld);
}

static void
a_limit_of_the_servers_is_an_error(void **state)
{
	unsigned count;
	LDAP *ld;

	(void)state;
	add_server("ldap", 1);
	by_password("cn=limited,dc=example,dc=com", "limited-secret");
	ld = must_open();
	assert_int_equal(
	    count_rules(ld, "ou=many,dc=example,dc=com", true, &count),
	    LDAP_SIZELIMIT_EXCEEDED);
	directory_close(ld);
}

static void
referrals_are_not_followed(void **state)
{
	LDAP *ld = open_as_reader();
	unsigned count;

	(void)state;
	assert_int_equal(
	    count_rules(ld, "ou=part,dc=example,dc=com", false, &count), 0);
	assert_int_equal(count, 1);
	assert_int_equal(
	    count_rules(ld, "ou=part,dc=example,dc=com", true, &count),
	    LDAP_REFERRAL);
	assert_int_equal(count_rules(ld, "cn=there,ou=part,dc=example,dc=com",
			     false, &count),
	    LDAP_REFERRAL);
	directory_close(ld);
}

static void
a_base_that_is_not_there_is_an_error(void **state)
{
	LDAP *ld = open_as_reader();
	unsigned count;

	(void)state;
	assert_int_equal(
	    count_rules(ld, "ou=none,dc=example,dc=com", true, &count),
	    LDAP_NO_SUCH_OBJECT);
	directory_close(ld);
}

static int
stop_at_once(void *arg, LDAP *ld, LDAPMessage *entry)
{
	(void)count_entry(arg, ld, entry);
	return DIRECTORY_ERRNO(ENOTUNIQ);
}

static void
the_callback_ends_a_search(void **state)
{
	unsigned count = 0;
	const struct directory_query query = {
	    .base = "ou=many,dc=example,dc=com",
	    .scope = LDAP_SCOPE_SUBTREE,
	    .filter = "(objectClass=gwRule)",
	    .timeout_s = 2,
	    .entry = stop_at_once,
	    .arg = &count,
	};
	LDAP *ld = open_as_reader();

	(void)state;
	assert_int_equal(
	    directory_search(ld, &query), DIRECTORY_ERRNO(ENOTUNIQ));
	assert_int_equal(count, 1);
	must_read_rules(ld); /* and the connection is good for more */
}

/* Cyrus SASL's GSSAPI plugin keeps a credential that nobody gets at. */
const char *__lsan_default_suppressions(void);

const char *
__lsan_default_suppressions(void)
{
	return "leak:gss_acquire_cred_from";
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(start_tls_and_a_password),
	    TEST(tls_from_the_first_octet),
	    TEST(a_local_socket),
	    TEST(nobody_in_particular),
	    TEST(clear_text_only_where_it_was_said),
	    TEST(a_ticket_of_the_principal_that_was_named),
	    TEST(a_ticket_protects_a_connection_without_tls),
	    TEST(a_principal_without_a_key_is_said),
	    TEST(start_tls_that_is_refused_does_not_fall_back),
	    TEST(certificates_that_are_not_good_are_refused),
	    TEST(another_ca_is_refused),
	    TEST(without_a_ca_file_the_systems_cas_count),
	    TEST(a_ca_file_that_is_not_there_is_said),
	    TEST(a_wrong_password_is_refused),
	    TEST(an_empty_password_is_never_sent),
	    TEST(a_password_without_a_dn_is_never_sent),
	    TEST(a_server_that_is_not_there_is_named),
	    TEST(no_server_at_all_is_said),
	    TEST(the_next_server_takes_over),
	    TEST(the_server_that_answered_is_asked_first_again),
	    TEST(a_server_that_is_silent_in_start_tls_is_left),
	    TEST(a_server_that_is_silent_in_tls_is_left),
	    TEST(a_server_that_is_silent_in_bind_is_left),
	    TEST(a_server_that_falls_silent_in_a_search_is_left),
	    TEST(the_budget_ends_the_tries),
	    TEST(more_entries_than_a_server_gives_at_once_come_in_pages),
	    TEST(a_limit_of_the_servers_is_an_error),
	    TEST(referrals_are_not_followed),
	    TEST(a_base_that_is_not_there_is_an_error),
	    TEST(the_callback_ends_a_search),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
