/* The stream of PDUs taken apart, a value at a time.
 *
 *   message:  IN_STATUS (answers alone) -> IN_TAG <-> IN_VALUE
 *
 * The payloads of a message's PDUs are one content: what ends within a PDU goes on in the next, so
 * the header of a PDU is collected apart from it. */
#include "core/isns/isns_wire.h"

void lb_isns_reader_init(struct lb_isns_reader *reader) {
    *reader = (struct lb_isns_reader){.phase = LB_ISNS_IN_TAG};
}

static enum lb_isns_read broken(struct lb_isns_reader *reader, const char *why) {
    reader->phase = LB_ISNS_IN_NOTHING;
    reader->why = why;
    return LB_ISNS_READ_BROKEN;
}

/* Moves up to `limit` bytes of input to `to`, which has *len of `want` bytes; gives how many. */
static size_t collect(uint8_t *to, size_t *len, size_t want, struct lb_bytes *input, size_t limit) {
    size_t n = LB_MIN(LB_MIN(want - *len, input->len), limit);
    if (n > 0)
        memcpy(to + *len, input->p, n);
    *len += n;
    *input = lb_bytes_after(*input, n);
    return n;
}

static const char *check_order(const struct lb_isns_reader *reader,
                               const struct lb_isns_header *header) {
    bool is_first = header->flags & LB_ISNS_FIRST_PDU;
    if (is_first == reader->in_message)
        return is_first ? "a message that begins within another" : "a message without a beginning";
    if (!reader->in_message)
        return NULL;
    if (header->sequence != reader->sequence)
        return "a gap between the PDUs of a message";
    if (header->xid != reader->header.xid || header->function != reader->header.function)
        return "a PDU of another message between";
    if (reader->message_bytes + header->length > LB_ISNS_MESSAGE_MAX)
        return "a message of more than 16 MiB";
    return NULL;
}

static void begin_message(struct lb_isns_reader *reader, const struct lb_isns_header *header) {
    reader->header = *header;
    reader->in_message = true;
    reader->message_bytes = 0;
    reader->status = 0;
    reader->sequence = header->sequence; /* 0, but some count from 1 */
    reader->field_len = 0;
    reader->phase = header->function & LB_ISNS_ANSWER ? LB_ISNS_IN_STATUS : LB_ISNS_IN_TAG;
}

/* MESSAGE where a request begins, else MORE. */
static enum lb_isns_read take_header(struct lb_isns_reader *reader) {
    struct lb_isns_header header;
    const char *why;
    reader->head_len = 0;
    if (!lb_isns_header_decode(lb_bytes(reader->head, sizeof reader->head), &header, &why))
        return broken(reader, why);
    why = check_order(reader, &header);
    if (why)
        return broken(reader, why);
    bool is_new = !reader->in_message;
    if (is_new)
        begin_message(reader, &header);
    reader->sequence++;
    reader->message_bytes += header.length;
    reader->pdu_left = header.length;
    reader->in_pdu = true;
    reader->is_last = header.flags & LB_ISNS_LAST_PDU;
    return is_new && reader->phase == LB_ISNS_IN_TAG ? LB_ISNS_READ_MESSAGE : LB_ISNS_READ_MORE;
}

static enum lb_isns_read end_pdu(struct lb_isns_reader *reader) {
    reader->in_pdu = false;
    if (!reader->is_last)
        return LB_ISNS_READ_MORE;
    if (reader->phase == LB_ISNS_IN_STATUS)
        return broken(reader, "an answer without a status");
    if (reader->phase != LB_ISNS_IN_TAG || reader->field_len > 0)
        return broken(reader, "a message that ends within an attribute");
    reader->in_message = false;
    return LB_ISNS_READ_END;
}

static enum lb_isns_read take_status(struct lb_isns_reader *reader) {
    struct lb_rd rd = lb_rd(lb_bytes(reader->field, reader->field_len));
    reader->field_len = 0;
    reader->status = lb_rd_u32(&rd);
    reader->phase = LB_ISNS_IN_TAG;
    return LB_ISNS_READ_MESSAGE;
}

static enum lb_isns_read end_value(struct lb_isns_reader *reader) {
    size_t kept = LB_MIN(reader->value_got, sizeof reader->value);
    reader->attribute.value = lb_bytes(reader->value, kept);
    reader->phase = LB_ISNS_IN_TAG;
    return LB_ISNS_READ_ATTRIBUTE;
}

static enum lb_isns_read take_tag(struct lb_isns_reader *reader) {
    struct lb_rd rd = lb_rd(lb_bytes(reader->field, reader->field_len));
    reader->field_len = 0;
    reader->value_got = 0;
    reader->attribute = (struct lb_isns_attribute){.tag = lb_rd_u32(&rd)};
    reader->attribute.len = lb_rd_u32(&rd);
    if (reader->attribute.len % 4 != 0)
        return broken(reader, "an attribute whose length is no multiple of 4");
    if (reader->attribute.len > LB_ISNS_MESSAGE_MAX ||
        (reader->is_last && reader->attribute.len > reader->pdu_left))
        return broken(reader, "an attribute longer than its message");
    if (reader->attribute.len == 0)
        return end_value(reader);
    reader->phase = LB_ISNS_IN_VALUE;
    return LB_ISNS_READ_MORE;
}

/* What is longer than any value we know is read over. */
static enum lb_isns_read take_value(struct lb_isns_reader *reader, struct lb_bytes *input) {
    size_t want = reader->attribute.len, kept = LB_MIN(want, sizeof reader->value);
    size_t n;
    if (reader->value_got < kept) {
        n = collect(reader->value, &reader->value_got, kept, input, reader->pdu_left);
    } else {
        n = LB_MIN(LB_MIN(want - reader->value_got, input->len), reader->pdu_left);
        reader->value_got += n;
        *input = lb_bytes_after(*input, n);
    }
    reader->pdu_left -= n;
    return reader->value_got == want ? end_value(reader) : LB_ISNS_READ_MORE;
}

/* A step within the payload of a PDU; there is input, and payload to come. */
static enum lb_isns_read take_content(struct lb_isns_reader *reader, struct lb_bytes *input) {
    bool is_status = reader->phase == LB_ISNS_IN_STATUS;
    size_t want = is_status ? 4 : 8;
    if (reader->phase == LB_ISNS_IN_VALUE)
        return take_value(reader, input);
    reader->pdu_left -= collect(reader->field, &reader->field_len, want, input, reader->pdu_left);
    if (reader->field_len < want)
        return LB_ISNS_READ_MORE;
    return is_status ? take_status(reader) : take_tag(reader);
}

enum lb_isns_read lb_isns_reader_next(struct lb_isns_reader *reader, struct lb_bytes *input) {
    enum lb_isns_read got = LB_ISNS_READ_MORE;
    while (got == LB_ISNS_READ_MORE) {
        if (reader->phase == LB_ISNS_IN_NOTHING)
            return LB_ISNS_READ_BROKEN;
        if (reader->in_pdu && reader->pdu_left == 0) {
            got = end_pdu(reader);
            continue;
        }
        if (input->len == 0)
            return LB_ISNS_READ_MORE;
        if (reader->in_pdu) {
            got = take_content(reader, input);
            continue;
        }
        collect(reader->head, &reader->head_len, sizeof reader->head, input, SIZE_MAX);
        if (reader->head_len == sizeof reader->head)
            got = take_header(reader);
    }
    return got;
}
