/* SPDX-License-Identifier: ISC */
/* Where a subject's groups come from: how each was found, and through which
 * other one. */
#ifndef POLICY_PROVENANCE_H
#define POLICY_PROVENANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

/* What says that somebody is in a group. */
enum origin {
	ORIGIN_FILTER,	 /* directory.group_filter, in a way of its own */
	ORIGIN_IN_CHAIN, /* the server, which follows groups by itself */
	ORIGIN_MEMBER,	 /* the group's member */
	ORIGIN_UNIQUE_MEMBER,
	ORIGIN_MEMBER_UID,
	ORIGIN_MEMBER_OF, /* the member's own memberOf */
	ORIGIN_PRIMARY_GROUP,
	ORIGIN_COUNT
};

/* member, uniqueMember, memberUid, memberOf, primaryGroup, inChain, filter. */
const char *origin_print(enum origin origin);
/* False if it is none of them. */
bool origin_parse(const char *text, enum origin *origin) must_check;

/* Not through a group: the user itself is the member. */
#define FINDING_DIRECT UINT32_MAX

struct finding {
	char *group; /* normalised */
	enum origin origin;
	/* The index of the group that is a member of this one, which was found
	 * before it; or FINDING_DIRECT. */
	uint32_t through;
};

/* In the order in which they were found, each group once: by the shortest way
 * to it. */
struct provenance {
	size_t count;
	struct finding *findings;
};

struct provenance *provenance_new(void) must_check;  /* NULL without memory */
void provenance_free(struct provenance *provenance); /* NULL is fine */
/* Normalises.  0; -EINVAL if dn is not a DN, or `through` is not the index of
 * one that is there; or -ENOMEM. */
int provenance_add(struct provenance *provenance, const char *dn,
    enum origin origin, uint32_t through) must_check;

#endif
