/* The initiator up to full feature phase. The first byte chooses the configuration, the second the
 * size of reads; the rest is what the target sends, in records:
 *
 *   00 LEN BYTES      bytes as they are
 *   01 FLAGS HI LO    a login answer to the request that is out: FLAGS are byte 1 of the header, HI
 *      LEN TEXT       and LO the status; then LEN bytes of text, '\n' for NUL
 *   02 N              time passes, N * 100 ms
 *   03 WHY            the connection closes
 *   other             as 00 with this byte as the length
 *
 * What must hold: polls end, no deadline is in the past, no secret is in the trace. */
#include "core/initiator/initiator_session.h"
#include "tests/fuzz.h"

#define SECRET "do-not-show-me-0"

static struct lb_initiator session;
static struct lb_trace trace;
static char ring[8192];
static uint8_t rx[LB_ISCSI_RX_MIN];
static uint64_t now;
static size_t split;
static bool is_connected;

static void drain(void) {
    struct lb_bytes pieces[4];
    size_t count;
    while ((count = lb_initiator_gather(&session, pieces, 4)) > 0) {
        size_t len = 0;
        for (size_t i = 0; i < count; i++) {
            lb_assert(pieces[i].len > 0);
            len += pieces[i].len;
        }
        lb_initiator_sent(&session, now, len);
    }
}

static void act(void) {
    static const struct lb_addr addr = {.family = LB_V4, .bytes = {192, 0, 2, 9}};
    for (int i = 0; i < 64; i++) {
        struct lb_initiator_action action = lb_initiator_poll(&session, now);
        if (action.event == LB_INITIATOR_WAIT) {
            lb_assert(action.until_us > now);
            drain();
            return;
        }
        if (action.event == LB_INITIATOR_CLOSE)
            is_connected = false;
        if (action.event == LB_INITIATOR_RESOLVE)
            lb_initiator_resolved(&session, now, &addr, 1, NULL);
        if (action.event == LB_INITIATOR_CONNECT) {
            lb_assert(!is_connected);
            is_connected = true;
            lb_initiator_connected(&session, now);
        }
    }
    lb_assert(false); /* polls end */
}

static void feed(struct lb_bytes bytes) {
    while (bytes.len > 0) {
        struct lb_span spans[2];
        size_t count = lb_initiator_where(&session, spans), got = 0;
        size_t limit = LB_MIN(split, bytes.len);
        for (size_t i = 0; i < count && got < limit; i++) {
            size_t len = LB_MIN(spans[i].len, limit - got);
            memcpy(spans[i].p, bytes.p + got, len);
            got += len;
        }
        if (got == 0)
            return;
        lb_initiator_got(&session, now, got);
        bytes = lb_bytes_after(bytes, got);
    }
}

static void answer(struct lb_rd *rd) {
    uint8_t flags = lb_rd_u8(rd);
    uint16_t status = lb_rd_u16(rd);
    struct lb_bytes text = lb_rd_bytes(rd, LB_MIN((size_t)lb_rd_u8(rd) * 4, rd->left));
    uint8_t wire[48 + 1024] = {LB_OP_LOGIN_RESPONSE};
    struct lb_iscsi_pdu pdu = {
        .opcode = LB_OP_LOGIN_RESPONSE,
        .final = flags & 0x80,
        .data_len = (uint32_t)text.len,
        .itt = session.login.itt,
        .max_cmd_sn = 32,
        .login = {.more = flags & 0x40,
                  .csg = flags >> 2 & 3,
                  .nsg = flags & 3,
                  .tsih = 1,
                  .status_class = (uint8_t)(status >> 8),
                  .status_detail = (uint8_t)status},
    };
    lb_iscsi_encode(&pdu, wire);
    for (size_t i = 0; i < text.len; i++)
        wire[48 + i] = text.p[i] == '\n' ? 0 : text.p[i];
    feed(lb_bytes(wire, 48 + text.len + (-text.len & 3)));
}

static bool has_secret(const void *where, size_t len) {
    size_t n = sizeof SECRET - 1;
    for (size_t i = 0; i + n <= len; i++)
        if (memcmp((const uint8_t *)where + i, SECRET, n) == 0)
            return true;
    return false;
}

static void setup(uint8_t choice, uint8_t reads) {
    static const uint8_t seed[LB_RAND_SEED_BYTES] = {1};
    static struct lb_rand rand;
    static struct lb_initiator_config c;
    memset(&c, 0, sizeof c);
    memset(ring, 0, sizeof ring);
    now = 1000;
    split = reads == 0 ? SIZE_MAX : reads;
    is_connected = false;
    lb_rand_init(&rand, seed);
    lb_trace_init(&trace, now, lb_span(ring, sizeof ring));
    lb_format(c.initiator, sizeof c.initiator, "iqn.2026-11.test:me");
    lb_format(c.target, sizeof c.target, "%s", choice & 1 ? "" : "iqn.2026-11.test:disk");
    c.portal = (struct lb_endpoint){.addr = lb_addr_v4(192, 0, 2, 1), .port = 3260};
    c.recover = choice & 2;
    c.header_digest = c.data_digest = choice & 4 ? LB_DIGEST_PREFER : LB_DIGEST_NONE;
    c.require_chap = choice & 0x20;
    if (choice & 8) {
        lb_format(c.chap_name, sizeof c.chap_name, "me");
        memcpy(c.chap_secret, SECRET, c.chap_secret_len = sizeof SECRET - 1);
    }
    if (choice & 0x10)
        memcpy(c.chap_target_secret, SECRET "x", c.chap_target_secret_len = sizeof SECRET);
    lb_initiator_init(&session, now, &c, lb_span(rx, sizeof rx), &rand, &trace);
    lb_initiator_start(&session, now);
    act();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct lb_rd rd = lb_rd(lb_bytes(data, size));
    uint8_t choice = lb_rd_u8(&rd), reads = lb_rd_u8(&rd);
    setup(choice, reads);
    while (rd.left > 0 && !rd.bad) {
        uint8_t kind = lb_rd_u8(&rd);
        if (kind == 1)
            answer(&rd);
        else if (kind == 2)
            now += lb_rd_u8(&rd) * 100 * LB_US_MS;
        else if (kind == 3 && is_connected) {
            is_connected = false;
            lb_initiator_lost(&session, now, (enum lb_initiator_lost)(lb_rd_u8(&rd) & 3));
        } else
            feed(lb_rd_bytes(&rd, LB_MIN(kind == 0 ? lb_rd_u8(&rd) : kind, rd.left)));
        act();
    }
    /* Unless the target itself said it. */
    lb_assert(!has_secret(ring, sizeof ring) || has_secret(data, size));
    return 0;
}
