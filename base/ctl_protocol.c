/* SPDX-License-Identifier: ISC */
/* What gatewardenctl and the gateway say to each other. */
#include "base/ctl_protocol.h"

#include <string.h>

#include "base/must.h"
#include "base/options.h"
#include "base/text.h"
#include "base/wire.h"

size_t
ctl_failed_encode(const struct ctl_failed *failed, uint8_t out[CTL_FAILED_MAX])
{
	struct wire_writer writer;

	wire_writer_init(&writer, out, CTL_FAILED_MAX);
	wire_put_u8(&writer, (uint8_t)failed->failure);
	wire_put_string(&writer, failed->sentence);
	must(!writer.failed);
	return writer.len;
}

bool
ctl_failed_decode(const void *data, size_t len, struct ctl_failed *failed)
{
	struct wire_reader reader;
	uint8_t failure;

	wire_reader_init(&reader, data, len);
	failure = wire_get_u8(&reader);
	wire_get_string(&reader, failed->sentence, sizeof(failed->sentence));
	if (!wire_is_done(&reader) || failure == 0 ||
	    failure >= CTL_FAILURE_END)
		return false;
	failed->failure = (enum ctl_failure)failure;
	return true;
}

const char *
ctl_yes(bool is)
{
	return is ? CTL_YES : CTL_NO;
}

bool
ctl_is_yes(const struct options *line, const char *name)
{
	return strcmp(options_get(line, name, ""), CTL_YES) == 0;
}

uint64_t
ctl_number(const struct options *line, const char *name)
{
	uint64_t value;

	return text_parse_u64(
		   options_get(line, name, ""), 0, UINT64_MAX, &value)
		   ? value
		   : 0;
}
