/* SPDX-License-Identifier: MIT */
/*
 * Age, and sizes: what stands in rows only.
 *
 * Of each block it is remembered when the first of its jobs is due, and how many bytes they take.
 * It is read when that time has come; one that nobody changed is not read before.
 */
#include "ledger/retain_inside.h"

#include "base/mem.h"
#include "ledger/names.h"

#include <assert.h>
#include <errno.h>

/* Of a look whose bytes are not what the block has: no block's version. */
#define VERSION_STALE UINT64_MAX

/* ---- ages ---- */

static int64_t class_age_us(const struct retain *retain, bool is_query)
{
    const struct config_retention *rules = &retain->rules;

    if (is_query)
        return rules->has_queries ? rules->queries : INT64_MAX;
    return rules->has_modifies ? rules->modifies : INT64_MAX;
}

static int64_t status_age_us(const struct retain *retain, enum job_status status)
{
    const struct config_retention_rule *rule = retain_rule_of(retain, status);

    return rule && rule->has_age ? rule->age : INT64_MAX;
}

/* Numbers of operations are given once and for all. */
static int read_classes(struct retain *retain)
{
    struct txn *txn = &retain->reader->txn;
    struct slice key, value, name;
    enum name_kind kind;
    uint32_t number;
    int r = table_seek(txn, TABLE_NAMES, names_begin(NAME_OPERATION), &key, &value);

    for (; !r && names_row_decode(key, value, &kind, &name, &number) && kind == NAME_OPERATION;
         r = table_next(txn, TABLE_NAMES, &key, &value)) {
        char type[NAME_SIZE_MAX + 1] = "";
        if (number == 0 || name.size > NAME_SIZE_MAX)
            return FAULT(-EUCLEAN);
        memcpy(type, name.at, name.size);
        const struct op *op = op_by_type(type);
        retain->is_query[number] = op && op->class == CLASS_QUERY;
        if (number > retain->last_operation)
            retain->last_operation = (uint16_t)number;
    }
    return r == OUTCOME_NOT_FOUND ? 0 : r;
}

static int64_t plus(int64_t time_us, int64_t age_us)
{
    return age_us > INT64_MAX - time_us ? INT64_MAX : time_us + age_us;
}

/* When a final job goes by age. */
static int head_due_us(struct retain *retain, const struct head *head, int64_t *ret)
{
    if (head->operation > retain->last_operation) {
        int r = read_classes(retain);
        if (r)
            return r;
    }
    int64_t age_us = lesser(class_age_us(retain, retain->is_query[head->operation]),
                            status_age_us(retain, head_status(head)));
    *ret = plus(head->updated_us, age_us);
    return 0;
}

/* ---- looks ---- */

/* Blocks only ever vanish from the front: what comes is newer. */
static struct look *look_of(struct retain *retain, uint64_t number)
{
    if (retain->n_looks == 0)
        retain->first = number;
    assert(number >= retain->first);
    size_t at = (size_t)(number - retain->first);
    if (at >= retain->room) {
        retain->room = at + at / 2 + 16;
        retain->looks = mem_realloc(retain->looks, retain->room * sizeof(*retain->looks));
    }
    if (at >= retain->n_looks) {
        memset(retain->looks + retain->n_looks, 0,
               (at + 1 - retain->n_looks) * sizeof(*retain->looks));
        retain->n_looks = at + 1;
    }
    return &retain->looks[at];
}

static void looks_forget_before(struct retain *retain, uint64_t number)
{
    uint64_t n_gone = number > retain->first ? number - retain->first : 0;

    if (n_gone > retain->n_looks)
        n_gone = retain->n_looks;
    if (n_gone == 0)
        return;
    retain->n_looks -= (size_t)n_gone;
    retain->first += n_gone;
    memmove(retain->looks, retain->looks + n_gone, retain->n_looks * sizeof(*retain->looks));
}

void looks_lose(struct retain *retain, uint64_t seq, enum job_status status, uint64_t bytes)
{
    struct look *look = look_of(retain, seq / BLOCK_JOBS);

    look->bytes[status] -= lesser_u64(bytes, look->bytes[status]);
    look->version = VERSION_STALE; /* counted again later, in case the job stays */
}

/* Of blocks that have no jobs, from one to before another. */
static void looks_clear(struct retain *retain, uint64_t from, uint64_t to)
{
    for (size_t i = 0; i < retain->n_looks; i++) {
        if (retain->first + i >= from && retain->first + i < to)
            retain->looks[i] = (struct look){0};
    }
}

void looks_begin(struct retain *retain)
{
    retain->least_age_us = lesser(class_age_us(retain, true), class_age_us(retain, false));
    for (enum job_status status = 0; status < job_status_COUNT; status++)
        retain->least_age_us = lesser(retain->least_age_us, status_age_us(retain, status));
    retain->n_looks = 0;
    retain->number = 0;
    retain->in_block = false;
}

uint64_t looks_bytes(const struct retain *retain, enum job_status status)
{
    uint64_t bytes = 0;

    for (size_t i = 0; i < retain->n_looks; i++)
        bytes += retain->looks[i].bytes[status];
    return bytes;
}

/* ---- blocks ---- */

struct block_copy {
    const struct retain *retain; /* for its classes */
    uint64_t number;             /* wanted: the first from here on */
    /* found */
    bool found;
    uint64_t version, oldest; /* oldest: seq of its first job */
    unsigned statuses;        /* set of those it has */
    bool has_queries, has_others;
};

static void copy_found(const struct block_slot *slot, struct block_copy *copy)
{
    uint32_t n = block_count(slot->block, DIMENSION_ALL, 0);
    uint32_t n_queries = block_count_among(slot->block, DIMENSION_OPERATION, copy->retain->is_query,
                                           COUNT_OF(copy->retain->is_query));
    uint16_t position = 0;

    copy->found = true;
    copy->version = slot->version;
    copy->has_queries = n_queries > 0;
    copy->has_others = n_queries < n;
    copy->statuses = 0;
    for (unsigned status = 0; status < job_status_COUNT; status++) {
        if (block_count(slot->block, DIMENSION_STATUS, (uint16_t)status) > 0)
            copy->statuses |= 1u << status;
    }
    struct selection all = block_select(slot->block, NULL, 0, NULL);
    selection_up(&all, 0, 1, &position);
    selection_release(&all);
    copy->oldest = copy->number * BLOCK_JOBS + position;
}

static void copy_block(const struct ledger *ledger, void *ret)
{
    const struct blocks *blocks = &ledger->blocks;
    struct block_copy *copy = ret;
    size_t at = copy->number > blocks->first ? (size_t)(copy->number - blocks->first) : 0;

    for (; at < blocks->n; at++) {
        const struct block_slot *slot = &blocks->v[at];
        if (!slot->block || block_count(slot->block, DIMENSION_ALL, 0) == 0)
            continue;
        copy->number = blocks->first + at;
        copy_found(slot, copy);
        return;
    }
    copy->found = false;
}

/* Jobs were created in the order of their numbers, and can't be due before they could have been had
   they ended at once. */
static int64_t block_due_us(const struct retain *retain, const struct block_copy *copy,
                            int64_t created_us)
{
    int64_t age_us = lesser(copy->has_queries ? class_age_us(retain, true) : INT64_MAX,
                            copy->has_others ? class_age_us(retain, false) : INT64_MAX);

    for (enum job_status status = 0; status < job_status_COUNT; status++) {
        if (copy->statuses & 1u << status)
            age_us = lesser(age_us, status_age_us(retain, status));
    }
    return plus(created_us, age_us);
}

/* When the block has to be read. */
static int look_due_us(struct retain *retain, const struct block_copy *copy, int64_t *ret)
{
    const struct look *look = look_of(retain, copy->number);
    struct head oldest;

    if (look->version == copy->version) {
        *ret = look->due_us;
        return 0;
    }
    if (look->version) { /* what has changed since has ended since */
        *ret = lesser(look->due_us, plus(look->at_us, retain->least_age_us));
        if (retain->counts_bytes)
            *ret = lesser(*ret, look->at_us + RETAIN_COUNT_US);
        return 0;
    }
    int r = reader_head(retain->reader, copy->oldest, &oldest);
    if (r)
        return r;
    *ret = retain->counts_bytes ? 0 : block_due_us(retain, copy, oldest.created_us);
    return 0;
}

static int look_at_job(struct retain *retain, uint64_t seq, const struct head *head,
                       struct retain_slice *slice)
{
    struct look *look = &retain->look;
    uint64_t bytes = 0;
    int64_t due_us;

    if (!job_status_is_final(head_status(head)))
        return 0;
    int r = head_due_us(retain, head, &due_us);
    if (r)
        return r;
    look->due_us = lesser(look->due_us, due_us); /* found again if it can't be dropped now */
    if (due_us <= look->at_us)
        return slice_take(retain, slice, seq, head, &bytes);
    if (retain->counts_bytes)
        r = retain_job_bytes(retain, seq, head, &bytes);
    look->bytes[head_status(head)] += bytes;
    return r;
}

/* From retain->seq on, to the end of its block or of the step. */
static int look_at_heads(struct retain *retain, uint32_t *left, struct retain_slice *slice)
{
    struct txn *txn = &retain->reader->txn;
    uint64_t end = (retain->number + 1) * BLOCK_JOBS;
    struct slice key, bytes;
    struct head head;
    int r = table_seek(txn, TABLE_HEADS, u64_slice(&retain->seq), &key, &bytes);

    for (; !r && *left > 0 && !slice_is_full(retain, slice); --*left) {
        r = u64_decode(key, &retain->seq);
        if (r || retain->seq >= end)
            return r;
        r = head_decode(bytes, &head);
        if (!r)
            r = look_at_job(retain, retain->seq, &head, slice);
        if (!r)
            r = table_next(txn, TABLE_HEADS, &key, &bytes);
        retain->seq++;
    }
    if (r != OUTCOME_NOT_FOUND)
        return r;
    retain->seq = end;
    return 0;
}

/* Reads the block if that is due, and goes to the next if it comes to its end. */
static int look_at_block(struct retain *retain, const struct block_copy *copy, int64_t now_us,
                         uint32_t *left, struct retain_slice *slice)
{
    int64_t due_us;

    if (copy->number != retain->number) { /* what was there has vanished */
        retain->in_block = false;
        looks_clear(retain, retain->number, copy->number);
        retain->number = copy->number;
    }
    if (!retain->in_block) {
        int r = look_due_us(retain, copy, &due_us);
        if (r)
            return r;
        if (due_us > now_us) {
            retain->number++;
            return 0;
        }
        retain->in_block = true;
        retain->seq = copy->oldest;
        retain->look =
            (struct look){.version = copy->version, .at_us = now_us, .due_us = INT64_MAX};
    }
    int r = look_at_heads(retain, left, slice);
    if (r || retain->seq / BLOCK_JOBS == retain->number)
        return r;
    *look_of(retain, retain->number) = retain->look;
    retain->in_block = false;
    retain->number++;
    return 0;
}

/* Blocks are copied by what is known of operations then. */
static int walk_begin(struct retain *retain)
{
    int r = reader_begin(retain->reader, NULL, NULL);

    if (r)
        return r;
    r = read_classes(retain);
    reader_end(retain->reader);
    return r;
}

int retain_next_by_age(struct retain *retain, int64_t now_us, struct retain_slice *slice)
{
    uint32_t left = RETAIN_HEADS_MAX;
    int r = retain->number == 0 ? walk_begin(retain) : 0;

    while (!r && slice->n == 0 && left > 0) {
        struct block_copy copy = {.retain = retain, .number = retain->number};
        r = reader_begin(retain->reader, copy_block, &copy);
        if (r)
            return r;
        if (copy.found && retain->number == 0)
            looks_forget_before(retain, copy.number);
        if (copy.found)
            r = look_at_block(retain, &copy, now_us, &left, slice);
        reader_end(retain->reader);
        if (copy.found)
            continue;
        looks_clear(retain, retain->number, UINT64_MAX);
        retain->number = 0;
        retain->in_block = false;
        return r;
    }
    slice->reason = RETAIN_AGE;
    slice->more = true;
    return r;
}
