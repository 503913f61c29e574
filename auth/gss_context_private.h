/* SPDX-License-Identifier: ISC */
/* How a handle of libgssapi becomes a context; for auth/gss_* only. */
#ifndef AUTH_GSS_CONTEXT_PRIVATE_H
#define AUTH_GSS_CONTEXT_PRIVATE_H

#include <gssapi/gssapi.h>

#include "base/compiler.h"

struct gssctx;

/* Takes an established context, whatever comes of it; *handle is cleared.
 * NULL when there is no memory. */
struct gssctx *gssctx_adopt(gss_ctx_id_t *handle) must_check;

#endif
