/* SPDX-License-Identifier: ISC */
/*
 * How often passwords may be tried, counted before anybody is asked.
 *
 * PAM stacks and directories lock an account after a few wrong passwords.  If
 * every try went through, whoever can reach us could lock whom they please,
 * or guess without end.  So what fails is counted here, in three budgets:
 *
 *   pair     (name, source): what one source may get wrong about one name.
 *   name     what all sources together may get wrong about it, except those
 *            that are known for it: from which it was proved within the last
 *            30 days.
 *   source   what a source may get wrong about all names together.  Failing
 *            GSSAPI proofs count here too.
 *
 * A known source draws on its pair's budget alone, so that neither strangers
 * who attack the name nor others behind the same address who attack other
 * names keep it out.  A stranger needs all three.  The pair's budget must
 * refill more slowly than the name's: then one source by itself never uses
 * the name's up, and its owner gets in from any other address.  Many sources
 * together can; then only known ones get in, until it is over.  That is the
 * price of the other promise, that strangers never get more than the name's
 * budget through to the account.
 *
 * Only failures cost.  A try that is under way holds its place, since it may
 * fail; where only such stand in the way the next one waits for them, so that
 * a browser that opens thirty connections with the right password is slowed
 * and not refused.  A success forgives nothing: else whoever shares a source
 * with a user could guess again each time that user comes in.
 *
 * A source is an IPv4 address or the /64 of an IPv6 address.  Names that
 * differ in ASCII case only are one: so they are to many directories.
 *
 * What is refused changes nothing, so a table entry costs a try that was let
 * through.  The tables have a fixed size (auth/buckets.h).  All of it is in
 * memory: a restart forgets.
 *
 * Shared by all threads, behind one lock.
 */
#ifndef AUTH_THROTTLE_H
#define AUTH_THROTTLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/buckets.h"
#include "base/address.h"

struct throttle;

/* Given with each call: a reload counts at once. */
struct throttle_budgets {
	struct budget pair, name, source;
};

/* One try, from throttle_attempt on; nothing in it is for others. */
struct throttle_attempt {
	uint64_t pair, name, source; /* keys */
	bool is_known;
	bool is_under_way;
};

enum throttle_verdict {
	THROTTLE_GO,   /* ask; throttle_end must follow */
	THROTTLE_WAIT, /* come again soon */
	THROTTLE_REFUSE
};

enum throttle_outcome {
	THROTTLE_PROVED,
	THROTTLE_FAILED, /* or nobody knows whether it counted */
	THROTTLE_UNASKED
};

/* NULL when there is no memory. */
struct throttle *throttle_new(void) must_check;
void throttle_free(struct throttle *throttle);

/* Who tries, and from where. */
struct throttle_attempt throttle_attempt(const struct throttle *throttle,
    const void *name, size_t len, const struct address *source);

enum throttle_verdict throttle_begin(struct throttle *throttle,
    const struct throttle_budgets *budgets,
    struct throttle_attempt *attempt) must_check;

/* Nothing if the attempt is not under way. */
void
throttle_end(struct throttle *throttle, const struct throttle_budgets *budgets,
    struct throttle_attempt *attempt, enum throttle_outcome outcome);

/* Failures of the pair or of the source, whichever are more, that count
 * still: by them the next failure is slower.  Also where the source is known
 * for the name: that some failed faster would tell which names those are. */
uint32_t throttle_failures(struct throttle *throttle,
    const struct throttle_budgets *budgets,
    const struct throttle_attempt *attempt);

/* A proof of another kind has failed. */
void throttle_blame(struct throttle *throttle,
    const struct throttle_budgets *budgets, const struct address *source);

#endif
