/* SPDX-License-Identifier: ISC */
/* SipHash-2-4: a hash under a secret key. */
#include "base/siphash.h"

struct state {
	uint64_t v[4];
};

static uint64_t
rotate(uint64_t value, unsigned by)
{
	return value << by | value >> (64 - by);
}

/* Up to eight octets as a little-endian number. */
static uint64_t
load(const uint8_t *octets, size_t len)
{
	uint64_t value = 0;

	for (size_t i = 0; i < len; i++)
		value |= (uint64_t)octets[i] << (8 * i);
	return value;
}

static void
mix(struct state *state, unsigned rounds)
{
	uint64_t *v = state->v;

	while (rounds-- > 0) {
		v[0] += v[1];
		v[1] = rotate(v[1], 13) ^ v[0];
		v[0] = rotate(v[0], 32);
		v[2] += v[3];
		v[3] = rotate(v[3], 16) ^ v[2];
		v[0] += v[3];
		v[3] = rotate(v[3], 21) ^ v[0];
		v[2] += v[1];
		v[1] = rotate(v[1], 17) ^ v[2];
		v[2] = rotate(v[2], 32);
	}
}

static void
take(struct state *state, uint64_t word)
{
	state->v[3] ^= word;
	mix(state, 2);
	state->v[0] ^= word;
}

uint64_t
siphash(const uint8_t key[SIPHASH_KEY_SIZE], const void *data, size_t len)
{
	const uint64_t k0 = load(key, 8), k1 = load(key + 8, 8);
	const uint8_t *octets = data;
	struct state state = {{k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d,
	    k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573}};
	size_t whole = len - len % 8;

	for (size_t at = 0; at < whole; at += 8)
		take(&state, load(octets + at, 8));
	take(&state, (uint64_t)len << 56 | load(octets + whole, len % 8));
	state.v[2] ^= 0xff;
	mix(&state, 4);
	return state.v[0] ^ state.v[1] ^ state.v[2] ^ state.v[3];
}
