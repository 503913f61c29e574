/* SPDX-License-Identifier: ISC */
/* Looking at a keytab for `gatewarden --check`. */
#include "auth/check_keytab.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "auth/weak_key.h"
#include "base/check_frame.h"
#include "base/findings.h"
#include "base/options.h"
#include "base/text.h"

struct finding_place
check_keytab_place(const struct options *options)
{
	return (struct finding_place){
	    .place = options_get(options, CHECK_PLACE, ""),
	    .subject = options_get(options, "kerberos.keytab", ""),
	};
}

void
principal_print(krb5_context krb5, krb5_const_principal principal,
    char text[PRINCIPAL_TEXT_SIZE])
{
	char *name;

	(void)strlcpy(text, "?", PRINCIPAL_TEXT_SIZE);
	if (krb5_unparse_name(krb5, principal, &name) != 0)
		return;
	(void)text_quote(text, PRINCIPAL_TEXT_SIZE, name, strlen(name));
	krb5_free_unparsed_name(krb5, name);
}

static bool
is_of_service(krb5_const_principal principal, const struct options *options)
{
	const char *service;

	for (size_t n = 0; principal->length == 2; n++) {
		service = options_get_nth(options, "kerberos.services", n);
		if (service == NULL)
			break;
		if (strlen(service) == principal->data[0].length &&
		    memcmp(service, principal->data[0].data,
			principal->data[0].length) == 0)
			return true;
	}
	return false;
}

static krb5_error_code
remember(
    krb5_context krb5, struct own_principals *own, const krb5_keytab_entry *key)
{
	krb5_error_code code = 0;
	size_t n = 0;

	while (n < own->count && !krb5_principal_compare(
				     krb5, own->principals[n], key->principal))
		n++;
	if (n == OWN_PRINCIPALS_MAX)
		return 0;
	if (n == own->count) {
		code = krb5_copy_principal(
		    krb5, key->principal, &own->principals[n]);
		own->count += code == 0;
	}
	if (code == 0 && !is_weak_key(key->key.enctype))
		own->has_strong_key[n] = true;
	return code;
}

static krb5_error_code
read_keys(krb5_context krb5, krb5_keytab keytab, struct own_principals *own,
    const struct options *options)
{
	krb5_kt_cursor cursor;
	krb5_keytab_entry key;
	krb5_error_code code = krb5_kt_start_seq_get(krb5, keytab, &cursor);

	if (code != 0)
		return code;
	while (code == 0) {
		code = krb5_kt_next_entry(krb5, keytab, &key, &cursor);
		if (code != 0)
			break;
		if (is_of_service(key.principal, options))
			code = remember(krb5, own, &key);
		(void)krb5_free_keytab_entry_contents(krb5, &key);
	}
	(void)krb5_kt_end_seq_get(krb5, keytab, &cursor);
	return code == KRB5_KT_END ? 0 : code;
}

static krb5_error_code
read_keytab(krb5_context krb5, struct own_principals *own,
    const struct options *options)
{
	krb5_keytab keytab;
	krb5_error_code code = krb5_kt_resolve(
	    krb5, options_get(options, "kerberos.keytab", ""), &keytab);

	if (code == 0) {
		code = read_keys(krb5, keytab, own, options);
		(void)krb5_kt_close(krb5, keytab);
	}
	return code;
}

static void
find_weak(krb5_context krb5, const struct own_principals *own,
    const struct finding_place *about, struct findings *findings)
{
	char text[PRINCIPAL_TEXT_SIZE];

	for (size_t n = 0; n < own->count; n++) {
		if (own->has_strong_key[n])
			continue;
		principal_print(krb5, own->principals[n], text);
		findings_add(findings, FINDING_KEYTAB_WEAK, about,
		    "kerberos.keytab: %s has only keys of RC4 or older kinds "
		    "for %s",
		    about->subject, text);
	}
}

void
check_keytab(krb5_context krb5, struct own_principals *own,
    const struct options *options, struct findings *findings)
{
	const struct finding_place about = check_keytab_place(options);
	krb5_error_code code = read_keytab(krb5, own, options);
	const char *text;

	if (code == ENOENT || code == EACCES || code == KRB5_KT_NOTFOUND)
		return;
	if (code != 0) {
		text = krb5_get_error_message(krb5, code);
		findings_add(findings, FINDING_KEYTAB_SERVICE, &about,
		    "kerberos.keytab: %s cannot be used: %s", about.subject,
		    text);
		krb5_free_error_message(krb5, text);
	} else if (own->count == 0) {
		findings_add(findings, FINDING_KEYTAB_SERVICE, &about,
		    "kerberos.keytab: %s has no key for a service of "
		    "kerberos.services, such as %s",
		    about.subject,
		    options_get(options, "kerberos.services", "socks"));
	}
	find_weak(krb5, own, &about, findings);
}

bool
own_principals_have(krb5_context krb5, const struct own_principals *own,
    krb5_const_principal principal)
{
	for (size_t n = 0; n < own->count; n++)
		if (krb5_principal_compare_any_realm(
			krb5, own->principals[n], principal))
			return true;
	return false;
}

void
own_principals_fini(krb5_context krb5, struct own_principals *own)
{
	for (size_t n = 0; n < own->count; n++)
		krb5_free_principal(krb5, own->principals[n]);
}
