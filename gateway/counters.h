/* SPDX-License-Identifier: ISC */
/*
 * What the gateway counts: its sessions' ends by reason, and what
 * counters.def lists.
 *
 * Any thread counts at any time; nobody waits for anybody.  Counters begin
 * at zero with the program and never go back.
 */
#ifndef GATEWAY_COUNTERS_H
#define GATEWAY_COUNTERS_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/reason.h"

enum counter {
#define C(id, name, sentence) COUNTER_##id,
#include "gateway/counters.def"
#undef C
	COUNTER_COUNT
};

/* All zero to begin with. */
struct counters {
	_Atomic uint64_t values[COUNTER_COUNT];
	_Atomic uint64_t ends[REASON_COUNT];
};

void counters_add(struct counters *counters, enum counter counter);
/* A session has ended with that reason. */
void counters_add_end(struct counters *counters, enum reason reason);

uint64_t counters_get(struct counters *counters, enum counter counter);
uint64_t counters_get_end(struct counters *counters, enum reason reason);
const char *counter_name(enum counter counter);

/*
 * "accepted=12 health_checks=3 ended:ok=5 ended:bad_version=1": what is not
 * zero, into out, cut at a space where it does not fit.
 */
#define COUNTERS_TEXT_SIZE 1900 /* a line of the log has 2048 */
void counters_print(struct counters *counters, char out[COUNTERS_TEXT_SIZE]);

#endif
