/* SPDX-License-Identifier: MIT */
/*
 * Clocks, RFC 3339, durations.
 *
 * A request formats times by the dozen: no strftime and no printf here, days and dates are
 * converted by arithmetic.
 */
#include "base/clock.h"

#include "base/mem.h"

#include <assert.h>

#define US_PER_MIN  (60 * US_PER_S)
#define US_PER_HOUR (60 * US_PER_MIN)
#define US_PER_DAY  (24 * US_PER_HOUR)
#define S_PER_DAY   INT64_C(86400)

static int64_t clock_us(clockid_t clock)
{
    struct timespec now;
    int r = clock_gettime(clock, &now);

    assert(r == 0);
    return (int64_t)now.tv_sec * US_PER_S + now.tv_nsec / 1000;
}

int64_t clock_now_us(void)
{
    return clock_us(CLOCK_REALTIME);
}

int64_t clock_boot_us(void)
{
    return clock_us(CLOCK_BOOTTIME);
}

struct date {
    int64_t year;
    unsigned month, day; /* from 1 */
};

/* Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms": the Gregorian calendar repeats
   every 400 years of 146,097 days, and years that begin in March have the leap day at their end. */
#define DAYS_PER_ERA      INT64_C(146097)
#define DAYS_0000_TO_1970 INT64_C(719468) /* from 0000-03-01 */

static struct date date_of_day(int64_t day_since_1970)
{
    int64_t day = day_since_1970 + DAYS_0000_TO_1970;
    int64_t era = (day >= 0 ? day : day - (DAYS_PER_ERA - 1)) / DAYS_PER_ERA;
    unsigned day_of_era = (unsigned)(day - era * DAYS_PER_ERA);
    unsigned year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    unsigned month_from_march = (5 * day_of_year + 2) / 153;
    unsigned month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;

    return (struct date){
        .year = (int64_t)year_of_era + era * 400 + (month <= 2),
        .month = month,
        .day = day_of_year - (153 * month_from_march + 2) / 5 + 1,
    };
}

static int64_t day_of_date(struct date date)
{
    int64_t year = date.year - (date.month <= 2);
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    unsigned year_of_era = (unsigned)(year - era * 400);
    unsigned month_from_march = date.month > 2 ? date.month - 3 : date.month + 9;
    unsigned day_of_year = (153 * month_from_march + 2) / 5 + date.day - 1;
    unsigned day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * DAYS_PER_ERA + (int64_t)day_of_era - DAYS_0000_TO_1970;
}

/* Writes `n` digits of `value`, with zeros in front, and returns the place after them. */
static char *digits_put(char *at, uint64_t value, unsigned n)
{
    for (unsigned i = n; i > 0; i--) {
        at[i - 1] = (char)('0' + value % 10);
        value /= 10;
    }
    return at + n;
}

#define DAY_TEXT_SIZE 10 /* 2026-11-24 */

/* One page of jobs has fifty times of a few days. */
static char *day_put(char *at, int64_t day)
{
    static _Thread_local struct {
        char text[DAY_TEXT_SIZE];
        int64_t day;
    } last = {.text = "1970-01-01"};

    if (last.day != day) {
        struct date date = date_of_day(day);
        char *to = digits_put(last.text, (uint64_t)date.year, 4);
        *to++ = '-';
        to = digits_put(to, date.month, 2);
        *to++ = '-';
        digits_put(to, date.day, 2);
        last.day = day;
    }
    memcpy(at, last.text, DAY_TEXT_SIZE);
    return at + DAY_TEXT_SIZE;
}

/* The bounds of what four digits of year can say. */
#define TIME_FIRST_US (INT64_C(-62167219200) * US_PER_S)
#define TIME_LAST_US  (INT64_C(253402300800) * US_PER_S - 1)

void time_format(int64_t time_us, char ret[TIME_TEXT_SIZE])
{
    if (time_us < TIME_FIRST_US)
        time_us = TIME_FIRST_US;
    if (time_us > TIME_LAST_US)
        time_us = TIME_LAST_US;

    int64_t since_first_us = time_us - TIME_FIRST_US;
    uint64_t of_day_us = (uint64_t)(since_first_us % US_PER_DAY);
    uint64_t of_day_s = of_day_us / (uint64_t)US_PER_S;

    char *at = day_put(ret, since_first_us / US_PER_DAY + TIME_FIRST_US / US_PER_DAY);
    *at++ = 'T';
    at = digits_put(at, of_day_s / 3600, 2);
    *at++ = ':';
    at = digits_put(at, of_day_s / 60 % 60, 2);
    *at++ = ':';
    at = digits_put(at, of_day_s % 60, 2);
    *at++ = '.';
    at = digits_put(at, of_day_us % (uint64_t)US_PER_S, 6);
    *at++ = 'Z';
    *at = '\0';
}

void buf_add_time(struct buf *buf, int64_t time_us)
{
    char text[TIME_TEXT_SIZE];

    time_format(time_us, text);
    buf_add(buf, text, TIME_TEXT_SIZE - 1);
}

const char *time_text(struct arena *arena, int64_t time_us)
{
    char text[TIME_TEXT_SIZE];

    time_format(time_us, text);
    return arena_strdup(arena, text);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Takes exactly `n` digits off the front of *text. */
static bool digits_take(struct slice *text, unsigned n, unsigned *ret)
{
    unsigned value = 0;

    if (text->size < n)
        return false;
    for (unsigned i = 0; i < n; i++) {
        if (!is_digit(text->at[i]))
            return false;
        value = value * 10 + (unsigned)(text->at[i] - '0');
    }
    text->at += n;
    text->size -= n;
    *ret = value;
    return true;
}

/* Takes one byte off the front of *text when it is `upper` or the same letter in lower case. */
static bool char_take(struct slice *text, char upper)
{
    bool letter = upper >= 'A' && upper <= 'Z';

    if (text->size == 0 || (text->at[0] != upper && !(letter && text->at[0] == upper + 32)))
        return false;
    text->at++;
    text->size--;
    return true;
}

static bool date_take(struct slice *text, struct date *ret)
{
    static const unsigned days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    unsigned year, month, day;

    if (!digits_take(text, 4, &year) || !char_take(text, '-') || !digits_take(text, 2, &month) ||
        !char_take(text, '-') || !digits_take(text, 2, &day))
        return false;
    if (month < 1 || month > 12 || day < 1)
        return false;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (day > days[month - 1] + (month == 2 && leap))
        return false;
    *ret = (struct date){.year = year, .month = month, .day = day};
    return true;
}

/* "06:12:28"; whether there is a second 60 the caller knows, who has the offset. */
static bool time_of_day_take(struct slice *text, int64_t *ret_s, bool *ret_leap_second)
{
    unsigned hour, minute, second;

    if (!digits_take(text, 2, &hour) || !char_take(text, ':') || !digits_take(text, 2, &minute) ||
        !char_take(text, ':') || !digits_take(text, 2, &second))
        return false;
    if (hour > 23 || minute > 59 || second > 60)
        return false;
    *ret_s = ((int64_t)hour * 60 + minute) * 60 + second;
    *ret_leap_second = second == 60;
    return true;
}

/* ".123456789", or nothing; beyond six digits cut. */
static bool fraction_take(struct slice *text, int64_t *ret_us)
{
    int64_t value_us = 0;
    int64_t unit_us = US_PER_S / 10;
    unsigned n = 0;

    *ret_us = 0;
    if (!char_take(text, '.'))
        return true;
    for (unsigned digit; digits_take(text, 1, &digit); n++) {
        value_us += digit * unit_us;
        unit_us /= 10;
    }
    *ret_us = value_us;
    return n >= 1 && n <= 9;
}

/* "Z", "+01:00", "-08:30": seconds east of UTC; nothing may follow. */
static bool offset_take(struct slice *text, int64_t *ret_s)
{
    unsigned hours, minutes;

    *ret_s = 0;
    if (char_take(text, 'Z'))
        return text->size == 0;
    bool west = text->size > 0 && text->at[0] == '-';
    if (!char_take(text, west ? '-' : '+') || !digits_take(text, 2, &hours) ||
        !char_take(text, ':') || !digits_take(text, 2, &minutes))
        return false;
    if (hours > 23 || minutes > 59 || text->size != 0)
        return false;
    int64_t east_s = ((int64_t)hours * 60 + minutes) * 60;
    *ret_s = west ? -east_s : east_s;
    return true;
}

bool time_parse(struct slice text, int64_t *ret_us)
{
    struct date date;
    int64_t of_day_s, fraction_us, offset_s;
    bool leap_second;

    if (!date_take(&text, &date) || !char_take(&text, 'T') ||
        !time_of_day_take(&text, &of_day_s, &leap_second) || !fraction_take(&text, &fraction_us) ||
        !offset_take(&text, &offset_s))
        return false;
    int64_t time_s = day_of_date(date) * S_PER_DAY + of_day_s - offset_s;
    /* RFC 3339 §5.7: a second 60 ends a day of UTC. POSIX time counts it as the next day's first.
     */
    if (leap_second && time_s % S_PER_DAY != 0)
        return false;
    *ret_us = time_s * US_PER_S + fraction_us;
    return true;
}

#define DURATION_MAX_US (3650 * US_PER_DAY)

static const struct duration_unit {
    const char *word;
    int64_t us;
} duration_units[] = {
    /* falling */
    {.word = "d", .us = US_PER_DAY}, {.word = "h", .us = US_PER_HOUR},
    {.word = "m", .us = US_PER_MIN}, {.word = "s", .us = US_PER_S},
    {.word = "ms", .us = US_PER_MS},
};

/* "90" of "90s", at most DURATION_MAX_US of the smallest unit. */
static bool count_take(struct slice *text, int64_t *ret)
{
    int64_t count = 0;
    size_t n = 0;

    for (unsigned digit; digits_take(text, 1, &digit); n++) {
        count = count * 10 + digit;
        if (count > DURATION_MAX_US / US_PER_MS)
            return false;
    }
    *ret = count;
    return n > 0;
}

/* The unit's place in duration_units: its letters end at the next digit, so "ms" is never "m" and
 * "s". */
static bool unit_take(struct slice *text, size_t *ret)
{
    struct slice word = {.at = text->at};

    while (word.size < text->size && !is_digit(text->at[word.size]))
        word.size++;
    for (size_t i = 0; i < COUNT_OF(duration_units); i++) {
        if (!slice_is(word, duration_units[i].word))
            continue;
        text->at += word.size;
        text->size -= word.size;
        *ret = i;
        return true;
    }
    return false;
}

bool duration_parse(struct slice text, int64_t *ret_us)
{
    int64_t total_us = 0;
    size_t next_unit = 0;

    do {
        int64_t count;
        size_t unit;
        if (!count_take(&text, &count) || !unit_take(&text, &unit) || unit < next_unit)
            return false;
        if (count > DURATION_MAX_US / duration_units[unit].us)
            return false;
        total_us += count * duration_units[unit].us;
        next_unit = unit + 1;
    } while (text.size > 0);
    if (total_us > DURATION_MAX_US)
        return false;
    *ret_us = total_us;
    return true;
}

static char *number_put(char *at, uint64_t value)
{
    unsigned n = 1;

    for (uint64_t rest = value / 10; rest > 0; rest /= 10)
        n++;
    return digits_put(at, value, n);
}

/* value / unit without zeros at its end; `unit` is 10 to the power of `digits`. */
static char *decimal_put(char *at, uint64_t value, uint64_t unit, unsigned digits)
{
    uint64_t fraction = value % unit;

    at = number_put(at, value / unit);
    if (fraction == 0)
        return at;
    while (fraction % 10 == 0) {
        fraction /= 10;
        digits--;
    }
    *at++ = '.';
    return digits_put(at, fraction, digits);
}

void duration_format(int64_t duration_us, char ret[DURATION_TEXT_SIZE])
{
    uint64_t us = duration_us < 0 ? 0 - (uint64_t)duration_us : (uint64_t)duration_us;
    char *at = ret;
    const char *unit = "s";

    if (duration_us < 0)
        *at++ = '-';
    if (us >= (uint64_t)US_PER_HOUR) {
        at = number_put(at, us / (uint64_t)US_PER_HOUR);
        *at++ = 'h';
    }
    if (us >= (uint64_t)US_PER_MIN) {
        at = number_put(at, us / (uint64_t)US_PER_MIN % 60);
        *at++ = 'm';
    }
    if (us >= (uint64_t)US_PER_S || us == 0) {
        at = decimal_put(at, us % (uint64_t)US_PER_MIN, (uint64_t)US_PER_S, 6);
    } else if (us >= (uint64_t)US_PER_MS) {
        at = decimal_put(at, us, (uint64_t)US_PER_MS, 3);
        unit = "ms";
    } else {
        at = number_put(at, us);
        unit = "µs";
    }
    memcpy(at, unit, strlen(unit) + 1);
}

static const char *plural(int64_t n)
{
    return n == 1 ? "" : "s";
}

void uptime_format(int64_t uptime_s, char ret[DURATION_TEXT_SIZE + 24])
{
    assert(uptime_s >= 0);
    int64_t days = uptime_s / S_PER_DAY;
    int64_t hours = uptime_s / 3600 % 24;
    int64_t minutes = uptime_s / 60 % 60;

    snprintf(ret, DURATION_TEXT_SIZE + 24, "%lld day%s, %lld hour%s, %lld minute%s",
             (long long)days, plural(days), (long long)hours, plural(hours), (long long)minutes,
             plural(minutes));
}
