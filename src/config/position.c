/* SPDX-License-Identifier: MIT */
/*
 * The tree of keys, walked by the schema.
 */
#include "base/json.h"
#include "base/mem.h"
#include "config/inside.h"

#include <ctype.h>
#include <string.h>

void position_root(const struct schema *schema, struct type *ret_type, struct position *ret)
{
    *ret_type = (struct type){.kind = KIND_OBJ, .schema = schema};
    *ret = (struct position){.path = "", .type = ret_type};
}

static bool names(struct slice segment, const char *wire, bool loose)
{
    size_t size = strlen(wire);

    if (segment.size != size)
        return false;
    for (size_t i = 0; i < size; i++) {
        if (segment.at[i] != wire[i] && !(loose && segment.at[i] == '-' && wire[i] == '_'))
            return false;
    }
    return true;
}

static const struct field *field_find(const struct schema *schema, struct slice segment, bool loose)
{
    for (const struct field *field = schema->fields; field->wire; field++) {
        if (names(segment, field->wire, loose))
            return field;
    }
    return NULL;
}

/* Of one's own. Refusals name the whole path, by which its place is found again: nothing that would
   be cut or escaped there. */
static bool is_name(struct slice segment)
{
    for (size_t i = 0; i < segment.size; i++) {
        if (!isalnum((unsigned char)segment.at[i]) && segment.at[i] != '_' && segment.at[i] != '-')
            return false;
    }
    return segment.size > 0 && segment.size <= CONFIG_NAME_MAX;
}

bool position_child(const struct position *at, struct slice segment, bool loose,
                    struct arena *arena, struct position *ret)
{
    const char *separator = at->path[0] ? "." : "";
    struct position child = {.field = at->field};

    if (at->type->kind == KIND_MAP && is_name(segment)) {
        child.type = at->type->element;
        child.path =
            arena_printf(arena, "%s%s%.*s", at->path, separator, (int)segment.size, segment.at);
        *ret = child;
        return true;
    }
    if (at->type->kind != KIND_OBJ)
        return false;
    child.field = field_find(at->type->schema, segment, loose);
    if (!child.field)
        return false;
    child.type = &child.field->type;
    child.path = arena_printf(arena, "%s%s%s", at->path, separator, child.field->wire);
    *ret = child;
    return true;
}

bool position_find(const struct schema *schema, const char *path, bool loose, struct arena *arena,
                   struct type *ret_type, struct position *ret)
{
    struct slice rest = slice_of(path), segment;
    struct position at;

    position_root(schema, ret_type, &at);
    for (bool more = true; more;) {
        more = slice_cut(&rest, '.', &segment);
        if (!position_child(&at, segment, loose, arena, &at))
            return false;
    }
    *ret = at;
    return true;
}

void position_accepts(const struct position *at, struct buf *to)
{
    const char *separator = "";

    if (at->type->kind == KIND_MAP) {
        buf_printf(to, "names of your own: at most %d letters, digits, - and _", CONFIG_NAME_MAX);
        return;
    }
    for (const struct field *field = at->type->schema->fields; field->wire; field++) {
        buf_printf(to, "%s%s", separator, field->wire);
        separator = ", ";
    }
}

#define SHOWN_MAX 64 /* bytes */

void config_add_shown(struct buf *to, struct slice text)
{
    CLEANUP(buf_release) struct buf quoted;

    buf_init(&quoted, SHOWN_MAX * 6 + 2); /* as many as an escape has */
    json_quote(&quoted, slice_cut_at_character(text, SHOWN_MAX));
    buf_add(to, quoted.at + 1, quoted.size - 2);
    buf_add_text(to, text.size > SHOWN_MAX ? "…" : "");
}

/* ---- all keys ---- */

static int each_below(const struct schema *schema, const char *prefix, struct arena *arena,
                      int (*each)(void *owner, const char *path, const struct field *field),
                      void *owner)
{
    for (const struct field *field = schema->fields; field->wire; field++) {
        const char *path = arena_printf(arena, "%s%s%s", prefix, prefix[0] ? "." : "", field->wire);
        int r = field->type.kind == KIND_OBJ
                    ? each_below(field->type.schema, path, arena, each, owner)
                    : each(owner, path, field);
        if (r)
            return r;
    }
    return 0;
}

int config_each_key(const struct schema *schema,
                    int (*each)(void *owner, const char *path, const struct field *field),
                    void *owner)
{
    struct arena arena;

    arena_init(&arena);
    int r = each_below(schema, "", &arena, each, owner);
    arena_release(&arena);
    return r;
}
