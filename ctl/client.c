/* SPDX-License-Identifier: ISC */
/* Asks the gateway one question over its control socket. */
#include "ctl/client.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/ctl_protocol.h"
#include "base/link.h"
#include "base/must.h"

struct client {
	struct event_base *base;
	struct link *link;
	struct event *silence;
	client_line_fn *line;
	client_octets_fn *octets;
	void *arg;
	bool is_over;
	enum outcome outcome;
};

static const struct timeval silence = {
    .tv_sec = CLIENT_SILENCE_MS / 1000,
};

static void
finish(struct client *client, enum outcome outcome)
{
	if (!client->is_over)
		client->outcome = outcome;
	client->is_over = true;
	(void)event_base_loopbreak(client->base);
}

/* It goes on speaking. */
static void
heard(struct client *client, enum outcome outcome)
{
	(void)event_add(client->silence, &silence);
	if (outcome != OUTCOME_OK)
		finish(client, outcome);
}

static void
on_line(void *arg, struct link_message *message)
{
	struct client *client = arg;
	struct options *line = options_decode(message->data, message->len);

	if (client->is_over) {
		options_free(line);
		return;
	}
	heard(client, line != NULL ? client->line(client->arg, line)
				   : outcome_say(OUTCOME_PROTOCOL,
					 "the gateway says what is no line"));
	options_free(line);
}

static void
on_octets(void *arg, struct link_message *message)
{
	struct client *client = arg;

	if (client->is_over)
		return;
	heard(client,
	    client->octets != NULL
		? client->octets(client->arg, message->data, message->len)
		: outcome_say(OUTCOME_PROTOCOL,
		      "the gateway sends what was not asked for"));
}

static void
on_wait(void *arg, struct link_message *message)
{
	(void)message;
	heard(arg, OUTCOME_OK);
}

static void
on_done(void *arg, struct link_message *message)
{
	(void)message;
	finish(arg, OUTCOME_OK);
}

static void
on_failed(void *arg, struct link_message *message)
{
	static const enum outcome outcomes[CTL_FAILURE_END] = {
	    [CTL_REFUSED] = OUTCOME_REFUSED,
	    [CTL_BAD_QUESTION] = OUTCOME_DATA,
	    [CTL_BUSY] = OUTCOME_UNAVAILABLE,
	    [CTL_UNAVAILABLE] = OUTCOME_UNAVAILABLE,
	};
	struct ctl_failed failed;

	if (ctl_failed_decode(message->data, message->len, &failed))
		finish(arg, outcome_say(outcomes[failed.failure], "%s",
				failed.sentence));
	else
		finish(arg, outcome_say(OUTCOME_PROTOCOL,
				"the gateway does not say why not"));
}

static void
on_closed(void *arg)
{
	struct client *client = arg;

	if (!client->is_over)
		finish(client,
		    outcome_say(OUTCOME_UNAVAILABLE,
			"the gateway has ended the connection before its "
			"answer was whole"));
}

static void
on_silence(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	finish(arg,
	    outcome_say(OUTCOME_UNAVAILABLE, "the gateway does not answer"));
}

static const struct link_handler handlers[] = {
    {CTL_LINE, 1, CTL_LINE_MAX, on_line},
    {CTL_OCTETS, 1, CTL_OCTETS_MAX, on_octets},
    {CTL_DONE, 0, 0, on_done},
    {CTL_FAILED, 6, CTL_FAILED_MAX, on_failed},
    {CTL_WAIT, 0, 0, on_wait},
    {0, 0, 0, NULL},
};

/* A socket, or -1 and errno. */
static int
connect_to(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int saved, fd;

	if (strlcpy(address.sun_path, path, sizeof(address.sun_path)) >=
	    sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	/* A gateway that is stopped leaves its backlog full. */
	if (setsockopt(
		fd, SOL_SOCKET, SO_SNDTIMEO, &silence, sizeof(silence)) == 0 &&
	    connect(fd, (const struct sockaddr *)&address, sizeof(address)) ==
		0 &&
	    evutil_make_socket_nonblocking(fd) == 0)
		return fd;
	saved = errno;
	(void)close(fd);
	errno = saved;
	return -1;
}

static enum outcome
ask(struct client *client, const struct options *question)
{
	uint8_t *data;
	size_t len;
	int status;

	options_encode(question, &data, &len);
	status = len > CTL_ASK_MAX
		     ? -EMSGSIZE
		     : link_send(client->link, CTL_ASK, 0, data, len);
	free(data);
	if (status == -EMSGSIZE)
		return outcome_say(OUTCOME_USAGE, "the question is too long");
	/* -EPIPE: it may have said why before it closed. */
	if (status < 0 && status != -EPIPE)
		return outcome_say(
		    OUTCOME_LOCAL, "cannot ask: %s", strerror(-status));
	(void)event_add(client->silence, &silence);
	(void)event_base_dispatch(client->base);
	return client->outcome;
}

enum outcome
client_ask(const char *path, const struct options *question,
    client_line_fn *line, client_octets_fn *octets, void *arg)
{
	struct client client = {
	    .line = line,
	    .octets = octets,
	    .arg = arg,
	    .outcome = OUTCOME_LOCAL,
	};
	enum outcome outcome;
	int fd = connect_to(path);

	if (fd < 0)
		return outcome_say(OUTCOME_UNAVAILABLE,
		    "no gateway answers at %s: %s", path, strerror(errno));
	client.base = event_base_new();
	if (client.base == NULL)
		die("no event loop");
	client.link = link_new(client.base, fd, handlers, on_closed, &client);
	client.silence = evtimer_new(client.base, on_silence, &client);
	if (client.link == NULL || client.silence == NULL)
		die("out of memory");
	outcome = ask(&client, question);
	link_free(client.link);
	event_free(client.silence);
	event_base_free(client.base);
	return outcome;
}
