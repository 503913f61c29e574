/* SPDX-License-Identifier: ISC */
/* Hints for the record: which known client a failure looks like. */
#include "base/hint.h"

#include "base/must.h"
#include "base/socks5.h"

/* ---- how it ended ---- */

typedef bool end_fn(enum reason reason);

static bool
ended_METHOD(enum reason reason)
{
	return reason == REASON_NO_METHOD;
}

static bool
ended_LEFT(enum reason reason)
{
	return reason == REASON_CLIENT_CLOSED ||
	       reason == REASON_CLIENT_RESET || reason == REASON_CLIENT_ERROR;
}

static bool
ended_SILENT(enum reason reason)
{
	return ended_LEFT(reason) || reason == REASON_HANDSHAKE_TIMEOUT;
}

static bool
ended_MECH(enum reason reason)
{
	return reason == REASON_GSS_NO_CREDENTIAL ||
	       reason == REASON_GSS_DEFECTIVE_TOKEN;
}

static bool
ended_FRAME(enum reason reason)
{
	return reason == REASON_GSS_BAD_FRAME;
}

static bool
ended_BAD_LEVEL(enum reason reason)
{
	return reason == REASON_GSS_LEVEL;
}

static bool
ended_CLEAR(enum reason reason)
{
	return reason == REASON_GSS_CLEAR;
}

/* ---- what else ---- */

typedef bool question_fn(const struct hint_facts *facts);

static bool
is_anybody(const struct hint_facts *facts)
{
	(void)facts;
	return true;
}

static bool
offers_only_none(const struct hint_facts *facts)
{
	return facts->offers_only_none;
}

static bool
offers_as_curl_does(const struct hint_facts *facts)
{
	return facts->offers_as_curl_does;
}

static bool
may_not_spnego(const struct hint_facts *facts)
{
	return facts->mech == CONTEXT_MECH_SPNEGO && !facts->may_spnego;
}

static bool
is_ntlm(const struct hint_facts *facts)
{
	return facts->mech == CONTEXT_MECH_NTLM;
}

static bool
skipped_level(const struct hint_facts *facts)
{
	return facts->first_octet == SOCKS5_VERSION;
}

static bool
sent_bare_level(const struct hint_facts *facts)
{
	return facts->bare_level;
}

static bool
wished_none(const struct hint_facts *facts)
{
	return facts->wish == 0;
}

static bool
is_curl_that_wished_none(const struct hint_facts *facts)
{
	return facts->offers_as_curl_does && facts->wish == 0;
}

static bool
wished_otherwise(const struct hint_facts *facts)
{
	return facts->wish != facts->granted;
}

/* ---- the table ---- */

static const struct {
	const char *name;
	enum hint_stage stage;
	end_fn *ended;
	question_fn *question;
	const char *sentence;
} hints[HINT_COUNT] = {
    [HINT_NONE] = {.name = "", .sentence = ""},
#define H(id, name, stage, end, question, sentence)                            \
	[HINT_##id] = {                                                        \
	    name, HINT_STAGE_##stage, ended_##end, question, sentence},
#include "base/hints.def"
#undef H
};

enum hint
hint_find(const struct hint_facts *facts, enum reason reason)
{
	for (unsigned i = HINT_NONE + 1; i < HINT_COUNT; i++) {
		if (hints[i].stage == facts->stage && hints[i].ended(reason) &&
		    hints[i].question(facts))
			return (enum hint)i;
	}
	return HINT_NONE;
}

const char *
hint_name(enum hint hint)
{
	must(hint < HINT_COUNT);
	return hints[hint].name;
}

const char *
hint_sentence(enum hint hint)
{
	must(hint < HINT_COUNT);
	return hints[hint].sentence;
}
