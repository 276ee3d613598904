/* SPDX-License-Identifier: MIT */
/*
 * Kills controller, agent or both with SIGKILL at random moments under load, again and again, and
 * asks afterwards whether every promise was kept (verdict.h).
 *
 *     crash URL TOKEN_FILE WITNESS_FILE CONTROLLER AGENT LOOPS SEED [drops|deeds]
 *
 * CONTROLLER and AGENT are started without arguments (program.h). One that was killed is started
 * again at once. "drops": the controller keeps jobs for seconds only. "deeds": it is the one that
 * is killed, during bulk actions (deeds.h). Exit status 0: nothing wrong.
 */
#include "client.h"
#include "deeds.h"
#include "load.h"
#include "program.h"
#include "verdict.h"

#include "base/clock.h"

#include <unistd.h>

#define ANSWER_MS   5000L
#define RECOVERY_US (20 * US_PER_S) /* from a kill to ready */
#define DEED_US     25000           /* of a bulk action under load */

enum { CONTROLLER, AGENT, PROGRAMS };

struct crash {
    struct program programs[PROGRAMS];
    struct verdict verdict;
    struct deeds *deeds; /* NULL: none */
};

/* Commands that are to be cancelled do not survive their agent. */
static void kill_some(struct crash *crash)
{
    unsigned victims =
        crash->deeds ? 1u << CONTROLLER : 1 + (unsigned)(random_next(&crash->verdict.random) % 3);

    for (int i = 0; i < PROGRAMS; i++) {
        if (victims & 1u << i) {
            program_kill(&crash->programs[i]);
            program_start(&crash->programs[i]);
        }
    }
}

/* Nothing but a signal of ours may end them. */
static bool are_running(struct crash *crash)
{
    bool running = true;
    int status;

    for (int i = 0; i < PROGRAMS; i++) {
        if (!program_ended(&crash->programs[i], &status))
            continue;
        verdict_fault(&crash->verdict, "the %s ended by itself, wait status %#x",
                      crash->programs[i].name, (unsigned)status);
        running = false;
    }
    return running;
}

static bool recover(struct crash *crash)
{
    int64_t until_us = clock_boot_us() + RECOVERY_US;

    while (!verdict_is_ready(&crash->verdict)) {
        if (!are_running(crash))
            return false;
        if (clock_boot_us() > until_us) {
            verdict_fault(&crash->verdict, "not ready %lld s after a kill",
                          (long long)(RECOVERY_US / US_PER_S));
            return false;
        }
        usleep(10000);
    }
    return true;
}

static bool loop(struct crash *crash)
{
    load_go(crash->verdict.load);
    usleep(50000 + (useconds_t)(random_next(&crash->verdict.random) % 350000));
    if (crash->deeds) {
        deeds_begin(crash->deeds);
        usleep((useconds_t)(random_next(&crash->verdict.random) % DEED_US));
    }
    kill_some(crash);
    load_pause(crash->verdict.load);
    if (!recover(crash))
        return false;
    if (crash->deeds)
        deeds_judge(crash->deeds);
    verdict_round(&crash->verdict);
    return true;
}

static void stop(struct crash *crash, int which)
{
    int status = program_stop(&crash->programs[which]);

    if (status)
        verdict_fault(&crash->verdict, "the %s was stopped and ended with wait status %#x",
                      crash->programs[which].name, (unsigned)status);
}

int main(int argc, char **argv)
{
    static struct crash crash;
    struct arena arena = {0};
    unsigned done = 0;

    if (argc < 8) {
        fprintf(stderr, "usage: crash URL TOKEN_FILE WITNESS_FILE CONTROLLER AGENT LOOPS SEED "
                        "[drops|deeds]\n");
        return 2;
    }
    unsigned loops = (unsigned)strtoul(argv[6], NULL, 10);
    uint64_t seed = strtoull(argv[7], NULL, 10);
    printf("crash: seed %llu\n", (unsigned long long)seed);
    crash.programs[CONTROLLER] = (struct program){.name = "controller", .path = argv[4]};
    crash.programs[AGENT] = (struct program){.name = "agent", .path = argv[5]};
    program_start(&crash.programs[AGENT]);
    program_start(&crash.programs[CONTROLLER]);
    crash.verdict = (struct verdict){
        .name = "crash",
        .client = client_new(argv[1], ANSWER_MS),
        .token = verdict_token(argv[2], &arena),
        .random = seed + 1,
        .drops = argc > 8 && strcmp(argv[8], "drops") == 0,
    };
    crash.verdict.load = load_new(&(struct load_options){
        .url = argv[1], .token = crash.verdict.token, .witness = argv[3], .seed = seed + 1});

    if (recover(&crash)) {
        if (argc > 8 && strcmp(argv[8], "deeds") == 0)
            crash.deeds = deeds_new(&crash.verdict, argv[1]);
        while (done < loops && loop(&crash))
            done++;
        verdict_end(&crash.verdict, argv[3]);
    }
    stop(&crash, CONTROLLER);
    stop(&crash, AGENT);
    printf("crash: loops %u\n", done);
    bool ok = verdict_close(&crash.verdict) && done == loops;
    if (crash.deeds)
        deeds_free(crash.deeds);
    load_free(crash.verdict.load);
    client_free(crash.verdict.client);
    arena_release(&arena);
    return !ok;
}
