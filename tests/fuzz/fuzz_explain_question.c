/* SPDX-License-Identifier: ISC */
/*
 * Fuzzes a question at the control socket, from its octets to what explain
 * makes of it: it is refused with a sentence, or is what a session could be.
 */
#include "tests/fuzz/fuzz.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/ctl_protocol.h"
#include "base/options.h"
#include "gateway/explain_question.h"
#include "gateway/settings.h"

static const char text[] =
    "policy { file = \"/etc/rules.ldif\" }\n"
    "listener main { address = \"192.0.2.1:1080\"\n"
    " methods = {gssapi, password}\n protection_minimum = \"none\" }\n"
    "listener tls { address = \"192.0.2.1:1081\"\n methods = {password}\n"
    " tls_certificate = \"/cert\"\n tls_key = \"/key\" }\n";

static struct settings *
load(void)
{
	int fd = memfd_create("settings", MFD_CLOEXEC);
	struct settings *settings;

	property(fd >= 0);
	property(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	settings = settings_load_fd(fd, "settings", stderr);
	property(settings != NULL);
	(void)close(fd);
	return settings;
}

static bool
is_offered(const struct explain_question *question)
{
	for (size_t i = 0; i < question->listener->method_count; i++)
		if (question->listener->method[i] == question->identity.method)
			return true;
	return false;
}

static void
check_taken(const struct explain_question *question)
{
	const char *name = question->identity.name;

	property(identity_name_is_valid(name, strlen(name)));
	property(strchr(name, '@') != NULL);
	property(is_offered(question));
	property(question->protection < PROTECTION_COUNT);
	property(question->has_seal ||
		 question->protection == PROTECTION_NONE ||
		 question->listener->tls_certificate[0] != '\0');
	property(
	    strlen(question->identity.indicators) < IDENTITY_INDICATORS_SIZE);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct settings *settings;
	struct explain_question question;
	struct options *asked;
	char why[CTL_SENTENCE_SIZE] = "";

	if (settings == NULL)
		settings = load();
	if (size > CTL_ASK_MAX)
		return 0;
	asked = options_decode(data, size);
	if (asked == NULL)
		return 0;
	if (explain_question_read(asked, settings, &question, why, sizeof(why)))
		check_taken(&question);
	else
		property(why[0] != '\0');
	options_free(asked);
	return 0;
}
