/* SPDX-License-Identifier: MIT */
/*
 * What people read about the keys: --help, the sample file, docs/configuration.md.
 */
#include "config/config.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>

#define ACCEPTS_MAX 512

static const char *default_of(const struct field *field)
{
    if (field->default_text)
        return field->default_text;
    return field->type.kind == KIND_MAP ? "{}" : ""; /* an empty list is not the same as none */
}

/* What a value must be, in the words of a configuration. */
static void accepts_of(const struct field *field, char ret[ACCEPTS_MAX])
{
    struct field element = *field;

    if (field->type.kind == KIND_LIST || field->type.kind == KIND_MAP)
        element.type = *field->type.element;
    bool is_nested = element.type.kind == KIND_OBJ;
    char text[ACCEPTS_MAX] = "";

    if (!is_nested)
        field_accepts(&element, text, sizeof(text));
    if (field->type.kind == KIND_LIST)
        snprintf(ret, ACCEPTS_MAX, "a list, each %s", text);
    else if (is_nested)
        snprintf(ret, ACCEPTS_MAX, "keys of your own, each with %s beneath",
                 element.type.schema->fields->wire);
    else if (field->type.kind == KIND_MAP)
        snprintf(ret, ACCEPTS_MAX, "keys of your own, each with %s", text);
    else
        memcpy(ret, text, ACCEPTS_MAX);
}

/* ---- help ---- */

static int write_flag(void *owner, const char *path, const struct field *field)
{
    struct buf *to = owner;
    char accepts[ACCEPTS_MAX], flag[128];

    accepts_of(field, accepts);
    snprintf(flag, sizeof(flag), "--%s%s", path, field->type.kind == KIND_MAP ? ".KEY" : "");
    buf_printf(to, "  %-26s %s\n  %-26s   (%s", flag, field->doc, "", accepts);
    if (field->default_text)
        buf_printf(to, "; default %s", field->default_text);
    buf_add_text(to, ")\n");
    return 0;
}

void config_write_help(const struct config_program *program, struct buf *to)
{
    buf_printf(to,
               "%s.\n\nusage: %s [flags]\n\n"
               "Every key of %s may be given here, and in the environment as %sKEY.\n\n",
               program->doc, program->name, program->file, program->environment);
    buf_printf(to, "  %-26s %s\n", "--config FILE", "Read this file instead");
    buf_printf(to, "  %-26s %s\n", "--ready-fd N",
               "Write a line to this descriptor when it is ready");
    buf_printf(to, "  %-26s %s\n", "--help, --version", "Show this, or which program this is");
    config_each_key(program->schema, write_flag, to);
}

/* ---- manual page ---- */

/* A line, without what troff would take for an escape. */
static void write_roff(struct buf *to, const char *text)
{
    for (; *text; text++) {
        if (*text == '\\' || *text == '-')
            buf_add_char(to, '\\');
        buf_add_char(to, *text == '\\' ? 'e' : *text);
    }
    buf_add_char(to, '\n');
}

static int write_man_key(void *owner, const char *path, const struct field *field)
{
    struct buf *to = owner;
    char accepts[ACCEPTS_MAX], line[ACCEPTS_MAX * 2];

    accepts_of(field, accepts);
    snprintf(line, sizeof(line), ".B --%s%s", path, field->type.kind == KIND_MAP ? ".KEY" : "");
    buf_add_text(to, ".TP\n");
    write_roff(to, line);
    snprintf(line, sizeof(line), "%s (%s%s%s)", field->doc, accepts,
             field->default_text ? "; default " : "",
             field->default_text ? field->default_text : "");
    write_roff(to, line);
    return 0;
}

void config_write_man(const struct config_program *program, struct buf *to)
{
    char line[ACCEPTS_MAX];

    buf_printf(to, ".TH %s 1\n.SH NAME\n%s \\- ", program->name, program->name);
    write_roff(to, program->doc);
    buf_add_text(to, ".SH SYNOPSIS\n");
    snprintf(line, sizeof(line), ".B %s [--config FILE] [--KEY VALUE ...]", program->name);
    write_roff(to, line);
    buf_add_text(to, ".SH DESCRIPTION\n");
    snprintf(line, sizeof(line),
             "Keys of the configuration stand in %s, in the environment as %sKEY, and on the "
             "command line; what stands later in this list wins. SIGHUP reads them again.",
             program->file, program->environment);
    write_roff(to, line);
    buf_add_text(to, ".SH OPTIONS\n"
                     ".TP\n.B \\-\\-config FILE\nRead this file instead.\n"
                     ".TP\n.B \\-\\-ready\\-fd N\n"
                     "Write a line to this descriptor when it is ready.\n"
                     ".TP\n.B \\-\\-help, \\-\\-version\n"
                     "Show this, or which program this is.\n");
    config_each_key(program->schema, write_man_key, to);
    buf_add_text(to, ".SH SEE ALSO\n.BR reeve (1)\n");
}

/* ---- sample ---- */

static void write_comment(struct buf *to, int depth, const char *text, const char *more)
{
    buf_printf(to, "\n%*s# %s%s%s\n", depth * 2, "", text, more[0] ? "; " : "", more);
}

static void write_keys(const struct schema *schema, int depth, struct buf *to)
{
    for (const struct field *field = schema->fields; field->wire; field++) {
        char accepts[ACCEPTS_MAX];
        if (field->type.kind == KIND_OBJ) {
            write_comment(to, depth, field->doc, "");
            buf_printf(to, "%*s#%s:\n", depth * 2, "", field->wire);
            write_keys(field->type.schema, depth + 1, to);
            continue;
        }
        accepts_of(field, accepts);
        write_comment(to, depth, field->doc, accepts);
        const char *value = default_of(field);
        buf_printf(to, "%*s#%s:%s%s\n", depth * 2, "", field->wire, value[0] ? " " : "", value);
    }
}

void config_write_sample(const struct config_program *program, struct buf *to)
{
    buf_printf(to,
               "# Configuration of %s: %s\n"
               "# Every key, with its default. docs/configuration.md says more.\n",
               program->name, program->file);
    write_keys(program->schema, 0, to);
}

/* ---- document ---- */

struct table {
    const struct config_program *program;
    struct buf *to;
};

static int write_row(void *owner, const char *path, const struct field *field)
{
    const struct table *table = owner;
    char accepts[ACCEPTS_MAX];

    accepts_of(field, accepts);
    buf_printf(table->to, "| `%s` | %s | %s | %s%s%s | %s |\n", path, field->doc, accepts,
               field->default_text ? "`" : "", field->default_text ? field->default_text : "none",
               field->default_text ? "`" : "", field->place == PLACE_RELOAD ? "reload" : "start");
    return 0;
}

static void write_table(const struct config_program *program, struct buf *to)
{
    struct table table = {.program = program, .to = to};

    buf_printf(
        to,
        "\n## %s: `%s`\n\n%s. Variables begin with `%s`.\n\n"
        "| key | what it says | accepted | default | takes effect |\n|---|---|---|---|---|\n",
        program->name, program->file, program->schema->doc, program->environment);
    config_each_key(program->schema, write_row, &table);
}

void config_write_document(struct buf *to)
{
    buf_add_text(
        to,
        "# Configuration\n"
        "\n"
        "Printed by the program from the rows of `src/catalog/config.def`.\n"
        "\n"
        "A key may stand in the file (YAML), in the environment and on the command line; what "
        "stands "
        "later in this list wins:\n"
        "\n"
        "| | `retention.queries` |\n"
        "|---|---|\n"
        "| file | `retention:` and beneath it `queries: 12h` |\n"
        "| environment | `REEVE_RETENTION_QUERIES=12h`; lists and maps as in the file, on one "
        "line: "
        "`[a, b]`, `{group: web}` |\n"
        "| command line | `--retention.queries 12h`; a list's flag is repeated, a map's key is "
        "part "
        "of the flag: `--labels.group web` |\n"
        "\n"
        "Unknown keys, keys that stand twice and values that are not accepted are refused with "
        "file "
        "and line. A value is one line of text; names of your own hold letters, digits, `-` and "
        "`_`. `--config FILE` reads another file, which must then be there. `reeve config "
        "show` "
        "prints what holds and where it was said, `reeve config check FILE` looks at a file, "
        "`reeve config sample` prints one with all keys.\n"
        "\n"
        "SIGHUP makes a program read its configuration again: keys that take effect with *reload* "
        "do "
        "so at once, a changed key of the others is named in the log and waits for the next start. "
        "A "
        "file that is not acceptable is logged, and what held before goes on.\n"
        "\n"
        "`agent.yaml` is the host's own word on what may be done there: it and its directory must "
        "belong to root (or to the user the agent runs as) and be nobody else's to write, else the "
        "agent does not start.\n");
    write_table(&config_controller, to);
    write_table(&config_agent, to);
}
