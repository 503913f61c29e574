/* SPDX-License-Identifier: ISC */
/*
 * A decision explained: what is decided of a request, and what each rule had
 * to do with each address, one rule after another.
 *
 * Pure, as the judge is whose answers these are.  The caller begins, resolves
 * the name if the verdict depends on it, has the addresses judged, and asks
 * the rules in their order.
 */
#ifndef POLICY_EXPLANATION_H
#define POLICY_EXPLANATION_H

#include "policy/client_split.h"
#include "policy/judge.h"

#define EXPLANATION_ADDRESSES_MAX 16

struct rule;

/* One address that is judged, and how the rules were asked about it. */
struct explanation_address {
	/* ADDRESS_NONE: the name itself, where nothing is resolved. */
	struct address address;
	struct verdict verdict; /* of judge_address, or by name */
	bool is_over;		/* a rule has decided */
};

struct explanation {
	struct judge_context context; /* what it holds is borrowed */
	/* As a session would ask; a client without an address may be
	 * anywhere. */
	struct request request;
	struct verdict verdict; /* what a session would hear */
	size_t count;
	struct explanation_address addresses[EXPLANATION_ADDRESSES_MAX];
	/* The question does not say where the client is: those for whom rules
	 * decide that would have been asked before. */
	struct client_split clients;
};

/* What one rule has to do with one address. */
enum explanation_part {
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

struct explanation_bearing {
	enum explanation_part part;
	const char *failed; /* the attribute that does not fit, or NULL */
};

/*
 * With context and request filled in and the rest zero: judges what can be
 * judged before a name is resolved, an association before its destinations.
 * If the verdict is DECISION_DEPENDS, the addresses are to be resolved and
 * handed to explanation_judge; else it is done, but for explanation_has_look.
 */
void explanation_begin(struct explanation *explanation);

/*
 * Is it denied by name, but perhaps for those clients only whom no rule names,
 * while the question does not say where the client is?  Then the rules are to
 * be looked at in their order until one says whether the addresses are needed.
 */
bool explanation_has_look(const struct explanation *explanation);

enum explanation_hint {
	HINT_NONE,    /* look at the next; behind the last: they are not */
	HINT_CLOSED,  /* they are not: it denies the name to everybody */
	HINT_RESOLVE, /* they are: it might permit one to its clients */
};

enum explanation_hint explanation_look(
    const struct explanation *explanation, const struct rule *rule);

/* The name has no address, for that reason; the rules are asked about the
 * name. */
void
explanation_unresolved(struct explanation *explanation, enum reason reason);

/* Judges the addresses that the name has, at most
 * EXPLANATION_ADDRESSES_MAX. */
void explanation_judge(struct explanation *explanation,
    const struct address *addresses, size_t count);

/* Of an association: datagrams go to that one of the addresses, whose verdict
 * is what is said. */
void explanation_lead(
    struct explanation *explanation, const struct address *address);

/* Are there rules to be asked, or was it denied whatever they say? */
bool explanation_asks_rules(const struct explanation *explanation);

/* What the next rule has to do with each address, into `out`, which has room
 * for all of them; true if it was asked about any. */
bool explanation_ask(struct explanation *explanation, const struct rule *rule,
    struct explanation_bearing *out);

/*
 * Once the rules have been asked: what is decided for every client that the
 * question may mean; DEPENDS if that differs, and then `verdict` is of those
 * whom no rule names.  If there are none of them, `verdict` becomes what holds
 * for one that is named.
 */
enum decision explanation_decide(struct explanation *explanation);

#endif
