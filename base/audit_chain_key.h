/* SPDX-License-Identifier: ISC */
/*
 * The file with the audit chain's running key: "epoch N\nkey HEX\n".
 *
 * It stands in the auditor's folder, is read by the auditor alone, and is
 * replaced whole, so that a crash leaves the old one or the new one.
 */
#ifndef BASE_AUDIT_CHAIN_KEY_H
#define BASE_AUDIT_CHAIN_KEY_H

#include <stdbool.h>

#include "base/audit_chain.h"

#define AUDIT_CHAIN_KEY_FILE "chain.key"
/* As hexadecimal digits, with the final NUL. */
#define AUDIT_CHAIN_HEX_SIZE (2 * AUDIT_CHAIN_KEY_SIZE + 1)

/* 64 lower-case hexadecimal digits, and the way back. */
void audit_chain_key_print(
    const uint8_t octets[AUDIT_CHAIN_KEY_SIZE], char hex[AUDIT_CHAIN_HEX_SIZE]);
bool audit_chain_key_parse(const char *hex, size_t len,
    uint8_t octets[AUDIT_CHAIN_KEY_SIZE]) must_check;

/*
 * Reads the file in the folder into epoch and key; the MAC becomes zeros, and
 * is the caller's to fill in.  0 or -errno: -ENOENT, there is none; -EBADMSG,
 * it is not of that form.
 */
int audit_chain_key_read(int folder, struct audit_chain *chain) must_check;

/* Writes it anew, mode 0600, and returns when it is on the disk and the old
 * one is gone from the folder.  0 or -errno. */
int
audit_chain_key_write(int folder, const struct audit_chain *chain) must_check;

#endif
