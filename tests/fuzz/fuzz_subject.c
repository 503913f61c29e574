/* SPDX-License-Identifier: ISC */
/* Fuzzes what a look-up answers: a DN, groups, whether the account is good. */
#include "tests/fuzz/fuzz.h"

#include <errno.h>
#include <string.h>

#include "policy/lookup_protocol.h"
#include "policy/subject.h"

static void
check_subject(const struct subject *subject)
{
	for (size_t i = 0; i < subject->count; i++) {
		property(subject_is_member(subject, subject->groups[i]));
		if (i > 0)
			property(strcmp(subject->groups[i - 1],
				     subject->groups[i]) < 0);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct subject *subject, *again;
	uint8_t *encoded;
	size_t len;

	errno = 0;
	subject = lookup_subject_decode(data, size, NULL);
	if (subject == NULL) {
		property(errno == EINVAL);
		return 0;
	}
	check_subject(subject);
	property(lookup_subject_encode(subject, 0, &encoded, &len) == 0);
	again = lookup_subject_decode(encoded, len, NULL);
	property(again != NULL && again->count == subject->count);
	property((again->dn == NULL) == (subject->dn == NULL));
	property(subject->dn == NULL || strcmp(again->dn, subject->dn) == 0);
	property(again->is_disabled == subject->is_disabled);
	for (size_t i = 0; i < subject->count; i++)
		property(strcmp(again->groups[i], subject->groups[i]) == 0);
	subject_unref(again);
	free(encoded);
	subject_unref(subject);
	return 0;
}
