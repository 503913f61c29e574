/* SPDX-License-Identifier: ISC */
/*
 * The seal of an established GSS context.
 *
 * A status is good only if it is exactly GSS_S_COMPLETE: libgssapi gives out
 * the plaintext of replayed and reordered messages with supplementary bits
 * that no error test sees.  Datagrams are the exception, and have a window of
 * their own.
 */
#include "auth/gss_seal_private.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h>

#include "auth/gss_message_private.h"
#include "base/must.h"
#include "base/replay_window.h"
#include "base/rfc1961.h"
#include "base/seal.h"
#include "base/socks5_udp.h"

#define ROUTINE_ERRORS                                                         \
	((OM_uint32)GSS_C_ROUTINE_ERROR_MASK << GSS_C_ROUTINE_ERROR_OFFSET |   \
	    (OM_uint32)GSS_C_CALLING_ERROR_MASK << GSS_C_CALLING_ERROR_OFFSET)

/* The parts of a message where the mechanism seals in place. */
enum part { PART_HEADER, PART_DATA, PART_PADDING, PART_TRAILER, PART_COUNT };

struct gss_seal {
	struct seal seal;
	gss_ctx_id_t handle;
	bool confidential; /* our own messages */
	/* The parts have one size for every message.  That is so of RFC 4121,
	 * and not of what came before (RFC 1964 and 4757), which pads. */
	bool in_place;
	uint64_t next; /* above the numbers of all messages that were opened;
			* of RFC 4121 */
	struct replay_window *window; /* of datagrams; NULL: a stream */
};

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
unwrap_next(struct gss_seal *gss, uint8_t *token, size_t token_len,
    gss_buffer_desc *data, int *conf_state)
{
	uint64_t number;
	bool is_numbered = gssmessage_number(token, token_len, &number);
	OM_uint32 major;

	if (gss->in_place && !is_numbered)
		return REASON_GSS_DEFECTIVE;
	major =
	    gssmessage_open(gss->handle, token, token_len, data, conf_state);
	if (major != GSS_S_COMPLETE)
		return reason_of_status(major);
	if (is_numbered)
		gssmessage_note(&gss->next, number);
	return REASON_OK;
}

/*
 * Our own window judges the numbers.  libgssapi's remembers 64 messages, says
 * "unsequenced" of older replays if the client asked for sequence, nothing
 * at all if it asked for neither that nor replay, and falsely "duplicate"
 * after a gap of 64: so its word on order means nothing here.
 */
static enum reason
unwrap_numbered(struct gss_seal *gss, uint8_t *token, size_t token_len,
    gss_buffer_desc *data, int *conf_state)
{
	uint64_t number;
	OM_uint32 major;

	if (!gssmessage_number(token, token_len, &number))
		return REASON_GSS_DEFECTIVE;
	if (!replay_window_may_pass(gss->window, number))
		return REASON_GSS_REPLAY;
	major = gssmessage_open_any(
	    gss->handle, token, token_len, data, conf_state);
	if ((major & ~GSSMESSAGE_SEQUENCE_BITS) != GSS_S_COMPLETE)
		return REASON_GSS_DEFECTIVE;
	replay_window_commit(gss->window, number);
	return REASON_OK;
}

/*
 * Messages older than RFC 4121 encrypt their numbers: libgssapi alone can
 * judge them.  A gap is above all that it has seen; "unsequenced" may hide a
 * replay.  So with sequence such a client loses what was overtaken, without
 * it what was overtaken by 64.
 */
static enum reason
unwrap_old(struct gss_seal *gss, uint8_t *token, size_t token_len,
    gss_buffer_desc *data, int *conf_state)
{
	OM_uint32 major = gssmessage_open_any(
	    gss->handle, token, token_len, data, conf_state);

	if ((major & ~GSSMESSAGE_SEQUENCE_BITS) != GSS_S_COMPLETE)
		return REASON_GSS_DEFECTIVE;
	if ((major & ~(OM_uint32)GSS_S_GAP_TOKEN) != GSS_S_COMPLETE)
		return REASON_GSS_REPLAY;
	return REASON_OK;
}

static enum reason
unwrap(struct seal *seal, uint8_t *token, size_t token_len, uint8_t **plain,
    size_t *plain_len)
{
	struct gss_seal *gss = (struct gss_seal *)seal;
	gss_buffer_desc data;
	enum reason reason;
	int conf_state = 0;

	if (gss->window == NULL)
		reason = unwrap_next(gss, token, token_len, &data, &conf_state);
	else if (gss->in_place)
		reason =
		    unwrap_numbered(gss, token, token_len, &data, &conf_state);
	else
		reason = unwrap_old(gss, token, token_len, &data, &conf_state);
	if (reason != REASON_OK)
		return reason;
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
	free(gss->window);
	free(gss);
}

/* The most that fits a token of `max` octets; 0 if it is not known. */
static size_t
ask_plaintext_max(const struct gss_seal *gss, OM_uint32 max)
{
	OM_uint32 minor, limit = 0;

	if (gss_wrap_size_limit(&minor, gss->handle, gss->confidential,
		GSS_C_QOP_DEFAULT, max, &limit) != GSS_S_COMPLETE ||
	    limit >= max)
		return 0;
	return limit;
}

/* Does libgssapi know at least some replays? */
static bool
is_watched(const struct gss_seal *gss)
{
	OM_uint32 minor, flags = 0;

	return gss_inquire_context(&minor, gss->handle, NULL, NULL, NULL, NULL,
		   &flags, NULL, NULL) == GSS_S_COMPLETE &&
	       (flags & (GSS_C_REPLAY_FLAG | GSS_C_SEQUENCE_FLAG)) != 0;
}

static enum reason
into_datagram(struct seal *seal)
{
	struct gss_seal *gss = (struct gss_seal *)seal;
	size_t max =
	    ask_plaintext_max(gss, SOCKS5_UDP_DATAGRAM_MAX - RFC1961_HEADER);

	must(gss->window == NULL);
	if (max == 0)
		return REASON_GSS_SEAL;
	if (!gss->in_place && !is_watched(gss))
		return REASON_GSS_FLAGS;
	gss->window = malloc(sizeof(*gss->window));
	if (gss->window == NULL)
		return REASON_NO_MEMORY;
	replay_window_init(gss->window, gss->next);
	seal->plaintext_max = max;
	return REASON_OK;
}

static const struct seal_ops gss_seal_ops = {
    wrap, unwrap, free_seal, into_datagram};

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
	size_t limit = ask_plaintext_max(gss, RFC1961_TOKEN_MAX);

	if (limit == 0)
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
gssseal_new(gss_ctx_id_t handle, uint64_t next, enum protection protection)
{
	struct gss_seal *gss = calloc(1, sizeof(*gss));
	OM_uint32 minor;

	if (gss == NULL) {
		(void)gss_delete_sec_context(&minor, &handle, GSS_C_NO_BUFFER);
		return NULL;
	}
	gss->handle = handle;
	gss->next = next;
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
