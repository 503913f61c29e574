/* SPDX-License-Identifier: ISC */
/*
 * What a sender of audit records and the auditor say to each other.
 *
 * A sender numbers its records from 1 on and sends them in order.  An
 * acknowledgement stands for its record and for all before it: they are in
 * the spool and, with `durable = group`, on the disk.  While the spool cannot
 * be written, records are passed over and the sender is told; afterwards it
 * sends again what was not acknowledged.
 */
#ifndef GATEWAY_AUDIT_PROTOCOL_H
#define GATEWAY_AUDIT_PROTOCOL_H

#include "base/audit_record.h"

enum audit_message {
	AUDIT_RECORD = 1, /* u64 source (1 to AUDIT_SOURCE_MAX), u64 number (not
			   * 0), octets of audit_record_encode */
	AUDIT_ACK,	  /* u64 source, u64 number */
	AUDIT_FAILING,	  /* nothing; no record is taken */
	AUDIT_AGAIN	  /* nothing; records are taken again */
};

#define AUDIT_SOURCE_MAX	 ((UINT64_C(1) << 60) - 1)
#define AUDIT_HEADER_SIZE	 16
#define AUDIT_RECORD_MESSAGE_MAX (AUDIT_HEADER_SIZE + AUDIT_ENCODED_MAX)

#endif
