/* SPDX-License-Identifier: ISC */
/*
 * Fuzzes the accept path of a real acceptor: libgssapi, a keytab, a replay
 * cache.  The keytab's key is fixed, so that an input can get behind the
 * decryption.  Octet 0 says what the rest is:
 *
 *     't'  the token
 *     'r'  an AP-REQ, which is framed here
 *     'a'  the plaintexts of a ticket and an authenticator (u16 length of
 *          the first), which are encrypted and framed here
 *     's'  the same, offered by way of SPNEGO
 *
 * Whoever gets in has a name of the realm and the flags that are required.
 */
#include "tests/fuzz/fuzz.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <krb5.h>

#include "auth/gss_accept.h"
#include "base/wire.h"

#define INPUT_MAX	    4096
#define TOKEN_MAX	    (3 * INPUT_MAX)
#define USAGE_TICKET	    2
#define USAGE_AUTHENTICATOR 11

static char folder[] = "/tmp/fuzz-accept.XXXXXX";
static char paths[3][64];
static krb5_context krb5;
static struct gssaccept *accept_path;

/* libkrb5's clock stands still, so that the seeds never grow too old. */
#define NOW 1780272000 /* 2026-06-01T00:00:00Z */

int
gettimeofday(struct timeval *restrict now, void *restrict zone)
{
	(void)zone;
	*now = (struct timeval){.tv_sec = NOW};
	return 0;
}

time_t
time(time_t *now)
{
	if (now != NULL)
		*now = NOW;
	return NOW;
}

/* Both keys, the service's and the session's, are 32 times this. */
static krb5_keyblock
fixed_key(uint8_t octet)
{
	static uint8_t octets[2][32];
	uint8_t *which = octets[octet & 1];

	memset(which, octet, sizeof(octets[0]));
	return (krb5_keyblock){.enctype = ENCTYPE_AES256_CTS_HMAC_SHA1_96,
	    .length = sizeof(octets[0]),
	    .contents = which};
}

#define SERVICE_KEY 0x10
#define SESSION_KEY 0x11

static void
write_config(void)
{
	FILE *file = fopen(paths[0], "w");

	property(file != NULL);
	(void)fputs("[libdefaults]\n\tdefault_realm = EXAMPLE.COM\n"
		    "\tdns_canonicalize_hostname = false\n",
	    file);
	(void)fclose(file);
	property(setenv("KRB5_CONFIG", paths[0], 1) == 0);
}

static void
write_keytab(void)
{
	krb5_keytab_entry entry = {.vno = 1, .key = fixed_key(SERVICE_KEY)};
	krb5_keytab keytab;
	char name[80];

	(void)snprintf(name, sizeof(name), "WRFILE:%s", paths[1]);
	property(krb5_parse_name(
		     krb5, "socks/gw.example.com", &entry.principal) == 0);
	property(krb5_kt_resolve(krb5, name, &keytab) == 0);
	property(krb5_kt_add_entry(krb5, keytab, &entry) == 0);
	(void)krb5_kt_close(krb5, keytab);
	krb5_free_principal(krb5, entry.principal);
}

static void
sweep(void)
{
	for (size_t i = 0; i < 3; i++)
		(void)unlink(paths[i]);
	(void)rmdir(folder);
}

static void
set_up(void)
{
	static const char *const services[] = {"socks", NULL};
	static const char *const realms[] = {NULL};
	static const char *const names[] = {"krb5.conf", "keytab", "replay"};
	struct gssaccept_settings settings = {.keytab = paths[1],
	    .replay_cache = paths[2],
	    .services = services,
	    .realms = realms};
	char why[512] = "";

	property(mkdtemp(folder) != NULL);
	for (size_t i = 0; i < 3; i++)
		(void)snprintf(
		    paths[i], sizeof(paths[i]), "%s/%s", folder, names[i]);
	(void)atexit(sweep);
	write_config();
	property(krb5_init_context(&krb5) == 0);
	write_keytab();
	accept_path = gssaccept_new(&settings, why, sizeof(why));
	property(accept_path != NULL);
}

/* ---- DER, as far as an AP-REQ needs it ---- */

/* A value into `out` behind its tag and a length of two octets. */
static size_t
put_tlv(uint8_t *out, uint8_t tag, const uint8_t *value, size_t len)
{
	struct wire_writer writer;

	wire_writer_init(&writer, out, TOKEN_MAX);
	wire_put_u8(&writer, tag);
	wire_put_u8(&writer, 0x82);
	wire_put_u16(&writer, (uint16_t)len);
	if (len > 0)
		wire_put_bytes(&writer, value, len);
	property(!writer.failed);
	return writer.len;
}

/* EncryptedData (RFC 4120 section 5.2.9) inside of the context tag. */
static size_t
put_encrypted(uint8_t *out, uint8_t tag, uint8_t key_octet, krb5_keyusage usage,
    const uint8_t *plain, size_t len)
{
	static const uint8_t etype[] = {0xa0, 3, 2, 1, 18};
	static uint8_t cipher[TOKEN_MAX], body[TOKEN_MAX], inner[TOKEN_MAX];
	krb5_keyblock key = fixed_key(key_octet);
	krb5_data in = {.length = (unsigned)len, .data = NULL};
	krb5_enc_data encrypted = {
	    .ciphertext = {.length = sizeof(cipher), .data = (char *)cipher}};
	size_t at = sizeof(etype);

	in.data = (char *)(uintptr_t)plain;
	property(krb5_c_encrypt(krb5, &key, usage, NULL, &in, &encrypted) == 0);
	memcpy(body, etype, sizeof(etype));
	len = put_tlv(inner, 0x04, cipher, encrypted.ciphertext.length);
	at += put_tlv(body + at, 0xa2, inner, len);
	len = put_tlv(inner, 0x30, body, at);
	return put_tlv(out, tag, inner, len);
}

/* Ticket and AP-REQ (RFC 4120 sections 5.3 and 5.5.1) of two plaintexts. */
static size_t
put_request(uint8_t *out, const uint8_t *ticket, size_t ticket_len,
    const uint8_t *authenticator, size_t authenticator_len)
{
	static const uint8_t ticket_head[] = {0xa0, 3, 2, 1, 5, 0xa1, 13, 27,
	    11, 'E', 'X', 'A', 'M', 'P', 'L', 'E', '.', 'C', 'O', 'M', 0xa2, 34,
	    48, 32, 0xa0, 3, 2, 1, 3, 0xa1, 25, 48, 23, 27, 5, 's', 'o', 'c',
	    'k', 's', 27, 14, 'g', 'w', '.', 'e', 'x', 'a', 'm', 'p', 'l', 'e',
	    '.', 'c', 'o', 'm'};
	static const uint8_t request_head[] = {0xa0, 3, 2, 1, 5, 0xa1, 3, 2, 1,
	    14, 0xa2, 7, 3, 5, 0, 0x20, 0, 0, 0};
	static uint8_t body[TOKEN_MAX], inner[TOKEN_MAX];
	size_t len, at;

	memcpy(body, ticket_head, sizeof(ticket_head));
	at = sizeof(ticket_head);
	at += put_encrypted(
	    body + at, 0xa3, SERVICE_KEY, USAGE_TICKET, ticket, ticket_len);
	len = put_tlv(inner, 0x30, body, at);
	at = put_tlv(body, 0x61, inner, len);
	memcpy(inner, request_head, sizeof(request_head));
	len = sizeof(request_head);
	len += put_tlv(inner + len, 0xa3, body, at);
	len += put_encrypted(inner + len, 0xa4, SESSION_KEY,
	    USAGE_AUTHENTICATOR, authenticator, authenticator_len);
	at = put_tlv(body, 0x30, inner, len);
	return put_tlv(out, 0x6e, body, at);
}

/* RFC 2743 section 3.1: the mechanism and the token's type in front. */
static size_t
put_frame(uint8_t *out, const uint8_t *request, size_t len)
{
	static const uint8_t oid[] = {0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7,
	    0x12, 0x01, 0x02, 0x02, 0x01, 0x00};
	static uint8_t body[TOKEN_MAX];

	memcpy(body, oid, sizeof(oid));
	memcpy(body + sizeof(oid), request, len);
	return put_tlv(out, 0x60, body, sizeof(oid) + len);
}

/* RFC 4178 section 4.2.1: Kerberos 5 is offered, and its first token. */
static size_t
put_spnego(uint8_t *out, const uint8_t *token, size_t len)
{
	static const uint8_t oid[] = {
	    0x06, 0x06, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x02};
	static const uint8_t mechs[] = {0xa0, 0x0d, 0x30, 0x0b, 0x06, 0x09,
	    0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02};
	static uint8_t one[TOKEN_MAX], other[TOKEN_MAX];

	len = put_tlv(one, 0x04, token, len);
	memcpy(other, mechs, sizeof(mechs));
	len = sizeof(mechs) + put_tlv(other + sizeof(mechs), 0xa2, one, len);
	len = put_tlv(one, 0x30, other, len);
	memcpy(other, oid, sizeof(oid));
	len = sizeof(oid) + put_tlv(other + sizeof(oid), 0xa0, one, len);
	return put_tlv(out, 0x60, other, len);
}

/* From the plaintexts of a ticket and an authenticator; 0 if there are none. */
static size_t
make_sealed(uint8_t *token, const uint8_t *data, size_t size)
{
	static uint8_t request[TOKEN_MAX];
	struct wire_reader reader;
	size_t ticket_len, rest;
	const uint8_t *ticket;

	wire_reader_init(&reader, data, size);
	ticket_len = wire_get_u16(&reader);
	ticket = wire_get_bytes(&reader, ticket_len);
	rest = wire_remaining(&reader);
	if (reader.failed || ticket_len == 0 || rest == 0)
		return 0;
	return put_frame(token, request,
	    put_request(request, ticket, ticket_len,
		wire_get_bytes(&reader, rest), rest));
}

static size_t
make_token(uint8_t *token, const uint8_t *data, size_t size)
{
	static uint8_t inner[TOKEN_MAX];
	size_t len;

	switch (*data++) {
	case 'r':
		return put_frame(token, data, size - 1);
	case 'a':
		return make_sealed(token, data, size - 1);
	case 's':
		len = make_sealed(inner, data, size - 1);
		return len > 0 ? put_spnego(token, inner, len) : 0;
	default:
		memcpy(token, data, size - 1);
		return size - 1;
	}
}

static void
check(const struct accept_answer *answer, bool has_half)
{
	property(has_half == (answer->outcome == ACCEPT_CONTINUE));
	property((answer->outcome == ACCEPT_FAILED) ==
		 (answer->reason != REASON_OK));
	property(
	    (answer->outcome == ACCEPT_DONE) == (answer->exported_len > 0));
	property((answer->outcome == ACCEPT_DONE) == (answer->name[0] != '\0'));
	property(answer->outcome != ACCEPT_CONTINUE || answer->token_len > 0);
	if (answer->outcome != ACCEPT_DONE)
		return;
	property(identity_name_is_valid(answer->name, strlen(answer->name)));
	property(strstr(answer->name, "@EXAMPLE.COM") != NULL);
	property((answer->flags & CONTEXT_MUTUAL) != 0);
	property((answer->flags & CONTEXT_REPLAY) != 0);
	property((answer->flags & CONTEXT_INTEGRITY) != 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t token[TOKEN_MAX];
	struct gssaccept_half *half = NULL;
	struct accept_answer answer;
	size_t len;

	if (size < 2 || size > INPUT_MAX)
		return 0;
	if (accept_path == NULL)
		set_up();
	/* A seed stands for itself at every replay. */
	property(truncate(paths[2], 0) == 0);
	len = make_token(token, data, size);
	if (len == 0)
		return 0;
	gssaccept_step(accept_path, &half, true, token, len, &answer);
	check(&answer, half != NULL);
	if (half != NULL) {
		gssaccept_step(accept_path, &half, true, token, len, &answer);
		check(&answer, half != NULL);
	}
	gssaccept_half_free(half);
	return 0;
}
