/* SPDX-License-Identifier: MIT */
/*
 * From names to numbers, and the walk over blocks.
 *
 * An answer goes in rounds: prepare in a snapshot of its own (names, hosts), then under the lock
 * see whether that still holds and count a few blocks; when all are counted, copy. So many rounds
 * as there are blocks to count, and a few more while others write; the last one does all that is
 * left.
 */
#include "ledger/filter.h"

#include "base/mem.h"
#include "ledger/block_inside.h"
#include "ledger/inside.h"
#include "ledger/names.h"

#include <assert.h>
#include <errno.h>

/* ---- remembered filters ---- */

static void filter_free(struct filter *filter)
{
    mem_free(filter->key);
    mem_free(filter->values);
    mem_free(filter->slots);
    mem_free(filter);
}

void filters_release(struct filters *filters)
{
    for (unsigned i = 0; i < filters->n; i++)
        filter_free(filters->v[i]);
    *filters = (struct filters){0};
}

#define KEY_MAX ((size_t)4 << 10)

/* All that terms and host sets are made from. */
static void key_write(const struct ledger_filter *wanted, struct buf *to)
{
    const char *const texts[] = {wanted->operation, wanted->user, wanted->hostname, wanted->target};

    buf_printf(to, "%x %d", wanted->codes, wanted->has_changed ? 1 + wanted->changed : 0);
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        buf_add_char(to, texts[i] ? '=' : '-');
        if (texts[i])
            buf_add(to, texts[i], strlen(texts[i]) + 1);
    }
    if (wanted->bulk)
        buf_add(to, wanted->bulk->bytes, sizeof(wanted->bulk->bytes));
}

static bool has_terms(const struct ledger_filter *wanted)
{
    return wanted->codes || wanted->has_changed || wanted->operation || wanted->user ||
           wanted->hostname || wanted->target || wanted->bulk;
}

static struct filter *filters_take(struct filters *filters, struct slice key)
{
    struct filter *oldest = NULL;
    unsigned at = 0;

    for (unsigned i = 0; i < filters->n; i++) {
        struct filter *filter = filters->v[i];
        if (filter->key_size == key.size && memcmp(filter->key, key.at, key.size) == 0)
            return filter;
        if (!oldest || filter->last_used < oldest->last_used) {
            oldest = filter;
            at = i;
        }
    }
    if (filters->n < FILTERS_MAX)
        at = filters->n++;
    else
        filter_free(oldest);
    struct filter *filter = mem_alloc(sizeof(*filter));
    filter->key = mem_alloc(key.size);
    memcpy(filter->key, key.at, key.size);
    filter->key_size = key.size;
    filters->v[at] = filter;
    return filter;
}

/* ---- from names to numbers ---- */

struct compiler {
    struct txn *txn;
    const struct ledger_filter *wanted;
    struct filter *filter;
    uint32_t values[FILTER_PREFIX_MAX + run_code_COUNT + FILTER_TERMS_MAX];
    size_t n_values;
    size_t firsts[FILTER_TERMS_MAX]; /* of each term's values */
};

static struct block_term *add_term(struct compiler *c, enum dimension dimension)
{
    struct block_term *term = &c->filter->terms[c->filter->n_terms];

    assert(c->filter->n_terms < FILTER_TERMS_MAX);
    c->firsts[c->filter->n_terms++] = c->n_values;
    *term = (struct block_term){.dimension = dimension};
    return term;
}

static void add_value(struct compiler *c, struct block_term *term, uint32_t value)
{
    c->values[c->n_values++] = value;
    term->n++;
}

/* A name that nobody has makes the whole filter match nothing. */
static int add_name(struct compiler *c, enum dimension dimension, enum name_kind kind,
                    struct slice name)
{
    uint32_t number;
    int r = names_find(c->txn, kind, name, &number);

    if (r == OUTCOME_NOT_FOUND || (!r && number == 0)) {
        c->filter->matches_nothing = true;
        return 0;
    }
    if (!r)
        add_value(c, add_term(c, dimension), number);
    return r;
}

static int add_operation(struct compiler *c)
{
    struct slice name = c->wanted->operation ? slice_of(c->wanted->operation) : (struct slice){0};
    size_t n;

    if (name.size == 0)
        return 0;
    if (name.at[name.size - 1] != '.')
        return add_name(c, DIMENSION_OPERATION, NAME_OPERATION, name);
    struct block_term *term = add_term(c, DIMENSION_OPERATION);
    int r = names_find_prefix(c->txn, NAME_OPERATION, name, c->values + c->n_values,
                              FILTER_PREFIX_MAX, &n);
    if (r)
        return r;
    term->n = (uint32_t)n;
    c->n_values += n;
    if (n == 0)
        c->filter->matches_nothing = true;
    return 0;
}

static int add_target(struct compiler *c)
{
    struct target target;
    struct refusal why;

    if (!c->wanted->target)
        return 0;
    if (target_parse(slice_of(c->wanted->target), &target, &why)) {
        c->filter->matches_nothing = true;
        return 0;
    }
    if (target.kind == TARGET_LABEL)
        return add_name(c, DIMENSION_LABEL, NAME_TARGET, target.text);
    c->filter->targets_host = target.kind == TARGET_HOST;
    add_value(c, add_term(c, DIMENSION_TARGET), target.kind);
    return 0;
}

static void add_codes(struct compiler *c)
{
    if (c->wanted->codes == 0)
        return;
    struct block_term *term = add_term(c, DIMENSION_CODE);
    term->or_without = c->wanted->codes & 1u << run_code_NONE;
    for (unsigned code = 0; code < run_code_COUNT; code++) {
        if (code != run_code_NONE && c->wanted->codes & 1u << code)
            add_value(c, term, code);
    }
}

static void keep_values(struct compiler *c)
{
    struct filter *filter = c->filter;

    mem_free(filter->values);
    filter->values = mem_alloc(c->n_values * sizeof(*filter->values));
    memcpy(filter->values, c->values, c->n_values * sizeof(*filter->values));
    for (unsigned i = 0; i < filter->n_terms; i++)
        filter->terms[i].values = filter->values + c->firsts[i];
}

static void forget_counts(struct filter *filter)
{
    filter->slots = mem_free(filter->slots);
    filter->n_slots = 0;
}

static int filter_compile(struct filter *filter, struct txn *txn,
                          const struct ledger_filter *wanted)
{
    struct compiler c = {.txn = txn, .wanted = wanted, .filter = filter};

    filter->n_terms = 0;
    filter->matches_nothing = filter->targets_host = false;
    forget_counts(filter);
    int r = add_operation(&c);
    if (!r && wanted->user)
        r = add_name(&c, DIMENSION_USER, NAME_USER, slice_of(wanted->user));
    if (!r && wanted->bulk)
        r = add_name(&c, DIMENSION_BULK, NAME_BULK, name_of_uuid(wanted->bulk));
    if (!r)
        r = add_target(&c);
    if (r)
        return r;
    add_codes(&c);
    if (wanted->has_changed)
        add_value(&c, add_term(&c, DIMENSION_CHANGED),
                  wanted->changed ? JOB_CHANGED_TRUE : JOB_CHANGED_FALSE);
    keep_values(&c);
    return 0;
}

/* ---- an answer under way ---- */

/* What the ledger's index is like, and what names and hosts mean in it. */
struct shape {
    uint64_t names_version;
    struct host_versions hosts;
    uint64_t first_block, end; /* blocks from it on; seqs below `end` */
};

struct answer {
    struct ledger_reader *reader;
    const struct ledger_filter *wanted;
    struct shape shape; /* that `view` was prepared for */
    struct filter_view view;
    bool must_end, has_ended;
    size_t n_blocks; /* of the index */
    int fault;
    filter_copy *copy;
    void *owner;
};

static struct shape shape_of(const struct ledger *ledger)
{
    return (struct shape){
        .names_version = ledger->names_version,
        .hosts = {.agents = ledger->agents_version, .moved = ledger->moved_version},
        .first_block = ledger->blocks.first,
        .end = ledger->end_seq,
    };
}

static void copy_shape(const struct ledger *ledger, void *ret)
{
    *(struct shape *)ret = shape_of(ledger);
}

static bool means_the_same(const struct shape *a, const struct shape *b)
{
    return a->names_version == b->names_version && a->hosts.agents == b->hosts.agents &&
           a->hosts.moved == b->hosts.moved;
}

static int resolve_host(struct answer *answer, const char *name)
{
    struct ledger_reader *reader = answer->reader;
    struct filter_view *view = &answer->view;
    struct host_set *set;
    int r = host_sets_find(&reader->host_sets, &reader->txn, reader->roster, name,
                           answer->shape.hosts, &set);

    if (r)
        return r;
    if (view->filter->stamps[view->n_hosts] != set->stamp)
        forget_counts(view->filter);
    view->filter->stamps[view->n_hosts] = set->stamp;
    view->hosts[view->n_hosts++] = set;
    return 0;
}

static int resolve_hosts(struct answer *answer)
{
    int r = 0;

    answer->view.n_hosts = 0;
    if (answer->wanted->hostname)
        r = resolve_host(answer, answer->wanted->hostname);
    if (!r && answer->view.filter->targets_host)
        r = resolve_host(answer, answer->wanted->target);
    return r;
}

/* The reader is inside a snapshot of answer->shape. */
static int answer_resolve(struct answer *answer)
{
    struct ledger_reader *reader = answer->reader;
    struct filter *filter = answer->view.filter;
    int r = 0;

    if (!filter)
        return 0;
    if (!filter->values || filter->names_version != answer->shape.names_version)
        r = filter_compile(filter, &reader->txn, answer->wanted);
    if (r)
        return r;
    filter->names_version = answer->shape.names_version;
    return resolve_hosts(answer);
}

static int read_hosts(struct answer *answer, const struct shape *shape)
{
    int r = 0;

    for (unsigned i = 0; !r && i < answer->view.n_hosts; i++)
        r = host_set_read(answer->view.hosts[i], &answer->reader->txn, shape->first_block,
                          shape->end);
    return r;
}

/* ---- times ---- */

/* `created` never falls. */
int filter_seq_at(struct txn *txn, int64_t time_us, uint64_t low, uint64_t high, uint64_t *ret)
{
    while (low < high) {
        uint64_t middle = low + (high - low) / 2, seq = high;
        struct slice key, bytes;
        struct head head;
        int r = table_seek(txn, TABLE_HEADS, u64_slice(&middle), &key, &bytes);
        if (!r)
            r = u64_decode(key, &seq);
        if (!r)
            r = head_decode(bytes, &head);
        if (r && r != OUTCOME_NOT_FOUND)
            return r;
        if (r || seq >= high || head.created_us >= time_us)
            high = middle;
        else
            low = seq + 1;
    }
    *ret = low;
    return 0;
}

static int answer_times(struct answer *answer, const struct shape *shape)
{
    const struct ledger_filter *wanted = answer->wanted;
    struct txn *txn = &answer->reader->txn;
    struct filter_view *view = &answer->view;
    int r = 0;

    view->begin = shape->first_block * BLOCK_JOBS;
    view->end = view->index_end = shape->end;
    if (wanted->since_us)
        r = filter_seq_at(txn, wanted->since_us, view->begin, view->end, &view->begin);
    if (!r && wanted->until_us)
        r = filter_seq_at(txn, wanted->until_us, view->begin, view->end, &view->end);
    return r;
}

/* ---- blocks ---- */

static uint64_t block_number(const struct filter_view *view, size_t i)
{
    return view->blocks->first + i;
}

/* Blocks that have a seq in question: from *i on, below the returned. */
static size_t view_blocks(const struct filter_view *view, size_t *ret_first)
{
    uint64_t first = view->begin / BLOCK_JOBS;
    uint64_t end = (view->end + BLOCK_JOBS - 1) / BLOCK_JOBS;
    uint64_t base = view->blocks->first;

    if (view->begin >= view->end || (view->filter && view->filter->matches_nothing)) {
        *ret_first = 0;
        return 0;
    }
    *ret_first = first > base ? (size_t)(first - base) : 0;
    return end > base ? (size_t)(end - base < view->blocks->n ? end - base : view->blocks->n) : 0;
}

/* Positions in question of a block at the border; false: all of it is. */
static bool block_range(const struct filter_view *view, size_t i, uint32_t *ret_low,
                        uint32_t *ret_high)
{
    uint64_t base = block_number(view, i) * BLOCK_JOBS;

    *ret_low = view->begin > base ? (uint32_t)(view->begin - base) : 0;
    *ret_high = view->end < base + BLOCK_JOBS ? (uint32_t)(view->end - base) : BLOCK_JOBS;
    return *ret_low > 0 || (*ret_high < BLOCK_JOBS && view->end < view->index_end);
}

static void and_take(roaring_bitmap_t **also, const roaring_bitmap_t *bits)
{
    if (*also)
        roaring_bitmap_and_inplace(*also, bits);
    else
        *also = roaring_bitmap_copy(bits);
}

/* What the block's jobs have to be in besides the terms; *ret is NULL when they need not. False:
   there is none. */
static bool block_also(const struct filter_view *view, size_t i, bool in_range,
                       roaring_bitmap_t **ret)
{
    uint32_t low, high;

    *ret = NULL;
    for (unsigned h = 0; h < view->n_hosts; h++) {
        const roaring_bitmap_t *bits = host_set_bits(view->hosts[h], block_number(view, i));
        if (!bits) {
            if (*ret)
                roaring_bitmap_free(*ret);
            return false;
        }
        and_take(ret, bits);
    }
    if (!in_range || !block_range(view, i, &low, &high))
        return true;
    roaring_bitmap_t *range = roaring_bitmap_from_range(low, high, 1);
    and_take(ret, range);
    roaring_bitmap_free(range);
    return true;
}

static bool select_in(const struct filter_view *view, size_t i, const struct block_term *status,
                      bool in_range, struct selection *ret)
{
    const struct block *block = view->blocks->v[i].block;
    struct block_term terms[FILTER_TERMS_MAX + 1];
    unsigned n = view->filter ? view->filter->n_terms : 0;
    roaring_bitmap_t *also;

    if (!block || !block_also(view, i, in_range, &also))
        return false;
    if (n > 0)
        memcpy(terms, view->filter->terms, n * sizeof(*terms));
    if (status && status->n > 0)
        terms[n++] = *status;
    *ret = block_select(block, terms, n, also);
    if (also)
        roaring_bitmap_free(also);
    return true;
}

bool filter_select(const struct filter_view *view, size_t i, struct selection *ret)
{
    return select_in(view, i, &view->status, true, ret);
}

static void count_block(const struct filter_view *view, size_t i, bool in_range,
                        uint32_t ret[job_status_COUNT])
{
    struct selection matching;

    memset(ret, 0, job_status_COUNT * sizeof(*ret));
    if (!select_in(view, i, NULL, in_range, &matching))
        return;
    for (unsigned status = 0; status < job_status_COUNT; status++)
        ret[status] =
            selection_count(&matching, view->blocks->v[i].block, DIMENSION_STATUS, status);
    selection_release(&matching);
}

/* The filter's slot for the block; there is room for one of each block. */
static struct filter_slot *slot_of(const struct filter_view *view, size_t i)
{
    return &view->filter->slots[block_number(view, i) - view->filter->first];
}

static void slots_resize(struct filter *filter, const struct blocks *blocks)
{
    if (filter->slots && filter->first == blocks->first && filter->n_slots == blocks->n)
        return;
    struct filter_slot *slots = mem_alloc(blocks->n * sizeof(*slots));
    for (size_t i = 0; i < blocks->n; i++) {
        uint64_t number = blocks->first + i;
        if (number >= filter->first && number - filter->first < filter->n_slots)
            slots[i] = filter->slots[number - filter->first];
    }
    mem_free(filter->slots);
    filter->slots = slots;
    filter->first = blocks->first;
    filter->n_slots = blocks->n;
}

/* Counts blocks that changed since they were counted; false: there are more than `max`. */
static bool count_changed(const struct filter_view *view, size_t max)
{
    size_t i, end = view_blocks(view, &i), n = 0;

    slots_resize(view->filter, view->blocks);
    for (; i < end; i++) {
        struct filter_slot *slot = slot_of(view, i);
        uint64_t version = view->blocks->v[i].version;
        if (slot->version == version)
            continue;
        if (n++ == max)
            return false;
        count_block(view, i, false, slot->counts);
        slot->version = version;
    }
    return true;
}

/* Jobs by status that match all but the statuses: remembered, or in `room`. */
static const uint32_t *block_counts(const struct filter_view *view, size_t i,
                                    uint32_t room[job_status_COUNT])
{
    uint32_t low, high;

    if (!block_range(view, i, &low, &high))
        return view->filter ? slot_of(view, i)->counts : view->blocks->v[i].counts;
    count_block(view, i, true, room);
    return room;
}

static uint64_t block_total(const struct filter_view *view, size_t i)
{
    uint32_t room[job_status_COUNT];
    const uint32_t *counts = block_counts(view, i, room);
    uint64_t total = 0;

    for (unsigned status = 0; view->status.n == 0 && status < job_status_COUNT; status++)
        total += counts[status];
    for (unsigned k = 0; k < view->status.n; k++)
        total += counts[view->statuses[k]];
    return total;
}

/* ---- for a filter_copy ---- */

void filter_counts(const struct filter_view *view, uint64_t ret[job_status_COUNT])
{
    uint32_t room[job_status_COUNT];
    size_t i, end = view_blocks(view, &i);

    memset(ret, 0, job_status_COUNT * sizeof(*ret));
    for (; i < end; i++) {
        const uint32_t *counts = block_counts(view, i, room);
        for (unsigned status = 0; status < job_status_COUNT; status++)
            ret[status] += counts[status];
    }
}

/* Jobs of the block below seq `below`, of which *offset are left out; *offset is what is left of
   it. An offset is given only with all jobs in question: `below` is view->end then. */
static unsigned down_in(const struct filter_view *view, size_t i, uint64_t below, uint64_t *offset,
                        unsigned limit, uint64_t *ret)
{
    uint64_t base = block_number(view, i) * BLOCK_JOBS;
    uint16_t positions[BLOCKS_PAGE_MAX];
    struct selection selection;

    if (below >= base + BLOCK_JOBS || below >= view->end) {
        uint64_t total = block_total(view, i);
        if (total <= *offset) {
            *offset -= total;
            return 0;
        }
    }
    if (!filter_select(view, i, &selection))
        return 0;
    uint32_t end = below < base + BLOCK_JOBS ? (uint32_t)(below - base) : BLOCK_JOBS;
    unsigned n = selection_down(&selection, end, (uint32_t)*offset, limit, positions);
    selection_release(&selection);
    *offset = 0;
    for (unsigned k = 0; k < n; k++)
        ret[k] = base + positions[k];
    return n;
}

unsigned filter_down(const struct filter_view *view, uint64_t below, uint64_t offset,
                     unsigned limit, uint64_t *ret)
{
    size_t first, i = view_blocks(view, &first);
    unsigned n = 0;

    assert(limit <= BLOCKS_PAGE_MAX);
    for (; i > first && n < limit; i--) {
        if (block_number(view, i - 1) * BLOCK_JOBS < below)
            n += down_in(view, i - 1, below, &offset, limit - n, ret + n);
    }
    return n;
}

unsigned filter_up(const struct filter_view *view, uint64_t from, unsigned limit, uint64_t *ret)
{
    uint16_t positions[BLOCKS_PAGE_MAX];
    size_t i, end = view_blocks(view, &i);
    unsigned n = 0;

    assert(limit <= BLOCKS_PAGE_MAX);
    for (; i < end && n < limit; i++) {
        uint64_t base = block_number(view, i) * BLOCK_JOBS;
        struct selection selection;
        if (base + BLOCK_JOBS <= from)
            continue;
        if (block_total(view, i) == 0 || !filter_select(view, i, &selection))
            continue;
        uint32_t low = from > base ? (uint32_t)(from - base) : 0;
        unsigned found = selection_up(&selection, low, limit - n, positions);
        selection_release(&selection);
        for (unsigned k = 0; k < found; k++)
            ret[n++] = base + positions[k];
    }
    return n;
}

/* ---- rounds ---- */

/* Under the lock, in the snapshot of the index. False: not yet. */
static bool answer_is_ready(struct answer *answer, const struct ledger *ledger)
{
    struct shape now = shape_of(ledger);
    struct filter_view *view = &answer->view;

    if (view->filter && !means_the_same(&now, &answer->shape)) {
        if (!answer->must_end)
            return false;
        answer->shape = now;
        answer->fault = roster_hold(&answer->reader->ledger->rosters, &answer->reader->roster,
                                    &answer->reader->txn, ledger->agents_version);
        if (!answer->fault)
            answer->fault = answer_resolve(answer);
        if (answer->fault)
            return true;
    }
    for (unsigned i = 0; !answer->must_end && i < view->n_hosts; i++) {
        if (host_set_missing(view->hosts[i], now.first_block, now.end) > FILTER_STEP_JOBS)
            return false;
    }
    answer->fault = read_hosts(answer, &now);
    if (!answer->fault)
        answer->fault = answer_times(answer, &now);
    if (answer->fault || !view->filter)
        return true;
    return count_changed(view, answer->must_end ? SIZE_MAX : FILTER_STEP_BLOCKS);
}

static void copy_answer(const struct ledger *ledger, void *ret)
{
    struct answer *answer = ret;

    answer->view.blocks = &ledger->blocks;
    answer->n_blocks = ledger->blocks.n;
    answer->has_ended = answer_is_ready(answer, ledger);
    if (answer->has_ended && !answer->fault)
        answer->has_ended = answer->copy(&answer->view, answer->must_end, answer->owner);
}

/* What is read from disk is read here, without the lock. */
static int answer_prepare(struct answer *answer)
{
    int r = reader_begin(answer->reader, copy_shape, &answer->shape);

    if (r)
        return r;
    r = answer_resolve(answer);
    if (!r)
        r = read_hosts(answer, &answer->shape);
    if (!r)
        r = answer_times(answer, &answer->shape);
    reader_end(answer->reader);
    return r;
}

static int answer_round(struct answer *answer)
{
    bool needs_disk = answer->view.filter || answer->wanted->since_us || answer->wanted->until_us;
    int r = needs_disk ? answer_prepare(answer) : 0;

    if (r)
        return r;
    r = reader_begin(answer->reader, copy_answer, answer);
    if (r)
        return r;
    if (answer->fault || !answer->has_ended)
        reader_end(answer->reader);
    return answer->fault;
}

static struct filter *find_filter(struct ledger_reader *reader, const struct ledger_filter *wanted)
{
    if (!has_terms(wanted))
        return NULL;
    CLEANUP(buf_release) struct buf key;
    buf_init(&key, KEY_MAX);
    key_write(wanted, &key);
    assert(!buf_overflowed(&key));
    struct filter *filter = filters_take(&reader->filters, buf_slice(&key));
    filter->last_used = ++reader->filters.uses;
    return filter;
}

/* Rounds beyond those that counting takes: while names, hosts and jobs are added. */
#define SPARE_ROUNDS 16

int filter_begin(struct ledger_reader *reader, const struct ledger_filter *wanted,
                 filter_copy *copy, void *owner)
{
    struct answer answer = {
        .reader = reader,
        .wanted = wanted,
        .copy = copy,
        .owner = owner,
        .view = {.filter = find_filter(reader, wanted)},
    };

    answer.view.status = term_of_statuses(wanted->statuses, answer.view.statuses);
    for (size_t i = 0;; i++) {
        answer.must_end = i >= SPARE_ROUNDS + answer.n_blocks;
        int r = answer_round(&answer);
        if (r || answer.has_ended)
            return r;
    }
}
