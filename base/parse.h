/* SPDX-License-Identifier: ISC */
/* What a parser of wire bytes says: pure functions, no allocation, no I/O. */
#ifndef BASE_PARSE_H
#define BASE_PARSE_H

enum parse_result {
	PARSE_DONE, /* a whole message; *consumed says how long */
	PARSE_MORE, /* so far so good, but octets are missing */
	PARSE_BAD   /* never a message, whatever comes; *why says why */
};

#endif
