/* SPDX-License-Identifier: ISC */
/* Rule sets that a scripted directory-watch sends over a real link. */
#include "tests/support/unit.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/audit_record.h"
#include "base/link.h"
#include "base/wire.h"
#include "gateway/audit_sender.h"
#include "gateway/policy_source.h"
#include "gateway/worker.h"
#include "policy/entry.h"
#include "policy/ruleset.h"
#include "policy/watch_protocol.h"

static struct event_base *base;
static struct shared shared;
static struct policy_source *source;
static struct link *watch;
static struct ruleset *in_force;
static unsigned changes;
static unsigned subject_changes;
static unsigned settled;
static unsigned wanted, taken;
static char refused[1024];
static struct audit_record last_record;

void __wrap_audit_sender_write(
    struct audit_sender *sender, const struct audit_record *record);
void
__wrap_audit_sender_write(
    struct audit_sender *sender, const struct audit_record *record)
{
	(void)sender;
	last_record = *record;
}

static void
on_changed(void *arg, struct ruleset *rules)
{
	(void)arg;
	ruleset_unref(in_force);
	in_force = ruleset_ref(rules);
	changes++;
}

static void
on_subjects_changed(void *arg)
{
	(void)arg;
	subject_changes++;
}

static void
on_settled(void *arg)
{
	(void)arg;
	settled++;
}

static const struct policy_source_events events = {
    .changed = on_changed,
    .subjects_changed = on_subjects_changed,
    .settled = on_settled,
};

static void
on_want(void *arg, struct link_message *message)
{
	(void)arg;
	(void)message;
	wanted++;
}

static void
on_taken(void *arg, struct link_message *message)
{
	(void)arg;
	(void)message;
	taken++;
}

static void
on_refused(void *arg, struct link_message *message)
{
	struct wire_reader reader;

	(void)arg;
	wire_reader_init(&reader, message->data, message->len);
	wire_get_string(&reader, refused, sizeof(refused));
	assert_true(wire_is_done(&reader));
}

static void
on_closed(void *arg)
{
	(void)arg;
	link_free(watch);
	watch = NULL;
}

static const struct link_handler handlers[] = {
    {WATCH_WANT, 0, 0, on_want},
    {WATCH_TAKEN, 8, 8, on_taken},
    {WATCH_REFUSED, 4, LINK_MESSAGE_MAX, on_refused},
    {.handle = NULL},
};

static void
settle(void)
{
	for (int i = 0; i < 10; i++)
		(void)event_base_loop(base, EVLOOP_NONBLOCK);
}

static void
make_source(bool has_directory)
{
	int fds[2];

	source = policy_source_new(
	    base, &shared, NULL, has_directory, &events, NULL);
	assert_int_equal(link_pair(fds), 0);
	policy_source_link(source, fds[0]);
	watch = link_new(base, fds[1], handlers, on_closed, NULL);
	assert_non_null(watch);
	settle();
	assert_int_equal(wanted, 1);
}

static int
set_up(void **state)
{
	(void)state;
	memset(&shared, 0, sizeof(shared));
	memset(&last_record, 0, sizeof(last_record));
	changes = subject_changes = settled = wanted = taken = 0;
	refused[0] = '\0';
	in_force = NULL;
	base = event_base_new();
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	policy_source_free(source);
	link_free(watch);
	ruleset_unref(in_force);
	event_base_free(base);
	return 0;
}

static void
send_rule(const char *dn, const char *attribute, const char *value)
{
	struct entry *entry = entry_new(dn);
	uint8_t *data;
	size_t len;

	assert_int_equal(entry_add(entry, "objectClass", "gwRule", 6), 0);
	assert_int_equal(entry_add(entry, "cn", "web", 3), 0);
	assert_int_equal(entry_add(entry, "gwAction", "permit", 6), 0);
	assert_int_equal(entry_add(entry, "gwDestination", "*", 1), 0);
	if (attribute != NULL)
		assert_int_equal(
		    entry_add(entry, attribute, value, strlen(value)), 0);
	assert_int_equal(entry_encode(entry, &data, &len), 0);
	assert_int_equal(link_send(watch, WATCH_PUT, 0, data, len), 0);
	free(data);
	entry_free(entry);
}

static void
begin(void)
{
	assert_int_equal(link_send(watch, WATCH_BEGIN, 0, NULL, 0), 0);
}

static void
commit(uint64_t confirmed_us, bool is_copy)
{
	uint8_t data[9];
	struct wire_writer writer;

	wire_writer_init(&writer, data, sizeof(data));
	wire_put_u64(&writer, confirmed_us);
	wire_put_u8(&writer, is_copy);
	assert_int_equal(link_send(watch, WATCH_COMMIT, 0, data, 9), 0);
	settle();
}

static void
a_good_set_comes_into_force(void **state)
{
	(void)state;
	make_source(true);
	begin();
	send_rule("cn=web,dc=example", NULL, NULL);
	assert_int_equal(settled, 0);
	commit(42, false);
	assert_int_equal(settled, 1);
	assert_int_equal(changes, 1);
	assert_int_equal(taken, 1);
	assert_int_equal(ruleset_count(in_force), 1);
	assert_int_equal(ruleset_generation(in_force), 1);
	assert_int_equal(atomic_load(&shared.confirmed_us), 42);
	assert_true(atomic_load(&shared.directory_up));
	assert_int_equal(last_record.event, AUDIT_RELOAD);
	assert_false(last_record.failed);
}

static void
a_bad_entry_leaves_the_last_set_in_force(void **state)
{
	(void)state;
	make_source(true);
	begin();
	send_rule("cn=web,dc=example", NULL, NULL);
	commit(42, false);
	begin();
	send_rule("cn=bad,dc=example", "gwSchedule", "Mon-Fri 08:00-18:00");
	send_rule("cn=web,dc=example", NULL, NULL);
	commit(43, false);
	assert_int_equal(changes, 1);
	assert_int_equal(ruleset_generation(in_force), 1);
	assert_non_null(strstr(refused, "cn=bad,dc=example"));
	assert_non_null(strstr(refused, "gwSchedule"));
	assert_true(last_record.failed);
	assert_non_null(strstr(last_record.detail, "cn=bad,dc=example"));
	/* The directory has not said that these rules are right. */
	assert_int_equal(atomic_load(&shared.confirmed_us), 42);
}

static void
a_set_that_was_cut_off_is_forgotten(void **state)
{
	(void)state;
	make_source(true);
	begin();
	send_rule("cn=old,dc=example", "gwSchedule", "never finished");
	begin();
	send_rule("cn=web,dc=example", NULL, NULL);
	commit(42, false);
	assert_int_equal(changes, 1);
	assert_int_equal(ruleset_count(in_force), 1);
}

static void
an_octet_string_that_is_no_entry_is_refused(void **state)
{
	(void)state;
	make_source(true);
	begin();
	assert_int_equal(link_send(watch, WATCH_PUT, 0, "junk", 4), 0);
	commit(42, false);
	assert_int_equal(changes, 0);
	assert_true(refused[0] != '\0');
}

static void
a_commit_without_a_begin_is_refused(void **state)
{
	(void)state;
	make_source(true);
	commit(42, false);
	assert_int_equal(changes, 0);
	assert_null(in_force);
}

static void
groups_without_a_directory_are_refused(void **state)
{
	(void)state;
	make_source(false);
	begin();
	send_rule("cn=web,dc=example", "gwGroup", "cn=staff,dc=example");
	commit(42, false);
	assert_int_equal(changes, 0);
	assert_non_null(strstr(refused, "directory.uri"));
}

static void
a_copy_from_disk_counts_as_a_silent_directory(void **state)
{
	uint8_t when[8] = {0, 0, 0, 0, 0, 0, 0, 99};

	(void)state;
	make_source(true);
	begin();
	send_rule("cn=web,dc=example", NULL, NULL);
	commit(42, true);
	assert_int_equal(changes, 1);
	assert_false(atomic_load(&shared.directory_up));
	assert_int_equal(link_send(watch, WATCH_CONFIRM, 0, when, 8), 0);
	settle();
	assert_true(atomic_load(&shared.directory_up));
	assert_int_equal(atomic_load(&shared.confirmed_us), 99);
}

static void
a_copy_does_not_take_the_place_of_rules_in_force(void **state)
{
	(void)state;
	make_source(true);
	begin();
	send_rule("cn=web,dc=example", NULL, NULL);
	commit(42, false);
	begin();
	send_rule("cn=of old,dc=example", NULL, NULL);
	commit(41, true);
	assert_int_equal(changes, 1);
	assert_int_equal(taken, 2); /* so that it is not sent again */
	assert_string_equal(refused, "");
	assert_int_equal(ruleset_generation(in_force), 1);
	assert_int_equal(atomic_load(&shared.confirmed_us), 42);
	assert_false(atomic_load(&shared.directory_up));
}

static void
say_state(bool is_up, const char *text)
{
	uint8_t data[64];
	struct wire_writer writer;

	wire_writer_init(&writer, data, sizeof(data));
	wire_put_u8(&writer, is_up);
	wire_put_string(&writer, text);
	assert_int_equal(link_send(watch, WATCH_STATE, 0, data, writer.len), 0);
	settle();
}

/* Listeners are opened then: once it is known what there is to go by. */
static void
it_is_settled_by_rules_or_by_why_there_are_none(void **state)
{
	(void)state;
	make_source(true);
	say_state(true, "rules can be read");
	assert_int_equal(settled, 0);
	begin();
	say_state(false, "cannot connect");
	assert_int_equal(settled, 0); /* a copy is on its way */
	commit(42, true);
	assert_int_equal(settled, 1);
	say_state(false, "cannot connect");
	assert_int_equal(settled, 1);
}

static void
refused_rules_settle_it_too(void **state)
{
	(void)state;
	make_source(true);
	begin();
	send_rule("cn=bad,dc=example", "gwSchedule", "Mon-Fri 08:00-18:00");
	commit(43, false);
	assert_int_equal(settled, 1);
}

static void
a_silent_directory_is_recorded(void **state)
{
	(void)state;
	make_source(true);
	say_state(false, "cannot connect");
	assert_int_equal(settled, 1);
	assert_int_equal(last_record.event, AUDIT_DEPENDENCY);
	assert_true(last_record.failed);
	assert_string_equal(last_record.detail, "cannot connect");
}

static void
a_change_of_users_or_groups_is_passed_on(void **state)
{
	(void)state;
	make_source(true);
	assert_int_equal(link_send(watch, WATCH_SUBJECTS, 0, NULL, 0), 0);
	settle();
	assert_int_equal(subject_changes, 1);
	assert_int_equal(changes, 0);
}

static void
rules_outlive_directory_watch(void **state)
{
	int fds[2];

	(void)state;
	make_source(true);
	begin();
	send_rule("cn=web,dc=example", NULL, NULL);
	commit(42, false);
	link_free(watch);
	settle();
	assert_int_equal(link_pair(fds), 0);
	policy_source_link(source, fds[0]);
	watch = link_new(base, fds[1], handlers, on_closed, NULL);
	settle();
	assert_int_equal(wanted, 2);
	assert_int_equal(ruleset_count(in_force), 1);
}

static void
rules_are_stale_while_nobody_can_confirm_them(void **state)
{
	(void)state;
	make_source(true);
	begin();
	send_rule("cn=web,dc=example", NULL, NULL);
	commit(42, false);
	assert_true(atomic_load(&shared.directory_up));
	link_free(watch);
	watch = NULL;
	settle();
	assert_false(atomic_load(&shared.directory_up));
	assert_int_equal(atomic_load(&shared.confirmed_us), 42);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_good_set_comes_into_force),
	    TEST(a_bad_entry_leaves_the_last_set_in_force),
	    TEST(a_set_that_was_cut_off_is_forgotten),
	    TEST(an_octet_string_that_is_no_entry_is_refused),
	    TEST(a_commit_without_a_begin_is_refused),
	    TEST(groups_without_a_directory_are_refused),
	    TEST(a_copy_from_disk_counts_as_a_silent_directory),
	    TEST(a_copy_does_not_take_the_place_of_rules_in_force),
	    TEST(it_is_settled_by_rules_or_by_why_there_are_none),
	    TEST(refused_rules_settle_it_too),
	    TEST(a_silent_directory_is_recorded),
	    TEST(a_change_of_users_or_groups_is_passed_on),
	    TEST(rules_outlive_directory_watch),
	    TEST(rules_are_stale_while_nobody_can_confirm_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
