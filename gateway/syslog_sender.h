/* SPDX-License-Identifier: ISC */
/*
 * Hands messages to a syslog receiver and never waits for it: datagrams to a
 * Unix socket, or TCP or TLS with octet counting (RFC 6587 section 3.4.1, RFC
 * 5425).
 *
 * A receiver that stops, goes away or comes back is connected to again; the
 * owner keeps its message meanwhile, and what the receiver's host has not
 * acknowledged.  What it has, and its program did not read before it died, is
 * lost: no syslog transport says more.
 */
#ifndef GATEWAY_SYSLOG_SENDER_H
#define GATEWAY_SYSLOG_SENDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct event_base;
struct syslog_sender;
struct syslog_tls_settings;

enum syslog_outcome {
	SYSLOG_SENT,  /* our kernel has it all; `arrived` is due */
	SYSLOG_LATER, /* try again with the same message when `ready` says */
	SYSLOG_NEVER  /* the receiver's socket does not take one so long */
};

struct syslog_events {
	/* It is worth trying again.  May call syslog_sender_send. */
	void (*ready)(void *arg);
	/* The messages up to that number are with the receiver's host. */
	void (*arrived)(void *arg, uint64_t number);
	/* The connection broke, and what was sent behind the last number that
	 * `arrived` said may be lost: it has to be sent again. */
	void (*broken)(void *arg);
};

/* `target` is as in the setting audit.target, which was checked; `tls`, whose
 * texts are copied, is for "tls:" and may be NULL elsewhere; `events` is
 * borrowed for ever, and called from within syslog_sender_send too.  NULL and
 * errno when there is no memory. */
struct syslog_sender *syslog_sender_new(struct event_base *base,
    const char *target, const struct syslog_tls_settings *tls,
    const struct syslog_events *events, void *arg) must_check;
void syslog_sender_free(struct syslog_sender *sender);

/* `number` is greater than that of the message before. */
enum syslog_outcome syslog_sender_send(struct syslog_sender *sender,
    uint64_t number, const char *message, size_t len) must_check;

/* The receiver did not take the last one, and the log says why. */
bool syslog_sender_is_refused(const struct syslog_sender *sender);

/* Part of a message is on its way: nothing but this message may follow. */
bool syslog_sender_is_midway(const struct syslog_sender *sender);

#endif
