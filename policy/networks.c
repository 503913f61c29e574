/* SPDX-License-Identifier: ISC */
/* Networks that are gathered to see whether together they cover another. */
#include "policy/networks.h"

#include <stdlib.h>

#include "policy/gap.h"
#include "policy/special.h"

#define SIZE_FIRST 32

/* Held as IPv4, so no IPv6 address is ever inside. */
static const struct network mapped = {
    {ADDRESS_IPV6, {[10] = 0xff, [11] = 0xff}}, 96};

void
networks_add(struct networks *networks, const struct network *network)
{
	if (networks->count == networks->size) {
		size_t size = 2 * networks->size + SIZE_FIRST;
		struct network *grown =
		    reallocarray(networks->networks, size, sizeof(*grown));

		if (grown == NULL) {
			networks->is_short = true;
			return;
		}
		networks->networks = grown;
		networks->size = size;
	}
	networks->networks[networks->count++] = *network;
}

void
networks_fini(struct networks *networks)
{
	free(networks->networks);
}

static void
add_specials(struct networks *networks, enum networks_but but)
{
	const struct network *blocks, *carrier;
	size_t count;

	blocks = special_blocks(&count);
	for (size_t i = 0; but >= NETWORKS_BUT_SPECIAL && i < count; i++)
		networks_add(networks, &blocks[i]);
	for (size_t i = 0; but == NETWORKS_BUT_EXTRAORDINARY &&
			   (carrier = gap_carrier(i)) != NULL;
	     i++)
		networks_add(networks, carrier);
	networks_add(networks, &mapped);
}

/* An IPv6 address that carries a special one is special, too. */
static void
fill(struct gap_cover *cover, const struct networks *networks,
    size_t special_first, enum networks_but but)
{
	for (size_t i = 0; i < networks->count; i++) {
		const struct network *network = &networks->networks[i];

		if (network->base.family == ADDRESS_IPV6) {
			cover->ipv6[cover->ipv6_count++] = *network;
			continue;
		}
		cover->ipv4[cover->ipv4_count++] = *network;
		if (but == NETWORKS_BUT_CARRIED || i >= special_first)
			cover->embedded[cover->embedded_count++] = *network;
	}
}

bool
networks_cover(struct networks *networks, const struct network *asked,
    enum networks_but but)
{
	size_t special_first = networks->count;
	struct gap_cover cover = {.ipv4_count = 0};
	struct network *sorted;
	bool has_gap;

	add_specials(networks, but);
	if (networks->is_short)
		return false;
	sorted = calloc(3 * networks->count, sizeof(*sorted));
	if (sorted == NULL)
		return false;
	cover.ipv4 = sorted;
	cover.ipv6 = sorted + networks->count;
	cover.embedded = sorted + 2 * networks->count;
	fill(&cover, networks, special_first, but);
	has_gap = gap_exists(asked, &cover);
	free(sorted);
	return !has_gap;
}
