/* SPDX-License-Identifier: ISC */
/*
 * What can be said against rules that are good: that they can never match,
 * that their time is over ...
 *
 * Pure: no I/O, no clock, no libevent.
 */
#ifndef POLICY_LINT_H
#define POLICY_LINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct own_addresses;
struct rule;
struct ruleset;
struct target_set;

enum lint_kind {
#define L(enumerator, name, is_mistake, sentence) LINT_##enumerator,
#include "policy/lint.def"
#undef L
	LINT_COUNT
};

const char *lint_name(enum lint_kind kind);
/* Else it is only worth knowing. */
bool lint_is_mistake(enum lint_kind kind);
const char *lint_sentence(enum lint_kind kind);

#define LINT_BY_MAX 4

/* All borrowed from the rule set. */
struct lint_finding {
	enum lint_kind kind;
	const struct rule *rule;      /* NULL: it is about the set alone */
	const struct target_set *set; /* or NULL */
	/* The rules that take everything from it; there may be more of them
	 * than are named. */
	size_t by_count;
	const struct rule *by[LINT_BY_MAX];
};

typedef void lint_fn(void *arg, const struct lint_finding *finding);

struct lint_facts {
	int64_t now;			 /* seconds since 1970 */
	const struct own_addresses *own; /* borrowed; NULL: not known */
};

enum lint_outcome {
	LINT_DONE,
	LINT_CUT_SHORT, /* some rules were not compared with all before them */
	LINT_NO_MEMORY	/* nothing was found out */
};

/*
 * Tells of each finding, by the order of the rules; first what is wrong with
 * the enabled ones, then the disabled, then the sets.
 *
 * A rule that is called shadowed decides and reports nothing, whatever is
 * asked, whenever; one that is called overtaken decides and reports nothing for
 * somebody who has proved who he is, about a destination whose address is
 * ordinary: neither special nor (in IPv6) able to carry an IPv4 address.  The
 * reverse is not promised: for each
 * subject and each destination of a rule one earlier rule is looked for.
 */
enum lint_outcome lint_rules(const struct ruleset *rules,
    const struct lint_facts *facts, lint_fn *tell, void *arg) must_check;

#endif
