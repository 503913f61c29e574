/* SPDX-License-Identifier: ISC */
/* All rules and sets at once, out of the directory or a file. */
#ifndef POLICY_LDAP_RULES_H
#define POLICY_LDAP_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ldap.h>

#include "base/compiler.h"

#define RULES_WHY_SIZE 1024
#define RULES_STDIN    "-" /* as a file: what was opened for us */

struct rules_query {
	const char *file;      /* an LDIF file; "": the directory */
	const char *rule_base; /* in the directory */
	unsigned timeout_s;    /* for each of its answers */
	bool allow_empty;      /* a set without any rule is no failure */
};

/*
 * The whole set (rule_set_stream.h), its entries in an order of their own, so
 * that equal sets are equal; malloc'ed.  `ld` is not used for a file.  NULL
 * and why.
 */
uint8_t *rules_read(LDAP *ld, const struct rules_query *query, size_t *len,
    char why[RULES_WHY_SIZE]) must_check;

#endif
