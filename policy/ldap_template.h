/* SPDX-License-Identifier: ISC */
/* Search filters made of a template and foreign values, always escaped. */
#ifndef POLICY_LDAP_TEMPLATE_H
#define POLICY_LDAP_TEMPLATE_H

#include "base/compiler.h"

/* A letter behind a % and what stands for it (NULL: there is nothing); a table
 * ends with '\0'. */
struct template_value {
	char letter;
	const char *value;
};

/*
 * "%p" and the like become their values, escaped as RFC 4515 section 3 asks;
 * "%%" is a percent sign.  A comparison, "(a=%p)", whose value is NULL becomes
 * one that no entry matches.  malloc'ed.  NULL and errno: EINVAL for an empty
 * value, an unknown letter or a % at the end; ENOMEM.
 */
char *template_expand(
    const char *template, const struct template_value *values) must_check;

#endif
