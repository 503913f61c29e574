/* SPDX-License-Identifier: ISC */
/*
 * Is there an address in a network that no other network covers?
 *
 * A network is halved as long as both halves have something inside; the
 * networks inside a half are a contiguous part of the array, so that each is
 * looked at once a level.
 */
#include "policy/gap.h"

#include <string.h>

/* Where IPv6 addresses carry an IPv4 address, and from which bit on. */
static const struct {
	struct network network;
	uint8_t at;
} embeddings[] = {
    {{{ADDRESS_IPV6, {0}}, 96}, 96},				/* RFC 4291 */
    {{{ADDRESS_IPV6, {0x00, 0x64, 0xff, 0x9b}}, 96}, 96},	/* RFC 6052 */
    {{{ADDRESS_IPV6, {0x00, 0x64, 0xff, 0x9b, 0, 1}}, 48}, 96}, /* RFC 8215 */
    {{{ADDRESS_IPV6, {0x20, 0x02}}, 16}, 16},			/* RFC 3056 */
    {{{ADDRESS_IPV6, {0x20, 0x01}}, 32}, 96},			/* RFC 4380 */
};

static bool
is_within(const struct network *inner, const struct network *outer)
{
	return inner->prefix_len >= outer->prefix_len &&
	       network_has(outer, &inner->base);
}

/* Keeps, at the front, what is inside `network`; their number. */
static size_t
select_inside(
    struct network *covers, size_t count, const struct network *network)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		if (is_within(&covers[i], network)) {
			struct network swap = covers[kept];

			covers[kept++] = covers[i];
			covers[i] = swap;
		}
	}
	return kept;
}

static bool
is_covered(
    const struct network *covers, size_t count, const struct network *network)
{
	for (size_t i = 0; i < count; i++)
		if (is_within(network, &covers[i]))
			return true;
	return false;
}

static struct network
half(const struct network *network, bool is_upper)
{
	struct network result = *network;

	if (is_upper)
		result.base.bytes[result.prefix_len / 8] |=
		    (uint8_t)(0x80 >> result.prefix_len % 8);
	result.prefix_len++;
	return result;
}

static bool gap_in(const struct network *network, struct network *covers,
    size_t count, const struct gap_cover *cover);

/* The block of IPv4 addresses that a block inside an embedding carries;
 * `first` is what its first address carries. */
static struct network
carried(const struct network *network, uint8_t at, const struct address *first)
{
	struct network result = {{ADDRESS_IPV4, {0}}, 0};

	if (network->prefix_len > at)
		result.prefix_len = (uint8_t)(network->prefix_len - at);
	if (result.prefix_len > 32)
		result.prefix_len = 32;
	for (unsigned bit = 0; bit < result.prefix_len; bit++)
		result.base.bytes[bit / 8] |=
		    (uint8_t)(first->bytes[bit / 8] & (0x80 >> bit % 8));
	return result;
}

/* No IPv6 network is left in it; what may cover it is what it carries. */
static bool
gap_in_carried(const struct network *network, const struct gap_cover *cover)
{
	struct address first;

	if (!address_embedded_ipv4(&network->base, &first))
		return true; /* at least its first address carries nothing */
	for (size_t i = 0; i < ARRAY_COUNT(embeddings); i++) {
		struct network inner;

		if (!is_within(network, &embeddings[i].network))
			continue;
		inner = carried(network, embeddings[i].at, &first);
		return gap_in(
		    &inner, cover->embedded, cover->embedded_count, cover);
	}
	return true; /* it is more than an embedding */
}

static bool
gap_in(const struct network *network, struct network *covers, size_t count,
    const struct gap_cover *cover)
{
	struct network lower, upper;
	size_t inside, in_lower;

	if (is_covered(covers, count, network))
		return false;
	inside = select_inside(covers, count, network);
	if (inside == 0)
		return network->base.family == ADDRESS_IPV4 ||
		       gap_in_carried(network, cover);
	lower = half(network, false);
	upper = half(network, true);
	in_lower = select_inside(covers, inside, &lower);
	return gap_in(&lower, covers, in_lower, cover) ||
	       gap_in(&upper, covers + in_lower, inside - in_lower, cover);
}

bool
gap_exists(const struct network *network, const struct gap_cover *cover)
{
	if (network->base.family == ADDRESS_IPV4)
		return gap_in(network, cover->ipv4, cover->ipv4_count, cover);
	return gap_in(network, cover->ipv6, cover->ipv6_count, cover);
}

const struct network *
gap_carrier(size_t i)
{
	return i < ARRAY_COUNT(embeddings) ? &embeddings[i].network : NULL;
}
