/* SPDX-License-Identifier: MIT */
/*
 * Colours are readable on light and on dark ground, and the ground is left to the page.
 */
#include "chart.h"

#include "base/mem.h"

#include <math.h>

#define WIDTH      760
#define HEIGHT     420
#define LEFT       70.0
#define RIGHT      190.0 /* room for names */
#define TOP        46.0
#define BOTTOM     54.0
#define NAME_SPACE 15.0 /* between the names of lines that end close together */
#define GREY       "#888"
#define GRID       "stroke=\"" GREY "\" stroke-opacity=\"0.25\""

static const char *const colours[] = {"#2a78d6", "#d9822b", "#2e9e6b", "#b0479c",
                                      "#c23b3b", "#6f6fd8", "#8a7a1f"};

struct axis {
    int first, last; /* powers of ten */
    double begin, end;
};

struct frame {
    struct axis x, y;
};

static double place(const struct axis *axis, double value)
{
    double part = (log10(value) - axis->first) / (axis->last - axis->first);

    return axis->begin + part * (axis->end - axis->begin);
}

static void axis_include(struct axis *axis, double value)
{
    int below = (int)floor(log10(value)), above = (int)ceil(log10(value));

    if (below < axis->first)
        axis->first = below;
    if (above > axis->last)
        axis->last = above;
}

static struct frame frame_of(const struct chart *chart)
{
    struct frame frame = {
        .x = {.first = 99, .last = -99, .begin = LEFT, .end = WIDTH - RIGHT},
        .y = {.first = 99, .last = -99, .begin = HEIGHT - BOTTOM, .end = TOP},
    };

    for (size_t i = 0; i < chart->n; i++) {
        for (size_t j = 0; j < chart->series[i].n; j++) {
            if (isnan(chart->series[i].points[j].y))
                continue;
            axis_include(&frame.x, chart->series[i].points[j].x);
            axis_include(&frame.y, chart->series[i].points[j].y);
        }
    }
    if (frame.x.first >= frame.x.last)
        frame.x.last = frame.x.first + 1;
    if (frame.y.first >= frame.y.last)
        frame.y.last = frame.y.first + 1;
    return frame;
}

/* ---- parts ---- */

static void write_text(struct buf *to, double x, double y, const char *anchor, const char *colour,
                       const char *text)
{
    buf_printf(to, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" fill=\"%s\">%s</text>\n", x, y,
               anchor, colour, text);
}

static void format_power(int power, char ret[16])
{
    static const char *const names[] = {"1",     "10",  "100",  "1 k",   "10 k",
                                        "100 k", "1 M", "10 M", "100 M", "1 G"};

    if (power >= 0 && (size_t)power < COUNT_OF(names))
        snprintf(ret, 16, "%s", names[power]);
    else
        snprintf(ret, 16, "%g", pow(10, power));
}

static void write_grid(const struct frame *frame, struct buf *to)
{
    char text[16];

    for (int power = frame->x.first; power <= frame->x.last; power++) {
        double x = place(&frame->x, pow(10, power));
        format_power(power, text);
        buf_printf(to, "<path d=\"M%.1f %.1fV%.1f\" " GRID "/>\n", x, frame->y.begin, frame->y.end);
        write_text(to, x, frame->y.begin + 18, "middle", GREY, text);
    }
    for (int power = frame->y.first; power <= frame->y.last; power++) {
        double y = place(&frame->y, pow(10, power));
        format_power(power, text);
        buf_printf(to, "<path d=\"M%.1f %.1fH%.1f\" " GRID "/>\n", frame->x.begin, y, frame->x.end);
        write_text(to, frame->x.begin - 8, y + 4, "end", GREY, text);
    }
}

static void write_line(const struct frame *frame, const struct chart_series *series,
                       const char *colour, struct buf *to)
{
    buf_printf(to, "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"2\" points=\"", colour);
    for (size_t i = 0; i < series->n; i++) {
        if (!isnan(series->points[i].y))
            buf_printf(to, "%.1f,%.1f ", place(&frame->x, series->points[i].x),
                       place(&frame->y, series->points[i].y));
    }
    buf_add_text(to, "\"/>\n");
}

static void write_marks(const struct frame *frame, const struct chart_series *series,
                        const char *colour, struct buf *to)
{
    for (size_t i = 0; i < series->n; i++) {
        if (!isnan(series->points[i].y))
            buf_printf(to, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4\" fill=\"%s\"/>\n",
                       place(&frame->x, series->points[i].x), place(&frame->y, series->points[i].y),
                       colour);
    }
}

/* Where the series ends; names of lines stand in the margin, one below the other where they would
   cover each other. */
static void write_name(const struct frame *frame, const struct chart_series *series,
                       const char *colour, double *margin_y, struct buf *to)
{
    const struct chart_point *last = &series->points[series->n - 1];

    if (isnan(last->y))
        return;
    double x = place(&frame->x, last->x) + 9, y = place(&frame->y, last->y) + 4;
    if (series->n > 1) {
        if (y > *margin_y - NAME_SPACE)
            y = *margin_y - NAME_SPACE;
        *margin_y = y;
    }
    write_text(to, x, y, "start", colour, series->name);
}

void chart_write(const struct chart *chart, struct buf *to)
{
    struct frame frame = frame_of(chart);
    double margin_y = HEIGHT;

    buf_printf(to,
               "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" "
               "font-family=\"system-ui, sans-serif\" font-size=\"12\">\n",
               WIDTH, HEIGHT);
    write_text(to, LEFT, 22, "start", GREY, chart->title);
    write_text(to, (frame.x.begin + frame.x.end) / 2, HEIGHT - 14, "middle", GREY, chart->x_name);
    write_text(to, LEFT - 8, TOP - 10, "end", GREY, chart->y_name);
    write_grid(&frame, to);
    for (size_t i = 0; i < chart->n; i++) {
        const struct chart_series *series = &chart->series[i];
        const char *colour = colours[i % COUNT_OF(colours)];
        if (series->n > 1)
            write_line(&frame, series, colour, to);
        write_marks(&frame, series, colour, to);
        write_name(&frame, series, colour, &margin_y, to);
    }
    buf_add_text(to, "</svg>\n");
}
