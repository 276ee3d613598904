/* SPDX-License-Identifier: MIT */
/*
 * reeve-controller: starts ledger, core and HTTP server, and stops them in the opposite order.
 *
 * Only this file exits. A start that fails says why in one line and exits with 1, wrong usage
 * with 2.
 */
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/version.h"
#include "controller/api.h"
#include "controller/options.h"
#include "http/credentials.h"

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
#define STOP_GRACE_US   (10 * US_PER_S)

struct controller {
    const struct controller_options *options;
    struct token_key key;
    struct ledger *ledger;
    struct core *core;
    struct api *api;
    struct http_server *server;
};

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
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    *ret_fd = signalfd(-1, &signals, SFD_CLOEXEC);
    return *ret_fd < 0 ? FAULT(-errno) : 0;
}

/* ---- start ---- */

static int path_of(const struct controller *controller, const char *name, char ret[PATH_MAX],
                   struct refusal *why)
{
    int size = snprintf(ret, PATH_MAX, "%s/%s", controller->options->state, name);

    if (size >= PATH_MAX)
        return refuse(why, OUTCOME_UNAVAILABLE, NULL,
                      "the path of the state directory is too long");
    return 0;
}

static int open_state(struct controller *controller, struct refusal *why)
{
    const char *dir = controller->options->state;
    char key[PATH_MAX], token[PATH_MAX], ledger[PATH_MAX];

    int r = dir_make(dir, 0700);
    if (r)
        return refuse(why, OUTCOME_UNAVAILABLE, NULL, "%s can't be made: %s", dir, strerror(-r));
    r = path_of(controller, "ledger", ledger, why);
    if (!r)
        r = path_of(controller, "key", key, why);
    if (!r)
        r = path_of(controller, "token", token, why);
    if (!r) /* first: it is the lock of the directory */
        r = ledger_open(ledger, &controller->ledger, why);
    if (r)
        return r;
    struct credentials_paths paths = {.key = key, .token = token};
    return credentials_open(&paths, clock_now_us(), &controller->key, why);
}

static int open_server(struct controller *controller, struct refusal *why)
{
    struct http_options options = {
        .listen = controller->options->listen,
        .port = (uint16_t)controller->options->port,
        .n_loops = (unsigned)controller->options->n_loops,
        .connections_max = CONNECTIONS_MAX,
        .service = &api_service,
    };

    controller->api = api_new(controller->ledger, controller->core, &controller->key);
    options.owner = controller->api;
    int r = http_open(&options, &controller->server, why);
    if (r)
        return r;
    return core_start(controller->core, controller->server);
}

static bool is_loopback(const char *listen)
{
    return strncmp(listen, "127.", 4) == 0 || strcmp(listen, "::1") == 0;
}

static int announce(const struct controller *controller)
{
    const char *listen = controller->options->listen;
    bool is_v6 = strchr(listen, ':') != NULL;
    unsigned port = http_port(controller->server);
    int fd = (int)controller->options->ready_fd;

    if (!is_loopback(listen))
        log_event(
            LOG_WARNING, "controller.plain_http", LOG_TEXT("listen", listen),
            LOG_TEXT("why", "tokens and results can be read on the way; put a TLS proxy in front"));
    log_event(LOG_NOTICE, "controller.ready", LOG_TEXT("listen", listen), LOG_NUMBER("port", port),
              LOG_TEXT("version", version_text()));
    if (fd < 0)
        return 0;
    CLEANUP(buf_release) struct buf url;
    buf_init(&url, PATH_MAX);
    buf_printf(&url, "http://%s%s%s:%u\n", is_v6 ? "[" : "", listen, is_v6 ? "]" : "", port);
    int r = fd_write_all(fd, url.at, url.size);
    close(fd);
    return r;
}

static int start(struct controller *controller, struct refusal *why)
{
    int r = open_state(controller, why);

    if (!r)
        r = core_open(controller->ledger, controller->options->bus, &controller->core, why);
    if (!r)
        r = open_server(controller, why);
    if (!r)
        r = announce(controller);
    return r;
}

/* ---- run, stop ---- */

/* Until a signal; or the core's end, after which no request can end well. */
static int run(const struct controller *controller, int signal_fd, int64_t *ret_grace_us)
{
    struct pollfd wait[] = {
        {.fd = signal_fd, .events = POLLIN},
        {.fd = core_ended_fd(controller->core), .events = POLLIN},
    };

    while (poll(wait, COUNT_OF(wait), -1) < 0) {
        if (errno != EINTR)
            return FAULT(-errno);
    }
    *ret_grace_us = wait[1].revents ? 0 : STOP_GRACE_US;
    return 0;
}

/* Requests first, then what they caused, then the ledger; each may be missing after a failed
   start. */
static int stop(struct controller *controller, int64_t grace_us)
{
    if (controller->server)
        http_close(controller->server, grace_us);
    api_free(controller->api);
    int r = controller->core ? core_stop(controller->core) : 0;
    if (r)
        return r; /* its batch is lost; the ledger is as the last commit left it */
    core_close(controller->core);
    if (controller->ledger)
        ledger_close(controller->ledger);
    explicit_bzero(&controller->key, sizeof(controller->key));
    return 0;
}

static int serve(const struct controller_options *options)
{
    struct controller controller = {.options = options};
    struct refusal why = {0};
    int signal_fd;

    int r = harden(&why);
    if (!r)
        r = take_signals(&signal_fd);
    if (!r)
        r = start(&controller, &why);
    if (r) {
        if (r < 0)
            refuse(&why, OUTCOME_FAULT, NULL, "can't start on the state in %s: %s", options->state,
                   fault_text());
        fprintf(stderr, "reeve-controller: %s\n", why.text);
        stop(&controller, 0);
        return EXIT_FAILURE;
    }
    int64_t grace_us = 0;
    r = run(&controller, signal_fd, &grace_us);
    log_event(LOG_NOTICE, "controller.stopping", LOG_NUMBER("grace_s", grace_us / US_PER_S));
    int stopped = stop(&controller, grace_us);
    close(signal_fd);
    return r || stopped ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    struct controller_options options;
    struct refusal why = {0};

    int r = controller_options_parse(argc, argv, &options, &why);
    if (r) {
        fprintf(stderr, "reeve-controller: %s (see --help)\n", why.text);
        return outcome_exit(OUTCOME_USAGE);
    }
    if (options.help) {
        fputs(controller_help, stdout);
        return EXIT_SUCCESS;
    }
    if (options.version) {
        printf("reeve-controller %s, commit %s of %s, REST API %s\n", version_text(),
               version_commit(), version_built(), VERSION_API);
        return EXIT_SUCCESS;
    }
    log_setup("reeve-controller", options.log_level, options.log_json);
    mallopt(M_MMAP_THRESHOLD, 1 << 20); /* what a large reply took goes back to the system */
    return serve(&options);
}
