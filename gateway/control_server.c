/* SPDX-License-Identifier: ISC */
/* Listens on the control socket, and lets in who may ask. */
#include "gateway/control_server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/control.h"
#include "base/log.h"
#include "base/must.h"
#include "gateway/control_peer.h"
#include "gateway/control_private.h"
#include "relay/sockets.h"

#define ACCEPT_PAUSE_US 100000 /* when descriptors are short */
#define TIDY_S		1      /* what is known of those who ask */

/* ---- who asks */

/* Nobody else is served before there are descriptors again. */
static void
pause_accepting(struct control_server *server)
{
	const struct timeval pause = {.tv_usec = ACCEPT_PAUSE_US};

	log_warning(NULL, "control socket: cannot accept: %s", strerror(errno));
	(void)event_del(server->listening);
	(void)event_add(server->resume, &pause);
}

static void
on_resume(evutil_socket_t fd, short what, void *arg)
{
	struct control_server *server = arg;

	(void)fd;
	(void)what;
	(void)event_add(server->listening, NULL);
}

static void
admit(struct control_server *server, int fd, const struct ucred *peer,
    bool may_operate)
{
	const struct timeval later = {.tv_sec = TIDY_S};
	struct control_asker *asker = control_askers_enter(
	    &server->askers, peer->uid, control_peer_is_ours(peer));

	if (asker == NULL) {
		control_call_refuse(
		    server, fd, peer, CTL_BUSY, "too many questions at a time");
		return;
	}
	if (!evtimer_pending(server->tidying, NULL))
		(void)event_add(server->tidying, &later);
	control_call_open(server, fd, peer, asker, may_operate);
}

static void
on_tidying(evutil_socket_t fd, short what, void *arg)
{
	const struct timeval later = {.tv_sec = TIDY_S};
	struct control_server *server = arg;

	(void)fd;
	(void)what;
	if (control_askers_tidy(
		&server->askers, &server->trail, clock_monotonic_us()))
		(void)event_add(server->tidying, &later);
}

static void
on_connection(evutil_socket_t listening, short what, void *arg)
{
	struct control_server *server = arg;
	struct ucred peer;
	int fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)what;
	if (fd < 0) {
		if (sockets_is_shortage(errno))
			pause_accepting(server);
		return;
	}
	if (!control_peer_find(fd, &peer))
		(void)close(fd);
	else if (control_peer_is_of(fd, &peer, server->groups.operate))
		admit(server, fd, &peer, true);
	else if (control_peer_is_of(fd, &peer, server->groups.read))
		admit(server, fd, &peer, false);
	else
		control_call_refuse(server, fd, &peer, CTL_REFUSED,
		    "only root, the gateway's own user and members of "
		    "control.read_group and control.operate_group may ask");
}

/* ---- beginning and end */

struct control_server *
control_server_new(const struct control_world *world,
    struct audit_sender *audit, const struct control_command *const *commands)
{
	struct control_server *server = must_alloc(1, sizeof(*server));

	server->world = world;
	server->trail.audit = audit;
	server->commands = commands;
	server->fd = -1;
	server->groups = (struct control_groups){
	    .read = CONTROL_NO_GROUP, .operate = CONTROL_NO_GROUP};
	TAILQ_INIT(&server->calls);
	control_askers_init(&server->askers);
	server->resume = evtimer_new(world->base, on_resume, server);
	server->tidying = evtimer_new(world->base, on_tidying, server);
	if (server->resume == NULL || server->tidying == NULL)
		die("out of memory");
	return server;
}

static void
stop_listening(struct control_server *server)
{
	if (server->listening != NULL)
		event_free(server->listening);
	server->listening = NULL;
	(void)event_del(server->resume);
	if (server->fd >= 0)
		(void)close(server->fd);
	server->fd = -1;
}

void
control_server_listen(
    struct control_server *server, int fd, const struct control_groups *groups)
{
	stop_listening(server);
	server->fd = fd;
	server->groups = *groups;
	server->listening = event_new(server->world->base, fd,
	    EV_READ | EV_PERSIST, on_connection, server);
	if (server->listening == NULL ||
	    event_add(server->listening, NULL) != 0) {
		log_error(NULL, "the control socket cannot be served");
		stop_listening(server);
	}
}

void
control_server_free(struct control_server *server)
{
	if (server == NULL)
		return;
	stop_listening(server);
	event_free(server->resume);
	event_free(server->tidying);
	while (!TAILQ_EMPTY(&server->calls))
		control_call_free(TAILQ_FIRST(&server->calls));
	control_askers_fini(&server->askers, &server->trail);
	free(server);
}
