/* SPDX-License-Identifier: ISC */
/* What the files session_udp*.c share. */
#ifndef GATEWAY_SESSION_UDP_PRIVATE_H
#define GATEWAY_SESSION_UDP_PRIVATE_H

#include "gateway/session_private.h"
#include "relay/association.h"

struct asked_name;

/* How often a denied destination is on record, and how long what was said of
 * one stands where the rules stay as they are. */
#define SESSION_UDP_RULING_US 60000000

/* Of the summary: destinations that are named, and octets of their names. */
#define SESSION_UDP_LISTED_MAX 64
#define SESSION_UDP_LIST_SIZE  1536

struct session_udp {
	struct association *association;
	struct rule_use *use; /* its identity's share of octets a second */
	TAILQ_HEAD(, asked_name) names; /* that are being resolved */
	size_t name_count;
	size_t control_octets;
	uint64_t valid_until_us; /* the first end of what was said of a
				  * destination, by the wall clock */
	/* " 192.0.2.1:53 www.example.com:443": those that were permitted. */
	char list[SESSION_UDP_LIST_SIZE];
	size_t list_len, listed;
	bool has_begun;
};

/* session_udp_judge.c: where datagrams may go. */

/* The association's judge; arg is the session. */
struct association_answer
session_udp_judge(void *arg, const struct association_question *question);
/* Nobody waits for names any more. */
void session_udp_forget_names(struct session_udp *udp);

/* session_udp_record.c: what is on record of them. */

/* Puts a permitted destination on the summary's list, once. */
void session_udp_list(struct session_udp *udp, const struct endpoint *asked);
/* Of one destination; the address is where it leads, if it is permitted. */
void session_udp_record_ruling(struct session *session,
    const struct association_question *question, const struct verdict *verdict,
    const struct address *address, const struct judged *judged);
/* The association has noticed what is odd; arg is the session. */
void
session_udp_record_drops(void *arg, const struct association_counts *so_far);
void session_udp_record_summary(
    const struct session *session, const struct association_counts *counts);

#endif
