/* SPDX-License-Identifier: ISC */
/*
 * TLS's bufferevent and channel against a real OpenSSL client, octet by octet
 * where that matters.
 */
#include "tests/support/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include "relay/channel.h"
#include "relay/tls.h"
#include "relay/tls_context.h"
#include "tests/support/tls_end.h"

static const enum tls_end_version versions[] = {TLS_END_1_2, TLS_END_1_3};

/* ---- the two ends ---- */

void *__wrap_realloc(void *from, size_t size);
void *__real_realloc(void *from, size_t size);

static size_t largest; /* that was asked for */

void *
__wrap_realloc(void *from, size_t size)
{
	if (size > largest)
		largest = size;
	return __real_realloc(from, size);
}

struct pair {
	struct event_base *base;
	struct bufferevent *bev; /* ours, until the handover */
	struct channel *channel; /* ours, after it */
	struct tls_end *client;
	int fd; /* the client's */
	short events;
	enum reason reason; /* of BEV_EVENT_ERROR */
	char detail[256];
};

static void
on_event(struct bufferevent *bev, short what, void *arg)
{
	struct pair *pair = arg;

	pair->events |= what;
	if ((what & BEV_EVENT_ERROR) != 0)
		pair->reason =
		    tls_failure(bev, pair->detail, sizeof(pair->detail));
}

static void
pair_init_at(struct pair *pair, struct tls_context *context,
    enum tls_end_version version, const struct tls_paper *own)
{
	int ends[2];

	*pair = (struct pair){.base = event_base_new()};
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	pair->fd = ends[0];
	pair->client = tls_end_new(version, own);
	pair->bev = tls_accept(pair->base, context, ends[1]);
	assert_non_null(pair->bev);
	bufferevent_setcb(pair->bev, NULL, NULL, on_event, pair);
	assert_int_equal(bufferevent_enable(pair->bev, EV_READ | EV_WRITE), 0);
}

static void
pair_fini(struct pair *pair)
{
	if (pair->bev != NULL)
		bufferevent_free(pair->bev);
	channel_free(pair->channel, false);
	tls_end_free(pair->client);
	if (pair->fd >= 0)
		(void)close(pair->fd);
	/* The bufferevent's last callbacks. */
	(void)event_base_loop(pair->base, EVLOOP_NONBLOCK);
	event_base_free(pair->base);
}

/* The client's octets to the socket, `most` at a time. */
static void
to_socket(struct pair *pair, size_t most)
{
	const uint8_t *octets;
	size_t len = tls_end_peek(pair->client, &octets);
	ssize_t sent;

	if (len > most)
		len = most;
	if (len == 0)
		return;
	sent = send(pair->fd, octets, len, MSG_NOSIGNAL);
	if (sent > 0)
		tls_end_drop(pair->client, (size_t)sent);
}

static size_t
from_socket(struct pair *pair)
{
	uint8_t octets[65536];
	ssize_t len = recv(pair->fd, octets, sizeof(octets), 0);

	if (len > 0)
		tls_end_feed(pair->client, octets, (size_t)len);
	return len > 0 ? (size_t)len : 0;
}

/* Until the server's side has something to say of the handshake. */
static void
shake(struct pair *pair, size_t most)
{
	for (int i = 0; i < 20000 && pair->events == 0; i++) {
		(void)tls_end_handshake(pair->client);
		to_socket(pair, most);
		(void)event_base_loop(pair->base, EVLOOP_NONBLOCK);
		(void)from_socket(pair);
	}
	(void)tls_end_handshake(pair->client);
}

static void
open_pair(struct pair *pair, enum tls_end_version version)
{
	pair_init_at(pair, tls_any_context(), version, NULL);
	shake(pair, SIZE_MAX);
	assert_int_equal(pair->events, BEV_EVENT_CONNECTED);
}

static void
hand_over(struct pair *pair)
{
	pair->channel = channel_new_tls(pair->bev);
	pair->bev = NULL;
	assert_non_null(pair->channel);
	(void)event_base_loop(pair->base, EVLOOP_NONBLOCK);
}

static void
open_channel(struct pair *pair, enum tls_end_version version)
{
	open_pair(pair, version);
	assert_int_equal(bufferevent_disable(pair->bev, EV_READ), 0);
	hand_over(pair);
}

static void
client_says(struct pair *pair, const void *plain, size_t len)
{
	tls_end_write(pair->client, plain, len);
	to_socket(pair, SIZE_MAX);
}

static ssize_t
channel_reads(struct pair *pair, void *out, size_t size)
{
	const struct iovec iov = {out, size};

	return channel_readv(pair->channel, &iov, 1);
}

static ssize_t
channel_writes(struct pair *pair, const void *data, size_t size)
{
	const struct iovec iov = {(void *)(uintptr_t)data, size};

	return channel_writev(pair->channel, &iov, 1);
}

static void
expect_to_read(struct pair *pair, const char *text)
{
	char got[256] = "";

	assert_int_equal(
	    channel_reads(pair, got, sizeof(got) - 1), (int)strlen(text));
	assert_string_equal(got, text);
}

static void
expect_client_to_read(struct pair *pair, const char *text)
{
	char got[256] = "";

	(void)from_socket(pair);
	assert_int_equal(tls_end_read(pair->client, got, sizeof(got) - 1),
	    (int)strlen(text));
	assert_string_equal(got, text);
}

/* ---- the handshake ---- */

static void
both_versions_are_spoken(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(versions); i++) {
		struct pair pair;
		struct tls_facts facts;

		open_pair(&pair, versions[i]);
		tls_get_facts(pair.bev, &facts);
		assert_string_equal(facts.version,
		    versions[i] == TLS_END_1_2 ? "TLSv1.2" : "TLSv1.3");
		assert_string_equal(facts.subject, "");
		pair_fini(&pair);
	}
}

static void
an_octet_at_a_time_is_enough(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(versions); i++) {
		struct pair pair;

		pair_init_at(&pair, tls_any_context(), versions[i], NULL);
		shake(&pair, 1);
		assert_int_equal(pair.events, BEV_EVENT_CONNECTED);
		pair_fini(&pair);
	}
}

static void
older_versions_are_refused(void **state)
{
	struct pair pair;

	(void)state;
	pair_init_at(&pair, tls_any_context(), TLS_END_1_1, NULL);
	shake(&pair, SIZE_MAX);
	assert_true((pair.events & BEV_EVENT_ERROR) != 0);
	assert_string_equal(reason_name(pair.reason), "tls_version");
	assert_true(tls_end_is_broken(pair.client)); /* it got the alert */
	pair_fini(&pair);
}

static void
the_minimum_can_be_1_3(void **state)
{
	struct tls_paper paper;
	struct tls_context *context;

	(void)state;
	tls_paper_init(&paper, "gw", NULL, -1, 1);
	context = tls_paper_context(&paper, NULL, true);
	for (size_t i = 0; i < ARRAY_COUNT(versions); i++) {
		struct pair pair;

		pair_init_at(&pair, context, versions[i], NULL);
		shake(&pair, SIZE_MAX);
		if (versions[i] == TLS_END_1_3)
			assert_int_equal(pair.events, BEV_EVENT_CONNECTED);
		else
			assert_string_equal(
			    reason_name(pair.reason), "tls_version");
		pair_fini(&pair);
	}
	tls_context_free(context);
	tls_paper_fini(&paper);
}

/* Its first octet says so: a SOCKS greeting is too short for a record. */
static void
what_is_no_tls_ends_at_its_first_octet(void **state)
{
	static const char *const firsts[] = {
	    "\5", "\4", "G", "\200", "\25", "\27"};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(firsts); i++) {
		struct pair pair;

		pair_init_at(&pair, tls_any_context(), TLS_END_1_3, NULL);
		assert_int_equal(send(pair.fd, firsts[i], 1, 0), 1);
		(void)event_base_loop(pair.base, EVLOOP_NONBLOCK);
		assert_true((pair.events & BEV_EVENT_ERROR) != 0);
		assert_string_equal(reason_name(pair.reason), "tls_clear");
		pair_fini(&pair);
	}
}

static void
garbage_in_a_handshake_has_a_reason(void **state)
{
	struct pair pair;
	uint8_t garbage[600];

	(void)state;
	memset(garbage, 0xaa, sizeof(garbage));
	garbage[0] = 0x16;
	pair_init_at(&pair, tls_any_context(), TLS_END_1_3, NULL);
	assert_true(send(pair.fd, garbage, sizeof(garbage), 0) > 0);
	(void)event_base_loop(pair.base, EVLOOP_NONBLOCK);
	assert_true((pair.events & BEV_EVENT_ERROR) != 0);
	assert_string_equal(reason_name(pair.reason), "tls_handshake");
	assert_true(strlen(pair.detail) > 0);
	pair_fini(&pair);
}

static void
a_client_that_goes_away_is_an_end(void **state)
{
	(void)state;
	for (size_t octets = 0; octets < 200; octets += 50) {
		struct pair pair;

		pair_init_at(&pair, tls_any_context(), TLS_END_1_3, NULL);
		(void)tls_end_handshake(pair.client);
		to_socket(&pair, octets);
		(void)close(pair.fd);
		pair.fd = -1;
		(void)event_base_loop(pair.base, EVLOOP_NONBLOCK);
		assert_true((pair.events & BEV_EVENT_EOF) != 0);
		pair_fini(&pair);
	}
}

/* ---- certificates ---- */

static void
client_certificates_are_demanded(void **state)
{
	struct tls_paper own, ca, good, foreign_ca, foreign, old;
	const struct {
		const struct tls_paper *paper;
		const char *reason; /* NULL: it is taken */
		const char *detail;
	} rows[] = {
	    {&good, NULL, NULL},
	    {NULL, "tls_client_certificate",
		"peer did not return a certificate"},
	    {&foreign, "tls_client_certificate",
		"unable to get local issuer certificate"},
	    {&old, "tls_client_certificate", "certificate has expired"},
	};
	struct tls_context *context;

	(void)state;
	tls_paper_init(&own, "gw", NULL, -1, 1);
	tls_paper_init(&ca, "our CA", NULL, -1, 1);
	tls_paper_init(&good, "alice's laptop, \"old\"", &ca, -1, 1);
	tls_paper_init(&old, "bob", &ca, -3, -1);
	tls_paper_init(&foreign_ca, "their CA", NULL, -1, 1);
	tls_paper_init(&foreign, "mallory", &foreign_ca, -1, 1);
	context = tls_paper_context(&own, &ca, false);
	for (size_t i = 0; i < ARRAY_COUNT(rows) * 2; i++) {
		const char *reason = rows[i / 2].reason;
		struct tls_facts facts;
		struct pair pair;

		pair_init_at(
		    &pair, context, versions[i % 2], rows[i / 2].paper);
		shake(&pair, SIZE_MAX);
		if (reason == NULL) {
			assert_int_equal(pair.events, BEV_EVENT_CONNECTED);
			tls_get_facts(pair.bev, &facts);
			assert_string_equal(
			    facts.subject, "CN=alice's laptop\\, \\\"old\\\"");
		} else {
			assert_string_equal(reason_name(pair.reason), reason);
			assert_string_equal(pair.detail, rows[i / 2].detail);
		}
		pair_fini(&pair);
	}
	tls_context_free(context);
	tls_paper_fini(&own);
	tls_paper_fini(&ca);
	tls_paper_fini(&good);
	tls_paper_fini(&old);
	tls_paper_fini(&foreign_ca);
	tls_paper_fini(&foreign);
}

static void
bad_files_are_named(void **state)
{
	static const char encrypted[] =
	    "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAAA\n"
	    "-----END ENCRYPTED PRIVATE KEY-----\n";
	struct tls_paper one, other;
	char cut[4096];

	(void)state;
	tls_paper_init(&one, "one", NULL, -1, 1);
	tls_paper_init(&other, "other", NULL, -1, 1);
	(void)snprintf(
	    cut, sizeof(cut), "%s%.60s", one.certificate, one.certificate);
	{
		const struct {
			const char *texts[TLS_FILE_COUNT];
			enum tls_file wrong;
			const char *why; /* its beginning */
		} rows[] = {
		    {{"", one.key, NULL}, TLS_CERTIFICATE, "holds no cert"},
		    {{"hello", one.key, NULL}, TLS_CERTIFICATE,
			"holds no certificate"},
		    {{one.key, one.key, NULL}, TLS_CERTIFICATE,
			"holds no certificate"},
		    {{cut, one.key, NULL}, TLS_CERTIFICATE, "cannot be used"},
		    {{one.certificate, "", NULL}, TLS_KEY, "holds no key"},
		    {{one.certificate, encrypted, NULL}, TLS_KEY,
			"holds no key in the form PEM that is not encrypted"},
		    {{one.certificate, other.key, NULL}, TLS_KEY,
			"is not the key of the certificate"},
		    {{one.certificate, one.key, "hello"}, TLS_CLIENT_CA,
			"holds no certificates"},
		    {{one.certificate, one.key, cut}, TLS_CLIENT_CA,
			"holds no certificates"},
		};

		for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
			struct tls_text files[TLS_FILE_COUNT] = {{0}};
			enum tls_file wrong;
			char why[256] = "";

			for (size_t f = 0; f < TLS_FILE_COUNT; f++)
				if (rows[i].texts[f] != NULL)
					files[f] =
					    (struct tls_text){rows[i].texts[f],
						strlen(rows[i].texts[f])};
			assert_null(tls_context_new(
			    files, false, &wrong, why, sizeof(why)));
			assert_string_equal(
			    tls_file_name(wrong), tls_file_name(rows[i].wrong));
			if (strncmp(why, rows[i].why, strlen(rows[i].why)) != 0)
				fail_msg("%zu: %s", i, why);
		}
	}
	tls_paper_fini(&one);
	tls_paper_fini(&other);
}

static void
a_certificate_has_its_time(void **state)
{
	static const struct {
		int from, to;
		const char *why; /* "": it is current */
	} rows[] = {
	    {-1, 1, ""},
	    {-3, -1, "the certificate has expired on "},
	    {1, 3, "the certificate is not valid before "},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct tls_paper paper;
		struct tls_context *context;
		char why[256] = "";

		tls_paper_init(&paper, "gw", NULL, rows[i].from, rows[i].to);
		context = tls_paper_context(&paper, NULL, false);
		assert_int_equal(
		    tls_context_is_current(context, why, sizeof(why)),
		    rows[i].why[0] == '\0');
		assert_memory_equal(why, rows[i].why, strlen(rows[i].why));
		tls_context_free(context);
		tls_paper_fini(&paper);
	}
}

/* ---- the handover ---- */

/* What of the client's records the bufferevent has read, what OpenSSL holds
 * and what is in the socket: nothing is lost, nothing waits. */
static void
the_handover_loses_nothing(void **state)
{
	unsigned random = 1;

	(void)state;
	for (unsigned i = 0; i < 400; i++) {
		static uint8_t sent[40000], got[40000];
		struct pair pair;
		struct evbuffer *input;
		size_t sent_len = 0, got_len;

		open_pair(&pair, versions[i % 2]);
		/* Reading stops at a watermark, in the middle of a record. */
		bufferevent_setwatermark(
		    pair.bev, EV_READ, 0, 1 + i * 31 % 9000);
		for (unsigned part = 0; part < 1 + i % 5; part++) {
			size_t len;

			random = random * 1103515245u + 12345u;
			len = 1 + random / 65536u % 8000;
			for (size_t at = 0; at < len; at++)
				sent[sent_len + at] =
				    (uint8_t)((sent_len + at) * 37 + i);
			tls_end_write(pair.client, sent + sent_len, len);
			sent_len += len;
			to_socket(
			    &pair, i % 3 == 0 ? SIZE_MAX : 1 + random % 9000);
			(void)event_base_loop(pair.base, EVLOOP_NONBLOCK);
		}
		input = bufferevent_get_input(pair.bev);
		got_len = evbuffer_get_length(input);
		assert_true(got_len <= sent_len);
		if (got_len > 0)
			assert_int_equal(
			    evbuffer_remove(input, got, got_len), (int)got_len);
		hand_over(&pair);
		for (int turns = 0; got_len < sent_len && turns < 1000;
		     turns++) {
			ssize_t len;

			len = channel_reads(
			    &pair, got + got_len, sizeof(got) - got_len);
			if (len > 0)
				got_len += (size_t)len;
			else
				assert_int_equal(len, -EAGAIN);
			/* Dry: the socket has to say when there is more. */
			assert_false(channel_has_pending(pair.channel));
			to_socket(&pair, 1 + random % 5000);
		}
		assert_int_equal(got_len, sent_len);
		assert_memory_equal(got, sent, sent_len);
		pair_fini(&pair);
	}
}

static void
what_openssl_holds_is_pending(void **state)
{
	char text[100], got[10];
	struct pair pair;

	(void)state;
	memset(text, 'x', sizeof(text));
	open_channel(&pair, TLS_END_1_3);
	assert_false(channel_has_pending(pair.channel));
	client_says(&pair, text, sizeof(text));
	assert_int_equal(channel_reads(&pair, got, sizeof(got)), sizeof(got));
	assert_true(channel_has_pending(pair.channel));
	/* The socket has nothing more, but a record is begun in OpenSSL. */
	tls_end_write(pair.client, text, sizeof(text));
	to_socket(&pair, 50);
	for (int i = 0; i < 9; i++)
		assert_int_equal(
		    channel_reads(&pair, got, sizeof(got)), sizeof(got));
	assert_int_equal(channel_reads(&pair, got, sizeof(got)), -EAGAIN);
	assert_false(channel_has_pending(pair.channel));
	to_socket(&pair, SIZE_MAX);
	assert_int_equal(channel_reads(&pair, got, sizeof(got)), sizeof(got));
	pair_fini(&pair);
}

/* The bufferevent is freed while one of its callbacks runs. */
static void
hand_over_and_read(struct bufferevent *bev, void *arg)
{
	struct pair *pair = arg;

	pair->channel = channel_new_tls(bev);
	pair->bev = NULL;
}

static void
the_handover_may_come_in_a_callback(void **state)
{
	struct pair pair;

	(void)state;
	open_pair(&pair, TLS_END_1_3);
	bufferevent_setcb(pair.bev, NULL, hand_over_and_read, on_event, &pair);
	assert_int_equal(bufferevent_write(pair.bev, "reply", 5), 0);
	(void)event_base_loop(pair.base, EVLOOP_NONBLOCK);
	(void)event_base_loop(pair.base, EVLOOP_NONBLOCK);
	assert_non_null(pair.channel);
	expect_client_to_read(&pair, "reply");
	client_says(&pair, "hello", 5);
	expect_to_read(&pair, "hello");
	assert_int_equal(channel_writes(&pair, "answer", 6), 6);
	expect_client_to_read(&pair, "answer");
	pair_fini(&pair);
}

/* ---- ends ---- */

static void
half_closes_go_both_ways(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(versions) * 2; i++) {
		bool is_client_first = i / 2 == 0;
		struct pair pair;
		char got[16];

		open_channel(&pair, versions[i % 2]);
		if (is_client_first) {
			tls_end_write(pair.client, "last", 4);
			tls_end_finish(pair.client);
			to_socket(&pair, SIZE_MAX);
			expect_to_read(&pair, "last");
			assert_true(channel_has_pending(pair.channel));
			assert_int_equal(channel_reads(&pair, got, 16), 0);
			assert_int_equal(channel_writes(&pair, "answer", 6), 6);
			channel_finish(pair.channel);
			expect_client_to_read(&pair, "answer");
			assert_int_equal(tls_end_read(pair.client, got, 16), 0);
		} else {
			assert_int_equal(channel_writes(&pair, "bye", 3), 3);
			channel_finish(pair.channel);
			expect_client_to_read(&pair, "bye");
			assert_int_equal(tls_end_read(pair.client, got, 16), 0);
			/* FIN is behind it. */
			assert_int_equal(recv(pair.fd, got, 16, 0), 0);
			client_says(&pair, "late", 4);
			expect_to_read(&pair, "late");
			tls_end_finish(pair.client);
			to_socket(&pair, SIZE_MAX);
			assert_int_equal(channel_reads(&pair, got, 16), 0);
		}
		pair_fini(&pair);
	}
}

static void
an_end_without_its_word_is_none(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(versions) * 2; i++) {
		struct pair pair;
		char got[16];

		open_channel(&pair, versions[i % 2]);
		tls_end_write(pair.client, "all?", 4);
		to_socket(&pair, SIZE_MAX);
		tls_end_write(pair.client, "no", 2);
		if (i / 2 == 1) /* in the middle of a record */
			to_socket(&pair, 9);
		assert_int_equal(shutdown(pair.fd, SHUT_WR), 0);
		expect_to_read(&pair, "all?");
		assert_true(channel_has_pending(pair.channel));
		for (int j = 0; j < 3; j++)
			assert_int_equal(
			    channel_reads(&pair, got, 16), -CHANNEL_TRUNCATED);
		pair_fini(&pair);
	}
}

static void
what_was_changed_on_its_way_is_noticed(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(versions); i++) {
		struct pair pair;
		const uint8_t *record;
		uint8_t changed[128];
		size_t len;
		char got[16];

		open_channel(&pair, versions[i]);
		client_says(&pair, "good", 4);
		tls_end_write(pair.client, "evil", 4);
		len = tls_end_peek(pair.client, &record);
		assert_true(len <= sizeof(changed));
		memcpy(changed, record, len);
		changed[len - 1] ^= 1;
		assert_int_equal(send(pair.fd, changed, len, 0), (int)len);
		expect_to_read(&pair, "good");
		for (int j = 0; j < 3; j++)
			assert_int_equal(
			    channel_reads(&pair, got, 16), -CHANNEL_BROKEN);
		/* The client is told. */
		(void)from_socket(&pair);
		assert_int_equal(tls_end_read(pair.client, got, 16), -1);
		assert_true(tls_end_is_broken(pair.client));
		pair_fini(&pair);
	}
}

static void
a_client_that_is_gone_breaks_writing(void **state)
{
	struct pair pair;
	ssize_t len;

	(void)state;
	open_channel(&pair, TLS_END_1_3);
	(void)close(pair.fd);
	pair.fd = -1;
	len = channel_writes(&pair, "x", 1);
	assert_int_equal(len, -EPIPE);
	/* ... and so does whatever follows; reading tells no other story. */
	assert_int_equal(channel_writes(&pair, "x", 1), -EPIPE);
	pair_fini(&pair);
}

/* ---- back-pressure ---- */

static void
a_full_socket_stops_writing(void **state)
{
	static uint8_t data[2000000], got[65536];
	size_t written = 0, heard = 0;
	struct pair pair;
	ssize_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7);
	open_channel(&pair, TLS_END_1_3);
	while ((len = channel_writes(
		    &pair, data + written, sizeof(data) - written)) > 0)
		written += (size_t)len;
	assert_int_equal(len, -EAGAIN);
	assert_true(written < sizeof(data));
	assert_true(channel_has_unsent(pair.channel));
	/* What the client says arrives all the same. */
	client_says(&pair, "upwards", 7);
	expect_to_read(&pair, "upwards");
	while (heard < sizeof(data)) {
		(void)from_socket(&pair);
		while (
		    (len = tls_end_read(pair.client, got, sizeof(got))) > 0) {
			assert_memory_equal(data + heard, got, (size_t)len);
			heard += (size_t)len;
		}
		assert_int_equal(channel_flush(pair.channel), 0);
		if (written < sizeof(data) &&
		    (len = channel_writes(
			 &pair, data + written, sizeof(data) - written)) > 0)
			written += (size_t)len;
	}
	assert_false(channel_has_unsent(pair.channel));
	pair_fini(&pair);
}

/* The end waits behind what the socket does not take. */
static void
the_end_waits_its_turn(void **state)
{
	static uint8_t data[2000000], got[65536];
	size_t written = 0, heard = 0;
	struct pair pair;
	ssize_t len;

	(void)state;
	open_channel(&pair, TLS_END_1_2);
	while ((len = channel_writes(&pair, data, sizeof(data))) > 0)
		written += (size_t)len;
	channel_finish(pair.channel);
	assert_true(channel_has_unsent(pair.channel));
	assert_false(channel_is_delivered(pair.channel));
	do {
		(void)from_socket(&pair);
		while ((len = tls_end_read(pair.client, got, sizeof(got))) > 0)
			heard += (size_t)len;
		assert_int_equal(channel_flush(pair.channel), 0);
	} while (len != 0);
	assert_int_equal(heard, written);
	assert_int_equal(recv(pair.fd, got, sizeof(got), 0), 0);
	pair_fini(&pair);
}

/* ---- keys ---- */

static void
keys_are_updated(void **state)
{
	struct pair pair;

	(void)state;
	open_channel(&pair, TLS_END_1_3);
	for (int i = 0; i < 20; i++) {
		tls_end_update_keys(pair.client, i % 2 == 0);
		client_says(&pair, "hello", 5);
		expect_to_read(&pair, "hello");
		assert_int_equal(channel_writes(&pair, "answer", 6), 6);
		expect_client_to_read(&pair, "answer");
	}
	pair_fini(&pair);
}

/* OpenSSL alone would fail here: the answer would cut into a record that is
 * half written. */
static void
keys_are_updated_while_writing_is_stopped(void **state)
{
	static uint8_t data[2000000], got[65536];
	size_t written = 0, heard = 0;
	struct pair pair;
	ssize_t len;

	(void)state;
	open_channel(&pair, TLS_END_1_3);
	while ((len = channel_writes(&pair, data, sizeof(data))) > 0)
		written += (size_t)len;
	for (int i = 0; i < 3; i++) {
		tls_end_update_keys(pair.client, true);
		client_says(&pair, "hello", 5);
		expect_to_read(&pair, "hello");
	}
	do {
		(void)from_socket(&pair);
		while ((len = tls_end_read(pair.client, got, sizeof(got))) > 0)
			heard += (size_t)len;
		assert_false(tls_end_is_broken(pair.client));
		assert_int_equal(channel_flush(pair.channel), 0);
	} while (heard < written);
	assert_int_equal(channel_writes(&pair, "answer", 6), 6);
	expect_client_to_read(&pair, "answer");
	pair_fini(&pair);
}

/* Who asks for answers and does not take them is not listened to. */
static void
answers_that_nobody_takes_are_bounded(void **state)
{
	static uint8_t data[2000000];
	static char got[65536];
	struct pair pair;
	unsigned updates = 0, heard = 0;
	ssize_t len;

	(void)state;
	open_channel(&pair, TLS_END_1_3);
	while (channel_writes(&pair, data, sizeof(data)) > 0)
		;
	while (!channel_is_read_held(pair.channel) && updates < 100000) {
		tls_end_update_keys(pair.client, true);
		client_says(&pair, "x", 1);
		updates++;
		len = channel_reads(&pair, got, sizeof(got));
		if (len > 0)
			heard += (unsigned)len;
	}
	assert_true(channel_is_read_held(pair.channel));
	assert_int_equal(channel_reads(&pair, got, sizeof(got)), -EAGAIN);
	assert_false(channel_has_pending(pair.channel));
	while (channel_has_unsent(pair.channel)) {
		(void)from_socket(&pair);
		assert_int_equal(channel_flush(pair.channel), 0);
	}
	for (int i = 0; i < 100 && heard < updates; i++) {
		to_socket(&pair, SIZE_MAX);
		len = channel_reads(&pair, got, sizeof(got));
		if (len > 0)
			heard += (unsigned)len;
		(void)from_socket(&pair);
	}
	assert_int_equal(heard, updates);
	pair_fini(&pair);
}

static void
an_update_behind_our_end_is_taken(void **state)
{
	struct pair pair;

	(void)state;
	open_channel(&pair, TLS_END_1_3);
	channel_finish(pair.channel);
	tls_end_update_keys(pair.client, true);
	client_says(&pair, "still here", 10);
	expect_to_read(&pair, "still here");
	pair_fini(&pair);
}

static void
nothing_is_renegotiated(void **state)
{
	struct pair pair;
	char got[16];

	(void)state;
	open_channel(&pair, TLS_END_1_2);
	tls_end_renegotiate(pair.client);
	to_socket(&pair, SIZE_MAX);
	assert_true(channel_reads(&pair, got, 16) < 0);
	(void)from_socket(&pair);
	assert_int_equal(tls_end_read(pair.client, got, 16), -1);
	assert_true(tls_end_is_broken(pair.client));
	pair_fini(&pair);
}

/* Who takes a little of his answers each time is no dearer. */
static void
answers_that_are_taken_slowly_are_bounded(void **state)
{
	static char got[65536];
	const int small = 1;
	struct pair pair;

	(void)state;
	open_pair(&pair, TLS_END_1_3);
	assert_int_equal(setsockopt(bufferevent_getfd(pair.bev), SOL_SOCKET,
			     SO_SNDBUF, &small, sizeof(small)),
	    0);
	assert_int_equal(bufferevent_disable(pair.bev, EV_READ), 0);
	hand_over(&pair);
	largest = 0;
	for (int i = 0; i < 40000; i++) {
		if (channel_is_read_held(pair.channel)) {
			(void)from_socket(&pair);
			assert_int_equal(channel_flush(pair.channel), 0);
			assert_true(channel_has_unsent(pair.channel));
		} else {
			tls_end_update_keys(pair.client, true);
			client_says(&pair, "x", 1);
			(void)channel_reads(&pair, got, sizeof(got));
		}
	}
	assert_in_range(largest, 65536, 163840);
	pair_fini(&pair);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(both_versions_are_spoken),
	    cmocka_unit_test(an_octet_at_a_time_is_enough),
	    cmocka_unit_test(older_versions_are_refused),
	    cmocka_unit_test(the_minimum_can_be_1_3),
	    cmocka_unit_test(what_is_no_tls_ends_at_its_first_octet),
	    cmocka_unit_test(garbage_in_a_handshake_has_a_reason),
	    cmocka_unit_test(a_client_that_goes_away_is_an_end),
	    cmocka_unit_test(client_certificates_are_demanded),
	    cmocka_unit_test(bad_files_are_named),
	    cmocka_unit_test(a_certificate_has_its_time),
	    cmocka_unit_test(the_handover_loses_nothing),
	    cmocka_unit_test(what_openssl_holds_is_pending),
	    cmocka_unit_test(the_handover_may_come_in_a_callback),
	    cmocka_unit_test(half_closes_go_both_ways),
	    cmocka_unit_test(an_end_without_its_word_is_none),
	    cmocka_unit_test(what_was_changed_on_its_way_is_noticed),
	    cmocka_unit_test(a_client_that_is_gone_breaks_writing),
	    cmocka_unit_test(a_full_socket_stops_writing),
	    cmocka_unit_test(the_end_waits_its_turn),
	    cmocka_unit_test(keys_are_updated),
	    cmocka_unit_test(keys_are_updated_while_writing_is_stopped),
	    cmocka_unit_test(answers_that_nobody_takes_are_bounded),
	    cmocka_unit_test(answers_that_are_taken_slowly_are_bounded),
	    cmocka_unit_test(an_update_behind_our_end_is_taken),
	    cmocka_unit_test(nothing_is_renegotiated),
	};
	const struct sigaction ignore = {.sa_handler = SIG_IGN};

	(void)sigaction(SIGPIPE, &ignore, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
