/* SPDX-License-Identifier: ISC */
/*
 * An established GSS context: the protection level's octet, and the seal
 * made of it.  All calls to wrap and unwrap are here.
 *
 * A status is good only if it is exactly GSS_S_COMPLETE: libgssapi gives out
 * the plaintext of replayed and reordered messages with supplementary bits
 * that no error test sees.
 */
#include "auth/gss_context.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h>

#include "auth/gss_context_private.h"
#include "auth/gss_status.h"
#include "base/rfc1961.h"
#include "base/seal.h"

#define IMPORT_MAX	(160 * 1024) /* octets of an exported context */
#define LEVEL_TOKEN_MAX 1024	     /* octets of one sealed octet */
#define ROUTINE_ERRORS                                                         \
	((OM_uint32)GSS_C_ROUTINE_ERROR_MASK << GSS_C_ROUTINE_ERROR_OFFSET |   \
	    (OM_uint32)GSS_C_CALLING_ERROR_MASK << GSS_C_CALLING_ERROR_OFFSET)

struct gssctx {
	gss_ctx_id_t handle;
};

/* The parts of a message where the mechanism seals in place. */
enum part { PART_HEADER, PART_DATA, PART_PADDING, PART_TRAILER, PART_COUNT };

struct gss_seal {
	struct seal seal;
	gss_ctx_id_t handle;
	bool confidential; /* our own messages */
	bool in_place;	   /* the parts have one size for every message */
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
		context->handle = *handle;
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

/* Opens a message where it stands. */
static OM_uint32
open_in_place(gss_ctx_id_t handle, uint8_t *token, size_t token_len,
    gss_buffer_desc *plain, int *conf_state)
{
	gss_iov_buffer_desc parts[2] = {
	    {.type = GSS_IOV_BUFFER_TYPE_STREAM,
		.buffer = {.length = token_len, .value = token}},
	    {.type = GSS_IOV_BUFFER_TYPE_DATA},
	};
	OM_uint32 minor, major;

	major = gss_unwrap_iov(&minor, handle, conf_state, NULL, parts, 2);
	*plain = parts[1].buffer;
	return major;
}

/* Not by gss_unwrap: it leaks the octet that it allocates for an empty
 * plaintext. */
enum reason
gssctx_unwrap_level(
    struct gssctx *context, const void *token, size_t len, uint8_t *level)
{
	uint8_t copy[LEVEL_TOKEN_MAX];
	gss_buffer_desc plain;
	int conf_state; /* either will do */

	if (len == 0 || len > sizeof(copy))
		return REASON_GSS_LEVEL;
	memcpy(copy, token, len);
	if (open_in_place(context->handle, copy, len, &plain, &conf_state) !=
		GSS_S_COMPLETE ||
	    plain.length != 1)
		return REASON_GSS_LEVEL;
	memcpy(level, plain.value, 1);
	return REASON_OK;
}

/* ---- the seal ---- */

static void
name_parts(gss_iov_buffer_desc parts[PART_COUNT])
{
	memset(parts, 0, PART_COUNT * sizeof(parts[0]));
	parts[PART_HEADER].type = GSS_IOV_BUFFER_TYPE_HEADER;
	parts[PART_DATA].type = GSS_IOV_BUFFER_TYPE_DATA;
	parts[PART_PADDING].type = GSS_IOV_BUFFER_TYPE_PADDING;
	parts[PART_TRAILER].type = GSS_IOV_BUFFER_TYPE_TRAILER;
}

static enum reason
wrap_in_place(
    struct seal *seal, uint8_t *token, size_t plain_len, size_t *token_len)
{
	struct gss_seal *gss = (struct gss_seal *)seal;
	gss_iov_buffer_desc parts[PART_COUNT];
	OM_uint32 major, minor;
	int conf_state = 0;

	name_parts(parts);
	parts[PART_HEADER].buffer.value = token;
	parts[PART_HEADER].buffer.length = seal->header;
	parts[PART_DATA].buffer.value = token + seal->header;
	parts[PART_DATA].buffer.length = plain_len;
	parts[PART_TRAILER].buffer.value = token + seal->header + plain_len;
	parts[PART_TRAILER].buffer.length = seal->trailer;
	major = gss_wrap_iov(&minor, gss->handle, gss->confidential,
	    GSS_C_QOP_DEFAULT, &conf_state, parts, PART_COUNT);
	if (major != GSS_S_COMPLETE || (conf_state != 0) != gss->confidential ||
	    parts[PART_HEADER].buffer.length != seal->header ||
	    parts[PART_PADDING].buffer.length != 0 ||
	    parts[PART_TRAILER].buffer.length != seal->trailer)
		return REASON_GSS_SEAL;
	*token_len = seal->header + plain_len + seal->trailer;
	return REASON_OK;
}

/* For mechanisms whose messages have no fixed form (padding). */
static enum reason
wrap_by_copy(
    struct seal *seal, uint8_t *token, size_t plain_len, size_t *token_len)
{
	struct gss_seal *gss = (struct gss_seal *)seal;
	gss_buffer_desc plain = {
	    .length = plain_len, .value = token + seal->header};
	gss_buffer_desc sealed = GSS_C_EMPTY_BUFFER;
	enum reason reason = REASON_GSS_SEAL;
	OM_uint32 major, minor;
	int conf_state = 0;

	major = gss_wrap(&minor, gss->handle, gss->confidential,
	    GSS_C_QOP_DEFAULT, &plain, &conf_state, &sealed);
	if (major == GSS_S_COMPLETE && (conf_state != 0) == gss->confidential &&
	    sealed.length <= seal->header + plain_len + seal->trailer) {
		memcpy(token, sealed.value, sealed.length);
		*token_len = sealed.length;
		reason = REASON_OK;
	}
	(void)gss_release_buffer(&minor, &sealed);
	return reason;
}

static enum reason
wrap(struct seal *seal, uint8_t *token, size_t plain_len, size_t *token_len)
{
	const struct gss_seal *gss = (const struct gss_seal *)seal;

	return gss->in_place ? wrap_in_place(seal, token, plain_len, token_len)
			     : wrap_by_copy(seal, token, plain_len, token_len);
}

/* Of a status that is not GSS_S_COMPLETE. */
static enum reason
reason_of_status(OM_uint32 major)
{
	if ((major & ROUTINE_ERRORS) != 0)
		return REASON_GSS_DEFECTIVE;
	if ((major & (GSS_S_DUPLICATE_TOKEN | GSS_S_OLD_TOKEN)) != 0)
		return REASON_GSS_REPLAY;
	if ((major & (GSS_S_UNSEQ_TOKEN | GSS_S_GAP_TOKEN)) != 0)
		return REASON_GSS_ORDER;
	return REASON_GSS_DEFECTIVE;
}

static enum reason
unwrap(struct seal *seal, uint8_t *token, size_t token_len, uint8_t **plain,
    size_t *plain_len)
{
	struct gss_seal *gss = (struct gss_seal *)seal;
	gss_buffer_desc data;
	OM_uint32 major;
	int conf_state = 0;

	major =
	    open_in_place(gss->handle, token, token_len, &data, &conf_state);
	if (major != GSS_S_COMPLETE)
		return reason_of_status(major);
	if (seal->protection == PROTECTION_CONFIDENTIALITY && conf_state == 0)
		return REASON_GSS_CONFIDENTIALITY;
	*plain = data.value;
	*plain_len = data.length;
	return REASON_OK;
}

static void
free_seal(struct seal *seal)
{
	struct gss_seal *gss = (struct gss_seal *)seal;
	OM_uint32 minor;

	(void)gss_delete_sec_context(&minor, &gss->handle, GSS_C_NO_BUFFER);
	free(gss);
}

static const struct seal_ops gss_seal_ops = {wrap, unwrap, free_seal};

/* Asks how long the parts are around plain_len octets. */
static bool
ask_sizes(const struct gss_seal *gss, size_t plain_len, size_t *header,
    size_t *trailer)
{
	gss_iov_buffer_desc parts[PART_COUNT];
	OM_uint32 minor;

	name_parts(parts);
	parts[PART_DATA].buffer.length = plain_len;
	if (gss_wrap_iov_length(&minor, gss->handle, gss->confidential,
		GSS_C_QOP_DEFAULT, NULL, parts, PART_COUNT) != GSS_S_COMPLETE ||
	    parts[PART_PADDING].buffer.length != 0)
		return false;
	*header = parts[PART_HEADER].buffer.length;
	*trailer = parts[PART_TRAILER].buffer.length;
	return true;
}

static bool
has_fixed_sizes(const struct gss_seal *gss, size_t *header, size_t *trailer)
{
	static const size_t samples[] = {1, 15, 16, 4096};

	if (!ask_sizes(gss, 0, header, trailer))
		return false;
	for (size_t i = 0; i < ARRAY_COUNT(samples); i++) {
		size_t other_header, other_trailer;

		if (!ask_sizes(
			gss, samples[i], &other_header, &other_trailer) ||
		    other_header != *header || other_trailer != *trailer)
			return false;
	}
	return true;
}

static bool
measure(struct gss_seal *gss)
{
	struct seal *seal = &gss->seal;
	OM_uint32 minor, limit = 0;

	if (gss_wrap_size_limit(&minor, gss->handle, gss->confidential,
		GSS_C_QOP_DEFAULT, RFC1961_TOKEN_MAX,
		&limit) != GSS_S_COMPLETE ||
	    limit == 0 || limit >= RFC1961_TOKEN_MAX)
		return false;
	seal->plaintext_max = limit;
	gss->in_place = has_fixed_sizes(gss, &seal->header, &seal->trailer);
	if (gss->in_place)
		return seal->header + limit + seal->trailer <=
		       RFC1961_TOKEN_MAX;
	seal->header = 0;
	seal->trailer = RFC1961_TOKEN_MAX - limit;
	return true;
}

struct seal *
gssctx_into_seal(struct gssctx *context, enum protection protection)
{
	struct gss_seal *gss = calloc(1, sizeof(*gss));

	if (gss == NULL) {
		gssctx_free(context);
		return NULL;
	}
	gss->handle = context->handle;
	context->handle = GSS_C_NO_CONTEXT;
	gssctx_free(context);

	gss->seal.ops = &gss_seal_ops;
	gss->seal.protection =
	    protection == PROTECTION_NONE ? PROTECTION_INTEGRITY : protection;
	gss->confidential = gss->seal.protection > PROTECTION_INTEGRITY;
	if (!measure(gss)) {
		free_seal(&gss->seal);
		return NULL;
	}
	return &gss->seal;
}
