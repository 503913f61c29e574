/* SPDX-License-Identifier: ISC */
/* The one table of reasons: why a request was refused or a session ended. */
#ifndef BASE_REASON_H
#define BASE_REASON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

enum reason {
#define R(id, name, reply, is_error, sentence) REASON_##id,
#include "base/reasons.def"
#undef R
	REASON_COUNT
};

/* The name in records, such as "gss_replay". */
const char *reason_name(enum reason reason);
/* The sentence that the manual shows. */
const char *reason_sentence(enum reason reason);
/* The REP octet that tells a client, where a reply is due. */
uint8_t reason_reply(enum reason reason);
bool reason_is_error(enum reason reason);

/* Why a connection broke, by the errno of its socket: reset, or failed. */
enum reason reason_of_client(int error);
enum reason reason_of_target(int error);

#endif
