/* SPDX-License-Identifier: ISC */
/* The gateway as people write it. */
#include "agent/gateway_name.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* The host's end, and where its port begins (NULL: none is written). */
static bool
split(const char *text, const char **host, size_t *len, const char **port)
{
	const char *end;

	*host = text;
	*port = NULL;
	if (text[0] == '[') {
		*host = text + 1;
		end = strchr(text, ']');
		if (end == NULL || (end[1] != '\0' && end[1] != ':'))
			return false;
		*len = (size_t)(end - *host);
		if (end[1] == ':')
			*port = end + 2;
		return true;
	}
	end = strchr(text, ':');
	/* More than one colon: an IPv6 address without a port. */
	if (end == NULL || strchr(end + 1, ':') != NULL)
		end = text + strlen(text);
	else
		*port = end + 1;
	*len = (size_t)(end - text);
	return true;
}

bool
gateway_name_parse(const char *text, struct gateway_name *name)
{
	const char *host, *port;
	struct address address;
	struct endpoint endpoint;
	uint64_t number = GATEWAY_NAME_PORT;
	size_t len;

	if (!split(text, &host, &len, &port) || len >= sizeof(name->host))
		return false;
	if (port != NULL && !text_parse_u64(port, 1, 65535, &number))
		return false;
	memcpy(name->host, host, len);
	name->host[len] = '\0';
	(void)snprintf(name->port, sizeof(name->port), "%u", (unsigned)number);
	return address_parse(name->host, &address) ||
	       (text[0] != '[' && endpoint_from_name(name->host, len,
				      (uint16_t)number, &endpoint));
}
