#include "hosts/uefi/inflate.h"

enum {
    BITS_MAX = 15,  /* of a code */
    LITERALS = 288, /* and lengths */
    DISTANCES = 32, /* two of them mean nothing */
    LENGTH_CODES = 19,
    END = 256,
    LONGEST = 285,
    SHORT_BITS = 9, /* codes that a table has at once: nearly all that come */
};

struct source {
    struct lb_bytes rest;
    uint64_t bits; /* the next ones, lowest first; zeros where the data is over */
    unsigned count;
    bool is_bad;
};

/* Codes of a length are numbers in a row; the symbols stand in their order. */
struct codes {
    uint16_t count[BITS_MAX + 1];
    uint16_t symbols[LITERALS];
    /* By the next bits: symbol * 16 + length; 0: a longer code. */
    uint16_t by_bits[1 << SHORT_BITS];
};

static void fill(struct source *s) {
    for (; s->count <= 32 && s->rest.len > 0; s->count += 8, s->rest.len--)
        s->bits |= (uint64_t)*s->rest.p++ << s->count;
}

static void drop(struct source *s, unsigned count) {
    s->is_bad = s->is_bad || count > s->count;
    s->bits >>= count;
    s->count -= s->is_bad ? s->count : count;
}

static unsigned take(struct source *s, unsigned count) {
    fill(s);
    unsigned value = (unsigned)s->bits & ((1u << count) - 1);
    drop(s, count);
    return value;
}

/* A code's bits come highest first. */
static void add_short(struct codes *codes, unsigned code, unsigned len, unsigned symbol) {
    unsigned turned = 0;
    for (unsigned i = 0; i < len; i++)
        turned |= (code >> i & 1) << (len - 1 - i);
    for (; turned < 1 << SHORT_BITS; turned += 1u << len)
        codes->by_bits[turned] = (uint16_t)(symbol << 4 | len);
}

static void make_codes(struct codes *codes, const uint8_t *lengths, unsigned count) {
    uint16_t next[BITS_MAX + 1], code[BITS_MAX + 1];
    unsigned at = 0, first = 0;
    memset(codes, 0, sizeof *codes);
    for (unsigned i = 0; i < count; i++)
        codes->count[lengths[i]]++;
    codes->count[0] = 0;
    for (unsigned i = 0; i <= BITS_MAX; i++) {
        next[i] = (uint16_t)at;
        code[i] = (uint16_t)first;
        at += codes->count[i];
        first = (first + codes->count[i]) << 1;
    }
    for (unsigned i = 0; i < count; i++) {
        unsigned len = lengths[i];
        if (len == 0)
            continue;
        codes->symbols[next[len]++] = (uint16_t)i;
        if (len <= SHORT_BITS)
            add_short(codes, code[len]++, len, i);
    }
}

static unsigned take_long(struct source *s, const struct codes *codes) {
    unsigned code = 0, first = 0, index = 0;
    for (unsigned len = 1; len <= BITS_MAX; len++) {
        unsigned count = codes->count[len];
        code |= (unsigned)(s->bits >> (len - 1)) & 1;
        if (code < first + count && code >= first) {
            drop(s, len);
            return codes->symbols[index + code - first];
        }
        index += count;
        first = (first + count) << 1;
        code <<= 1;
    }
    s->is_bad = true;
    return END;
}

static unsigned take_symbol(struct source *s, const struct codes *codes) {
    fill(s);
    unsigned found = codes->by_bits[s->bits & ((1 << SHORT_BITS) - 1)];
    if (found == 0)
        return take_long(s, codes);
    drop(s, found & 15);
    return found >> 4;
}

/* 16, 17, 18, 0, 8, 7, 9, 6, 10, ... 1, 15 */
static unsigned place_of(unsigned i) {
    if (i < 4)
        return i < 3 ? 16 + i : 0;
    return i % 2 == 0 ? 6 + i / 2 : 9 - i / 2;
}

/* 3.2.7 */
static void take_codes(struct source *s, struct codes *literals, struct codes *distances) {
    uint8_t lengths[LITERALS + DISTANCES];
    unsigned literal_count = 257 + take(s, 5), distance_count = 1 + take(s, 5);
    unsigned length_count = 4 + take(s, 4), all = literal_count + distance_count;
    memset(lengths, 0, sizeof lengths);
    for (unsigned i = 0; i < length_count; i++)
        lengths[place_of(i)] = (uint8_t)take(s, 3);
    make_codes(literals, lengths, LENGTH_CODES);
    for (unsigned i = 0; i < all && !s->is_bad;) {
        unsigned symbol = take_symbol(s, literals), times = 1, len = symbol;
        if (symbol >= 16) {
            len = symbol == 16 && i > 0 ? lengths[i - 1] : 0;
            times = symbol == 16 ? 3 + take(s, 2) : symbol == 17 ? 3 + take(s, 3) : 11 + take(s, 7);
        }
        if (times > all - i || symbol > 18) {
            s->is_bad = true;
            return;
        }
        while (times-- > 0)
            lengths[i++] = (uint8_t)len;
    }
    make_codes(distances, lengths + literal_count, distance_count);
    make_codes(literals, lengths, literal_count);
}

static unsigned take_length(struct source *s, unsigned symbol) {
    unsigned i = symbol - END - 1, extra = (i - 4) >> 2;
    if (symbol == LONGEST)
        return 258;
    return i < 8 ? i + 3 : ((4 + i % 4) << extra) + 3 + take(s, extra);
}

static unsigned take_distance(struct source *s, unsigned symbol) {
    unsigned extra = (symbol - 2) >> 1;
    if (symbol >= DISTANCES - 2) {
        s->is_bad = true;
        return 0;
    }
    return symbol < 4 ? symbol + 1 : ((2 + symbol % 2) << extra) + 1 + take(s, extra);
}

static void take_block(struct source *s, struct lb_span to, size_t *len) {
    struct codes literals, distances;
    take_codes(s, &literals, &distances);
    while (!s->is_bad) {
        unsigned symbol = take_symbol(s, &literals), length = 1, distance = 0;
        if (symbol == END)
            return;
        if (symbol > END) {
            length = take_length(s, symbol);
            distance = take_distance(s, take_symbol(s, &distances));
            s->is_bad = s->is_bad || symbol > LONGEST;
        }
        if (s->is_bad || length > to.len - *len || distance > *len) {
            s->is_bad = true;
            return;
        }
        if (distance == 0)
            to.p[(*len)++] = (uint8_t)symbol;
        else
            for (; length > 0; length--, (*len)++)
                to.p[*len] = to.p[*len - distance];
    }
}

bool inflate(struct lb_bytes from, struct lb_span to) {
    struct source s = {.rest = from};
    size_t len = 0;
    bool is_last = false;
    while (!s.is_bad && !is_last) {
        is_last = take(&s, 1) != 0;
        if (take(&s, 2) != 2)
            return false;
        take_block(&s, to, &len);
    }
    return !s.is_bad && len == to.len;
}
