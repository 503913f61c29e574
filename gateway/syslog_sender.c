/* SPDX-License-Identifier: ISC */
/* Hands messages to a syslog receiver and never waits for it. */
#include "gateway/syslog_sender.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/must.h"
#include "base/timeval.h"
#include "gateway/syslog_tls.h"
#include "gateway/syslog_unacked.h"

#define RETRY_MIN_US	 100000
#define RETRY_MAX_US	 2000000
#define LOOK_US		 1000000 /* between looks whether a path is another */
#define STALLED_US	 1000000 /* a full receiver is no news before */
#define ARRIVAL_US	 100000	 /* between looks what has arrived */
#define STUCK_TIMEOUT_MS 20000	 /* of TCP, for what is not acknowledged */

struct syslog_sender {
	struct event_base *base;
	const struct syslog_events *events;
	void *arg;

	bool is_tcp, is_tls;			  /* TLS is over TCP */
	char *ca_file, *name, *certificate, *key; /* of TLS */
	struct sockaddr_storage address;
	socklen_t address_len;

	int fd; /* -1: not connected */
	bool connecting;
	struct syslog_tls *tls; /* while connected */
	bool shaking;		/* its handshake is not done */
	struct event readable, writable, retry;
	uint64_t retry_us;
	bool complained;
	uint64_t full_us; /* since when it has no room; 0: it has */

	/* Unix: which socket the path was when it was connected to. */
	dev_t device;
	ino_t inode;
	uint64_t looked_us;

	/* TCP. */
	size_t written;	 /* of the message on its way, with its count */
	uint64_t octets; /* on this connection; TLS counts its own */
	struct syslog_unacked *unacked;
	struct event arrival; /* another look is due */
};

static const char *
unix_path(const struct syslog_sender *sender)
{
	return ((const struct sockaddr_un *)(const void *)&sender->address)
	    ->sun_path;
}

/* ---- what has arrived */

static uint64_t
octets_arrived(const struct syslog_sender *sender)
{
	uint64_t written = sender->tls != NULL ? syslog_tls_octets(sender->tls)
					       : sender->octets;
	int waiting = 0;

	/* Of a connection that has broken, too. */
	if (ioctl(sender->fd, SIOCOUTQ, &waiting) < 0)
		return 0;
	return written - (uint64_t)waiting;
}

static void
look_what_arrived(struct syslog_sender *sender)
{
	const struct timeval later = timeval_us(ARRIVAL_US);
	uint64_t number;

	if (syslog_unacked_confirm(
		sender->unacked, octets_arrived(sender), &number))
		sender->events->arrived(sender->arg, number);
	if (!syslog_unacked_is_empty(sender->unacked) &&
	    !event_pending(&sender->arrival, EV_TIMEOUT, NULL))
		(void)event_add(&sender->arrival, &later);
}

static void
on_arrival(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	look_what_arrived(arg);
}

static void
note_sent(struct syslog_sender *sender, uint64_t number)
{
	if (!sender->is_tcp) {
		sender->events->arrived(sender->arg, number);
		return;
	}
	syslog_unacked_add(sender->unacked, number,
	    sender->tls != NULL ? syslog_tls_octets(sender->tls)
				: sender->octets);
	if (!event_pending(&sender->arrival, EV_TIMEOUT, NULL))
		look_what_arrived(sender);
}

/* ---- */

static void
shut(struct syslog_sender *sender)
{
	(void)event_del(&sender->readable);
	(void)event_del(&sender->writable);
	syslog_tls_free(sender->tls);
	sender->tls = NULL;
	(void)event_del(&sender->arrival);
	(void)close(sender->fd);
	sender->fd = -1;
	sender->connecting = sender->shaking = false;
	/* The next connection gets the message from its beginning. */
	sender->written = 0;
	sender->octets = 0;
}

static void
disconnect(struct syslog_sender *sender)
{
	bool is_lost;

	if (sender->fd < 0)
		return;
	look_what_arrived(sender);
	is_lost = !syslog_unacked_is_empty(sender->unacked);
	syslog_unacked_clear(sender->unacked);
	shut(sender);
	if (is_lost)
		sender->events->broken(sender->arg);
}

static void
retry_later(struct syslog_sender *sender)
{
	const struct timeval pause = timeval_us(sender->retry_us);

	if (event_pending(&sender->retry, EV_TIMEOUT, NULL))
		return;
	(void)event_add(&sender->retry, &pause);
	sender->retry_us *= 2;
	if (sender->retry_us > RETRY_MAX_US)
		sender->retry_us = RETRY_MAX_US;
}

static void
complain_of(struct syslog_sender *sender, const char *why)
{
	if (!sender->complained)
		log_error(NULL,
		    "the receiver of audit records does not take them: %s",
		    why);
	sender->complained = true;
}

static void
complain(struct syslog_sender *sender, int error)
{
	complain_of(sender, strerror(error));
}

static void
taken(struct syslog_sender *sender)
{
	if (sender->complained)
		log_info(NULL, "the receiver takes audit records again");
	sender->complained = false;
	sender->full_us = 0;
	sender->retry_us = RETRY_MIN_US;
	sender->written = 0;
}

/* Connecting */

static void
on_retry(evutil_socket_t fd, short what, void *arg)
{
	struct syslog_sender *sender = arg;

	(void)fd;
	(void)what;
	sender->events->ready(sender->arg);
}

/* ---- TLS */

static void
give_up_tls(struct syslog_sender *sender, const char *why)
{
	complain_of(sender, why);
	disconnect(sender);
	retry_later(sender);
}

/* `readable` is waited for all the time. */
static void
shake(struct syslog_sender *sender)
{
	switch (syslog_tls_handshake(sender->tls)) {
	case SYSLOG_TLS_DONE:
		sender->shaking = false;
		sender->events->ready(sender->arg);
		break;
	case SYSLOG_TLS_WANTS_READ:
		break;
	case SYSLOG_TLS_WANTS_WRITE:
		(void)event_add(&sender->writable, NULL);
		break;
	case SYSLOG_TLS_BROKEN:
		give_up_tls(sender, syslog_tls_why(sender->tls));
		break;
	}
}

static void
begin_tls(struct syslog_sender *sender)
{
	const struct syslog_tls_settings settings = {
	    .ca_file = sender->ca_file,
	    .name = sender->name,
	    .certificate = sender->certificate,
	    .key = sender->key,
	};
	char why[SYSLOG_TLS_WHY_SIZE];

	sender->tls = syslog_tls_new(&settings, sender->fd, why);
	if (sender->tls == NULL) {
		give_up_tls(sender, why);
		return;
	}
	sender->shaking = true;
	shake(sender);
}

/* ---- */

static void
on_connected(struct syslog_sender *sender)
{
	socklen_t len = sizeof(int);
	int error = 0;

	sender->connecting = false;
	if (getsockopt(sender->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	if (error != 0) {
		disconnect(sender);
		complain(sender, error);
		retry_later(sender);
	} else if (sender->is_tls) {
		begin_tls(sender);
	} else {
		sender->events->ready(sender->arg);
	}
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct syslog_sender *sender = arg;

	(void)fd;
	(void)what;
	if (sender->connecting)
		on_connected(sender);
	else if (sender->shaking)
		shake(sender);
	else
		sender->events->ready(sender->arg);
}

/* A receiver says nothing; what can be read is its end. */
static bool
has_ended(struct syslog_sender *sender, int fd)
{
	char ignored[512];
	ssize_t got;

	if (sender->tls != NULL)
		return syslog_tls_read(sender->tls) == SYSLOG_TLS_BROKEN;
	got = recv(fd, ignored, sizeof(ignored), MSG_DONTWAIT);
	return got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct syslog_sender *sender = arg;

	(void)what;
	if (sender->connecting)
		return;
	if (sender->shaking) {
		shake(sender);
	} else if (has_ended(sender, fd)) {
		disconnect(sender);
		retry_later(sender);
	}
}

static void
tune_tcp(int fd)
{
	const int on = 1;
	const unsigned stuck_ms = STUCK_TIMEOUT_MS;

	/* What these cannot set, only slows down finding a dead receiver. */
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)setsockopt(
	    fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &stuck_ms, sizeof(stuck_ms));
}

static void
remember_socket(struct syslog_sender *sender)
{
	struct stat status;

	if (stat(unix_path(sender), &status) == 0) {
		sender->device = status.st_dev;
		sender->inode = status.st_ino;
	}
	sender->looked_us = clock_monotonic_us();
}

/* 0, or -errno; -EINPROGRESS while a TCP connection is being made. */
static int
connect_anew(struct syslog_sender *sender)
{
	int type = (sender->is_tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK |
		   SOCK_CLOEXEC;
	int fd = socket(sender->address.ss_family, type, 0);
	int error = 0;

	if (fd < 0)
		return -errno;
	if (sender->is_tcp)
		tune_tcp(fd);
	if (connect(fd, (const struct sockaddr *)&sender->address,
		sender->address_len) < 0)
		error = errno;
	if (error != 0 && error != EINPROGRESS) {
		(void)close(fd);
		return -error;
	}
	sender->fd = fd;
	sender->connecting = error == EINPROGRESS;
	(void)event_assign(&sender->readable, sender->base, fd,
	    EV_READ | EV_PERSIST, on_readable, sender);
	(void)event_assign(
	    &sender->writable, sender->base, fd, EV_WRITE, on_writable, sender);
	if (sender->is_tcp)
		(void)event_add(&sender->readable, NULL);
	else
		remember_socket(sender);
	/* TLS begins when the loop says that it is connected. */
	if (sender->is_tls)
		sender->connecting = true;
	if (sender->connecting)
		(void)event_add(&sender->writable, NULL);
	return sender->connecting ? -EINPROGRESS : 0;
}

/* Another daemon may have put its socket in this place; the old one, still
 * open, would swallow everything. */
static void
look_at_path(struct syslog_sender *sender)
{
	struct stat status;

	if (sender->is_tcp || sender->fd < 0 ||
	    clock_monotonic_us() - sender->looked_us < LOOK_US)
		return;
	sender->looked_us = clock_monotonic_us();
	if (stat(unix_path(sender), &status) == 0 &&
	    (status.st_dev != sender->device || status.st_ino != sender->inode))
		disconnect(sender);
}

/* Sending */

/* 0 once all was taken, or -errno. */
static int
send_datagram(
    const struct syslog_sender *sender, const char *message, size_t len)
{
	ssize_t sent =
	    send(sender->fd, message, len, MSG_DONTWAIT | MSG_NOSIGNAL);

	return sent < 0 ? -errno : 0;
}

static int
send_counted(struct syslog_sender *sender, const char *message, size_t len)
{
	char count[24];
	size_t count_len = (size_t)snprintf(count, sizeof(count), "%zu ", len);
	size_t in_count =
	    sender->written < count_len ? sender->written : count_len;
	size_t in_message = sender->written - in_count;
	/* The kernel only reads from it. */
	struct iovec parts[2] = {
	    {count + in_count, count_len - in_count},
	    {(char *)(uintptr_t)message + in_message, len - in_message},
	};
	struct msghdr header = {.msg_iov = parts, .msg_iovlen = 2};
	ssize_t sent;

	must(in_message <= len);
	sent = sendmsg(sender->fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent < 0)
		return -errno;
	sender->written += (size_t)sent;
	sender->octets += (uint64_t)sent;
	return sender->written == count_len + len ? 0 : -EAGAIN;
}

/* As much of it as is taken; 0 or -errno. */
static int
write_tls(struct syslog_sender *sender, const char *data, size_t len)
{
	size_t done;

	while (len > 0) {
		switch (syslog_tls_write(sender->tls, data, len, &done)) {
		case SYSLOG_TLS_DONE:
			sender->written += done;
			data += done;
			len -= done;
			break;
		case SYSLOG_TLS_WANTS_READ:
		case SYSLOG_TLS_WANTS_WRITE:
			return -EAGAIN;
		case SYSLOG_TLS_BROKEN:
			return -EPROTO;
		}
	}
	return 0;
}

static int
send_sealed(struct syslog_sender *sender, const char *message, size_t len)
{
	char count[24];
	size_t count_len = (size_t)snprintf(count, sizeof(count), "%zu ", len);
	size_t in_message;
	int status = 0;

	if (sender->written < count_len)
		status = write_tls(sender, count + sender->written,
		    count_len - sender->written);
	if (status < 0)
		return status;
	in_message = sender->written - count_len;
	must(in_message <= len);
	return write_tls(sender, message + in_message, len - in_message);
}

static int
send_stream(struct syslog_sender *sender, const char *message, size_t len)
{
	return sender->is_tls ? send_sealed(sender, message, len)
			      : send_counted(sender, message, len);
}

static int
try_once(struct syslog_sender *sender, const char *message, size_t len)
{
	if (sender->fd < 0) {
		int status = connect_anew(sender);

		if (status < 0)
			return status;
	}
	if (sender->connecting || sender->shaking)
		return -EINPROGRESS;
	return sender->is_tcp ? send_stream(sender, message, len)
			      : send_datagram(sender, message, len);
}

/* The receiver is there and has no room: it says when it has.  The timer is
 * for one that was replaced meanwhile. */
static void
wait_for_room(struct syslog_sender *sender)
{
	uint64_t now_us = clock_monotonic_us();

	(void)event_add(&sender->writable, NULL);
	retry_later(sender);
	if (sender->full_us == 0)
		sender->full_us = now_us;
	if (now_us - sender->full_us >= STALLED_US)
		complain(sender, EAGAIN);
}

enum syslog_outcome
syslog_sender_send(struct syslog_sender *sender, uint64_t number,
    const char *message, size_t len)
{
	bool was_connected;
	int status;

	look_at_path(sender);
	was_connected = sender->fd >= 0;
	status = try_once(sender, message, len);
	/* A receiver that was started anew is there at once. */
	if (status < 0 && was_connected && !sender->is_tcp &&
	    (status == -ECONNREFUSED || status == -ENOTCONN ||
		status == -ECONNRESET || status == -EPIPE)) {
		disconnect(sender);
		status = try_once(sender, message, len);
	}
	if (status == 0) {
		taken(sender);
		note_sent(sender, number);
		return SYSLOG_SENT;
	}
	if (status == -EMSGSIZE)
		return SYSLOG_NEVER;
	if (status == -EAGAIN) {
		wait_for_room(sender);
	} else if (status == -EPROTO && sender->tls != NULL) {
		give_up_tls(sender, syslog_tls_why(sender->tls));
	} else if (status != -EINPROGRESS && status != -EINTR) {
		complain(sender, -status);
		disconnect(sender);
		retry_later(sender);
	} else if (status == -EINTR) {
		retry_later(sender);
	}
	return SYSLOG_LATER;
}

bool
syslog_sender_is_refused(const struct syslog_sender *sender)
{
	return sender->complained;
}

bool
syslog_sender_is_midway(const struct syslog_sender *sender)
{
	return sender->written > 0 ||
	       (sender->tls != NULL && syslog_tls_is_midway(sender->tls));
}

/* Beginning and end */

static bool
parse_target(struct syslog_sender *sender, const char *target)
{
	struct sockaddr_un *local = (void *)&sender->address;
	struct socket_address remote;

	if (strncmp(target, "tcp:", 4) == 0 ||
	    strncmp(target, "tls:", 4) == 0) {
		sender->is_tcp = true;
		sender->is_tls = target[1] == 'l';
		if (!socket_address_parse(target + 4, &remote))
			return false;
		sender->address_len =
		    socket_address_to(&remote, &sender->address);
		return true;
	}
	if (strncmp(target, "unix:", 5) != 0 ||
	    strlen(target + 5) >= sizeof(local->sun_path))
		return false;
	local->sun_family = AF_UNIX;
	memcpy(local->sun_path, target + 5, strlen(target + 5) + 1);
	sender->address_len = sizeof(*local);
	return true;
}

/* Where no name is set, the certificate has the address. */
static void
take_tls_settings(
    struct syslog_sender *sender, const struct syslog_tls_settings *tls)
{
	char address[INET6_ADDRSTRLEN] = "";

	(void)getnameinfo((const struct sockaddr *)&sender->address,
	    sender->address_len, address, sizeof(address), NULL, 0,
	    NI_NUMERICHOST);
	sender->ca_file = must_strdup(tls->ca_file);
	sender->name = must_strdup(*tls->name != '\0' ? tls->name : address);
	sender->certificate = must_strdup(tls->certificate);
	sender->key = must_strdup(tls->key);
}

struct syslog_sender *
syslog_sender_new(struct event_base *base, const char *target,
    const struct syslog_tls_settings *tls, const struct syslog_events *events,
    void *arg)
{
	struct syslog_sender *sender = calloc(1, sizeof(*sender));

	if (sender == NULL)
		return NULL;
	sender->base = base;
	sender->events = events;
	sender->arg = arg;
	sender->unacked = syslog_unacked_new();
	sender->fd = -1;
	sender->retry_us = RETRY_MIN_US;
	must(parse_target(sender, target));
	if (sender->is_tls)
		take_tls_settings(sender, tls);
	(void)event_assign(&sender->retry, base, -1, 0, on_retry, sender);
	(void)event_assign(&sender->arrival, base, -1, 0, on_arrival, sender);
	return sender;
}

void
syslog_sender_free(struct syslog_sender *sender)
{
	if (sender == NULL)
		return;
	if (sender->fd >= 0) {
		look_what_arrived(sender);
		shut(sender);
	}
	(void)event_del(&sender->retry);
	syslog_unacked_free(sender->unacked);
	free(sender->ca_file);
	free(sender->name);
	free(sender->certificate);
	free(sender->key);
	free(sender);
}
