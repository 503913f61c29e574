/* SPDX-License-Identifier: ISC */
/* Who was proved: what may be the name of an identity. */
#include "base/identity.h"

#include "base/text.h"

bool
identity_name_is_valid(const char *name, size_t len)
{
	return len >= 1 && len <= IDENTITY_NAME_MAX &&
	       text_is_printable(name, len);
}
