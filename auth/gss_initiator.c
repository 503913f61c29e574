/* SPDX-License-Identifier: ISC */
/* The client's side of a GSS context: used by the agent. */
#include "auth/gss_initiator.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gssapi/gssapi.h>
#include <gssapi/gssapi_krb5.h>
#include <krb5.h>

#include "auth/gss_context_private.h"
#include "auth/gss_status.h"

#define SERVICE_SIZE 512
#define SAID_SIZE    512
#define WHY_SIZE     (SERVICE_SIZE + SAID_SIZE + 128)

/* RFC 1961 section 3.1; delegation is left out on purpose. */
#define WANTED_FLAGS                                                           \
	(GSS_C_MUTUAL_FLAG | GSS_C_REPLAY_FLAG | GSS_C_SEQUENCE_FLAG |         \
	    GSS_C_INTEG_FLAG | GSS_C_CONF_FLAG)

struct gssinit {
	char service[SERVICE_SIZE];
	gss_name_t target;
	gss_ctx_id_t handle;
	gss_buffer_desc token; /* what the caller borrows */
	enum gssinit_failure failure;
	char why[WHY_SIZE];
};

struct gssinit *
gssinit_new(const char *service, const char *host)
{
	struct gssinit *init = calloc(1, sizeof(*init));
	gss_buffer_desc name = {0};
	OM_uint32 major, minor;
	int len;

	if (init == NULL)
		return NULL;
	len = snprintf(
	    init->service, sizeof(init->service), "%s@%s", service, host);
	if (len < 0 || (size_t)len >= sizeof(init->service)) {
		free(init);
		return NULL;
	}
	name.value = init->service;
	name.length = (size_t)len;
	major = gss_import_name(
	    &minor, &name, GSS_C_NT_HOSTBASED_SERVICE, &init->target);
	if (major != GSS_S_COMPLETE) {
		free(init);
		return NULL;
	}
	return init;
}

void
gssinit_free(struct gssinit *init)
{
	OM_uint32 minor;

	if (init == NULL)
		return;
	(void)gss_release_buffer(&minor, &init->token);
	(void)gss_release_name(&minor, &init->target);
	(void)gss_delete_sec_context(&minor, &init->handle, GSS_C_NO_BUFFER);
	free(init);
}

/* ---- what failed ---- */

static const struct {
	krb5_error_code code;
	enum gssinit_failure failure;
} codes[] = {
    {KRB5_FCC_NOFILE, GSSINIT_NO_TICKET},
    {KRB5_CC_NOTFOUND, GSSINIT_NO_TICKET},
    {KRB5_CC_END, GSSINIT_NO_TICKET},
    {KRB5_NO_TKT_SUPPLIED, GSSINIT_NO_TICKET},
    {KRB5KDC_ERR_NAME_EXP, GSSINIT_NO_TICKET},
    {KRB5KRB_AP_ERR_TKT_EXPIRED, GSSINIT_NO_TICKET},
    {KRB5KDC_ERR_S_PRINCIPAL_UNKNOWN, GSSINIT_NO_SERVICE},
    {KRB5_ERR_BAD_HOSTNAME, GSSINIT_NO_SERVICE},
    {KRB5_ERR_HOST_REALM_UNKNOWN, GSSINIT_NO_SERVICE},
    {KRB5KRB_AP_ERR_NOT_US, GSSINIT_NO_SERVICE},
    {KRB5KRB_AP_WRONG_PRINC, GSSINIT_NO_SERVICE},
    {KRB5KRB_AP_ERR_NOKEY, GSSINIT_NO_SERVICE},
    {KRB5KRB_AP_ERR_BADKEYVER, GSSINIT_NO_SERVICE},
    {KRB5KRB_AP_ERR_SKEW, GSSINIT_CLOCK},
    {KRB5KRB_AP_ERR_TKT_NYV, GSSINIT_CLOCK},
    {KRB5_KDC_UNREACH, GSSINIT_NO_KDC},
    {KRB5_REALM_CANT_RESOLVE, GSSINIT_NO_KDC},
    {KRB5_REALM_UNKNOWN, GSSINIT_NO_KDC},
};

/* In plain words, with what to do. */
static const char *const sentences[GSSINIT_FAILURE_COUNT] = {
    [GSSINIT_NO_TICKET] = "no valid Kerberos ticket: run kinit",
    [GSSINIT_NO_SERVICE] = "unknown service: check the gateway's name",
    [GSSINIT_CLOCK] = "clocks differ too much: set this machine's clock",
    [GSSINIT_NO_KDC] = "the Kerberos servers (KDC) cannot be reached",
    [GSSINIT_OTHER] = "Kerberos failed",
};

static enum gssinit_failure
classify(OM_uint32 major, OM_uint32 minor)
{
	for (size_t i = 0; i < ARRAY_COUNT(codes); i++) {
		if ((krb5_error_code)minor == codes[i].code)
			return codes[i].failure;
	}
	if (major == GSS_S_NO_CRED || major == GSS_S_CREDENTIALS_EXPIRED)
		return GSSINIT_NO_TICKET;
	return GSSINIT_OTHER;
}

static enum gssinit_outcome
fail(struct gssinit *init, enum gssinit_failure failure, const char *said)
{
	init->failure = failure;
	(void)snprintf(init->why, sizeof(init->why), "%s (%s: %s)",
	    sentences[failure], init->service, said);
	return GSSINIT_FAILED;
}

static enum gssinit_outcome
fail_with_status(struct gssinit *init, OM_uint32 major, OM_uint32 minor)
{
	char said[SAID_SIZE];

	gssstatus_print(said, sizeof(said), major, minor);
	return fail(init, classify(major, minor), said);
}

/* ---- a step ---- */

static enum gssinit_outcome
established(struct gssinit *init, OM_uint32 flags)
{
	if ((flags & WANTED_FLAGS) != WANTED_FLAGS)
		return fail(init, GSSINIT_OTHER,
		    "the context lacks a flag that was asked for");
	return GSSINIT_DONE;
}

enum gssinit_outcome
gssinit_step(struct gssinit *init, const void *token, size_t len,
    const uint8_t **out, size_t *out_len)
{
	gss_buffer_desc in = {
	    .length = len, .value = (void *)(uintptr_t)token}; /* only read */
	OM_uint32 major, minor, ignored, flags = 0;

	(void)gss_release_buffer(&ignored, &init->token);
	major = gss_init_sec_context(&minor, GSS_C_NO_CREDENTIAL, &init->handle,
	    init->target, (gss_OID)gss_mech_krb5, WANTED_FLAGS,
	    GSS_C_INDEFINITE, GSS_C_NO_CHANNEL_BINDINGS,
	    len == 0 ? GSS_C_NO_BUFFER : &in, NULL, &init->token, &flags, NULL);
	*out = init->token.value;
	*out_len = init->token.length;
	if (major == GSS_S_COMPLETE)
		return established(init, flags);
	if (major == GSS_S_CONTINUE_NEEDED)
		return GSSINIT_CONTINUE;
	return fail_with_status(init, major, minor);
}

enum gssinit_failure
gssinit_failure(const struct gssinit *init)
{
	return init->failure;
}

const char *
gssinit_why(const struct gssinit *init)
{
	return init->why;
}

struct gssctx *
gssinit_take_context(struct gssinit *init)
{
	return gssctx_adopt(&init->handle);
}
