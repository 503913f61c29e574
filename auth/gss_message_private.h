/* SPDX-License-Identifier: ISC */
/* Opens one message of a GSS context, and reads its number; for auth/gss_*
 * only. */
#ifndef AUTH_GSS_MESSAGE_PRIVATE_H
#define AUTH_GSS_MESSAGE_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gssapi/gssapi.h>

#include "base/compiler.h"

/* What libgssapi says of a message's place among the others; no error. */
#define GSSMESSAGE_SEQUENCE_BITS                                               \
	((OM_uint32)(GSS_S_DUPLICATE_TOKEN | GSS_S_OLD_TOKEN |                 \
		     GSS_S_UNSEQ_TOKEN | GSS_S_GAP_TOKEN))

/* Opens a message where it stands: the status of gss_unwrap_iov.  *plain
 * (inside token) is there only for exactly GSS_S_COMPLETE. */
OM_uint32 gssmessage_open(gss_ctx_id_t handle, uint8_t *token, size_t token_len,
    gss_buffer_desc *plain, int *conf_state) must_check;

/*
 * The same by way of gss_unwrap, which copies but gives out the plaintext of
 * a message that is genuine and not in order too: *plain (inside token) is
 * there whenever nothing but GSSMESSAGE_SEQUENCE_BITS is set.
 */
OM_uint32 gssmessage_open_any(gss_ctx_id_t handle, uint8_t *token,
    size_t token_len, gss_buffer_desc *plain, int *conf_state) must_check;

/*
 * SND_SEQ of RFC 4121 section 4.2.6.2, as the message says it: read it before
 * it is opened and believe it after.  False for another form of message;
 * that includes one in the frame of RFC 2743, which libgssapi would take off,
 * so that one message could come in two forms.
 */
bool gssmessage_number(
    const uint8_t *token, size_t len, uint64_t *number) must_check;

/* Lifts *next above the number of a message that was opened. */
void gssmessage_note(uint64_t *next, uint64_t number);

#endif
