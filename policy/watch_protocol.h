/* SPDX-License-Identifier: ISC */
/*
 * What directory-watch sends to the gateway's main thread: whole rule sets,
 * and that users or groups have changed; and a set to look at, in pieces, to
 * who asks for one.
 */
#ifndef POLICY_WATCH_PROTOCOL_H
#define POLICY_WATCH_PROTOCOL_H

enum watch_type {
	/* watch to gateway */
	WATCH_BEGIN = 1, /* a whole set follows; forget a begun one */
	WATCH_PUT,	 /* entry_encode: one rule or set */
	WATCH_COMMIT,	 /* u64 wall-clock us when the directory (or the file)
			  * last said so; u8 1 if it came from the disk copy */
	WATCH_CONFIRM,	 /* u64 wall-clock us: the committed set is still
			  * what the directory says */
	WATCH_STATE,	 /* u8 1 up, 0 down; string: what happened */
	WATCH_SUBJECTS,	 /* what users are, or who is in which group, may
			  * have changed */
	/* gateway to watch */
	WATCH_TAKEN,   /* u64 generation: the committed set is in force (and
			* may be kept on disk) */
	WATCH_REFUSED, /* string why: the set was not taken */
	WATCH_WANT,    /* send the whole set again (a new gateway) */

	/* gateway to watch, a question: u32 ticket, a new one; string: a base
	 * in the directory, whose rules are read once, or "", the set in
	 * force.  One set at a time. */
	WATCH_SET,
	/* the answer: u64 octets; it is kept until its end has been fetched,
	 * or for WATCH_SET_KEPT_S after the last piece */
	WATCH_SET_READY,
	/* gateway to watch, a question: u32 ticket, u64 offset */
	WATCH_PIECE,
	WATCH_OCTETS, /* the answer: WATCH_PIECE_MAX octets of it, or what is
		       * left (rule_set_stream.h) */
	/* the answer to either; string: why there is none */
	WATCH_SET_FAILED,
	WATCH_SET_DROP /* gateway to watch; u32 ticket: nobody wants it any
			* more */
};

#define WATCH_BASE_MAX	 8192 /* octets of a base */
#define WATCH_PIECE_MAX	 (64 * 1024)
#define WATCH_SET_KEPT_S 30

#endif
