/* SPDX-License-Identifier: ISC */
/* Where the rules come from: whole sets from directory-watch. */
#include "gateway/policy_source.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/audit_record.h"
#include "base/link.h"
#include "base/log.h"
#include "base/must.h"
#include "base/wire.h"
#include "gateway/audit_sender.h"
#include "gateway/worker.h"
#include "policy/entry.h"
#include "policy/intake.h"
#include "policy/ruleset.h"
#include "policy/watch_protocol.h"

#define WHY_SIZE 1024

struct policy_source {
	struct event_base *base;
	struct shared *shared;
	struct audit_sender *audit;
	bool has_directory;
	const struct policy_source_events *events;
	void *arg;
	bool is_settled;

	struct link *link;
	struct intake intake; /* between BEGIN and COMMIT */
	bool is_begun;
	char why[WHY_SIZE];  /* the first thing wrong with it */
	uint64_t generation; /* of the last set taken */
	uint32_t last_ticket;
};

static void
record(struct policy_source *source, enum audit_event event, bool failed,
    const char *detail)
{
	struct audit_record entry = {
	    .event = event,
	    .reason = failed ? REASON_POLICY_UNAVAILABLE : REASON_OK,
	    .failed = failed,
	    .generation = source->generation,
	};

	(void)strlcpy(entry.detail, detail, sizeof(entry.detail));
	audit_sender_write(source->audit, &entry);
}

static void
settle(struct policy_source *source)
{
	if (source->is_settled)
		return;
	source->is_settled = true;
	source->events->settled(source->arg);
}

/* The first is what is logged and recorded. */
static void
on_wrong(void *arg, const char *why)
{
	struct policy_source *source = arg;

	if (source->why[0] == '\0')
		(void)strlcpy(source->why, why, WHY_SIZE);
}

static void
on_begin(void *arg, struct link_message *message)
{
	struct policy_source *source = arg;

	(void)message;
	source->is_begun = true;
	source->why[0] = '\0';
	intake_fini(&source->intake);
	intake_begin(&source->intake, on_wrong, source);
}

/* Goes on after the first error only to reach the COMMIT. */
static void
on_put(void *arg, struct link_message *message)
{
	struct policy_source *source = arg;
	struct entry *entry;

	if (!source->is_begun || source->why[0] != '\0')
		return;
	entry = entry_decode(message->data, message->len);
	if (entry == NULL)
		intake_add_broken(&source->intake);
	else
		intake_add(&source->intake, entry);
	entry_free(entry);
}

static struct ruleset *
build(struct policy_source *source)
{
	if (!source->is_begun) {
		(void)strlcpy(source->why, "no set was begun", WHY_SIZE);
		return NULL;
	}
	source->is_begun = false;
	return intake_end(
	    &source->intake, source->generation + 1, source->has_directory);
}

static void
refuse(struct policy_source *source)
{
	uint8_t text[WHY_SIZE + 8];
	struct wire_writer writer;

	log_error(NULL, "rules refused: %s", source->why);
	record(source, AUDIT_RELOAD, true, source->why);
	wire_writer_init(&writer, text, sizeof(text));
	wire_put_string(&writer, source->why);
	if (link_send(source->link, WATCH_REFUSED, 0, text, writer.len) != 0)
		log_warning(NULL, "directory-watch cannot be told");
}

static void
say_taken(struct policy_source *source)
{
	uint8_t generation[8];
	struct wire_writer writer;

	wire_writer_init(&writer, generation, sizeof(generation));
	wire_put_u64(&writer, source->generation);
	if (link_send(source->link, WATCH_TAKEN, 0, generation, writer.len) !=
	    0)
		log_warning(NULL, "directory-watch cannot be told");
}

static void
take(struct policy_source *source, struct ruleset *rules, bool is_copy)
{
	char text[128];

	source->generation++;
	(void)snprintf(text, sizeof(text), "%zu rules%s", ruleset_count(rules),
	    is_copy ? " from the copy on disk" : "");
	log_info(NULL, "policy generation %" PRIu64 ": %s", source->generation,
	    text);
	record(source, AUDIT_RELOAD, false, text);
	source->events->changed(source->arg, rules);
	say_taken(source);
}

/* A directory-watch that was started anew does not know what is in force.  A
 * copy is never newer than that, and may be older if the disk has failed. */
static bool
is_copy_of_the_past(const struct policy_source *source, bool is_copy)
{
	return is_copy && source->generation > 0;
}

static void
on_commit(void *arg, struct link_message *message)
{
	struct policy_source *source = arg;
	struct wire_reader reader;
	struct ruleset *rules;
	uint64_t confirmed_us;
	bool is_copy;

	wire_reader_init(&reader, message->data, message->len);
	confirmed_us = wire_get_u64(&reader);
	is_copy = wire_get_u8(&reader) != 0;
	rules = build(source);
	if (rules == NULL) {
		refuse(source);
		settle(source);
		return;
	}
	atomic_store(&source->shared->directory_up, !is_copy);
	if (is_copy_of_the_past(source, is_copy)) {
		say_taken(source);
	} else {
		atomic_store(&source->shared->confirmed_us, confirmed_us);
		take(source, rules, is_copy);
	}
	ruleset_unref(rules);
	settle(source);
}

static void
on_confirm(void *arg, struct link_message *message)
{
	struct policy_source *source = arg;
	struct wire_reader reader;

	wire_reader_init(&reader, message->data, message->len);
	atomic_store(&source->shared->confirmed_us, wire_get_u64(&reader));
	atomic_store(&source->shared->directory_up, true);
}

static void
on_state(void *arg, struct link_message *message)
{
	struct policy_source *source = arg;
	struct wire_reader reader;
	char text[WHY_SIZE];
	bool up;

	wire_reader_init(&reader, message->data, message->len);
	up = wire_get_u8(&reader) != 0;
	wire_get_string(&reader, text, sizeof(text));
	if (reader.failed)
		(void)strlcpy(text, "?", sizeof(text));
	atomic_store(&source->shared->directory_up, up);
	if (up)
		log_info(NULL, "directory: %s", text);
	else
		log_warning(NULL, "directory: %s", text);
	record(source, AUDIT_DEPENDENCY, !up, text);
	/* That rules can be read comes before them; the copy on disk before
	 * the word that it is needed. */
	if (!up && !source->is_begun)
		settle(source);
}

static void
on_subjects(void *arg, struct link_message *message)
{
	struct policy_source *source = arg;

	(void)message;
	source->events->subjects_changed(source->arg);
}

/* A late answer to policy_source_ask ends here. */
static void
on_unasked(void *arg, struct link_message *message)
{
	(void)arg;
	(void)message;
}

static void
on_closed(void *arg)
{
	struct policy_source *source = arg;

	/* The master starts it anew and links it; the rules stay, and age:
	 * nobody confirms them before it is back. */
	log_warning(NULL, "directory-watch is gone");
	atomic_store(&source->shared->directory_up, false);
	link_free(source->link);
	source->link = NULL;
}

static const struct link_handler handlers[] = {
    {WATCH_BEGIN, 0, 0, on_begin},
    {WATCH_PUT, 1, LINK_MESSAGE_MAX, on_put},
    {WATCH_COMMIT, 9, 9, on_commit},
    {WATCH_CONFIRM, 8, 8, on_confirm},
    {WATCH_STATE, 5, LINK_MESSAGE_MAX, on_state},
    {WATCH_SUBJECTS, 0, 0, on_subjects},
    {WATCH_SET_READY, 8, 8, on_unasked},
    {WATCH_OCTETS, 0, WATCH_PIECE_MAX, on_unasked},
    {WATCH_SET_FAILED, 4, LINK_MESSAGE_MAX, on_unasked},
    {0, 0, 0, NULL},
};

struct policy_source *
policy_source_new(struct event_base *base, struct shared *shared,
    struct audit_sender *audit, bool has_directory,
    const struct policy_source_events *events, void *arg)
{
	struct policy_source *source = must_alloc(1, sizeof(*source));

	source->base = base;
	source->shared = shared;
	source->audit = audit;
	source->has_directory = has_directory;
	source->events = events;
	source->arg = arg;
	return source;
}

void
policy_source_free(struct policy_source *source)
{
	if (source == NULL)
		return;
	link_free(source->link);
	intake_fini(&source->intake);
	free(source);
}

void
policy_source_link(struct policy_source *source, int fd)
{
	link_free(source->link);
	source->link = link_new(source->base, fd, handlers, on_closed, source);
	if (source->link == NULL) {
		log_error(
		    NULL, "cannot link directory-watch: %s", strerror(errno));
		return;
	}
	if (link_send(source->link, WATCH_WANT, 0, NULL, 0) != 0)
		log_error(NULL, "cannot ask directory-watch for the rules");
}

struct question *
policy_source_ask(struct policy_source *source, uint16_t type, const void *data,
    size_t len, unsigned timeout_ms, question_done_fn *done, void *arg)
{
	if (source->link == NULL) {
		errno = EPIPE;
		return NULL;
	}
	return question_start(
	    source->link, type, data, len, timeout_ms, done, arg);
}

uint32_t
policy_source_ticket(struct policy_source *source)
{
	if (++source->last_ticket == 0)
		source->last_ticket = 1;
	return source->last_ticket;
}

void
policy_source_tell(
    struct policy_source *source, uint16_t type, const void *data, size_t len)
{
	if (source->link != NULL &&
	    link_send(source->link, type, 0, data, len) != 0)
		log_debug(NULL, "directory-watch cannot be told");
}
