/* SPDX-License-Identifier: ISC */
/* Opens one message of a GSS context, and reads its number. */
#include "auth/gss_message_private.h"

#include <stdlib.h>
#include <string.h>

#include <gssapi/gssapi_ext.h>

#include "base/wire.h"

#define TOK_ID_WRAP 0x0504 /* RFC 4121 section 4.2.6.2 */

OM_uint32
gssmessage_open(gss_ctx_id_t handle, uint8_t *token, size_t token_len,
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

OM_uint32
gssmessage_open_any(gss_ctx_id_t handle, uint8_t *token, size_t token_len,
    gss_buffer_desc *plain, int *conf_state)
{
	gss_buffer_desc sealed = {.length = token_len, .value = token};
	gss_buffer_desc opened = GSS_C_EMPTY_BUFFER;
	OM_uint32 major, minor;

	major = gss_unwrap(&minor, handle, &sealed, &opened, conf_state, NULL);
	if (opened.length > token_len)
		major = GSS_S_FAILURE;
	else if (opened.length > 0)
		memcpy(token, opened.value, opened.length);
	else
		free(opened.value); /* libgssapi would leak its one octet */
	plain->value = token;
	plain->length = opened.length;
	(void)gss_release_buffer(&minor, &opened);
	return major;
}

bool
gssmessage_number(const uint8_t *token, size_t len, uint64_t *number)
{
	struct wire_reader reader;
	uint16_t id;

	wire_reader_init(&reader, token, len);
	id = wire_get_u16(&reader);
	(void)wire_get_bytes(&reader, 6); /* Flags, Filler, EC, RRC */
	*number = wire_get_u64(&reader);
	return id == TOK_ID_WRAP && !reader.failed;
}

void
gssmessage_note(uint64_t *next, uint64_t number)
{
	if (number >= *next)
		*next = number == UINT64_MAX ? number : number + 1;
}
