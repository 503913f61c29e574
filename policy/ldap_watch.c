/* SPDX-License-Identifier: ISC */
/*
 * directory-watch: follows the directory, or reads the rules again and again,
 * and tells the gateway's main thread what has changed; keeps the last rules
 * that were taken on disk.
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
#include "base/sandbox_confine.h"
#include "base/secret.h"
#include "base/wire.h"
#include "policy/ldap_attributes.h"
#include "policy/ldap_connection.h"
#include "policy/ldap_keeper.h"
#include "policy/ldap_reading.h"
#include "policy/ldap_sets.h"
#include "policy/rule_set_stream.h"
#include "policy/rules_copy.h"
#include "policy/watch_protocol.h"

#define WHY_SIZE       1024
#define SEND_AHEAD_MAX (1024 * 1024) /* octets queued on the link */
#define SEND_PAUSE_US  5000
#define RETRY_FIRST_S  1
#define DEADLINE_MORE  3 /* timeouts beside those of each server */

/* A whole set, and when the directory last said that the rules are these. */
struct rules {
	uint8_t *octets; /* rule_set_stream.h; NULL: no set */
	size_t len;
	uint64_t confirmed_us; /* wall clock */
};

struct watch {
	struct program *program;
	struct secret *password; /* arrived for the next configuration */
	struct directory_settings directory;
	char *file;
	char *bases[FEED_TOPICS];
	char **attributes;
	enum feed_way way;
	unsigned poll_s, reread_s;
	bool allow_empty;

	struct reading *reading;
	struct event *next_reading;
	unsigned retry_s;
	bool is_up;
	char last_why[WHY_SIZE];
	char last_how[WHY_SIZE]; /* "": not known since it was down */
	bool is_how_said;

	struct rules read;     /* the last that was read */
	bool was_refused;      /* ... by the gateway */
	bool is_read_taken;    /* ... it is in force */
	struct rules before;   /* in force while what was read since is not */
	struct rules copy;     /* what was on disk, once it was needed */
	struct keeper *keeper; /* of that on disk */

	struct link *link;	  /* to the gateway; NULL: none now */
	bool has_taken;		  /* the gateway has rules */
	const struct rules *sent; /* began last; NULL: none */
	bool is_sending;	  /* ... and is not committed yet */
	size_t sent_to;		  /* where the next entry begins */
	struct event *send_more;
	unsigned unanswered; /* commits */
	struct sets *sets;   /* for who wants to look at them */
};

static const char *const ways[] = {
    [FEED_AUTO] = "auto",
    [FEED_SYNCREPL] = "syncrepl",
    [FEED_NOTIFY] = "notify",
    [FEED_NONE] = "poll",
};

static void read_now(struct watch *watch);

/* How long each step of a reading may take. */
static unsigned
deadline_s(const struct watch *watch)
{
	return watch->directory.timeout_s *
	       (watch->directory.uri_count + DEADLINE_MORE);
}

/* One reading of the rules below a base, and no more. */
static struct reading_source
directory_source(struct watch *watch, const char *base)
{
	return (struct reading_source){
	    .file = "",
	    .directory = &watch->directory,
	    .feed = {.way = FEED_NONE,
		.bases = {[FEED_RULES] = base},
		.timeout_s = watch->directory.timeout_s},
	    .allow_empty = watch->allow_empty,
	    .reread_s = watch->reread_s,
	    .deadline_s = deadline_s(watch),
	};
}

/* ---- telling the gateway */

/* False if it does not go although somebody is there. */
static bool
say(struct watch *watch, uint16_t type, const void *data, size_t len)
{
	int result = -EPIPE;

	if (watch->link != NULL)
		result = link_send(watch->link, type, 0, data, len);
	if (result == 0 || result == -EPIPE)
		return true;
	log_warning(NULL, "the gateway cannot be told: %s", strerror(-result));
	return false;
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
	(void)say(watch, WATCH_STATE, data, writer.len);
}

static void
say_confirmed(struct watch *watch)
{
	uint8_t data[8];
	struct wire_writer writer;

	wire_writer_init(&writer, data, sizeof(data));
	wire_put_u64(&writer, watch->read.confirmed_us);
	(void)say(watch, WATCH_CONFIRM, data, writer.len);
}

/* Not while the rules that can be read are refused: those in force are stale
 * then, and it would say that they are not. */
static void
say_how(struct watch *watch)
{
	if (watch->last_how[0] == '\0' || watch->was_refused)
		return;
	watch->is_how_said = true;
	say_state(watch, true, watch->last_how);
}

static bool
say_commit(struct watch *watch)
{
	uint8_t data[9];
	struct wire_writer writer;

	wire_writer_init(&writer, data, sizeof(data));
	wire_put_u64(&writer, watch->sent->confirmed_us);
	wire_put_u8(&writer, watch->sent == &watch->copy);
	return say(watch, WATCH_COMMIT, data, writer.len);
}

/* 1: as much as the link takes; 0: all; -1: an entry could not be sent. */
static int
send_entries(struct watch *watch)
{
	const uint8_t *entry;
	size_t len;
	int more = 1;

	while (link_queued_bytes(watch->link) < SEND_AHEAD_MAX) {
		more = rule_set_next(watch->sent->octets, watch->sent->len,
		    &watch->sent_to, &entry, &len);
		if (more != 1)
			break;
		if (!say(watch, WATCH_PUT, entry, len))
			return -1;
	}
	return more;
}

static void
on_send_more(evutil_socket_t fd, short what, void *arg)
{
	struct watch *watch = arg;
	struct timeval pause = {0, SEND_PAUSE_US};
	int more;

	(void)fd;
	(void)what;
	if (watch->link == NULL)
		return;
	more = send_entries(watch);
	if (more == 1) {
		(void)evtimer_add(watch->send_more, &pause);
		return;
	}
	watch->is_sending = false;
	/* A set that lacks an entry is never committed: a new program begins
	 * anew. */
	if (more < 0 || !say_commit(watch))
		die("the rules cannot be sent to the gateway");
	watch->unanswered++;
	/* They were read before the directory fell silent. */
	if (watch->sent == &watch->read && watch->last_why[0] != '\0')
		say_state(watch, false, watch->last_why);
}

static void
send_rules(struct watch *watch, const struct rules *rules)
{
	if (watch->link == NULL || rules->octets == NULL)
		return;
	watch->sent = rules;
	watch->is_sending = true;
	watch->sent_to = 0;
	(void)evtimer_del(watch->send_more);
	(void)say(watch, WATCH_BEGIN, NULL, 0);
	on_send_more(-1, 0, watch);
}

/* ---- the copy on disk */

static int
read_copy(const char *path, struct rules *copy)
{
	uint64_t now_us = clock_wall_us();
	int result = rules_copy_read(
	    path, &copy->octets, &copy->len, &copy->confirmed_us);

	if (result == 0 && rule_set_count(copy->octets, copy->len) < 0) {
		free(copy->octets);
		copy->octets = NULL;
		result = -EBADMSG;
	}
	/* The clock was set back: nothing is newer than now. */
	if (result == 0 && copy->confirmed_us > now_us)
		copy->confirmed_us = now_us;
	return result;
}

/* The last rules that a gateway took go to one that has none, while the
 * directory is silent or what it says is not taken. */
static void
send_copy(void *arg)
{
	struct watch *watch = arg;
	const char *path = keeper_path(watch->keeper);
	int result = 0;

	if (watch->link == NULL || watch->has_taken || watch->is_sending)
		return;
	if (watch->copy.octets == NULL)
		result = read_copy(path, &watch->copy);
	if (result == 0)
		send_rules(watch, &watch->copy);
	else if (keeper_is_writing(watch->keeper))
		keeper_when_idle(watch->keeper, send_copy, watch);
	else if (result != -ENOENT)
		log_error(NULL, "%s: the copy of the rules is not good: %s",
		    path, strerror(-result));
}

/* ---- what the gateway says */

static void
on_want(void *arg, struct link_message *message)
{
	struct watch *watch = arg;

	(void)message;
	if (watch->read.octets != NULL) {
		send_rules(watch, &watch->read);
	} else if (watch->last_why[0] != '\0') {
		send_copy(watch);
		say_state(watch, false, watch->last_why);
	}
	say_how(watch); /* a new gateway's records are to say it, too */
}

static void
forget_before(struct watch *watch)
{
	free(watch->before.octets);
	watch->before.octets = NULL;
}

/* True if the answer is for what was sent last. */
static bool
is_for_last(struct watch *watch)
{
	if (watch->unanswered > 0)
		watch->unanswered--;
	return watch->unanswered == 0 && !watch->is_sending;
}

static void
forget_copy(struct watch *watch)
{
	free(watch->copy.octets);
	watch->copy.octets = NULL;
}

static void
on_taken(void *arg, struct link_message *message)
{
	struct watch *watch = arg;

	(void)message;
	watch->has_taken = true;
	if (!is_for_last(watch)) {
		/* It is in force until the last is: a start from what was
		 * kept before could permit what it does not. */
		keeper_forget(watch->keeper);
		forget_copy(watch);
		return;
	}
	if (watch->sent != &watch->read)
		return;
	watch->was_refused = false;
	watch->is_read_taken = true;
	forget_before(watch);
	if (!watch->is_how_said)
		say_how(watch);
	keeper_keep(watch->keeper, watch->read.octets, watch->read.len,
	    watch->read.confirmed_us);
	forget_copy(watch);
}

static void
on_refused(void *arg, struct link_message *message)
{
	struct watch *watch = arg;

	(void)message; /* the gateway has logged and recorded it */
	if (!is_for_last(watch) || watch->sent != &watch->read)
		return;
	watch->was_refused = true;
	send_copy(watch);
}

static void
on_closed(void *arg)
{
	struct watch *watch = arg;

	link_free(watch->link);
	watch->link = NULL;
	watch->has_taken = false;
	watch->is_sending = false;
	watch->unanswered = 0;
	watch->is_read_taken = false;
	forget_before(watch);
	(void)evtimer_del(watch->send_more);
	sets_forget(watch->sets);
}

/* ---- sets for who wants to look at them */

/* What the gateway took last; NULL: nothing, or it is not here any more since
 * the next is under way. */
static const struct rules *
rules_in_force(const struct watch *watch)
{
	if (!watch->has_taken)
		return NULL;
	if (watch->is_read_taken)
		return &watch->read;
	if (watch->before.octets != NULL)
		return &watch->before;
	return watch->copy.octets != NULL ? &watch->copy : NULL;
}

static void
on_set_wanted(void *arg, struct link_message *message)
{
	struct watch *watch = arg;
	struct sets_question question = {
	    .link = watch->link, .id = message->id};
	const struct rules *rules = rules_in_force(watch);
	char base[WATCH_BASE_MAX];
	struct reading_source source;
	struct wire_reader reader;

	wire_reader_init(&reader, message->data, message->len);
	question.ticket = wire_get_u32(&reader);
	wire_get_string(&reader, base, sizeof(base));
	if (!wire_is_done(&reader)) {
		sets_fail(&question, "the question is no base");
	} else if (*base != '\0') {
		source = directory_source(watch, base);
		sets_read(watch->sets, &question, &source);
	} else if (rules != NULL) {
		sets_give(watch->sets, &question, rules->octets, rules->len);
	} else {
		sets_fail(&question,
		    "no rules are in force yet, or they are just changing");
	}
}

static void
on_piece_wanted(void *arg, struct link_message *message)
{
	struct watch *watch = arg;

	sets_piece(watch->sets, watch->link, message);
}

static void
on_set_dropped(void *arg, struct link_message *message)
{
	struct watch *watch = arg;
	struct wire_reader reader;

	wire_reader_init(&reader, message->data, message->len);
	sets_drop(watch->sets, wire_get_u32(&reader));
}

static const struct link_handler handlers[] = {
    {WATCH_WANT, 0, 0, on_want},
    {WATCH_TAKEN, 8, 8, on_taken},
    {WATCH_REFUSED, 4, LINK_MESSAGE_MAX, on_refused},
    {WATCH_SET, 8, WATCH_BASE_MAX + 8, on_set_wanted},
    {WATCH_PIECE, 12, 12, on_piece_wanted},
    {WATCH_SET_DROP, 4, 4, on_set_dropped},
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

static void
on_failed(struct watch *watch, const char *why)
{
	/* A start while the directory is silent goes on from the copy. */
	if (watch->read.octets == NULL)
		send_copy(watch);
	if (watch->is_up || strcmp(watch->last_why, why) != 0) {
		(void)strlcpy(watch->last_why, why, WHY_SIZE);
		log_warning(NULL, "rules cannot be read: %s", why);
		say_state(watch, false, watch->last_why);
	}
	watch->is_up = false;
	watch->last_how[0] = '\0';
	read_after(watch, watch->retry_s);
	watch->retry_s = watch->retry_s * 2 < watch->poll_s ? watch->retry_s * 2
							    : watch->poll_s;
}

/* The same rules as before.  Those that the gateway refused are not in
 * force. */
static void
confirm(struct watch *watch)
{
	if (watch->was_refused)
		return;
	say_confirmed(watch);
	keeper_confirm(watch->keeper, watch->read.confirmed_us);
}

static bool
is_read(const struct watch *watch, const uint8_t *set, size_t len)
{
	return watch->read.octets != NULL && len == watch->read.len &&
	       memcmp(set, watch->read.octets, len) == 0;
}

/* Keeps a copy of its own. */
static void
keep_set(struct watch *watch, const uint8_t *set, size_t len)
{
	if (watch->is_read_taken)
		watch->before = watch->read; /* there was none */
	else
		free(watch->read.octets);
	watch->is_read_taken = false;
	watch->read.octets = malloc(len + 1);
	if (watch->read.octets == NULL)
		die("out of memory");
	memcpy(watch->read.octets, set, len);
	watch->read.len = len;
	watch->was_refused = false;
}

static void
on_set(void *arg, const uint8_t *set, size_t len)
{
	struct watch *watch = arg;
	bool was_up = watch->is_up, is_same = is_read(watch, set, len);

	watch->is_up = true;
	watch->last_why[0] = '\0';
	watch->retry_s = RETRY_FIRST_S;
	if (!was_up)
		say_state(watch, true, "rules can be read");
	if (!is_same)
		keep_set(watch, set, len);
	watch->read.confirmed_us = clock_wall_us();
	if (is_same)
		confirm(watch);
	else
		send_rules(watch, &watch->read);
}

static void
on_how(void *arg, bool is_live, const char *how)
{
	struct watch *watch = arg;
	char text[WHY_SIZE];

	if (is_live)
		(void)strlcpy(text, how, sizeof(text));
	else
		(void)snprintf(text, sizeof(text),
		    "rules are read every %u s, changes are not followed%s%s",
		    watch->poll_s, *how != '\0' ? ": " : "", how);
	if (strcmp(text, watch->last_how) != 0) {
		(void)strlcpy(watch->last_how, text, sizeof(text));
		watch->is_how_said = false;
		say_how(watch);
	}
}

static void
on_alive(void *arg)
{
	struct watch *watch = arg;

	/* Of a file's rules the directory says nothing. */
	if (*watch->file != '\0')
		return;
	watch->read.confirmed_us = clock_wall_us();
	confirm(watch);
}

static void
on_subjects(void *arg)
{
	(void)say(arg, WATCH_SUBJECTS, NULL, 0);
}

static void
on_ended(void *arg, const char *why)
{
	struct watch *watch = arg;

	watch->reading = NULL;
	if (*why != '\0')
		on_failed(watch, why);
	else
		read_after(watch, watch->poll_s);
}

static const struct reading_events reading_events = {
    .set = on_set,
    .how = on_how,
    .alive = on_alive,
    .subjects = on_subjects,
    .ended = on_ended,
};

static void
read_now(struct watch *watch)
{
	struct reading_source source = {
	    .file = watch->file,
	    .directory = &watch->directory,
	    .feed = {.way = watch->way,
		.attributes = watch->attributes,
		.timeout_s = watch->directory.timeout_s},
	    .allow_empty = watch->allow_empty,
	    .reread_s = *watch->file != '\0' ? watch->poll_s : watch->reread_s,
	    .deadline_s = deadline_s(watch),
	};

	for (size_t i = 0; i < FEED_TOPICS; i++)
		source.feed.bases[i] = watch->bases[i];
	/* A file's rules are not in the directory. */
	if (*watch->file != '\0')
		source.feed.bases[FEED_RULES] = "";
	(void)evtimer_del(watch->next_reading);
	reading_cancel(watch->reading);
	watch->reading = reading_start(
	    program_base(watch->program), &source, &reading_events, watch);
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
	watch->keeper = keeper_new(program_base(program));
	if (watch->next_reading == NULL || watch->send_more == NULL)
		die("out of memory");
	watch->sets = sets_new(program_base(program));
}

static void
take_file(void *state, const char *name, int fd)
{
	struct watch *watch = state;

	if (strcmp(name, "directory.password") == 0) {
		secret_free(watch->password);
		watch->password = secret_read(fd);
	}
	if (strcmp(name, "policy.file") == 0 && dup2(fd, STDIN_FILENO) < 0)
		die("policy.file cannot be taken: %s", strerror(errno));
	(void)close(fd);
}

static void
free_bases(struct watch *watch)
{
	for (size_t i = 0; i < FEED_TOPICS; i++)
		free(watch->bases[i]);
	attributes_free(watch->attributes);
}

/* What is followed, and how. */
static void
configure_feed(struct watch *watch, const struct options *options)
{
	static const char *const names[FEED_TOPICS] = {"directory.rule_base",
	    "directory.user_base", "directory.group_base"};
	const char *const filters[] = {
	    options_get(options, "directory.user_filter", ""),
	    options_get(options, "directory.group_filter", ""),
	    options_get(options, "directory.account_filter", "")};
	const char *live = options_get(options, "directory.live", "auto");

	free_bases(watch);
	for (size_t i = 0; i < FEED_TOPICS; i++)
		watch->bases[i] = options_copy(options, names[i]);
	watch->attributes =
	    attributes_that_matter(filters, ARRAY_COUNT(filters));
	for (size_t i = 0; i < ARRAY_COUNT(ways); i++)
		if (strcmp(live, ways[i]) == 0)
			watch->way = (enum feed_way)i;
}

static int
configure(
    void *state, const struct options *options, char *why, size_t why_size)
{
	struct watch *watch = state;
	const char *folder;
	char copy_path[PATH_MAX];

	(void)why;
	(void)why_size;
	directory_settings_fini(&watch->directory);
	directory_settings_init(&watch->directory, options, watch->password);
	watch->password = NULL;
	directory_settings_export(&watch->directory);
	free(watch->file);
	watch->file = options_copy(options, "policy.file");
	configure_feed(watch, options);
	watch->poll_s =
	    (unsigned)options_get_u64(options, "directory.poll_interval", 30);
	watch->reread_s = (unsigned)options_get_u64(
	    options, "directory.reread_interval", 600);
	watch->allow_empty =
	    options_get_bool(options, "policy.allow_empty", false);
	/* Without a folder no copy is kept, and there is none. */
	folder = options_get(options, "state_dir", "");
	(void)snprintf(copy_path, sizeof(copy_path), "%s%s", folder,
	    *folder != '\0' ? "/rules" : "");
	keeper_set_path(watch->keeper, copy_path);
	watch->retry_s = RETRY_FIRST_S;
	read_now(watch);
	return 0;
}

static void
on_idle(void *arg)
{
	struct watch *watch = arg;

	keeper_free(watch->keeper);
	program_exit(watch->program);
}

/* What was taken is on disk, then it ends. */
static void
stop(void *state)
{
	struct watch *watch = state;

	reading_cancel(watch->reading);
	sets_free(watch->sets);
	link_free(watch->link);
	event_free(watch->next_reading);
	event_free(watch->send_more);
	directory_settings_fini(&watch->directory);
	secret_free(watch->password);
	free(watch->file);
	free_bases(watch);
	free(watch->read.octets);
	free(watch->copy.octets);
	forget_before(watch);
	keeper_when_idle(watch->keeper, on_idle, watch);
}

static const struct program_functions functions = {
    .role = ROLE_DIRECTORY_WATCH,
    .needs = SANDBOX_NETWORK | SANDBOX_PROCESSES,
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
