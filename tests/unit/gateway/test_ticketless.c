/* SPDX-License-Identifier: ISC */
/* Who chose GSSAPI without a ticket, for how long, and out of how many. */
#include "tests/support/unit.h"

#include <string.h>

#include "gateway/ticketless.h"

#define SECOND UINT64_C(1000000)
#define WINDOW (60 * SECOND)
#define MEMORY (600 * SECOND)
#define TRIES  2

static struct ticketless *memory;

static struct address
address_of(const char *text)
{
	struct address address;

	assert_true(address_parse(text, &address));
	return address;
}

static void
note(const char *text, uint64_t at_s)
{
	struct address address = address_of(text);

	ticketless_note(memory, &address, at_s * SECOND, WINDOW);
}

static bool
has(const char *text, uint64_t at_s)
{
	struct address address = address_of(text);

	return ticketless_has(memory, &address, at_s * SECOND, TRIES, MEMORY);
}

static int
set_up(void **state)
{
	(void)state;
	memory = ticketless_new();
	assert_non_null(memory);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	ticketless_free(memory);
	return 0;
}

static void
so_many_tries_are_remembered_for_so_long(void **state)
{
	(void)state;
	assert_false(has("192.0.2.1", 1000));
	note("192.0.2.1", 1000);
	assert_false(has("192.0.2.1", 1000));
	note("192.0.2.1", 1010);
	assert_true(has("192.0.2.1", 1010));
	assert_true(has("192.0.2.1", 1010 + 599));
	assert_false(has("192.0.2.1", 1010 + 600));
	/* Nobody else is meant. */
	assert_false(has("192.0.2.2", 1010));
	assert_false(has("2001:db8::1", 1010));
}

static void
tries_that_lie_far_apart_do_not_count_together(void **state)
{
	(void)state;
	note("2001:db8::1", 1000);
	note("2001:db8::1", 1061);
	assert_false(has("2001:db8::1", 1061));
	note("2001:db8::1", 1121);
	assert_true(has("2001:db8::1", 1121));
}

static void
a_ticket_ends_it(void **state)
{
	struct address address = address_of("192.0.2.1");

	(void)state;
	note("192.0.2.1", 1000);
	note("192.0.2.1", 1000);
	ticketless_forget(memory, &address);
	assert_false(has("192.0.2.1", 1000));
	note("192.0.2.1", 1000);
	assert_false(has("192.0.2.1", 1000));
	address = address_of("192.0.2.77");
	ticketless_forget(memory, &address);
}

/* However many addresses there are, the latest are remembered. */
static void
of_too_many_the_oldest_are_forgotten(void **state)
{
	struct address address = {.family = ADDRESS_IPV4};
	unsigned remembered = 0;

	(void)state;
	for (uint32_t i = 0; i < 100000; i++) {
		memcpy(address.bytes, &i, sizeof(i));
		ticketless_note(memory, &address, i, WINDOW);
		ticketless_note(memory, &address, i, WINDOW);
		assert_true(ticketless_has(memory, &address, i, TRIES, MEMORY));
	}
	for (uint32_t i = 0; i < 100000; i++) {
		memcpy(address.bytes, &i, sizeof(i));
		remembered +=
		    ticketless_has(memory, &address, 100000, TRIES, MEMORY);
	}
	assert_true(remembered > 3500 && remembered <= 4096);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		so_many_tries_are_remembered_for_so_long, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		tries_that_lie_far_apart_do_not_count_together, set_up,
		tear_down),
	    cmocka_unit_test_setup_teardown(
		a_ticket_ends_it, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		of_too_many_the_oldest_are_forgotten, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
