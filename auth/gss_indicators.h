/* SPDX-License-Identifier: ISC */
/* How the client proved itself to the KDC: the authentication indicators that
 * its ticket carries, as the KDC signed them for our key. */
#ifndef AUTH_GSS_INDICATORS_H
#define AUTH_GSS_INDICATORS_H

#include <gssapi/gssapi.h>
#include <stdbool.h>

#include "base/compiler.h"
#include "base/identity.h"

/*
 * Writes those of the name of an accepted client, with a space between two;
 * "" if there are none.  False if there are more than fit, or one is not a
 * word: then a rule could not be judged.
 */
bool gssindicators_read(
    gss_name_t client, char out[IDENTITY_INDICATORS_SIZE]) must_check;

#endif
