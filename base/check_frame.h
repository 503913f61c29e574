/* SPDX-License-Identifier: ISC */
/*
 * The frame of a program that `gatewarden --check` runs with the user of one
 * of the house's programs, to look at what the master must not touch.
 *
 * Its orders are a file on CONTROL_FD: u32 length and options_encode's octets,
 * then the secret, if there is one.  It prints findings on its standard output
 * and exits with findings_status.
 */
#ifndef BASE_CHECK_FRAME_H
#define BASE_CHECK_FRAME_H

#include "base/compiler.h"
#include "base/findings.h"

struct options;
struct secret;

/* Of `gatewarden --check`: where the settings are. */
#define CHECK_PLACE "check.place"

/*
 * Never returns.  Answers --version; started by hand it says so and exits with
 * 64.  Gives up what it does not need (base/sandbox.h) and reads its orders;
 * `look` takes the secret, which may be NULL.
 */
_Noreturn void check_frame_run(int argc, char *argv[],
    void (*look)(struct findings *findings, const struct options *options,
	struct secret *secret));

/* Its orders, on a new descriptor at their beginning; -1 and errno.  `secret`
 * may be NULL. */
int check_frame_orders(
    const struct options *options, const struct secret *secret) must_check;

#endif
