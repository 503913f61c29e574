/* SPDX-License-Identifier: ISC */
/*
 * What the gateway asks of directory-lookup, and its answer: one name, and
 * the DN and groups of whom it belongs to; for who wants to know why, also
 * where the groups come from, and whether an entry is there.
 */
#ifndef POLICY_LOOKUP_PROTOCOL_H
#define POLICY_LOOKUP_PROTOCOL_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct provenance;
struct subject;

enum lookup_type {
	/* gateway to lookup, a question */
	LOOKUP_NAME = 1, /* u32: a number for LOOKUP_GROUPS; string: whose */
	/* lookup to gateway, with the question's id */
	LOOKUP_SUBJECT, /* lookup_subject_encode */
	LOOKUP_NOBODY,	/* the directory has no such user, and need not */
	LOOKUP_FAILED,	/* string: why the directory did not say */
	/* lookup to gateway, ahead of a LOOKUP_SUBJECT that would be too long
	 */
	LOOKUP_GROUPS, /* lookup_groups_encode */

	/* gateway to lookup, a question as LOOKUP_NAME: where do they come
	 * from?  The answer is the same, but that all groups went ahead, in
	 * findings. */
	LOOKUP_EXPLAIN,
	LOOKUP_FINDINGS, /* lookup_findings_encode */

	/* gateway to lookup, a question; string: a DN */
	LOOKUP_ENTRY,
	/* the answer, or LOOKUP_FAILED */
	LOOKUP_THERE,
	LOOKUP_MISSING, /* or we may not see it */

	/* gateway to lookup, a question, and its answer: are you there? */
	LOOKUP_PROBE,
	LOOKUP_ALIVE
};

#define LOOKUP_DN_MAX 8192 /* octets of one DN */
/* A message takes a loop no longer than some milliseconds. */
#define LOOKUP_MESSAGE_MAX (32 * 1024)
#define LOOKUP_GROUPS_MAX  65536 /* of one subject: directory.groups_max */

/* The subject with its groups from the index `first` on; those before it went
 * ahead.  *data is malloc'ed.  0, -ENOMEM, or -EMSGSIZE when it is more than
 * LOOKUP_MESSAGE_MAX: send groups ahead. */
int lookup_subject_encode(const struct subject *subject, size_t first,
    uint8_t **data, size_t *len) must_check;

/* As many groups from the index *first on as fit, which moves on behind them;
 * `number` came with the question.  *data is malloc'ed.  0 or -ENOMEM. */
int lookup_groups_encode(const struct subject *subject, size_t *first,
    uint32_t number, uint8_t **data, size_t *len) must_check;

/* The number of the question that such groups belong to; 0 if cut. */
uint32_t lookup_groups_number(const void *data, size_t len);
/* Adds them to `ahead`.  0, -ENOMEM, or -EINVAL if the octets are not what the
 * above writes, or there are more than LOOKUP_GROUPS_MAX. */
int lookup_groups_decode(
    const void *data, size_t len, struct subject *ahead) must_check;

/* NULL and errno: EINVAL if the octets are not what the above writes.  `ahead`
 * has the groups that went ahead, or is NULL; they are moved from there. */
struct subject *lookup_subject_decode(
    const void *data, size_t len, struct subject *ahead) must_check;

/* As many findings from *first on as fit, as lookup_groups_encode. */
int lookup_findings_encode(const struct provenance *provenance, size_t *first,
    uint32_t number, uint8_t **data, size_t *len) must_check;

/* Adds them to `found` and their groups to `ahead`, which are of one question;
 * lookup_groups_number says of which.  As lookup_groups_decode. */
int lookup_findings_decode(const void *data, size_t len,
    struct provenance *found, struct subject *ahead) must_check;

#endif
