/* SPDX-License-Identifier: ISC */
/*
 * What a server tells of its changes by itself: by content synchronisation
 * (RFC 4533) or, from Active Directory, by change notification.
 *
 * A feed says that something below a base has changed, and not what: who
 * wants to know reads it again.  So a feed has no copy of the directory that
 * could come to differ from it.
 */
#ifndef POLICY_LDAP_FEED_H
#define POLICY_LDAP_FEED_H

#include <stdbool.h>
#include <stddef.h>

#include <ldap.h>

#include "base/compiler.h"

#define FEED_HOW_SIZE 512

enum feed_topic { FEED_RULES, FEED_USERS, FEED_GROUPS };
#define FEED_TOPICS	  3
#define FEED_TOPIC(topic) (1U << (topic))
#define FEED_SUBJECTS	  (FEED_TOPIC(FEED_USERS) | FEED_TOPIC(FEED_GROUPS))

enum feed_way {
	FEED_AUTO,     /* what the root DSE offers */
	FEED_SYNCREPL, /* RFC 4533, whatever it offers */
	FEED_NOTIFY,   /* 1.2.840.113556.1.4.528, whatever it offers */
	FEED_NONE
};

struct feed_settings {
	enum feed_way way;
	const char *bases[FEED_TOPICS]; /* "": is not followed */
	/* Of users and groups: a change of any other is none.  NULL ends. */
	char *const *attributes;
	unsigned timeout_s; /* for each answer */
};

struct feed;

/*
 * Asks to be told; the connection is borrowed.  0, and a feed; or an LDAP
 * result code (see directory_error), and none, which may mean that the
 * connection is lost.  `how` says in plain words what is followed and by
 * what, or why nothing is.  What changed before it returns is not told: read
 * everything once more.
 */
int feed_open(struct feed **feed, LDAP *ld,
    const struct feed_settings *settings, char how[FEED_HOW_SIZE]) must_check;
void feed_close(struct feed *feed); /* NULL is fine */

/* A feed that has just been opened may have to send all entries first.  Until
 * it has, changes are told late. */
bool feed_is_settled(const struct feed *feed);

/* What is followed, and what is not, and why; once it is settled. */
void feed_describe(const struct feed *feed, char how[FEED_HOW_SIZE]);

/*
 * Asks the server whether it is there.  Active Directory tells only who may
 * see its deleted objects of a deletion, so there *changed gets the rules
 * whenever anything at all has changed.  0, or a code as feed_wait's; a
 * refusal is an answer.
 */
int feed_ask(struct feed *feed, unsigned *changed) must_check;

/* How often to ask, at least. */
unsigned feed_pulse_ms(const struct feed *feed);

/*
 * Waits for what the server says, no longer than that.  *changed gets the
 * topics (FEED_TOPIC) below whose bases something may have changed; a topic
 * that has settled is one of them.  0; or an LDAP result code (see
 * directory_error) after which nothing more comes, for one of the topics at
 * least: open it again.
 */
int
feed_wait(struct feed *feed, unsigned timeout_ms, unsigned *changed) must_check;

#endif
