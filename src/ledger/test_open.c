/* SPDX-License-Identifier: MIT */
/*
 * Opening: who may, what is refused and why, and what is there after a kill.
 */
#include "ledger/fixture.h"

#include "base/file.h"
#include "base/mem.h"
#include "ledger/names.h"
#include "ledger/verify.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int set_up(void **state)
{
    static struct fixture fixture;

    fixture_make(&fixture);
    fixture_add_hosts(&fixture, 3);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    fixture_release(*state);
    return 0;
}

static void expect_refused(const char *dir, int outcome, const char *part)
{
    struct ledger *ledger = NULL;
    struct refusal why = {.text = ""};

    assert_int_equal(ledger_open(dir, &ledger, &why), outcome);
    assert_null(ledger);
    assert_int_equal(why.outcome, outcome);
    if (!strstr(why.text, part) || !strstr(why.text, dir))
        fail_msg("%s", why.text);
}

static void a_second_controller_is_refused(void **state)
{
    struct fixture *fixture = *state;

    expect_refused(fixture->dir, OUTCOME_CONFLICT, "another controller");
}

static void put_meta(struct fixture *fixture, struct slice bytes)
{
    static const uint64_t key = 0;

    assert_int_equal(ledger_begin(fixture->ledger), 0);
    assert_int_equal(table_put(&fixture->ledger->txn, TABLE_META, u64_slice(&key), bytes), 0);
    assert_int_equal(ledger_commit(fixture->ledger), 0);
}

/* With meta as given the ledger can't be opened; puts it right again. */
static void expect_refused_meta(struct fixture *fixture, struct meta_row meta, size_t size,
                                const char *part)
{
    struct meta_row good = fixture->ledger->committed_meta;
    struct store *store;
    struct txn txn;
    static const uint64_t key = 0;

    put_meta(fixture, (struct slice){.at = (const char *)&meta, .size = size});
    ledger_reader_close(fixture->reader);
    ledger_drop(fixture->ledger);
    expect_refused(fixture->dir, OUTCOME_UNAVAILABLE, part);
    if (meta.format > LEDGER_FORMAT)
        return; /* no store of ours opens it */
    assert_int_equal(store_open(fixture->dir, true, &store, NULL), 0);
    assert_int_equal(txn_begin(store, &txn), 0);
    struct slice bytes = {.at = (const char *)&good, .size = sizeof(good)};
    assert_int_equal(table_put(&txn, TABLE_META, u64_slice(&key), bytes), 0);
    assert_int_equal(txn_commit(&txn), 0);
    store_close(store);
    struct refusal why;
    assert_int_equal(ledger_open(fixture->dir, &fixture->ledger, &why), 0);
    assert_int_equal(ledger_reader_open(fixture->ledger, &fixture->reader), 0);
}

static void a_damaged_meta_row_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct meta_row meta = fixture->ledger->committed_meta;

    meta.next_seq = 0;
    expect_refused_meta(fixture, meta, sizeof(meta), "needs cleaning");
    meta.next_seq = 1;
    expect_refused_meta(fixture, meta, sizeof(meta) - 1, "needs cleaning");
}

static void a_newer_format_is_refused_by_its_number(void **state)
{
    struct fixture fixture;
    struct meta_row meta;

    (void)state;
    fixture_make(&fixture);
    meta = fixture.ledger->committed_meta;
    meta.format = LEDGER_FORMAT + 6;
    expect_refused_meta(&fixture, meta, sizeof(meta), "has format 9");
    buf_release(&fixture.text);
    fixture_remove_dir(&fixture);
}

/* ---- ledgers of older formats ---- */

/* Jobs 1 … n, every third to a label, of which there are four. */
static void submit_labelled(struct fixture *fixture, unsigned n)
{
    static const host_number hosts[] = {1};
    struct ledger_effect effect;

    assert_int_equal(ledger_begin(fixture->ledger), 0);
    for (unsigned i = 0; i < n; i++) {
        char text[32] = "web-01";
        if (i % 3 == 0)
            snprintf(text, sizeof(text), "group:web%u", i / 3 % 4);
        struct record record = {.kind = RECORD_SUBMITTED,
                                .time_us = fixture->now_us++,
                                .submitted = {.id = uuid_make(fixture->now_us),
                                              .op = op_by_type("node.hostname.get"),
                                              .user = "alice",
                                              .hosts = hosts,
                                              .n_hosts = 1}};
        assert_int_equal(target_parse(slice_of(text), &record.submitted.target, NULL), 0);
        assert_int_equal(ledger_apply(fixture->ledger, &record, &effect), 0);
    }
    assert_int_equal(ledger_commit(fixture->ledger), 0);
}

/* The size and the byte that tell format 1 of heads; numbers of targets came later. */
static void put_old_head(struct txn *txn, uint64_t seq, struct head head)
{
    head.format = 1;
    struct slice bytes = {.at = (const char *)&head, .size = offsetof(struct head, target)};
    assert_int_equal(table_put(txn, TABLE_HEADS, u64_slice(&seq), bytes), 0);
}

static void drop_target_names(struct txn *txn)
{
    struct slice key, value;

    while (table_seek(txn, TABLE_NAMES, names_begin(NAME_TARGET), &key, &value) == 0 &&
           key.at[0] == names_begin(NAME_TARGET).at[0]) {
        char copy[512];
        struct slice name = {.at = copy, .size = key.size};
        memcpy(copy, key.at, key.size);
        assert_int_equal(table_delete(txn, TABLE_NAMES, name), 0);
    }
}

/* Jobs from `begin` on and below `end` become as format 2 has them. */
static void make_old(struct fixture *fixture, uint64_t begin, uint64_t end)
{
    static const char blob[8] = {[4] = 1}; /* no sets, format 1 */
    static const uint64_t block = 0;
    struct ledger *ledger = fixture->ledger;
    struct head head;

    assert_int_equal(ledger_checkpoint(ledger, 10), 0);
    assert_int_equal(ledger_begin(ledger), 0);
    for (uint64_t seq = begin; seq < end; seq++) {
        assert_int_equal(head_get(&ledger->txn, seq, &head), 0);
        put_old_head(&ledger->txn, seq, head);
    }
    if (begin == 1) { /* no head has one */
        drop_target_names(&ledger->txn);
        ledger->meta.n_targets = 0;
    }
    struct slice bytes = {.at = blob, .size = sizeof(blob)};
    assert_int_equal(table_put(&ledger->txn, TABLE_BLOCKS, u64_slice(&block), bytes), 0);
    ledger->meta.format = 2;
    assert_int_equal(ledger_commit(ledger), 0);
}

/* Each head is of today's format, and has the number of its target. */
static void expect_raised(struct fixture *fixture, unsigned n_jobs)
{
    struct txn *txn = &fixture->ledger->txn;
    struct slice bytes;
    struct head head;

    assert_int_equal(fixture->ledger->meta.format, LEDGER_FORMAT);
    assert_int_equal(fixture->ledger->meta.n_targets, 4);
    assert_int_equal(ledger_begin(fixture->ledger), 0);
    for (uint64_t seq = 1; seq <= n_jobs; seq++) {
        assert_int_equal(table_get(txn, TABLE_HEADS, u64_slice(&seq), &bytes), 0);
        assert_false(head_is_old(bytes));
        assert_int_equal(head_decode(bytes, &head), 0);
        /* Numbers are given in order of the jobs. */
        assert_int_equal(head.target, (seq - 1) % 3 ? 0 : (seq - 1) / 3 % 4 + 1);
    }
    ledger_abort(fixture->ledger);
    for (uint32_t number = 1; number <= 4; number++)
        assert_int_equal(block_count(fixture->ledger->blocks.v[0].block, DIMENSION_LABEL, number),
                         (n_jobs - 3 * (number - 1) + 11) / 12);
    fixture_expect_sound(fixture);
}

static void an_older_ledger_is_raised_when_it_is_opened(void **state)
{
    struct fixture *fixture = *state;

    submit_labelled(fixture, 100);
    make_old(fixture, 1, 101);
    fixture_expect_sound(fixture); /* as it is, too */
    fixture_reopen(fixture, false);
    expect_raised(fixture, 100);
    assert_int_equal(fixture_list(fixture, NULL, 0, 100, NULL).n_items, 100);
    fixture_reopen(fixture, true);
    expect_raised(fixture, 100);
}

static void raising_goes_on_where_it_was_interrupted(void **state)
{
    struct fixture *fixture = *state;

    submit_labelled(fixture, 100);
    make_old(fixture, 61, 101);
    fixture_expect_sound(fixture);
    fixture_reopen(fixture, false);
    expect_raised(fixture, 100);
}

static void an_empty_ledger_of_the_first_format_is_raised(void **state)
{
    struct fixture *fixture = *state;
    struct meta_row meta = fixture->ledger->committed_meta;

    meta.format = 1;
    put_meta(fixture, (struct slice){.at = (const char *)&meta, .size = sizeof(meta)});
    fixture_reopen(fixture, false);
    assert_int_equal(fixture->ledger->meta.format, LEDGER_FORMAT);
    fixture_reopen(fixture, false);
    assert_int_equal(fixture->ledger->meta.format, LEDGER_FORMAT);
    fixture_expect_sound(fixture);
}

#define KILLED_JOBS 45000u /* some batches */

/* A child opens it and is killed a little later than the one before, until one comes to the end. */
static void a_kill_while_it_is_raised_costs_nothing(void **state)
{
    static const struct ledger_options no_sync = {.no_sync = true};
    struct fixture *fixture = *state;
    bool ended = false;

    submit_labelled(fixture, KILLED_JOBS);
    make_old(fixture, 1, KILLED_JOBS + 1);
    ledger_reader_close(fixture->reader);
    ledger_drop(fixture->ledger);
    for (useconds_t wait_us = 1000; !ended; wait_us = wait_us * 3 / 2) {
        int status;
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            struct refusal why;
            _exit(ledger_open_with(fixture->dir, &no_sync, &fixture->ledger, &why) ? 1 : 0);
        }
        usleep(wait_us);
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, &status, 0), child);
        ended = WIFEXITED(status);
        assert_true(ended ? WEXITSTATUS(status) == 0 : WTERMSIG(status) == SIGKILL);
    }
    struct refusal why;
    assert_int_equal(ledger_open_with(fixture->dir, &no_sync, &fixture->ledger, &why), 0);
    assert_int_equal(ledger_reader_open(fixture->ledger, &fixture->reader), 0);
    expect_raised(fixture, KILLED_JOBS);
}

/* In the page that names the tables; their order by name stays. */
static void rename_table(const char *path, const char *from, const char *to)
{
    struct buf file CLEANUP(buf_release);
    int fd = open(path, O_RDWR | O_CLOEXEC);

    buf_init(&file, (size_t)64 << 20);
    assert_true(fd >= 0);
    assert_int_equal(fd_read_to_end(fd, &file), 0);
    for (char *at = file.at;
         (at = memmem(at, file.size - (size_t)(at - file.at), from, strlen(from))) != NULL; at++)
        memcpy(at, to, strlen(to));
    assert_int_equal(pwrite(fd, file.at, file.size, 0), file.size);
    close(fd);
}

/* What an older program did not have is made; in a ledger of today nothing is missing. */
static void a_table_that_is_gone_is_damage(void **state)
{
    struct fixture *fixture = *state;
    struct verify_report report;
    struct refusal why;

    ledger_reader_close(fixture->reader);
    ledger_drop(fixture->ledger);
    char path[300];
    snprintf(path, sizeof(path), "%s/data.mdb", fixture->dir);
    rename_table(path, "hostruns", "hostrunz");
    expect_refused(fixture->dir, OUTCOME_UNAVAILABLE, "a table of it is gone");
    assert_int_equal(ledger_verify(fixture->dir, &report, &why), OUTCOME_UNAVAILABLE);
    rename_table(path, "hostrunz", "hostruns");
    assert_int_equal(ledger_open(fixture->dir, &fixture->ledger, &why), 0);
    assert_int_equal(ledger_reader_open(fixture->ledger, &fixture->reader), 0);
}

/* ---- directories ---- */

static void a_directory_is_made_for_its_owner_alone(void **state)
{
    struct fixture fixture = {.now_us = FIXTURE_START_US};
    char dir[300];
    struct ledger *ledger;
    struct refusal why;
    struct stat stat_of;

    (void)state;
    fixture_make_dir(&fixture);
    snprintf(dir, sizeof(dir), "%s/a/b", fixture.dir);
    assert_int_equal(ledger_open(dir, &ledger, &why), 0);
    assert_int_equal(stat(dir, &stat_of), 0);
    assert_int_equal(stat_of.st_mode & 07777, 0700);
    ledger_close(ledger);
    fixture_remove_dir(&fixture);
}

static void a_file_in_its_place_is_refused(void **state)
{
    struct fixture fixture = {.now_us = FIXTURE_START_US};
    char path[300];

    (void)state;
    fixture_make_dir(&fixture);
    snprintf(path, sizeof(path), "%s/file", fixture.dir);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
    expect_refused(path, OUTCOME_UNAVAILABLE, "irectory");
    fixture_remove_dir(&fixture);
}

/* In a child, since root may write anywhere. */
static void a_directory_that_is_not_writable_is_refused(void **state)
{
    struct fixture fixture = {.now_us = FIXTURE_START_US};
    int status;

    (void)state;
    fixture_make_dir(&fixture);
    assert_int_equal(chmod(fixture.dir, 0555), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct ledger *ledger;
        struct refusal why = {.text = ""};
        if (geteuid() == 0 && setresuid(65534, 65534, 65534) < 0)
            _exit(2);
        int r = ledger_open(fixture.dir, &ledger, &why);
        _exit(r == OUTCOME_UNAVAILABLE && strstr(why.text, "Permission denied") ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    fixture_remove_dir(&fixture);
}

static void free_space_is_that_of_the_disk(void **state)
{
    struct fixture *fixture = *state;
    uint64_t free_bytes = 0;

    assert_int_equal(ledger_free_space(fixture->ledger, &free_bytes), 0);
    assert_true(free_bytes > 0);
}

/* ---- damage that LMDB does not look for ---- */

static void damage_file(const struct fixture *fixture, off_t page, off_t n_pages, bool cut)
{
    char path[300], page_of_x[4096];

    memset(page_of_x, 'x', sizeof(page_of_x));
    snprintf(path, sizeof(path), "%s/data.mdb", fixture->dir);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    if (cut)
        assert_int_equal(ftruncate(fd, page * (off_t)sizeof(page_of_x)), 0);
    for (off_t i = 0; i < n_pages && !cut; i++)
        assert_int_equal(pwrite(fd, page_of_x, sizeof(page_of_x), (page + i) * 4096), 4096);
    close(fd);
}

/* Opens it in a child, since that may end there. Refused or damaged: the child says the ledger's
   directory and exits with 1. */
static void expect_no_start(const struct fixture *fixture)
{
    char said[1024] = "";
    int ends[2], status;

    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct ledger *ledger;
        struct refusal why = {.text = ""};
        dup2(ends[1], STDERR_FILENO);
        if (ledger_open(fixture->dir, &ledger, &why) == 0)
            _exit(2);
        fprintf(stderr, "%s", why.text);
        _exit(1);
    }
    close(ends[1]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(read(ends[0], said, sizeof(said) - 1) > 0);
    close(ends[0]);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 1);
    if (!strstr(said, fixture->dir))
        fail_msg("%s", said);
}

static void drop_ledger(struct fixture *fixture)
{
    ledger_reader_close(fixture->reader);
    ledger_drop(fixture->ledger);
}

static void a_file_that_was_cut_short_ends_with_a_word(void **state)
{
    struct fixture fixture = {.now_us = FIXTURE_START_US};

    (void)state;
    fixture_make(&fixture);
    drop_ledger(&fixture);
    damage_file(&fixture, 2, 0, true); /* both meta pages are whole */
    expect_no_start(&fixture);
    buf_release(&fixture.text);
    fixture_remove_dir(&fixture);
}

static void pages_of_nonsense_end_with_a_word(void **state)
{
    struct fixture fixture = {.now_us = FIXTURE_START_US};

    (void)state;
    fixture_make(&fixture);
    drop_ledger(&fixture);
    damage_file(&fixture, 2, 64, false);
    expect_no_start(&fixture);
    buf_release(&fixture.text);
    fixture_remove_dir(&fixture);
}

/* ---- after a kill ---- */

/* Submits, starts and finishes without end; says each committed number of jobs on `fd`. */
static _Noreturn void write_until_killed(const char *dir, int fd)
{
    struct fixture fixture = {.now_us = FIXTURE_START_US};
    struct refusal why;

    if (ledger_open(dir, &fixture.ledger, &why))
        _exit(1);
    fixture_add_hosts(&fixture, 2);
    for (uint64_t n = 1;; n++) {
        struct fixture_job job = fixture_submit(&fixture, TARGET_ALL, 2);
        fixture_apply(&fixture,
                      record_finished(job.seq, 0, run_state_COMPLETED, run_code_NONE, NULL, "1"));
        if (n % 7 == 0)
            fixture_apply(&fixture,
                          (struct record){.kind = RECORD_DELETED, .job = {.seq = job.seq}});
        if (n % 50 == 0 && ledger_checkpoint(fixture.ledger, 10))
            _exit(1);
        if (write(fd, &n, sizeof(n)) != sizeof(n))
            _exit(1);
    }
}

static uint64_t last_said(int fd, uint64_t at_least)
{
    uint64_t n = 0, said;

    while (n < at_least && read(fd, &said, sizeof(said)) == sizeof(said))
        n = said;
    return n;
}

static void check_after_kill(const char *dir, uint64_t n_said)
{
    struct fixture fixture = {.now_us = FIXTURE_START_US};
    struct refusal why;
    uint64_t counted[job_status_COUNT] = {0};

    buf_init(&fixture.text, (size_t)64 << 20);
    assert_int_equal(ledger_open(dir, &fixture.ledger, &why), 0);
    assert_int_equal(ledger_reader_open(fixture.ledger, &fixture.reader), 0);
    struct ledger_page page = fixture_list(&fixture, NULL, 0, 1, NULL);
    /* What was said is there; at most the job that was being written came after it. */
    assert_in_range(page.total, n_said - n_said / 7, n_said + 2 - n_said / 7);
    for (unsigned status = 0; status < job_status_COUNT; status++) {
        struct ledger_filter filter = {.statuses = 1u << status};
        for (uint64_t offset = 0; offset < page.counts[status]; offset += LEDGER_PAGE_MAX)
            counted[status] +=
                fixture_list(&fixture, &filter, offset, LEDGER_PAGE_MAX, NULL).n_items;
        assert_int_equal(counted[status], page.counts[status]);
    }
    ledger_reader_close(fixture.reader);
    ledger_close(fixture.ledger);
    buf_release(&fixture.text);
}

static void a_killed_writer_leaves_what_it_had_committed(void **state)
{
    struct fixture fixture = {.now_us = FIXTURE_START_US};
    int pipe_fds[2];

    (void)state;
    fixture_make_dir(&fixture);
    assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        write_until_killed(fixture.dir, pipe_fds[1]);
    close(pipe_fds[1]);
    last_said(pipe_fds[0], 175);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    uint64_t n_said = last_said(pipe_fds[0], UINT64_MAX);
    close(pipe_fds[0]);
    check_after_kill(fixture.dir, n_said ? n_said : 175);
    fixture_remove_dir(&fixture);
}

/* ---- blobs ---- */

static void put_blob(struct fixture *fixture, uint64_t number, struct slice blob)
{
    assert_int_equal(ledger_begin(fixture->ledger), 0);
    assert_int_equal(table_put(&fixture->ledger->txn, TABLE_BLOCKS, u64_slice(&number), blob), 0);
    assert_int_equal(ledger_commit(fixture->ledger), 0);
}

static void a_damaged_blob_is_made_again_from_heads(void **state)
{
    struct fixture *fixture = *state;

    for (unsigned i = 0; i < 5; i++)
        fixture_submit(fixture, TARGET_HOST, 1);
    assert_int_equal(ledger_checkpoint(fixture->ledger, 10), 0);
    put_blob(fixture, 0, SLICE("no blob at all"));
    fixture_reopen(fixture, false);
    assert_int_equal(fixture_list(fixture, NULL, 0, 10, NULL).total, 5);
    assert_true(blocks_is_dirty(&fixture->ledger->blocks, 0));
    fixture_reopen(fixture, true);
    assert_false(blocks_is_dirty(&fixture->ledger->blocks, 0));
    assert_int_equal(fixture_list(fixture, NULL, 0, 10, NULL).n_items, 5);
}

static void a_blob_of_a_block_that_can_not_be_is_damage(void **state)
{
    struct fixture *fixture = *state;

    put_blob(fixture, 1000000, SLICE("x"));
    ledger_reader_close(fixture->reader);
    ledger_drop(fixture->ledger);
    expect_refused(fixture->dir, OUTCOME_UNAVAILABLE, "needs cleaning");
    fixture_remove_dir(fixture);
    fixture_make(fixture);
}

static void a_checkpoint_of_deleted_jobs_leaves_no_blob(void **state)
{
    static const uint64_t number = 0;
    struct fixture *fixture = *state;
    struct fixture_job job = fixture_submit(fixture, TARGET_HOST, 1);
    struct slice blob;

    assert_int_equal(ledger_checkpoint(fixture->ledger, 10), 0);
    fixture_apply(fixture, (struct record){.kind = RECORD_DELETED, .job = {.seq = job.seq}});
    assert_int_equal(ledger_checkpoint(fixture->ledger, 0), 0);
    assert_true(blocks_is_dirty(&fixture->ledger->blocks, 0));
    assert_int_equal(ledger_checkpoint(fixture->ledger, 1), 0);
    assert_int_equal(fixture->ledger->blocks.n, 0);
    assert_int_equal(ledger_begin(fixture->ledger), 0);
    assert_int_equal(table_get(&fixture->ledger->txn, TABLE_BLOCKS, u64_slice(&number), &blob),
                     OUTCOME_NOT_FOUND);
    assert_int_equal(table_get(&fixture->ledger->txn, TABLE_DIRTY, u64_slice(&number), &blob),
                     OUTCOME_NOT_FOUND);
    ledger_abort(fixture->ledger);
    assert_int_equal(fixture_list(fixture, NULL, 0, 10, NULL).total, 0);
}

/* A commit that ended in a fault may be on the disk all the same: no index will ever be of it. */
static void a_reader_does_not_wait_for_a_commit_that_was_lost(void **state)
{
    struct fixture *fixture = *state;
    struct ledger_page page;
    struct txn txn;
    uint64_t number = 77;

    assert_int_equal(ledger_counts(fixture->reader, &page), 0);
    assert_int_equal(txn_begin(fixture->ledger->store, &txn), 0);
    assert_int_equal(table_put(&txn, TABLE_DIRTY, u64_slice(&number), SLICE("")), 0);
    assert_int_equal(table_delete(&txn, TABLE_DIRTY, u64_slice(&number)), 0);
    assert_int_equal(txn_commit(&txn), 0);
    atomic_store(&fixture->ledger->is_lost, true);
    assert_true(ledger_counts(fixture->reader, &page) < 0);
    fixture_reopen(fixture, false);
    assert_int_equal(ledger_counts(fixture->reader, &page), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(a_second_controller_is_refused),
        TEST(a_damaged_meta_row_is_refused),
        cmocka_unit_test(a_newer_format_is_refused_by_its_number),
        TEST(an_older_ledger_is_raised_when_it_is_opened),
        TEST(raising_goes_on_where_it_was_interrupted),
        TEST(an_empty_ledger_of_the_first_format_is_raised),
        TEST(a_kill_while_it_is_raised_costs_nothing),
        TEST(a_table_that_is_gone_is_damage),
        cmocka_unit_test(a_directory_is_made_for_its_owner_alone),
        cmocka_unit_test(a_file_in_its_place_is_refused),
        cmocka_unit_test(a_directory_that_is_not_writable_is_refused),
        TEST(free_space_is_that_of_the_disk),
        cmocka_unit_test(a_file_that_was_cut_short_ends_with_a_word),
        cmocka_unit_test(pages_of_nonsense_end_with_a_word),
        cmocka_unit_test(a_killed_writer_leaves_what_it_had_committed),
        TEST(a_damaged_blob_is_made_again_from_heads),
        TEST(a_blob_of_a_block_that_can_not_be_is_damage),
        TEST(a_checkpoint_of_deleted_jobs_leaves_no_blob),
        TEST(a_reader_does_not_wait_for_a_commit_that_was_lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
