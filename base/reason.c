/* SPDX-License-Identifier: ISC */
/* The one table of reasons: why a request was refused or a session ended. */
#include "base/reason.h"

#include <errno.h>

#include "base/must.h"

static const struct {
	const char *name;
	const char *sentence;
	uint8_t reply;
	bool is_error;
} reasons[REASON_COUNT] = {
#define R(id, name, reply, is_error, sentence)                                 \
	[REASON_##id] = {name, sentence, reply, is_error},
#include "base/reasons.def"
#undef R
};

const char *
reason_name(enum reason reason)
{
	must(reason < REASON_COUNT);
	return reasons[reason].name;
}

const char *
reason_sentence(enum reason reason)
{
	must(reason < REASON_COUNT);
	return reasons[reason].sentence;
}

uint8_t
reason_reply(enum reason reason)
{
	must(reason < REASON_COUNT);
	return reasons[reason].reply;
}

bool
reason_is_error(enum reason reason)
{
	must(reason < REASON_COUNT);
	return reasons[reason].is_error;
}

/* Who writes to a connection that was reset is told EPIPE. */
static bool
is_reset(int error)
{
	return error == ECONNRESET || error == EPIPE;
}

enum reason
reason_of_client(int error)
{
	return is_reset(error) ? REASON_CLIENT_RESET : REASON_CLIENT_ERROR;
}

enum reason
reason_of_target(int error)
{
	return is_reset(error) ? REASON_TARGET_RESET : REASON_TARGET_ERROR;
}
