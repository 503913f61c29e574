/* SPDX-License-Identifier: ISC */
/* One reading of all rules, in a child process. */
#include "policy/ldap_reading.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/event.h>

#include "base/text.h"
#include "base/wire.h"
#include "policy/entry.h"
#include "policy/ldap_connection.h"
#include "policy/ldap_file.h"
#include "policy/ldap_search.h"
#include "policy/rule_set_stream.h"

/*
 * What the child writes: the set, and it exits with EXIT_SUCCESS; or a
 * sentence, and EXIT_FAILURE.  Whatever ends otherwise was killed or crashed.
 */
#define WHY_SIZE  1024
#define PIECE_MAX 65536
#define CHILD_FD  3 /* where the child writes */

#define RULES_FILTER "(|(objectClass=gwRule)(objectClass=gwDestinations))"

struct reading {
	pid_t pid;
	struct event *readable;
	struct event *deadline;
	struct evbuffer *arrived;
	reading_done_fn *done;
	void *arg;
};

/* ---- the child: may block, is killed at its deadline */

struct record {
	uint8_t *data;
	size_t len;
};

/* Never freed: the child ends when it has written it. */
struct output {
	struct record *records;
	size_t count, size;
	size_t octets;
	size_t rules;
	char refused[256]; /* the DN of the entry that ended the reading */
};

static bool
has_room(struct output *output)
{
	size_t size = output->size == 0 ? 64 : output->size * 2;
	struct record *grown;

	if (output->count < output->size)
		return true;
	grown = reallocarray(output->records, size, sizeof(*grown));
	if (grown == NULL)
		return false;
	output->records = grown;
	output->size = size;
	return true;
}

static int
add_record(struct output *output, const struct entry *entry)
{
	struct record *record;
	int result;

	if (!has_room(output))
		return DIRECTORY_ERRNO(ENOMEM);
	record = &output->records[output->count];
	result = entry_encode(entry, &record->data, &record->len);
	if (result != 0)
		return DIRECTORY_ERRNO(-result);
	output->octets += sizeof(uint32_t) + record->len;
	output->rules += entry_is_a(entry, "gwRule");
	if (++output->count > RULE_SET_ENTRIES_MAX ||
	    output->octets > RULE_SET_OCTETS_MAX)
		return DIRECTORY_ERRNO(E2BIG);
	return 0;
}

static int
put_entry(void *arg, const struct entry *entry)
{
	struct output *output = arg;
	int result = add_record(output, entry);

	if (result != 0)
		(void)snprintf(output->refused, sizeof(output->refused),
		    "%s: ", entry->dn);
	return result;
}

static int
add_value(void *arg, const char *attribute, const struct berval *value)
{
	int result = entry_add(arg, attribute, value->bv_val, value->bv_len);

	return result == 0 ? 0 : DIRECTORY_ERRNO(-result);
}

static int
put_message(void *arg, LDAP *ld, LDAPMessage *message)
{
	struct output *output = arg;
	char *dn = ldap_get_dn(ld, message);
	struct entry *entry = dn != NULL ? entry_new(dn) : NULL;
	int result = DIRECTORY_ERRNO(ENOMEM);

	if (entry != NULL)
		result = directory_values(ld, message, add_value, entry);
	if (result == 0)
		result = put_entry(output, entry);
	else if (dn != NULL)
		(void)snprintf(
		    output->refused, sizeof(output->refused), "%s: ", dn);
	ldap_memfree(dn);
	entry_free(entry);
	return result;
}

static bool
read_directory(const struct reading_source *source, struct output *output,
    char why[WHY_SIZE])
{
	const struct directory_query query = {
	    .base = source->rule_base,
	    .scope = LDAP_SCOPE_SUBTREE,
	    .filter = RULES_FILTER,
	    .timeout_s = source->directory->timeout_s,
	    .must_be_whole = true,
	    .entry = put_message,
	    .arg = output,
	};
	LDAP *ld = directory_open(source->directory, source->deadline_s, why);
	int result;

	if (ld == NULL)
		return false;
	result = directory_search(ld, &query);
	directory_close(ld);
	if (result != 0)
		(void)snprintf(why, WHY_SIZE, "reading %s: %s%s",
		    source->rule_base, output->refused,
		    directory_error(result));
	return result == 0;
}

static bool
read_file(const struct reading_source *source, struct output *output,
    char why[WHY_SIZE])
{
	char what[512] = "";
	FILE *file = fopen(source->file, "re");
	int result;

	if (file == NULL) {
		(void)snprintf(
		    why, WHY_SIZE, "%s: %s", source->file, strerror(errno));
		return false;
	}
	result = ldif_read(file, put_entry, output, what, sizeof(what));
	(void)fclose(file);
	if (result != 0 && what[0] != '\0')
		(void)snprintf(why, WHY_SIZE, "%s:%s", source->file, what);
	else if (result != 0)
		(void)snprintf(why, WHY_SIZE, "%s: %s%s", source->file,
		    output->refused, directory_error(result));
	return result == 0;
}

static bool
read_source(const struct reading_source *source, struct output *output,
    char why[WHY_SIZE])
{
	bool is_file = *source->file != '\0';

	if (!(is_file ? read_file : read_directory)(source, output, why))
		return false;
	if (output->rules == 0 && !source->allow_empty) {
		(void)snprintf(why, WHY_SIZE,
		    "%s: there is no rule at all (policy.allow_empty)",
		    is_file ? source->file : source->rule_base);
		return false;
	}
	return true;
}

/* Servers give entries in any order, and equal sets are to be equal. */
static int
compare(const void *a, const void *b)
{
	const struct record *left = a, *right = b;
	size_t shorter = left->len < right->len ? left->len : right->len;
	int order = memcmp(left->data, right->data, shorter);

	return order != 0 ? order
			  : (left->len > right->len) - (left->len < right->len);
}

static void
write_or_exit(int fd, const void *data, size_t len)
{
	const char *at = data;

	while (len > 0) {
		ssize_t n = write(fd, at, len);

		if (n < 0)
			_exit(EX_IOERR);
		at += n;
		len -= (size_t)n;
	}
}

static void
write_set(int fd, struct output *output)
{
	uint8_t header[sizeof(uint32_t)];
	struct wire_writer writer;

	if (output->count > 1)
		qsort(output->records, output->count, sizeof(struct record),
		    compare);
	for (size_t i = 0; i < output->count; i++) {
		wire_writer_init(&writer, header, sizeof(header));
		wire_put_u32(&writer, (uint32_t)output->records[i].len);
		write_or_exit(fd, header, sizeof(header));
		write_or_exit(
		    fd, output->records[i].data, output->records[i].len);
	}
}

/* Holds nothing of the parent's, and does not outlive it. */
static int
leave_parent(int fd, pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent ||
	    dup2(fd, CHILD_FD) != CHILD_FD ||
	    close_range(CHILD_FD + 1, ~0U, 0) != 0)
		_exit(EX_OSERR);
	return CHILD_FD;
}

static _Noreturn void
child(const struct reading_source *source, int fd, pid_t parent)
{
	struct output output = {.records = NULL};
	char why[WHY_SIZE] = "";

	fd = leave_parent(fd, parent);
	if (read_source(source, &output, why)) {
		write_set(fd, &output);
		_exit(EXIT_SUCCESS);
	}
	write_or_exit(fd, why, strlen(why));
	_exit(EXIT_FAILURE);
}

/* ---- the parent: collects, never blocks */

/* Its exit status, as waitpid gives it; killed if it has not exited. */
static int
reap(struct reading *reading)
{
	int status = -1;

	if (reading->pid > 0) {
		(void)kill(reading->pid, SIGKILL);
		while (waitpid(reading->pid, &status, 0) < 0 && errno == EINTR)
			;
		reading->pid = 0;
	}
	return status;
}

static void
reading_free(struct reading *reading)
{
	(void)reap(reading);
	if (reading->readable != NULL) {
		(void)close(event_get_fd(reading->readable));
		event_free(reading->readable);
	}
	if (reading->deadline != NULL)
		event_free(reading->deadline);
	if (reading->arrived != NULL)
		evbuffer_free(reading->arrived);
	free(reading);
}

void
reading_cancel(struct reading *reading)
{
	if (reading != NULL)
		reading_free(reading);
}

/* Ends the reading before telling: the callee may start the next. */
static void
finish(struct reading *reading, uint8_t *set, size_t len, const char *why)
{
	reading_done_fn *done = reading->done;
	void *arg = reading->arg;

	reading_free(reading);
	done(arg, set, len, why);
}

static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	finish(arg, NULL, 0, "no answer in time");
}

/* The end of the file came with the end of the child: its status stands. */
static void
on_end(struct reading *reading)
{
	size_t len = evbuffer_get_length(reading->arrived);
	uint8_t *data = malloc(len + 1);
	int status = reap(reading);
	char why[WHY_SIZE];

	if (data == NULL) {
		finish(reading, NULL, 0, "out of memory");
		return;
	}
	(void)evbuffer_remove(reading->arrived, data, len);
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS &&
	    rule_set_count(data, len) >= 0) {
		finish(reading, data, len, "");
		return;
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_FAILURE)
		/* A server's own words may be in it. */
		(void)text_quote(why, sizeof(why), data, len);
	else
		(void)snprintf(why, sizeof(why),
		    "the reading child has died (status 0x%x)",
		    (unsigned)status);
	free(data);
	finish(reading, NULL, 0, why);
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct reading *reading = arg;
	int n = evbuffer_read(reading->arrived, fd, PIECE_MAX);

	(void)what;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0)
		on_end(reading);
	else if (evbuffer_get_length(reading->arrived) >
		 RULE_SET_OCTETS_MAX + WHY_SIZE)
		finish(reading, NULL, 0, "more rules than this program takes");
}

static bool
watch_child(struct reading *reading, struct event_base *base, int fd,
    unsigned deadline_s)
{
	struct timeval deadline = {(time_t)deadline_s, 0};

	reading->arrived = evbuffer_new();
	reading->deadline = evtimer_new(base, on_deadline, reading);
	reading->readable =
	    event_new(base, fd, EV_READ | EV_PERSIST, on_readable, reading);
	if (reading->readable == NULL)
		(void)close(fd);
	return reading->arrived != NULL && reading->deadline != NULL &&
	       reading->readable != NULL &&
	       evtimer_add(reading->deadline, &deadline) == 0 &&
	       event_add(reading->readable, NULL) == 0;
}

struct reading *
reading_start(struct event_base *base, const struct reading_source *source,
    reading_done_fn *done, void *arg)
{
	struct reading *reading = calloc(1, sizeof(*reading));
	pid_t parent = getpid();
	int fds[2];

	if (reading == NULL)
		return NULL;
	if (pipe2(fds, O_CLOEXEC) != 0) {
		free(reading);
		return NULL;
	}
	reading->done = done;
	reading->arg = arg;
	reading->pid = fork();
	if (reading->pid == 0)
		child(source, fds[1], parent);
	(void)close(fds[1]);
	(void)fcntl(fds[0], F_SETFL, O_NONBLOCK);
	if (!watch_child(reading, base, fds[0], source->deadline_s) ||
	    reading->pid < 0) {
		reading_free(reading);
		return NULL;
	}
	return reading;
}
