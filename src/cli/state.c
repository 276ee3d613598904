/* SPDX-License-Identifier: MIT */
/*
 * Preparing the state directory.
 *
 * Everything goes through descriptors of directories whose owner was checked, so that nobody can
 * swap a path between the check and the use.
 */
#include "cli/state.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/mem.h"
#include "http/credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int refuse_state(struct refusal *why, const char *path, const char *fault)
{
    return refuse(why, OUTCOME_UNAVAILABLE, "state", "%s %s", path, fault);
}

static int refuse_errno(struct refusal *why, const char *path, int error)
{
    return refuse(why, OUTCOME_UNAVAILABLE, "state", "%s: %s", path, strerror(error));
}

/* A directory of `uid` that nobody else can write; with `closed`, not even enter. */
static int check_owner(int fd, const char *path, uid_t uid, bool closed, struct refusal *why)
{
    struct stat status;

    if (fstat(fd, &status) < 0)
        return refuse_errno(why, path, errno);
    if (status.st_uid != uid)
        return refuse(why, OUTCOME_UNAVAILABLE, "state",
                      "%s belongs to user %u and not to user %u: was it made by another user's "
                      "\"reeve start\"?",
                      path, (unsigned)status.st_uid, (unsigned)uid);
    if (status.st_mode & (closed ? S_IRWXG | S_IRWXO : S_IWGRP | S_IWOTH))
        return refuse_state(why, path,
                            closed ? "is open to others: chmod it to 0700"
                                   : "can be written by others: chmod it to 0755");
    return 0;
}

static int open_directory(int at, const char *path)
{
    return openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (at == AT_FDCWD ? 0 : O_NOFOLLOW));
}

/* The last part of `path`, in the directory `state_fd`, of mode 0700: made if need be and handed to
   `identity`. */
static int open_part(int state_fd, const char *path, const struct identity *identity, int *ret,
                     struct refusal *why)
{
    const char *name = strrchr(path, '/') + 1;
    struct stat status;

    if ((FAULT_POINT("state.make") || mkdirat(state_fd, name, 0700) < 0) && errno != EEXIST)
        return refuse_errno(why, path, errno);
    CLEANUP(fd_closep) int fd = open_directory(state_fd, name);
    if (fd < 0 || fstat(fd, &status) < 0)
        return refuse_errno(why, path, errno);
    /* Still ours: just made, now or by a start that was killed here. */
    if (identity->change && status.st_uid == geteuid() &&
        fchown(fd, identity->uid, identity->gid) < 0)
        return refuse_errno(why, path, errno);
    int r = check_owner(fd, path, identity->uid, true, why);
    if (r)
        return r;
    *ret = fd;
    fd = -1;
    return 0;
}

static int lock(int state_fd, const char *path, int *ret, struct refusal *why)
{
    CLEANUP(fd_closep)
    int fd = openat(state_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0)
        return refuse_errno(why, path, errno);
    if (FAULT_POINT("state.lock") || flock(fd, LOCK_EX | LOCK_NB) < 0)
        return refuse(why, OUTCOME_CONFLICT, "state",
                      "%s is in use: another \"reeve start\" is running on it", path);
    *ret = fd;
    fd = -1;
    return 0;
}

/*
 * Credentials
 */

/* In a process of its own, in STATE/controller, as the controller's user. */
static _Noreturn void make_token(const struct state *state, int to)
{
    CLEANUP(buf_release) struct buf token;
    buf_init(&token, CREDENTIALS_TOKEN_MAX);
    struct refusal why = {.text = ""};
    struct token_key key;
    bool is_new;

    int r = fchdir(state->controller_fd) < 0 ? -errno : identity_take(&state->identity);
    if (!r)
        r = credentials_key("key", &key, &is_new, &why);
    if (!r) {
        credentials_admin_token(&key, clock_now_us(), &token);
        r = fd_write_all(to, token.at, token.size);
    }
    if (r)
        fprintf(stderr, "reeve: in %s/controller: %s\n", state->path,
                r < 0 ? strerror(-r) : why.text);
    _exit(r ? 1 : 0);
}

static int ask_for_token(const struct state *state, struct buf *to)
{
    int ends[2], status;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return FAULT(-errno);
    fflush(NULL);
    pid_t child = FAULT_POINT("state.fork") ? -1 : fork();
    if (child == 0) {
        close(ends[0]);
        make_token(state, ends[1]);
    }
    close(ends[1]);
    int r = child < 0 ? FAULT(-errno) : fd_read_to_end(ends[0], to);
    close(ends[0]);
    if (child < 0)
        return r;
    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR)
            return FAULT(-errno);
    }
    return r || (WIFEXITED(status) && WEXITSTATUS(status) == 0) ? r : OUTCOME_UNAVAILABLE;
}

int state_renew_token(const struct state *state, struct refusal *why)
{
    CLEANUP(buf_release) struct buf token;
    buf_init(&token, CREDENTIALS_TOKEN_MAX);
    char path[PATH_MAX];

    int r = ask_for_token(state, &token);
    if (r > 0)
        return refuse_state(why, state->path, "holds no usable key");
    if (r)
        return r;
    snprintf(path, sizeof(path), "%s/token", state->path);
    r = file_write(path, buf_slice(&token), 0600);
    explicit_bzero(token.at, token.size);
    return r ? refuse_errno(why, path, -r) : 0;
}

/*
 * The whole
 */

static int open_whole(const char *path, struct arena *arena, const char **ret_path, int *ret_fd,
                      struct refusal *why)
{
    char absolute[PATH_MAX];

    int r = dir_make(path, 0755);
    if (r)
        return refuse_errno(why, path, -r);
    if (!realpath(path, absolute))
        return refuse_errno(why, path, errno);
    int fd = open_directory(AT_FDCWD, absolute);
    if (fd < 0)
        return refuse_errno(why, path, errno);
    *ret_path = arena_strdup(arena, absolute);
    *ret_fd = fd;
    return 0;
}

int state_open(const char *path, const struct identity *identity, struct arena *arena,
               struct state *ret, struct refusal *why)
{
    const struct identity own = {.uid = geteuid(), .gid = getegid()};
    struct state state = {.controller_fd = -1, .lock_fd = -1, .identity = *identity};
    CLEANUP(fd_closep) int fd = -1;
    CLEANUP(fd_closep) int agent_fd = -1;

    int r = open_whole(path, arena, &state.path, &fd, why);
    if (!r)
        r = check_owner(fd, state.path, own.uid, false, why);
    if (!r)
        r = lock(fd, state.path, &state.lock_fd, why);
    if (!r) {
        state.agent_path = arena_printf(arena, "%s/agent", state.path);
        r = open_part(fd, state.agent_path, &own, &agent_fd, why);
    }
    if (!r)
        r = open_part(fd, arena_printf(arena, "%s/controller", state.path), identity,
                      &state.controller_fd, why);
    if (!r)
        r = state_renew_token(&state, why);
    if (r) {
        state_close(&state);
        return r;
    }
    *ret = state;
    return 0;
}

void state_close(struct state *state)
{
    fd_closep(&state->controller_fd);
    fd_closep(&state->lock_fd);
    state->controller_fd = state->lock_fd = -1;
}

int state_write_url(const struct state *state, const char *url)
{
    char path[PATH_MAX];
    CLEANUP(buf_release) struct buf line;
    buf_init(&line, PATH_MAX);

    buf_printf(&line, "%s\n", url);
    snprintf(path, sizeof(path), "%s/url", state->path);
    int r = file_write(path, buf_slice(&line), 0644);
    return r ? FAULT(r) : 0;
}
