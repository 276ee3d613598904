/* SPDX-License-Identifier: MIT */
/*
 * The REST API: the service behind the HTTP server.
 */
#ifndef REEVE_CONTROLLER_API_H
#define REEVE_CONTROLLER_API_H

#include "controller/core.h"
#include "http/access.h"
#include "http/http.h"

#define API_NO_BODY_MAX ((size_t)1 << 10) /* of an operation without body fields: room for {} */

struct api;

struct bulk;

/* All four outlive it. */
struct api *api_new(struct ledger *ledger, struct core *core, struct bulk *bulk,
                    struct access *access);
void api_free(struct api *api);

/* Its owner is a struct api. */
extern const struct http_service api_service;

#endif
