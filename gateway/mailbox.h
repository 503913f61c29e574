/* SPDX-License-Identifier: ISC */
/* Mail from the main thread to a worker: the only way in. */
#ifndef GATEWAY_MAILBOX_H
#define GATEWAY_MAILBOX_H

#include "base/compiler.h"

struct event_base;
struct mail;
struct mailbox;

typedef void mailbox_open_fn(void *arg, struct mail *mail);

/* `open` runs on base's thread, once for each mail, in order; the mail itself
 * is freed after it.  Dies without memory. */
struct mailbox *mailbox_new(
    struct event_base *base, mailbox_open_fn *open, void *arg) must_check;
void mailbox_free(struct mailbox *mailbox);

/* Copies the mail and wakes the loop; from any thread. */
void mailbox_put(struct mailbox *mailbox, const struct mail *mail);

#endif
