/* SPDX-License-Identifier: MIT */
/*
 * Frames: what goes in comes out, however it is cut, and what is no frame is refused by name.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bus/frame.h"

#define JOB "018f0000-0000-7000-8000-000000000001"

struct fixture {
    struct frame_reader reader;
    struct arena arena;
    struct buf wire;
    struct refusal why;
};

static int setup(void **state)
{
    static struct fixture fixture;

    fixture = (struct fixture){.why = {.text = ""}};
    frame_reader_init(&fixture.reader, BUS_CONTROLLER);
    arena_init(&fixture.arena);
    buf_init(&fixture.wire, BUS_BACKLOG_MAX);
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    frame_reader_release(&f->reader);
    arena_release(&f->arena);
    buf_release(&f->wire);
    return 0;
}

static void write_task(struct buf *to, struct slice data)
{
    struct bus_task task = {.row_ = {0}};

    SET(&task.run, job, JOB);
    SET(&task.run, run, 7);
    task.has_run = true;
    SET(&task, operation, "node.disk.get");
    SET(&task, data, data);
    SET(&task, limit_us, 60 * US_PER_S);
    SET(&task, start_by_us, INT64_C(1700000000000000));
    SET(&task, user, "ann");
    frame_write(to, BUS_TASK, &task);
}

static void write_confirm(struct buf *to, int64_t number)
{
    struct bus_confirm confirm = {.number = number, .has_number = true};

    frame_write(to, BUS_CONFIRM, &confirm);
}

static void put_head(struct buf *to, uint32_t size, unsigned char number)
{
    for (int i = 24; i >= 0; i -= 8)
        buf_add_char(to, (char)(size >> i));
    buf_add_char(to, (char)number);
}

static int read_one(struct fixture *f, struct slice *input, struct frame *ret)
{
    return frame_read(&f->reader, input, &f->arena, ret, &f->why);
}

static void assert_is_task(const struct frame *frame, struct slice data)
{
    assert_int_equal(frame->message, BUS_TASK);
    const struct bus_task *task = frame->body;
    assert_string_equal(task->run.job, JOB);
    assert_int_equal(task->run.run, 7);
    assert_string_equal(task->operation, "node.disk.get");
    assert_true(slice_equal(task->data, data));
    assert_int_equal(task->start_by_us, INT64_C(1700000000000000));
}

static void a_message_comes_out_as_it_went_in(void **state)
{
    struct fixture *f = *state;
    struct frame frame;

    write_task(&f->wire, SLICE("{\"a\": 0.10}"));
    struct slice input = buf_slice(&f->wire);
    assert_int_equal(read_one(f, &input, &frame), 0);
    assert_is_task(&frame, SLICE("{\"a\": 0.10}"));
    assert_int_equal(input.size, 0);
}

static void the_head_is_size_and_number(void **state)
{
    struct fixture *f = *state;

    write_confirm(&f->wire, 5);
    assert_memory_equal(f->wire.at, "\0\0\0\x0c\x13{\"number\":5}", 17);
    assert_int_equal(f->wire.size, 17);
}

static void a_message_may_come_byte_by_byte(void **state)
{
    struct fixture *f = *state;
    struct frame frame = {.body = NULL};

    write_task(&f->wire, SLICE("{}"));
    for (size_t i = 0; i < f->wire.size; i++) {
        struct slice byte = {.at = f->wire.at + i, .size = 1};

        assert_null(frame.body);
        assert_int_equal(read_one(f, &byte, &frame), 0);
        assert_int_equal(byte.size, 0);
    }
    assert_non_null(frame.body);
    assert_is_task(&frame, SLICE("{}"));
}

static void several_messages_in_one_piece_come_one_by_one(void **state)
{
    struct fixture *f = *state;
    struct frame frame;

    for (int64_t i = 1; i <= 3; i++)
        write_confirm(&f->wire, i);
    struct slice input = buf_slice(&f->wire);
    for (int64_t i = 1; i <= 3; i++) {
        assert_int_equal(read_one(f, &input, &frame), 0);
        assert_int_equal(frame.message, BUS_CONFIRM);
        assert_int_equal(((const struct bus_confirm *)frame.body)->number, i);
        frame_reader_done(&f->reader);
    }
    assert_int_equal(input.size, 0);
}

static void a_message_cut_at_any_byte_is_not_there_yet(void **state)
{
    struct fixture *f = *state;

    write_task(&f->wire, SLICE("{}"));
    for (size_t cut = 0; cut < f->wire.size; cut++) {
        struct frame_reader reader;
        struct frame frame;
        struct slice input = {.at = f->wire.at, .size = cut};

        frame_reader_init(&reader, BUS_CONTROLLER);
        assert_int_equal(frame_read(&reader, &input, &f->arena, &frame, &f->why), 0);
        assert_null(frame.body);
        assert_int_equal(input.size, 0);
        frame_reader_release(&reader);
    }
}

static void assert_refused(struct fixture *f, const char *text)
{
    struct frame frame;
    struct slice input = buf_slice(&f->wire);

    assert_int_equal(read_one(f, &input, &frame), OUTCOME_INVALID);
    if (!strstr(f->why.text, text))
        fail_msg("\"%s\" does not say \"%s\"", f->why.text, text);
}

static void an_unknown_number_is_refused(void **state)
{
    struct fixture *f = *state;

    put_head(&f->wire, 2, 200);
    assert_refused(f, "200 is not known");
}

static void a_message_of_the_wrong_side_is_refused(void **state)
{
    struct fixture *f = *state;

    put_head(&f->wire, 2, 3);
    assert_refused(f, "REPORT may not be sent");
}

static void a_body_over_the_limit_is_refused_before_it_comes(void **state)
{
    struct fixture *f = *state;

    put_head(&f->wire, (uint32_t)BUS_MESSAGE_MAX + 1, 19);
    assert_refused(f, "over the limit");
    assert_int_equal(f->reader.body.room, 0);
}

static void an_announced_size_allocates_nothing(void **state)
{
    struct fixture *f = *state;
    struct frame frame;

    put_head(&f->wire, (uint32_t)BUS_MESSAGE_MAX, 19);
    buf_add_char(&f->wire, '{');
    struct slice input = buf_slice(&f->wire);
    assert_int_equal(read_one(f, &input, &frame), 0);
    assert_null(frame.body);
    assert_true(f->reader.body.room < 4096);
}

static void a_body_that_is_no_json_is_refused(void **state)
{
    struct fixture *f = *state;

    put_head(&f->wire, 3, 19);
    buf_add_text(&f->wire, "{]}");
    assert_refused(f, "");
}

static void an_empty_body_is_refused(void **state)
{
    struct fixture *f = *state;

    put_head(&f->wire, 0, 19);
    assert_refused(f, "");
}

static void a_missing_member_is_refused(void **state)
{
    struct fixture *f = *state;

    put_head(&f->wire, 2, 19);
    buf_add_text(&f->wire, "{}");
    assert_refused(f, "");
    assert_string_equal(f->why.field, "number");
}

static void memory_of_a_large_message_is_given_back(void **state)
{
    struct fixture *f = *state;
    struct buf data;
    struct frame frame;

    buf_init(&data, BUS_MESSAGE_MAX);
    buf_add_char(&data, '"');
    for (int i = 0; i < 1000000; i++)
        buf_add_char(&data, 'x');
    buf_add_char(&data, '"');
    write_task(&f->wire, buf_slice(&data));

    struct slice first = {.at = f->wire.at, .size = 100000};
    struct slice rest = {.at = f->wire.at + 100000, .size = f->wire.size - 100000};
    assert_int_equal(read_one(f, &first, &frame), 0);
    assert_int_equal(read_one(f, &rest, &frame), 0);
    assert_is_task(&frame, buf_slice(&data));
    assert_true(f->reader.body.room >= data.size);
    frame_reader_done(&f->reader);
    assert_int_equal(f->reader.body.room, 0);
    buf_release(&data);
}

static void the_body_of_a_message_is_wiped_when_it_is_done(void **state)
{
    struct fixture *f = *state;
    struct frame frame;

    write_task(&f->wire, SLICE("{\"stdin\":\"horse\"}"));
    struct slice all = buf_slice(&f->wire);
    struct slice front = {.at = all.at, .size = all.size - 1};
    struct slice back = {.at = all.at + front.size, .size = 1}; /* in two pieces it is copied */
    assert_int_equal(frame_read(&f->reader, &front, &f->arena, &frame, &f->why), 0);
    assert_int_equal(frame_read(&f->reader, &back, &f->arena, &frame, &f->why), 0);
    assert_non_null(frame.body);
    size_t size = f->reader.body.size;
    assert_non_null(memmem(f->reader.body.at, size, "horse", 5));
    frame_reader_done(&f->reader);
    assert_null(memmem(f->reader.body.at, size, "horse", 5));
}

static void a_full_buffer_tells_that_a_message_did_not_fit(void **state)
{
    struct buf small;

    (void)state;
    buf_init(&small, 10);
    write_confirm(&small, 5);
    assert_true(buf_overflowed(&small));
    buf_release(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_message_comes_out_as_it_went_in, setup, teardown),
        cmocka_unit_test_setup_teardown(the_head_is_size_and_number, setup, teardown),
        cmocka_unit_test_setup_teardown(a_message_may_come_byte_by_byte, setup, teardown),
        cmocka_unit_test_setup_teardown(several_messages_in_one_piece_come_one_by_one, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_message_cut_at_any_byte_is_not_there_yet, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(an_unknown_number_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_message_of_the_wrong_side_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_body_over_the_limit_is_refused_before_it_comes, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(an_announced_size_allocates_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(a_body_that_is_no_json_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(an_empty_body_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_missing_member_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(memory_of_a_large_message_is_given_back, setup, teardown),
        cmocka_unit_test_setup_teardown(the_body_of_a_message_is_wiped_when_it_is_done, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_full_buffer_tells_that_a_message_did_not_fit, setup,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
