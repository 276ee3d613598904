/* SPDX-License-Identifier: MIT */
/*
 * What no rule of a row can say of one value. Whatever is refused here is refused by all who read
 * the configuration, with the place it stands in.
 */
#include "config/inside.h"

#include <arpa/inet.h>
#include <string.h>

static int check_listen(const char *key, const char *listen, struct refusal *why)
{
    struct in6_addr address;

    if (inet_pton(AF_INET, listen, &address) == 1 || inet_pton(AF_INET6, listen, &address) == 1)
        return 0;
    return refuse(why, OUTCOME_USAGE, key,
                  "%s: '%s' is not accepted; expected an IPv4 or IPv6 address", key, listen);
}

/* A relative one would be looked for in the working directory, which under "reeve start" is the
   controller's own state: neither where the file is nor where the operator stood. */
static int check_path(const char *key, bool has_path, const char *path, struct refusal *why)
{
    if (!has_path || path[0] == '/')
        return 0;
    return refuse(why, OUTCOME_USAGE, key,
                  "%s: '%.200s' is not accepted; expected an absolute path, such as "
                  "/etc/reeve/tls/%.200s",
                  key, path, path);
}

int check_controller(const void *values, struct refusal *why)
{
    const struct controller_config *config = values;
    const struct config_tls *tls = &config->tls;

    int r = check_listen("listen", config->listen, why);
    if (!r)
        r = check_listen("metrics.listen", config->metrics.listen, why);
    if (!r)
        r = check_path("tls.certificate", tls->has_certificate, tls->certificate, why);
    if (!r)
        r = check_path("tls.key", tls->has_key, tls->key, why);
    return r;
}
