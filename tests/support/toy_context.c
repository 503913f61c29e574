/* SPDX-License-Identifier: ISC */
/*
 * Takes the place of auth/gss_context.c where a test links it first: a
 * context without cryptography, whose seal is the toy seal.
 *
 * Exported it is "TOY".  A level octet n is sealed as 'L', n.
 */
#include "auth/gss_context.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/toy_context.h"
#include "tests/support/toy_seal.h"

struct gssctx {
	char nothing;
};

static int living;
static bool wrap_fails;

int
toy_context_count(void)
{
	return living;
}

void
toy_context_fail_wrap(bool fails)
{
	wrap_fails = fails;
}

struct gssctx *
gssctx_import(const void *exported, size_t len, char *why, size_t why_size)
{
	struct gssctx *context;

	if (len != 3 || memcmp(exported, "TOY", 3) != 0) {
		(void)snprintf(why, why_size, "no toy");
		return NULL;
	}
	context = malloc(sizeof(*context));
	if (context == NULL)
		abort();
	living++;
	return context;
}

void
gssctx_free(struct gssctx *context)
{
	if (context == NULL)
		return;
	living--;
	free(context);
}

enum reason
gssctx_wrap_level(struct gssctx *context, uint8_t level, uint8_t *out,
    size_t size, size_t *len)
{
	(void)context;
	if (size < 2 || wrap_fails)
		return REASON_GSS_SEAL;
	out[0] = 'L';
	out[1] = level;
	*len = 2;
	return REASON_OK;
}

enum reason
gssctx_unwrap_level(
    struct gssctx *context, const void *token, size_t len, uint8_t *level)
{
	const uint8_t *octets = token;

	(void)context;
	if (len != 2 || octets[0] != 'L')
		return REASON_GSS_LEVEL;
	*level = octets[1];
	return REASON_OK;
}

struct seal *
gssctx_into_seal(struct gssctx *context, enum protection protection)
{
	gssctx_free(context);
	return toy_seal_new(protection);
}
