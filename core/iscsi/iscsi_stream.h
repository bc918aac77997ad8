/* The byte stream of one iSCSI connection, for both ends: PDUs in, PDUs out, digests.
 *
 * Receiving. where() gives up to two spans for one readv; got() says how many bytes came; then
 * next() is called until it says MORE:
 *
 *   MORE    all that came is used up: read again
 *   HEADER  a header is in `bhs` and its digest was good. Look at it, then say where its data
 *           segment of data_len bytes goes: keep() or place(). Without data this does not come.
 *   PDU     the PDU is complete and its data digest was good. `data` is what was kept.
 *   other   the stream cannot be trusted any more (RFC 7143 7.7, 7.8): drop the connection
 *
 * While a header is awaited, where() is the staging buffer, and one read may bring many PDUs. Once
 * data has been placed, what is staged is copied there, and the rest is received straight into it,
 * with the staging buffer as the second span for what follows. After a large data segment little is
 * staged, so that large segments follow one another without a copy. Any split of the stream gives
 * the same events. Padding and digests are consumed here.
 *
 * Sending. queue() takes a header, which is copied, and a data segment, which is not: it stays the
 * caller's memory, unchanged, until is_sent() of the position that queue() gave, or until reset().
 * gather() gives pieces for one writev; sent() says how many bytes were taken.
 *
 * Headers are raw bytes here; iscsi_wire decodes them. Used by: initiator_session.c (initiator),
 * target.c. */
#ifndef LB_ISCSI_STREAM_H
#define LB_ISCSI_STREAM_H

#include "core/base/bytes.h"

enum {
    LB_STREAM_BHS = 48,          /* RFC 7143 11.2.1 */
    LB_STREAM_AHS_MAX = 255 * 4, /* TotalAHSLength is a byte, of words */
    LB_STREAM_LOGIN_DATA = 8192, /* MaxRecvDataSegmentLength until it is declared */
    LB_STREAM_TX_BYTES = 16384,  /* headers and digests waiting to be sent: 300 PDUs */
    LB_STREAM_TX_PIECES = 256,   /* gather list of what waits; a PDU with data takes two */
    LB_STREAM_COPY_MAX = 1024,   /* longest data segment that queue_copy takes */
    LB_STREAM_KEEP_OVERHEAD = LB_STREAM_BHS + LB_STREAM_AHS_MAX + 4 + 3 + 4,
};

enum lb_stream_event {
    LB_STREAM_MORE,
    LB_STREAM_HEADER,
    LB_STREAM_PDU,
    LB_STREAM_BAD_HEADER_DIGEST,
    LB_STREAM_BAD_DATA_DIGEST,
    LB_STREAM_TOO_LONG, /* data segment over set_max_data, or kept and over the staging buffer, or
                           an additional header after refuse_ahs (ahs_len is then not 0) */
};

enum lb_stream_phase {
    LB_STREAM_IN_HEADER,
    LB_STREAM_IN_DECISION, /* HEADER was given; keep or place is awaited */
    LB_STREAM_IN_KEPT,
    LB_STREAM_IN_PLACED,
    LB_STREAM_IN_TRAILER, /* padding and data digest */
    LB_STREAM_BROKEN,
};

/* p NULL: bytes of the tx ring. */
struct lb_stream_piece {
    const uint8_t *p;
    size_t len;
};

/* Room for what waits to be sent. */
struct lb_stream_tx {
    struct lb_stream_piece pieces[LB_STREAM_TX_PIECES];
    uint8_t bytes[LB_STREAM_TX_BYTES];
};

struct lb_stream {
    /* The PDU at hand: valid from HEADER (or PDU, when it has no data) until the next call of
     * next. */
    uint8_t bhs[LB_STREAM_BHS];
    uint32_t data_len;    /* DataSegmentLength */
    uint32_t ahs_len;     /* bytes of additional header; checked by digest and dropped */
    struct lb_bytes data; /* PDU: what was kept, in the staging buffer; else empty */

    /* The stream's own. */
    bool header_digest, data_digest;
    bool refuses_ahs;
    enum lb_stream_phase phase;
    enum lb_stream_event broken;
    uint32_t max_data;
    struct lb_span rx; /* staging: bytes [head, tail) wait */
    size_t head, tail;
    struct lb_span to; /* where the data goes */
    uint32_t received; /* bytes of the data segment so far */
    uint32_t crc;      /* of those */
    uint32_t last_len; /* data segment of the last PDU, to foresee the next one */

    uint64_t queued, taken; /* bytes ever queued and sent, since reset */
    size_t tx_start, tx_len;
    size_t piece_start, piece_count;
    struct lb_stream_tx *tx;
};

/* rx: the staging buffer, at least LB_STREAM_LOGIN_DATA + LB_STREAM_KEEP_OVERHEAD bytes; tx: room
 * for what is sent. Both are the caller's, and may be lent for a time: lb_stream_set_rx. */
void lb_stream_init(struct lb_stream *stream, struct lb_span rx, struct lb_stream_tx *tx);
/* Whether rx holds nothing: no part of a PDU has come. */
bool lb_stream_rx_is_free(const struct lb_stream *stream);
/* Whether tx holds nothing: all that was queued has been sent. */
bool lb_stream_tx_is_free(const struct lb_stream *stream);
/* Other memory, while the old holds nothing. Without rx (empty) nothing can be received, without tx
 * (NULL) nothing can be queued. */
void lb_stream_set_rx(struct lb_stream *stream, struct lb_span rx);
void lb_stream_set_tx(struct lb_stream *stream, struct lb_stream_tx *tx); /* see lb_stream_set_rx */
/* For a new connection: all bytes in and out are forgotten; no digests; max_data is
 * LB_STREAM_LOGIN_DATA. */
void lb_stream_reset(struct lb_stream *stream);
/* Both directions, from the next PDU that next() begins and the next that queue() takes. */
void lb_stream_set_digests(struct lb_stream *stream, bool header, bool data);
/* For the end whose peer sends no additional headers (RFC 7143 11.2.1.5: a target): without a
 * header digest one is refused as soon as it is announced. What is no iSCSI at all is then known by
 * its first 48 bytes, and not waited for. Stays over reset. */
void lb_stream_refuse_ahs(struct lb_stream *stream);
/* The longest data segment that is accepted: what we declared as MaxRecvDataSegmentLength. */
void lb_stream_set_max_data(struct lb_stream *stream, uint32_t bytes);

/* Where the next received bytes go, in this order. 0: nothing can be taken now (the staging buffer
 * is full of PDUs that wait for next, or a header waits for its decision). Call it after next() has
 * said MORE for direct placement to work. */
size_t lb_stream_where(struct lb_stream *stream, struct lb_span spans[2]);
/* At most the sum of the spans that where() gave just before. */
void lb_stream_got(struct lb_stream *stream, size_t len);
/* What has come since; call it until it says MORE. */
enum lb_stream_event lb_stream_next(struct lb_stream *stream);

/* After HEADER, one of both. Keep: the data stays in the staging buffer and comes whole, as `data`,
 * with PDU; one that does not fit there makes the stream TOO_LONG (always fits: up to
 * LB_STREAM_LOGIN_DATA bytes). */
void lb_stream_keep(struct lb_stream *stream);
/* Place: the data goes to `to`, the caller's until PDU; bytes beyond to.len are thrown away (all of
 * them for an empty span). What a broken data digest let through has been written there, too. */
void lb_stream_place(struct lb_stream *stream, struct lb_span to);

/* Whether one more PDU (with data) can be queued. */
bool lb_stream_can_queue(const struct lb_stream *stream);
/* How many can be queued for sure. */
size_t lb_stream_room(const struct lb_stream *stream);
/* Queues a PDU; needs can_queue. TotalAHSLength and DataSegmentLength (bytes 4 to 7) are set here.
 * Padding and digests are added. Gives the stream position after it, for is_sent. */
uint64_t lb_stream_queue(struct lb_stream *stream, const uint8_t bhs[LB_STREAM_BHS],
                         struct lb_bytes data);
/* The same, but the data (at most LB_STREAM_COPY_MAX) is copied: the caller's memory is free
 * again. */
uint64_t lb_stream_queue_copy(struct lb_stream *stream, const uint8_t bhs[LB_STREAM_BHS],
                              struct lb_bytes data);
/* Whether everything up to this position was taken by lb_stream_sent. */
bool lb_stream_is_sent(const struct lb_stream *stream, uint64_t position);
bool lb_stream_has_unsent(const struct lb_stream *stream); /* whether gather has anything */
/* What to send, in order: at most cap pieces; gives their count. They stay valid until
 * lb_stream_sent. */
size_t lb_stream_gather(const struct lb_stream *stream, struct lb_bytes *pieces, size_t cap);
/* The first len bytes of them were sent; their memory is free. */
void lb_stream_sent(struct lb_stream *stream, size_t len);

#endif
