/* SPDX-License-Identifier: ISC */
/* Audit records for tests: full, large, and drawn by lot. */
#ifndef TESTS_SUPPORT_RECORDS_H
#define TESTS_SUPPORT_RECORDS_H

#include "base/audit_record.h"

/* Every field has something plain. */
struct audit_record record_full(void);

/* Every field is as long as it may be, of the octet that prints longest. */
struct audit_record record_largest(void);

/* Any; the fields that clients choose have any octets.  Uses rand(). */
struct audit_record record_drawn(void);

#endif
