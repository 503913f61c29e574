/* SPDX-License-Identifier: ISC */
/*
 * gatewarden-password-checker: asks PAM about names and passwords for the
 * gateway's worker threads.
 *
 * It alone links libpam, and calls it only in processes that each serve one
 * login (auth/password_logins.h): its own loop never waits.  It may start
 * programs that are set-uid, since pam_unix has one.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "auth/password_logins.h"
#include "auth/password_protocol.h"
#include "base/link.h"
#include "base/log.h"
#include "base/must.h"
#include "base/pam_service.h"
#include "base/program.h"
#include "base/sandbox_confine.h"

/* A worker thread of the gateway. */
struct asker {
	LIST_ENTRY(asker) entry;
	struct checker *checker;
	uint32_t slot;
	struct link *link;
};

struct checker {
	struct program *program;
	struct logins *logins;
	LIST_HEAD(, asker) askers;
};

/* ---- questions ---- */

static void
drop_asker(struct asker *asker)
{
	LIST_REMOVE(asker, entry);
	logins_forget(asker->checker->logins, asker);
	link_free(asker->link);
	free(asker);
}

static void
send_to(struct asker *asker, enum password_type type, uint64_t id,
    const void *data, size_t len)
{
	if (link_send(asker->link, (uint16_t)type, id, data, len) < 0)
		log_warning(NULL, "worker %u does not take its answer",
		    (unsigned)asker->slot);
}

static void
on_done(void *arg, uint64_t id, const struct password_answer *answer)
{
	uint8_t message[PASSWORD_ANSWER_MAX];
	size_t len = password_answer_print(message, sizeof(message), answer);

	must(len > 0);
	send_to(arg, PASSWORD_ANSWER, id, message, len);
}

static void
on_check(void *arg, struct link_message *message)
{
	struct asker *asker = arg;
	struct password_question question;

	if (!password_question_parse(message->data, message->len, &question)) {
		log_error(NULL, "worker %u asks what cannot be read",
		    (unsigned)asker->slot);
		drop_asker(asker);
		return;
	}
	logins_ask(asker->checker->logins, asker, message->id, message->data,
	    message->len);
}

static void
on_probe(void *arg, struct link_message *message)
{
	send_to(arg, PASSWORD_ALIVE, message->id, NULL, 0);
}

static void
on_closed(void *arg)
{
	drop_asker(arg);
}

static const struct link_handler handlers[] = {
    {PASSWORD_CHECK, 1, PASSWORD_QUESTION_MAX, on_check},
    {PASSWORD_PROBE, 0, 0, on_probe},
    {.handle = NULL},
};

/* ---- the program ---- */

static void
linked(void *state, enum role peer, uint32_t index, uint32_t slot, int fd)
{
	struct checker *checker = state;
	struct asker *asker, *next, *made;

	(void)peer;
	(void)index;
	LIST_FOREACH_SAFE (asker, &checker->askers, entry, next) {
		if (asker->slot == slot)
			drop_asker(asker);
	}
	made = must_alloc(1, sizeof(*made));
	made->checker = checker;
	made->slot = slot;
	LIST_INSERT_HEAD(&checker->askers, made, entry);
	made->link = link_new(
	    program_base(checker->program), fd, handlers, on_closed, made);
	if (made->link == NULL)
		drop_asker(made);
}

static int
configure(
    void *state, const struct options *options, char *why, size_t why_size)
{
	struct checker *checker = state;
	struct logins_settings settings = {
	    .pam =
		{
		    .service = options_get(options, "password.service", ""),
		    .service_dir =
			options_get(options, "password.service_dir", ""),
		    .ruser = options_get(options, "password.ruser", ""),
		},
	    .timeout_ms =
		(unsigned)options_get_u64(options, "password.timeout", 15) *
		1000,
	    .concurrency = options_get_u64(options, "password.concurrency", 16),
	    .queue_max = options_get_u64(options, "password.queue_max", 128),
	};

	if (!pamservice_is_there(
		settings.pam.service_dir, settings.pam.service, why, why_size))
		return -1;
	if (!logins_configure(checker->logins, &settings)) {
		(void)snprintf(why, why_size, "%s", strerror(ENOMEM));
		return -1;
	}
	return 0;
}

static void
stop(void *state)
{
	struct checker *checker = state;

	logins_free(checker->logins);
	program_exit(checker->program);
}

static void
start(void *state, struct program *program)
{
	struct checker *checker = state;

	checker->program = program;
	checker->logins = logins_new(program_base(program), on_done);
	LIST_INIT(&checker->askers);
}

int
main(int argc, char **argv)
{
	static const struct program_functions functions = {
	    .role = ROLE_PASSWORD_CHECKER,
	    .needs = SANDBOX_UNCONFINED,
	    .may_gain_privileges = true,
	    .configure = configure,
	    .linked = linked,
	    .stop = stop,
	};
	static struct checker checker;

	/* libkrb5 in pam_krb5 would write what it does into a file. */
	(void)unsetenv("KRB5_TRACE");
	program_run(&functions, start, &checker, argc, argv);
}
