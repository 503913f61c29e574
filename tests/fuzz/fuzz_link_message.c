/* SPDX-License-Identifier: ISC */
/* What a broken peer may put on a link: any packet, any options. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/link.h"
#include "base/must.h"
#include "base/options.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	unsigned messages;
	bool is_closed;
};

static void
on_message(void *arg, struct link_message *message)
{
	struct seen *seen = arg;
	uint8_t sum = 0;

	for (size_t i = 0; i < message->len; i++)
		sum ^= message->data[i]; /* every octet may be read */
	must(message->fd == -1);
	seen->messages++;
	(void)sum;
}

static void
on_closed(void *arg)
{
	struct seen *seen = arg;

	seen->is_closed = true;
}

static const struct link_handler handlers[] = {
    {1, 0, 64, on_message},
    {2, 4, LINK_MESSAGE_MAX, on_message},
    {.handle = NULL},
};

static void
receive_packet(struct event_base *base, const uint8_t *data, size_t size)
{
	struct seen seen = {0};
	struct link *link;
	int fds[2];

	must(link_pair(fds) == 0);
	link = link_new(base, fds[0], handlers, on_closed, &seen);
	must(link != NULL);
	if (send(fds[1], data, size, MSG_NOSIGNAL) == (ssize_t)size) {
		(void)event_base_loop(base, EVLOOP_NONBLOCK);
		must(seen.messages + seen.is_closed == 1);
	}
	link_free(link);
	(void)close(fds[1]);
}

static void
read_options(const uint8_t *data, size_t size)
{
	struct options *options = options_decode(data, size);
	uint8_t *again;
	size_t len;

	if (options == NULL)
		return;
	options_encode(options, &again, &len);
	must(len == size && memcmp(again, data, len) == 0);
	free(again);
	options_free(options);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct event_base *base;

	if (base == NULL)
		base = event_base_new();
	must(base != NULL);
	if (size > 0) /* an empty packet is the end, not a packet */
		receive_packet(base, data, size);
	read_options(data, size);
	return 0;
}
