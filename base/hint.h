/* SPDX-License-Identifier: ISC */
/*
 * Hints for the record: which known client, or which known mistake, a
 * negotiation that failed looks like.
 *
 * A hint explains, it decides nothing.
 */
#ifndef BASE_HINT_H
#define BASE_HINT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/context_token.h"
#include "base/reason.h"

enum hint {
	HINT_NONE,
#define H(id, name, stage, end, question, sentence) HINT_##id,
#include "base/hints.def"
#undef H
	HINT_COUNT
};

/* How far a client came with gssapi. */
enum hint_stage {
	HINT_STAGE_START,   /* gssapi was not chosen, or not yet */
	HINT_STAGE_CHOSEN,  /* nothing has come since */
	HINT_STAGE_TOKEN,   /* a context token came */
	HINT_STAGE_CONTEXT, /* our last context token was sent */
	HINT_STAGE_LEVEL,   /* a protection level was granted */
	HINT_STAGE_REQUEST  /* a request came: nothing more to guess */
};

/* What was seen of a client; all zero at first. */
struct hint_facts {
	/* Of the greeting: its first method is none, and gssapi comes next. */
	bool offers_as_curl_does;
	bool offers_only_none;
	enum hint_stage stage;
	enum context_mech mech; /* of its first token */
	bool may_spnego;	/* where it is allowed */
	bool bare_level;	/* it sent a bare octet where it may not */
	uint8_t first_octet;	/* of what was no message of RFC 1961 */
	uint8_t wish, granted;	/* levels, as the octets of RFC 1961 */
};

/* The hint that fits a client that came so far and ended for that reason. */
enum hint hint_find(const struct hint_facts *facts, enum reason reason);

/* "curl_7_69"; HINT_NONE is "". */
const char *hint_name(enum hint hint);
/* The sentence that the manual shows; HINT_NONE is "". */
const char *hint_sentence(enum hint hint);

#endif
