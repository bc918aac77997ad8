#include "core/isns/isns_wire.h"

const char *lb_isns_status_word(uint32_t status) {
    static const char *const words[] = {
        "successful",
        "unknown error",
        "message format error",
        "invalid registration",
        "reserved",
        "invalid query",
        "source unknown",
        "source absent",
        "source unauthorized",
        "no such entry",
        "version not supported",
        "internal error",
        "busy",
        "option not understood",
        "invalid update",
        "message not supported",
        "SCN event rejected",
        "SCN registration rejected",
        "attribute not implemented",
        "FC domain id not available",
        "FC domain id not allocated",
        "ESI not available",
        "invalid deregistration",
        "registration feature not supported",
    };
    return status < LB_COUNT(words) ? words[status] : "a status that the RFC does not know";
}

bool lb_isns_header_decode(struct lb_bytes bytes, struct lb_isns_header *header, const char **why) {
    struct lb_rd rd = lb_rd(bytes);
    uint16_t version = lb_rd_u16(&rd);
    struct lb_isns_header got = {.function = lb_rd_u16(&rd)};
    got.length = lb_rd_u16(&rd);
    got.flags = lb_rd_u16(&rd);
    got.xid = lb_rd_u16(&rd);
    got.sequence = lb_rd_u16(&rd);
    *why = NULL;
    if (!lb_rd_done(&rd))
        *why = "a header that is too short";
    else if (version != 1)
        *why = "a version that is not 1";
    else if (got.length % 4 != 0)
        *why = "a PDU whose length is no multiple of 4";
    else if (got.flags & LB_ISNS_SIGNED) /* RFC 4171 5.5: none in unicast */
        *why = "a PDU with an authentication block, which only multicast has";
    if (*why)
        return false;
    *header = got;
    return true;
}

/* ---- values ---- */

bool lb_isns_value_u32(struct lb_isns_attribute attribute, uint32_t *value) {
    struct lb_rd rd = lb_rd(attribute.value);
    if (attribute.len != 4)
        return false;
    *value = lb_rd_u32(&rd);
    return true;
}

bool lb_isns_value_text(struct lb_isns_attribute attribute, struct lb_bytes *text) {
    struct lb_bytes value = attribute.value;
    if (value.len == 0 || attribute.len != value.len)
        return false;
    lb_split_at(value, '\0', text,
                &value); /* some leave the NUL out where nothing is to be padded */
    return true;
}

bool lb_isns_name(struct lb_bytes text, char name[LB_NAME_MAX + 1]) {
    unsigned warnings = 0;
    size_t offset;
    return lb_iscsi_name_parse(text, LB_ROOTPATH_ANY_NAMES, name, &warnings, &offset);
}

bool lb_isns_value_name(struct lb_isns_attribute attribute, char name[LB_NAME_MAX + 1]) {
    struct lb_bytes text;
    return lb_isns_value_text(attribute, &text) && lb_isns_name(text, name);
}

/* RFC 4171 6.3.1 wants IPv4 addresses mapped (::ffff:a.b.c.d); open-isns's tools register
 * compatible ones (::a.b.c.d). */
static struct lb_addr read_address(struct lb_rd *rd) {
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff}, compatible[12];
    struct lb_addr addr = lb_rd_v6(rd);
    bool is_v4 = memcmp(addr.bytes, mapped, sizeof mapped) == 0 ||
                 (memcmp(addr.bytes, compatible, sizeof compatible) == 0 && addr.bytes[12] != 0);
    return is_v4 ? lb_addr_v4_bytes(addr.bytes + sizeof mapped) : addr;
}

bool lb_isns_value_address(struct lb_isns_attribute attribute, struct lb_addr *addr) {
    struct lb_rd rd = lb_rd(attribute.value);
    if (attribute.len != 16)
        return false;
    *addr = read_address(&rd);
    return true;
}

bool lb_isns_value_port(struct lb_isns_attribute attribute, uint16_t *port, bool *is_udp) {
    uint32_t value;
    if (!lb_isns_value_u32(attribute, &value))
        return false;
    *port = value == 0 ? LB_ISCSI_PORT : (uint16_t)value; /* RFC 4171 6.3.2: the canonical one */
    *is_udp = value & LB_ISNS_PORT_IS_UDP;
    return true;
}

/* ---- writing ---- */

static void begin_pdu(struct lb_isns_writer *writer) {
    writer->pdu_at = writer->wr.len;
    lb_wr_u16(&writer->wr, 1);
    lb_wr_u16(&writer->wr, writer->function);
    lb_wr_u16(&writer->wr, 0);
    lb_wr_u16(&writer->wr, 0);
    lb_wr_u16(&writer->wr, writer->xid);
    lb_wr_u16(&writer->wr, writer->sequence);
}

static size_t payload(const struct lb_isns_writer *writer) {
    return writer->wr.len - writer->pdu_at - LB_ISNS_HEADER_BYTES;
}

static void end_pdu(struct lb_isns_writer *writer, bool is_last) {
    unsigned flags = writer->flags;
    if (writer->wr.bad)
        return;
    if (writer->sequence == 0)
        flags |= LB_ISNS_FIRST_PDU;
    if (is_last)
        flags |= LB_ISNS_LAST_PDU;
    lb_wr_u16_at(&writer->wr, writer->pdu_at + 4, (uint16_t)payload(writer));
    lb_wr_u16_at(&writer->wr, writer->pdu_at + 6, (uint16_t)flags);
}

static void put_bytes(struct lb_isns_writer *writer, struct lb_bytes bytes) {
    while (bytes.len > 0 && !writer->wr.bad) {
        if (payload(writer) == writer->pdu_max) {
            end_pdu(writer, false);
            writer->sequence++;
            begin_pdu(writer);
            continue;
        }
        size_t n = LB_MIN(bytes.len, writer->pdu_max - payload(writer));
        lb_wr_bytes(&writer->wr, lb_bytes(bytes.p, n));
        bytes = lb_bytes_after(bytes, n);
    }
}

static void put_word(struct lb_isns_writer *writer, uint32_t value) {
    uint8_t bytes[4];
    struct lb_wr wr = lb_wr(lb_span(bytes, sizeof bytes));
    lb_wr_u32(&wr, value);
    put_bytes(writer, lb_wr_done(&wr));
}

struct lb_isns_writer lb_isns_writer(struct lb_span room, size_t pdu_max, uint16_t function,
                                     uint16_t flags, uint16_t xid) {
    struct lb_isns_writer writer = {
        .wr = lb_wr(room),
        .pdu_max = pdu_max ? pdu_max : LB_ISNS_PDU_MAX,
        .function = function,
        .flags = flags,
        .xid = xid,
    };
    lb_assert(pdu_max % 4 == 0 && pdu_max <= LB_ISNS_PDU_MAX);
    begin_pdu(&writer);
    return writer;
}

void lb_isns_put_status(struct lb_isns_writer *writer, uint32_t status) {
    put_word(writer, status);
}

void lb_isns_put(struct lb_isns_writer *writer, uint32_t tag, struct lb_bytes value) {
    static const uint8_t zeros[4];
    size_t padding = (4 - value.len % 4) % 4;
    put_word(writer, tag);
    put_word(writer, (uint32_t)(value.len + padding));
    put_bytes(writer, value);
    put_bytes(writer, lb_bytes(zeros, padding));
}

void lb_isns_put_empty(struct lb_isns_writer *writer, uint32_t tag) {
    lb_isns_put(writer, tag, lb_bytes(NULL, 0));
}

void lb_isns_put_u32(struct lb_isns_writer *writer, uint32_t tag, uint32_t value) {
    put_word(writer, tag);
    put_word(writer, 4);
    put_word(writer, value);
}

void lb_isns_put_text(struct lb_isns_writer *writer, uint32_t tag, const char *text) {
    lb_isns_put(writer, tag, lb_bytes(text, lb_strlen(text) + 1)); /* with its NUL */
}

void lb_isns_put_address(struct lb_isns_writer *writer, uint32_t tag, struct lb_addr addr) {
    uint8_t bytes[16] = {0};
    if (addr.family == LB_V4) {
        bytes[10] = bytes[11] = 0xff;
        memcpy(bytes + 12, addr.bytes, 4);
    } else {
        memcpy(bytes, addr.bytes, sizeof bytes);
    }
    lb_isns_put(writer, tag, lb_bytes(bytes, sizeof bytes));
}

struct lb_bytes lb_isns_written(struct lb_isns_writer *writer) {
    end_pdu(writer, true);
    return lb_wr_done(&writer->wr);
}

/* ---- heartbeat ---- */

static struct lb_endpoint read_server(struct lb_rd *rd, uint16_t *udp_port) {
    struct lb_endpoint server = {.addr = read_address(rd)};
    server.port = lb_rd_u16(rd);
    *udp_port = lb_rd_u16(rd);
    return server;
}

static bool read_heartbeat(struct lb_rd *rd, struct lb_isns_heartbeat *heartbeat) {
    uint16_t ignored;
    heartbeat->server = read_server(rd, &heartbeat->udp_port);
    heartbeat->interval_s = lb_rd_u32(rd);
    heartbeat->counter = lb_rd_u32(rd);
    lb_rd_u16(rd);
    uint16_t count = lb_rd_u16(rd);
    if (!lb_rd_ok(rd) || rd->left / 20 < count)
        return false;
    heartbeat->backup_count = LB_MIN(count, LB_ISNS_BACKUPS_MAX);
    for (size_t i = 0; i < heartbeat->backup_count; i++)
        heartbeat->backups[i] = read_server(rd, &ignored);
    return lb_addr_is_host(heartbeat->server.addr);
}

bool lb_isns_heartbeat_decode(struct lb_bytes datagram, struct lb_isns_heartbeat *heartbeat) {
    struct lb_rd rd = lb_rd(datagram);
    bool is_heartbeat = lb_rd_u16(&rd) == 1 && lb_rd_u16(&rd) == LB_ISNS_HEARTBEAT;
    uint16_t length = lb_rd_u16(&rd), flags = lb_rd_u16(&rd);
    lb_rd_u32(&rd);
    struct lb_rd payload_rd = lb_rd(lb_rd_bytes(&rd, length));
    struct lb_isns_heartbeat got = {.is_signed = flags & LB_ISNS_SIGNED};
    if (!is_heartbeat || !lb_rd_ok(&rd) || !(flags & LB_ISNS_FROM_SERVER) ||
        (flags & LB_ISNS_FROM_CLIENT) || (rd.left > 0) != got.is_signed ||
        !read_heartbeat(&payload_rd, &got))
        return false;
    *heartbeat = got;
    return true;
}
