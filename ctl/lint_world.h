/* SPDX-License-Identifier: ISC */
/*
 * Whether what rules name is there: users and groups in the directory, names
 * in the DNS, listeners and realms of the gateway.
 */
#ifndef CTL_LINT_WORLD_H
#define CTL_LINT_WORLD_H

struct daemon_facts;
struct lint_report;
struct ruleset;

/*
 * Asks the gateway at that socket about each user and group that an enabled
 * rule names, and each exact host name of a rule or a set, once, a few at a
 * time; adds a remark for each rule that names what is not there, or a realm
 * that is not among the facts where one such is not the only one.  The rule
 * set is borrowed for the life of the report.  A gateway or a directory that
 * does not answer is no remark: what was not looked at is said.
 */
void lint_world(const char *socket, const struct daemon_facts *facts,
    const struct ruleset *rules, struct lint_report *report);

#endif
