/* SPDX-License-Identifier: MIT */
/*
 * Checking and handing on the controller's configuration.
 */
#include "controller/settings.h"

#include "base/clock.h"

#define DAY_S              ((int64_t)86400)
#define CERTIFICATE_SOON_S (14 * DAY_S)

/* ---- check ---- */

bool settings_is_loopback(const char *listen)
{
    return strncmp(listen, "127.", 4) == 0 || strcmp(listen, "::1") == 0;
}

static int make_roles(const struct controller_config *config, struct role_set *ret,
                      struct refusal *why)
{
    role_set_init(ret);
    return role_set_add(ret, &config->roles, why);
}

int settings_check(const struct controller_config *config, struct refusal *why)
{
    struct role_set roles;

    int r = make_roles(config, &roles, why);
    if (r || settings_is_loopback(config->listen) || config->tls.has_certificate ||
        config->insecure)
        return r;
    return refuse(
        why, OUTCOME_USAGE, "listen",
        "listen: %s is not loopback, and tokens and results could be read on the way: set "
        "tls.certificate and tls.key, or insecure: true (--insecure) where the way is safe",
        config->listen);
}

/* ---- hand on ---- */

enum log_level settings_log_level(const struct controller_config *config)
{
    enum log_level level = LOG_NOTICE;

    log_level_parse(log_word_words[config->log_level].word, &level);
    return level;
}

struct http_tls settings_tls(const struct controller_config *config)
{
    return (struct http_tls){
        .certificate = config->tls.has_certificate ? config->tls.certificate : NULL,
        .key = config->tls.has_key ? config->tls.key : NULL,
    };
}

/* Clients refuse one that has ended; it is served so that they can say so. */
static void note_certificate(struct http_server *server)
{
    int64_t left_s = http_tls_expires_s(server) - clock_now_us() / US_PER_S;

    if (left_s < 0)
        log_event(LOG_WARNING, "tls.expired", LOG_NUMBER("days_ago", -left_s / DAY_S));
    else if (left_s < CERTIFICATE_SOON_S)
        log_event(LOG_WARNING, "tls.expires_soon", LOG_NUMBER("days", left_s / DAY_S));
}

static int apply_tls(const struct controller_config *config, struct http_server *server,
                     struct refusal *why)
{
    struct http_tls tls = settings_tls(config);
    bool has_tls = http_tls_expires_s(server) != 0;

    if (!tls.certificate && !has_tls)
        return 0;
    int r = http_tls_reload(server, &tls, why);
    if (!r)
        note_certificate(server);
    return r;
}

int settings_let_in(const struct controller_config *config, struct access *access,
                    struct refusal *why)
{
    struct role_set roles;

    int r = make_roles(config, &roles, why);
    if (r)
        return r;
    access_set_roles(access, &roles);
    access_set_limits(access, &config->limits);
    return 0;
}

int settings_apply(const struct controller_config *config, const struct settings_takers *takers,
                   struct refusal *why)
{
    int r = apply_tls(config, takers->server, why);
    if (!r)
        r = settings_let_in(config, takers->access, why);
    if (r)
        return r;
    log_set_lowest(settings_log_level(config));
    retention_follow(takers->retention, &config->retention);
    return 0;
}
