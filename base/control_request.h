/* SPDX-License-Identifier: ISC */
/*
 * What the gateway asks of the master for an administrator, and the master's
 * answer: CONTROL_REQUEST and CONTROL_ANSWER of base/control.h.
 */
#ifndef BASE_CONTROL_REQUEST_H
#define BASE_CONTROL_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

enum control_verb {
	CONTROL_VERB_RELOAD = 1, /* the settings; answered by the outcome */
	CONTROL_VERB_DRAIN,	 /* and end; answered when it has begun */
	CONTROL_VERB_RESTART,	 /* drain, and come back; the same */
	CONTROL_VERB_PROGRAM,	 /* of that number: its facts; refused behind
				  * the last */
	CONTROL_VERB_LOG_LEVEL,	 /* number: the level and 1, or 0 to ask for it;
				  * answered by its name */
	CONTROL_VERB_END
};

#define CONTROL_SENTENCE_SIZE 2049
#define CONTROL_REQUEST_MAX   (1 + 4 + 4 + 4 + 4)
#define CONTROL_ANSWER_MAX    (1 + 4 + CONTROL_SENTENCE_SIZE)

/* `seconds` where the setting is to decide. */
#define CONTROL_NO_SECONDS UINT32_MAX

/*
 * Facts are lines NAME=VALUE; a name may come again.  A program says some with
 * each answer to CONTROL_PING, the master more in front of them: program,
 * index, starts, and while it runs pid, up_s, generation.
 */
#define CONTROL_FACTS_MAX 1536

struct control_request {
	enum control_verb verb;
	uint32_t seconds;  /* of a drain or restart, or CONTROL_NO_SECONDS */
	uint32_t number;   /* of a program, or a level */
	uint32_t uid, pid; /* who asks, as the kernel says */
};

struct control_answer {
	bool is_done; /* else it was refused, and nothing has changed */
	char
	    sentence[CONTROL_SENTENCE_SIZE]; /* without a full stop; or facts */
};

/* Each returns the length. */
size_t control_request_encode(
    const struct control_request *request, uint8_t out[CONTROL_REQUEST_MAX]);
size_t control_answer_encode(
    const struct control_answer *answer, uint8_t out[CONTROL_ANSWER_MAX]);

/* False if the octets are not what the other side's encoder writes. */
bool control_request_decode(
    const void *data, size_t len, struct control_request *request) must_check;
bool control_answer_decode(
    const void *data, size_t len, struct control_answer *answer) must_check;

#endif
