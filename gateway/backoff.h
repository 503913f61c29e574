/* SPDX-License-Identifier: ISC */
/*
 * How long to wait before a program that died is started again: not at all,
 * but from the fifth death in ten seconds longer each time.
 */
#ifndef GATEWAY_BACKOFF_H
#define GATEWAY_BACKOFF_H

#include <stddef.h>
#include <stdint.h>

#define BACKOFF_DEATHS	  5	   /* so many ... */
#define BACKOFF_WINDOW_US 10000000 /* ... in this time are too many */
#define BACKOFF_FIRST_MS  1000
#define BACKOFF_LAST_MS	  30000

/* All zero at first. */
struct backoff {
	uint64_t died_us[BACKOFF_DEATHS]; /* the last deaths, a ring */
	size_t count;			  /* of all deaths */
	unsigned delay_ms;		  /* the last answer */
};

/* It was started at started_us and has just died.  Milliseconds to wait. */
unsigned backoff_died(struct backoff *backoff, uint64_t started_us);

#endif
