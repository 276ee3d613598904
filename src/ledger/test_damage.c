/* SPDX-License-Identifier: MIT */
/*
 * Bytes of the file that are not what was written: wherever one is, a check ends in words, a
 * controller starts or refuses in words, and what is refused stays as it is.
 */
#include "ledger/fixture.h"

#include "base/file.h"
#include "base/mem.h"
#include "ledger/verify.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define FLIPS      200
#define N_HOSTS    40
#define FILE_MAX   ((size_t)16 << 20)
#define N_JOBS     120
#define OPEN_MAX_S 20

struct damage {
    struct fixture fixture; /* of the directory; nobody has the ledger open */
    char path[300];
    struct buf good; /* the file as it was written */
};

/* ---- a ledger that has something in every table ---- */

static void fill_job(struct fixture *fixture, unsigned i)
{
    struct fixture_job job =
        fixture_submit(fixture, i % 3 == 0 ? TARGET_ALL : TARGET_HOST, i % 3 == 0 ? N_HOSTS : 1);
    char rest[8000] = "", data[9000];
    unsigned short random[3] = {(unsigned short)i, 8, 9};

    /* Some results take pages of their own, packed too. */
    for (size_t at = 0; at < (i % 20 == 7 ? sizeof(rest) - 1 : 20); at++)
        rest[at] = (char)('A' + nrand48(random) % 26);
    snprintf(data, sizeof(data), "{\"planted\":%u,\"rest\":\"%s\"}", i, rest);
    if (i % 5 == 4)
        return;
    fixture_apply(fixture,
                  record_finished(job.seq, 0, run_state_COMPLETED, run_code_NONE, NULL, data));
    if (i % 3 == 0)
        fixture_apply(fixture,
                      record_finished(job.seq, 1, run_state_FAILED, run_code_ERROR, "no", ""));
    if (i % 7 == 0)
        fixture_apply(fixture, (struct record){.kind = RECORD_CANCELLED,
                                               .job = {.seq = job.seq, .user = "bob"}});
    if (i % 11 == 0)
        fixture_apply(fixture, (struct record){.kind = RECORD_DELETED, .job = {.seq = job.seq}});
}

static void read_whole(const char *path, struct buf *to)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    buf_clear(to);
    assert_int_equal(fd_read_to_end(fd, to), 0);
    assert_false(buf_overflowed(to));
    close(fd);
}

static void write_whole(const char *path, struct slice bytes)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(fd_write_all(fd, bytes.at, bytes.size), 0);
    close(fd);
}

static int set_up(void **state)
{
    static struct damage damage;
    struct fixture *fixture = &damage.fixture;

    fixture_make(fixture);
    fixture_add_hosts(fixture, N_HOSTS);
    for (unsigned i = 0; i < N_JOBS; i++)
        fill_job(fixture, i);
    assert_int_equal(ledger_checkpoint(fixture->ledger, 10), 0);
    ledger_reader_close(fixture->reader);
    ledger_close(fixture->ledger);
    snprintf(damage.path, sizeof(damage.path), "%s/data.mdb", fixture->dir);
    buf_init(&damage.good, FILE_MAX);
    read_whole(damage.path, &damage.good);
    *state = &damage;
    return 0;
}

static int tear_down(void **state)
{
    struct damage *damage = *state;

    buf_release(&damage->fixture.text);
    buf_release(&damage->good);
    fixture_remove_dir(&damage->fixture);
    return 0;
}

/* ---- what a controller does ---- */

struct start {
    bool started;
    bool readable;   /* every item could be made */
    char said[2048]; /* if it refused */
};

static int count_open(void *owner, const struct ledger_job *job, const struct ledger_run *run)
{
    (void)job;
    (void)run;
    ++*(unsigned *)owner;
    return 0;
}

/* Exit status: 0 started and all readable, 1 refused in words, 3 started. */
static int start_and_read(const char *dir)
{
    struct ledger *ledger;
    struct ledger_reader *reader;
    struct refusal why = {.text = ""};
    struct ledger_page page;
    struct buf items;
    unsigned n = 0;

    if (ledger_open(dir, &ledger, &why)) {
        fprintf(stderr, "%s\n", why.text);
        return 1;
    }
    if (ledger_reader_open(ledger, &reader))
        return 4;
    buf_init(&items, (size_t)64 << 20);
    if (ledger_each_open_run(reader, count_open, &n))
        return 3;
    for (uint64_t offset = 0; offset < N_JOBS; offset += LEDGER_PAGE_MAX) {
        struct ledger_question every = {.at = offset, .limit = LEDGER_PAGE_MAX};
        buf_clear(&items);
        if (ledger_list(reader, &every, &page, &items))
            return 3;
    }
    return 0;
}

static struct start start(const struct damage *damage)
{
    struct start start = {.said = ""};
    int ends[2], status;

    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct rlimit no_core = {0};
        setrlimit(RLIMIT_CORE, &no_core);
        alarm(OPEN_MAX_S);
        dup2(ends[1], STDERR_FILENO);
        _exit(start_and_read(damage->fixture.dir));
    }
    close(ends[1]);
    assert_int_equal(waitpid(child, &status, 0), child);
    ssize_t size = read(ends[0], start.said, sizeof(start.said) - 1);
    assert_true(size >= 0);
    close(ends[0]);
    if (!WIFEXITED(status))
        fail_msg("a start ended by signal %d: %s", WTERMSIG(status), start.said);
    start.readable = WEXITSTATUS(status) == 0;
    start.started = start.readable || WEXITSTATUS(status) == 3;
    if (!start.started && WEXITSTATUS(status) != 1)
        fail_msg("a start ended with %d: %s", WEXITSTATUS(status), start.said);
    return start;
}

/* ---- the two together ---- */

/* Whatever the file is now: no crash; sound means that all can be read; a refusal names the ledger
   and what to do, in a line, and changes nothing. Whether something was found. */
static bool judge(struct damage *damage, struct slice bytes)
{
    struct verify_report report = {.n_findings = 0};
    struct refusal why = {.text = ""};
    struct buf after;

    int r = ledger_verify(damage->fixture.dir, &report, &why);
    assert_true(r == 0 || r == OUTCOME_UNAVAILABLE);
    bool found = r || report.n_findings;
    if (r && !strstr(why.text, damage->fixture.dir))
        fail_msg("%s", why.text);
    buf_init(&after, FILE_MAX);
    read_whole(damage->path, &after);
    assert_true(slice_equal(buf_slice(&after), bytes));
    struct start started = start(damage);
    if (!found && !started.readable)
        fail_msg("nothing was found, and a start said: %s", started.said);
    if (!started.started) {
        const char *line_end = strchr(started.said, '\n');
        bool advises = strstr(started.said, "restore") || strstr(started.said, "newer version");
        if (!strstr(started.said, damage->fixture.dir) || !advises || !line_end || line_end[1])
            fail_msg("refused with: %s", started.said);
        read_whole(damage->path, &after);
        assert_true(slice_equal(buf_slice(&after), bytes));
    }
    buf_release(&after);
    return found;
}

static bool flip(struct damage *damage, size_t at, uint8_t mask)
{
    damage->good.at[at] = (char)(damage->good.at[at] ^ mask);
    write_whole(damage->path, buf_slice(&damage->good));
    bool found = judge(damage, buf_slice(&damage->good));
    damage->good.at[at] = (char)(damage->good.at[at] ^ mask);
    return found;
}

static void a_flipped_byte_anywhere_ends_in_words(void **state)
{
    struct damage *damage = *state;
    const char *given = getenv("REEVE_SEED");
    unsigned long seed = given ? strtoul(given, NULL, 10) : 1;
    unsigned short random[3] = {(unsigned short)seed, 2, 3};
    unsigned n_found = 0;

    print_message("REEVE_SEED=%lu\n", seed);
    for (unsigned i = 0; i < FLIPS; i++) {
        size_t at = (size_t)nrand48(random) % damage->good.size;
        uint8_t mask = (uint8_t)(1u << nrand48(random) % 8);
        n_found += flip(damage, at, i % 2 ? 0xff : mask);
    }
    print_message("found in %u of %u\n", n_found, FLIPS);
    assert_true(n_found > 0);
}

/* The heads of pages and of the file are few bytes, and the worst. */
static void a_flipped_byte_in_the_head_of_a_page_ends_in_words(void **state)
{
    struct damage *damage = *state;
    unsigned short random[3] = {4, 5, 6};

    for (unsigned i = 0; i < FLIPS; i++) {
        size_t page = (size_t)nrand48(random) % (damage->good.size / 4096);
        size_t at = i % 4 == 0 ? (size_t)nrand48(random) % 2 * 4096 + (size_t)nrand48(random) % 160
                               : page * 4096 + (size_t)nrand48(random) % 40;
        flip(damage, at, (uint8_t)(1u << nrand48(random) % 8));
    }
}

static void a_flipped_byte_in_a_row_of_each_kind_is_found(void **state)
{
    static const struct {
        const char *what;
        size_t offset;
    } planted[] = {
        {.what = "\"operation\":{\"type\":", .offset = 0}, /* jobs */
        {.what = "{\"planted\":", .offset = 0},            /* runs */
        {.what = "onode.hostname.get", .offset = 3},       /* names: of its key */
        {.what = "web-40", .offset = 6},                   /* agents: of the labels that follow */
    };
    struct damage *damage = *state;

    for (size_t i = 0; i < COUNT_OF(planted); i++) {
        const char *at = damage->good.at;
        unsigned n = 0, n_found = 0;
        while ((at = memmem(at, (size_t)(damage->good.at + damage->good.size - at), planted[i].what,
                            strlen(planted[i].what)))) {
            size_t offset = (size_t)(at - damage->good.at) + planted[i].offset;
            if (n++ < 4 || n % 16 == 0)
                n_found += flip(damage, offset, 0x04);
            at++;
        }
        if (n_found == 0) /* the others are of pages that are free */
            fail_msg("%s: %u places, found in none", planted[i].what, n);
    }
}

/* ---- files that are none ---- */

static void a_file_that_was_cut_short_ends_in_words(void **state)
{
    struct damage *damage = *state;
    size_t n_pages = damage->good.size / 4096;

    for (size_t page = 0; page < n_pages; page += 1 + page / 3) {
        struct slice cut = {.at = damage->good.at, .size = page ? page * 4096 - 100 : 1};
        write_whole(damage->path, cut);
        /* The last pages may be free: then nothing is lost, which judge() has seen to. */
        assert_true(judge(damage, cut) || page > n_pages - n_pages / 8);
    }
}

static void expect_refusals(struct damage *damage, struct slice bytes, const char *part)
{
    struct verify_report report;
    struct refusal why = {.text = ""};

    assert_int_equal(ledger_verify(damage->fixture.dir, &report, &why), OUTCOME_UNAVAILABLE);
    if (!strstr(why.text, part))
        fail_msg("%s", why.text);
    assert_true(judge(damage, bytes));
    if (!strstr(start(damage).said, part))
        fail_msg("%s", start(damage).said);
}

static void an_empty_file_is_no_new_ledger(void **state)
{
    struct damage *damage = *state;

    write_whole(damage->path, (struct slice){.at = ""});
    expect_refusals(damage, (struct slice){.at = ""}, "is empty");
}

static void a_file_of_something_else_is_refused(void **state)
{
    struct damage *damage = *state;
    struct buf text;

    buf_init(&text, FILE_MAX);
    for (unsigned i = 0; i < 5000; i++)
        buf_add_text(&text, "notes\n");
    write_whole(damage->path, buf_slice(&text));
    expect_refusals(damage, buf_slice(&text), "no file of LMDB");
    buf_release(&text);
}

static void a_file_that_is_gone_is_no_new_ledger(void **state)
{
    struct damage *damage = *state;
    struct stat status;

    assert_int_equal(unlink(damage->path), 0);
    struct start refused = start(damage);
    assert_false(refused.started);
    assert_non_null(strstr(refused.said, "is gone"));
    assert_int_equal(stat(damage->path, &status), -1);
    write_whole(damage->path, buf_slice(&damage->good));
    assert_true(start(damage).readable);
}

static void a_first_start_that_was_killed_is_begun_again(void **state)
{
    struct fixture fixture = {.now_us = FIXTURE_START_US};
    char path[300];
    struct ledger *ledger;
    struct refusal why;
    struct stat status;

    (void)state;
    fixture_make_dir(&fixture);
    snprintf(path, sizeof(path), "%s/new.mdb", fixture.dir);
    write_whole(path, SLICE("a part of it"));
    assert_int_equal(ledger_open(fixture.dir, &ledger, &why), 0);
    ledger_close(ledger);
    assert_int_equal(stat(path, &status), -1);
    fixture_remove_dir(&fixture);
}

static void a_ledger_without_its_lock_file_is_as_good(void **state)
{
    struct damage *damage = *state;
    char path[300];

    snprintf(path, sizeof(path), "%s/lock.mdb", damage->fixture.dir);
    write_whole(damage->path, buf_slice(&damage->good));
    assert_int_equal(unlink(path), 0);
    assert_false(judge(damage, buf_slice(&damage->good)));
    write_whole(path, SLICE("nonsense"));
    write_whole(damage->path, buf_slice(&damage->good));
    assert_false(judge(damage, buf_slice(&damage->good)));
}

/* In a child, since root may write anywhere. */
static void a_directory_that_can_only_be_read_is_checked(void **state)
{
    struct damage *damage = *state;
    int status;

    write_whole(damage->path, buf_slice(&damage->good));
    assert_int_equal(chmod(damage->fixture.dir, 0555), 0);
    assert_int_equal(chmod(damage->path, 0444), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct verify_report report;
        struct refusal why = {.text = ""};
        if (geteuid() == 0 && setresuid(65534, 65534, 65534) < 0)
            _exit(2);
        int r = ledger_verify(damage->fixture.dir, &report, &why);
        if (r)
            fprintf(stderr, "%s\n", why.text);
        _exit(r || report.n_findings || report.n_jobs == 0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(chmod(damage->fixture.dir, 0700), 0);
    assert_int_equal(chmod(damage->path, 0600), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(a_flipped_byte_anywhere_ends_in_words),
        TEST(a_flipped_byte_in_the_head_of_a_page_ends_in_words),
        TEST(a_flipped_byte_in_a_row_of_each_kind_is_found),
        TEST(a_file_that_was_cut_short_ends_in_words),
        TEST(an_empty_file_is_no_new_ledger),
        TEST(a_file_of_something_else_is_refused),
        TEST(a_file_that_is_gone_is_no_new_ledger),
        cmocka_unit_test(a_first_start_that_was_killed_is_begun_again),
        TEST(a_ledger_without_its_lock_file_is_as_good),
        TEST(a_directory_that_can_only_be_read_is_checked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
