/* SPDX-License-Identifier: ISC */
/* Who is at the other end of the control socket, as the kernel says. */
#include "gateway/control_peer.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/control.h"

#define GROUPS_MAX 65536 /* of one process, as Linux has it */

bool
control_peer_find(int fd, struct ucred *peer)
{
	socklen_t len = sizeof(*peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, peer, &len) == 0 &&
	       len == sizeof(*peer);
}

/* Besides its first group, which is in the credentials. */
static bool
has_group(int fd, uint32_t group)
{
	socklen_t len = GROUPS_MAX * sizeof(gid_t);
	gid_t *groups = malloc(len);
	bool found = false;

	if (groups == NULL ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) < 0)
		len = 0;
	for (size_t i = 0; i < len / sizeof(gid_t); i++)
		found |= groups[i] == group;
	free(groups);
	return found;
}

static bool
is_in_group(int fd, const struct ucred *peer, uint32_t group)
{
	return group != CONTROL_NO_GROUP &&
	       (peer->gid == group || has_group(fd, group));
}

bool
control_peer_is_ours(const struct ucred *peer)
{
	return peer->uid == 0 || peer->uid == geteuid();
}

bool
control_peer_is_of(int fd, const struct ucred *peer, uint32_t group)
{
	return control_peer_is_ours(peer) || is_in_group(fd, peer, group);
}
