/* SPDX-License-Identifier: ISC */
/* Which clients get what, where rules name networks of clients. */
#include "policy/client_split.h"

/* What the rules before it have not decided for all of the network; when there
 * are too many, that is not asked any more. */
static uint16_t
left_of(const struct client_split *split, const struct network *network,
    uint16_t decided)
{
	for (size_t i = 0; i < split->count && decided != 0 && !split->is_full;
	     i++) {
		const struct network *before = &split->parts[i].network;

		if (before->prefix_len <= network->prefix_len &&
		    network_has(before, &network->base))
			decided &= (uint16_t)~split->parts[i].decided;
	}
	return decided;
}

void
client_split_add(struct client_split *split, const struct network *network,
    uint16_t decided, uint16_t permitted)
{
	uint16_t left = left_of(split, network, decided);

	if (left == 0)
		return;
	permitted &= left;
	split->permitted_to_some |= permitted;
	split->denied_to_some |= left & (uint16_t)~permitted;
	if (split->count == CLIENT_SPLIT_MAX) {
		split->is_full = true;
		return;
	}
	split->parts[split->count].network = *network;
	split->parts[split->count].decided = left;
	split->parts[split->count++].permitted = permitted;
}

static bool
permits_client(const struct client_split *split, uint16_t otherwise,
    const struct address *client)
{
	uint16_t decided = 0, permitted = 0;

	for (size_t i = 0; i < split->count; i++) {
		if (!network_has(&split->parts[i].network, client))
			continue;
		permitted |= split->parts[i].permitted & (uint16_t)~decided;
		decided |= split->parts[i].decided;
	}
	return (permitted | (otherwise & (uint16_t)~decided)) != 0;
}

/* The first address behind it; false if it ends with the last there is. */
static bool
find_next(const struct network *network, struct address *next)
{
	unsigned step;

	*next = network->base;
	if (network->prefix_len == 0)
		return false;
	step = 0x80U >> (network->prefix_len - 1) % 8;
	for (int i = (network->prefix_len - 1) / 8; i >= 0; i--) {
		unsigned sum = next->bytes[i] + step;

		next->bytes[i] = (uint8_t)sum;
		if (sum <= UINT8_MAX)
			return true;
		step = 1;
	}
	return false;
}

/* Those who get the same stand in rows, and each row begins with the first
 * address of all, where a network begins, or behind one. */
bool
client_split_differs(
    const struct client_split *split, uint16_t otherwise, bool *permits)
{
	const struct address first[] = {
	    {.family = ADDRESS_IPV4}, {.family = ADDRESS_IPV6}};
	bool others = permits_client(split, otherwise, &first[0]);
	bool differs = permits_client(split, otherwise, &first[1]) != others;

	*permits = others;
	if (split->is_full) {
		*permits = otherwise != 0;
		return *permits
			   ? (otherwise & (uint16_t)~split->denied_to_some) == 0
			   : split->permitted_to_some != 0;
	}
	for (size_t i = 0; i < split->count && !differs; i++) {
		const struct network *network = &split->parts[i].network;
		struct address next;

		differs =
		    permits_client(split, otherwise, &network->base) != others;
		if (!differs && find_next(network, &next))
			differs =
			    permits_client(split, otherwise, &next) != others;
	}
	return differs;
}
