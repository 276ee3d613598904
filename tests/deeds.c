/* SPDX-License-Identifier: MIT */
/*
 * Queries are retried and deleted, commands that take long are cancelled: a known number each time.
 */
#include "deeds.h"

#include "base/mem.h"

#include <inttypes.h>
#include <pthread.h>
#include <unistd.h>

#define ANSWER_MS    4000L
#define STEP_US      10000
#define STEPS        500 /* until a state is reached */
#define JOBS_A_DEED  24  /* as in QUERIES_BODY */
#define QUERIES_MAX  (12 * JOBS_A_DEED)
#define SLEEPERS     5 /* the agent has room for the load beside them */
#define LABEL        "group:bulk"
#define QUERIES_BODY "{\"filter\":{\"target\":\"" LABEL "\",\"operation\":\"node.\"},\"limit\":24}"
#define SLEEPER_BODY "{\"filter\":{\"target\":\"" LABEL "\",\"operation\":\"command.\"}}"

enum deed { DEED_RETRY, DEED_CANCEL, DEED_DELETE, DEED_COUNT };

static const struct way {
    const char *word, *path, *body;
    int64_t n; /* jobs that it is done to */
} ways[DEED_COUNT] = {
    [DEED_RETRY] = {"retry", "/job/retry", QUERIES_BODY, JOBS_A_DEED},
    [DEED_CANCEL] = {"cancel", "/job/cancel", SLEEPER_BODY, SLEEPERS},
    [DEED_DELETE] = {"delete", "/job/delete", QUERIES_BODY, JOBS_A_DEED},
};

struct deeds {
    struct verdict *verdict;
    struct client *client; /* of the thread while there is one */
    pthread_t thread;
    enum deed deed;
    int status;        /* 0: no answer */
    int64_t taken;     /* with status 200 */
    int64_t n_queries; /* ours, of which nothing is under way */
    unsigned n_answered, n_unheard, n_undone;
};

static int call(struct deeds *deeds, const struct call *call)
{
    struct call with_token = *call;

    with_token.token = deeds->verdict->token;
    return client_call(deeds->client, &with_token);
}

/* -1: the last answer has no such number. */
static int64_t answered(const struct deeds *deeds, const char *name)
{
    struct json answer, member;
    int64_t n;

    return client_json(deeds->client, &answer) && answer.kind == JSON_OBJECT &&
                   json_member(answer, name, &member) && json_i64(member, &n)
               ? n
               : -1;
}

static int64_t count(struct deeds *deeds, const char *path)
{
    return call(deeds, &(struct call){.method = "GET", .path = path}) == 200
               ? answered(deeds, "total_items")
               : -1;
}

static int64_t count_queries(struct deeds *deeds)
{
    return count(deeds, "/job?limit=1&operation=node.&target=" LABEL);
}

static int64_t count_sleepers(struct deeds *deeds)
{
    return count(deeds, "/job?limit=1&operation=command.&status=processing&target=" LABEL);
}

static int64_t count_cancelled(struct deeds *deeds)
{
    static const char event[] = "\"event\":\"cancelled\"";
    static const struct call get = {.method = "GET",
                                    .path = "/job?limit=100&operation=command.&target=" LABEL};
    struct json answer, items;
    int64_t n = 0;

    if (call(deeds, &get) != 200 || !client_json(deeds->client, &answer) ||
        !json_member(answer, "items", &items))
        return -1;
    for (struct json_walk walk = json_walk(items); json_next(&walk);)
        n += memmem(walk.value.text.at, walk.value.text.size, event, strlen(event)) != NULL;
    return n;
}

/* ---- asking ---- */

/* An action leaves out jobs that changed while it was prepared: they are to sleep already. */
static void submit_sleepers(struct deeds *deeds)
{
    static const struct call submit = {.method = "POST",
                                       .path = "/node/" LABEL "/command/exec?expires=1h",
                                       .body = "{\"command\":\"sleep\",\"args\":[\"60\"]}",
                                       .prefer = "respond-async"};

    for (unsigned i = 0; i < SLEEPERS; i++) {
        int status = call(deeds, &submit);
        if (status != 202)
            verdict_fault(deeds->verdict, "a command for %s is answered with %d", LABEL, status);
    }
    for (unsigned i = 0; count_sleepers(deeds) != SLEEPERS; i++) {
        if (i == STEPS) {
            verdict_fault(deeds->verdict, "commands for %s do not begin", LABEL);
            return;
        }
        usleep(STEP_US);
    }
}

/* Those that are being cancelled change meanwhile. */
static void delete_sleepers(struct deeds *deeds)
{
    static const struct call delete = {
        .method = "POST", .path = "/job/delete", .body = SLEEPER_BODY};
    int64_t n = 0;

    for (unsigned i = 0; i < STEPS && n < SLEEPERS; i++) {
        int status = call(deeds, &delete);
        if (status != 200) {
            verdict_fault(deeds->verdict, "deletion for %s is answered with %d", LABEL, status);
            return;
        }
        n += answered(deeds, "taken");
    }
    if (n != SLEEPERS)
        verdict_fault(deeds->verdict, "%" PRId64 " commands for %s were deleted", n, LABEL);
}

static void *ask(void *owner)
{
    struct deeds *deeds = owner;
    const struct way *way = &ways[deeds->deed];

    deeds->status =
        call(deeds, &(struct call){.method = "POST", .path = way->path, .body = way->body});
    deeds->taken = answered(deeds, "taken");
    return NULL;
}

static enum deed choose(struct deeds *deeds)
{
    if (deeds->n_queries < 2 * JOBS_A_DEED)
        return DEED_RETRY;
    if (deeds->n_queries > QUERIES_MAX)
        return DEED_DELETE;
    return (enum deed)(random_next(&deeds->verdict->random) % DEED_COUNT);
}

void deeds_begin(struct deeds *deeds)
{
    deeds->deed = choose(deeds);
    if (deeds->deed == DEED_CANCEL)
        submit_sleepers(deeds);
    if (pthread_create(&deeds->thread, NULL, ask, deeds))
        abort();
}

/* ---- judging ---- */

static int64_t count_done(struct deeds *deeds)
{
    if (deeds->deed == DEED_CANCEL)
        return count_cancelled(deeds);
    int64_t before = deeds->n_queries;
    deeds->n_queries = count_queries(deeds);
    return deeds->deed == DEED_RETRY ? deeds->n_queries - before : before - deeds->n_queries;
}

void deeds_judge(struct deeds *deeds)
{
    const struct way *way = &ways[deeds->deed];

    pthread_join(deeds->thread, NULL);
    int status = deeds->status;
    int64_t n = count_done(deeds);
    bool is_whole = n == way->n && (status == 200 || status == 0);
    bool is_nothing = n == 0 && status != 200;
    deeds->n_answered += status == 200;
    deeds->n_unheard += status == 0 && is_whole;
    deeds->n_undone += is_nothing;
    if (!is_whole && !is_nothing)
        verdict_fault(deeds->verdict,
                      "%s of %" PRId64 " jobs was done to %" PRId64 ", and answered with %d",
                      way->word, way->n, n, status);
    if (status == 200 && deeds->taken != way->n)
        verdict_fault(deeds->verdict, "%s of %" PRId64 " jobs took %" PRId64, way->word, way->n,
                      deeds->taken);
    if (deeds->deed == DEED_CANCEL)
        delete_sleepers(deeds);
}

/* ---- the whole ---- */

static void make_queries(struct deeds *deeds)
{
    static const struct call query = {.method = "GET", .path = "/node/" LABEL "/hostname"};

    for (unsigned i = 0; i < JOBS_A_DEED; i++) {
        int status = call(deeds, &query);
        if (status != 200)
            verdict_fault(deeds->verdict, "a query of %s is answered with %d", LABEL, status);
    }
    deeds->n_queries = count_queries(deeds);
}

struct deeds *deeds_new(struct verdict *verdict, const char *url)
{
    struct deeds *deeds = mem_alloc(sizeof(*deeds));

    deeds->verdict = verdict;
    deeds->client = client_new(url, ANSWER_MS);
    make_queries(deeds);
    return deeds;
}

void deeds_free(struct deeds *deeds)
{
    printf("%s: deeds answered %u, done without an answer %u, not done %u\n", deeds->verdict->name,
           deeds->n_answered, deeds->n_unheard, deeds->n_undone);
    client_free(deeds->client);
    mem_free(deeds);
}
