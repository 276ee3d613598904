/* SPDX-License-Identifier: MIT */
/*
 * Values of kind secret: read from a body, written as "***", revealed by one function alone, and
 * never shown in a refusal.
 */
#include "catalog/check.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define PASSWORD "correct horse"

static struct arena arena;
static struct refusal why;

static int free_arena(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

static int decode(const char *json, struct command_shell_in *ret)
{
    return schema_decode(&command_shell_in_schema, slice_of(json), JSON_VALUES_MAX, &arena, ret,
                         &why);
}

static void a_secret_is_written_as_asterisks_and_revealed_by_one_function(void **state)
{
    struct command_shell_in in;
    CLEANUP(buf_release) struct buf shown;
    CLEANUP(buf_release) struct buf revealed;

    (void)state;
    buf_init(&shown, 1000);
    buf_init_secret(&revealed, 1000);
    assert_int_equal(decode("{\"command\":\"cat\",\"stdin\":\"" PASSWORD "\",\"timeout\":9}", &in),
                     0);
    assert_true(slice_is(secret_reveal(&in.stdin), PASSWORD));
    schema_encode(&command_shell_in_schema, &in, &shown);
    assert_string_equal(buf_text(&shown), "{\"command\":\"cat\",\"stdin\":\"***\",\"timeout\":9}");
    schema_encode_revealed(&command_shell_in_schema, &in, &revealed);
    assert_string_equal(buf_text(&revealed),
                        "{\"command\":\"cat\",\"stdin\":\"" PASSWORD "\",\"timeout\":9}");
    assert_int_equal(
        schema_check(&command_shell_in_schema, buf_slice(&shown), JSON_VALUES_MAX, &why), 0);
}

static void asterisks_are_not_taken_for_a_secret(void **state)
{
    struct command_shell_in in;

    (void)state;
    assert_int_equal(decode("{\"command\":\"cat\",\"stdin\":\"***\"}", &in), OUTCOME_INVALID);
    assert_string_equal(why.field, "stdin");
    assert_non_null(strstr(why.text, "not kept"));
}

static void a_refusal_does_not_show_the_secret(void **state)
{
    static char document[70000];
    struct command_shell_in in;

    (void)state;
    assert_int_equal(decode("{\"command\":\"cat\",\"stdin\":[\"" PASSWORD "\"]}", &in),
                     OUTCOME_INVALID);
    assert_string_equal(why.text,
                        "stdin: '***' is not accepted; expected at most 65536 characters of text");
    assert_int_equal(decode("{\"command\":\"cat\",\"stdin\":\"" PASSWORD "\\u0000\"}", &in),
                     OUTCOME_INVALID);
    assert_null(strstr(why.text, PASSWORD));
    int size = snprintf(document, sizeof(document), "{\"command\":\"cat\",\"stdin\":\"");
    memset(document + size, 'p', 65537);
    memcpy(document + size + 65537, "\"}", 3);
    assert_int_equal(decode(document, &in), OUTCOME_INVALID);
    assert_null(strstr(why.text, "ppp"));
}

static void secrets_are_found_at_any_depth(void **state)
{
    struct nested {
        struct command_shell_in_list list;
        bool has_list;
    };
    static const struct type element = {.kind = KIND_OBJ,
                                        .schema = &command_shell_in_schema,
                                        .size = sizeof(struct command_shell_in)};
    static const struct field fields[] = {
        {.wire = "list",
         .place = PLACE_BODY,
         .type = {.kind = KIND_LIST, .element = &element, .size = sizeof(struct nested)},
         .offset = offsetof(struct nested, list),
         .has_offset = offsetof(struct nested, has_list)},
        {.wire = NULL},
    };
    static const struct pair no_pairs[] = {{.a = NULL}};
    const struct schema schema = {
        .name = "nested", .fields = fields, .pairs = no_pairs, .size = sizeof(struct nested)};
    struct command_shell_in programs[2] = {0};
    struct nested nested = {.list = {.v = programs, .n = 2}};

    (void)state;
    SET(&programs[1], stdin, secret_of(SLICE(PASSWORD)));
    assert_false(schema_has_secret(&schema, &nested)); /* the list is not given */
    nested.has_list = true;
    assert_true(schema_has_secret(&schema, &nested));
    programs[1].has_stdin = false;
    assert_false(schema_has_secret(&schema, &nested));
}

static void secrets_have_no_default(void **state)
{
    (void)state;
    for (const struct schema *const *schema = schema_catalog; *schema; schema++) {
        for (const struct field *field = (*schema)->fields; field->wire; field++) {
            if (field->type.kind == KIND_SECRET && field->default_text)
                fail_msg("%s.%s: what is in the rows is no secret", (*schema)->name, field->wire);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_secret_is_written_as_asterisks_and_revealed_by_one_function),
        cmocka_unit_test(asterisks_are_not_taken_for_a_secret),
        cmocka_unit_test(a_refusal_does_not_show_the_secret),
        cmocka_unit_test(secrets_are_found_at_any_depth),
        cmocka_unit_test(secrets_have_no_default),
    };

    return cmocka_run_group_tests(tests, NULL, free_arena);
}
