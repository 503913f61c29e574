/* SPDX-License-Identifier: ISC */
/* What a server tells of its changes by itself. */
#include "policy/ldap_feed.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/time.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "base/rfc4533.h"
#include "policy/dn.h"
#include "policy/ldap_root.h"
#include "policy/ldap_search.h"
#include "policy/ldap_sightings.h"

#define NOTIFY_OID	 "1.2.840.113556.1.4.528"
#define SHOW_DELETED_OID "1.2.840.113556.1.4.417"
#define DELETED_OBJECTS	 ",cn=deleted objects,"
/* Servers that follow without a word refuse at once, before they answer what
 * is asked next. */
#define NOTIFY_SETTLES_MS 200
/* ... and tell us of no deletion, so that they are asked. */
#define NOTIFY_PULSE_MS 500
#define MESSAGES_MAX	1000 /* at a time: others wait too */

struct topic {
	const char *base; /* borrowed; NULL: is not followed */
	char *normalised; /* of notifications: what is below it counts */
	int id;		  /* of the search; -1: none */
	bool is_settled;
	int refused; /* why there is none */
};

struct feed {
	LDAP *ld;
	const struct feed_settings *settings;
	enum feed_way way; /* AUTO until it is chosen */
	struct root root;
	struct sightings *sightings;
	char usn[ROOT_USN_SIZE]; /* when it was asked last */
	struct topic topics[FEED_TOPICS];
};

static const char *const names[FEED_TOPICS] = {"rules", "users", "groups"};
static const char *const ways[] = {
    [FEED_SYNCREPL] = "syncrepl",
    [FEED_NOTIFY] = "change notification",
};

/* ---- what the server says */

struct sum {
	uint64_t sum;
	const uint8_t *id; /* an objectGUID's; NULL: none */
	uint8_t guid[SIGHTINGS_ID_SIZE];
};

static int
add_value(void *arg, const char *attribute, const struct berval *value)
{
	struct sum *sum = arg;

	if (strcasecmp(attribute, "objectGUID") == 0 &&
	    value->bv_len == SIGHTINGS_ID_SIZE) {
		memcpy(sum->guid, value->bv_val, SIGHTINGS_ID_SIZE);
		sum->id = sum->guid;
		return 0;
	}
	sum->sum = sightings_sum(sum->sum, attribute, strlen(attribute));
	sum->sum = sightings_sum(sum->sum, value->bv_val, value->bv_len);
	return 0;
}

/* Whether anything that matters of a user or a group is not as it was seen
 * last; id may be NULL. */
static bool
is_news(struct feed *feed, LDAPMessage *entry, const char *dn,
    const uint8_t *id, bool is_deleted)
{
	struct sum sum = {.sum = sightings_sum(0, dn, strlen(dn)), .id = id};

	if (is_deleted ||
	    directory_values(feed->ld, entry, add_value, &sum) != 0)
		sum.sum = 0;
	return sum.id == NULL ||
	       sightings_note(feed->sightings, sum.id, sum.sum);
}

/* DONE; BAD if the entry does not say what became of it. */
static enum parse_result
read_state(LDAP *ld, LDAPMessage *entry, struct rfc4533_state *state,
    uint8_t id[RFC4533_UUID_SIZE])
{
	LDAPControl **controls = NULL, *control;
	enum parse_result result = PARSE_BAD;

	if (ldap_get_entry_controls(ld, entry, &controls) != LDAP_SUCCESS)
		return PARSE_BAD;
	control = ldap_control_find(RFC4533_STATE_OID, controls, NULL);
	if (control != NULL)
		result = rfc4533_parse_state(control->ldctl_value.bv_val,
		    control->ldctl_value.bv_len, state);
	if (result == PARSE_DONE)
		memcpy(id, state->uuid, RFC4533_UUID_SIZE);
	ldap_controls_free(controls);
	return result;
}

static int
take_synchronised(struct feed *feed, enum feed_topic which, LDAPMessage *entry,
    const char *dn, unsigned *changed)
{
	struct topic *topic = &feed->topics[which];
	uint8_t id[RFC4533_UUID_SIZE];
	struct rfc4533_state state;
	bool is_new = true;

	if (read_state(feed->ld, entry, &state, id) != PARSE_DONE)
		return LDAP_DECODING_ERROR;
	if (state.change == RFC4533_PRESENT)
		return 0;
	if (which != FEED_RULES)
		is_new = is_news(
		    feed, entry, dn, id, state.change == RFC4533_DELETE);
	/* What comes before it has settled is what was there before. */
	if (is_new && topic->is_settled)
		*changed |= FEED_TOPIC(which);
	return 0;
}

/* Active Directory tells of a whole naming context; what was deleted has
 * another name. */
static int
take_notified(struct feed *feed, enum feed_topic which, LDAPMessage *entry,
    const char *dn, unsigned *changed)
{
	char *normalised = dn_normalise(dn);

	if (normalised != NULL &&
	    !dn_is_inside(normalised, feed->topics[which].normalised) &&
	    strstr(normalised, DELETED_OBJECTS) == NULL) {
		free(normalised);
		return 0;
	}
	free(normalised);
	if (which == FEED_RULES || is_news(feed, entry, dn, NULL, false))
		*changed |= FEED_TOPIC(which);
	return 0;
}

static int
take_entry(struct feed *feed, enum feed_topic which, LDAPMessage *entry,
    unsigned *changed)
{
	char *dn = ldap_get_dn(feed->ld, entry);
	int result;

	if (dn == NULL)
		return LDAP_DECODING_ERROR;
	result =
	    (feed->way == FEED_SYNCREPL ? take_synchronised : take_notified)(
		feed, which, entry, dn, changed);
	ldap_memfree(dn);
	return result;
}

static void
take_info(struct topic *topic, const struct rfc4533_info *info,
    enum feed_topic which, unsigned *changed)
{
	switch (info->kind) {
	case RFC4533_NEW_COOKIE:
		return; /* the next connection begins from anew */
	case RFC4533_REFRESH_DELETE:
	case RFC4533_REFRESH_PRESENT:
		if (!info->is_done || topic->is_settled)
			return;
		topic->is_settled = true;
		break;
	case RFC4533_ID_SET:
		if (!info->are_deleted || !topic->is_settled)
			return;
		break;
	}
	*changed |= FEED_TOPIC(which);
}

static int
take_intermediate(struct feed *feed, enum feed_topic which,
    LDAPMessage *message, unsigned *changed)
{
	struct berval *value = NULL;
	struct rfc4533_info info;
	char *oid = NULL;
	int result =
	    ldap_parse_intermediate(feed->ld, message, &oid, &value, NULL, 0);

	if (result == LDAP_SUCCESS && oid != NULL &&
	    strcmp(oid, RFC4533_INFO_OID) == 0) {
		if (value == NULL || rfc4533_parse_info(value->bv_val,
					 value->bv_len, &info) != PARSE_DONE)
			result = LDAP_DECODING_ERROR;
		else
			take_info(&feed->topics[which], &info, which, changed);
	}
	ldap_memfree(oid);
	ber_bvfree(value);
	return result;
}

/* The end of a search: before it has settled, its refusal; without the rules
 * the feed is of no use then. */
static int
take_end(struct feed *feed, enum feed_topic which, LDAPMessage *message)
{
	struct topic *topic = &feed->topics[which];
	int code = LDAP_OTHER;
	int result = ldap_parse_result(
	    feed->ld, message, &code, NULL, NULL, NULL, NULL, 0);

	if (result == LDAP_SUCCESS)
		result = code;
	if (result == LDAP_SUCCESS)
		result = LDAP_SYNC_REFRESH_REQUIRED; /* it was to go on */
	topic->id = -1;
	if (topic->is_settled)
		return result;
	topic->refused = result;
	return which == FEED_RULES ? result : 0;
}

static int
take_message(struct feed *feed, LDAPMessage *message, unsigned *changed)
{
	int id = ldap_msgid(message);

	for (enum feed_topic which = 0; which < FEED_TOPICS; which++) {
		if (id <= 0 || feed->topics[which].id != id)
			continue;
		switch (ldap_msgtype(message)) {
		case LDAP_RES_SEARCH_ENTRY:
			return take_entry(feed, which, message, changed);
		case LDAP_RES_INTERMEDIATE:
			return take_intermediate(feed, which, message, changed);
		case LDAP_RES_SEARCH_RESULT:
			return take_end(feed, which, message);
		default: /* a reference: it is read and judged elsewhere */
			*changed |= FEED_TOPIC(which);
			return 0;
		}
	}
	return 0;
}

/* 1 and a message, 0 if there is none in time, or a result code below 0. */
static int
next_message(LDAP *ld, unsigned timeout_ms, LDAPMessage **message)
{
	struct timeval timeout = {
	    (time_t)(timeout_ms / 1000), (long)(timeout_ms % 1000) * 1000};
	int type =
	    ldap_result(ld, LDAP_RES_ANY, LDAP_MSG_ONE, &timeout, message);

	return type < 0 ? -1 : type > 0;
}

int
feed_wait(struct feed *feed, unsigned timeout_ms, unsigned *changed)
{
	LDAPMessage *message;
	int more, result = 0;

	*changed = 0;
	for (int i = 0; i < MESSAGES_MAX && result == 0; i++) {
		more = next_message(feed->ld, timeout_ms, &message);
		if (more == 0)
			return 0;
		if (more < 0) {
			(void)ldap_get_option(
			    feed->ld, LDAP_OPT_RESULT_CODE, &result);
			return result != 0 ? result : LDAP_SERVER_DOWN;
		}
		result = take_message(feed, message, changed);
		(void)ldap_msgfree(message);
		timeout_ms = 0;
	}
	return result;
}

int
feed_ask(struct feed *feed, unsigned *changed)
{
	char usn[ROOT_USN_SIZE];
	int result = root_ask(feed->ld, feed->settings->timeout_s, usn);

	*changed = 0;
	if (directory_is_lost(result))
		return result;
	if (feed->way == FEED_NOTIFY && strcmp(feed->usn, usn) != 0)
		*changed = FEED_TOPIC(FEED_RULES);
	(void)strlcpy(feed->usn, usn, sizeof(feed->usn));
	return 0;
}

unsigned
feed_pulse_ms(const struct feed *feed)
{
	return feed->way == FEED_NOTIFY ? NOTIFY_PULSE_MS
					: feed->settings->timeout_s * 1000;
}

/* ---- opening */

/* RFC 4533 keeps cookies opaque.  OpenLDAP's is made of the base's contextCSN;
 * a server that does not know this one sends all, which is passed over. */
static int
make_request(
    struct feed *feed, const struct topic *topic, LDAPControl **control)
{
	uint8_t data[RFC4533_REQUEST_SIZE];
	struct berval value = {0, (char *)data};
	char cookie[RFC4533_COOKIE_MAX] = "";

	root_read_cookie(&feed->root, feed->ld, topic->base,
	    feed->settings->timeout_s, cookie, sizeof(cookie));
	value.bv_len = rfc4533_print_request(data, cookie, strlen(cookie));
	return ldap_control_create(RFC4533_REQUEST_OID, 1, &value, 1, control);
}

static int
search(struct feed *feed, enum feed_topic which, const char *base,
    LDAPControl **controls)
{
	static char no_attributes[] = LDAP_NO_ATTRS;
	char *nothing[] = {no_attributes, NULL};
	char **attributes = (char **)(uintptr_t)feed->settings->attributes;

	/* No filter, so that a container that is moved is told of too. */
	return ldap_search_ext(feed->ld, base, LDAP_SCOPE_SUBTREE,
	    "(objectClass=*)", which == FEED_RULES ? nothing : attributes, 0,
	    controls, NULL, NULL, LDAP_NO_LIMIT, &feed->topics[which].id);
}

static int
synchronise(struct feed *feed, enum feed_topic which)
{
	LDAPControl *controls[2] = {NULL, NULL};
	int result = make_request(feed, &feed->topics[which], &controls[0]);

	if (result == LDAP_SUCCESS)
		result =
		    search(feed, which, feed->topics[which].base, controls);
	ldap_control_free(controls[0]);
	return result;
}

/* A subtree is told of only from a naming context's top on. */
static int
notify(struct feed *feed, enum feed_topic which)
{
	struct topic *topic = &feed->topics[which];
	const char *top = root_context(&feed->root, topic->base);
	LDAPControl *controls[3] = {NULL, NULL, NULL};
	int result;

	topic->normalised = dn_normalise(topic->base);
	if (top == NULL || topic->normalised == NULL)
		return LDAP_NO_SUCH_OBJECT;
	result = ldap_control_create(NOTIFY_OID, 1, NULL, 0, &controls[0]);
	if (result == LDAP_SUCCESS)
		result = ldap_control_create(
		    SHOW_DELETED_OID, 0, NULL, 0, &controls[1]);
	if (result == LDAP_SUCCESS)
		result = search(feed, which, top, controls);
	ldap_control_free(controls[0]);
	ldap_control_free(controls[1]);
	return result;
}

static void
start_topics(struct feed *feed)
{
	const char *const *bases = feed->settings->bases;

	for (enum feed_topic which = 0; which < FEED_TOPICS; which++) {
		struct topic *topic = &feed->topics[which];

		topic->id = -1;
		if (*bases[which] == '\0' ||
		    (which == FEED_GROUPS &&
			strcmp(bases[FEED_USERS], bases[FEED_GROUPS]) == 0))
			continue;
		topic->base = bases[which];
		topic->refused =
		    (feed->way == FEED_SYNCREPL ? synchronise : notify)(
			feed, which);
		if (topic->refused != LDAP_SUCCESS)
			topic->id = -1;
	}
}

bool
feed_is_settled(const struct feed *feed)
{
	for (size_t i = 0; i < FEED_TOPICS; i++)
		if (feed->topics[i].id >= 0 && !feed->topics[i].is_settled)
			return false;
	return true;
}

/* Waits for a while until each is settled or refused. */
static int
settle(struct feed *feed)
{
	unsigned patience_ms = feed->way == FEED_SYNCREPL
				   ? feed->settings->timeout_s * 1000
				   : NOTIFY_SETTLES_MS;
	uint64_t until_us;
	unsigned changed;
	int result = 0;

	/* However busy the server is, it has come so far then. */
	if (feed->way == FEED_NOTIFY)
		result = feed_ask(feed, &changed);
	until_us = clock_monotonic_us() + patience_ms * UINT64_C(1000);
	while (result == 0 && !feed_is_settled(feed) &&
	       clock_monotonic_us() < until_us)
		result = feed_wait(feed, 50, &changed);
	for (size_t i = 0; i < FEED_TOPICS && feed->way == FEED_NOTIFY; i++)
		feed->topics[i].is_settled = feed->topics[i].id >= 0;
	return result;
}

static enum feed_way
choose(const struct feed *feed)
{
	if (feed->settings->way != FEED_AUTO)
		return feed->settings->way;
	if (root_offers(&feed->root, RFC4533_REQUEST_OID))
		return FEED_SYNCREPL;
	if (root_offers(&feed->root, NOTIFY_OID))
		return FEED_NOTIFY;
	return FEED_NONE;
}

/* 0, or why nothing is followed; then `how` may say so in better words. */
static int
open_feed(struct feed *feed, char how[FEED_HOW_SIZE])
{
	const struct topic *rules = &feed->topics[FEED_RULES];
	bool is_any = false;
	int result;

	feed->sightings = sightings_new();
	if (feed->sightings == NULL)
		return LDAP_NO_MEMORY;
	result = root_read(&feed->root, feed->ld, feed->settings->timeout_s);
	/* Who is told the way need not be told what there is. */
	if (result != 0 &&
	    (directory_is_lost(result) || feed->settings->way == FEED_AUTO))
		return result;
	feed->way = choose(feed);
	if (feed->way == FEED_NONE) {
		(void)strlcpy(how,
		    "the server offers neither syncrepl nor change "
		    "notification",
		    FEED_HOW_SIZE);
		return LDAP_NOT_SUPPORTED;
	}
	start_topics(feed);
	result = settle(feed);
	if (result == 0 && rules->base != NULL && rules->id < 0)
		result = rules->refused;
	for (size_t i = 0; i < FEED_TOPICS; i++)
		is_any = is_any || feed->topics[i].id >= 0;
	return result != 0 || is_any ? result : LDAP_UNWILLING_TO_PERFORM;
}

int
feed_open(struct feed **opened, LDAP *ld, const struct feed_settings *settings,
    char how[FEED_HOW_SIZE])
{
	struct feed *feed = calloc(1, sizeof(*feed));
	int result;

	how[0] = '\0';
	*opened = NULL;
	if (feed == NULL)
		return LDAP_NO_MEMORY;
	feed->ld = ld;
	feed->settings = settings;
	for (size_t i = 0; i < FEED_TOPICS; i++)
		feed->topics[i].id = -1;
	result = open_feed(feed, how);
	if (result == 0) {
		feed_describe(feed, how);
		*opened = feed;
		return 0;
	}
	if (how[0] == '\0')
		(void)snprintf(how, FEED_HOW_SIZE, "the server refuses %s: %s",
		    feed->way != FEED_AUTO ? ways[feed->way] : "to be asked",
		    directory_error(result));
	feed_close(feed);
	return result;
}

void
feed_describe(const struct feed *feed, char how[FEED_HOW_SIZE])
{
	char refused[FEED_HOW_SIZE] = "", text[128];
	const char *between = ": ";

	(void)snprintf(
	    how, FEED_HOW_SIZE, "changes are followed by %s", ways[feed->way]);
	for (size_t i = 0; i < FEED_TOPICS; i++) {
		const struct topic *topic = &feed->topics[i];

		if (topic->id >= 0) {
			(void)strlcat(how, between, FEED_HOW_SIZE);
			(void)strlcat(how, names[i], FEED_HOW_SIZE);
			between = ", ";
		} else if (topic->base != NULL) {
			(void)snprintf(text, sizeof(text), "; not %s: %s",
			    names[i], directory_error(topic->refused));
			(void)strlcat(refused, text, sizeof(refused));
		}
	}
	(void)strlcat(how, refused, FEED_HOW_SIZE);
}

void
feed_close(struct feed *feed)
{
	if (feed == NULL)
		return;
	for (size_t i = 0; i < FEED_TOPICS; i++) {
		if (feed->topics[i].id >= 0)
			(void)ldap_abandon_ext(
			    feed->ld, feed->topics[i].id, NULL, NULL);
		free(feed->topics[i].normalised);
	}
	root_fini(&feed->root);
	sightings_free(feed->sightings);
	free(feed);
}
