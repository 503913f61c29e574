/* SPDX-License-Identifier: ISC */
/* Mail from the main thread to a worker. */
#include "gateway/mailbox.h"

#include <sys/eventfd.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/must.h"
#include "gateway/worker.h"

struct mailbox {
	pthread_mutex_t lock;
	STAILQ_HEAD(, mail) mails; /* under lock */
	int wake_fd;
	struct event *wake;
	mailbox_open_fn *open;
	void *arg;
};

static struct mail *
take_first(struct mailbox *mailbox)
{
	struct mail *mail;

	must(pthread_mutex_lock(&mailbox->lock) == 0);
	mail = STAILQ_FIRST(&mailbox->mails);
	if (mail != NULL)
		STAILQ_REMOVE_HEAD(&mailbox->mails, entry);
	must(pthread_mutex_unlock(&mailbox->lock) == 0);
	return mail;
}

static void
on_wake(evutil_socket_t fd, short what, void *arg)
{
	struct mailbox *mailbox = arg;
	struct mail *mail;
	uint64_t count;

	(void)what;
	if (read(fd, &count, sizeof(count)) < 0) {
		/* Woken for nothing: there is still nothing lost. */
	}
	while ((mail = take_first(mailbox)) != NULL) {
		mailbox->open(mailbox->arg, mail);
		free(mail);
	}
}

struct mailbox *
mailbox_new(struct event_base *base, mailbox_open_fn *open, void *arg)
{
	struct mailbox *mailbox = must_alloc(1, sizeof(*mailbox));

	must(pthread_mutex_init(&mailbox->lock, NULL) == 0);
	STAILQ_INIT(&mailbox->mails);
	mailbox->open = open;
	mailbox->arg = arg;
	mailbox->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (mailbox->wake_fd < 0)
		die("cannot make an eventfd");
	mailbox->wake = event_new(
	    base, mailbox->wake_fd, EV_READ | EV_PERSIST, on_wake, mailbox);
	if (mailbox->wake == NULL || event_add(mailbox->wake, NULL) != 0)
		die("cannot watch an eventfd");
	return mailbox;
}

void
mailbox_free(struct mailbox *mailbox)
{
	struct mail *mail;

	while ((mail = take_first(mailbox)) != NULL)
		free(mail);
	event_free(mailbox->wake);
	(void)close(mailbox->wake_fd);
	(void)pthread_mutex_destroy(&mailbox->lock);
	free(mailbox);
}

void
mailbox_put(struct mailbox *mailbox, const struct mail *mail)
{
	struct mail *copy = must_alloc(1, sizeof(*copy));
	uint64_t one = 1;

	*copy = *mail;
	must(pthread_mutex_lock(&mailbox->lock) == 0);
	STAILQ_INSERT_TAIL(&mailbox->mails, copy, entry);
	must(pthread_mutex_unlock(&mailbox->lock) == 0);
	if (write(mailbox->wake_fd, &one, sizeof(one)) < 0) {
		/* The counter is full: the loop is awake anyway. */
	}
}
