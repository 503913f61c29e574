/* SPDX-License-Identifier: ISC */
/* Searching a directory, bounded in time and size. */
#include "policy/ldap_search.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/time.h>

#define PAGE_SIZE 500

static void
forget_cookie(struct berval *cookie)
{
	ber_memfree(cookie->bv_val);
	cookie->bv_val = NULL;
	cookie->bv_len = 0;
}

/* The server's result code and the next page's cookie. */
static int
read_end(LDAP *ld, LDAPMessage *message, struct berval *cookie)
{
	LDAPControl **controls = NULL, *control;
	ber_int_t count;
	int code, result;

	forget_cookie(cookie);
	result = ldap_parse_result(
	    ld, message, &code, NULL, NULL, NULL, &controls, 0);
	if (result == LDAP_SUCCESS)
		result = code;
	control = ldap_control_find(LDAP_CONTROL_PAGEDRESULTS, controls, NULL);
	if (result == LDAP_SUCCESS && control != NULL)
		result = ldap_parse_pageresponse_control(
		    ld, control, &count, cookie);
	ldap_controls_free(controls);
	return result;
}

/* 0 to go on. */
static int
take_message(LDAP *ld, const struct directory_query *query,
    LDAPMessage *message, struct berval *cookie, bool *is_end)
{
	switch (ldap_msgtype(message)) {
	case LDAP_RES_SEARCH_ENTRY:
		return query->entry(query->arg, ld, message);
	case LDAP_RES_SEARCH_REFERENCE:
		return query->must_be_whole ? LDAP_REFERRAL : 0;
	case LDAP_RES_SEARCH_RESULT:
		*is_end = true;
		return read_end(ld, message, cookie);
	default:
		return 0; /* notices (RFC 4511 section 4.13) */
	}
}

/* One message at a time: what a server sends is never held all at once. */
static int
take_answers(LDAP *ld, const struct directory_query *query, int id,
    struct berval *cookie)
{
	LDAPMessage *message;
	bool is_end = false;
	int type, result = 0;

	while (result == 0 && !is_end) {
		struct timeval timeout = {(time_t)query->timeout_s, 0};

		type = ldap_result(ld, id, LDAP_MSG_ONE, &timeout, &message);
		if (type < 0) {
			(void)ldap_get_option(
			    ld, LDAP_OPT_RESULT_CODE, &result);
			return result != 0 ? result : LDAP_SERVER_DOWN;
		}
		if (type == 0) {
			result = LDAP_TIMEOUT;
			break;
		}
		result = take_message(ld, query, message, cookie, &is_end);
		(void)ldap_msgfree(message);
	}
	if (!is_end)
		(void)ldap_abandon_ext(ld, id, NULL, NULL);
	return result;
}

static int
run_page(LDAP *ld, const struct directory_query *query, struct berval *cookie)
{
	LDAPControl *controls[2] = {NULL, NULL};
	struct timeval timeout = {(time_t)query->timeout_s, 0};
	int id, result;

	result =
	    ldap_create_page_control(ld, PAGE_SIZE, cookie, 0, &controls[0]);
	if (result != LDAP_SUCCESS)
		return result;
	result = ldap_search_ext(ld, query->base, query->scope, query->filter,
	    (char **)(uintptr_t)query->attributes, 0, controls, NULL, &timeout,
	    LDAP_NO_LIMIT, &id);
	ldap_control_free(controls[0]);
	return result != LDAP_SUCCESS ? result
				      : take_answers(ld, query, id, cookie);
}

int
directory_search(LDAP *ld, const struct directory_query *query)
{
	struct berval cookie = {0, NULL};
	int result;

	do
		result = run_page(ld, query, &cookie);
	while (result == 0 && cookie.bv_len > 0);
	forget_cookie(&cookie);
	return result;
}

/* ---- values */

static int
each_value(LDAP *ld, LDAPMessage *entry, const char *name,
    directory_value_fn *value, void *arg)
{
	struct berval **values;
	int result = 0;

	if (strcasestr(name, ";range=") != NULL)
		return LDAP_SIZELIMIT_EXCEEDED;
	values = ldap_get_values_len(ld, entry, name);
	for (size_t i = 0; result == 0 && values != NULL && values[i] != NULL;
	     i++)
		result = value(arg, name, values[i]);
	ldap_value_free_len(values);
	return result;
}

int
directory_values(
    LDAP *ld, LDAPMessage *entry, directory_value_fn *value, void *arg)
{
	BerElement *ber = NULL;
	int result = 0;

	for (char *name = ldap_first_attribute(ld, entry, &ber); name != NULL;
	     name = ldap_next_attribute(ld, entry, ber)) {
		if (result == 0)
			result = each_value(ld, entry, name, value, arg);
		ldap_memfree(name);
	}
	ber_free(ber, 0);
	return result;
}

bool
directory_is_lost(int result)
{
	switch (result) {
	case LDAP_SERVER_DOWN:
	case LDAP_CONNECT_ERROR:
	case LDAP_TIMEOUT:
	case LDAP_UNAVAILABLE:
	case LDAP_BUSY:
	case LDAP_DECODING_ERROR:
		return true;
	default:
		return false;
	}
}

const char *
directory_error(int result)
{
	switch (result) {
	case DIRECTORY_ERRNO(E2BIG):
	case DIRECTORY_ERRNO(EMSGSIZE):
		return "more than this program takes";
	case DIRECTORY_ERRNO(EPROTO):
		return "the server gives an attribute in parts that do not "
		       "fit together";
	case LDAP_REFERRAL:
		return "a part lives on another server, and referrals are not "
		       "followed";
	case LDAP_SIZELIMIT_EXCEEDED:
		return "the server does not give all of it (its size limit)";
	case LDAP_NO_SUCH_OBJECT:
		return "there is no such entry, or we may not see it";
	default:
		return result <= DIRECTORY_ERRNO(0)
			   ? strerror(DIRECTORY_ERRNO(0) - result)
			   : ldap_err2string(result);
	}
}
