/* SPDX-License-Identifier: ISC */
/*
 * A link joins two of our programs: typed messages over a SOCK_SEQPACKET
 * socket pair, and questions that get exactly one answer.
 *
 * One packet is one message: u16 type, u16 zero, u32 length, u64 id, payload.
 */
#include "base/link.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/tree.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/must.h"
#include "base/timeval.h"
#include "base/wire.h"

#define HEADER_SIZE	  16
#define PACKET_MAX	  (HEADER_SIZE + LINK_MESSAGE_MAX)
#define SOCKET_BUFFER	  (1024 * 1024)
#define KERNEL_OVERHEAD	  32 /* of a packet, as unix(7) counts it */
#define MESSAGES_PER_TURN 32 /* then the loop's other events have theirs */

/* One message that waits to be sent. */
struct waiting {
	TAILQ_ENTRY(waiting) entry;
	int fd; /* ours, or -1 */
	size_t len;
	uint8_t packet[];
};

struct question {
	RB_ENTRY(question) entry;
	struct link *link;
	uint64_t id;
	struct event deadline;
	question_done_fn *done;
	void *arg;
};

RB_HEAD(questions, question);

struct link {
	struct event_base *base;
	int fd; /* -1 once closed */
	struct event readable, writable;
	const struct link_handler *handlers;
	link_closed_fn *closed;
	void *arg;

	TAILQ_HEAD(, waiting) queue;
	size_t queued_bytes;

	struct questions questions;
	uint64_t id_prefix; /* the upper half of the ids of our questions */
	uint32_t id_count;

	bool broken; /* sending has failed; reading will see the end */
	bool freed;  /* by its owner, in one of our callbacks */
	int depth;   /* of our callbacks that are running */
	uint8_t packet[PACKET_MAX];
};

static int
question_compare(const struct question *a, const struct question *b)
{
	return a->id < b->id ? -1 : a->id > b->id;
}

/* tree.h's own RB_GENERATE_STATIC needs a macro that glibc does not have. */
RB_GENERATE_INTERNAL(questions, question, entry, question_compare,
    __attribute__((unused)) static)

/* ---- the socket pair ---- */

static int
enlarge_buffer(int fd)
{
	const int wanted = SOCKET_BUFFER;
	int granted = 0;
	socklen_t len = sizeof(granted);

	/* Past net.core.wmem_max if we may; else as far as it goes. */
	if (setsockopt(
		fd, SOL_SOCKET, SO_SNDBUFFORCE, &wanted, sizeof(wanted)) < 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &wanted, sizeof(wanted)) < 0)
		return -errno;
	if (getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &granted, &len) < 0)
		return -errno;
	return granted < PACKET_MAX + KERNEL_OVERHEAD ? -ENOBUFS : 0;
}

int
link_pair(int fds[2])
{
	int status;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC,
		0, fds) < 0)
		return -errno;
	status = enlarge_buffer(fds[0]);
	if (status == 0)
		status = enlarge_buffer(fds[1]);
	if (status < 0) {
		(void)close(fds[0]);
		(void)close(fds[1]);
	}
	return status;
}

/* ---- closing ---- */

/* Wiped, whatever it was: keys and passwords pass through here. */
static void
waiting_free(struct waiting *waiting)
{
	if (waiting->fd >= 0)
		(void)close(waiting->fd);
	explicit_bzero(waiting->packet, waiting->len);
	free(waiting);
}

static void
drop_queue(struct link *link)
{
	struct waiting *waiting, *next;

	TAILQ_FOREACH_SAFE (waiting, &link->queue, entry, next)
		waiting_free(waiting);
	TAILQ_INIT(&link->queue);
	link->queued_bytes = 0;
}

static void
question_finish(struct question *question, enum answer_outcome outcome,
    struct link_message *answer)
{
	question_done_fn *done = question->done;
	void *arg = question->arg;

	question_cancel(question);
	done(arg, outcome, answer);
}

/* From here on nothing is sent or received. */
static void
shut(struct link *link)
{
	struct question *question;

	if (link->fd >= 0) {
		(void)event_del(&link->readable);
		(void)event_del(&link->writable);
		(void)close(link->fd);
		link->fd = -1;
	}
	drop_queue(link);
	while ((question = RB_MIN(questions, &link->questions)) != NULL)
		question_finish(question, ANSWER_LOST, NULL);
}

static void
enter(struct link *link)
{
	link->depth++;
}

static void
leave(struct link *link)
{
	if (--link->depth == 0 && link->freed)
		free(link);
}

static void
fail(struct link *link)
{
	shut(link);
	if (!link->freed)
		link->closed(link->arg);
}

/* ---- receiving ---- */

static const struct link_handler *
find_handler(const struct link *link, uint16_t type)
{
	const struct link_handler *row;

	for (row = link->handlers; row->handle != NULL; row++) {
		if (row->type == type)
			return row;
	}
	return NULL;
}

static bool
is_for_a_question(const struct link *link, uint64_t id)
{
	return (id & ~(uint64_t)UINT32_MAX) == link->id_prefix;
}

static void
answer_question(struct link *link, struct link_message *message)
{
	struct question key = {.id = message->id};
	struct question *question = RB_FIND(questions, &link->questions, &key);

	/* Nobody waits any more for a late answer. */
	if (question != NULL)
		question_finish(question, ANSWER_GIVEN, message);
}

/* False if the peer broke the rules. */
static bool
deliver(struct link *link, struct link_message *message)
{
	const struct link_handler *handler = find_handler(link, message->type);

	if (handler != NULL && (message->len < handler->min_len ||
				   message->len > handler->max_len))
		return false;
	if (is_for_a_question(link, message->id))
		answer_question(link, message);
	else if (handler != NULL)
		handler->handle(link->arg, message);
	else
		return false;
	return true;
}

static bool
parse_packet(const uint8_t *packet, size_t len, struct link_message *message)
{
	struct wire_reader reader;
	uint16_t zero;
	uint32_t payload_len;

	wire_reader_init(&reader, packet, len);
	message->type = wire_get_u16(&reader);
	zero = wire_get_u16(&reader);
	payload_len = wire_get_u32(&reader);
	message->id = wire_get_u64(&reader);
	message->len = payload_len;
	message->data = wire_get_bytes(&reader, payload_len);
	return wire_is_done(&reader) && zero == 0;
}

/* Takes what came along: one descriptor at most goes to *fd.  False if there
 * were more than that. */
static bool
take_descriptors(struct msghdr *header, int *fd)
{
	bool was_one = true;
	struct cmsghdr *control;

	*fd = -1;
	for (control = CMSG_FIRSTHDR(header); control != NULL;
	     control = CMSG_NXTHDR(header, control)) {
		if (control->cmsg_level != SOL_SOCKET ||
		    control->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t at = CMSG_LEN(0);
		     at + sizeof(int) <= control->cmsg_len; at += sizeof(int)) {
			int taken;

			memcpy(&taken, (uint8_t *)control + at, sizeof(int));
			if (*fd < 0) {
				*fd = taken;
			} else {
				(void)close(taken);
				was_one = false;
			}
		}
	}
	return was_one && (header->msg_flags & MSG_CTRUNC) == 0;
}

/* 1 after a message, 0 when there is none now, -1 when there will be none. */
static int
receive(struct link *link)
{
	union {
		struct cmsghdr align;
		uint8_t bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec packet = {link->packet, sizeof(link->packet)};
	struct msghdr header = {
	    .msg_iov = &packet,
	    .msg_iovlen = 1,
	    .msg_control = control.bytes,
	    /* CMSG_SPACE would let two descriptors in. */
	    .msg_controllen = CMSG_LEN(sizeof(int)),
	};
	struct link_message message = {.fd = -1};
	bool was_good;
	ssize_t len =
	    recvmsg(link->fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (len < 0) {
		/* ECONNRESET only says that the peer left something unread;
		 * what it sent before comes after that. */
		return errno == EAGAIN || errno == EINTR ? 0
		       : errno == ECONNRESET		 ? 1
							 : -1;
	}
	if (len == 0)
		return -1;
	was_good = take_descriptors(&header, &message.fd) &&
		   (header.msg_flags & MSG_TRUNC) == 0 &&
		   parse_packet(link->packet, (size_t)len, &message) &&
		   deliver(link, &message);
	if (message.fd >= 0)
		(void)close(message.fd);
	/* Keys and passwords pass through here. */
	explicit_bzero(link->packet, (size_t)len);
	return was_good ? 1 : -1;
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct link *link = arg;
	int status = 1;

	(void)fd;
	(void)what;
	enter(link);
	for (int i = 0; i < MESSAGES_PER_TURN && status > 0; i++) {
		status = receive(link);
		/* Freed in a handler, or the handler ended the loop: whoever
		 * did may have freed what the next message is about. */
		if (link->fd < 0 || event_base_got_break(link->base))
			break;
	}
	if (status < 0 && link->fd >= 0)
		fail(link);
	leave(link);
}

/* ---- sending ---- */

/* 0 or -errno. */
static int
send_packet(int to, struct iovec *parts, size_t count, int fd)
{
	union {
		struct cmsghdr align;
		uint8_t bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct msghdr header = {.msg_iov = parts, .msg_iovlen = count};

	if (fd >= 0) {
		header.msg_control = control.bytes;
		header.msg_controllen = sizeof(control.bytes);
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.align), &fd, sizeof(fd));
	}
	while (sendmsg(to, &header, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	return 0;
}

static bool
must_wait(int status)
{
	return status == -EAGAIN || status == -ENOBUFS ||
	       status == -ETOOMANYREFS; /* descriptors are under way */
}

/* Nothing can be sent any more; the reading side comes to the end after what
 * the peer has already sent. */
static void
break_off(struct link *link)
{
	link->broken = true;
	drop_queue(link);
	(void)event_del(&link->writable);
	(void)shutdown(link->fd, SHUT_RDWR);
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct link *link = arg;
	struct waiting *waiting;

	(void)fd;
	(void)what;
	while ((waiting = TAILQ_FIRST(&link->queue)) != NULL) {
		struct iovec part = {waiting->packet, waiting->len};
		int status = send_packet(link->fd, &part, 1, waiting->fd);

		if (must_wait(status))
			return;
		if (status < 0) {
			break_off(link);
			return;
		}
		TAILQ_REMOVE(&link->queue, waiting, entry);
		link->queued_bytes -= waiting->len;
		waiting_free(waiting);
	}
	(void)event_del(&link->writable);
}

static int
queue_packet(struct link *link, const struct iovec parts[2], int fd)
{
	size_t len = parts[0].iov_len + parts[1].iov_len;
	struct waiting *waiting;

	if (link->queued_bytes + len > LINK_QUEUE_MAX)
		return -ENOBUFS;
	waiting = malloc(sizeof(*waiting) + len);
	if (waiting == NULL)
		return -ENOBUFS;
	waiting->len = 0;
	waiting->fd = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (fd >= 0 && waiting->fd < 0) {
		waiting_free(waiting);
		return -ENOBUFS;
	}
	memcpy(waiting->packet, parts[0].iov_base, parts[0].iov_len);
	if (parts[1].iov_len > 0)
		memcpy(waiting->packet + parts[0].iov_len, parts[1].iov_base,
		    parts[1].iov_len);
	waiting->len = len;
	link->queued_bytes += len;
	TAILQ_INSERT_TAIL(&link->queue, waiting, entry);
	(void)event_add(&link->writable, NULL);
	return 0;
}

int
link_send_fd(struct link *link, uint16_t type, uint64_t id, const void *data,
    size_t len, int fd)
{
	uint8_t header[HEADER_SIZE];
	struct wire_writer writer;
	/* The kernel only reads from it. */
	struct iovec parts[2] = {
	    {header, sizeof(header)}, {(void *)(uintptr_t)data, len}};
	int status;

	if (link->fd < 0 || link->broken)
		return -EPIPE;
	if (len > LINK_MESSAGE_MAX)
		return -EMSGSIZE;
	wire_writer_init(&writer, header, sizeof(header));
	wire_put_u16(&writer, type);
	wire_put_u16(&writer, 0);
	wire_put_u32(&writer, (uint32_t)len);
	wire_put_u64(&writer, id);
	must(!writer.failed);

	if (!TAILQ_EMPTY(&link->queue))
		return queue_packet(link, parts, fd);
	status = send_packet(link->fd, parts, 2, fd);
	if (must_wait(status))
		return queue_packet(link, parts, fd);
	if (status == -EPIPE || status == -ECONNRESET) {
		break_off(link);
		return -EPIPE;
	}
	return status;
}

int
link_send(
    struct link *link, uint16_t type, uint64_t id, const void *data, size_t len)
{
	return link_send_fd(link, type, id, data, len, -1);
}

size_t
link_queued_bytes(const struct link *link)
{
	return link->queued_bytes;
}

/* ---- beginning and end ---- */

static int
assign_events(struct link *link)
{
	if (event_assign(&link->readable, link->base, link->fd,
		EV_READ | EV_PERSIST, on_readable, link) < 0 ||
	    event_assign(&link->writable, link->base, link->fd,
		EV_WRITE | EV_PERSIST, on_writable, link) < 0)
		return -EINVAL;
	return event_add(&link->readable, NULL) < 0 ? -ENOMEM : 0;
}

/* The upper half of our questions' ids is random and never zero, so that the
 * peer's own numbers are not taken for answers. */
static int
draw_id_prefix(uint64_t *prefix)
{
	uint32_t drawn;

	if (getrandom(&drawn, sizeof(drawn), 0) != (ssize_t)sizeof(drawn))
		return -EIO;
	*prefix = (uint64_t)(drawn | 0x80000000U) << 32;
	return 0;
}

struct link *
link_new(struct event_base *base, int fd, const struct link_handler *handlers,
    link_closed_fn *closed, void *arg)
{
	struct link *link = malloc(sizeof(*link));
	int status = -ENOMEM;

	if (link != NULL) {
		/* The packet buffer stays untouched: it costs no memory
		 * before it is used. */
		memset(link, 0, offsetof(struct link, packet));
		link->base = base;
		link->fd = fd;
		link->handlers = handlers;
		link->closed = closed;
		link->arg = arg;
		TAILQ_INIT(&link->queue);
		RB_INIT(&link->questions);
		status = draw_id_prefix(&link->id_prefix);
		if (status == 0)
			status = assign_events(link);
	}
	if (status < 0) {
		free(link);
		(void)close(fd);
		errno = -status;
		return NULL;
	}
	return link;
}

void
link_free(struct link *link)
{
	if (link == NULL || link->freed)
		return;
	link->freed = true;
	enter(link);
	shut(link);
	leave(link);
}

/* ---- questions ---- */

static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	question_finish(arg, ANSWER_TIMEOUT, NULL);
}

struct question *
question_start(struct link *link, uint16_t type, const void *data, size_t len,
    unsigned timeout_ms, question_done_fn *done, void *arg)
{
	const struct timeval timeout = timeval_ms(timeout_ms);
	struct question *question = calloc(1, sizeof(*question));
	int status;

	if (question == NULL)
		return NULL;
	question->link = link;
	question->id = link->id_prefix | ++link->id_count;
	question->done = done;
	question->arg = arg;
	status = link_send(link, type, question->id, data, len);
	if (status == 0 && (evtimer_assign(&question->deadline, link->base,
				on_deadline, question) < 0 ||
			       evtimer_add(&question->deadline, &timeout) < 0))
		status = -ENOMEM;
	if (status < 0) {
		free(question);
		errno = -status;
		return NULL;
	}
	(void)RB_INSERT(questions, &link->questions, question);
	return question;
}

void
question_cancel(struct question *question)
{
	if (question == NULL)
		return;
	(void)RB_REMOVE(questions, &question->link->questions, question);
	(void)evtimer_del(&question->deadline);
	free(question);
}
