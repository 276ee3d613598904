/* SPDX-License-Identifier: MIT */
/*
 * The agent's main loop.
 *
 * Order of a pass, always: what came in → what has become due → which runs begin → runlog on disk →
 * effects (runs begin, reports are sent). A fault ends the program; the next start continues from
 * the runlog.
 */
#include "agent/agent.h"
#include "agent/facts.h"
#include "agent/session.h"
#include "base/ending.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/notify.h"
#include "base/spawn_guard.h"
#include "base/version.h"
#include "config/config.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

/* For runs to end by themselves, then for killed ones to be gone: together less than the ten
   seconds after which a supervisor kills, since that would leave the runs' programs behind. */
#define STOP_US      (8 * US_PER_S)
#define STOP_KILL_US (1 * US_PER_S)
#define TIDY_US      (1 * US_PER_S)
#define TRY_DISK_US  (1 * US_PER_S)
#define IDLE_US      (60 * US_PER_S) /* longest sleep */
#define BOOT_ID_FILE "/proc/sys/kernel/random/boot_id"

struct agent {
    struct config_followed followed; /* threads point into that of the start */
    struct agent_options options;    /* of the start */
    char machine_id[MACHINE_ID_SIZE];
    int64_t started_us;
    int epoll_fd, signal_fd;
    struct clock_offset clock;
    struct runlog *log;
    struct worker_pool *pool;
    struct runs *runs;
    struct session *session; /* NULL after the supervisor's end */
    int64_t tidy_at_us;
    int64_t try_disk_at_us; /* INT64_MAX: it takes what it is given */
    int64_t stop_at_us; /* when runs are killed, once it is told to stop; INT64_MAX: it is not */
    bool killed;
};

/* ---- configuration ---- */

static void note_change(void *owner, const char *path, const struct field *field)
{
    (void)owner;
    log_event(LOG_NOTICE, field->place == PLACE_RELOAD ? "config.changed" : "config.needs_restart",
              LOG_TEXT("key", path));
}

/* Keys of place RELOAD are handed on here, to those who have copies. 0; OUTCOME_USAGE. */
static int take_config(void *owner, const void *values, struct refusal *why)
{
    const struct agent *agent = owner;
    struct agent_options options;
    struct policy policy;

    int r = agent_options_make(values, &options, why);
    if (!r)
        r = policy_make(values, &policy, why);
    if (r)
        return r;
    log_set_lowest(options.log_level);
    runs_set_policy(agent->runs, &policy);
    return 0;
}

static void reload(struct agent *agent)
{
    struct refusal why = {.text = ""};
    const struct config_follower follower = {
        .take = take_config, .note = note_change, .owner = agent};

    int r = config_follow_again(&agent->followed, &follower, &why);
    if (r) {
        log_event(LOG_ERROR, "config.refused", LOG_TEXT("why", r < 0 ? fault_text() : why.text));
        return;
    }
    const char *file = agent->followed.now->config.file;
    log_event(LOG_NOTICE, "config.reloaded", LOG_TEXT("file", file ? file : ""));
}

/* ---- start ---- */

/* Secrets of tasks must not reach a core file or a debugger of another program. */
static int process_harden(void)
{
    const struct rlimit none = {0};

    umask(077);
    if (prctl(PR_SET_DUMPABLE, 0) < 0 || setrlimit(RLIMIT_CORE, &none) < 0)
        return FAULT(-errno);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGCHLD, SIG_DFL); /* ignored, it would take exit statuses away */
    /* An idle agent should be small: few threads allocate, and large results go back at once. */
    mallopt(M_ARENA_MAX, 1);
    mallopt(M_MMAP_THRESHOLD, 128 << 10);
    mallopt(M_TRIM_THRESHOLD, 128 << 10);
    return 0;
}

/* Blocked in all threads, which inherit it; read here alone. */
static int signals_open(struct agent *agent)
{
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    agent->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    return agent->signal_fd < 0 ? FAULT(-errno) : 0;
}

static int boot_id_read(struct uuid *ret)
{
    struct arena arena;
    struct slice text, id;

    arena_init(&arena);
    int r = file_read(BOOT_ID_FILE, 64, &arena, &text);
    if (!r) {
        slice_cut(&text, '\n', &id);
        r = uuid_parse(id, ret) ? 0 : FAULT(-EBADMSG);
    }
    arena_release(&arena);
    return r;
}

static int log_open(struct agent *agent, struct refusal *why)
{
    struct runlog_options options = {.directory = agent->options.state, .wall_us = clock_now_us()};
    int r = boot_id_read(&options.boot);

    if (!r)
        r = runlog_open(&options, &agent->log, why);
    if (r)
        return r;
    if (runlog_set_aside(agent->log))
        log_event(LOG_WARNING, "runlog.damaged",
                  LOG_TEXT("set_aside", runlog_set_aside(agent->log)));
    bool has_failed = false;
    if (ending_begin(agent->options.state, options.wall_us, &has_failed) == 0 && has_failed)
        log_event(LOG_WARNING, "agent.had_failed",
                  LOG_TEXT("why", "the one before did not end by itself"));
    return machine_id_read(agent->options.state, agent->machine_id);
}

static int watch(const struct agent *agent, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

    if (epoll_ctl(agent->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
        return FAULT(-errno);
    return 0;
}

static int watch_all(struct agent *agent)
{
    agent->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (agent->epoll_fd < 0)
        return FAULT(-errno);
    int r = watch(agent, agent->signal_fd);
    if (!r)
        r = watch(agent, worker_pool_fd(agent->pool));
    if (!r)
        r = watch(agent, session_fd(agent->session));
    return r;
}

static int agent_open(struct agent *agent, struct refusal *why)
{
    int r = process_harden();
    if (!r)
        r = spawn_guard_start();
    if (!r)
        r = signals_open(agent);
    if (!r)
        r = log_open(agent, why);
    if (!r)
        r = worker_pool_open((int)agent->options.max_jobs, agent->options.hostname,
                             &agent->options.labels, &agent->pool);
    if (r)
        return r;
    agent->runs = runs_new(agent->log, agent->pool, &agent->clock);
    r = take_config(agent, agent->followed.first->values, why);
    if (r)
        return r;

    struct session_options session = {
        .agent = &agent->options,
        .machine_id = agent->machine_id,
        .log = agent->log,
        .runs = agent->runs,
        .clock = &agent->clock,
        .started_us = agent->started_us,
    };
    r = session_open(&session, &agent->session, why);
    return r ? r : watch_all(agent);
}

/* ---- the loop ---- */

static void stop(struct agent *agent, const char *why, int64_t boot_us)
{
    if (agent->stop_at_us != INT64_MAX)
        return;
    agent->stop_at_us = boot_us + STOP_US;
    if (agent->session)
        session_stop_tasks(agent->session);
    log_event(LOG_NOTICE, "agent.stopping", LOG_TEXT("why", why),
              LOG_NUMBER("running", runs_n_running(agent->runs)),
              LOG_NUMBER("waiting", runs_n_waiting(agent->runs)));
}

static void take_signals(struct agent *agent, int64_t boot_us)
{
    struct signalfd_siginfo signal;

    while (read(agent->signal_fd, &signal, sizeof(signal)) == sizeof(signal)) {
        if (signal.ssi_signo == SIGHUP)
            reload(agent);
        else
            stop(agent, signal.ssi_signo == SIGINT ? "SIGINT" : "SIGTERM", boot_us);
    }
}

/* Without its supervisor the agent has nobody to work for. */
static int take_messages(struct agent *agent, int64_t boot_us)
{
    if (!agent->session)
        return 0;
    int r = session_dispatch(agent->session, boot_us);
    if (r != -EPIPE)
        return r;
    session_close(agent->session);
    agent->session = NULL;
    stop(agent, "the supervisor is gone", boot_us);
    return 0;
}

/* Waiting runs are left as they are when it stops: the next start reports them. */
static int take_in(struct agent *agent, int64_t boot_us)
{
    take_signals(agent, boot_us);
    int r = take_messages(agent, boot_us);
    if (!r)
        r = runs_collect(agent->runs);
    boot_us = clock_boot_us(); /* not before the tasks that have just been taken */
    if (!r)
        r = runs_tick(agent->runs, boot_us);
    if (!r && agent->stop_at_us == INT64_MAX)
        r = runs_choose(agent->runs, boot_us);
    return r;
}

/* An agent whose disk takes nothing is not there for the controller: what it has been given and
   could not note down is given again when it is back, and other hosts are chosen meanwhile. */
static int look_at_disk(struct agent *agent, int64_t boot_us)
{
    if (!runs_disk_refuses(agent->runs))
        return 0;
    if (agent->try_disk_at_us == INT64_MAX) {
        agent->try_disk_at_us = boot_us + TRY_DISK_US;
        log_event(LOG_ERROR, "runlog.no_space", LOG_TEXT("state", agent->options.state));
        if (agent->session)
            session_hush(agent->session);
    }
    if (boot_us < agent->try_disk_at_us)
        return 0;
    agent->try_disk_at_us = boot_us + TRY_DISK_US;
    int r = runs_try_disk(agent->runs);
    if (r || runs_disk_refuses(agent->runs))
        return r;
    agent->try_disk_at_us = INT64_MAX;
    log_event(LOG_NOTICE, "runlog.space_again", LOG_TEXT("state", agent->options.state));
    if (agent->session)
        session_speak(agent->session);
    return 0;
}

static int tidy(struct agent *agent, int64_t boot_us)
{
    int64_t now_us, error_us;

    if (boot_us < agent->tidy_at_us)
        return 0;
    agent->tidy_at_us = boot_us + TIDY_US;
    if (!clock_offset_now(&agent->clock, boot_us, &now_us, &error_us))
        now_us = RUNLOG_TIME_UNKNOWN;
    if (runs_n_running(agent->runs) == 0)
        malloc_trim(0);
    return runlog_tidy(agent->log, now_us);
}

static int bring_out(struct agent *agent, int64_t boot_us)
{
    int r = look_at_disk(agent, boot_us);
    if (!r)
        r = runlog_sync(agent->log);
    if (!r)
        r = runs_begin(agent->runs);
    if (!r && agent->session)
        r = session_send(agent->session, boot_us);
    return r ? r : tidy(agent, boot_us);
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int wait_for_events(const struct agent *agent, int64_t boot_us)
{
    struct epoll_event events[3]; /* which of them does not matter: each pass looks at all */
    int64_t until_us =
        least(boot_us + IDLE_US, least(runs_deadline_us(agent->runs), agent->stop_at_us));

    until_us = least(until_us, agent->try_disk_at_us);

    if (agent->session)
        until_us = least(until_us, session_deadline_us(agent->session));
    int64_t wait_us = until_us > boot_us ? until_us - boot_us : 0;
    int n = epoll_wait(agent->epoll_fd, events, COUNT_OF(events),
                       (int)((wait_us + US_PER_MS - 1) / US_PER_MS));
    if (n < 0 && errno != EINTR)
        return FAULT(-errno);
    return 0;
}

/* True when it may end. */
static bool has_stopped(struct agent *agent, int64_t boot_us)
{
    if (agent->stop_at_us == INT64_MAX)
        return false;
    if (runs_n_running(agent->runs) == 0)
        return true;
    if (boot_us < agent->stop_at_us)
        return false;
    if (agent->killed)
        return true;
    agent->killed = true;
    agent->stop_at_us = boot_us + STOP_KILL_US;
    runs_kill(agent->runs);
    return false;
}

static int agent_run(struct agent *agent)
{
    int r = 0;

    while (!r) {
        int64_t boot_us = clock_boot_us();

        r = take_in(agent, boot_us);
        if (!r)
            r = bring_out(agent, boot_us);
        if (r || has_stopped(agent, boot_us))
            return r;
        r = wait_for_events(agent, clock_boot_us());
    }
    return r;
}

/* ---- end ---- */

/* A thread that can't be stopped still uses the pool and the configuration: then both stay as they
   are, and end with the process. */
static void agent_close(struct agent *agent)
{
    bool idle = !agent->runs || (runs_n_running(agent->runs) == 0 &&
                                 worker_pool_room(agent->pool) == (int)agent->options.max_jobs);

    session_close(agent->session);
    runs_free(agent->runs);
    if (idle) {
        worker_pool_close(agent->pool);
        config_followed_release(&agent->followed);
    }
    fd_closep(&agent->epoll_fd);
    fd_closep(&agent->signal_fd);
    runlog_free(agent->log);
}

static int exit_status(int r, const struct refusal *why)
{
    if (r == 0)
        return 0;
    if (r < 0) {
        log_event(LOG_ERROR, "agent.failed", LOG_TEXT("fault", fault_text()));
        return 1;
    }
    log_event(LOG_ERROR, "agent.refused", LOG_TEXT("option", why->field),
              LOG_TEXT("why", why->text));
    return outcome_exit((enum outcome)r);
}

static int agent_start(struct agent *agent, struct refusal *why)
{
    agent->started_us = clock_boot_us();
    int r = agent_open(agent, why);
    if (r)
        return r;
    log_event(LOG_NOTICE, "agent.started", LOG_TEXT("version", version_text()),
              LOG_TEXT("host", agent->options.hostname), LOG_TEXT("machine_id", agent->machine_id),
              LOG_NUMBER("epoch", runlog_epoch(agent->log)));
    notify(NOTIFY_READY);
    r = agent_run(agent);
    notify(NOTIFY_STOPPING);
    if (!r)
        r = runlog_close(TAKE(agent->log));
    if (!r)
        ending_clean(agent->options.state);
    return r;
}

static int run(struct agent *agent, struct refusal *why)
{
    const struct agent_config *config = agent->followed.first->values;

    int r = agent_options_make(config, &agent->options, why);
    if (r) {
        config_followed_release(&agent->followed);
        return exit_status(r, why);
    }
    log_setup(config_agent.name, agent->options.log_level, config->log_json);
    int status = exit_status(agent_start(agent, why), why);
    agent_close(agent);
    return status;
}

static void print_help(void)
{
    CLEANUP(buf_release) struct buf text;

    buf_init(&text, CONFIG_FILE_MAX);
    config_write_help(&config_agent, &text);
    fputs(buf_text(&text), stdout);
}

int agent_main(char **argv)
{
    struct agent agent = {
        .epoll_fd = -1,
        .signal_fd = -1,
        .stop_at_us = INT64_MAX,
        .try_disk_at_us = INT64_MAX,
    };
    struct refusal why = {.text = ""};
    struct config_flags flags;

    log_setup(config_agent.name, LOG_NOTICE, false);
    int r = config_follow(&config_agent, argv, &flags, &agent.followed, &why);
    if (r)
        return exit_status(r, &why);
    if (flags.help)
        print_help();
    else if (flags.version)
        printf("reeve-agent %s, commit %s of %s\n", version_text(), version_commit(),
               version_built());
    if (flags.help || flags.version)
        return 0;
    return run(&agent, &why);
}
