/* SPDX-License-Identifier: ISC */
/* A decision on record, judged again. */
#include "ctl/retrial.h"

#include <string.h>

#include "base/must.h"
#include "policy/ruleset.h"

#define NO_SUBJECT "it is not known in which groups the user is"

static struct retrial
cannot(const char *why)
{
	return (struct retrial){
	    .kind = RETRIAL_NOT,
	    .why = why,
	    .is_about_rules = true,
	    .verdict = {.rule = "", .reported = ""},
	};
}

bool
retrial_is_about_rules(const struct audit_record *record)
{
	static const enum reason reasons[] = {REASON_OK, REASON_DENIED_RULE,
	    REASON_DENIED_NO_RULE, REASON_DENIED_SPECIAL, REASON_LOOP,
	    REASON_ACCOUNT_DISABLED};

	for (size_t i = 0; i < ARRAY_COUNT(reasons); i++)
		if (record->reason == reasons[i])
			return true;
	return false;
}

/* Of UDP: not of one of its destinations.  Such a record says at most where
 * the client sends from, which is its own address. */
static bool
is_association(const struct audit_record *record)
{
	return record->command == COMMAND_UDP &&
	       (!record->has_destination || record->asked_len > 0 ||
		   (record->destination.kind == ENDPOINT_ADDRESS &&
		       record->dialled.address.family == ADDRESS_NONE &&
		       address_is_equal(&record->destination.address,
			   &record->client.address)));
}

/* What judging needs and the record does not have; NULL: nothing. */
static const char *
missing(const struct audit_record *record)
{
	if (record->time_us == 0)
		return "the record has no time";
	if (record->identity[0] == '\0' || record->is_claimed)
		return "the record has no identity";
	if (!record->has_method || record->method == METHOD_NONE)
		return "the record has no method";
	if (!record->has_protection)
		return "the record has no protection";
	if (record->client.address.family == ADDRESS_NONE)
		return "the record has no client";
	if (record->listener[0] == '\0')
		return "the record has no listener";
	if (record->command < COMMAND_CONNECT || record->command > COMMAND_UDP)
		return "the record has no command that is served";
	if (!record->has_destination && record->command != COMMAND_UDP)
		return "the record has no destination";
	return NULL;
}

/* The request as it was made; `identity` is filled. */
static struct request
request_of(const struct audit_record *record, struct identity *identity)
{
	*identity = (struct identity){
	    .method = record->method, .mechanism = record->mechanism};
	(void)strlcpy(identity->name, record->identity, sizeof(identity->name));
	(void)strlcpy(identity->indicators, record->indicators,
	    sizeof(identity->indicators));
	return (struct request){
	    .identity = identity,
	    .command = (enum command)record->command,
	    .destination = record->destination,
	    .client = record->client,
	    .listener = record->listener,
	    .protection = record->protection,
	    .time_us = record->time_us,
	};
}

static size_t
addresses_of(const struct retrial_world *world,
    const struct audit_record *record, struct address out[AUDIT_ADDRESSES_MAX])
{
	if (record->address_count > 0) {
		memcpy(out, record->addresses,
		    record->address_count * sizeof(*out));
		return record->address_count;
	}
	if (record->dialled.address.family != ADDRESS_NONE) {
		out[0] = record->dialled.address;
		return 1;
	}
	return world->resolve == NULL
		   ? 0
		   : world->resolve(world->arg, record->destination.name, out);
}

/* The address that speaks for all of a name: the first that is permitted, but
 * datagrams go on to where they went; where none is, the first. */
static const struct address *
speaker(const struct audit_record *record, const struct address *permitted,
    size_t permitted_count, const struct address *all)
{
	bool is_udp = record->command == COMMAND_UDP;

	for (size_t i = 0; is_udp && i < permitted_count; i++)
		if (address_is_equal(&permitted[i], &record->dialled.address))
			return &permitted[i];
	if (permitted_count > 0)
		return &permitted[0];
	return &all[0];
}

static struct retrial
judge_all(const struct retrial_world *world, const struct audit_record *record,
    const struct request *asked)
{
	struct address addresses[AUDIT_ADDRESSES_MAX];
	struct address permitted[AUDIT_ADDRESSES_MAX];
	size_t count = addresses_of(world, record, addresses), permitted_count;
	struct retrial retrial = {.why = ""};

	if (count == 0)
		return cannot("the name's addresses are not on record");
	retrial.verdict = judge_addresses(&world->context, asked, addresses,
	    count, permitted, &permitted_count);
	retrial.address =
	    *speaker(record, permitted, permitted_count, addresses);
	if (record->command == COMMAND_UDP)
		retrial.verdict =
		    judge_address(&world->context, asked, &retrial.address);
	return retrial;
}

/*
 * Where accounts are checked, nothing is known without the user.  Without the
 * user's groups a verdict on an address stands if no rule that would have to
 * know them came first.  What is said of a name, or of a command, gathers from
 * many rules.
 */
static bool
is_doubtful(const struct retrial_world *world, const struct retrial *retrial)
{
	if (world->context.subject != NULL ||
	    (!world->context.checks_accounts &&
		!ruleset_needs_subject(world->context.rules)))
		return false;
	return retrial->address.family == ADDRESS_NONE ||
	       retrial->verdict.reason == REASON_DIRECTORY_UNAVAILABLE;
}

static struct retrial
judge(const struct retrial_world *world, const struct audit_record *record,
    const struct request *asked)
{
	struct retrial retrial = {.why = ""};

	if (is_association(record)) {
		retrial.verdict = judge_command(&world->context, asked);
		return retrial;
	}
	retrial.verdict = judge_request(&world->context, asked);
	if (asked->destination.kind == ENDPOINT_ADDRESS)
		retrial.address = asked->destination.address;
	else if (retrial.verdict.decision == DECISION_DEPENDS ||
		 (is_doubtful(world, &retrial) && record->address_count > 0))
		return judge_all(world, record, asked);
	return retrial;
}

struct retrial
retrial_judge(
    const struct retrial_world *world, const struct audit_record *record)
{
	bool was_permitted = record->reason == REASON_OK;
	const char *why = missing(record);
	struct identity identity;
	struct request asked;
	struct retrial retrial;

	must(record->event == AUDIT_DECISION && world->context.rules != NULL);
	if (!retrial_is_about_rules(record)) {
		retrial = cannot(reason_sentence(record->reason));
		retrial.is_about_rules = false;
		return retrial;
	}
	if (why != NULL)
		return cannot(why);
	asked = request_of(record, &identity);
	retrial = judge(world, record, &asked);
	if (retrial.kind == RETRIAL_NOT)
		return retrial;
	if (is_doubtful(world, &retrial))
		return cannot(NO_SUBJECT);
	if (was_permitted != (retrial.verdict.decision == DECISION_PERMIT))
		retrial.kind = RETRIAL_OTHERWISE;
	else if (strcmp(record->rule, retrial.verdict.rule) != 0)
		retrial.kind = RETRIAL_OTHER_RULE;
	return retrial;
}
