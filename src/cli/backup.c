/* SPDX-License-Identifier: MIT */
/*
 * The verb "ledger backup": a state directory in which a controller can be started, as of one
 * commit.
 *
 * What is read is read by processes that have become its owner, and comes through pipes; what is
 * written is written by this one, through descriptors of directories it made. Until the copy is
 * whole, on disk and checked, it has a name of its own, DIR.partial.
 */
#include "cli/ledger.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "cli/command.h"
#include "ledger/backup.h"
#include "ledger/damage.h"
#include "ledger/verify.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB            ((uint64_t)1 << 20)
#define PARTIAL_SUFFIX ".partial"
#define KEPT_SIZE_MAX                                                                              \
    (16 * MIB)           /* of a file beside the ledger: of revoked tokens there may be 100,000 */
#define EXIT_NOT_THERE 2 /* of a process that should have read a file */

/* What a controller needs beside its ledger: so the copy works, and whoever has it can make tokens
   (docs/operations.md). */
static const char *const kept[] = {"key", "token", "revoked", "seal.key"};

struct backup {
    const struct ledger_place *from;
    struct arena *arena;
    const char *to, *partial; /* names of the copy: whole, until then */
    int partial_fd;
    int base_fd;   /* the same, or "controller" in it */
    int ledger_fd; /* "ledger" in that */
    uint64_t bytes_per_s;
    uint64_t size; /* of the ledger's file */
    struct verify_report report;
};

static int refuse_errno(struct refusal *why, const char *path, int error)
{
    return refuse(why, OUTCOME_UNAVAILABLE, NULL, "%s: %s", path, strerror(error));
}

/*
 * Processes that read
 */

/* Writes something of the source to `fd`. Returns an exit status. */
typedef int read_part(const struct backup *backup, const char *name, int fd);

static int say_refusal(const struct refusal *why)
{
    fprintf(stderr, "reeve: %s\n", why->text);
    return EXIT_FAILURE;
}

static int read_ledger(const struct backup *backup, const char *name, int fd)
{
    struct refusal why = {.text = ""};

    (void)name;
    damage_watch(backup->from->path); /* a file that was cut short is told by a signal */
    int r = backup_write(backup->from->ledger, fd, &why);
    if (r < 0)
        refuse_errno(&why, backup->from->path, -r);
    return r ? say_refusal(&why) : EXIT_SUCCESS;
}

static int read_kept(const struct backup *backup, const char *name, int fd)
{
    struct refusal why = {.text = ""};
    struct arena arena CLEANUP(arena_release) = {0};
    struct slice contents;

    int r = file_read(name, KEPT_SIZE_MAX, &arena, &contents);
    if (r == -ENOENT)
        return EXIT_NOT_THERE;
    if (!r)
        r = fd_write_all(fd, contents.at, contents.size);
    if (!r)
        return EXIT_SUCCESS;
    refuse_errno(&why, arena_printf(&arena, "%s/%s", backup->from->path, name), -r);
    return say_refusal(&why);
}

/* Of the copy, by the one whom it belongs to. */
static int read_report(const struct backup *backup, const char *name, int fd)
{
    struct verify_report report;
    struct refusal why = {.text = ""};

    (void)name;
    int r = fchdir(backup->base_fd) < 0 ? -errno : ledger_verify("ledger", &report, &why);
    if (!r)
        r = fd_write_all(fd, &report, sizeof(report));
    if (r < 0)
        refuse_errno(&why, backup->partial, -r);
    return r ? say_refusal(&why) : EXIT_SUCCESS;
}

static _Noreturn void read_in_child(const struct backup *backup, read_part *part, const char *name,
                                    int fd)
{
    int r = ledger_place_enter(backup->from);

    if (r) {
        fprintf(stderr, "reeve: %s: %s\n", backup->from->path, strerror(-r));
        _exit(EXIT_FAILURE);
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* here: a change of user clears it */
    _exit(part(backup, name, fd));
}

/* *ret_fd is read to its end; then child_end(). */
static int child_begin(const struct backup *backup, read_part *part, const char *name,
                       pid_t *ret_child, int *ret_fd)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        return FAULT(-errno);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        read_in_child(backup, part, name, ends[1]);
    }
    int r = child < 0 ? FAULT(-errno) : 0;
    close(ends[1]);
    if (r) {
        close(ends[0]);
        return r;
    }
    *ret_child = child;
    *ret_fd = ends[0];
    return 0;
}

/* 0; OUTCOME_NOT_FOUND there is no such file; OUTCOME_UNAVAILABLE: it has said why, or died. */
static int child_end(const struct backup *backup, pid_t child, int fd, struct refusal *why)
{
    int status;

    close(fd); /* first: it may be writing still */
    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR)
            return FAULT(-errno);
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS)
        return 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_NOT_THERE)
        return OUTCOME_NOT_FOUND;
    if (WIFEXITED(status)) {
        why->text[0] = '\0';
        return OUTCOME_UNAVAILABLE;
    }
    return refuse(why, OUTCOME_UNAVAILABLE, NULL,
                  "the ledger in %s can't be read to its end; \"reeve ledger check\" tells more",
                  backup->from->path);
}

/*
 * The copy
 */

static int write_part(struct backup *backup, read_part *part, const char *name, int to,
                      struct refusal *why)
{
    uint64_t size;
    pid_t child;
    int from;

    int r = child_begin(backup, part, name, &child, &from);
    if (r)
        return r;
    int pumped = backup_pump(from, to, backup->bytes_per_s, &size);
    r = child_end(backup, child, from, why);
    if (pumped)
        return refuse_errno(why, backup->partial, -pumped);
    if (!r && fsync(to) < 0)
        return refuse_errno(why, backup->partial, errno);
    if (!r && part == read_ledger)
        backup->size = size;
    return r;
}

/* A file of the copy belongs to whom the original does. */
static int copy_file(struct backup *backup, read_part *part, int at, const char *name,
                     struct refusal *why)
{
    const struct identity *owner = &backup->from->owner;
    CLEANUP(fd_closep)
    int fd = openat(at, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0)
        return refuse_errno(why, backup->partial, errno);
    int r = write_part(backup, part, name, fd, why);
    if (!r && owner->change && fchown(fd, owner->uid, owner->gid) < 0)
        return refuse_errno(why, backup->partial, errno);
    if (r == OUTCOME_NOT_FOUND)
        return unlinkat(at, name, 0) < 0 ? FAULT(-errno) : 0;
    return r;
}

static int make_directory(int at, const char *name, int *ret_fd)
{
    if (mkdirat(at, name, 0700) < 0)
        return -errno;
    *ret_fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    return *ret_fd < 0 ? -errno : 0;
}

static int make_directories(struct backup *backup, struct refusal *why)
{
    int r = make_directory(AT_FDCWD, backup->partial, &backup->partial_fd);

    if (r == -EEXIST)
        return refuse(why, OUTCOME_CONFLICT, NULL,
                      "%s is there, from a backup that was cut off or is being made: remove it",
                      backup->partial);
    if (r)
        return refuse_errno(why, backup->partial, -r);
    if (backup->from->nested)
        r = make_directory(backup->partial_fd, "controller", &backup->base_fd);
    else
        backup->base_fd = fcntl(backup->partial_fd, F_DUPFD_CLOEXEC, 0);
    if (!r)
        r = make_directory(backup->base_fd, "ledger", &backup->ledger_fd);
    return r ? refuse_errno(why, backup->partial, -r) : 0;
}

static int copy_files(struct backup *backup, struct refusal *why)
{
    int r = copy_file(backup, read_ledger, backup->ledger_fd, "data.mdb", why);

    for (size_t i = 0; !r && i < COUNT_OF(kept); i++)
        r = copy_file(backup, read_kept, backup->base_fd, kept[i], why);
    return r;
}

/* From the innermost outwards: what is handed over is not touched by us any more. */
static int hand_over(struct backup *backup, struct refusal *why)
{
    const struct identity *owner = &backup->from->owner;
    const int fds[] = {backup->ledger_fd, backup->base_fd};

    for (size_t i = 0; i < COUNT_OF(fds); i++) {
        if (fsync(fds[i]) < 0 || (owner->change && fchown(fds[i], owner->uid, owner->gid) < 0))
            return refuse_errno(why, backup->partial, errno);
    }
    if (backup->from->nested && fchmod(backup->partial_fd, 0755) < 0)
        return refuse_errno(why, backup->partial, errno);
    return fsync(backup->partial_fd) < 0 ? refuse_errno(why, backup->partial, errno) : 0;
}

static int check_copy(struct backup *backup, struct refusal *why)
{
    pid_t child;
    int from;

    int r = child_begin(backup, read_report, NULL, &child, &from);
    if (r)
        return r;
    int read_r = fd_read_all(from, &backup->report, sizeof(backup->report));
    r = child_end(backup, child, from, why);
    /* The check leaves it; a controller makes its own. */
    unlinkat(backup->ledger_fd, "lock.mdb", 0);
    return r || !read_r ? r : FAULT(read_r);
}

static int put_in_place(struct backup *backup, struct refusal *why)
{
    /* Takes the place of an empty directory, and of nothing else. */
    if (rename(backup->partial, backup->to) < 0)
        return refuse_errno(why, backup->to, errno);
    backup->partial = backup->to;
    int r = dir_sync(arena_printf(backup->arena, "%s/..", backup->to));
    return r ? refuse_errno(why, backup->to, -r) : 0;
}

static int backup_make(struct backup *backup, struct refusal *why)
{
    int r = make_directories(backup, why);

    if (!r)
        r = copy_files(backup, why);
    if (!r)
        r = hand_over(backup, why);
    if (!r)
        r = check_copy(backup, why);
    return r ? r : put_in_place(backup, why);
}

/* All that can be in it; what is not there is no fault. */
static void backup_remove(const struct backup *backup)
{
    if (backup->partial_fd < 0)
        return;
    unlinkat(backup->ledger_fd, "data.mdb", 0);
    unlinkat(backup->ledger_fd, "lock.mdb", 0);
    unlinkat(backup->base_fd, "ledger", AT_REMOVEDIR);
    for (size_t i = 0; i < COUNT_OF(kept); i++)
        unlinkat(backup->base_fd, kept[i], 0);
    unlinkat(backup->partial_fd, "controller", AT_REMOVEDIR);
    rmdir(backup->partial);
}

/*
 * The verb
 */

/* So that it is refused before the work, and not by rename() after it. */
static int check_target(const char *to, struct refusal *why)
{
    unsigned n = 0;
    DIR *dir = opendir(to);

    if (!dir)
        return errno == ENOENT ? 0 : refuse_errno(why, to, errno);
    while (n <= 2 && readdir(dir)) /* two are "." and ".." */
        n++;
    closedir(dir);
    if (n <= 2)
        return 0;
    return refuse(why, OUTCOME_CONFLICT, NULL, "%s holds something: name a new directory", to);
}

static const char *without_slashes(struct arena *arena, const char *path)
{
    size_t size = strlen(path);

    while (size > 1 && path[size - 1] == '/')
        size--;
    return arena_copy(arena, (struct slice){.at = path, .size = size});
}

static void print_result(const struct backup *backup, int64_t duration_us)
{
    char n_jobs[COUNT_TEXT_SIZE], duration[DURATION_TEXT_SIZE];

    count_format(backup->report.n_jobs, n_jobs);
    duration_format(duration_us / US_PER_MS * US_PER_MS, duration);
    for (unsigned i = 0; i < backup->report.n_shown; i++)
        puts(backup->report.shown[i]);
    if (backup->report.n_findings)
        printf("the ledger is not sound: see \"reeve ledger check\"\n");
    printf("%s: %s jobs, %.1f MiB, in %s\n", backup->to, n_jobs, (double)backup->size / (double)MIB,
           duration);
}

int ledger_backup_run(struct command *command, struct refusal *why)
{
    struct cli_ledger_backup_in in;
    struct ledger_place from;
    int64_t begin_us = clock_boot_us();

    int r = command_input(command, &in, why);
    if (!r)
        r = ledger_place_find(command, &from, why);
    if (r)
        return r;
    struct backup backup = {
        .from = &from,
        .arena = command->arena,
        .to = without_slashes(command->arena, in.dir),
        .partial_fd = -1,
        .base_fd = -1,
        .ledger_fd = -1,
        .bytes_per_s = (uint64_t)in.rate * MIB,
    };
    backup.partial = arena_printf(command->arena, "%s" PARTIAL_SUFFIX, backup.to);
    r = check_target(backup.to, why);
    if (!r)
        r = backup_make(&backup, why);
    if (r)
        backup_remove(&backup);
    fd_closep(&backup.ledger_fd);
    fd_closep(&backup.base_fd);
    fd_closep(&backup.partial_fd);
    close(from.fd);
    if (r)
        return r;
    print_result(&backup, clock_boot_us() - begin_us);
    command->exit_code = backup.report.n_findings ? outcome_exit(OUTCOME_RUN_FAILED) : 0;
    return fflush(stdout) ? FAULT(-errno) : 0;
}
