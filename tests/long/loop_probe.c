/* SPDX-License-Identifier: ISC */
/*
 * A shim (LD_PRELOAD) that measures how long an event loop is away from
 * epoll_wait, minus the time that its thread waited for a processor.
 *
 * For each thread it keeps a histogram in a file LOOP_PROBE_DIR/PID.TID that
 * is mapped and shared, so that a test can read it at any moment and clear it
 * between phases: 64-bit counters, one for each 10 microseconds, the last for
 * everything above.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define BUCKETS	  10000
#define BUCKET_NS 10000

typedef int epoll_wait_fn(int, struct epoll_event *, int, int);

static __thread uint64_t *histogram;
static __thread int schedstat_fd = -1;
static __thread uint64_t woke_ns, waited_ns;

static uint64_t
now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* The second number of schedstat: time spent waiting on a run queue. */
static uint64_t
run_queue_wait_ns(void)
{
	char text[128];
	ssize_t len = pread(schedstat_fd, text, sizeof(text) - 1, 0);
	char *at = text;

	if (len <= 0)
		return 0;
	text[len] = '\0';
	(void)strtoull(at, &at, 10);
	return strtoull(at, &at, 10);
}

static void
open_histogram(void)
{
	const char *dir = getenv("LOOP_PROBE_DIR");
	long tid = syscall(SYS_gettid);
	char path[PATH_MAX];
	size_t size = BUCKETS * sizeof(uint64_t);
	int fd;

	(void)snprintf(
	    path, sizeof(path), "/proc/self/task/%ld/schedstat", tid);
	schedstat_fd = open(path, O_RDONLY | O_CLOEXEC);
	(void)snprintf(path, sizeof(path), "%s/%d.%ld",
	    dir != NULL ? dir : "/tmp", (int)getpid(), tid);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, (off_t)size) != 0)
		abort();
	histogram = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (histogram == MAP_FAILED)
		abort();
	(void)close(fd);
}

int
epoll_wait(int epfd, struct epoll_event *events, int count, int timeout)
{
	static epoll_wait_fn *real;
	uint64_t away, waited, bucket;
	int result;

	if (real == NULL)
		real = (epoll_wait_fn *)dlsym(RTLD_NEXT, "epoll_wait");
	if (histogram == NULL) {
		open_histogram();
	} else {
		away = now_ns() - woke_ns;
		waited = run_queue_wait_ns() - waited_ns;
		bucket = (away > waited ? away - waited : 0) / BUCKET_NS;
		histogram[bucket < BUCKETS ? bucket : BUCKETS - 1]++;
	}
	result = real(epfd, events, count, timeout);
	waited_ns = run_queue_wait_ns();
	woke_ns = now_ns();
	return result;
}
