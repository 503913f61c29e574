/* SPDX-License-Identifier: ISC */
/* Asking the KDC for `gatewarden --check`. */
#include "auth/check_kdc.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "auth/check_keytab.h"
#include "base/check_frame.h"
#include "base/findings.h"
#include "base/options.h"

/* What libkrb5 and Active Directory bear by default, in seconds. */
#define CLOCK_SKEW_MAX 300

#define REALM_SIZE 256

struct kdc_check {
	krb5_context krb5;
	krb5_principal principal;
	const struct options *options;
	struct findings *findings;
	char realm[REALM_SIZE];
	time_t kdc_time; /* 0: it has said nothing */
};

/* The KDC's time: that of the ticket, or of its refusal. */
static void
take_time(struct kdc_check *check, krb5_init_creds_context asking,
    krb5_error_code code)
{
	krb5_ticket_times times;
	krb5_error *refusal = NULL;

	if (code == 0 &&
	    krb5_init_creds_get_times(check->krb5, asking, &times) == 0) {
		check->kdc_time = (time_t)(uint32_t)times.authtime;
	} else if (krb5_init_creds_get_error(check->krb5, asking, &refusal) ==
		       0 &&
		   refusal != NULL) {
		check->kdc_time = (time_t)(uint32_t)refusal->stime;
		krb5_free_error(check->krb5, refusal);
	}
}

/* A ticket by the keytab's key; 0 or libkrb5's code. */
static krb5_error_code
ask(struct kdc_check *check)
{
	krb5_init_creds_context asking;
	krb5_keytab keytab;
	krb5_error_code code = krb5_kt_resolve(check->krb5,
	    options_get(check->options, "kerberos.keytab", ""), &keytab);

	if (code != 0)
		return code;
	code = krb5_init_creds_init(
	    check->krb5, check->principal, NULL, NULL, 0, NULL, &asking);
	if (code == 0) {
		code = krb5_init_creds_set_keytab(check->krb5, asking, keytab);
		if (code == 0)
			code = krb5_init_creds_get(check->krb5, asking);
		take_time(check, asking, code);
		krb5_init_creds_free(check->krb5, asking);
	}
	(void)krb5_kt_close(check->krb5, keytab);
	return code;
}

static void
find_keys_refused(const struct kdc_check *check)
{
	const struct finding_place about = check_keytab_place(check->options);
	char text[PRINCIPAL_TEXT_SIZE];

	principal_print(check->krb5, check->principal, text);
	findings_add(check->findings, FINDING_KEYTAB_OLD, &about,
	    "kerberos.keytab: the KDC has other keys for %s than %s: they were "
	    "made anew since",
	    text, about.subject);
}

static void
find_clock(const struct kdc_check *check, krb5_error_code code)
{
	const struct finding_place about = {
	    options_get(check->options, CHECK_PLACE, ""), check->realm, NULL};
	long off = (long)difftime(time(NULL), check->kdc_time);
	bool is_named = code == KRB5KRB_AP_ERR_SKEW || code == KRB5_KDCREP_SKEW;
	bool is_known = check->kdc_time != 0;

	if (!is_named && (!is_known || labs(off) < CLOCK_SKEW_MAX))
		return;
	/* libkrb5 with kdc_timesync = 0 keeps an answer to itself. */
	if (!is_known)
		findings_add(check->findings, FINDING_CLOCK, &about,
		    "this host's clock and that of the KDC of %s differ by "
		    "more than Kerberos allows",
		    check->realm);
	else
		findings_add(check->findings, FINDING_CLOCK, &about,
		    "this host's clock is %ld seconds %s that of the KDC of %s",
		    labs(off), off < 0 ? "behind" : "ahead of", check->realm);
}

static void
find_no_kdc(const struct kdc_check *check, krb5_error_code code)
{
	const struct finding_place about = {
	    options_get(check->options, CHECK_PLACE, ""), check->realm, NULL};
	const char *text = krb5_get_error_message(check->krb5, code);

	findings_add(check->findings,
	    code == KRB5_KDC_UNREACH ? FINDING_KDC : FINDING_REALM, &about,
	    "the KDC of %s: %s", check->realm, text);
	krb5_free_error_message(check->krb5, text);
}

static void
judge(const struct kdc_check *check, krb5_error_code code)
{
	switch (code) {
	case KRB5_REALM_UNKNOWN:
	case KRB5_REALM_CANT_RESOLVE:
	case KRB5_KDC_UNREACH:
		find_no_kdc(check, code);
		break;
	case KRB5KDC_ERR_PREAUTH_FAILED:
	case KRB5KRB_AP_ERR_BAD_INTEGRITY:
	case KRB5_KT_KVNONOTFOUND:
		find_keys_refused(check);
		break;
	default:
		break;
	}
	find_clock(check, code);
}

static bool
was_realm_asked(krb5_context krb5, const struct own_principals *own, size_t n)
{
	for (size_t before = 0; before < n; before++)
		if (krb5_realm_compare(
			krb5, own->principals[before], own->principals[n]))
			return true;
	return false;
}

void
check_kdc(krb5_context krb5, const struct own_principals *own,
    const struct options *options, struct findings *findings)
{
	for (size_t n = 0; n < own->count; n++) {
		struct kdc_check check = {
		    .krb5 = krb5,
		    .principal = own->principals[n],
		    .options = options,
		    .findings = findings,
		};

		if (was_realm_asked(krb5, own, n))
			continue;
		(void)snprintf(check.realm, sizeof(check.realm), "%.*s",
		    (int)check.principal->realm.length,
		    check.principal->realm.data);
		judge(&check, ask(&check));
	}
}
