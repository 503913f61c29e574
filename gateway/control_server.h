/* SPDX-License-Identifier: ISC */
/*
 * Answers gatewardenctl over the control socket, on the gateway's main
 * thread, which has no sessions.
 *
 * One connection asks one question.  Who asks is what the kernel says
 * (SO_PEERCRED); who may not is told so.  Each user has a share and a rate
 * (gateway/control_askers.h): what comes faster waits its turn.  Questions are
 * on record (gateway/control_trail.h).  What a command has to say goes out as
 * fast as it is read, a few milliseconds at a time; who does not read is
 * dropped.
 *
 * A new command is a `struct control_command` in a file of its own
 * (gateway/control_NAME.c) and a row in gateway/control_commands.c.
 */
#ifndef GATEWAY_CONTROL_SERVER_H
#define GATEWAY_CONTROL_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/ctl_protocol.h"
#include "policy/judge.h"

struct audit_sender;
struct census_desk;
struct control_call; /* one question that is being answered */
struct control_server;
struct event_base;
struct lookup_now;
struct options;
struct policy_source;
struct program;
struct resolver;
struct ruleset;
struct settings;
struct shared;
struct ucred;
struct worker;

/* Octets of an answer that wait for their reader before its command is asked
 * for more. */
#define CONTROL_QUEUE_MAX (256 * 1024)

/*
 * What commands may look at; all of it borrowed, and the main thread's.
 * Rules, settings and addresses are those in force now and may be others when
 * control returns to the event loop: who goes on then takes a reference.
 */
struct control_world {
	struct event_base *base;
	struct shared *shared;
	struct settings *settings;
	struct ruleset *rules; /* NULL until there are any */
	struct own_addresses own;
	struct lookup_now *lookups;
	struct resolver *resolver;
	struct policy_source *policy;
	struct program *program;    /* to ask the master; NULL in tests */
	struct census_desk *census; /* NULL in tests */
	struct worker *const *workers;
	size_t worker_count;
	uint64_t started_us; /* monotonic */
};

struct control_command {
	const char *name;
	/* The names that it reads, up to NULL: they go on record.  NULL: it
	 * reads none. */
	const char *const *arguments;
	/* It changes something: only for who may operate, and each time on
	 * record. */
	bool operates;
	/* Asked by a machine all the time, and about nobody: not on record. */
	bool is_routine;
	/* What it has alone while it is answered, by name: of all calls of
	 * commands that want the same, one at a time is answered; the others
	 * wait for theirs, those of root and our own user first.  NULL:
	 * nothing. */
	const char *sole;
	/*
	 * Begins to answer; returns what `pump` and `end` get (NULL is fine).
	 * It may say lines, and end the call, at once; or later, from
	 * callbacks of what it has started.
	 */
	void *(*start)(struct control_call *call);
	/*
	 * Says a little more, for a fraction of a millisecond: called again
	 * and again while it returns true and the peer reads.  NULL: the
	 * command says all that it has to say in `start` and its callbacks.
	 */
	bool (*pump)(struct control_call *call, void *state);
	/*
	 * The call is over, for whatever reason: cancels what is in flight
	 * and frees.  Comes once after `start`, and never inside any other
	 * function of the command or one that it calls.  NULL: nothing to do.
	 */
	void (*end)(void *state);
};

/* `world`, `audit` and `commands` (up to a row without name) are borrowed for
 * ever.  Dies without memory. */
struct control_server *control_server_new(const struct control_world *world,
    struct audit_sender *audit,
    const struct control_command *const *commands) must_check;
void control_server_free(struct control_server *server); /* NULL is fine */

/* Who may besides root and our own user; CONTROL_NO_GROUP: nobody. */
struct control_groups {
	uint32_t read;	  /* ask */
	uint32_t operate; /* ask, and change something */
};

/* Listens there from now on; fd taken.  Questions that are being answered
 * stay. */
void control_server_listen(
    struct control_server *server, int fd, const struct control_groups *groups);

/* ---- for commands */

const struct control_world *control_call_world(const struct control_call *call);
/* What was asked; borrowed for the call's life.  Not to be trusted. */
const struct options *control_call_asked(const struct control_call *call);

const struct ucred *control_call_peer(const struct control_call *call);

/* A line to be filled, of that kind; and said, and freed. */
struct options *control_line_begin(const char *kind) must_check;
void control_line_end(struct control_call *call, struct options *line);

/* Says a line, or a piece of a stream (up to CTL_OCTETS_MAX).  What the peer
 * cannot be sent any more is dropped quietly, and the call ends. */
void control_call_line(struct control_call *call, const struct options *line);
void
control_call_octets(struct control_call *call, const void *data, size_t len);
/* So many octets wait for the peer: what comes in from elsewhere may have to
 * be held back. */
size_t control_call_queued(const struct control_call *call);

/* The command holds these rules (NULL is fine) until its end: once they are not
 * in force any more, the call soon fails. */
void control_call_holds(struct control_call *call, const struct ruleset *rules);

/* `pump` has more to say, or will soon have been asked in vain. */
void control_call_pump(struct control_call *call);

/* What has come of it, on record. */
void control_call_tell(struct control_call *call, const char *format, ...)
    printf_like(2, 3);

/* Ends the call; nothing may be said after it.  `end` comes later. */
void control_call_done(struct control_call *call);
void control_call_fail(struct control_call *call, enum ctl_failure failure,
    const char *format, ...) printf_like(3, 4);

#endif
