/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes the configuration: any bytes are a file or the value of a variable, and words of a command
 * line.
 *
 * The first byte picks the program and what the text is, the first line holds flags with a blank
 * between them, the rest is YAML. A refusal is one line that begins with a place that is there.
 * What is accepted holds as it was said, and reads the same from what `reeve config show` prints.
 */
#include "base/json.h"
#include "base/mem.h"
#include "config/inside.h"

#include <assert.h>

#define FLAGS_MAX   16
#define ENCODED_CAP ((size_t)64 << 20)
#define FILE_NAME   "the file" /* no flag has a blank */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* ---- what is read ---- */

/* The list or map that a variable sets, as one line of YAML. */
struct choice {
    unsigned left; /* to pass by */
    struct arena *arena;
    const char *path; /* NULL: none, the text is a file */
};

static int choose(void *owner, const char *path, const struct field *field)
{
    struct choice *choice = owner;

    if (field->type.kind != KIND_LIST && field->type.kind != KIND_MAP)
        return 0;
    if (choice->left-- > 0)
        return 0;
    choice->path = arena_strdup(choice->arena, path);
    return 1;
}

static struct position position_of(struct config *config, const char *path, struct type *type)
{
    struct position at;

    bool found = position_find(config->program->schema, path, false, config->arena, type, &at);
    assert(found);
    return at;
}

/* Text for one key, as it stands in the environment or in what was printed. */
static int read_value(struct config *config, const char *path, const char *name, struct slice text,
                      struct refusal *why)
{
    const struct yaml_source source = {.name = name, .text = text};
    struct type type;
    struct position at = position_of(config, path, &type);

    return yaml_read(config, &at, &source, why);
}

static int read_text(struct config *config, unsigned which, struct slice text, struct refusal *why)
{
    struct choice choice = {.left = which, .arena = config->arena};
    const struct yaml_source source = {.name = FILE_NAME, .has_lines = true, .text = text};
    struct position root;
    struct type type;

    config_each_key(config->program->schema, choose, &choice);
    if (choice.path)
        return read_value(config, choice.path,
                          config_variable(config->program, choice.path, config->arena), text, why);
    position_root(config->program->schema, &type, &root);
    return yaml_read(config, &root, &source, why);
}

static int read_flags(struct config *config, struct slice line, struct refusal *why)
{
    char *argv[FLAGS_MAX + 1] = {NULL};
    struct slice word;
    int n = 0, taken;

    for (bool more = line.size > 0; more && n < FLAGS_MAX;) {
        more = slice_cut(&line, ' ', &word);
        argv[n++] = arena_copy(config->arena, word);
    }
    for (char **at = argv; *at; at += taken) {
        int r = config_add_flag(config, at, &taken, why);
        if (r)
            return r;
        assert(taken == 1 || (taken == 2 && at[1]));
    }
    return 0;
}

/* ---- refused ---- */

static size_t lines_at_most(struct slice text)
{
    size_t n = 2; /* for the parser the end is on a line of its own */

    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.at[i];
        n += c == '\n' || c == '\r' || c >= 0x80; /* YAML has line breaks beyond ASCII */
    }
    return n;
}

static void assert_fit_for_a_terminal(const char *text)
{
    assert(*text && slice_is_utf8(slice_of(text)));
    for (const char *at = text; *at; at++)
        assert((unsigned char)*at >= 0x20 && *at != 0x7F);
}

static void check_refusal(int r, const struct refusal *why, struct slice text)
{
    struct slice rest = slice_of(why->text), place;

    assert(r == OUTCOME_USAGE && why->outcome == OUTCOME_USAGE);
    assert_fit_for_a_terminal(why->text);
    if (slice_starts(rest, FILE_NAME ":")) {
        size_t line = strtoul(why->text + strlen(FILE_NAME ":"), NULL, 10);
        assert(line >= 1 && line <= lines_at_most(text));
        return;
    }
    slice_cut(&rest, ':', &place); /* the variable or flag */
    assert(rest.size > 0);
}

/* What was collected and does not fit is named by one of the places that were collected. */
static void check_origin(const struct config *config, const struct refusal *why)
{
    for (size_t i = 0; i < config->n; i++) {
        const char *origin = config->settings[i].origin;
        if (slice_starts(slice_of(why->text), origin) && why->text[strlen(origin)] == ':')
            return;
    }
    fprintf(stderr, "no place: %s\n", why->text);
    abort();
}

/* ---- accepted ---- */

static bool member_at(struct json object, const char *path, struct json *ret)
{
    struct slice rest = slice_of(path), segment;
    char name[64];

    for (bool more = true; more; object = *ret) {
        more = slice_cut(&rest, '.', &segment);
        snprintf(name, sizeof(name), "%.*s", (int)segment.size, segment.at);
        if (!json_member(object, name, ret))
            return false;
    }
    return true;
}

static bool is_number(struct json value, const char *said)
{
    struct json json;
    int64_t a, b;

    return json_check(slice_of(said), 1, &json, NULL) == 0 && json_i64(json, &a) &&
           json_i64(value, &b) && a == b;
}

/* The value is what was said last of this key. */
static bool is_as_said(const struct setting *setting, struct json value)
{
    struct json json;

    if (setting->field->type.kind == KIND_STR || setting->field->type.kind == KIND_CHOICE)
        return json_string_is(value, setting->text);
    if (setting->field->type.kind == KIND_I64)
        return is_number(value, setting->text);
    if (setting->field->type.kind == KIND_FLAG)
        return json_check(slice_of(setting->text), 1, &json, NULL) == 0 && json.kind == value.kind;
    return true; /* lists, maps, durations: by the copy */
}

static void check_said(const struct config *config, struct slice encoded)
{
    struct json root, value;

    int r = json_check(encoded, JSON_VALUES_MAX_RESULT, &root, NULL);
    assert(r == 0);
    for (size_t i = config->n; i-- > 0;) {
        const struct setting *setting = &config->settings[i];
        bool is_last = setting->text != NULL;
        for (size_t k = i + 1; k < config->n && is_last; k++)
            is_last = strcmp(config->settings[k].path, setting->path) != 0;
        if (!is_last || setting->field->type.kind == KIND_MAP)
            continue;
        if (!member_at(root, setting->path, &value) || !is_as_said(setting, value)) {
            fprintf(stderr, "not as it was said: %s: %s\n", setting->path, setting->text);
            abort();
        }
    }
}

struct copy {
    const struct config *config;
    struct config again;
};

static int copy_key(void *owner, const char *path, const struct field *field)
{
    struct copy *copy = owner;
    const char *origin;
    const char *value = config_value(copy->config, path, field, &origin);

    if (!origin)
        return 0;
    assert(value);
    /* A blank, as before any value: "---" and "..." are more than text where a line begins. */
    struct slice text = slice_of(arena_printf(copy->again.arena, " %s", value));
    int r = read_value(&copy->again, path, "again", text, NULL);
    assert(r == 0);
    return 0;
}

static void no_change(void *owner, const char *path, const struct field *field)
{
    (void)owner, (void)field;
    fprintf(stderr, "changed: %s\n", path);
    abort();
}

static void assert_comes_back(const struct config *config, const void *values)
{
    const struct schema *schema = config->program->schema;
    CLEANUP(buf_release) struct buf once = {.cap = ENCODED_CAP};
    CLEANUP(buf_release) struct buf twice = {.cap = ENCODED_CAP};
    struct copy copy = {.config = config};
    void *again = arena_alloc(config->arena, schema->size);

    config_init(&copy.again, config->program, config->arena);
    config_each_key(schema, copy_key, &copy);
    int r = config_decode(&copy.again, again, NULL);
    assert(r == 0);
    schema_encode(schema, values, &once);
    check_said(config, buf_slice(&once));
    schema_encode(schema, again, &twice);
    assert(slice_equal(buf_slice(&once), buf_slice(&twice)));
    config_each_change(config, &copy.again, no_change, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    CLEANUP(arena_release) struct arena arena = {0};
    struct refusal why = {.outcome = OUTCOME_DONE};
    struct config config;
    struct slice flags;

    if (size == 0 || size > CONFIG_FILE_MAX)
        return 0;
    struct slice text = {.at = (const char *)bytes + 1, .size = size - 1};
    slice_cut(&text, '\n', &flags);
    config_init(&config, bytes[0] & 1 ? &config_agent : &config_controller, &arena);

    int r = read_text(&config, bytes[0] >> 1 & 3, text, &why);
    assert(r || slice_is_utf8(text));
    if (!r)
        r = read_flags(&config, flags, &why);
    if (r) {
        check_refusal(r, &why, text);
        return 0;
    }
    void *values = arena_alloc(&arena, config.program->schema->size);
    r = config_decode(&config, values, &why);
    if (r) {
        check_refusal(r, &why, text);
        check_origin(&config, &why);
        return 0;
    }
    assert_comes_back(&config, values);
    return 0;
}
