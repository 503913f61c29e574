/* SPDX-License-Identifier: ISC */
/*
 * Whether a name that is not resolved yet could lead to any address that is
 * permitted.
 */
#include "policy/prospect.h"

#include <stdlib.h>

#include "base/endpoint.h"
#include "policy/gap.h"
#include "policy/judge.h"
#include "policy/rule.h"
#include "policy/special.h"

/* Some milliseconds; real rule sets take a hundredth of it. */
#define EFFORT_MAX 200000

/* A network that a rule permits, and how long a network the rule wrote:
 * -1 for a name or a star, which open nothing special. */
struct region {
	struct network network;
	int written_len;
};

static const struct region everywhere[] = {
    {{{ADDRESS_IPV4, {0}}, 0}, -1},
    {{{ADDRESS_IPV6, {0}}, 0}, -1},
};

/* Held as IPv4, so no IPv6 address is ever inside. */
static const struct network mapped = {
    {ADDRESS_IPV6, {[10] = 0xff, [11] = 0xff}}, 96};

void
prospect_init(struct prospect *prospect, const struct endpoint *asked,
    const struct own_addresses *own)
{
	*prospect =
	    (struct prospect){.asked = asked, .own = own, .effort = EFFORT_MAX};
}

void
prospect_fini(struct prospect *prospect)
{
	free(prospect->denied);
}

/* 0, or -1 when there is no memory. */
static int
add_denied(struct prospect *prospect, const struct network *network)
{
	if (prospect->denied_count == prospect->denied_size) {
		size_t size = 2 * prospect->denied_size + 64;
		struct network *grown =
		    reallocarray(prospect->denied, size, sizeof(*grown));

		if (grown == NULL)
			return -1;
		prospect->denied = grown;
		prospect->denied_size = size;
	}
	prospect->denied[prospect->denied_count++] = *network;
	return 0;
}

static void
cover_ipv4(struct gap_cover *cover, const struct network *network,
    bool covers_itself, bool covers_embedded)
{
	if (covers_itself)
		cover->ipv4[cover->ipv4_count++] = *network;
	if (covers_embedded)
		cover->embedded[cover->embedded_count++] = *network;
}

static void
cover_special(struct gap_cover *cover, const struct network *block, int len)
{
	bool is_closed = block->prefix_len > len;

	if (block->base.family == ADDRESS_IPV4)
		cover_ipv4(cover, block, is_closed, len < 128);
	else if (is_closed)
		cover->ipv6[cover->ipv6_count++] = *block;
}

/* An own address inside a special block is as special as the block. */
static void
cover_own(struct gap_cover *cover, const struct address *own, int len)
{
	struct network host = {*own, own->family == ADDRESS_IPV4 ? 32 : 128};
	uint8_t opening_len;

	if (!special_find(own, NULL, &opening_len))
		cover_special(cover, &host, len);
}

/* What of a region is denied or closed. */
static void
fill_cover(struct gap_cover *cover, const struct prospect *prospect, int len)
{
	size_t block_count;
	const struct network *blocks = special_blocks(&block_count);

	for (size_t i = 0; i < prospect->denied_count; i++) {
		if (prospect->denied[i].base.family == ADDRESS_IPV4)
			cover_ipv4(cover, &prospect->denied[i], true, true);
		else
			cover->ipv6[cover->ipv6_count++] = prospect->denied[i];
	}
	for (size_t i = 0; i < block_count; i++)
		cover_special(cover, &blocks[i], len);
	for (size_t i = 0; prospect->own != NULL && i < prospect->own->count;
	     i++)
		cover_own(cover, &prospect->own->addresses[i], len);
	cover->ipv6[cover->ipv6_count++] = mapped;
}

static bool
is_open(struct prospect *prospect, const struct region *region)
{
	struct gap_cover cover = {.ipv4_count = 0};
	struct network *networks;
	size_t block_count, count;
	bool result;

	special_blocks(&block_count);
	count = prospect->denied_count + block_count + 1 +
		(prospect->own == NULL ? 0 : prospect->own->count);
	if (count > prospect->effort)
		return true;
	prospect->effort -= count;
	networks = calloc(3 * count, sizeof(*networks));
	if (networks == NULL)
		return true;
	cover.ipv4 = networks;
	cover.ipv6 = networks + count;
	cover.embedded = networks + 2 * count;
	fill_cover(&cover, prospect, region->written_len);
	result = gap_exists(&region->network, &cover);
	free(networks);
	return result;
}

static bool
is_open_everywhere(struct prospect *prospect)
{
	/* No set of closed addresses is all of them. */
	if (prospect->denied_count == 0)
		return true;
	return is_open(prospect, &everywhere[0]) ||
	       is_open(prospect, &everywhere[1]);
}

static bool
permits_some(struct prospect *prospect, const struct target_list *list)
{
	if (target_list_has_name(list, prospect->asked)) {
		prospect->was_permitted = true;
		if (is_open_everywhere(prospect))
			return true;
	}
	for (size_t i = list->network_first; i < list->destination_count; i++) {
		const struct network *network = &list->destinations[i].network;
		struct region region = {*network, network->prefix_len};

		prospect->was_permitted = true;
		if (is_open(prospect, &region))
			return true;
	}
	return false;
}

static enum prospect_outcome
add_permit(struct prospect *prospect, const struct target_list *list)
{
	return permits_some(prospect, list) ? PROSPECT_OPEN
					    : PROSPECT_UNDECIDED;
}

static enum prospect_outcome
add_deny(struct prospect *prospect, const struct target_list *list)
{
	if (target_list_has_name(list, prospect->asked))
		return PROSPECT_CLOSED;
	for (size_t i = list->network_first; i < list->destination_count; i++)
		if (add_denied(prospect, &list->destinations[i].network) != 0)
			return PROSPECT_OPEN;
	return PROSPECT_UNDECIDED;
}

enum prospect_outcome
prospect_add(struct prospect *prospect, const struct rule *rule, bool denies)
{
	enum prospect_outcome outcome = PROSPECT_UNDECIDED;
	const struct target_list *list;

	for (size_t i = 0; outcome == PROSPECT_UNDECIDED &&
			   (list = rule_targets(rule, i)) != NULL;
	     i++)
		if (rule_has_port(rule, i, prospect->asked->port))
			outcome = denies ? add_deny(prospect, list)
					 : add_permit(prospect, list);
	return outcome;
}
