/* SPDX-License-Identifier: ISC */
/* Who would ask for what, as gatewardenctl explain asks it. */
#include "gateway/explain_question.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "auth/userpass.h"
#include "base/options.h"
#include "base/realm_line.h"
#include "base/text.h"
#include "gateway/judging.h"
#include "gateway/settings.h"

#define AT_MAX 253402300799 /* the last second of the year 9999 */

struct reading {
	const struct options *asked;
	const struct settings *settings;
	struct explain_question *question;
	enum protection seal;
	char *why;
	size_t why_size;
};

static bool
    printf_like(2, 3) complain(struct reading *reading, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(reading->why, reading->why_size, format, args);
	va_end(args);
	return false;
}

/* NULL: it was left out. */
static const char *
asked(const struct reading *reading, const char *name)
{
	return options_get(reading->asked, name, NULL);
}

static bool
read_listener(struct reading *reading)
{
	const struct settings *settings = reading->settings;
	const char *name = asked(reading, "listener");

	for (size_t i = 0; i < settings->listener_count; i++) {
		reading->question->listener = &settings->listeners[i];
		if (name == NULL ||
		    strcmp(settings->listeners[i].name, name) == 0)
			return true;
	}
	return complain(
	    reading, "there is no listener %s", name != NULL ? name : "at all");
}

static bool
read_method(struct reading *reading)
{
	const struct listener_settings *listener = reading->question->listener;
	enum method *method = &reading->question->identity.method;
	const char *text = asked(reading, "method");

	*method = listener->method[0];
	if (text != NULL && !method_parse(text, method))
		return complain(reading, "%s is no method", text);
	for (size_t i = 0; i < listener->method_count; i++)
		if (listener->method[i] == *method)
			return true;
	return complain(reading, "listener %s does not offer method %s",
	    listener->name, method_name(*method));
}

static bool
read_principal(struct reading *reading, const char *user)
{
	struct identity *identity = &reading->question->identity;
	size_t len = strlen(user);

	if (!identity_name_is_valid(user, len))
		return complain(reading, "the user's name cannot be one");
	if (realm_of(user)[0] == '\0')
		return complain(reading,
		    "%s has no realm: write the whole principal, such as "
		    "%s@EXAMPLE.COM",
		    user, user);
	identity->mechanism = "krb5";
	memcpy(identity->name, user, len + 1);
	return true;
}

/* As it is typed, or with the realm that it gets. */
static bool
read_user_name(struct reading *reading, const char *user)
{
	const struct settings *settings = reading->settings;
	const struct userpass_policy policy = {
	    .realm = settings->password_realm,
	    .name_max = settings->password_name_max,
	    .lower_case = settings->password_lower_case,
	};
	const char *at = strrchr(user, '@');
	size_t len = strlen(user);

	if (at != NULL && strcmp(at + 1, settings->password_realm) == 0)
		len = (size_t)(at - user);
	if (!userpass_identity(
		&policy, user, len, reading->question->identity.name))
		return complain(reading,
		    "nobody is called that who proves it by a password: it "
		    "is NAME or NAME@%s",
		    settings->password_realm);
	reading->question->identity.mechanism = "pam";
	return true;
}

static bool
read_user(struct reading *reading)
{
	const char *user = asked(reading, "user");

	if (user == NULL)
		return complain(reading, "no user is named");
	return reading->question->identity.method == METHOD_PASSWORD
		   ? read_user_name(reading, user)
		   : read_principal(reading, user);
}

static bool
read_destination(struct reading *reading)
{
	struct explain_question *question = reading->question;
	const char *command = asked(reading, "do");
	const char *text = asked(reading, "destination");

	if (command == NULL || !command_parse(command, &question->command))
		return complain(reading, "it is connect, bind or udp");
	if (text == NULL || !endpoint_parse(text, &question->destination))
		return complain(reading,
		    "%s is no destination: that is NAME:PORT, ADDRESS:PORT or "
		    "[ADDRESS]:PORT",
		    text != NULL ? text : "nothing");
	return true;
}

static bool
read_client(struct reading *reading)
{
	const char *text = asked(reading, "from");

	if (text != NULL &&
	    !address_parse(text, &reading->question->client.address))
		return complain(reading, "%s is no address", text);
	return true;
}

static bool
has_tls(const struct listener_settings *listener)
{
	return listener->tls_certificate[0] != '\0';
}

static bool
read_seal(struct reading *reading, const char *text)
{
	const struct listener_settings *listener = reading->question->listener;

	reading->question->is_protection_assumed = text == NULL;
	if (text == NULL)
		reading->seal = listener->maximum;
	else if (reading->seal < listener->minimum ||
		 reading->seal > listener->maximum)
		return complain(reading,
		    "listener %s does not grant protection %s: it grants %s to "
		    "%s",
		    listener->name, text, protection_name(listener->minimum),
		    protection_name(listener->maximum));
	return true;
}

/* A password comes without a seal: TLS is all that there can be. */
static bool
read_no_seal(struct reading *reading, const char *text)
{
	const struct explain_question *question = reading->question;
	enum protection wanted = reading->seal;

	reading->seal = PROTECTION_NONE;
	if (text != NULL && judging_protection(has_tls(question->listener),
				question->command, PROTECTION_NONE) != wanted)
		return complain(reading,
		    "with a password on listener %s protection is not %s",
		    question->listener->name, text);
	return true;
}

static bool
read_protection(struct reading *reading)
{
	struct explain_question *question = reading->question;
	const char *text = asked(reading, "protection");

	if (text != NULL && !protection_parse(text, &reading->seal))
		return complain(reading, "%s is no protection", text);
	if (!(question->identity.method == METHOD_PASSWORD
		    ? read_no_seal(reading, text)
		    : read_seal(reading, text)))
		return false;
	question->has_seal = reading->seal != PROTECTION_NONE;
	question->protection = judging_protection(
	    has_tls(question->listener), question->command, reading->seal);
	return true;
}

static bool
read_time(struct reading *reading)
{
	struct explain_question *question = reading->question;
	const char *text = asked(reading, "at");
	uint64_t seconds;

	if (text == NULL)
		return true;
	if (!text_parse_u64(text, 0, AT_MAX, &seconds))
		return complain(reading, "%s is no time", text);
	question->has_time = true;
	question->time_us = seconds * 1000000;
	return true;
}

static bool
read_indicators(struct reading *reading)
{
	char *all = reading->question->identity.indicators;
	const char *text;

	for (size_t i = 0;
	     (text = options_get_nth(reading->asked, "indicator", i)) != NULL;
	     i++) {
		if (reading->question->identity.method != METHOD_GSSAPI)
			return complain(
			    reading, "only a ticket carries indicators");
		if (text[0] == '\0' || strchr(text, ' ') != NULL ||
		    !text_is_printable(text, strlen(text)))
			return complain(reading, "that is no indicator");
		if (i > 0)
			(void)strlcat(all, " ", IDENTITY_INDICATORS_SIZE);
		if (strlcat(all, text, IDENTITY_INDICATORS_SIZE) >=
		    IDENTITY_INDICATORS_SIZE)
			return complain(reading,
			    "no ticket is taken with so many indicators");
	}
	return true;
}

bool
explain_question_read(const struct options *asked,
    const struct settings *settings, struct explain_question *question,
    char *why, size_t why_size)
{
	struct reading reading = {
	    .asked = asked,
	    .settings = settings,
	    .question = question,
	    .why = why,
	    .why_size = why_size,
	};

	memset(question, 0, sizeof(*question));
	return read_listener(&reading) && read_method(&reading) &&
	       read_user(&reading) && read_destination(&reading) &&
	       read_client(&reading) && read_protection(&reading) &&
	       read_time(&reading) && read_indicators(&reading);
}
