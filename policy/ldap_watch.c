/* SPDX-License-Identifier: ISC */
/*
 * directory-watch: reads the rules again and again and tells the gateway's
 * main thread when they have changed; keeps the last that were taken on disk.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/link.h"
#include "base/log.h"
#include "base/must.h"
#include "base/program.h"
#include "base/secret.h"
#include "base/wire.h"
#include "policy/ldap_connection.h"
#include "policy/ldap_reading.h"
#include "policy/rule_set_stream.h"
#include "policy/rules_copy.h"
#include "policy/watch_protocol.h"

#define WHY_SIZE	1024
#define SEND_AHEAD_MAX	(1024 * 1024) /* octets queued on the link */
#define SEND_PAUSE_US	5000
#define RETRY_FIRST_S	1
#define DEADLINE_FACTOR 3 /* timeouts that a reading may take */

enum standing {
	STANDING_UNKNOWN, /* the gateway has not said yet */
	STANDING_TAKEN,
	STANDING_REFUSED
};

struct watch {
	struct program *program;
	struct secret *password; /* arrived for the next configuration */
	struct directory_settings directory;
	char *file;
	char *rule_base;
	unsigned poll_s;
	bool allow_empty;
	char copy_path[PATH_MAX];

	struct link *link; /* to the gateway; NULL: none now */
	struct reading *reading;
	struct event *next_reading;
	unsigned retry_s;
	bool is_up;
	char last_why[WHY_SIZE];

	/* The set that counts: the last that was read, or the copy. */
	bool has_set;
	bool is_copy;
	uint8_t *set;
	size_t set_len;
	uint64_t confirmed_us; /* wall clock */
	enum standing standing;

	/* The set on its way to the gateway. */
	bool is_sending;
	size_t sent;
	struct event *send_more;
};

static void read_now(struct watch *watch);

/* ---- telling the gateway */

static void
say(struct watch *watch, uint16_t type, const void *data, size_t len)
{
	if (watch->link != NULL && link_send(watch->link, type, 0, data, len))
		log_warning(NULL, "the gateway cannot be told");
}

static void
say_state(struct watch *watch, bool is_up, const char *text)
{
	uint8_t data[WHY_SIZE + 8];
	struct wire_writer writer;

	wire_writer_init(&writer, data, sizeof(data));
	wire_put_u8(&writer, is_up);
	wire_put_string(&writer, text);
	must(!writer.failed);
	say(watch, WATCH_STATE, data, writer.len);
}

static void
say_confirmed(struct watch *watch)
{
	uint8_t data[8];
	struct wire_writer writer;

	wire_writer_init(&writer, data, sizeof(data));
	wire_put_u64(&writer, watch->confirmed_us);
	say(watch, WATCH_CONFIRM, data, writer.len);
}

static void
say_commit(struct watch *watch)
{
	uint8_t data[9];
	struct wire_writer writer;

	wire_writer_init(&writer, data, sizeof(data));
	wire_put_u64(&writer, watch->confirmed_us);
	wire_put_u8(&writer, watch->is_copy);
	say(watch, WATCH_COMMIT, data, writer.len);
}

/* As much as the link takes; the rest in a moment. */
static void
on_send_more(evutil_socket_t fd, short what, void *arg)
{
	struct watch *watch = arg;
	struct timeval pause = {0, SEND_PAUSE_US};
	const uint8_t *entry;
	size_t len;
	int more = 1;

	(void)fd;
	(void)what;
	while (watch->link != NULL &&
	       link_queued_bytes(watch->link) < SEND_AHEAD_MAX &&
	       (more = rule_set_next(watch->set, watch->set_len, &watch->sent,
		    &entry, &len)) == 1)
		say(watch, WATCH_PUT, entry, len);
	if (more == 1 && watch->link != NULL) {
		(void)evtimer_add(watch->send_more, &pause);
		return;
	}
	watch->is_sending = false;
	say_commit(watch);
}

static void
send_set(struct watch *watch)
{
	if (watch->link == NULL || !watch->has_set)
		return;
	watch->standing = STANDING_UNKNOWN;
	watch->is_sending = true;
	watch->sent = 0;
	(void)evtimer_del(watch->send_more);
	say(watch, WATCH_BEGIN, NULL, 0);
	on_send_more(-1, 0, watch);
}

/* ---- what the gateway says */

static void
on_want(void *arg, struct link_message *message)
{
	struct watch *watch = arg;

	(void)message;
	send_set(watch);
	if (!watch->is_up && watch->last_why[0] != '\0')
		say_state(watch, false, watch->last_why);
}

static void
on_taken(void *arg, struct link_message *message)
{
	struct watch *watch = arg;
	int result;

	(void)message;
	if (watch->is_sending)
		return; /* of the set before */
	watch->standing = STANDING_TAKEN;
	if (watch->is_copy)
		return;
	result = rules_copy_write(
	    watch->copy_path, watch->set, watch->set_len, watch->confirmed_us);
	if (result != 0)
		log_error(NULL, "%s: the rules cannot be kept: %s",
		    watch->copy_path, strerror(-result));
}

static void
on_refused(void *arg, struct link_message *message)
{
	struct watch *watch = arg;

	(void)message; /* the gateway has logged and recorded it */
	if (!watch->is_sending)
		watch->standing = STANDING_REFUSED;
}

static void
on_closed(void *arg)
{
	struct watch *watch = arg;

	link_free(watch->link);
	watch->link = NULL;
	watch->is_sending = false;
	(void)evtimer_del(watch->send_more);
}

static const struct link_handler handlers[] = {
    {WATCH_WANT, 0, 0, on_want},
    {WATCH_TAKEN, 8, 8, on_taken},
    {WATCH_REFUSED, 4, LINK_MESSAGE_MAX, on_refused},
    {.handle = NULL},
};

static void
linked(void *state, enum role peer, uint32_t index, uint32_t slot, int fd)
{
	struct watch *watch = state;

	(void)index;
	(void)slot;
	if (peer != ROLE_GATEWAY) {
		(void)close(fd);
		return;
	}
	if (watch->link != NULL)
		on_closed(watch);
	watch->link = link_new(
	    program_base(watch->program), fd, handlers, on_closed, watch);
	if (watch->link == NULL)
		log_error(
		    NULL, "the gateway cannot be linked: %s", strerror(errno));
}

/* ---- one reading after the other */

static void
read_after(struct watch *watch, unsigned seconds)
{
	struct timeval after = {(time_t)seconds, 0};

	(void)evtimer_add(watch->next_reading, &after);
}

/* Takes the set. */
static void
keep_set(struct watch *watch, uint8_t *set, size_t len, bool is_copy)
{
	free(watch->set);
	watch->set = set;
	watch->set_len = len;
	watch->is_copy = is_copy;
	watch->has_set = true;
}

/* A start while the directory is silent goes on from the copy. */
static void
use_copy(struct watch *watch)
{
	uint8_t *set;
	size_t len;
	int result =
	    rules_copy_read(watch->copy_path, &set, &len, &watch->confirmed_us);

	if (result == -ENOENT)
		return;
	if (result != 0) {
		log_error(NULL, "%s: the copy of the rules is not good: %s",
		    watch->copy_path, strerror(-result));
		return;
	}
	keep_set(watch, set, len, true);
	send_set(watch);
}

static void
on_failed(struct watch *watch, const char *why)
{
	if (watch->is_up || strcmp(watch->last_why, why) != 0) {
		(void)strlcpy(watch->last_why, why, WHY_SIZE);
		log_warning(NULL, "rules cannot be read: %s", why);
	}
	watch->is_up = false;
	if (!watch->has_set)
		use_copy(watch);
	say_state(watch, false, watch->last_why);
	read_after(watch, watch->retry_s);
	watch->retry_s = watch->retry_s * 2 < watch->poll_s ? watch->retry_s * 2
							    : watch->poll_s;
}

static void
confirm(struct watch *watch)
{
	if (watch->standing == STANDING_REFUSED)
		return; /* not these rules are in force */
	say_confirmed(watch);
	if (rules_copy_confirm(watch->copy_path, watch->confirmed_us) != 0)
		log_debug(NULL, "there is no copy of the rules yet");
}

/* Takes the set. */
static void
on_read_set(struct watch *watch, uint8_t *set, size_t len)
{
	bool was_up = watch->is_up;
	bool is_same = watch->has_set && len == watch->set_len &&
		       memcmp(set, watch->set, len) == 0;

	watch->is_up = true;
	watch->last_why[0] = '\0';
	watch->retry_s = RETRY_FIRST_S;
	watch->confirmed_us = clock_wall_us();
	if (!was_up)
		say_state(watch, true, "rules can be read");
	if (is_same) {
		free(set);
		watch->is_copy = false;
		confirm(watch);
	} else {
		keep_set(watch, set, len, false);
		send_set(watch);
	}
	read_after(watch, watch->poll_s);
}

static void
on_reading_done(void *arg, uint8_t *set, size_t len, const char *why)
{
	struct watch *watch = arg;

	watch->reading = NULL;
	if (set != NULL && len == 0 && !watch->allow_empty) {
		free(set);
		set = NULL;
		why = "there is no rule at all (policy.allow_empty)";
	}
	if (set != NULL)
		on_read_set(watch, set, len);
	else
		on_failed(watch, why);
}

static void
read_now(struct watch *watch)
{
	struct reading_source source = {
	    .file = watch->file,
	    .directory = &watch->directory,
	    .rule_base = watch->rule_base,
	    .deadline_s = watch->directory.timeout_s * DEADLINE_FACTOR,
	};

	(void)evtimer_del(watch->next_reading);
	reading_cancel(watch->reading);
	watch->reading = reading_start(
	    program_base(watch->program), &source, on_reading_done, watch);
	if (watch->reading == NULL)
		on_failed(watch, strerror(errno));
}

static void
on_next_reading(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	read_now(arg);
}

/* ---- the frame */

static void
start(void *state, struct program *program)
{
	struct watch *watch = state;

	watch->program = program;
	watch->retry_s = RETRY_FIRST_S;
	watch->next_reading =
	    evtimer_new(program_base(program), on_next_reading, watch);
	watch->send_more =
	    evtimer_new(program_base(program), on_send_more, watch);
	if (watch->next_reading == NULL || watch->send_more == NULL)
		die("out of memory");
}

static void
take_file(void *state, const char *name, int fd)
{
	struct watch *watch = state;

	if (strcmp(name, "directory.password") == 0) {
		secret_free(watch->password);
		watch->password = secret_read(fd);
	}
	(void)close(fd);
}

static int
configure(
    void *state, const struct options *options, char *why, size_t why_size)
{
	struct watch *watch = state;

	(void)why;
	(void)why_size;
	directory_settings_fini(&watch->directory);
	directory_settings_init(&watch->directory, options, watch->password);
	watch->password = NULL;
	directory_settings_export(&watch->directory);
	free(watch->file);
	watch->file = must_strdup(options_get(options, "policy.file", ""));
	free(watch->rule_base);
	watch->rule_base =
	    must_strdup(options_get(options, "directory.rule_base", ""));
	watch->poll_s =
	    (unsigned)options_get_u64(options, "directory.poll_interval", 30);
	watch->allow_empty =
	    options_get_bool(options, "policy.allow_empty", false);
	(void)snprintf(watch->copy_path, sizeof(watch->copy_path), "%s/rules",
	    options_get(options, "state_dir", "."));
	watch->retry_s = RETRY_FIRST_S;
	read_now(watch);
	return 0;
}

static void
stop(void *state)
{
	struct watch *watch = state;

	reading_cancel(watch->reading);
	link_free(watch->link);
	event_free(watch->next_reading);
	event_free(watch->send_more);
	directory_settings_fini(&watch->directory);
	secret_free(watch->password);
	free(watch->file);
	free(watch->rule_base);
	free(watch->set);
	program_exit(watch->program);
}

static const struct program_functions functions = {
    .role = ROLE_DIRECTORY_WATCH,
    .configure = configure,
    .file = take_file,
    .linked = linked,
    .stop = stop,
};

int
main(int argc, char **argv)
{
	static struct watch watch;

	program_run(&functions, start, &watch, argc, argv);
}
