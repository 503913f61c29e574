/* SPDX-License-Identifier: ISC */
/*
 * The agent itself, as people run it, against a small gateway of our own:
 * real tickets, a real authenticator, and a target that gives back what it
 * gets.
 */
#include "tests/support/unit.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <krb5.h>

#include "agent/outcome.h"
#include "auth/authenticators.h"
#include "auth/negotiation.h"
#include "base/rfc1961.h"
#include "base/seal.h"
#include "base/socks5.h"
#include "tests/support/authenticator_program.h"
#include "tests/support/kerberos.h"

#define ECHO_CHUNK 30000

/* What the gateway does wrong, or otherwise than usual. */
enum trick {
	TRICK_NONE,
	TRICK_SPLIT_REPLY, /* over two messages, data behind it */
	TRICK_FLIP,	   /* a bit of the first message of data */
	TRICK_REPEAT,	   /* the first message of data */
	TRICK_CLEAR,	   /* a message in clear among the sealed ones */
	TRICK_CUT,	   /* the connection in the middle of a message */
	TRICK_RESET	   /* the connection */
};

struct world {
	struct event_base *base;
	struct authenticators *pool;
	struct helper_program program;
	struct evconnlistener *listener;
	uint16_t port;

	/* How the next client is served. */
	const uint8_t *canned; /* instead of everything else */
	size_t canned_len;
	uint8_t method;
	const uint8_t *token_answer; /* instead of the authenticator's */
	size_t token_answer_len;
	struct negotiation_policy policy;
	struct hint_facts facts;
	uint8_t reply;
	enum trick trick;

	/* The client that is served. */
	struct bufferevent *bev;
	struct negotiation *negotiation;
	struct seal *seal;
	enum reason reason; /* of the negotiation */
	bool has_tricked, has_reply;
	struct socks5_request request;
	char output[8192]; /* what the agent and its shell have said */
};

/* ---- the gateway: data ---- */

static void
send_sealed(struct world *world, const void *plain, size_t len)
{
	struct evbuffer *output = bufferevent_get_output(world->bev);
	uint8_t header[RFC1961_HEADER], *token;
	struct seal *seal = world->seal;
	size_t token_len;

	if (seal == NULL) {
		evbuffer_add(output, plain, len);
		return;
	}
	token = malloc(seal->header + len + seal->trailer);
	assert_non_null(token);
	memcpy(token + seal->header, plain, len);
	assert_int_equal(seal_wrap(seal, token, len, &token_len), REASON_OK);
	rfc1961_header(header, RFC1961_DATA, (uint16_t)token_len);
	if (world->trick == TRICK_FLIP && world->has_reply)
		token[token_len / 2] ^= 4;
	evbuffer_add(output, header, sizeof(header));
	evbuffer_add(output, token,
	    world->trick == TRICK_CUT && world->has_reply ? 9 : token_len);
	if (world->trick == TRICK_REPEAT && world->has_reply) {
		evbuffer_add(output, header, sizeof(header));
		evbuffer_add(output, token, token_len);
	}
	free(token);
}

static void
reset(struct world *world)
{
	const struct linger at_once = {.l_onoff = 1};

	assert_int_equal(setsockopt(bufferevent_getfd(world->bev), SOL_SOCKET,
			     SO_LINGER, &at_once, sizeof(at_once)),
	    0);
	bufferevent_free(world->bev);
	world->bev = NULL;
}

static void on_finished(struct bufferevent *bev, void *arg);

static void
echo(struct world *world, const uint8_t *data, size_t len)
{
	if (world->trick == TRICK_RESET) {
		reset(world);
		return;
	}
	if (world->trick == TRICK_CLEAR)
		bufferevent_write(world->bev, "HTTP/1.1", 8);
	for (size_t at = 0; at < len; at += ECHO_CHUNK)
		send_sealed(world, data + at,
		    len - at < ECHO_CHUNK ? len - at : ECHO_CHUNK);
	if (world->trick == TRICK_CUT)
		bufferevent_setcb(world->bev, NULL, on_finished, NULL, world);
}

static void
answer_request(struct world *world, const uint8_t *data, size_t len)
{
	const struct socket_address bound = {
	    .address = {.family = ADDRESS_IPV4}, .port = 1};
	uint8_t reply[SOCKS5_REPLY_MAX + 5];
	size_t consumed, reply_len;
	enum reason why;

	assert_int_equal(
	    socks5_request_parse(data, len, &consumed, &world->request, &why),
	    PARSE_DONE);
	assert_int_equal(consumed, len);
	reply_len = socks5_reply_print(reply, world->reply, &bound);
	if (world->trick == TRICK_SPLIT_REPLY) {
		memcpy(reply + reply_len, "early", 5);
		send_sealed(world, reply, 3);
		send_sealed(world, "", 0);
		send_sealed(world, reply + 3, reply_len - 3 + 5);
	} else {
		send_sealed(world, reply, reply_len);
	}
	world->has_reply = true;
}

static void
take_plain(struct world *world, const uint8_t *data, size_t len)
{
	if (world->has_reply)
		echo(world, data, len);
	else
		answer_request(world, data, len);
}

static void
on_clear(struct world *world, struct evbuffer *input)
{
	size_t len = evbuffer_get_length(input);
	uint8_t *data = malloc(len + 1);

	assert_non_null(data);
	(void)evbuffer_remove(input, data, len);
	if (len > 0)
		take_plain(world, data, len);
	free(data);
}

static void
on_data(struct bufferevent *bev, void *arg)
{
	struct world *world = arg;
	struct evbuffer *input = bufferevent_get_input(bev);
	struct rfc1961_frame frame;
	size_t need, consumed, plain_len;
	uint8_t *plain;

	if (world->seal == NULL) {
		on_clear(world, input);
		return;
	}
	while (world->bev != NULL && rfc1961_parse(evbuffer_pullup(input, -1),
					 evbuffer_get_length(input), &need,
					 &consumed, &frame) == PARSE_DONE) {
		uint8_t *token = evbuffer_pullup(input, -1) + RFC1961_HEADER;

		assert_int_equal(frame.type, RFC1961_DATA);
		assert_int_equal(seal_unwrap(world->seal, token,
				     frame.token_len, &plain, &plain_len),
		    REASON_OK);
		take_plain(world, plain, plain_len);
		if (world->bev != NULL)
			evbuffer_drain(input, consumed);
	}
}

/* Everything is written: the end is passed on. */
static void
on_finished(struct bufferevent *bev, void *arg)
{
	struct world *world = arg;

	bufferevent_free(bev);
	world->bev = NULL;
}

static void
on_data_event(struct bufferevent *bev, short what, void *arg)
{
	if ((what & BEV_EVENT_EOF) == 0 ||
	    evbuffer_get_length(bufferevent_get_output(bev)) == 0)
		on_finished(bev, arg);
	else
		bufferevent_setcb(bev, NULL, on_finished, NULL, arg);
}

/* ---- the gateway: negotiation ---- */

static void
on_negotiated(
    void *arg, enum reason reason, const char *detail, struct proof *proof)
{
	struct world *world = arg;

	(void)detail;
	world->negotiation = NULL;
	world->reason = reason;
	if (proof == NULL) {
		bufferevent_setcb(
		    world->bev, NULL, on_finished, on_data_event, world);
		return;
	}
	world->seal = proof->seal;
	if (proof->protection == PROTECTION_NONE) {
		seal_free(world->seal);
		world->seal = NULL;
	}
	bufferevent_setcb(world->bev, on_data, NULL, on_data_event, world);
	on_data(world->bev, world);
}

static void
on_token(struct bufferevent *bev, void *arg)
{
	struct world *world = arg;

	if (!world->has_tricked)
		bufferevent_write(
		    bev, world->token_answer, world->token_answer_len);
	world->has_tricked = true;
	evbuffer_drain(bufferevent_get_input(bev), SIZE_MAX);
}

/* What the client says to canned answers is not listened to; a close would
 * reset the connection. */
static void
on_canned(struct bufferevent *bev, void *arg)
{
	(void)arg;
	evbuffer_drain(bufferevent_get_input(bev), SIZE_MAX);
}

static void
on_said(struct bufferevent *bev, void *arg)
{
	(void)arg;
	(void)shutdown(bufferevent_getfd(bev), SHUT_WR);
}

static void
on_greeting(struct bufferevent *bev, void *arg)
{
	struct world *world = arg;
	const uint8_t answer[] = {5, world->method};
	uint8_t greeting[3];

	if (evbuffer_get_length(bufferevent_get_input(bev)) < 3)
		return;
	if (world->canned != NULL) {
		bufferevent_write(bev, world->canned, world->canned_len);
		bufferevent_setcb(
		    bev, on_canned, on_said, on_data_event, world);
		if (world->canned_len == 0)
			on_said(bev, world);
		return;
	}
	(void)bufferevent_read(bev, greeting, sizeof(greeting));
	assert_memory_equal(greeting, "\5\1\1", 3);
	bufferevent_write(bev, answer, sizeof(answer));
	if (world->token_answer != NULL) {
		bufferevent_setcb(bev, on_token, NULL, on_data_event, world);
		return;
	}
	world->negotiation = negotiation_start(bev, world->pool, &world->policy,
	    &world->facts, on_negotiated, world);
	assert_non_null(world->negotiation);
}

static void
on_accept(struct evconnlistener *listener, evutil_socket_t fd,
    struct sockaddr *from, int len, void *arg)
{
	struct world *world = arg;

	(void)listener;
	(void)from;
	(void)len;
	assert_null(world->bev);
	world->bev =
	    bufferevent_socket_new(world->base, fd, BEV_OPT_CLOSE_ON_FREE);
	bufferevent_setcb(world->bev, on_greeting, NULL, on_data_event, world);
	(void)bufferevent_enable(world->bev, EV_READ | EV_WRITE);
}

static void
listen_somewhere(struct world *world)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	socklen_t len = sizeof(at);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	world->listener = evconnlistener_new_bind(world->base, on_accept, world,
	    LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 8,
	    (struct sockaddr *)&at, sizeof(at));
	assert_non_null(world->listener);
	assert_int_equal(getsockname(evconnlistener_get_fd(world->listener),
			     (struct sockaddr *)&at, &len),
	    0);
	world->port = ntohs(at.sin_port);
}

static void
begin(struct world *world)
{
	memset(world, 0, sizeof(*world));
	world->method = 1;
	world->policy = (struct negotiation_policy){
	    .minimum = PROTECTION_NONE,
	    .maximum = PROTECTION_CONFIDENTIALITY,
	    .token_max = 49152,
	    .rounds_max = 4,
	    .total_max = 131072,
	};
	world->base = event_base_new();
	world->pool = authenticators_new(world->base, 5000);
	authenticator_program_start(&world->program, world->base);
	authenticators_link(
	    world->pool, 0, helper_program_link(&world->program, 1));
	authenticator_program_configure(&world->program, NULL);
	assert_true(world->program.is_ready);
	listen_somewhere(world);
}

static void
end(struct world *world)
{
	negotiation_cancel(world->negotiation);
	seal_free(world->seal);
	if (world->bev != NULL)
		bufferevent_free(world->bev);
	if (world->listener != NULL)
		evconnlistener_free(world->listener);
	authenticators_free(world->pool);
	helper_program_stop(&world->program);
	event_base_free(world->base);
}

/* ---- running the agent ---- */

static void
serve_until_ended(struct world *world, pid_t shell, int *status)
{
	const struct timeval moment = {.tv_usec = 5000};
	pid_t ended;

	while ((ended = waitpid(shell, status, WNOHANG)) == 0) {
		(void)event_base_loopexit(world->base, &moment);
		(void)event_base_dispatch(world->base);
	}
	assert_int_equal(ended, shell);
}

static void
read_output(struct world *world)
{
	FILE *file = fopen(kerberos_path("output"), "r");
	size_t len;

	assert_non_null(file);
	len = fread(world->output, 1, sizeof(world->output) - 1, file);
	world->output[len] = '\0';
	(void)fclose(file);
}

/*
 * Runs a shell command in which $AGENT is "gatewarden-agent connect" with
 * our gateway; what it says on both outputs goes to world->output.  Its exit
 * code.
 */
static int
run(struct world *world, const char *command)
{
	char line[2048];
	int status;
	pid_t shell;

	assert_true(
	    snprintf(line, sizeof(line),
		"exec >'%s' 2>&1; cd=$(pwd); "
		"AGENT=\"$cd/gatewarden-agent connect -g 127.0.0.1:%u\"; "
		"SOCKS='-s socks@gw.example.com'; cd '%s'; %s",
		kerberos_path("output"), (unsigned)world->port,
		getenv("KDC_DIR"), command) < (int)sizeof(line));
	shell = fork();
	assert_true(shell >= 0);
	if (shell == 0) {
		(void)execl("/bin/sh", "sh", "-c", line, (char *)NULL);
		_exit(127);
	}
	serve_until_ended(world, shell, &status);
	read_output(world);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
assert_says(const struct world *world, const char *words)
{
	if (strstr(world->output, words) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", words, world->output);
}

/* What becomes of `echo hello | agent`. */
static int
run_hello(struct world *world)
{
	return run(world, "echo hello | $AGENT $SOCKS host.example.org 80");
}

/* ---- it works ---- */

static void
what_goes_in_comes_back(void **state)
{
	struct world world;

	(void)state;
	begin(&world);
	assert_int_equal(run_hello(&world), OUTCOME_OK);
	assert_string_equal(world.output, "hello\n");
	assert_int_equal(world.request.command, 1);
	assert_int_equal(world.request.destination.kind, ENDPOINT_NAME);
	assert_string_equal(world.request.destination.name, "host.example.org");
	assert_int_equal(world.request.destination.port, 80);
	assert_int_equal(world.seal->protection, PROTECTION_CONFIDENTIALITY);
	end(&world);
}

static void
megabytes_come_back_unchanged_at_every_protection(void **state)
{
	static const char *const protections[] = {
	    "none", "integrity", "selective", "confidentiality"};

	(void)state;
	kerberos_run(
	    "head -c 3000000 /dev/urandom >'%s'", kerberos_path("random"));
	for (size_t i = 0; i < ARRAY_COUNT(protections); i++) {
		struct world world;
		char command[256];

		begin(&world);
		(void)snprintf(command, sizeof(command),
		    "$AGENT $SOCKS -p %s host 1 <random >returned && "
		    "cmp random returned",
		    protections[i]);
		assert_int_equal(run(&world, command), OUTCOME_OK);
		assert_string_equal(world.output, "");
		assert_int_equal(world.seal == NULL, i == 0);
		end(&world);
	}
}

static void
addresses_go_as_addresses(void **state)
{
	static const struct {
		const char *written;
		const char *sent;
	} rows[] = {
	    {"192.0.2.7", "192.0.2.7:443"},
	    {"2001:db8::7", "[2001:db8::7]:443"},
	    {"'[2001:db8::7]'", "[2001:db8::7]:443"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct world world;
		char command[128], sent[ENDPOINT_TEXT_SIZE];

		begin(&world);
		(void)snprintf(command, sizeof(command),
		    "$AGENT $SOCKS %s 443 </dev/null", rows[i].written);
		assert_int_equal(run(&world, command), OUTCOME_OK);
		assert_string_equal(
		    endpoint_print(&world.request.destination, sent),
		    rows[i].sent);
		end(&world);
	}
}

static void
a_reply_in_pieces_and_data_behind_it_are_taken(void **state)
{
	struct world world;

	(void)state;
	begin(&world);
	world.trick = TRICK_SPLIT_REPLY;
	assert_int_equal(run_hello(&world), OUTCOME_OK);
	assert_string_equal(world.output, "earlyhello\n");
	end(&world);
}

static void
the_gateway_may_be_named_by_the_environment(void **state)
{
	struct world world;

	(void)state;
	begin(&world);
	assert_int_equal(run(&world, "GATEWARDEN_GATEWAY=${AGENT##* } && "
				     "export GATEWARDEN_GATEWAY && echo hi | "
				     "${AGENT%% *} connect $SOCKS host 1"),
	    OUTCOME_OK);
	assert_string_equal(world.output, "hi\n");
	end(&world);
}

/* ---- tickets ---- */

static void
without_a_ticket_it_says_kinit(void **state)
{
	struct world world;

	(void)state;
	begin(&world);
	assert_int_equal(
	    run(&world, "KRB5CCNAME=FILE:nothing $AGENT $SOCKS host 1"),
	    OUTCOME_NO_TICKET);
	assert_says(&world, "run kinit");
	end(&world);
}

static void
with_an_ended_ticket_it_says_kinit(void **state)
{
	struct world world;

	(void)state;
	begin(&world);
	assert_int_equal(run(&world, "KRB5CCNAME=FILE:short; export KRB5CCNAME;"
				     "kinit -l 1s -k -t clients.keytab alice;"
				     "sleep 2; $AGENT $SOCKS host 1"),
	    OUTCOME_NO_TICKET);
	assert_says(&world, "run kinit");
	end(&world);
}

static void
a_service_that_nobody_knows_is_named(void **state)
{
	struct world world;

	(void)state;
	begin(&world);
	assert_int_equal(
	    run(&world, "$AGENT -s socks@elsewhere.example.com host 1"),
	    OUTCOME_SERVICE);
	assert_says(&world, "socks@elsewhere.example.com");
	end(&world);
}

static void
a_gateway_that_does_not_let_us_in_is_told_so(void **state)
{
	struct world world;

	(void)state;
	begin(&world);
	assert_int_equal(run(&world, "$AGENT -s host@gw.example.com host 1"),
	    OUTCOME_ABORTED);
	assert_says(&world, "does not let you in");
	assert_string_equal(reason_name(world.reason), "gss_wrong_service");
	end(&world);
}

/* A KRB-ERROR (RFC 4120) in its GSS frame, and the abort behind it. */
static size_t
print_error_token(uint8_t *out, size_t size, krb5_error_code code)
{
	static const uint8_t oid[] = {0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7,
	    0x12, 0x01, 0x02, 0x02, 0x03, 0x00};
	krb5_context krb5;
	krb5_error error = {0};
	krb5_data encoded;
	size_t inner;

	assert_int_equal(krb5_init_context(&krb5), 0);
	error.error = (krb5_ui_4)(code - ERROR_TABLE_BASE_krb5);
	assert_int_equal(
	    krb5_parse_name(krb5, "socks/gw.example.com", &error.server), 0);
	assert_int_equal(krb5_timeofday(krb5, &error.stime), 0);
	assert_int_equal(krb5_mk_error(krb5, &error, &encoded), 0);
	inner = sizeof(oid) + encoded.length;
	assert_true(inner < 0x80 && inner + 10 <= size);
	rfc1961_header(out, RFC1961_CONTEXT, (uint16_t)(inner + 2));
	out[4] = 0x60;
	out[5] = (uint8_t)inner;
	memcpy(out + 6, oid, sizeof(oid));
	memcpy(out + 6 + sizeof(oid), encoded.data, encoded.length);
	memcpy(out + 6 + inner, "\1\377\0\0", 4);
	krb5_free_data_contents(krb5, &encoded);
	krb5_free_principal(krb5, error.server);
	krb5_free_context(krb5);
	return inner + 10;
}

static void
what_the_acceptor_says_is_understood(void **state)
{
	static const struct {
		krb5_error_code code;
		enum outcome outcome;
		const char *words;
	} rows[] = {
	    {KRB5KRB_AP_ERR_SKEW, OUTCOME_CLOCK, "clock"},
	    {KRB5KRB_AP_ERR_BADKEYVER, OUTCOME_SERVICE, "unknown service"},
	    {KRB5KRB_AP_ERR_TKT_EXPIRED, OUTCOME_NO_TICKET, "kinit"},
	    {KRB5KRB_AP_ERR_REPEAT, OUTCOME_KERBEROS, "Kerberos failed"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		uint8_t answer[512];
		struct world world;

		begin(&world);
		world.token_answer = answer;
		world.token_answer_len =
		    print_error_token(answer, sizeof(answer), rows[i].code);
		assert_int_equal(run_hello(&world), (int)rows[i].outcome);
		assert_says(&world, rows[i].words);
		end(&world);
	}
}

/* ---- protection ---- */

static void
a_weaker_grant_is_not_taken(void **state)
{
	static const struct {
		enum protection maximum;
		const char *wish;
		enum outcome outcome;
	} rows[] = {
	    {PROTECTION_NONE, "integrity", OUTCOME_PROTECTION},
	    {PROTECTION_NONE, "confidentiality", OUTCOME_PROTECTION},
	    {PROTECTION_INTEGRITY, "selective", OUTCOME_PROTECTION},
	    {PROTECTION_INTEGRITY, "confidentiality", OUTCOME_PROTECTION},
	    {PROTECTION_SELECTIVE, "confidentiality", OUTCOME_PROTECTION},
	    {PROTECTION_INTEGRITY, "integrity", OUTCOME_OK},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct world world;
		char command[128];

		begin(&world);
		world.policy.maximum = rows[i].maximum;
		(void)snprintf(command, sizeof(command),
		    "$AGENT $SOCKS -p %s host 1 </dev/null", rows[i].wish);
		assert_int_equal(run(&world, command), (int)rows[i].outcome);
		if (rows[i].outcome != OUTCOME_OK)
			assert_says(&world, rows[i].wish);
		end(&world);
	}
}

static void
a_stronger_grant_is_taken(void **state)
{
	struct world world;

	(void)state;
	begin(&world);
	world.policy.minimum = PROTECTION_CONFIDENTIALITY;
	assert_int_equal(
	    run(&world, "echo hello | $AGENT $SOCKS -p none host 1"),
	    OUTCOME_OK);
	assert_string_equal(world.output, "hello\n");
	assert_non_null(world.seal);
	end(&world);
}

/* ---- refusals ---- */

static void
the_reply_is_said_in_words(void **state)
{
	(void)state;
	for (uint8_t reply = 1; reply <= 8; reply++) {
		struct world world;

		begin(&world);
		world.reply = reply;
		assert_int_equal(run_hello(&world), OUTCOME_REFUSED);
		assert_says(&world, socks5_reply_text(reply));
		assert_says(&world, "host.example.org:80");
		end(&world);
	}
}

/* ---- gateways that are none ---- */

static int
run_canned(const char *canned, size_t len, struct world *world)
{
	int status;

	begin(world);
	world->canned = (const uint8_t *)canned;
	world->canned_len = len;
	status = run_hello(world);
	end(world);
	return status;
}

static void
what_is_no_gateway_is_seen(void **state)
{
	static const char http[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
	struct world world;

	(void)state;
	assert_int_equal(
	    run_canned(http, sizeof(http) - 1, &world), OUTCOME_PROTOCOL);
	assert_int_equal(run_canned("\5\2", 2, &world), OUTCOME_PROTOCOL);
	assert_int_equal(run_canned("\4\1", 2, &world), OUTCOME_PROTOCOL);
	assert_int_equal(run_canned("\5\377", 2, &world), OUTCOME_ABORTED);
	assert_int_equal(run_canned("\5", 1, &world), OUTCOME_LOST);
	assert_int_equal(run_canned("", 0, &world), OUTCOME_LOST);
	/* Behind the method: another version, an abort, a message out of turn,
	 * a token that is cut, one that is empty, one that is none. */
	assert_int_equal(
	    run_canned("\5\1\5\0\0\0", 6, &world), OUTCOME_PROTOCOL);
	assert_int_equal(
	    run_canned("\5\1\1\377\0\0", 6, &world), OUTCOME_ABORTED);
	assert_int_equal(run_canned("\5\1\1\377", 4, &world), OUTCOME_ABORTED);
	assert_int_equal(
	    run_canned("\5\1\1\2\0\1x", 7, &world), OUTCOME_PROTOCOL);
	assert_int_equal(run_canned("\5\1\1\1\0\7x", 7, &world), OUTCOME_LOST);
	assert_int_equal(
	    run_canned("\5\1\1\1\0\0", 6, &world), OUTCOME_PROTOCOL);
	assert_int_equal(
	    run_canned("\5\1\1\1\0\1x", 7, &world), OUTCOME_KERBEROS);
}

static void
a_gateway_that_is_not_there_is_unreachable(void **state)
{
	struct world world;

	(void)state;
	begin(&world);
	evconnlistener_free(world.listener);
	world.listener = NULL;
	assert_int_equal(run_hello(&world), OUTCOME_UNREACHABLE);
	assert_says(&world, "127.0.0.1");
	assert_int_equal(run(&world, "$AGENT -g nowhere.invalid host 1"),
	    OUTCOME_UNREACHABLE);
	end(&world);
}

/* ---- somebody in between ---- */

static void
nothing_that_was_changed_on_the_way_comes_out(void **state)
{
	static const struct {
		enum trick trick;
		enum outcome outcome;
		const char *output; /* what may come out before */
	} rows[] = {
	    {TRICK_FLIP, OUTCOME_PROTOCOL, "gatewarden-agent:"},
	    {TRICK_REPEAT, OUTCOME_PROTOCOL, ""},
	    {TRICK_CLEAR, OUTCOME_PROTOCOL, "gatewarden-agent:"},
	    {TRICK_CUT, OUTCOME_LOST, "gatewarden-agent:"},
	    {TRICK_RESET, OUTCOME_LOST, "gatewarden-agent:"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct world world;

		begin(&world);
		world.trick = rows[i].trick;
		assert_int_equal(run(&world, "(echo hello; sleep 0.3) | "
					     "$AGENT $SOCKS host 1"),
		    (int)rows[i].outcome);
		assert_int_equal(strncmp(world.output, rows[i].output,
				     strlen(rows[i].output)),
		    0);
		end(&world);
	}
}

/* ---- half-close ---- */

static void
the_output_goes_on_when_the_input_has_ended(void **state)
{
	struct world world;

	(void)state;
	begin(&world);
	/* The echo of 200000 octets comes after our end. */
	assert_int_equal(run(&world, "head -c 200000 /dev/zero | "
				     "$AGENT $SOCKS host 1 | wc -c"),
	    0);
	assert_string_equal(world.output, "200000\n");
	end(&world);
}

/* ---- the command line ---- */

static void
what_cannot_be_meant_is_refused(void **state)
{
	static const char *const commands[] = {
	    "$AGENT",
	    "$AGENT host",
	    "$AGENT host 1 more",
	    "$AGENT host 0",
	    "$AGENT host 65536",
	    "$AGENT host http",
	    "$AGENT '' 1",
	    "$AGENT 'a b' 1",
	    "$AGENT 10.1 1",
	    "$AGENT -p better host 1",
	    "$AGENT -x host 1",
	    "$AGENT -s @gw host 1",
	    "$AGENT -s socks@ host 1",
	    "$AGENT -g a:b:c:d host 1",
	    "$AGENT -g gw:0 host 1",
	    "${AGENT%% *}",
	    "${AGENT%% *} listen",
	    "${AGENT%% *} connect host 1",
	};
	struct world world;

	(void)state;
	begin(&world);
	for (size_t i = 0; i < ARRAY_COUNT(commands); i++)
		assert_int_equal(run(&world, commands[i]), OUTCOME_USAGE);
	end(&world);
}

static void
it_knows_its_version(void **state)
{
	struct world world;

	(void)state;
	begin(&world);
	assert_int_equal(run(&world, "${AGENT%% *} --version"), OUTCOME_OK);
	assert_says(&world, "gatewarden-agent ");
	end(&world);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_goes_in_comes_back),
	    cmocka_unit_test(megabytes_come_back_unchanged_at_every_protection),
	    cmocka_unit_test(addresses_go_as_addresses),
	    cmocka_unit_test(a_reply_in_pieces_and_data_behind_it_are_taken),
	    cmocka_unit_test(the_gateway_may_be_named_by_the_environment),
	    cmocka_unit_test(without_a_ticket_it_says_kinit),
	    cmocka_unit_test(with_an_ended_ticket_it_says_kinit),
	    cmocka_unit_test(a_service_that_nobody_knows_is_named),
	    cmocka_unit_test(a_gateway_that_does_not_let_us_in_is_told_so),
	    cmocka_unit_test(what_the_acceptor_says_is_understood),
	    cmocka_unit_test(a_weaker_grant_is_not_taken),
	    cmocka_unit_test(a_stronger_grant_is_taken),
	    cmocka_unit_test(the_reply_is_said_in_words),
	    cmocka_unit_test(what_is_no_gateway_is_seen),
	    cmocka_unit_test(a_gateway_that_is_not_there_is_unreachable),
	    cmocka_unit_test(nothing_that_was_changed_on_the_way_comes_out),
	    cmocka_unit_test(the_output_goes_on_when_the_input_has_ended),
	    cmocka_unit_test(what_cannot_be_meant_is_refused),
	    cmocka_unit_test(it_knows_its_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
