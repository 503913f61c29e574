/* SPDX-License-Identifier: ISC */
/*
 * The audit chain against vectors that another implementation made:
 *
 *	import hashlib, hmac
 *	mac_of = lambda k, m: hmac.new(k, m, hashlib.sha256).digest()
 *	key, mac, epoch = bytes(range(32)), bytes(32), 0
 *	for n in range(1, 2050):
 *	    while epoch < (n - 1) // 1024:
 *	        key, epoch = mac_of(key, b"gatewarden epoch"), epoch + 1
 *	    mac = mac_of(key, mac + b"record %d" % n)
 *	    print(n, mac.hex(), key.hex())
 *
 * and, for the first key that is made of another:
 *
 *	printf 'gatewarden epoch' | openssl dgst -sha256 -mac HMAC -macopt \
 *	    hexkey:000102...1f
 */
#include "tests/support/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/audit_chain.h"
#include "base/audit_chain_key.h"

#define KEY_1 "64039010de7347369fb6b427a6f68f410246e2ef769e5b1c93d481105f5acb62"
#define KEY_2 "0c8087f22522a02699d92ee2d1aba00b4ae71700a470c2bf2ebfd01d3ad56442"

static const struct vector {
	uint64_t sequence;
	const char *mac;
} vectors[] = {
    {1, "bdce030fb82053cf214b92ccc047a1e3ea3d23a13896f3c6285bc3a59050b9a4"},
    {2, "b2d97804183349a99305fe619a91e25ee61c9804d61d449257b125d0730c3832"},
    {1024, "7bc526f1489b3999117421c3b033ffddf07534579f3556b6287135abeeeae525"},
    {1025, "3023f0dcba710a2599f61aaef2b755e43d18caa8a6908323bd9cd34282cd708a"},
    {2049, "3b96f32a1840a2654a7e78f6a218f5ed4f7d13cc6004fd35b5dde1a6b3137e21"},
};

static void
first_key(uint8_t key[AUDIT_CHAIN_KEY_SIZE])
{
	for (size_t i = 0; i < AUDIT_CHAIN_KEY_SIZE; i++)
		key[i] = (uint8_t)i;
}

static void
start(struct audit_chain *chain)
{
	uint8_t key[AUDIT_CHAIN_KEY_SIZE];

	first_key(key);
	audit_chain_init(chain, key);
	explicit_bzero(key, sizeof(key));
}

static void
assert_hex(const uint8_t octets[32], const char *expected)
{
	char hex[AUDIT_CHAIN_HEX_SIZE];

	audit_chain_key_print(octets, hex);
	assert_string_equal(hex, expected);
}

static void
append(struct audit_chain *chain, uint64_t sequence, uint8_t mac[32])
{
	char message[32];
	int len =
	    snprintf(message, sizeof(message), "record %" PRIu64, sequence);

	audit_chain_next(chain, sequence, message, (size_t)len, mac);
}

static void
records_have_the_macs_that_others_compute(void **state)
{
	const struct vector *vector = vectors;
	struct audit_chain chain;
	uint8_t mac[AUDIT_CHAIN_MAC_SIZE];

	(void)state;
	start(&chain);
	for (uint64_t n = 1; n <= 2049; n++) {
		append(&chain, n, mac);
		if (n == 1025)
			assert_hex(chain.key, KEY_1);
		if (n == vector->sequence)
			assert_hex(mac, (vector++)->mac);
	}
	assert_ptr_equal(vector, vectors + ARRAY_COUNT(vectors));
	assert_hex(chain.key, KEY_2);
	assert_int_equal(chain.epoch, 2);
}

static void
an_epoch_has_1024_records(void **state)
{
	(void)state;
	assert_int_equal(audit_chain_epoch(1), 0);
	assert_int_equal(audit_chain_epoch(1024), 0);
	assert_int_equal(audit_chain_epoch(1025), 1);
	assert_int_equal(audit_chain_epoch(UINT64_MAX), UINT64_MAX / 1024);
}

static void
looking_ahead_changes_nothing(void **state)
{
	struct audit_chain chain, before;
	uint8_t mac[AUDIT_CHAIN_MAC_SIZE];

	(void)state;
	start(&chain);
	before = chain;
	audit_chain_mac(&chain, chain.mac, "record 1", 8, mac);
	assert_hex(mac, vectors[0].mac);
	assert_memory_equal(&chain, &before, sizeof(chain));
}

/* ---- nothing is left of a key */

/* More is address space that nobody has touched, as sanitizers have it. */
#define MAPPING_MAX ((size_t)256 << 20)

/* The octets are compared as they would be upside down: else the search would
 * find itself.  It looks between variables too, where a sanitizer lets nobody
 * look. */
__attribute__((no_sanitize("address", "undefined"))) static unsigned
count_in(const uint8_t *memory, size_t len, const uint8_t inverse[16])
{
	unsigned found = 0;

	for (size_t i = 0; i + 16 <= len; i++) {
		size_t same = 0;

		while (same < 16 && (memory[i + same] ^ inverse[same]) == 0xff)
			same++;
		found += same == 16;
	}
	return found;
}

/* How often the process has the octets in memory that can be written. */
static unsigned
count_in_memory(const uint8_t inverse[16])
{
	FILE *maps = fopen("/proc/self/maps", "re");
	uintptr_t begin, end;
	char mode[5], line[512];
	unsigned found = 0;

	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps) != NULL)
		if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %4s", &begin, &end,
			mode) == 3 &&
		    strncmp(mode, "rw", 2) == 0 && end - begin < MAPPING_MAX &&
		    strstr(line, "[v") == NULL)
			found += count_in(
			    (const uint8_t *)begin, end - begin, inverse);
	(void)fclose(maps);
	return found;
}

static void
keys_of_past_epochs_are_nowhere_in_memory(void **state)
{
	struct audit_chain *chain = malloc(sizeof(*chain));
	uint8_t inverse[16], mac[AUDIT_CHAIN_MAC_SIZE];

	(void)state;
	assert_non_null(chain);
	start(chain);
	append(chain, 1025, mac);
	for (size_t i = 0; i < sizeof(inverse); i++)
		inverse[i] = chain->key[i] ^ 0xff;
	/* The search finds what is there. */
	assert_true(count_in_memory(inverse) >= 1);
	append(chain, 2049, mac);
	assert_int_equal(count_in_memory(inverse), 0);
	for (size_t i = 0; i < sizeof(inverse); i++)
		inverse[i] = chain->key[i] ^ 0xff;
	audit_chain_wipe(chain);
	assert_int_equal(count_in_memory(inverse), 0);
	free(chain);
}

/* ---- the key file */

static int
open_folder(char path[32])
{
	int fd;

	(void)snprintf(path, 32, "/tmp/test_chain.XXXXXX");
	assert_non_null(mkdtemp(path));
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static void
close_folder(int folder, const char *path)
{
	if (unlinkat(folder, AUDIT_CHAIN_KEY_FILE, 0) < 0)
		assert_int_equal(errno, ENOENT);
	(void)close(folder);
	assert_int_equal(rmdir(path), 0);
}

static void
put(int folder, const char *name, const char *text)
{
	int fd = openat(folder, name, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	(void)close(fd);
}

static void
the_key_file_reads_back(void **state)
{
	struct audit_chain chain, again;
	struct stat status;
	char path[32];
	int folder = open_folder(path);

	(void)state;
	start(&chain);
	assert_int_equal(audit_chain_key_read(folder, &again), -ENOENT);
	assert_int_equal(audit_chain_key_write(folder, &chain), 0);
	audit_chain_turn(&chain, 2);
	/* A crash has left this one. */
	put(folder, AUDIT_CHAIN_KEY_FILE ".new", "epoch");
	assert_int_equal(audit_chain_key_write(folder, &chain), 0);
	assert_int_equal(audit_chain_key_read(folder, &again), 0);
	assert_int_equal(again.epoch, 2);
	assert_hex(again.key, KEY_2);
	assert_int_equal(fstatat(folder, AUDIT_CHAIN_KEY_FILE, &status, 0), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	assert_int_equal(
	    faccessat(folder, AUDIT_CHAIN_KEY_FILE ".new", F_OK, 0), -1);
	close_folder(folder, path);
}

static void
a_key_file_that_cannot_be_replaced_stays(void **state)
{
	struct audit_chain chain, again;
	char path[32];
	int folder = open_folder(path);

	(void)state;
	start(&chain);
	assert_int_equal(audit_chain_key_write(folder, &chain), 0);
	assert_int_equal(mkdirat(folder, AUDIT_CHAIN_KEY_FILE ".new", 0700), 0);
	audit_chain_turn(&chain, 1);
	assert_true(audit_chain_key_write(folder, &chain) < 0);
	assert_int_equal(audit_chain_key_read(folder, &again), 0);
	assert_int_equal(again.epoch, 0);
	assert_int_equal(
	    unlinkat(folder, AUDIT_CHAIN_KEY_FILE ".new", AT_REMOVEDIR), 0);
	close_folder(folder, path);
}

static void
what_is_no_key_file_is_refused(void **state)
{
	static const char *const texts[] = {
	    "",
	    "epoch 0\n",
	    "epoch 0\nkey " KEY_1,
	    "epoch 0\nkey " KEY_1 "\n\n",
	    "epoch 0\nkey " KEY_1 "0\n",
	    "epoch 00\nkey " KEY_1 "\n",
	    "epoch -1\nkey " KEY_1 "\n",
	    "epoch 18446744073709551615\nkey " KEY_1 "\n",
	    "key " KEY_1 "\nepoch 0\n",
	    "epoch 0\nkey 0\n",
	    "epoch 0\nkey 0C8087f22522a02699d92ee2d1aba00b"
	    "4ae71700a470c2bf2ebfd01d3ad56442\n",
	    "epoch 0\nkey " KEY_1 "\nepoch 0\nkey " KEY_1 "\n" KEY_1,
	};
	struct audit_chain chain;
	char path[32];
	int folder = open_folder(path);

	(void)state;
	put(folder, AUDIT_CHAIN_KEY_FILE, "epoch 18\nkey " KEY_1 "\n");
	assert_int_equal(audit_chain_key_read(folder, &chain), 0);
	for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
		put(folder, AUDIT_CHAIN_KEY_FILE, texts[i]);
		assert_int_equal(
		    audit_chain_key_read(folder, &chain), -EBADMSG);
	}
	assert_int_equal(unlinkat(folder, AUDIT_CHAIN_KEY_FILE, 0), 0);
	assert_int_equal(
	    symlinkat("/dev/zero", folder, AUDIT_CHAIN_KEY_FILE), 0);
	assert_int_equal(audit_chain_key_read(folder, &chain), -ELOOP);
	close_folder(folder, path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(keys_of_past_epochs_are_nowhere_in_memory),
	    cmocka_unit_test(records_have_the_macs_that_others_compute),
	    cmocka_unit_test(an_epoch_has_1024_records),
	    cmocka_unit_test(looking_ahead_changes_nothing),
	    cmocka_unit_test(the_key_file_reads_back),
	    cmocka_unit_test(a_key_file_that_cannot_be_replaced_stays),
	    cmocka_unit_test(what_is_no_key_file_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
