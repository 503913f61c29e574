/* SPDX-License-Identifier: ISC */
/* What a directory may answer, right or wrong: a scripted server says it. */
#include "tests/support/unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <signal.h>
#include <unistd.h>

#include "base/options.h"
#include "policy/ldap_account.h"
#include "policy/ldap_connection.h"
#include "policy/ldap_groups.h"
#include "policy/ldap_ranges.h"
#include "policy/subject.h"

#define USER   "cn=user,dc=x"
#define FILTER "(member=%d)"

/* ---- BER (X.690), definite lengths of one or two octets */

struct octets {
	size_t len;
	uint8_t data[8192];
};

static void
put_octets(struct octets *out, const void *data, size_t len)
{
	assert_true(len <= sizeof(out->data) - out->len);
	if (len > 0)
		memcpy(out->data + out->len, data, len);
	out->len += len;
}

static void
put_element(struct octets *out, uint8_t tag, const void *data, size_t len)
{
	const uint8_t head[] = {tag, 0x82, (uint8_t)(len >> 8), (uint8_t)len};

	put_octets(out, head, sizeof(head));
	put_octets(out, data, len);
}

static void
put_inside(struct octets *out, uint8_t tag, const struct octets *inside)
{
	put_element(out, tag, inside->data, inside->len);
}

/* LDAPMessage (RFC 4511 section 4.1.1). */
static void
put_message(
    struct octets *out, uint8_t id, uint8_t tag, const struct octets *operation)
{
	struct octets inside = {.len = 0};

	put_element(&inside, 0x02, &id, 1);
	put_inside(&inside, tag, operation);
	put_inside(out, 0x30, &inside);
}

/* ---- the server: one answer for each question */

struct value {
	const void *data;
	size_t len;
};

#define TEXT(text)                                                             \
	{                                                                      \
		text, sizeof(text) - 1                                         \
	}
#define VALUES_MAX 20

struct answer {
	const char *asks; /* octets that the question must hold; NULL: any */
	const char *dn;	  /* of an entry; NULL: none */
	const char *attribute;
	struct value values[VALUES_MAX];
	const char *attribute2;
	struct value values2[2];
	struct value raw; /* instead of all that */
};

static void
put_attribute(struct octets *out, const char *name, const struct value *values,
    size_t most)
{
	struct octets attribute = {.len = 0}, set = {.len = 0};

	if (name == NULL)
		return;
	put_element(&attribute, 0x04, name, strlen(name));
	for (size_t i = 0; i < most && values[i].data != NULL; i++)
		put_element(&set, 0x04, values[i].data, values[i].len);
	put_inside(&attribute, 0x31, &set);
	put_inside(out, 0x30, &attribute);
}

/* Tags of messages (RFC 4511 appendix B). */
enum { BIND = 0x60, BOUND = 0x61, SEARCH = 0x63, ENTRY = 0x64, DONE = 0x65 };

static void
put_success(struct octets *out, uint8_t id, uint8_t tag)
{
	static const uint8_t success[] = {0x0a, 1, 0, 4, 0, 4, 0};
	struct octets result = {.len = 0};

	put_octets(&result, success, sizeof(success));
	put_message(out, id, tag, &result);
}

static void
put_answer(struct octets *out, uint8_t id, const struct answer *answer)
{
	struct octets entry = {.len = 0}, attributes = {.len = 0};

	if (answer->raw.data != NULL) {
		put_octets(out, answer->raw.data, answer->raw.len);
		return;
	}
	if (answer->dn != NULL) {
		put_element(&entry, 0x04, answer->dn, strlen(answer->dn));
		put_attribute(
		    &attributes, answer->attribute, answer->values, VALUES_MAX);
		put_attribute(
		    &attributes, answer->attribute2, answer->values2, 2);
		put_inside(&entry, 0x30, &attributes);
		put_message(out, id, ENTRY, &entry);
	}
	put_success(out, id, DONE);
}

/* 0x30, the length, then 02 01 ID, then the tag, which is returned. */
static int
read_question(const uint8_t *data, size_t len, uint8_t *id)
{
	size_t at = 2 + (data[1] > 0x80 ? data[1] & 0x7fU : 0);

	if (len < at + 4 || data[at] != 0x02 || data[at + 1] != 1)
		return 0;
	*id = data[at + 2];
	return data[at + 3];
}

static int
serve(int listening, const struct answer *answers, size_t count)
{
	int fd = accept(listening, NULL, NULL);
	uint8_t question[4096], id;
	size_t given = 0;
	ssize_t len;

	while ((len = recv(fd, question, sizeof(question), 0)) > 0) {
		struct octets out = {.len = 0};
		int tag = read_question(question, (size_t)len, &id);

		if (tag == BIND)
			put_success(&out, id, BOUND);
		if (tag == SEARCH && given == count)
			return 3; /* a question too many */
		if (tag == SEARCH && answers[given].asks != NULL &&
		    memmem(question, (size_t)len, answers[given].asks,
			strlen(answers[given].asks)) == NULL)
			return 4;
		if (tag == SEARCH)
			put_answer(&out, id, &answers[given++]);
		if (out.len > 0 &&
		    send(fd, out.data, out.len, MSG_NOSIGNAL) < 0)
			return 5;
	}
	return given == count ? 0 : 6; /* a question too few */
}

static pid_t server;
static LDAP *ld;
static struct directory_settings directory;

static void
start(const struct answer *answers, size_t count)
{
	struct sockaddr_in address = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct options *options = options_new();
	char uri[64], why[DIRECTORY_WHY_SIZE];

	assert_int_equal(bind(listening, (void *)&address, size), 0);
	assert_int_equal(listen(listening, 1), 0);
	assert_int_equal(getsockname(listening, (void *)&address, &size), 0);
	server = fork();
	assert_true(server >= 0);
	if (server == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(serve(listening, answers, count));
	}
	(void)close(listening);
	(void)snprintf(
	    uri, sizeof(uri), "ldap://127.0.0.1:%u", ntohs(address.sin_port));
	options_add(options, "directory.uri", uri);
	options_add(options, "directory.start_tls", "false");
	options_add_u64(options, "directory.timeout", 2);
	directory_settings_init(&directory, options, NULL);
	options_free(options);
	ld = directory_open(&directory, 2, why);
	assert_non_null(ld);
}

/* The server was asked what it should be, no more and no less. */
static void
stop(bool was_asked_all)
{
	int status;

	directory_close(ld);
	directory_settings_fini(&directory);
	assert_int_equal(waitpid(server, &status, 0), server);
	assert_true(WIFEXITED(status));
	if (was_asked_all)
		assert_int_equal(WEXITSTATUS(status), 0);
}

/* ---- ranges */

static char seen[256];

static int
on_value(void *arg, const char *attribute, const struct berval *value)
{
	assert_null(arg);
	assert_string_equal(attribute, "memberOf");
	(void)strlcat(seen, value->bv_val, sizeof(seen));
	(void)strlcat(seen, " ", sizeof(seen));
	return 0;
}

static int
read_ranges(const struct answer *answers, size_t count, bool asks_all)
{
	int result;

	seen[0] = '\0';
	start(answers, count);
	result = directory_read(ld, USER, "memberOf", 2, on_value, NULL);
	stop(asks_all);
	return result;
}

static void
ranges_are_asked_for_to_their_end(void **state)
{
	static const struct answer answers[] = {
	    /* Active Directory's own form: the attribute, empty, as well. */
	    {.asks = "memberOf",
		.dn = USER,
		.attribute = "memberOf",
		.attribute2 = "memberOf;range=0-1",
		.values2 = {TEXT("a"), TEXT("b")}},
	    {.asks = "memberOf;range=2-*",
		.dn = USER,
		.attribute = "memberof;Range=2-3",
		.values = {TEXT("c"), TEXT("d")}},
	    {.asks = "memberOf;range=4-*",
		.dn = USER,
		.attribute = "memberOf;range=4-*",
		.values = {TEXT("e")}},
	};

	(void)state;
	assert_int_equal(read_ranges(answers, 3, true), 0);
	assert_string_equal(seen, "a b c d e ");
}

static void
what_comes_whole_is_asked_for_once(void **state)
{
	static const struct answer answers[] = {
	    {.dn = USER,
		.attribute = "MEMBEROF",
		.values = {TEXT("a"), TEXT("b")},
		.attribute2 = "memberOfOthers",
		.values2 = {TEXT("x")}},
	    {.dn = USER}, {.dn = NULL}};

	(void)state;
	assert_int_equal(read_ranges(&answers[0], 1, true), 0);
	assert_string_equal(seen, "a b ");
	assert_int_equal(read_ranges(&answers[1], 1, true), 0);
	assert_int_equal(read_ranges(&answers[2], 1, true), 0);
	assert_string_equal(seen, "");
}

static void
ranges_that_lead_nowhere_end(void **state)
{
	static const char *const odd[] = {"memberOf;range=1-2",
	    "memberOf;range=0-", "memberOf;range=-",
	    "memberOf;range=", "memberOf;range=x-1", "memberOf;range=0-1x",
	    "memberOf;range=-1-2", "memberOf;range=*-*", "memberOf;range=0-**",
	    "memberOf;range=0-99999999999999999999"};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(odd); i++) {
		const struct answer answer = {
		    .dn = USER, .attribute = odd[i], .values = {TEXT("a")}};

		assert_int_equal(
		    read_ranges(&answer, 1, true), DIRECTORY_ERRNO(EPROTO));
	}
}

static void
ranges_that_do_not_follow_each_other_end(void **state)
{
	static const struct answer first = {.dn = USER,
	    .attribute = "memberOf;range=0-1",
	    .values = {TEXT("a"), TEXT("b")}};
	struct answer answers[] = {first, first};

	(void)state;
	/* The same once more; and none at all, which would never end. */
	assert_int_equal(
	    read_ranges(answers, 2, true), DIRECTORY_ERRNO(EPROTO));
	answers[1].attribute = "memberOf;range=2-3";
	answers[1].values[0].data = NULL;
	assert_int_equal(
	    read_ranges(answers, 2, true), DIRECTORY_ERRNO(EPROTO));
}

/* ---- accounts */

static int
read_account(const struct answer *answer, struct account *account)
{
	int result;

	start(answer, 1);
	result = account_read(ld, USER, "", 2, account);
	stop(true);
	return result;
}

/* S-1-5-21-1-2-3-1105. */
#define SID "\1\5\0\0\0\0\0\5\25\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\121\4\0\0"

static void
a_primary_group_needs_a_number_and_a_sid(void **state)
{
	static const struct {
		struct value sid, group;
		bool is_good;
	} rows[] = {
	    {TEXT(SID), TEXT("513"), true},
	    {TEXT(SID), TEXT("4294967295"), true},
	    {TEXT(SID), TEXT(""), false},
	    {TEXT(SID), TEXT("513x"), false},
	    {TEXT(SID), TEXT("4294967296"), false},
	    {TEXT(SID), TEXT("-1"), false},
	    {TEXT(SID), TEXT("99999999999999999999"), false},
	    {TEXT(""), TEXT("513"), false},
	    {TEXT("\1\5"), TEXT("513"), false},
	    {TEXT(SID SID SID), TEXT("513"), false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		const struct answer answer = {.dn = USER,
		    .attribute = "objectSid",
		    .values = {rows[i].sid},
		    .attribute2 = "primaryGroupID",
		    .values2 = {rows[i].group}};
		struct account account;

		assert_int_equal(read_account(&answer, &account), 0);
		assert_int_equal(
		    account.primary_group[0] != '\0', rows[i].is_good);
		account_fini(&account);
	}
}

static void
names_with_nul_or_nothing_in_them_are_none(void **state)
{
	static const struct answer answer = {.dn = USER,
	    .attribute = "UID",
	    .values = {TEXT("a\0b"), TEXT("\0"), {"", 0}, TEXT("good")}};
	struct account account;

	(void)state;
	assert_int_equal(read_account(&answer, &account), 0);
	assert_int_equal(account.name_count, 1);
	assert_string_equal(account.names[0], "good");
	account_fini(&account);
}

static void
names_without_end_are_a_failure(void **state)
{
	struct answer answer = {.dn = USER, .attribute = "uid"};
	struct account account;

	(void)state;
	for (size_t i = 0; i < ACCOUNT_NAMES_MAX + 1; i++)
		answer.values[i] = (struct value)TEXT("name");
	assert_int_equal(
	    read_account(&answer, &account), DIRECTORY_ERRNO(E2BIG));
	account_fini(&account);
}

/* ---- groups */

static int
find_groups(const struct answer *answers, size_t count, bool asks_all,
    struct subject *subject)
{
	static char base[] = "dc=x", filter[] = FILTER;
	const struct groups_settings settings = {.base = base,
	    .filter = filter,
	    .member_of = true,
	    .nesting_max = 4,
	    .groups_max = 8,
	    .timeout_s = 2};
	const struct account account = {.is_good = true};
	char why[DIRECTORY_WHY_SIZE];
	int result;

	start(answers, count);
	result = groups_find(ld, &settings, subject, USER, &account, NULL, why);
	stop(asks_all);
	return result;
}

static void
groups_that_are_no_dns_are_a_failure(void **state)
{
	static const struct value odd[] = {
	    TEXT("nonsense"), TEXT("cn=a\0,dc=x"), TEXT("=x")};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(odd); i++) {
		const struct answer answers[] = {
		    {.asks = "member"}, {.asks = "memberOf",
					    .dn = USER,
					    .attribute = "memberOf",
					    .values = {odd[i]}}};
		struct subject *subject = subject_new(USER);

		assert_int_equal(find_groups(answers, 2, true, subject),
		    DIRECTORY_ERRNO(EINVAL));
		assert_int_equal(subject->count, 0);
		subject_unref(subject);
	}
}

/* Each group is in another one, for ever. */
static void
groups_without_end_are_a_failure(void **state)
{
	static const char *const dns[] = {
	    "cn=1,dc=x", "cn=2,dc=x", "cn=3,dc=x", "cn=4,dc=x", "cn=5,dc=x"};
	struct answer answers[10] = {{.dn = NULL}};
	struct subject *subject = subject_new(USER);

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(dns); i++)
		answers[2 * i].dn = dns[i];
	assert_int_equal(
	    find_groups(answers, 9, true, subject), DIRECTORY_ERRNO(ELOOP));
	subject_unref(subject);
}

/* ---- what is no LDAP at all */

static void
garbage_is_a_failure(void **state)
{
	static const struct value garbage[] = {
	    TEXT("HTTP/1.0 200 OK\r\n\r\n"),
	    TEXT("\x30\x03\x02\x01"),			  /* cut */
	    TEXT("\x30\x84\x7f\xff\xff\xff\x02\x01\x02"), /* 2 GB to come */
	    TEXT("\x30\x80\x02\x01\x02\x65\x80"),	  /* no length */
	    TEXT("\x30\x05\x02\x01\x02\x65\x00"),	  /* no result */
	    TEXT("\x30\x05\x02\x01\x02\x64\x00"),	  /* no entry */
	    TEXT("\x30\x0c\x02\x01\x02\x65\x07\x0a\x01\x00\x04\xff\x04\x00"),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(garbage); i++) {
		const struct answer answer = {.raw = garbage[i]};
		int result = read_ranges(&answer, 1, false);

		assert_int_not_equal(result, 0);
		assert_non_null(directory_error(result));
		assert_string_equal(seen, "");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ranges_are_asked_for_to_their_end),
	    cmocka_unit_test(what_comes_whole_is_asked_for_once),
	    cmocka_unit_test(ranges_that_lead_nowhere_end),
	    cmocka_unit_test(ranges_that_do_not_follow_each_other_end),
	    cmocka_unit_test(a_primary_group_needs_a_number_and_a_sid),
	    cmocka_unit_test(names_with_nul_or_nothing_in_them_are_none),
	    cmocka_unit_test(names_without_end_are_a_failure),
	    cmocka_unit_test(groups_that_are_no_dns_are_a_failure),
	    cmocka_unit_test(groups_without_end_are_a_failure),
	    cmocka_unit_test(garbage_is_a_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
