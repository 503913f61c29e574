/* SPDX-License-Identifier: ISC */
/* What gatewardenctl makes of the gateway's answers; the gateway is a script
 * at the other end of the socket. */
#include "tests/support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/ctl_protocol.h"
#include "base/link.h"
#include "base/options.h"
#include "ctl/daemon.h"
#include "policy/subject.h"

/* What the gateway says: lines of names and texts, then octets, and how it
 * ends. */
struct script {
	const char *lines[8]; /* "name=text;name=text" */
	const uint8_t *octets;
	size_t len;
	const char *failure; /* NULL: it is done */
	/* What it must have been asked, in the same form. */
	const char *question;
};

static char directory[] = "/tmp/gatewarden-test-XXXXXX";
static struct sockaddr_un address;
static pid_t gateway;

/* ---- the gateway */

static struct event_base *base;
static struct link *link_to_client;

static struct options *
read_line(const char *text)
{
	struct options *line = options_new();
	char *copy = strdup(text), *rest = copy, *pair;

	while ((pair = strsep(&rest, ";")) != NULL) {
		char *value = strchr(pair, '=');

		if (value == NULL)
			abort();
		*value++ = '\0';
		options_add(line, pair, value);
	}
	free(copy);
	return line;
}

/* Who has heard enough may have hung up. */
static void
say(uint16_t type, const void *data, size_t len)
{
	if (link_send(link_to_client, type, 0, data, len) != 0)
		_exit(0);
}

static void
say_line(const char *text)
{
	struct options *line = read_line(text);
	uint8_t *data;
	size_t len;

	options_encode(line, &data, &len);
	say(CTL_LINE, data, len);
	free(data);
	options_free(line);
}

static void
say_end(const char *failure)
{
	struct ctl_failed failed = {.failure = CTL_UNAVAILABLE};
	uint8_t data[CTL_FAILED_MAX];

	if (failure == NULL) {
		say(CTL_DONE, NULL, 0);
		return;
	}
	(void)snprintf(failed.sentence, sizeof(failed.sentence), "%s", failure);
	say(CTL_FAILED, data, ctl_failed_encode(&failed, data));
}

/* Another question than was expected is nothing to go on from. */
static void
check_question(const char *expected, const struct link_message *message)
{
	struct options *line = read_line(expected);
	uint8_t *data;
	size_t len;

	options_encode(line, &data, &len);
	if (len != message->len || memcmp(data, message->data, len) != 0)
		_exit(2);
	free(data);
	options_free(line);
}

static void
on_ask(void *arg, struct link_message *message)
{
	const struct script *script = arg;

	check_question(script->question, message);
	for (size_t i = 0; script->lines[i] != NULL; i++)
		say_line(script->lines[i]);
	if (script->len > 0)
		say(CTL_OCTETS, script->octets, script->len);
	say_end(script->failure);
}

static void
on_closed(void *arg)
{
	(void)arg;
	_exit(0);
}

static const struct link_handler handlers[] = {
    {CTL_ASK, 1, CTL_ASK_MAX, on_ask},
    {.handle = NULL},
};

static void
play(const struct script *script, int listening)
{
	int fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	base = event_base_new();
	link_to_client =
	    link_new(base, fd, handlers, on_closed, (void *)(uintptr_t)script);
	(void)event_base_dispatch(base);
	_exit(1);
}

static void
start(const struct script *script)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	(void)unlink(address.sun_path);
	assert_int_equal(
	    bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 1), 0);
	gateway = fork();
	assert_true(gateway >= 0);
	if (gateway == 0)
		play(script, fd);
	(void)close(fd);
}

static void
must_have_been_asked(void)
{
	int status = -1;

	assert_int_equal(waitpid(gateway, &status, 0), gateway);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static int
set_up(void **state)
{
	(void)state;
	memcpy(directory, "/tmp/gatewarden-test-XXXXXX", sizeof(directory));
	assert_non_null(mkdtemp(directory));
	memset(&address, 0, sizeof(address));
	address.sun_family = AF_UNIX;
	(void)snprintf(
	    address.sun_path, sizeof(address.sun_path), "%s/socket", directory);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	(void)unlink(address.sun_path);
	return rmdir(directory);
}

/* ---- subject */

#define SUBJECT "kind=subject;dn=uid=alice,dc=example;disabled=false;"

static enum outcome
ask_subject(const struct script *script, struct daemon_subject *answer)
{
	enum outcome outcome;

	start(script);
	outcome =
	    daemon_ask_subject(address.sun_path, "alice@EXAMPLE.COM", answer);
	must_have_been_asked();
	return outcome;
}

#define WHO "command=subject;who=alice@EXAMPLE.COM"

static void
a_subject_is_read_with_its_groups(void **state)
{
	static const struct script script = {.question = WHO,
	    .lines = {SUBJECT "groups=2;cached=false;silence=",
		"kind=group;dn=cn=staff;origin=memberUid",
		"kind=group;dn=cn=all;origin=member;through=cn=staff;"
		"through_number=0",
		"kind=later;what=this program does not know yet"}};
	struct daemon_subject answer;

	(void)state;
	assert_int_equal(ask_subject(&script, &answer), OUTCOME_OK);
	assert_string_equal(answer.subject->dn, "uid=alice,dc=example");
	assert_false(answer.subject->is_disabled);
	assert_int_equal(answer.subject->count, 2);
	assert_true(subject_is_member(answer.subject, "cn=all"));
	assert_true(subject_is_member(answer.subject, "cn=staff"));
	assert_string_equal(answer.silence, "");
	daemon_subject_fini(&answer);
}

static void
a_subject_from_the_cache_is_marked(void **state)
{
	static const struct script script = {.question = WHO,
	    .lines = {"kind=subject;disabled=true;groups=1;cached=true;"
		      "silence=slow",
		"kind=group;dn=cn=staff"}};
	struct daemon_subject answer;

	(void)state;
	assert_int_equal(ask_subject(&script, &answer), OUTCOME_OK);
	assert_null(answer.subject->dn);
	assert_true(answer.subject->is_disabled);
	assert_int_equal(answer.subject->count, 1);
	assert_string_equal(answer.silence, "slow");
	daemon_subject_fini(&answer);
}

static void
odd_subjects_are_refused(void **state)
{
	static const struct script scripts[] = {
	    {.question = WHO, .lines = {NULL}},
	    {.question = WHO, .lines = {"kind=group;dn=cn=staff"}},
	    {.question = WHO, .lines = {"kind=subject;dn=alice"}},
	    {.question = WHO,
		.lines = {SUBJECT "cached=false", "kind=group;dn=staff"}},
	};
	struct daemon_subject answer;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(scripts); i++) {
		assert_int_equal(
		    ask_subject(&scripts[i], &answer), OUTCOME_PROTOCOL);
		assert_null(answer.subject);
	}
}

static void
a_failure_is_passed_on(void **state)
{
	static const struct script script = {
	    .question = WHO, .failure = "the directory does not say: slow"};
	struct daemon_subject answer;

	(void)state;
	assert_int_equal(ask_subject(&script, &answer), OUTCOME_UNAVAILABLE);
	assert_null(answer.subject);
}

/* ---- entry */

static void
an_entry_is_there_missing_or_unknown(void **state)
{
	static const struct {
		const char *line;
		enum outcome outcome;
		enum daemon_entry entry;
		const char *silence;
	} rows[] = {
	    {"kind=entry;is=there;silence=", OUTCOME_OK, DAEMON_ENTRY_THERE,
		""},
	    {"kind=entry;is=missing;silence=", OUTCOME_OK, DAEMON_ENTRY_MISSING,
		""},
	    {"kind=entry;is=unknown;silence=slow", OUTCOME_OK,
		DAEMON_ENTRY_UNKNOWN, "slow"},
	    {"kind=entry;is=odd", OUTCOME_PROTOCOL, DAEMON_ENTRY_UNKNOWN, ""},
	    {"kind=other;is=there", OUTCOME_PROTOCOL, DAEMON_ENTRY_UNKNOWN, ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		const struct script script = {
		    .question = "command=entry;dn=cn=staff",
		    .lines = {rows[i].line}};
		char silence[DAEMON_SILENCE_SIZE] = "";
		enum daemon_entry entry = DAEMON_ENTRY_UNKNOWN;

		start(&script);
		assert_int_equal(daemon_ask_entry(address.sun_path, "cn=staff",
				     &entry, silence),
		    rows[i].outcome);
		must_have_been_asked();
		assert_int_equal(entry, rows[i].entry);
		assert_string_equal(silence, rows[i].silence);
	}
}

/* ---- resolve */

static void
a_name_has_addresses_or_a_reason(void **state)
{
	static const struct {
		const char *lines[3];
		enum outcome outcome;
		enum reason reason;
		size_t count;
	} rows[] = {
	    {{"kind=name;reason=ok", "kind=address;address=192.0.2.1",
		 "kind=address;address=2001:db8::1"},
		OUTCOME_OK, REASON_OK, 2},
	    {{"kind=name;reason=name_unknown"}, OUTCOME_OK, REASON_NAME_UNKNOWN,
		0},
	    {{NULL}, OUTCOME_PROTOCOL, REASON_COUNT, 0},
	    {{"kind=name;reason=odd"}, OUTCOME_PROTOCOL, REASON_COUNT, 0},
	    {{"kind=name;reason=ok", "kind=address;address=x"},
		OUTCOME_PROTOCOL, REASON_OK, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct script script = {
		    .question = "command=resolve;name=www.example.com"};
		struct daemon_name answer;

		memcpy(script.lines, rows[i].lines, sizeof(rows[i].lines));
		start(&script);
		assert_int_equal(daemon_ask_name(address.sun_path,
				     "www.example.com", &answer),
		    rows[i].outcome);
		must_have_been_asked();
		assert_int_equal(answer.reason, rows[i].reason);
		assert_int_equal(answer.count, rows[i].count);
	}
}

/* ---- set */

/* One entry of three octets. */
static const uint8_t one_entry[] = {0, 0, 0, 3, 'a', 'b', 'c'};

static void
a_set_is_read_whole_or_not_at_all(void **state)
{
	static const struct {
		const char *line;
		size_t len;
		enum outcome outcome;
	} rows[] = {
	    {"kind=set;octets=7", 7, OUTCOME_OK},
	    {"kind=set;octets=0", 0, OUTCOME_OK},
	    {"kind=set;octets=7", 6, OUTCOME_PROTOCOL},
	    {"kind=set;octets=6", 7, OUTCOME_PROTOCOL},
	    {"kind=set;octets=6", 6, OUTCOME_PROTOCOL}, /* an entry is cut */
	    {"kind=set;octets=99999999999", 7, OUTCOME_PROTOCOL},
	    {"kind=set;octets=-7", 7, OUTCOME_PROTOCOL},
	    {"kind=none", 7, OUTCOME_PROTOCOL},
	    {"kind=none", 0, OUTCOME_PROTOCOL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		const struct script script = {
		    .question = "command=set;base=ou=rules",
		    .lines = {rows[i].line},
		    .octets = one_entry,
		    .len = rows[i].len};
		uint8_t *set = NULL;
		size_t len = 0;

		start(&script);
		assert_int_equal(
		    daemon_ask_set(address.sun_path, "ou=rules", &set, &len),
		    rows[i].outcome);
		must_have_been_asked();
		if (rows[i].outcome == OUTCOME_OK) {
			assert_int_equal(len, rows[i].len);
			assert_memory_equal(set, one_entry, len);
		}
		free(set);
	}
}

/* ---- facts */

static void
facts_are_read(void **state)
{
	static const struct script script = {.question = "command=facts",
	    .lines = {"kind=facts;checks_accounts=true;has_directory=true;"
		      "allow_empty=true",
		"kind=address;address=192.0.2.1",
		"kind=address;address=2001:db8::1", "kind=port;port=1080",
		"kind=listener;name=office;address=0.0.0.0;port=1080",
		"kind=realm;name=EXAMPLE.COM", "kind=realm;name=pam"}};
	struct daemon_facts facts;

	(void)state;
	start(&script);
	assert_int_equal(
	    daemon_ask_facts(address.sun_path, &facts), OUTCOME_OK);
	must_have_been_asked();
	assert_true(facts.checks_accounts && facts.has_directory);
	assert_true(facts.allow_empty);
	assert_int_equal(facts.address_count, 2);
	assert_int_equal(facts.port_count, 1);
	assert_int_equal(facts.ports[0], 1080);
	assert_int_equal(facts.listener_count, 1);
	assert_string_equal(facts.listeners[0].name, "office");
	assert_int_equal(facts.listeners[0].port, 1080);
	assert_int_equal(facts.realm_count, 2);
	assert_string_equal(facts.realms[1], "pam");
	daemon_facts_fini(&facts);
	assert_int_equal(facts.realm_count, 0);
}

static void
odd_facts_are_refused(void **state)
{
	static const char *const lines[] = {"kind=address;address=here",
	    "kind=port;port=65536", "kind=port",
	    "kind=listener;name=x;address=0.0.0.0;port=x",
	    "kind=listener;name=x;port=1"};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(lines); i++) {
		const struct script script = {.question = "command=facts",
		    .lines = {"kind=realm;name=EXAMPLE.COM", lines[i]}};
		struct daemon_facts facts;

		start(&script);
		assert_int_equal(daemon_ask_facts(address.sun_path, &facts),
		    OUTCOME_PROTOCOL);
		must_have_been_asked();
		assert_int_equal(facts.realm_count, 0);
	}
}

static void
without_a_gateway_nothing_is_asked(void **state)
{
	struct daemon_facts facts;

	(void)state;
	assert_int_equal(
	    daemon_ask_facts("/nowhere/socket", &facts), OUTCOME_UNAVAILABLE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_subject_is_read_with_its_groups),
	    TEST(a_subject_from_the_cache_is_marked),
	    TEST(odd_subjects_are_refused),
	    TEST(a_failure_is_passed_on),
	    TEST(an_entry_is_there_missing_or_unknown),
	    TEST(a_name_has_addresses_or_a_reason),
	    TEST(a_set_is_read_whole_or_not_at_all),
	    TEST(facts_are_read),
	    TEST(odd_facts_are_refused),
	    TEST(without_a_gateway_nothing_is_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
