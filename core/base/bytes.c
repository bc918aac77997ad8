#include "core/base/bytes.h"

struct lb_bytes lb_bytes(const void *p, size_t len) {
    return (struct lb_bytes){.p = p, .len = len};
}

struct lb_bytes lb_bytes_of_text(const char *text) {
    size_t len = 0;
    while (text[len])
        len++;
    return lb_bytes(text, len);
}

bool lb_bytes_equal(struct lb_bytes a, struct lb_bytes b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

bool lb_bytes_start_with(struct lb_bytes bytes, struct lb_bytes prefix) {
    return bytes.len >= prefix.len && lb_bytes_equal(lb_bytes(bytes.p, prefix.len), prefix);
}

struct lb_bytes lb_bytes_after(struct lb_bytes bytes, size_t n) {
    if (n >= bytes.len)
        return lb_bytes(NULL, 0);
    return lb_bytes(bytes.p + n, bytes.len - n);
}

struct lb_bytes lb_bytes_trim_nul(struct lb_bytes bytes) {
    while (bytes.len > 0 && bytes.p[bytes.len - 1] == 0)
        bytes.len--;
    return bytes;
}

struct lb_bytes lb_bytes_unquote(struct lb_bytes text, uint8_t quote) {
    bool is_quoted = text.len >= 2 && text.p[0] == quote && text.p[text.len - 1] == quote;
    return is_quoted ? lb_bytes(text.p + 1, text.len - 2) : text;
}

struct lb_bytes lb_bytes_unquote_any(struct lb_bytes text) {
    struct lb_bytes inner = lb_bytes_unquote(text, '"');
    return inner.len != text.len ? inner : lb_bytes_unquote(text, '\'');
}

struct lb_span lb_span(void *p, size_t len) {
    return (struct lb_span){.p = p, .len = len};
}

struct lb_rd lb_rd(struct lb_bytes bytes) {
    return (struct lb_rd){.at = bytes.p, .left = bytes.len};
}

struct lb_bytes lb_rd_bytes(struct lb_rd *rd, size_t n) {
    if (rd->bad || n > rd->left) {
        rd->bad = true;
        return lb_bytes(NULL, 0);
    }
    struct lb_bytes bytes = {.p = rd->at, .len = n};
    if (n > 0)
        rd->at += n;
    rd->left -= n;
    return bytes;
}

static uint64_t read_be(struct lb_rd *rd, size_t n) {
    struct lb_bytes bytes = lb_rd_bytes(rd, n);
    uint64_t value = 0;
    for (size_t i = 0; i < bytes.len; i++)
        value = value << 8 | bytes.p[i];
    return value;
}

static uint64_t read_le(struct lb_rd *rd, size_t n) {
    struct lb_bytes bytes = lb_rd_bytes(rd, n);
    uint64_t value = 0;
    for (size_t i = bytes.len; i > 0; i--)
        value = value << 8 | bytes.p[i - 1];
    return value;
}

uint8_t lb_rd_u8(struct lb_rd *rd) {
    return (uint8_t)read_be(rd, 1);
}

uint16_t lb_rd_u16(struct lb_rd *rd) {
    return (uint16_t)read_be(rd, 2);
}

uint32_t lb_rd_u24(struct lb_rd *rd) {
    return (uint32_t)read_be(rd, 3);
}

uint32_t lb_rd_u32(struct lb_rd *rd) {
    return (uint32_t)read_be(rd, 4);
}

uint64_t lb_rd_u64(struct lb_rd *rd) {
    return read_be(rd, 8);
}

uint16_t lb_rd_u16le(struct lb_rd *rd) {
    return (uint16_t)read_le(rd, 2);
}

uint32_t lb_rd_u32le(struct lb_rd *rd) {
    return (uint32_t)read_le(rd, 4);
}

uint64_t lb_rd_u64le(struct lb_rd *rd) {
    return read_le(rd, 8);
}

struct lb_bytes lb_rd_rest(struct lb_rd *rd) {
    return lb_rd_bytes(rd, rd->bad ? 0 : rd->left);
}

void lb_rd_copy(struct lb_rd *rd, void *to, size_t len) {
    struct lb_bytes bytes = lb_rd_bytes(rd, len);
    if (len == 0)
        return;
    if (bytes.len == len)
        memcpy(to, bytes.p, len);
    else
        memset(to, 0, len);
}

void lb_rd_skip(struct lb_rd *rd, size_t n) {
    (void)lb_rd_bytes(rd, n);
}

bool lb_rd_ok(const struct lb_rd *rd) {
    return !rd->bad;
}

bool lb_rd_done(const struct lb_rd *rd) {
    return !rd->bad && rd->left == 0;
}

struct lb_wr lb_wr(struct lb_span room) {
    return (struct lb_wr){.start = room.p, .cap = room.len};
}

/* The next n bytes to be written, or NULL: the only place where a writer moves. */
static uint8_t *take(struct lb_wr *wr, size_t n) {
    if (wr->bad || n > wr->cap - wr->len) {
        wr->bad = true;
        return NULL;
    }
    uint8_t *at = wr->start + wr->len;
    wr->len += n;
    return at;
}

/* What was written at offset, n bytes; NULL where that was not written. */
static uint8_t *again(struct lb_wr *wr, size_t offset, size_t n) {
    if (wr->bad || offset > wr->len || n > wr->len - offset) {
        wr->bad = true;
        return NULL;
    }
    return wr->start + offset;
}

static void store_be(uint8_t *at, size_t n, uint64_t value) {
    for (size_t i = 0; at && i < n; i++)
        at[i] = (uint8_t)(value >> (8 * (n - 1 - i)));
}

static void store_le(uint8_t *at, size_t n, uint64_t value) {
    for (size_t i = 0; at && i < n; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

void lb_wr_u8(struct lb_wr *wr, uint8_t value) {
    store_be(take(wr, 1), 1, value);
}

void lb_wr_u16(struct lb_wr *wr, uint16_t value) {
    store_be(take(wr, 2), 2, value);
}

void lb_wr_u24(struct lb_wr *wr, uint32_t value) {
    lb_assert(value < UINT32_C(1) << 24);
    store_be(take(wr, 3), 3, value);
}

void lb_wr_u32(struct lb_wr *wr, uint32_t value) {
    store_be(take(wr, 4), 4, value);
}

void lb_wr_u64(struct lb_wr *wr, uint64_t value) {
    store_be(take(wr, 8), 8, value);
}

void lb_wr_u16le(struct lb_wr *wr, uint16_t value) {
    store_le(take(wr, 2), 2, value);
}

void lb_wr_u32le(struct lb_wr *wr, uint32_t value) {
    store_le(take(wr, 4), 4, value);
}

void lb_wr_u64le(struct lb_wr *wr, uint64_t value) {
    store_le(take(wr, 8), 8, value);
}

void lb_wr_bytes(struct lb_wr *wr, struct lb_bytes bytes) {
    uint8_t *at = bytes.len > 0 ? take(wr, bytes.len) : NULL;
    if (at)
        memcpy(at, bytes.p, bytes.len);
}

void lb_wr_text(struct lb_wr *wr, const char *text) {
    lb_wr_bytes(wr, lb_bytes_of_text(text));
}

void lb_wr_zero(struct lb_wr *wr, size_t n) {
    uint8_t *at = n > 0 ? take(wr, n) : NULL;
    if (at)
        memset(at, 0, n);
}

void lb_wr_u8_at(struct lb_wr *wr, size_t offset, uint8_t value) {
    store_be(again(wr, offset, 1), 1, value);
}

void lb_wr_u16_at(struct lb_wr *wr, size_t offset, uint16_t value) {
    store_be(again(wr, offset, 2), 2, value);
}

void lb_wr_u32_at(struct lb_wr *wr, size_t offset, uint32_t value) {
    store_be(again(wr, offset, 4), 4, value);
}

bool lb_wr_ok(const struct lb_wr *wr) {
    return !wr->bad;
}

struct lb_bytes lb_wr_done(const struct lb_wr *wr) {
    return wr->bad ? lb_bytes(NULL, 0) : lb_bytes(wr->start, wr->len);
}
