/* SPDX-License-Identifier: ISC */
/* What is on record of an association: each destination once, what was
 * dropped, and a summary. */
#include "gateway/session_udp_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/must.h"
#include "gateway/audit_sender.h"
#include "gateway/worker.h"

#define DROPS_SIZE (AUDIT_DETAIL_SIZE - SESSION_UDP_LIST_SIZE)

static bool
is_listed(const struct session_udp *udp, const char *text, size_t len)
{
	const char *found = udp->list;

	while ((found = strstr(found, text)) != NULL) {
		if (found[len] == ' ' || found[len] == '\0')
			return true;
		found += len;
	}
	return false;
}

void
session_udp_list(struct session_udp *udp, const struct endpoint *asked)
{
	char text[ENDPOINT_TEXT_SIZE + 1] = " ";
	size_t len;

	(void)endpoint_print(asked, text + 1);
	len = strlen(text);
	if (udp->listed == SESSION_UDP_LISTED_MAX ||
	    len >= sizeof(udp->list) - udp->list_len ||
	    is_listed(udp, text, len))
		return;
	memcpy(udp->list + udp->list_len, text, len + 1);
	udp->list_len += len;
	udp->listed++;
}

void
session_udp_record_ruling(struct session *session,
    const struct association_question *question, const struct verdict *verdict,
    const struct address *address, const struct judged *judged)
{
	struct session_destination destination = {
	    .asked = question->asked, .judged = *judged};
	char detail[64] = "";

	if (verdict->reason == REASON_OK)
		destination.leads_to =
		    (struct socket_address){*address, question->asked->port};
	if (question->refused > 0)
		(void)snprintf(detail, sizeof(detail),
		    "%" PRIu64 " datagrams were dropped before",
		    question->refused);
	session_record_destination(session, verdict, &destination, detail);
}

/* "dropped: source 3, replay 1; sent to: 192.0.2.1:53", and how many in
 * all were dropped. */
static uint64_t
print_drops(
    const struct association_counts *counts, char out[AUDIT_DETAIL_SIZE])
{
	uint64_t all = 0;
	size_t len = 0;

	out[0] = '\0';
	for (int i = 0; i < DROP_COUNT; i++) {
		if (counts->drops[i] == 0)
			continue;
		len += (size_t)snprintf(out + len, DROPS_SIZE - len,
		    "%s%s %" PRIu64, all == 0 ? "dropped: " : ", ",
		    association_drop_name((enum association_drop)i),
		    counts->drops[i]);
		must(len < DROPS_SIZE);
		all += counts->drops[i];
	}
	return all;
}

static struct audit_record
begin_counts(const struct session *session, enum audit_event event,
    const struct association_counts *counts)
{
	struct audit_record record =
	    session_begin_record(session, event, REASON_OK, "");

	record.dropped = print_drops(counts, record.detail);
	record.datagrams_to_target = counts->datagrams_to_target;
	record.datagrams_to_client = counts->datagrams_to_client;
	record.bytes_to_target = counts->bytes_to_target;
	record.bytes_to_client = counts->bytes_to_client;
	record.duration_us = clock_monotonic_us() - session->opened_us;
	return record;
}

void
session_udp_record_drops(void *arg, const struct association_counts *so_far)
{
	const struct session *session = arg;
	struct audit_record record =
	    begin_counts(session, AUDIT_UDP_DROPS, so_far);

	record.failed = true;
	audit_sender_write(session->worker->audit, &record);
}

void
session_udp_record_summary(
    const struct session *session, const struct association_counts *counts)
{
	const struct session_udp *udp = session->udp;
	struct audit_record record =
	    begin_counts(session, AUDIT_UDP_SUMMARY, counts);

	if (udp->listed > 0) {
		(void)strlcat(record.detail,
		    record.dropped > 0 ? "; sent to:" : "sent to:",
		    sizeof(record.detail));
		(void)strlcat(record.detail, udp->list, sizeof(record.detail));
	}
	audit_sender_write(session->worker->audit, &record);
}
