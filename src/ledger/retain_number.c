/* SPDX-License-Identifier: MIT */
/*
 * Too many jobs, of a status or of all; too many bytes, or too much of the disk.
 *
 * Numbers are the index's, and so are the oldest jobs: nothing is searched.
 */
#include "ledger/retain_inside.h"

/* What is too much: of jobs in these states, so many, or until so many bytes are gone. */
struct excess {
    enum retain_reason reason;
    unsigned statuses;
    uint64_t jobs, bytes;
};

struct oldest_copy {
    unsigned statuses; /* wanted */
    uint64_t from;
    uint64_t seqs[BLOCKS_PAGE_MAX]; /* found */
    unsigned n;
};

static void copy_oldest(const struct ledger *ledger, void *ret)
{
    struct oldest_copy *copy = ret;

    copy->n = blocks_from(&ledger->blocks, copy->statuses, copy->from, BLOCKS_PAGE_MAX, copy->seqs);
}

static bool is_enough(const struct retain *retain, const struct excess *excess,
                      const struct retain_slice *slice)
{
    return excess->jobs == 0 || excess->bytes == 0 || slice_is_full(retain, slice);
}

static int take_oldest(struct retain *retain, struct excess *excess, uint64_t seq, int64_t now_us,
                       struct retain_slice *slice)
{
    struct head head;
    uint64_t bytes;
    int r = reader_head(retain->reader, seq, &head);

    if (r || head.updated_us > now_us - RETAIN_REST_US)
        return r;
    r = slice_take(retain, slice, seq, &head, &bytes);
    if (r)
        return r;
    excess->jobs--;
    excess->bytes -= lesser_u64(bytes, excess->bytes);
    looks_lose(retain, seq, head_status(&head), bytes);
    return 0;
}

static int next_by_excess(struct retain *retain, struct excess excess, int64_t now_us,
                          struct retain_slice *slice)
{
    struct oldest_copy copy = {.statuses = excess.statuses};
    int r = 0;

    for (unsigned looked_at = 0; looked_at < RETAIN_HEADS_MAX; looked_at += BLOCKS_PAGE_MAX) {
        if (is_enough(retain, &excess, slice))
            break;
        r = reader_begin(retain->reader, copy_oldest, &copy);
        if (r)
            return r;
        for (unsigned i = 0; !r && i < copy.n && !is_enough(retain, &excess, slice); i++) {
            r = take_oldest(retain, &excess, copy.seqs[i], now_us, slice);
            copy.from = copy.seqs[i] + 1;
        }
        reader_end(retain->reader);
        if (r || copy.n < BLOCKS_PAGE_MAX)
            break;
    }
    slice->reason = excess.reason;
    slice->more = slice->n > 0;
    return r;
}

struct totals_copy {
    uint64_t all, of_status[job_status_COUNT];
};

static void copy_totals(const struct ledger *ledger, void *ret)
{
    struct totals_copy *copy = ret;

    copy->all = ledger->blocks.total;
    for (unsigned status = 0; status < job_status_COUNT; status++)
        copy->of_status[status] = ledger->blocks.totals[status];
}

static uint64_t beyond(uint64_t n, int64_t limit)
{
    return n > (uint64_t)limit ? n - (uint64_t)limit : 0;
}

static int next_by_jobs(struct retain *retain, const struct totals_copy *totals, int64_t now_us,
                        struct retain_slice *slice)
{
    struct excess excess = {.reason = RETAIN_JOBS, .statuses = STATUSES_FINAL, .bytes = UINT64_MAX};

    if (!retain->rules.has_jobs)
        return 0;
    excess.jobs = beyond(totals->all, retain->rules.jobs);
    return next_by_excess(retain, excess, now_us, slice);
}

static int next_of_status(struct retain *retain, const struct totals_copy *totals,
                          enum job_status status, int64_t now_us, struct retain_slice *slice)
{
    const struct config_retention_rule *rule = retain_rule_of(retain, status);
    struct excess excess = {
        .reason = RETAIN_STATUS_JOBS, .statuses = 1u << status, .bytes = UINT64_MAX};

    if (!rule || !rule->has_jobs)
        return 0;
    excess.jobs = beyond(totals->of_status[status], rule->jobs);
    return next_by_excess(retain, excess, now_us, slice);
}

static int next_by_bytes(struct retain *retain, enum job_status status, int64_t now_us,
                         struct retain_slice *slice)
{
    const struct config_retention_rule *rule = retain_rule_of(retain, status);
    struct excess excess = {
        .reason = RETAIN_STATUS_BYTES, .statuses = 1u << status, .jobs = UINT64_MAX};

    if (!rule || !rule->has_mib)
        return 0;
    excess.bytes = beyond(looks_bytes(retain, status), rule->mib << 20);
    return next_by_excess(retain, excess, now_us, slice);
}

/* The file never shrinks: what is freed in it is used again, and counts as free. Nor can what
   others keep on the disk be dropped: it counts as not there. */
static int next_by_disk(struct retain *retain, int64_t now_us, struct retain_slice *slice)
{
    struct store *store = retain->reader->ledger->store;
    struct excess excess = {.reason = RETAIN_DISK, .statuses = STATUSES_FINAL, .jobs = UINT64_MAX};
    uint64_t used, free_bytes;

    if (!retain->rules.has_disk_percent)
        return 0;
    int r = reader_begin(retain->reader, NULL, NULL);
    if (r)
        return r;
    r = snapshot_used_bytes(&retain->reader->txn, &used);
    reader_end(retain->reader);
    if (!r)
        r = store_free_space(store, &free_bytes);
    if (r)
        return r;
    uint64_t room = store_file_bytes(store) + free_bytes;
    excess.bytes = beyond(used, (int64_t)(room / 100) * retain->rules.disk_percent);
    return next_by_excess(retain, excess, now_us, slice);
}

/* Their numbers: of all jobs, of each status two, of the disk. */
#define RULE_JOBS 0u
#define RULE_DISK (1u + 2u * job_status_COUNT)

static int next_by_rule(struct retain *retain, int64_t now_us, struct retain_slice *slice)
{
    struct totals_copy totals;
    int r = reader_begin(retain->reader, copy_totals, &totals);

    if (r)
        return r;
    reader_end(retain->reader);
    if (retain->rule == RULE_JOBS)
        return next_by_jobs(retain, &totals, now_us, slice);
    if (retain->rule == RULE_DISK)
        return next_by_disk(retain, now_us, slice);
    enum job_status status = (retain->rule - 1) / 2;
    if (retain->rule % 2)
        return next_of_status(retain, &totals, status, now_us, slice);
    return next_by_bytes(retain, status, now_us, slice);
}

int retain_next_by_number(struct retain *retain, int64_t now_us, struct retain_slice *slice)
{
    while (retain->rule <= RULE_DISK) {
        int r = next_by_rule(retain, now_us, slice);
        if (r)
            return r;
        if (!slice_is_full(retain, slice))
            retain->rule++;
        if (slice->n > 0)
            return 0;
    }
    retain->rule = RULE_JOBS;
    return 0;
}
