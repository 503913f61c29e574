/* SPDX-License-Identifier: ISC */
/*
 * gatewarden-auditor: takes records from the programs of the house, numbers
 * them, keeps them in the spool, and hands them to syslog.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/audit_record.h"
#include "base/clock.h"
#include "base/link.h"
#include "base/log.h"
#include "base/must.h"
#include "base/program.h"
#include "base/sandbox_confine.h"
#include "base/wire.h"
#include "gateway/audit_protocol.h"
#include "gateway/audit_trail.h"
#include "gateway/facility.h"
#include "gateway/open_sessions.h"

_Static_assert(ROLE_COUNT <= 16, "a role has four bits in a source's key");

#define OPEN_SESSIONS_MAX 262144 /* of one sender */
#define DAY_S		  86400
#define MEBIOCTET	  ((uint64_t)1024 * 1024)
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
	uint64_t source; /* 0 before the first record */
	uint64_t taken;	 /* the last of its numbers that is in the spool */
	uint64_t marked; /* ... that will be safe next */
	uint64_t safe;	 /* ... that is */
	uint64_t acked;
	bool was_told;	/* that nothing can be taken */
	bool is_owed;	/* to hear that something can be again */
	bool is_behind; /* some were passed over: they will come again */
	struct open_sessions *open;
};

struct auditor {
	struct program *program;
	struct audit_trail *trail; /* NULL before the first configuration */
	LIST_HEAD(, sender) senders;
	/* Sessions that auditors before us saw open, and those of gateways
	 * that have died; and the first number of the newest gateway's. */
	struct open_sessions *orphans;
	bool has_orphans; /* they were read */
	uint64_t newest;
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
	uint8_t data[AUDIT_HEADER_SIZE];
	struct wire_writer writer;

	if (sender->source == 0 || sender->safe <= sender->acked ||
	    sender->link == NULL)
		return;
	wire_writer_init(&writer, data, sizeof(data));
	wire_put_u64(&writer, sender->source);
	wire_put_u64(&writer, sender->safe);
	/* One that is lost here is made good by the next. */
	if (link_send(sender->link, AUDIT_ACK, 0, data, writer.len) == 0)
		sender->acked = sender->safe;
}

static void
on_mark(void *arg)
{
	struct auditor *auditor = arg;
	struct sender *sender;

	LIST_FOREACH (sender, &auditor->senders, entry)
		sender->marked = sender->taken;
}

static void
on_safe(void *arg)
{
	struct auditor *auditor = arg;
	struct sender *sender;

	LIST_FOREACH (sender, &auditor->senders, entry) {
		sender->safe = sender->marked;
		send_ack(sender);
	}
}

static bool
write_crashed_session(void *arg, const struct audit_record *record)
{
	struct auditor *auditor = arg;

	return audit_trail_write(auditor->trail, 0, 0, record);
}

/* What no gateway that lives can close. */
static void
close_orphans(struct auditor *auditor)
{
	open_sessions_crash(
	    auditor->orphans, auditor->newest, write_crashed_session, auditor);
}

/* Where the link takes nothing now, the sender's next record is the time to
 * try again. */
static void
tell_sender(struct sender *sender)
{
	bool is_failing = audit_trail_is_failing(sender->auditor->trail);

	if (sender->link == NULL ||
	    (is_failing ? sender->was_told : !sender->is_owed))
		return;
	if (link_send(sender->link, is_failing ? AUDIT_FAILING : AUDIT_AGAIN, 0,
		NULL, 0) < 0)
		return;
	sender->was_told = sender->is_owed = is_failing;
}

static void
remember_session(void *arg, const struct audit_record *record)
{
	open_sessions_note(arg, record);
}

/* Once, as soon as there is a spool to read. */
static void
read_orphans(struct auditor *auditor)
{
	if (auditor->has_orphans)
		return;
	auditor->has_orphans = true;
	audit_trail_sessions(
	    auditor->trail, remember_session, auditor->orphans);
}

/* Who was met while there was no state to ask. */
static void
recall_source(struct sender *sender)
{
	if (sender->source != 0)
		sender->taken = audit_trail_taken(
		    sender->auditor->trail, source_key(sender));
}

static void
on_failing(void *arg, bool is_failing)
{
	struct auditor *auditor = arg;
	struct sender *sender;

	if (!is_failing)
		read_orphans(auditor);
	LIST_FOREACH (sender, &auditor->senders, entry) {
		if (!is_failing)
			recall_source(sender);
		tell_sender(sender);
	}
	if (!is_failing)
		close_orphans(auditor);
}

/* A source's numbers begin with the time of its program's start, those of
 * threads and sessions behind it (gateway.c, audit_source). */
static void
meet_gateway(struct auditor *auditor, uint64_t source)
{
	uint64_t first = source & ~(uint64_t)0xff;

	if (first > auditor->newest)
		auditor->newest = first;
	close_orphans(auditor);
}

static void
meet_source(struct sender *sender, uint64_t source)
{
	struct auditor *auditor = sender->auditor;

	sender->source = source;
	sender->taken = audit_trail_taken(auditor->trail, source_key(sender));
	sender->marked = sender->safe = sender->acked = 0;
	if (sender->role == ROLE_GATEWAY)
		meet_gateway(auditor, source);
}

static void
note_session(struct sender *sender, const struct audit_record *record)
{
	open_sessions_note(sender->open, record);
	if (record->event == AUDIT_CLOSE)
		open_sessions_note(sender->auditor->orphans, record);
}

static void
take_record(
    struct sender *sender, uint64_t number, const struct audit_record *record)
{
	struct auditor *auditor = sender->auditor;

	if (number <= sender->taken) { /* sent again, and known */
		audit_trail_confirm(auditor->trail);
		return;
	}
	/* Behind one that was passed over nothing is taken. */
	if (sender->is_behind && number != sender->taken + 1)
		return;
	sender->is_behind = !audit_trail_write(
	    auditor->trail, source_key(sender), number, record);
	if (sender->is_behind) {
		sender->is_owed = true;
		return;
	}
	sender->taken = number;
	note_session(sender, record);
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
	tell_sender(sender);
	if (source != sender->source)
		meet_source(sender, source);
	take_record(sender, number, &record);
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

	if (sender->role == ROLE_GATEWAY && !auditor->stopping) {
		open_sessions_crash(
		    sender->open, UINT64_MAX, write_crashed_session, auditor);
		open_sessions_move(sender->open, auditor->orphans);
	}
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
	tell_sender(sender);
}

/* What the master says */

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

static void
start_trail(struct auditor *auditor, const struct options *options)
{
	static const struct audit_trail_functions functions = {
	    .mark = on_mark,
	    .safe = on_safe,
	    .failing = on_failing,
	};
	struct audit_trail_settings settings = {
	    .folder = options_get(options, "state_dir", ""),
	    .target = options_get(options, "audit.target", ""),
	    .tls =
		{
		    .ca_file = options_get(options, "audit.tls_ca_file", ""),
		    .name = options_get(options, "audit.tls_name", ""),
		    .certificate =
			options_get(options, "audit.tls_certificate", ""),
		    .key = options_get(options, "audit.tls_key", ""),
		},
	    .rfc5424 = strcmp(options_get(options, "audit.format", ""),
			   "rfc5424") == 0,
	    .sd_id = options_get(options, "audit.sd_id", ""),
	    .instance = options_get(options, "audit.instance", ""),
	    .boot_id = options_get(options, "boot_id", ""),
	    .spool_max =
		options_get_u64(options, "audit.spool_max", 256) * MEBIOCTET,
	    .keep_s = options_get_u64(options, "audit.keep_days", 0) * DAY_S,
	    .durable =
		strcmp(options_get(options, "audit.durable", ""), "group") == 0,
	};

	must(facility_parse(
	    options_get(options, "audit.facility", ""), &settings.facility));
	auditor->trail = audit_trail_new(
	    program_base(auditor->program), &settings, &functions, auditor);
	if (!audit_trail_is_failing(auditor->trail))
		read_orphans(auditor);
}

static int
on_configure(
    void *state, const struct options *options, char *why, size_t why_size)
{
	struct auditor *auditor = state;
	struct sender *sender;

	(void)why;
	(void)why_size;
	/* All of them need a restart. */
	if (auditor->trail != NULL)
		return 0;
	start_trail(auditor, options);
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
	uint64_t waiting = audit_trail_waiting(auditor->trail);
	bool is_quiet = waiting == 0 && audit_trail_is_safe(auditor->trail) &&
			now_us - auditor->stop_us >= STOP_QUIET_US &&
			now_us - auditor->last_received_us >= STOP_QUIET_US;

	(void)fd;
	(void)what;
	if (!is_quiet && now_us - auditor->stop_us < STOP_MAX_US) {
		(void)event_add(&auditor->stop_look, &again);
		return;
	}
	if (waiting > 0)
		log_warning(NULL,
		    "%" PRIu64 " audit records wait in the spool for their "
		    "receiver",
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
describe(const void *state, char *facts, size_t size)
{
	const struct auditor *auditor = state;

	if (auditor->trail != NULL)
		audit_trail_describe(auditor->trail, facts, size);
}

static void
on_start(void *state, struct program *program)
{
	struct auditor *auditor = state;

	auditor->program = program;
	auditor->orphans = open_sessions_new(OPEN_SESSIONS_MAX);
	LIST_INIT(&auditor->senders);
	(void)event_assign(&auditor->stop_look, program_base(program), -1, 0,
	    on_stop_look, auditor);
}

int
main(int argc, char **argv)
{
	static const struct program_functions functions = {
	    .role = ROLE_AUDITOR,
	    .needs = SANDBOX_NETWORK | SANDBOX_THREADS,
	    .configure = on_configure,
	    .linked = on_linked,
	    .describe = describe,
	    .stop = on_stop,
	};
	static struct auditor auditor;

	program_run(&functions, on_start, &auditor, argc, argv);
}
