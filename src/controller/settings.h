/* SPDX-License-Identifier: MIT */
/*
 * The controller's configuration, from its values to those who go by them.
 *
 * Whoever needs a part of it for longer than a call copies it. A configuration is taken whole or
 * not at all: what can fail comes before anything is handed on.
 */
#ifndef REEVE_CONTROLLER_SETTINGS_H
#define REEVE_CONTROLLER_SETTINGS_H

#include "base/log.h"
#include "catalog/catalog.h"
#include "controller/retention.h"
#include "http/access.h"
#include "http/http.h"

/* Of an address that is one. */
bool settings_is_loopback(const char *listen);
/* What is between keys, or rests on what roles are. 0; OUTCOME_USAGE. */
int settings_check(const struct controller_config *config, struct refusal *why);
enum log_level settings_log_level(const struct controller_config *config);
struct http_tls settings_tls(const struct controller_config *config);

/* Who is told of keys that take effect with a reload. */
struct settings_takers {
    struct access *access;
    struct http_server *server;
    struct retention *retention;
};
/* Before anybody is let in. `config` was checked. 0; OUTCOME_USAGE. */
int settings_let_in(const struct controller_config *config, struct access *access,
                    struct refusal *why);
/* All takers, at the start and at each reload. `config` was checked. The files of TLS are read
   again whether or not their names changed, since renewing replaces them. 0; OUTCOME_USAGE;
   OUTCOME_UNAVAILABLE: what was handed on before stays as it was. */
int settings_apply(const struct controller_config *config, const struct settings_takers *takers,
                   struct refusal *why);

#endif
