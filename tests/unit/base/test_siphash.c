/* SPDX-License-Identifier: ISC */
/* Tests SipHash with its authors' own examples. */
#include "tests/support/unit.h"

#include "base/siphash.h"

static void
it_is_the_authors_function(void **state)
{
	/* Of the octets 00, 01, 02 ... of each length, under the key 00 ..
	 * 0f: from the reference implementation's table. */
	static const struct {
		size_t len;
		uint64_t hash;
	} examples[] = {
	    {0, 0x726fdb47dd0e0e31},
	    {1, 0x74f839c593dc67fd},
	    {2, 0x0d6c8009d9a94f5a},
	    {7, 0xab0200f58b01d137},
	    {8, 0x93f5f5799a932462},
	    {15, 0xa129ca6149be45e5},
	    {63, 0x958a324ceb064572},
	};
	uint8_t key[SIPHASH_KEY_SIZE], data[64];

	(void)state;
	for (uint8_t i = 0; i < sizeof(data); i++)
		data[i] = i;
	for (uint8_t i = 0; i < sizeof(key); i++)
		key[i] = i;
	for (size_t i = 0; i < sizeof(examples) / sizeof(*examples); i++)
		assert_true(
		    siphash(key, data, examples[i].len) == examples[i].hash);
}

static void
another_key_gives_another_hash(void **state)
{
	static const uint8_t one[SIPHASH_KEY_SIZE], two[SIPHASH_KEY_SIZE] = {1};

	(void)state;
	assert_true(siphash(one, "alice", 5) != siphash(two, "alice", 5));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(it_is_the_authors_function),
	    cmocka_unit_test(another_key_gives_another_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
