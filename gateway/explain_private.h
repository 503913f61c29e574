/* SPDX-License-Identifier: ISC */
/* What control_explain.c, explain_rules.c and explain_say.c share. */
#ifndef GATEWAY_EXPLAIN_PRIVATE_H
#define GATEWAY_EXPLAIN_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "gateway/control_who.h"
#include "gateway/explain_question.h"
#include "policy/judge.h"
#include "relay/resolver.h"

struct control_call;
struct rule;

/* One address that is judged, and how the rules were asked about it. */
struct explain_address {
	/* ADDRESS_NONE: the name itself, where nothing is resolved. */
	struct address address;
	struct verdict verdict; /* of judge_address, or by name */
	bool is_over;		/* a rule has decided */
	/* The question does not say where the client is, and a rule that
	 * would have decided before does. */
	bool might_permit, might_deny;
};

/* What one rule has to do with one address. */
enum explain_part {
	PART_NOT_ASKED, /* another had decided */
	PART_FAILS,
	PART_NEEDS_ADDRESS, /* and none was resolved */
	PART_NEEDS_CLIENT,  /* and the question does not say where it is */
	PART_REPORTS,
	PART_CLOSED,
	PART_UNKNOWN, /* this and what follows decides */
	PART_DENIES,
	PART_PERMITS
};

struct explain_bearing {
	enum explain_part part;
	const char *failed; /* the attribute that does not fit, or NULL */
};

enum explain_step { STEP_MARK_GROUPS, STEP_GROUPS, STEP_RULES, STEP_END };

struct explain {
	struct control_call *call;
	struct settings *settings; /* references: what was in force */
	struct ruleset *rules;
	struct own_addresses own; /* copies */
	struct explain_question question;
	struct request request;

	/* What has become known, in this order. */
	bool needs_subject;
	enum reason subject_reason;
	struct control_who who;
	const struct subject *subject; /* who's */
	struct judge_context context;
	bool is_stale;
	bool is_resolved; /* a name, or tried in vain: */
	enum reason resolution_reason;
	size_t count;
	struct explain_address addresses[RESOLVER_ADDRESSES_MAX];
	struct verdict verdict; /* what a session would hear */

	/* In flight; NULL: nothing of that kind. */
	struct control_who_question *lookup;
	struct resolution *resolution;

	/* While it is said. */
	enum explain_step step;
	size_t next;	  /* rule or group */
	bool *group_used; /* one for each of the subject's */
};

/* ---- explain_rules.c: how the rules were asked */

/* Are there rules to be asked, or was it denied whatever they say? */
bool explain_asks_rules(const struct explain *explain);
/* What the next rule has to do with each address, into `out`, which has room
 * for all of them; true if it was asked about any. */
bool explain_ask(struct explain *explain, const struct rule *rule,
    struct explain_bearing *out);
/* Would the answer be another one for some clients? */
bool explain_depends_on_client(const struct explain *explain);
/* Marks those of the subject's groups that the rule names. */
void explain_mark_groups(struct explain *explain, const struct rule *rule);

/* ---- explain_say.c: the lines */

void explain_say_question(struct explain *explain);
void explain_say_subject(struct explain *explain);
void explain_say_group(struct explain *explain, size_t i);
void explain_say_addresses(struct explain *explain);
void explain_say_rule(struct explain *explain, const struct rule *rule,
    const struct explain_bearing *bearings);
void explain_say_decision(struct explain *explain);

#endif
