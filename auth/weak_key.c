/* SPDX-License-Identifier: ISC */
/* Kinds of keys that Kerberos should not have any more. */
#include "auth/weak_key.h"

bool
is_weak_key(krb5_enctype kind)
{
	return kind != ENCTYPE_AES256_CTS_HMAC_SHA384_192 &&
	       kind != ENCTYPE_AES128_CTS_HMAC_SHA256_128 &&
	       kind != ENCTYPE_AES256_CTS_HMAC_SHA1_96 &&
	       kind != ENCTYPE_AES128_CTS_HMAC_SHA1_96 &&
	       kind != ENCTYPE_CAMELLIA256_CTS_CMAC &&
	       kind != ENCTYPE_CAMELLIA128_CTS_CMAC;
}
