/* SPDX-License-Identifier: ISC */
/* Who of the programs talks with whom, and the links that they need. */
#include "gateway/wiring.h"

#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/control.h"
#include "base/link.h"
#include "base/must.h"
#include "base/wire.h"
#include "gateway/child.h"
#include "gateway/supervisor.h"

#define LINK_DATA_SIZE 9 /* u8 role, u32 index, u32 slot */

/* The gateway is one end of every link between two programs. */
static const struct {
	enum role peer;
	bool with_main; /* thread of the gateway */
	bool with_workers;
} wires[] = {
    {ROLE_AUTHENTICATOR, false, true},
    {ROLE_PASSWORD_CHECKER, false, true},
    {ROLE_DIRECTORY_LOOKUP, true, true},
    {ROLE_DIRECTORY_WATCH, true, false},
    {ROLE_AUDITOR, true, true},
};

static bool
tell(struct child *child, enum role peer, uint32_t index, uint32_t slot, int fd)
{
	uint8_t data[LINK_DATA_SIZE];
	struct wire_writer writer;

	wire_writer_init(&writer, data, sizeof(data));
	wire_put_u8(&writer, (uint8_t)peer);
	wire_put_u32(&writer, index);
	wire_put_u32(&writer, slot);
	must(!writer.failed);
	return child_send(child, CONTROL_LINK, 0, data, writer.len, fd);
}

/* A program that has not got its link is killed by child_send; its successor
 * gets new ones. */
static void
connect_slot(struct child *gateway, struct child *peer, uint32_t slot)
{
	int fds[2];
	int status = link_pair(fds);

	if (status < 0) {
		child_kill(peer, strerror(-status));
		return;
	}
	(void)tell(gateway, child_role(peer), child_index(peer), slot, fds[0]);
	(void)tell(peer, ROLE_GATEWAY, child_index(gateway), slot, fds[1]);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

static void
connect_pair(struct child *gateway, struct child *peer, uint32_t workers)
{
	for (size_t i = 0; i < ARRAY_COUNT(wires); i++) {
		if (wires[i].peer != child_role(peer))
			continue;
		if (wires[i].with_main)
			connect_slot(gateway, peer, SLOT_MAIN);
		for (uint32_t n = 0; wires[i].with_workers && n < workers; n++)
			connect_slot(gateway, peer, SLOT_MAIN + 1 + n);
	}
}

void
wiring_connect(
    const struct supervisor *supervisor, struct child *child, uint32_t workers)
{
	struct child *peer = NULL;

	while ((peer = supervisor_next(supervisor, peer)) != NULL) {
		if (peer == child || !child_is_wired(peer))
			continue;
		if (child_role(child) == ROLE_GATEWAY)
			connect_pair(child, peer, workers);
		else if (child_role(peer) == ROLE_GATEWAY)
			connect_pair(peer, child, workers);
	}
	child_set_wired(child);
}

int
wiring_join(struct child *child, enum role as)
{
	int fds[2];
	int status = link_pair(fds);

	if (status < 0) {
		child_kill(child, strerror(-status));
		return -1;
	}
	(void)tell(child, as, 0, SLOT_MAIN, fds[1]);
	(void)close(fds[1]);
	return fds[0];
}
