/* SPDX-License-Identifier: ISC */
/* Fuzzes what goes ahead of an explained look-up: groups, and how each was
 * found. */
#include "tests/fuzz/fuzz.h"

#include <errno.h>
#include <string.h>

#include "policy/lookup_protocol.h"
#include "policy/provenance.h"
#include "policy/subject.h"

static void
must_be_same(const struct provenance *a, const struct provenance *b)
{
	property(a->count == b->count);
	for (size_t i = 0; i < a->count; i++) {
		const struct finding *left = &a->findings[i];
		const struct finding *right = &b->findings[i];

		property(strcmp(left->group, right->group) == 0);
		property(left->origin == right->origin);
		property(left->through == right->through);
		property(left->through == FINDING_DIRECT || left->through < i);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct provenance *found = provenance_new(), *again = provenance_new();
	struct subject *ahead = subject_new(NULL), *more = subject_new(NULL);
	int result = lookup_findings_decode(data, size, found, ahead);
	uint32_t number = lookup_groups_number(data, size);
	size_t len, first = 0;
	uint8_t *encoded;

	property(result == 0 || result == -EINVAL);
	property(found->count == ahead->count);
	while (result == 0 && first < found->count) {
		property(lookup_findings_encode(
			     found, &first, number, &encoded, &len) == 0);
		property(lookup_groups_number(encoded, len) == number);
		property(
		    lookup_findings_decode(encoded, len, again, more) == 0);
		free(encoded);
	}
	if (result == 0)
		must_be_same(found, again);
	provenance_free(found);
	provenance_free(again);
	subject_unref(ahead);
	subject_unref(more);
	return 0;
}
