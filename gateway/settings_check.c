/* SPDX-License-Identifier: ISC */
/* What the table of settings cannot say: forms, and what belongs together. */
#include "gateway/settings_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "base/log.h"
#include "base/must.h"
#include "base/realm_line.h"
#include "base/text.h"
#include "gateway/facility.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS	"0123456789"

struct check {
	const struct settings *settings;
	const struct settings_reporter *to;
};

#define WRONG(check, member, ...)                                              \
	(check)->to->setting(                                                  \
	    (check)->to->arg, SETTINGS_ROW_##member, __VA_ARGS__)
#define WRONG_LISTENER(check, n, member, ...)                                  \
	(check)->to->listener(                                                 \
	    (check)->to->arg, n, SETTINGS_LISTENER_ROW_##member, __VA_ARGS__)

static bool
is_set(const char *text)
{
	return *text != '\0';
}

static bool
begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

const char *
settings_read_networks(
    const struct settings_list *list, struct settings_networks *networks)
{
	for (size_t i = 0; i < list->count; i++)
		if (!network_parse(
			list->texts[i], &networks->networks[networks->count++]))
			return list->texts[i];
	return NULL;
}

static bool
is_one_of(const char *text, const char *const *words)
{
	for (; *words != NULL; words++)
		if (strcmp(text, *words) == 0)
			return true;
	return false;
}

/* Single settings: the form of one text. */

static bool
is_log_level(const char *text)
{
	enum log_level level;

	return log_level_parse(text, &level);
}

static bool
is_path(const char *text)
{
	return *text == '/';
}

static bool
is_path_or_empty(const char *text)
{
	return !is_set(text) || is_path(text);
}

/* A file's name in /etc/pam.d. */
static bool
is_service(const char *text)
{
	return *text != '.' && text[strspn(text, LETTERS DIGITS "._-")] == '\0';
}

static bool
is_user(const char *text)
{
	return *text != '-' && text[strspn(text, LETTERS DIGITS "._-")] == '\0';
}

static bool
is_user_or_empty(const char *text)
{
	return !is_set(text) || is_user(text);
}

/* "address:port" with commas between. */
static bool
is_servers(const char *text)
{
	struct socket_address server;

	while (is_set(text)) {
		size_t len = strcspn(text, ",");
		char one[SOCKET_ADDRESS_TEXT_SIZE];

		if (len >= sizeof(one))
			return false;
		memcpy(one, text, len);
		one[len] = '\0';
		if (!socket_address_parse(one, &server) || server.port == 0)
			return false;
		text += len;
		if (*text == ',' && *++text == '\0')
			return false;
	}
	return true;
}

static bool
is_bind(const char *text)
{
	static const char *const binds[] = {"none", "simple", "gssapi", NULL};

	return is_one_of(text, binds);
}

static bool
is_live(const char *text)
{
	static const char *const ways[] = {
	    "auto", "syncrepl", "notify", "poll", NULL};

	return is_one_of(text, ways);
}

static bool
is_dn_or_empty(const char *text)
{
	return !is_set(text) || (strchr(text, '=') != NULL && *text != '=');
}

static bool
is_principal_or_empty(const char *text)
{
	return text[strcspn(text, " \t")] == '\0' && *text != '@';
}

/* Balanced parentheses around all of it. */
static bool
is_in_parentheses(const char *text)
{
	unsigned depth = 0;

	if (*text != '(')
		return false;
	for (; is_set(text); text++) {
		if (*text == '(')
			depth++;
		if (*text == ')' && (depth == 0 || (--depth == 0 && text[1])))
			return false;
	}
	return depth == 0;
}

/* Of the placeholders only these, at least one of them; %% stands for
 * itself. */
static bool
is_filter(const char *text, const char *placeholders)
{
	bool found = false;

	if (!is_in_parentheses(text))
		return false;
	for (; is_set(text); text++) {
		if (*text != '%' || *++text == '%')
			continue;
		if (*text == '\0' || strchr(placeholders, *text) == NULL)
			return false;
		found = true;
	}
	return found;
}

static bool
is_user_filter(const char *text)
{
	/* The realm alone would make all of its users one. */
	return is_filter(text, "pur") &&
	       (strstr(text, "%p") != NULL || strstr(text, "%u") != NULL);
}

static bool
is_group_filter(const char *text)
{
	/* Groups are in groups by their DNs. */
	return is_filter(text, "du") && strstr(text, "%d") != NULL;
}

static bool
is_nested(const char *text)
{
	static const char *const ways[] = {"search", "in_chain", NULL};

	return is_one_of(text, ways);
}

/* The user's entry is known, so that no value has to be put in. */
static bool
is_account_filter(const char *text)
{
	return !is_set(text) || is_in_parentheses(text);
}

static bool
is_target(const char *text)
{
	struct socket_address address;

	if (begins(text, "unix:/"))
		return strlen(text + strlen("unix:")) <
		       sizeof(((struct sockaddr_un *)0)->sun_path);
	return (begins(text, "tcp:") || begins(text, "tls:")) &&
	       socket_address_parse(text + strlen("tcp:"), &address) &&
	       address.port != 0;
}

static bool
is_format(const char *text)
{
	static const char *const formats[] = {"rfc3164", "rfc5424", NULL};

	return is_one_of(text, formats);
}

static bool
is_durable(const char *text)
{
	static const char *const words[] = {"no", "group", NULL};

	return is_one_of(text, words);
}

static bool
is_on_failure(const char *text)
{
	static const char *const words[] = {
	    "refuse_new", "continue_and_alarm", NULL};

	return is_one_of(text, words);
}

static bool
is_facility(const char *text)
{
	int facility;

	return facility_parse(text, &facility);
}

/* RFC 5424 section 6.3.2: name@<private enterprise number>. */
static bool
is_sd_id(const char *text)
{
	size_t name = strcspn(text, "@= ]\"");
	const char *number = text + name + 1;

	for (const char *c = text; is_set(c); c++)
		if (*c <= ' ' || *c > '~')
			return false;
	return name > 0 && text[name] == '@' &&
	       strchr(DIGITS, *number) != NULL && is_set(number) &&
	       number[strspn(number, DIGITS ".")] == '\0';
}

static const struct {
	enum settings_row row;
	size_t offset;
	bool (*is_good)(const char *text);
	const char *allowed;
} forms[] = {
#define FORM(member, is_good, allowed)                                         \
	{                                                                      \
		SETTINGS_ROW_##member, offsetof(struct settings, member),      \
		    is_good, allowed                                           \
	}
    FORM(log_level, is_log_level, "error, warning, info or debug"),
    FORM(state_dir, is_path, "a path that begins with /"),
    FORM(gateway_user, is_user, "a user's name or number"),
    FORM(authenticator_user, is_user, "a user's name or number"),
    FORM(directory_user, is_user, "a user's name or number"),
    FORM(auditor_user, is_user, "a user's name or number"),
    FORM(password_user, is_user, "a user's name or number"),
    FORM(password_service, is_service,
	"letters, digits, - and _, and dots behind the first character"),
    FORM(password_service_dir, is_path_or_empty, "a path that begins with /"),
    FORM(keytab, is_path, "a path that begins with /"),
    FORM(krb5_config, is_path_or_empty, "a path that begins with /"),
    FORM(resolver_servers, is_servers,
	"address:port, with commas and nothing else between"),
    FORM(control_socket, is_path_or_empty, "a path that begins with /"),
    FORM(control_read_group, is_user_or_empty, "a group's name or number"),
    FORM(policy_file, is_path_or_empty, "a path that begins with /"),
    FORM(ca_file, is_path_or_empty, "a path that begins with /"),
    FORM(bind, is_bind, "none, simple or gssapi"),
    FORM(bind_dn, is_dn_or_empty, "a distinguished name"),
    FORM(password_file, is_path_or_empty, "a path that begins with /"),
    FORM(client_keytab, is_path_or_empty, "a path that begins with /"),
    FORM(client_principal, is_principal_or_empty, "a principal"),
    FORM(directory_base, is_dn_or_empty, "a distinguished name"),
    FORM(rule_base, is_dn_or_empty, "a distinguished name"),
    FORM(user_base, is_dn_or_empty, "a distinguished name"),
    FORM(group_base, is_dn_or_empty, "a distinguished name"),
    FORM(user_filter, is_user_filter,
	"an LDAP filter in parentheses with %p or %u in it, and of other "
	"placeholders %r and %%"),
    FORM(group_filter, is_group_filter,
	"an LDAP filter in parentheses with %d in it, and of other "
	"placeholders %u and %%"),
    FORM(nested, is_nested, "search or in_chain"),
    FORM(account_filter, is_account_filter,
	"an LDAP filter in parentheses, or nothing"),
    FORM(live, is_live, "auto, syncrepl, notify or poll"),
    FORM(audit_target, is_target,
	"unix:/PATH of at most 107 octets, tcp:ADDRESS:PORT or "
	"tls:ADDRESS:PORT"),
    FORM(audit_format, is_format, "rfc3164 or rfc5424"),
    FORM(audit_durable, is_durable, "no or group"),
    FORM(audit_on_failure, is_on_failure, "refuse_new or continue_and_alarm"),
    FORM(audit_facility, is_facility,
	"auth, authpriv, daemon or local0 to local7"),
    FORM(sd_id, is_sd_id,
	"a name, @ and a private enterprise number, without = ] \" and "
	"spaces"),
#undef FORM
};

static void
check_forms(const struct check *check)
{
	for (size_t i = 0; i < ARRAY_COUNT(forms); i++) {
		const void *member =
		    (const char *)check->settings + forms[i].offset;
		const char *text = *(char *const *)member;

		if (!forms[i].is_good(text))
			check->to->setting(check->to->arg, forms[i].row,
			    "\"%s\" is not allowed; allowed is %s", text,
			    forms[i].allowed);
	}
}

/* Settings that belong together. */

static void
check_kerberos(const struct check *check)
{
	const struct settings *s = check->settings;

	for (size_t i = 0; i < s->services.count; i++)
		if (strpbrk(s->services.texts[i], "/@ ") != NULL)
			WRONG(check, services,
			    "\"%s\" is not allowed; allowed is the first "
			    "component of a principal, without / and @",
			    s->services.texts[i]);
	for (size_t i = 0; i < s->realms.count; i++)
		if (strpbrk(s->realms.texts[i], "/@ ") != NULL)
			WRONG(check, realms,
			    "\"%s\" is not allowed; allowed are names of "
			    "realms, without / and @",
			    s->realms.texts[i]);
	if (s->token_total_max < s->token_max)
		WRONG(check, token_total_max,
		    "is less than kerberos.token_max; as much or more is "
		    "allowed");
}

/* Addresses of this or any other host, one of each family. */
static bool
is_address_pair(const struct settings_list *list)
{
	struct address addresses[2] = {{ADDRESS_NONE, {0}}};
	size_t count = 0;

	for (size_t i = 0; i < list->count; i++) {
		if (!address_parse(list->texts[i], &addresses[count]) ||
		    address_is_unspecified(&addresses[count]))
			return false;
		count++;
	}
	return count < 2 || addresses[0].family != addresses[1].family;
}

/* Both 0 is any; else from the first to the last. */
static bool
is_port_range(uint64_t min, uint64_t max)
{
	return min <= max && (min == 0) == (max == 0);
}

static const char port_range[] =
    "makes no range with port_min; allowed is as much or more, or both 0";

static void
check_bind(const struct check *check)
{
	const struct settings *s = check->settings;
	static const char allowed[] =
	    "is not allowed; allowed are an IPv4 address, an IPv6 address, or "
	    "one of each, not 0.0.0.0 and not ::";

	if (!is_address_pair(&s->bind_address))
		WRONG(check, bind_address, "%s", allowed);
	if (!is_address_pair(&s->bind_advertise))
		WRONG(check, bind_advertise, "%s", allowed);
	if (!is_port_range(s->bind_port_min, s->bind_port_max))
		WRONG(check, bind_port_max, "%s", port_range);
}

static void
check_own_addresses(const struct check *check)
{
	const struct settings_list *own = &check->settings->own_addresses;
	struct address address;

	for (size_t i = 0; i < own->count; i++)
		if (!address_parse(own->texts[i], &address))
			WRONG(check, own_addresses,
			    "\"%s\" is not allowed; allowed are addresses such "
			    "as 192.0.2.1 or 2001:db8::1",
			    own->texts[i]);
}

static void
check_resolver(const struct check *check)
{
	if (check->settings->resolver_ttl_min >
	    check->settings->resolver_ttl_max)
		WRONG(check, resolver_ttl_min,
		    "is more than resolver.ttl_max; as much or less is "
		    "allowed");
}

static void
check_udp(const struct check *check)
{
	const struct settings *s = check->settings;

	if (!is_port_range(s->udp_port_min, s->udp_port_max))
		WRONG(check, udp_port_max, "%s", port_range);
	/* A rate holds a quarter of a second's octets. */
	if (s->udp_identity_rate_max != 0 && s->udp_identity_rate_max < 262144)
		WRONG(check, udp_identity_rate_max,
		    "is less than 262144, by which the largest datagrams "
		    "would never pass; as much or more is allowed, or 0");
}

static bool
is_loopback(const char *host)
{
	static const char *const names[] = {
	    "127.0.0.1", "[::1]", "localhost", NULL};

	for (size_t i = 0; names[i] != NULL; i++) {
		size_t len = strlen(names[i]);

		if (begins(host, names[i]) &&
		    (host[len] == '\0' || host[len] == ':' || host[len] == '/'))
			return true;
	}
	return false;
}

static bool
is_uri(const char *uri)
{
	static const char *const schemes[] = {
	    "ldap://", "ldaps://", "ldapi://", NULL};

	for (size_t i = 0; schemes[i] != NULL; i++)
		if (begins(uri, schemes[i]))
			return strpbrk(uri, " ?\"<>") == NULL &&
			       /* ldapi:// alone is libldap's own socket. */
			       (uri[strlen(schemes[i])] != '\0' || i == 2);
	return false;
}

static void
check_uri(const struct check *check, enum settings_row row, const char *uri)
{
	const struct settings *s = check->settings;

	if (!is_uri(uri))
		check->to->setting(check->to->arg, row,
		    "\"%s\" is not allowed; allowed are "
		    "ldap://HOST[:PORT], ldaps://HOST[:PORT] and "
		    "ldapi://PATH",
		    uri);
	else if (begins(uri, "ldap://") && !s->start_tls &&
		 strcmp(s->bind, "simple") == 0 &&
		 !is_loopback(uri + strlen("ldap://")))
		WRONG(check, start_tls,
		    "a simple bind would send its password to %s in "
		    "clear; allowed is true, ldaps:// or another bind",
		    uri);
}

static void
check_uris(const struct check *check)
{
	const struct settings_list *uris = &check->settings->directory_uri;

	for (size_t i = 0; i < uris->count; i++)
		check_uri(check, SETTINGS_ROW_directory_uri, uris->texts[i]);
}

/* One directory for each realm. */
static bool
is_first_of_realm(const struct settings_list *realms, size_t n)
{
	size_t len = strcspn(realms->texts[n], " ") + 1;

	for (size_t i = 0; i < n; i++)
		if (strncmp(realms->texts[i], realms->texts[n], len) == 0)
			return false;
	return true;
}

static void
check_realms(const struct check *check)
{
	const struct settings_list *realms = &check->settings->directory_realms;
	struct realm_line line;

	for (size_t i = 0; i < realms->count; i++) {
		char *next = line.uris;
		const char *uri;

		if (!realm_line_parse(realms->texts[i], &line) ||
		    strchr(line.base, '=') == NULL ||
		    (line.filter[0] != '\0' && !is_user_filter(line.filter)) ||
		    !is_first_of_realm(realms, i)) {
			WRONG(check, directory_realms,
			    "\"%s\" is not allowed; allowed is, once for each "
			    "realm, \"REALM URI[,URI] BASE [(FILTER)]\"",
			    realms->texts[i]);
			continue;
		}
		while ((uri = strsep(&next, ",")) != NULL)
			check_uri(check, SETTINGS_ROW_directory_realms, uri);
	}
}

static void
check_directory(const struct check *check)
{
	const struct settings *s = check->settings;

	check_uris(check);
	if (!is_set(s->policy_file) && s->directory_uri.count == 0)
		check->to->missing(check->to->arg,
		    "policy.file, directory.uri: neither is set; the rules "
		    "come from one of them");
	if (!is_set(s->policy_file) && s->directory_uri.count > 0 &&
	    !is_set(s->rule_base))
		WRONG(check, rule_base,
		    "is not set; it is required where the rules come from "
		    "the directory");
	if (strcmp(s->bind, "simple") == 0 && !is_set(s->bind_dn))
		WRONG(check, bind_dn,
		    "is not set; directory.bind = simple requires it");
	if (strcmp(s->bind, "simple") == 0 && !is_set(s->password_file))
		WRONG(check, password_file,
		    "is not set; directory.bind = simple requires it");
	if (strcmp(s->bind, "gssapi") == 0 && !is_set(s->client_keytab))
		WRONG(check, client_keytab,
		    "is not set; directory.bind = gssapi requires it");
}

static void
check_groups(const struct check *check)
{
	static const char in_chain[] = ":1.2.840.113556.1.4.1941:=";
	const struct settings *s = check->settings;

	if (strcmp(s->nested, "in_chain") == 0 &&
	    strstr(s->group_filter, in_chain) == NULL)
		WRONG(check, nested,
		    "in_chain leaves it to the filter, and "
		    "directory.group_filter has no %s",
		    in_chain);
	if (s->primary_group && !is_set(s->group_base))
		WRONG(check, primary_group,
		    "the group is looked for below directory.group_base, "
		    "which is not set");
}

static void
check_audit(const struct check *check)
{
	const struct settings *s = check->settings;

	if (strcmp(s->audit_format, "rfc5424") == 0 &&
	    strcmp(s->audit_target, "unix:/dev/log") == 0)
		WRONG(check, audit_format,
		    "rfc5424 is not understood on /dev/log; allowed is "
		    "rfc3164, or a socket of one's own in audit.target");
	if (is_set(s->audit_tls_certificate) != is_set(s->audit_tls_key))
		WRONG(check, audit_tls_key,
		    "audit.tls_certificate and audit.tls_key go together");
	if (!begins(s->audit_target, "tls:") &&
	    (is_set(s->audit_tls_certificate) || is_set(s->audit_tls_ca_file) ||
		is_set(s->audit_tls_name)))
		WRONG(check, audit_target,
		    "audit.tls_* are for a target of tls:ADDRESS:PORT");
}

static void
fall_back(char **text, const char *prefix, const char *base)
{
	if (is_set(*text))
		return;
	free(*text);
	if (asprintf(text, "%s%s", prefix, base) < 0)
		die("no memory for the settings");
}

static void
take_directory_base(struct settings *settings)
{
	const char *base = settings->directory_base;

	if (!is_set(base))
		return;
	fall_back(&settings->rule_base, "ou=gatewarden,", base);
	fall_back(&settings->user_base, "", base);
	fall_back(&settings->group_base, "", base);
}

/* Listeners */

static void
check_methods(
    const struct check *check, struct listener_settings *listener, size_t n)
{
	const struct settings_list *methods = &listener->methods;
	bool seen[METHOD_COUNT] = {false};

	for (size_t i = 0; i < methods->count; i++) {
		enum method method;

		if (!method_parse(methods->texts[i], &method)) {
			WRONG_LISTENER(check, n, methods,
			    "\"%s\" is no method; allowed are gssapi and "
			    "password",
			    methods->texts[i]);
		} else if (method == METHOD_NONE) {
			WRONG_LISTENER(check, n, methods,
			    "the method none is not served; allowed are "
			    "gssapi and password");
		} else if (seen[method]) {
			WRONG_LISTENER(check, n, methods,
			    "%s stands there twice", methods->texts[i]);
		} else {
			seen[method] = true;
			listener->method[listener->method_count++] = method;
		}
	}
}

static void
check_protection(
    const struct check *check, struct listener_settings *listener, size_t n)
{
	static const char allowed[] =
	    "allowed are none, integrity, selective and confidentiality";
	bool good = true;

	if (!protection_parse(
		listener->protection_minimum, &listener->minimum)) {
		WRONG_LISTENER(check, n, protection_minimum,
		    "\"%s\" is no protection; %s", listener->protection_minimum,
		    allowed);
		good = false;
	}
	if (!protection_parse(
		listener->protection_maximum, &listener->maximum)) {
		WRONG_LISTENER(check, n, protection_maximum,
		    "\"%s\" is no protection; %s", listener->protection_maximum,
		    allowed);
		good = false;
	}
	if (good && listener->minimum > listener->maximum)
		WRONG_LISTENER(check, n, protection_minimum,
		    "%s is more than protection_maximum, %s; as much or "
		    "less is allowed",
		    listener->protection_minimum, listener->protection_maximum);
}

static void
read_networks(const struct check *check, size_t n,
    enum settings_listener_row row, const struct settings_list *list,
    struct settings_networks *networks)
{
	const char *bad = settings_read_networks(list, networks);

	if (bad != NULL)
		check->to->listener(
		    check->to->arg, n, row, SETTINGS_NO_NETWORK, bad);
}

static void
check_nec_level(
    const struct check *check, struct listener_settings *listener, size_t n)
{
	read_networks(check, n, SETTINGS_LISTENER_ROW_nec_level_from,
	    &listener->nec_level_from, &listener->nec_networks);
	if (listener->nec_networks.count > 0 &&
	    listener->minimum == PROTECTION_NONE)
		WRONG_LISTENER(check, n, nec_level_from,
		    "a level that nothing protects is not allowed together "
		    "with protection_minimum = none");
}

static void
check_address(
    const struct check *check, struct listener_settings *listener, size_t n)
{
	const struct settings *s = check->settings;

	if (!socket_address_parse(listener->address, &listener->bind) ||
	    listener->bind.port == 0) {
		WRONG_LISTENER(check, n, address,
		    "\"%s\" is not allowed; allowed is ADDRESS:PORT such as "
		    "192.0.2.1:1080 or [2001:db8::1]:1080",
		    listener->address);
		return;
	}
	for (size_t i = 0; i < n; i++)
		if (s->listeners[i].bind.port == listener->bind.port &&
		    address_is_equal(
			&s->listeners[i].bind.address, &listener->bind.address))
			WRONG_LISTENER(check, n, address,
			    "%s is the address of listener %s already",
			    listener->address, s->listeners[i].name);
}

static void
check_udp_advertise(
    const struct check *check, struct listener_settings *listener, size_t n)
{
	struct address *address = &listener->udp_advertise_address;

	if (is_set(listener->udp_advertise) &&
	    (!address_parse(listener->udp_advertise, address) ||
		address_is_unspecified(address)))
		WRONG_LISTENER(check, n, udp_advertise,
		    "\"%s\" is not allowed; allowed is an address that clients "
		    "can send to",
		    listener->udp_advertise);
}

static void
check_tls(const struct check *check, const struct listener_settings *listener,
    size_t n)
{
	static const char path[] = "a path that begins with /";
	static const char *const versions[] = {"1.2", "1.3", NULL};

	if (!is_path_or_empty(listener->tls_certificate))
		WRONG_LISTENER(check, n, tls_certificate,
		    "\"%s\" is not allowed; allowed is %s",
		    listener->tls_certificate, path);
	if (!is_path_or_empty(listener->tls_key))
		WRONG_LISTENER(check, n, tls_key,
		    "\"%s\" is not allowed; allowed is %s", listener->tls_key,
		    path);
	if (!is_path_or_empty(listener->tls_client_ca))
		WRONG_LISTENER(check, n, tls_client_ca,
		    "\"%s\" is not allowed; allowed is %s",
		    listener->tls_client_ca, path);
	if (!is_one_of(listener->tls_minimum, versions))
		WRONG_LISTENER(check, n, tls_minimum,
		    "\"%s\" is not allowed; allowed are 1.2 and 1.3",
		    listener->tls_minimum);
	if (is_set(listener->tls_certificate) && !is_set(listener->tls_key))
		WRONG_LISTENER(check, n, tls_key,
		    "is not set; tls_certificate requires it");
	if (is_set(listener->tls_key) && !is_set(listener->tls_certificate))
		WRONG_LISTENER(check, n, tls_certificate,
		    "is not set; tls_key requires it");
	if (is_set(listener->tls_client_ca) &&
	    !is_set(listener->tls_certificate))
		WRONG_LISTENER(check, n, tls_certificate,
		    "is not set; tls_client_ca requires it");
}

void
settings_check(
    struct settings *settings, const struct settings_reporter *reporter)
{
	const struct check check = {.settings = settings, .to = reporter};

	check_forms(&check);
	take_directory_base(settings);
	check_kerberos(&check);
	settings_check_password(settings, reporter);
	check_bind(&check);
	check_own_addresses(&check);
	check_resolver(&check);
	check_udp(&check);
	check_directory(&check);
	check_groups(&check);
	check_realms(&check);
	check_audit(&check);
	if (settings->listener_count == 0)
		reporter->missing(reporter->arg,
		    "listener: there is none; at least one section "
		    "`listener NAME { address = ... }` is required");
	for (size_t n = 0; n < settings->listener_count; n++) {
		check_address(&check, &settings->listeners[n], n);
		check_methods(&check, &settings->listeners[n], n);
		check_protection(&check, &settings->listeners[n], n);
		check_nec_level(&check, &settings->listeners[n], n);
		check_tls(&check, &settings->listeners[n], n);
		read_networks(&check, n, SETTINGS_LISTENER_ROW_proxy_from,
		    &settings->listeners[n].proxy_from,
		    &settings->listeners[n].balancers);
		check_udp_advertise(&check, &settings->listeners[n], n);
	}
}
