/* SPDX-License-Identifier: ISC */
/*
 * An established GSS context: the protection level's octet, and the seal
 * made of it.
 */
#include "auth/gss_context.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gssapi/gssapi.h>

#include "auth/gss_context_private.h"
#include "auth/gss_message_private.h"
#include "auth/gss_seal_private.h"
#include "auth/gss_status.h"

#define IMPORT_MAX	(160 * 1024) /* octets of an exported context */
#define LEVEL_TOKEN_MAX 1024	     /* octets of one sealed octet */

struct gssctx {
	gss_ctx_id_t handle;
	uint64_t next; /* above the numbers of all messages that were opened */
};

/* ---- the context ---- */

struct gssctx *
gssctx_adopt(gss_ctx_id_t *handle)
{
	struct gssctx *context = malloc(sizeof(*context));
	OM_uint32 minor;

	if (context == NULL)
		(void)gss_delete_sec_context(&minor, handle, GSS_C_NO_BUFFER);
	else
		*context = (struct gssctx){.handle = *handle};
	*handle = GSS_C_NO_CONTEXT;
	return context;
}

struct gssctx *
gssctx_import(const void *exported, size_t len, char *why, size_t why_size)
{
	gss_buffer_desc token = {.length = len};
	gss_ctx_id_t handle = GSS_C_NO_CONTEXT;
	struct gssctx *context;
	OM_uint32 major, minor;

	/* libgssapi 1.20 trusts the lengths inside; it comes from our own
	 * authenticator, and its size at least is bounded. */
	if (len == 0 || len > IMPORT_MAX) {
		(void)snprintf(why, why_size, "a context of %zu octets", len);
		errno = EMSGSIZE;
		return NULL;
	}
	token.value = (void *)(uintptr_t)exported; /* only read */
	major = gss_import_sec_context(&minor, &token, &handle);
	if (major != GSS_S_COMPLETE) {
		gssstatus_print(why, why_size, major, minor);
		errno = EINVAL;
		return NULL;
	}
	context = gssctx_adopt(&handle);
	if (context == NULL)
		(void)snprintf(why, why_size, "%s", strerror(ENOMEM));
	return context;
}

void
gssctx_free(struct gssctx *context)
{
	OM_uint32 minor;

	if (context == NULL)
		return;
	(void)gss_delete_sec_context(&minor, &context->handle, GSS_C_NO_BUFFER);
	free(context);
}

/* ---- the level octet (RFC 1961 section 4) ---- */

enum reason
gssctx_wrap_level(struct gssctx *context, uint8_t level, uint8_t *out,
    size_t size, size_t *len)
{
	gss_buffer_desc octet = {.length = 1, .value = &level};
	gss_buffer_desc token = GSS_C_EMPTY_BUFFER;
	enum reason reason = REASON_GSS_SEAL;
	OM_uint32 major, minor;
	int conf_state = 0;

	major = gss_wrap(&minor, context->handle, 0, GSS_C_QOP_DEFAULT, &octet,
	    &conf_state, &token);
	if (major == GSS_S_COMPLETE && conf_state == 0 &&
	    token.length <= size) {
		memcpy(out, token.value, token.length);
		*len = token.length;
		reason = REASON_OK;
	}
	(void)gss_release_buffer(&minor, &token);
	return reason;
}

/* Not by gss_unwrap: it leaks the octet that it allocates for an empty
 * plaintext. */
enum reason
gssctx_unwrap_level(
    struct gssctx *context, const void *token, size_t len, uint8_t *level)
{
	uint8_t copy[LEVEL_TOKEN_MAX];
	gss_buffer_desc plain;
	bool is_numbered;
	uint64_t number;
	int conf_state; /* either will do */

	if (len == 0 || len > sizeof(copy))
		return REASON_GSS_LEVEL;
	is_numbered = gssmessage_number(token, len, &number);
	memcpy(copy, token, len);
	if (gssmessage_open(context->handle, copy, len, &plain, &conf_state) !=
		GSS_S_COMPLETE ||
	    plain.length != 1)
		return REASON_GSS_LEVEL;
	if (is_numbered)
		gssmessage_note(&context->next, number);
	memcpy(level, plain.value, 1);
	return REASON_OK;
}

struct seal *
gssctx_into_seal(struct gssctx *context, enum protection protection)
{
	struct seal *seal =
	    gssseal_new(context->handle, context->next, protection);

	context->handle = GSS_C_NO_CONTEXT; /* it is the seal's */
	gssctx_free(context);
	return seal;
}
