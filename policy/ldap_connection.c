/* SPDX-License-Identifier: ISC */
/* A bound connection to the first of several directory servers. */
#include "policy/ldap_connection.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <sasl/sasl.h>

#include "base/clock.h"
#include "base/must.h"
#include "base/options.h"
#include "base/secret.h"
#include "base/text.h"
#include "policy/ldap_ticket.h"

/* With the environment and its files left out, libldap knows no CA. */
#define SYSTEM_CA_FILE "/etc/ssl/certs/ca-certificates.crt"

#define INCOMING_MAX (16 * 1024 * 1024) /* octets of one answer */
#define TEXT_MAX     512		/* octets about one server */

static const struct {
	const char *name;
	enum directory_bind bind;
} binds[] = {
    {"none", DIRECTORY_ANONYMOUS},
    {"simple", DIRECTORY_SIMPLE},
    {"gssapi", DIRECTORY_GSSAPI},
};

/* ---- settings */

void
directory_settings_servers(struct directory_settings *settings, const char *uri)
{
	if (uri == NULL) {
		while (settings->uri_count > 0)
			free(settings->uris[--settings->uri_count]);
		settings->first = 0;
	} else if (settings->uri_count < DIRECTORY_URIS_MAX) {
		settings->uris[settings->uri_count++] = must_strdup(uri);
	}
}

void
directory_settings_init(struct directory_settings *settings,
    const struct options *options, struct secret *password)
{
	const char *bind = options_get(options, "directory.bind", "none");
	const char *uri;

	memset(settings, 0, sizeof(*settings));
	for (size_t i = 0; i < DIRECTORY_URIS_MAX; i++) {
		uri = options_get_nth(options, "directory.uri", i);
		if (uri != NULL)
			directory_settings_servers(settings, uri);
	}
	settings->start_tls =
	    options_get_bool(options, "directory.start_tls", true);
	settings->ca_file = options_copy(options, "directory.ca_file");
	for (size_t i = 0; i < ARRAY_COUNT(binds); i++)
		if (strcmp(bind, binds[i].name) == 0)
			settings->bind = binds[i].bind;
	settings->bind_dn = options_copy(options, "directory.bind_dn");
	settings->password = password;
	settings->client_keytab =
	    options_copy(options, "directory.client_keytab");
	settings->client_principal =
	    options_copy(options, "directory.client_principal");
	settings->timeout_s =
	    (unsigned)options_get_u64(options, "directory.timeout", 5);
}

void
directory_settings_fini(struct directory_settings *settings)
{
	directory_settings_servers(settings, NULL);
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
	if (settings->bind == DIRECTORY_GSSAPI)
		ticket_export();
}

/* ---- one server, step by step */

struct opening {
	const struct directory_settings *settings;
	const char *uri;
	bool is_any_certificate_taken;
	bool has_tls;
	LDAP *ld;
	char detail[TEXT_MAX]; /* what the result code does not say */
};

static bool
is_scheme(const struct opening *opening, const char *scheme)
{
	return strncasecmp(opening->uri, scheme, strlen(scheme)) == 0;
}

static const char *
ca_file(const struct directory_settings *settings)
{
	return *settings->ca_file != '\0' ? settings->ca_file : SYSTEM_CA_FILE;
}

static bool
needs_tls(const struct opening *opening)
{
	return is_scheme(opening, "ldaps:") ||
	       (is_scheme(opening, "ldap:") && opening->settings->start_tls);
}

struct row {
	int option;
	const void *value;
};

static int
set_rows(struct opening *opening, const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (ldap_set_option(opening->ld, rows[i].option,
			rows[i].value) != LDAP_OPT_SUCCESS)
			return LDAP_PARAM_ERROR;
	return LDAP_SUCCESS;
}

/* libldap's defaults are not ours. */
static int
set_options(struct opening *opening)
{
	const int version = LDAP_VERSION3, deref = LDAP_DEREF_NEVER;
	const struct timeval timeout = {
	    (time_t)opening->settings->timeout_s, 0};
	const struct row rows[] = {
	    {LDAP_OPT_PROTOCOL_VERSION, &version},
	    {LDAP_OPT_REFERRALS, LDAP_OPT_OFF},
	    {LDAP_OPT_RESTART, LDAP_OPT_ON},
	    {LDAP_OPT_DEREF, &deref},
	    {LDAP_OPT_NETWORK_TIMEOUT, &timeout},
	    {LDAP_OPT_TIMEOUT, &timeout},
	    {LDAP_OPT_X_SASL_NOCANON, LDAP_OPT_ON},
	};

	return set_rows(opening, rows, ARRAY_COUNT(rows));
}

static int
set_tls_options(struct opening *opening)
{
	const char *authorities = ca_file(opening->settings);
	const int demand = opening->is_any_certificate_taken
			       ? LDAP_OPT_X_TLS_NEVER
			       : LDAP_OPT_X_TLS_DEMAND;
	const int tls_minimum = LDAP_OPT_X_TLS_PROTOCOL_TLS1_2;
	const int binding = LDAP_OPT_X_SASL_CBINDING_TLS_ENDPOINT;
	const int is_server = 0;
	const struct row rows[] = {
	    {LDAP_OPT_X_SASL_CBINDING, &binding},
	    {LDAP_OPT_X_TLS_REQUIRE_CERT, &demand},
	    {LDAP_OPT_X_TLS_REQUIRE_SAN, &demand},
	    {LDAP_OPT_X_TLS_PROTOCOL_MIN, &tls_minimum},
	    {LDAP_OPT_X_TLS_CACERTFILE, authorities},
	};
	int result = set_rows(opening, rows, ARRAY_COUNT(rows));

	if (result != LDAP_SUCCESS)
		return result;
	/* Last: it makes the TLS context of what was set before. */
	if (ldap_set_option(opening->ld, LDAP_OPT_X_TLS_NEWCTX, &is_server) ==
	    LDAP_OPT_SUCCESS)
		return LDAP_SUCCESS;
	(void)snprintf(opening->detail, TEXT_MAX,
	    "the certificates in %s cannot be used", authorities);
	return LDAP_LOCAL_ERROR;
}

/* ldaps:// is opened as ldap:// on its port, and TLS begun on it apart:
 * libldap waits in the one for a connection and in the other for TLS. */
static int
make_handle(struct opening *opening)
{
	char scheme[] = "ldap", *theirs, *plain;
	LDAPURLDesc *url;
	int result = ldap_url_parse(opening->uri, &url);

	if (result != LDAP_URL_SUCCESS)
		return LDAP_PARAM_ERROR;
	theirs = url->lud_scheme;
	if (is_scheme(opening, "ldaps:"))
		url->lud_scheme = scheme;
	plain = ldap_url_desc2str(url);
	url->lud_scheme = theirs;
	ldap_free_urldesc(url);
	if (plain == NULL)
		return LDAP_NO_MEMORY;
	result = ldap_initialize(&opening->ld, plain);
	ldap_memfree(plain);
	if (result == LDAP_SUCCESS)
		result = set_options(opening);
	if (result == LDAP_SUCCESS && needs_tls(opening))
		result = set_tls_options(opening);
	return result;
}

/* Half an answer must not hold us up either. */
static void
bound_socket(struct opening *opening)
{
	const struct timeval timeout = {
	    (time_t)opening->settings->timeout_s, 0};
	ber_len_t incoming_max = INCOMING_MAX;
	Sockbuf *buffer = NULL;
	int fd = -1;

	if (ldap_get_option(opening->ld, LDAP_OPT_DESC, &fd) ==
		LDAP_OPT_SUCCESS &&
	    fd >= 0) {
		(void)setsockopt(
		    fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
		(void)setsockopt(
		    fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	}
	if (ldap_get_option(opening->ld, LDAP_OPT_SOCKBUF, &buffer) ==
		LDAP_OPT_SUCCESS &&
	    buffer != NULL)
		(void)ber_sockbuf_ctrl(
		    buffer, LBER_SB_OPT_SET_MAX_INCOMING, &incoming_max);
}

static int
connect_to(struct opening *opening)
{
	int result = ldap_connect(opening->ld);

	if (result == LDAP_SUCCESS)
		bound_socket(opening);
	return result;
}

static int
start_tls(struct opening *opening)
{
	int result = LDAP_SUCCESS;

	if (!needs_tls(opening))
		return LDAP_SUCCESS;
	/* Without this libldap 2.5 spins in the handshake (ITS#8047). */
	if (ldap_set_option(opening->ld, LDAP_OPT_CONNECT_ASYNC, LDAP_OPT_ON) !=
	    LDAP_OPT_SUCCESS)
		return LDAP_PARAM_ERROR;
	if (is_scheme(opening, "ldaps:"))
		result = ldap_install_tls(opening->ld);
	else
		result = ldap_start_tls_s(opening->ld, NULL, NULL);
	opening->has_tls = result == LDAP_SUCCESS;
	/* All that libldap says of a certificate is "unknown error". */
	if (result == LDAP_CONNECT_ERROR)
		(void)snprintf(opening->detail, TEXT_MAX,
		    "not trusted: its certificate must be in date, have its "
		    "address as subjectAltName, and lead to %s",
		    ca_file(opening->settings));
	return result;
}

static int
bind_simply(LDAP *ld, const char *dn, const struct secret *password)
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
bind_by_ticket(struct opening *opening)
{
	const struct directory_settings *settings = opening->settings;
	/* One protection is enough (Active Directory refuses both), and none
	 * is not. */
	const char *properties = opening->has_tls ? "maxssf=0" : "minssf=56";

	if (ticket_get(settings->client_keytab, settings->client_principal,
		opening->detail, TEXT_MAX) != 0)
		return LDAP_LOCAL_ERROR;
	if (!is_scheme(opening, "ldapi:") &&
	    ldap_set_option(opening->ld, LDAP_OPT_X_SASL_SECPROPS,
		properties) != LDAP_OPT_SUCCESS)
		return LDAP_PARAM_ERROR;
	return ldap_sasl_interactive_bind_s(opening->ld, NULL, "GSSAPI", NULL,
	    NULL, LDAP_SASL_QUIET, interact, NULL);
}

static int
bind_to(struct opening *opening)
{
	const struct directory_settings *settings = opening->settings;

	switch (settings->bind) {
	case DIRECTORY_ANONYMOUS:
		return bind_simply(opening->ld, NULL, NULL);
	case DIRECTORY_SIMPLE:
		/* A DN without a password would be anonymous (RFC 4513
		 * section 5.1.2). */
		if (settings->password == NULL ||
		    settings->password->len == 0 ||
		    *settings->bind_dn == '\0') {
			(void)strlcpy(opening->detail,
			    "there is no password or no DN", TEXT_MAX);
			return LDAP_INAPPROPRIATE_AUTH;
		}
		return bind_simply(
		    opening->ld, settings->bind_dn, settings->password);
	case DIRECTORY_GSSAPI:
		return bind_by_ticket(opening);
	}
	return LDAP_AUTH_METHOD_NOT_SUPPORTED;
}

static const struct {
	const char *name;
	int (*take)(struct opening *opening);
} steps[] = {
    [DIRECTORY_STEP_HANDLE] = {"cannot be used", make_handle},
    [DIRECTORY_STEP_CONNECT] = {"connecting", connect_to},
    [DIRECTORY_STEP_TLS] = {"TLS", start_tls},
    [DIRECTORY_STEP_BIND] = {"bind", bind_to},
};

/* Appends "URI: step: what happened" to why. */
static void
explain(const struct opening *opening, const char *step, int result,
    char why[DIRECTORY_WHY_SIZE])
{
	size_t used = strlen(why);
	char *theirs = NULL, quoted[TEXT_MAX] = "";
	const char *text = opening->detail;

	if (*text == '\0') {
		text = ldap_err2string(result);
		if (opening->ld != NULL)
			(void)ldap_get_option(
			    opening->ld, LDAP_OPT_DIAGNOSTIC_MESSAGE, &theirs);
	}
	if (theirs != NULL)
		(void)text_quote(
		    quoted, sizeof(quoted), theirs, strlen(theirs));
	ldap_memfree(theirs);
	(void)snprintf(why + used, DIRECTORY_WHY_SIZE - used,
	    "%s%s: %s: %s%s%s", used > 0 ? "; " : "", opening->uri, step, text,
	    quoted[0] != '\0' ? ": " : "", quoted);
}

LDAP *
directory_open_one(const struct directory_settings *settings, const char *uri,
    struct directory_failure *failure, char why[DIRECTORY_WHY_SIZE])
{
	struct opening opening = {.settings = settings, .uri = uri};

	for (size_t i = 0; i < ARRAY_COUNT(steps); i++) {
		int result = steps[i].take(&opening);

		if (result == LDAP_SUCCESS)
			continue;
		explain(&opening, steps[i].name, result, why);
		directory_close(opening.ld);
		*failure =
		    (struct directory_failure){(enum directory_step)i, result};
		return NULL;
	}
	return opening.ld;
}

struct berval
directory_certificate(
    const struct directory_settings *settings, const char *uri)
{
	struct opening opening = {
	    .settings = settings,
	    .uri = uri,
	    .is_any_certificate_taken = true,
	};
	struct berval certificate = {0, NULL};
	int result = LDAP_SUCCESS;

	for (size_t i = 0; i < DIRECTORY_STEP_BIND && result == LDAP_SUCCESS;
	     i++)
		result = steps[i].take(&opening);
	if (result == LDAP_SUCCESS &&
	    ldap_get_option(opening.ld, LDAP_OPT_X_TLS_PEERCERT,
		&certificate) != LDAP_OPT_SUCCESS)
		certificate.bv_val = NULL;
	directory_close(opening.ld);
	return certificate;
}

/* ---- all servers */

LDAP *
directory_open(struct directory_settings *settings, unsigned budget_s,
    char why[DIRECTORY_WHY_SIZE])
{
	uint64_t until_us = clock_monotonic_us() + budget_s * UINT64_C(1000000);
	struct directory_failure failure;
	LDAP *ld;

	why[0] = '\0';
	if (settings->uri_count == 0)
		(void)strlcpy(
		    why, "directory.uri names no server", DIRECTORY_WHY_SIZE);
	for (unsigned i = 0;
	     i < settings->uri_count && clock_monotonic_us() <= until_us; i++) {
		ld = directory_open_one(
		    settings, settings->uris[settings->first], &failure, why);
		if (ld != NULL)
			return ld;
		settings->first = (settings->first + 1) % settings->uri_count;
	}
	return NULL;
}

void
directory_close(LDAP *ld)
{
	if (ld != NULL)
		(void)ldap_unbind_ext_s(ld, NULL, NULL);
}
