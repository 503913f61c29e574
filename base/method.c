/* SPDX-License-Identifier: ISC */
/* The ways to prove who one is (RFC 1928 section 3). */
#include "base/method.h"

#include <string.h>

#include "base/must.h"

static const char *const names[METHOD_COUNT] = {
    [METHOD_NONE] = "none",
    [METHOD_GSSAPI] = "gssapi",
    [METHOD_PASSWORD] = "password",
};

const char *
method_name(enum method method)
{
	must(method < METHOD_COUNT);
	return names[method];
}

bool
method_parse(const char *text, enum method *method)
{
	for (unsigned i = 0; i < METHOD_COUNT; i++) {
		if (strcmp(text, names[i]) == 0) {
			*method = (enum method)i;
			return true;
		}
	}
	return false;
}
