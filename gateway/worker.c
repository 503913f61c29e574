/* SPDX-License-Identifier: ISC */
/* One worker thread: an event loop with its own sessions. */
#include "gateway/worker.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "auth/authenticators.h"
#include "auth/passwords.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/must.h"
#include "gateway/acceptor.h"
#include "gateway/audit_sender.h"
#include "gateway/census.h"
#include "gateway/judging.h"
#include "gateway/linger.h"
#include "gateway/loop_watch.h"
#include "gateway/mailbox.h"
#include "gateway/reviews.h"
#include "gateway/session.h"
#include "gateway/settings.h"
#include "gateway/tls_listeners.h"
#include "policy/lookups.h"
#include "policy/ruleset.h"
#include "relay/resolver.h"

#define STOP_FLUSH_US 2000000 /* for the records of a stop */
#define STOP_POLL_US  10000
/* A checker gives up by itself before it is given up. */
#define PASSWORD_GRACE_MS 2000

struct listener {
	SLIST_ENTRY(listener) entry;
	struct thread *thread;
	char *name;
	struct acceptor *acceptor;
};

/* The worker and what only this file touches. */
struct thread {
	struct worker worker; /* first: a worker is its thread */
	pthread_t id;
	struct mailbox *mailbox;
	SLIST_HEAD(, listener) listeners;
	struct event *stop_poll;
	uint64_t stop_by_us;
};

static void
on_accepted(void *arg, int fd, const struct socket_address *client)
{
	struct listener *listener = arg;

	session_open(&listener->thread->worker, listener->name, fd, client);
}

static void
listener_close(struct thread *thread, struct listener *listener)
{
	SLIST_REMOVE(&thread->listeners, listener, listener, entry);
	acceptor_free(listener->acceptor);
	free(listener->name);
	free(listener);
}

/* Takes name and fd. */
static void
listener_open(struct thread *thread, char *name, int fd)
{
	struct listener *listener = must_alloc(1, sizeof(*listener));

	listener->thread = thread;
	listener->name = name;
	listener->acceptor = acceptor_new(thread->worker.base, fd,
	    &thread->worker.shared->counters, on_accepted, listener);
	if (listener->acceptor == NULL)
		die("cannot watch listener %s", name);
	SLIST_INSERT_HEAD(&thread->listeners, listener, entry);
}

static void
open_link(struct thread *thread, struct mail *mail)
{
	struct worker *worker = &thread->worker;

	switch (mail->peer) {
	case ROLE_AUTHENTICATOR:
		authenticators_link(
		    worker->authenticators, mail->index, mail->fd);
		return;
	case ROLE_PASSWORD_CHECKER:
		passwords_link(worker->passwords, mail->index, mail->fd);
		return;
	case ROLE_DIRECTORY_LOOKUP:
		lookups_link(worker->lookups, mail->index, mail->fd);
		return;
	case ROLE_AUDITOR:
		audit_sender_link(worker->audit, mail->fd);
		return;
	case ROLE_MASTER:
	case ROLE_GATEWAY:
	case ROLE_DIRECTORY_WATCH:
	case ROLE_COUNT:
		break;
	}
	log_warning(NULL, "a link to %s is of no use to a worker",
	    role_name(mail->peer));
	(void)close(mail->fd);
}

static void
take_listener(struct thread *thread, struct mail *mail)
{
	struct listener *listener, *next;

	SLIST_FOREACH_SAFE(listener, &thread->listeners, entry, next)
	if (strcmp(listener->name, mail->name) == 0)
		listener_close(thread, listener);
	if (mail->fd >= 0)
		listener_open(thread, mail->name, mail->fd);
	else
		free(mail->name);
}

static void
on_stop_poll(evutil_socket_t fd, short what, void *arg)
{
	struct thread *thread = arg;
	struct timeval again = {0, STOP_POLL_US};

	(void)fd;
	(void)what;
	if (audit_sender_pending(thread->worker.audit) == 0 ||
	    clock_monotonic_us() >= thread->stop_by_us)
		(void)event_base_loopbreak(thread->worker.base);
	else
		(void)evtimer_add(thread->stop_poll, &again);
}

static void
stop(struct thread *thread)
{
	while (!SLIST_EMPTY(&thread->listeners))
		listener_close(thread, SLIST_FIRST(&thread->listeners));
	session_close_all(&thread->worker, REASON_SHUTDOWN);
	thread->stop_by_us = clock_monotonic_us() + STOP_FLUSH_US;
	on_stop_poll(-1, 0, thread);
}

static void
stop_accepting(struct thread *thread)
{
	struct listener *listener;

	while ((listener = SLIST_FIRST(&thread->listeners)) != NULL) {
		SLIST_REMOVE_HEAD(&thread->listeners, entry);
		acceptor_finish(listener->acceptor);
		free(listener->name);
		free(listener);
	}
	atomic_fetch_add(&thread->worker.shared->closed, 1);
}

/* Of all listeners, in the settings that are in force. */
static void
take_ports(struct worker *worker)
{
	free((void *)(uintptr_t)worker->own.ports);
	worker->own.ports = settings_ports(worker->settings);
	worker->own.port_count = worker->settings->listener_count;
}

static unsigned
auth_timeout_ms(const struct settings *settings)
{
	return (unsigned)settings->auth_timeout * 1000;
}

static unsigned
password_timeout_ms(const struct settings *settings)
{
	return (unsigned)settings->password_timeout * 1000 + PASSWORD_GRACE_MS;
}

static void
take_timeouts(struct worker *worker)
{
	authenticators_set_timeout(
	    worker->authenticators, auth_timeout_ms(worker->settings));
	passwords_set_timeout(
	    worker->passwords, password_timeout_ms(worker->settings));
}

static void
open_mail(void *arg, struct mail *mail)
{
	struct thread *thread = arg;
	struct worker *worker = &thread->worker;

	switch (mail->kind) {
	case MAIL_LINK:
		open_link(thread, mail);
		break;
	case MAIL_SETTINGS:
		settings_unref(worker->settings);
		worker->settings = mail->settings;
		take_ports(worker);
		take_timeouts(worker);
		tls_listeners_unref(worker->tls);
		worker->tls = mail->tls;
		break;
	case MAIL_LISTENER:
		take_listener(thread, mail);
		break;
	case MAIL_RULES:
		ruleset_unref(worker->rules);
		worker->rules = mail->rules;
		reviews_begin(worker->reviews, false);
		break;
	case MAIL_SUBJECTS:
		reviews_begin(worker->reviews, true);
		break;
	case MAIL_ADDRESSES:
		free((void *)(uintptr_t)worker->own.addresses);
		worker->own.addresses = mail->addresses;
		worker->own.count = mail->count;
		reviews_begin(worker->reviews, false);
		break;
	case MAIL_CENSUS:
		census_go_on(worker->census, mail->question);
		free(mail->question);
		break;
	case MAIL_CENSUS_BATCH: /* is the main thread's */
		census_batch_free(mail->batch);
		break;
	case MAIL_DRAIN:
		stop_accepting(thread);
		break;
	case MAIL_STOP:
		stop(thread);
		break;
	}
}

static void *
run(void *arg)
{
	struct thread *thread = arg;

	(void)event_base_loop(thread->worker.base, EVLOOP_NO_EXIT_ON_EMPTY);
	return NULL;
}

unsigned
worker_lookup_ms(const struct settings *settings)
{
	return (unsigned)settings->directory_timeout * 3000;
}

struct resolver *
worker_make_resolver(struct event_base *base, const struct settings *settings)
{
	struct resolver_settings resolver = {
	    .servers = settings->resolver_servers,
	    .timeout_ms = (unsigned)settings->resolver_timeout,
	    .outstanding_max = (unsigned)settings->resolver_outstanding,
	    .ttl_min_s = (unsigned)settings->resolver_ttl_min,
	    .ttl_max_s = (unsigned)settings->resolver_ttl_max,
	    .negative_ttl_s = (unsigned)settings->resolver_negative_ttl,
	    .hosts_file = settings->resolver_hosts_file,
	};
	struct resolver *made = resolver_new(base, &resolver);

	if (made == NULL)
		die("resolver.servers: cannot use \"%s\"",
		    settings->resolver_servers);
	return made;
}

static void
make_parts(struct worker *worker, uint64_t audit_source)
{
	const struct settings *settings = worker->settings;

	worker->audit = audit_sender_new(worker->base, audit_source);
	worker->authenticators =
	    authenticators_new(worker->base, auth_timeout_ms(settings));
	worker->passwords =
	    passwords_new(worker->base, password_timeout_ms(settings));
	worker->lookups = lookups_new(
	    worker->base, worker->shared->subjects, worker_lookup_ms(settings));
	worker->lingers = lingers_new(worker->base);
	worker->watch = loop_watch_new(worker->base, &worker->shared->counters);
	worker->reviews = reviews_new(worker);
	worker->census = census_new(worker);
	if (worker->audit == NULL || worker->authenticators == NULL ||
	    worker->passwords == NULL || worker->lookups == NULL ||
	    worker->lingers == NULL || worker->watch == NULL ||
	    worker->reviews == NULL || worker->census == NULL)
		die("out of memory");
	worker->resolver = worker_make_resolver(worker->base, settings);
}

bool
worker_needs_subject(const struct worker *worker)
{
	return judging_needs_subject(worker->settings, worker->rules);
}

struct worker *
worker_new(struct shared *shared, struct settings *settings,
    struct tls_listeners *tls, uint64_t audit_source)
{
	struct thread *thread = must_alloc(1, sizeof(*thread));
	struct worker *worker = &thread->worker;

	worker->shared = shared;
	worker->settings = settings_ref(settings);
	take_ports(worker);
	worker->tls = tls_listeners_ref(tls);
	worker->base = event_base_new();
	if (worker->base == NULL)
		die("cannot make an event loop");
	TAILQ_INIT(&worker->sessions);
	SLIST_INIT(&thread->listeners);
	make_parts(worker, audit_source);
	thread->mailbox = mailbox_new(worker->base, open_mail, thread);
	thread->stop_poll = evtimer_new(worker->base, on_stop_poll, thread);
	if (thread->stop_poll == NULL)
		die("out of memory");
	if (pthread_create(&thread->id, NULL, run, thread) != 0)
		die("cannot start a thread");
	return worker;
}

void
worker_mail(struct worker *worker, const struct mail *mail)
{
	mailbox_put(((struct thread *)worker)->mailbox, mail);
}

void
worker_join(struct worker *worker)
{
	struct thread *thread = (struct thread *)worker;

	(void)pthread_join(thread->id, NULL);
	mailbox_free(thread->mailbox);
	event_free(thread->stop_poll);
	loop_watch_free(worker->watch);
	reviews_free(worker->reviews);
	census_free(worker->census);
	lingers_free(worker->lingers);
	resolver_free(worker->resolver);
	lookups_free(worker->lookups);
	passwords_free(worker->passwords);
	authenticators_free(worker->authenticators);
	audit_sender_free(worker->audit);
	event_base_free(worker->base);
	ruleset_unref(worker->rules);
	settings_unref(worker->settings);
	tls_listeners_unref(worker->tls);
	free((void *)(uintptr_t)worker->own.addresses);
	free((void *)(uintptr_t)worker->own.ports);
	free(thread);
}
