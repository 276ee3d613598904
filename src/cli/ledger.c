/* SPDX-License-Identifier: MIT */
/*
 * The verb "ledger check", and where a ledger is.
 */
#include "cli/ledger.h"

#include "base/mem.h"
#include "cli/command.h"
#include "cli/locate.h"
#include "ledger/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * Where
 */

static int refuse_errno(struct refusal *why, const char *path, int error)
{
    return refuse(why, OUTCOME_UNAVAILABLE, "state", "%s: %s", path, strerror(error));
}

/* "controller" in the state directory of "reeve start", else that directory itself. */
static int open_base(const char *state, struct arena *arena, struct ledger_place *ret,
                     struct refusal *why)
{
    char absolute[PATH_MAX];

    if (!realpath(state, absolute))
        return refuse_errno(why, state, errno);
    int fd = open(absolute, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return refuse_errno(why, absolute, errno);
    int inner = openat(fd, "controller", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (inner < 0 && errno != ENOENT && errno != ENOTDIR) {
        int error = errno;
        close(fd);
        return refuse_errno(why, arena_printf(arena, "%s/controller", absolute), error);
    }
    ret->nested = inner >= 0;
    ret->path = arena_printf(arena, "%s%s", absolute, ret->nested ? "/controller" : "");
    ret->fd = ret->nested ? inner : fd;
    if (ret->nested)
        close(fd);
    return 0;
}

/* Who may read a ledger is its owner: whoever is root becomes them. */
static int find_owner(struct ledger_place *place, struct refusal *why)
{
    struct stat status;
    int r = fstatat(place->fd, "ledger", &status, AT_SYMLINK_NOFOLLOW);

    place->ledger = "ledger";
    if (r < 0 && errno == ENOENT) {
        place->ledger = ".";
        r = fstat(place->fd, &status);
    }
    if (r < 0)
        return refuse_errno(why, place->path, errno);
    place->owner = (struct identity){
        .change = geteuid() == 0 && status.st_uid != 0, .uid = status.st_uid, .gid = status.st_gid};
    return 0;
}

int ledger_place_find(const struct command *command, struct ledger_place *ret, struct refusal *why)
{
    const char *state = locate_state(&command->options, command->arena);
    struct ledger_place place = {.fd = -1};

    int r = open_base(state, command->arena, &place, why);
    if (!r)
        r = find_owner(&place, why);
    if (r) {
        fd_closep(&place.fd);
        return r;
    }
    *ret = place;
    return 0;
}

int ledger_place_enter(const struct ledger_place *place)
{
    if (fchdir(place->fd) < 0)
        return -errno;
    return identity_take(&place->owner);
}

/*
 * Who else may read it
 */

static const struct guarded {
    const char *name;
    mode_t type;
} guarded[] = {
    {.name = ".", .type = S_IFDIR},
    {.name = "key", .type = S_IFREG},
    {.name = "seal.key", .type = S_IFREG},
    {.name = "revoked", .type = S_IFREG},
    {.name = "token", .type = S_IFREG},
    {.name = "ledger", .type = S_IFDIR},
    {.name = "ledger/data.mdb", .type = S_IFREG},
    {.name = "ledger/lock.mdb", .type = S_IFREG},
    {.name = "data.mdb", .type = S_IFREG},
    {.name = "lock.mdb", .type = S_IFREG},
};

static unsigned complain(const struct ledger_place *place, const char *name, const char *what,
                         const char *remedy)
{
    printf("%s/%s: %s: %s\n", place->path, name, what, remedy);
    return 1;
}

/* How many findings; what is not there has none. */
static unsigned check_mode(const struct ledger_place *place, const struct guarded *row, uid_t owner)
{
    bool is_directory = row->type == S_IFDIR;
    struct stat status;
    unsigned n = 0;

    if (lstat(row->name, &status) < 0)
        return 0;
    if ((status.st_mode & S_IFMT) != row->type)
        return complain(place, row->name, is_directory ? "is no directory" : "is no file",
                        "restore a backup");
    if (status.st_uid != owner)
        n += complain(place, row->name, "belongs to another user", "chown it");
    if (status.st_mode & (S_IRWXG | S_IRWXO))
        n += complain(place, row->name, "is open to others",
                      is_directory ? "chmod it to 0700" : "chmod it to 0600");
    return n;
}

static unsigned check_modes(const struct ledger_place *place)
{
    struct stat status;
    unsigned n = 0;

    if (stat(".", &status) < 0)
        return 0;
    for (size_t i = 0; i < COUNT_OF(guarded); i++)
        n += check_mode(place, &guarded[i], status.st_uid);
    return n;
}

/*
 * What is in it
 */

void count_format(uint64_t count, char ret[COUNT_TEXT_SIZE])
{
    char digits[COUNT_TEXT_SIZE];
    int n = snprintf(digits, sizeof(digits), "%" PRIu64, count);
    int at = 0;

    for (int i = 0; i < n; i++) {
        if (i > 0 && (n - i) % 3 == 0)
            ret[at++] = ',';
        ret[at++] = digits[i];
    }
    ret[at] = '\0';
}

static void print_report(const struct verify_report *report, uint64_t n_more)
{
    char n_jobs[COUNT_TEXT_SIZE], n_runs[COUNT_TEXT_SIZE], n_blocks[COUNT_TEXT_SIZE],
        n_findings[COUNT_TEXT_SIZE];

    for (unsigned i = 0; i < report->n_shown; i++)
        puts(report->shown[i]);
    count_format(report->n_findings - report->n_shown, n_findings);
    if (report->n_findings > report->n_shown)
        printf("and %s more\n", n_findings);
    count_format(report->n_jobs, n_jobs);
    count_format(report->n_runs, n_runs);
    count_format(report->n_blocks, n_blocks);
    count_format(report->n_findings + n_more, n_findings);
    printf("%s jobs, %s runs, %s blocks: %s findings\n", n_jobs, n_runs, n_blocks, n_findings);
}

int ledger_check_run(struct command *command, struct refusal *why)
{
    struct ledger_place place;
    struct verify_report report;

    int r = ledger_place_find(command, &place, why);
    if (r)
        return r;
    r = ledger_place_enter(&place);
    close(place.fd);
    if (r)
        return refuse_errno(why, place.path, -r);
    r = ledger_verify(place.ledger, &report, why);
    if (r)
        return r;
    unsigned n_modes = check_modes(&place);
    print_report(&report, n_modes);
    command->exit_code = report.n_findings + n_modes > 0 ? outcome_exit(OUTCOME_RUN_FAILED) : 0;
    return fflush(stdout) ? FAULT(-errno) : 0;
}
