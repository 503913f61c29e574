/* SPDX-License-Identifier: ISC */
/*
 * SipHash-2-4: a hash under a secret key, for tables whose keys strangers
 * choose.
 *
 * Who does not know the key cannot find octets that fall into the place of
 * others.
 */
#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

#define SIPHASH_KEY_SIZE 16

/* By Aumasson and Bernstein; the result is the little-endian number of its
 * eight octets. */
uint64_t
siphash(const uint8_t key[SIPHASH_KEY_SIZE], const void *data, size_t len);

#endif
