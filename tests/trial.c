/* SPDX-License-Identifier: MIT */
/*
 * One trial of `tests/faults`: programs of which one has a fault point that acts (base/fault.h), a
 * little load, and the verdict.
 *
 *     trial URL TOKEN_FILE WITNESS_FILE SEED PROGRAM…
 *
 * Whichever program ends is started again, as an operator's supervisor would. Exit status 0: the
 * system recovered by itself and every promise was kept.
 */
#include "program.h"
#include "verdict.h"

#include "base/clock.h"

#include <sys/wait.h>
#include <unistd.h>

#define ANSWER_MS    6000L
#define READY_US     (30 * US_PER_S)
#define LOAD_US      (600 * US_PER_MS)
#define STEP_US      20000
#define PROGRAMS_MAX 2
#define WORKERS      3

struct trial {
    struct program programs[PROGRAMS_MAX];
    int n_programs;
    struct verdict verdict;
};

static void keep_running(struct trial *trial)
{
    int status;

    for (int i = 0; i < trial->n_programs; i++) {
        if (program_ended(&trial->programs[i], &status))
            program_start(&trial->programs[i]);
    }
}

static bool wait_until_ready(struct trial *trial)
{
    int64_t until_us = clock_boot_us() + READY_US;

    while (!verdict_is_ready(&trial->verdict)) {
        keep_running(trial);
        if (clock_boot_us() > until_us) {
            verdict_fault(&trial->verdict, "not ready in time");
            return false;
        }
        usleep(STEP_US);
    }
    return true;
}

static void load_for_a_while(struct trial *trial)
{
    int64_t until_us = clock_boot_us() + LOAD_US;

    load_go(trial->verdict.load);
    while (clock_boot_us() < until_us) {
        keep_running(trial);
        usleep(STEP_US);
    }
    load_pause(trial->verdict.load);
}

/* The one that was started last is stopped first: the agent ends in its own time. */
static void stop_all(struct trial *trial)
{
    for (int i = trial->n_programs - 1; i >= 0; i--) {
        int status = program_stop(&trial->programs[i]);
        if (WIFSIGNALED(status))
            verdict_fault(&trial->verdict, "%s did not end by itself: signal %d",
                          trial->programs[i].name, WTERMSIG(status));
    }
}

int main(int argc, char **argv)
{
    static struct trial trial;
    struct arena arena = {0};

    if (argc < 6 || argc > 5 + PROGRAMS_MAX) {
        fprintf(stderr, "usage: trial URL TOKEN_FILE WITNESS_FILE SEED PROGRAM…\n");
        return 2;
    }
    uint64_t seed = strtoull(argv[4], NULL, 10) + 1;
    for (int i = 5; i < argc; i++) {
        trial.programs[trial.n_programs] = (struct program){.name = argv[i], .path = argv[i]};
        program_start(&trial.programs[trial.n_programs++]);
    }
    trial.verdict = (struct verdict){
        .name = "trial",
        .client = client_new(argv[1], ANSWER_MS),
        .random = seed,
    };
    /* A start that fails makes no token: whatever ends is started again meanwhile. */
    for (int64_t until_us = clock_boot_us() + READY_US;
         access(argv[2], R_OK) && clock_boot_us() < until_us; usleep(STEP_US))
        keep_running(&trial);
    trial.verdict.token = verdict_token(argv[2], &arena);
    trial.verdict.load = load_new(&(struct load_options){.url = argv[1],
                                                         .token = trial.verdict.token,
                                                         .witness = argv[3],
                                                         .seed = seed,
                                                         .n_workers = WORKERS});
    if (wait_until_ready(&trial)) {
        load_for_a_while(&trial);
        if (wait_until_ready(&trial))
            verdict_end(&trial.verdict, argv[3]);
    }
    stop_all(&trial);
    bool ok = verdict_close(&trial.verdict);
    load_free(trial.verdict.load);
    client_free(trial.verdict.client);
    arena_release(&arena);
    return !ok;
}
