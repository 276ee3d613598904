/* SPDX-License-Identifier: MIT */
/*
 * The address that metrics are scraped from: /metrics, /health and /health/ready, without a token.
 *
 * A server of its own with one thread, so that it can stand where the API must not, and answers
 * when the API's loops are busy.
 */
#ifndef REEVE_CONTROLLER_SCRAPE_H
#define REEVE_CONTROLLER_SCRAPE_H

#include "controller/core.h"

/* `config` enabled. 0; OUTCOME_UNAVAILABLE, *why names the address and the key. */
int scrape_open(const struct config_metrics *config, struct core *core, struct http_server **ret,
                struct refusal *why);

#endif
