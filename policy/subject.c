/* SPDX-License-Identifier: ISC */
/* What the directory knows of an identity: its DN and its groups' DNs. */
#include "policy/subject.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

struct counted_subject {
	struct subject subject; /* first: callers hold a pointer to it */
	atomic_uint references;
};

struct subject *
subject_new(const char *dn)
{
	struct counted_subject *counted = calloc(1, sizeof(*counted));

	if (counted == NULL)
		return NULL;
	atomic_init(&counted->references, 1);
	if (dn != NULL) {
		counted->subject.dn = dn_normalise(dn);
		if (counted->subject.dn == NULL) {
			free(counted);
			return NULL;
		}
	}
	return &counted->subject;
}

int
subject_add_group(struct subject *subject, const char *dn)
{
	char **grown;
	char *group = dn_normalise(dn);

	if (group == NULL)
		return -errno;
	grown = array_room(subject->groups, subject->count, sizeof(*grown));
	if (grown == NULL) {
		free(group);
		return -ENOMEM;
	}
	subject->groups = grown;
	grown[subject->count++] = group;
	return 0;
}

void
subject_move_groups(struct subject *to, struct subject *from)
{
	to->groups = from->groups;
	to->count = from->count;
	from->groups = NULL;
	from->count = 0;
}

static int
compare_groups(const void *a, const void *b)
{
	const char *const *left = a, *const *right = b;

	return strcmp(*left, *right);
}

/* What comes over a link was sorted on the other side. */
static bool
is_finished(const struct subject *subject)
{
	for (size_t i = 1; i < subject->count; i++)
		if (strcmp(subject->groups[i - 1], subject->groups[i]) >= 0)
			return false;
	return true;
}

void
subject_finish(struct subject *subject)
{
	size_t kept = 0;

	if (is_finished(subject))
		return;
	qsort(subject->groups, subject->count, sizeof(subject->groups[0]),
	    compare_groups);
	for (size_t i = 0; i < subject->count; i++) {
		char *group = subject->groups[i];

		if (kept > 0 && strcmp(group, subject->groups[kept - 1]) == 0)
			free(group);
		else
			subject->groups[kept++] = group;
	}
	subject->count = kept;
}

size_t
subject_find(const struct subject *subject, const char *group)
{
	char *const *found = NULL;

	if (subject->count > 0)
		found = bsearch(&group, subject->groups, subject->count,
		    sizeof(subject->groups[0]), compare_groups);
	return found != NULL ? (size_t)(found - subject->groups)
			     : subject->count;
}

bool
subject_is_member(const struct subject *subject, const char *group)
{
	return subject_find(subject, group) < subject->count;
}

struct subject *
subject_ref(struct subject *subject)
{
	struct counted_subject *counted = (struct counted_subject *)subject;

	atomic_fetch_add_explicit(
	    &counted->references, 1, memory_order_relaxed);
	return subject;
}

void
subject_unref(struct subject *subject)
{
	struct counted_subject *counted = (struct counted_subject *)subject;

	if (subject == NULL || atomic_fetch_sub_explicit(&counted->references,
				   1, memory_order_acq_rel) > 1)
		return;
	for (size_t i = 0; i < subject->count; i++)
		free(subject->groups[i]);
	free(subject->groups);
	free(subject->dn);
	free(counted);
}
