/* SPDX-License-Identifier: MIT */
/*
 * The supervisor's loop: signals, readiness, timers.
 *
 * Whenever a child was started, both get the ends of a new stream, so that a survivor never talks
 * to a dead one's socket; and when one has lost its stream and asks for another.
 */
#include "cli/supervise.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "bus/bus.h"

#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define STOP_US        (10 * US_PER_S) /* from SIGTERM to SIGKILL, for each child */
#define DAY_US         (86400 * US_PER_S)
#define REQUESTS_US    (200 * US_PER_MS) /* both ask when a stream broke: one answer for all */
#define READY_TEXT_MAX 128               /* a URL and a line feed */

enum phase {
    PHASE_STARTING,
    PHASE_RUNNING,
    PHASE_STOPPING_CONTROLLER,
    PHASE_STOPPING_AGENT,
    PHASE_ENDED
};

struct loop {
    struct supervisor *supervisor;
    enum phase phase;
    int signal_fd;
    int exit_code;
    int64_t kill_boot_us;      /* when the child that is being stopped is killed */
    int64_t introduce_boot_us; /* when a request for a stream is answered; INT64_MAX: none */
    int64_t daily_boot_us;
};

static bool is_stopping(const struct loop *loop)
{
    return loop->phase >= PHASE_STOPPING_CONTROLLER;
}

/*
 * Starting
 */

static void introduce(struct loop *loop)
{
    struct supervisor *supervisor = loop->supervisor;

    loop->introduce_boot_us = INT64_MAX;
    if (supervisor->controller.control_fd < 0 || supervisor->agent.control_fd < 0)
        return;
    /* A child that died just now is started again, and then both are introduced again. */
    if (bus_introduce(supervisor->controller.control_fd, supervisor->agent.control_fd))
        log_event(LOG_WARNING, "child.not_introduced", LOG_TEXT("why", fault_text()));
}

static void start(struct loop *loop, struct child *child, int64_t boot_us)
{
    if (child_start(child, boot_us)) {
        log_event(LOG_ERROR, "child.not_started", LOG_TEXT("name", child->program.name),
                  LOG_TEXT("why", fault_text()));
        child_ended(child, boot_us);
        return;
    }
    log_event(LOG_INFO, "child.started", LOG_TEXT("name", child->program.name),
              LOG_NUMBER("pid", child->pid));
    introduce(loop);
}

static void restart_due(struct loop *loop, struct child *child, int64_t boot_us)
{
    if (!is_stopping(loop) && child->pid == 0 && child->restart_boot_us <= boot_us)
        start(loop, child, boot_us);
}

/*
 * Streams that broke
 */

static void hear_request(struct loop *loop, struct child *child, int64_t boot_us)
{
    bool wanted;

    if (bus_wants_stream(child->control_fd, &wanted)) {
        /* It is ending; SIGCHLD tells how. Until then this end would stay readable. */
        fd_closep(&child->control_fd);
        child->control_fd = -1;
        return;
    }
    if (!wanted || is_stopping(loop) || loop->introduce_boot_us != INT64_MAX)
        return;
    loop->introduce_boot_us = boot_us + REQUESTS_US;
    log_event(LOG_NOTICE, "child.lost_stream", LOG_TEXT("name", child->program.name));
}

static void introduce_due(struct loop *loop, int64_t boot_us)
{
    if (!is_stopping(loop) && loop->introduce_boot_us <= boot_us)
        introduce(loop);
}

/*
 * Stopping
 */

static void stop_child(struct loop *loop, struct child *child, enum phase phase, int64_t boot_us)
{
    loop->phase = phase;
    loop->kill_boot_us = boot_us + STOP_US;
    child_signal(child, SIGTERM);
}

/* Goes on to whatever still runs; the order is the promise. */
static void stop_next(struct loop *loop, int64_t boot_us)
{
    struct supervisor *supervisor = loop->supervisor;

    if (loop->phase < PHASE_STOPPING_CONTROLLER && supervisor->controller.pid)
        stop_child(loop, &supervisor->controller, PHASE_STOPPING_CONTROLLER, boot_us);
    else if (supervisor->controller.pid == 0 && loop->phase < PHASE_STOPPING_AGENT &&
             supervisor->agent.pid)
        stop_child(loop, &supervisor->agent, PHASE_STOPPING_AGENT, boot_us);
    else if (supervisor->controller.pid == 0 && supervisor->agent.pid == 0)
        loop->phase = PHASE_ENDED;
}

static void kill_due(struct loop *loop, int64_t boot_us)
{
    struct supervisor *supervisor = loop->supervisor;

    if (!is_stopping(loop) || loop->kill_boot_us > boot_us)
        return;
    struct child *child =
        loop->phase == PHASE_STOPPING_CONTROLLER ? &supervisor->controller : &supervisor->agent;
    log_event(LOG_WARNING, "child.killed", LOG_TEXT("name", child->program.name),
              LOG_TEXT("why", "it did not end in time"));
    child_signal(child, SIGKILL);
    loop->kill_boot_us = INT64_MAX;
}

static void stop_asked(struct loop *loop, int64_t boot_us)
{
    if (!is_stopping(loop)) {
        stop_next(loop, boot_us);
        return;
    }
    child_signal(&loop->supervisor->controller, SIGKILL);
    child_signal(&loop->supervisor->agent, SIGKILL);
}

/*
 * Children that ended
 */

static int exit_code_of(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : outcome_exit(OUTCOME_FAULT);
}

/* Whether starting it again would be of no use. */
static bool is_hopeless(const struct loop *loop, const struct child *child, int status)
{
    if (loop->phase == PHASE_STARTING && child == &loop->supervisor->controller)
        return true;
    return WIFEXITED(status) && WEXITSTATUS(status) == outcome_exit(OUTCOME_USAGE);
}

static void reap(struct loop *loop, struct child *child, int64_t boot_us)
{
    int status;

    if (child->pid == 0 || waitpid(child->pid, &status, WNOHANG) != child->pid)
        return;
    log_event(is_stopping(loop) ? LOG_INFO : LOG_WARNING, "child.ended",
              LOG_TEXT("name", child->program.name), LOG_NUMBER("pid", child->pid),
              LOG_NUMBER(WIFSIGNALED(status) ? "signal" : "exit",
                         WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status)));
    bool hopeless = !is_stopping(loop) && is_hopeless(loop, child, status);
    child_ended(child, boot_us);
    if (hopeless)
        loop->exit_code = exit_code_of(status);
    if (hopeless || is_stopping(loop))
        stop_next(loop, boot_us);
}

/*
 * The loop
 */

/* It writes its URL and a line feed, then closes. What else a controller that was taken over may
   say does not come to the operator's terminal. */
static void hear_ready(struct loop *loop)
{
    struct child *controller = &loop->supervisor->controller;
    char text[READY_TEXT_MAX + 1];
    ssize_t size = read(controller->ready_fd, text, READY_TEXT_MAX);

    if (size < 0 && errno == EINTR)
        return;
    fd_closep(&controller->ready_fd);
    controller->ready_fd = -1;
    if (size <= 0 || is_stopping(loop))
        return;
    text[size] = '\0';
    char *end = text;
    while (isgraph((unsigned char)*end))
        end++;
    *end = '\0';
    loop->phase = PHASE_RUNNING;
    loop->supervisor->ready(loop->supervisor->owner, text);
}

static void take_signal(struct loop *loop, int64_t boot_us)
{
    struct signalfd_siginfo signal;

    if (read(loop->signal_fd, &signal, sizeof(signal)) != sizeof(signal))
        return;
    if (signal.ssi_signo == SIGHUP && !isatty(STDIN_FILENO)) {
        child_signal(&loop->supervisor->controller, SIGHUP);
        child_signal(&loop->supervisor->agent, SIGHUP);
        return;
    }
    if (signal.ssi_signo != SIGCHLD) {
        stop_asked(loop, boot_us);
        return;
    }
    /* One SIGCHLD may stand for both. */
    reap(loop, &loop->supervisor->controller, boot_us);
    reap(loop, &loop->supervisor->agent, boot_us);
}

static int64_t deadline_of(const struct loop *loop)
{
    const int64_t deadlines_us[] = {
        loop->supervisor->controller.restart_boot_us,
        loop->supervisor->agent.restart_boot_us,
        loop->introduce_boot_us,
    };
    int64_t first_us = loop->daily_boot_us;

    if (is_stopping(loop))
        return loop->kill_boot_us;
    for (size_t i = 0; i < COUNT_OF(deadlines_us); i++)
        first_us = deadlines_us[i] < first_us ? deadlines_us[i] : first_us;
    return first_us;
}

static void daily_due(struct loop *loop, int64_t boot_us)
{
    if (is_stopping(loop) || loop->daily_boot_us > boot_us)
        return;
    loop->daily_boot_us = boot_us + DAY_US;
    loop->supervisor->daily(loop->supervisor->owner);
}

static void turn(struct loop *loop)
{
    struct child *controller = &loop->supervisor->controller;
    struct child *agent = &loop->supervisor->agent;
    struct pollfd fds[] = {
        {.fd = loop->signal_fd, .events = POLLIN},
        {.fd = controller->ready_fd, .events = POLLIN},
        {.fd = controller->control_fd, .events = POLLIN},
        {.fd = agent->control_fd, .events = POLLIN},
    };
    int64_t deadline_us = deadline_of(loop);
    int64_t left_us = deadline_us - clock_boot_us();
    struct timespec timeout = {
        .tv_sec = left_us > 0 ? left_us / US_PER_S : 0,
        .tv_nsec = left_us > 0 ? left_us % US_PER_S * 1000 : 0,
    };

    if (ppoll(fds, COUNT_OF(fds), deadline_us == INT64_MAX ? NULL : &timeout, NULL) < 0)
        return;
    int64_t boot_us = clock_boot_us();
    if (fds[1].revents)
        hear_ready(loop);
    if (fds[2].revents)
        hear_request(loop, controller, boot_us);
    if (fds[3].revents)
        hear_request(loop, agent, boot_us);
    if (fds[0].revents)
        take_signal(loop, boot_us);
    restart_due(loop, controller, boot_us);
    restart_due(loop, agent, boot_us);
    introduce_due(loop, boot_us);
    kill_due(loop, boot_us);
    daily_due(loop, boot_us);
}

static int signals_open(void)
{
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGCHLD);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    if (sigprocmask(SIG_BLOCK, &signals, NULL) < 0)
        return FAULT(-errno);
    int fd = signalfd(-1, &signals, SFD_CLOEXEC);
    return fd < 0 ? FAULT(-errno) : fd;
}

int supervise(struct supervisor *supervisor)
{
    struct loop loop = {
        .supervisor = supervisor,
        .kill_boot_us = INT64_MAX,
        .introduce_boot_us = INT64_MAX,
    };
    CLEANUP(fd_closep) int signal_fd = signals_open();

    if (signal_fd < 0) {
        log_event(LOG_ERROR, "supervisor.fault", LOG_TEXT("why", fault_text()));
        return outcome_exit(OUTCOME_FAULT);
    }
    loop.signal_fd = signal_fd;
    loop.daily_boot_us = clock_boot_us() + DAY_US;
    signal(SIGPIPE, SIG_IGN);
    start(&loop, &supervisor->controller, clock_boot_us());
    start(&loop, &supervisor->agent, clock_boot_us());
    while (loop.phase != PHASE_ENDED)
        turn(&loop);
    return loop.exit_code;
}
