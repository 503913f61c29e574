/* SPDX-License-Identifier: ISC */
/* Brings files to the disk on a thread of its own. */
#include "gateway/spool_sync.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/log.h"
#include "base/must.h"
#include "gateway/spool.h"

struct spool_sync {
	void (*done)(void *arg, int status);
	void *arg;
	bool is_busy; /* the loop's */
	struct event finished;
	int told; /* an eventfd: the thread to the loop */
	pthread_t thread;

	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* Below the lock. */
	int fds[SPOOL_SYNC_MAX];
	int count; /* of the thread's work; 0: none */
	int status;
	bool is_over;
};

static int
sync_all(const int *fds, int count)
{
	int status = 0;

	for (int i = 0; i < count; i++) {
		if (fsync(fds[i]) < 0 && status == 0)
			status = -errno;
		(void)close(fds[i]);
	}
	return status;
}

static void
tell(const struct spool_sync *sync)
{
	const uint64_t one = 1;

	must(write(sync->told, &one, sizeof(one)) == sizeof(one));
}

static void *
run(void *arg)
{
	struct spool_sync *sync = arg;
	int fds[SPOOL_SYNC_MAX];

	must(pthread_mutex_lock(&sync->lock) == 0);
	while (!sync->is_over || sync->count > 0) {
		int count = sync->count;
		int status;

		if (count == 0) {
			must(pthread_cond_wait(&sync->changed, &sync->lock) ==
			     0);
			continue;
		}
		memcpy(fds, sync->fds, sizeof(fds));
		must(pthread_mutex_unlock(&sync->lock) == 0);
		status = sync_all(fds, count);
		must(pthread_mutex_lock(&sync->lock) == 0);
		sync->status = status;
		sync->count = 0;
		tell(sync);
	}
	must(pthread_mutex_unlock(&sync->lock) == 0);
	return NULL;
}

static void
on_finished(evutil_socket_t fd, short what, void *arg)
{
	struct spool_sync *sync = arg;
	uint64_t count;
	int status;

	(void)what;
	if (read(fd, &count, sizeof(count)) != sizeof(count))
		return;
	must(pthread_mutex_lock(&sync->lock) == 0);
	status = sync->status;
	must(pthread_mutex_unlock(&sync->lock) == 0);
	sync->is_busy = false;
	sync->done(sync->arg, status);
}

/* Signals are the loop's. */
static void
start_thread(struct spool_sync *sync)
{
	sigset_t all, before;

	(void)sigfillset(&all);
	must(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
	if (pthread_create(&sync->thread, NULL, run, sync) != 0)
		die("no thread for the spool");
	must(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
}

struct spool_sync *
spool_sync_new(
    struct event_base *base, void (*done)(void *arg, int status), void *arg)
{
	struct spool_sync *sync = must_alloc(1, sizeof(*sync));

	sync->done = done;
	sync->arg = arg;
	sync->told = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (sync->told < 0 ||
	    event_assign(&sync->finished, base, sync->told,
		EV_READ | EV_PERSIST, on_finished, sync) < 0 ||
	    event_add(&sync->finished, NULL) < 0)
		die("no descriptor for the spool: %s", strerror(errno));
	must(pthread_mutex_init(&sync->lock, NULL) == 0);
	must(pthread_cond_init(&sync->changed, NULL) == 0);
	start_thread(sync);
	return sync;
}

void
spool_sync_free(struct spool_sync *sync)
{
	if (sync == NULL)
		return;
	must(pthread_mutex_lock(&sync->lock) == 0);
	sync->is_over = true;
	must(pthread_cond_signal(&sync->changed) == 0);
	must(pthread_mutex_unlock(&sync->lock) == 0);
	must(pthread_join(sync->thread, NULL) == 0);
	(void)event_del(&sync->finished);
	(void)close(sync->told);
	must(pthread_mutex_destroy(&sync->lock) == 0);
	must(pthread_cond_destroy(&sync->changed) == 0);
	free(sync);
}

void
spool_sync_start(struct spool_sync *sync, const int *fds, int count)
{
	must(!sync->is_busy && count > 0 && count <= SPOOL_SYNC_MAX);
	sync->is_busy = true;
	must(pthread_mutex_lock(&sync->lock) == 0);
	memcpy(sync->fds, fds, (size_t)count * sizeof(*fds));
	sync->count = count;
	must(pthread_cond_signal(&sync->changed) == 0);
	must(pthread_mutex_unlock(&sync->lock) == 0);
}

bool
spool_sync_is_busy(const struct spool_sync *sync)
{
	return sync->is_busy;
}
