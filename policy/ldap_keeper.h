/* SPDX-License-Identifier: ISC */
/*
 * Keeps the copy on disk of the last rules that were taken (rules_copy.h), in
 * a child process: disks may block.
 *
 * From the moment that a set was taken the copy of the one before is gone: a
 * start without a copy denies, one from an older copy could permit what is
 * not permitted any more.
 */
#ifndef POLICY_LDAP_KEEPER_H
#define POLICY_LDAP_KEEPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct event_base;
struct keeper;

typedef void keeper_idle_fn(void *arg);

/* Dies without memory. */
struct keeper *keeper_new(struct event_base *base) must_check;
/* A copy that is being written is lost.  NULL is fine. */
void keeper_free(struct keeper *keeper);

/* Where the copy is; of a path that was there before nothing is known any
 * more. */
void keeper_set_path(struct keeper *keeper, const char *path);
const char *keeper_path(const struct keeper *keeper);

/* This set was taken.  It is borrowed for the call.  What goes wrong is
 * logged. */
void keeper_keep(struct keeper *keeper, const uint8_t *set, size_t len,
    uint64_t confirmed_us);

/* Another set than the copy's is in force, and will not be kept: there is no
 * copy from now on, until one is. */
void keeper_forget(struct keeper *keeper);

/* The directory has said that they are still these: some seconds later the
 * copy says so too.  Nothing if the copy is not of the last set. */
void keeper_confirm(struct keeper *keeper, uint64_t confirmed_us);

bool keeper_is_writing(const struct keeper *keeper);
/* Calls, once, when nothing is being written: now, or when it was.  The last
 * that asked is told. */
void keeper_when_idle(struct keeper *keeper, keeper_idle_fn *idle, void *arg);

#endif
