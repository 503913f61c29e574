/* SPDX-License-Identifier: ISC */
/* A Kerberos client and the accepting side, for tests. */
#include "tests/support/unit.h"

#include "tests/support/kerberos.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gssapi/gssapi_krb5.h>

#define PATH_SIZE    512
#define COMMAND_SIZE 2048

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
	static const char *const services[] = {"socks", "rcmd", NULL};
	static const char *const realms[] = {NULL};
	const struct gssaccept_settings settings = {
	    .keytab = kerberos_path("gateway.keytab"),
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

OM_uint32
kerberos_continue(struct kerberos_client *client, const void *token, size_t len)
{
	gss_buffer_desc in = {.length = len, .value = (void *)(uintptr_t)token};
	OM_uint32 major, minor, wished = client->flags;

	(void)gss_release_buffer(&minor, &client->token);
	major = gss_init_sec_context(&minor, GSS_C_NO_CREDENTIAL,
	    &client->handle, client->target, (gss_OID)gss_mech_krb5, wished, 0,
	    GSS_C_NO_CHANNEL_BINDINGS, len > 0 ? &in : GSS_C_NO_BUFFER, NULL,
	    &client->token, NULL, NULL);
	return major;
}

void
kerberos_begin(
    struct kerberos_client *client, const char *service, OM_uint32 flags)
{
	gss_buffer_desc name = {
	    .length = strlen(service), .value = (void *)(uintptr_t)service};
	OM_uint32 minor, major;

	memset(client, 0, sizeof(*client));
	client->flags = flags;
	assert_int_equal(gss_import_name(&minor, &name,
			     GSS_C_NT_HOSTBASED_SERVICE, &client->target),
	    GSS_S_COMPLETE);
	major = kerberos_continue(client, NULL, 0);
	assert_true(major == GSS_S_COMPLETE || major == GSS_S_CONTINUE_NEEDED);
}

void
kerberos_end(struct kerberos_client *client)
{
	OM_uint32 minor;

	(void)gss_release_buffer(&minor, &client->token);
	(void)gss_release_name(&minor, &client->target);
	(void)gss_delete_sec_context(&minor, &client->handle, GSS_C_NO_BUFFER);
}

void
kerberos_establish(struct gssaccept *accept, struct kerberos_client *client,
    const char *service, OM_uint32 flags, struct accept_answer *answer)
{
	struct gssaccept_half *half = NULL;

	kerberos_begin(client, service, flags);
	gssaccept_step(
	    accept, &half, client->token.value, client->token.length, answer);
	assert_string_equal(answer->text, "");
	assert_int_equal(answer->outcome, ACCEPT_DONE);
	assert_null(half);
	if (answer->token_len > 0)
		assert_int_equal(
		    kerberos_continue(client, answer->token, answer->token_len),
		    GSS_S_COMPLETE);
}
