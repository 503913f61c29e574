/* SPDX-License-Identifier: ISC */
/* What can be asked over the control socket: the commands, by name. */
#ifndef GATEWAY_CONTROL_COMMANDS_H
#define GATEWAY_CONTROL_COMMANDS_H

#include <stdbool.h>

struct control_call;
struct control_command;
struct ruleset;

/* Ends with NULL. */
extern const struct control_command *const control_commands[];

/*
 * "rules": what is in force.  One line of kind `policy` with generation,
 * count, confirmed (seconds since 1970), stale and expired; then one of kind
 * `rule` for each enabled rule, in their order: name, order, action,
 * report_only, dn.
 */
extern const struct control_command control_rules;

/*
 * "explain": what explain_question_read reads.  One line each of the kinds
 * `question`, `policy` (if there are rules) and `subject`; `group` for each of
 * the user's (gateway/control_who.h; used: by some rule); for a name
 * `resolution`; `address` for each that was judged; `rule` for each that was
 * asked, and for each address where they differ: part is what it did (fails,
 * permits ...), failed the attribute that does not fit; last `decision`:
 * permit, deny, depends (on where the client is, which was not said) or
 * unresolved.
 */
extern const struct control_command control_explain;

/* The line `policy`, for other commands too. */
void control_policy_say(struct control_call *call, const struct ruleset *rules,
    bool is_stale, bool is_expired);
/* The same, as they are now. */
void
control_policy_say_now(struct control_call *call, const struct ruleset *rules);

/*
 * "subject": who is `who`, as the directory says now.  One line of kind
 * `subject` with dn (if it has such a user), disabled, groups (how many),
 * cached, silence (why the directory did not say; "" if it did); then one of
 * kind `group` for each (gateway/control_who.h).
 */
extern const struct control_command control_subject;

/* "drain": no new sessions, then the end; at the latest after `seconds`, or
 * what the settings say without it.  As "reload". */
extern const struct control_command control_drain;
/* "restart": as "drain", but it comes back, and `seconds` are 0 without it. */
extern const struct control_command control_restart;

/*
 * "sessions": those that fit `session`, `user`, `rule` and `target`
 * (gateway/census.h), all if none is there.  One line of kind `session` for
 * each: session (its number, as in records), step (handshake, relay), client,
 * listener, user and method once it is proved; command, destination, dialled
 * and rule once it has asked; age_ms, to_target and to_client (octets).  Then
 * one of kind `count`: sessions.
 */
extern const struct control_command control_sessions;
/*
 * "status": how the house is.  One line of kind `gateway`: version, up_s,
 * sessions, unproved, sessions_max; `policy` if there are rules (as "rules");
 * `directory`: configured, up, uri for each; `loop` for each worker: worker,
 * late_us (at most, in two minutes); `counter` for each: name, value; then
 * `program` for each of the master's: the facts of base/control_request.h.
 */
extern const struct control_command control_status;
/*
 * "metrics": what "status" says, and before it lines of kind `ended` for each
 * reason (name, value), `proof` for each method (method, ok, failed),
 * `attempts` (replays, downgrades), `handshake` for each method and `decision`
 * (latency_describe; bound for each bound in microseconds), and `rule` for each
 * that sessions went by (name, sessions, to_target, to_client).
 */
extern const struct control_command control_metrics;
/* "kill": ends them, and says the same of each; one of the four is needed. */
extern const struct control_command control_kill;

/* "log-level": the one in force, and "set-log-level": another, `level`, for all
 * programs until the next settings.  As "reload"; the sentence is its name. */
extern const struct control_command control_log_level;
extern const struct control_command control_set_log_level;

/* "entry": is there an entry `dn`?  One line of kind `entry`: is (there,
 * missing, unknown) and silence. */
extern const struct control_command control_entry;

/*
 * "reload": the settings anew, as by SIGHUP.  One line of kind `outcome` when
 * it is known: done, and sentence.
 */
extern const struct control_command control_reload;

/* "resolve": what the gateway's resolver says of `name`.  One line of kind
 * `name` with reason (as in records), then one of kind `address` for each:
 * address. */
extern const struct control_command control_resolve;

/*
 * "facts": what judging needs to know of the gateway.  One line of kind
 * `facts` with checks_accounts, has_directory and allow_empty (a rule set
 * without any rule is taken); then lines of kind `address` (its own: address),
 * `port` (it listens there: port), `listener` (name, address, port) and
 * `realm` (the settings name it: name).
 */
extern const struct control_command control_facts;

/* "set": the set in force or, with `base`, what is below it now.  One line of
 * kind `set` with octets (how many), then those (policy/rule_set_stream.h). */
extern const struct control_command control_set;

#endif
