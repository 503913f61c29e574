/* SPDX-License-Identifier: ISC */
/*
 * Accepting GSS contexts: a client's token in, who it is and the finished
 * context out.
 */
#include "auth/gss_accept.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h>
#include <gssapi/gssapi_krb5.h>
#include <krb5.h>
#include <profile.h>

#include "auth/gss_credential.h"
#include "auth/gss_indicators.h"
#include "auth/gss_keytab.h"
#include "auth/gss_status.h"
#include "base/clock.h"
#include "base/context_token.h"

#define DEFAULT_CLOCK_SKEW 300 /* libkrb5's, where krb5.conf is silent */
#define TARGET_MAX	   1024

_Static_assert(CONTEXT_MUTUAL == GSS_C_MUTUAL_FLAG &&
		   CONTEXT_REPLAY == GSS_C_REPLAY_FLAG &&
		   CONTEXT_SEQUENCE == GSS_C_SEQUENCE_FLAG &&
		   CONTEXT_CONFIDENTIALITY == GSS_C_CONF_FLAG &&
		   CONTEXT_INTEGRITY == GSS_C_INTEG_FLAG,
    "the flags have the numbers of RFC 2744");

struct gssaccept {
	struct gsscredential *credential;
	struct gsskeytab *keytab;
	char **services, **realms; /* each ends with NULL */
	uint64_t clock_skew_s;
	/* What the last answer borrows. */
	gss_buffer_desc token, exported;
};

struct gssaccept_half {
	gss_ctx_id_t handle;
	bool by_spnego;
};

/* What one call of gss_accept_sec_context has said. */
struct accepted {
	OM_uint32 major, minor;
	gss_ctx_id_t handle;
	bool by_spnego;
	gss_name_t client;
	gss_OID mech;
	OM_uint32 flags;
};

/* ---- settings ---- */

static void
free_list(char **list)
{
	for (size_t i = 0; list != NULL && list[i] != NULL; i++)
		free(list[i]);
	free(list);
}

static char **
copy_list(const char *const *list)
{
	size_t count = 0;
	char **copy;

	while (list[count] != NULL)
		count++;
	copy = calloc(count + 1, sizeof(*copy));
	for (size_t i = 0; copy != NULL && i < count; i++) {
		copy[i] = strdup(list[i]);
		if (copy[i] == NULL) {
			free_list(copy);
			return NULL;
		}
	}
	return copy;
}

static int
find_services(const struct gssaccept *accept, const char *path, char *why,
    size_t why_size)
{
	for (size_t i = 0; accept->services[i] != NULL; i++) {
		if (gsskeytab_has_service(accept->keytab, accept->services[i]))
			return 0;
	}
	(void)snprintf(why, why_size,
	    "the keytab %s has no key for any of the services (%s/HOST ...)",
	    path, accept->services[0] != NULL ? accept->services[0] : "none");
	return -1;
}

/* The acceptor's lifetimes include what krb5.conf allows for clocks. */
static uint64_t
read_clock_skew(void)
{
	krb5_context krb5;
	struct _profile_t *profile = NULL;
	krb5_deltat skew = DEFAULT_CLOCK_SKEW;
	char *text = NULL;

	if (krb5_init_context(&krb5) != 0)
		return DEFAULT_CLOCK_SKEW;
	if (krb5_get_profile(krb5, &profile) == 0 &&
	    profile_get_string(
		profile, "libdefaults", "clockskew", NULL, NULL, &text) == 0 &&
	    text != NULL &&
	    (krb5_string_to_deltat(text, &skew) != 0 || skew < 0))
		skew = DEFAULT_CLOCK_SKEW;
	profile_release_string(text);
	if (profile != NULL)
		profile_release(profile);
	krb5_free_context(krb5);
	return (uint64_t)skew;
}

struct gssaccept *
gssaccept_new(
    const struct gssaccept_settings *settings, char *why, size_t why_size)
{
	struct gssaccept *accept = calloc(1, sizeof(*accept));

	if (accept != NULL) {
		accept->services = copy_list(settings->services);
		accept->realms = copy_list(settings->realms);
	}
	if (accept == NULL || accept->services == NULL ||
	    accept->realms == NULL) {
		(void)snprintf(why, why_size, "%s", strerror(ENOMEM));
		gssaccept_free(accept);
		return NULL;
	}
	accept->keytab = gsskeytab_new(settings->keytab, why, why_size);
	if (accept->keytab == NULL ||
	    find_services(accept, settings->keytab, why, why_size) < 0) {
		gssaccept_free(accept);
		return NULL;
	}
	accept->credential = gsscredential_new(
	    settings->keytab, settings->replay_cache, why, why_size);
	if (accept->credential == NULL) {
		gssaccept_free(accept);
		return NULL;
	}
	accept->clock_skew_s = read_clock_skew();
	return accept;
}

static void
drop_borrowed(struct gssaccept *accept)
{
	OM_uint32 minor;

	if (accept->exported.value != NULL)
		explicit_bzero(accept->exported.value, accept->exported.length);
	(void)gss_release_buffer(&minor, &accept->exported);
	(void)gss_release_buffer(&minor, &accept->token);
}

void
gssaccept_describe(const struct gssaccept *accept, char *facts, size_t size)
{
	gsskeytab_describe(accept->keytab, facts, size);
}

void
gssaccept_free(struct gssaccept *accept)
{
	if (accept == NULL)
		return;
	drop_borrowed(accept);
	gsscredential_free(accept->credential);
	gsskeytab_free(accept->keytab);
	free_list(accept->services);
	free_list(accept->realms);
	free(accept);
}

void
gssaccept_half_free(struct gssaccept_half *half)
{
	OM_uint32 minor;

	if (half == NULL)
		return;
	(void)gss_delete_sec_context(&minor, &half->handle, GSS_C_NO_BUFFER);
	free(half);
}

/* ---- failures ---- */

/* What libkrb5 means by its numbers. */
static const struct {
	krb5_error_code code;
	enum reason reason;
} codes[] = {
    {KRB5KRB_AP_ERR_SKEW, REASON_GSS_CLOCK_SKEW},
    {KRB5KRB_AP_ERR_TKT_NYV, REASON_GSS_CLOCK_SKEW},
    {KRB5KRB_AP_ERR_TKT_EXPIRED, REASON_GSS_TICKET_EXPIRED},
    {KRB5KRB_AP_ERR_REPEAT, REASON_GSS_TOKEN_REPLAY},
    {KRB5KRB_AP_ERR_BADKEYVER, REASON_GSS_KEY_UNKNOWN},
    {KRB5KRB_AP_ERR_NOKEY, REASON_GSS_KEY_UNKNOWN},
    {KRB5_KT_KVNONOTFOUND, REASON_GSS_KEY_UNKNOWN},
    {KRB5_KT_NOTFOUND, REASON_GSS_KEY_UNKNOWN},
    {KRB5KRB_AP_ERR_NOT_US, REASON_GSS_WRONG_SERVICE},
    {KRB5KRB_AP_WRONG_PRINC, REASON_GSS_WRONG_SERVICE},
};

static enum reason
reason_of_status(OM_uint32 major, OM_uint32 minor)
{
	const OM_uint32 routine_errors = (OM_uint32)GSS_C_ROUTINE_ERROR_MASK
					 << GSS_C_ROUTINE_ERROR_OFFSET;

	for (size_t i = 0; i < ARRAY_COUNT(codes); i++) {
		if ((krb5_error_code)minor == codes[i].code)
			return codes[i].reason;
	}
	if ((major & (GSS_S_DUPLICATE_TOKEN | GSS_S_OLD_TOKEN)) != 0)
		return REASON_GSS_TOKEN_REPLAY;
	switch (major & routine_errors) {
	case GSS_S_NO_CRED:
	case GSS_S_BAD_MECH:
		return REASON_GSS_NO_CREDENTIAL;
	case GSS_S_CREDENTIALS_EXPIRED:
		return REASON_GSS_TICKET_EXPIRED;
	default:
		return REASON_GSS_DEFECTIVE_TOKEN;
	}
}

static void
fail(struct accept_answer *answer, enum reason reason, const char *text)
{
	answer->outcome = ACCEPT_FAILED;
	answer->reason = reason;
	(void)snprintf(answer->text, sizeof(answer->text), "%s", text);
}

static void
fail_with_status(struct accept_answer *answer, OM_uint32 major, OM_uint32 minor)
{
	answer->outcome = ACCEPT_FAILED;
	answer->reason = reason_of_status(major, minor);
	gssstatus_print(answer->text, sizeof(answer->text), major, minor);
}

/* ---- who it is ---- */

/* The name with its realm, into out; false with why not. */
static bool
print_name(gss_name_t name, char *out, size_t size)
{
	gss_buffer_desc text = GSS_C_EMPTY_BUFFER;
	OM_uint32 minor;
	bool fits = false;

	if (name == GSS_C_NO_NAME)
		return false;
	if (gss_display_name(&minor, name, &text, NULL) == GSS_S_COMPLETE &&
	    text.length > 0 && text.length < size) {
		memcpy(out, text.value, text.length);
		out[text.length] = '\0';
		fits = memchr(text.value, '\0', text.length) == NULL;
	}
	(void)gss_release_buffer(&minor, &text);
	return fits;
}

/*
 * libkrb5 writes what would be misread (a slash or an at sign inside of a
 * component, a control) behind a backslash; patterns of rules would not see
 * it so, hence no identity has one.
 */
static bool
is_plain_principal(const char *name)
{
	const char *at = strchr(name, '@');

	return identity_name_is_valid(name, strlen(name)) &&
	       strchr(name, '\\') == NULL && at != NULL && at != name &&
	       at[1] != '\0' && strchr(at + 1, '@') == NULL;
}

static bool
is_listed(char *const *list, const char *text)
{
	for (size_t i = 0; list[i] != NULL; i++) {
		if (strcmp(list[i], text) == 0)
			return true;
	}
	return false;
}

static bool
judge_client(const struct gssaccept *accept, const struct accepted *accepted,
    struct accept_answer *answer)
{
	const char anonymous[] = "WELLKNOWN/ANONYMOUS@";
	const char *realm;

	if ((accepted->flags & GSS_C_ANON_FLAG) != 0 ||
	    accepted->client == GSS_C_NO_NAME) {
		fail(answer, REASON_GSS_ANONYMOUS, "");
		return false;
	}
	if (!print_name(accepted->client, answer->name, sizeof(answer->name)) ||
	    !is_plain_principal(answer->name)) {
		fail(answer, REASON_GSS_BAD_NAME, "");
		return false;
	}
	realm = strchr(answer->name, '@') + 1;
	if (strncmp(answer->name, anonymous, sizeof(anonymous) - 1) == 0 ||
	    strcmp(realm, KRB5_ANONYMOUS_REALMSTR) == 0) {
		fail(answer, REASON_GSS_ANONYMOUS, answer->name);
		return false;
	}
	if (!gsskeytab_has_realm(accept->keytab, realm) &&
	    !is_listed(accept->realms, realm)) {
		fail(answer, REASON_GSS_FOREIGN_REALM, answer->name);
		return false;
	}
	if (!gssindicators_read(accepted->client, answer->indicators)) {
		fail(answer, REASON_GSS_INDICATORS, answer->name);
		return false;
	}
	return true;
}

/* ---- what it is for ---- */

static bool
judge_target(const struct gssaccept *accept, gss_ctx_id_t handle,
    struct accept_answer *answer)
{
	gss_name_t target = GSS_C_NO_NAME;
	char name[TARGET_MAX] = "", service[TARGET_MAX];
	OM_uint32 minor;
	bool is_ours = false;

	if (gss_inquire_context(&minor, handle, NULL, &target, NULL, NULL, NULL,
		NULL, NULL) == GSS_S_COMPLETE &&
	    print_name(target, name, sizeof(name))) {
		size_t len = strcspn(name, "/@");

		memcpy(service, name, len);
		service[len] = '\0';
		is_ours =
		    name[len] == '/' && is_listed(accept->services, service);
	}
	(void)gss_release_name(&minor, &target);
	if (!is_ours)
		fail(answer, REASON_GSS_WRONG_SERVICE, name);
	return is_ours;
}

static bool
judge_flags(OM_uint32 flags, struct accept_answer *answer)
{
	const char *lacking = (flags & GSS_C_MUTUAL_FLAG) == 0	 ? "mutual"
			      : (flags & GSS_C_REPLAY_FLAG) == 0 ? "replay"
			      : (flags & GSS_C_INTEG_FLAG) == 0	 ? "integrity"
								 : NULL;

	if (lacking != NULL) {
		(void)snprintf(answer->text, sizeof(answer->text),
		    "the flag %s is missing", lacking);
	} else if ((flags & GSS_C_DCE_STYLE) != 0) {
		/* Its messages have another form than RFC 4121's. */
		(void)snprintf(answer->text, sizeof(answer->text),
		    "the flag DCE style is set");
	} else {
		return true;
	}
	answer->outcome = ACCEPT_FAILED;
	answer->reason = REASON_GSS_FLAGS;
	return false;
}

/* ---- the finished context ---- */

/*
 * Until the ticket's very end.  libgssapi counts in whole seconds from a
 * clock of whole seconds: that second must not change while it does.
 */
static uint64_t
true_lifetime_us(const struct gssaccept *accept, gss_ctx_id_t handle)
{
	OM_uint32 minor, lifetime_s;
	uint64_t second, now_us, end_us;

	do {
		second = clock_wall_us() / 1000000;
		if (gss_context_time(&minor, handle, &lifetime_s) !=
		    GSS_S_COMPLETE)
			return 0;
		now_us = clock_wall_us();
	} while (now_us / 1000000 != second);
	if (second + lifetime_s <= accept->clock_skew_s)
		return 0;
	end_us = (second + lifetime_s - accept->clock_skew_s) * 1000000;
	return end_us > now_us ? end_us - now_us : 0;
}

static void
hand_over(struct gssaccept *accept, struct accepted *accepted,
    struct accept_answer *answer)
{
	OM_uint32 major, minor;

	answer->flags = accepted->flags;
	answer->lifetime_us = true_lifetime_us(accept, accepted->handle);
	major = gss_export_sec_context(
	    &minor, &accepted->handle, &accept->exported);
	if (major != GSS_S_COMPLETE) {
		fail_with_status(answer, major, minor);
		return;
	}
	if (accept->exported.length > ACCEPT_EXPORTED_MAX) {
		fail(answer, REASON_GSS_DEFECTIVE_TOKEN,
		    "the context is too large");
		return;
	}
	answer->exported = accept->exported.value;
	answer->exported_len = accept->exported.length;
	answer->by_spnego = accepted->by_spnego;
	answer->outcome = ACCEPT_DONE;
}

/* Asked first: gss_inquire_context leaks the names of a context that has
 * ended. */
static bool
judge_time(gss_ctx_id_t handle, struct accept_answer *answer)
{
	OM_uint32 minor, lifetime_s;

	if (gss_context_time(&minor, handle, &lifetime_s) == GSS_S_COMPLETE)
		return true;
	fail(answer, REASON_GSS_TICKET_EXPIRED, "");
	return false;
}

static void
judge(struct gssaccept *accept, struct accepted *accepted,
    struct accept_answer *answer)
{
	if (accepted->mech == GSS_C_NO_OID ||
	    gss_oid_equal(accepted->mech, gss_mech_krb5) == 0)
		fail(answer, REASON_GSS_NO_CREDENTIAL, "");
	else if (judge_time(accepted->handle, answer) &&
		 judge_target(accept, accepted->handle, answer) &&
		 judge_flags(accepted->flags, answer) &&
		 judge_client(accept, accepted, answer))
		hand_over(accept, accepted, answer);
}

/* ---- a step ---- */

static void
keep_half(struct accepted *accepted, struct gssaccept_half **half,
    struct accept_answer *answer)
{
	/* Nothing to send and not done: that never ends (a token can make
	 * libgssapi say so). */
	if (answer->token_len == 0) {
		fail(
		    answer, REASON_GSS_ROUNDS, "another round without a token");
		return;
	}
	*half = calloc(1, sizeof(**half));
	if (*half == NULL) {
		fail(answer, REASON_NO_MEMORY, "");
		return;
	}
	(*half)->handle = accepted->handle;
	(*half)->by_spnego = accepted->by_spnego;
	accepted->handle = GSS_C_NO_CONTEXT;
	answer->outcome = ACCEPT_CONTINUE;
}

/* Goes on with what was kept, or begins: the first token names its
 * mechanism. */
static struct accepted
take_half(struct gssaccept_half **half, bool may_spnego, const void *token,
    size_t len)
{
	struct accepted accepted = {.handle = GSS_C_NO_CONTEXT};

	if (*half == NULL) {
		accepted.by_spnego =
		    may_spnego &&
		    context_token_mech(token, len) == CONTEXT_MECH_SPNEGO;
		return accepted;
	}
	accepted.handle = (*half)->handle;
	accepted.by_spnego = (*half)->by_spnego;
	free(*half);
	*half = NULL;
	return accepted;
}

static void
borrow_token(const struct gssaccept *accept, struct accept_answer *answer)
{
	/* A longer one does not fit a message of RFC 1961. */
	if (accept->token.length > ACCEPT_TOKEN_MAX)
		return;
	answer->token = accept->token.value;
	answer->token_len = accept->token.length;
}

/* Whether the token may be given to libgssapi, and with which credential. */
static bool
choose_credential(struct gssaccept *accept, struct accepted *accepted,
    const gss_buffer_desc *in, gss_cred_id_t *credential)
{
	if (!accepted->by_spnego) {
		*credential = gsscredential_krb5(accept->credential);
		return true;
	}
	/* libgssapi's reading of SPNEGO has trusted lengths before. */
	if (context_token_is_whole(in->value, in->length))
		accepted->major = gsscredential_spnego(
		    accept->credential, credential, &accepted->minor);
	else
		accepted->major = GSS_S_DEFECTIVE_TOKEN;
	return accepted->major == GSS_S_COMPLETE;
}

/* No delegated credential is asked for, so none is kept. */
static void
accept_token(struct gssaccept *accept, struct accepted *accepted,
    const void *token, size_t len)
{
	gss_buffer_desc in = {
	    .length = len, .value = (void *)(uintptr_t)token}; /* only read */
	gss_cred_id_t credential;

	if (choose_credential(accept, accepted, &in, &credential))
		accepted->major =
		    gss_accept_sec_context(&accepted->minor, &accepted->handle,
			credential, &in, GSS_C_NO_CHANNEL_BINDINGS,
			&accepted->client, &accepted->mech, &accept->token,
			&accepted->flags, NULL, NULL);
}

void
gssaccept_step(struct gssaccept *accept, struct gssaccept_half **half,
    bool may_spnego, const void *token, size_t len,
    struct accept_answer *answer)
{
	struct accepted accepted = take_half(half, may_spnego, token, len);
	OM_uint32 minor;

	memset(answer, 0, sizeof(*answer));
	drop_borrowed(accept);
	gsskeytab_refresh(accept->keytab);
	accept_token(accept, &accepted, token, len);
	borrow_token(accept, answer);
	if (accepted.major == GSS_S_COMPLETE)
		judge(accept, &accepted, answer);
	else if (accepted.major == GSS_S_CONTINUE_NEEDED)
		keep_half(&accepted, half, answer);
	else
		fail_with_status(answer, accepted.major, accepted.minor);
	if (answer->outcome != ACCEPT_DONE) {
		memset(answer->name, 0, sizeof(answer->name));
		answer->indicators[0] = '\0';
	}
	/* Whom we refuse although libgssapi did not gets no token that says
	 * otherwise. */
	if (accepted.major == GSS_S_COMPLETE &&
	    answer->outcome == ACCEPT_FAILED)
		answer->token_len = 0;
	(void)gss_release_name(&minor, &accepted.client);
	(void)gss_delete_sec_context(&minor, &accepted.handle, GSS_C_NO_BUFFER);
}
