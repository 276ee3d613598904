/* SPDX-License-Identifier: MIT */
/*
 * The checks, one function each, in the order in which one thing rests on the other. To add a
 * check: its function and a row of `checks`.
 */
#include "cli/doctor.h"

#include "base/clock.h"
#include "base/ending.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/spawn.h"
#include "base/version.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/locate.h"
#include "cli/value.h"

#include <errno.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

#define TIMEOUT_US       (10 * US_PER_S)
#define VERSION_TIME_US  (5 * US_PER_S)
#define FREE_BAD         ((uint64_t)256 << 20) /* below it the controller takes no job */
#define FREE_LOW         ((uint64_t)1 << 30)
#define FAILED_RECENT_US (7 * 86400 * US_PER_S)
#define CLOCK_OFF_US     US_PER_S /* an agent that is less certain begins nothing */

enum health { HEALTH_GOOD, HEALTH_DOUBTFUL, HEALTH_BAD };

struct finding {
    enum health health;
    const char *text;
    const char *advice; /* NULL: nothing to do */
};

struct doctor {
    struct arena *arena;
    const struct cli_options *options;
    const char *state;
    struct endpoint endpoint;
    bool is_reached;
};

static struct finding good(const char *text)
{
    return (struct finding){.health = HEALTH_GOOD, .text = text};
}

static struct finding doubtful(const char *text, const char *advice)
{
    return (struct finding){.health = HEALTH_DOUBTFUL, .text = text, .advice = advice};
}

static struct finding bad(const char *text, const char *advice)
{
    return (struct finding){.health = HEALTH_BAD, .text = text, .advice = advice};
}

/* ---- programs ---- */

static const char *version_of(const char *path, struct arena *arena)
{
    const char *const argv[] = {path, "--version", NULL};
    const struct spawn spawn = {.argv = argv, .timeout_us = VERSION_TIME_US, .cancel_fd = -1};
    struct spawn_result result;
    const char *text = NULL;

    if (spawn_run(&spawn, &result))
        return NULL;
    if (result.end == SPAWN_EXITED && result.exit_code == 0)
        text = arena_copy(arena, buf_slice(&result.out));
    spawn_result_release(&result);
    return text;
}

static struct finding check_programs(struct doctor *doctor)
{
    static const char *const names[] = {"reeve-controller", "reeve-agent"};
    const char *directory = locate_programs(doctor->arena);

    if (!directory)
        return bad("the kernel does not tell where this program is", "is /proc mounted?");
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const char *path = arena_printf(doctor->arena, "%s/%s", directory, names[i]);
        if (access(path, X_OK) < 0)
            return doubtful(arena_printf(doctor->arena, "%s: %s", path, strerror(errno)),
                            "this machine can use a controller elsewhere, but not run one");
        const char *version = version_of(path, doctor->arena);
        if (!version)
            return bad(arena_printf(doctor->arena, "%s can't be run", path),
                       "install the package again: a library may be missing");
        if (!strstr(version, version_text()))
            return bad(arena_printf(doctor->arena, "%s is of another version than this one, %s",
                                    path, version_text()),
                       "install the same version of all three programs");
    }
    return good(arena_printf(doctor->arena, "all three in %s are %s", directory, version_text()));
}

/* ---- state ---- */

static struct finding check_state(struct doctor *doctor)
{
    static const char *const parts[] = {"controller", "agent"};
    struct stat status;

    if (stat(doctor->state, &status) < 0)
        return doubtful(arena_printf(doctor->arena, "%s: %s", doctor->state, strerror(errno)),
                        "nothing was ever started here: \"reeve start\" makes it, or --state "
                        "names another");
    if (status.st_mode & (S_IWGRP | S_IWOTH))
        return bad(arena_printf(doctor->arena, "%s can be written by others", doctor->state),
                   arena_printf(doctor->arena, "chmod 0755 %s", doctor->state));
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        const char *path = arena_printf(doctor->arena, "%s/%s", doctor->state, parts[i]);
        if (stat(path, &status) < 0)
            continue; /* a machine may have only one of them */
        if (status.st_mode & (S_IRWXG | S_IRWXO))
            return bad(arena_printf(doctor->arena, "%s is open to others", path),
                       arena_printf(doctor->arena, "chmod 0700 %s", path));
    }
    return good(doctor->state);
}

static struct finding check_user(struct doctor *doctor)
{
    (void)doctor;
    if (geteuid() != 0)
        return good("not root: a controller runs as you");
    if (!getpwnam("reeve"))
        return bad("there is no user reeve, which the controller runs as when root starts it",
                   "useradd --system --no-create-home --shell /usr/sbin/nologin reeve");
    return good("reeve");
}

static struct finding check_disk(struct doctor *doctor)
{
    struct statvfs fs;
    const char *path = doctor->state;

    if (statvfs(path, &fs) < 0)
        path = "/";
    if (statvfs(path, &fs) < 0)
        return bad(arena_printf(doctor->arena, "%s: %s", path, strerror(errno)), NULL);
    uint64_t free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
    const char *text = arena_printf(doctor->arena, "%llu MiB free below %s",
                                    (unsigned long long)(free_bytes >> 20), path);
    if (fs.f_flag & ST_RDONLY)
        return bad(arena_printf(doctor->arena, "%s is mounted read-only", path),
                   "see dmesg for what the file system met, then mount it writable");
    if (free_bytes < FREE_BAD)
        return bad(text, "below 256 MiB no job is taken: make room, or shorten the retention");
    if (fs.f_files && fs.f_favail == 0)
        return bad(arena_printf(doctor->arena, "no inodes left below %s", path), "remove files");
    if (free_bytes < FREE_LOW)
        return doubtful(text, "below 256 MiB no job will be taken");
    return good(text);
}

static struct finding check_clock(struct doctor *doctor)
{
    struct timex clock = {.modes = 0};

    (void)doctor;
    if (adjtimex(&clock) < 0)
        return doubtful(strerror(errno), "the kernel does not tell whether the clock is right");
    if (clock.status & STA_UNSYNC)
        return doubtful("nothing keeps this machine's clock right",
                        "install chrony or systemd-timesyncd: times of jobs and the expiry of "
                        "tokens follow it");
    return good("kept right by the system");
}

/* ---- the last crash ---- */

static struct finding check_endings(struct doctor *doctor)
{
    static const char *const parts[] = {"controller", "agent"};
    const char *text = "no program has failed in the last 7 days";
    struct slice note, started;
    int64_t noticed_us;

    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        const char *path =
            arena_printf(doctor->arena, "%s/%s/" ENDING_FAILED, doctor->state, parts[i]);
        int r = file_read_unlinked(path, ENDING_TEXT_MAX, doctor->arena, &note);
        if (r == -EACCES)
            text = "can't be told by this user: its notes are in directories of others";
        if (r || !slice_cut(&note, '\n', &started))
            continue;
        if (note.size > 0 && note.at[note.size - 1] == '\n')
            note.size--;
        if (!time_parse(note, &noticed_us) || clock_now_us() - noticed_us > FAILED_RECENT_US)
            continue;
        return doubtful(arena_printf(doctor->arena,
                                     "the %s that started at %.*s did not end by itself (noticed "
                                     "at %.*s)",
                                     parts[i], (int)started.size, started.at, (int)note.size,
                                     note.at),
                        "its log before that time says why: journalctl -u reeve-controller -u "
                        "reeve-agent, or what \"reeve start\" printed; killed or powered off "
                        "looks the same");
    }
    return good(text);
}

/* ---- the controller ---- */

/* 0 with the reply's JSON; what failed is in *ret. */
static int ask(struct doctor *doctor, const char *path, int *ret_status, struct json *ret_json,
               struct finding *ret)
{
    struct reply reply = {.status = 0};
    struct refusal why = {.text = ""};
    const struct exchange exchange = {
        .method = "GET",
        .url = arena_printf(doctor->arena, "%s%s", doctor->endpoint.url, path),
        .token = doctor->endpoint.token,
        .ca = doctor->endpoint.ca,
        .timeout_us = TIMEOUT_US,
    };

    int r = client_exchange(&exchange, &reply, &why);
    if (r) {
        *ret =
            bad(arena_strdup(doctor->arena, why.text),
                "start it (\"reeve start\", or systemctl start reeve-controller), or give --url");
        return r;
    }
    struct slice body = buf_slice(&reply.body);
    body.at = arena_copy(doctor->arena, body);
    *ret_status = reply.status;
    r = json_check(body, JSON_VALUES_MAX_RESULT, ret_json, NULL);
    reply_release(&reply);
    if (r || ret_json->kind != JSON_OBJECT) {
        *ret = bad(arena_printf(doctor->arena, "%s is answered by something else than Reeve",
                                exchange.url),
                   "another program has the port: choose one with --port, or stop it");
        return OUTCOME_UNREACHABLE;
    }
    return 0;
}

static const char *member(struct doctor *doctor, struct json object, const char *name)
{
    struct json text;

    if (!json_member(object, name, &text) || text.kind != JSON_STRING)
        return "";
    return value_string(text, doctor->arena).at;
}

static struct finding check_controller(struct doctor *doctor)
{
    struct refusal why = {.text = ""};
    struct finding finding;
    struct json json;
    int status;

    if (locate_endpoint(doctor->options, false, doctor->arena, &doctor->endpoint, &why))
        return bad(arena_strdup(doctor->arena, why.text), NULL);
    if (ask(doctor, "/health/ready", &status, &json, &finding))
        return finding;
    doctor->is_reached = true;
    if (status != 200)
        return bad(arena_printf(doctor->arena, "%s is not ready: %s", doctor->endpoint.url,
                                member(doctor, json, "error")),
                   "see its log");
    if (ask(doctor, "/version", &status, &json, &finding))
        return finding;
    const char *version = member(doctor, json, "version");
    if (strcmp(version, version_text()) != 0)
        return doubtful(arena_printf(doctor->arena, "%s is version %s, this is %s",
                                     doctor->endpoint.url, version, version_text()),
                        "restart it after an upgrade, or use its own version of this program");
    return good(
        arena_printf(doctor->arena, "%s is ready, version %s", doctor->endpoint.url, version));
}

/* ---- token, agents ---- */

static const char *agent_fault(struct doctor *doctor, struct json agent)
{
    struct json error;
    int64_t error_us;

    if (strcmp(member(doctor, agent, "status"), "Ready") != 0)
        return "is not heard";
    if (json_member(agent, "clock_error_us", &error) && json_i64(error, &error_us) &&
        error_us > CLOCK_OFF_US)
        return "does not know the controller's time well enough to begin anything";
    return NULL;
}

static struct finding check_each_agent(struct doctor *doctor, struct json list)
{
    struct json agents;
    size_t n = 0;

    if (!json_member(list, "agents", &agents) || agents.kind != JSON_ARRAY)
        return bad("the list of agents is none", "see the controller's log");
    struct json_walk walk = json_walk(agents);
    while (json_next(&walk)) {
        const char *fault = agent_fault(doctor, walk.value);
        if (fault)
            return bad(arena_printf(doctor->arena, "agent %s %s",
                                    member(doctor, walk.value, "hostname"), fault),
                       "look at reeve-agent on that host: systemctl status reeve-agent");
        n++;
    }
    if (n == 0)
        return bad("no agent was ever heard", "start one: systemctl start reeve-agent");
    return good(arena_printf(doctor->arena, "%zu ready", n));
}

static struct finding check_agents(struct doctor *doctor)
{
    struct refusal why = {.text = ""};
    struct finding finding;
    struct json json;
    int status;

    if (!doctor->is_reached)
        return doubtful("not known without the controller", NULL);
    if (locate_endpoint(doctor->options, true, doctor->arena, &doctor->endpoint, &why))
        return bad(arena_strdup(doctor->arena, why.text), NULL);
    if (ask(doctor, "/agent", &status, &json, &finding))
        return finding;
    if (status == 200)
        return check_each_agent(doctor, json);
    return bad(
        arena_printf(doctor->arena, "the token is refused: %s", member(doctor, json, "error")),
        "reeve token generate makes a new one; \"reeve start\" renews its own at each start");
}

/* ---- all ---- */

static const struct check {
    const char *name;
    struct finding (*run)(struct doctor *doctor);
} checks[] = {
    {"programs", check_programs},
    {"state", check_state},
    {"user", check_user},
    {"disk", check_disk},
    {"clock", check_clock},
    {"failures", check_endings},
    {"controller", check_controller},
    {"agents", check_agents},
};

static void print(const struct check *check, const struct finding *finding)
{
    static const char *const words[] = {
        [HEALTH_GOOD] = "ok", [HEALTH_DOUBTFUL] = "look", [HEALTH_BAD] = "BAD"};
    CLEANUP(buf_release) struct buf clean;

    buf_init(&clean, (size_t)1 << 16);
    text_clean(&clean, slice_of(finding->text), TEXT_ONE_LINE);
    printf("%-5s %-11s %s\n", words[finding->health], check->name, buf_text(&clean));
    if (finding->advice)
        printf("%-5s %-11s %s\n", "", "", finding->advice);
}

int doctor_run(struct command *command, struct refusal *why)
{
    struct doctor doctor = {
        .arena = command->arena,
        .options = &command->options,
        .state = locate_state(&command->options, command->arena),
    };
    size_t n[HEALTH_BAD + 1] = {0};

    for (size_t i = 0; i < COUNT_OF(checks); i++) {
        struct finding finding = checks[i].run(&doctor);
        print(&checks[i], &finding);
        n[finding.health]++;
    }
    if (fflush(stdout))
        return FAULT(-errno);
    if (n[HEALTH_BAD])
        return refuse(why, OUTCOME_RUN_FAILED, NULL,
                      "%zu of %zu checks found something that does not work", n[HEALTH_BAD],
                      COUNT_OF(checks));
    return 0;
}
