/* SPDX-License-Identifier: ISC */
/*
 * What gatewardenctl asks the daemon about users, entries, names, rules and
 * itself: one question each, over a connection to the control socket of its
 * own.  Blocks until the answer is whole, for a bounded time.
 *
 * Each returns 0; or one of <sysexits.h> and a sentence in `why`:
 * EX_UNAVAILABLE where the daemon is not there, or the directory did not say;
 * EX_NOPERM for who may not ask; EX_USAGE for what cannot be asked;
 * EX_PROTOCOL for an answer that makes no sense.
 */
#ifndef CTL_DAEMON_H
#define CTL_DAEMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/compiler.h"
#include "base/reason.h"

struct provenance;
struct subject;

#define DAEMON_WHY_SIZE	     1024
#define DAEMON_ADDRESSES_MAX 16

/* ---- who somebody is (subject WHO) */

struct daemon_subject {
	/* As sessions are judged by; without a DN if there is no such user. */
	struct subject *subject;
	/* Where its groups come from; NULL if it is from the cache. */
	struct provenance *provenance;
	/* The directory is silent, and this is what it said before ... */
	bool is_cached;
	char silence[DAEMON_WHY_SIZE]; /* ... because of this */
};

/* `who` is an identity, alice@EXAMPLE.COM.  daemon_subject_fini is due where
 * it returned 0. */
int daemon_ask_subject(const char *path, const char *who,
    struct daemon_subject *answer, char why[DAEMON_WHY_SIZE]) must_check;
void daemon_subject_fini(struct daemon_subject *answer);

/* ---- whether an entry is there (entry DN) */

/* *is_there: the directory has it, and shows it to the gateway. */
int daemon_ask_entry(const char *path, const char *dn, bool *is_there,
    char why[DAEMON_WHY_SIZE]) must_check;

/* ---- what a name resolves to (resolve NAME) */

struct daemon_name {
	enum reason reason; /* REASON_OK, or why there is no address */
	size_t count;
	struct address addresses[DAEMON_ADDRESSES_MAX];
};

/* By the gateway's resolver. */
int daemon_ask_name(const char *path, const char *name,
    struct daemon_name *answer, char why[DAEMON_WHY_SIZE]) must_check;

/* ---- rules (set [BASE]) */

/*
 * The set in force (base NULL), or what is below another base of the
 * directory now: *set as rule_set_stream.h has it, malloc'ed.
 */
int daemon_ask_set(const char *path, const char *base, uint8_t **set,
    size_t *len, char why[DAEMON_WHY_SIZE]) must_check;

/* ---- the gateway itself (facts) */

struct daemon_listener {
	char *name;
	struct address address; /* bound to */
	uint16_t port;
};

struct daemon_facts {
	uint64_t generation;  /* of the rules in force; 0: there are none */
	bool is_stale;	      /* nobody has confirmed them lately */
	bool checks_accounts; /* struct judge_context */
	size_t address_count, port_count; /* struct own_addresses */
	struct address *addresses;
	uint16_t *ports;
	size_t listener_count;
	struct daemon_listener *listeners;
	/* Realms that the settings name: kerberos.realms, password.realm, those
	 * of directory.realms.  The keytab's own are not among them. */
	size_t realm_count;
	char **realms;
};

/* daemon_facts_fini is due where it returned 0. */
int daemon_ask_facts(const char *path, struct daemon_facts *facts,
    char why[DAEMON_WHY_SIZE]) must_check;
void daemon_facts_fini(struct daemon_facts *facts);

#endif
