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
#include <sys/wait.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/event.h>

#include "base/text.h"
#include "base/wire.h"
#include "policy/entry.h"
#include "policy/ldap_connection.h"
#include "policy/ldap_file.h"
#include "policy/rule_set_stream.h"

/*
 * What the child writes: the set, then one octet 1 for a whole set, or 0 and
 * a sentence.  Whatever ends otherwise was killed or has crashed.
 */
#define END_WHOLE  1
#define END_FAILED 0
#define WHY_SIZE   1024
#define PIECE_MAX  65536

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

struct output {
	FILE *set;
	size_t entries;
};

static int
put_entry(void *arg, const struct entry *entry)
{
	struct output *output = arg;
	uint8_t *data, header[4];
	struct wire_writer writer;
	size_t len;
	int result = entry_encode(entry, &data, &len);

	if (result != 0)
		return DIRECTORY_ERRNO(-result);
	wire_writer_init(&writer, header, sizeof(header));
	wire_put_u32(&writer, (uint32_t)len);
	(void)fwrite(header, 1, sizeof(header), output->set);
	(void)fwrite(data, 1, len, output->set);
	free(data);
	if (++output->entries > RULE_SET_ENTRIES_MAX ||
	    ftell(output->set) > RULE_SET_OCTETS_MAX)
		return DIRECTORY_ERRNO(E2BIG);
	return 0;
}

static int
add_attribute(
    struct entry *entry, LDAP *ld, LDAPMessage *message, const char *name)
{
	struct berval **values = ldap_get_values_len(ld, message, name);
	int result = 0;

	for (size_t i = 0; values != NULL && values[i] != NULL && result == 0;
	     i++)
		result = entry_add(
		    entry, name, values[i]->bv_val, values[i]->bv_len);
	ldap_value_free_len(values);
	return result == 0 ? 0 : DIRECTORY_ERRNO(-result);
}

static int
put_message(void *arg, LDAP *ld, LDAPMessage *message)
{
	BerElement *ber = NULL;
	char *dn = ldap_get_dn(ld, message);
	struct entry *entry = dn != NULL ? entry_new(dn) : NULL;
	int result = entry != NULL ? 0 : DIRECTORY_ERRNO(ENOMEM);

	for (char *name = ldap_first_attribute(ld, message, &ber); name != NULL;
	     name = ldap_next_attribute(ld, message, ber)) {
		if (result == 0)
			result = add_attribute(entry, ld, message, name);
		ldap_memfree(name);
	}
	ber_free(ber, 0);
	ldap_memfree(dn);
	if (result == 0)
		result = put_entry(arg, entry);
	entry_free(entry);
	return result;
}

static bool
read_directory(const struct reading_source *source, struct output *output,
    char why[WHY_SIZE])
{
	char filter[] = RULES_FILTER;
	LDAP *ld = directory_open(source->directory, why);
	int result;

	if (ld == NULL)
		return false;
	result = directory_search(ld, source->directory, source->rule_base,
	    LDAP_SCOPE_SUBTREE, filter, NULL, put_message, output);
	directory_close(ld);
	if (result != 0)
		(void)snprintf(why, WHY_SIZE, "reading %s: %s",
		    source->rule_base, directory_error(result));
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
	if (result != 0)
		(void)snprintf(why, WHY_SIZE, "%s: %s", source->file,
		    what[0] != '\0' ? what : directory_error(result));
	return result == 0;
}

static void
write_all(int fd, const void *data, size_t len)
{
	const char *at = data;
	ssize_t n;

	while (len > 0 && (n = write(fd, at, len)) >= 0) {
		at += n;
		len -= (size_t)n;
	}
}

static _Noreturn void
child(const struct reading_source *source, int fd)
{
	char why[WHY_SIZE] = "", *set = NULL;
	size_t len = 0;
	struct output output = {.set = open_memstream(&set, &len)};
	uint8_t end = END_FAILED;

	/* Should the parent die, so does this. */
	(void)alarm(source->deadline_s);
	if (output.set == NULL)
		_exit(EXIT_FAILURE);
	if (*source->file != '\0' ? read_file(source, &output, why)
				  : read_directory(source, &output, why))
		end = END_WHOLE;
	(void)fclose(output.set);
	if (end == END_WHOLE)
		write_all(fd, set, len);
	else
		write_all(fd, why, strlen(why));
	write_all(fd, &end, 1);
	_exit(EXIT_SUCCESS);
}

/* ---- the parent: collects, never blocks */

static void
reading_free(struct reading *reading)
{
	if (reading->pid > 0) {
		(void)kill(reading->pid, SIGKILL);
		(void)waitpid(reading->pid, NULL, 0);
	}
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

static void
on_end(struct reading *reading)
{
	size_t len = evbuffer_get_length(reading->arrived);
	uint8_t *data = malloc(len + 1);
	char why[WHY_SIZE + 1];

	if (data == NULL) {
		finish(reading, NULL, 0, "out of memory");
		return;
	}
	(void)evbuffer_remove(reading->arrived, data, len);
	if (len == 0) {
		free(data);
		finish(reading, NULL, 0, "the reading program died");
	} else if (data[len - 1] == END_WHOLE &&
		   rule_set_count(data, len - 1) >= 0) {
		finish(reading, data, len - 1, "");
	} else {
		/* A server's own words may be in it. */
		(void)text_quote(why, sizeof(why), data, len - 1);
		free(data);
		finish(reading, NULL, 0, why);
	}
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
		child(source, fds[1]);
	(void)close(fds[1]);
	(void)fcntl(fds[0], F_SETFL, O_NONBLOCK);
	if (!watch_child(reading, base, fds[0], source->deadline_s) ||
	    reading->pid < 0) {
		reading_free(reading);
		return NULL;
	}
	return reading;
}
