/* SPDX-License-Identifier: ISC */
/*
 * What somebody may have written into the spool: it goes out in the receiver's
 * form, within its bound and as one line, or not at all.
 */
#include "tests/fuzz/fuzz.h"

#include <stdbool.h>
#include <string.h>

#include "gateway/syslog_message.h"

static void
forward(const uint8_t *data, size_t size, bool rfc5424, uint64_t now_us)
{
	static char out[SYSLOG_FORWARD_MAX];
	const struct syslog_form form = {
	    .rfc5424 = rfc5424,
	    .has_host = !rfc5424,
	    .facility = 10,
	    .host = "gw",
	    .pid = 1,
	};
	size_t len = syslog_message_forward(
	    &form, (const char *)data, size, now_us, out);

	property(len < sizeof(out));
	property(len == 0 || out[0] == '<');
	property(
	    memchr(data, '\n', size) != NULL || memchr(out, '\n', len) == NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size >= AUDIT_RECORD_MAX)
		return 0; /* the reader takes no such line */
	for (int rfc5424 = 0; rfc5424 < 2; rfc5424++) {
		forward(data, size, rfc5424 != 0, 0);
		forward(data, size, rfc5424 != 0, UINT64_MAX);
	}
	return 0;
}
