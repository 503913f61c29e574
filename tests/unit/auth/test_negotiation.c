/* SPDX-License-Identifier: ISC */
/* The sub-negotiation, message by message, with a scripted authenticator. */
#include "tests/support/unit.h"

#include "auth/negotiation.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include "auth/authenticator_protocol.h"
#include "auth/authenticators.h"
#include "auth/proof.h"
#include "base/rfc1961.h"
#include "base/seal.h"
#include "tests/support/scripted_authenticator.h"
#include "tests/support/toy_context.h"

#define TURNS_MAX 60

/* Messages as a client sends them, and as the gateway does. */
#define DONE	 "\1\1\0\4Done"
#define CONTINUE "\1\1\0\1C"
#define LEVEL(n) "\1\2\0\2L" n
#define OK	 "\1\1\0\2ok"
#define MORE	 "\1\1\0\4more"
#define ABORT	 "\1\377\0\0"

struct world {
	struct event_base *base;
	struct authenticators *pool;
	struct scripted_authenticator helper;
	struct bufferevent *bev;
	int client; /* the other end */
	struct negotiation_policy policy;
	struct hint_facts facts;
	struct negotiation *negotiation;
	unsigned told;
	enum reason reason;
	char detail[64];
	struct proof proof;
	bool has_proof;
};

static void
on_done(void *arg, enum reason reason, const char *detail, struct proof *proof)
{
	struct world *world = arg;

	world->told++;
	world->negotiation = NULL;
	world->reason = reason;
	assert_true(strlen(detail) < sizeof(world->detail));
	memcpy(world->detail, detail, strlen(detail) + 1);
	world->has_proof = proof != NULL;
	if (proof != NULL)
		world->proof = *proof;
}

static void
begin(struct world *world)
{
	int fds[2], link;

	memset(world, 0, sizeof(*world));
	world->policy = (struct negotiation_policy){
	    .minimum = PROTECTION_INTEGRITY,
	    .maximum = PROTECTION_CONFIDENTIALITY,
	    .token_max = 49152,
	    .rounds_max = 4,
	    .total_max = 131072,
	};
	world->base = event_base_new();
	world->pool = authenticators_new(world->base, 1000);
	scripted_authenticator_init(&world->helper, world->base, &link);
	authenticators_link(world->pool, 0, link);
	assert_int_equal(
	    socketpair(
		AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds),
	    0);
	world->client = fds[0];
	world->bev =
	    bufferevent_socket_new(world->base, fds[1], BEV_OPT_CLOSE_ON_FREE);
	assert_non_null(world->bev);
}

static void
start(struct world *world)
{
	world->negotiation = negotiation_start(world->bev, world->pool,
	    &world->policy, &world->facts, on_done, world);
	assert_non_null(world->negotiation);
	assert_int_equal(world->told, 0); /* never inside of the call */
}

static void
end(struct world *world)
{
	negotiation_cancel(world->negotiation);
	if (world->has_proof)
		seal_free(world->proof.seal);
	bufferevent_free(world->bev);
	authenticators_free(world->pool);
	scripted_authenticator_fini(&world->helper);
	event_base_free(world->base);
	(void)close(world->client);
	assert_int_equal(toy_context_count(), 0);
}

static void
turn(struct world *world)
{
	for (int i = 0; i < TURNS_MAX; i++)
		(void)event_base_loop(
		    world->base, EVLOOP_NONBLOCK | EVLOOP_ONCE);
}

static void
client_sends(struct world *world, const void *data, size_t len)
{
	assert_int_equal(send(world->client, data, len, MSG_NOSIGNAL), len);
	turn(world);
}

#define SENDS(world, text) client_sends(world, text, sizeof(text) - 1)

static void
assert_client_got(struct world *world, const void *data, size_t len)
{
	uint8_t got[4096];
	ssize_t got_len;

	turn(world);
	got_len = recv(world->client, got, sizeof(got), 0);
	if (got_len < 0)
		got_len = 0;
	assert_int_equal(got_len, len);
	assert_memory_equal(got, data, len);
}

#define ASSERT_GOT(world, text) assert_client_got(world, text, sizeof(text) - 1)

static void
assert_failed(const struct world *world, enum reason reason)
{
	assert_int_equal(world->told, 1);
	assert_string_equal(reason_name(world->reason), reason_name(reason));
	assert_false(world->has_proof);
}

static void
assert_proved(const struct world *world, enum protection protection)
{
	assert_int_equal(world->told, 1);
	assert_string_equal(reason_name(world->reason), "ok");
	assert_true(world->has_proof);
	assert_string_equal(protection_name(world->proof.protection),
	    protection_name(protection));
	assert_non_null(world->proof.seal);
}

static size_t
left_in_input(const struct world *world)
{
	return evbuffer_get_length(bufferevent_get_input(world->bev));
}

/* What a whole negotiation makes of these octets in one segment. */
static void
refuse(const void *data, size_t len, enum reason reason)
{
	struct world world;

	begin(&world);
	start(&world);
	client_sends(&world, data, len);
	assert_failed(&world, reason);
	ASSERT_GOT(&world, ABORT);
	end(&world);
}

#define REFUSE(text, reason) refuse(text, sizeof(text) - 1, reason)

/* ---- all goes well ---- */

static void
a_ticket_and_a_level_make_a_proof(void **state)
{
	struct world world;

	(void)state;
	begin(&world);
	start(&world);
	SENDS(&world, DONE);
	ASSERT_GOT(&world, OK);
	assert_int_equal(world.told, 0);
	SENDS(&world, LEVEL("\2"));
	ASSERT_GOT(&world, LEVEL("\2"));
	assert_proved(&world, PROTECTION_CONFIDENTIALITY);
	assert_string_equal(world.proof.identity.name, "alice@EXAMPLE.COM");
	assert_true(world.proof.identity.expires_us > 0);
	assert_true(world.proof.has_sequence);
	assert_int_equal(
	    world.proof.seal->protection, PROTECTION_CONFIDENTIALITY);
	end(&world);
}

static void
without_a_token_to_return_the_message_is_empty(void **state)
{
	struct world world;

	(void)state;
	begin(&world);
	start(&world);
	SENDS(&world, "\1\1\0\1E");
	ASSERT_GOT(&world, "\1\1\0\0");
	end(&world);
}

static void
a_context_may_take_several_rounds(void **state)
{
	struct world world;

	(void)state;
	begin(&world);
	start(&world);
	for (int i = 0; i < 3; i++) {
		SENDS(&world, CONTINUE);
		ASSERT_GOT(&world, MORE);
	}
	SENDS(&world, DONE);
	ASSERT_GOT(&world, OK);
	SENDS(&world, LEVEL("\1"));
	ASSERT_GOT(&world, LEVEL("\1"));
	assert_proved(&world, PROTECTION_INTEGRITY);
	end(&world);
}

static void
what_is_pipelined_in_one_segment_is_served(void **state)
{
	struct world world;

	(void)state;
	begin(&world);
	start(&world);
	SENDS(&world, CONTINUE DONE LEVEL("\2") "\1\3\0\3req");
	ASSERT_GOT(&world, MORE OK LEVEL("\2"));
	assert_proved(&world, PROTECTION_CONFIDENTIALITY);
	/* The request is the next one's. */
	assert_int_equal(left_in_input(&world), 7);
	end(&world);
}

static void
what_was_there_before_the_start_is_served(void **state)
{
	struct world world;

	(void)state;
	begin(&world);
	assert_int_equal(bufferevent_enable(world.bev, EV_READ | EV_WRITE), 0);
	SENDS(&world, DONE LEVEL("\1"));
	assert_int_equal(left_in_input(&world), 14);
	start(&world);
	turn(&world);
	ASSERT_GOT(&world, OK LEVEL("\1"));
	assert_proved(&world, PROTECTION_INTEGRITY);
	end(&world);
}

static void
one_octet_at_a_time_is_served_and_nothing_is_said_too_early(void **state)
{
	static const char sent[] = CONTINUE DONE LEVEL("\2");
	/* How many octets must be there for each answer. */
	const size_t marks[] = {
	    sizeof(CONTINUE) - 1, sizeof(CONTINUE DONE) - 1, sizeof(sent) - 1};
	static const char *const answers[] = {MORE, OK, LEVEL("\2")};
	static const size_t lens[] = {
	    sizeof(MORE) - 1, sizeof(OK) - 1, sizeof(LEVEL("\2")) - 1};
	struct world world;
	size_t answered = 0;

	(void)state;
	begin(&world);
	start(&world);
	for (size_t i = 0; i < sizeof(sent) - 1; i++) {
		client_sends(&world, sent + i, 1);
		if (i + 1 == marks[answered]) {
			assert_client_got(
			    &world, answers[answered], lens[answered]);
			answered++;
		} else {
			ASSERT_GOT(&world, "");
		}
	}
	assert_int_equal(answered, 3);
	assert_proved(&world, PROTECTION_CONFIDENTIALITY);
	end(&world);
}

static void
nothing_is_read_while_the_authenticator_has_the_token(void **state)
{
	struct world world;
	static const uint8_t flood[65536];

	(void)state;
	begin(&world);
	start(&world);
	SENDS(&world, "\1\1\0\4Hold");
	client_sends(&world, flood, sizeof(flood));
	assert_true(left_in_input(&world) <= RFC1961_FRAME_MAX);
	assert_int_equal(left_in_input(&world), 0);
	scripted_authenticator_answer(&world.helper, 'D');
	turn(&world);
	/* Now it is read, and is no level message. */
	assert_failed(&world, REASON_GSS_BAD_FRAME);
	end(&world);
}

static void
no_more_than_one_message_is_ever_buffered(void **state)
{
	static uint8_t flood[1024 * 1024];
	struct world world;
	size_t sent = 0;

	(void)state;
	begin(&world);
	world.policy.token_max = 65535;
	start(&world);
	memcpy(flood, "\1\1\377\377H", 5);
	for (int i = 0; i < 200; i++) {
		ssize_t len = send(world.client, flood + sent,
		    sizeof(flood) - sent, MSG_NOSIGNAL);

		if (len > 0)
			sent += (size_t)len;
		turn(&world);
		assert_true(left_in_input(&world) <= RFC1961_FRAME_MAX);
	}
	assert_int_equal(world.helper.steps, 1);
	assert_true(sent < sizeof(flood));
	end(&world);
}

/* ---- levels (RFC 1961 section 4) ---- */

static void
ask_level(enum protection minimum, enum protection maximum, uint8_t wish,
    struct world *world)
{
	uint8_t level[] = {1, 2, 0, 2, 'L', wish};

	begin(world);
	world->policy.minimum = minimum;
	world->policy.maximum = maximum;
	start(world);
	SENDS(world, DONE);
	ASSERT_GOT(world, OK);
	client_sends(world, level, sizeof(level));
}

static enum protection
clamp(enum protection wish, enum protection low, enum protection high)
{
	return wish < low ? low : wish > high ? high : wish;
}

static void
grants_are_the_wish_inside_the_listeners_range(void **state)
{
	static const uint8_t levels[PROTECTION_COUNT] = {0, 1, 3, 2};

	(void)state;
	for (int low = 0; low < PROTECTION_COUNT; low++)
		for (int high = low; high < PROTECTION_COUNT; high++)
			for (int wish = 0; wish < PROTECTION_COUNT; wish++) {
				enum protection granted = clamp(
				    (enum protection)wish, (enum protection)low,
				    (enum protection)high);
				uint8_t answer[] = {
				    1, 2, 0, 2, 'L', levels[granted]};
				struct world world;

				ask_level((enum protection)low,
				    (enum protection)high, levels[wish],
				    &world);
				assert_client_got(
				    &world, answer, sizeof(answer));
				assert_proved(&world, granted);
				end(&world);
			}
}

static void
a_level_that_is_none_is_refused_never_echoed(void **state)
{
	(void)state;
	for (int wish = 4; wish < 256; wish++) {
		struct world world;

		ask_level(PROTECTION_NONE, PROTECTION_CONFIDENTIALITY,
		    (uint8_t)wish, &world);
		assert_failed(&world, REASON_GSS_LEVEL);
		ASSERT_GOT(&world, ABORT);
		end(&world);
	}
}

static void
a_level_that_is_not_one_sealed_octet_is_refused(void **state)
{
	static uint8_t large[4 + 1024] = {1, 2, 4, 0, 'L'};

	(void)state;
	struct world world;

	begin(&world);
	start(&world);
	SENDS(&world, DONE);
	ASSERT_GOT(&world, OK);
	client_sends(&world, large, sizeof(large));
	assert_failed(&world, REASON_GSS_LEVEL);
	end(&world);
}

static void
confidentiality_needs_its_flag(void **state)
{
	struct world world;

	(void)state;
	begin(&world);
	world.helper.flags &= ~(uint32_t)CONTEXT_CONFIDENTIALITY;
	start(&world);
	SENDS(&world, DONE);
	ASSERT_GOT(&world, OK);
	SENDS(&world, LEVEL("\2"));
	assert_failed(&world, REASON_GSS_FLAGS);
	ASSERT_GOT(&world, ABORT);
	end(&world);

	begin(&world);
	world.helper.flags &= ~(uint32_t)CONTEXT_CONFIDENTIALITY;
	start(&world);
	SENDS(&world, DONE LEVEL("\1"));
	assert_proved(&world, PROTECTION_INTEGRITY);
	end(&world);
}

/* Granted none, who encapsulates keeps to its wish. */
static void
granted_none_the_seal_is_of_the_wish(void **state)
{
	static const struct {
		uint8_t wish;
		enum protection seal;
	} cases[] = {
	    {0, PROTECTION_INTEGRITY},
	    {1, PROTECTION_INTEGRITY},
	    {3, PROTECTION_SELECTIVE},
	    {2, PROTECTION_CONFIDENTIALITY},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct world world;

		ask_level(
		    PROTECTION_NONE, PROTECTION_NONE, cases[i].wish, &world);
		ASSERT_GOT(&world, LEVEL("\0"));
		assert_proved(&world, PROTECTION_NONE);
		assert_int_equal(world.proof.seal->protection, cases[i].seal);
		assert_int_equal(world.facts.wish, cases[i].wish);
		assert_int_equal(world.facts.granted, 0);
		end(&world);
	}
}

static void
granted_none_without_the_flag_nothing_is_encrypted(void **state)
{
	struct world world;

	(void)state;
	begin(&world);
	world.helper.flags &= ~(uint32_t)CONTEXT_CONFIDENTIALITY;
	world.policy.minimum = world.policy.maximum = PROTECTION_NONE;
	start(&world);
	SENDS(&world, DONE LEVEL("\2"));
	assert_proved(&world, PROTECTION_NONE);
	assert_int_equal(world.proof.seal->protection, PROTECTION_INTEGRITY);
	end(&world);
}

/* ---- a bare octet (NEC style) ---- */

#define BARE(n) "\1\2\0\1" n

static void
ask_bare(struct world *world, enum protection minimum, enum protection maximum,
    uint8_t wish)
{
	uint8_t level[] = {1, 2, 0, 1, wish};

	begin(world);
	world->policy.allow_nec = true;
	world->policy.minimum = minimum;
	world->policy.maximum = maximum;
	start(world);
	SENDS(world, DONE);
	ASSERT_GOT(world, OK);
	client_sends(world, level, sizeof(level));
}

static void
a_bare_octet_is_refused_unless_it_is_allowed(void **state)
{
	struct world world;

	(void)state;
	begin(&world);
	start(&world);
	SENDS(&world, DONE);
	ASSERT_GOT(&world, OK);
	SENDS(&world, BARE("\2"));
	assert_failed(&world, REASON_GSS_LEVEL);
	assert_true(world.facts.bare_level);
	ASSERT_GOT(&world, ABORT);
	end(&world);
}

static void
a_bare_octet_is_answered_bare_and_told(void **state)
{
	struct world world;

	(void)state;
	ask_bare(&world, PROTECTION_INTEGRITY, PROTECTION_CONFIDENTIALITY, 2);
	ASSERT_GOT(&world, BARE("\2"));
	assert_proved(&world, PROTECTION_CONFIDENTIALITY);
	assert_string_equal(world.detail,
	    "the protection level was agreed unprotected (NEC style)");
	assert_false(world.facts.bare_level);
	end(&world);
}

/* Whoever sits on the way can change it: never to none. */
static void
a_bare_octet_never_leads_to_none(void **state)
{
	struct world world;

	(void)state;
	ask_bare(&world, PROTECTION_NONE, PROTECTION_CONFIDENTIALITY, 0);
	ASSERT_GOT(&world, BARE("\1"));
	assert_proved(&world, PROTECTION_INTEGRITY);
	end(&world);

	ask_bare(&world, PROTECTION_NONE, PROTECTION_NONE, 0);
	assert_failed(&world, REASON_GSS_LEVEL);
	ASSERT_GOT(&world, ABORT);
	end(&world);
}

static void
a_bare_octet_that_is_no_level_is_refused(void **state)
{
	(void)state;
	for (int wish = 4; wish < 256; wish++) {
		struct world world;

		ask_bare(&world, PROTECTION_INTEGRITY,
		    PROTECTION_CONFIDENTIALITY, (uint8_t)wish);
		assert_failed(&world, REASON_GSS_LEVEL);
		ASSERT_GOT(&world, ABORT);
		end(&world);
	}
}

static void
where_a_bare_octet_is_allowed_a_sealed_one_is_too(void **state)
{
	struct world world;

	(void)state;
	begin(&world);
	world.policy.allow_nec = true;
	start(&world);
	SENDS(&world, DONE LEVEL("\1"));
	ASSERT_GOT(&world, OK LEVEL("\1"));
	assert_proved(&world, PROTECTION_INTEGRITY);
	assert_string_equal(world.detail, "");
	end(&world);
}

/* ---- what is noted of a client ---- */

static void
facts_tell_how_far_a_client_came(void **state)
{
	struct world world;

	(void)state;
	begin(&world);
	world.policy.allow_spnego = true;
	start(&world);
	assert_int_equal(world.facts.stage, HINT_STAGE_CHOSEN);
	assert_true(world.facts.may_spnego);
	SENDS(&world, CONTINUE);
	assert_int_equal(world.facts.stage, HINT_STAGE_TOKEN);
	assert_int_equal(world.facts.mech, CONTEXT_MECH_UNKNOWN);
	SENDS(&world, DONE);
	assert_int_equal(world.facts.stage, HINT_STAGE_CONTEXT);
	assert_true(world.helper.may_spnego);
	SENDS(&world, LEVEL("\1"));
	assert_int_equal(world.facts.stage, HINT_STAGE_LEVEL);
	assert_int_equal(world.facts.wish, 1);
	assert_int_equal(world.facts.granted, 1);
	end(&world);
}

static void
a_client_that_skips_the_level_is_known(void **state)
{
	struct world world;

	(void)state;
	begin(&world);
	start(&world);
	SENDS(&world, DONE);
	SENDS(&world, "\5\1\0\1\177\0\0\1\0\120");
	assert_failed(&world, REASON_GSS_BAD_FRAME);
	assert_string_equal(
	    hint_name(hint_find(&world.facts, world.reason)), "no_level");
	ASSERT_GOT(&world, OK ABORT);
	end(&world);
}

static void
the_first_token_names_its_mechanism(void **state)
{
	struct world world;

	(void)state;
	begin(&world);
	start(&world);
	SENDS(&world, "\1\1\0\12\x60\x08\x06\x06\x2b\x06\x01\x05\x05\x02");
	assert_int_equal(world.facts.mech, CONTEXT_MECH_SPNEGO);
	end(&world);
}

static void
a_missing_sequence_flag_is_told(void **state)
{
	struct world world;

	(void)state;
	begin(&world);
	world.helper.flags &= ~(uint32_t)CONTEXT_SEQUENCE;
	start(&world);
	SENDS(&world, DONE LEVEL("\1"));
	assert_proved(&world, PROTECTION_INTEGRITY);
	assert_false(world.proof.has_sequence);
	end(&world);
}

static void
a_level_that_we_cannot_seal_ends_it(void **state)
{
	struct world world;

	(void)state;
	begin(&world);
	start(&world);
	toy_context_fail_wrap(true);
	SENDS(&world, DONE LEVEL("\1"));
	toy_context_fail_wrap(false);
	assert_failed(&world, REASON_GSS_SEAL);
	ASSERT_GOT(&world, OK ABORT);
	end(&world);
}

/* ---- messages out of turn and out of form ---- */

static void
every_message_out_of_turn_is_refused(void **state)
{
	(void)state;
	for (unsigned type = 0; type < 256; type++) {
		uint8_t first[] = {1, (uint8_t)type, 0, 2, 'L', 1};
		uint8_t second[] = {
		    1, 1, 0, 1, 'D', 1, (uint8_t)type, 0, 2, 'L', 1};
		struct world world;

		if (type == RFC1961_ABORT)
			continue;
		if (type != RFC1961_CONTEXT)
			refuse(first, sizeof(first), REASON_GSS_BAD_FRAME);
		if (type == RFC1961_LEVEL)
			continue;
		begin(&world);
		start(&world);
		client_sends(&world, second, sizeof(second));
		assert_failed(&world, REASON_GSS_BAD_FRAME);
		ASSERT_GOT(&world, OK ABORT);
		end(&world);
	}
}

static void
another_version_is_refused_at_its_first_octet(void **state)
{
	(void)state;
	REFUSE("\0", REASON_GSS_BAD_FRAME);
	REFUSE("\5", REASON_GSS_BAD_FRAME);
	REFUSE("\2\1\0\4Done", REASON_GSS_BAD_FRAME);
}

static void
an_empty_token_is_refused(void **state)
{
	struct world world;

	(void)state;
	REFUSE("\1\1\0\0", REASON_GSS_BAD_FRAME);
	begin(&world);
	start(&world);
	SENDS(&world, DONE "\1\2\0\0");
	assert_failed(&world, REASON_GSS_BAD_FRAME);
	end(&world);
}

static void
a_length_out_of_bounds_is_refused_before_its_token_comes(void **state)
{
	struct world world;

	(void)state;
	REFUSE("\1\1\300\1", REASON_GSS_BAD_FRAME); /* 49153 */
	REFUSE("\1\1\377\377", REASON_GSS_BAD_FRAME);
	begin(&world);
	start(&world);
	SENDS(&world, DONE "\1\2\4\1"); /* 1025 */
	assert_failed(&world, REASON_GSS_BAD_FRAME);
	end(&world);
}

static void
the_largest_token_is_passed_on_whole(void **state)
{
	static uint8_t frame[4 + 65535] = {1, 1, 0xff, 0xff, 'D'};
	struct world world;
	size_t sent = 0;

	(void)state;
	begin(&world);
	world.policy.token_max = 65535;
	start(&world);
	while (sent < sizeof(frame)) {
		ssize_t len = send(world.client, frame + sent,
		    sizeof(frame) - sent, MSG_NOSIGNAL);

		assert_true(len > 0);
		sent += (size_t)len;
		turn(&world);
	}
	ASSERT_GOT(&world, OK);
	end(&world);
}

static void
rounds_are_counted(void **state)
{
	struct world world;

	(void)state;
	begin(&world);
	start(&world);
	SENDS(&world, CONTINUE CONTINUE CONTINUE CONTINUE CONTINUE);
	assert_failed(&world, REASON_GSS_ROUNDS);
	ASSERT_GOT(&world, MORE MORE MORE MORE ABORT);
	assert_int_equal(world.helper.steps, 4);
	turn(&world);
	assert_int_equal(world.helper.forgets, 1);
	end(&world);
}

static void
octets_of_all_tokens_are_counted(void **state)
{
	struct world world;

	(void)state;
	begin(&world);
	world.policy.total_max = 2;
	start(&world);
	SENDS(&world, CONTINUE CONTINUE CONTINUE);
	assert_failed(&world, REASON_GSS_ROUNDS);
	ASSERT_GOT(&world, MORE MORE ABORT);
	end(&world);
}

/* ---- failures of the authenticator ---- */

static void
an_error_token_goes_before_the_abort(void **state)
{
	struct world world;

	(void)state;
	begin(&world);
	start(&world);
	SENDS(&world, "\1\1\0\1F");
	assert_failed(&world, REASON_GSS_CLOCK_SKEW);
	assert_string_equal(world.detail, "too late");
	ASSERT_GOT(&world, "\1\1\0\5error" ABORT);
	end(&world);
}

static void
the_abort_may_be_two_octets(void **state)
{
	struct world world;

	(void)state;
	begin(&world);
	world.policy.short_abort = true;
	start(&world);
	SENDS(&world, "\1\1\0\1G");
	assert_failed(&world, REASON_GSS_WRONG_SERVICE);
	ASSERT_GOT(&world, "\1\377");
	end(&world);
}

static void
a_context_that_cannot_be_imported_is_not_answered(void **state)
{
	struct world world;

	(void)state;
	begin(&world);
	start(&world);
	SENDS(&world, "\1\1\0\1X");
	assert_failed(&world, REASON_GSS_SEAL);
	assert_string_equal(world.detail, "no toy");
	ASSERT_GOT(&world, ABORT);
	end(&world);
}

static void
a_dead_authenticator_aborts(void **state)
{
	struct world world;

	(void)state;
	begin(&world);
	start(&world);
	SENDS(&world, "\1\1\0\1H");
	scripted_authenticator_fini(&world.helper);
	turn(&world);
	assert_failed(&world, REASON_AUTH_LOST);
	ASSERT_GOT(&world, ABORT);
	end(&world);
}

/* ---- ends ---- */

static void
cut_at_every_octet_it_ends_without_a_proof(void **state)
{
	static const char sent[] = CONTINUE DONE LEVEL("\2");

	(void)state;
	for (size_t len = 0; len < sizeof(sent) - 1; len++) {
		/* Between two messages nothing is cut off. */
		bool is_whole = len == 0 || len == sizeof(CONTINUE) - 1 ||
				len == sizeof(CONTINUE DONE) - 1;
		struct world world;

		begin(&world);
		start(&world);
		client_sends(&world, sent, len);
		assert_int_equal(shutdown(world.client, SHUT_WR), 0);
		turn(&world);
		assert_failed(
		    &world, is_whole ? REASON_CLIENT_CLOSED : REASON_TRUNCATED);
		end(&world);
	}
}

static void
a_fin_behind_everything_is_left_to_the_next_one(void **state)
{
	struct world world;

	(void)state;
	begin(&world);
	start(&world);
	assert_int_equal(
	    send(world.client, DONE LEVEL("\1") "rest", 18, 0), 18);
	assert_int_equal(shutdown(world.client, SHUT_WR), 0);
	turn(&world);
	assert_proved(&world, PROTECTION_INTEGRITY);
	assert_int_equal(left_in_input(&world), 4);
	end(&world);
}

static void
a_reset_is_told_from_an_end(void **state)
{
	struct world world;

	(void)state;
	begin(&world);
	start(&world);
	SENDS(&world, "\1\1");
	/* Unread octets make the close of a local socket a reset. */
	assert_int_equal(bufferevent_write(world.bev, "unread", 6), 0);
	turn(&world);
	(void)close(world.client);
	world.client = -1;
	turn(&world);
	assert_failed(&world, REASON_CLIENT_RESET);
	end(&world);
}

static void
the_clients_own_abort_is_not_answered(void **state)
{
	struct world world;

	(void)state;
	begin(&world);
	start(&world);
	SENDS(&world, "\1\377");
	assert_failed(&world, REASON_CLIENT_CLOSED);
	ASSERT_GOT(&world, "");
	end(&world);
}

static void
a_cancelled_negotiation_says_nothing_any_more(void **state)
{
	struct world world;

	(void)state;
	begin(&world);
	start(&world);
	SENDS(&world, "\1\1\0\1H");
	negotiation_cancel(world.negotiation);
	world.negotiation = NULL;
	turn(&world);
	assert_int_equal(world.helper.forgets, 1);
	scripted_authenticator_answer(&world.helper, 'D');
	SENDS(&world, DONE);
	assert_int_equal(world.told, 0);
	ASSERT_GOT(&world, "");
	end(&world);
}

static void
cancelled_at_once_it_never_reads(void **state)
{
	struct world world;

	(void)state;
	begin(&world);
	start(&world);
	negotiation_cancel(world.negotiation);
	world.negotiation = NULL;
	SENDS(&world, DONE LEVEL("\1"));
	assert_int_equal(world.told, 0);
	assert_int_equal(world.helper.steps, 0);
	end(&world);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_ticket_and_a_level_make_a_proof),
	    cmocka_unit_test(without_a_token_to_return_the_message_is_empty),
	    cmocka_unit_test(a_context_may_take_several_rounds),
	    cmocka_unit_test(what_is_pipelined_in_one_segment_is_served),
	    cmocka_unit_test(what_was_there_before_the_start_is_served),
	    cmocka_unit_test(
		one_octet_at_a_time_is_served_and_nothing_is_said_too_early),
	    cmocka_unit_test(
		nothing_is_read_while_the_authenticator_has_the_token),
	    cmocka_unit_test(no_more_than_one_message_is_ever_buffered),
	    cmocka_unit_test(grants_are_the_wish_inside_the_listeners_range),
	    cmocka_unit_test(a_level_that_is_none_is_refused_never_echoed),
	    cmocka_unit_test(a_level_that_is_not_one_sealed_octet_is_refused),
	    cmocka_unit_test(confidentiality_needs_its_flag),
	    cmocka_unit_test(granted_none_the_seal_is_of_the_wish),
	    cmocka_unit_test(
		granted_none_without_the_flag_nothing_is_encrypted),
	    cmocka_unit_test(a_bare_octet_is_refused_unless_it_is_allowed),
	    cmocka_unit_test(a_bare_octet_is_answered_bare_and_told),
	    cmocka_unit_test(a_bare_octet_never_leads_to_none),
	    cmocka_unit_test(a_bare_octet_that_is_no_level_is_refused),
	    cmocka_unit_test(where_a_bare_octet_is_allowed_a_sealed_one_is_too),
	    cmocka_unit_test(facts_tell_how_far_a_client_came),
	    cmocka_unit_test(a_client_that_skips_the_level_is_known),
	    cmocka_unit_test(the_first_token_names_its_mechanism),
	    cmocka_unit_test(a_missing_sequence_flag_is_told),
	    cmocka_unit_test(a_level_that_we_cannot_seal_ends_it),
	    cmocka_unit_test(every_message_out_of_turn_is_refused),
	    cmocka_unit_test(another_version_is_refused_at_its_first_octet),
	    cmocka_unit_test(an_empty_token_is_refused),
	    cmocka_unit_test(
		a_length_out_of_bounds_is_refused_before_its_token_comes),
	    cmocka_unit_test(the_largest_token_is_passed_on_whole),
	    cmocka_unit_test(rounds_are_counted),
	    cmocka_unit_test(octets_of_all_tokens_are_counted),
	    cmocka_unit_test(an_error_token_goes_before_the_abort),
	    cmocka_unit_test(the_abort_may_be_two_octets),
	    cmocka_unit_test(a_context_that_cannot_be_imported_is_not_answered),
	    cmocka_unit_test(a_dead_authenticator_aborts),
	    cmocka_unit_test(cut_at_every_octet_it_ends_without_a_proof),
	    cmocka_unit_test(a_fin_behind_everything_is_left_to_the_next_one),
	    cmocka_unit_test(a_reset_is_told_from_an_end),
	    cmocka_unit_test(the_clients_own_abort_is_not_answered),
	    cmocka_unit_test(a_cancelled_negotiation_says_nothing_any_more),
	    cmocka_unit_test(cancelled_at_once_it_never_reads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
