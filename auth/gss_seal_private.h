/* SPDX-License-Identifier: ISC */
/* How an established context becomes a seal; for auth/gss_* only. */
#ifndef AUTH_GSS_SEAL_PRIVATE_H
#define AUTH_GSS_SEAL_PRIVATE_H

#include <stdint.h>

#include <gssapi/gssapi.h>

#include "base/compiler.h"
#include "base/protection.h"

struct seal;

/* Takes the handle, whatever comes of it.  `next` is above the numbers of
 * all messages that it has opened.  As gssctx_into_seal. */
struct seal *gssseal_new(
    gss_ctx_id_t handle, uint64_t next, enum protection protection) must_check;

#endif
