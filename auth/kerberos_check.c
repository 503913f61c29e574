/* SPDX-License-Identifier: ISC */
/* kerberos-check: looks for `gatewarden --check` at what Kerberos needs, with
 * the authenticator's user. */
#include <stdio.h>

#include <krb5.h>

#include "auth/check_kdc.h"
#include "auth/check_keytab.h"
#include "base/check_frame.h"
#include "base/findings.h"
#include "base/options.h"
#include "base/secret.h"

/* What a client makes of the name with which it was told to call us: its
 * library may look it up, and back. */
static void
check_host_name(krb5_context krb5, const struct own_principals *own, size_t n,
    const struct options *options, struct findings *findings)
{
	krb5_const_principal principal = own->principals[n];
	struct finding_place about = {
	    .place = options_get(options, CHECK_PLACE, "")};
	char text[PRINCIPAL_TEXT_SIZE], service[64], name[256];
	krb5_principal theirs;

	(void)snprintf(service, sizeof(service), "%.*s",
	    (int)principal->data[0].length, principal->data[0].data);
	(void)snprintf(name, sizeof(name), "%.*s",
	    (int)principal->data[1].length, principal->data[1].data);
	if (krb5_sname_to_principal(
		krb5, name, service, KRB5_NT_SRV_HST, &theirs) != 0)
		return;
	about.subject = name;
	if (!own_principals_have(krb5, own, theirs)) {
		principal_print(krb5, theirs, text);
		findings_add(findings, FINDING_HOST_NAME, &about,
		    "clients that look up %s ask for a ticket to %s, and the "
		    "keytab has no such principal",
		    name, text);
	}
	krb5_free_principal(krb5, theirs);
}

static void
look(struct findings *findings, const struct options *options,
    struct secret *secret)
{
	const struct finding_place about = {
	    options_get(options, CHECK_PLACE, ""), "/etc/krb5.conf", NULL};
	struct own_principals own = {0};
	krb5_context krb5;
	krb5_error_code code = krb5_init_context(&krb5);
	const char *text;

	secret_free(secret);
	if (code != 0) {
		text = krb5_get_error_message(NULL, code);
		findings_add(findings, FINDING_REALM, &about,
		    "krb5.conf cannot be used: %s", text);
		krb5_free_error_message(NULL, text);
		return;
	}
	check_keytab(krb5, &own, options, findings);
	for (size_t n = 0; n < own.count; n++)
		check_host_name(krb5, &own, n, options, findings);
	check_kdc(krb5, &own, options, findings);
	own_principals_fini(krb5, &own);
	krb5_free_context(krb5);
}

int
main(int argc, char *argv[])
{
	check_frame_run(argc, argv, look);
}
