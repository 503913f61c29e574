/* SPDX-License-Identifier: ISC */
/*
 * The gateway's side of the RFC 1929 sub-negotiation on one connection: a
 * name and a password, checked by PAM, and one answer.
 *
 * Whatever is wrong, the client sees the same: 01 01, when as much time has
 * passed since its message was whole.  Only the record tells an unknown user
 * from a wrong password, or either from a checker that died.  Should the
 * checker take longer than that, its word is passed on when it comes.
 *
 * The password is wiped wherever it came through: in bev's buffers in place,
 * in copies on the stack at once.  It lies in memory only while the throttle
 * makes it wait, in pages that no core dump shows.
 */
#ifndef AUTH_USERPASS_H
#define AUTH_USERPASS_H

#include "auth/proof.h"
#include "auth/throttle.h"
#include "base/identity.h"
#include "base/reason.h"

struct bufferevent;
struct event_base;
struct passwords;
struct userpass;

struct userpass_policy {
	const char *realm; /* the identity is NAME@realm; borrowed */
	size_t name_max;   /* octets of a name */
	/* ASCII letters of names become small ones before PAM and the
	 * identity see them: one person has one name. */
	bool lower_case;
	/* From the message's arrival to a failure's reply, give or take a
	 * quarter of it.  Each recent failure of the same name and source,
	 * or of the source, adds a quarter, up to the maximum. */
	unsigned delay_ms, delay_max_ms;
	unsigned wait_ms; /* for others' tries that are under way */
	struct throttle_budgets budgets;
};

/* Borrowed for the call. */
struct userpass_result {
	enum reason reason;
	const char *detail;  /* for the record, or "" */
	const char *claimed; /* NAME@realm, or "" if it was no name */
	struct proof *proof; /* NULL unless REASON_OK */
};

/* The identity that a name from a client stands for; false if it is none. */
bool userpass_identity(const struct userpass_policy *policy, const void *user,
    size_t len, char out[IDENTITY_NAME_SIZE]) must_check;

/* Whatever the client has to read stands in bev's output then; closing is
 * the owner's.  The handle is gone. */
typedef void userpass_done_fn(void *arg, const struct userpass_result *result);

/*
 * Takes over bev's callbacks until done.  One message is read and one
 * password tried.  Octets behind the message stay in bev's input, and reading
 * is paused from the message on; it is on again after success.  An EOF in the
 * middle of the message is REASON_TRUNCATED, before it REASON_CLIENT_CLOSED.
 * A version other than 1 is answered at once.  passwords, throttle and
 * *policy's realm are borrowed until done.  The deadline is the owner's, who
 * cancels.  The callback comes exactly once, never before this has returned,
 * never after the cancel.  NULL when there is no memory.
 */
struct userpass *
userpass_start(struct bufferevent *bev, struct passwords *passwords,
    struct throttle *throttle, const struct userpass_policy *policy,
    const struct address *client, userpass_done_fn *done, void *arg) must_check;

/* As in the result, as far as it is known; borrowed. */
const char *userpass_claimed(const struct userpass *userpass);

/*
 * A client whose message has come gets the failure's reply; part of a message
 * is wiped.  NULL is fine.  bev's callbacks are off afterwards.
 */
void userpass_cancel(struct userpass *userpass);

#endif
