/* SPDX-License-Identifier: MIT */
/*
 * Collecting what was given, and turning it into the struct.
 *
 * The struct is decoded from one JSON object, so that configuration and requests are judged by the
 * same rules; what that refuses is given back the place it came from.
 */
#include "config/config.h"

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "config/inside.h"

#include <ctype.h>
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const struct config_program config_controller = {
    .name = "reeve-controller",
    .doc = "Serves the REST API and keeps the ledger of all jobs",
    .schema = &controller_config_schema,
    .file = "/etc/reeve/reeve.yaml",
    .environment = "REEVE_",
    .check = check_controller,
};

const struct config_program config_agent = {
    .name = "reeve-agent",
    .doc = "Executes runs on this host",
    .schema = &agent_config_schema,
    .file = "/etc/reeve/agent.yaml",
    .environment = "REEVE_AGENT_",
    .is_guarded = true,
};

void config_init(struct config *config, const struct config_program *program, struct arena *arena)
{
    *config = (struct config){.arena = arena, .program = program};
}

/* No control character, and none that YAML takes for a line break or refuses. */
static bool is_printable(struct slice character)
{
    static const char *const others[] = {"\u2028", "\u2029", "\ufeff", "\ufffe", "\uffff"};
    unsigned char first = (unsigned char)character.at[0];

    if (first < 0x20 || first == 0x7F)
        return false;
    if (character.size == 2 && first == 0xC2 && (unsigned char)character.at[1] < 0xA0)
        return false;
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        if (slice_is(character, others[i]))
            return false;
    }
    return true;
}

/* So that a value is the same when it is shown and written again. */
static bool is_line(struct slice text)
{
    while (text.size > 0) {
        struct slice character = {.at = text.at, .size = slice_character_size(text)};
        if (character.size == 0 || !is_printable(character))
            return false;
        text.at += character.size;
        text.size -= character.size;
    }
    return true;
}

int config_add(struct config *config, const struct position *at, const char *text,
               const char *origin, struct refusal *why)
{
    if (config->n == CONFIG_SETTINGS_MAX)
        return refuse(why, OUTCOME_USAGE, at->path, "%s: more than %d values", origin,
                      CONFIG_SETTINGS_MAX);
    if (text && !is_line(slice_of(text)))
        return refuse(why, OUTCOME_USAGE, at->path,
                      "%s: %s: one line of UTF-8 is expected, without control characters", origin,
                      at->path);
    if (config->n == config->room) {
        size_t room = config->room ? config->room * 2 : 32;
        struct setting *wider = arena_alloc(config->arena, room * sizeof(*wider));
        if (config->n)
            memcpy(wider, config->settings, config->n * sizeof(*wider));
        config->settings = wider;
        config->room = room;
    }
    config->settings[config->n++] =
        (struct setting){.path = at->path, .text = text, .origin = origin, .field = at->field};
    return 0;
}

void config_forget(struct config *config, const char *path)
{
    size_t kept = 0;

    for (size_t i = 0; i < config->n; i++) {
        if (strcmp(config->settings[i].path, path) != 0)
            config->settings[kept++] = config->settings[i];
    }
    config->n = kept;
}

/* ---- file ---- */

static int check_guard(const char *path, const char *shown, struct refusal *why)
{
    struct stat status;

    if (stat(path, &status) < 0)
        return refuse(why, OUTCOME_UNAVAILABLE, NULL, "%s: %s", path, strerror(errno));
    if (status.st_uid != 0 && status.st_uid != geteuid())
        return refuse(why, OUTCOME_UNAVAILABLE, NULL,
                      "%s decides what may be done on this host, so %s must belong to root: chown "
                      "root %s",
                      shown, path, path);
    /* In a directory with the sticky bit others may add files, but not replace this one. */
    bool is_sticky = S_ISDIR(status.st_mode) && status.st_mode & S_ISVTX;
    if (!is_sticky && status.st_mode & (S_IWGRP | S_IWOTH))
        return refuse(why, OUTCOME_UNAVAILABLE, NULL,
                      "%s decides what may be done on this host, so nobody else may write %s: "
                      "chmod go-w %s",
                      shown, path, path);
    return 0;
}

static int check_guards(const char *path, struct refusal *why)
{
    char real[PATH_MAX], directory[PATH_MAX];

    if (!realpath(path, real))
        return refuse(why, OUTCOME_UNAVAILABLE, NULL, "%s: %s", path, strerror(errno));
    memcpy(directory, real, strlen(real) + 1);
    int r = check_guard(real, path, why);
    return r ? r : check_guard(dirname(directory), path, why);
}

int config_add_file(struct config *config, const char *path, struct refusal *why)
{
    struct yaml_source source = {.name = path, .has_lines = true};
    struct position root;
    struct type type;

    int r = config->program->is_guarded ? check_guards(path, why) : 0;
    if (r)
        return r;
    r = file_read(path, CONFIG_FILE_MAX, config->arena, &source.text);
    if (r)
        return refuse(why, OUTCOME_UNAVAILABLE, NULL, "%s: %s", path, strerror(-r));
    position_root(config->program->schema, &type, &root);
    config->file = path;
    return yaml_read(config, &root, &source, why);
}

/* ---- environment ---- */

const char *config_variable(const struct config_program *program, const char *path,
                            struct arena *arena)
{
    char *name = arena_printf(arena, "%s%s", program->environment, path);

    for (char *at = name; *at; at++)
        *at = *at == '.' ? '_' : (char)toupper((unsigned char)*at);
    return name;
}

struct environment {
    struct config *config;
    struct refusal *why;
};

static int add_variable(void *owner, const char *path, const struct field *field)
{
    struct environment *environment = owner;
    struct config *config = environment->config;
    const char *name = config_variable(config->program, path, config->arena);
    const char *text = getenv(name);
    struct position at = {
        .path = arena_strdup(config->arena, path), .type = &field->type, .field = field};

    if (!text)
        return 0;
    if (strlen(text) > CONFIG_FILE_MAX)
        return refuse(environment->why, OUTCOME_USAGE, at.path, "%s: longer than %zu bytes", name,
                      CONFIG_FILE_MAX);
    if (field->type.kind != KIND_LIST && field->type.kind != KIND_MAP)
        return config_add(config, &at, arena_strdup(config->arena, text), name, environment->why);
    const struct yaml_source source = {.name = name, .text = slice_of(text)};
    return yaml_read(config, &at, &source, environment->why);
}

int config_add_environment(struct config *config, struct refusal *why)
{
    struct environment environment = {.config = config, .why = why};

    return config_each_key(config->program->schema, add_variable, &environment);
}

/* ---- command line ---- */

static int refuse_flag(const char *flag, const char *text, struct refusal *why)
{
    CLEANUP(buf_release) struct buf shown;

    buf_init(&shown, REFUSAL_TEXT_SIZE);
    config_add_shown(&shown, slice_of(flag));
    return refuse(why, OUTCOME_USAGE, NULL, "%s: %s", buf_text(&shown), text);
}

/* A list's flag adds to what other flags said, and replaces all else. */
static void begin_list(struct config *config, const char *path)
{
    for (size_t i = 0; i < config->n; i++) {
        const struct setting *setting = &config->settings[i];
        if (strcmp(setting->path, path) == 0 && !slice_starts(slice_of(setting->origin), "--")) {
            config_forget(config, path);
            return;
        }
    }
}

static int add_flag_text(struct config *config, const struct position *at, const char *origin,
                         const char *text, struct refusal *why)
{
    if (at->type->kind == KIND_OBJ || at->type->kind == KIND_MAP)
        return refuse_flag(origin, "name a key beneath it", why);
    if (at->type->kind == KIND_LIST)
        begin_list(config, at->path);
    return config_add(config, at, text, origin, why);
}

int config_add_flag(struct config *config, char **argv, int *ret_taken, struct refusal *why)
{
    struct slice value = slice_of(argv[0]), name;
    struct position at;
    struct type type;

    if (!slice_starts(value, "--"))
        return refuse_flag(argv[0], "only flags are accepted, see --help", why);
    bool has_value = slice_cut(&value, '=', &name);
    const char *origin = arena_copy(config->arena, name);
    bool is_found =
        position_find(config->program->schema, origin + 2, true, config->arena, &type, &at);
    bool is_no =
        !is_found && slice_starts(name, "--no-") &&
        position_find(config->program->schema, origin + 5, true, config->arena, &type, &at) &&
        at.type->kind == KIND_FLAG;
    if (!is_found && !is_no)
        return refuse_flag(origin, "there is no such flag, see --help", why);
    *ret_taken = 1;
    if (at.type->kind == KIND_FLAG && !has_value)
        return config_add(config, &at, is_no ? "false" : "true", origin, why);
    if (is_no)
        return refuse_flag(origin, "takes no value", why);
    if (has_value)
        return add_flag_text(config, &at, origin, arena_copy(config->arena, value), why);
    if (!argv[1])
        return refuse_flag(origin, "a value is expected", why);
    *ret_taken = 2;
    return add_flag_text(config, &at, origin, arena_strdup(config->arena, argv[1]), why);
}

/* ---- decode ---- */

static const struct setting *setting_find(const struct config *config, const char *path)
{
    for (size_t i = config->n; i-- > 0;) {
        if (strcmp(config->settings[i].path, path) == 0)
            return &config->settings[i];
    }
    return NULL;
}

/* Of a path beneath `prefix` the segment that follows. */
static bool segment_below(const char *path, const char *prefix, struct slice *ret)
{
    size_t size = strlen(prefix);
    struct slice rest;

    if (strncmp(path, prefix, size) != 0 || path[size] != '.')
        return false;
    rest = slice_of(path + size + 1);
    slice_cut(&rest, '.', ret);
    return true;
}

/* Text that is a value of this kind in JSON stands as it is; all else is text, for the decoder to
   judge. So is null, which would be the same as nothing. */
static void write_text(const struct type *type, const char *text, struct json_writer *w)
{
    struct json json;
    bool is_word = type->kind == KIND_I64 || type->kind == KIND_F64 || type->kind == KIND_FLAG;

    if (is_word && json_check(slice_of(text), 1, &json, NULL) == 0 && json.kind != JSON_NULL)
        json_raw(w, slice_of(text));
    else
        json_text(w, text);
}

static void write_position(const struct config *config, const struct position *at,
                           struct json_writer *w);

static void write_object(const struct config *config, const struct position *at,
                         struct json_writer *w)
{
    struct position child;

    json_begin_object(w);
    for (const struct field *field = at->type->schema->fields; field->wire; field++) {
        position_child(at, slice_of(field->wire), false, config->arena, &child);
        bool is_object = field->type.kind == KIND_OBJ || field->type.kind == KIND_MAP;
        if (!is_object && !setting_find(config, child.path))
            continue;
        json_key(w, field->wire);
        write_position(config, &child, w);
    }
    json_end_object(w);
}

static bool is_first_of_segment(const struct config *config, size_t n, const char *prefix,
                                struct slice segment)
{
    struct slice earlier;

    for (size_t i = 0; i < n; i++) {
        if (segment_below(config->settings[i].path, prefix, &earlier) &&
            slice_equal(earlier, segment))
            return false;
    }
    return true;
}

static void write_map(const struct config *config, const struct position *at, struct json_writer *w)
{
    struct slice segment;
    struct position child;

    json_begin_object(w);
    for (size_t i = 0; i < config->n; i++) {
        if (!segment_below(config->settings[i].path, at->path, &segment) ||
            !is_first_of_segment(config, i, at->path, segment))
            continue;
        position_child(at, segment, false, config->arena, &child);
        json_key_slice(w, segment);
        write_position(config, &child, w);
    }
    json_end_object(w);
}

static void write_list(const struct config *config, const struct position *at,
                       struct json_writer *w)
{
    json_begin_array(w);
    for (size_t i = 0; i < config->n; i++) {
        const struct setting *setting = &config->settings[i];
        if (setting->text && strcmp(setting->path, at->path) == 0)
            write_text(at->type->element, setting->text, w);
    }
    json_end_array(w);
}

static void write_position(const struct config *config, const struct position *at,
                           struct json_writer *w)
{
    if (at->type->kind == KIND_OBJ)
        write_object(config, at, w);
    else if (at->type->kind == KIND_MAP)
        write_map(config, at, w);
    else if (at->type->kind == KIND_LIST)
        write_list(config, at, w);
    else
        write_text(at->type, setting_find(config, at->path)->text, w);
}

/* Where a refused value came from; lists are named as a whole, and what lacks a member by itself.
 */
static const char *origin_of(const struct config *config, const char *field)
{
    char path[REFUSAL_FIELD_SIZE];

    snprintf(path, sizeof(path), "%.*s", (int)strcspn(field, "["), field);
    for (;;) {
        const struct setting *setting = setting_find(config, path);
        if (setting)
            return setting->origin;
        char *dot = strrchr(path, '.');
        if (!dot)
            return NULL;
        *dot = '\0';
    }
}

int config_decode(const struct config *config, void *ret, struct refusal *why)
{
    CLEANUP(buf_release) struct buf json;
    struct refusal cause = {.text = ""};
    struct position root;
    struct type type;

    buf_init(&json, CONFIG_FILE_MAX * 8);
    struct json_writer w = json_writer(&json);
    position_root(config->program->schema, &type, &root);
    write_position(config, &root, &w);
    struct slice text = {.at = arena_copy(config->arena, buf_slice(&json)), .size = json.size};
    int r = schema_decode(config->program->schema, text, CONFIG_SETTINGS_MAX * 2, config->arena,
                          ret, &cause);
    if (!r && config->program->check)
        r = config->program->check(ret, &cause);
    if (r <= 0)
        return r;
    const char *origin = origin_of(config, cause.field);
    return refuse(why, OUTCOME_USAGE, cause.field, "%s%s%s", origin ? origin : "",
                  origin ? ": " : "", cause.text);
}

/* ---- what holds ---- */

static void add_yaml(struct buf *to, const char *text)
{
    /* JSON's strings are YAML's quoted ones. */
    bool is_plain = text[0] &&
                    text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuv"
                                      "wxyz0123456789_./-")] == '\0' &&
                    text[0] != '-';
    if (is_plain)
        buf_add_text(to, text);
    else
        json_quote(to, slice_of(text));
}

/* Of a list or map: the last that was said of it. */
static const struct setting *setting_within(const struct config *config, const char *path)
{
    struct slice segment;

    for (size_t i = config->n; i-- > 0;) {
        const struct setting *setting = &config->settings[i];
        if (strcmp(setting->path, path) == 0 || segment_below(setting->path, path, &segment))
            return setting;
    }
    return NULL;
}

const char *config_value(const struct config *config, const char *path, const struct field *field,
                         const char **ret_origin)
{
    const struct setting *setting = setting_within(config, path);
    struct position at = {.path = path, .type = &field->type, .field = field};
    CLEANUP(buf_release) struct buf text;

    buf_init(&text, CONFIG_FILE_MAX * 8);
    *ret_origin = setting ? setting->origin : NULL;
    if (!setting)
        return field->default_text;
    if (field->type.kind == KIND_LIST || field->type.kind == KIND_MAP) {
        struct json_writer w = json_writer(&text); /* which is YAML too */
        write_position(config, &at, &w);
    } else {
        add_yaml(&text, setting->text);
    }
    return arena_copy(config->arena, buf_slice(&text));
}

struct comparison {
    const struct config *before, *after;
    void (*each)(void *owner, const char *path, const struct field *field);
    void *owner;
};

static int compare_key(void *owner, const char *path, const struct field *field)
{
    const struct comparison *comparison = owner;
    const char *origin;
    const char *before = config_value(comparison->before, path, field, &origin);
    const char *after = config_value(comparison->after, path, field, &origin);

    if (strcmp(before ? before : "", after ? after : "") != 0)
        comparison->each(comparison->owner, path, field);
    return 0;
}

int config_each_change(const struct config *before, const struct config *after,
                       void (*each)(void *owner, const char *path, const struct field *field),
                       void *owner)
{
    struct comparison comparison = {.before = before, .after = after, .each = each, .owner = owner};

    return config_each_key(before->program->schema, compare_key, &comparison);
}

/* ---- all three ---- */

static int ready_fd_parse(const char *text, int64_t *ret, struct refusal *why)
{
    char *end;

    errno = 0;
    long number = strtol(text, &end, 10);
    if (end == text || *end || errno || number < 0 || number > INT16_MAX)
        return refuse_flag("--ready-fd", "a number from 0 to 32767 is expected", why);
    *ret = number;
    return 0;
}

/* --config, --ready-fd, --help, --version: 1 when argv[0] is one of them. */
static int take_own_flag(char **argv, struct config_flags *flags, int *ret_taken,
                         struct refusal *why)
{
    *ret_taken = 1;
    if (strcmp(argv[0], "--help") == 0)
        flags->help = true;
    else if (strcmp(argv[0], "--version") == 0)
        flags->version = true;
    else if (strcmp(argv[0], "--config") != 0 && strcmp(argv[0], "--ready-fd") != 0)
        *ret_taken = 0;
    else if (!argv[1])
        return refuse_flag(argv[0], "a value is expected", why);
    else
        *ret_taken = 2;
    if (*ret_taken < 2)
        return 0;
    if (strcmp(argv[0], "--ready-fd") == 0)
        return ready_fd_parse(argv[1], &flags->ready_fd, why);
    flags->file = argv[1];
    return 0;
}

static int read_flags(char **argv, struct config *config, struct config_flags *flags,
                      struct refusal *why)
{
    for (int taken; *argv; argv += taken) {
        int r = take_own_flag(argv, flags, &taken, why);
        if (!r && taken == 0)
            r = config_add_flag(config, argv, &taken, why);
        if (r)
            return r;
    }
    return 0;
}

/* What counts for less than flags; `file` NULL: none. */
static int read_surroundings(struct config *config, const char *file, struct refusal *why)
{
    int r = file ? config_add_file(config, file, why) : 0;

    return r ? r : config_add_environment(config, why);
}

int config_read_file(const struct config_program *program, const char *file, struct arena *arena,
                     struct config *ret_config, void *ret, struct refusal *why)
{
    config_init(ret_config, program, arena);
    int r = read_surroundings(ret_config, file, why);
    return r ? r : config_decode(ret_config, ret, why);
}

int config_read(const struct config_program *program, char **argv, struct arena *arena,
                struct config_flags *ret_flags, struct config *ret_config, void *ret,
                struct refusal *why)
{
    struct config_flags flags = {.ready_fd = -1};
    struct config config, ignored;
    int r;

    /* Twice: --config must be known before the file is read, and flags count for more than it. */
    config_init(&ignored, program, arena);
    r = read_flags(argv, &ignored, &flags, why);
    *ret_flags = flags;
    if (r || flags.help || flags.version)
        return r;
    config_init(&config, program, arena);
    const char *file = flags.file;
    if (!file && access(program->file, F_OK) == 0)
        file = program->file;
    r = read_surroundings(&config, file, why);
    if (!r)
        r = read_flags(argv, &config, &flags, why);
    if (!r)
        r = config_decode(&config, ret, why);
    *ret_config = config;
    return r;
}
