/* SPDX-License-Identifier: ISC */
/* A Kerberos ticket for ourselves, out of a keytab, for SASL's GSSAPI. */
#include "policy/ldap_ticket.h"

#include <stdio.h>
#include <stdlib.h>

#include <krb5.h>

#include "base/must.h"

#define CACHE "MEMORY:directory"

void
ticket_export(void)
{
	must(setenv("KRB5CCNAME", CACHE, 1) == 0);
}

static krb5_error_code
find_first(krb5_context context, krb5_keytab keytab, krb5_principal *client)
{
	krb5_kt_cursor cursor;
	krb5_keytab_entry entry;
	krb5_error_code error = krb5_kt_start_seq_get(context, keytab, &cursor);

	if (error != 0)
		return error;
	error = krb5_kt_next_entry(context, keytab, &entry, &cursor);
	if (error == 0) {
		error = krb5_copy_principal(context, entry.principal, client);
		(void)krb5_free_keytab_entry_contents(context, &entry);
	}
	(void)krb5_kt_end_seq_get(context, keytab, &cursor);
	return error;
}

static krb5_error_code
store(krb5_context context, krb5_principal client, krb5_creds *ticket)
{
	krb5_ccache cache;
	krb5_error_code error = krb5_cc_resolve(context, CACHE, &cache);

	if (error != 0)
		return error;
	error = krb5_cc_initialize(context, cache, client);
	if (error == 0)
		error = krb5_cc_store_cred(context, cache, ticket);
	(void)krb5_cc_close(context, cache);
	return error;
}

static krb5_error_code
get(krb5_context context, krb5_keytab keytab, const char *principal)
{
	krb5_principal client = NULL;
	krb5_creds ticket;
	krb5_error_code error =
	    *principal != '\0' ? krb5_parse_name(context, principal, &client)
			       : find_first(context, keytab, &client);

	if (error != 0)
		return error;
	error = krb5_get_init_creds_keytab(
	    context, &ticket, client, keytab, 0, NULL, NULL);
	if (error == 0) {
		error = store(context, client, &ticket);
		krb5_free_cred_contents(context, &ticket);
	}
	krb5_free_principal(context, client);
	return error;
}

int
ticket_get(
    const char *keytab_name, const char *principal, char *why, size_t why_size)
{
	krb5_context context;
	krb5_keytab keytab;
	krb5_error_code error = krb5_init_context(&context);
	const char *text;

	if (error != 0) {
		(void)snprintf(why, why_size, "krb5.conf cannot be read");
		return -1;
	}
	error = krb5_kt_resolve(context, keytab_name, &keytab);
	if (error == 0) {
		error = get(context, keytab, principal);
		(void)krb5_kt_close(context, keytab);
	}
	if (error != 0) {
		text = krb5_get_error_message(context, error);
		(void)snprintf(
		    why, why_size, "no ticket by %s: %s", keytab_name, text);
		krb5_free_error_message(context, text);
	}
	krb5_free_context(context);
	return error == 0 ? 0 : -1;
}
