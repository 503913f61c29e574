/* SPDX-License-Identifier: ISC */
/* What can be asked over the control socket: the commands, by name. */
#ifndef GATEWAY_CONTROL_COMMANDS_H
#define GATEWAY_CONTROL_COMMANDS_H

struct control_command;

/* Ends with NULL. */
extern const struct control_command *const control_commands[];

/*
 * "rules": what is in force.  One line of kind `policy` with generation,
 * count, confirmed (seconds since 1970), stale and expired; then one of kind
 * `rule` for each enabled rule, in their order: name, order, action,
 * report_only, dn.
 */
extern const struct control_command control_rules;

#endif
