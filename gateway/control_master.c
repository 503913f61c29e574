/* SPDX-License-Identifier: ISC */
/* What a command asks of the master for an administrator. */
#include "gateway/control_master.h"

#include <sys/socket.h>

#include "base/control.h"
#include "base/link.h"
#include "base/program.h"
#include "gateway/control_server.h"

/* A reload is two rounds of programs that may take their time for it. */
#define REQUEST_LIMIT_MS 120000

static void
on_answer(void *arg, enum answer_outcome outcome, struct link_message *message)
{
	struct control_asking *asking = arg;
	struct control_answer answer;

	asking->question = NULL;
	if (outcome != ANSWER_GIVEN ||
	    !control_answer_decode(message->data, message->len, &answer))
		control_call_fail(asking->call, CTL_UNAVAILABLE,
		    "the master has not answered");
	else
		asking->answered(asking, &answer);
}

void
control_ask_master(
    struct control_asking *asking, const struct control_request *request)
{
	const struct ucred *peer = control_call_peer(asking->call);
	struct program *program = control_call_world(asking->call)->program;
	struct control_request whole = *request;
	uint8_t data[CONTROL_REQUEST_MAX];

	whole.uid = peer->uid;
	whole.pid = (uint32_t)peer->pid;
	if (program != NULL)
		asking->question = program_ask(program, CONTROL_REQUEST, data,
		    control_request_encode(&whole, data), REQUEST_LIMIT_MS,
		    on_answer, asking);
	if (asking->question == NULL)
		control_call_fail(asking->call, CTL_UNAVAILABLE,
		    "the master cannot be asked");
}

void
control_asking_cancel(struct control_asking *asking)
{
	question_cancel(asking->question);
}
