/* SPDX-License-Identifier: MIT */
/*
 * The router: a tree of path segments, built once from the catalog.
 *
 * A search tries a segment's literal first, then the parameter, then the rest parameter, and comes
 * back when the more literal way has no row for the method: a path is refused only when no way
 * leads to a row.
 */
#include "http/route.h"

#include "base/mem.h"

#include <assert.h>
#include <pthread.h>

#define METHODS_MAX 8 /* of one path */

enum segment { SEGMENT_LITERAL, SEGMENT_PARAMETER, SEGMENT_REST };

/* One segment of the rows' paths. Siblings stand in the order in which they are tried. */
struct node {
    enum segment kind;
    struct slice literal;
    struct node *child, *sibling;
    const struct op *ops[METHODS_MAX]; /* rows that end here, one a method */
    size_t n_ops;
};

struct route_table {
    struct arena arena;
    struct node root;
};

/*
 * Building
 */

static enum segment segment_kind(struct slice segment)
{
    if (!slice_starts(segment, "{"))
        return SEGMENT_LITERAL;
    assert(segment.size >= 3 && segment.at[segment.size - 1] == '}');
    return segment.at[segment.size - 2] == '*' ? SEGMENT_REST : SEGMENT_PARAMETER;
}

/* The child of `node` for `segment`, made when there is none. Parameters are one child whatever
 * their names. */
static struct node *node_child(struct arena *arena, struct node *node, struct slice segment)
{
    enum segment kind = segment_kind(segment);
    struct node **at = &node->child;

    for (; *at && (*at)->kind <= kind; at = &(*at)->sibling) {
        if ((*at)->kind != kind)
            continue;
        if (kind != SEGMENT_LITERAL || slice_equal((*at)->literal, segment))
            return *at;
    }
    struct node *child = arena_alloc(arena, sizeof(*child));
    *child = (struct node){.kind = kind, .literal = segment, .sibling = *at};
    *at = child;
    return child;
}

static void table_add(struct route_table *table, const struct op *op)
{
    struct node *node = &table->root;
    struct slice rest = slice_of(op->path), segment;
    size_t n_parameters = 0;
    bool more;

    slice_cut(&rest, '/', &segment);
    assert(segment.size == 0); /* paths begin with a slash */
    do {
        more = slice_cut(&rest, '/', &segment);
        node = node_child(&table->arena, node, segment);
        n_parameters += node->kind != SEGMENT_LITERAL;
        assert(!more || node->kind != SEGMENT_REST);
    } while (more);
    assert(n_parameters <= PATH_PARAMETERS_MAX && node->n_ops < METHODS_MAX);
    node->ops[node->n_ops++] = op;
}

struct route_table *route_table_new(const struct op *rows, size_t n_rows)
{
    struct route_table *table = mem_alloc(sizeof(*table));

    arena_init(&table->arena);
    for (size_t i = 0; i < n_rows; i++)
        table_add(table, &rows[i]);
    return table;
}

void route_table_free(struct route_table *table)
{
    if (!table)
        return;
    arena_release(&table->arena);
    mem_free(table);
}

/*
 * Finding
 */

struct search {
    const char *method;
    struct route_match *match;
    size_t n_parameters; /* of the way tried at the moment */
};

/* Adds the node's methods to the Allow text, each once. */
static void allow_add(const struct node *node, char allow[ROUTE_ALLOW_SIZE])
{
    for (size_t i = 0; i < node->n_ops; i++) {
        const char *method = node->ops[i]->method;
        size_t used = strlen(allow);
        if (strstr(allow, method))
            continue;
        snprintf(allow + used, ROUTE_ALLOW_SIZE - used, "%s%s", used ? ", " : "", method);
    }
}

static bool node_ends(const struct node *node, struct search *search)
{
    for (size_t i = 0; i < node->n_ops; i++) {
        if (strcmp(node->ops[i]->method, search->method) != 0)
            continue;
        search->match->op = node->ops[i];
        return true;
    }
    allow_add(node, search->match->allow);
    return false;
}

/* True when a row was found below `node` for `rest`, the path after the slash that follows the
   node. Depth and number of calls are bounded by the rows: a level has at most three ways on. */
static bool node_find(const struct node *node, struct slice rest, struct search *search)
{
    struct slice whole = rest, segment;
    bool more = slice_cut(&rest, '/', &segment);
    size_t n_parameters = search->n_parameters;

    for (const struct node *child = node->child; child; child = child->sibling) {
        bool takes_rest = child->kind == SEGMENT_REST;

        if (child->kind == SEGMENT_LITERAL && !slice_equal(child->literal, segment))
            continue;
        if (child->kind != SEGMENT_LITERAL && whole.size == 0) /* the path ends here */
            continue;
        search->n_parameters = n_parameters;
        if (child->kind != SEGMENT_LITERAL)
            search->match->path[search->n_parameters++] = takes_rest ? whole : segment;
        if (more && !takes_rest ? node_find(child, rest, search) : node_ends(child, search))
            return true;
    }
    return false;
}

static bool has_too_many_segments(struct slice path)
{
    size_t n = 0;

    for (size_t i = 0; i < path.size; i++)
        n += path.at[i] == '/';
    return n > ROUTE_SEGMENTS_MAX;
}

int route_table_find(const struct route_table *table, const char *method, struct slice path,
                     struct route_match *ret)
{
    struct route_match match = {.op = NULL};
    struct search search = {.method = method, .match = &match};

    if (!slice_starts(path, "/") || has_too_many_segments(path))
        return OUTCOME_NOT_FOUND;
    size_t skipped = slice_starts(path, "/api/") ? strlen("/api/") : 1;
    struct slice rest = {.at = path.at + skipped, .size = path.size - skipped};
    bool found = node_find(&table->root, rest, &search);
    if (!found && !match.allow[0])
        return OUTCOME_NOT_FOUND;
    *ret = match;
    return found ? OUTCOME_DONE : OUTCOME_METHOD;
}

/*
 * The catalog's table
 */

static struct route_table *catalog_table; /* lives as long as the process */
static pthread_once_t catalog_once = PTHREAD_ONCE_INIT;

static void catalog_table_make(void)
{
    catalog_table = route_table_new(op_catalog, OP_COUNT);
}

int route_find(const char *method, struct slice path, struct route_match *ret)
{
    int r = pthread_once(&catalog_once, catalog_table_make);

    assert(r == 0);
    return route_table_find(catalog_table, method, path, ret);
}
