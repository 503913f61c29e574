/* SPDX-License-Identifier: ISC */
/*
 * What gatewardenctl and the gateway say to each other over the control
 * socket: a link with one question, its answer line by line, and its end.
 *
 * Lines are names and texts, as base/options has them; what they mean to
 * people, and their form as JSON, is gatewardenctl's.  The gateway trusts
 * nobody at the other end.  Who reads what came from there uses texts only:
 * options_get_u64 and options_get_bool end the program that reads nonsense.
 */
#ifndef BASE_CTL_PROTOCOL_H
#define BASE_CTL_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct options;

enum ctl_type {
	/* gatewardenctl to gateway, once */
	CTL_ASK = 1, /* options_encode: "command", and what it wants to know */
	/* gateway to gatewardenctl */
	CTL_LINE,   /* options_encode: "kind", and what a line of it has */
	CTL_OCTETS, /* a piece of a stream */
	CTL_DONE,   /* nothing; that was all */
	CTL_FAILED, /* struct ctl_failed; there will be no more */
	CTL_WAIT    /* nothing; it goes on */
};

#define CTL_ASK_MAX	  (16 * 1024)
#define CTL_LINE_MAX	  (64 * 1024)
#define CTL_OCTETS_MAX	  (128 * 1024)
#define CTL_SENTENCE_SIZE 1024
#define CTL_FAILED_MAX	  (1 + 4 + CTL_SENTENCE_SIZE)

/* Yes and no in lines. */
#define CTL_YES "true"
#define CTL_NO	"false"

const char *ctl_yes(bool is);
bool ctl_is_yes(const struct options *line, const char *name);
/* 0 too where it is not there, or no number. */
uint64_t ctl_number(const struct options *line, const char *name);

enum ctl_failure {
	CTL_REFUSED = 1,  /* who asks may not */
	CTL_BAD_QUESTION, /* it cannot be answered as it is */
	CTL_BUSY,	  /* too many ask at a time */
	CTL_UNAVAILABLE,  /* what the answer needs is not there now */
	CTL_FAILURE_END
};

struct ctl_failed {
	enum ctl_failure failure;
	char sentence[CTL_SENTENCE_SIZE]; /* without a full stop */
};

/* Returns the length. */
size_t
ctl_failed_encode(const struct ctl_failed *failed, uint8_t out[CTL_FAILED_MAX]);
bool ctl_failed_decode(
    const void *data, size_t len, struct ctl_failed *failed) must_check;

#endif
