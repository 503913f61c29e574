/* SPDX-License-Identifier: ISC */
/* The sending side of the audit trail. */
#include "gateway/audit_sender.h"

#include <errno.h>
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
#include "base/wire.h"
#include "gateway/audit_protocol.h"

#define RETRY_US 100000 /* where the link could not take more */

/* A record that was not acknowledged yet, as it goes over the link. */
struct kept {
	TAILQ_ENTRY(kept) entry;
	uint64_t number;
	size_t len;
	uint8_t message[];
};

/* Who waits for a record's acknowledgement. */
struct audit_await {
	TAILQ_ENTRY(audit_await) entry;
	struct audit_sender *sender;
	uint64_t number; /* 0: it could not be kept */
	void (*kept)(void *arg, bool is_kept);
	void *arg;
};

struct audit_sender {
	struct event_base *base;
	uint64_t source;
	uint64_t last_number;
	TAILQ_HEAD(kept_list, kept) kept;
	size_t kept_count, kept_bytes;
	struct kept *unsent; /* the first that this link has not got */
	uint64_t lost;	     /* and not yet told */
	struct link *link;   /* NULL: the auditor is gone */
	bool is_failing;     /* so says the auditor */
	struct event retry;
	TAILQ_HEAD(await_list, audit_await) awaits; /* in order */
	struct event settle;
};

/* What is left to be sent, as far as the link takes it. */
static void
send_more(struct audit_sender *sender)
{
	const struct timeval later = {.tv_usec = RETRY_US};

	while (sender->unsent != NULL && sender->link != NULL) {
		struct kept *kept = sender->unsent;
		int status = link_send(
		    sender->link, AUDIT_RECORD, 0, kept->message, kept->len);

		if (status == -EPIPE)
			return; /* a new link sends all of it again */
		if (status < 0) {
			(void)event_add(&sender->retry, &later);
			return;
		}
		sender->unsent = TAILQ_NEXT(kept, entry);
	}
}

static void
on_retry(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	send_more(arg);
}

static bool
has_room(const struct audit_sender *sender, size_t bytes)
{
	size_t limit = AUDIT_SENDER_KEEP_MAX;

	/* Once records are lost, one gap record tells of many. */
	if (sender->lost > 0)
		limit /= 2;
	return sender->kept_bytes + bytes <= limit;
}

/* False if it cannot be kept. */
static bool
keep(struct audit_sender *sender, const struct audit_record *record)
{
	uint8_t message[AUDIT_RECORD_MESSAGE_MAX];
	struct wire_writer writer;
	size_t len;
	struct kept *kept;

	len = AUDIT_HEADER_SIZE +
	      audit_record_encode(record, message + AUDIT_HEADER_SIZE);
	if (!has_room(sender, sizeof(*kept) + len) ||
	    (kept = malloc(sizeof(*kept) + len)) == NULL)
		return false;
	wire_writer_init(&writer, message, AUDIT_HEADER_SIZE);
	wire_put_u64(&writer, sender->source);
	wire_put_u64(&writer, ++sender->last_number);
	memcpy(kept->message, message, len);
	kept->len = len;
	kept->number = sender->last_number;
	TAILQ_INSERT_TAIL(&sender->kept, kept, entry);
	sender->kept_count++;
	sender->kept_bytes += sizeof(*kept) + len;
	if (sender->unsent == NULL)
		sender->unsent = kept;
	return true;
}

/* Tells of lost records, as soon as there is room. */
static void
keep_gap(struct audit_sender *sender)
{
	const struct audit_record gap = {
	    .event = AUDIT_GAP,
	    .failed = true,
	    .time_us = clock_wall_us(),
	    .lost = sender->lost,
	    .detail = "the auditor did not take records for too long",
	};

	if (sender->lost > 0 && keep(sender, &gap))
		sender->lost = 0;
}

static void
drop(struct audit_sender *sender, struct kept *kept)
{
	if (sender->unsent == kept)
		sender->unsent = TAILQ_NEXT(kept, entry);
	TAILQ_REMOVE(&sender->kept, kept, entry);
	sender->kept_count--;
	sender->kept_bytes -= sizeof(*kept) + kept->len;
	free(kept);
}

/* Who waits for a record up to that number: it is kept, or not for now. */
static void
tell_awaits(struct audit_sender *sender, uint64_t last, bool is_good)
{
	struct audit_await *await;

	while ((await = TAILQ_FIRST(&sender->awaits)) != NULL &&
	       await->number <= last) {
		bool is_kept = is_good && await->number != 0;
		void (*kept)(void *arg, bool is_kept) = await->kept;
		void *owner = await->arg;

		audit_await_cancel(await);
		kept(owner, is_kept);
	}
}

static void
on_settle(evutil_socket_t fd, short what, void *arg)
{
	struct audit_sender *sender = arg;
	const struct kept *first = TAILQ_FIRST(&sender->kept);

	(void)fd;
	(void)what;
	tell_awaits(sender,
	    first != NULL ? first->number - 1 : sender->last_number, true);
}

struct audit_await *
audit_sender_await(struct audit_sender *sender,
    void (*kept)(void *arg, bool is_kept), void *arg)
{
	struct audit_await *await = calloc(1, sizeof(*await));

	if (await == NULL)
		return NULL;
	await->sender = sender;
	await->number = sender->lost > 0 ? 0 : sender->last_number;
	await->kept = kept;
	await->arg = arg;
	if (await->number == 0)
		TAILQ_INSERT_HEAD(&sender->awaits, await, entry);
	else
		TAILQ_INSERT_TAIL(&sender->awaits, await, entry);
	event_active(&sender->settle, EV_TIMEOUT, 0);
	return await;
}

void
audit_await_cancel(struct audit_await *await)
{
	if (await == NULL)
		return;
	TAILQ_REMOVE(&await->sender->awaits, await, entry);
	free(await);
}

static void
on_ack(void *arg, struct link_message *message)
{
	struct audit_sender *sender = arg;
	struct wire_reader reader;
	uint64_t source, number;
	struct kept *kept;

	wire_reader_init(&reader, message->data, message->len);
	source = wire_get_u64(&reader);
	number = wire_get_u64(&reader);
	if (!wire_is_done(&reader) || source != sender->source)
		return;
	while ((kept = TAILQ_FIRST(&sender->kept)) != NULL &&
	       kept->number <= number)
		drop(sender, kept);
	keep_gap(sender);
	send_more(sender);
	event_active(&sender->settle, EV_TIMEOUT, 0);
}

static void
on_failing(void *arg, struct link_message *message)
{
	struct audit_sender *sender = arg;

	(void)message;
	sender->is_failing = true;
	tell_awaits(sender, sender->last_number, false);
}

static void
on_again(void *arg, struct link_message *message)
{
	struct audit_sender *sender = arg;

	(void)message;
	sender->is_failing = false;
	sender->unsent = TAILQ_FIRST(&sender->kept);
	send_more(sender);
}

static void
on_closed(void *arg)
{
	struct audit_sender *sender = arg;

	link_free(sender->link);
	sender->link = NULL;
	(void)event_del(&sender->retry);
}

static const struct link_handler handlers[] = {
    {AUDIT_ACK, AUDIT_HEADER_SIZE, AUDIT_HEADER_SIZE, on_ack},
    {AUDIT_FAILING, 0, 0, on_failing},
    {AUDIT_AGAIN, 0, 0, on_again},
    {.handle = NULL},
};

struct audit_sender *
audit_sender_new(struct event_base *base, uint64_t source)
{
	struct audit_sender *sender = calloc(1, sizeof(*sender));

	must(source != 0 && source <= AUDIT_SOURCE_MAX);
	if (sender == NULL)
		return NULL;
	sender->base = base;
	sender->source = source;
	TAILQ_INIT(&sender->kept);
	TAILQ_INIT(&sender->awaits);
	(void)event_assign(&sender->settle, base, -1, 0, on_settle, sender);
	(void)event_assign(&sender->retry, base, -1, 0, on_retry, sender);
	return sender;
}

void
audit_sender_free(struct audit_sender *sender)
{
	struct kept *kept;

	if (sender == NULL)
		return;
	link_free(sender->link);
	(void)event_del(&sender->retry);
	(void)event_del(&sender->settle);
	while ((kept = TAILQ_FIRST(&sender->kept)) != NULL)
		drop(sender, kept);
	free(sender);
}

void
audit_sender_link(struct audit_sender *sender, int fd)
{
	link_free(sender->link);
	(void)event_del(&sender->retry);
	sender->link = link_new(sender->base, fd, handlers, on_closed, sender);
	if (sender->link == NULL) {
		log_error(NULL, "no link to the auditor: %s", strerror(errno));
		return;
	}
	sender->is_failing = false; /* this auditor says if it is, too */
	sender->unsent = TAILQ_FIRST(&sender->kept);
	send_more(sender);
}

bool
audit_sender_is_failing(const struct audit_sender *sender)
{
	return sender->is_failing || sender->lost > 0;
}

void
audit_sender_write(
    struct audit_sender *sender, const struct audit_record *record)
{
	struct audit_record dated = *record;

	if (dated.time_us == 0)
		dated.time_us = clock_wall_us();
	keep_gap(sender);
	if (sender->lost > 0 || !keep(sender, &dated)) {
		/* The first of many; the gap record tells how many. */
		if (sender->lost++ == 0)
			log_error(NULL, "audit records are being lost: the "
					"auditor does not take them");
		return;
	}
	send_more(sender);
}

size_t
audit_sender_pending(const struct audit_sender *sender)
{
	return sender->kept_count + (sender->lost > 0);
}
