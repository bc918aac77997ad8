/* Framing (RFC 7143 11.2), in phases:
 *
 *   IN_HEADER --HEADER--> IN_DECISION --keep--> IN_KEPT --------------> PDU -> IN_HEADER
 *       |                      `------place---> IN_PLACED -> IN_TRAILER --^
 *       `-- no data -----------------------------------------------------'     any -> BROKEN */
#include "core/iscsi/iscsi_stream.h"
#include "core/crypto/crypto.h"

enum {
    /* Two costs are weighed (bench/NOTES.md has what was measured on Linux): a system call more,
     * and the copy out of the staging buffer. Data segments shorter than DIRECT_DATA are always
     * staged, many at once. From DIRECT_DATA on they are where nothing more waits to be received,
     * so that it is worth reading a header alone; from LARGE_DATA on they never are. */
    DIRECT_DATA = 65536,
    LARGE_DATA = 131072,
    /* What is staged behind a large data segment: its trailer, a response, and the next header. */
    STAGE_AFTER_LARGE = 128,
    DIGEST = 4,
    TRAILER_MAX = 3 + DIGEST,
};

static uint32_t pad_len(uint32_t len) {
    return -len & 3;
}

static uint32_t trailer_len(const struct lb_stream *stream) {
    return pad_len(stream->data_len) + (stream->data_digest ? DIGEST : 0);
}

static size_t staged(const struct lb_stream *stream) {
    return stream->tail - stream->head;
}

bool lb_stream_rx_is_free(const struct lb_stream *stream) {
    return stream->phase == LB_STREAM_IN_HEADER && staged(stream) == 0;
}

bool lb_stream_tx_is_free(const struct lb_stream *stream) {
    return stream->piece_count == 0;
}

void lb_stream_set_rx(struct lb_stream *stream, struct lb_span rx) {
    lb_assert(rx.len == 0 || rx.len >= LB_STREAM_LOGIN_DATA + LB_STREAM_KEEP_OVERHEAD);
    stream->rx = rx;
    stream->head = stream->tail = 0;
    stream->data = lb_bytes(NULL, 0);
}

void lb_stream_set_tx(struct lb_stream *stream, struct lb_stream_tx *tx) {
    stream->tx = tx;
    stream->tx_start = stream->tx_len = stream->piece_start = stream->piece_count = 0;
}

void lb_stream_init(struct lb_stream *stream, struct lb_span rx, struct lb_stream_tx *tx) {
    lb_stream_set_rx(stream, rx);
    lb_stream_set_tx(stream, tx);
    stream->queued = 0;
    stream->refuses_ahs = false;
    lb_stream_reset(stream);
}

void lb_stream_reset(struct lb_stream *stream) {
    stream->data_len = stream->ahs_len = stream->received = stream->crc = stream->last_len = 0;
    stream->data = lb_bytes(NULL, 0);
    stream->to = lb_span(NULL, 0);
    stream->header_digest = stream->data_digest = false;
    stream->phase = LB_STREAM_IN_HEADER;
    stream->broken = LB_STREAM_MORE;
    stream->max_data = LB_STREAM_LOGIN_DATA;
    stream->head = stream->tail = 0;
    stream->taken = stream->queued; /* positions go on: is_sent stays true of all older ones */
    stream->tx_start = stream->tx_len = stream->piece_start = stream->piece_count = 0;
}

void lb_stream_set_digests(struct lb_stream *stream, bool header, bool data) {
    stream->header_digest = header;
    stream->data_digest = data;
}

void lb_stream_refuse_ahs(struct lb_stream *stream) {
    stream->refuses_ahs = true;
}

void lb_stream_set_max_data(struct lb_stream *stream, uint32_t bytes) {
    stream->max_data = bytes;
}

/* ---- receiving ------------------------------------------------------------------------------ */

/* Bytes of the data segment that may still be received straight into the owner's memory. */
static size_t direct_len(const struct lb_stream *stream) {
    if (stream->phase != LB_STREAM_IN_PLACED || staged(stream) != 0 ||
        stream->received >= stream->to.len)
        return 0;
    return LB_MIN(stream->to.len, stream->data_len) - stream->received;
}

/* An idle stream has no memory: then nothing is staged. */
static const uint8_t *staged_at(const struct lb_stream *stream) {
    return stream->rx.p == NULL ? NULL : stream->rx.p + stream->head;
}

static void make_room(struct lb_stream *stream) {
    if (stream->head == stream->tail) {
        stream->head = stream->tail = 0;
    } else if (stream->head > 0 && stream->rx.len - stream->tail < stream->rx.len / 4) {
        memmove(stream->rx.p, stream->rx.p + stream->head, staged(stream));
        stream->tail -= stream->head;
        stream->head = 0;
    }
}

static size_t stage_len(const struct lb_stream *stream) {
    size_t room = stream->rx.len - stream->tail;
    uint32_t len = stream->last_len, direct = DIRECT_DATA;
    if (stream->phase == LB_STREAM_IN_KEPT || staged(stream) >= STAGE_AFTER_LARGE)
        return room;
    if (stream->phase == LB_STREAM_IN_PLACED || stream->phase == LB_STREAM_IN_TRAILER) {
        len = stream->data_len;
        direct = LARGE_DATA;
    }
    return len >= direct ? LB_MIN(room, STAGE_AFTER_LARGE) : room;
}

size_t lb_stream_where(struct lb_stream *stream, struct lb_span spans[2]) {
    size_t count = 0;
    if (stream->phase == LB_STREAM_IN_DECISION || stream->phase == LB_STREAM_BROKEN)
        return 0;
    size_t direct = direct_len(stream);
    make_room(stream);
    if (direct > 0)
        spans[count++] = lb_span(stream->to.p + stream->received, direct);
    size_t stage = stage_len(stream);
    if (stage > 0)
        spans[count++] = lb_span(stream->rx.p + stream->tail, stage);
    return count;
}

void lb_stream_got(struct lb_stream *stream, size_t len) {
    size_t direct = LB_MIN(direct_len(stream), len);
    if (direct > 0) {
        if (stream->data_digest)
            stream->crc = lb_crc32c(stream->crc, stream->to.p + stream->received, direct);
        stream->received += (uint32_t)direct;
        len -= direct;
    }
    lb_assert(len <= stream->rx.len - stream->tail);
    stream->tail += len;
}

static enum lb_stream_event break_off(struct lb_stream *stream, enum lb_stream_event why) {
    stream->phase = LB_STREAM_BROKEN;
    stream->broken = why;
    return why;
}

static enum lb_stream_event end_pdu(struct lb_stream *stream) {
    stream->phase = LB_STREAM_IN_HEADER;
    stream->last_len = stream->data_len;
    return LB_STREAM_PDU;
}

/* RFC 7143 11.2.3: CRC32C goes out least significant byte first. */
static bool digest_matches(const uint8_t *at, uint32_t crc) {
    struct lb_rd rd = lb_rd(lb_bytes(at, DIGEST));
    return lb_rd_u32le(&rd) == crc;
}

static enum lb_stream_event next_header(struct lb_stream *stream) {
    if (staged(stream) < LB_STREAM_BHS)
        return LB_STREAM_MORE;
    const uint8_t *at = stream->rx.p + stream->head;
    size_t len = LB_STREAM_BHS + (size_t)at[4] * 4;
    size_t whole = len + (stream->header_digest ? DIGEST : 0);
    /* With a digest it is waited for: damage has to be told from what was meant. */
    bool is_refused = stream->refuses_ahs && !stream->header_digest && at[4] != 0;
    if (staged(stream) < whole && !is_refused)
        return LB_STREAM_MORE;
    if (stream->header_digest && !digest_matches(at + len, lb_crc32c(0, at, len)))
        return break_off(stream, LB_STREAM_BAD_HEADER_DIGEST);
    memcpy(stream->bhs, at, LB_STREAM_BHS);
    stream->ahs_len = (uint32_t)at[4] * 4;
    if (is_refused)
        return break_off(stream, LB_STREAM_TOO_LONG);
    stream->head += whole;
    stream->data_len = (uint32_t)at[5] << 16 | (uint32_t)at[6] << 8 | at[7];
    stream->received = stream->crc = 0;
    if (stream->data_len > stream->max_data)
        return break_off(stream, LB_STREAM_TOO_LONG);
    if (stream->data_len == 0)
        return end_pdu(stream);
    stream->phase = LB_STREAM_IN_DECISION;
    return LB_STREAM_HEADER;
}

void lb_stream_keep(struct lb_stream *stream) {
    lb_assert(stream->phase == LB_STREAM_IN_DECISION);
    if (stream->data_len > stream->rx.len - LB_STREAM_KEEP_OVERHEAD)
        (void)break_off(stream, LB_STREAM_TOO_LONG);
    else
        stream->phase = LB_STREAM_IN_KEPT;
}

void lb_stream_place(struct lb_stream *stream, struct lb_span to) {
    lb_assert(stream->phase == LB_STREAM_IN_DECISION);
    stream->to = to;
    stream->phase = LB_STREAM_IN_PLACED;
}

static enum lb_stream_event next_kept(struct lb_stream *stream) {
    size_t padded = stream->data_len + pad_len(stream->data_len);
    size_t whole = stream->data_len + trailer_len(stream);
    const uint8_t *at = staged_at(stream);
    if (staged(stream) < whole) {
        /* Room for all of it, wherever it began. */
        if (whole > stream->rx.len - stream->head) {
            memmove(stream->rx.p, at, staged(stream));
            stream->tail -= stream->head;
            stream->head = 0;
        }
        return LB_STREAM_MORE;
    }
    if (stream->data_digest && !digest_matches(at + padded, lb_crc32c(0, at, padded)))
        return break_off(stream, LB_STREAM_BAD_DATA_DIGEST);
    stream->data = lb_bytes(at, stream->data_len);
    stream->head += whole;
    return end_pdu(stream);
}

static enum lb_stream_event next_trailer(struct lb_stream *stream) {
    const uint8_t *at = staged_at(stream);
    size_t pad = pad_len(stream->data_len);
    if (staged(stream) < trailer_len(stream))
        return LB_STREAM_MORE;
    if (stream->data_digest && !digest_matches(at + pad, lb_crc32c(stream->crc, at, pad)))
        return break_off(stream, LB_STREAM_BAD_DATA_DIGEST);
    stream->head += trailer_len(stream);
    return end_pdu(stream);
}

static enum lb_stream_event next_placed(struct lb_stream *stream) {
    const uint8_t *from = staged_at(stream);
    size_t take = LB_MIN(staged(stream), (size_t)(stream->data_len - stream->received));
    if (take > 0) {
        if (stream->data_digest)
            stream->crc = lb_crc32c(stream->crc, from, take);
        if (stream->received < stream->to.len)
            memcpy(stream->to.p + stream->received, from,
                   LB_MIN(take, stream->to.len - stream->received));
        stream->received += (uint32_t)take;
        stream->head += take;
    }
    if (stream->received < stream->data_len)
        return LB_STREAM_MORE;
    stream->phase = LB_STREAM_IN_TRAILER;
    return next_trailer(stream);
}

enum lb_stream_event lb_stream_next(struct lb_stream *stream) {
    stream->data = lb_bytes(NULL, 0);
    switch (stream->phase) {
    case LB_STREAM_IN_HEADER:
        return next_header(stream);
    case LB_STREAM_IN_DECISION:
        return LB_STREAM_HEADER;
    case LB_STREAM_IN_KEPT:
        return next_kept(stream);
    case LB_STREAM_IN_PLACED:
        return next_placed(stream);
    case LB_STREAM_IN_TRAILER:
        return next_trailer(stream);
    case LB_STREAM_BROKEN:
        break;
    }
    return stream->broken;
}

/* ---- sending -------------------------------------------------------------------------------- */

/* With data it takes up to three pieces: header, data, and the trailer, which the next header may
 * join. Room for the longest copy is kept apart. */
size_t lb_stream_room(const struct lb_stream *stream) {
    size_t bytes = LB_STREAM_TX_BYTES - stream->tx_len;
    size_t pieces = LB_STREAM_TX_PIECES - stream->piece_count;
    if (stream->tx == NULL || bytes < LB_STREAM_COPY_MAX)
        return 0;
    return LB_MIN((bytes - LB_STREAM_COPY_MAX) / (LB_STREAM_BHS + DIGEST + TRAILER_MAX),
                  pieces / 3);
}

bool lb_stream_can_queue(const struct lb_stream *stream) {
    return lb_stream_room(stream) > 0;
}

static void add_piece(struct lb_stream *stream, const uint8_t *p, size_t len) {
    size_t last = (stream->piece_start + stream->piece_count - 1) % LB_STREAM_TX_PIECES;
    stream->queued += len;
    if (p == NULL && stream->piece_count > 0 && stream->tx->pieces[last].p == NULL) {
        stream->tx->pieces[last].len += len;
        return;
    }
    size_t next = (stream->piece_start + stream->piece_count) % LB_STREAM_TX_PIECES;
    stream->tx->pieces[next] = (struct lb_stream_piece){.p = p, .len = len};
    stream->piece_count++;
}

/* Into the tx ring. */
static void add_own(struct lb_stream *stream, const uint8_t *from, size_t len) {
    size_t at = (stream->tx_start + stream->tx_len) % LB_STREAM_TX_BYTES;
    size_t first = LB_MIN(len, LB_STREAM_TX_BYTES - at);
    memcpy(stream->tx->bytes + at, from, first);
    if (first < len)
        memcpy(stream->tx->bytes, from + first, len - first);
    stream->tx_len += len;
    add_piece(stream, NULL, len);
}

static void put_digest(uint8_t to[DIGEST], uint32_t crc) {
    struct lb_wr wr = lb_wr(lb_span(to, DIGEST));
    lb_wr_u32le(&wr, crc);
}

static uint64_t queue_pdu(struct lb_stream *stream, const uint8_t bhs[LB_STREAM_BHS],
                          struct lb_bytes data, bool copy) {
    uint8_t header[LB_STREAM_BHS + DIGEST];
    lb_assert(lb_stream_can_queue(stream) && data.len < UINT32_C(1) << 24);
    memcpy(header, bhs, LB_STREAM_BHS);
    header[4] = 0;
    header[5] = (uint8_t)(data.len >> 16);
    header[6] = (uint8_t)(data.len >> 8);
    header[7] = (uint8_t)data.len;
    if (stream->header_digest)
        put_digest(header + LB_STREAM_BHS, lb_crc32c(0, header, LB_STREAM_BHS));
    add_own(stream, header, LB_STREAM_BHS + (stream->header_digest ? DIGEST : 0));
    if (data.len == 0)
        return stream->queued;
    if (copy)
        add_own(stream, data.p, data.len);
    else
        add_piece(stream, data.p, data.len);
    uint8_t trailer[TRAILER_MAX] = {0};
    size_t pad = pad_len((uint32_t)data.len);
    if (stream->data_digest) {
        uint32_t crc = lb_crc32c(0, data.p, data.len);
        put_digest(trailer + pad, lb_crc32c(crc, trailer, pad));
    }
    size_t len = pad + (stream->data_digest ? DIGEST : 0);
    if (len > 0)
        add_own(stream, trailer, len);
    return stream->queued;
}

uint64_t lb_stream_queue(struct lb_stream *stream, const uint8_t bhs[LB_STREAM_BHS],
                         struct lb_bytes data) {
    return queue_pdu(stream, bhs, data, false);
}

uint64_t lb_stream_queue_copy(struct lb_stream *stream, const uint8_t bhs[LB_STREAM_BHS],
                              struct lb_bytes data) {
    lb_assert(data.len <= LB_STREAM_COPY_MAX);
    return queue_pdu(stream, bhs, data, true);
}

bool lb_stream_is_sent(const struct lb_stream *stream, uint64_t position) {
    return stream->taken >= position;
}

bool lb_stream_has_unsent(const struct lb_stream *stream) {
    return stream->piece_count > 0;
}

size_t lb_stream_gather(const struct lb_stream *stream, struct lb_bytes *pieces, size_t cap) {
    size_t own = stream->tx_start, count = 0;
    for (size_t i = 0; i < stream->piece_count && count < cap; i++) {
        struct lb_stream_piece piece =
            stream->tx->pieces[(stream->piece_start + i) % LB_STREAM_TX_PIECES];
        if (piece.p != NULL) {
            pieces[count++] = lb_bytes(piece.p, piece.len);
            continue;
        }
        size_t first = LB_MIN(piece.len, LB_STREAM_TX_BYTES - own);
        pieces[count++] = lb_bytes(stream->tx->bytes + own, first);
        if (first < piece.len && count < cap)
            pieces[count++] = lb_bytes(stream->tx->bytes, piece.len - first);
        own = (own + piece.len) % LB_STREAM_TX_BYTES;
    }
    return count;
}

void lb_stream_sent(struct lb_stream *stream, size_t len) {
    lb_assert(len <= stream->queued - stream->taken);
    stream->taken += len;
    while (len > 0) {
        struct lb_stream_piece *piece = &stream->tx->pieces[stream->piece_start];
        size_t take = LB_MIN(len, piece->len);
        if (piece->p != NULL) {
            piece->p += take;
        } else {
            stream->tx_start = (stream->tx_start + take) % LB_STREAM_TX_BYTES;
            stream->tx_len -= take;
        }
        piece->len -= take;
        len -= take;
        if (piece->len == 0) {
            stream->piece_start = (stream->piece_start + 1) % LB_STREAM_TX_PIECES;
            stream->piece_count--;
        }
    }
    if (stream->piece_count == 0)
        stream->tx_start = 0; /* the next headers in one piece */
}
