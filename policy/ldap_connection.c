/* SPDX-License-Identifier: ISC */
/* A bound connection to the first of several directory servers. */
#include "policy/ldap_connection.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include <sasl/sasl.h>

#include "base/must.h"
#include "base/options.h"
#include "base/secret.h"

#define PAGE_SIZE 500

static const struct {
	const char *name;
	enum directory_bind bind;
} binds[] = {
    {"none", DIRECTORY_ANONYMOUS},
    {"simple", DIRECTORY_SIMPLE},
    {"gssapi", DIRECTORY_GSSAPI},
};

void
directory_settings_init(struct directory_settings *settings,
    const struct options *options, struct secret *password)
{
	const char *bind = options_get(options, "directory.bind", "none");
	const char *uri;

	memset(settings, 0, sizeof(*settings));
	for (size_t i = 0;
	     i < DIRECTORY_URIS_MAX &&
	     (uri = options_get_nth(options, "directory.uri", i)) != NULL;
	     i++)
		settings->uris[settings->uri_count++] = must_strdup(uri);
	settings->start_tls =
	    options_get_bool(options, "directory.start_tls", true);
	settings->ca_file =
	    must_strdup(options_get(options, "directory.ca_file", ""));
	for (size_t i = 0; i < ARRAY_COUNT(binds); i++)
		if (strcmp(bind, binds[i].name) == 0)
			settings->bind = binds[i].bind;
	settings->bind_dn =
	    must_strdup(options_get(options, "directory.bind_dn", ""));
	settings->password = password;
	settings->client_keytab =
	    must_strdup(options_get(options, "directory.client_keytab", ""));
	settings->client_principal =
	    must_strdup(options_get(options, "directory.client_principal", ""));
	settings->timeout_s =
	    (unsigned)options_get_u64(options, "directory.timeout", 5);
}

void
directory_settings_fini(struct directory_settings *settings)
{
	for (unsigned i = 0; i < settings->uri_count; i++)
		free(settings->uris[i]);
	free(settings->ca_file);
	free(settings->bind_dn);
	secret_free(settings->password);
	free(settings->client_keytab);
	free(settings->client_principal);
	memset(settings, 0, sizeof(*settings));
}

void
directory_settings_export(const struct directory_settings *settings)
{
	/* Neither ldap.conf nor ~/.ldaprc decides about security here. */
	must(setenv("LDAPNOINIT", "1", 1) == 0);
	if (settings->bind != DIRECTORY_GSSAPI)
		return;
	must(setenv("KRB5_CLIENT_KTNAME", settings->client_keytab, 1) == 0);
	must(setenv("KRB5CCNAME", "MEMORY:directory", 1) == 0);
}

/* ---- options: libldap's defaults are not ours */

static bool
set_options(LDAP *ld, const struct directory_settings *settings)
{
	const int version = LDAP_VERSION3, deref = LDAP_DEREF_NEVER;
	const int demand = LDAP_OPT_X_TLS_DEMAND;
	const int tls_minimum = LDAP_OPT_X_TLS_PROTOCOL_TLS1_2;
	const int is_server = 0;
	const struct timeval timeout = {(time_t)settings->timeout_s, 0};
	const struct {
		int option;
		const void *value;
	} rows[] = {
	    {LDAP_OPT_PROTOCOL_VERSION, &version},
	    {LDAP_OPT_REFERRALS, LDAP_OPT_OFF},
	    {LDAP_OPT_RESTART, LDAP_OPT_ON},
	    {LDAP_OPT_DEREF, &deref},
	    {LDAP_OPT_CONNECT_ASYNC, LDAP_OPT_ON},
	    {LDAP_OPT_NETWORK_TIMEOUT, &timeout},
	    {LDAP_OPT_TIMEOUT, &timeout},
	    {LDAP_OPT_X_SASL_NOCANON, LDAP_OPT_ON},
	    {LDAP_OPT_X_TLS_REQUIRE_CERT, &demand},
	    {LDAP_OPT_X_TLS_PROTOCOL_MIN, &tls_minimum},
	    {*settings->ca_file != '\0' ? LDAP_OPT_X_TLS_CACERTFILE : 0,
		settings->ca_file},
	    /* Last: it makes the TLS context of what was set before. */
	    {LDAP_OPT_X_TLS_NEWCTX, &is_server},
	};

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
		if (rows[i].option != 0 &&
		    ldap_set_option(ld, rows[i].option, rows[i].value) !=
			LDAP_OPT_SUCCESS)
			return false;
	return true;
}

/* ---- connecting and binding */

static int
start_tls(LDAP *ld, const struct directory_settings *settings, const char *uri)
{
	if (!settings->start_tls ||
	    strncasecmp(uri, "ldap://", strlen("ldap://")) != 0)
		return LDAP_SUCCESS;
	return ldap_start_tls_s(ld, NULL, NULL);
}

static int
simple_bind(LDAP *ld, const char *dn, const struct secret *password)
{
	struct berval credential = {0, NULL};

	if (password != NULL) {
		credential.bv_val = (char *)password->data;
		credential.bv_len = password->len;
	}
	return ldap_sasl_bind_s(
	    ld, dn, LDAP_SASL_SIMPLE, &credential, NULL, NULL, NULL);
}

/* GSSAPI asks for no more than whom to act for: oneself. */
static int
interact(LDAP *ld, unsigned flags, void *arg, void *questions)
{
	(void)ld;
	(void)flags;
	(void)arg;
	for (sasl_interact_t *question = questions;
	     question->id != SASL_CB_LIST_END; question++) {
		question->result = "";
		question->len = 0;
	}
	return LDAP_SUCCESS;
}

static int
bind_to(LDAP *ld, const struct directory_settings *settings)
{
	switch (settings->bind) {
	case DIRECTORY_ANONYMOUS:
		return simple_bind(ld, NULL, NULL);
	case DIRECTORY_SIMPLE:
		/* A DN without a password would be anonymous (RFC 4513
		 * section 5.1.2). */
		if (settings->password == NULL ||
		    settings->password->len == 0 || *settings->bind_dn == '\0')
			return LDAP_INAPPROPRIATE_AUTH;
		return simple_bind(ld, settings->bind_dn, settings->password);
	case DIRECTORY_GSSAPI:
		return ldap_sasl_interactive_bind_s(ld, NULL, "GSSAPI", NULL,
		    NULL, LDAP_SASL_QUIET, interact, NULL);
	}
	return LDAP_AUTH_METHOD_NOT_SUPPORTED;
}

/* Appends "URI: step: what happened" to why. */
static void
explain(LDAP *ld, int result, const char *uri, const char *step,
    char why[DIRECTORY_WHY_SIZE])
{
	size_t used = strlen(why);
	char *more = NULL;

	if (ld != NULL)
		(void)ldap_get_option(ld, LDAP_OPT_DIAGNOSTIC_MESSAGE, &more);
	(void)snprintf(why + used, DIRECTORY_WHY_SIZE - used,
	    "%s%s: %s: %s%s%s", used > 0 ? "; " : "", uri, step,
	    ldap_err2string(result), more != NULL && *more != '\0' ? ": " : "",
	    more != NULL ? more : "");
	ldap_memfree(more);
}

static LDAP *
open_one(const struct directory_settings *settings, const char *uri,
    char why[DIRECTORY_WHY_SIZE])
{
	LDAP *ld = NULL;
	const char *step = "cannot use this address";
	int result = ldap_initialize(&ld, uri);

	if (result == LDAP_SUCCESS && !set_options(ld, settings))
		result = LDAP_PARAM_ERROR;
	if (result == LDAP_SUCCESS) {
		step = "StartTLS";
		result = start_tls(ld, settings, uri);
	}
	if (result == LDAP_SUCCESS) {
		step = "bind";
		result = bind_to(ld, settings);
	}
	if (result == LDAP_SUCCESS)
		return ld;
	explain(ld, result, uri, step, why);
	directory_close(ld);
	return NULL;
}

LDAP *
directory_open(
    const struct directory_settings *settings, char why[DIRECTORY_WHY_SIZE])
{
	LDAP *ld = NULL;

	why[0] = '\0';
	for (unsigned i = 0; ld == NULL && i < settings->uri_count; i++)
		ld = open_one(settings, settings->uris[i], why);
	if (ld == NULL && why[0] == '\0')
		(void)snprintf(why, DIRECTORY_WHY_SIZE, "no server is named");
	return ld;
}

void
directory_close(LDAP *ld)
{
	if (ld != NULL)
		(void)ldap_unbind_ext_s(ld, NULL, NULL);
}

/* ---- searching, page by page */

static int
each_entry(LDAP *ld, LDAPMessage *page, directory_entry_fn *entry, void *arg)
{
	int result = 0;

	for (LDAPMessage *at = ldap_first_entry(ld, page);
	     at != NULL && result == 0; at = ldap_next_entry(ld, at))
		result = entry(arg, ld, at);
	return result;
}

/* The server's result code and the next page's cookie. */
static int
read_page_end(LDAP *ld, LDAPMessage *page, struct berval *cookie)
{
	LDAPControl **controls = NULL, *control;
	int code, result;
	ber_int_t count;

	ber_memfree(cookie->bv_val);
	cookie->bv_val = NULL;
	cookie->bv_len = 0;
	result =
	    ldap_parse_result(ld, page, &code, NULL, NULL, NULL, &controls, 0);
	if (result == LDAP_SUCCESS)
		result = code;
	control =
	    controls != NULL
		? ldap_control_find(LDAP_CONTROL_PAGEDRESULTS, controls, NULL)
		: NULL;
	if (result == LDAP_SUCCESS && control != NULL)
		result = ldap_parse_pageresponse_control(
		    ld, control, &count, cookie);
	ldap_controls_free(controls);
	return result;
}

int
directory_search(LDAP *ld, const struct directory_settings *settings,
    const char *base, int scope, const char *filter, char **attributes,
    directory_entry_fn *entry, void *arg)
{
	struct timeval timeout = {(time_t)settings->timeout_s, 0};
	struct berval cookie = {0, NULL};
	LDAPControl *paging, *controls[2] = {NULL, NULL};
	LDAPMessage *page;
	int result;

	do {
		result = ldap_create_page_control(
		    ld, PAGE_SIZE, &cookie, 0, &paging);
		if (result != LDAP_SUCCESS)
			break;
		controls[0] = paging;
		page = NULL;
		result = ldap_search_ext_s(ld, base, scope, filter, attributes,
		    0, controls, NULL, &timeout, LDAP_NO_LIMIT, &page);
		ldap_control_free(paging);
		if (result == LDAP_SUCCESS)
			result = each_entry(ld, page, entry, arg);
		if (result == LDAP_SUCCESS)
			result = read_page_end(ld, page, &cookie);
		ldap_msgfree(page);
	} while (result == LDAP_SUCCESS && cookie.bv_len > 0);
	ber_memfree(cookie.bv_val);
	return result;
}

const char *
directory_error(int result)
{
	if (result <= DIRECTORY_ERRNO(0))
		return strerror(-(result - DIRECTORY_ERRNO(0)));
	return ldap_err2string(result);
}
