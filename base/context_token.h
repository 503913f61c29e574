/* SPDX-License-Identifier: ISC */
/*
 * What can be seen of a context token from outside: its mechanism, and
 * whether its encoding holds together.
 *
 * Nothing here is a proof of anything; libgssapi in the authenticator alone
 * decides.
 */
#ifndef BASE_CONTEXT_TOKEN_H
#define BASE_CONTEXT_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

enum context_mech {
	CONTEXT_MECH_UNKNOWN, /* no token that names its mechanism */
	CONTEXT_MECH_KRB5,    /* RFC 4121 */
	CONTEXT_MECH_SPNEGO,  /* RFC 4178 */
	CONTEXT_MECH_NTLM,    /* raw, as Windows sends it without a ticket */
	CONTEXT_MECH_OTHER
};

/* The mechanism that a first token names (RFC 2743 section 3.1). */
enum context_mech context_token_mech(const void *token, size_t len);

/*
 * True for a SPNEGO token, first or later, whose DER holds together: one
 * element, each length within the one around it, nested no deeper than
 * SPNEGO needs.  What stands inside of octet strings is not looked at.
 */
bool context_token_is_whole(const void *token, size_t len) must_check;

#endif
