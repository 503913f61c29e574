/* SPDX-License-Identifier: ISC */
/* What can be asked over the control socket: the commands, by name. */
#ifndef GATEWAY_CONTROL_COMMANDS_H
#define GATEWAY_CONTROL_COMMANDS_H

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
 * the user's (dn, used: by some rule); for a name `resolution`; `address` for
 * each that was judged; `rule` for each that was asked, and for each address
 * where they differ: part is what it did (fails, permits ...), failed the
 * attribute that does not fit; last `decision`: permit, deny, depends (on where
 * the client is, which was not said) or unresolved.
 */
extern const struct control_command control_explain;

/* The line `policy`, for other commands too. */
void control_policy_say(struct control_call *call, struct ruleset *rules);

#endif
