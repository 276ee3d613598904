/* SPDX-License-Identifier: MIT */
/*
 * The mixed load: workers that each do one call after another, by weights.
 */
#include "load.h"

#include "client.h"

#include "base/mem.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#define ANSWER_MS   4000L
#define PAUSE_US    20000 /* after a call that got no answer */
#define RECENT_JOBS 64    /* cancel, delete and retry take one of the last ones */

struct worker {
    struct load *load;
    struct client *client;
    pthread_t thread;
    uint64_t random;
    unsigned number, n_words;
};

struct load {
    struct load_options options;
    struct worker workers[LOAD_WORKERS];
    unsigned n_workers;
    atomic_bool stop;
    atomic_uint n_improper;
    pthread_mutex_t lock; /* of the notes */
    struct note *notes;
    size_t n_notes;
};

uint64_t random_next(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(2685821657736338717);
}

/* ---- notes ---- */

static void note_job(struct load *load, const char *id)
{
    struct note *note;

    pthread_mutex_lock(&load->lock);
    if (load->n_notes < LOAD_NOTES_MAX) {
        note = &load->notes[load->n_notes++];
        snprintf(note->id, sizeof(note->id), "%s", id);
        note->fate = NOTE_KEPT;
    }
    pthread_mutex_unlock(&load->lock);
}

/* One of the last jobs, or NULL; notes never move. */
static struct note *recent_note(struct worker *worker)
{
    struct load *load = worker->load;
    struct note *note = NULL;
    size_t n;

    pthread_mutex_lock(&load->lock);
    n = load->n_notes < RECENT_JOBS ? load->n_notes : RECENT_JOBS;
    if (n)
        note = &load->notes[load->n_notes - 1 - random_next(&worker->random) % n];
    pthread_mutex_unlock(&load->lock);
    return note;
}

static void set_fate(struct load *load, struct note *note, enum note_fate fate)
{
    pthread_mutex_lock(&load->lock);
    if (note->fate < fate)
        note->fate = fate;
    pthread_mutex_unlock(&load->lock);
}

/* ---- calls ---- */

/* A refusal names its status, its reason and itself in words. */
static bool is_proper(const struct client *client, int status)
{
    struct json answer, code, reason, error;
    int64_t said;

    if (status < 400)
        return true;
    return client_json(client, &answer) && answer.kind == JSON_OBJECT &&
           json_member(answer, "code", &code) && json_i64(code, &said) && said == status &&
           json_member(answer, "reason", &reason) && json_member(answer, "error", &error) &&
           reason.kind == JSON_STRING && error.kind == JSON_STRING;
}

static int call_json(struct worker *worker, const struct call *call)
{
    struct call with_token = *call;

    with_token.token = worker->load->options.token;
    int status = client_call(worker->client, &with_token);
    if (!status)
        usleep(PAUSE_US);
    else if (!is_proper(worker->client, status)) {
        struct slice body = client_body(worker->client);
        printf("load: %s %s: %d %.*s\n", call->method, call->path, status, (int)body.size, body.at);
        worker->load->n_improper++;
    }
    return status;
}

/* Any answer that names a job is a promise that there is one. */
static void submit(struct worker *worker, const struct call *call)
{
    char id[UUID_TEXT_SIZE];
    struct json answer, member;

    if (!call_json(worker, call) || !client_json(worker->client, &answer) ||
        answer.kind != JSON_OBJECT || !json_member(answer, "job_id", &member) ||
        member.text.size != UUID_TEXT_SIZE + 1)
        return;
    snprintf(id, sizeof(id), "%.*s", UUID_TEXT_SIZE - 1, member.text.at + 1);
    note_job(worker->load, id);
}

static void query_any(struct worker *worker)
{
    submit(worker,
           &(struct call){.method = "GET", .path = "/node/_any/hostname?wait=3s&expires=2s"});
}

static void query_all(struct worker *worker)
{
    submit(worker,
           &(struct call){.method = "GET", .path = "/api/node/_all/uptime?wait=3s&expires=2s"});
}

/* Each writes a word that no other does. Some wait before that, some after: a kill finds them in
   every state. */
static void modify(struct worker *worker, const char *path, const char *prefer)
{
    char body[512];

    snprintf(body, sizeof(body),
             "{\"command\":\"sleep 0.%02u; echo %llx-%u-%u >> %s; sleep 0.%02u\",\"timeout\":5}",
             (unsigned)(random_next(&worker->random) % 8),
             (unsigned long long)worker->load->options.seed, worker->number, worker->n_words++,
             worker->load->options.witness, (unsigned)(random_next(&worker->random) % 8));
    submit(worker, &(struct call){.method = "POST", .path = path, .body = body, .prefer = prefer});
}

static void modify_and_wait(struct worker *worker)
{
    modify(worker, "/node/_any/command/shell?wait=3s&expires=2s", NULL);
}

static void modify_async(struct worker *worker)
{
    modify(worker, "/node/_any/command/shell?expires=2s", "respond-async");
}

static void modify_all(struct worker *worker)
{
    modify(worker, "/node/_all/command/shell?wait=3s&expires=2s", NULL);
}

/* So short that a loaded host is often too late. */
static void modify_soon_or_not(struct worker *worker)
{
    char path[64];

    snprintf(path, sizeof(path), "/node/_any/command/shell?wait=2s&expires=%ums",
             (unsigned)(random_next(&worker->random) % 60));
    modify(worker, path, NULL);
}

/* Killed at its limit. */
static void modify_too_long(struct worker *worker)
{
    submit(worker, &(struct call){.method = "POST",
                                  .path = "/node/_any/command/exec?expires=2s",
                                  .body = "{\"command\":\"sleep\",\"args\":[\"60\"],\"timeout\":1}",
                                  .prefer = "respond-async"});
}

static void cancel(struct worker *worker)
{
    struct note *note = recent_note(worker);
    char path[128];

    if (!note)
        return;
    snprintf(path, sizeof(path), "/job/%s/cancel", note->id);
    call_json(worker, &(struct call){.method = "POST", .path = path});
}

static void delete_job(struct worker *worker)
{
    struct note *note = recent_note(worker);
    char path[128];

    if (!note)
        return;
    snprintf(path, sizeof(path), "/job/%s", note->id);
    set_fate(worker->load, note, NOTE_DELETE_ASKED);
    if (call_json(worker, &(struct call){.method = "DELETE", .path = path}) == 204)
        set_fate(worker->load, note, NOTE_DELETED);
}

static void list(struct worker *worker)
{
    call_json(worker, &(struct call){.method = "GET", .path = "/api/job?limit=20"});
}

static void list_failed(struct worker *worker)
{
    call_json(worker,
              &(struct call){.method = "GET", .path = "/job?status=failed&limit=100&offset=5"});
}

/* Of a query: a modify's word would come twice. */
static void retry_query(struct worker *worker)
{
    struct json answer, operation;
    struct note *note = recent_note(worker);
    char path[128];

    if (!note)
        return;
    snprintf(path, sizeof(path), "/job/%s", note->id);
    if (call_json(worker, &(struct call){.method = "GET", .path = path}) != 200 ||
        !client_json(worker->client, &answer) || !json_member(answer, "operation", &operation) ||
        memmem(operation.text.at, operation.text.size, "command", strlen("command")))
        return;
    snprintf(path, sizeof(path), "/job/%s/retry", note->id);
    submit(worker, &(struct call){.method = "POST", .path = path});
}

static bool read_bulk_id(struct worker *worker, char ret[UUID_TEXT_SIZE])
{
    struct json answer, id;

    if (!client_json(worker->client, &answer) || !json_member(answer, "bulk_id", &id) ||
        id.text.size != UUID_TEXT_SIZE + 1)
        return false;
    snprintf(ret, UUID_TEXT_SIZE, "%.*s", UUID_TEXT_SIZE - 1, id.text.at + 1);
    return true;
}

/* Queries again. Nobody notes the new jobs, so that all of them may be deleted. */
static void act_on_many(struct worker *worker)
{
    char id[UUID_TEXT_SIZE], body[128];

    if (call_json(worker, &(struct call){.method = "POST",
                                         .path = "/job/retry",
                                         .body = "{\"filter\":{\"operation\":\"node.\","
                                                 "\"target\":\"_any\"},\"limit\":8}"}) != 200 ||
        !read_bulk_id(worker, id))
        return;
    snprintf(body, sizeof(body), "{\"filter\":{\"bulk\":\"%s\"}}", id);
    call_json(worker, &(struct call){.method = "POST", .path = "/job/cancel", .body = body});
    call_json(worker, &(struct call){.method = "POST", .path = "/job/delete", .body = body});
}

static const struct action {
    unsigned weight; /* of 100 */
    void (*act)(struct worker *worker);
} actions[] = {
    {23, query_any},       {8, query_all},
    {22, modify_and_wait}, {13, modify_async},
    {5, modify_all},       {5, modify_soon_or_not},
    {2, modify_too_long},  {5, cancel},
    {5, delete_job},       {4, list},
    {2, list_failed},      {3, retry_query},
    {3, act_on_many},
};

static void *work(void *owner)
{
    struct worker *worker = owner;

    while (!worker->load->stop) {
        unsigned drawn = (unsigned)(random_next(&worker->random) % 100);
        const struct action *action = actions;

        while (drawn >= action->weight)
            drawn -= (action++)->weight;
        action->act(worker);
    }
    return NULL;
}

/* ---- the load ---- */

struct load *load_new(const struct load_options *options)
{
    struct load *load = mem_alloc(sizeof(*load));

    load->options = *options;
    load->n_workers = options->n_workers ? options->n_workers : LOAD_WORKERS;
    load->notes = mem_alloc(LOAD_NOTES_MAX * sizeof(*load->notes));
    pthread_mutex_init(&load->lock, NULL);
    for (unsigned i = 0; i < load->n_workers; i++)
        load->workers[i] = (struct worker){.load = load,
                                           .client = client_new(options->url, ANSWER_MS),
                                           .random = options->seed * LOAD_WORKERS + i + 1,
                                           .number = i};
    return load;
}

void load_go(struct load *load)
{
    load->stop = false;
    for (unsigned i = 0; i < load->n_workers; i++) {
        if (pthread_create(&load->workers[i].thread, NULL, work, &load->workers[i]))
            abort();
    }
}

void load_pause(struct load *load)
{
    load->stop = true;
    for (unsigned i = 0; i < load->n_workers; i++)
        pthread_join(load->workers[i].thread, NULL);
}

void load_free(struct load *load)
{
    for (unsigned i = 0; i < load->n_workers; i++)
        client_free(load->workers[i].client);
    pthread_mutex_destroy(&load->lock);
    mem_free(load->notes);
    mem_free(load);
}

size_t load_n_notes(const struct load *load)
{
    return load->n_notes;
}

const struct note *load_note(const struct load *load, size_t i)
{
    return &load->notes[i];
}

unsigned load_n_improper(const struct load *load)
{
    return load->n_improper;
}

/* ---- as a file ---- */

int load_save(const struct load *load, const char *path)
{
    FILE *file = fopen(path, "a");

    if (!file)
        return -errno;
    for (size_t i = 0; i < load->n_notes; i++)
        fprintf(file, "%s %d\n", load->notes[i].id, load->notes[i].fate);
    return fclose(file) ? -errno : 0;
}

int load_restore(struct load *load, const char *path)
{
    FILE *file = fopen(path, "r");
    struct note note;
    int fate;

    if (!file)
        return -errno;
    while (load->n_notes < LOAD_NOTES_MAX && fscanf(file, "%36s %d", note.id, &fate) == 2) {
        note.fate = (enum note_fate)fate;
        load->notes[load->n_notes++] = note;
    }
    fclose(file);
    return 0;
}
