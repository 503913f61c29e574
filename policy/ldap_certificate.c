/* SPDX-License-Identifier: ISC */
/* What is wrong with a directory server's certificate, in words. */
#include "policy/ldap_certificate.h"

#include <arpa/inet.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <ldap.h>
#include <openssl/x509v3.h>

#include "base/text.h"

static void
print_date(const ASN1_TIME *moment, char *detail, size_t size)
{
	struct tm utc;

	if (ASN1_TIME_to_tm(moment, &utc) == 1)
		(void)strftime(detail, size, "%Y-%m-%d %H:%M:%SZ", &utc);
	else
		(void)strlcpy(detail, "a date that is none", size);
}

static bool
is_in_date(const X509 *certificate, char *detail, size_t size)
{
	const ASN1_TIME *first = X509_get0_notBefore(certificate);
	const ASN1_TIME *last = X509_get0_notAfter(certificate);

	if (X509_cmp_current_time(first) > 0)
		print_date(first, detail, size);
	else if (X509_cmp_current_time(last) < 0)
		print_date(last, detail, size);
	else
		return true;
	return false;
}

/* As text; "" if it is neither a name of the DNS nor an address. */
static void
print_name(const GENERAL_NAME *name, char *text, size_t size)
{
	const ASN1_STRING *value = name->d.ia5;
	const unsigned char *octets;
	size_t len;

	text[0] = '\0';
	if (name->type != GEN_DNS && name->type != GEN_IPADD)
		return;
	octets = ASN1_STRING_get0_data(value);
	len = (size_t)ASN1_STRING_length(value);
	if (name->type == GEN_DNS)
		(void)text_quote(text, size, (const char *)octets, len);
	else if (len == sizeof(struct in_addr) ||
		 len == sizeof(struct in6_addr))
		(void)inet_ntop(
		    len == sizeof(struct in_addr) ? AF_INET : AF_INET6, octets,
		    text, (socklen_t)size);
}

static void
print_names(const X509 *certificate, char *detail, size_t size)
{
	GENERAL_NAMES *names =
	    X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);

	char text[256];

	for (int n = 0; n < sk_GENERAL_NAME_num(names); n++) {
		print_name(sk_GENERAL_NAME_value(names, n), text, sizeof(text));
		if (text[0] == '\0')
			continue;
		(void)strlcat(detail, detail[0] != '\0' ? ", " : "", size);
		(void)strlcat(detail, text, size);
	}
	GENERAL_NAMES_free(names);
	if (detail[0] == '\0')
		(void)strlcpy(detail, "nobody", size);
}

static bool
is_for(X509 *certificate, const char *uri)
{
	LDAPURLDesc *url;
	bool is_so;

	if (ldap_url_parse(uri, &url) != LDAP_URL_SUCCESS)
		return false;
	is_so = url->lud_host != NULL &&
		(X509_check_host(certificate, url->lud_host, 0,
		     X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL) == 1 ||
		    X509_check_ip_asc(certificate, url->lud_host, 0) == 1);
	ldap_free_urldesc(url);
	return is_so;
}

enum certificate_fault
certificate_fault(const void *der, size_t len, const char *uri, char *detail,
    size_t detail_size)
{
	enum certificate_fault fault = CERTIFICATE_UNTRUSTED;
	const unsigned char *octets = der;
	X509 *certificate =
	    len > LONG_MAX ? NULL : d2i_X509(NULL, &octets, (long)len);

	detail[0] = '\0';
	if (certificate == NULL)
		return CERTIFICATE_UNREADABLE;
	if (!is_in_date(certificate, detail, detail_size)) {
		fault = CERTIFICATE_EXPIRED;
	} else if (!is_for(certificate, uri)) {
		fault = CERTIFICATE_NAME;
		print_names(certificate, detail, detail_size);
	}
	X509_free(certificate);
	return fault;
}
