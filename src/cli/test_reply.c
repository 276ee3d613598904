/* SPDX-License-Identifier: MIT */
/*
 * What a reply means for the exit code, where a token may go, and an exchange with a server that
 * misbehaves.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "cli/call.h"
#include "cli/client.h"
#include "cli/locate.h"
#include "cli/render.h"

#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * Exit codes
 */

static void exit_codes_tell_who_is_to_blame(void **state)
{
    static const struct {
        int status;
        const char *reason;
        int exit_code;
    } cases[] = {
        {400, "invalid", 3},   {401, "unauthorized", 3},
        {403, "forbidden", 3}, {403, "refused", 3},
        {404, "not_found", 3}, {409, "conflict", 3},
        {409, "cancelled", 3}, {413, "too_large", 3},
        {429, "busy", 3},      {500, "fault", 3},
        {500, "error", 1},     {500, "interrupted", 1},
        {500, "", 1},          {503, "unavailable", 3},
        {504, "timeout", 1},   {504, "expired", 1},
        {504, "lost", 1},      {507, "no_space", 3},
        {502, "", 3},          {308, "", 3},
        {418, "teapot", 3},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int exit_code = outcome_exit(call_outcome(cases[i].status, cases[i].reason));
        if (exit_code != cases[i].exit_code)
            fail_msg("status %d, reason \"%s\": exit code %d", cases[i].status, cases[i].reason,
                     exit_code);
    }
}

static bool has_failed(const char *reply)
{
    struct json json;

    assert_int_equal(json_check(slice_of(reply), JSON_VALUES_MAX, &json, NULL), 0);
    return reply_has_failed(json);
}

static void one_failed_host_is_a_failure(void **state)
{
    (void)state;
    assert_true(has_failed("{\"results\":[{\"status\":\"ok\"},{\"status\":\"failed\"}]}"));
    assert_false(has_failed("{\"results\":[{\"status\":\"ok\"},{\"status\":\"skipped\"}]}"));
    assert_false(has_failed("{\"results\":[]}"));
    assert_false(has_failed("{\"results\":[3,{\"status\":3},{}]}"));
    assert_false(has_failed("{\"status\":\"failed\"}"));
    assert_false(has_failed("[]"));
}

/*
 * Where it is
 */

struct scene {
    char state[64];
    struct arena arena;
    struct cli_options options;
    struct endpoint endpoint;
    struct refusal why;
};

static int scene_setup(void **state)
{
    struct scene *scene = mem_alloc(sizeof(*scene));

    arena_init(&scene->arena);
    snprintf(scene->state, sizeof(scene->state), "/tmp/reeve-cli-XXXXXX");
    if (!mkdtemp(scene->state))
        return -1;
    unsetenv("REEVE_URL");
    unsetenv("REEVE_TOKEN");
    unsetenv("REEVE_STATE");
    *state = scene;
    return 0;
}

static int scene_teardown(void **state)
{
    struct scene *scene = *state;

    unlink(arena_printf(&scene->arena, "%s/url", scene->state));
    unlink(arena_printf(&scene->arena, "%s/token", scene->state));
    rmdir(scene->state);
    arena_release(&scene->arena);
    mem_free(scene);
    return 0;
}

static void scene_write(struct scene *scene, const char *name, const char *contents)
{
    const char *path = arena_printf(&scene->arena, "%s/%s", scene->state, name);

    assert_int_equal(file_write(path, slice_of(contents), 0600), 0);
}

static int scene_locate(struct scene *scene, bool wants_token)
{
    return locate_endpoint(&scene->options, wants_token, &scene->arena, &scene->endpoint,
                           &scene->why);
}

static void address_and_token_come_from_the_state_directory(void **state)
{
    struct scene *scene = *state;

    scene_write(scene, "url", "http://127.0.0.1:8080\n");
    scene_write(scene, "token", "a.b.c\n");
    SET(&scene->options, state, scene->state);
    assert_int_equal(scene_locate(scene, true), 0);
    assert_string_equal(scene->endpoint.url, "http://127.0.0.1:8080");
    assert_string_equal(scene->endpoint.token, "a.b.c");
}

static void what_needs_no_token_gets_none(void **state)
{
    struct scene *scene = *state;

    SET(&scene->options, url, "https://reeve.example/");
    SET(&scene->options, token, "a.b.c");
    assert_int_equal(scene_locate(scene, false), 0);
    assert_string_equal(scene->endpoint.url, "https://reeve.example");
    assert_null(scene->endpoint.token);
}

static void flags_come_before_the_environment(void **state)
{
    struct scene *scene = *state;

    setenv("REEVE_URL", "http://environment", 1);
    setenv("REEVE_TOKEN", "of.the.environment", 1);
    assert_int_equal(scene_locate(scene, true), 0);
    assert_string_equal(scene->endpoint.url, "http://environment");
    assert_string_equal(scene->endpoint.token, "of.the.environment");
    SET(&scene->options, url, "http://flag");
    SET(&scene->options, token, "of.the.flag");
    assert_int_equal(scene_locate(scene, true), 0);
    assert_string_equal(scene->endpoint.url, "http://flag");
    assert_string_equal(scene->endpoint.token, "of.the.flag");
}

static void a_named_address_is_not_sent_the_token_of_this_machine(void **state)
{
    struct scene *scene = *state;

    SET(&scene->options, url, "http://elsewhere");
    assert_int_equal(scene_locate(scene, true), OUTCOME_UNAUTHORIZED);
    scene_write(scene, "token", "a.b.c");
    setenv("REEVE_STATE", scene->state, 1);
    assert_int_equal(scene_locate(scene, true), 0);
    assert_string_equal(scene->endpoint.token, "a.b.c");
}

static void no_controller_known_is_said_with_the_remedy(void **state)
{
    struct scene *scene = *state;

    SET(&scene->options, state, scene->state);
    assert_int_equal(scene_locate(scene, true), OUTCOME_UNREACHABLE);
    assert_non_null(strstr(scene->why.text, "reeve start"));
}

static void a_token_that_could_end_a_header_is_refused(void **state)
{
    struct scene *scene = *state;

    SET(&scene->options, url, "http://127.0.0.1");
    SET(&scene->options, token, "a.b.c\r\nX-Other: 1");
    assert_int_equal(scene_locate(scene, true), OUTCOME_USAGE);
    SET(&scene->options, token, "a.b.c");
    SET(&scene->options, url, "file:///etc/passwd");
    assert_int_equal(scene_locate(scene, true), OUTCOME_USAGE);
}

/*
 * Exchanges
 */

/* A server for one connection: reads what comes, says `answer`, and closes. Its address is in
 * `ret_url`. */
static pid_t serve(const char *answer, char ret_url[64])
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    snprintf(ret_url, 64, "http://127.0.0.1:%u/", ntohs(address.sin_port));
    pid_t server = fork();
    if (server == 0) {
        char request[4096];
        alarm(10);
        int connection = accept(fd, NULL, NULL);
        if (read(connection, request, sizeof(request)) > 0 && answer)
            fd_write_all(connection, answer, strlen(answer));
        if (!answer)
            pause();
        _exit(0);
    }
    close(fd);
    return server;
}

static int exchange_with(const char *answer, struct reply *ret, struct refusal *why)
{
    char url[64];
    pid_t server = serve(answer, url);
    const struct exchange exchange = {.method = "GET", .url = url, .timeout_us = 500000};

    int r = client_exchange(&exchange, ret, why);
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
    return r;
}

static void a_reply_arrives_as_it_was_sent(void **state)
{
    CLEANUP(reply_release) struct reply reply = {.status = 0};
    struct refusal why;

    (void)state;
    assert_int_equal(
        exchange_with("HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\n{ }", &reply, &why), 0);
    assert_int_equal(reply.status, 404);
    assert_string_equal(buf_text(&reply.body), "{ }");
}

static void a_redirect_is_not_followed(void **state)
{
    CLEANUP(reply_release) struct reply reply = {.status = 0};
    struct refusal why;

    (void)state;
    assert_int_equal(exchange_with("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n"
                                   "Content-Length: 0\r\n\r\n",
                                   &reply, &why),
                     0);
    assert_int_equal(reply.status, 302);
}

static void silence_and_nonsense_count_as_unreachable(void **state)
{
    CLEANUP(reply_release) struct reply reply = {.status = 0};
    struct refusal why;

    (void)state;
    assert_int_equal(exchange_with(NULL, &reply, &why), OUTCOME_UNREACHABLE);
    assert_int_equal(exchange_with("SSH-2.0-OpenSSH\r\n", &reply, &why), OUTCOME_UNREACHABLE);
    assert_int_equal(
        exchange_with("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", &reply, &why),
        OUTCOME_UNREACHABLE);
    assert_int_equal(outcome_exit(OUTCOME_UNREACHABLE), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exit_codes_tell_who_is_to_blame),
        cmocka_unit_test(one_failed_host_is_a_failure),
        cmocka_unit_test_setup_teardown(address_and_token_come_from_the_state_directory,
                                        scene_setup, scene_teardown),
        cmocka_unit_test_setup_teardown(what_needs_no_token_gets_none, scene_setup, scene_teardown),
        cmocka_unit_test_setup_teardown(flags_come_before_the_environment, scene_setup,
                                        scene_teardown),
        cmocka_unit_test_setup_teardown(a_named_address_is_not_sent_the_token_of_this_machine,
                                        scene_setup, scene_teardown),
        cmocka_unit_test_setup_teardown(no_controller_known_is_said_with_the_remedy, scene_setup,
                                        scene_teardown),
        cmocka_unit_test_setup_teardown(a_token_that_could_end_a_header_is_refused, scene_setup,
                                        scene_teardown),
        cmocka_unit_test(a_reply_arrives_as_it_was_sent),
        cmocka_unit_test(a_redirect_is_not_followed),
        cmocka_unit_test(silence_and_nonsense_count_as_unreachable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
