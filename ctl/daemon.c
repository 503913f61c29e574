/* SPDX-License-Identifier: ISC */
/* What gatewardenctl asks the gateway about users, entries, names, rules and
 * itself. */
#include "ctl/daemon.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/ctl_protocol.h"
#include "base/must.h"
#include "base/options.h"
#include "ctl/client.h"
#include "policy/lookup_protocol.h"
#include "policy/rule_set_stream.h"
#include "policy/subject.h"

#define ROWS_MAX 65536 /* of a kind, of the gateway's facts */

/* ---- lines */

static enum outcome
fail_odd(const char *kind)
{
	return outcome_say(
	    OUTCOME_PROTOCOL, "the gateway's line of kind %s is odd", kind);
}

static bool
is_kind(const struct options *line, const char *kind)
{
	return strcmp(options_get(line, "kind", ""), kind) == 0;
}

/* False if it is no number, or greater than max. */
static bool
read_number(
    const struct options *line, const char *name, uint64_t max, uint64_t *value)
{
	const char *text = options_get(line, name, "");
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*value = strtoull(text, &end, 10);
	return errno == 0 && *end == '\0' && *value <= max;
}

/* Asks, with one argument or (name NULL) with none. */
static enum outcome
ask(const char *socket, const char *command, const char *name, const char *text,
    client_line_fn *line, void *arg)
{
	struct options *question = options_new();
	enum outcome outcome;

	options_add(question, "command", command);
	if (name != NULL)
		options_add(question, name, text);
	outcome = client_ask(socket, question, line, NULL, arg);
	options_free(question);
	return outcome;
}

/* ---- subject */

static enum outcome
take_subject(struct daemon_subject *answer, const struct options *line)
{
	answer->subject = subject_new(options_get(line, "dn", NULL));
	if (answer->subject == NULL)
		return fail_odd("subject");
	answer->subject->is_disabled = ctl_is_yes(line, "disabled");
	(void)strlcpy(answer->silence, options_get(line, "silence", ""),
	    sizeof(answer->silence));
	return OUTCOME_OK;
}

static enum outcome
take_group(struct daemon_subject *answer, const struct options *line)
{
	if (answer->subject == NULL ||
	    answer->subject->count >= LOOKUP_GROUPS_MAX ||
	    subject_add_group(answer->subject, options_get(line, "dn", "")) !=
		0)
		return fail_odd("group");
	return OUTCOME_OK;
}

static enum outcome
on_subject_line(void *arg, const struct options *line)
{
	struct daemon_subject *answer = arg;

	if (is_kind(line, "subject") && answer->subject == NULL)
		return take_subject(answer, line);
	return is_kind(line, "group") ? take_group(answer, line) : OUTCOME_OK;
}

enum outcome
daemon_ask_subject(
    const char *socket, const char *who, struct daemon_subject *answer)
{
	enum outcome outcome;

	memset(answer, 0, sizeof(*answer));
	outcome = ask(socket, "subject", "who", who, on_subject_line, answer);
	if (outcome == OUTCOME_OK && answer->subject == NULL)
		outcome = fail_odd("subject");
	if (outcome == OUTCOME_OK)
		subject_finish(answer->subject);
	else
		daemon_subject_fini(answer);
	return outcome;
}

void
daemon_subject_fini(struct daemon_subject *answer)
{
	subject_unref(answer->subject);
	memset(answer, 0, sizeof(*answer));
}

/* ---- entry */

struct entry_answer {
	enum daemon_entry *entry;
	char *silence;
	bool is_there; /* the answer */
};

static enum outcome
on_entry_line(void *arg, const struct options *line)
{
	static const char *const words[] = {
	    [DAEMON_ENTRY_THERE] = "there",
	    [DAEMON_ENTRY_MISSING] = "missing",
	    [DAEMON_ENTRY_UNKNOWN] = "unknown",
	};
	struct entry_answer *answer = arg;

	if (!is_kind(line, "entry"))
		return OUTCOME_OK;
	for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
		if (strcmp(options_get(line, "is", ""), words[i]) == 0) {
			*answer->entry = (enum daemon_entry)i;
			answer->is_there = true;
		}
	}
	(void)strlcpy(answer->silence, options_get(line, "silence", ""),
	    DAEMON_SILENCE_SIZE);
	return OUTCOME_OK;
}

enum outcome
daemon_ask_entry(const char *socket, const char *dn, enum daemon_entry *entry,
    char silence[DAEMON_SILENCE_SIZE])
{
	struct entry_answer answer = {.entry = entry, .silence = silence};
	enum outcome outcome =
	    ask(socket, "entry", "dn", dn, on_entry_line, &answer);

	return outcome == OUTCOME_OK && !answer.is_there ? fail_odd("entry")
							 : outcome;
}

/* ---- resolve */

static bool
find_reason(const char *name, enum reason *reason)
{
	for (int i = 0; i < REASON_COUNT; i++) {
		if (strcmp(reason_name((enum reason)i), name) == 0) {
			*reason = (enum reason)i;
			return true;
		}
	}
	return false;
}

static enum outcome
on_name_line(void *arg, const struct options *line)
{
	struct daemon_name *answer = arg;

	if (is_kind(line, "name") &&
	    !find_reason(options_get(line, "reason", ""), &answer->reason))
		return fail_odd("name");
	if (!is_kind(line, "address"))
		return OUTCOME_OK;
	if (answer->count == DAEMON_ADDRESSES_MAX ||
	    !address_parse(options_get(line, "address", ""),
		&answer->addresses[answer->count]))
		return fail_odd("address");
	answer->count++;
	return OUTCOME_OK;
}

enum outcome
daemon_ask_name(
    const char *socket, const char *name, struct daemon_name *answer)
{
	enum outcome outcome;

	memset(answer, 0, sizeof(*answer));
	answer->reason = REASON_COUNT;
	outcome = ask(socket, "resolve", "name", name, on_name_line, answer);
	return outcome == OUTCOME_OK && answer->reason == REASON_COUNT
		   ? fail_odd("name")
		   : outcome;
}

/* ---- set */

struct set_answer {
	uint8_t *octets;
	size_t len, size;
};

static enum outcome
on_set_line(void *arg, const struct options *line)
{
	struct set_answer *answer = arg;
	uint64_t size;

	if (!is_kind(line, "set") || answer->octets != NULL)
		return OUTCOME_OK;
	if (!read_number(line, "octets", RULE_SET_OCTETS_MAX, &size))
		return fail_odd("set");
	answer->size = (size_t)size;
	answer->octets = must_alloc(answer->size + 1, 1);
	return OUTCOME_OK;
}

static enum outcome
on_set_octets(void *arg, const void *data, size_t len)
{
	struct set_answer *answer = arg;

	if (len > answer->size - answer->len)
		return outcome_say(OUTCOME_PROTOCOL,
		    "the gateway sends more than it has said");
	memcpy(answer->octets + answer->len, data, len);
	answer->len += len;
	return OUTCOME_OK;
}

enum outcome
daemon_ask_set(const char *socket, const char *base, uint8_t **set, size_t *len)
{
	struct options *question = options_new();
	struct set_answer answer = {.octets = NULL};
	enum outcome outcome;

	options_add(question, "command", "set");
	if (base != NULL)
		options_add(question, "base", base);
	outcome =
	    client_ask(socket, question, on_set_line, on_set_octets, &answer);
	options_free(question);
	if (outcome == OUTCOME_OK &&
	    (answer.octets == NULL || answer.len != answer.size ||
		rule_set_count(answer.octets, answer.len) < 0))
		outcome = outcome_say(OUTCOME_PROTOCOL,
		    "the gateway's set of rules is not whole");
	if (outcome != OUTCOME_OK) {
		free(answer.octets);
		return outcome;
	}
	*set = answer.octets;
	*len = answer.len;
	return OUTCOME_OK;
}

/* ---- facts */

/* Room for one more row; NULL: there are too many.  Dies without memory. */
static void *
grow(void *rows, size_t *count, size_t size)
{
	void *grown;

	if (*count >= ROWS_MAX)
		return NULL;
	grown = reallocarray(rows, *count + 1, size);
	if (grown == NULL)
		die("out of memory");
	memset((uint8_t *)grown + *count * size, 0, size);
	++*count;
	return grown;
}

static bool
take_facts(struct daemon_facts *facts, const struct options *line)
{
	facts->checks_accounts = ctl_is_yes(line, "checks_accounts");
	facts->has_directory = ctl_is_yes(line, "has_directory");
	facts->allow_empty = ctl_is_yes(line, "allow_empty");
	return true;
}

static bool
take_address(struct daemon_facts *facts, const struct options *line)
{
	struct address address, *grown;

	if (!address_parse(options_get(line, "address", ""), &address))
		return false;
	grown = grow(facts->addresses, &facts->address_count, sizeof(*grown));
	if (grown == NULL)
		return false;
	grown[facts->address_count - 1] = address;
	facts->addresses = grown;
	return true;
}

static bool
take_port(struct daemon_facts *facts, const struct options *line)
{
	uint64_t port;
	uint16_t *grown;

	if (!read_number(line, "port", UINT16_MAX, &port))
		return false;
	grown = grow(facts->ports, &facts->port_count, sizeof(*grown));
	if (grown == NULL)
		return false;
	grown[facts->port_count - 1] = (uint16_t)port;
	facts->ports = grown;
	return true;
}

static bool
take_listener(struct daemon_facts *facts, const struct options *line)
{
	struct daemon_listener listener, *grown;
	uint64_t port;

	if (!address_parse(
		options_get(line, "address", ""), &listener.address) ||
	    !read_number(line, "port", UINT16_MAX, &port))
		return false;
	grown = grow(facts->listeners, &facts->listener_count, sizeof(*grown));
	if (grown == NULL)
		return false;
	listener.name = options_copy(line, "name");
	listener.port = (uint16_t)port;
	grown[facts->listener_count - 1] = listener;
	facts->listeners = grown;
	return true;
}

static bool
take_realm(struct daemon_facts *facts, const struct options *line)
{
	char **grown = grow(facts->realms, &facts->realm_count, sizeof(*grown));

	if (grown == NULL)
		return false;
	grown[facts->realm_count - 1] = options_copy(line, "name");
	facts->realms = grown;
	return true;
}

static enum outcome
on_facts_line(void *arg, const struct options *line)
{
	static const struct {
		const char *kind;
		bool (*take)(struct daemon_facts *, const struct options *);
	} rows[] = {
	    {"facts", take_facts},
	    {"address", take_address},
	    {"port", take_port},
	    {"listener", take_listener},
	    {"realm", take_realm},
	};

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
		if (is_kind(line, rows[i].kind) && !rows[i].take(arg, line))
			return fail_odd(rows[i].kind);
	return OUTCOME_OK;
}

enum outcome
daemon_ask_facts(const char *socket, struct daemon_facts *facts)
{
	enum outcome outcome;

	memset(facts, 0, sizeof(*facts));
	outcome = ask(socket, "facts", NULL, NULL, on_facts_line, facts);
	if (outcome != OUTCOME_OK)
		daemon_facts_fini(facts);
	return outcome;
}

void
daemon_facts_fini(struct daemon_facts *facts)
{
	for (size_t i = 0; i < facts->listener_count; i++)
		free(facts->listeners[i].name);
	for (size_t i = 0; i < facts->realm_count; i++)
		free(facts->realms[i]);
	free(facts->addresses);
	free(facts->ports);
	free(facts->listeners);
	free(facts->realms);
	memset(facts, 0, sizeof(*facts));
}
