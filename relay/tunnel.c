/* SPDX-License-Identifier: ISC */
/* Moves bytes between a client and a target in both directions. */
#include "relay/tunnel.h"

#include <errno.h>
#include <stdlib.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/clock.h"
#include "base/seal.h"
#include "base/timeval.h"
#include "relay/buffer.h"
#include "relay/channel.h"
#include "relay/stream.h"

/*
 * A tunnel that ends early delivers what was accepted and resets then, since
 * a FIN would look like a clean end.  A reset destroys what the peer's host
 * has not acknowledged, so we look again and again, for so long.
 */
#define DELIVERY_MAX_US	  10000000
#define DELIVERY_FIRST_US 500
#define DELIVERY_LAST_US  50000

#define NEVER UINT64_MAX

enum { CLIENT, TARGET, ENDS };
enum { UP, DOWN, STREAMS };

/* How an end is watched for reading. */
enum watch {
	WATCH_NOT,
	WATCH_INPUT, /* level-triggered: octets, end and errors */
	/* Edge-triggered: reading is paused, but a reset must be noticed.
	 * (With nothing watched epoll would not say; EV_CLOSED alone spins
	 * in libevent 2.1, which turns EPOLLERR into read and write.) */
	WATCH_RESET,
};

struct end {
	struct tunnel *tunnel;
	struct channel *channel; /* NULL: closed already */
	struct stream *in, *out; /* from this end; to this end */
	struct event readable, writable;
	enum watch watch;
	bool is_writing;
};

struct tunnel {
	struct event_base *base;
	struct tunnel_settings settings;
	struct buffer_pool *pool;
	struct seal *seal;
	tunnel_done_fn *done;
	void *arg;
	struct end ends[ENDS];
	struct stream streams[STREAMS];
	struct event timer;
	uint64_t timer_us;  /* when it fires; NEVER */
	uint64_t active_us; /* when something moved last */
	bool is_ending;
	enum reason reason; /* ... because of this */
	uint64_t deliver_until_us, look_again_us;
};

/* ---- the end ---- */

static void
close_end(struct end *end, bool reset)
{
	if (end->channel == NULL)
		return;
	(void)event_del(&end->readable);
	(void)event_del(&end->writable);
	channel_free(end->channel, reset);
	end->channel = NULL;
}

static void
tunnel_free(struct tunnel *tunnel, bool reset)
{
	for (int i = 0; i < ENDS; i++)
		close_end(&tunnel->ends[i], reset);
	for (int i = 0; i < STREAMS; i++)
		stream_clear(&tunnel->streams[i]);
	(void)event_del(&tunnel->timer);
	seal_free(tunnel->seal);
	buffer_pool_leave(tunnel->pool);
	free(tunnel);
}

struct tunnel_counts
tunnel_count(const struct tunnel *tunnel)
{
	return (struct tunnel_counts){
	    .to_target = tunnel->streams[UP].delivered,
	    .to_client = tunnel->streams[DOWN].delivered,
	};
}

static void
finish(struct tunnel *tunnel, enum reason reason)
{
	struct tunnel_counts counts = tunnel_count(tunnel);
	tunnel_done_fn *done = tunnel->done;
	void *arg = tunnel->arg;

	tunnel_free(tunnel, reason != REASON_OK);
	done(arg, reason, &counts);
}

/* Nothing more is read; what was accepted is delivered, if that can be. */
static void
begin_ending(struct tunnel *tunnel, enum reason reason)
{
	tunnel->is_ending = true;
	tunnel->reason = reason;
	tunnel->deliver_until_us = clock_monotonic_us() + DELIVERY_MAX_US;
	tunnel->look_again_us = DELIVERY_FIRST_US;
	/* Each gets one more move, which drops what is no whole message. */
	for (int i = 0; i < STREAMS; i++)
		stream_stop(&tunnel->streams[i]);
}

/* ---- faults ---- */

static enum reason
broken_reason(const struct end *end, int error)
{
	if (error == CHANNEL_TRUNCATED)
		return REASON_TLS_TRUNCATED;
	if (error == CHANNEL_BROKEN)
		return REASON_TLS_ERROR;
	if (end == &end->tunnel->ends[CLIENT])
		return reason_of_client(error);
	return reason_of_target(error);
}

/* The end's connection is gone, and at once the other one with it. */
static void
on_broken(struct end *end, int error)
{
	struct tunnel *tunnel = end->tunnel;
	enum stream_fault too_late;

	if (!tunnel->is_ending) {
		tunnel->reason = broken_reason(end, error);
		/* Its last words may be in our host already.  What comes
		 * behind them looks like an end once the error was read. */
		end->in->is_cut = true;
		too_late = stream_move(end->in);
		(void)too_late;
	}
	finish(tunnel, tunnel->reason);
}

/*
 * A message is not what the seal (or TLS) promises: the client is cut off at
 * once, the target gets what was good before it.
 */
static void
on_bad_content(struct tunnel *tunnel, enum reason reason)
{
	begin_ending(tunnel, reason);
	close_end(&tunnel->ends[CLIENT], true);
	stream_clear(&tunnel->streams[DOWN]);
}

/* Only a client speaks TLS with us. */
static bool
is_bad_content(int error)
{
	return error == CHANNEL_TRUNCATED || error == CHANNEL_BROKEN;
}

/* ---- moving ---- */

static void on_readable(evutil_socket_t fd, short what, void *arg);

/* False if the tunnel is gone. */
static bool
move(struct tunnel *tunnel, struct stream *stream)
{
	bool is_up = stream == &tunnel->streams[UP];

	switch (stream_move(stream)) {
	case STREAM_SOUND:
		break;
	case STREAM_SOURCE_BROKEN:
		if (is_up && is_bad_content(stream->error)) {
			on_bad_content(
			    tunnel, broken_reason(
					&tunnel->ends[CLIENT], stream->error));
			break;
		}
		on_broken(
		    &tunnel->ends[is_up ? CLIENT : TARGET], stream->error);
		return false;
	case STREAM_SINK_BROKEN:
		on_broken(
		    &tunnel->ends[is_up ? TARGET : CLIENT], stream->error);
		return false;
	case STREAM_CONTENT_BROKEN:
		on_bad_content(tunnel, stream->reason);
		break;
	}
	return true;
}

static bool
is_delivered(const struct tunnel *tunnel)
{
	for (int i = 0; i < STREAMS; i++)
		if (tunnel->streams[i].buffer != NULL)
			return false;
	for (int i = 0; i < ENDS; i++)
		if (tunnel->ends[i].channel != NULL &&
		    !channel_is_delivered(tunnel->ends[i].channel))
			return false;
	return true;
}

/* How long nothing may move now, and what it is called then; NEVER. */
static uint64_t
patience_us(const struct tunnel *tunnel, enum reason *reason)
{
	bool is_half = tunnel->streams[UP].is_finished ||
		       tunnel->streams[DOWN].is_finished;
	uint64_t idle_ms = tunnel->settings.idle_ms;
	uint64_t half_ms = is_half ? tunnel->settings.half_close_ms : 0;

	if (half_ms > 0 && (idle_ms == 0 || half_ms < idle_ms)) {
		*reason = REASON_HALF_CLOSED;
		return half_ms * 1000;
	}
	*reason = REASON_IDLE;
	return idle_ms == 0 ? NEVER : idle_ms * 1000;
}

/* When the rate lets a stream go on that it stops. */
static uint64_t
resume_us(const struct tunnel *tunnel)
{
	uint64_t first_us = NEVER;

	for (int i = 0; i < STREAMS; i++)
		if (tunnel->streams[i].is_throttled &&
		    tunnel->streams[i].resume_us < first_us)
			first_us = tunnel->streams[i].resume_us;
	return first_us;
}

/* Those whose time has come may be moved again. */
static void
resume(struct tunnel *tunnel, uint64_t now_us)
{
	for (int i = 0; i < STREAMS; i++) {
		struct stream *stream = &tunnel->streams[i];

		if (stream->is_throttled && stream->resume_us <= now_us) {
			stream->is_throttled = false;
			stream->has_work = true;
		}
	}
}

/* When the tunnel must be looked at although nothing happens. */
static uint64_t
wake_us(struct tunnel *tunnel, uint64_t now_us)
{
	enum reason reason;
	uint64_t patience, resume;

	for (int i = 0; i < STREAMS; i++)
		if (tunnel->streams[i].has_work)
			return now_us;
	resume = resume_us(tunnel);
	if (tunnel->is_ending) {
		uint64_t next_us = now_us + tunnel->look_again_us;

		tunnel->look_again_us *= 2;
		if (tunnel->look_again_us > DELIVERY_LAST_US)
			tunnel->look_again_us = DELIVERY_LAST_US;
		return next_us;
	}
	patience = patience_us(tunnel, &reason);
	if (patience != NEVER && tunnel->active_us + patience < resume)
		return tunnel->active_us + patience;
	return resume;
}

/* The timer is left alone when it fires early enough: no work per octet. */
static int
set_timer(struct tunnel *tunnel, uint64_t now_us)
{
	uint64_t at_us = wake_us(tunnel, now_us);
	uint64_t delay_us = at_us > now_us ? at_us - now_us : 0;
	const struct timeval delay = timeval_us(delay_us);

	if (at_us >= tunnel->timer_us)
		return 0;
	tunnel->timer_us = at_us;
	return evtimer_add(&tunnel->timer, &delay);
}

static int
watch_end(struct end *end)
{
	bool is_writing;
	enum watch watch;
	int failed = 0;

	if (end->channel == NULL)
		return 0;
	is_writing =
	    stream_has_output(end->out) || channel_has_unsent(end->channel);
	watch = is_writing ? WATCH_NOT : WATCH_RESET;
	if (stream_wants_input(end->in) && !channel_is_read_held(end->channel))
		watch = WATCH_INPUT;
	/* Edge- and level-triggered events never watch side by side. */
	if (watch != end->watch)
		(void)event_del(&end->readable);
	if (is_writing != end->is_writing)
		failed |= is_writing ? event_add(&end->writable, NULL)
				     : event_del(&end->writable);
	if (watch != end->watch && watch != WATCH_NOT) {
		short what = EV_READ | EV_PERSIST;

		if (watch == WATCH_RESET)
			what |= EV_ET;
		(void)event_assign(&end->readable, end->tunnel->base,
		    channel_fd(end->channel), what, on_readable, end);
		failed |= event_add(&end->readable, NULL);
	}
	end->watch = watch;
	end->is_writing = is_writing;
	return failed;
}

static bool
note_activity(struct tunnel *tunnel)
{
	bool has_moved = false;

	for (int i = 0; i < STREAMS; i++) {
		has_moved |= tunnel->streams[i].has_moved;
		tunnel->streams[i].has_moved = false;
	}
	return has_moved;
}

static int
watch_all(struct tunnel *tunnel)
{
	uint64_t now_us = clock_monotonic_us();
	int failed = 0;

	if (note_activity(tunnel))
		tunnel->active_us = now_us;
	for (int i = 0; i < ENDS; i++)
		failed |= watch_end(&tunnel->ends[i]);
	return failed | set_timer(tunnel, now_us);
}

static bool
is_finished(const struct tunnel *tunnel)
{
	for (int i = 0; i < STREAMS; i++)
		if (!tunnel->streams[i].is_finished)
			return false;
	for (int i = 0; i < ENDS; i++)
		if (tunnel->ends[i].channel != NULL &&
		    channel_has_unsent(tunnel->ends[i].channel))
			return false;
	return true;
}

/* After each callback: is it over, and if not, what to wait for? */
static void
carry_on(struct tunnel *tunnel)
{
	if (tunnel->is_ending && is_delivered(tunnel))
		finish(tunnel, tunnel->reason);
	else if (is_finished(tunnel))
		finish(tunnel, REASON_OK);
	else if (watch_all(tunnel) != 0)
		finish(tunnel, REASON_NO_MEMORY);
}

/* ---- events ---- */

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct end *end = arg;
	int error = 0;

	(void)fd;
	(void)what;
	if (end->watch == WATCH_RESET) {
		error = channel_take_error(end->channel);
		if (error < 0)
			on_broken(end, -error);
		return;
	}
	if (move(end->tunnel, end->in))
		carry_on(end->tunnel);
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct end *end = arg;
	struct tunnel *tunnel = end->tunnel;
	bool was_held = channel_is_read_held(end->channel);
	int error = channel_flush(end->channel);

	(void)fd;
	(void)what;
	if (error < 0) {
		on_broken(end, -error);
		return;
	}
	if (!move(tunnel, end->out))
		return;
	/* What waits inside the channel makes nothing readable. */
	if (was_held && end->channel != NULL && !move(tunnel, end->in))
		return;
	carry_on(tunnel);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct tunnel *tunnel = arg;
	uint64_t now_us = clock_monotonic_us();
	enum reason reason;
	uint64_t patience = patience_us(tunnel, &reason);

	(void)fd;
	(void)what;
	tunnel->timer_us = NEVER;
	if (tunnel->is_ending && now_us >= tunnel->deliver_until_us) {
		finish(tunnel, tunnel->reason);
		return;
	}
	if (!tunnel->is_ending && patience != NEVER &&
	    now_us - tunnel->active_us >= patience) {
		finish(tunnel, reason);
		return;
	}
	resume(tunnel, now_us);
	for (int i = 0; i < STREAMS; i++)
		if (tunnel->streams[i].has_work &&
		    !move(tunnel, &tunnel->streams[i]))
			return;
	carry_on(tunnel);
}

/* ---- start ---- */

static void
init_end(struct tunnel *tunnel, int which, struct channel *channel,
    struct stream *in, struct stream *out)
{
	struct end *end = &tunnel->ends[which];

	*end = (struct end){
	    .tunnel = tunnel, .channel = channel, .in = in, .out = out};
	(void)event_assign(&end->readable, tunnel->base, channel_fd(channel),
	    EV_READ | EV_PERSIST, on_readable, end);
	(void)event_assign(&end->writable, tunnel->base, channel_fd(channel),
	    EV_WRITE | EV_PERSIST, on_writable, end);
}

static struct tunnel *
tunnel_new(struct event_base *base, struct channel *client,
    struct channel *target, struct seal *seal)
{
	struct buffer_pool *pool = buffer_pool_join();
	struct tunnel *tunnel = calloc(1, sizeof(*tunnel));

	if (pool == NULL || tunnel == NULL) {
		if (pool != NULL)
			buffer_pool_leave(pool);
		free(tunnel);
		channel_free(client, true);
		channel_free(target, true);
		seal_free(seal);
		return NULL;
	}
	tunnel->base = base;
	tunnel->pool = pool;
	tunnel->seal = seal;
	tunnel->streams[UP] = (struct stream){
	    .form = seal != NULL ? STREAM_OPENING : STREAM_CLEAR,
	    .pool = pool,
	    .seal = seal,
	    .from = client,
	    .to = target};
	tunnel->streams[DOWN] = (struct stream){
	    .form = seal != NULL ? STREAM_SEALING : STREAM_CLEAR,
	    .pool = pool,
	    .seal = seal,
	    .from = target,
	    .to = client};
	init_end(tunnel, CLIENT, client, &tunnel->streams[UP],
	    &tunnel->streams[DOWN]);
	init_end(tunnel, TARGET, target, &tunnel->streams[DOWN],
	    &tunnel->streams[UP]);
	(void)evtimer_assign(&tunnel->timer, base, on_timer, tunnel);
	tunnel->timer_us = NEVER;
	tunnel->active_us = clock_monotonic_us();
	return tunnel;
}

static void
limit(struct tunnel *tunnel, const struct tunnel_settings *settings)
{
	tunnel->settings = *settings;
	for (int i = 0; i < STREAMS; i++) {
		tunnel->streams[i].rate = settings->rate;
		/* It asks anew. */
		tunnel->streams[i].has_work |= tunnel->streams[i].is_throttled;
		tunnel->streams[i].is_throttled = false;
	}
}

struct tunnel *
tunnel_start(struct event_base *base, const struct tunnel_settings *settings,
    struct channel *client, struct channel *target, struct seal *seal,
    const void *opened, size_t opened_len, const void *pending,
    size_t pending_len, tunnel_done_fn *done, void *arg)
{
	struct tunnel *tunnel = tunnel_new(base, client, target, seal);

	if (tunnel == NULL)
		return NULL;
	tunnel->done = done;
	tunnel->arg = arg;
	limit(tunnel, settings);
	if (!stream_prime(&tunnel->streams[UP], opened, opened_len, pending,
		pending_len) ||
	    watch_all(tunnel) != 0) {
		tunnel_free(tunnel, true);
		return NULL;
	}
	return tunnel;
}

void
tunnel_cancel(struct tunnel *tunnel, bool reset, struct tunnel_counts *counts)
{
	*counts = tunnel_count(tunnel);
	tunnel_free(tunnel, reset);
}

void
tunnel_limit(struct tunnel *tunnel, const struct tunnel_settings *settings)
{
	limit(tunnel, settings);
	/* Any failure to watch shows again in the timer's own turn. */
	(void)watch_all(tunnel);
}

void
tunnel_expire(struct tunnel *tunnel, enum reason reason)
{
	if (tunnel->is_ending)
		return;
	begin_ending(tunnel, reason);
	/* Any failure to watch shows again in the timer's own turn. */
	(void)watch_all(tunnel);
}
