/* SPDX-License-Identifier: ISC */
/* Who somebody is, for an answer over the control socket. */
#include "gateway/control_who.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/options.h"
#include "gateway/control_server.h"
#include "gateway/worker.h"
#include "policy/lookup_now.h"
#include "policy/provenance.h"
#include "policy/subject.h"
#include "policy/subject_cache.h"

#define NAME_SIZE 1024

struct control_who_question {
	const struct control_world *world;
	struct lookup_now_question *lookup;
	control_who_fn *done;
	void *arg;
	char name[NAME_SIZE];
};

void
control_who_fini(struct control_who *who)
{
	subject_unref(who->subject);
	provenance_free(who->provenance);
	free(who->silence);
	*who = (struct control_who){.subject = NULL};
}

static void
on_answer(void *arg, struct lookup_now_answer *answer)
{
	struct control_who_question *question = arg;
	control_who_fn *done = question->done;
	void *done_arg = question->arg;
	struct control_who who = {
	    .subject = answer->subject,
	    .provenance = answer->provenance,
	    .silence = must_strdup(answer->why),
	};

	question->lookup = NULL;
	answer->subject = NULL;
	answer->provenance = NULL;
	if (who.subject == NULL)
		who.subject =
		    subject_cache_get(question->world->shared->subjects,
			question->name, DIRECTORY_IS_SILENT);
	control_who_cancel(question);
	done(done_arg, &who);
	control_who_fini(&who);
}

struct control_who_question *
control_who_start(const struct control_world *world, const char *name,
    control_who_fn *done, void *arg)
{
	struct control_who_question *question = calloc(1, sizeof(*question));

	if (question == NULL)
		return NULL;
	question->world = world;
	question->done = done;
	question->arg = arg;
	/* What is longer is not asked. */
	(void)strlcpy(question->name, name, sizeof(question->name));
	question->lookup =
	    lookup_now_user(world->lookups, name, on_answer, question);
	if (question->lookup != NULL)
		return question;
	free(question);
	return NULL;
}

void
control_who_cancel(struct control_who_question *question)
{
	if (question == NULL)
		return;
	lookup_now_cancel(question->lookup);
	free(question);
}

static void
add_origin(struct options *line, const struct provenance *provenance,
    const struct finding *finding)
{
	options_add(line, "origin", origin_print(finding->origin));
	if (finding->through == FINDING_DIRECT)
		return;
	options_add(
	    line, "through", provenance->findings[finding->through].group);
	options_add_u64(line, "through_number", finding->through);
}

const char *
control_who_add_group(
    struct options *line, const struct control_who *who, size_t n)
{
	const char *dn = who->provenance != NULL
			     ? who->provenance->findings[n].group
			     : who->subject->groups[n];

	options_add(line, "dn", dn);
	if (who->provenance != NULL)
		add_origin(
		    line, who->provenance, &who->provenance->findings[n]);
	return dn;
}
