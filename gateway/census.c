/* SPDX-License-Identifier: ISC */
/* A worker's sessions, looked at or ended by an administrator. */
#include "gateway/census.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/must.h"
#include "base/options.h"
#include "gateway/mailbox.h"
#include "gateway/session_private.h"
#include "gateway/worker.h"

/* Ten thousand sessions must not be felt by one of them. */
#define SLICE_US 500

struct census {
	struct worker *worker;
	uint64_t number;      /* of the question that is being answered */
	struct session *next; /* to look at; NULL: the end */
};

struct census *
census_new(struct worker *worker)
{
	struct census *census = calloc(1, sizeof(*census));

	if (census != NULL)
		census->worker = worker;
	return census;
}

void
census_free(struct census *census)
{
	free(census);
}

void
census_batch_free(struct census_batch *batch)
{
	if (batch == NULL)
		return;
	for (size_t i = 0; i < batch->count; i++)
		options_free(batch->lines[i]);
	free(batch);
}

void
census_pass(struct census *census, const struct session *session)
{
	if (census->next == session)
		census->next = TAILQ_NEXT(census->next, entry);
}

/* One that was moved back in the list comes by again. */
static void
look_at(struct census_batch *batch, const struct census_question *question,
    struct session *session)
{
	if (session->census == question->number)
		return;
	session->census = question->number;
	if (!session_fits(session, question))
		return;
	batch->lines[batch->count++] = session_sight(session);
	if (question->ends)
		session_close(session, REASON_KILLED);
}

void
census_go_on(struct census *census, const struct census_question *question)
{
	struct census_batch *batch = must_alloc(1, sizeof(*batch));
	struct mail mail = {.kind = MAIL_CENSUS_BATCH, .batch = batch};
	uint64_t until_us = clock_monotonic_us() + SLICE_US;
	struct session *session;

	if (question->number != census->number)
		census->next = TAILQ_FIRST(&census->worker->sessions);
	census->number = question->number;
	while ((session = census->next) != NULL &&
	       batch->count < CENSUS_BATCH && clock_monotonic_us() < until_us) {
		census->next = TAILQ_NEXT(session, entry);
		look_at(batch, question, session);
	}
	batch->number = question->number;
	batch->is_last = census->next == NULL;
	mailbox_put(question->answers, &mail);
}
