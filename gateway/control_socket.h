/* SPDX-License-Identifier: ISC */
/*
 * The Unix socket at which gatewardenctl asks: opened by the master, kept
 * over restarts of the gateway and over reloads.
 */
#ifndef GATEWAY_CONTROL_SOCKET_H
#define GATEWAY_CONTROL_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct control_groups;
struct control_socket;
struct settings;

/*
 * What control.socket asks for, into *made: NULL where it is empty, and
 * another reference to `have` (borrowed, may be NULL) where there is one.
 * Makes the socket's folder; takes the place of a socket that nobody listens
 * at.  Anybody may connect: the gateway asks the kernel who it is.  False with
 * a sentence in why.
 */
bool control_socket_open(const struct settings *settings,
    struct control_socket *have, struct control_socket **made, char *why,
    size_t why_size) must_check;
/* With the last reference the socket's name goes; NULL is fine. */
void control_socket_unref(struct control_socket *socket);
int control_socket_fd(const struct control_socket *socket); /* borrowed */

/* The number of a group, CONTROL_NO_GROUP where the name is empty.  May ask the
 * system's databases.  False with a sentence in why that begins with the
 * setting. */
bool control_socket_group(const char *setting, const char *name,
    uint32_t *number, char *why, size_t why_size) must_check;
/* Those of control.read_group and operate_group. */
bool control_socket_groups(const struct settings *settings,
    struct control_groups *groups, char *why, size_t why_size) must_check;

#endif
