/* SPDX-License-Identifier: ISC */
/* Where a subject's groups come from. */
#include "policy/provenance.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "policy/dn.h"

static const char *const names[ORIGIN_COUNT] = {
    [ORIGIN_FILTER] = "filter",
    [ORIGIN_IN_CHAIN] = "inChain",
    [ORIGIN_MEMBER] = "member",
    [ORIGIN_UNIQUE_MEMBER] = "uniqueMember",
    [ORIGIN_MEMBER_UID] = "memberUid",
    [ORIGIN_MEMBER_OF] = "memberOf",
    [ORIGIN_PRIMARY_GROUP] = "primaryGroup",
};

const char *
origin_print(enum origin origin)
{
	return names[origin];
}

bool
origin_parse(const char *text, enum origin *origin)
{
	for (size_t i = 0; i < ORIGIN_COUNT; i++) {
		if (strcmp(text, names[i]) == 0) {
			*origin = (enum origin)i;
			return true;
		}
	}
	return false;
}

struct provenance *
provenance_new(void)
{
	return calloc(1, sizeof(struct provenance));
}

void
provenance_free(struct provenance *provenance)
{
	if (provenance == NULL)
		return;
	for (size_t i = 0; i < provenance->count; i++)
		free(provenance->findings[i].group);
	free(provenance->findings);
	free(provenance);
}

int
provenance_add(struct provenance *provenance, const char *dn,
    enum origin origin, uint32_t through)
{
	struct finding *grown;
	char *group;

	if (through != FINDING_DIRECT && through >= provenance->count)
		return -EINVAL;
	group = dn_normalise(dn);
	if (group == NULL)
		return -errno;
	grown =
	    array_room(provenance->findings, provenance->count, sizeof(*grown));
	if (grown == NULL) {
		free(group);
		return -ENOMEM;
	}
	provenance->findings = grown;
	grown[provenance->count++] = (struct finding){
	    .group = group, .origin = origin, .through = through};
	return 0;
}
