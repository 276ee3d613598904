/* SPDX-License-Identifier: MIT */
/*
 * The index: moves against a brute-force copy, pages at every edge, and blobs, sound and not.
 */
#include "ledger/fixture.h"

#include "base/mem.h"
#include "base/uuid.h"

#include <inttypes.h>

/* ---- random heads ---- */

static uint64_t random_state;

static uint64_t random_next(void) /* xorshift64: repeatable from the seed */
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static uint32_t random_below(uint32_t n)
{
    return (uint32_t)(random_next() % n);
}

/* Numbers that do not fit in 16 bits. */
#define FIRST_LABEL ((uint32_t)UINT16_MAX - 2)

static struct head random_head(void)
{
    struct head head = {
        .counts = {.total = 4},
        .operation = (uint16_t)random_below(40),
        .user = (uint16_t)random_below(3),
        .target_kind = (uint8_t)random_below(TARGET_KIND_COUNT),
        .flags = (uint8_t)(random_below(2) ? HEAD_CHANGED : 0),
        .format = HEAD_FORMAT,
    };
    if (head.target_kind == TARGET_LABEL)
        head.target = FIRST_LABEL + random_below(6);
    head.bulk = random_below(4);
    uint32_t *counters[] = {&head.counts.active, &head.counts.completed, &head.counts.failed,
                            &head.counts.skipped};

    for (unsigned n = random_below(5); n > 0; n--)
        ++*counters[random_below(4)];
    if (head.counts.failed > 0)
        head.codes = (uint8_t)(random_below(127) + 1) << 1;
    return head;
}

/* Whether the job has the value, in the words of enum dimension's comments. */
static bool head_has(const struct head *head, enum dimension dimension, uint32_t value)
{
    switch (dimension) {
    case DIMENSION_ALL:
        return value == 0;
    case DIMENSION_STATUS:
        return value == head_status(head);
    case DIMENSION_OPERATION:
        return value == head->operation;
    case DIMENSION_USER:
        return value == head->user;
    case DIMENSION_CODE:
        return value < run_code_COUNT && (head->codes >> value & 1);
    case DIMENSION_CHANGED:
        return value == head_changed(head);
    case DIMENSION_TARGET:
        return value == head->target_kind;
    case DIMENSION_LABEL:
        return value != 0 && value == head->target;
    case DIMENSION_BULK:
        return value != 0 && value == head->bulk;
    case DIMENSION_COUNT:
        break;
    }
    return false;
}

/* ---- brute force ---- */

struct model {
    bool there[BLOCK_JOBS];
    struct head heads[BLOCK_JOBS];
};

static void move_both(struct block *block, struct model *model, uint16_t position, bool there,
                      struct head head)
{
    block_move(block, position, model->there[position] ? &model->heads[position] : NULL,
               there ? &head : NULL);
    model->there[position] = there;
    model->heads[position] = head;
}

static unsigned model_page(const struct model *model, enum dimension dimension, uint32_t value,
                           uint32_t offset, unsigned limit, uint16_t *ret, uint32_t *ret_count)
{
    uint32_t count = 0;
    unsigned n = 0;

    for (uint32_t i = BLOCK_JOBS; i-- > 0;) {
        if (!model->there[i] || !head_has(&model->heads[i], dimension, value))
            continue;
        if (count >= offset && n < limit)
            ret[n++] = (uint16_t)i;
        count++;
    }
    *ret_count = count;
    return n;
}

static struct selection select_value(const struct block *block, enum dimension dimension,
                                     uint32_t value)
{
    const struct block_term term = {.dimension = dimension, .n = 1, .values = &value};

    return block_select(block, &term, 1, NULL);
}

static unsigned page(const struct block *block, enum dimension dimension, uint32_t value,
                     uint32_t offset, unsigned limit, uint16_t *ret)
{
    struct selection all = select_value(block, dimension, value);
    unsigned n = selection_down(&all, BLOCK_JOBS, offset, limit, ret);

    selection_release(&all);
    return n;
}

static void compare(const struct block *block, const struct model *model)
{
    enum dimension dimension = random_below(DIMENSION_COUNT);
    uint32_t value = random_below(dimension == DIMENSION_OPERATION ? 40 : 8);
    if (dimension == DIMENSION_LABEL)
        value += FIRST_LABEL;
    uint32_t count = block_count(block, dimension, value);
    uint32_t offset = random_below(count + 3);
    uint16_t expected[100], found[100];
    uint32_t expected_count;
    unsigned n = model_page(model, dimension, value, offset, 100, expected, &expected_count);

    assert_int_equal(count, expected_count);
    assert_int_equal(page(block, dimension, value, offset, 100, found), n);
    assert_memory_equal(found, expected, n * sizeof(found[0]));
    if (n == 0)
        return;
    /* Upwards from the page's last job: the same jobs the other way round. */
    uint16_t upwards[100];
    struct selection all = select_value(block, dimension, value);
    assert_int_equal(selection_up(&all, expected[n - 1], n, upwards), n);
    selection_release(&all);
    for (unsigned i = 0; i < n; i++)
        assert_int_equal(upwards[i], expected[n - 1 - i]);
}

static struct block *recode(struct block *block)
{
    struct buf blob CLEANUP(buf_release);
    struct block *decoded;

    buf_init(&blob, BLOCK_BLOB_MAX);
    block_encode(block, &blob);
    block_free(block);
    assert_int_equal(block_decode(buf_slice(&blob), &decoded), 0);
    return decoded;
}

static void moves_agree_with_brute_force(void **state)
{
    struct model *model = mem_alloc(sizeof(*model));
    struct block *block = block_new();
    const char *seed = getenv("REEVE_SEED");

    (void)state;
    random_state = seed ? strtoull(seed, NULL, 10) : random_u64() | 1;
    print_message("REEVE_SEED=%" PRIu64 "\n", random_state);
    /* Sparse, then nearly full, then thinned out: arrays become bitmaps and arrays again. */
    for (unsigned phase = 0; phase < 3; phase++) {
        for (unsigned i = 0; i < 100000; i++) {
            uint16_t position = (uint16_t)random_below(phase == 0 ? 3000 : BLOCK_JOBS);
            bool there = phase < 2 || random_below(20) == 0;
            move_both(block, model, position, there, random_head());
            if (i % 1000 == 0)
                compare(block, model);
        }
        block = recode(block);
        compare(block, model);
    }
    block_free(block);
    mem_free(model);
}

static void a_full_block_survives_its_blob(void **state)
{
    struct block *block = block_new();
    struct head head = {.counts = {.total = 1}, .format = HEAD_FORMAT};
    uint16_t found[100];

    (void)state;
    for (uint32_t i = 0; i < BLOCK_JOBS; i++)
        block_move(block, (uint16_t)i, NULL, &head);
    block = recode(block);
    assert_int_equal(block_count(block, DIMENSION_ALL, 0), BLOCK_JOBS);
    assert_int_equal(page(block, DIMENSION_ALL, 0, BLOCK_JOBS - 1, 100, found), 1);
    assert_int_equal(found[0], 0);
    assert_int_equal(page(block, DIMENSION_ALL, 0, BLOCK_JOBS, 100, found), 0);
    for (uint32_t i = 0; i < BLOCK_JOBS; i++)
        block_move(block, (uint16_t)i, &head, NULL);
    assert_int_equal(block_count(block, DIMENSION_ALL, 0), 0);
    block = recode(block);
    assert_int_equal(page(block, DIMENSION_ALL, 0, 0, 100, found), 0);
    block_free(block);
}

/* ---- damaged blobs ---- */

static void blob_of_two_jobs(struct buf *blob)
{
    struct block *block = block_new();
    struct head head = {.counts = {.total = 1}, .operation = 7, .format = HEAD_FORMAT};

    buf_init(blob, BLOCK_BLOB_MAX);
    block_move(block, 5, NULL, &head);
    block_move(block, 9, NULL, &head);
    block_encode(block, blob);
    block_free(block);
}

static void a_blob_that_is_cut_anywhere_is_damaged(void **state)
{
    struct buf blob CLEANUP(buf_release);
    struct block *block;

    (void)state;
    blob_of_two_jobs(&blob);
    for (size_t size = 0; size < blob.size; size++) {
        /* A copy of its own, so that reading past the end is seen. */
        char *copy CLEANUP(mem_freep) = mem_alloc(size);
        memcpy(copy, blob.at, size);
        struct slice cut = {.at = copy, .size = size};
        assert_true(block_decode(cut, &block) < 0);
    }
    buf_add_char(&blob, 'x');
    assert_true(block_decode(buf_slice(&blob), &block) < 0);
}

/* Each byte changed in each way: damaged, or a block whose counts still make sense. */
static void a_blob_with_a_changed_byte_is_damaged_or_sound(void **state)
{
    struct buf blob CLEANUP(buf_release);
    unsigned n_damaged = 0;

    (void)state;
    blob_of_two_jobs(&blob);
    for (size_t i = 0; i < blob.size; i++) {
        for (unsigned flip = 1; flip < 256; flip++) {
            struct block *block = NULL;
            blob.at[i] = (char)(blob.at[i] ^ (char)flip);
            if (block_decode(buf_slice(&blob), &block) == 0) {
                uint16_t found[4];
                assert_int_equal(page(block, DIMENSION_ALL, 0, 0, 4, found),
                                 block_count(block, DIMENSION_ALL, 0));
                block_free(block);
            } else {
                n_damaged++;
            }
            blob.at[i] = (char)(blob.at[i] ^ (char)flip);
        }
    }
    assert_true(n_damaged > blob.size * 100);
}

/* ---- all blocks ---- */

static struct head head_of(enum run_state state)
{
    struct head head = {.counts = {.total = 1}, .format = HEAD_FORMAT};

    head.counts.active = state == run_state_STARTED;
    head.counts.completed = state == run_state_COMPLETED;
    return head;
}

static void open_jobs_are_walked_from_the_oldest(void **state)
{
    static const enum run_state states[] = {run_state_WAITING, run_state_COMPLETED,
                                            run_state_STARTED};
    struct blocks blocks = {0};
    uint64_t seqs[100];
    uint64_t next = 0;
    unsigned n, n_found = 0;

    (void)state;
    for (uint64_t seq = BLOCK_JOBS - 150; seq < BLOCK_JOBS + 150; seq++) {
        struct head head = head_of(states[seq % 3]);
        blocks_move(&blocks, seq, NULL, &head);
    }
    while ((n = blocks_from(&blocks, STATUSES_OPEN, next, 7, seqs)) > 0) {
        for (unsigned i = 0; i < n; i++) {
            assert_true(seqs[i] >= next && seqs[i] % 3 != 1);
            next = seqs[i] + 1;
        }
        n_found += n;
    }
    assert_int_equal(n_found, 200);
    blocks_release(&blocks);
}

static void empty_blocks_are_dropped_once_they_are_clean(void **state)
{
    struct blocks blocks = {0};
    struct head head = head_of(run_state_WAITING);

    (void)state;
    for (uint64_t number = 2; number < 5; number++)
        blocks_move(&blocks, number * BLOCK_JOBS, NULL, &head);
    blocks_move(&blocks, 2 * BLOCK_JOBS, &head, NULL);
    blocks_trim(&blocks);
    assert_int_equal(blocks.first, 2); /* its blob must be deleted first */
    for (size_t i = 0; i < blocks.n; i++)
        blocks.v[i].dirty = false;
    blocks_trim(&blocks);
    assert_int_equal(blocks.first, 3);
    assert_int_equal(blocks.total, 2);
    assert_false(blocks_is_dirty(&blocks, 2));
    blocks_move(&blocks, 2 * BLOCK_JOBS + 1, NULL, &head);
    assert_int_equal(blocks.first, 2);
    assert_true(blocks_is_dirty(&blocks, 2));
    assert_int_equal(blocks.total, 3);
    blocks_release(&blocks);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(moves_agree_with_brute_force),
        cmocka_unit_test(a_full_block_survives_its_blob),
        cmocka_unit_test(a_blob_that_is_cut_anywhere_is_damaged),
        cmocka_unit_test(a_blob_with_a_changed_byte_is_damaged_or_sound),
        cmocka_unit_test(open_jobs_are_walked_from_the_oldest),
        cmocka_unit_test(empty_blocks_are_dropped_once_they_are_clean),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
