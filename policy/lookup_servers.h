/* SPDX-License-Identifier: ISC */
/*
 * One worker thread's links to the directory-lookup programs: who of them is
 * free to be asked, one question to it, and its answer.
 */
#ifndef POLICY_LOOKUP_SERVERS_H
#define POLICY_LOOKUP_SERVERS_H

#include <stdint.h>

#include "base/compiler.h"
#include "base/link.h"

struct event_base;
struct lookup_question;
struct lookup_server;
struct lookup_servers;
struct subject;

#define LOOKUP_NAME_SIZE 1024

/* How many questions a program has at a time: one that it is at, and one more
 * so that it need not wait for it.  What waits here and not there can still be
 * given up, and is of the time when it is sent. */
#define LOOKUP_WINDOW 2

/* NULL without memory.  Free it after its questions. */
struct lookup_servers *
lookup_servers_new(struct event_base *base, unsigned timeout_ms) must_check;
void lookup_servers_free(struct lookup_servers *servers); /* NULL is fine */

/* A link to directory-lookup `index` was made (anew); fd taken. */
void
lookup_servers_link(struct lookup_servers *servers, uint32_t index, int fd);

enum lookup_room { LOOKUP_NO_SERVER, LOOKUP_NO_ROOM, LOOKUP_ROOM };

/* The least busy program, if one has room. */
enum lookup_room lookup_servers_pick(
    const struct lookup_servers *servers, struct lookup_server **server);

/* The subject is the callee's; NULL if there is none: no answer, one that is
 * not whole, or the directory did not say. */
typedef void lookup_answered_fn(
    void *arg, enum answer_outcome outcome, struct subject *subject);

/* NULL if it could not be sent; else exactly one call, never before this has
 * returned, and none after lookup_question_cancel. */
struct lookup_question *lookup_question_start(struct lookup_server *server,
    const char *name, lookup_answered_fn *done, void *arg) must_check;
void lookup_question_cancel(struct lookup_question *question); /* NULL: fine */

#endif
