/* SPDX-License-Identifier: ISC */
/* What contexts are accepted with, as libgssapi wants it. */
#include "auth/gss_credential.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <gssapi/gssapi_ext.h>
#include <gssapi/gssapi_krb5.h>

#include "auth/gss_status.h"

#define NAME_SIZE 512
#define SAID_SIZE 512

struct gsscredential {
	char keytab[NAME_SIZE], replay_cache[NAME_SIZE];
	gss_cred_id_t krb5;
	gss_cred_id_t spnego; /* GSS_C_NO_CREDENTIAL until it is asked for */
};

/* 1.3.6.1.5.5.2, RFC 4178 */
static uint8_t spnego_octets[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x02};
static gss_OID_desc spnego_mech = {sizeof(spnego_octets), spnego_octets};

/* An unwritable cache would fail every login, so it fails the start. */
static int
try_replay_cache(const char *path, char *why, size_t why_size)
{
	int fd = open(path, O_CREAT | O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0) {
		(void)snprintf(why, why_size,
		    "the replay cache %s cannot be written: %s", path,
		    strerror(errno));
		return -1;
	}
	(void)close(fd);
	return 0;
}

static OM_uint32
acquire(struct gsscredential *credential, gss_OID mech, gss_cred_id_t *out,
    OM_uint32 *minor)
{
	gss_key_value_element_desc elements[] = {{"keytab", credential->keytab},
	    {"rcache", credential->replay_cache}};
	gss_key_value_set_desc store = {ARRAY_COUNT(elements), elements};
	gss_OID_set_desc mechs = {1, mech};

	return gss_acquire_cred_from(minor, GSS_C_NO_NAME, GSS_C_INDEFINITE,
	    &mechs, GSS_C_ACCEPT, &store, out, NULL, NULL);
}

/* Kerberos 5 only: no SPNEGO, no IAKERB, whatever libgssapi knows. */
static int
acquire_krb5(struct gsscredential *credential, const char *keytab, char *why,
    size_t why_size)
{
	char said[SAID_SIZE];
	OM_uint32 minor, major = acquire(credential, (gss_OID)gss_mech_krb5,
			     &credential->krb5, &minor);

	if (major == GSS_S_COMPLETE)
		return 0;
	gssstatus_print(said, sizeof(said), major, minor);
	(void)snprintf(
	    why, why_size, "the keytab %s cannot be used: %s", keytab, said);
	return -1;
}

static int
name_files(struct gsscredential *credential, const char *keytab,
    const char *replay_cache, char *why, size_t why_size)
{
	if (snprintf(credential->keytab, NAME_SIZE, "FILE:%s", keytab) <
		NAME_SIZE &&
	    snprintf(credential->replay_cache, NAME_SIZE, "file2:%s",
		replay_cache) < NAME_SIZE)
		return 0;
	(void)snprintf(why, why_size,
	    "the path of the keytab or the replay cache is too long");
	return -1;
}

struct gsscredential *
gsscredential_new(
    const char *keytab, const char *replay_cache, char *why, size_t why_size)
{
	struct gsscredential *credential = calloc(1, sizeof(*credential));

	if (credential == NULL) {
		(void)snprintf(why, why_size, "%s", strerror(ENOMEM));
		return NULL;
	}
	if (try_replay_cache(replay_cache, why, why_size) < 0 ||
	    name_files(credential, keytab, replay_cache, why, why_size) < 0 ||
	    acquire_krb5(credential, keytab, why, why_size) < 0) {
		gsscredential_free(credential);
		return NULL;
	}
	return credential;
}

void
gsscredential_free(struct gsscredential *credential)
{
	OM_uint32 minor;

	if (credential == NULL)
		return;
	(void)gss_release_cred(&minor, &credential->krb5);
	(void)gss_release_cred(&minor, &credential->spnego);
	free(credential);
}

gss_cred_id_t
gsscredential_krb5(const struct gsscredential *credential)
{
	return credential->krb5;
}

OM_uint32
gsscredential_spnego(
    struct gsscredential *credential, gss_cred_id_t *spnego, OM_uint32 *minor)
{
	gss_OID_set_desc krb5 = {1, (gss_OID)gss_mech_krb5};
	OM_uint32 major = GSS_S_COMPLETE, ignored;

	if (credential->spnego == GSS_C_NO_CREDENTIAL) {
		major = acquire(
		    credential, &spnego_mech, &credential->spnego, minor);
		if (major == GSS_S_COMPLETE)
			major =
			    gss_set_neg_mechs(minor, credential->spnego, &krb5);
		if (major != GSS_S_COMPLETE)
			(void)gss_release_cred(&ignored, &credential->spnego);
	}
	*spnego = credential->spnego;
	return major;
}
