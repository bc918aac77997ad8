/* Bytes: spans, and the two cursors through which every wire byte goes.
 *
 * A cursor never reads or writes outside its span. The first access that does not fit makes it bad,
 * and from then on reads give zero and writes do nothing; the caller asks once, at the end, with
 * lb_rd_ok / lb_rd_done / lb_wr_ok. Multi-byte integers are big-endian, unless the name ends in le.
 * Neither cursor owns its memory: the span must outlive the cursor and what was taken from it. */
#ifndef LB_BASE_BYTES_H
#define LB_BASE_BYTES_H

#include "core/base/mem.h"

/* Bytes somebody else owns, to be read. */
struct lb_bytes {
    const uint8_t *p;
    size_t len;
};

/* Room somebody else owns, to be written. */
struct lb_span {
    uint8_t *p;
    size_t len;
};

/* A span over len bytes at p; nothing is copied. p may be NULL if len is 0. */
struct lb_bytes lb_bytes(const void *p, size_t len);
struct lb_bytes lb_bytes_of_text(const char *text); /* without the NUL */
/* Same length and same bytes. Not for secrets: see lb_equal_secret. */
bool lb_bytes_equal(struct lb_bytes a, struct lb_bytes b);
/* True also for an empty prefix, and where both are the same. */
bool lb_bytes_start_with(struct lb_bytes bytes, struct lb_bytes prefix);
/* The bytes after the first n; empty when there are no more than n. */
struct lb_bytes lb_bytes_after(struct lb_bytes bytes, size_t n);
/* Without trailing NULs. */
struct lb_bytes lb_bytes_trim_nul(struct lb_bytes bytes);
/* The text without a pair of this quote around it; without one, as it is. Nothing is copied. */
struct lb_bytes lb_bytes_unquote(struct lb_bytes text, uint8_t quote);
/* The same for a pair of double quotes, or else of single ones. */
struct lb_bytes lb_bytes_unquote_any(struct lb_bytes text);
/* A span over len writable bytes at p. p may be NULL if len is 0. */
struct lb_span lb_span(void *p, size_t len);

struct lb_rd {
    const uint8_t *at;
    size_t left;
    bool bad;
};

struct lb_rd lb_rd(struct lb_bytes bytes); /* a cursor at the first of these bytes */
uint8_t lb_rd_u8(struct lb_rd *rd);        /* 1 byte */
uint16_t lb_rd_u16(struct lb_rd *rd);      /* 2 bytes */
uint32_t lb_rd_u24(struct lb_rd *rd);      /* 3 bytes */
uint32_t lb_rd_u32(struct lb_rd *rd);      /* 4 bytes */
uint64_t lb_rd_u64(struct lb_rd *rd);      /* 8 bytes */
uint16_t lb_rd_u16le(struct lb_rd *rd);    /* 2 bytes, the lowest first */
uint32_t lb_rd_u32le(struct lb_rd *rd);    /* 4 bytes, the lowest first */
uint64_t lb_rd_u64le(struct lb_rd *rd);    /* 8 bytes, the lowest first */
/* The next n bytes, not copied; empty and bad when there are fewer. */
struct lb_bytes lb_rd_bytes(struct lb_rd *rd, size_t n);
/* Everything that is left. */
struct lb_bytes lb_rd_rest(struct lb_rd *rd);
/* Copies the next len bytes out; zero-fills `to` and goes bad when there are fewer. */
void lb_rd_copy(struct lb_rd *rd, void *to, size_t len);
/* Passes over n bytes; goes bad when there are fewer. */
void lb_rd_skip(struct lb_rd *rd, size_t n);
bool lb_rd_ok(const struct lb_rd *rd);   /* nothing was missing so far */
bool lb_rd_done(const struct lb_rd *rd); /* ok, and nothing is left */

struct lb_wr {
    uint8_t *start;
    size_t len; /* written so far */
    size_t cap;
    bool bad;
};

/* A cursor at the start of the room, with nothing written. */
struct lb_wr lb_wr(struct lb_span room);
void lb_wr_u8(struct lb_wr *wr, uint8_t value);   /* 1 byte */
void lb_wr_u16(struct lb_wr *wr, uint16_t value); /* 2 bytes */
/* 3 bytes; a value of more than 24 bits asserts. */
void lb_wr_u24(struct lb_wr *wr, uint32_t value);
void lb_wr_u32(struct lb_wr *wr, uint32_t value);   /* 4 bytes */
void lb_wr_u64(struct lb_wr *wr, uint64_t value);   /* 8 bytes */
void lb_wr_u16le(struct lb_wr *wr, uint16_t value); /* 2 bytes, the lowest first */
void lb_wr_u32le(struct lb_wr *wr, uint32_t value); /* 4 bytes, the lowest first */
void lb_wr_u64le(struct lb_wr *wr, uint64_t value); /* 8 bytes, the lowest first */
/* All of them, or none and the cursor is bad. */
void lb_wr_bytes(struct lb_wr *wr, struct lb_bytes bytes);
void lb_wr_text(struct lb_wr *wr, const char *text); /* without the NUL */
void lb_wr_zero(struct lb_wr *wr, size_t n);         /* n zero bytes */
/* Writes over what was written before, at offset; goes bad when that is not within len. */
void lb_wr_u8_at(struct lb_wr *wr, size_t offset, uint8_t value);
void lb_wr_u16_at(struct lb_wr *wr, size_t offset, uint16_t value); /* as lb_wr_u8_at, 2 bytes */
void lb_wr_u32_at(struct lb_wr *wr, size_t offset, uint32_t value); /* as lb_wr_u8_at, 4 bytes */
bool lb_wr_ok(const struct lb_wr *wr);              /* everything so far has found room */
struct lb_bytes lb_wr_done(const struct lb_wr *wr); /* what was written; empty when bad */

#endif
