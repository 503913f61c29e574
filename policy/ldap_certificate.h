/* SPDX-License-Identifier: ISC */
/* What is wrong with a directory server's certificate, in words. */
#ifndef POLICY_LDAP_CERTIFICATE_H
#define POLICY_LDAP_CERTIFICATE_H

#include <stddef.h>

#include "base/compiler.h"

enum certificate_fault {
	CERTIFICATE_UNREADABLE,
	CERTIFICATE_EXPIRED,  /* or not valid yet */
	CERTIFICATE_NAME,     /* it is another server's */
	CERTIFICATE_UNTRUSTED /* none of these: it leads to none of the CAs */
};

/* Of one in DER that was not trusted for that URI.  `detail` is the date, or
 * the names that it has (RFC 6125: subjectAltName). */
enum certificate_fault certificate_fault(const void *der, size_t len,
    const char *uri, char *detail, size_t detail_size) must_check;

#endif
