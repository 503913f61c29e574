/* SPDX-License-Identifier: ISC */
/* A seal without cryptography, for unit tests. */
#include "tests/support/toy_seal.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/replay_window.h"
#include "base/rfc1961.h"
#include "base/socks5_udp.h"

/*
 * A token: 'T' 'O', protection, 0, a 64-bit sequence number, the plaintext
 * xor 0x55 (so that clear bytes on the wire show), a 32-bit sum.
 */
struct toy_seal {
	struct seal seal;
	uint64_t sent, received;
	bool is_datagram;
	struct replay_window window; /* of datagrams */
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

/* May the message pass, by its number? */
static enum reason
judge_number(const struct toy_seal *toy, uint64_t number)
{
	if (toy->is_datagram)
		return replay_window_may_pass(&toy->window, number)
			   ? REASON_OK
			   : REASON_GSS_REPLAY;
	if (number == toy->received)
		return REASON_OK;
	return number < toy->received ? REASON_GSS_REPLAY : REASON_GSS_ORDER;
}

static enum reason
toy_unwrap(struct seal *seal, uint8_t *token, size_t token_len, uint8_t **plain,
    size_t *plain_len)
{
	struct toy_seal *toy = (struct toy_seal *)seal;
	enum reason reason;
	uint64_t number;
	uint32_t check;

	if (token_len < TOY_SEAL_HEADER + TOY_SEAL_TRAILER)
		return REASON_GSS_DEFECTIVE;
	memcpy(&check, token + token_len - TOY_SEAL_TRAILER, 4);
	if (check != sum(token, token_len - TOY_SEAL_TRAILER))
		return REASON_GSS_DEFECTIVE;
	memcpy(&number, token + 4, 8);
	reason = judge_number(toy, number);
	if (reason != REASON_OK)
		return reason;
	if (toy->is_datagram)
		replay_window_commit(&toy->window, number);
	else
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

static enum reason
toy_into_datagram(struct seal *seal)
{
	struct toy_seal *toy = (struct toy_seal *)seal;

	must(!toy->is_datagram);
	toy->is_datagram = true;
	replay_window_init(&toy->window, toy->received);
	seal->plaintext_max = SOCKS5_UDP_DATAGRAM_MAX - RFC1961_HEADER -
			      TOY_SEAL_HEADER - TOY_SEAL_TRAILER;
	return REASON_OK;
}

static const struct seal_ops toy_ops = {
    toy_wrap, toy_unwrap, toy_free, toy_into_datagram};

struct seal *
toy_seal_new(enum protection protection)
{
	struct toy_seal *toy = calloc(1, sizeof(*toy));

	if (toy == NULL)
		abort();
	toy->seal.ops = &toy_ops;
	/* As the real one: whoever encapsulates has integrity at least. */
	toy->seal.protection =
	    protection == PROTECTION_NONE ? PROTECTION_INTEGRITY : protection;
	toy->seal.header = TOY_SEAL_HEADER;
	toy->seal.trailer = TOY_SEAL_TRAILER;
	toy->seal.plaintext_max = 65535 - TOY_SEAL_HEADER - TOY_SEAL_TRAILER;
	return &toy->seal;
}
