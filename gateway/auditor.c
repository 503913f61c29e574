/* SPDX-License-Identifier: ISC */
/*
 * gatewarden-auditor: takes records from the programs of the house, numbers
 * them, and hands them to syslog.
 *
 * It knows of a session only from the records that it has seen: where the
 * gateway dies after the auditor did, sessions from before that have no
 * record of their end.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/audit_record.h"
#include "base/clock.h"
#include "base/link.h"
#include "base/log.h"
#include "base/must.h"
#include "base/program.h"
#include "base/wire.h"
#include "gateway/audit_protocol.h"
#include "gateway/audit_state.h"
#include "gateway/audit_trail.h"
#include "gateway/facility.h"
#include "gateway/open_sessions.h"

_Static_assert(ROLE_COUNT <= 16, "a role has four bits in a source's key");

#define OPEN_SESSIONS_MAX 262144 /* of one sender */
#define STOP_MAX_US	  2000000
#define STOP_QUIET_US	  50000 /* nothing came and nothing waits */
#define STOP_LOOK_US	  10000

struct auditor;

/* A sender of records. */
struct sender {
	LIST_ENTRY(sender) entry;
	struct auditor *auditor;
	enum role role;
	int fd; /* until the first configuration; then -1 */
	struct link *link;
	uint64_t source;   /* 0 before the first record */
	uint64_t received; /* the last of its numbers that came */
	uint64_t acked;
	struct open_sessions *open;
};

struct auditor {
	struct program *program;
	int state_fd;
	struct audit_state *state;
	struct audit_trail *trail; /* NULL before the first configuration */
	LIST_HEAD(, sender) senders;
	struct event stop_look;
	bool stopping;
	uint64_t stop_us, last_received_us;
};

/* Records */

/* What the state knows a source by.  The role in it keeps one program from
 * speaking for another. */
static uint64_t
source_key(const struct sender *sender)
{
	return sender->source << 4 | (uint64_t)sender->role;
}

static void
send_ack(struct sender *sender)
{
	uint64_t taken =
	    audit_state_taken(sender->auditor->state, source_key(sender));
	uint8_t data[AUDIT_HEADER_SIZE];
	struct wire_writer writer;

	if (sender->source == 0 || taken <= sender->acked)
		return;
	wire_writer_init(&writer, data, sizeof(data));
	wire_put_u64(&writer, sender->source);
	wire_put_u64(&writer, taken);
	/* One that is lost here is made good by the next. */
	if (link_send(sender->link, AUDIT_ACK, 0, data, writer.len) == 0)
		sender->acked = taken;
}

static void
on_taken(void *arg)
{
	struct auditor *auditor = arg;
	struct sender *sender;

	LIST_FOREACH (sender, &auditor->senders, entry)
		send_ack(sender);
}

static void
on_record(void *arg, struct link_message *message)
{
	struct sender *sender = arg;
	struct auditor *auditor = sender->auditor;
	struct audit_record record;
	struct wire_reader reader;
	uint64_t source, number;

	wire_reader_init(&reader, message->data, message->len);
	source = wire_get_u64(&reader);
	number = wire_get_u64(&reader);
	if (source == 0 || source > AUDIT_SOURCE_MAX || number == 0 ||
	    !audit_record_decode(message->data + AUDIT_HEADER_SIZE,
		message->len - AUDIT_HEADER_SIZE, &record)) {
		log_error(NULL, "a %s sent what is no audit record",
		    role_name(sender->role));
		return;
	}
	auditor->last_received_us = clock_monotonic_us();
	if (source != sender->source) {
		sender->source = source;
		sender->received =
		    audit_trail_received(auditor->trail, source_key(sender));
		sender->acked = 0;
	}
	if (number <= sender->received) { /* sent again, and known */
		send_ack(sender);
		return;
	}
	sender->received = number;
	open_sessions_note(sender->open, &record);
	audit_trail_write(auditor->trail, source_key(sender), number, &record);
}

static void
on_crashed_session(void *arg, const struct audit_record *record)
{
	struct auditor *auditor = arg;

	audit_trail_write(auditor->trail, 0, 0, record);
}

static void
sender_free(struct sender *sender)
{
	LIST_REMOVE(sender, entry);
	link_free(sender->link);
	open_sessions_free(sender->open);
	free(sender);
}

static void
on_sender_gone(void *arg)
{
	struct sender *sender = arg;
	struct auditor *auditor = sender->auditor;

	if (sender->role == ROLE_GATEWAY && !auditor->stopping)
		open_sessions_crash(sender->open, on_crashed_session, auditor);
	sender_free(sender);
}

static const struct link_handler handlers[] = {
    {AUDIT_RECORD, AUDIT_HEADER_SIZE, AUDIT_RECORD_MESSAGE_MAX, on_record},
    {.handle = NULL},
};

static void
sender_start(struct sender *sender)
{
	sender->link = link_new(program_base(sender->auditor->program),
	    sender->fd, handlers, on_sender_gone, sender);
	sender->fd = -1;
	if (sender->link == NULL)
		die("no memory for a link");
}

/* What the master says */

static void
on_file(void *state, const char *name, int fd)
{
	struct auditor *auditor = state;

	must(strcmp(name, "auditor.state") == 0);
	if (auditor->state_fd >= 0)
		(void)close(auditor->state_fd);
	auditor->state_fd = fd;
}

static void
on_linked(void *state, enum role peer, uint32_t index, uint32_t slot, int fd)
{
	struct auditor *auditor = state;
	struct sender *sender = must_alloc(1, sizeof(*sender));

	(void)index;
	(void)slot;
	sender->auditor = auditor;
	sender->role = peer;
	sender->fd = fd;
	sender->open = open_sessions_new(OPEN_SESSIONS_MAX);
	LIST_INSERT_HEAD(&auditor->senders, sender, entry);
	/* Its records may come before we know where they go. */
	if (auditor->trail != NULL)
		sender_start(sender);
}

static int
on_configure(
    void *state, const struct options *options, char *why, size_t why_size)
{
	struct auditor *auditor = state;
	struct audit_trail_settings settings = {
	    .target = options_get(options, "audit.target", ""),
	    .rfc5424 = strcmp(options_get(options, "audit.format", ""),
			   "rfc5424") == 0,
	    .sd_id = options_get(options, "audit.sd_id", ""),
	    .instance = options_get(options, "audit.instance", ""),
	    .boot_id = options_get(options, "boot_id", ""),
	    .queue_max = options_get_u64(options, "audit.queue_max", 10000),
	};
	struct sender *sender;

	(void)why;
	(void)why_size;
	/* All of them need a restart. */
	if (auditor->trail != NULL)
		return 0;
	must(facility_parse(
	    options_get(options, "audit.facility", ""), &settings.facility));
	auditor->state = audit_state_open(auditor->state_fd);
	auditor->state_fd = -1;
	auditor->trail = audit_trail_new(program_base(auditor->program),
	    auditor->state, &settings, on_taken, auditor);
	LIST_FOREACH (sender, &auditor->senders, entry)
		sender_start(sender);
	return 0;
}

/* Whether all that is to come has come and went, or took too long. */
static void
on_stop_look(evutil_socket_t fd, short what, void *arg)
{
	const struct timeval again = {.tv_usec = STOP_LOOK_US};
	struct auditor *auditor = arg;
	uint64_t now_us = clock_monotonic_us();
	size_t waiting = audit_trail_waiting(auditor->trail);
	bool is_quiet = waiting == 0 &&
			now_us - auditor->stop_us >= STOP_QUIET_US &&
			now_us - auditor->last_received_us >= STOP_QUIET_US;

	(void)fd;
	(void)what;
	if (!is_quiet && now_us - auditor->stop_us < STOP_MAX_US) {
		(void)event_add(&auditor->stop_look, &again);
		return;
	}
	if (waiting > 0)
		log_error(NULL, "%zu audit records could not be handed over",
		    waiting);
	program_exit(auditor->program);
}

static void
on_stop(void *state)
{
	struct auditor *auditor = state;

	if (auditor->trail == NULL || auditor->stopping) {
		program_exit(auditor->program);
		return;
	}
	auditor->stopping = true;
	auditor->stop_us = clock_monotonic_us();
	on_stop_look(-1, 0, auditor);
}

static void
on_start(void *state, struct program *program)
{
	struct auditor *auditor = state;

	auditor->program = program;
	auditor->state_fd = -1;
	LIST_INIT(&auditor->senders);
	(void)event_assign(&auditor->stop_look, program_base(program), -1, 0,
	    on_stop_look, auditor);
}

int
main(int argc, char **argv)
{
	static const struct program_functions functions = {
	    .role = ROLE_AUDITOR,
	    .configure = on_configure,
	    .file = on_file,
	    .linked = on_linked,
	    .stop = on_stop,
	};
	static struct auditor auditor;

	program_run(&functions, on_start, &auditor, argc, argv);
}
