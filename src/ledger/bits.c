/* SPDX-License-Identifier: MIT */
/*
 * The portable format (github.com/RoaringBitmap/RoaringFormatSpec) of one container without runs;
 * little-endian.
 */
#include "ledger/bits.h"

#include "base/outcome.h"

#include <errno.h>
#include <roaring/roaring.h>

#define BITS_COOKIE      12346u
#define BITS_HEADER_SIZE 16u
#define BITS_ARRAY_MAX   4096u

roaring_bitmap_t *bits_new(void)
{
    roaring_bitmap_t *bits = roaring_bitmap_create();

    if (!bits)
        abort(); /* out of memory */
    return bits;
}

void bits_encode(const roaring_bitmap_t *bits, struct buf *to)
{
    size_t size = roaring_bitmap_portable_size_in_bytes(bits);
    char *at = buf_reserve(to, size);

    if (!at)
        return;
    roaring_bitmap_portable_serialize(bits, at);
    to->size += size;
}

static uint32_t u16_at(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8;
}

static uint32_t u32_at(const uint8_t *at)
{
    return u16_at(at) | u16_at(at + 2) << 16;
}

static bool is_ascending(const uint8_t *at, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        if (u16_at(at + 2 * i) <= u16_at(at + 2 * i - 2))
            return false;
    }
    return true;
}

static uint32_t bits_count(const uint8_t *at, size_t size)
{
    uint32_t n = 0;

    for (size_t i = 0; i < size; i++)
        n += (uint32_t)__builtin_popcount(at[i]);
    return n;
}

static bool bits_are_sound(struct slice bits)
{
    const uint8_t *at = (const uint8_t *)bits.at;

    if (bits.size < BITS_HEADER_SIZE || u32_at(at) != BITS_COOKIE || u32_at(at + 4) != 1 ||
        u16_at(at + 8) != 0 || u32_at(at + 12) != BITS_HEADER_SIZE)
        return false;
    uint32_t cardinality = u16_at(at + 10) + 1;
    size_t size = cardinality <= BITS_ARRAY_MAX ? 2 * (size_t)cardinality : BITS_POSITIONS / 8;
    if (bits.size != BITS_HEADER_SIZE + size)
        return false;
    at += BITS_HEADER_SIZE;
    return cardinality <= BITS_ARRAY_MAX ? is_ascending(at, cardinality)
                                         : bits_count(at, size) == cardinality;
}

int bits_decode(struct slice bytes, roaring_bitmap_t **ret)
{
    if (!bits_are_sound(bytes))
        return FAULT(-EUCLEAN);
    roaring_bitmap_t *bits = roaring_bitmap_portable_deserialize_safe(bytes.at, bytes.size);
    if (!bits)
        return FAULT(-EUCLEAN);
    *ret = bits;
    return 0;
}
