/* SPDX-License-Identifier: MIT */
/*
 * Which Reeve this is.
 */
#ifndef REEVE_BASE_VERSION_H
#define REEVE_BASE_VERSION_H

#define VERSION_API "1" /* of the REST API */

const char *version_text(void);   /* "0.1.0" */
const char *version_commit(void); /* "3f2c1aa", or "unknown" outside a checkout */
/* Date of that commit, RFC 3339: the same source gives the same program. */
const char *version_built(void);

#endif
