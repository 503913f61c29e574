/* SPDX-License-Identifier: ISC */
/*
 * A client of the gateway on Heimdal's libgssapi: one HTTP request through
 * SOCKS5 with GSSAPI, the page on standard output.
 *
 *     heimdal_client GATEWAY PORT SERVICE@HOST LEVEL TARGET PORT [spnego]
 *
 * No part of the build: linked with MIT's library everything else is, and
 * the two cannot be in one program.  tests/interop/prepare builds it.
 */
#include <arpa/inet.h>
#include <err.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gssapi/gssapi.h>
#include <gssapi/gssapi_krb5.h>
#include <gssapi/gssapi_spnego.h>

#define TOKEN_MAX 65535

enum { CONTEXT = 1, LEVEL = 2, DATA = 3 };

static int gateway;
static gss_ctx_id_t context = GSS_C_NO_CONTEXT;
static uint8_t token[TOKEN_MAX];

static void
dial(const char *address, const char *port)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)strtoul(port, NULL, 10))};

	if (inet_pton(AF_INET, address, &at.sin_addr) != 1)
		errx(2, "%s is no address", address);
	gateway = socket(AF_INET, SOCK_STREAM, 0);
	if (gateway < 0 ||
	    connect(gateway, (struct sockaddr *)&at, sizeof(at)) < 0)
		err(2, "%s", address);
}

static void
put(const void *data, size_t len)
{
	if (write(gateway, data, len) != (ssize_t)len)
		err(3, "write");
}

/* False at the end of the stream, which may only be between two reads. */
static int
get(void *data, size_t len)
{
	size_t got = 0;

	while (got < len) {
		ssize_t more = read(gateway, (char *)data + got, len - got);

		if (more < 0)
			err(3, "read");
		if (more == 0 && got == 0)
			return 0;
		if (more == 0)
			errx(3, "cut off");
		got += (size_t)more;
	}
	return 1;
}

static void
put_message(uint8_t type, const gss_buffer_desc *message)
{
	uint8_t header[4] = {
	    1, type, (uint8_t)(message->length >> 8), (uint8_t)message->length};

	put(header, sizeof(header));
	put(message->value, message->length);
}

/* A message into `token`; -1 at the end of the stream. */
static ssize_t
get_message(uint8_t type)
{
	uint8_t header[4];
	size_t len;

	if (!get(header, sizeof(header)))
		return -1;
	if (header[0] != 1 || header[1] != type)
		errx(4, "message %u.%u instead of %u", header[0], header[1],
		    type);
	len = (size_t)header[2] << 8 | header[3];
	if (len > 0 && !get(token, len))
		errx(3, "cut off");
	return (ssize_t)len;
}

static void
check(OM_uint32 major, OM_uint32 minor, const char *what)
{
	OM_uint32 ignored, more = 0;
	gss_buffer_desc text;

	if (major == GSS_S_COMPLETE || major == GSS_S_CONTINUE_NEEDED)
		return;
	(void)gss_display_status(&ignored, minor != 0 ? minor : major,
	    minor != 0 ? GSS_C_MECH_CODE : GSS_C_GSS_CODE, GSS_C_NO_OID, &more,
	    &text);
	errx(5, "%s: %.*s", what, (int)text.length, (char *)text.value);
}

static void
establish(const char *service, gss_OID mech)
{
	const OM_uint32 flags = GSS_C_MUTUAL_FLAG | GSS_C_REPLAY_FLAG |
				GSS_C_SEQUENCE_FLAG | GSS_C_INTEG_FLAG |
				GSS_C_CONF_FLAG | GSS_C_DELEG_FLAG;
	gss_buffer_desc name = {strlen(service), (void *)(uintptr_t)service};
	gss_buffer_desc in = {0, NULL}, out;
	OM_uint32 major, minor;
	gss_name_t target;

	major =
	    gss_import_name(&minor, &name, GSS_C_NT_HOSTBASED_SERVICE, &target);
	check(major, minor, "gss_import_name");
	for (;;) {
		major = gss_init_sec_context(&minor, GSS_C_NO_CREDENTIAL,
		    &context, target, mech, flags, 0, GSS_C_NO_CHANNEL_BINDINGS,
		    &in, NULL, &out, NULL, NULL);
		check(major, minor, "gss_init_sec_context");
		if (out.length > 0)
			put_message(CONTEXT, &out);
		if (major == GSS_S_COMPLETE)
			return;
		in.length = (size_t)get_message(CONTEXT);
		in.value = token;
	}
}

static void
put_sealed(uint8_t type, const void *plain, size_t len, int confidential)
{
	gss_buffer_desc in = {len, (void *)(uintptr_t)plain}, out;
	OM_uint32 major, minor;
	int state;

	major = gss_wrap(&minor, context, confidential, GSS_C_QOP_DEFAULT, &in,
	    &state, &out);
	check(major, minor, "gss_wrap");
	put_message(type, &out);
	(void)gss_release_buffer(&minor, &out);
}

/* The plaintext of the next message; `confidential` is what it must be, or
 * -1.  At the end of the stream its value is NULL. */
static gss_buffer_desc
get_sealed(uint8_t type, int confidential)
{
	ssize_t len = get_message(type);
	gss_buffer_desc in = {(size_t)len, token}, out = {0, NULL};
	OM_uint32 major, minor;
	int state;

	if (len < 0)
		return out;
	major = gss_unwrap(&minor, context, &in, &out, &state, NULL);
	check(major, minor, "gss_unwrap");
	if (confidential >= 0 && (state != 0) != confidential)
		errx(6, "a message of another protection");
	return out;
}

static int
agree(uint8_t level)
{
	gss_buffer_desc granted;

	put_sealed(LEVEL, &level, 1, 0);
	granted = get_sealed(LEVEL, 0);
	if (granted.length != 1 || *(uint8_t *)granted.value != level)
		errx(7, "another level was granted");
	return level == 2;
}

static void
ask(const char *target, const char *port, int confidential)
{
	uint8_t request[262] = {5, 1, 0, 3, (uint8_t)strlen(target)};
	size_t len = 5 + strlen(target);
	unsigned number = (unsigned)strtoul(port, NULL, 10);
	gss_buffer_desc answer;

	memcpy(request + 5, target, strlen(target));
	request[len++] = (uint8_t)(number >> 8);
	request[len++] = (uint8_t)number;
	put_sealed(DATA, request, len, confidential);
	answer = get_sealed(DATA, confidential);
	if (answer.length < 10 || ((uint8_t *)answer.value)[1] != 0)
		errx(8, "refused");
}

int
main(int argc, char **argv)
{
	static const char get_page[] = "GET / HTTP/1.0\r\n\r\n";
	gss_buffer_desc piece;
	int confidential;
	uint8_t answer[2];

	if (argc < 7 || strlen(argv[5]) > 255)
		errx(1, "usage: heimdal_client GATEWAY PORT SERVICE LEVEL "
			"TARGET PORT [spnego]");
	dial(argv[1], argv[2]);
	put("\5\1\1", 3);
	if (!get(answer, 2) || answer[0] != 5 || answer[1] != 1)
		errx(4, "the method is not GSSAPI");
	establish(
	    argv[3], argc > 7 ? GSS_SPNEGO_MECHANISM : GSS_KRB5_MECHANISM);
	confidential = agree((uint8_t)strtoul(argv[4], NULL, 10));
	ask(argv[5], argv[6], confidential);
	put_sealed(DATA, get_page, sizeof(get_page) - 1, confidential);
	for (;;) {
		piece = get_sealed(DATA, confidential);
		if (piece.value == NULL)
			return 0;
		(void)fwrite(piece.value, 1, piece.length, stdout);
	}
}
