/* SPDX-License-Identifier: ISC */
/* A Kerberos client and the accepting side, for tests. */
#include "tests/support/unit.h"

#include "tests/support/kerberos.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gssapi/gssapi_krb5.h>
#include <krb5.h>

#include "base/wire.h"

/* libkrb5 has them for its KDC; its headers do not. */
krb5_error_code
krb5_encrypt_tkt_part(krb5_context, const krb5_keyblock *, krb5_ticket *);
krb5_error_code encode_krb5_ticket(const krb5_ticket *, krb5_data **);

#define PATH_SIZE    512
#define COMMAND_SIZE 2048
#define GSS_CHECKSUM 0x8003

const char *
kerberos_path(const char *name)
{
	static char paths[4][PATH_SIZE];
	static unsigned at;
	const char *folder = getenv("KDC_DIR");
	char *path = paths[at++ % ARRAY_COUNT(paths)];

	assert_non_null(folder); /* run it with with_kdc.sh */
	assert_true(
	    snprintf(path, PATH_SIZE, "%s/%s", folder, name) < PATH_SIZE);
	return path;
}

void
kerberos_run(const char *format, ...)
{
	char command[COMMAND_SIZE];
	va_list args;

	va_start(args, format);
	assert_true(vsnprintf(command, sizeof(command), format, args) <
		    (int)sizeof(command));
	va_end(args);
	assert_int_equal(system(command), 0);
}

void
kerberos_login(const char *principal, const char *options)
{
	kerberos_run("kinit -k -t '%s' %s '%s'",
	    kerberos_path("clients.keytab"), options, principal);
}

struct gssaccept *
kerberos_acceptor(void)
{
	return kerberos_acceptor_with("gateway.keytab");
}

struct gssaccept *
kerberos_acceptor_with(const char *keytab)
{
	static const char *const services[] = {"socks", "rcmd", NULL};
	static const char *const realms[] = {NULL};
	const struct gssaccept_settings settings = {
	    .keytab = kerberos_path(keytab),
	    .replay_cache = kerberos_path("replay"),
	    .services = services,
	    .realms = realms,
	};
	char why[512] = "";
	struct gssaccept *accept = gssaccept_new(&settings, why, sizeof(why));

	assert_string_equal(why, "");
	assert_non_null(accept);
	return accept;
}

void
kerberos_grow_old(bool old)
{
	if (old) {
		kerberos_run("kvno -q socks/old.example.com");
		kerberos_run("sed 's/permitted_enctypes = .*/"
			     "permitted_enctypes = arcfour-hmac/' "
			     "'%s' >'%s'",
		    kerberos_path("krb5.conf"), kerberos_path("old.conf"));
	}
	assert_int_equal(setenv("KRB5_CONFIG",
			     kerberos_path(old ? "old.conf" : "krb5.conf"), 1),
	    0);
}

OM_uint32
kerberos_continue(struct kerberos_client *client, const void *token, size_t len)
{
	gss_buffer_desc in = {.length = len, .value = (void *)(uintptr_t)token};
	OM_uint32 major, minor, wished = client->flags;

	(void)gss_release_buffer(&minor, &client->token);
	major = gss_init_sec_context(&minor, client->credential,
	    &client->handle, client->target, client->mech, wished, 0,
	    GSS_C_NO_CHANNEL_BINDINGS, len > 0 ? &in : GSS_C_NO_BUFFER, NULL,
	    &client->token, NULL, NULL);
	return major;
}

static void
begin(struct kerberos_client *client, const char *service)
{
	gss_buffer_desc name = {
	    .length = strlen(service), .value = (void *)(uintptr_t)service};
	OM_uint32 minor, major;

	assert_int_equal(gss_import_name(&minor, &name,
			     GSS_C_NT_HOSTBASED_SERVICE, &client->target),
	    GSS_S_COMPLETE);
	major = kerberos_continue(client, NULL, 0);
	assert_true(major == GSS_S_COMPLETE || major == GSS_S_CONTINUE_NEEDED);
}

void
kerberos_begin(
    struct kerberos_client *client, const char *service, OM_uint32 flags)
{
	*client = (struct kerberos_client){
	    .flags = flags, .mech = (gss_OID)gss_mech_krb5};
	begin(client, service);
}

void
kerberos_begin_spnego(struct kerberos_client *client, const char *service,
    OM_uint32 flags, gss_OID_set mechs)
{
	static uint8_t octets[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x02};
	static gss_OID_desc spnego = {sizeof(octets), octets};
	gss_OID_set_desc set = {1, &spnego};
	OM_uint32 minor;

	*client = (struct kerberos_client){.flags = flags, .mech = &spnego};
	assert_int_equal(
	    gss_acquire_cred(&minor, GSS_C_NO_NAME, GSS_C_INDEFINITE, &set,
		GSS_C_INITIATE, &client->credential, NULL, NULL),
	    GSS_S_COMPLETE);
	assert_int_equal(gss_set_neg_mechs(&minor, client->credential, mechs),
	    GSS_S_COMPLETE);
	begin(client, service);
}

void
kerberos_end(struct kerberos_client *client)
{
	OM_uint32 minor;

	(void)gss_release_buffer(&minor, &client->token);
	(void)gss_release_cred(&minor, &client->credential);
	(void)gss_release_name(&minor, &client->target);
	(void)gss_delete_sec_context(&minor, &client->handle, GSS_C_NO_BUFFER);
}

void
kerberos_establish(struct gssaccept *accept, struct kerberos_client *client,
    const char *service, OM_uint32 flags, struct accept_answer *answer)
{
	struct gssaccept_half *half = NULL;

	kerberos_begin(client, service, flags);
	gssaccept_step(accept, &half, false, client->token.value,
	    client->token.length, answer);
	assert_string_equal(answer->text, "");
	assert_int_equal(answer->outcome, ACCEPT_DONE);
	assert_null(half);
	if (answer->token_len > 0)
		assert_int_equal(
		    kerberos_continue(client, answer->token, answer->token_len),
		    GSS_S_COMPLETE);
}

/* ---- forged tickets ---- */

/* The "checksum" of RFC 4121 section 4.1.1: no channel bindings, and the
 * flags. */
static void
print_checksum(uint8_t out[24], OM_uint32 flags)
{
	memset(out, 0, 24);
	out[0] = 16;
	for (size_t i = 0; i < 4; i++)
		out[20 + i] = (uint8_t)(flags >> 8 * i);
}

/* RFC 2743 section 3.1 and RFC 4121 section 4.1 in front of an AP-REQ. */
static uint8_t *
frame_token(const krb5_data *request, size_t *len)
{
	static const uint8_t oid[] = {0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7,
	    0x12, 0x01, 0x02, 0x02, 0x01, 0x00};
	size_t inner = sizeof(oid) + request->length;
	uint8_t *token = malloc(inner + 4);
	struct wire_writer writer;

	assert_non_null(token);
	wire_writer_init(&writer, token, inner + 4);
	wire_put_u8(&writer, 0x60);
	wire_put_u8(&writer, 0x82);
	wire_put_u16(&writer, (uint16_t)inner);
	wire_put_bytes(&writer, oid, sizeof(oid));
	wire_put_bytes(&writer, request->data, request->length);
	assert_false(writer.failed);
	*len = writer.len;
	return token;
}

static void
seal_ticket(krb5_context krb5, krb5_ticket *ticket)
{
	krb5_keytab keytab;
	krb5_keytab_entry entry;

	assert_int_equal(
	    krb5_kt_resolve(krb5, kerberos_path("gateway.keytab"), &keytab), 0);
	assert_int_equal(
	    krb5_kt_get_entry(krb5, keytab, ticket->server, 0, 0, &entry), 0);
	ticket->enc_part.kvno = entry.vno;
	assert_int_equal(krb5_encrypt_tkt_part(krb5, &entry.key, ticket), 0);
	(void)krb5_free_keytab_entry_contents(krb5, &entry);
	(void)krb5_kt_close(krb5, keytab);
}

uint8_t *
kerberos_forge(const char *client, OM_uint32 flags, size_t *len)
{
	krb5_context krb5;
	krb5_auth_context auth = NULL;
	krb5_keyblock session;
	krb5_timestamp now;
	krb5_ticket ticket = {0};
	krb5_enc_tkt_part inner = {.flags = TKT_FLG_INITIAL};
	krb5_creds creds = {0};
	krb5_data *encoded, request;
	uint8_t checksum[24], *token;
	krb5_data body = {.data = (char *)checksum, .length = 24};

	assert_int_equal(krb5_init_context(&krb5), 0);
	assert_int_equal(krb5_timeofday(krb5, &now), 0);
	assert_int_equal(krb5_c_make_random_key(
			     krb5, ENCTYPE_AES256_CTS_HMAC_SHA1_96, &session),
	    0);
	assert_int_equal(krb5_parse_name(krb5, client, &inner.client), 0);
	assert_int_equal(
	    krb5_parse_name(krb5, "socks/gw.example.com", &ticket.server), 0);
	inner.session = &session;
	inner.transited.tr_type = 1;
	inner.times.authtime = inner.times.starttime = now;
	inner.times.endtime = now + 600;
	ticket.enc_part2 = &inner;
	seal_ticket(krb5, &ticket);
	assert_int_equal(encode_krb5_ticket(&ticket, &encoded), 0);

	creds.client = inner.client;
	creds.server = ticket.server;
	creds.keyblock = session;
	creds.times = inner.times;
	creds.ticket = *encoded;
	print_checksum(checksum, flags);
	assert_int_equal(krb5_auth_con_init(krb5, &auth), 0);
	assert_int_equal(
	    krb5_auth_con_set_req_cksumtype(krb5, auth, GSS_CHECKSUM), 0);
	assert_int_equal(krb5_mk_req_extended(krb5, &auth,
			     AP_OPTS_MUTUAL_REQUIRED, &body, &creds, &request),
	    0);
	token = frame_token(&request, len);

	krb5_free_data_contents(krb5, &request);
	(void)krb5_auth_con_free(krb5, auth);
	krb5_free_data(krb5, encoded);
	free(ticket.enc_part.ciphertext.data);
	krb5_free_principal(krb5, inner.client);
	krb5_free_principal(krb5, ticket.server);
	krb5_free_keyblock_contents(krb5, &session);
	krb5_free_context(krb5);
	return token;
}
