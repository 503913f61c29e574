/* SPDX-License-Identifier: ISC */
/* Fuzzes host names as clients send them and as people write them. */
#include "tests/fuzz/fuzz.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/endpoint.h"

#define TEXT_MAX 400

static void
check_same(const struct endpoint *a, const struct endpoint *b)
{
	property(a->kind == b->kind && a->port == b->port);
	property(address_is_equal(&a->address, &b->address));
	property(strcmp(a->name, b->name) == 0);
}

/* What was made once is made of itself, and no address in disguise. */
static void
check_name(const struct endpoint *endpoint)
{
	struct endpoint again;
	struct in_addr in;
	struct in6_addr in6;
	size_t len = strlen(endpoint->name);

	property(len >= 1 && len <= HOST_NAME_MAX_LEN);
	property(strspn(endpoint->name,
		     "abcdefghijklmnopqrstuvwxyz0123456789-_.") == len);
	property(endpoint->name[len - 1] != '.');
	property(inet_aton(endpoint->name, &in) == 0);
	property(inet_pton(AF_INET6, endpoint->name, &in6) == 0);
	property(
	    endpoint_from_name(endpoint->name, len, endpoint->port, &again));
	check_same(endpoint, &again);
}

static void
check_endpoint(const struct endpoint *endpoint)
{
	char text[ENDPOINT_TEXT_SIZE];
	struct endpoint again;

	if (endpoint->kind == ENDPOINT_NAME)
		check_name(endpoint);
	else
		property(endpoint->address.family != ADDRESS_NONE);
	endpoint_print(endpoint, text);
	property(strlen(text) < sizeof(text));
	property(endpoint_parse(text, &again));
	check_same(endpoint, &again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct endpoint endpoint;
	char text[TEXT_MAX + 1];
	size_t len = size < TEXT_MAX ? size : TEXT_MAX;

	if (endpoint_from_name(data, size, 65535, &endpoint)) {
		property(memchr(data, '\0', size) == NULL);
		check_endpoint(&endpoint);
	}
	if (len > 0)
		memcpy(text, data, len);
	text[len] = '\0';
	if (endpoint_parse(text, &endpoint))
		check_endpoint(&endpoint);
	return 0;
}
