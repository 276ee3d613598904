/* SPDX-License-Identifier: MIT */
/*
 * One block: for every dimension its values, each with the bitmap of the positions that have it.
 *
 * CRoaring's public interface only. Bitmaps of 16-bit positions have one container, and are never
 * run_optimize'd: select was 120 times slower on dense random data after it.
 */
#include "ledger/block_inside.h"

#include "base/mem.h"
#include "ledger/bits.h"

#include <assert.h>
#include <errno.h>

/* ---- dimensions: how many values a job has in it, and which ---- */

#define VALUES_MAX run_code_COUNT

typedef unsigned values_of(const struct head *head, uint32_t ret[VALUES_MAX]);

static unsigned all_of(const struct head *head, uint32_t ret[VALUES_MAX])
{
    (void)head;
    ret[0] = 0;
    return 1;
}

static unsigned status_of(const struct head *head, uint32_t ret[VALUES_MAX])
{
    ret[0] = head_status(head);
    return 1;
}

static unsigned operation_of(const struct head *head, uint32_t ret[VALUES_MAX])
{
    ret[0] = head->operation;
    return 1;
}

static unsigned user_of(const struct head *head, uint32_t ret[VALUES_MAX])
{
    ret[0] = head->user;
    return 1;
}

static unsigned codes_of(const struct head *head, uint32_t ret[VALUES_MAX])
{
    unsigned n = 0;

    for (unsigned code = 0; code < run_code_COUNT; code++) {
        if (head->codes & 1u << code)
            ret[n++] = code;
    }
    return n;
}

static unsigned changed_of(const struct head *head, uint32_t ret[VALUES_MAX])
{
    ret[0] = head_changed(head);
    return 1;
}

static unsigned target_of(const struct head *head, uint32_t ret[VALUES_MAX])
{
    ret[0] = head->target_kind;
    return 1;
}

static unsigned label_of(const struct head *head, uint32_t ret[VALUES_MAX])
{
    ret[0] = head->target;
    return head->target != 0;
}

static unsigned bulk_of(const struct head *head, uint32_t ret[VALUES_MAX])
{
    ret[0] = head->bulk;
    return head->bulk != 0;
}

/* To add a dimension: a number in enum dimension, a row here; raise BLOB_FORMAT, and old blobs are
   rebuilt. */
static const struct dimension_row {
    values_of *values;
    unsigned least, most; /* how many a job has */
} dimensions[DIMENSION_COUNT] = {
    [DIMENSION_ALL] = {.values = all_of, .least = 1, .most = 1},
    [DIMENSION_STATUS] = {.values = status_of, .least = 1, .most = 1},
    [DIMENSION_OPERATION] = {.values = operation_of, .least = 1, .most = 1},
    [DIMENSION_USER] = {.values = user_of, .least = 1, .most = 1},
    [DIMENSION_CODE] = {.values = codes_of, .least = 0, .most = VALUES_MAX},
    [DIMENSION_CHANGED] = {.values = changed_of, .least = 1, .most = 1},
    [DIMENSION_TARGET] = {.values = target_of, .least = 1, .most = 1},
    [DIMENSION_LABEL] = {.values = label_of, .least = 0, .most = 1},
    [DIMENSION_BULK] = {.values = bulk_of, .least = 0, .most = 1},
};

/* ---- sets ---- */

struct block *block_new(void)
{
    return mem_alloc(sizeof(struct block));
}

struct block *block_free(struct block *block)
{
    if (!block)
        return NULL;
    for (unsigned d = 0; d < DIMENSION_COUNT; d++) {
        struct value_sets *sets = &block->dimensions[d];
        for (uint32_t i = 0; i < sets->n; i++)
            roaring_bitmap_free(sets->v[i].bits);
        mem_free(sets->v);
    }
    return mem_free(block);
}

/* Index of the first set whose value is not below. */
static uint32_t sets_lower_bound(const struct value_sets *sets, uint32_t value)
{
    uint32_t low = 0;
    uint32_t high = sets->n;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (sets->v[middle].value < value)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct value_set *block_set(const struct block *block, enum dimension dimension,
                                  uint32_t value)
{
    const struct value_sets *sets = &block->dimensions[dimension];
    uint32_t at = sets_lower_bound(sets, value);

    return at < sets->n && sets->v[at].value == value ? &sets->v[at] : NULL;
}

/* Takes ownership of `bits`. */
static struct value_set *sets_insert(struct value_sets *sets, uint32_t at, uint32_t value,
                                     roaring_bitmap_t *bits)
{
    if (sets->n == sets->room) {
        sets->room = sets->room ? 2 * sets->room : 4;
        sets->v = mem_realloc(sets->v, sets->room * sizeof(*sets->v));
    }
    memmove(sets->v + at + 1, sets->v + at, (sets->n - at) * sizeof(*sets->v));
    sets->n++;
    sets->v[at] = (struct value_set){.value = value, .bits = bits};
    return &sets->v[at];
}

static void set_add(struct value_sets *sets, uint32_t value, uint16_t position)
{
    uint32_t at = sets_lower_bound(sets, value);
    struct value_set *set = at < sets->n && sets->v[at].value == value
                                ? &sets->v[at]
                                : sets_insert(sets, at, value, bits_new());

    set->cardinality += roaring_bitmap_add_checked(set->bits, position);
}

/* An empty set stays: a status that nobody has now is had again soon. */
static void set_remove(struct value_sets *sets, uint32_t value, uint16_t position)
{
    uint32_t at = sets_lower_bound(sets, value);

    assert(at < sets->n && sets->v[at].value == value);
    struct value_set *set = &sets->v[at];
    set->cardinality -= roaring_bitmap_remove_checked(set->bits, position);
}

static bool is_among(uint32_t value, const uint32_t *values, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        if (values[i] == value)
            return true;
    }
    return false;
}

void block_move(struct block *block, uint16_t position, const struct head *before,
                const struct head *after)
{
    for (unsigned d = 0; d < DIMENSION_COUNT; d++) {
        struct value_sets *sets = &block->dimensions[d];
        uint32_t old[VALUES_MAX], new[VALUES_MAX];
        unsigned n_old = before ? dimensions[d].values(before, old) : 0;
        unsigned n_new = after ? dimensions[d].values(after, new) : 0;

        for (unsigned i = 0; i < n_old; i++) {
            if (!is_among(old[i], new, n_new))
                set_remove(sets, old[i], position);
        }
        for (unsigned i = 0; i < n_new; i++) {
            if (!is_among(new[i], old, n_old))
                set_add(sets, new[i], position);
        }
    }
}

uint32_t block_count(const struct block *block, enum dimension dimension, uint32_t value)
{
    const struct value_set *set = block_set(block, dimension, value);

    return set ? set->cardinality : 0;
}

uint32_t block_count_among(const struct block *block, enum dimension dimension, const bool *wanted,
                           size_t n)
{
    const struct value_sets *sets = &block->dimensions[dimension];
    uint32_t count = 0;

    for (uint32_t i = 0; i < sets->n && sets->v[i].value < n; i++)
        count += wanted[sets->v[i].value] ? sets->v[i].cardinality : 0;
    return count;
}

/* A value that nobody has is as good as none. Whether some set of `a` has no equal in `b`. */
static bool sets_differ(const struct block *a, const struct block *b, enum dimension dimension,
                        uint32_t *ret_value)
{
    const struct value_sets *sets = &a->dimensions[dimension];

    for (uint32_t i = 0; i < sets->n; i++) {
        const struct value_set *other = block_set(b, dimension, sets->v[i].value);
        if (other ? roaring_bitmap_equals(sets->v[i].bits, other->bits)
                  : sets->v[i].cardinality == 0)
            continue;
        *ret_value = sets->v[i].value;
        return true;
    }
    return false;
}

bool block_differs(const struct block *a, const struct block *b, enum dimension *ret_dimension,
                   uint32_t *ret_value)
{
    for (unsigned d = 0; d < DIMENSION_COUNT; d++) {
        if (!sets_differ(a, b, d, ret_value) && !sets_differ(b, a, d, ret_value))
            continue;
        *ret_dimension = d;
        return true;
    }
    return false;
}

/* ---- blobs ---- */

#define BLOB_FORMAT 2

struct blob_disk {
    uint32_t n_sets;
    uint8_t format;
    uint8_t pad[3];
};
_Static_assert(sizeof(struct blob_disk) == 8, "on disk");

struct blob_set_disk {
    uint32_t bits_size;
    uint32_t value;
    uint8_t dimension;
    uint8_t pad[3];
};
_Static_assert(sizeof(struct blob_set_disk) == 12, "on disk");

static void set_encode(const struct value_set *set, enum dimension dimension, struct buf *to)
{
    struct blob_set_disk disk = {
        .bits_size = (uint32_t)roaring_bitmap_portable_size_in_bytes(set->bits),
        .value = set->value,
        .dimension = (uint8_t)dimension,
    };

    buf_add(to, &disk, sizeof(disk));
    bits_encode(set->bits, to);
}

void block_encode(const struct block *block, struct buf *to)
{
    struct blob_disk disk = {.format = BLOB_FORMAT};
    size_t start = to->size;

    buf_add(to, &disk, sizeof(disk));
    for (unsigned d = 0; d < DIMENSION_COUNT; d++) {
        const struct value_sets *sets = &block->dimensions[d];
        for (uint32_t i = 0; i < sets->n; i++) {
            if (sets->v[i].cardinality == 0)
                continue;
            set_encode(&sets->v[i], d, to);
            disk.n_sets++;
        }
    }
    if (!buf_overflowed(to))
        memcpy(to->at + start, &disk, sizeof(disk));
}

static int set_decode(struct slice *blob, struct block *block)
{
    struct blob_set_disk disk;
    roaring_bitmap_t *decoded;

    if (blob->size < sizeof(disk))
        return FAULT(-EUCLEAN);
    memcpy(&disk, blob->at, sizeof(disk));
    blob->at += sizeof(disk);
    blob->size -= sizeof(disk);
    struct slice bits = {.at = blob->at, .size = disk.bits_size};
    if (disk.dimension >= DIMENSION_COUNT || blob->size < bits.size)
        return FAULT(-EUCLEAN);
    struct value_sets *sets = &block->dimensions[disk.dimension];
    if (sets->n > 0 && sets->v[sets->n - 1].value >= disk.value)
        return FAULT(-EUCLEAN);
    int r = bits_decode(bits, &decoded);
    if (r)
        return r;
    sets_insert(sets, sets->n, disk.value, decoded)->cardinality =
        (uint32_t)roaring_bitmap_get_cardinality(decoded);
    blob->at += bits.size;
    blob->size -= bits.size;
    return 0;
}

/* Any other sum of jobs is no block of ours. */
static bool block_is_sound(const struct block *block)
{
    const struct value_sets *statuses = &block->dimensions[DIMENSION_STATUS];
    uint64_t n_jobs = block_count(block, DIMENSION_ALL, 0);

    for (unsigned d = 0; d < DIMENSION_COUNT; d++) {
        const struct value_sets *sets = &block->dimensions[d];
        uint64_t n = 0;
        for (uint32_t i = 0; i < sets->n; i++)
            n += sets->v[i].cardinality;
        if (n < dimensions[d].least * n_jobs || n > dimensions[d].most * n_jobs)
            return false;
    }
    return statuses->n == 0 || statuses->v[statuses->n - 1].value < job_status_COUNT;
}

bool block_blob_is_old(struct slice blob)
{
    struct blob_disk disk;

    if (blob.size < sizeof(disk))
        return false;
    memcpy(&disk, blob.at, sizeof(disk));
    return disk.format != 0 && disk.format < BLOB_FORMAT;
}

int block_decode(struct slice blob, struct block **ret)
{
    struct blob_disk disk;
    int r = 0;

    if (blob.size < sizeof(disk))
        return FAULT(-EUCLEAN);
    memcpy(&disk, blob.at, sizeof(disk));
    if (disk.format != BLOB_FORMAT)
        return FAULT(-EUCLEAN);
    blob.at += sizeof(disk);
    blob.size -= sizeof(disk);
    struct block *block = block_new();
    for (uint32_t i = 0; !r && i < disk.n_sets; i++)
        r = set_decode(&blob, block);
    if (!r && (blob.size != 0 || !block_is_sound(block)))
        r = FAULT(-EUCLEAN);
    if (r) {
        block_free(block);
        return r;
    }
    *ret = block;
    return 0;
}
