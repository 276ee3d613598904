/* SPDX-License-Identifier: MIT */
/*
 * The two processes of a check: one reads, the other tells what came of it.
 *
 * What they share is one piece of memory, so that findings survive whatever ends the one that
 * reads.
 */
#include "ledger/verify_inside.h"

#include "base/mem.h"
#include "ledger/damage.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

struct shared {
    struct verify_report report;
    struct verify_place place;
    bool opened; /* what is wrong from here on is a finding */
    int r;       /* of opening */
    struct refusal why;
};

/* ---- the process that reads ---- */

static int read_meta(struct verify *verify)
{
    static const uint64_t key = 0;
    struct slice bytes;
    int r = table_get(&verify->txn, TABLE_META, u64_slice(&key), &bytes);

    return r ? r : meta_row_decode(bytes, &verify->meta);
}

static void verify_all(struct verify *verify)
{
    if (read_meta(verify)) { /* all else is measured by it */
        verify_say(verify, TABLE_META, VERIFY_NO_KEY, "its row can't be decoded");
        return;
    }
    verify_pages(verify);
    verify_names(verify);
    verify_agents(verify);
    verify_jobs(verify);
    verify_ids(verify);
    verify_hostruns(verify);
    verify_dirty(verify);
}

static int verify_open(struct verify *verify, const char *dir, struct refusal *why)
{
    struct store *store;
    int r = store_open_to_read(dir, &store, why);

    if (r)
        return r;
    r = snapshot_open(store, &verify->txn);
    if (!r)
        r = snapshot_renew_newest(&verify->txn, &verify->n_pages);
    return r ? store_refuse(store, "read", r, why) : 0;
}

static _Noreturn void read_in_child(const char *dir, struct shared *shared)
{
    static const int deadly[] = {SIGBUS, SIGSEGV, SIGFPE, SIGABRT};
    struct rlimit no_core = {.rlim_cur = 0};
    struct verify verify = {.report = &shared->report, .place = &shared->place};

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setrlimit(RLIMIT_CORE, &no_core);
    for (size_t i = 0; i < COUNT_OF(deadly); i++)
        signal(deadly[i], SIG_DFL);
    shared->r = verify_open(&verify, dir, &shared->why);
    if (shared->r)
        _exit(EXIT_SUCCESS);
    shared->opened = true;
    verify_all(&verify);
    snapshot_close(&verify.txn);
    store_close(verify.txn.store); /* lets go of its entry in the lock file */
    _exit(EXIT_SUCCESS);
}

/* ---- the process that waits ---- */

static const char *end_of(int status)
{
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS)
        return "a page can't be read; the file was cut short, or its disk fails";
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
        return "the check was killed";
    return "a page holds nonsense";
}

static void say_end(struct shared *shared, int status)
{
    struct verify verify = {.report = &shared->report, .place = &shared->place};
    const struct verify_place *place = &shared->place;

    verify_say(&verify, place->table, place->has_key ? place->key : VERIFY_NO_KEY,
               "here the check ended: %s", end_of(status));
}

static int refuse_damaged(const char *dir, int status, struct refusal *why)
{
    char absolute[PATH_MAX];
    const char *name = realpath(dir, absolute) ? absolute : dir;

    return refuse(why, OUTCOME_UNAVAILABLE, NULL, DAMAGE_TEXT "%s; restore a backup", name,
                  end_of(status));
}

static int wait_for_child(pid_t child, int *ret_status)
{
    while (waitpid(child, ret_status, 0) < 0) {
        if (errno != EINTR)
            return FAULT(-errno);
    }
    return 0;
}

static int verify_shared(const char *dir, struct shared *shared, struct refusal *why)
{
    int status;
    pid_t child = fork();

    if (child == 0)
        read_in_child(dir, shared);
    int r = child < 0 ? FAULT(-errno) : wait_for_child(child, &status);
    if (r)
        return r;
    bool ended_well = WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
    if (!shared->opened && !ended_well)
        return refuse_damaged(dir, status, why);
    if (shared->r) {
        *why = shared->why;
        return shared->r;
    }
    if (!ended_well)
        say_end(shared, status);
    return 0;
}

int ledger_verify(const char *dir, struct verify_report *ret, struct refusal *why)
{
    struct shared *shared =
        mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (shared == MAP_FAILED)
        return FAULT(-errno);
    int r = verify_shared(dir, shared, why);
    if (!r)
        *ret = shared->report;
    munmap(shared, sizeof(*shared));
    return r;
}
