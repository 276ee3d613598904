/* SPDX-License-Identifier: MIT */
/*
 * reeve-controller: starts ledger, core and HTTP server, and stops them in the opposite order.
 *
 * Only this file exits. A start that fails says why in one line and exits with 1, wrong usage
 * with 2.
 */
#include "base/clock.h"
#include "base/ending.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/notify.h"
#include "base/version.h"
#include "bus/seal.h"
#include "config/config.h"
#include "controller/api.h"
#include "controller/bulk.h"
#include "controller/retention.h"
#include "controller/scrape.h"
#include "controller/settings.h"
#include "http/credentials.h"
#include "http/revoked.h"

#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONNECTIONS_MAX 16000
#define LOOPS_MAX       64             /* struct http_options */
#define STOP_GRACE_US   (8 * US_PER_S) /* less than a supervisor waits before it kills */

struct controller {
    struct config_followed followed;
    const struct controller_config *config; /* of the start */
    int64_t ready_fd;                       /* -1: nobody wants to know */
    struct access *access;
    struct ledger *ledger;
    struct seal_key seal_key;
    struct core *core;
    struct retention *retention;
    struct bulk *bulk;
    struct api *api;
    struct http_server *server;
    struct http_server *scrape; /* NULL: metrics are not served */
};

/* ---- configuration ---- */

static void note_change(void *owner, const char *path, const struct field *field)
{
    (void)owner;
    log_event(LOG_NOTICE, field->place == PLACE_RELOAD ? "config.changed" : "config.needs_restart",
              LOG_TEXT("key", path));
}

static int take_settings(void *owner, const void *values, struct refusal *why)
{
    const struct controller *controller = owner;
    const struct settings_takers takers = {
        .access = controller->access,
        .server = controller->server,
        .retention = controller->retention,
    };

    int r = settings_check(values, why);
    return r ? r : settings_apply(values, &takers, why);
}

static void reload(struct controller *controller)
{
    struct refusal why = {.text = ""};
    const struct config_follower follower = {
        .take = take_settings, .note = note_change, .owner = controller};

    int r = config_follow_again(&controller->followed, &follower, &why);
    if (r) {
        log_event(LOG_ERROR, "config.refused", LOG_TEXT("why", r < 0 ? fault_text() : why.text));
        return;
    }
    const char *file = controller->followed.now->config.file;
    log_event(LOG_NOTICE, "config.reloaded", LOG_TEXT("file", file ? file : ""));
}

/* ---- the process ---- */

/* What it holds is nobody else's to read: no dump, no core file, no file that others can open. */
static int harden(struct refusal *why)
{
    struct rlimit no_core = {0}, files;

    umask(077);
    if (prctl(PR_SET_DUMPABLE, 0) < 0 || setrlimit(RLIMIT_CORE, &no_core) < 0)
        return refuse(why, OUTCOME_UNAVAILABLE, NULL, "this process can't be protected: %s",
                      strerror(errno));
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files); /* fewer connections otherwise */
    }
    signal(SIGPIPE, SIG_IGN);
    return 0;
}

/* Blocked in all threads, read from a descriptor. */
static int take_signals(int *ret_fd)
{
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    *ret_fd = signalfd(-1, &signals, SFD_CLOEXEC);
    return *ret_fd < 0 ? FAULT(-errno) : 0;
}

/* ---- start ---- */

static int path_of(const struct controller *controller, const char *name, char ret[PATH_MAX],
                   struct refusal *why)
{
    int size = snprintf(ret, PATH_MAX, "%s/%s", controller->config->state, name);

    if (size >= PATH_MAX)
        return refuse(why, OUTCOME_UNAVAILABLE, NULL,
                      "the path of the state directory is too long");
    return 0;
}

static int open_state(struct controller *controller, struct refusal *why)
{
    const char *dir = controller->config->state;
    char key[PATH_MAX], token[PATH_MAX], revoked[PATH_MAX], ledger[PATH_MAX];

    int r = dir_make(dir, 0700);
    if (r)
        return refuse(why, OUTCOME_UNAVAILABLE, NULL, "%s can't be made: %s", dir, strerror(-r));
    r = path_of(controller, "ledger", ledger, why);
    if (!r)
        r = path_of(controller, "key", key, why);
    if (!r)
        r = path_of(controller, "token", token, why);
    if (!r)
        r = path_of(controller, REVOKED_FILE, revoked, why);
    if (!r) /* first: it is the lock of the directory */
        r = ledger_open(ledger, &controller->ledger, why);
    if (r)
        return r;
    bool has_failed = false;
    if (ending_begin(dir, clock_now_us(), &has_failed) == 0 && has_failed)
        log_event(LOG_WARNING, "controller.had_failed",
                  LOG_TEXT("why", "the one before did not end by itself"));
    struct credentials_paths paths = {.key = key, .token = token};
    struct token_key token_key;
    r = credentials_open(&paths, clock_now_us(), &token_key, why);
    if (r)
        return r;
    controller->access = access_new(&token_key, revoked);
    explicit_bzero(&token_key, sizeof(token_key));
    r = settings_let_in(controller->config, controller->access, why);
    if (r)
        return r;
    char sealing[PATH_MAX];
    r = path_of(controller, SEAL_KEY_FILE, sealing, why);
    return r ? r : seal_key_open(sealing, &controller->seal_key, why);
}

static unsigned n_loops(const struct controller_config *config)
{
    long n_processors = sysconf(_SC_NPROCESSORS_ONLN);

    if (config->has_loops)
        return (unsigned)config->loops;
    if (n_processors < 1)
        return 1;
    return n_processors > LOOPS_MAX ? LOOPS_MAX : (unsigned)n_processors;
}

static int open_server(struct controller *controller, struct refusal *why)
{
    struct http_options options = {
        .listen = controller->config->listen,
        .port = (uint16_t)controller->config->port,
        .n_loops = n_loops(controller->config),
        .connections_max = CONNECTIONS_MAX,
        .tls = settings_tls(controller->config),
        .service = &api_service,
    };

    controller->bulk = bulk_new(controller->core);
    controller->api =
        api_new(controller->ledger, controller->core, controller->bulk, controller->access);
    options.owner = controller->api;
    int r = http_open(&options, &controller->server, why);
    if (r)
        return r;
    r = core_start(controller->core, controller->server);
    return r ? r : bulk_start(controller->bulk);
}

static int open_retention(struct controller *controller, struct refusal *why)
{
    char archive[PATH_MAX];

    int r = path_of(controller, "archive", archive, why);
    return r ? r : retention_start(controller->core, archive, &controller->retention);
}

/* STATE/url, for the command line on this machine; nothing else depends on it. */
static void note_url(const struct controller *controller, struct slice url)
{
    char path[PATH_MAX];
    struct refusal why;

    if (path_of(controller, "url", path, &why) || file_write(path, url, 0600))
        log_event(LOG_WARNING, "controller.url_not_written", LOG_TEXT("why", fault_text()));
}

static int announce(const struct controller *controller)
{
    const char *listen = controller->config->listen;
    const char *scheme = controller->config->tls.has_certificate ? "https" : "http";
    bool is_v6 = strchr(listen, ':') != NULL;
    unsigned port = http_port(controller->server);
    int fd = (int)controller->ready_fd;
    CLEANUP(buf_release) struct buf url;

    buf_init(&url, PATH_MAX);
    buf_printf(&url, "%s://%s%s%s:%u\n", scheme, is_v6 ? "[" : "", listen, is_v6 ? "]" : "", port);
    note_url(controller, buf_slice(&url));
    log_event(LOG_NOTICE, "controller.ready", LOG_TEXT("listen", listen), LOG_NUMBER("port", port),
              LOG_TEXT("version", version_text()));
    notify(NOTIFY_READY);
    if (fd < 0)
        return 0;
    int r = fd_write_all(fd, url.at, url.size);
    close(fd);
    return r;
}

static int start(struct controller *controller, struct refusal *why)
{
    int r = open_state(controller, why);

    if (!r)
        r = core_open(controller->ledger, &controller->seal_key,
                      controller->config->has_bus ? controller->config->bus : NULL,
                      &controller->core, why);
    if (!r)
        r = open_server(controller, why);
    if (!r)
        r = open_retention(controller, why);
    if (!r && controller->config->metrics.enabled)
        r = scrape_open(&controller->config->metrics, controller->core, &controller->scrape, why);
    if (!r)
        r = take_settings(controller, controller->config, why);
    if (!r)
        r = announce(controller);
    return r;
}

/* ---- run, stop ---- */

/* False: it is to end. */
static bool take_signal(struct controller *controller, int signal_fd)
{
    struct signalfd_siginfo signal;

    if (read(signal_fd, &signal, sizeof(signal)) != sizeof(signal))
        return true;
    if (signal.ssi_signo != SIGHUP)
        return false;
    reload(controller);
    return true;
}

/* How long to sleep, and then whether to tell the service manager that all goes well. */
static int watchdog_ms(void)
{
    int64_t interval_us = notify_watchdog_us();

    return interval_us == INT64_MAX ? -1 : (int)(interval_us / 3 / US_PER_MS);
}

/* Until a signal; or the core's end, after which no request can end well. */
static int run(struct controller *controller, int signal_fd, int64_t *ret_grace_us)
{
    struct pollfd wait[] = {
        {.fd = signal_fd, .events = POLLIN},
        {.fd = core_ended_fd(controller->core), .events = POLLIN},
    };

    do {
        if (poll(wait, COUNT_OF(wait), watchdog_ms()) < 0 && errno != EINTR)
            return FAULT(-errno);
        if (core_turns(controller->core, clock_boot_us()))
            notify(NOTIFY_WATCHDOG);
    } while (!wait[1].revents && (!wait[0].revents || take_signal(controller, signal_fd)));
    *ret_grace_us = wait[1].revents ? 0 : STOP_GRACE_US;
    return 0;
}

/* Requests first, then what they caused, then the ledger; each may be missing after a failed
   start. */
static int stop(struct controller *controller, int64_t grace_us)
{
    bulk_stop(controller->bulk);
    if (controller->scrape)
        http_close(controller->scrape);
    if (controller->server)
        http_stop(controller->server, grace_us);
    int ended = retention_stop(controller->retention);
    int r = controller->core ? core_stop(controller->core) : 0;
    if (r)
        return r; /* its batch is lost; the ledger is as the last commit left it */
    if (controller->server)
        http_close(controller->server); /* until now the core may have answered */
    api_free(controller->api);
    bulk_free(controller->bulk);
    core_close(controller->core);
    if (controller->ledger) {
        ending_clean(controller->config->state);
        ledger_close(controller->ledger); /* last: it is the lock of the directory */
    }
    access_free(controller->access);
    explicit_bzero(&controller->seal_key, sizeof(controller->seal_key));
    return ended;
}

static int serve(struct controller *controller)
{
    struct refusal why = {0};
    int signal_fd;

    int r = harden(&why);
    if (!r)
        r = take_signals(&signal_fd);
    if (!r)
        r = start(controller, &why);
    if (r) {
        if (r < 0)
            refuse(&why, OUTCOME_FAULT, NULL, "can't start on the state in %s: %s",
                   controller->config->state, fault_text());
        fprintf(stderr, "reeve-controller: %s\n", why.text);
        stop(controller, 0);
        return EXIT_FAILURE;
    }
    int64_t grace_us = 0;
    r = run(controller, signal_fd, &grace_us);
    notify(NOTIFY_STOPPING);
    log_event(LOG_NOTICE, "controller.stopping", LOG_NUMBER("grace_s", grace_us / US_PER_S));
    int stopped = stop(controller, grace_us);
    close(signal_fd);
    return r || stopped ? EXIT_FAILURE : EXIT_SUCCESS;
}

static void print_help(void)
{
    CLEANUP(buf_release) struct buf text;

    buf_init(&text, CONFIG_FILE_MAX);
    config_write_help(&config_controller, &text);
    fputs(buf_text(&text), stdout);
}

int main(int argc, char **argv)
{
    struct controller controller = {.ready_fd = -1};
    struct config_flags flags;
    struct refusal why = {0};

    int r =
        config_follow(&config_controller, argv + (argc > 0), &flags, &controller.followed, &why);
    if (!r && controller.followed.first)
        r = settings_check(controller.followed.first->values, &why);
    if (r) {
        fprintf(stderr, "reeve-controller: %s\n", why.text);
        config_followed_release(&controller.followed);
        return outcome_exit((enum outcome)r);
    }
    if (flags.help)
        print_help();
    else if (flags.version)
        printf("reeve-controller %s, commit %s of %s, REST API %s\n", version_text(),
               version_commit(), version_built(), VERSION_API);
    if (!controller.followed.first)
        return EXIT_SUCCESS;
    controller.config = controller.followed.first->values;
    controller.ready_fd = flags.ready_fd;
    log_setup(config_controller.name, settings_log_level(controller.config),
              controller.config->log_json);
    mallopt(M_MMAP_THRESHOLD, 256 << 10); /* what a large reply took goes back to the system */
    int status = serve(&controller);
    config_followed_release(&controller.followed);
    return status;
}
