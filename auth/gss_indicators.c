/* SPDX-License-Identifier: ISC */
/* The authentication indicators that a client's ticket carries. */
#include "auth/gss_indicators.h"

#include <gssapi/gssapi_ext.h>
#include <string.h>

/* More than a KDC gives; the loop ends for certain. */
#define INDICATORS_MAX 32

static bool
append(char *out, size_t size, const gss_buffer_desc *word)
{
	size_t len = strlen(out);

	if (word->length == 0 || word->length + 2 > size - len ||
	    memchr(word->value, ' ', word->length) != NULL ||
	    !identity_name_is_valid(word->value, word->length))
		return false;
	if (len > 0)
		out[len++] = ' ';
	memcpy(out + len, word->value, word->length);
	out[len + word->length] = '\0';
	return true;
}

/* One value of the attribute; *more is -1 at first and 0 behind the last. */
static bool
read_one(gss_name_t client, char *out, size_t size, int *more)
{
	char attribute[] = "auth-indicators";
	gss_buffer_desc name = {sizeof(attribute) - 1, attribute};
	gss_buffer_desc value = GSS_C_EMPTY_BUFFER, shown = GSS_C_EMPTY_BUFFER;
	int is_authenticated = 0, is_complete = 0;
	OM_uint32 minor;
	bool is_good = true;

	if (gss_get_name_attribute(&minor, client, &name, &is_authenticated,
		&is_complete, &value, &shown, more) != GSS_S_COMPLETE)
		*more = 0; /* there is none */
	else if (is_authenticated)
		is_good = append(out, size, &value);
	(void)gss_release_buffer(&minor, &value);
	(void)gss_release_buffer(&minor, &shown);
	return is_good;
}

bool
gssindicators_read(gss_name_t client, char out[IDENTITY_INDICATORS_SIZE])
{
	int more = -1;

	out[0] = '\0';
	for (int i = 0; i < INDICATORS_MAX && more != 0; i++)
		if (!read_one(client, out, IDENTITY_INDICATORS_SIZE, &more))
			return false;
	return more == 0;
}
