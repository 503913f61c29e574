/* SPDX-License-Identifier: ISC */
/* directory-watch itself, with a real directory, a master and a gateway of
 * the test's. */
#include "tests/support/unit.h"

#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/link.h"
#include "base/options.h"
#include "base/wire.h"
#include "policy/entry.h"
#include "policy/watch_protocol.h"
#include "tests/unit/policy/ldap_directory.h"

#define PATIENCE_US 60000000

/* What the gateway was told, and how it answers. */
static struct gateway {
	struct link *link;
	unsigned begun, put, committed, confirmed, ups, downs;
	/* since they were awaited */
	bool has_commit, has_copy, has_confirm, has_up, has_down, has_subjects;
	unsigned subjects;
	bool is_copy;
	unsigned put_read, put_copy; /* in the last set of each kind */
	bool is_up;		     /* as a gateway sees the directory */
	uint64_t said_us;
	char why[1024];
	char last_dn[256];
	bool refuses;
} gateway;

static struct event_base *base;
static struct options *options;
static struct directory_program *watch;
static char folder[64];
static unsigned interval_s; /* between readings */

/* ---- the gateway */

static void
on_begin(void *arg, struct link_message *message)
{
	(void)arg;
	(void)message;
	gateway.begun++;
	gateway.put = 0;
}

static void
on_put(void *arg, struct link_message *message)
{
	struct entry *entry = entry_decode(message->data, message->len);

	(void)arg;
	assert_non_null(entry);
	assert_true(entry_is_a(entry, "gwRule"));
	(void)snprintf(
	    gateway.last_dn, sizeof(gateway.last_dn), "%s", entry->dn);
	entry_free(entry);
	gateway.put++;
}

static void
on_commit(void *arg, struct link_message *message)
{
	struct wire_reader reader;
	uint8_t answer[8] = {0};

	(void)arg;
	wire_reader_init(&reader, message->data, message->len);
	gateway.said_us = wire_get_u64(&reader);
	gateway.is_copy = wire_get_u8(&reader) != 0;
	*(gateway.is_copy ? &gateway.put_copy : &gateway.put_read) =
	    gateway.put;
	gateway.is_up = !gateway.is_copy;
	gateway.committed++;
	gateway.has_commit = true;
	gateway.has_copy = gateway.has_copy || gateway.is_copy;
	/* Eight zeros are a generation, four an empty text. */
	if (gateway.refuses && !gateway.is_copy)
		assert_int_equal(
		    link_send(gateway.link, WATCH_REFUSED, 0, answer, 4), 0);
	else
		assert_int_equal(
		    link_send(gateway.link, WATCH_TAKEN, 0, answer, 8), 0);
}

static void
on_confirm(void *arg, struct link_message *message)
{
	struct wire_reader reader;

	(void)arg;
	wire_reader_init(&reader, message->data, message->len);
	gateway.said_us = wire_get_u64(&reader);
	gateway.is_up = true;
	gateway.confirmed++;
	gateway.has_confirm = true;
}

static void
on_state(void *arg, struct link_message *message)
{
	struct wire_reader reader;
	bool is_up;

	(void)arg;
	wire_reader_init(&reader, message->data, message->len);
	is_up = wire_get_u8(&reader) != 0;
	wire_get_string(&reader, gateway.why, sizeof(gateway.why));
	assert_true(wire_is_done(&reader));
	gateway.is_up = is_up;
	gateway.has_up = gateway.has_up || is_up;
	gateway.has_down = gateway.has_down || !is_up;
	*(is_up ? &gateway.ups : &gateway.downs) += 1;
}

static void
on_subjects(void *arg, struct link_message *message)
{
	(void)arg;
	(void)message;
	gateway.subjects++;
	gateway.has_subjects = true;
}

static void
on_closed(void *arg)
{
	(void)arg;
	link_free(gateway.link);
	gateway.link = NULL;
}

static const struct link_handler handlers[] = {
    {WATCH_BEGIN, 0, 0, on_begin},
    {WATCH_PUT, 1, LINK_MESSAGE_MAX, on_put},
    {WATCH_COMMIT, 9, 9, on_commit},
    {WATCH_CONFIRM, 8, 8, on_confirm},
    {WATCH_STATE, 5, LINK_MESSAGE_MAX, on_state},
    {WATCH_SUBJECTS, 0, 0, on_subjects},
    {.handle = NULL},
};

static void
new_gateway(void)
{
	bool refuses = gateway.refuses;

	link_free(gateway.link);
	memset(&gateway, 0, sizeof(gateway));
	gateway.refuses = refuses;
	gateway.link = link_new(
	    base, directory_program_link(watch, 0), handlers, on_closed, NULL);
	assert_non_null(gateway.link);
	assert_int_equal(link_send(gateway.link, WATCH_WANT, 0, NULL, 0), 0);
}

static void
await(bool *flag)
{
	if (!directory_await(base, flag, PATIENCE_US))
		print_error("the last state was: %s\n", gateway.why);
	assert_true(*flag);
	*flag = false;
}

static void
pause_for(unsigned milliseconds)
{
	bool never = false;

	(void)directory_await(base, &never, milliseconds * UINT64_C(1000));
}

static const char *
path_of(const char *name)
{
	static char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

/* It is written behind everybody's back. */
static void
await_copy(void)
{
	struct stat status;

	for (int i = 0; i < 1000 && stat(path_of("rules"), &status) != 0; i++)
		pause_for(20);
	assert_int_equal(stat(path_of("rules"), &status), 0);
}

static void
says(const char *because)
{
	for (int i = 0; i < 600 && strstr(gateway.why, because) == NULL; i++)
		pause_for(100);
	if (strstr(gateway.why, because) == NULL)
		print_error("%s\n", gateway.why);
	assert_non_null(strstr(gateway.why, because));
}

/* ---- the program */

static void
start_watch_with(const char *password)
{
	options_add_u64(options, "directory.poll_interval", interval_s);
	options_add_u64(options, "directory.reread_interval", interval_s);
	watch = directory_program_new(base, "gatewarden-directory-watch");
	/* As the master does: who asks after the first reading gets its rules
	 * twice. */
	new_gateway();
	directory_program_configure(watch, options, password);
}

static void
start_watch(void)
{
	start_watch_with(DIRECTORY_READER_PASSWORD);
}

static void
end_watch(void)
{
	directory_program_free(watch);
	watch = NULL;
	link_free(gateway.link);
	gateway.link = NULL;
}

static void
read_below(const char *rule_base)
{
	options_add(options, "directory.rule_base", rule_base);
	options_add_u64(options, "directory.timeout", 1);
}

static void
use_directory(const char *rule_base)
{
	directory_add_server(options, "ldap", 1);
	options_add(options, "directory.ca_file", directory_path("ca.pem"));
	options_add(options, "directory.bind", "simple");
	options_add(options, "directory.bind_dn", DIRECTORY_READER);
	read_below(rule_base);
}

static int
set_up(void **state)
{
	(void)state;
	base = event_base_new();
	options = options_new();
	interval_s = 1;
	(void)snprintf(folder, sizeof(folder), "/tmp/test-watch-XXXXXX");
	assert_non_null(mkdtemp(folder));
	options_add(options, "state_dir", folder);
	options_add(options, "gateway.log_level", "error");
	memset(&gateway, 0, sizeof(gateway));
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	directory_signal(SIGCONT);
	end_watch();
	(void)unlink(path_of("rules"));
	(void)unlink(path_of("rules.new")); /* was being written */
	(void)unlink(path_of("rules.ldif"));
	assert_int_equal(rmdir(folder), 0);
	options_free(options);
	event_base_free(base);
	return 0;
}

#define RULES "ou=rules,dc=example,dc=com"
#define ADD_RULE(name)                                                         \
	"dn: cn=" name "," RULES "\nchangetype: add\nobjectClass: gwRule\n"    \
	"gwAction: permit\ngwDestination: *\n"
#define DELETE_RULE(name) "dn: cn=" name "," RULES "\nchangetype: delete\n"

/* ---- tests */

static void
write_file(const char *text)
{
	FILE *file = fopen(path_of("rules.ldif"), "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void
the_rules_come_and_are_confirmed(void **state)
{
	uint64_t before_us = clock_wall_us();

	(void)state;
	/* Its first: a server that has just started is slow on a busy machine,
	 * and the first value of an option counts. */
	options_add_u64(options, "directory.timeout", 20);
	use_directory(RULES);
	start_watch();
	await(&gateway.has_commit);
	assert_int_equal(gateway.put, 2);
	assert_false(gateway.is_copy);
	assert_true(gateway.said_us >= before_us);
	before_us = gateway.said_us;
	await(&gateway.has_confirm);
	assert_true(gateway.said_us > before_us);
	assert_int_equal(gateway.committed, 1);
	assert_int_equal(gateway.downs, 0);
}

static void
a_change_is_sent_and_no_change_is_not(void **state)
{
	(void)state;
	use_directory(RULES);
	start_watch();
	await(&gateway.has_commit);
	directory_modify(ADD_RULE("zz"));
	await(&gateway.has_commit);
	assert_int_equal(gateway.put, 3);
	directory_modify(DELETE_RULE("zz"));
	await(&gateway.has_commit);
	assert_int_equal(gateway.put, 2);
	await(&gateway.has_confirm);
	assert_int_equal(gateway.committed, 3);
}

static void
thousands_of_rules_come_in_pages(void **state)
{
	(void)state;
	use_directory("ou=many,dc=example,dc=com");
	start_watch();
	await(&gateway.has_commit);
	assert_int_equal(gateway.put, 3000);
}

static void
a_new_gateway_gets_the_whole_set(void **state)
{
	(void)state;
	use_directory(RULES);
	start_watch();
	await(&gateway.has_commit);
	new_gateway();
	await(&gateway.has_commit);
	assert_int_equal(gateway.put, 2);
	assert_false(gateway.is_copy);
}

static void
a_reload_reads_at_once(void **state)
{
	(void)state;
	use_directory(RULES);
	interval_s = 86400;
	start_watch();
	await(&gateway.has_commit);
	gateway.has_confirm = false;
	directory_program_configure(watch, options, DIRECTORY_READER_PASSWORD);
	await(&gateway.has_confirm);
}

static void
a_directory_that_dies_is_told_and_found_again(void **state)
{
	(void)state;
	use_directory(RULES);
	start_watch();
	await(&gateway.has_commit);
	directory_kill();
	await(&gateway.has_down);
	assert_non_null(strstr(gateway.why, "Can't contact LDAP server"));
	directory_start();
	await(&gateway.has_up);
	await(&gateway.has_confirm);
	assert_int_equal(gateway.committed, 1);
	assert_int_equal(gateway.downs, 1);
}

static void
a_directory_that_hangs_holds_nobody_up(void **state)
{
	(void)state;
	use_directory(RULES);
	start_watch();
	await(&gateway.has_commit);
	directory_signal(SIGSTOP);
	for (int i = 0; i < 20; i++) {
		assert_true(directory_program_answers(watch, 900000));
		pause_for(100);
	}
	await(&gateway.has_down);
	directory_signal(SIGCONT);
	await(&gateway.has_up);
	assert_int_equal(gateway.committed, 1);
}

static void
the_copy_serves_while_the_directory_is_silent(void **state)
{
	uint64_t confirmed_us;

	(void)state;
	use_directory(RULES);
	start_watch();
	await(&gateway.has_commit);
	await_copy();
	await(&gateway.has_confirm);
	confirmed_us = gateway.said_us;
	end_watch();
	directory_signal(SIGSTOP);
	start_watch();
	await(&gateway.has_commit);
	assert_true(gateway.is_copy);
	assert_int_equal(gateway.put, 2);
	/* Another confirmation may have come before the program's end, and
	 * the copy may be some seconds behind. */
	assert_true(gateway.said_us + 5000000 >= confirmed_us &&
		    gateway.said_us < confirmed_us + 5000000);
	await(&gateway.has_down);
	directory_signal(SIGCONT);
	await(&gateway.has_commit);
	assert_false(gateway.is_copy);
	await(&gateway.has_up);
}

static void
a_damaged_copy_is_not_used(void **state)
{
	FILE *file;

	(void)state;
	use_directory(RULES);
	start_watch();
	await(&gateway.has_commit);
	await_copy();
	end_watch();
	file = fopen(path_of("rules"), "r+");
	assert_int_equal(fseek(file, 40, SEEK_SET), 0);
	assert_int_equal(fputc('X', file), 'X');
	assert_int_equal(fclose(file), 0);
	directory_signal(SIGSTOP);
	start_watch();
	await(&gateway.has_down);
	directory_signal(SIGCONT);
	await(&gateway.has_commit);
	assert_int_equal(gateway.committed, 1);
	assert_false(gateway.is_copy);
}

static void
refused_rules_are_neither_confirmed_nor_kept(void **state)
{
	struct stat status;

	(void)state;
	use_directory(RULES);
	gateway.refuses = true;
	start_watch();
	gateway.refuses = true;
	await(&gateway.has_commit);
	pause_for(2500);
	/* Once more if they were read just before the gateway asked. */
	assert_true(gateway.committed <= 2);
	assert_int_equal(gateway.confirmed, 0);
	assert_int_equal(stat(path_of("rules"), &status), -1);
}

/* Rules were good, then bad, and then the gateway had to be started anew. */
static void
a_new_gateway_that_refuses_gets_the_last_good_rules(void **state)
{
	(void)state;
	use_directory(RULES);
	start_watch();
	await(&gateway.has_commit);
	await(&gateway.has_confirm);
	gateway.refuses = true;
	directory_modify(ADD_RULE("zz"));
	await(&gateway.has_commit);
	assert_int_equal(gateway.put, 3);
	new_gateway();
	await(&gateway.has_copy);
	assert_int_equal(gateway.put_read, 3);
	assert_int_equal(gateway.put_copy, 2);
	gateway.has_commit = false;
	directory_modify(DELETE_RULE("zz"));
	gateway.refuses = false;
	await(&gateway.has_commit);
	assert_false(gateway.is_copy);
	assert_int_equal(gateway.put, 2);
}

static void
no_rule_at_all_is_a_failure(void **state)
{
	(void)state;
	use_directory("ou=empty,dc=example,dc=com");
	start_watch();
	await(&gateway.has_down);
	assert_non_null(strstr(gateway.why, "policy.allow_empty"));
	assert_int_equal(gateway.committed, 0);
}

static void
no_rule_at_all_is_taken_where_it_was_said(void **state)
{
	(void)state;
	use_directory("ou=empty,dc=example,dc=com");
	options_add(options, "policy.allow_empty", "true");
	start_watch();
	await(&gateway.has_commit);
	assert_int_equal(gateway.put, 0);
}

static void
a_part_on_another_server_is_a_failure(void **state)
{
	(void)state;
	use_directory("ou=part,dc=example,dc=com");
	start_watch();
	await(&gateway.has_down);
	assert_non_null(strstr(gateway.why, "referrals are not followed"));
	assert_int_equal(gateway.committed, 0);
}

/* ---- changes that are followed */

#define PEOPLE "ou=people,dc=example,dc=com"
#define GROUPS "ou=groups,dc=example,dc=com"

/* No reading comes by itself any more, once the first two have come. */
static void
start_following(const char *because)
{
	interval_s = 86400;
	start_watch();
	await(&gateway.has_commit);
	await(&gateway.has_confirm);
	says(because);
	gateway.has_commit = gateway.has_confirm = false;
}

static void
each_change_of_a_rule_is_told_at_once(void **state)
{
	(void)state;
	use_directory(RULES);
	start_following("changes are followed by syncrepl: rules");
	directory_modify(ADD_RULE("zz"));
	await(&gateway.has_commit);
	assert_int_equal(gateway.put, 3);
	directory_modify("dn: cn=zz," RULES "\nchangetype: modify\n"
			 "replace: gwPort\ngwPort: 443\n");
	await(&gateway.has_commit);
	directory_modify("dn: cn=zz," RULES "\nchangetype: modrdn\n"
			 "newrdn: cn=zzz\ndeleteoldrdn: 1\n");
	await(&gateway.has_commit);
	assert_string_equal(gateway.last_dn, "cn=zzz," RULES);
	directory_modify(DELETE_RULE("zzz"));
	await(&gateway.has_commit);
	assert_int_equal(gateway.put, 2);
	assert_int_equal(gateway.downs, 0);
}

static void
a_rule_that_leaves_or_comes_is_told_at_once(void **state)
{
	(void)state;
	use_directory(RULES);
	start_following("syncrepl");
	directory_modify("dn: cn=git," RULES "\nchangetype: modrdn\n"
			 "newrdn: cn=git\ndeleteoldrdn: 0\n"
			 "newsuperior: ou=empty,dc=example,dc=com\n");
	await(&gateway.has_commit);
	assert_int_equal(gateway.put, 1);
	directory_modify("dn: cn=git,ou=empty,dc=example,dc=com\n"
			 "changetype: modrdn\nnewrdn: cn=git\n"
			 "deleteoldrdn: 0\nnewsuperior: " RULES "\n");
	await(&gateway.has_commit);
	assert_int_equal(gateway.put, 2);
}

static void
a_folder_of_rules_that_is_renamed_is_told_at_once(void **state)
{
	(void)state;
	use_directory(RULES);
	directory_modify("dn: ou=x," RULES "\nchangetype: add\n"
			 "objectClass: organizationalUnit\n\n"
			 "dn: cn=in,ou=x," RULES "\nchangetype: add\n"
			 "objectClass: gwRule\ngwAction: deny\n"
			 "gwDestination: *\n");
	start_following("syncrepl");
	assert_int_equal(gateway.put, 3);
	directory_modify("dn: ou=x," RULES "\nchangetype: modrdn\n"
			 "newrdn: ou=y\ndeleteoldrdn: 1\n");
	await(&gateway.has_commit);
	assert_int_equal(gateway.put, 3);
	directory_modify("dn: cn=in,ou=y," RULES "\nchangetype: delete\n\n"
			 "dn: ou=y," RULES "\nchangetype: delete\n");
	await(&gateway.has_commit);
	assert_int_equal(gateway.put, 2);
}

static void
many_changes_at_once_end_in_one_set(void **state)
{
	size_t size = 256 * 1024, used = 0;
	char *ldif = malloc(size);

	(void)state;
	assert_non_null(ldif);
	use_directory(RULES);
	start_following("syncrepl");
	for (int pass = 0; pass < 2; pass++) {
		used = 0;
		for (int i = 0; i < 500; i++)
			used += (size_t)snprintf(ldif + used, size - used,
			    pass == 0 ? ADD_RULE("n%d") "\n"
				      : DELETE_RULE("n%d") "\n",
			    i);
		directory_modify(ldif);
		gateway.has_commit = gateway.has_confirm = false;
		while (gateway.put != (pass == 0 ? 502 : 2))
			await(&gateway.has_commit);
		await(&gateway.has_confirm);
	}
	assert_int_equal(gateway.downs, 0);
	free(ldif);
}

static void
use_users_and_groups(void)
{
	options_add(options, "directory.user_base", PEOPLE);
	options_add(options, "directory.group_base", GROUPS);
	options_add(options, "directory.user_filter", "(krbPrincipalName=%p)");
}

static void
change(const char *dn, const char *attribute, const char *value)
{
	char ldif[512];

	(void)snprintf(ldif, sizeof(ldif),
	    "dn: %s\nchangetype: modify\nreplace: %s\n%s: %s\n", dn, attribute,
	    attribute, value);
	directory_modify(ldif);
}

static void
a_change_of_users_or_groups_is_told_at_once(void **state)
{
	(void)state;
	use_directory(RULES);
	use_users_and_groups();
	start_following("syncrepl: rules, users, groups");
	await(&gateway.has_subjects); /* once, since it may have missed some */
	change("cn=far," GROUPS, "member", "cn=alone," PEOPLE);
	await(&gateway.has_subjects);
	change("cn=alone," PEOPLE, "krbPrincipalName", "solo@EXAMPLE.COM");
	await(&gateway.has_subjects);
	directory_modify("dn: cn=new," PEOPLE "\nchangetype: add\n"
			 "objectClass: person\nsn: new\n");
	await(&gateway.has_subjects);
	directory_modify("dn: cn=new," PEOPLE "\nchangetype: modrdn\n"
			 "newrdn: cn=newer\ndeleteoldrdn: 1\n");
	await(&gateway.has_subjects);
	directory_modify("dn: cn=newer," PEOPLE "\nchangetype: delete\n");
	await(&gateway.has_subjects);
	change("cn=alone," PEOPLE, "krbPrincipalName", "alone@EXAMPLE.COM");
	await(&gateway.has_subjects);
	change("cn=far," GROUPS, "member", "cn=nobody");
	await(&gateway.has_subjects);
	assert_int_equal(gateway.committed, 1);
}

/* Directories write the time of each login. */
static void
what_does_not_matter_of_a_user_is_not_told_again(void **state)
{
	unsigned before;

	(void)state;
	use_directory(RULES);
	use_users_and_groups();
	start_following("users");
	await(&gateway.has_subjects);
	change("cn=alice," PEOPLE, "description", "first seen");
	await(&gateway.has_subjects);
	before = gateway.subjects;
	change("cn=alice," PEOPLE, "description", "login 1");
	pause_for(500);
	change("cn=alice," PEOPLE, "description", "login 2");
	pause_for(500);
	change("cn=far," GROUPS, "member", "cn=marker");
	await(&gateway.has_subjects);
	assert_int_equal(gateway.subjects, before + 1);
	change("cn=far," GROUPS, "member", "cn=nobody");
}

static void
a_directory_that_comes_back_may_have_changed(void **state)
{
	(void)state;
	use_directory(RULES);
	use_users_and_groups();
	start_following("syncrepl");
	await(&gateway.has_subjects);
	pause_for(500);
	gateway.has_subjects = false;
	directory_kill();
	await(&gateway.has_down);
	directory_start();
	await(&gateway.has_up);
	await(&gateway.has_subjects);
	directory_modify(ADD_RULE("zz"));
	await(&gateway.has_commit);
	directory_modify(DELETE_RULE("zz"));
	await(&gateway.has_commit);
	assert_int_equal(gateway.put, 2);
}

static void
users_of_a_file_s_rules_are_followed_too(void **state)
{
	(void)state;
	write_file("dn: cn=a\nobjectClass: gwRule\n");
	options_add(options, "policy.file", path_of("rules.ldif"));
	use_directory(RULES);
	use_users_and_groups();
	start_watch();
	await(&gateway.has_subjects);
	says("syncrepl: users, groups");
	write_file("dn: cn=b\nobjectClass: gwRule\n");
	while (strcmp(gateway.last_dn, "cn=b") != 0)
		await(&gateway.has_commit);
	pause_for(500);
	gateway.has_subjects = false;
	change("cn=far," GROUPS, "member", "cn=somebody");
	await(&gateway.has_subjects);
	change("cn=far," GROUPS, "member", "cn=nobody");
	assert_int_equal(gateway.downs, 0);
}

static void
a_directory_that_cannot_be_followed_is_polled(void **state)
{
	(void)state;
	use_directory("dc=mute");
	start_watch();
	await(&gateway.has_commit);
	await(&gateway.has_confirm);
	await(&gateway.has_confirm);
	says("rules are read every 1 s");
	says("refuses syncrepl");
	assert_int_equal(gateway.downs, 0);
}

static void
a_directory_that_is_to_be_polled_is_not_followed(void **state)
{
	(void)state;
	use_directory(RULES);
	options_add(options, "directory.live", "poll");
	start_watch();
	await(&gateway.has_commit);
	await(&gateway.has_confirm);
	await(&gateway.has_confirm);
	says("changes are not followed");
	directory_modify(ADD_RULE("zz"));
	await(&gateway.has_commit);
	directory_modify(DELETE_RULE("zz"));
	await(&gateway.has_commit);
	assert_int_equal(gateway.subjects, 0);
}

/* The server sends all that there is first: it counts as no change. */
static void
a_reader_who_may_not_see_the_csn_follows_too(void **state)
{
	unsigned long before;

	(void)state;
	directory_add_server(options, "ldap", 1);
	options_add(options, "directory.ca_file", directory_path("ca.pem"));
	options_add(options, "directory.bind", "simple");
	options_add(
	    options, "directory.bind_dn", "cn=limited,dc=example,dc=com");
	read_below(RULES);
	use_users_and_groups();
	interval_s = 86400;
	start_watch_with("limited-secret");
	await(&gateway.has_commit);
	await(&gateway.has_confirm);
	says("syncrepl: rules, users, groups");
	await(&gateway.has_subjects);
	pause_for(500);
	before = gateway.subjects;
	change("cn=far," GROUPS, "description", "seen in the beginning");
	change("cn=far," GROUPS, "member", "cn=somebody");
	await(&gateway.has_subjects);
	assert_int_equal(gateway.subjects, before + 1);
	change("cn=far," GROUPS, "member", "cn=nobody");
	directory_modify(ADD_RULE("zz"));
	await(&gateway.has_commit);
	directory_modify(DELETE_RULE("zz"));
	await(&gateway.has_commit);
	assert_int_equal(gateway.put, 2);
}

/* slapd does not know Active Directory's control. */
static void
a_way_that_is_refused_is_not_gone(void **state)
{
	(void)state;
	use_directory(RULES);
	options_add(options, "directory.live", "notify");
	start_watch();
	await(&gateway.has_commit);
	await(&gateway.has_confirm);
	says("refuses change notification");
}

/* ---- servers that are none */

/* An answer to an anonymous bind, which is the first message. */
static const char bound[] = "\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00"
			    "\x04\x00\x04\x00";
/* A rule without anything, in answer to the second. */
static const char rule[] = "\x30\x26\x02\x01\x02\x64\x21\x04\x04"
			   "cn=a"
			   "\x30\x19\x30\x17\x04\x0b"
			   "objectClass"
			   "\x31\x08\x04\x06"
			   "gwRule";

/* What it says first, and then again and again until nobody listens. */
struct script {
	const char *first;
	size_t first_len;
	const char *again;
	size_t again_len;
	unsigned pause_us;
};

static _Noreturn void
serve(int listener, const void *arg)
{
	const struct script *script = arg;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		int fd = accept(listener, NULL, NULL);
		ssize_t n =
		    send(fd, script->first, script->first_len, MSG_NOSIGNAL);

		while (n >= 0 && script->again_len > 0) {
			(void)usleep(script->pause_us);
			n = send(
			    fd, script->again, script->again_len, MSG_NOSIGNAL);
		}
		(void)close(fd);
	}
}

typedef void serve_fn(int listener, const void *script);

/* A server that is none; its process. */
static pid_t
start_server(serve_fn *serve_script, const void *script)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t len = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char uri[64];
	pid_t pid;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(
	    bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(listener, 5), 0);
	assert_int_equal(
	    getsockname(listener, (struct sockaddr *)&address, &len), 0);
	(void)snprintf(uri, sizeof(uri), "ldap://127.0.0.1:%u",
	    (unsigned)ntohs(address.sin_port));
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		serve_script(listener, script);
	(void)close(listener);
	options_add(options, "directory.uri", uri);
	options_add(options, "directory.start_tls", "false");
	read_below(RULES);
	return pid;
}

static void
end_server(pid_t pid)
{
	assert_true(directory_program_answers(watch, PATIENCE_US));
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* Runs the watch against a server that follows the script. */
static void
watch_script(const struct script *script, const char *because)
{
	pid_t pid = start_server(serve, script);

	start_watch();
	await(&gateway.has_down);
	says(because);
	assert_int_equal(gateway.committed, 0);
	end_server(pid);
}

#define OCTETS(text) (text), sizeof(text) - 1

static void
a_server_that_hangs_up_is_survived(void **state)
{
	const struct script script = {.first = "", .first_len = 0};

	(void)state;
	watch_script(&script, "bind: Can't contact LDAP server");
}

static void
a_server_that_talks_nonsense_is_survived(void **state)
{
	const struct script script = {OCTETS("HTTP/1.1 400 Bad Request\r\n"),
	    OCTETS("\xff\x00\x30\x80\x30\x03\x02\x01\x01"), 100};

	(void)state;
	watch_script(&script, "bind: ");
}

static void
a_server_with_an_endless_answer_is_survived(void **state)
{
	const struct script script = {
	    OCTETS("\x30\x84\x7f\xff\xff\xff"), OCTETS("\x02\x01\x01"), 100};

	(void)state;
	watch_script(&script, "bind: ");
}

static void
a_server_that_drips_is_survived(void **state)
{
	const struct script script = {
	    OCTETS("\x30\x82\x10\x00"), OCTETS("\x02"), 100000};

	(void)state;
	watch_script(&script, "");
}

static void
a_server_with_endless_rules_is_survived(void **state)
{
	static char rules[1000 * (sizeof(rule) - 1)];
	const struct script script = {OCTETS(bound), rules, sizeof(rules), 0};

	(void)state;
	for (size_t i = 0; i < sizeof(rules); i += sizeof(rule) - 1)
		memcpy(rules + i, rule, sizeof(rule) - 1);
	/* Not the time, but their number has to end it; on a busy machine. */
	options_add_u64(options, "directory.timeout", 20);
	watch_script(&script, "cn=a: more than this program takes");
}

/* ---- servers that follow the protocol until changes are to be told */

#define INFO                                                                   \
	"\x79\x1e\x80\x18"                                                     \
	"1.3.6.1.4.1.4203.1.9.1.4"                                             \
	"\x81\x02"
#define SETTLED OCTETS(INFO "\xa1\x00")
#define NO_INFO OCTETS(INFO "\xa4\x00")
#define NO_STATE                                                               \
	OCTETS("\x64\x08\x04\x04"                                              \
	       "cn=a"                                                          \
	       "\x30\x00")
#define REQUIRED    OCTETS("\x65\x08\x0a\x02\x10\x00\x04\x00\x04\x00")
#define NO_MESSAGE  OCTETS("\xff\x03\x30\x80\x00")
#define REPLIES_MAX 3

/* What is said, without the frame of a message, to who wants to be told. */
struct replies {
	struct {
		const char *op;
		size_t len;
	} replies[REPLIES_MAX];
};

static const char bound_op[] = "\x61\x07\x0a\x01\x00\x04\x00\x04\x00";
static const char done_op[] = "\x65\x07\x0a\x01\x00\x04\x00\x04\x00";
static const char nothing_op[] = "\x64\x04\x04\x00\x30\x00";
static const char root_op[] = "\x64\x34\x04\x00\x30\x30\x30\x2e\x04\x10"
			      "supportedControl"
			      "\x31\x1a\x04\x18"
			      "1.3.6.1.4.1.4203.1.9.1.1";

static void
say_op(int fd, uint8_t id, const char *op, size_t len)
{
	uint8_t message[256] = {0x30, 0x81, (uint8_t)(len + 3), 2, 1, id};

	assert_true(len < sizeof(message) - 8);
	memcpy(message + 6, op, len);
	(void)send(fd, message, len + 6, MSG_NOSIGNAL);
}

/* A whole request of less than 64 KiB in data; its length, 0 at the end. */
static size_t
read_request(int fd, uint8_t *data)
{
	size_t len, header = 2;

	if (recv(fd, data, 2, MSG_WAITALL) != 2)
		return 0;
	len = data[1];
	if (len >= 0x80) {
		header = len - 0x80;
		if (header > 4 ||
		    recv(fd, data, header, MSG_WAITALL) != (ssize_t)header)
			return 0;
		len = 0;
		for (size_t i = 0; i < header; i++)
			len = len << 8 | data[i];
	}
	if (len < 4 || len > 65535 ||
	    recv(fd, data, len, MSG_WAITALL) != (ssize_t)len)
		return 0;
	return len;
}

static bool
mentions(const uint8_t *data, size_t len, const char *text)
{
	return memmem(data, len, text, strlen(text)) != NULL;
}

static void
answer(int fd, const uint8_t *data, size_t len, const struct replies *replies)
{
	uint8_t id = data[2], op = data[3];

	if (op == 0x60) {
		say_op(fd, id, bound_op, sizeof(bound_op) - 1);
		return;
	}
	if (op != 0x63)
		return;
	if (mentions(data, len, "1.3.6.1.4.1.4203.1.9.1.1")) {
		for (int i = 0; i < REPLIES_MAX; i++) {
			if (replies->replies[i].len == 0)
				continue;
			say_op(fd, id, replies->replies[i].op,
			    replies->replies[i].len);
			(void)usleep(300000);
		}
		return;
	}
	if (mentions(data, len, "supportedControl"))
		say_op(fd, id, root_op, sizeof(root_op) - 1);
	else if (mentions(data, len, "highestCommittedUSN"))
		say_op(fd, id, nothing_op, sizeof(nothing_op) - 1);
	else
		say_op(fd, id, rule + 5, sizeof(rule) - 6);
	say_op(fd, id, done_op, sizeof(done_op) - 1);
}

static _Noreturn void
serve_replies(int listener, const void *arg)
{
	static uint8_t data[65536];
	size_t len;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		int fd = accept(listener, NULL, NULL);

		while ((len = read_request(fd, data)) > 0)
			answer(fd, data, len, arg);
		(void)close(fd);
	}
}

static void
a_server_that_follows_nothing_is_polled(void **state)
{
	static const struct replies all[] = {
	    {{{NO_STATE}}}, {{{NO_INFO}}}, {{{REQUIRED}}}};
	pid_t pid;

	for (size_t i = 0; i < ARRAY_COUNT(all); i++) {
		pid = start_server(serve_replies, &all[i]);
		start_watch();
		await(&gateway.has_commit);
		assert_int_equal(gateway.put, 1);
		while (strstr(gateway.why, "refuses syncrepl") == NULL)
			await(&gateway.has_up);
		end_server(pid);
		(void)tear_down(state);
		(void)set_up(state);
	}
}

static void
a_server_that_talks_nonsense_instead_of_changes_is_survived(void **state)
{
	static const struct replies all[] = {{{{SETTLED}, {NO_STATE}}},
	    {{{SETTLED}, {NO_INFO}}}, {{{SETTLED}, {NO_MESSAGE}}}};
	pid_t pid;

	for (size_t i = 0; i < ARRAY_COUNT(all); i++) {
		pid = start_server(serve_replies, &all[i]);
		start_watch();
		await(&gateway.has_commit);
		await(&gateway.has_down);
		says("following changes: ");
		assert_int_equal(gateway.put, 1);
		end_server(pid);
		(void)tear_down(state);
		(void)set_up(state);
	}
}

/* As a server does whose log of changes is not long enough. */
static void
a_server_that_ends_what_it_has_begun_is_asked_anew(void **state)
{
	static const struct replies replies = {{{SETTLED}, {REQUIRED}}};
	pid_t pid = start_server(serve_replies, &replies);

	(void)state;
	start_watch();
	await(&gateway.has_commit);
	for (int i = 0; i < 3; i++)
		await(&gateway.has_subjects);
	assert_int_equal(gateway.downs, 0);
	end_server(pid);
}

static void
a_file_serves_without_a_directory(void **state)
{
	(void)state;
	write_file("dn: cn=a\nobjectClass: gwRule\n");
	options_add(options, "policy.file", path_of("rules.ldif"));
	start_watch();
	await(&gateway.has_commit);
	assert_string_equal(gateway.last_dn, "cn=a");
	write_file("dn: cn=a\nobjectClass: gwRule\nnonsense\n");
	await(&gateway.has_down);
	assert_non_null(
	    strstr(gateway.why, "rules.ldif:3: not \"attribute: value\""));
	write_file("dn: cn=b\nobjectClass: gwRule\n");
	await(&gateway.has_up);
	await(&gateway.has_commit);
	assert_string_equal(gateway.last_dn, "cn=b");
}

/* More than the link takes at once. */
static void
write_large_file(void)
{
	FILE *file = fopen(path_of("rules.ldif"), "w");

	assert_non_null(file);
	for (int i = 0; i < 500; i++)
		assert_true(fprintf(file,
				"dn: cn=%d\nobjectClass: gwRule\n"
				"description: %08000d\n\n",
				i, i) > 0);
	assert_int_equal(fclose(file), 0);
}

static void
a_new_gateway_is_told_of_the_silence_after_a_large_set(void **state)
{
	(void)state;
	write_large_file();
	options_add(options, "policy.file", path_of("rules.ldif"));
	start_watch();
	await(&gateway.has_commit);
	assert_int_equal(gateway.put, 500);
	assert_true(gateway.is_up);
	assert_int_equal(unlink(path_of("rules.ldif")), 0);
	await(&gateway.has_down);
	new_gateway();
	await(&gateway.has_commit);
	await(&gateway.has_down);
	pause_for(100);
	assert_false(gateway.is_copy);
	assert_false(gateway.is_up);
	assert_int_equal(gateway.downs, 1);
}

static void
a_gateway_that_goes_away_is_survived(void **state)
{
	(void)state;
	use_directory("ou=many,dc=example,dc=com");
	start_watch();
	for (int i = 0; i < 20; i++) {
		new_gateway();
		pause_for((unsigned)i * 5);
	}
	new_gateway();
	await(&gateway.has_commit);
	assert_int_equal(gateway.put, 3000);
	assert_true(directory_program_answers(watch, PATIENCE_US));
}

static int
set_up_polled(void **state)
{
	(void)set_up(state);
	options_add(options, "directory.live", "poll");
	return 0;
}

#define POLLED(name)                                                           \
	cmocka_unit_test_setup_teardown(name, set_up_polled, tear_down)
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(the_rules_come_and_are_confirmed),
	    TEST(a_change_is_sent_and_no_change_is_not),
	    TEST(thousands_of_rules_come_in_pages),
	    TEST(a_new_gateway_gets_the_whole_set),
	    TEST(a_reload_reads_at_once),
	    TEST(a_directory_that_dies_is_told_and_found_again),
	    TEST(a_directory_that_hangs_holds_nobody_up),
	    TEST(the_copy_serves_while_the_directory_is_silent),
	    TEST(a_damaged_copy_is_not_used),
	    TEST(refused_rules_are_neither_confirmed_nor_kept),
	    TEST(a_new_gateway_that_refuses_gets_the_last_good_rules),
	    TEST(no_rule_at_all_is_a_failure),
	    TEST(no_rule_at_all_is_taken_where_it_was_said),
	    TEST(a_part_on_another_server_is_a_failure),
	    TEST(a_file_serves_without_a_directory),
	    TEST(each_change_of_a_rule_is_told_at_once),
	    TEST(a_rule_that_leaves_or_comes_is_told_at_once),
	    TEST(a_folder_of_rules_that_is_renamed_is_told_at_once),
	    TEST(many_changes_at_once_end_in_one_set),
	    TEST(a_change_of_users_or_groups_is_told_at_once),
	    TEST(what_does_not_matter_of_a_user_is_not_told_again),
	    TEST(a_directory_that_comes_back_may_have_changed),
	    TEST(users_of_a_file_s_rules_are_followed_too),
	    TEST(a_directory_that_cannot_be_followed_is_polled),
	    TEST(a_directory_that_is_to_be_polled_is_not_followed),
	    TEST(a_reader_who_may_not_see_the_csn_follows_too),
	    TEST(a_way_that_is_refused_is_not_gone),
	    TEST(a_new_gateway_is_told_of_the_silence_after_a_large_set),
	    TEST(a_gateway_that_goes_away_is_survived),
	    TEST(a_server_that_follows_nothing_is_polled),
	    TEST(a_server_that_talks_nonsense_instead_of_changes_is_survived),
	    TEST(a_server_that_ends_what_it_has_begun_is_asked_anew),
	    TEST(a_server_that_hangs_up_is_survived),
	    TEST(a_server_that_talks_nonsense_is_survived),
	    TEST(a_server_with_an_endless_answer_is_survived),
	    TEST(a_server_that_drips_is_survived),
	    TEST(a_server_with_endless_rules_is_survived),
	    POLLED(the_rules_come_and_are_confirmed),
	    POLLED(a_change_is_sent_and_no_change_is_not),
	    POLLED(a_directory_that_dies_is_told_and_found_again),
	    POLLED(a_directory_that_hangs_holds_nobody_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
