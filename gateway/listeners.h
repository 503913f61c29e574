/* SPDX-License-Identifier: ISC */
/*
 * The listening sockets, opened by the master and kept over restarts of the
 * gateway and over reloads.
 */
#ifndef GATEWAY_LISTENERS_H
#define GATEWAY_LISTENERS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

struct listeners;
struct settings;

/*
 * Sockets for all listeners of the settings; those for addresses that `have`
 * (borrowed, may be NULL) holds are shared with it.  NULL, with a sentence
 * in why, if one could not be opened; `have` is untouched.
 */
struct listeners *listeners_open(const struct settings *settings,
    const struct listeners *have, char *why, size_t why_size) must_check;
void listeners_close(struct listeners *listeners);

/*
 * The sockets that the service manager hands over (sd_listen_fds(3)), as
 * LISTEN_PID and LISTEN_FDS say; the variables are removed.  None: an empty
 * list.  NULL, with a sentence in why, where what they say is wrong or a
 * descriptor is no listening TCP socket.
 */
struct listeners *listeners_inherit(char *why, size_t why_size) must_check;
/*
 * Does each of `have` belong to some listener of the settings?  If not, a
 * sentence in why.  Those that we gave to the service manager ourselves need
 * not: they are closed, and it is told to forget them.
 */
bool listeners_fit(struct listeners *have, const struct settings *settings,
    char *why, size_t why_size) must_check;

/* Gives them to the service manager, which hands them over at the next start
 * (FDSTORE=1 of sd_notify(3)); those of `before`, may be NULL, that are not
 * among them it is told to forget. */
void listeners_store(
    const struct listeners *listeners, const struct listeners *before);

/* No handshake begins any more; those that have begun go on.  Nobody is told:
 * who comes now tries again, and is refused once the sockets are closed.
 * Sockets of the service manager's own stay as they are. */
void listeners_shut(const struct listeners *listeners);
/* Closes the sockets; the list stays. */
void listeners_leave(struct listeners *listeners);

/*
 * Copies of the sockets, for listeners_bequeath, which frees the list.  At most
 * LISTENERS_BEQUEATH_MAX.  Dies without descriptors.
 */
#define LISTENERS_BEQUEATH_MAX 256
struct listeners *listeners_copy(const struct listeners *listeners) must_check;
/* For a program that is executed next in this process: the sockets become
 * descriptors from 3 on, whatever these were, and LISTEN_PID, LISTEN_FDS and
 * LISTEN_FDNAMES say so. */
void listeners_bequeath(struct listeners *listeners);

size_t listeners_count(const struct listeners *listeners);
const char *listeners_name(const struct listeners *listeners, size_t n);
int listeners_fd(const struct listeners *listeners, size_t n); /* borrowed */

#endif
