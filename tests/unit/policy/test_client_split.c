/* SPDX-License-Identifier: ISC */
/* Which clients get what, compared with asking them one by one. */
#include "tests/support/unit.h"

#include <stdio.h>
#include <string.h>

#include "base/must.h"
#include "policy/client_split.h"
#include "tests/unit/policy/random_policy.h"

#define CASES	  20000
#define RULES_MAX 8

/* What was added, and the clients that there are. */
static struct {
	struct network network;
	uint16_t decided, permitted;
} rules[RULES_MAX];
static size_t rule_count;

/* All of 10.0.0.0/28, and one on each side and of the other family. */
static struct address
client_of(unsigned i)
{
	struct address client = {
	    .family = ADDRESS_IPV4, .bytes = {10, 0, 0, (uint8_t)i}};

	if (i == 17)
		return (struct address){.family = ADDRESS_IPV4};
	if (i == 18)
		return (struct address){.family = ADDRESS_IPV6};
	return client;
}

#define CLIENTS 19

static void
choose_rules(struct client_split *split)
{
	char text[NETWORK_TEXT_SIZE];

	*split = (struct client_split){.count = 0};
	rule_count = random_below(RULES_MAX + 1);
	for (size_t i = 0; i < rule_count; i++) {
		unsigned len = 28 + (unsigned)random_below(5);
		unsigned host = (unsigned)random_below(16);

		host &= ~((1U << (32 - len)) - 1);
		(void)snprintf(text, sizeof(text), "10.0.0.%u/%u", host, len);
		if (random_one_in(8))
			(void)snprintf(text, sizeof(text), "%s",
			    random_one_in(2) ? "::/0" : "0.0.0.0/0");
		assert_true(network_parse(text, &rules[i].network));
		rules[i].decided = (uint16_t)(1 + random_below(3));
		rules[i].permitted =
		    (uint16_t)(rules[i].decided & random_below(4));
		client_split_add(split, &rules[i].network, rules[i].decided,
		    rules[i].permitted);
	}
}

/* Each of two addresses; one is enough. */
static bool
permits(const struct address *client, uint16_t otherwise)
{
	for (uint16_t bit = 1; bit <= 2; bit <<= 1) {
		bool permitted = (otherwise & bit) != 0;

		for (size_t i = 0; i < rule_count; i++)
			if ((rules[i].decided & bit) != 0 &&
			    network_has(&rules[i].network, client)) {
				permitted = (rules[i].permitted & bit) != 0;
				break;
			}
		if (permitted)
			return true;
	}
	return false;
}

static void
it_differs_where_two_clients_do(void **state)
{
	static struct client_split split;
	unsigned differing = 0;

	(void)state;
	for (unsigned n = 0; n < CASES; n++) {
		uint16_t otherwise = (uint16_t)random_below(4);
		unsigned permitted = 0;
		bool all;

		choose_rules(&split);
		for (unsigned i = 0; i < CLIENTS; i++) {
			struct address client = client_of(i);

			permitted += permits(&client, otherwise);
		}
		if (client_split_differs(&split, otherwise, &all)) {
			assert_in_range(permitted, 1, CLIENTS - 1);
			differing++;
		} else {
			assert_int_equal(permitted, all ? CLIENTS : 0);
		}
	}
	assert_in_range(differing, CASES / 10, CASES * 9 / 10);
}

static void
fill(struct client_split *split, uint16_t permitted)
{
	*split = (struct client_split){.count = 0};
	for (unsigned i = 0; i <= CLIENT_SPLIT_MAX; i++) {
		const struct network network = {
		    .base = {.family = ADDRESS_IPV4,
			.bytes = {10, 0, (uint8_t)(i >> 8), (uint8_t)i}},
		    .prefix_len = 32};

		client_split_add(split, &network, 1, permitted);
	}
	assert_true(split->is_full);
}

static void
of_too_many_only_what_is_plain_is_certain(void **state)
{
	static struct client_split split;
	bool permits_all;

	(void)state;
	fill(&split, 0);
	assert_false(client_split_differs(&split, 0, &permits_all));
	assert_false(permits_all);
	assert_true(client_split_differs(&split, 1, &permits_all));
	/* Another address is permitted to all. */
	assert_false(client_split_differs(&split, 3, &permits_all));
	assert_true(permits_all);
	fill(&split, 1);
	assert_true(client_split_differs(&split, 0, &permits_all));
	assert_false(client_split_differs(&split, 1, &permits_all));
	assert_true(permits_all);
}

static void
what_is_decided_already_takes_no_room(void **state)
{
	static struct client_split split;
	struct network wide, narrow;

	(void)state;
	assert_true(network_parse("10.0.0.0/8", &wide));
	assert_true(network_parse("10.1.0.0/16", &narrow));
	client_split_add(&split, &wide, 1, 0);
	client_split_add(&split, &narrow, 1, 1);
	client_split_add(&split, &wide, 1, 1);
	assert_int_equal(split.count, 1);
	client_split_add(&split, &narrow, 3, 3);
	assert_int_equal(split.count, 2);
	assert_int_equal(split.parts[1].permitted, 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(it_differs_where_two_clients_do),
	    cmocka_unit_test(of_too_many_only_what_is_plain_is_certain),
	    cmocka_unit_test(what_is_decided_already_takes_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
