/* SPDX-License-Identifier: MIT */
/*
 * The local bus over real sockets: both sides in one process, and peers that misbehave.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bus/frame.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define WAIT_US (5 * US_PER_S)

/* One side, and what it was told. */
struct side {
    struct bus *bus;
    struct bus_peer *peer;
    int n_connected, n_gone, n_messages;
    int64_t last_number; /* of the last CONFIRM or BEAT */
    size_t last_size;    /* of the data of the last TASK */
    bool drops;          /* at the next message */
    char why[REFUSAL_TEXT_SIZE];
};

struct fixture {
    struct side controller, agent;
    int supervisor[2]; /* its ends: to the controller, to the agent */
    char directory[64], path[96], address[128];
};

static void on_connected(void *owner, struct bus_peer *peer)
{
    struct side *side = owner;

    side->peer = peer;
    side->n_connected++;
}

static void on_message(void *owner, struct bus_peer *peer, enum bus_message message,
                       const void *body)
{
    struct side *side = owner;

    assert_ptr_equal(side->peer, peer);
    side->n_messages++;
    if (message == BUS_CONFIRM)
        side->last_number = ((const struct bus_confirm *)body)->number;
    if (message == BUS_BEAT)
        side->last_number = ((const struct bus_beat *)body)->sent_boot_us;
    if (message == BUS_TASK)
        side->last_size = ((const struct bus_task *)body)->data.size;
    if (side->drops)
        bus_drop(side->bus, peer, "enough");
}

static void on_gone(void *owner, struct bus_peer *peer, const char *why)
{
    struct side *side = owner;

    assert_ptr_equal(side->peer, peer);
    side->peer = NULL;
    side->n_gone++;
    snprintf(side->why, sizeof(side->why), "%s", why);
}

static const struct bus_callbacks callbacks = {
    .connected = on_connected,
    .message = on_message,
    .gone = on_gone,
};

static int side_open_as(struct side *side, enum bus_role role, const char *address,
                        unsigned peer_uid, struct refusal *why)
{
    struct bus_options options = {
        .role = role,
        .address = address,
        .peer_uid = peer_uid,
        .callbacks = &callbacks,
        .owner = side,
    };

    return bus_open(&options, &side->bus, why);
}

static void side_open(struct side *side, enum bus_role role, const char *address)
{
    struct refusal why = {.text = ""};

    if (side_open_as(side, role, address, geteuid(), &why))
        fail_msg("%s", why.text);
}

static void side_close(struct side *side)
{
    bus_close(side->bus);
    *side = (struct side){.bus = NULL};
}

/* Lets both sides work until `*count` is at least `least`. */
static void run_until(struct fixture *f, const int *count, int least)
{
    int64_t until_us = clock_boot_us() + WAIT_US;

    while (*count < least) {
        int64_t now_us = clock_boot_us();

        if (now_us > until_us)
            fail_msg("waited in vain");
        if (f->controller.bus)
            assert_int_equal(bus_dispatch(f->controller.bus, now_us), 0);
        if (f->agent.bus)
            assert_int_equal(bus_dispatch(f->agent.bus, now_us), 0);
        if (*count < least)
            usleep(500);
    }
}

static void send_confirm(struct side *side, int64_t number)
{
    struct bus_confirm confirm = {.number = number, .has_number = true};

    bus_send(side->bus, side->peer, BUS_CONFIRM, &confirm);
}

static void send_beat(struct side *side, int64_t sent_boot_us)
{
    struct bus_beat beat = {
        .sent_boot_us = sent_boot_us, .has_sent_boot_us = true, .has_vitals = true};

    beat.vitals.has_uptime_s = true;
    bus_send(side->bus, side->peer, BUS_BEAT, &beat);
}

static void send_task(struct side *side, size_t data_size)
{
    struct bus_task task = {.row_ = {0}};
    struct buf data;

    buf_init(&data, BUS_MESSAGE_MAX);
    buf_add_char(&data, '"');
    char *at = buf_reserve(&data, data_size - 2);
    memset(at, 'x', data_size - 2);
    data.size += data_size - 2;
    buf_add_char(&data, '"');
    SET(&task.run, job, "018f0000-0000-7000-8000-000000000001");
    SET(&task.run, run, 0);
    task.has_run = true;
    SET(&task, operation, "node.disk.get");
    SET(&task, data, buf_slice(&data));
    SET(&task, limit_us, 1);
    SET(&task, start_by_us, 1);
    SET(&task, user, "");
    bus_send(side->bus, side->peer, BUS_TASK, &task);
    buf_release(&data);
}

/* ---- fixtures ---- */

static int setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));

    snprintf(f->directory, sizeof(f->directory), "/tmp/reeve-test-bus-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    snprintf(f->path, sizeof(f->path), "%s/bus", f->directory);
    snprintf(f->address, sizeof(f->address), "unix:%s", f->path);
    f->supervisor[0] = f->supervisor[1] = -1;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    bus_close(f->controller.bus);
    bus_close(f->agent.bus);
    close(f->supervisor[0]);
    close(f->supervisor[1]);
    unlink(f->path);
    rmdir(f->directory);
    test_free(f);
    return 0;
}

static int supervised_setup(void **state)
{
    static const enum bus_role roles[2] = {BUS_CONTROLLER, BUS_AGENT};
    setup(state);
    struct fixture *f = *state;
    struct side *sides[2] = {&f->controller, &f->agent};

    for (int i = 0; i < 2; i++) {
        int ends[2];
        char address[32];

        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
        f->supervisor[i] = ends[0];
        snprintf(address, sizeof(address), "fd:%d", ends[1]);
        side_open(sides[i], roles[i], address);
    }
    assert_int_equal(bus_introduce(f->supervisor[0], f->supervisor[1]), 0);
    run_until(f, &f->controller.n_connected, 1);
    run_until(f, &f->agent.n_connected, 1);
    return 0;
}

static int listening_setup(void **state)
{
    setup(state);
    struct fixture *f = *state;

    side_open(&f->agent, BUS_AGENT, f->address);
    return 0;
}

static int connected_setup(void **state)
{
    listening_setup(state);
    struct fixture *f = *state;

    side_open(&f->controller, BUS_CONTROLLER, f->address);
    run_until(f, &f->controller.n_connected, 1);
    run_until(f, &f->agent.n_connected, 1);
    return 0;
}

/* A raw controller that may send anything. */
static int raw_connect(const struct fixture *f)
{
    struct sockaddr_un path = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    memcpy(path.sun_path, f->path, strlen(f->path) + 1);
    assert_int_equal(connect(fd, (const struct sockaddr *)&path, sizeof(path)), 0);
    return fd;
}

static void raw_send(int fd, const void *bytes, size_t size)
{
    assert_int_equal(send(fd, bytes, size, MSG_NOSIGNAL), size);
}

/* ---- both kinds of address ---- */

static void messages_go_both_ways(void **state)
{
    struct fixture *f = *state;

    send_confirm(&f->controller, 41);
    send_confirm(&f->controller, 42);
    send_beat(&f->agent, 77);
    run_until(f, &f->agent.n_messages, 2);
    run_until(f, &f->controller.n_messages, 1);
    assert_int_equal(f->agent.last_number, 42);
    assert_int_equal(f->controller.last_number, 77);
}

static void a_large_message_arrives_whole(void **state)
{
    struct fixture *f = *state;
    size_t size = BUS_MESSAGE_MAX - 4096;

    send_task(&f->controller, size);
    send_confirm(&f->controller, 1);
    run_until(f, &f->agent.n_messages, 2);
    assert_int_equal(f->agent.last_size, size);
    assert_int_equal(f->agent.last_number, 1);
}

static void a_peer_that_reads_nothing_is_cut_off(void **state)
{
    struct fixture *f = *state;
    int64_t now_us = clock_boot_us();

    for (size_t sent = 0; sent <= BUS_BACKLOG_MAX + ((size_t)8 << 20); sent += (size_t)8 << 20)
        send_task(&f->controller, (size_t)8 << 20);
    assert_int_equal(f->controller.n_gone, 0);
    assert_true(bus_deadline_us(f->controller.bus) <= now_us);
    assert_int_equal(bus_dispatch(f->controller.bus, now_us), 0);
    assert_int_equal(f->controller.n_gone, 1);
    assert_string_equal(f->controller.why, "the other side does not read");
}

static void a_peer_may_be_dropped_while_its_messages_are_read(void **state)
{
    struct fixture *f = *state;

    f->agent.drops = true;
    for (int64_t i = 0; i < 5; i++)
        send_confirm(&f->controller, i);
    run_until(f, &f->agent.n_gone, 1);
    assert_int_equal(f->agent.n_messages, 1);
    assert_string_equal(f->agent.why, "enough");
    run_until(f, &f->controller.n_gone, 1);
}

static void a_dropped_peer_is_gone_before_drop_returns(void **state)
{
    struct fixture *f = *state;

    bus_drop(f->agent.bus, f->agent.peer, "not wanted");
    assert_int_equal(f->agent.n_gone, 1);
    assert_string_equal(f->agent.why, "not wanted");
}

static void a_pointer_of_the_owner_stays_with_the_peer(void **state)
{
    struct fixture *f = *state;

    assert_null(bus_peer_get(f->agent.peer));
    bus_peer_set(f->agent.peer, f);
    assert_ptr_equal(bus_peer_get(f->agent.peer), f);
}

/* ---- fd:N ---- */

static void a_new_stream_replaces_the_one_in_use(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(bus_introduce(f->supervisor[0], f->supervisor[1]), 0);
    run_until(f, &f->agent.n_connected, 2);
    run_until(f, &f->controller.n_connected, 2);
    assert_int_equal(f->agent.n_gone, 1);
    assert_int_equal(f->controller.n_gone, 1);
    send_confirm(&f->controller, 9);
    run_until(f, &f->agent.n_messages, 1);
    assert_int_equal(f->agent.last_number, 9);
}

static void the_end_of_the_supervisor_is_a_fault(void **state)
{
    struct fixture *f = *state;

    close(f->supervisor[1]);
    f->supervisor[1] = -1;
    assert_int_equal(bus_dispatch(f->agent.bus, clock_boot_us()), -EPIPE);
}

static void who_lost_its_stream_asks_the_supervisor(void **state)
{
    struct fixture *f = *state;
    bool wanted;

    assert_int_equal(bus_wants_stream(f->supervisor[1], &wanted), 0);
    assert_false(wanted);
    bus_drop(f->agent.bus, f->agent.peer, "not wanted");
    int64_t now_us = clock_boot_us();
    assert_true(bus_deadline_us(f->agent.bus) <= now_us);
    assert_int_equal(bus_dispatch(f->agent.bus, now_us), 0);
    int64_t ask_us = bus_deadline_us(f->agent.bus);
    assert_true(ask_us > now_us && ask_us < now_us + US_PER_S);
    assert_int_equal(bus_dispatch(f->agent.bus, ask_us), 0);
    assert_int_equal(bus_wants_stream(f->supervisor[1], &wanted), 0);
    assert_true(wanted);

    assert_int_equal(bus_introduce(f->supervisor[0], f->supervisor[1]), 0);
    run_until(f, &f->agent.n_connected, 2);
    assert_int_equal(bus_deadline_us(f->agent.bus), INT64_MAX);
}

static void the_supervisor_learns_that_a_program_ended(void **state)
{
    struct fixture *f = *state;
    bool wanted;

    side_close(&f->agent);
    assert_int_equal(bus_wants_stream(f->supervisor[1], &wanted), -EPIPE);
    assert_int_not_equal(bus_introduce(f->supervisor[0], f->supervisor[1]), 0);
}

/* ---- unix:PATH ---- */

static void a_stranger_is_not_let_in(void **state)
{
    struct fixture *f = *state;
    struct refusal why;

    assert_int_equal(side_open_as(&f->agent, BUS_AGENT, f->address, geteuid() + 1, &why),
                     geteuid() ? OUTCOME_UNAVAILABLE : 0);
    if (!f->agent.bus)
        skip(); /* only root may give the socket to another user */
    int fd = raw_connect(f);
    assert_int_equal(bus_dispatch(f->agent.bus, clock_boot_us()), 0);
    assert_int_equal(f->agent.n_connected, 0);
    char byte;
    assert_int_equal(recv(fd, &byte, 1, 0), 0);
    close(fd);
}

static void nobody_is_no_controller(void **state)
{
    struct fixture *f = *state;
    struct refusal why;

    assert_int_equal(side_open_as(&f->agent, BUS_AGENT, f->address, 65534, &why), OUTCOME_USAGE);
    assert_int_equal(side_open_as(&f->agent, BUS_AGENT, f->address, (unsigned)-1, &why),
                     OUTCOME_USAGE);
}

static void a_directory_others_can_write_is_refused(void **state)
{
    struct fixture *f = *state;
    struct refusal why;

    assert_int_equal(chmod(f->directory, 0777), 0);
    assert_int_equal(side_open_as(&f->agent, BUS_AGENT, f->address, geteuid(), &why),
                     OUTCOME_UNAVAILABLE);
    assert_non_null(strstr(why.text, "written by others"));
}

static void a_missing_directory_is_refused(void **state)
{
    struct fixture *f = *state;
    struct refusal why;

    assert_int_equal(side_open_as(&f->agent, BUS_AGENT, "unix:/nowhere/bus", geteuid(), &why),
                     OUTCOME_UNAVAILABLE);
    assert_non_null(strstr(why.text, "No such file"));
}

static void a_second_agent_is_refused(void **state)
{
    struct fixture *f = *state;
    struct side second = {.bus = NULL};
    struct refusal why;

    assert_int_equal(side_open_as(&second, BUS_AGENT, f->address, geteuid(), &why),
                     OUTCOME_UNAVAILABLE);
    assert_non_null(strstr(why.text, "another agent"));
}

static void a_socket_left_behind_is_replaced(void **state)
{
    struct fixture *f = *state;

    side_close(&f->agent);
    assert_int_equal(access(f->path, F_OK), 0);
    side_open(&f->agent, BUS_AGENT, f->address);
    side_open(&f->controller, BUS_CONTROLLER, f->address);
    run_until(f, &f->agent.n_connected, 1);
}

static void the_controller_connects_when_the_agent_comes(void **state)
{
    struct fixture *f = *state;

    side_open(&f->controller, BUS_CONTROLLER, f->address);
    int64_t now_us = clock_boot_us();
    assert_int_equal(bus_dispatch(f->controller.bus, now_us), 0);
    assert_int_equal(bus_dispatch(f->controller.bus, bus_deadline_us(f->controller.bus)), 0);
    assert_int_equal(f->controller.n_connected, 0);
    side_open(&f->agent, BUS_AGENT, f->address);
    run_until(f, &f->controller.n_connected, 1);
}

static void the_controller_comes_back_after_the_agent_did(void **state)
{
    struct fixture *f = *state;

    side_close(&f->agent);
    run_until(f, &f->controller.n_gone, 1);
    side_open(&f->agent, BUS_AGENT, f->address);
    run_until(f, &f->controller.n_connected, 2);
    run_until(f, &f->agent.n_connected, 1);
    send_confirm(&f->controller, 3);
    run_until(f, &f->agent.n_messages, 1);
}

static void assert_peer_ends(struct fixture *f, int fd, const char *why)
{
    char byte;

    run_until(f, &f->agent.n_gone, 1);
    if (!strstr(f->agent.why, why))
        fail_msg("\"%s\" does not say \"%s\"", f->agent.why, why);
    assert_int_equal(recv(fd, &byte, 1, 0), 0);
    close(fd);
}

static void garbage_ends_the_connection(void **state)
{
    struct fixture *f = *state;
    int fd = raw_connect(f);

    raw_send(fd, "GET / HTTP/1.1\r\n\r\n", 18);
    assert_peer_ends(f, fd, "not known");
}

static void a_message_of_the_wrong_side_ends_the_connection(void **state)
{
    struct fixture *f = *state;
    int fd = raw_connect(f);

    raw_send(fd, "\0\0\0\2\1{}", 7);
    assert_peer_ends(f, fd, "HELLO may not be sent");
}

static void an_oversize_message_ends_the_connection(void **state)
{
    struct fixture *f = *state;
    int fd = raw_connect(f);

    raw_send(fd, "\xff\xff\xff\xff\x13", 5);
    assert_peer_ends(f, fd, "over the limit");
}

static void a_truncated_message_is_no_message(void **state)
{
    struct fixture *f = *state;
    int fd = raw_connect(f);

    raw_send(fd, "\0\0\0\x0c\x13{\"number\"", 14);
    shutdown(fd, SHUT_WR);
    assert_peer_ends(f, fd, "closed the connection");
    assert_int_equal(f->agent.n_messages, 0);
}

static void a_second_controller_replaces_the_first(void **state)
{
    struct fixture *f = *state;
    int first = raw_connect(f);
    run_until(f, &f->agent.n_connected, 1);
    int second = raw_connect(f);
    run_until(f, &f->agent.n_connected, 2);

    assert_int_equal(f->agent.n_gone, 1);
    raw_send(second, "\0\0\0\x0c\x13{\"number\":5}", 17);
    run_until(f, &f->agent.n_messages, 1);
    char byte;
    assert_int_equal(recv(first, &byte, 1, 0), 0);
    close(first);
    close(second);
}

/* The descriptor of the bus is readable whenever there is something to do. */
static void the_descriptor_tells_when_to_dispatch(void **state)
{
    struct fixture *f = *state;
    struct pollfd watch = {.fd = bus_fd(f->agent.bus), .events = POLLIN};

    assert_int_equal(poll(&watch, 1, 0), 0);
    send_confirm(&f->controller, 1);
    assert_int_equal(poll(&watch, 1, 1000), 1);
    run_until(f, &f->agent.n_messages, 1);
    assert_int_equal(poll(&watch, 1, 0), 0);
}

static void an_address_of_no_kind_is_refused(void **state)
{
    struct side side = {.bus = NULL};
    struct refusal why;
    static const char *const addresses[] = {"",      "tcp:1",          "fd:",          "fd:x",
                                            "fd:-1", "fd:99999999999", "unix:relative"};

    (void)state;
    for (size_t i = 0; i < sizeof(addresses) / sizeof(*addresses); i++)
        assert_int_equal(side_open_as(&side, BUS_CONTROLLER, addresses[i], 0, &why), OUTCOME_USAGE);
    assert_int_equal(side_open_as(&side, BUS_CONTROLLER, "fd:0", 0, &why), OUTCOME_UNAVAILABLE);
}

#define WITH(test, made) cmocka_unit_test_setup_teardown(test, made, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(messages_go_both_ways, supervised_setup),
        WITH(messages_go_both_ways, connected_setup),
        WITH(a_large_message_arrives_whole, supervised_setup),
        WITH(a_peer_that_reads_nothing_is_cut_off, connected_setup),
        WITH(a_peer_may_be_dropped_while_its_messages_are_read, supervised_setup),
        WITH(a_dropped_peer_is_gone_before_drop_returns, connected_setup),
        WITH(a_pointer_of_the_owner_stays_with_the_peer, connected_setup),
        WITH(a_new_stream_replaces_the_one_in_use, supervised_setup),
        WITH(the_end_of_the_supervisor_is_a_fault, supervised_setup),
        WITH(who_lost_its_stream_asks_the_supervisor, supervised_setup),
        WITH(the_supervisor_learns_that_a_program_ended, supervised_setup),
        WITH(a_stranger_is_not_let_in, setup),
        WITH(nobody_is_no_controller, setup),
        WITH(a_directory_others_can_write_is_refused, setup),
        WITH(a_missing_directory_is_refused, setup),
        WITH(a_second_agent_is_refused, listening_setup),
        WITH(a_socket_left_behind_is_replaced, listening_setup),
        WITH(the_controller_connects_when_the_agent_comes, setup),
        WITH(the_controller_comes_back_after_the_agent_did, connected_setup),
        WITH(garbage_ends_the_connection, listening_setup),
        WITH(a_message_of_the_wrong_side_ends_the_connection, listening_setup),
        WITH(an_oversize_message_ends_the_connection, listening_setup),
        WITH(a_truncated_message_is_no_message, listening_setup),
        WITH(a_second_controller_replaces_the_first, listening_setup),
        WITH(the_descriptor_tells_when_to_dispatch, connected_setup),
        cmocka_unit_test(an_address_of_no_kind_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
