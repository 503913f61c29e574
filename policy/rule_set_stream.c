/* SPDX-License-Identifier: ISC */
/* A whole rule set as octets. */
#include "policy/rule_set_stream.h"

#include "base/wire.h"

int
rule_set_next(const uint8_t *set, size_t set_len, size_t *at,
    const uint8_t **entry, size_t *len)
{
	struct wire_reader reader;

	if (*at == set_len)
		return 0;
	wire_reader_init(&reader, set + *at, set_len - *at);
	*entry = wire_get_counted(&reader, len);
	if (reader.failed)
		return -1;
	*at = set_len - wire_remaining(&reader);
	return 1;
}

long
rule_set_count(const uint8_t *set, size_t set_len)
{
	const uint8_t *entry;
	size_t at = 0, len;
	long count = 0;
	int more;

	while ((more = rule_set_next(set, set_len, &at, &entry, &len)) == 1)
		count++;
	return more == 0 ? count : -1;
}
