/* SPDX-License-Identifier: ISC */
/* The authenticator program itself, beside a real realm. */
#include "tests/support/unit.h"

#include "tests/support/authenticator_program.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/options.h"

void
authenticator_program_start(
    struct helper_program *program, struct event_base *base)
{
	helper_program_start(program, base, "./gatewarden-authenticator");
}

void
authenticator_program_configure(
    struct helper_program *program, const char *keytab)
{
	const char *folder = getenv("KDC_DIR");
	struct options *options = options_new();
	char usual[512];

	assert_non_null(folder); /* run it with with_kdc.sh */
	(void)snprintf(usual, sizeof(usual), "%s/gateway.keytab", folder);
	options_add(
	    options, "kerberos.keytab", keytab != NULL ? keytab : usual);
	options_add(options, "kerberos.services", "socks");
	options_add_u64(options, "kerberos.timeout", 1);
	options_add(options, "gateway.log_level", "error");
	options_add(options, "state_dir", folder);
	helper_program_configure(program, options);
	options_free(options);
}
