/* SPDX-License-Identifier: ISC */
/*
 * What gatewardenctl asks the gateway about users, entries, names, rules and
 * itself: one question each, over a connection of its own.
 *
 * Each blocks until the answer is whole (CLIENT_SILENCE_MS), and returns as
 * client_ask does: anything but OUTCOME_OK was said on standard error, and
 * nothing is in the answer then.
 */
#ifndef CTL_DAEMON_H
#define CTL_DAEMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/compiler.h"
#include "base/reason.h"
#include "ctl/outcome.h"

struct subject;

#define DAEMON_ADDRESSES_MAX 16
#define DAEMON_SILENCE_SIZE  1024

/* ---- who somebody is (subject) */

struct daemon_subject {
	/* As sessions are judged by; without a DN if there is no such user. */
	struct subject *subject;
	/* Why it is from the gateway's cache, the directory being silent; else
	 * "". */
	char silence[DAEMON_SILENCE_SIZE];
};

/* `who` is an identity, alice@EXAMPLE.COM.  OUTCOME_UNAVAILABLE too where
 * nothing is known of it while the directory is silent. */
enum outcome daemon_ask_subject(const char *socket, const char *who,
    struct daemon_subject *answer) must_check;
void daemon_subject_fini(struct daemon_subject *answer);

/* ---- whether an entry is there (entry) */

enum daemon_entry {
	DAEMON_ENTRY_THERE,
	DAEMON_ENTRY_MISSING, /* or the gateway may not see it */
	DAEMON_ENTRY_UNKNOWN  /* the directory did not say, or it is no DN */
};

/* `silence`: why it is unknown; else "". */
enum outcome daemon_ask_entry(const char *socket, const char *dn,
    enum daemon_entry *entry, char silence[DAEMON_SILENCE_SIZE]) must_check;

/* ---- what a name resolves to (resolve) */

struct daemon_name {
	enum reason reason; /* REASON_OK, or why there is no address */
	size_t count;
	struct address addresses[DAEMON_ADDRESSES_MAX];
};

/* By the gateway's resolver.  OUTCOME_DATA for what is no host's name. */
enum outcome daemon_ask_name(const char *socket, const char *name,
    struct daemon_name *answer) must_check;

/* ---- rules (set) */

/*
 * The set in force (base NULL), or what is below another base of the
 * directory now: *set as rule_set_stream.h has it, malloc'ed.
 */
enum outcome daemon_ask_set(const char *socket, const char *base, uint8_t **set,
    size_t *len) must_check;

/* ---- the gateway itself (facts) */

struct daemon_listener {
	char *name;
	struct address address; /* bound to */
	uint16_t port;
};

struct daemon_facts {
	bool checks_accounts; /* struct judge_context */
	bool has_directory;   /* where users can be looked up */
	bool allow_empty;     /* a set without any rule is taken */
	/* struct own_addresses */
	size_t address_count;
	struct address *addresses;
	size_t port_count;
	uint16_t *ports;
	size_t listener_count;
	struct daemon_listener *listeners;
	/* Realms that the settings name: kerberos.realms, password.realm, those
	 * of directory.realms.  The keytab's own are not among them. */
	size_t realm_count;
	char **realms;
};

enum outcome
daemon_ask_facts(const char *socket, struct daemon_facts *facts) must_check;
void daemon_facts_fini(struct daemon_facts *facts);

#endif
