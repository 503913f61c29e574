/* SPDX-License-Identifier: ISC */
/* The directories of with_slapd.sh, and a directory program with a master of
 * the test's. */
#ifndef TESTS_UNIT_POLICY_LDAP_DIRECTORY_H
#define TESTS_UNIT_POLICY_LDAP_DIRECTORY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct event_base;
struct options;

#define DIRECTORY_READER	  "cn=reader,dc=example,dc=com"
#define DIRECTORY_READER_PASSWORD "reader-secret"

/* A variable that the script sets. */
const char *directory_variable(const char *name);
/* A file of its folder; borrowed until the next call. */
const char *directory_path(const char *name);
/* The server at 127.0.0.HOST, one more directory.uri. */
void directory_add_server(
    struct options *options, const char *scheme, unsigned host);
/* To the first server, whoever started it. */
void directory_signal(int number);
/* kill -9, and it is gone; and started again, until it answers. */
void directory_kill(void);
void directory_start(void);
/* Change records, as ldapmodify takes them. */
void directory_modify(const char *ldif);

struct directory_program;

/* Starts a program of the build folder and says nothing to it yet. */
struct directory_program *
directory_program_new(struct event_base *base, const char *name);
/* Kills it, if nobody has. */
void directory_program_free(struct directory_program *program);
pid_t directory_program_pid(const struct directory_program *program);

/* Configures it (password may be NULL) and waits until it is ready. */
void directory_program_configure(struct directory_program *program,
    const struct options *options, const char *password);
/* A link to a gateway with that slot; returns the gateway's end. */
int directory_program_link(struct directory_program *program, uint32_t slot);
/* Asks for its pulse; true if it came within that time. */
bool directory_program_answers(
    struct directory_program *program, uint64_t patience_us);

/* Runs the loop until *flag or the time is over; returns *flag. */
bool directory_await(
    struct event_base *base, const bool *flag, uint64_t patience_us);

#endif
