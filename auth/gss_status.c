/* SPDX-License-Identifier: ISC */
/* What libgssapi has to say about a failure, as one line of text. */
#include "auth/gss_status.h"

#include <stdbool.h>
#include <string.h>

#include <gssapi/gssapi.h>
#include <gssapi/gssapi_krb5.h>

/* Only the first of several messages: the others repeat it in general. */
static bool
display(char *out, size_t size, uint32_t status, int kind)
{
	gss_OID mech =
	    kind == GSS_C_MECH_CODE ? (gss_OID)gss_mech_krb5 : GSS_C_NO_OID;
	gss_buffer_desc text = GSS_C_EMPTY_BUFFER;
	OM_uint32 minor, more = 0;
	size_t len;

	if (gss_display_status(&minor, status, kind, mech, &more, &text) !=
	    GSS_S_COMPLETE)
		return false;
	len = text.length < size ? text.length : size - 1;
	if (len > 0)
		memcpy(out, text.value, len);
	out[len] = '\0';
	(void)gss_release_buffer(&minor, &text);
	return len > 0;
}

void
gssstatus_print(char *out, size_t size, uint32_t major, uint32_t minor)
{
	out[0] = '\0';
	/* Some of libkrb5's failures come without a sentence of their own. */
	if (minor != 0 && display(out, size, minor, GSS_C_MECH_CODE) &&
	    strcmp(out, "Success") != 0)
		return;
	(void)display(out, size, major, GSS_C_GSS_CODE);
}
