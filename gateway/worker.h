/* SPDX-License-Identifier: ISC */
/*
 * One worker thread: an event loop with its own sessions, links, resolver
 * and references to the rules and settings in force.
 *
 * Everything but worker_new, worker_mail and worker_join happens on the
 * worker's own thread.
 */
#ifndef GATEWAY_WORKER_H
#define GATEWAY_WORKER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/compiler.h"
#include "base/role.h"
#include "gateway/counters.h"
#include "gateway/health.h"
#include "gateway/latency.h"
#include "policy/judge.h"

struct rule_uses;
struct audit_sender;
struct authenticators;
struct budgets;
struct census;
struct census_batch;
struct census_question;
struct connected;
struct event_base;
struct lingers;
struct loop_watch;
struct lookups;
struct passwords;
struct resolver;
struct reviews;
struct ruleset;
struct session;
struct settings;
struct subject_cache;
struct throttle;
struct tls_listeners;
struct ticketless;
struct worker;

/* What all threads of the program share; each member is safe by itself. */
struct shared {
	struct subject_cache *subjects;
	struct budgets *budgets;
	struct rule_uses *rule_uses;
	struct counters counters;
	struct connected *connected; /* which identity is where */
	struct ticketless *ticketless;
	struct throttle *throttle;     /* how often passwords are tried */
	_Atomic uint64_t next_session; /* the next session's id */
	_Atomic uint64_t confirmed_us; /* wall clock: when the directory last
					* said that the rules are these */
	_Atomic bool directory_up;
	struct health names, logins;
	/* Of each method: proofs that came to their end, and that did not. */
	_Atomic uint64_t proofs[METHOD_COUNT][2];
	struct latency handshakes[METHOD_COUNT]; /* from accept to proof */
	struct latency decisions; /* from the request to the decision */
	struct rule_totals *rule_totals;
	_Atomic unsigned closed; /* workers that accept nobody any more */
};

/* What a thread's sessions use; settings and rules are references of its
 * own. */
struct worker {
	struct shared *shared;
	struct event_base *base;
	struct audit_sender *audit;
	struct authenticators *authenticators;
	struct passwords *passwords;
	struct lookups *lookups;
	struct resolver *resolver;
	struct lingers *lingers;
	struct loop_watch *watch;
	struct reviews *reviews;
	struct census *census;
	struct settings *settings;
	struct tls_listeners *tls; /* of these settings */
	struct ruleset *rules;	   /* NULL until there are any */
	struct own_addresses own;
	TAILQ_HEAD(, session) sessions;
};

/* What the main thread tells a worker. */
enum mail_kind {
	MAIL_LINK,	   /* peer, index, fd */
	MAIL_SETTINGS,	   /* settings, tls (references) */
	MAIL_LISTENER,	   /* name (malloc'ed), fd: -1 closes it */
	MAIL_RULES,	   /* rules (a reference) */
	MAIL_SUBJECTS,	   /* users or groups have changed */
	MAIL_ADDRESSES,	   /* addresses (malloc'ed), count */
	MAIL_CENSUS,	   /* question (malloc'ed): the next batch */
	MAIL_CENSUS_BATCH, /* to the main thread: batch */
	MAIL_DRAIN,	   /* accept what waits, then no more */
	MAIL_STOP	   /* end all sessions, flush the records, leave */
};

struct mail {
	STAILQ_ENTRY(mail) entry;
	enum mail_kind kind;
	enum role peer;
	uint32_t index;
	int fd;
	char *name;
	struct settings *settings;
	struct tls_listeners *tls;
	struct ruleset *rules;
	struct address *addresses;
	size_t count;
	struct census_question *question;
	struct census_batch *batch;
};

/* Makes a worker and starts its thread; dies when it cannot. */
struct worker *worker_new(struct shared *shared, struct settings *settings,
    struct tls_listeners *tls, uint64_t audit_source) must_check;

/* How long directory-lookup may take to answer. */
unsigned worker_lookup_ms(const struct settings *settings);
/* What a thread resolves names with; dies when it cannot be made. */
struct resolver *worker_make_resolver(
    struct event_base *base, const struct settings *settings) must_check;

/* Do rules or settings want to know what the directory says of a client? */
bool worker_needs_subject(const struct worker *worker);

/* Takes what the mail holds.  From the main thread. */
void worker_mail(struct worker *worker, const struct mail *mail);

/* Waits for the thread to leave after MAIL_STOP, and frees the worker. */
void worker_join(struct worker *worker);

#endif
