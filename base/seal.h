/* SPDX-License-Identifier: ISC */
/*
 * The seal turns plaintext into protected messages and back, in place.
 *
 * auth/ makes one out of an established GSS context; relay/ and the
 * negotiation use any seal without knowing where it came from.  A seal
 * belongs to one thread at a time.  It deals in tokens; the four octets in
 * front of them on the wire are base/rfc1961's.  It begins as the seal of a
 * stream and may become one of datagrams.
 */
#ifndef BASE_SEAL_H
#define BASE_SEAL_H

#include <stdint.h>

#include "base/compiler.h"
#include "base/protection.h"
#include "base/reason.h"

struct seal;

struct seal_ops {
	enum reason (*wrap)(struct seal *seal, uint8_t *token, size_t plain_len,
	    size_t *token_len);
	enum reason (*unwrap)(struct seal *seal, uint8_t *token,
	    size_t token_len, uint8_t **plain, size_t *plain_len);
	void (*free)(struct seal *seal);
	enum reason (*into_datagram)(struct seal *seal);
};

/* Made by who implements the ops; others read it only. */
struct seal {
	const struct seal_ops *ops;
	enum protection protection; /* as agreed */
	size_t header;	/* octets of a token in front of its plaintext */
	size_t trailer; /* ... and behind it */
	/* The most that fits a token of 65535 octets; of a seal of datagrams,
	 * one that fits a UDP datagram. */
	size_t plaintext_max;
};

/*
 * Seals token[header .. header + plain_len) in place; token must have
 * header + plain_len + trailer octets, plain_len at most plaintext_max.
 * *token_len octets from token on are the message.  REASON_OK or why not;
 * then the contents of token are undefined and must not be sent.
 */
enum reason seal_wrap(struct seal *seal, uint8_t *token, size_t plain_len,
    size_t *token_len) must_check;

/*
 * Opens a token in place; *plain points into it.  REASON_OK only for a
 * message that is whole, of the agreed protection, and (of a stream) the next
 * in order;
 * else the reason (gss_replay, gss_order, gss_defective,
 * gss_confidentiality ...), and nothing of it may be believed or passed on.
 * Exactly GSS_S_COMPLETE counts; at level 2 confidentiality is required.
 */
enum reason seal_unwrap(struct seal *seal, uint8_t *token, size_t token_len,
    uint8_t **plain, size_t *plain_len) must_check;

/*
 * Once what had to be said on TCP is said: from here on each message is a
 * datagram, which may be lost, repeated or reordered on its way.  Whatever is
 * genuine, of the agreed protection and not too old then opens, and opens
 * once; REASON_GSS_REPLAY is one that did so before (on TCP too) or could
 * have.  No failure changes what the next message meets.  Sizes stay but for
 * plaintext_max.  REASON_GSS_FLAGS if the context is one that cannot tell a
 * replay, REASON_NO_MEMORY; then the seal is as it was.
 */
enum reason seal_into_datagram(struct seal *seal) must_check;

/* Wipes and frees; NULL is fine. */
void seal_free(struct seal *seal);

#endif
