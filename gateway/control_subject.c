/* SPDX-License-Identifier: ISC */
/* Answers who somebody is, and whether an entry is in the directory. */
#include "gateway/control_commands.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/options.h"
#include "gateway/control_server.h"
#include "gateway/control_who.h"
#include "gateway/settings.h"
#include "policy/lookup_now.h"
#include "policy/subject.h"

/* What was asked and answered, of the one or the other. */
struct inquest {
	struct control_call *call;
	struct control_who_question *question;
	struct control_who who;
	size_t next; /* group to be told */
	struct lookup_now_question *entry;
};

/* "" if it was not said; then the call is over. */
static const char *
argument(struct control_call *call, const char *name)
{
	const char *text = options_get(control_call_asked(call), name, "");

	if (*text == '\0')
		control_call_fail(
		    call, CTL_BAD_QUESTION, "the question has no %s", name);
	return text;
}

static bool
has_directory(struct control_call *call)
{
	if (control_call_world(call)->settings->directory_uri.count > 0)
		return true;
	control_call_fail(
	    call, CTL_UNAVAILABLE, "directory.uri names no directory to ask");
	return false;
}

/* Nothing could be asked, by errno. */
static void
fail_to_ask(struct control_call *call)
{
	control_call_fail(call,
	    errno == EINVAL ? CTL_BAD_QUESTION : CTL_UNAVAILABLE, "%s",
	    errno == EINVAL ? "it is too long" : strerror(errno));
}

/* ---- subject */

static void
say_subject(struct control_call *call, const struct control_who *who)
{
	struct options *line = control_line_begin("subject");

	if (who->subject->dn != NULL)
		options_add(line, "dn", who->subject->dn);
	options_add(
	    line, "disabled", who->subject->is_disabled ? CTL_YES : CTL_NO);
	options_add_u64(line, "groups", who->subject->count);
	options_add(line, "cached", who->provenance == NULL ? CTL_YES : CTL_NO);
	options_add(line, "silence", who->silence);
	control_line_end(call, line);
}

static void
on_who(void *arg, struct control_who *who)
{
	struct inquest *inquest = arg;

	inquest->question = NULL;
	if (who->subject == NULL) {
		control_call_fail(inquest->call, CTL_UNAVAILABLE,
		    "the directory does not say: %s", who->silence);
		return;
	}
	inquest->who = *who;
	*who = (struct control_who){.subject = NULL};
	say_subject(inquest->call, &inquest->who);
	control_call_pump(inquest->call);
}

static void *
start_subject(struct control_call *call)
{
	const char *who = argument(call, "who");
	struct inquest *inquest;

	if (*who == '\0' || !has_directory(call))
		return NULL;
	inquest = must_alloc(1, sizeof(*inquest));
	inquest->call = call;
	inquest->question =
	    control_who_start(control_call_world(call), who, on_who, inquest);
	if (inquest->question == NULL)
		fail_to_ask(call);
	return inquest;
}

static bool
pump_subject(struct control_call *call, void *state)
{
	struct inquest *inquest = state;
	struct options *line;

	if (inquest->next == inquest->who.subject->count) {
		control_call_done(call);
		return false;
	}
	line = control_line_begin("group");
	(void)control_who_add_group(line, &inquest->who, inquest->next++);
	control_line_end(call, line);
	return true;
}

static void
end(void *state)
{
	struct inquest *inquest = state;

	if (inquest == NULL)
		return;
	control_who_cancel(inquest->question);
	lookup_now_cancel(inquest->entry);
	control_who_fini(&inquest->who);
	free(inquest);
}

static const char *const subject_arguments[] = {"who", NULL};

const struct control_command control_subject = {
    .name = "subject",
    .arguments = subject_arguments,
    .start = start_subject,
    .pump = pump_subject,
    .end = end,
};

/* ---- entry */

static void
on_entry(void *arg, struct lookup_now_answer *answer)
{
	struct inquest *inquest = arg;
	struct options *line = control_line_begin("entry");
	bool is_said = answer->why[0] == '\0';

	inquest->entry = NULL;
	options_add(line, "is",
	    !is_said	       ? "unknown"
	    : answer->is_there ? "there"
			       : "missing");
	options_add(line, "silence", answer->why);
	control_line_end(inquest->call, line);
	control_call_done(inquest->call);
}

static void *
start_entry(struct control_call *call)
{
	const char *dn = argument(call, "dn");
	struct inquest *inquest;

	if (*dn == '\0' || !has_directory(call))
		return NULL;
	inquest = must_alloc(1, sizeof(*inquest));
	inquest->call = call;
	inquest->entry = lookup_now_entry(
	    control_call_world(call)->lookups, dn, on_entry, inquest);
	if (inquest->entry == NULL)
		fail_to_ask(call);
	return inquest;
}

static const char *const entry_arguments[] = {"dn", NULL};

const struct control_command control_entry = {
    .name = "entry",
    .arguments = entry_arguments,
    .start = start_entry,
    .end = end,
};
