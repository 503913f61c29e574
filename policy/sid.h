/* SPDX-License-Identifier: ISC */
/* Security identifiers of Active Directory (MS-DTYP 2.4.2.2). */
#ifndef POLICY_SID_H
#define POLICY_SID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

#define SID_SIZE 68 /* octets, with 15 sub-authorities */
/* "(objectSid=", each octet as \xx, ")", NUL */
#define SID_FILTER_SIZE (11 + 3 * SID_SIZE + 2)

/*
 * The filter that finds the account with the relative identifier `rid` in the
 * domain of `sid`, which is another account of it (objectSid's octets).
 * False if that is no SID of a domain's account.
 */
bool sid_filter(const uint8_t *sid, size_t len, uint32_t rid,
    char filter[SID_FILTER_SIZE]) must_check;

#endif
