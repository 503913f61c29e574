/* SPDX-License-Identifier: ISC */
/* A UDP socket of an association, and the datagrams that wait to leave by it.
 */
#include "relay/door.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/must.h"

void
door_init(struct door *door)
{
	door->fd = -1;
	door->count = 0;
	memset(&door->event, 0, sizeof(door->event));
}

int
door_open(struct door *door, const struct address *local, uint16_t port_min,
    uint16_t port_max, struct socket_address *bound)
{
	must(door->fd < 0);
	door->fd = datagrams_socket(local, port_min, port_max, bound);
	return door->fd < 0 ? errno : 0;
}

int
door_watch(struct door *door, struct event_base *base,
    event_callback_fn on_readable, void *arg)
{
	(void)event_assign(&door->event, base, door->fd, EV_READ | EV_PERSIST,
	    on_readable, arg);
	return event_add(&door->event, NULL);
}

void
door_close(struct door *door)
{
	if (door->fd < 0)
		return;
	if (event_initialized(&door->event))
		(void)event_del(&door->event);
	(void)close(door->fd);
	door->fd = -1;
}

void
door_put(struct door *door, const struct datagram *item)
{
	must(door->count < DATAGRAMS_MAX);
	door->out[door->count++] = *item;
}

struct door_sent
door_flush(struct door *door)
{
	struct door_sent sent = {.datagrams = 0};

	datagrams_send(door->fd, door->out, door->count);
	for (size_t i = 0; i < door->count; i++) {
		const struct datagram *item = &door->out[i];

		if (item->error == EMSGSIZE) {
			sent.too_large++;
		} else if (item->error != 0) {
			sent.refused++;
		} else {
			sent.datagrams++;
			sent.bytes += item->payload_len;
		}
	}
	door->count = 0;
	return sent;
}
