/* SPDX-License-Identifier: ISC */
/*
 * What TLS each listener speaks: made anew with each configuration, whole or
 * not at all, and shared by the workers.  A session keeps what it began with.
 */
#ifndef GATEWAY_TLS_LISTENERS_H
#define GATEWAY_TLS_LISTENERS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

struct listener_settings;
struct secret;
struct settings;
struct tls_context;
struct tls_listeners;
struct tls_text;

/* An empty set that files are added to as they come from the master; dies
 * without memory. */
struct tls_listeners *tls_listeners_new(void) must_check;
/* `name` as gateway/papers.h says; takes fd. */
void tls_listeners_add(struct tls_listeners *set, const char *name, int fd);

/*
 * Makes the contexts for all listeners of the settings that speak TLS.  False
 * with a sentence in why that begins with the setting's file and line.  A
 * certificate that is not valid today is taken, with a warning in the log.
 */
bool tls_listeners_make(struct tls_listeners *set,
    const struct settings *settings, char *why, size_t why_size) must_check;

/*
 * One listener's context, out of the files' texts (NULL where there is none).
 * NULL with a sentence in why as above; `stale` says why its certificate is
 * not valid today, "" if it is.
 */
#define TLS_LISTENERS_WHY_SIZE 768
struct tls_context *tls_listeners_context(
    const struct listener_settings *listener, struct secret *const *texts,
    const char *const *places, char *why, char *stale, size_t size) must_check;

/* NULL: the listener speaks no TLS.  Borrowed. */
const struct tls_context *
tls_listeners_find(const struct tls_listeners *set, const char *listener);

/* NULL is fine. */
struct tls_listeners *tls_listeners_ref(struct tls_listeners *set);
void tls_listeners_unref(struct tls_listeners *set);

#endif
