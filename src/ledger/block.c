/* SPDX-License-Identifier: MIT */
/*
 * One block: for every dimension its values, each with the bitmap of the positions that have it.
 *
 * CRoaring's public interface only. Bitmaps of 16-bit positions have one container, and are never
 * run_optimize'd: select was 120 times slower on dense random data after it.
 */
#include "ledger/block.h"

#include "base/mem.h"

#include <assert.h>
#include <errno.h>
#include <roaring/roaring.h>

struct value_set {
    uint16_t value;
    uint32_t cardinality;
    roaring_bitmap_t *bits;
};

/* Ascending by value. */
struct value_sets {
    struct value_set *v;
    uint32_t n, room;
};

struct block {
    struct value_sets dimensions[DIMENSION_COUNT];
};

/* ---- dimensions: how many values a job has in it, and which ---- */

#define VALUES_MAX run_code_COUNT

typedef unsigned values_of(const struct head *head, uint16_t ret[VALUES_MAX]);

static unsigned all_of(const struct head *head, uint16_t ret[VALUES_MAX])
{
    (void)head;
    ret[0] = 0;
    return 1;
}

static unsigned status_of(const struct head *head, uint16_t ret[VALUES_MAX])
{
    ret[0] = (uint16_t)head_status(head);
    return 1;
}

static unsigned operation_of(const struct head *head, uint16_t ret[VALUES_MAX])
{
    ret[0] = head->operation;
    return 1;
}

static unsigned user_of(const struct head *head, uint16_t ret[VALUES_MAX])
{
    ret[0] = head->user;
    return 1;
}

static unsigned codes_of(const struct head *head, uint16_t ret[VALUES_MAX])
{
    unsigned n = 0;

    for (unsigned code = 0; code < run_code_COUNT; code++) {
        if (head->codes & 1u << code)
            ret[n++] = (uint16_t)code;
    }
    return n;
}

static unsigned changed_of(const struct head *head, uint16_t ret[VALUES_MAX])
{
    ret[0] = (uint16_t)head_changed(head);
    return 1;
}

static unsigned target_of(const struct head *head, uint16_t ret[VALUES_MAX])
{
    ret[0] = head->target_kind;
    return 1;
}

/* To add a dimension: a number in enum dimension, a row here; raise BLOB_FORMAT, and old blobs are
   rebuilt. */
static values_of *const dimension_values[DIMENSION_COUNT] = {
    [DIMENSION_ALL] = all_of,
    [DIMENSION_STATUS] = status_of,
    [DIMENSION_OPERATION] = operation_of,
    [DIMENSION_USER] = user_of,
    [DIMENSION_CODE] = codes_of,
    [DIMENSION_CHANGED] = changed_of,
    [DIMENSION_TARGET] = target_of,
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
static uint32_t sets_lower_bound(const struct value_sets *sets, uint16_t value)
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

static const struct value_set *block_set(const struct block *block, enum dimension dimension,
                                         uint16_t value)
{
    const struct value_sets *sets = &block->dimensions[dimension];
    uint32_t at = sets_lower_bound(sets, value);

    return at < sets->n && sets->v[at].value == value ? &sets->v[at] : NULL;
}

/* Takes ownership of `bits`. */
static struct value_set *sets_insert(struct value_sets *sets, uint32_t at, uint16_t value,
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

static roaring_bitmap_t *bits_new(void)
{
    roaring_bitmap_t *bits = roaring_bitmap_create();

    if (!bits)
        abort(); /* out of memory */
    return bits;
}

static void set_add(struct value_sets *sets, uint16_t value, uint16_t position)
{
    uint32_t at = sets_lower_bound(sets, value);
    struct value_set *set = at < sets->n && sets->v[at].value == value
                                ? &sets->v[at]
                                : sets_insert(sets, at, value, bits_new());

    set->cardinality += roaring_bitmap_add_checked(set->bits, position);
}

/* An empty set stays: a status that nobody has now is had again soon. */
static void set_remove(struct value_sets *sets, uint16_t value, uint16_t position)
{
    uint32_t at = sets_lower_bound(sets, value);

    assert(at < sets->n && sets->v[at].value == value);
    struct value_set *set = &sets->v[at];
    set->cardinality -= roaring_bitmap_remove_checked(set->bits, position);
}

static bool is_among(uint16_t value, const uint16_t *values, unsigned n)
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
        uint16_t old[VALUES_MAX], new[VALUES_MAX];
        unsigned n_old = before ? dimension_values[d](before, old) : 0;
        unsigned n_new = after ? dimension_values[d](after, new) : 0;

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

uint32_t block_count(const struct block *block, enum dimension dimension, uint16_t value)
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

unsigned block_page(const struct block *block, enum dimension dimension, uint16_t value,
                    uint32_t offset, unsigned limit, uint16_t *ret)
{
    const struct value_set *set = block_set(block, dimension, value);
    roaring_uint32_iterator_t at;
    uint32_t position;
    unsigned n = 0;

    if (!set || offset >= set->cardinality || limit == 0)
        return 0;
    roaring_bitmap_select(set->bits, set->cardinality - 1 - offset, &position);
    /* One select and an iterator, not a select each: 2 against 20 us a page. */
    roaring_init_iterator(set->bits, &at);
    roaring_move_uint32_iterator_equalorlarger(&at, position);
    do {
        ret[n++] = (uint16_t)at.current_value;
    } while (n < limit && roaring_previous_uint32_iterator(&at));
    return n;
}

unsigned block_from(const struct block *block, enum dimension dimension, uint16_t value,
                    uint16_t from, unsigned limit, uint16_t *ret)
{
    const struct value_set *set = block_set(block, dimension, value);
    roaring_uint32_iterator_t at;
    unsigned n = 0;

    if (!set || set->cardinality == 0)
        return 0;
    roaring_init_iterator(set->bits, &at);
    for (bool has = roaring_move_uint32_iterator_equalorlarger(&at, from); has && n < limit;
         has = roaring_advance_uint32_iterator(&at))
        ret[n++] = (uint16_t)at.current_value;
    return n;
}

/* A value that nobody has is as good as none. Whether some set of `a` has no equal in `b`. */
static bool sets_differ(const struct block *a, const struct block *b, enum dimension dimension,
                        uint16_t *ret_value)
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
                   uint16_t *ret_value)
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

#define BLOB_FORMAT 1

struct blob_disk {
    uint32_t n_sets;
    uint8_t format;
    uint8_t pad[3];
};
_Static_assert(sizeof(struct blob_disk) == 8, "on disk");

struct blob_set_disk {
    uint32_t bits_size;
    uint16_t value;
    uint8_t dimension;
    uint8_t pad[1];
};
_Static_assert(sizeof(struct blob_set_disk) == 8, "on disk");

static void set_encode(const struct value_set *set, enum dimension dimension, struct buf *to)
{
    size_t bits_size = roaring_bitmap_portable_size_in_bytes(set->bits);
    struct blob_set_disk disk = {
        .bits_size = (uint32_t)bits_size,
        .value = set->value,
        .dimension = (uint8_t)dimension,
    };

    buf_add(to, &disk, sizeof(disk));
    char *at = buf_reserve(to, bits_size);
    if (!at)
        return;
    roaring_bitmap_portable_serialize(set->bits, at);
    to->size += bits_size;
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

/* The portable format (github.com/RoaringBitmap/RoaringFormatSpec) of one container without runs;
   little-endian. */
#define BITS_COOKIE      12346u
#define BITS_HEADER_SIZE 16u
#define BITS_ARRAY_MAX   4096u

static uint32_t u16_at(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8;
}

static uint32_t u32_at(const uint8_t *at)
{
    return u16_at(at) | u16_at(at + 2) << 16;
}

static bool is_ascending(const uint8_t *at, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        if (u16_at(at + 2 * i) <= u16_at(at + 2 * i - 2))
            return false;
    }
    return true;
}

static uint32_t bits_count(const uint8_t *at, size_t size)
{
    uint32_t n = 0;

    for (size_t i = 0; i < size; i++)
        n += (uint32_t)__builtin_popcount(at[i]);
    return n;
}

/* CRoaring checks sizes but believes contents; its other functions rely on them. So they are proven
   first. */
static bool bits_are_sound(struct slice bits, uint32_t *ret_cardinality)
{
    const uint8_t *at = (const uint8_t *)bits.at;

    if (bits.size < BITS_HEADER_SIZE || u32_at(at) != BITS_COOKIE || u32_at(at + 4) != 1 ||
        u16_at(at + 8) != 0 || u32_at(at + 12) != BITS_HEADER_SIZE)
        return false;
    uint32_t cardinality = u16_at(at + 10) + 1;
    size_t size = cardinality <= BITS_ARRAY_MAX ? 2 * (size_t)cardinality : BLOCK_JOBS / 8;
    if (bits.size != BITS_HEADER_SIZE + size)
        return false;
    at += BITS_HEADER_SIZE;
    *ret_cardinality = cardinality;
    return cardinality <= BITS_ARRAY_MAX ? is_ascending(at, cardinality)
                                         : bits_count(at, size) == cardinality;
}

static int set_decode(struct slice *blob, struct block *block)
{
    struct blob_set_disk disk;
    uint32_t cardinality;

    if (blob->size < sizeof(disk))
        return FAULT(-EUCLEAN);
    memcpy(&disk, blob->at, sizeof(disk));
    blob->at += sizeof(disk);
    blob->size -= sizeof(disk);
    struct slice bits = {.at = blob->at, .size = disk.bits_size};
    if (disk.dimension >= DIMENSION_COUNT || blob->size < bits.size ||
        !bits_are_sound(bits, &cardinality))
        return FAULT(-EUCLEAN);
    struct value_sets *sets = &block->dimensions[disk.dimension];
    if (sets->n > 0 && sets->v[sets->n - 1].value >= disk.value)
        return FAULT(-EUCLEAN);
    roaring_bitmap_t *decoded = roaring_bitmap_portable_deserialize_safe(bits.at, bits.size);
    if (!decoded)
        return FAULT(-EUCLEAN);
    sets_insert(sets, sets->n, disk.value, decoded)->cardinality = cardinality;
    blob->at += bits.size;
    blob->size -= bits.size;
    return 0;
}

/* Each job has exactly one value in every dimension but CODE: any other sum is no block of ours. */
static bool block_is_sound(const struct block *block)
{
    const struct value_sets *statuses = &block->dimensions[DIMENSION_STATUS];

    for (unsigned d = 0; d < DIMENSION_COUNT; d++) {
        const struct value_sets *sets = &block->dimensions[d];
        uint64_t n = 0;
        for (uint32_t i = 0; i < sets->n; i++)
            n += sets->v[i].cardinality;
        if (d != DIMENSION_CODE && n != block_count(block, DIMENSION_ALL, 0))
            return false;
    }
    return statuses->n == 0 || statuses->v[statuses->n - 1].value < job_status_COUNT;
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
