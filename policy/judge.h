/* SPDX-License-Identifier: ISC */
/*
 * MAY THEY?  The one place that decides, the same for sessions and for
 * explain.
 *
 * Pure: no I/O, no clock, no libevent.  Rules are asked in their order; each
 * candidate address is judged as (name, address); the first rule of which
 * every attribute matches decides; no match denies.
 */
#ifndef POLICY_JUDGE_H
#define POLICY_JUDGE_H

#include "base/reason.h"
#include "base/request.h"

struct rule;
struct rule_limits;
struct ruleset;
struct subject;

enum decision {
	DECISION_DENY,
	DECISION_PERMIT,
	DECISION_DEPENDS /* on the address: resolve, then judge each */
};

/* What points into the rule set is borrowed from it. */
struct verdict {
	enum decision decision;
	enum reason reason; /* REASON_OK if permitted */
	/* The deciding rule's name; "" if none. */
	const char *rule;
	const struct rule_limits *limits; /* of a permission, else NULL */
	/* The first moment at which the passing of time alone could change
	 * it, by the wall clock; UINT64_MAX: never. */
	uint64_t valid_until_us;
	/* The first rule that would have decided but only reports (its dry
	 * run), and how; "" if none. */
	const char *reported;
	bool would_permit;
};

/* Addresses that no name and no `*` may reach: the gateway's own.  At the ports
 * that it listens on nobody may reach it, whatever the rules say. */
struct own_addresses {
	size_t count;
	const struct address *addresses; /* borrowed */
	size_t port_count;
	const uint16_t *ports; /* borrowed */
};

struct judge_context {
	const struct ruleset *rules; /* NULL: policy_unavailable */
	/* NULL: the directory did not say; a rule that would match but for
	 * its gwUser or gwGroup then denies (directory_unavailable). */
	const struct subject *subject;
	/* Accounts are looked at too: nothing is permitted while the
	 * directory did not say whose is good. */
	bool checks_accounts;
	const struct own_addresses *own;
};

/*
 * Judges by name, before any DNS query.  DENY if every possible address
 * would be denied; PERMIT only if the destination is an address (then it was
 * judged); DEPENDS otherwise.
 */
struct verdict judge_request(
    const struct judge_context *context, const struct request *request);

/* Judges (name, address).  DENY or PERMIT. */
struct verdict judge_address(const struct judge_context *context,
    const struct request *request, const struct address *address);

/*
 * Judges each address of a name and keeps those that are permitted, for which
 * `permitted` has room.  Returns the first permission; else the first denial.
 */
struct verdict judge_addresses(const struct judge_context *context,
    const struct request *request, const struct address *addresses,
    size_t count, struct address *permitted, size_t *permitted_count);

/* What one rule, asked for itself, says of (name, address). */
enum bearing_kind {
	BEARING_FAILS, /* it does not match: `failed` says why */
	BEARING_REPORTS,
	BEARING_UNKNOWN, /* it would match but for what the directory did not
			  * say, and denies */
	BEARING_DENIES,
	BEARING_PERMITS,
	BEARING_CLOSED /* it permits, but not this address: special, or
			* carried inside another */
};

struct bearing {
	enum bearing_kind kind;
	const char *failed; /* the first attribute that does not fit */
};

/* For explaining; the same code that judges. */
struct bearing
judge_rule(const struct judge_context *context, const struct request *request,
    const struct address *address, const struct rule *rule);

/*
 * Judges a command whose destinations become known later, one by one (UDP
 * ASSOCIATE); the request's destination is not looked at.  PERMIT, with the
 * first rule that permits some destination, unless a denial of every
 * destination comes before it; then each destination is judged by itself and
 * may still be denied.  DENY only if every destination would be denied.
 */
struct verdict judge_command(
    const struct judge_context *context, const struct request *request);

/* Does it lead to a listener of the gateway's own?  Nobody may go there. */
bool judge_leads_back(const struct judge_context *context,
    const struct address *address, uint16_t port);

/*
 * True for loopback, link-local, cloud-metadata, multicast, unspecified,
 * reserved and the gateway's own addresses, and for IPv6 addresses that
 * embed such an IPv4 one.
 */
bool judge_is_special(
    const struct address *address, const struct own_addresses *own);

#endif
