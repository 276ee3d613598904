/* SPDX-License-Identifier: MIT */
/*
 * The text of docs/types.h: the rows as the C they become, for reading and for jumping to.
 */
#include "catalog/check.h"

static void add_enum(struct buf *to, const char *name, const char *doc)
{
    buf_printf(to, "/* %s */\nenum %s {\n", doc, name);
}

static void add_value(struct buf *to, const char *name, const char *word, const char *doc)
{
    buf_printf(to, "    %s, /* \"%s\": %s */\n", name, word, doc);
}

static void add_struct(struct buf *to, const char *name, const char *doc)
{
    buf_printf(to, "/* %s */\nstruct %s {\n", doc, name);
}

/* Types that end in an asterisk stand at their name. */
static void add_declaration(struct buf *to, const char *ctype, const char *name)
{
    bool is_pointer = ctype[strlen(ctype) - 1] == '*';

    buf_printf(to, "    %s%s%s;", ctype, is_pointer ? "" : " ", name);
}

/* A member, and behind it: its wire name where that differs, place, sentence, rule, presence. */
static void add_member(struct buf *to, const char *ctype, const char *name,
                       const struct field *field)
{
    static const char *const places[] = {
        [PLACE_PATH] = "path: ",        [PLACE_QUERY] = "query: ",    [PLACE_BODY] = "",
        [PLACE_WHOLE] = "whole body: ", [PLACE_START] = "at start: ", [PLACE_RELOAD] = "reloaded: ",
    };
    static const char *const presences[] = {
        [PRESENCE_REQUIRED] = "",
        [PRESENCE_OPTIONAL] = "; optional",
        [PRESENCE_NULLABLE] = "; or null",
    };
    char accepts[REFUSAL_TEXT_SIZE] = "";

    if (field->rule.kind != RULE_KIND_ANY)
        field_accepts(field, accepts, sizeof(accepts));
    add_declaration(to, ctype, name);
    buf_add_text(to, " /* ");
    if (strcmp(name, field->wire) != 0)
        buf_printf(to, "\"%s\", ", field->wire);
    buf_printf(to, "%s%s%s%s", places[field->place], field->doc, *accepts ? "; " : "", accepts);
    if (field->default_text)
        buf_printf(to, "; default %s */\n", field->default_text);
    else
        buf_printf(to, "%s */\n", presences[field->presence]);
}

static void add_operation(struct buf *to, const struct op *op)
{
    static const char *const classes[] = {
        [CLASS_LOCAL] = "local",
        [CLASS_QUERY] = "query",
        [CLASS_MODIFY] = "modify",
        [CLASS_ENDS_AGENT] = "ends agent",
    };

    buf_printf(to, "/* %s */\n/* %s %s  %s  %s  %s */\n", op->doc, op->method, op->path, op->type,
               permission_word(op->permission), classes[op->class]);
    buf_printf(to, "int op_%s(struct %s *ctx, const struct %s *input, struct %s *ret_out);\n\n",
               op->name, op_makes_run(op) ? "host" : "op_ctx", op->in->name, op->out->name);
}

/* C17 7.18 allows this; CTYPE_flag is then shown as it is written. */
#undef bool
#define TEXT_OF(tokens)        TEXT_OF_TOKENS(tokens)
#define TEXT_OF_TOKENS(tokens) #tokens

static void add_rows(struct buf *to)
{
#define ENUM(e, doc)            add_enum(to, #e, doc);
#define VALUE(e, id, word, doc) add_value(to, #e "_" #id, word, doc);
#define END_ENUM(e)             buf_add_text(to, "};\n\n");
#define STRUCT(s, doc)                                                                             \
    add_struct(to, #s, doc);                                                                       \
    {                                                                                              \
        const struct field *field = s##_schema.fields;
#define FIELD_AS(s, place, kind, name, wire, presence, rule, doc)                                  \
    add_member(to, TEXT_OF(CTYPE_##kind), #name, field++);
#define END(s)                                                                                     \
    (void)field;                                                                                   \
    }                                                                                              \
    buf_add_text(to, "};\n\n");
#include "catalog/rows.h"
}

void types_write(struct buf *to)
{
    buf_add_text(to,
                 "/* SPDX-License-Identifier: MIT */\n"
                 "/*\n"
                 " * Printed from the rows in src/catalog/; never compiled.\n"
                 " *\n"
                 " * Each member `m` has a twin `bool has_m`: given, defaulted, or to be written.\n"
                 " * struct t_list is { t *v; size_t n; }, struct t_map the same of { key, val }.\n"
                 " */\n\n");
    add_rows(to);
    for (size_t i = 0; i < OP_COUNT; i++)
        add_operation(to, &op_catalog[i]);
}
