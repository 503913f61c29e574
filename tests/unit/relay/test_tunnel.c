/* SPDX-License-Identifier: ISC */
/* The tunnel, one behaviour after the other, clear and through a seal. */
#include "tests/support/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <event2/event.h>

#include "base/rfc1961.h"
#include "relay/buffer.h"
#include "tests/support/toy_seal.h"
#include "relay/rate.h"
#include "tests/unit/relay/tunnel_world.h"

#define MEGABYTE 1000000

static const unsigned forms[] = {CLEAR, SEALED, IN_TLS, SEALED | IN_TLS};

static void
check_both_ended_well(struct world *world)
{
	exchange_to_the_end(world);
	assert_int_equal(world->reason, REASON_OK);
	for (int i = 0; i < PEERS; i++) {
		assert_int_equal(
		    world->peers[i].received, world->peers[!i].sent);
		assert_true(world->peers[i].sees_end);
	}
	assert_int_equal(world->counts.to_target, world->peers[CLIENT].sent);
	assert_int_equal(world->counts.to_client, world->peers[TARGET].sent);
}

static void
finish_both(struct world *world)
{
	exchange_all(world);
	peer_finish(&world->peers[CLIENT]);
	peer_finish(&world->peers[TARGET]);
	check_both_ended_well(world);
}

/* ---- delivery ---- */

static void
octets_go_both_ways(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(forms); i++) {
		struct world world;

		start(&world, forms[i]);
		queue_stream(&world, CLIENT, 3 * MEGABYTE, 30000);
		queue_stream(&world, TARGET, 3 * MEGABYTE, 30000);
		finish_both(&world);
		world_fini(&world);
	}
}

static void
one_octet_at_a_time_is_enough(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(forms); i++) {
		struct world world;

		start(&world, forms[i]);
		queue_stream(&world, CLIENT, 1, 1);
		queue_stream(&world, CLIENT, 700, 300);
		queue_stream(&world, TARGET, 700, 300);
		while (world.peers[CLIENT].out_len > 0 ||
		       world.peers[TARGET].out_len > 0) {
			(void)peer_write(&world.peers[CLIENT], 1);
			(void)peer_write(&world.peers[TARGET], 1);
			turn(&world);
			(void)peer_read(&world, CLIENT, 1);
			(void)peer_read(&world, TARGET, 1);
		}
		finish_both(&world);
		world_fini(&world);
	}
}

static void
largest_message_is_taken(void **state)
{
	static uint8_t frame[RFC1961_FRAME_MAX], plain[RFC1961_TOKEN_MAX];
	struct world world;
	struct peer *client = &world.peers[CLIENT];

	(void)state;
	start(&world, true);
	for (int i = 0; i < 5; i++) {
		size_t len = client->seal->plaintext_max;
		size_t frame_len;

		for (size_t j = 0; j < len; j++)
			plain[j] = octet(CLIENT, client->sent + j);
		frame_len = seal_frame(client->seal, frame, plain, len);
		assert_int_equal(frame_len, RFC1961_FRAME_MAX);
		queue(client, frame, frame_len);
		client->sent += len;
	}
	finish_both(&world);
	world_fini(&world);
}

static void
empty_messages_mean_nothing(void **state)
{
	struct world world;

	(void)state;
	start(&world, true);
	for (int i = 0; i < 200; i++) {
		queue_text(&world.peers[CLIENT], "", 0);
		if (i % 10 == 0)
			queue_stream(&world, CLIENT, 10, 10);
	}
	finish_both(&world);
	world_fini(&world);
}

static void
half_close_leaves_the_other_way_open(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(forms) * PEERS; i++) {
		int who = (int)i % PEERS;
		struct world world;

		start(&world, forms[i / PEERS]);
		queue_stream(&world, who, 1000, 1000);
		exchange(&world);
		peer_finish(&world.peers[who]);
		exchange(&world);
		assert_int_equal(world.peers[!who].received, 1000);
		assert_true(world.peers[!who].sees_end);
		queue_stream(&world, !who, 10 * MEGABYTE, 40000);
		exchange_patiently(&world);
		assert_int_equal(world.calls, 0);
		assert_int_equal(world.peers[who].received, 10 * MEGABYTE);
		peer_finish(&world.peers[!who]);
		check_both_ended_well(&world);
		world_fini(&world);
	}
}

/* The FIN is right behind the octets, and nobody reads them for a while. */
static void
half_close_delivers_the_tail(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(forms) * PEERS; i++) {
		int who = (int)i % PEERS;
		struct world world;

		start(&world, forms[i / PEERS]);
		queue_stream(&world, who, 300000, 9000);
		while (world.peers[who].out_len > 0) {
			if (peer_write(&world.peers[who], SIZE_MAX) == 0)
				(void)peer_read(&world, !who, 10000);
			turn(&world);
		}
		peer_finish(&world.peers[who]);
		for (int j = 0; j < 20; j++)
			turn(&world);
		peer_finish(&world.peers[!who]);
		check_both_ended_well(&world);
		world_fini(&world);
	}
}

static void
what_came_ahead_goes_first(void **state)
{
	static const size_t lengths[][2] = {
	    {0, 1}, {1, 0}, {5, 7}, {60000, 70000}, {65000, 300000}};
	static uint8_t opened[65000];

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(lengths) * ARRAY_COUNT(forms); i++) {
		const size_t *ahead = lengths[i / ARRAY_COUNT(forms)];
		size_t opened_len = ahead[0];
		size_t pending_len;
		struct world world;
		struct peer *client = &world.peers[CLIENT];

		world_init(&world, forms[i % ARRAY_COUNT(forms)]);
		for (size_t j = 0; j < opened_len; j++)
			opened[j] = octet(CLIENT, j);
		client->sent = opened_len;
		queue_stream(&world, CLIENT, ahead[1], 10000);
		/* The last message is only begun. */
		pending_len = client->out_len - client->out_len / 3;
		start_with(&world, &patient, opened, opened_len, client->out,
		    pending_len);
		unqueue(client, pending_len);
		queue_stream(&world, CLIENT, 5000, 5000);
		finish_both(&world);
		world_fini(&world);
	}
}

/* ---- back-pressure ---- */

static void
set_buffers(struct peer *peer, int size)
{
	assert_int_equal(
	    setsockopt(peer->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)),
	    0);
	assert_int_equal(setsockopt(peer->far_fd, SOL_SOCKET, SO_SNDBUF, &size,
			     sizeof(size)),
	    0);
}

static void
set_small_buffers(struct peer *peer)
{
	set_buffers(peer, 16384);
}

static void
fill_up(struct world *world, int who)
{
	int quiet = 0;

	queue_stream(world, who, 8 * MEGABYTE, 16000);
	while (quiet < 50) {
		quiet = peer_write(&world->peers[who], SIZE_MAX) > 0
			    ? 0
			    : quiet + 1;
		turn(world);
	}
	assert_true(world->peers[who].out_len > 0);
}

/* Neither reads nor turns, once the kernel has found its last room. */
static void
sleep_well(struct world *world)
{
	const struct timeval moment = {.tv_usec = 30000};
	uint64_t start = now_ms(), began;
	unsigned reads;

	do {
		assert_true(now_ms() - start < 20000);
		reads = seam.reads;
		began = now_ms();
		(void)event_base_loopexit(world->base, &moment);
		(void)event_base_loop(world->base, EVLOOP_ONCE);
	} while (now_ms() - began < 25 || seam.reads != reads);
}

static void
stopped_reader_stops_the_writer(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(forms) * PEERS; i++) {
		int who = (int)i % PEERS;
		struct world world;

		world_init(&world, forms[i / PEERS]);
		set_small_buffers(&world.peers[!who]);
		start_with(&world, &patient, NULL, 0, NULL, 0);
		fill_up(&world, who);
		assert_int_equal(seam.buffers, 1);
		if (!world.is_sealed && !world.is_tls)
			assert_true(seam.held_most <= BUFFER_SIZE);

		sleep_well(&world);

		/* The other way goes on. */
		queue_stream(&world, !who, 1000, 1000);
		(void)peer_write(&world.peers[!who], SIZE_MAX);
		turn(&world);
		turn(&world);
		(void)peer_read(&world, who, SIZE_MAX);
		assert_int_equal(world.peers[who].received, 1000);

		/* Through a window this small the kernel takes its time. */
		set_buffers(&world.peers[!who], 1 << 20);
		finish_both(&world);
		world_fini(&world);
	}
}

static void
idle_tunnel_holds_no_buffer(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(forms); i++) {
		struct world world;

		start(&world, forms[i]);
		assert_int_equal(seam.buffers, 0);
		queue_stream(&world, CLIENT, 100000, 9000);
		queue_stream(&world, TARGET, 100000, 9000);
		exchange(&world);
		assert_int_equal(seam.buffers, 0);
		finish_both(&world);
		world_fini(&world);
	}
}

static void
flood_does_not_starve_the_other_way(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(forms) * PEERS; i++) {
		int who = (int)i % PEERS;
		struct world world;

		start(&world, forms[i / PEERS]);
		queue_stream(&world, who, 20 * MEGABYTE, 16000);
		for (uint64_t pings = 1; world.peers[who].out_len > MEGABYTE;
		     pings++) {
			int turns = 0;

			queue_stream(&world, !who, 1, 1);
			(void)peer_write(&world.peers[!who], SIZE_MAX);
			while (world.peers[who].received < pings) {
				(void)peer_write(&world.peers[who], SIZE_MAX);
				turn(&world);
				(void)peer_read(&world, !who, SIZE_MAX);
				(void)peer_read(&world, who, SIZE_MAX);
				assert_true(++turns < 20);
			}
		}
		finish_both(&world);
		world_fini(&world);
	}
}

static void
small_messages_do_not_hold_up_the_loop(void **state)
{
	struct world world;
	struct peer *client = &world.peers[CLIENT];
	uint64_t most = 0;

	(void)state;
	start(&world, true);
	queue_stream(&world, CLIENT, 2000, 1);
	while (peer_write(client, SIZE_MAX) > 0)
		;
	while (world.peers[TARGET].received < 2000) {
		uint64_t before = world.peers[TARGET].received;

		/* One callback, not all that are due. */
		(void)event_base_loop(
		    world.base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
		(void)peer_read(&world, TARGET, SIZE_MAX);
		if (world.peers[TARGET].received - before > most)
			most = world.peers[TARGET].received - before;
	}
	assert_true(most <= 128);
	finish_both(&world);
	world_fini(&world);
}

/* ---- cheating ---- */

static void
exchange_until_cut_off(struct world *world)
{
	exchange_to_the_end(world);
	assert_true(is_broken(&world->peers[TARGET]));
	assert_false(world->peers[TARGET].sees_end);
	assert_true(
	    world->peers[CLIENT].sees_end || is_broken(&world->peers[CLIENT]));
}

static void
stream_cut_at_any_octet_is_noticed(void **state)
{
	(void)state;
	for (size_t cut = 0;; cut++) {
		struct world world;
		struct peer *client = &world.peers[CLIENT];
		size_t first, all;

		start(&world, true);
		queue_stream(&world, CLIENT, 5, 5);
		first = client->out_len;
		queue_stream(&world, CLIENT, 7, 7);
		all = client->out_len;
		client->out_len = cut;
		exchange(&world);
		peer_finish(client);
		if (cut == 0 || cut == first) {
			exchange(&world);
			assert_int_equal(world.calls, 0);
			assert_true(world.peers[TARGET].sees_end);
		} else if (cut < all) {
			exchange_until_cut_off(&world);
			assert_int_equal(world.reason, REASON_TRUNCATED);
		}
		assert_int_equal(world.peers[TARGET].received, cut == all ? 12
							       : cut >= first
								   ? 5
								   : 0);
		world_fini(&world);
		if (cut == all)
			break;
	}
}

/* What a cheat does with the second and third of three sealed messages. */
struct cheat {
	const char *name;
	enum reason reason;
	void (*act)(struct world *world, uint8_t frames[3][64], size_t *len);
};

static void
send_frame(struct world *world, const uint8_t *frame, size_t len)
{
	queue(&world->peers[CLIENT], frame, len);
}

static void
replay(struct world *world, uint8_t frames[3][64], size_t *len)
{
	send_frame(world, frames[0], len[0]);
}

static void
swap(struct world *world, uint8_t frames[3][64], size_t *len)
{
	send_frame(world, frames[2], len[2]);
	send_frame(world, frames[1], len[1]);
}

static void
wrong_version(struct world *world, uint8_t frames[3][64], size_t *len)
{
	frames[1][0] = 5;
	send_frame(world, frames[1], len[1]);
}

static void
context_type(struct world *world, uint8_t frames[3][64], size_t *len)
{
	frames[1][1] = RFC1961_CONTEXT;
	send_frame(world, frames[1], len[1]);
}

static void
level_type(struct world *world, uint8_t frames[3][64], size_t *len)
{
	frames[1][1] = RFC1961_LEVEL;
	send_frame(world, frames[1], len[1]);
}

static void
abort_type(struct world *world, uint8_t frames[3][64], size_t *len)
{
	(void)frames;
	(void)len;
	send_frame(world, (const uint8_t[]){1, RFC1961_ABORT}, 2);
}

static void
unknown_type(struct world *world, uint8_t frames[3][64], size_t *len)
{
	frames[1][1] = 4;
	send_frame(world, frames[1], len[1]);
}

static void
no_token(struct world *world, uint8_t frames[3][64], size_t *len)
{
	(void)frames;
	(void)len;
	send_frame(world, (const uint8_t[]){1, RFC1961_DATA, 0, 0}, 4);
}

static void
clear_text(struct world *world, uint8_t frames[3][64], size_t *len)
{
	(void)frames;
	(void)len;
	send_frame(world, (const uint8_t *)"GET / HTTP/1.0\r\n\r\n", 18);
}

static void
short_token(struct world *world, uint8_t frames[3][64], size_t *len)
{
	(void)len;
	frames[1][3] = 3;
	send_frame(world, frames[1], RFC1961_HEADER + 3);
}

static void
downgrade(struct world *world, uint8_t frames[3][64], size_t *len)
{
	struct seal *weaker = toy_seal_new(PROTECTION_INTEGRITY);

	len[0] = seal_frame(weaker, frames[0], "", 0);
	len[1] = seal_frame(weaker, frames[1], "weak", 4);
	send_frame(world, frames[1], len[1]);
	seal_free(weaker);
}

static const struct cheat cheats[] = {
    {"replay", REASON_GSS_REPLAY, replay},
    {"swap", REASON_GSS_ORDER, swap},
    {"wrong version", REASON_GSS_BAD_FRAME, wrong_version},
    {"context token", REASON_GSS_BAD_FRAME, context_type},
    {"level token", REASON_GSS_BAD_FRAME, level_type},
    {"abort", REASON_GSS_BAD_FRAME, abort_type},
    {"unknown type", REASON_GSS_BAD_FRAME, unknown_type},
    {"no token", REASON_GSS_BAD_FRAME, no_token},
    {"clear text", REASON_GSS_BAD_FRAME, clear_text},
    {"short token", REASON_GSS_DEFECTIVE, short_token},
    {"integrity only", REASON_GSS_CONFIDENTIALITY, downgrade},
};

/* Starts a sealed tunnel and makes three messages; the first is queued. */
static void
prepare_cheat(struct world *world, uint8_t frames[3][64], size_t *len)
{
	struct peer *client = &world->peers[CLIENT];

	start(world, true);
	for (size_t i = 0; i < 3; i++) {
		uint8_t plain[5];

		for (size_t j = 0; j < 5; j++)
			plain[j] = octet(CLIENT, i * 5 + j);
		len[i] = seal_frame(client->seal, frames[i], plain, 5);
	}
	queue(client, frames[0], len[0]);
}

static void
cheat_gets_nothing_past_its_last_good_message(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cheats) * 2; i++) {
		const struct cheat *cheat = &cheats[i / 2];
		uint8_t frames[3][64];
		struct world world;
		size_t len[3];

		prepare_cheat(&world, frames, len);
		if (i % 2 == 1) /* in a segment of its own */
			exchange(&world);
		cheat->act(&world, frames, len);
		/* The target's answer is under way all the time. */
		queue_stream(&world, TARGET, 100, 100);
		exchange_until_cut_off(&world);
		if (world.reason != cheat->reason)
			fail_msg(
			    "%s: %s", cheat->name, reason_name(world.reason));
		assert_int_equal(world.peers[TARGET].received, 5);
		assert_int_equal(world.counts.to_target, 5);
		world_fini(&world);
	}
}

static void
any_bit_flipped_is_noticed(void **state)
{
	size_t frame_len = SIZE_MAX;

	(void)state;
	for (size_t bit = 0; bit / 8 < frame_len; bit++) {
		uint8_t frames[3][64];
		struct world world;
		size_t len[3];

		prepare_cheat(&world, frames, len);
		frame_len = len[1];
		frames[1][bit / 8] ^= (uint8_t)(1u << bit % 8);
		queue(&world.peers[CLIENT], frames[1], len[1]);
		queue(&world.peers[CLIENT], frames[2], len[2]);
		exchange(&world);
		if (world.calls == 0) /* a longer length: more is awaited */
			peer_finish(&world.peers[CLIENT]);
		exchange_until_cut_off(&world);
		assert_true(reason_is_error(world.reason));
		assert_int_equal(world.peers[TARGET].received, 5);
		world_fini(&world);
	}
}

static void
good_octets_before_a_cheat_arrive(void **state)
{
	struct world world;
	struct peer *client = &world.peers[CLIENT];

	(void)state;
	world_init(&world, true);
	set_small_buffers(&world.peers[TARGET]);
	start_with(&world, &patient, NULL, 0, NULL, 0);
	queue_stream(&world, CLIENT, 150000, 15000);
	queue(client, "\1\3\0\0", 4);
	while (client->out_len > 0) {
		(void)peer_write(client, SIZE_MAX);
		turn(&world);
	}
	for (int i = 0; i < 50; i++)
		turn(&world);
	exchange_until_cut_off(&world);
	assert_int_equal(world.reason, REASON_GSS_BAD_FRAME);
	assert_int_equal(world.peers[TARGET].received, 150000);
	assert_int_equal(world.counts.to_target, 150000);
	world_fini(&world);
}

static enum reason
refuse_to_wrap(
    struct seal *seal, uint8_t *token, size_t plain_len, size_t *token_len)
{
	(void)seal;
	(void)token;
	(void)plain_len;
	(void)token_len;
	return REASON_GSS_SEAL;
}

static void
free_refusing(struct seal *seal)
{
	free(seal);
}

static void
failing_seal_ends_the_tunnel(void **state)
{
	static const struct seal_ops refusing = {
	    .wrap = refuse_to_wrap, .free = free_refusing};
	struct world world;
	struct seal *seal = toy_seal_new(PROTECTION_CONFIDENTIALITY);

	(void)state;
	seal->ops = &refusing;
	world_init(&world, true);
	start_sealed_by(&world, seal);
	queue_stream(&world, TARGET, 10, 10);
	exchange_to_the_end(&world);
	assert_int_equal(world.reason, REASON_GSS_SEAL);
	assert_int_equal(world.counts.to_client, 0);
	assert_true(is_broken(&world.peers[TARGET]));
	world_fini(&world);
}

/* ---- resets and faults ---- */

static void
reset_passes_on(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(forms) * PEERS; i++) {
		int who = (int)i % PEERS;
		struct world world;

		start(&world, forms[i / PEERS]);
		queue_stream(&world, who, 1000, 1000);
		exchange(&world);
		peer_close(&world.peers[who], true);
		exchange_to_the_end(&world);
		assert_int_equal(world.reason,
		    who == CLIENT ? REASON_CLIENT_RESET : REASON_TARGET_RESET);
		assert_int_equal(world.peers[!who].received, 1000);
		assert_true(is_broken(&world.peers[!who]));
		world_fini(&world);
	}
}

static void
reset_is_noticed_while_reading_is_paused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(forms) * PEERS * 2; i++) {
		int writer = (int)i % PEERS;
		int who = (i / PEERS) % 2 == 0 ? writer : !writer;
		struct world world;

		world_init(&world, forms[i / PEERS / 2]);
		set_small_buffers(&world.peers[!writer]);
		start_with(&world, &patient, NULL, 0, NULL, 0);
		fill_up(&world, writer);
		peer_close(&world.peers[who], true);
		exchange_to_the_end(&world);
		assert_int_equal(world.reason,
		    who == CLIENT ? REASON_CLIENT_RESET : REASON_TARGET_RESET);
		assert_true(is_broken(&world.peers[!who]));
		world_fini(&world);
	}
}

static void
reset_is_noticed_behind_a_half_close(void **state)
{
	(void)state;
	for (int who = 0; who < PEERS; who++) {
		struct world world;

		start(&world, false);
		peer_finish(&world.peers[who]);
		exchange(&world);
		peer_close(&world.peers[who], true);
		exchange_to_the_end(&world);
		assert_int_equal(world.reason,
		    who == CLIENT ? REASON_CLIENT_RESET : REASON_TARGET_RESET);
		world_fini(&world);
	}
}

/* A server may answer and go while the client is still sending. */
static void
last_words_before_a_reset_arrive(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(forms) * PEERS; i++) {
		int who = (int)i % PEERS;
		struct world world;

		start(&world, forms[i / PEERS]);
		queue_stream(&world, who, 1000, 1000);
		(void)peer_write(&world.peers[who], SIZE_MAX);
		peer_close(&world.peers[who], true);
		queue_stream(&world, !who, 100, 100);
		(void)peer_write(&world.peers[!who], SIZE_MAX);
		exchange_to_the_end(&world);
		assert_int_equal(world.peers[!who].received, 1000);
		assert_false(world.peers[!who].sees_end);
		world_fini(&world);
	}
}

static void
failing_kernel_has_its_reason(void **state)
{
	static const struct {
		int error;
		enum reason reasons[PEERS];
	} rows[] = {
	    {ECONNRESET, {REASON_CLIENT_RESET, REASON_TARGET_RESET}},
	    {EPIPE, {REASON_CLIENT_RESET, REASON_TARGET_RESET}},
	    {ETIMEDOUT, {REASON_CLIENT_ERROR, REASON_TARGET_ERROR}},
	    {EHOSTUNREACH, {REASON_CLIENT_ERROR, REASON_TARGET_ERROR}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows) * PEERS * 2; i++) {
		int who = (int)(i / 2) % PEERS;
		int error = rows[i / 2 / PEERS].error;
		struct world world;

		start(&world, false);
		seam.failing_fd = world.peers[who].far_fd;
		if (i % 2 == 0)
			seam.read_errno = error;
		else
			seam.write_errno = error;
		queue_stream(&world, i % 2 == 0 ? who : !who, 10, 10);
		exchange_to_the_end(&world);
		assert_int_equal(
		    world.reason, rows[i / 2 / PEERS].reasons[who]);
		assert_true(is_broken(&world.peers[!who]));
		world_fini(&world);
	}
}

static void
no_memory_ends_the_tunnel(void **state)
{
	struct world world;

	(void)state;
	start(&world, false);
	seam.no_buffers = true;
	queue_stream(&world, CLIENT, 10, 10);
	exchange_to_the_end(&world);
	assert_int_equal(world.reason, REASON_NO_MEMORY);
	world_fini(&world);
}

/* ---- time ---- */

static void
run_until_done(struct world *world, uint64_t *took_ms)
{
	uint64_t began = now_ms();

	while (world->calls == 0)
		(void)event_base_loop(world->base, EVLOOP_ONCE);
	*took_ms = now_ms() - began;
}

/* What moves keeps it: from the last octet on it has all of its time. */
static void
idle_tunnel_is_ended(void **state)
{
	const struct tunnel_settings settings = {
	    .idle_ms = 400, .half_close_ms = 60000};
	struct world world;
	uint64_t moved = 0;

	(void)state;
	world_init(&world, false);
	start_with(&world, &settings, NULL, 0, NULL, 0);
	for (int i = 0; i < 6 && world.calls == 0; i++) {
		const struct timeval moment = {.tv_usec = 100000};

		moved = now_ms();
		queue_stream(&world, i % PEERS, 1, 1);
		(void)peer_write(&world.peers[i % PEERS], 1);
		(void)event_base_loopexit(world.base, &moment);
		(void)event_base_dispatch(world.base);
	}
	while (world.calls == 0)
		(void)event_base_loop(world.base, EVLOOP_ONCE);
	assert_int_equal(world.reason, REASON_IDLE);
	assert_true(now_ms() - moved >= 400 - 1);
	world_fini(&world);
}

/* In both directions together, and in every form; whatever the load of this
 * machine, no more can pass than in the time that it took. */
static void
no_more_passes_than_the_rate_lets(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(forms); i++) {
		struct rate *rate = rate_new(400000);
		struct tunnel_settings settings = {.rate = rate};
		uint64_t began_ms, passed, allowed;
		struct world world;

		world_init(&world, forms[i]);
		start_with(&world, &settings, NULL, 0, NULL, 0);
		began_ms = now_ms();
		for (int who = 0; who < PEERS; who++)
			queue_stream(&world, who, 300000, 20000);
		do {
			for (int who = 0; who < PEERS; who++) {
				(void)peer_write(&world.peers[who], 300000);
				(void)peer_read(&world, who, 1000000);
			}
			turn(&world);
			passed = world.peers[CLIENT].received +
				 world.peers[TARGET].received;
			allowed = 100000 + (now_ms() - began_ms + 1) * 400;
			assert_true(passed <= allowed);
		} while (passed < 300000);
		/* Without it the rest comes at once. */
		settings.rate = NULL;
		tunnel_limit(world.tunnel, &settings);
		exchange(&world);
		assert_int_equal(world.peers[CLIENT].received, 300000);
		assert_int_equal(world.peers[TARGET].received, 300000);
		world_fini(&world);
		rate_free(rate);
	}
}

static void
half_closed_tunnel_is_ended_sooner(void **state)
{
	const struct tunnel_settings settings = {
	    .idle_ms = 0, .half_close_ms = 60};
	const struct timeval moment = {.tv_usec = 120000};

	(void)state;
	for (int who = 0; who < PEERS; who++) {
		struct world world;
		uint64_t took_ms;

		world_init(&world, false);
		start_with(&world, &settings, NULL, 0, NULL, 0);
		(void)event_base_loopexit(world.base, &moment);
		(void)event_base_dispatch(world.base);
		assert_int_equal(world.calls, 0); /* not half closed yet */
		peer_finish(&world.peers[who]);
		run_until_done(&world, &took_ms);
		assert_int_equal(world.reason, REASON_HALF_CLOSED);
		assert_true(took_ms >= 50);
		world_fini(&world);
	}
}

static void
expiry_delivers_what_was_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(forms); i++) {
		struct world world;
		struct peer *client = &world.peers[CLIENT];
		size_t whole;

		world_init(&world, forms[i]);
		set_small_buffers(&world.peers[TARGET]);
		queue_stream(&world, CLIENT, 150000, 15000);
		whole = client->out_len;
		queue_text(client, "never whole", 11);
		client->out_len = world.is_sealed ? whole + 6 : whole;
		start_with(
		    &world, &patient, NULL, 0, client->out, client->out_len);
		client->out_len = 0;
		turn(&world);
		tunnel_expire(world.tunnel, REASON_CONTEXT_EXPIRED);
		tunnel_expire(world.tunnel, REASON_LIFETIME);
		assert_int_equal(world.calls, 0);
		queue_stream(&world, CLIENT, 5000, 5000); /* too late */
		exchange_until_cut_off(&world);
		assert_int_equal(world.reason, REASON_CONTEXT_EXPIRED);
		assert_int_equal(world.peers[TARGET].received, 150000);
		world_fini(&world);
	}
}

static void
expiry_of_a_quiet_tunnel_ends_it_at_once(void **state)
{
	struct world world;
	uint64_t took_ms;

	(void)state;
	start(&world, true);
	turn(&world);
	tunnel_expire(world.tunnel, REASON_LIFETIME);
	assert_int_equal(world.calls, 0);
	run_until_done(&world, &took_ms);
	assert_int_equal(world.reason, REASON_LIFETIME);
	world_fini(&world);
}

/* ---- cancelling ---- */

static void
nothing_comes_after_a_cancel(void **state)
{
	(void)state;
	for (size_t i = 0; i < 160; i++) {
		struct world world;
		struct tunnel_counts counts;

		start(&world, forms[i % ARRAY_COUNT(forms)]);
		queue_stream(&world, CLIENT, 400000, 7000);
		queue_stream(&world, TARGET, 400000, 7000);
		for (size_t j = 0; j < i / 4; j++) {
			(void)peer_write(&world.peers[j % PEERS], 20000);
			(void)peer_read(&world, (int)j % PEERS, 10000);
			if (j % 3 == 0)
				turn(&world);
		}
		counts = tunnel_count(world.tunnel);
		tunnel_cancel(world.tunnel, i % 4 < 2, &world.counts);
		world.tunnel = NULL;
		assert_int_equal(counts.to_client, world.counts.to_client);
		assert_int_equal(counts.to_target, world.counts.to_target);
		exchange(&world);
		assert_int_equal(world.calls, 0);
		assert_true(world.peers[TARGET].received <= counts.to_target);
		world_fini(&world);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(octets_go_both_ways),
	    cmocka_unit_test(one_octet_at_a_time_is_enough),
	    cmocka_unit_test(largest_message_is_taken),
	    cmocka_unit_test(empty_messages_mean_nothing),
	    cmocka_unit_test(half_close_leaves_the_other_way_open),
	    cmocka_unit_test(half_close_delivers_the_tail),
	    cmocka_unit_test(what_came_ahead_goes_first),
	    cmocka_unit_test(stopped_reader_stops_the_writer),
	    cmocka_unit_test(idle_tunnel_holds_no_buffer),
	    cmocka_unit_test(flood_does_not_starve_the_other_way),
	    cmocka_unit_test(small_messages_do_not_hold_up_the_loop),
	    cmocka_unit_test(stream_cut_at_any_octet_is_noticed),
	    cmocka_unit_test(cheat_gets_nothing_past_its_last_good_message),
	    cmocka_unit_test(any_bit_flipped_is_noticed),
	    cmocka_unit_test(good_octets_before_a_cheat_arrive),
	    cmocka_unit_test(failing_seal_ends_the_tunnel),
	    cmocka_unit_test(reset_passes_on),
	    cmocka_unit_test(reset_is_noticed_while_reading_is_paused),
	    cmocka_unit_test(reset_is_noticed_behind_a_half_close),
	    cmocka_unit_test(last_words_before_a_reset_arrive),
	    cmocka_unit_test(failing_kernel_has_its_reason),
	    cmocka_unit_test(no_memory_ends_the_tunnel),
	    cmocka_unit_test(idle_tunnel_is_ended),
	    cmocka_unit_test(no_more_passes_than_the_rate_lets),
	    cmocka_unit_test(half_closed_tunnel_is_ended_sooner),
	    cmocka_unit_test(expiry_delivers_what_was_read),
	    cmocka_unit_test(expiry_of_a_quiet_tunnel_ends_it_at_once),
	    cmocka_unit_test(nothing_comes_after_a_cancel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
