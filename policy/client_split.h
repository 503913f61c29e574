/* SPDX-License-Identifier: ISC */
/*
 * Which clients get what, where rules name networks of clients: for each of up
 * to sixteen addresses the first rule that has the client decides.
 */
#ifndef POLICY_CLIENT_SPLIT_H
#define POLICY_CLIENT_SPLIT_H

#include <stddef.h>
#include <stdint.h>

#include "base/address.h"

/* Networks that are told apart. */
#define CLIENT_SPLIT_MAX 256

struct client_split {
	size_t count;
	struct {
		struct network network;
		uint16_t decided, permitted; /* a bit for each address */
	} parts[CLIENT_SPLIT_MAX];	     /* in the order of their rules */
	uint16_t denied_to_some, permitted_to_some;
	bool is_full; /* some network did not find room */
};

/* The next rule decides for its clients in `network` of the addresses in
 * `decided`, and permits those in `permitted`. */
void client_split_add(struct client_split *split, const struct network *network,
    uint16_t decided, uint16_t permitted);

/*
 * Is any address permitted to some clients while to others none is?  If not,
 * *permits says what it is for all of them.  `otherwise`: the addresses that
 * are permitted where no network decides.
 *
 * Once there were too many networks: true, unless it is plain that it is not.
 */
bool client_split_differs(
    const struct client_split *split, uint16_t otherwise, bool *permits);

#endif
