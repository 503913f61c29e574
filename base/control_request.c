/* SPDX-License-Identifier: ISC */
/* What the gateway asks of the master for an administrator. */
#include "base/control_request.h"

#include "base/must.h"
#include "base/wire.h"

size_t
control_request_encode(
    const struct control_request *request, uint8_t out[CONTROL_REQUEST_MAX])
{
	struct wire_writer writer;

	wire_writer_init(&writer, out, CONTROL_REQUEST_MAX);
	wire_put_u8(&writer, (uint8_t)request->verb);
	wire_put_u32(&writer, request->seconds);
	wire_put_u32(&writer, request->number);
	wire_put_u32(&writer, request->uid);
	wire_put_u32(&writer, request->pid);
	must(!writer.failed);
	return writer.len;
}

bool
control_request_decode(
    const void *data, size_t len, struct control_request *request)
{
	struct wire_reader reader;
	uint8_t verb;

	wire_reader_init(&reader, data, len);
	verb = wire_get_u8(&reader);
	request->verb = (enum control_verb)verb;
	request->seconds = wire_get_u32(&reader);
	request->number = wire_get_u32(&reader);
	request->uid = wire_get_u32(&reader);
	request->pid = wire_get_u32(&reader);
	return wire_is_done(&reader) && verb > 0 && verb < CONTROL_VERB_END;
}

size_t
control_answer_encode(
    const struct control_answer *answer, uint8_t out[CONTROL_ANSWER_MAX])
{
	struct wire_writer writer;

	wire_writer_init(&writer, out, CONTROL_ANSWER_MAX);
	wire_put_u8(&writer, answer->is_done);
	wire_put_string(&writer, answer->sentence);
	must(!writer.failed);
	return writer.len;
}

bool
control_answer_decode(
    const void *data, size_t len, struct control_answer *answer)
{
	struct wire_reader reader;
	uint8_t is_done;

	wire_reader_init(&reader, data, len);
	is_done = wire_get_u8(&reader);
	answer->is_done = is_done == 1;
	wire_get_string(&reader, answer->sentence, sizeof(answer->sentence));
	return wire_is_done(&reader) && is_done <= 1;
}
