/* SPDX-License-Identifier: ISC */
/* Asking PAM once: name and password in, a reason out. */
#include "auth/pam_conversation.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <security/pam_appl.h>

#include "base/text.h"

#define FLAGS (PAM_SILENT | PAM_DISALLOW_NULL_AUTHTOK)
/* As sshd and others do: modules want a name here (pam_time, pam_access). */
#define TTY "gatewarden"

_Static_assert(PAMCONV_MESSAGES_MAX <= PAM_MAX_NUM_MSG, "PAM's own limit");
_Static_assert(PASSWORD_MAX < PAM_MAX_RESP_SIZE, "every password fits");

struct talk {
	const struct password_question *question;
	pamconv_text_fn *say;
	void *arg;
	pam_handle_t *pam;
	unsigned messages;
	bool was_prompted;
	bool was_refused; /* a module asked for what it does not get */
};

/* ---- what modules say and ask ---- */

/* The module frees it. */
static char *
copy_password(const struct password_question *question)
{
	char *copy = malloc(question->password_len + 1);

	if (copy != NULL) {
		memcpy(copy, question->password, question->password_len);
		copy[question->password_len] = '\0';
	}
	return copy;
}

static int
refuse(struct talk *talk)
{
	talk->was_refused = true;
	return PAM_CONV_ERR;
}

static int
reply(struct talk *talk, const struct pam_message *message,
    struct pam_response *response)
{
	if (++talk->messages > PAMCONV_MESSAGES_MAX)
		return refuse(talk);
	switch (message->msg_style) {
	case PAM_TEXT_INFO:
	case PAM_ERROR_MSG:
		if (message->msg != NULL)
			talk->say(talk->arg, message->msg);
		return PAM_SUCCESS;
	case PAM_PROMPT_ECHO_OFF:
		if (talk->was_prompted)
			return refuse(talk);
		talk->was_prompted = true;
		response->resp = copy_password(talk->question);
		return response->resp == NULL ? PAM_BUF_ERR : PAM_SUCCESS;
	default:
		return refuse(talk);
	}
}

static void
free_responses(struct pam_response *responses, int count)
{
	for (int i = 0; i < count; i++) {
		char *text = responses[i].resp;

		if (text != NULL)
			explicit_bzero(text, strlen(text));
		free(text);
	}
	free(responses);
}

static int
converse(int count, const struct pam_message **messages,
    struct pam_response **responses, void *arg)
{
	struct talk *talk = arg;
	struct pam_response *made;
	int status = PAM_SUCCESS;

	if (count <= 0 || count > PAMCONV_MESSAGES_MAX)
		return refuse(talk);
	made = calloc((size_t)count, sizeof(*made));
	if (made == NULL)
		return PAM_BUF_ERR;
	for (int i = 0; i < count && status == PAM_SUCCESS; i++)
		status = reply(talk, messages[i], &made[i]);
	if (status != PAM_SUCCESS) {
		free_responses(made, count);
		return status;
	}
	*responses = made;
	return PAM_SUCCESS;
}

/* ---- what comes of it ---- */

static const struct {
	int status;
	enum reason reason;
} reasons[] = {
    {PAM_AUTH_ERR, REASON_PASSWORD_WRONG},
    {PAM_USER_UNKNOWN, REASON_USER_UNKNOWN},
    {PAM_MAXTRIES, REASON_TRIES_EXCEEDED},
    {PAM_NEW_AUTHTOK_REQD, REASON_PASSWORD_EXPIRED},
    {PAM_AUTHTOK_EXPIRED, REASON_PASSWORD_EXPIRED},
    {PAM_CRED_EXPIRED, REASON_PASSWORD_EXPIRED},
    {PAM_ACCT_EXPIRED, REASON_ACCOUNT_EXPIRED},
    {PAM_PERM_DENIED, REASON_ACCOUNT_DENIED},
    {PAM_CONV_ERR, REASON_PAM_CONVERSATION},
};

static enum reason
reason_of(int status)
{
	for (size_t i = 0; i < ARRAY_COUNT(reasons); i++) {
		if (reasons[i].status == status)
			return reasons[i].reason;
	}
	return REASON_PAM_ERROR;
}

static void
fail(const struct talk *talk, const char *step, int status,
    struct password_answer *answer)
{
	answer->reason =
	    talk->was_refused ? REASON_PAM_CONVERSATION : reason_of(status);
	(void)snprintf(answer->text, sizeof(answer->text), "%s: %s", step,
	    pam_strerror(talk->pam, status));
}

/* A module may have made another user of the name. */
static void
take_name(const struct talk *talk, struct password_answer *answer)
{
	char quoted[TEXT_QUOTED_SIZE(64)];
	const char *asked = talk->question->user;
	const void *proved = NULL;
	int status = pam_get_item(talk->pam, PAM_USER, &proved);

	if (status != PAM_SUCCESS || proved == NULL) {
		fail(talk, "PAM_USER", PAM_SYSTEM_ERR, answer);
	} else if (strcmp(proved, asked) != 0) {
		(void)text_quote(
		    quoted, sizeof(quoted), proved, strlen(proved));
		answer->reason = REASON_USER_CHANGED;
		(void)snprintf(answer->text, sizeof(answer->text),
		    "PAM_USER is \"%s\"", quoted);
	} else {
		answer->reason = REASON_OK;
		(void)strlcpy(answer->name, asked, sizeof(answer->name));
	}
}

/* libpam would sleep inside pam_authenticate. */
static void
do_not_wait(int status, unsigned usec, void *arg)
{
	(void)status;
	(void)usec;
	(void)arg;
}

static int
set_items(pam_handle_t *pam, const struct pamconv_settings *settings,
    const struct address *client)
{
	void (*delay)(int, unsigned, void *) = do_not_wait;
	char rhost[ADDRESS_TEXT_SIZE];
	int status = pam_set_item(pam, PAM_RHOST, address_print(client, rhost));

	if (status == PAM_SUCCESS)
		status = pam_set_item(pam, PAM_TTY, TTY);
	if (status == PAM_SUCCESS && settings->ruser[0] != '\0')
		status = pam_set_item(pam, PAM_RUSER, settings->ruser);
	if (status == PAM_SUCCESS)
		status = pam_set_item(pam, PAM_FAIL_DELAY, (void *)delay);
	return status;
}

static int
ask(const struct pamconv_settings *settings, struct talk *talk,
    const char **step)
{
	int status = set_items(talk->pam, settings, &talk->question->client);

	*step = "pam_set_item";
	if (status != PAM_SUCCESS)
		return status;
	*step = "pam_authenticate";
	status = pam_authenticate(talk->pam, FLAGS);
	if (status != PAM_SUCCESS)
		return status;
	*step = "pam_acct_mgmt";
	return pam_acct_mgmt(talk->pam, FLAGS);
}

static int
begin(const struct pamconv_settings *settings, struct talk *talk)
{
	const struct pam_conv conversation = {converse, talk};
	const char *user = talk->question->user;

	return settings->service_dir[0] == '\0'
		   ? pam_start(
			 settings->service, user, &conversation, &talk->pam)
		   : pam_start_confdir(settings->service, user, &conversation,
			 settings->service_dir, &talk->pam);
}

void
pamconv_check(const struct pamconv_settings *settings,
    const struct password_question *question, pamconv_text_fn *say, void *arg,
    struct password_answer *answer)
{
	struct talk talk = {.question = question, .say = say, .arg = arg};
	const char *step = "pam_start";
	int status = begin(settings, &talk);

	memset(answer, 0, sizeof(*answer));
	if (status == PAM_SUCCESS)
		status = ask(settings, &talk, &step);
	if (status == PAM_SUCCESS)
		take_name(&talk, answer);
	else
		fail(&talk, step, status, answer);
	if (talk.pam != NULL)
		(void)pam_end(talk.pam, status);
}
