/* SPDX-License-Identifier: MIT */
/*
 * Load on a controller that somebody else starts and hurts, and the verdict afterwards (verdict.h).
 *
 *     promised load  URL TOKEN_FILE WITNESS_FILE NOTES_FILE SECONDS SEED
 *     promised check URL TOKEN_FILE WITNESS_FILE NOTES_FILE
 *
 * `load` adds what it was answered to NOTES_FILE, `check` looks whether all of it is true. The seed
 * is part of each word that the witness gets: no two loads on one state have the same.
 */
#include "verdict.h"

#include "base/clock.h"

#include <unistd.h>

#define ANSWER_MS 5000L
#define READY_US  (40 * US_PER_S)

static bool wait_until_ready(struct verdict *verdict)
{
    int64_t until_us = clock_boot_us() + READY_US;

    while (!verdict_is_ready(verdict)) {
        if (clock_boot_us() > until_us) {
            verdict_fault(verdict, "not ready in time");
            return false;
        }
        usleep(20000);
    }
    return true;
}

static int load_for(struct verdict *verdict, const char *notes, unsigned seconds)
{
    load_go(verdict->load);
    usleep(seconds * 1000000);
    load_pause(verdict->load);
    int r = load_save(verdict->load, notes);
    if (r)
        verdict_fault(verdict, "%s: %s", notes, strerror(-r));
    return r;
}

static void check(struct verdict *verdict, const char *notes, const char *witness)
{
    int r = load_restore(verdict->load, notes);

    if (r)
        verdict_fault(verdict, "%s: %s", notes, strerror(-r));
    else if (wait_until_ready(verdict))
        verdict_end(verdict, witness);
}

int main(int argc, char **argv)
{
    struct arena arena = {0};
    bool loads = argc == 8 && strcmp(argv[1], "load") == 0;

    if (!loads && !(argc == 6 && strcmp(argv[1], "check") == 0)) {
        fprintf(stderr, "usage: promised load URL TOKEN_FILE WITNESS_FILE NOTES_FILE SECONDS SEED\n"
                        "       promised check URL TOKEN_FILE WITNESS_FILE NOTES_FILE\n");
        return 2;
    }
    uint64_t seed = loads ? strtoull(argv[7], NULL, 10) + 1 : 1;
    struct verdict verdict = {
        .name = argv[1],
        .client = client_new(argv[2], ANSWER_MS),
        .token = verdict_token(argv[3], &arena),
        .random = seed,
    };
    verdict.load = load_new(&(struct load_options){
        .url = argv[2], .token = verdict.token, .witness = argv[4], .seed = seed});
    if (loads)
        load_for(&verdict, argv[5], (unsigned)strtoul(argv[6], NULL, 10));
    else
        check(&verdict, argv[5], argv[4]);
    bool ok = verdict_close(&verdict);
    load_free(verdict.load);
    client_free(verdict.client);
    arena_release(&arena);
    return !ok;
}
