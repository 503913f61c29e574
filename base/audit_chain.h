/* SPDX-License-Identifier: ISC */
/*
 * The forward-secure chain of audit records: each record's MAC covers all
 * before it, and the key of yesterday is gone.
 *
 *	mac(n)   = HMAC-SHA256(key(epoch(n)), mac(n - 1) || message(n))
 *	mac(0)   = 32 octets of zero
 *	epoch(n) = (n - 1) / AUDIT_EPOCH_RECORDS
 *	key(e+1) = HMAC-SHA256(key(e), "gatewarden epoch")
 *
 * Who takes the host over has the key of the epoch that is running, and none
 * before it: he can write what he likes from there on, and change nothing
 * earlier unseen.
 *
 * A library of its own: only who links it links OpenSSL.
 */
#ifndef BASE_AUDIT_CHAIN_H
#define BASE_AUDIT_CHAIN_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

#define AUDIT_EPOCH_RECORDS  1024
#define AUDIT_CHAIN_KEY_SIZE 32
#define AUDIT_CHAIN_MAC_SIZE 32

struct audit_chain {
	uint64_t epoch; /* that of the key */
	uint8_t key[AUDIT_CHAIN_KEY_SIZE];
	uint8_t mac[AUDIT_CHAIN_MAC_SIZE]; /* of the last record */
};

/* Of a record; sequence numbers begin with 1. */
uint64_t audit_chain_epoch(uint64_t sequence) must_check;

/* Before the first record; k0 is copied, and the caller's to wipe. */
void audit_chain_init(
    struct audit_chain *chain, const uint8_t k0[AUDIT_CHAIN_KEY_SIZE]);

/* Turns the key on to that epoch, which is not before its own; the old keys
 * are overwritten.  Takes time for each epoch on the way. */
void audit_chain_turn(struct audit_chain *chain, uint64_t epoch);

/* The MAC of a message behind the record whose MAC is `before`, by the key as
 * it is. */
void audit_chain_mac(const struct audit_chain *chain,
    const uint8_t before[AUDIT_CHAIN_MAC_SIZE], const void *message, size_t len,
    uint8_t mac[AUDIT_CHAIN_MAC_SIZE]);

/* The next record: turns the key to its epoch first, and keeps its MAC for
 * the one behind it. */
void audit_chain_next(struct audit_chain *chain, uint64_t sequence,
    const void *message, size_t len, uint8_t mac[AUDIT_CHAIN_MAC_SIZE]);

void audit_chain_wipe(struct audit_chain *chain);

#endif
