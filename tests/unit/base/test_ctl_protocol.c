/* SPDX-License-Identifier: ISC */
/* A failed question's end goes over the control socket whole, or not at all. */
#include "tests/support/unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/ctl_protocol.h"

static void
a_failure_comes_back(void **state)
{
	struct ctl_failed failed = {.failure = CTL_UNAVAILABLE}, read;
	uint8_t data[CTL_FAILED_MAX];
	size_t len;

	(void)state;
	memset(failed.sentence, 'x', sizeof(failed.sentence) - 1);
	len = ctl_failed_encode(&failed, data);
	assert_true(len < sizeof(data));
	assert_true(ctl_failed_decode(data, len, &read));
	assert_int_equal(read.failure, CTL_UNAVAILABLE);
	assert_string_equal(read.sentence, failed.sentence);
}

static void
every_cut_is_refused(void **state)
{
	struct ctl_failed failed = {.failure = CTL_BUSY, .sentence = "not now"};
	struct ctl_failed read;
	uint8_t data[CTL_FAILED_MAX];
	size_t len = ctl_failed_encode(&failed, data);

	(void)state;
	for (size_t cut = 0; cut < len; cut++) {
		uint8_t *part = malloc(cut + 1);

		memcpy(part, data, cut);
		assert_false(ctl_failed_decode(part, cut, &read));
		free(part);
	}
	data[len] = 0;
	assert_false(ctl_failed_decode(data, len + 1, &read));
}

static void
a_failure_of_no_kind_is_refused(void **state)
{
	struct ctl_failed failed = {.failure = CTL_BUSY, .sentence = "not now"};
	struct ctl_failed read;
	uint8_t data[CTL_FAILED_MAX];
	size_t len = ctl_failed_encode(&failed, data);

	(void)state;
	data[0] = 0;
	assert_false(ctl_failed_decode(data, len, &read));
	data[0] = CTL_FAILURE_END;
	assert_false(ctl_failed_decode(data, len, &read));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_failure_comes_back),
	    cmocka_unit_test(every_cut_is_refused),
	    cmocka_unit_test(a_failure_of_no_kind_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
