/* SPDX-License-Identifier: ISC */
/* The addresses that are closed unless a rule names a network inside them. */
#include "policy/special.h"

#include "policy/judge.h"

#define V4(a, b, c, d, len)                                                    \
	{                                                                      \
		{ADDRESS_IPV4, {a, b, c, d}}, len                              \
	}
#define V6(len, ...)                                                           \
	{                                                                      \
		{ADDRESS_IPV6, {__VA_ARGS__}}, len                             \
	}

/* A block comes before the one that holds it. */
static const struct network blocks[] = {
    V4(169, 254, 169, 254, 32), /* metadata of most clouds */
    V4(100, 100, 100, 200, 32), /* metadata of Alibaba Cloud */
    V4(168, 63, 129, 16, 32),	/* the host agent of Azure */
    V4(0, 0, 0, 0, 8),		/* this network, RFC 791 */
    V4(127, 0, 0, 0, 8),	/* loopback, RFC 1122 */
    V4(169, 254, 0, 0, 16),	/* link-local, RFC 3927 */
    V4(224, 0, 0, 0, 4),	/* multicast, RFC 5771 */
    V4(240, 0, 0, 0, 4),	/* reserved and broadcast, RFC 1112 */
    V6(128, 0),			/* unspecified */
    V6(128, [15] = 1),		/* loopback, RFC 4291 */
    V6(10, 0xfe, 0x80),		/* link-local, RFC 4291 */
    V6(10, 0xfe, 0xc0),		/* site-local, RFC 3879 */
    V6(8, 0xff),		/* multicast, RFC 4291 */
    /* metadata of Amazon: fd00:ec2::254 */
    V6(128, 0xfd, 0x00, 0x0e, 0xc2, [14] = 0x02, 0x54),
};

const struct network *
special_blocks(size_t *count)
{
	*count = ARRAY_COUNT(blocks);
	return blocks;
}

static uint8_t
host_prefix_len(const struct address *address)
{
	return address->family == ADDRESS_IPV4 ? 32 : 128;
}

static bool
is_own(const struct address *address, const struct own_addresses *own)
{
	for (size_t i = 0; own != NULL && i < own->count; i++)
		if (address_is_equal(address, &own->addresses[i]))
			return true;
	return false;
}

static const struct network *
find_block(const struct address *address)
{
	for (size_t i = 0; i < ARRAY_COUNT(blocks); i++)
		if (network_has(&blocks[i], address))
			return &blocks[i];
	return NULL;
}

bool
special_find(const struct address *address, const struct own_addresses *own,
    uint8_t *prefix_len)
{
	const struct network *block = find_block(address);
	struct address embedded;

	if (block != NULL) {
		*prefix_len = block->prefix_len;
		return true;
	}
	*prefix_len = host_prefix_len(address);
	if (is_own(address, own))
		return true;
	return address_embedded_ipv4(address, &embedded) &&
	       (find_block(&embedded) != NULL || is_own(&embedded, own));
}

/* 0.0.0.0/8 and :: are taken for this host by the kernel. */
static bool
is_here(const struct address *address, const struct own_addresses *own)
{
	static const struct network here[] = {
	    V4(0, 0, 0, 0, 8),
	    V4(127, 0, 0, 0, 8),
	    V6(128, 0),
	    V6(128, [15] = 1),
	};

	for (size_t i = 0; i < ARRAY_COUNT(here); i++)
		if (network_has(&here[i], address))
			return true;
	return is_own(address, own);
}

bool
special_is_here(const struct address *address, const struct own_addresses *own)
{
	struct address embedded;

	return is_here(address, own) ||
	       (address_embedded_ipv4(address, &embedded) &&
		   is_here(&embedded, own));
}
