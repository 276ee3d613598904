/* SPDX-License-Identifier: MIT */
/*
 * What is encoded decodes to the same: by hand for the rules of encoding, and for every struct of
 * the rows with random values that keep the rules.
 */
#include "base/mem.h"
#include "base/uuid.h"
#include "catalog/check.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define ENCODED_CAP ((size_t)16 << 20)

static void encodes_to(const struct schema *schema, const void *object, const char *text)
{
    struct buf to;

    buf_init(&to, ENCODED_CAP);
    schema_encode(schema, object, &to);
    assert_string_equal(buf_text(&to), text);
    buf_release(&to);
}

/* ---- by hand ---- */

static void only_what_is_there_is_written(void **state)
{
    struct run_entry entry = {0};

    (void)state;
    encodes_to(&run_entry_schema, &entry, "{}");
    SET(&entry, hostname, "web\"1\"\n");
    SET(&entry, status, run_result_SKIPPED);
    encodes_to(&run_entry_schema, &entry,
               "{\"hostname\":\"web\\\"1\\\"\\n\",\"status\":\"skipped\"}");
    SET(&entry, changed, false);
    encodes_to(&run_entry_schema, &entry,
               "{\"hostname\":\"web\\\"1\\\"\\n\",\"status\":\"skipped\",\"changed\":false}");
}

static void nullable_members_without_a_value_are_null(void **state)
{
    struct job_response response = {
        .has_hostname = true, .hostname = "a", .has_status = true, .status = "failed"};

    (void)state;
    encodes_to(&job_response_schema, &response,
               "{\"status\":\"failed\",\"changed\":null,\"hostname\":\"a\"}");
}

static void a_whole_field_is_written_alone(void **state)
{
    struct openapi_out out = {0};

    (void)state;
    SET(&out, document, SLICE("{\"openapi\": \"3.1.0\" }"));
    encodes_to(&openapi_out_schema, &out, "{\"openapi\": \"3.1.0\" }");
}

static void lists_and_objects_nest(void **state)
{
    struct disk disks[] = {
        {.has_name = true, .name = "/", .has_total = true, .total = INT64_MAX},
        {.has_name = true, .name = "/home", .has_used = true, .used = -1},
    };
    struct node_status_out out = {0};

    (void)state;
    SET(&out, disks, ((struct disk_list){.v = disks, .n = 2}));
    SET(&out, load_average, ((struct load_average){.has_one = true, .one = 0.1}));
    encodes_to(&node_status_out_schema, &out,
               "{\"load_average\":{\"1min\":0.1},\"disks\":[{\"name\":\"/"
               "\",\"total\":9223372036854775807},"
               "{\"name\":\"/home\",\"used\":-1}]}");
}

static void maps_are_objects(void **state)
{
    struct str_entry entries[] = {{.key = "group", .val = "web.dev"}, {.key = "", .val = ""}};
    struct node_hostname_out out = {0};

    (void)state;
    SET(&out, labels, ((struct str_map){.v = entries, .n = 2}));
    encodes_to(&node_hostname_out_schema, &out, "{\"labels\":{\"group\":\"web.dev\",\"\":\"\"}}");
    out.labels.n = 0;
    encodes_to(&node_hostname_out_schema, &out, "{\"labels\":{}}");
}

static void durations_are_text(void **state)
{
    struct node_target target = {0};

    (void)state;
    SET(&target, wait, 90 * US_PER_S);
    encodes_to(&node_target_schema, &target, "{\"wait\":\"1m30s\"}");
}

static void members_follow_those_of_an_envelope(void **state)
{
    struct run_entry entry = {.has_hostname = true, .hostname = "a"};
    struct buf to;

    (void)state;
    buf_init(&to, ENCODED_CAP);
    struct json_writer w = json_writer(&to);
    json_begin_object(&w);
    assert_true(schema_encode_members(&run_entry_schema, &entry, &w));
    assert_false(schema_encode_members(&node_uptime_out_schema, &(struct node_uptime_out){0}, &w));
    assert_true(schema_encode_members(&node_uptime_out_schema,
                                      &(struct node_uptime_out){.uptime = "1m", .has_uptime = true},
                                      &w));
    json_end_object(&w);
    assert_string_equal(buf_text(&to), "{\"hostname\":\"a\",\"uptime\":\"1m\"}");
    buf_release(&to);
}

/* ---- every struct of the rows, random values ---- */

struct maker {
    uint64_t state;
    struct arena *arena;
};

static void make_struct(struct maker *m, const struct schema *schema, void *ret);

/* splitmix64 */
static uint64_t make_u64(struct maker *m)
{
    uint64_t z = m->state += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static size_t make_below(struct maker *m, size_t n)
{
    return (size_t)(make_u64(m) % n);
}

static int64_t make_i64(struct maker *m, int64_t min, int64_t max)
{
    uint64_t span = (uint64_t)max - (uint64_t)min;

    switch (make_below(m, 4)) {
    case 0:
        return min;
    case 1:
        return max;
    default:
        return span == UINT64_MAX ? (int64_t)make_u64(m)
                                  : (int64_t)((uint64_t)min + make_u64(m) % (span + 1));
    }
}

static int64_t make_number(struct maker *m, const struct rule *rule)
{
    if (rule->kind == RULE_KIND_RANGE)
        return make_i64(m, rule->min, rule->max);
    return make_i64(m, INT64_MIN, INT64_MAX);
}

static double make_f64(struct maker *m, const struct rule *rule)
{
    double value;
    uint64_t bits;

    if (rule->kind == RULE_KIND_RANGE)
        return (double)make_i64(m, rule->min, rule->max);
    do {
        bits = make_u64(m);
        memcpy(&value, &bits, sizeof(value));
    } while (!__builtin_isfinite(value));
    return value;
}

static int64_t make_duration(struct maker *m, const struct rule *rule)
{
    bool bounded = rule->kind == RULE_KIND_RANGE;
    int64_t max = bounded ? rule->max : 3650 * 86400 * US_PER_S;

    return make_i64(m, bounded ? rule->min / US_PER_MS : 0, max / US_PER_MS) * US_PER_MS;
}

static const char *make_characters(struct maker *m, size_t n)
{
    static const char *const characters[] = {"a",          "Z",      "0",    " ",    "\"", "\\",
                                             "/",          "\n",     "\x01", "\x7f", "ä",  "€",
                                             "\U0001F600", "\u2028", "{",    "%"};
    char *text = arena_alloc(m->arena, 4 * n + 1);
    size_t size = 0;

    for (size_t i = 0; i < n; i++) {
        struct slice character = slice_of(characters[make_below(m, COUNT_OF(characters))]);
        memcpy(text + size, character.at, character.size);
        size += character.size;
    }
    return text;
}

#define MADE_LENGTH_MAX 64

static const char *make_length(struct maker *m, const struct rule *rule)
{
    int64_t max = rule->max - rule->min > MADE_LENGTH_MAX ? rule->min + MADE_LENGTH_MAX : rule->max;

    return make_characters(m, (size_t)make_i64(m, rule->min, max));
}

/* Texts that have a format or match a pattern; a new FORMAT or PATTERN needs a line. */
static const struct {
    const char *name, *text;
} samples[] = {
    {"uuid", "0190b9a0-0000-7000-8000-000000000001"},
    {"uuid", "ffffffff-ffff-4fff-bfff-ffffffffffff"},
    {"target", "_any"},
    {"target", "group:web.dev"},
    {"target", "web-01.example"},
    {"hostname", "web-01.example"},
    {"hostname", "a"},
    {"operation_type", "node.disk.get"},
    {"operation_type", "command.exec.execute"},
    {"date_time", "2026-11-24T06:12:28.123456Z"},
    {"date_time", "1970-01-01T00:00:00+02:00"},
    {"moment", "2026-11-24T06:12:28Z"},
    {"moment", "2h"},
    {"operation_prefix", "node.disk.get"},
    {"operation_prefix", "network."},
    {"cursor", "AQAAAAAAAAAA_-"},
    {"[0-9a-f]{32}", "0123456789abcdef0123456789abcdef"},
};

static const char *make_sample(struct maker *m, const char *name)
{
    const char *found = NULL;
    size_t n = 0;

    for (size_t i = 0; i < COUNT_OF(samples); i++) {
        if (strcmp(samples[i].name, name) == 0 && make_below(m, ++n) == 0)
            found = samples[i].text;
    }
    if (!found)
        fail_msg("no sample for %s", name);
    return found;
}

static const char *make_text(struct maker *m, const struct rule *rule)
{
    switch (rule->kind) {
    case RULE_KIND_LENGTH:
        return make_length(m, rule);
    case RULE_KIND_FORMAT:
    case RULE_KIND_PATTERN:
        return make_sample(m, rule->name);
    case RULE_KIND_ANY:
    case RULE_KIND_RANGE:
    case RULE_KIND_UNIT:
        break;
    }
    return make_characters(m, make_below(m, 16));
}

static struct slice make_any(struct maker *m)
{
    static const char *const values[] = {"{}",    "[1, 2.50 ]", "\"\\u0041\"",
                                         "1e400", "true",       "{\"a\":{\"b\":[null]}}"};

    return slice_of(values[make_below(m, COUNT_OF(values))]);
}

static struct slice make_encoded(struct maker *m, const struct schema *schema, bool list)
{
    struct buf text;
    size_t n = list ? make_below(m, 4) : 1;

    buf_init(&text, ENCODED_CAP);
    buf_add_text(&text, list ? "[" : "");
    for (size_t i = 0; i < n; i++) {
        void *object = arena_alloc(m->arena, schema->size);
        make_struct(m, schema, object);
        buf_add_text(&text, i > 0 ? ", " : "");
        schema_encode(schema, object, &text);
    }
    buf_add_text(&text, list ? "]" : "");
    struct slice copy = slice_of(arena_copy(m->arena, buf_slice(&text)));
    buf_release(&text);
    return copy;
}

static void make_value(struct maker *m, const struct type *type, const struct rule *rule,
                       void *ret);

static struct sequence make_list(struct maker *m, const struct type *element,
                                 const struct rule *rule)
{
    struct sequence list = {.n = make_below(m, 4)};
    char *at = list.v = arena_alloc(m->arena, list.n * element->size);

    for (size_t i = 0; i < list.n; i++)
        make_value(m, element, rule, at + i * element->size);
    return list;
}

static struct sequence make_map(struct maker *m, const struct type *element,
                                const struct rule *rule)
{
    struct sequence map = {.n = make_below(m, 4)};
    char *at = map.v = arena_alloc(m->arena, map.n * element->entry_size);

    for (size_t i = 0; i < map.n; i++, at += element->entry_size) {
        const char *key = arena_printf(m->arena, "%s%zu", make_characters(m, make_below(m, 4)), i);
        memcpy(at, &key, sizeof(key));
        make_value(m, element, rule, at + element->val_offset);
    }
    return map;
}

static void make_value(struct maker *m, const struct type *type, const struct rule *rule, void *ret)
{
    switch (type->kind) {
    case KIND_STR:
        *(const char **)ret = make_text(m, rule);
        return;
    case KIND_SECRET:
        *(struct secret *)ret = secret_of(slice_of(make_text(m, rule)));
        return;
    case KIND_I64:
        *(int64_t *)ret = make_number(m, rule);
        return;
    case KIND_F64:
        *(double *)ret = make_f64(m, rule);
        return;
    case KIND_FLAG:
        *(bool *)ret = make_below(m, 2);
        return;
    case KIND_ANY:
        *(struct slice *)ret = make_any(m);
        return;
    case KIND_DURATION:
        *(int64_t *)ret = make_duration(m, rule);
        return;
    case KIND_CHOICE:
        *(unsigned *)ret = (unsigned)make_below(m, (size_t)type->n_words);
        return;
    case KIND_OBJ:
        make_struct(m, type->schema, ret);
        return;
    case KIND_LIST:
        *(struct sequence *)ret = make_list(m, type->element, rule);
        return;
    case KIND_MAP:
        *(struct sequence *)ret = make_map(m, type->element, rule);
        return;
    case KIND_ENCODED:
    case KIND_ENCODED_LIST:
        *(struct slice *)ret = make_encoded(m, type->schema, type->kind == KIND_ENCODED_LIST);
        return;
    case KIND_LINES: /* never encoded */
        return;
    }
}

/* Every field has a value; what pairs want is settled by taking some away or adding them. */
static void settle_pairs(const struct schema *schema, char *object)
{
    for (const struct pair *pair = schema->pairs; pair->a; pair++) {
        bool *has_a = (bool *)(object + pair->has_a), *has_b = (bool *)(object + pair->has_b);
        bool needs_one = pair->kind == PAIR_EXACTLY_ONE || pair->kind == PAIR_AT_LEAST_ONE;
        if (needs_one && !*has_a && !*has_b)
            *has_a = true;
        if (pair->kind == PAIR_EXACTLY_ONE || pair->kind == PAIR_AT_MOST_ONE)
            *has_b = *has_b && !*has_a;
        if (pair->kind == PAIR_NEEDS)
            *has_a = *has_a && *has_b;
    }
}

/* A field with a default is given: absent, it would come back as its default. */
static void make_struct(struct maker *m, const struct schema *schema, void *ret)
{
    memset(ret, 0, schema->size);
    for (const struct field *field = schema->fields; field->wire; field++) {
        bool always = field->presence == PRESENCE_REQUIRED || field->default_text;
        make_value(m, &field->type, &field->rule, (char *)ret + field->offset);
        *field_has(field, ret) = always || make_below(m, 2);
    }
    settle_pairs(schema, ret);
}

static void comes_back_the_same(struct maker *m, const struct schema *schema)
{
    struct buf first, second;
    struct refusal why = {.outcome = OUTCOME_DONE};
    void *object = arena_alloc(m->arena, schema->size);

    buf_init_secret(&first, ENCODED_CAP);
    buf_init_secret(&second, ENCODED_CAP);
    make_struct(m, schema, object);
    schema_encode_revealed(schema, object, &first);
    assert_false(buf_overflowed(&first));
    if (schema_decode(schema, buf_slice(&first), JSON_VALUES_MAX_RESULT, m->arena, object, &why))
        fail_msg("%s: %s in %s", schema->name, why.text, buf_text(&first));
    schema_encode_revealed(schema, object, &second);
    assert_string_equal(buf_text(&first), buf_text(&second));
    if (schema_check(schema, buf_slice(&first), JSON_VALUES_MAX_RESULT, &why))
        fail_msg("%s: check: %s in %s", schema->name, why.text, buf_text(&first));
    buf_release(&first);
    buf_release(&second);
}

#define ROUNDS 60

/* Lines are no value: each is written and read by itself. */
static bool has_lines(const struct schema *schema)
{
    return schema->fields->wire && schema->fields->type.kind == KIND_LINES;
}

static void what_is_encoded_decodes_to_the_same(void **state)
{
    struct arena arena = {0};
    struct maker m = {.state = random_u64(), .arena = &arena};

    (void)state;
    print_message("seed %" PRIu64 "\n", m.state);
    for (int i = 0; i < ROUNDS; i++) {
        for (const struct schema *const *schema = schema_catalog; *schema; schema++)
            if (!has_lines(*schema))
                comes_back_the_same(&m, *schema);
        arena_reset(&arena);
    }
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_is_there_is_written),
        cmocka_unit_test(nullable_members_without_a_value_are_null),
        cmocka_unit_test(a_whole_field_is_written_alone),
        cmocka_unit_test(lists_and_objects_nest),
        cmocka_unit_test(maps_are_objects),
        cmocka_unit_test(durations_are_text),
        cmocka_unit_test(members_follow_those_of_an_envelope),
        cmocka_unit_test(what_is_encoded_decodes_to_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
