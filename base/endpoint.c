/* SPDX-License-Identifier: ISC */
/* Where a client wants to go: a normalised host name or an address, and a
 * port. */
#include "base/endpoint.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define LABEL_MAX_LEN 63

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Takes upper case too and returns lower case; 0 for no character of names. */
static char
name_character(uint8_t octet)
{
	char c = (char)octet;

	if (c >= 'A' && c <= 'Z')
		return (char)(c - 'A' + 'a');
	if ((c >= 'a' && c <= 'z') || is_digit(c) || c == '-' || c == '_' ||
	    c == '.')
		return c;
	return '\0';
}

static bool
is_label(const char *label, size_t len)
{
	return len >= 1 && len <= LABEL_MAX_LEN && label[0] != '-' &&
	       label[len - 1] != '-';
}

/*
 * True for a last label that makes some inet_aton read the whole as a
 * number: 10, 0177, 0x7f, and 0x alone.
 */
static bool
is_number(const char *label)
{
	if (label[0] == '0' && label[1] == 'x')
		return label[2 + strspn(label + 2, "0123456789abcdef")] == '\0';
	return label[strspn(label, "0123456789")] == '\0';
}

static bool
name_from(const uint8_t *octets, size_t len, char name[HOST_NAME_SIZE])
{
	const char *label = name;

	if (octets[len - 1] == '.')
		len--;
	if (len > HOST_NAME_MAX_LEN)
		return false;
	for (size_t i = 0; i < len; i++) {
		name[i] = name_character(octets[i]);
		if (name[i] == '\0')
			return false;
		if (name[i] == '.') {
			if (!is_label(label, (size_t)(name + i - label)))
				return false;
			label = name + i + 1;
		}
	}
	name[len] = '\0';
	return is_label(label, (size_t)(name + len - label)) &&
	       !is_number(label);
}

static bool
address_from(const uint8_t *octets, size_t len, struct address *address)
{
	char text[ADDRESS_TEXT_SIZE];
	bool is_bracketed =
	    len >= 2 && octets[0] == '[' && octets[len - 1] == ']';

	if (is_bracketed) {
		octets++;
		len -= 2;
	}
	/* A NUL would hide what is behind it. */
	if (len >= sizeof(text) || memchr(octets, '\0', len) != NULL)
		return false;
	memcpy(text, octets, len);
	text[len] = '\0';
	if (is_bracketed && strchr(text, ':') == NULL)
		return false;
	return address_parse(text, address);
}

bool
endpoint_from_name(
    const void *octets, size_t len, uint16_t port, struct endpoint *endpoint)
{
	struct endpoint made = {.port = port};

	if (len == 0)
		return false;
	if (address_from(octets, len, &made.address))
		made.kind = ENDPOINT_ADDRESS;
	else if (name_from(octets, len, made.name))
		made.kind = ENDPOINT_NAME;
	else
		return false;
	*endpoint = made;
	return true;
}

struct endpoint
endpoint_from_address(const struct address *address, uint16_t port)
{
	return (struct endpoint){
	    .kind = ENDPOINT_ADDRESS,
	    .address = *address,
	    .port = port,
	};
}

bool
endpoint_is_equal(const struct endpoint *a, const struct endpoint *b)
{
	if (a->kind != b->kind || a->port != b->port)
		return false;
	return a->kind == ENDPOINT_NAME
		   ? strcmp(a->name, b->name) == 0
		   : address_is_equal(&a->address, &b->address);
}

bool
endpoint_is_unspecified(const struct endpoint *endpoint)
{
	return endpoint->kind == ENDPOINT_ADDRESS &&
	       address_is_unspecified(&endpoint->address);
}

const char *
endpoint_print(const struct endpoint *endpoint, char out[ENDPOINT_TEXT_SIZE])
{
	struct socket_address address = {endpoint->address, endpoint->port};

	if (endpoint->kind == ENDPOINT_ADDRESS)
		return socket_address_print(&address, out);
	snprintf(
	    out, ENDPOINT_TEXT_SIZE, "%s:%u", endpoint->name, endpoint->port);
	return out;
}

bool
endpoint_parse(const char *text, struct endpoint *endpoint)
{
	const char *colon = strrchr(text, ':');
	uint64_t port;
	size_t len;

	if (colon == NULL || !text_parse_u64(colon + 1, 0, UINT16_MAX, &port))
		return false;
	len = (size_t)(colon - text);
	/* "::1:80" could be read in two ways. */
	if (text[0] != '[' && memchr(text, ':', len) != NULL)
		return false;
	return endpoint_from_name(text, len, (uint16_t)port, endpoint);
}
