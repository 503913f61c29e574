/* SPDX-License-Identifier: ISC */
/*
 * The gateway's side of the RFC 1929 sub-negotiation on one connection.
 *
 *     message   name and password are due
 *     ask       the throttle lets the question through; else it waits
 *     answer    the checker's word; after a failure the rest of the delay
 */
#include "auth/userpass.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include "auth/password_protocol.h"
#include "auth/passwords.h"
#include "base/clock.h"
#include "base/rfc1929.h"
#include "base/secret.h"
#include "base/timeval.h"
#include "base/wipe.h"

#define WAIT_POLL_US 20000
#define DETAIL_SIZE  PASSWORD_TEXT_SIZE

struct userpass {
	struct bufferevent *bev;
	size_t low_mark, high_mark; /* bev's, as they were */
	struct passwords *passwords;
	struct throttle *throttle;
	struct userpass_policy policy;
	struct address client;
	userpass_done_fn *done;
	void *arg;

	uint64_t arrived_us; /* when the message was whole; 0: it is not */
	uint64_t delay_us;   /* of this one's failure */
	char claimed[IDENTITY_NAME_SIZE];
	size_t user_len; /* of claimed */
	struct throttle_attempt attempt;
	struct secret *waiting; /* the password, while it may not be asked */
	struct password_check *check;
	struct event *timer; /* ends the wait, or the delay */
	enum reason reason;  /* of the failure that waits for its time */
	char detail[DETAIL_SIZE];
};

/* ---- the end ---- */

static bool
send_reply(const struct userpass *userpass, bool is_proved)
{
	uint8_t reply[RFC1929_REPLY];

	rfc1929_reply(reply, is_proved);
	return bufferevent_write(userpass->bev, reply, sizeof(reply)) == 0;
}

static void
release(struct userpass *userpass)
{
	bufferevent_setcb(userpass->bev, NULL, NULL, NULL, NULL);
	bufferevent_setwatermark(
	    userpass->bev, EV_READ, userpass->low_mark, userpass->high_mark);
	/* Before the message was taken out all of it may be the password. */
	if (userpass->arrived_us == 0)
		wipe_drain_all(bufferevent_get_input(userpass->bev));
	password_check_cancel(userpass->check);
	/* Nobody will know whether it counted. */
	throttle_end(userpass->throttle, &userpass->policy.budgets,
	    &userpass->attempt, THROTTLE_FAILED);
	secret_free(userpass->waiting);
	if (userpass->timer != NULL)
		event_free(userpass->timer);
	free(userpass);
}

void
userpass_cancel(struct userpass *userpass)
{
	if (userpass == NULL)
		return;
	/* Without memory the close must do. */
	if (userpass->arrived_us != 0)
		(void)send_reply(userpass, false);
	release(userpass);
}

static void
finish(struct userpass *userpass, enum reason reason, struct proof *proof)
{
	char detail[DETAIL_SIZE], claimed[IDENTITY_NAME_SIZE];
	struct userpass_result result = {
	    .reason = reason,
	    .detail = detail,
	    .claimed = claimed,
	    .proof = proof,
	};
	userpass_done_fn *done = userpass->done;
	void *arg = userpass->arg;

	memcpy(detail, userpass->detail, sizeof(detail));
	memcpy(claimed, userpass->claimed, sizeof(claimed));
	release(userpass);
	done(arg, &result);
}

const char *
userpass_claimed(const struct userpass *userpass)
{
	return userpass->claimed;
}

/* ---- failure: one reply, at one time ---- */

static void
start_timer(struct userpass *userpass, uint64_t after_us)
{
	const struct timeval after = timeval_us(after_us);

	(void)evtimer_add(userpass->timer, &after);
}

static void
refuse(struct userpass *userpass)
{
	enum reason reason = userpass->reason;

	if (!send_reply(userpass, false))
		reason = REASON_NO_MEMORY;
	finish(userpass, reason, NULL);
}

static void
fail(struct userpass *userpass, enum reason reason, const char *detail)
{
	uint64_t due_us = userpass->arrived_us + userpass->delay_us;
	uint64_t now_us = clock_monotonic_us();

	userpass->reason = reason;
	(void)strlcpy(userpass->detail, detail, sizeof(userpass->detail));
	start_timer(userpass, due_us > now_us ? due_us - now_us : 0);
}

/* By what failed before this one, so that nothing about it shows. */
static uint64_t
draw_delay_us(const struct userpass *userpass)
{
	const struct userpass_policy *policy = &userpass->policy;
	uint32_t failures = throttle_failures(
	    userpass->throttle, &policy->budgets, &userpass->attempt);
	uint64_t delay_us =
	    (uint64_t)policy->delay_ms * 1000 * (4 + (uint64_t)failures) / 4;
	uint64_t max_us = (uint64_t)policy->delay_max_ms * 1000;

	if (delay_us > max_us)
		delay_us = max_us;
	return delay_us * 3 / 4 +
	       arc4random_uniform((uint32_t)(delay_us / 2) + 1);
}

/* ---- answer ---- */

static void
prove(struct userpass *userpass)
{
	struct proof proof = {
	    .identity = {.method = METHOD_PASSWORD, .mechanism = "pam"},
	    .protection = PROTECTION_NONE,
	};

	memcpy(proof.identity.name, userpass->claimed,
	    sizeof(proof.identity.name));
	if (!send_reply(userpass, true) ||
	    bufferevent_enable(userpass->bev, EV_READ) != 0)
		finish(userpass, REASON_NO_MEMORY, NULL);
	else
		finish(userpass, REASON_OK, &proof);
}

/* Does it count?  Where the checker was not asked, or PAM could not ask
 * whom it should, the account has lost nothing by it. */
static enum throttle_outcome
count_as(enum reason reason)
{
	if (reason == REASON_OK)
		return THROTTLE_PROVED;
	return reason == REASON_CHECKER_BUSY || reason == REASON_PAM_ERROR
		   ? THROTTLE_UNASKED
		   : THROTTLE_FAILED;
}

static void
on_checked(void *arg, enum reason reason, const char *text)
{
	struct userpass *userpass = arg;

	userpass->check = NULL;
	throttle_end(userpass->throttle, &userpass->policy.budgets,
	    &userpass->attempt, count_as(reason));
	if (reason == REASON_OK)
		prove(userpass);
	else
		fail(userpass, reason, text);
}

/* ---- ask ---- */

static void
ask(struct userpass *userpass, const uint8_t *password, size_t len)
{
	struct password_question question = {
	    .password = password,
	    .password_len = len,
	    .client = userpass->client,
	};

	memcpy(question.user, userpass->claimed, userpass->user_len);
	userpass->check = password_check_start(
	    userpass->passwords, &question, on_checked, userpass);
	if (userpass->check == NULL) {
		throttle_end(userpass->throttle, &userpass->policy.budgets,
		    &userpass->attempt, THROTTLE_UNASKED);
		fail(userpass, REASON_NO_MEMORY, "");
	}
}

/* Tries of the same name or source are under way: what becomes of them
 * decides whether this one may be tried. */
static void
wait_for_others(struct userpass *userpass, const uint8_t *password, size_t len)
{
	uint64_t waited_us = clock_monotonic_us() - userpass->arrived_us;

	if (waited_us >= (uint64_t)userpass->policy.wait_ms * 1000) {
		fail(userpass, REASON_CHECKER_BUSY,
		    "too many tries of this name or address are under way");
		return;
	}
	if (userpass->waiting == NULL)
		userpass->waiting = secret_new(password, len);
	if (userpass->waiting == NULL)
		fail(userpass, REASON_NO_MEMORY, "");
	else
		start_timer(userpass, WAIT_POLL_US);
}

static void
try_to_ask(struct userpass *userpass, const uint8_t *password, size_t len)
{
	switch (throttle_begin(userpass->throttle, &userpass->policy.budgets,
	    &userpass->attempt)) {
	case THROTTLE_GO:
		ask(userpass, password, len);
		return;
	case THROTTLE_WAIT:
		wait_for_others(userpass, password, len);
		return;
	case THROTTLE_REFUSE:
		fail(userpass, REASON_RATE_LIMITED, "");
		return;
	}
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct userpass *userpass = arg;
	struct secret *password = userpass->waiting;

	(void)fd;
	(void)what;
	if (userpass->reason != REASON_OK) {
		refuse(userpass);
		return;
	}
	try_to_ask(userpass, password->data, password->len);
	if (userpass->check != NULL || userpass->reason != REASON_OK) {
		secret_free(password);
		userpass->waiting = NULL;
	}
}

/* ---- message ---- */

/* Directories take names that differ in such spaces for one. */
static bool
has_odd_spaces(const uint8_t *user, size_t len)
{
	return user[0] == ' ' || user[len - 1] == ' ' ||
	       memmem(user, len, "  ", 2) != NULL;
}

/* A name that is NAME of exactly one NAME@realm, and that PAM may see. */
static bool
is_name(const struct userpass_policy *policy, const uint8_t *user, size_t len)
{
	return len <= policy->name_max && password_user_is_valid(user, len) &&
	       memchr(user, '@', len) == NULL && !has_odd_spaces(user, len);
}

static void
fold(char *name)
{
	for (; *name != '\0'; name++)
		if (*name >= 'A' && *name <= 'Z')
			*name = (char)(*name - 'A' + 'a');
}

/* NAME@realm, NAME as it is asked about. */
bool
userpass_identity(const struct userpass_policy *policy, const void *user,
    size_t len, char out[IDENTITY_NAME_SIZE])
{
	if (!is_name(policy, user, len))
		return false;
	(void)snprintf(
	    out, IDENTITY_NAME_SIZE, "%.*s", (int)len, (const char *)user);
	if (policy->lower_case)
		fold(out);
	(void)snprintf(
	    out + len, IDENTITY_NAME_SIZE - len, "@%s", policy->realm);
	return true;
}

static void
judge(struct userpass *userpass, const struct rfc1929_message *message)
{
	bool has_name = userpass_identity(&userpass->policy, message->user,
	    message->user_len, userpass->claimed);

	/* Under one key whatever is no name. */
	userpass->attempt = throttle_attempt(userpass->throttle, message->user,
	    has_name ? message->user_len : 0, &userpass->client);
	userpass->delay_us = draw_delay_us(userpass);
	if (!has_name) {
		fail(userpass, REASON_BAD_USERPASS, "it was no name");
		return;
	}
	userpass->user_len = message->user_len;
	if (password_is_valid(message->password, message->password_len))
		try_to_ask(userpass, message->password, message->password_len);
	else
		fail(userpass, REASON_BAD_USERPASS, "it was no password");
}

/* It is in the caller's copy; from bev it goes at once. */
static void
take(struct userpass *userpass, const struct rfc1929_message *message,
    size_t len)
{
	wipe_drain(bufferevent_get_input(userpass->bev), len);
	userpass->arrived_us = clock_monotonic_us();
	(void)bufferevent_disable(userpass->bev, EV_READ);
	judge(userpass, message);
}

static void
on_readable(struct bufferevent *bev, void *arg)
{
	struct userpass *userpass = arg;
	struct rfc1929_message message;
	uint8_t data[RFC1929_MAX];
	size_t need, consumed;
	ssize_t len;

	if (userpass->arrived_us != 0)
		return; /* what comes behind it is the next one's */
	len = evbuffer_copyout(bufferevent_get_input(bev), data, sizeof(data));
	switch (rfc1929_parse(
	    data, len > 0 ? (size_t)len : 0, &need, &consumed, &message)) {
	case PARSE_MORE:
		break;
	case PARSE_DONE:
		take(userpass, &message, consumed);
		break;
	case PARSE_BAD:
		userpass->reason = REASON_BAD_USERPASS;
		refuse(userpass);
		break;
	}
	explicit_bzero(data, sizeof(data));
}

static void
on_event(struct bufferevent *bev, short what, void *arg)
{
	struct userpass *userpass = arg;
	bool has_some = userpass->arrived_us == 0 &&
			evbuffer_get_length(bufferevent_get_input(bev)) > 0;

	if ((what & BEV_EVENT_ERROR) != 0)
		finish(userpass, reason_of_client(errno), NULL);
	else if ((what & BEV_EVENT_EOF) != 0)
		finish(userpass,
		    has_some ? REASON_TRUNCATED : REASON_CLIENT_CLOSED, NULL);
}

struct userpass *
userpass_start(struct bufferevent *bev, struct passwords *passwords,
    struct throttle *throttle, const struct userpass_policy *policy,
    const struct address *client, userpass_done_fn *done, void *arg)
{
	struct userpass *userpass = calloc(1, sizeof(*userpass));

	if (userpass == NULL)
		return NULL;
	userpass->bev = bev;
	userpass->passwords = passwords;
	userpass->throttle = throttle;
	userpass->policy = *policy;
	userpass->client = *client;
	userpass->done = done;
	userpass->arg = arg;
	(void)bufferevent_getwatermark(
	    bev, EV_READ, &userpass->low_mark, &userpass->high_mark);
	userpass->timer =
	    evtimer_new(bufferevent_get_base(bev), on_timer, userpass);
	if (userpass->timer == NULL ||
	    bufferevent_enable(bev, EV_READ | EV_WRITE) != 0) {
		release(userpass);
		return NULL;
	}
	bufferevent_setcb(bev, on_readable, NULL, on_event, userpass);
	bufferevent_setwatermark(bev, EV_READ, 0, RFC1929_MAX);
	/* What the client sent behind its greeting is here already. */
	bufferevent_trigger(bev, EV_READ,
	    BEV_TRIG_IGNORE_WATERMARKS | BEV_TRIG_DEFER_CALLBACKS);
	return userpass;
}
