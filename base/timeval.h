/* SPDX-License-Identifier: ISC */
/* Durations as timers want them. */
#ifndef BASE_TIMEVAL_H
#define BASE_TIMEVAL_H

#include <stdint.h>
#include <sys/time.h>

static inline struct timeval
timeval_us(uint64_t us)
{
	return (struct timeval){
	    .tv_sec = (time_t)(us / 1000000),
	    .tv_usec = (suseconds_t)(us % 1000000),
	};
}

static inline struct timeval
timeval_ms(uint64_t ms)
{
	return timeval_us(ms * 1000);
}

#endif
