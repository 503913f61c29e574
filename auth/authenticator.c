/* SPDX-License-Identifier: ISC */
/*
 * gatewarden-authenticator: accepts GSS contexts for the gateway's worker
 * threads.  It alone reads the keytab; it touches no network.
 *
 * One token at a time, each bounded by an alarm: an authenticator that hangs
 * dies, and the master starts another.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include "auth/authenticator_protocol.h"
#include "auth/gss_accept.h"
#include "base/link.h"
#include "base/log.h"
#include "base/must.h"
#include "base/program.h"
#include "base/wire.h"

#define PATH_SIZE 512
#define LIST_MAX  64

/* A context that one of the askers is establishing. */
struct half {
	LIST_ENTRY(half) entry;
	uint64_t acceptance;
	struct gssaccept_half *context;
};

/* A worker thread of the gateway. */
struct asker {
	LIST_ENTRY(asker) entry;
	struct authenticator *authenticator;
	uint32_t slot;
	struct link *link;
	LIST_HEAD(, half) halves; /* hardly ever one: few take two tokens */
	unsigned half_count;
};

struct authenticator {
	struct program *program;
	struct gssaccept *accept; /* NULL until configured */
	unsigned timeout_s;
	LIST_HEAD(, asker) askers;
	uint8_t message[ACCEPT_ANSWER_MAX];
};

/* ---- half-made contexts ---- */

/* Takes it off the list and gives its context to the caller. */
static struct gssaccept_half *
release(struct asker *asker, struct half *half)
{
	struct gssaccept_half *context = half->context;

	LIST_REMOVE(half, entry);
	asker->half_count--;
	free(half);
	return context;
}

static struct gssaccept_half *
take_half(struct asker *asker, uint64_t acceptance)
{
	struct half *half;

	LIST_FOREACH (half, &asker->halves, entry) {
		if (half->acceptance == acceptance)
			return release(asker, half);
	}
	return NULL;
}

/* Takes the context; false if there are too many or there is no memory. */
static bool
keep_half(
    struct asker *asker, uint64_t acceptance, struct gssaccept_half *context)
{
	struct half *half = NULL;

	if (asker->half_count < ACCEPT_HALF_MADE_MAX)
		half = calloc(1, sizeof(*half));
	if (half == NULL) {
		gssaccept_half_free(context);
		return false;
	}
	half->acceptance = acceptance;
	half->context = context;
	LIST_INSERT_HEAD(&asker->halves, half, entry);
	asker->half_count++;
	return true;
}

static void
forget_all(struct asker *asker)
{
	struct half *half;

	while ((half = LIST_FIRST(&asker->halves)) != NULL)
		gssaccept_half_free(release(asker, half));
}

/* ---- questions ---- */

static void
answer_failed(struct accept_answer *answer, enum reason reason)
{
	memset(answer, 0, sizeof(*answer));
	answer->outcome = ACCEPT_FAILED;
	answer->reason = reason;
}

static void
step(struct asker *asker, const struct accept_question *question,
    struct accept_answer *answer)
{
	struct authenticator *authenticator = asker->authenticator;
	struct gssaccept_half *half = take_half(asker, question->acceptance);

	/* A number begins once and goes on as long as its context is here. */
	if (question->is_first != (half == NULL)) {
		gssaccept_half_free(half);
		answer_failed(answer, REASON_AUTH_LOST);
		return;
	}
	if (authenticator->accept == NULL) {
		answer_failed(answer, REASON_AUTH_BUSY);
		return;
	}
	(void)alarm(authenticator->timeout_s);
	gssaccept_step(authenticator->accept, &half, question->may_spnego,
	    question->token, question->token_len, answer);
	(void)alarm(0);
	if (answer->outcome == ACCEPT_CONTINUE &&
	    !keep_half(asker, question->acceptance, half))
		answer_failed(answer, REASON_AUTH_BUSY);
}

static void
send_answer(
    struct asker *asker, uint64_t id, const struct accept_answer *answer)
{
	uint8_t *message = asker->authenticator->message;
	size_t len = accept_answer_print(message, ACCEPT_ANSWER_MAX, answer);

	must(len > 0);
	if (link_send(asker->link, ACCEPT_ANSWER, id, message, len) < 0)
		log_warning(NULL, "worker %u does not take its answer",
		    (unsigned)asker->slot);
	if (answer->outcome == ACCEPT_DONE)
		explicit_bzero(message, len); /* the context's keys */
}

static void
drop_asker(struct asker *asker)
{
	LIST_REMOVE(asker, entry);
	link_free(asker->link);
	forget_all(asker);
	free(asker);
}

static void
on_step(void *arg, struct link_message *message)
{
	struct asker *asker = arg;
	struct accept_question question;
	struct accept_answer answer;

	if (!accept_question_parse(message->data, message->len, &question)) {
		log_error(NULL, "worker %u asks what cannot be read",
		    (unsigned)asker->slot);
		drop_asker(asker);
		return;
	}
	step(asker, &question, &answer);
	send_answer(asker, message->id, &answer);
}

static void
on_forget(void *arg, struct link_message *message)
{
	struct asker *asker = arg;
	struct wire_reader reader;

	wire_reader_init(&reader, message->data, message->len);
	gssaccept_half_free(take_half(asker, wire_get_u64(&reader)));
}

static void
on_probe(void *arg, struct link_message *message)
{
	struct asker *asker = arg;

	if (link_send(asker->link, ACCEPT_ALIVE, message->id, NULL, 0) < 0)
		log_warning(NULL, "worker %u does not take its answer",
		    (unsigned)asker->slot);
}

static void
on_closed(void *arg)
{
	drop_asker(arg);
}

static const struct link_handler handlers[] = {
    {ACCEPT_STEP, 1, ACCEPT_QUESTION_MAX, on_step},
    {ACCEPT_FORGET, 8, 8, on_forget},
    {ACCEPT_PROBE, 0, 0, on_probe},
    {.handle = NULL},
};

/* ---- the program ---- */

static void
linked(void *state, enum role peer, uint32_t index, uint32_t slot, int fd)
{
	struct authenticator *authenticator = state;
	struct asker *asker, *next, *made;

	(void)peer;
	(void)index;
	LIST_FOREACH_SAFE (asker, &authenticator->askers, entry, next) {
		if (asker->slot == slot)
			drop_asker(asker);
	}
	made = calloc(1, sizeof(*made));
	if (made == NULL)
		die("no memory for a link");
	made->authenticator = authenticator;
	made->slot = slot;
	LIST_INIT(&made->halves);
	LIST_INSERT_HEAD(&authenticator->askers, made, entry);
	made->link = link_new(program_base(authenticator->program), fd,
	    handlers, on_closed, made);
	if (made->link == NULL)
		drop_asker(made);
}

/* All texts of one name; the list ends with NULL. */
static void
read_list(const struct options *options, const char *name,
    const char *list[LIST_MAX + 1])
{
	size_t count = 0;

	while (count < LIST_MAX &&
	       (list[count] = options_get_nth(options, name, count)) != NULL)
		count++;
	list[count] = NULL;
}

static int
configure(
    void *state, const struct options *options, char *why, size_t why_size)
{
	struct authenticator *authenticator = state;
	const char *services[LIST_MAX + 1], *realms[LIST_MAX + 1];
	char replay_cache[PATH_SIZE];
	struct gssaccept_settings settings = {
	    .keytab = options_get(options, "kerberos.keytab", ""),
	    .replay_cache = replay_cache,
	    .services = services,
	    .realms = realms,
	};
	struct gssaccept *accept;

	if (snprintf(replay_cache, sizeof(replay_cache), "%s/replay",
		options_get(options, "state_dir", ".")) >=
	    (int)sizeof(replay_cache)) {
		(void)snprintf(why, why_size, "state_dir is too long");
		return -1;
	}
	read_list(options, "kerberos.services", services);
	read_list(options, "kerberos.realms", realms);
	accept = gssaccept_new(&settings, why, why_size);
	if (accept == NULL)
		return -1;
	/* Half-made contexts live on: they do not need the credential. */
	gssaccept_free(authenticator->accept);
	authenticator->accept = accept;
	authenticator->timeout_s =
	    (unsigned)options_get_u64(options, "kerberos.timeout", 5);
	return 0;
}

static void
describe(const void *state, char *facts, size_t size)
{
	const struct authenticator *authenticator = state;

	gssaccept_describe(authenticator->accept, facts, size);
}

static void
start(void *state, struct program *program)
{
	struct authenticator *authenticator = state;

	authenticator->program = program;
	LIST_INIT(&authenticator->askers);
}

int
main(int argc, char **argv)
{
	static const struct program_functions functions = {
	    .role = ROLE_AUTHENTICATOR,
	    .configure = configure,
	    .describe = describe,
	    .linked = linked,
	};
	static struct authenticator authenticator;

	/* libkrb5 would write what it does, keys not far off, into a file. */
	(void)unsetenv("KRB5_TRACE");
	program_run(&functions, start, &authenticator, argc, argv);
}
