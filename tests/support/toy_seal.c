/* SPDX-License-Identifier: ISC */
/* A seal without cryptography, for unit tests. */
#include "tests/support/toy_seal.h"

#include <stdlib.h>
#include <string.h>

/*
 * A token: 'T' 'O', protection, 0, a 64-bit sequence number, the plaintext
 * xor 0x55 (so that clear bytes on the wire show), a 32-bit sum.
 */
struct toy_seal {
	struct seal seal;
	uint64_t sent, received;
};

static uint32_t
sum(const uint8_t *data, size_t len)
{
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ data[i]) * 16777619u;
	return hash;
}

static enum reason
toy_wrap(struct seal *seal, uint8_t *token, size_t plain_len, size_t *token_len)
{
	struct toy_seal *toy = (struct toy_seal *)seal;
	size_t covered = TOY_SEAL_HEADER + plain_len;
	uint32_t check;

	memcpy(token, "TO", 2);
	token[2] = (uint8_t)seal->protection;
	token[3] = 0;
	memcpy(token + 4, &toy->sent, 8);
	toy->sent++;
	for (size_t i = TOY_SEAL_HEADER; i < covered; i++)
		token[i] ^= 0x55;
	check = sum(token, covered);
	memcpy(token + covered, &check, 4);
	*token_len = covered + TOY_SEAL_TRAILER;
	return REASON_OK;
}

static enum reason
toy_unwrap(struct seal *seal, uint8_t *token, size_t token_len, uint8_t **plain,
    size_t *plain_len)
{
	struct toy_seal *toy = (struct toy_seal *)seal;
	uint64_t number;
	uint32_t check;

	if (token_len < TOY_SEAL_HEADER + TOY_SEAL_TRAILER)
		return REASON_GSS_DEFECTIVE;
	memcpy(&check, token + token_len - TOY_SEAL_TRAILER, 4);
	if (check != sum(token, token_len - TOY_SEAL_TRAILER))
		return REASON_GSS_DEFECTIVE;
	memcpy(&number, token + 4, 8);
	if (number < toy->received)
		return REASON_GSS_REPLAY;
	if (number > toy->received)
		return REASON_GSS_ORDER;
	toy->received++;
	if (seal->protection == PROTECTION_CONFIDENTIALITY &&
	    token[2] != PROTECTION_CONFIDENTIALITY)
		return REASON_GSS_CONFIDENTIALITY;
	*plain = token + TOY_SEAL_HEADER;
	*plain_len = token_len - TOY_SEAL_HEADER - TOY_SEAL_TRAILER;
	for (size_t i = 0; i < *plain_len; i++)
		(*plain)[i] ^= 0x55;
	return REASON_OK;
}

static void
toy_free(struct seal *seal)
{
	free((struct toy_seal *)seal);
}

static const struct seal_ops toy_ops = {toy_wrap, toy_unwrap, toy_free};

struct seal *
toy_seal_new(enum protection protection)
{
	struct toy_seal *toy = calloc(1, sizeof(*toy));

	if (toy == NULL)
		abort();
	toy->seal.ops = &toy_ops;
	toy->seal.protection = protection;
	toy->seal.header = TOY_SEAL_HEADER;
	toy->seal.trailer = TOY_SEAL_TRAILER;
	toy->seal.plaintext_max = 65535 - TOY_SEAL_HEADER - TOY_SEAL_TRAILER;
	return &toy->seal;
}
