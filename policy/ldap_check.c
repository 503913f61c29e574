/* SPDX-License-Identifier: ISC */
/* directory-check: looks for `gatewarden --check` at each directory server,
 * with the directory programs' user. */
#include <string.h>

#include <ldap.h>

#include "base/check_frame.h"
#include "base/findings.h"
#include "base/options.h"
#include "base/secret.h"
#include "policy/ldap_certificate.h"
#include "policy/ldap_check_entries.h"
#include "policy/ldap_connection.h"

#define DETAIL_SIZE 512

struct server_check {
	const struct directory_settings *settings;
	const struct options *options;
	struct findings *findings;
	const char *uri;
};

static struct finding_place
about(const struct server_check *check)
{
	return (struct finding_place){
	    options_get(check->options, CHECK_PLACE, ""), check->uri, NULL};
}

/* libldap only says that it does not trust it. */
static void
find_certificate(const struct server_check *check, const char *why)
{
	const struct finding_place place = about(check);
	struct berval certificate =
	    directory_certificate(check->settings, check->uri);
	char detail[DETAIL_SIZE];

	switch (certificate_fault(certificate.bv_val, certificate.bv_len,
	    check->uri, detail, sizeof(detail))) {
	case CERTIFICATE_EXPIRED:
		findings_add(check->findings, FINDING_DIRECTORY_EXPIRED, &place,
		    "directory.uri: the certificate of %s is out of date: %s",
		    check->uri, detail);
		break;
	case CERTIFICATE_NAME:
		findings_add(check->findings, FINDING_DIRECTORY_NAME, &place,
		    "directory.uri: the certificate of %s is for %s",
		    check->uri, detail);
		break;
	case CERTIFICATE_UNTRUSTED:
	case CERTIFICATE_UNREADABLE:
		findings_add(check->findings, FINDING_DIRECTORY_TLS, &place,
		    "directory.uri: %s", why);
		break;
	}
	ldap_memfree(certificate.bv_val);
}

static void
find_failure(const struct server_check *check,
    const struct directory_failure *failure, const char *why)
{
	const struct finding_place place = about(check);

	if (failure->step == DIRECTORY_STEP_TLS &&
	    failure->result == LDAP_CONNECT_ERROR)
		find_certificate(check, why);
	else if (failure->step == DIRECTORY_STEP_TLS)
		findings_add(check->findings, FINDING_DIRECTORY_TLS, &place,
		    "directory.uri: %s", why);
	else if (failure->step == DIRECTORY_STEP_BIND)
		findings_add(check->findings, FINDING_DIRECTORY_BIND, &place,
		    "directory.bind: %s", why);
	else
		findings_add(check->findings, FINDING_DIRECTORY, &place,
		    "directory.uri: %s", why);
}

static void
check_server(const struct server_check *check)
{
	struct directory_failure failure;
	char why[DIRECTORY_WHY_SIZE] = "";
	LDAP *ld =
	    directory_open_one(check->settings, check->uri, &failure, why);

	if (ld == NULL) {
		find_failure(check, &failure, why);
		return;
	}
	check_entries(ld, check->uri, check->options, check->findings);
	directory_close(ld);
}

static void
look(struct findings *findings, const struct options *options,
    struct secret *password)
{
	struct directory_settings settings;

	directory_settings_init(&settings, options, password);
	directory_settings_export(&settings);
	for (unsigned n = 0; n < settings.uri_count; n++)
		check_server(&(struct server_check){
		    &settings, options, findings, settings.uris[n]});
	directory_settings_fini(&settings);
}

int
main(int argc, char *argv[])
{
	check_frame_run(argc, argv, look);
}
