/* SPDX-License-Identifier: ISC */
/*
 * Random scripts of writing, reading, finishing and resetting against a
 * model of what a tunnel does, over a kernel that is nasty half of the time.
 */
#include "tests/support/unit.h"

#include <stdlib.h>
#include <time.h>

#include "tests/unit/relay/tunnel_world.h"

#define SCRIPTS 10000

struct script {
	uint64_t seed;
	unsigned form;
	bool is_nasty;
};

static void
random_step(struct world *world, struct script *script)
{
	int who = (int)random_below(PEERS);
	struct peer *peer = &world->peers[who];
	uint32_t choice = random_below(100);
	size_t len =
	    random_below(4) == 0 ? random_below(40000) : random_below(300);

	(void)script;
	if (choice < 30 && peer->fd >= 0 && !peer->has_finished)
		queue_stream(world, who, len, 1 + random_below(20000));
	else if (choice < 60 && peer->fd >= 0 && !peer->has_finished)
		(void)peer_write(peer, len);
	else if (choice < 80)
		(void)peer_read(world, who, len);
	else if (choice < 98)
		turn(world);
	else if (choice < 99 && peer->fd >= 0 && !peer->has_finished &&
		 peer->out_len == 0)
		peer_finish(peer);
	else if (peer->fd >= 0 && random_below(3) == 0)
		peer_close(peer, true);
}

/* The model: nobody was reset, so all must have arrived. */
static void
check_whole(const struct world *world)
{
	const struct peer *client = &world->peers[CLIENT];
	const struct peer *target = &world->peers[TARGET];

	assert_int_equal(world->reason, REASON_OK);
	assert_int_equal(client->received, target->sent);
	assert_int_equal(target->received, client->sent);
	assert_int_equal(world->counts.to_client, target->sent);
	assert_int_equal(world->counts.to_target, client->sent);
	assert_true(client->sees_end && target->sees_end);
	assert_int_equal(client->in_len, 0);
}

/* The model: one was reset, so the other must know. */
static void
check_reset(struct world *world)
{
	int who = world->peers[CLIENT].has_reset ? CLIENT : TARGET;
	struct peer *other = &world->peers[!who];

	assert_true(other->received <= world->peers[who].sent);
	if (world->reason == REASON_OK) /* all was over before the reset */
		return;
	assert_int_equal(world->reason,
	    who == CLIENT ? REASON_CLIENT_RESET : REASON_TARGET_RESET);
	if (!other->sees_end)
		assert_true(is_broken(other));
	else
		assert_true(other->received == world->peers[who].sent);
}

static void
finish_script(struct world *world)
{
	exchange(world);
	for (int i = 0; i < PEERS; i++)
		if (world->peers[i].fd >= 0 && !world->peers[i].has_finished &&
		    world->calls == 0) {
			exchange(world);
			if (world->calls == 0)
				peer_finish(&world->peers[i]);
		}
	exchange_to_the_end(world);
}

static void
run_script(struct script *script)
{
	struct world world;
	unsigned steps;
	bool was_reset = false;

	random_state = script->seed;
	start(&world, script->form);
	seam.is_nasty = script->is_nasty;
	steps = random_below(120);
	for (unsigned i = 0; i < steps && !was_reset; i++) {
		random_step(&world, script);
		was_reset = world.peers[CLIENT].has_reset ||
			    world.peers[TARGET].has_reset;
	}
	if (was_reset) {
		exchange_to_the_end(&world);
		check_reset(&world);
	} else {
		finish_script(&world);
		check_whole(&world);
	}
	world_fini(&world);
}

static uint64_t
seed_of_run(void)
{
	const char *text = getenv("TUNNEL_SEED");
	struct timespec now;

	if (text != NULL)
		return strtoull(text, NULL, 0);
	(void)clock_gettime(CLOCK_REALTIME, &now);
	return ((uint64_t)now.tv_sec << 20 ^ (uint64_t)now.tv_nsec) | 1;
}

static void
random_scripts_match_the_model(void **state)
{
	uint64_t seed = seed_of_run();

	(void)state;
	print_message("TUNNEL_SEED=%ju\n", (uintmax_t)seed);
	for (unsigned i = 0; i < SCRIPTS; i++) {
		struct script script = {
		    .seed = (seed + i) * 0x9e3779b97f4a7c15u | 1,
		    .form = i % 4, /* all of SEALED and IN_TLS */
		    .is_nasty = i % 8 >= 4,
		};

		if (i % 1000 == 0)
			print_message("script %u\n", i);
		run_script(&script);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(random_scripts_match_the_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
