/* SPDX-License-Identifier: ISC */
/* Where the main thread asks all workers for their sessions. */
#include "gateway/census_desk.h"

#include <stdlib.h>

#include "base/must.h"
#include "gateway/census.h"
#include "gateway/mailbox.h"
#include "gateway/worker.h"

struct census_desk {
	struct mailbox *answers;
	struct worker *const *workers;
	size_t count;
	size_t asked; /* the worker */
	uint64_t last_number;
	struct census_question question;
	void (*answered)(void *arg, struct census_batch *batch);
	void *arg; /* of `answered`, which is NULL where nobody waits */
};

static void
ask(struct census_desk *desk)
{
	struct mail mail = {.kind = MAIL_CENSUS};

	mail.question = must_alloc(1, sizeof(*mail.question));
	*mail.question = desk->question;
	worker_mail(desk->workers[desk->asked], &mail);
}

/* From a worker; perhaps to a question that nobody waits for any more. */
static void
on_answer(void *arg, struct mail *mail)
{
	struct census_desk *desk = arg;
	struct census_batch *batch = mail->batch;

	if (desk->answered == NULL || batch->number != desk->question.number) {
		census_batch_free(batch);
		return;
	}
	if (batch->is_last) {
		desk->asked++;
		batch->is_last = desk->asked == desk->count;
	}
	desk->answered(desk->arg, batch);
}

struct census_desk *
census_desk_new(
    struct event_base *base, struct worker *const *workers, size_t count)
{
	struct census_desk *desk = must_alloc(1, sizeof(*desk));

	desk->answers = mailbox_new(base, on_answer, desk);
	desk->workers = workers;
	desk->count = count;
	return desk;
}

void
census_desk_free(struct census_desk *desk)
{
	if (desk == NULL)
		return;
	mailbox_free(desk->answers);
	free(desk);
}

void
census_desk_ask(struct census_desk *desk, struct census_question *question,
    void (*answered)(void *arg, struct census_batch *batch), void *arg)
{
	must(desk->answered == NULL && desk->count > 0);
	desk->question = *question;
	desk->question.number = ++desk->last_number;
	desk->question.answers = desk->answers;
	desk->answered = answered;
	desk->arg = arg;
	desk->asked = 0;
	ask(desk);
}

void
census_desk_go_on(struct census_desk *desk)
{
	must(desk->answered != NULL && desk->asked < desk->count);
	ask(desk);
}

void
census_desk_cancel(struct census_desk *desk)
{
	desk->answered = NULL;
}
