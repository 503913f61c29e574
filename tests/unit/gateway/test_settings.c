/* SPDX-License-Identifier: ISC */
/* The settings file: what is read, what is refused and how it is said. */
#include "tests/support/unit.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/settings.h"

#define MINIMUM                                                                \
	"policy { file = /etc/rules.ldif }\n"                                  \
	"listener main { address = 192.0.2.1:1080 }\n"

/* A folder of its own for each test, and what was complained of. */
struct world {
	char folder[64], path[96], conf_d[128];
	char *errors;
	size_t errors_len;
	struct settings *settings;
};

static void
write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, 0640), 0);
}

static void
write_conf_d(struct world *world, const char *name, const char *text)
{
	char path[256];

	(void)mkdir(world->conf_d, 0755);
	(void)snprintf(path, sizeof(path), "%s/%s", world->conf_d, name);
	write_file(path, text);
}

static int
make_world(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	assert_non_null(world);
	(void)snprintf(world->folder, sizeof(world->folder), "%s",
	    "/tmp/test_settings.XXXXXX");
	assert_non_null(mkdtemp(world->folder));
	(void)snprintf(
	    world->path, sizeof(world->path), "%s/a.conf", world->folder);
	(void)snprintf(
	    world->conf_d, sizeof(world->conf_d), "%s.d", world->path);
	*state = world;
	return 0;
}

static int
end_world(void **state)
{
	struct world *world = *state;
	char command[128];

	settings_unref(world->settings);
	free(world->errors);
	(void)snprintf(command, sizeof(command), "rm -rf %s", world->folder);
	assert_int_equal(system(command), 0);
	free(world);
	return 0;
}

static void
load_path(struct world *world)
{
	FILE *errors;

	settings_unref(world->settings);
	free(world->errors);
	errors = open_memstream(&world->errors, &world->errors_len);
	assert_non_null(errors);
	world->settings = settings_load(world->path, errors);
	assert_int_equal(fclose(errors), 0);
}

static void
load(struct world *world, const char *text)
{
	write_file(world->path, text);
	load_path(world);
}

static void
assert_loads(struct world *world, const char *text)
{
	load(world, text);
	assert_string_equal(world->errors, "");
	assert_non_null(world->settings);
}

/* One line of the complaints is "FILE:line: rest...". */
static void
assert_complains(const struct world *world, unsigned line, const char *rest)
{
	char wanted[512];

	(void)snprintf(
	    wanted, sizeof(wanted), "%s:%u: %s", world->path, line, rest);
	assert_null(world->settings);
	if (strstr(world->errors, wanted) == NULL)
		fail_msg("no \"%s\" in\n%s", wanted, world->errors);
}

static size_t
count_lines(const char *text)
{
	size_t count = 0;

	for (; *text != '\0'; text++)
		count += *text == '\n';
	return count;
}

/* Exactly this, and nothing else. */
static void
assert_refused(
    struct world *world, const char *text, unsigned line, const char *rest)
{
	load(world, text);
	assert_complains(world, line, rest);
	if (count_lines(world->errors) != 1)
		fail_msg("more than one complaint:\n%s", world->errors);
}

static void
a_short_file_gets_the_defaults(void **state)
{
	struct world *world = *state;
	const struct settings *s;

	assert_loads(world, MINIMUM);
	s = world->settings;
	assert_int_equal(s->workers, 0);
	assert_string_equal(s->log_level, "info");
	assert_int_equal(s->handshake_timeout, 15);
	assert_int_equal(s->services.count, 2);
	assert_string_equal(s->services.texts[0], "socks");
	assert_string_equal(s->services.texts[1], "rcmd");
	assert_int_equal(s->realms.count, 0);
	assert_true(s->start_tls);
	assert_false(s->short_abort);
	assert_string_equal(s->sd_id, "gatewarden@32473");
	assert_string_equal(s->user_filter, "(krbPrincipalName=%p)");
	assert_int_equal(s->listener_count, 1);
	assert_string_equal(s->listeners[0].name, "main");
	assert_int_equal(s->listeners[0].bind.port, 1080);
	assert_int_equal(s->listeners[0].bind.address.family, ADDRESS_IPV4);
	assert_int_equal(s->listeners[0].method_count, 1);
	assert_int_equal(s->listeners[0].method[0], METHOD_GSSAPI);
	assert_int_equal(s->listeners[0].minimum, PROTECTION_INTEGRITY);
	assert_int_equal(s->listeners[0].maximum, PROTECTION_CONFIDENTIALITY);
	assert_int_equal(s->listeners[0].backlog, 4096);
	assert_false(s->listeners[0].allow_spnego);
	assert_int_equal(s->listeners[0].nec_networks.count, 0);
	assert_int_equal(s->ticketless_tries, 2);
}

static bool
is_nec(const struct settings *settings, const char *text)
{
	struct address address;

	assert_true(address_parse(text, &address));
	return settings_networks_have(
	    &settings->listeners[1].nec_networks, &address);
}

static void
what_is_written_is_what_is_read(void **state)
{
	struct world *world = *state;
	const struct settings *s;

	assert_loads(world,
	    "# a comment { with } = \"signs\n"
	    "gateway { workers = 64 log_level = debug sessions_max=\"5\" }\n"
	    "policy {file=\"/a b/\\\"c\\\\d\\${e}\"} # and another\n"
	    "kerberos { services = {\n"
	    "\tsocks, # one\n"
	    "\t\"h\xc3\xb6st\",\n"
	    "} realms = EXAMPLE.COM }\n"
	    "listener a { address = \"[2001:db8::1]:1080\"\n"
	    "protection_minimum = none protection_maximum = selective\n"
	    "allow_missing_sequence = true }\n"
	    "listener \"b-2._\" { address = [::1]:1 methods = gssapi\n"
	    "allow_spnego = true nec_level_from = {192.0.2.0/24,\n"
	    "\"2001:db8::/32\"} }");
	s = world->settings;
	assert_int_equal(s->workers, 64);
	assert_string_equal(s->log_level, "debug");
	assert_int_equal(s->sessions_max, 5);
	assert_string_equal(s->policy_file, "/a b/\"c\\d${e}");
	assert_int_equal(s->services.count, 2);
	assert_string_equal(s->services.texts[1], "h\xc3\xb6st");
	assert_int_equal(s->realms.count, 1);
	assert_string_equal(s->realms.texts[0], "EXAMPLE.COM");
	assert_int_equal(s->listener_count, 2);
	assert_int_equal(s->listeners[0].bind.address.family, ADDRESS_IPV6);
	assert_int_equal(s->listeners[0].minimum, PROTECTION_NONE);
	assert_int_equal(s->listeners[0].maximum, PROTECTION_SELECTIVE);
	assert_true(s->listeners[0].allow_missing_sequence);
	assert_string_equal(s->listeners[1].name, "b-2._");
	assert_true(s->listeners[1].allow_spnego);
	assert_int_equal(s->listeners[1].nec_networks.count, 2);
	assert_true(is_nec(s, "192.0.2.9"));
	assert_true(is_nec(s, "2001:db8::9"));
	assert_false(is_nec(s, "192.0.3.9"));
}

/* Each with the one complaint that it is to bring, in front of MINIMUM. */
static const struct {
	const char *text;
	unsigned line;
	const char *complaint;
} refused[] = {
    /* what libconfuse would do silently */
    {"users { gateway = ${HOME} }", 1, "users.gateway: ${...} is not allowed"},
    {"users { gateway = \"${HOME}\" }", 1,
	"users.gateway: ${...} is not allowed"},
    {"gateway { workers = 010 }", 1,
	"gateway.workers: \"010\" is not a number from 0 to 64"},
    {"gateway { workers = 0x10 }", 1,
	"gateway.workers: \"0x10\" is not a number"},
    {"gateway { workers = 1 workers = 2 }", 1, "gateway.workers: set in "},
    {"gateway { }\ngateway { }", 2,
	"gateway: the section stands in line 1 already"},
    {"kerberos { services += {a} }", 1, "kerberos.services: += is not allowed"},
    {"include(\"/etc/passwd\")", 1, "include: not allowed"},
    {"include (\"/etc/passwd\")", 1, "include"},
    {"kerberos|timeout = 3", 1, "unexpected character"},
    {"/* a comment */", 1, "comments begin with #"},
    {"// a comment", 1, "comments begin with #"},
    {"gateway { workers = * }", 1, "gateway.workers: unexpected character"},
    {"gateway { workers = 1*2 }", 1, "gateway.workers: unexpected character"},
    {"users { gateway = 'x' }", 1, "users.gateway: single quotes"},
    {"users { gateway = \"a\\nb\" }", 1, "users.gateway: unknown escape"},
    {"users { gateway = \"a\\101b\" }", 1, "users.gateway: unknown escape"},
    {"users { gateway = \"a\tb\" }", 1, "users.gateway: control character"},
    {"users { gateway = \"a\nauditor = b }\n", 1,
	"users.gateway: a string begins here"},
    {"gateway { }\r\n", 1, "carriage return"},
    /* form */
    {"workers = 3", 1, "workers: settings stand in a section"},
    {"gatewey { workers = 3 }", 1, "gatewey: there is no such section"},
    {"gatewey name { a { b = {c} } }", 1, "gatewey: there is no such section"},
    {"gateway {\n\n thing = {a,\nb}\n}", 3, "gateway.thing: no such setting"},
    {"gateway { workers { } }", 1,
	"gateway.workers: sections do not stand in sections"},
    {"gateway { workers }", 1, "gateway.workers: = and a value are missing"},
    {"gateway { workers 3\n }", 1,
	"gateway.workers: = and a value are missing"},
    {"gateway { workers = }", 1, "gateway.workers: a value is missing"},
    {"gateway { workers = {1} }", 1,
	"gateway.workers: one value is allowed, not a list"},
    {"gateway { \"workers\" = 1 }", 1, "gateway: a setting such as"},
    {"kerberos { services = {a b} }", 1,
	"kerberos.services: , or } is missing in the list"},
    {"kerberos { services = {a,,b} }", 1,
	"kerberos.services: a value is missing"},
    {"} ", 1, "a section such as"},
    {"gateway workers", 1, "gateway: { is missing"},
    {"listener { address = 1.2.3.4:5 }", 1, "listener: a name is missing"},
    {"listener \"a b\" { address = 1.2.3.4:5 }", 1,
	"listener: its name may be"},
    {"listener x { address = 1.2.3.4:5 }\nlistener x { }", 2,
	"listener x: there is one in "},
    /* values */
    {"gateway { workers = -1 }", 1, "gateway.workers: \"-1\" is not"},
    {"gateway { workers = 65 }", 1,
	"gateway.workers: \"65\" is not a number from 0 to 64"},
    {"gateway { workers = 99999999999999999999 }", 1, "gateway.workers: "},
    {"gateway { workers = two }", 1, "gateway.workers: \"two\" is not"},
    {"gateway { workers = \"\" }", 1, "gateway.workers: \"\" is not"},
    {"resolver { hosts_file = yes }", 1,
	"resolver.hosts_file: \"yes\" is neither true nor false"},
    {"users { gateway = \"\" }", 1, "users.gateway: \"\" has 0 octets"},
    {"users { gateway = 123456789012345678901234567890123 }", 1,
	"users.gateway: "},
    {"users { gateway = \"a b\" }", 1, "users.gateway: \"a b\" is not"},
    {"users { gateway = \"\xff\" }", 1,
	"users.gateway: \"\\xff\" is not UTF-8"},
    {"kerberos { services = {} }", 1,
	"kerberos.services: has 0 values; 1 to 16 are allowed"},
    {"kerberos { services = {a, \"\"} }", 1,
	"kerberos.services: value 2, \"\", is empty"},
    {"kerberos { services = {socks/host} }", 1, "kerberos.services: "},
    {"kerberos { realms = {\"A@B\"} }", 1, "kerberos.realms: "},
    {"kerberos { token_max = 2048 total_max = 2047 }", 1,
	"kerberos.total_max: is less than"},
    {"kerberos { keytab = etc/keytab }", 1, "kerberos.keytab: "},
    {"gateway { log_level = loud }", 1,
	"gateway.log_level: \"loud\" is not allowed; allowed is error, "},
    {"resolver { servers = 192.0.2.1 }", 1, "resolver.servers: "},
    {"resolver { servers = \"192.0.2.1:53,\" }", 1, "resolver.servers: "},
    {"resolver { servers = \"192.0.2.1:53, 192.0.2.2:53\" }", 1,
	"resolver.servers: "},
    {"udp { port_min = 9 port_max = 8 }", 1, "udp.port_max: "},
    {"udp { port_max = 8 }", 1, "udp.port_max: "},
    {"udp { port_min = 8 }", 1, "udp.port_max: "},
    {"udp { identity_rate_max = 262143 }", 1, "udp.identity_rate_max: "},
    {"password { service = \"../other\" }", 1, "password.service: "},
    {"password { service = .hidden }", 1, "password.service: "},
    {"password { service_dir = pam.d }", 1, "password.service_dir: "},
    {"password { timeout = 0 }", 1, "password.timeout: "},
    {"bind { port_min = 9 port_max = 8 }", 1, "bind.port_max: "},
    {"bind { port_max = 8 }", 1, "bind.port_max: "},
    {"bind { port_min = 8 }", 1, "bind.port_max: "},
    {"bind { address = {192.0.2.1, 192.0.2.2} }", 1, "bind.address: "},
    {"bind { address = {\"2001:db8::1\", \"2001:db8::2\"} }", 1,
	"bind.address: "},
    {"bind { address = {gw.example.com} }", 1, "bind.address: "},
    {"bind { address = {0.0.0.0} }", 1, "bind.address: "},
    {"bind { advertise = {\"::\"} }", 1, "bind.advertise: "},
    {"udp { reassembly_timeout = 4 }", 1, /* RFC 1928 section 7 */
	"udp.reassembly_timeout: \"4\" is not a number from 5 to 60"},
    {"resolver { ttl_min = 9 ttl_max = 8 }", 1, "resolver.ttl_min: "},
    {"directory { uri = {\"http://h\"} }", 1, "directory.uri: "},
    {"directory { uri = {ldap://} }", 1, "directory.uri: "},
    {"directory { uri = {\"ldap://a b\"} }", 1, "directory.uri: "},
    {"directory { bind = magic }", 1, "directory.bind: "},
    {"directory { bind = simple password_file = /p }", 1,
	"directory.bind_dn: is not set"},
    {"directory { bind = simple bind_dn = \"cn=a\" }", 1,
	"directory.password_file: is not set"},
    {"directory { bind = gssapi }", 1, "directory.client_keytab: is not set"},
    {"directory { bind = simple bind_dn = \"cn=a\" password_file = /p\n"
     "start_tls = false uri = {ldap://h} }",
	2, "directory.start_tls: a simple bind would send its password"},
    {"directory { user_filter = \"(a=%p)(b=c)\" }", 1,
	"directory.user_filter: "},
    {"directory { user_filter = \"(a=%p\" }", 1, "directory.user_filter: "},
    {"directory { user_filter = \"a=%p\" }", 1, "directory.user_filter: "},
    {"directory { user_filter = \"(a=%s%p)\" }", 1, "directory.user_filter: "},
    {"directory { user_filter = \"(a=%r)\" }", 1, "directory.user_filter: "},
    {"directory { user_filter = \"(a=b)\" }", 1, "directory.user_filter: "},
    {"directory { user_filter = \"(a=%p%)\" }", 1, "directory.user_filter: "},
    {"directory { group_filter = \"(a=%p)\" }", 1, "directory.group_filter: "},
    {"directory { account_filter = \"a=b\" }", 1, "directory.account_filter: "},
    {"directory { account_filter = \"(a=b)(c=d)\" }", 1,
	"directory.account_filter: "},
    {"directory { group_filter = \"(a=%u)\" }", 1, "directory.group_filter: "},
    {"directory { nested = deep }", 1, "directory.nested: "},
    {"directory { nested = in_chain }", 1,
	"directory.nested: in_chain leaves it to the filter, and "
	"directory.group_filter has no :1.2.840.113556.1.4.1941:="},
    {"directory { primary_group = true }", 1, "directory.primary_group: "},
    {"directory { realms = {\"R\"} }", 1, "directory.realms: "},
    {"directory { realms = {\"R ldap://h\"} }", 1, "directory.realms: "},
    {"directory { realms = {\"R ldap://h base\"} }", 1, "directory.realms: "},
    {"directory { realms = {\"R http://h dc=x\"} }", 1, "directory.realms: "},
    {"directory { realms = {\"R ldap://h dc=x (uid=x)\"} }", 1,
	"directory.realms: "},
    {"directory { realms = {\"R ldap://h dc=x\", \"R ldap://i dc=x\"} }", 1,
	"directory.realms: \"R ldap://i dc=x\" is not allowed"},
    {"directory { rule_base = rules }", 1, "directory.rule_base: "},
    {"audit { target = /dev/log }", 1, "audit.target: "},
    {"audit { target = unix:dev/log }", 1, "audit.target: "},
    {"audit { target = tcp:loghost:514 }", 1, "audit.target: "},
    {"audit { target = tls:loghost:6514 }", 1, "audit.target: "},
    {"audit { target = \"tls:127.0.0.1:6514\" tls_key = x }", 1,
	"audit.tls_key: "},
    {"audit { target = \"tcp:127.0.0.1:601\" tls_name = x }", 1,
	"audit.target: "},
    {"audit { format = rfc9999 }", 1, "audit.format: "},
    {"audit { format = rfc5424 }", 1,
	"audit.format: rfc5424 is not understood on /dev/log"},
    {"audit { facility = local8 }", 1, "audit.facility: "},
    {"audit { sd_id = gatewarden }", 1, "audit.sd_id: "},
    {"audit { sd_id = gate@ }", 1, "audit.sd_id: "},
    {"audit { sd_id = \"@32473\" }", 1, "audit.sd_id: "},
    {"audit { sd_id = \"a]b@32473\" }", 1, "audit.sd_id: "},
    {"audit { sd_id = \"a b@32473\" }", 1, "audit.sd_id: "},
    {"gateway { own_addresses = {\"10.0.0.0/8\"} }", 1,
	"gateway.own_addresses: \"10.0.0.0/8\""},
    {"listener x { address = localhost:1080 }", 1, "listener.address: "},
    {"listener x { address = 192.0.2.1:0 }", 1, "listener.address: "},
    {"listener x { address = 192.0.2.01:1080 }", 1, "listener.address: "},
    {"listener x { address = 192.0.2.9:1 methods = {gssapi, none} }", 1,
	"listener.methods: the method none is not served; allowed are gssapi"},
    {"password { realm = \"a@b\" }", 1, "password.realm: \"a@b\" is not"},
    {"password { realm = \"a/b\" }", 1, "password.realm: "},
    {"password { realm = \"a b\" }", 1, "password.realm: "},
    {"password { allow_cleartext = {10.0.0.1/8} }", 1,
	"password.allow_cleartext: \"10.0.0.1/8\" is no network; allowed"},
    {"password { failure_delay = 8001 }", 1,
	"password.failure_delay: is more than password.failure_delay_max"},
    {"password { pair_burst = 4 }", 1,
	"password.pair_burst: is not less than password.name_burst"},
    {"password { pair_refill = 1000 }", 1,
	"password.pair_refill: is not more than password.name_refill"},
    {"listener x { address = 192.0.2.9:1 proxy_from = {\"10.0.0.1/8\"} }", 1,
	"listener.proxy_from: \"10.0.0.1/8\""},
    {"listener x { address = 192.0.2.9:1 tls_certificate = gw.pem }", 1,
	"listener.tls_certificate: \"gw.pem\" is not allowed"},
    {"listener x { address = 192.0.2.9:1\ntls_key = gw.key }", 2,
	"listener.tls_key: \"gw.key\" is not allowed"},
    {"listener x { address = 192.0.2.9:1\ntls_certificate = /a }", 1,
	"listener.tls_key: is not set; tls_certificate requires it"},
    {"listener x { address = 192.0.2.9:1\ntls_key = /a }", 1,
	"listener.tls_certificate: is not set; tls_key requires it"},
    {"listener x { address = 192.0.2.9:1\ntls_client_ca = /a }", 1,
	"listener.tls_certificate: is not set; tls_client_ca requires it"},
    {"listener x { address = 192.0.2.9:1 tls_client_ca = a }", 1,
	"listener.tls_client_ca: \"a\" is not allowed"},
    {"listener x { address = 192.0.2.9:1 tls_minimum = 1.1 }", 1,
	"listener.tls_minimum: \"1.1\" is not allowed; allowed are 1.2 and "
	"1.3"},
    {"listener x { address = 192.0.2.9:1 methods = {magic} }", 1,
	"listener.methods: \"magic\" is no method"},
    {"listener x { address = 192.0.2.9:1 methods = {gssapi, gssapi} }", 1,
	"listener.methods: gssapi stands there twice"},
    {"listener x { address = 192.0.2.9:1 udp_advertise = nat.example }", 1,
	"listener.udp_advertise: "},
    {"listener x { address = 192.0.2.9:1 udp_advertise = 0.0.0.0 }", 1,
	"listener.udp_advertise: "},
    {"listener x { address = 192.0.2.9:1 udp_advertise = \"::\" }", 1,
	"listener.udp_advertise: "},
    {"listener x { address = 192.0.2.9:1\n nec_level_from = {10.0.0.1/8} }", 2,
	"listener.nec_level_from: \"10.0.0.1/8\" is no network; allowed"},
    {"listener x { address = 192.0.2.9:1\n nec_level_from = {10.0.0.0/8}\n"
     " protection_minimum = none }",
	2, "listener.nec_level_from: a level that nothing protects is not"},
    {"listener x { address = 192.0.2.9:1\n protection_minimum = best }", 2,
	"listener.protection_minimum: \"best\" is no protection"},
    {"listener x { address = 192.0.2.9:1\n protection_minimum = selective\n"
     "protection_maximum = integrity }",
	2, "listener.protection_minimum: selective is more than"},
};

static void
what_is_wrong_is_said_with_its_line(void **state)
{
	struct world *world = *state;
	char text[1024];

	for (size_t i = 0; i < ARRAY_COUNT(refused); i++) {
		(void)snprintf(text, sizeof(text), "%s\n%s", refused[i].text,
		    strstr(refused[i].text, "policy") == NULL ? MINIMUM : "");
		load(world, text);
		assert_complains(world, refused[i].line, refused[i].complaint);
	}
}

static void
one_mistake_brings_one_complaint(void **state)
{
	struct world *world = *state;

	assert_refused(world, "gateway { workers = 010 }\n" MINIMUM, 1,
	    "gateway.workers: ");
	assert_refused(world, "gateway { workers = 1 * 2 }\n" MINIMUM, 1,
	    "gateway: unexpected character");
	assert_refused(world, "users { gateway = ${A B} }\n" MINIMUM, 1,
	    "users.gateway: ");
	assert_refused(world, MINIMUM "gateway { workers = 1", 3,
	    "gateway: the section is not closed by }");
	assert_refused(world, "include(\"x\") # }{\n" MINIMUM, 1, "include: ");
}

static void
all_mistakes_are_reported(void **state)
{
	struct world *world = *state;

	load(world, "gateway { workers = 010\n"
		    "thing = 1\n"
		    "log_level = ${HOME}\n"
		    "sessions_max = 0 }\n"
		    "nothing { a = b }\n"
		    "audit { facility = kern\n"
		    "spool_max = 0 }\n");
	assert_complains(world, 1, "gateway.workers: ");
	assert_complains(world, 2, "gateway.thing: ");
	assert_complains(world, 3, "gateway.log_level: ");
	assert_complains(world, 4, "gateway.sessions_max: ");
	assert_complains(world, 5, "nothing: ");
	assert_complains(world, 6, "audit.facility: ");
	assert_complains(world, 7, "audit.spool_max: ");
	assert_complains(world, 1, "policy.file, directory.uri: ");
	assert_complains(world, 1, "listener: there is none");
	assert_int_equal(count_lines(world->errors), 9);
}

static void
rules_from_the_directory_need_a_base(void **state)
{
	struct world *world = *state;

	assert_refused(world,
	    "directory { uri = {ldaps://a, ldapi://%2ftmp%2fx} }\n"
	    "listener main { address = 192.0.2.1:1080 }\n",
	    1, "directory.rule_base: is not set");
	assert_loads(world,
	    "directory { uri = {ldaps://a} rule_base = \"ou=r,dc=x\" }\n"
	    "listener main { address = 192.0.2.1:1080 }\n");
}

static void
a_base_stands_for_those_that_are_not_set(void **state)
{
	struct world *world = *state;

	load(world, "directory { uri = {ldaps://a} base = \"dc=x\" group_base "
		    "= \"ou=g\" }\n"
		    "listener main { address = 192.0.2.1:1080 }\n");
	assert_non_null(world->settings);
	assert_string_equal(world->settings->rule_base, "ou=gatewarden,dc=x");
	assert_string_equal(world->settings->user_base, "dc=x");
	assert_string_equal(world->settings->group_base, "ou=g");
}

static void
a_password_in_clear_stays_on_this_host(void **state)
{
	struct world *world = *state;

	assert_loads(world,
	    "directory { uri = {ldap://127.0.0.1:3389, \"ldap://[::1]/\"}\n"
	    "start_tls = false rule_base = \"ou=r\" bind = simple\n"
	    "bind_dn = \"cn=g\" password_file = /secret }\n"
	    "listener main { address = 192.0.2.1:1080 }\n");
	load(world, "directory { uri = {ldap://127.0.0.1.example.com}\n"
		    "start_tls = false rule_base = \"ou=r\" bind = simple\n"
		    "bind_dn = \"cn=g\" password_file = /secret }\n"
		    "listener main { address = 192.0.2.1:1080 }\n");
	assert_complains(world, 2, "directory.start_tls: ");
}

static void
two_listeners_have_two_addresses(void **state)
{
	struct world *world = *state;

	assert_refused(world,
	    MINIMUM "listener b { address = 192.0.2.1:1080 }\n", 3,
	    "listener.address: 192.0.2.1:1080 is the address of listener "
	    "main already");
	assert_loads(
	    world, MINIMUM "listener b { address = 192.0.2.1:1081 }\n");
}

static void
the_folder_adds_in_the_order_of_names(void **state)
{
	struct world *world = *state;

	write_conf_d(world, "20.conf", "listener b { address = 192.0.2.1:2 }");
	write_conf_d(world, "10.conf",
	    "listener a { address = 192.0.2.1:1 }\n"
	    "gateway { log_level = debug }");
	write_conf_d(world, "30.conf~", "nonsense");
	write_conf_d(world, ".hidden.conf", "nonsense");
	assert_loads(world, "gateway { workers = 1 }\n" MINIMUM);
	assert_int_equal(world->settings->workers, 1);
	assert_string_equal(world->settings->log_level, "debug");
	assert_int_equal(world->settings->listener_count, 3);
	assert_string_equal(world->settings->listeners[1].name, "a");
	assert_string_equal(world->settings->listeners[2].name, "b");
}

static void
a_setting_stands_in_one_file_only(void **state)
{
	struct world *world = *state;
	char wanted[512];

	write_conf_d(world, "a.conf", "\ngateway { workers = 2 }");
	load(world, "gateway { workers = 1 }\n" MINIMUM);
	assert_null(world->settings);
	(void)snprintf(wanted, sizeof(wanted),
	    "%s/a.conf:2: gateway.workers: set in %s:1 already\n",
	    world->conf_d, world->path);
	assert_string_equal(world->errors, wanted);

	write_conf_d(
	    world, "a.conf", "listener main { address = 192.0.2.1:9 }");
	load(world, MINIMUM);
	(void)snprintf(wanted, sizeof(wanted),
	    "%s/a.conf:1: listener main: there is one in %s:2 already",
	    world->conf_d, world->path);
	assert_non_null(strstr(world->errors, wanted));
}

static void
a_value_from_the_folder_is_wrong_there(void **state)
{
	struct world *world = *state;
	char wanted[512];

	write_conf_d(world, "a.conf", "\n\ngateway { log_level = loud }");
	load(world, MINIMUM);
	(void)snprintf(wanted, sizeof(wanted),
	    "%s/a.conf:3: gateway.log_level: ", world->conf_d);
	assert_non_null(strstr(world->errors, wanted));
}

static void
a_file_that_anybody_may_write_is_refused(void **state)
{
	struct world *world = *state;

	write_file(world->path, MINIMUM);
	assert_int_equal(chmod(world->path, 0646), 0);
	load_path(world);
	assert_complains(world, 1, "everybody may write to this file");
	assert_int_equal(chmod(world->path, 0640), 0);
	write_conf_d(world, "a.conf", "");
	load_path(world);
	assert_non_null(world->settings);
	assert_int_equal(chmod(world->conf_d, 0777), 0);
	load_path(world);
	assert_null(world->settings);
	assert_non_null(strstr(world->errors, ".d:1: everybody may write"));
}

static void
what_is_no_file_is_refused(void **state)
{
	struct world *world = *state;

	load_path(world);
	assert_complains(world, 1, "cannot be opened: ");
	assert_int_equal(mkfifo(world->path, 0600), 0);
	load_path(world);
	assert_complains(world, 1, "is not a regular file");
	assert_int_equal(unlink(world->path), 0);
	assert_int_equal(mkdir(world->path, 0700), 0);
	load_path(world);
	assert_complains(world, 1, "is not a regular file");
	assert_int_equal(rmdir(world->path), 0);
}

static void
an_octet_zero_or_a_huge_file_is_refused(void **state)
{
	struct world *world = *state;
	FILE *file = fopen(world->path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite("gateway {\0}", 1, 11, file), 11);
	assert_int_equal(fclose(file), 0);
	load_path(world);
	assert_complains(world, 1, "holds an octet 0");
	assert_int_equal(truncate(world->path, 1024 * 1024 + 1), 0);
	load_path(world);
	assert_complains(world, 1, "the file has more than");
}

static char *
printed(const struct settings *settings)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	settings_print(settings, out);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void
a_broken_load_leaves_the_next_one_alone(void **state)
{
	struct world *world = *state;

	load(world, MINIMUM "users { gateway = \"");
	assert_null(world->settings);
	load(world, MINIMUM "users { gateway = {");
	assert_null(world->settings);
	load(world, MINIMUM "users { # ");
	assert_null(world->settings);
	assert_loads(world, MINIMUM);
}

/* A text of any printable characters, quotes and backslashes among them. */
static void
draw_text(char *out, size_t len)
{
	static const char often[] = "\"\\${}#'/*%x41n,= ";

	for (size_t i = 0; i < len; i++)
		out[i] = rand() % 2 == 0
			     ? often[(size_t)rand() % (sizeof(often) - 1)]
			     : (char)(' ' + rand() % ('~' - ' ' + 1));
	out[len] = '\0';
}

static void
quote(char *out, const char *text)
{
	*out++ = '"';
	for (; *text != '\0'; text++) {
		if (strchr("\"\\$", *text) != NULL)
			*out++ = '\\';
		*out++ = *text;
	}
	*out++ = '"';
	*out = '\0';
}

static void
what_is_printed_reads_back_the_same(void **state)
{
	struct world *world = *state;

	srand(1961);
	for (int round = 0; round < 200; round++) {
		char file[64], instance[64], realm[64], quoted[3][160];
		char text[1024], *first, *second;
		struct settings *again;
		int fd;

		file[0] = '/';
		draw_text(file + 1, (size_t)(rand() % 60));
		draw_text(instance, (size_t)(rand() % 60));
		do
			draw_text(realm, (size_t)(1 + rand() % 50));
		while (strpbrk(realm, "/@ ") != NULL);
		quote(quoted[0], file);
		quote(quoted[1], instance);
		quote(quoted[2], realm);
		(void)snprintf(text, sizeof(text),
		    "policy { file = %s }\naudit { instance = %s }\n"
		    "kerberos { realms = {%s, X} }\n"
		    "gateway { workers = %d }\n"
		    "listener l { address = 192.0.2.1:%d }\n",
		    quoted[0], quoted[1], quoted[2], rand() % 65,
		    1 + rand() % 65535);
		assert_loads(world, text);
		assert_string_equal(world->settings->policy_file, file);
		assert_string_equal(world->settings->instance, instance);
		assert_string_equal(world->settings->realms.texts[0], realm);

		first = printed(world->settings);
		fd = memfd_create("settings", MFD_CLOEXEC);
		assert_true(fd >= 0);
		assert_int_equal(
		    write(fd, first, strlen(first)), strlen(first));
		again = settings_load_fd(fd, "printed", stderr);
		assert_non_null(again);
		(void)close(fd);
		second = printed(again);
		assert_string_equal(first, second);
		assert_null(settings_restart_needed(world->settings, again));
		assert_string_equal(again->policy_file, file);
		settings_unref(again);
		free(first);
		free(second);
	}
}

static void
only_what_needs_a_restart_is_named(void **state)
{
	struct world *world = *state;
	struct settings *before;

	assert_loads(world, MINIMUM);
	before = settings_ref(world->settings);
	assert_loads(world, MINIMUM "gateway { log_level = debug }\n"
				    "kerberos { services = {a} realms = {B} }");
	assert_null(settings_restart_needed(before, world->settings));
	assert_loads(world, MINIMUM "audit { facility = local3 }");
	assert_string_equal(
	    settings_restart_needed(before, world->settings), "audit.facility");
	assert_loads(world, MINIMUM "directory { member_of = false }");
	assert_string_equal(settings_restart_needed(before, world->settings),
	    "directory.member_of");
	assert_loads(world, MINIMUM "directory { uri = {ldaps://b} }");
	assert_string_equal(
	    settings_restart_needed(before, world->settings), "directory.uri");
	assert_loads(world, MINIMUM "gateway { workers = 3 }");
	assert_string_equal(settings_restart_needed(before, world->settings),
	    "gateway.workers");
	settings_unref(before);
}

/* Reads an example; `all` takes the marks off what is commented out. */
static void
read_example(const char *name, char *text, size_t size, bool all)
{
	const char *srcdir = getenv("srcdir");
	char path[512], line[256];
	size_t len = 0;
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/examples/%s",
	    srcdir != NULL ? srcdir : ".", name);
	file = fopen(path, "r");
	if (file == NULL)
		fail_msg("%s cannot be opened", path);
	while (fgets(line, sizeof(line), file) != NULL) {
		if (all && line[0] == '\t' && line[1] == '#' && line[2] != ' ')
			line[1] = ' ';
		len += (size_t)snprintf(text + len, size - len, "%s", line);
	}
	(void)fclose(file);
	assert_in_range(len, 1000, size - 1);
}

static void
the_example_loads(void **state)
{
	struct world *world = *state;
	char text[16384];

	read_example("gatewarden.conf", text, sizeof(text), false);
	assert_loads(world, text);
	assert_string_equal(world->settings->listeners[0].name, "office");
	assert_int_equal(world->settings->directory_uri.count, 2);
	read_example("gatewarden.conf", text, sizeof(text), true);
	assert_loads(world, text);
	assert_string_equal(
	    world->settings->policy_file, "/etc/gatewarden/rules.ldif");
}

static void
the_example_of_two_gateways_is_good(void **state)
{
	struct world *world = *state;
	char text[8192];

	read_example("scale-out/gatewarden.conf", text, sizeof(text), false);
	assert_loads(world, text);
	assert_int_equal(world->settings->directory_uri.count, 2);
	assert_string_equal(world->settings->audit_durable, "group");
}

static void
the_last_reference_frees(void **state)
{
	struct world *world = *state;

	assert_loads(world, MINIMUM);
	assert_ptr_equal(settings_ref(world->settings), world->settings);
	settings_unref(world->settings);
	assert_string_equal(world->settings->log_level, "info");
	settings_unref(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_world, end_world)

static void
a_listener_may_take_passwords(void **state)
{
	struct world *world = *state;
	const struct listener_settings *desk;
	struct address client;

	assert_loads(world,
	    MINIMUM "listener desk { address = 127.0.0.1:1080\n"
		    "	methods = {password, gssapi} }\n"
		    "password { realm = EXAMPLE.COM\n"
		    "	allow_cleartext = {192.0.2.0/24, 2001:db8::/32} }\n");
	desk = &world->settings->listeners[1];
	assert_int_equal(desk->method_count, 2);
	assert_int_equal(desk->method[0], METHOD_PASSWORD);
	assert_int_equal(desk->method[1], METHOD_GSSAPI);
	assert_string_equal(world->settings->password_realm, "EXAMPLE.COM");
	assert_true(address_parse("2001:db8::9", &client));
	assert_true(settings_networks_have(
	    &world->settings->cleartext_networks, &client));
	assert_true(address_parse("192.0.3.9", &client));
	assert_false(settings_networks_have(
	    &world->settings->cleartext_networks, &client));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_short_file_gets_the_defaults),
	    TEST(what_is_written_is_what_is_read),
	    TEST(what_is_wrong_is_said_with_its_line),
	    TEST(one_mistake_brings_one_complaint),
	    TEST(all_mistakes_are_reported),
	    TEST(rules_from_the_directory_need_a_base),
	    TEST(a_base_stands_for_those_that_are_not_set),
	    TEST(a_password_in_clear_stays_on_this_host),
	    TEST(two_listeners_have_two_addresses),
	    TEST(the_folder_adds_in_the_order_of_names),
	    TEST(a_setting_stands_in_one_file_only),
	    TEST(a_value_from_the_folder_is_wrong_there),
	    TEST(a_listener_may_take_passwords),
	    TEST(a_file_that_anybody_may_write_is_refused),
	    TEST(what_is_no_file_is_refused),
	    TEST(an_octet_zero_or_a_huge_file_is_refused),
	    TEST(a_broken_load_leaves_the_next_one_alone),
	    TEST(what_is_printed_reads_back_the_same),
	    TEST(only_what_needs_a_restart_is_named),
	    TEST(the_example_loads),
	    TEST(the_example_of_two_gateways_is_good),
	    TEST(the_last_reference_frees),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
