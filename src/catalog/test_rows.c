/* SPDX-License-Identifier: MIT */
/*
 * What every row must keep, beyond what the compiler refuses: found by walking all rows, so that a
 * new row is tested by being there.
 */
#include "catalog/check.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define fail_row(op, text) fail_msg("%s: %s", (op)->name, (text))

static const struct field *schema_field(const struct schema *schema, struct slice wire)
{
    for (const struct field *field = schema->fields; field->wire; field++) {
        if (slice_is(wire, field->wire))
            return field;
    }
    return NULL;
}

static bool is_text_kind(enum kind kind)
{
    return kind == KIND_STR || kind == KIND_I64 || kind == KIND_F64 || kind == KIND_FLAG ||
           kind == KIND_DURATION || kind == KIND_CHOICE;
}

/* ---- operations ---- */

static void types_verbs_and_routes_are_unique(void **state)
{
    (void)state;
    for (size_t i = 0; i < OP_COUNT; i++) {
        for (size_t k = 0; k < i; k++) {
            const struct op *a = &op_catalog[i], *b = &op_catalog[k];
            assert_string_not_equal(a->type, b->type);
            assert_string_not_equal(a->verb, b->verb);
            if (strcmp(a->method, b->method) == 0)
                assert_string_not_equal(a->path, b->path);
        }
    }
}

static void each_operation_is_found_by_its_type(void **state)
{
    (void)state;
    for (size_t i = 0; i < OP_COUNT; i++) {
        assert_int_equal(op_catalog[i].id, i);
        assert_ptr_equal(op_by_type(op_catalog[i].type), &op_catalog[i]);
    }
    assert_null(op_by_type("node.disk"));
    assert_null(op_by_type(""));
}

static void each_operation_is_complete(void **state)
{
    static const char *const methods[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};

    (void)state;
    for (size_t i = 0; i < OP_COUNT; i++) {
        const struct op *op = &op_catalog[i];
        bool method_known = false;
        for (size_t k = 0; k < COUNT_OF(methods); k++)
            method_known |= strcmp(op->method, methods[k]) == 0;
        if (!method_known)
            fail_row(op, "unknown method");
        if (op->path[0] != '/' || strncmp(op->path, "/api", 4) == 0)
            fail_row(op, "the path begins with / and has no /api");
        if (op->doc[0] == '\0' || op->verb[0] == '\0' || !strchr(op->type, '.'))
            fail_row(op, "type, verb or sentence is missing");
        if (op->code < 200 || op->code > 299)
            fail_row(op, "the code of success is 2xx");
        if ((op->code == 204) != (op->out == &none_schema))
            fail_row(op, "204 goes with `none`, and only with it");
    }
}

static bool has_lines(const struct schema *schema)
{
    return schema->fields->wire && schema->fields->type.kind == KIND_LINES;
}

/* What a tag stands for is decided by the ledger alone, and lines by the client's reading. */
static void tags_and_lines_are_of_reading_operations(void **state)
{
    unsigned n_tagged = 0;

    (void)state;
    for (size_t i = 0; i < OP_COUNT; i++) {
        const struct op *op = &op_catalog[i];
        n_tagged += op_is_tagged(op);
        assert_false(has_lines(op->in));
        if (!op_is_tagged(op) && !has_lines(op->out))
            continue;
        assert_string_equal(op->method, "GET");
        assert_false(op_makes_run(op));
        assert_false(op_is_tagged(op) && has_lines(op->out));
    }
    assert_true(n_tagged > 0 && op_is_tagged(&op_catalog[OP_job_list]));
}

static void a_moment_counts_back_from_now_when_it_is_a_duration(void **state)
{
    const struct op *op = &op_catalog[OP_job_list];
    struct job_list_in in = {0};

    (void)state;
    assert_false(op_input_is_relative(op, &in));
    SET(&in, user, "2h");
    SET(&in, since, "2026-11-24T06:12:28Z");
    assert_false(op_input_is_relative(op, &in));
    SET(&in, until, "2h");
    assert_true(op_input_is_relative(op, &in));
    in.has_until = false;
    assert_false(op_input_is_relative(op, &in));
}

static void each_run_has_a_limit(void **state)
{
    (void)state;
    for (size_t i = 0; i < OP_COUNT; i++) {
        const struct op *op = &op_catalog[i];
        if (!op_makes_run(op)) {
            assert_int_equal(op->limit_s, 0);
            continue;
        }
        if (op->limit_s != LIMIT_OWN) {
            assert_true(op->limit_s > 0);
            continue;
        }
        const struct field *timeout = schema_field(op->in, SLICE("timeout"));
        if (!timeout || timeout->type.kind != KIND_I64 || timeout->rule.kind != RULE_KIND_RANGE ||
            timeout->rule.min < 1)
            fail_row(op, "limit OWN needs an i64 field `timeout` of at least 1");
        if (timeout->presence != PRESENCE_REQUIRED && !timeout->default_text)
            fail_row(op, "`timeout` is always there");
    }
}

static void own_limits_come_from_the_input(void **state)
{
    const struct command_exec_in in = {.timeout = 77, .has_timeout = true};

    (void)state;
    assert_int_equal(op_limit_s(&op_catalog[OP_command_exec], &in), 77);
    assert_int_equal(op_limit_s(&op_catalog[OP_node_disk], &(struct none){0}), 60);
}

/* ---- places ---- */

static size_t count_path_fields(const struct schema *schema)
{
    size_t n = 0;

    for (const struct field *field = schema->fields; field->wire; field++)
        n += field->place == PLACE_PATH;
    return n;
}

static bool has_path_field(const struct op *op, struct slice name)
{
    const struct field *own = schema_field(op->in, name),
                       *shared = schema_field(op_shared_in(op), name);

    return (own && own->place == PLACE_PATH) || (shared && shared->place == PLACE_PATH);
}

static void path_names_are_the_path_fields(void **state)
{
    (void)state;
    for (size_t i = 0; i < OP_COUNT; i++) {
        const struct op *op = &op_catalog[i];
        struct slice rest = slice_of(op->path), head, name;
        size_t n = 0;
        while (slice_cut(&rest, '{', &head)) {
            if (!slice_cut(&rest, '}', &name) || name.size == 0)
                fail_row(op, "{name} is not closed or empty");
            if (name.at[name.size - 1] == '*')
                name.size--;
            if (!has_path_field(op, name))
                fail_row(op, "a {name} of the path is no PATH field");
            n++;
        }
        if (n != count_path_fields(op->in) + count_path_fields(op_shared_in(op)))
            fail_row(op, "a PATH field does not stand in the path");
        assert_true(n <= PATH_PARAMETERS_MAX);
    }
}

static void own_and_shared_names_differ(void **state)
{
    (void)state;
    for (size_t i = 0; i < OP_COUNT; i++) {
        const struct op *op = &op_catalog[i];
        for (const struct field *field = op_shared_in(op)->fields; field->wire; field++) {
            if (schema_field(op->in, slice_of(field->wire)))
                fail_row(op, "a field has the name of one that its class shares");
            if (field_is_in_body(field))
                fail_row(op, "what a class shares stands in path and query");
        }
    }
}

/* Their members stand beside those of run_entry in results[]. */
static void results_do_not_hide_the_envelope(void **state)
{
    (void)state;
    for (size_t i = 0; i < OP_COUNT; i++) {
        const struct op *op = &op_catalog[i];
        for (const struct field *field = op->out->fields; field->wire; field++) {
            if (field->place == PLACE_PATH || field->place == PLACE_QUERY)
                fail_row(op, "an output stands in no path and no query");
            if (op_makes_run(op) && field->place == PLACE_WHOLE)
                fail_row(op, "a host's result has members");
            if (op_makes_run(op) && schema_field(&run_entry_schema, slice_of(field->wire)))
                fail_row(op, "an output has the name of a member of the envelope");
        }
    }
}

static void parameters_are_scalars_or_lists_of_them(void **state)
{
    (void)state;
    for (const struct schema *const *schema = schema_catalog; *schema; schema++) {
        for (const struct field *field = (*schema)->fields; field->wire; field++) {
            const struct type *type = &field->type;
            if (field->place == PLACE_QUERY && type->kind == KIND_LIST)
                type = type->element;
            if ((field->place == PLACE_PATH || field->place == PLACE_QUERY) &&
                !is_text_kind(type->kind))
                fail_msg("%s.%s: this kind does not fit into a URL", (*schema)->name, field->wire);
            if (field->place == PLACE_PATH && field->default_text)
                fail_msg("%s.%s: a PATH field is always there", (*schema)->name, field->wire);
        }
    }
}

/* ---- fields ---- */

static void wire_names_are_unique(void **state)
{
    (void)state;
    for (const struct schema *const *schema = schema_catalog; *schema; schema++) {
        for (const struct field *field = (*schema)->fields; field->wire; field++) {
            if (schema_field(*schema, slice_of(field->wire)) != field)
                fail_msg("%s.%s stands twice", (*schema)->name, field->wire);
            if (field->doc[0] == '\0')
                fail_msg("%s.%s has no sentence", (*schema)->name, field->wire);
        }
    }
}

static void defaults_pass_their_own_rules(void **state)
{
    _Alignas(16) char value[64];
    struct arena arena = {0};
    struct refusal why;
    struct decoder d = {.arena = &arena, .why = &why, .list_max = 1};
    int n = 0;

    (void)state;
    for (const struct schema *const *schema = schema_catalog; *schema; schema++) {
        for (const struct field *field = (*schema)->fields; field->wire; field++) {
            if (!field->default_text)
                continue;
            struct spot spot = spot_of(NULL, field);
            assert_true(is_text_kind(field->type.kind));
            if (decode_text(&d, &spot, slice_of(field->default_text), value))
                fail_msg("%s.%s: default: %s", (*schema)->name, field->wire, why.text);
            n++;
        }
    }
    assert_true(n > 0);
    arena_release(&arena);
}

static void formats_exist_and_patterns_compile(void **state)
{
    bool ok;

    (void)state;
    for (const struct schema *const *schema = schema_catalog; *schema; schema++) {
        for (const struct field *field = (*schema)->fields; field->wire; field++) {
            const struct rule *rule = &field->rule;
            if (rule->kind == RULE_KIND_FORMAT && !format_check(rule->name, "", &ok))
                fail_msg("%s.%s: no such format", (*schema)->name, field->wire);
            if (rule->kind == RULE_KIND_FORMAT)
                assert_non_null(format_accepts(rule->name));
            if (rule->kind == RULE_KIND_PATTERN)
                assert_false(pattern_check(rule->name,
                                           "\x01")); /* aborts on a pattern that does not compile */
        }
    }
    assert_false(format_check("no_such_format", "", &ok));
    assert_null(format_accepts("no_such_format"));
}

static void ranges_begin_before_they_end(void **state)
{
    (void)state;
    for (const struct schema *const *schema = schema_catalog; *schema; schema++) {
        for (const struct field *field = (*schema)->fields; field->wire; field++) {
            const struct rule *rule = &field->rule;
            bool bounded = rule->kind == RULE_KIND_RANGE || rule->kind == RULE_KIND_LENGTH;
            if (bounded &&
                (rule->min > rule->max || (rule->kind == RULE_KIND_LENGTH && rule->min < 0)))
                fail_msg("%s.%s: an empty range", (*schema)->name, field->wire);
        }
    }
}

static void pairs_name_fields(void **state)
{
    (void)state;
    for (const struct schema *const *schema = schema_catalog; *schema; schema++) {
        for (const struct pair *pair = (*schema)->pairs; pair->a; pair++) {
            const struct field *a = schema_field(*schema, slice_of(pair->a));
            const struct field *b = schema_field(*schema, slice_of(pair->b));
            if (!a || !b || a->has_offset != pair->has_a || b->has_offset != pair->has_b)
                fail_msg("%s: a PAIR names no wire name", (*schema)->name);
        }
    }
}

static const struct field *column_field(const struct schema *schema, struct slice column)
{
    struct slice name;

    while (slice_cut(&column, '.', &name)) {
        const struct field *field = schema_field(schema, name);
        if (!field || field->type.kind != KIND_OBJ)
            return NULL;
        schema = field->type.schema;
    }
    return schema_field(schema, name);
}

static void columns_of_tables_are_fields(void **state)
{
    (void)state;
    for (const struct schema *const *schema = schema_catalog; *schema; schema++) {
        struct slice rest = slice_of((*schema)->table), column;
        for (bool more = rest.size > 0; more;) {
            more = slice_cut(&rest, ' ', &column);
            if (!column_field(*schema, column))
                fail_msg("%s: column %.*s is no field", (*schema)->name, (int)column.size,
                         column.at);
        }
    }
}

static void words_are_unique(void **state)
{
    (void)state;
    for (const struct schema *const *schema = schema_catalog; *schema; schema++) {
        for (const struct field *field = (*schema)->fields; field->wire; field++) {
            for (int i = 0; i < field->type.n_words; i++)
                assert_int_equal(
                    word_find(field->type.words, field->type.n_words, field->type.words[i].word),
                    i);
        }
    }
    assert_int_equal(word_find(job_status_words, job_status_COUNT, "COMPLETED"), -1);
}

/* ---- permissions ---- */

static int count_bits(uint64_t set)
{
    return __builtin_popcountll(set);
}

static void roles_hold_the_permissions_of_the_contract(void **state)
{
    (void)state;
    assert_int_equal(count_bits(role_permissions(ROLE_ADMIN)), 36);
    assert_int_equal(count_bits(role_permissions(ROLE_WRITE)), 30);
    assert_int_equal(count_bits(role_permissions(ROLE_READ)), 17);
    assert_int_equal(role_permissions(ROLE_READ) & ~role_permissions(ROLE_WRITE), 0);
    assert_int_equal(role_permissions(ROLE_WRITE) & ~role_permissions(ROLE_ADMIN), 0);
    assert_false(role_permissions(ROLE_WRITE) & UINT64_C(1) << PERMISSION_COMMAND_EXECUTE);
    assert_true(role_permissions(ROLE_READ) & UINT64_C(1) << PERMISSION_JOB_READ);
}

static void permissions_and_roles_are_found_by_their_words(void **state)
{
    (void)state;
    for (int i = 0; i < PERMISSION_COUNT; i++)
        assert_int_equal(permission_find(slice_of(permission_word(i))), i);
    for (int i = 0; i < ROLE_COUNT; i++)
        assert_int_equal(role_find(slice_of(role_word((enum role)i))), i);
    assert_int_equal(permission_find(SLICE("job:reader")), -1);
    assert_int_equal(permission_find(SLICE("job:rea")), -1);
    assert_int_equal(role_find(SLICE("root")), -1);
    assert_string_equal(permission_word(PERMISSION_PUBLIC), "public");
    assert_int_equal(permission_find(SLICE("public")), -1);
}

/* ---- documents ---- */

static void printed_types_name_each_struct_and_operation(void **state)
{
    struct buf text;
    char line[256];

    (void)state;
    buf_init(&text, (size_t)4 << 20);
    types_write(&text);
    assert_false(buf_overflowed(&text));
    for (const struct schema *const *schema = schema_catalog; *schema; schema++) {
        snprintf(line, sizeof(line), "\nstruct %s {\n", (*schema)->name);
        assert_non_null(strstr(buf_text(&text), line));
    }
    for (size_t i = 0; i < OP_COUNT; i++) {
        snprintf(line, sizeof(line), "\nint op_%s(", op_catalog[i].name);
        assert_non_null(strstr(buf_text(&text), line));
    }
    assert_non_null(strstr(buf_text(&text),
                           "/* GET /node/{hostname}/disk  node.disk.get  node:read  query */\n"));
    buf_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_verbs_and_routes_are_unique),
        cmocka_unit_test(each_operation_is_found_by_its_type),
        cmocka_unit_test(each_operation_is_complete),
        cmocka_unit_test(tags_and_lines_are_of_reading_operations),
        cmocka_unit_test(a_moment_counts_back_from_now_when_it_is_a_duration),
        cmocka_unit_test(each_run_has_a_limit),
        cmocka_unit_test(own_limits_come_from_the_input),
        cmocka_unit_test(path_names_are_the_path_fields),
        cmocka_unit_test(own_and_shared_names_differ),
        cmocka_unit_test(results_do_not_hide_the_envelope),
        cmocka_unit_test(parameters_are_scalars_or_lists_of_them),
        cmocka_unit_test(wire_names_are_unique),
        cmocka_unit_test(defaults_pass_their_own_rules),
        cmocka_unit_test(formats_exist_and_patterns_compile),
        cmocka_unit_test(ranges_begin_before_they_end),
        cmocka_unit_test(pairs_name_fields),
        cmocka_unit_test(columns_of_tables_are_fields),
        cmocka_unit_test(words_are_unique),
        cmocka_unit_test(roles_hold_the_permissions_of_the_contract),
        cmocka_unit_test(permissions_and_roles_are_found_by_their_words),
        cmocka_unit_test(printed_types_name_each_struct_and_operation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
