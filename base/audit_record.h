/* SPDX-License-Identifier: ISC */
/*
 * One audit entry as a plain struct, its form on a link, and its form as
 * syslog structured data.  What is zero, empty or ADDRESS_NONE is absent.
 */
#ifndef BASE_AUDIT_RECORD_H
#define BASE_AUDIT_RECORD_H

#include "base/hint.h"
#include "base/identity.h"
#include "base/reason.h"
#include "base/request.h"

enum audit_event {
	AUDIT_START = 1, /* a program of ours started */
	AUDIT_STOP,
	AUDIT_RELOAD,	   /* settings or rules were taken or refused */
	AUDIT_DEPENDENCY,  /* something that we depend on came or went */
	AUDIT_AUTH,	   /* who: proved or not */
	AUDIT_DECISION,	   /* may they: permitted or not, by which rule */
	AUDIT_OPEN,	   /* the target was reached, or not */
	AUDIT_BIND_PEER,   /* somebody called a client back: taken or not */
	AUDIT_REVOKED,	   /* what was permitted is so no more */
	AUDIT_CLOSE,	   /* the session has ended */
	AUDIT_UDP_DROPS,   /* so far, of an association that is attacked */
	AUDIT_UDP_SUMMARY, /* the datagrams of an association that has ended */
	AUDIT_GAP,	   /* records were lost: how many */
	AUDIT_ADMIN,	   /* somebody asked over the control socket */
	AUDIT_INTERIM,	   /* a session lasts: how much so far */
	AUDIT_EVENT_COUNT
};

#define AUDIT_RULE_SIZE	    129
#define AUDIT_ADDRESSES_MAX 16
#define AUDIT_DETAIL_SIZE   2049
#define AUDIT_RECORD_MAX    8000 /* octets of the printed record */

struct audit_record {
	enum audit_event event;
	enum reason reason;
	bool failed;	     /* outcome */
	enum hint hint;	     /* why, most likely */
	uint64_t time_us;    /* wall clock, when it happened */
	uint64_t session;    /* 0: of no session */
	uint64_t generation; /* of the policy that judged */
	bool stale;	     /* the policy was older than it should be */

	char identity[IDENTITY_NAME_SIZE];
	bool is_claimed; /* only: nobody has proved that identity */
	bool has_method;
	enum method method;
	char mechanism[17];
	char indicators[IDENTITY_INDICATORS_SIZE];
	bool has_protection;
	enum protection protection;
	char tls[10]; /* its version, inside TLS: "TLSv1.3" */

	struct socket_address client;
	struct socket_address via; /* the load balancer that named it */
	char listener[LISTENER_NAME_SIZE];
	uint8_t command;   /* the octet, as sent; 0: none yet */
	uint8_t asked_len; /* the name as the client sent it */
	uint8_t asked[255];
	bool has_destination;
	struct endpoint destination; /* normalised */
	/* Of AUDIT_DECISION: those that the name had and that were judged. */
	uint8_t address_count;
	struct address addresses[AUDIT_ADDRESSES_MAX];
	struct socket_address dialled;
	struct socket_address egress;
	char rule[AUDIT_RULE_SIZE];
	char reported[AUDIT_RULE_SIZE]; /* a dry run that would decide */
	bool would_permit;		/* ... and how */
	uint64_t generation_before; /* of AUDIT_REVOKED: what permitted it */

	/* Of AUDIT_CLOSE, AUDIT_INTERIM, AUDIT_UDP_DROPS and
	 * AUDIT_UDP_SUMMARY. */
	uint64_t bytes_to_target, bytes_to_client;
	/* Of AUDIT_UDP_DROPS and AUDIT_UDP_SUMMARY. */
	uint64_t datagrams_to_target, datagrams_to_client, dropped;
	uint64_t duration_us; /* of AUDIT_CLOSE and AUDIT_INTERIM */
	uint64_t lost;	      /* of AUDIT_GAP */

	/* Free text, any octets: the one field that may be cut. */
	char detail[AUDIT_DETAIL_SIZE];
};

/* "auth", "decision" ... */
const char *audit_event_name(enum audit_event event);

/* The largest that audit_record_encode writes. */
#define AUDIT_ENCODED_MAX 5120

/* For the link.  Returns the length. */
size_t audit_record_encode(
    const struct audit_record *record, uint8_t out[AUDIT_ENCODED_MAX]);
bool audit_record_decode(
    const void *data, size_t len, struct audit_record *record) must_check;

/* What the auditor adds. */
struct audit_stamp {
	const char *sd_id;    /* "gatewarden@32473" */
	const char *instance; /* printable; who wrote it */
	const char *boot_id;  /* of this start of the house */
	uint64_t sequence;
	bool delayed; /* it waited for the receiver */
};

/*
 * The SD-ELEMENT of RFC 5424 section 6.3: "[gatewarden@32473 seq="1"
 * event="auth" ...]", with the names that gatewarden-audit(7) lists.
 *
 * PARAM-VALUEs go through text_quote, then ", \ and ] are escaped as section
 * 6.3.3 says.
 *
 * Always whole and at most AUDIT_RECORD_MAX - 1024 octets; only `detail` is
 * ever cut, and then cut="detail" follows it.  Returns the length; the
 * result ends in NUL.
 */
size_t audit_record_print(const struct audit_record *record,
    const struct audit_stamp *stamp, char out[AUDIT_RECORD_MAX]);

/* A short sentence for people: "alice@EXAMPLE.COM may connect to
 * www:443 (rule web)", cut where it does not fit, without line breaks and
 * other controls.  Returns the length; the result ends in NUL. */
size_t audit_record_sentence(
    const struct audit_record *record, char *out, size_t size);

/* The syslog severity of RFC 5424 that fits the record (3..6). */
int audit_record_severity(const struct audit_record *record);

#endif
