/* SPDX-License-Identifier: ISC */
/* What a successful negotiation yields: who, and the seal for what follows. */
#ifndef AUTH_PROOF_H
#define AUTH_PROOF_H

#include "base/identity.h"
#include "base/protection.h"

struct seal;

struct proof {
	struct identity identity;
	enum protection protection; /* as granted */
	/*
	 * The callee's to free.  With protection none it is there too, of
	 * the level that the client had asked for and integrity at least: a
	 * client that encapsulates all the same keeps to its wish (field
	 * clients do both), and then its protection is the seal's.
	 */
	struct seal *seal;
	bool has_sequence; /* gaps in the client's messages can be seen */
};

#endif
