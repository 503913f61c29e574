/* SPDX-License-Identifier: ISC */
/*
 * What the master and a program say to each other over the program's
 * control link, which is descriptor 3 at its start.
 *
 * At start and at each reload the master sends CONFIGURE, then FILE and
 * LISTENER (and SETTINGS to the gateway), then COMMIT; the program answers
 * READY or FAILED.  LINK comes before the first COMMIT and whenever a peer
 * was started anew.
 */
#ifndef BASE_CONTROL_H
#define BASE_CONTROL_H

#define CONTROL_FD 3

enum control_type {
	/* master to program */
	CONTROL_CONFIGURE = 1, /* options_encode */
	CONTROL_FILE,	  /* string name; fd: a secret or file opened for you */
	CONTROL_SETTINGS, /* fd: the effective settings, as a settings file */
	CONTROL_LISTENER, /* string listener's name; fd: listening socket */
	CONTROL_ADDRESSES, /* u32 count, each u8 family (4, 6), octets: every
			    * address of this host; may come again */
	CONTROL_LINK,	   /* u8 peer's role, u32 its index, u32 slot; fd */
	CONTROL_COMMIT,	   /* u64 generation of the configuration */
	CONTROL_LOG_LEVEL, /* u8: until the next configuration */
	CONTROL_PING,	   /* answered by PONG with the same id */
	CONTROL_SOCKET,	   /* u32 group that may ask, u32 group that may
			    * change something too, or CONTROL_NO_GROUP; fd:
			    * the listening socket for gatewardenctl */
	CONTROL_DRAIN, /* accept what waits, then no more; DRAINED follows */
	CONTROL_STOP,  /* finish what is due and exit(0) */
	/* program to master */
	CONTROL_READY,	 /* u64 generation */
	CONTROL_FAILED,	 /* string why: the configuration is not taken */
	CONTROL_PONG,	 /* facts (base/control_request.h), no more than
			  * CONTROL_FACTS_MAX octets */
	CONTROL_DRAINED, /* the last session has ended */
	CONTROL_REQUEST, /* control_request_encode; from the gateway */
	/* master to program: control_answer_encode, with the request's id */
	CONTROL_ANSWER
};

#define CONTROL_NO_GROUP UINT32_MAX

/* The gateway's main thread; worker n has slot n + 1.  Others: 0. */
#define SLOT_MAIN 0

#endif
