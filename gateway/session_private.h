/* SPDX-License-Identifier: ISC */
/* What a session knows: the struct behind session.c's story. */
#ifndef GATEWAY_SESSION_PRIVATE_H
#define GATEWAY_SESSION_PRIVATE_H

#include <sys/queue.h>

#include "auth/userpass.h"
#include "base/audit_record.h"
#include "gateway/budgets.h"
#include "gateway/front.h"
#include "gateway/session.h"
#include "gateway/settings.h"
#include "policy/judge.h"
#include "relay/tls.h"
#include "relay/tunnel.h"

struct event_base;

struct session {
	TAILQ_ENTRY(session) entry; /* of worker->sessions */
	struct worker *worker;
	struct settings *settings; /* a reference: those of its start */
	const struct listener_settings *listener;
	struct tls_listeners *tls_listeners; /* as well; until it converses */
	const struct front *front;
	uint64_t id;
	uint64_t opened_us;
	struct budget_share share;
	struct socket_address client;
	struct socket_address via; /* the load balancer that named it */
	bool is_tls; /* all that client and gateway say goes inside TLS */
	struct tls_facts tls; /* what was agreed on; "" until then */

	/* What has become known, in the order of the story. */
	struct hint_facts facts; /* of how the client went about it */
	bool is_of_balancer;	 /* no client was named: a health check? */
	bool is_proved;
	enum method tried;	    /* to prove itself; METHOD_NONE: not yet */
	struct identity identity;   /* before the proof: as claimed, or none */
	enum protection protection; /* of the seal: what was granted */
	bool has_sequence;
	struct seal *seal; /* until the tunnel takes it */
	bool has_subject;  /* the directory was asked and has answered */
	struct subject *subject;
	uint64_t subject_epoch; /* of the cache, when it was asked */
	struct front_request asked;
	bool has_request;
	uint64_t asked_us; /* monotonic */
	bool is_reply_due;
	enum reason excess;    /* why no request of it is served, or OK */
	struct ruleset *rules; /* a reference: those that decided */
	struct verdict verdict;
	struct rule_use *rule_use; /* of the rule that permits */
	bool is_standing; /* reached: judged again when something changes */
	/* Monotonic: when it has to be judged again, whatever the verdict
	 * says; 0: no need. */
	uint64_t review_due_us;
	bool is_asked_again; /* it stands, and that is what lookup is for */
	uint64_t round;	     /* of the worker's reviews, the last that it had */
	uint64_t census;     /* the question that it was last counted for */
	uint64_t generation_before; /* of the rules by which it stood */
	bool is_stale;
	struct socket_address dialled;
	struct socket_address egress;
	struct tunnel_counts counts;
	bool is_connected; /* counted in shared->connected */

	/* What is in flight; NULL (or -1): nothing of that kind. */
	struct proxied *proxied; /* a load balancer's header is due */
	struct bufferevent *bev; /* the client, until the relay */
	struct evbuffer *opened; /* what it sent, out of the seal */
	struct negotiation *negotiation;
	struct userpass *userpass;
	struct lookup *lookup;
	struct resolution *resolution;
	struct session_durable *durable;
	struct dial *dial;
	struct session_bind *bind;
	struct session_udp *udp;
	int target_fd;
	struct tunnel *tunnel;
	struct event *review;  /* made when it stands */
	struct event *interim; /* made when it stands; NULL: none wanted */
	struct event *deadline;
	enum reason deadline_reason;
};

/* session.c: the only end.  The session is gone when it returns. */
void session_close(struct session *session, enum reason reason);

/* session_deadline.c: when it must be over. */

/* Makes the timer; false without memory. */
bool session_make_deadline(
    struct session *session, struct event_base *base) must_check;
/* Closes the session in `after_us`, with the reason; replaces what was set. */
void session_set_deadline(
    struct session *session, uint64_t after_us, enum reason reason);
/* The deadline is the session's end from now on; false if it has come. */
bool
session_limit_duration(struct session *session, enum reason *why) must_check;

/* session_interim.c: what is on record of it while it lasts. */

/* A record every audit.interim seconds from now on, where that is set; once.
 */
void session_interim_begin(struct session *session);
void session_interim_end(struct session *session);

/* session_sight.c: what an administrator sees of it. */

/* What has gone through so far. */
struct tunnel_counts session_count(const struct session *session);

struct census_question;
struct options;
/* Is it one of those that are meant? */
bool session_fits(const struct session *session,
    const struct census_question *question) must_check;
/* A line; the caller's. */
struct options *session_sight(const struct session *session) must_check;

/* session_tls.c: the client's end, and TLS below the conversation. */

/* The client's end of the conversation: plain, or TLS if the listener speaks
 * it.  Takes fd; NULL without memory. */
struct bufferevent *
session_client_bev(struct session *session, int fd) must_check;
/* The handshake is done: what was agreed on is known. */
void session_tls_agreed(struct session *session);
/* TLS failed, and the session with it; it is gone when this returns. */
void session_tls_failed(struct session *session);
/* What a connection that broke while the client was proved was to TLS;
 * another reason as it is. */
enum reason
session_tls_reason(struct session *session, enum reason reason) must_check;
/* Where the client has reached us, while it has its bufferevent. */
enum reason session_local_address(
    const struct session *session, struct address *address) must_check;
/* Takes the client out of its bufferevent; NULL without memory. */
struct channel *session_client_channel(struct session *session) must_check;

/* session_methods.c: which methods are for this client; and at its end, what
 * is remembered of it. */
struct front_methods session_methods(const struct session *session);
void session_methods_learn(const struct session *session, enum reason reason);

/* session_password.c: where and how passwords are taken. */

bool session_may_use_password(const struct session *session) must_check;
struct userpass *session_start_userpass(
    struct session *session, userpass_done_fn *done) must_check;
/* A proof by a ticket has failed: some reasons count for the source. */
void session_blame_source(const struct session *session, enum reason reason);

/* session_policy.c: what the policy says of it. */

/* How well what was asked is protected between client and gateway. */
enum protection session_protection(const struct session *session);

/* What it is judged by now, what it asks for, and that led elsewhere. */
struct judge_context session_judge_context(struct session *session);
struct request session_request(const struct session *session);
struct request session_request_to(
    const struct session *session, const struct endpoint *destination);
/* Judges (name, address) by the rules that are in force now. */
struct verdict session_judge(
    struct session *session, const struct address *address) must_check;
/* The verdict stands from now on, and the rules that gave it. */
void
session_keep_verdict(struct session *session, const struct verdict *verdict);
/* Takes what the permitting rule leaves to its client.  REASON_OK, or why
 * that is nothing. */
enum reason session_use_rule(struct session *session) must_check;
/* Of several addresses each has a rule of its own, and the rules may have
 * changed since: what they say now of the one that was reached stands.
 * REASON_OK, or why it may not be. */
enum reason session_settle_verdict(struct session *session) must_check;

/* What settings and rule leave, each the lesser of both: seconds that the
 * session may last (0: for ever), and what the relay keeps to. */
uint64_t session_lifetime_s(const struct session *session);
struct tunnel_settings session_tunnel_settings(const struct session *session);
/* A permitted address, and where its rule says to dial from. */
struct dial_target
session_dial_target(struct session *session, const struct address *address);
/* The permission that stands from now on, with its limits. */
void
session_adopt_verdict(struct session *session, const struct verdict *verdict);

/* session_review.c: the verdict of a session that stands, as long as it does.
 */

/* From now on it is judged again when something changes or time passes; and
 * soon, if something has changed since it was let in. */
enum reason session_stand(struct session *session) must_check;
/* Judges it again; the session may be gone when this returns.  Its user is
 * looked up before it ends, and with ask_anew in any case. */
void session_review(struct session *session, bool ask_anew);
/* When the verdict, or one on a destination, has become valid for less. */
void session_review_in_time(struct session *session);
/* It does not stand until session_stand is called again, which makes up for
 * what came meanwhile. */
void session_review_pause(struct session *session);
void session_review_cancel(struct session *session);

/* session.c: steps of the story for those who reach in another way. */

/* Takes fd: from here on there is a client that can be talked to.  The session
 * may be gone when this returns. */
void session_converse(struct session *session, int fd);
/* True while the directory has to be asked about the client first. */
bool session_awaits_subject(struct session *session);
/* Writes a reply, sealed if there is a seal; none is due then. */
enum reason session_write_reply(struct session *session, enum reason reason,
    const struct socket_address *bound) must_check;
/* Writes the last reply; the relay begins when it has left.  The session may
 * be gone when this returns. */
void session_reply(struct session *session, const struct socket_address *bound);

/* Reaches one of these addresses, which are permitted and on record. */
void session_reach(
    struct session *session, const struct address *addresses, size_t count);

/* session_durable.c: what is on record before a target is reached. */

/* REASON_OK, or that nothing is served which cannot be recorded. */
enum reason session_can_be_recorded(const struct session *session) must_check;
/* Is a decision to be on the disk first? */
bool session_awaits_record(const struct session *session) must_check;
/* Calls session_reach when the record that was written last is safe; closes
 * the session if that takes too long.  It may be gone when this returns. */
void session_await_record(
    struct session *session, const struct address *addresses, size_t count);
void session_durable_cancel(struct session *session);

/* session_bind.c: reaching by being called. */

/* Keeps those of the permitted addresses that may call.  REASON_OK, or why
 * none may. */
enum reason session_bind_prepare(struct session *session,
    const struct address *addresses, size_t count) must_check;
/* Listens, says where, and waits; the session may be gone when this returns.
 */
void session_bind_listen(struct session *session);
/* While it waits: may any of those who are expected still call? */
struct verdict session_bind_judge(const struct session *session,
    const struct judge_context *context) must_check;
void session_bind_cancel(struct session *session); /* without one is fine */

/* session_udp.c: reaching by datagrams. */

/* REASON_OK, or why the request is none that can be judged. */
enum reason session_udp_check(const struct session *session) must_check;
/* Opens what the client sends to; REASON_OK, or why there is none. */
enum reason session_udp_prepare(struct session *session) must_check;
/* Says where that is; the session may be gone when this returns. */
void session_udp_reply(struct session *session);
/* Datagrams from now on; the session may be gone when this returns. */
void session_udp_relay(struct session *session);
/* Without an association these do nothing. */
void session_udp_rules_changed(struct session *session);
/* Until when what was said of its destinations is valid, by the wall clock;
 * UINT64_MAX: nothing ends, or there is no association. */
uint64_t session_udp_valid_until_us(const struct session *session);
void session_udp_end(struct session *session);

/* session_tally.c: what is counted of it, for who watches us. */

void session_tally_proof(const struct session *session);
void session_tally_decision(const struct session *session);
/* What went, by the rule that permits it now. */
void session_tally_rule(const struct session *session);
void session_tally_end(const struct session *session, enum reason reason);

/*
 * session_record.c: the session's audit records.  The end of a health check
 * has none.
 */

/* Has a load balancer looked whether we are there, and gone away? */
bool session_is_health_check(const struct session *session, enum reason reason);

/* The addresses that a name had and that were judged; none where there was no
 * name to resolve. */
struct judged {
	const struct address *addresses; /* borrowed */
	size_t count;
};

/* Writes the record of an event; `detail` may be "". */
void session_record(const struct session *session, enum audit_event event,
    enum reason reason, const char *detail);

/* A record with what is known so far filled in, for more to be added. */
struct audit_record session_begin_record(const struct session *session,
    enum audit_event event, enum reason reason, const char *detail);
/* Of the decision on what was asked for. */
void session_record_decision(const struct session *session, enum reason reason,
    const struct judged *judged);

/* One of many destinations. */
struct session_destination {
	const struct endpoint *asked; /* borrowed */
	struct judged judged;
	struct socket_address leads_to; /* ADDRESS_NONE: nowhere */
};

/* Of the decision on it. */
void session_record_destination(const struct session *session,
    const struct verdict *verdict,
    const struct session_destination *destination, const char *detail);
/* Of who called; verdict is NULL for one who was not expected. */
void session_record_caller(const struct session *session, enum reason reason,
    const struct verdict *verdict, const struct socket_address *caller);

/* "[s:17 alice@EXAMPLE.COM 192.0.2.1:4567]", quoted. */
#define SESSION_WHO_SIZE 640
const char *
session_who(const struct session *session, char out[SESSION_WHO_SIZE]);

#endif
