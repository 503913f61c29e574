/* SPDX-License-Identifier: ISC */
/* Which method is chosen: by our order, never by the client's. */
#include "tests/support/unit.h"

#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>

#include "base/socks5.h"
#include "gateway/front.h"

#define DRAWS 20000

struct greeted {
	enum parse_result result;
	enum method method;
	enum reason why;
	struct hint_facts facts;
	size_t answer_len;
	uint8_t answer[8];
	size_t left; /* of the input */
};

static struct greeted
greet(const struct front_methods *methods, const uint8_t *octets, size_t len)
{
	struct evbuffer *input = evbuffer_new(), *output = evbuffer_new();
	struct greeted greeted = {.method = METHOD_COUNT};
	ssize_t answer_len;

	assert_int_equal(evbuffer_add(input, octets, len), 0);
	greeted.result = front_socks5.greet(input, output, methods,
	    &greeted.facts, &greeted.method, &greeted.why);
	answer_len =
	    evbuffer_copyout(output, greeted.answer, sizeof(greeted.answer));
	assert_true(answer_len >= 0);
	greeted.answer_len = (size_t)answer_len;
	greeted.left = evbuffer_get_length(input);
	evbuffer_free(input);
	evbuffer_free(output);
	return greeted;
}

static size_t
draw_greeting(uint8_t out[SOCKS5_GREETING_MAX])
{
	size_t count = (size_t)rand() % (rand() % 50 == 0 ? 256 : 6);

	out[0] = 5;
	out[1] = (uint8_t)count;
	for (size_t i = 0; i < count; i++)
		out[2 + i] =
		    (uint8_t)(rand() % 4 == 0 ? rand() : rand() % METHOD_COUNT);
	return 2 + count;
}

static struct front_methods
draw_methods(void)
{
	struct front_methods methods = {.count = 0};
	size_t wanted = (size_t)rand() % (METHOD_COUNT + 1);
	bool has[METHOD_COUNT] = {false};

	while (methods.count < wanted) {
		enum method method = (enum method)(rand() % METHOD_COUNT);

		if (has[method])
			continue;
		has[method] = true;
		methods.method[methods.count++] = method;
	}
	return methods;
}

/* What is to be chosen, found the other way round. */
static int
best(const struct front_methods *methods, const uint8_t *offer, size_t len)
{
	size_t place = methods->count;

	for (size_t i = 0; i < len; i++) {
		for (size_t j = 0; j < place; j++) {
			if (METHOD_OCTET(methods->method[j]) == offer[i])
				place = j;
		}
	}
	return place < methods->count ? METHOD_OCTET(methods->method[place])
				      : METHOD_NOT_ACCEPTABLE;
}

static void
our_first_method_that_is_offered_is_chosen(void **state)
{
	uint8_t greeting[SOCKS5_GREETING_MAX];

	(void)state;
	srand(1928);
	for (int i = 0; i < DRAWS; i++) {
		struct front_methods methods = draw_methods();
		size_t len = draw_greeting(greeting);
		int wanted = best(&methods, greeting + 2, len - 2);
		struct greeted greeted = greet(&methods, greeting, len);

		assert_int_equal(greeted.answer_len, 2);
		assert_int_equal(greeted.answer[0], 5);
		assert_int_equal(greeted.answer[1], wanted);
		assert_int_equal(greeted.left, 0);
		if (wanted == METHOD_NOT_ACCEPTABLE) {
			assert_int_equal(greeted.result, PARSE_BAD);
			assert_int_equal(greeted.why, REASON_NO_METHOD);
		} else {
			assert_int_equal(greeted.result, PARSE_DONE);
			assert_int_equal(METHOD_OCTET(greeted.method), wanted);
		}
	}
}

/* Turned round, shuffled or said twice, an offer is the same offer. */
static void
the_clients_order_changes_nothing(void **state)
{
	const struct front_methods methods = {.count = 3,
	    .method = {METHOD_PASSWORD, METHOD_GSSAPI, METHOD_NONE}};
	static const char *const offers[] = {"\5\3\0\1\2", "\5\3\0\2\1",
	    "\5\3\1\0\2", "\5\3\1\2\0", "\5\3\2\0\1", "\5\3\2\1\0"};
	uint8_t many[2 + 255];

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(offers); i++)
		assert_int_equal(
		    greet(&methods, (const uint8_t *)offers[i], 5).method,
		    METHOD_PASSWORD);
	memset(many, METHOD_NONE, sizeof(many));
	many[0] = 5;
	many[1] = 255;
	assert_int_equal(
	    greet(&methods, many, sizeof(many)).method, METHOD_NONE);
	many[256] = METHOD_GSSAPI;
	assert_int_equal(
	    greet(&methods, many, sizeof(many)).method, METHOD_GSSAPI);
}

static void
without_a_method_nothing_is_chosen(void **state)
{
	const struct front_methods all = {.count = 3,
	    .method = {METHOD_NONE, METHOD_GSSAPI, METHOD_PASSWORD}};
	const struct front_methods none = {.count = 0};

	(void)state;
	assert_int_equal(
	    greet(&all, (const uint8_t *)"\5\0", 2).result, PARSE_BAD);
	assert_int_equal(
	    greet(&none, (const uint8_t *)"\5\1\1", 3).result, PARSE_BAD);
	/* FF is no method that could be offered. */
	assert_int_equal(
	    greet(&all, (const uint8_t *)"\5\1\377", 3).result, PARSE_BAD);
}

static void
a_password_that_is_not_allowed_here_is_named(void **state)
{
	const struct front_methods none = {
	    .count = 0, .no_password_here = true};
	const struct front_methods gssapi = {
	    .count = 1, .method = {METHOD_GSSAPI}, .no_password_here = true};

	(void)state;
	assert_int_equal(greet(&none, (const uint8_t *)"\5\2\0\2", 4).why,
	    REASON_PASSWORD_NOT_ALLOWED);
	assert_int_equal(
	    greet(&none, (const uint8_t *)"\5\2\0\1", 4).why, REASON_NO_METHOD);
	assert_int_equal(greet(&gssapi, (const uint8_t *)"\5\2\2\1", 4).method,
	    METHOD_GSSAPI);
}

static void
curls_way_to_offer_is_noted(void **state)
{
	const struct front_methods methods = {
	    .count = 1, .method = {METHOD_GSSAPI}};

	(void)state;
	assert_true(greet(&methods, (const uint8_t *)"\5\2\0\1", 4)
			.facts.offers_as_curl_does);
	assert_true(greet(&methods, (const uint8_t *)"\5\3\0\1\2", 5)
			.facts.offers_as_curl_does);
	assert_false(greet(&methods, (const uint8_t *)"\5\2\1\0", 4)
			 .facts.offers_as_curl_does);
	assert_false(greet(&methods, (const uint8_t *)"\5\1\1", 3)
			 .facts.offers_as_curl_does);
}

static void
an_offer_of_none_alone_is_noted(void **state)
{
	const struct front_methods methods = {1, {METHOD_GSSAPI}, false};

	(void)state;
	assert_true(greet(&methods, (const uint8_t *)"\5\1\0", 3)
			.facts.offers_only_none);
	assert_true(greet(&methods, (const uint8_t *)"\5\2\0\0", 4)
			.facts.offers_only_none);
	assert_false(greet(&methods, (const uint8_t *)"\5\2\0\2", 4)
			 .facts.offers_only_none);
	assert_false(
	    greet(&methods, (const uint8_t *)"\5\0", 2).facts.offers_only_none);
}

static void
an_offer_that_is_not_whole_is_left_where_it_is(void **state)
{
	const struct front_methods methods = {
	    .count = 1, .method = {METHOD_GSSAPI}};

	(void)state;
	for (size_t len = 0; len < 5; len++) {
		struct greeted greeted =
		    greet(&methods, (const uint8_t *)"\5\3\0\1\2", len);

		assert_int_equal(greeted.result, PARSE_MORE);
		assert_int_equal(greeted.left, len);
		assert_int_equal(greeted.answer_len, 0);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(our_first_method_that_is_offered_is_chosen),
	    cmocka_unit_test(the_clients_order_changes_nothing),
	    cmocka_unit_test(without_a_method_nothing_is_chosen),
	    cmocka_unit_test(a_password_that_is_not_allowed_here_is_named),
	    cmocka_unit_test(curls_way_to_offer_is_noted),
	    cmocka_unit_test(an_offer_of_none_alone_is_noted),
	    cmocka_unit_test(an_offer_that_is_not_whole_is_left_where_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
