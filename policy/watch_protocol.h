/* SPDX-License-Identifier: ISC */
/*
 * What directory-watch sends to the gateway's main thread: whole rule sets,
 * and that users or groups have changed.
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
	WATCH_WANT     /* send the whole set again (a new gateway) */
};

#endif
