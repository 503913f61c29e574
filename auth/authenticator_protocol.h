/* SPDX-License-Identifier: ISC */
/*
 * What a worker thread and an authenticator say to each other over their
 * link: a context token as a question, what came of it as the answer.
 *
 * The asker numbers its acceptances; a number is known to the authenticator
 * from the first token until the answer is anything but "continue".
 */
#ifndef AUTH_AUTHENTICATOR_PROTOCOL_H
#define AUTH_AUTHENTICATOR_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/identity.h"
#include "base/reason.h"

/* Half-made contexts that an authenticator holds for one link. */
#define ACCEPT_HALF_MADE_MAX 1024
#define ACCEPT_TOKEN_MAX     65535
#define ACCEPT_EXPORTED_MAX  (120 * 1024)
#define ACCEPT_TEXT_SIZE     512
#define ACCEPT_QUESTION_MAX  (8 + 1 + 1 + 4 + ACCEPT_TOKEN_MAX)
/* Octets of the longest answer: a token, a context, a name, numbers. */
#define ACCEPT_ANSWER_MAX                                                      \
	(ACCEPT_TOKEN_MAX + ACCEPT_EXPORTED_MAX + IDENTITY_NAME_SIZE +         \
	    IDENTITY_INDICATORS_SIZE + ACCEPT_TEXT_SIZE + 64)

enum accept_type {
	/* worker to authenticator */
	ACCEPT_STEP = 1, /* question: struct accept_question */
	ACCEPT_FORGET,	 /* u64 acceptance; no answer */
	ACCEPT_PROBE,	 /* question: are you there? empty */
	/* authenticator to worker */
	ACCEPT_ANSWER, /* struct accept_answer */
	ACCEPT_ALIVE   /* the answer to a probe; empty */
};

/* The flags of RFC 2743 section 1.2.2 that we look at, by their numbers in
 * RFC 2744; the same as GSS_C_*_FLAG. */
enum context_flag {
	CONTEXT_MUTUAL = 2,
	CONTEXT_REPLAY = 4,
	CONTEXT_SEQUENCE = 8,
	CONTEXT_CONFIDENTIALITY = 16,
	CONTEXT_INTEGRITY = 32
};

struct accept_question {
	uint64_t acceptance;
	bool is_first;
	bool may_spnego;      /* SPNEGO is accepted from this client */
	const uint8_t *token; /* borrowed */
	size_t token_len;
};

enum accept_outcome {
	ACCEPT_CONTINUE,
	ACCEPT_DONE,
	ACCEPT_FAILED,
	ACCEPT_OUTCOME_COUNT
};

/* What does not belong to the outcome is zero or empty. */
struct accept_answer {
	enum accept_outcome outcome;
	enum reason reason;	     /* if failed; else REASON_OK */
	char text[ACCEPT_TEXT_SIZE]; /* for the record */
	const uint8_t *token;	     /* for the client; borrowed */
	size_t token_len;
	/* If done: */
	char name[IDENTITY_NAME_SIZE];
	char indicators[IDENTITY_INDICATORS_SIZE];
	bool by_spnego; /* it was SPNEGO that led to Kerberos 5 */
	uint32_t flags;
	uint64_t lifetime_us;	 /* until the ticket ends; 0: it has */
	const uint8_t *exported; /* borrowed */
	size_t exported_len;
};

/* Writes the payload of ACCEPT_STEP; 0 if it does not fit. */
size_t accept_question_print(uint8_t *out, size_t size,
    const struct accept_question *question) must_check;
/* False if the octets are not one. */
bool accept_question_parse(
    const void *data, size_t len, struct accept_question *question) must_check;

/* The same for ACCEPT_ANSWER. */
size_t accept_answer_print(
    uint8_t *out, size_t size, const struct accept_answer *answer) must_check;
bool accept_answer_parse(
    const void *data, size_t len, struct accept_answer *answer) must_check;

#endif
