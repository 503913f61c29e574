/* SPDX-License-Identifier: ISC */
/* Messages that were written to a stream and may not have arrived. */
#include "gateway/syslog_unacked.h"

#include <stdlib.h>
#include <sys/queue.h>

#include "base/must.h"

struct message {
	STAILQ_ENTRY(message) entry;
	uint64_t number, end;
};

struct syslog_unacked {
	STAILQ_HEAD(, message) messages;
};

struct syslog_unacked *
syslog_unacked_new(void)
{
	struct syslog_unacked *unacked = must_alloc(1, sizeof(*unacked));

	STAILQ_INIT(&unacked->messages);
	return unacked;
}

void
syslog_unacked_free(struct syslog_unacked *unacked)
{
	if (unacked == NULL)
		return;
	syslog_unacked_clear(unacked);
	free(unacked);
}

void
syslog_unacked_add(
    struct syslog_unacked *unacked, uint64_t number, uint64_t end)
{
	struct message *message = must_alloc(1, sizeof(*message));

	message->number = number;
	message->end = end;
	STAILQ_INSERT_TAIL(&unacked->messages, message, entry);
}

static void
drop_first(struct syslog_unacked *unacked)
{
	struct message *first = STAILQ_FIRST(&unacked->messages);

	STAILQ_REMOVE_HEAD(&unacked->messages, entry);
	free(first);
}

bool
syslog_unacked_confirm(
    struct syslog_unacked *unacked, uint64_t octets, uint64_t *number)
{
	const struct message *first;
	bool is_any = false;

	while ((first = STAILQ_FIRST(&unacked->messages)) != NULL &&
	       first->end <= octets) {
		*number = first->number;
		is_any = true;
		drop_first(unacked);
	}
	return is_any;
}

bool
syslog_unacked_is_empty(const struct syslog_unacked *unacked)
{
	return STAILQ_EMPTY(&unacked->messages);
}

void
syslog_unacked_clear(struct syslog_unacked *unacked)
{
	while (!syslog_unacked_is_empty(unacked))
		drop_first(unacked);
}
