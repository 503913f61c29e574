/* SPDX-License-Identifier: ISC */
/*
 * An established GSS context: the protection level's octet, and the seal
 * made of it.
 */
#ifndef AUTH_GSS_CONTEXT_H
#define AUTH_GSS_CONTEXT_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/protection.h"
#include "base/reason.h"

struct gssctx;
struct seal;

/* Of gss_export_sec_context; copied.  NULL if libgssapi refuses it; then
 * `why` says what it said. */
struct gssctx *gssctx_import(
    const void *exported, size_t len, char *why, size_t why_size) must_check;
void gssctx_free(struct gssctx *context);

/* The octet of RFC 1961 section 4, wrapped with conf_req FALSE.  Writes at
 * most size octets.  REASON_OK or REASON_GSS_SEAL. */
enum reason gssctx_wrap_level(struct gssctx *context, uint8_t level,
    uint8_t *out, size_t size, size_t *len) must_check;

/* REASON_OK, or REASON_GSS_LEVEL for anything but one octet in order. */
enum reason gssctx_unwrap_level(struct gssctx *context, const void *token,
    size_t len, uint8_t *level) must_check;

/* Makes a seal of the context, which it takes.  PROTECTION_NONE yields a
 * seal that behaves as one of integrity.  NULL (context is freed) when there
 * is no memory or the mechanism does not say its sizes. */
struct seal *
gssctx_into_seal(struct gssctx *context, enum protection protection) must_check;

#endif
