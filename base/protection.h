/* SPDX-License-Identifier: ISC */
/* How well a session's bytes are protected, weakest first. */
#ifndef BASE_PROTECTION_H
#define BASE_PROTECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

enum protection {
	PROTECTION_NONE,
	PROTECTION_INTEGRITY,
	PROTECTION_SELECTIVE,
	PROTECTION_CONFIDENTIALITY,
	PROTECTION_COUNT
};

/* "none", "integrity", "selective", "confidentiality". */
const char *protection_name(enum protection protection);
bool protection_parse(const char *text, enum protection *protection) must_check;

/*
 * The octet of RFC 1961 section 4: 1 integrity, 2 integrity and
 * confidentiality, 3 selective; 0 is what field clients send for none.
 */
uint8_t protection_to_level(enum protection protection);
bool
protection_from_level(uint8_t level, enum protection *protection) must_check;

/*
 * True if `granted` satisfies a rule that demands `demanded`: selective
 * satisfies a demand for integrity only.
 */
bool protection_satisfies(enum protection granted, enum protection demanded);

#endif
