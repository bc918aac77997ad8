/* Requests to an agent: a byte that says how (1: by multicast, 2: as they are, without a header
 * that fits, 4: by TCP), a function, a length and the body. */
#include "core/slp/slp_server.h"
#include "core/slp/test_slp.h"
#include "tests/fuzz.h"

#define REQUESTS_MAX 64

static struct {
    struct lb_slp_server server;
    struct lb_slp_slot slots[4];
    struct lb_slp_registration services[2];
    uint64_t now;
} f;

static void check_reply(struct lb_bytes request, struct lb_bytes reply) {
    struct lb_slp_header asked, header;
    struct lb_bytes body;
    const char *why;
    if (reply.len == 0)
        return;
    lb_assert(lb_slp_decode(request, &asked, &body, &why));
    lb_assert(lb_slp_decode(reply, &header, &body, &why));
    lb_assert(header.xid == asked.xid && lb_bytes_equal(header.language, asked.language));
    bool is_reply = header.function == LB_SLP_SRV_RPLY || header.function == LB_SLP_SRV_ACK ||
                    header.function == LB_SLP_ATTR_RPLY || header.function == LB_SLP_DA_ADVERT ||
                    header.function == LB_SLP_SRV_TYPE_RPLY || header.function == LB_SLP_SA_ADVERT;
    lb_assert(is_reply);
}

static void by_tcp(struct lb_bytes request) {
    static struct lb_slp_connection connection;
    lb_slp_connection_init(&connection);
    struct lb_span room = lb_slp_connection_where(&connection);
    size_t len = LB_MIN(room.len, request.len);
    if (len > 0)
        memcpy(room.p, request.p, len);
    lb_slp_connection_got(&connection, len);
    for (unsigned i = 0; i < 10000 && !connection.is_over; i++) {
        struct lb_bytes piece = lb_slp_connection_gather(&connection, f.now, &f.server);
        if (piece.len == 0)
            break;
        lb_slp_connection_sent(&connection, LB_MIN(piece.len, 700));
        lb_assert(i < 9999);
    }
}

static void step(struct lb_rd *rd) {
    static uint8_t request[70000], room[2000];
    uint8_t how = lb_rd_u8(rd), function = lb_rd_u8(rd);
    uint16_t len = lb_rd_u16(rd);
    struct lb_wr wr = lb_wr(lb_span(request, sizeof request));
    if (!(how & 2))
        lb_slp_begin(&wr, (enum lb_slp_function)function, how & 8 ? LB_SLP_FRESH : 0, 7,
                     text("en"));
    lb_wr_bytes(&wr, lb_rd_bytes(rd, LB_MIN(len, rd->left)));
    struct lb_bytes bytes = how & 2 ? lb_wr_done(&wr) : lb_slp_finish(&wr);
    f.now += (uint64_t)(how & 0xf0) * LB_US_SEC;
    if (how & 4) {
        by_tcp(bytes);
        return;
    }
    struct lb_bytes reply =
        lb_slp_server_input(&f.server, f.now, bytes, how & 1, lb_span(room, sizeof room));
    lb_assert(reply.len <= LB_SLP_MTU);
    check_reply(bytes, reply);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct lb_rd rd = lb_rd(lb_bytes(data, size));
    uint8_t flags = lb_rd_u8(&rd);
    memset(&f, 0, sizeof f);
    f.now = LB_US_SEC;
    for (size_t i = 0; i < LB_COUNT(f.services); i++) {
        f.services[i] = (struct lb_slp_registration){
            .url = text(i ? "service:iscsi:sms://192.0.2.9" : TEST_URL),
            .type = text(i ? LB_SLP_TYPE_SMS : TEST_TYPE),
            .scopes = text("DEFAULT"),
            .attributes = text("(iscsi-name=" TEST_TARGET "),(portal-group=1),(auth-name=any)"),
        };
    }
    struct lb_slp_server_config config = {
        .is_directory = flags & 1,
        .takes_registrations = flags & 2,
        .address = lb_addr_v4(192, 0, 2, 5),
        .boot_s = 1,
        .services = f.services,
        .service_count = LB_COUNT(f.services),
    };
    lb_slp_server_init(&f.server, &config, f.slots, LB_COUNT(f.slots));
    for (unsigned i = 0; i < REQUESTS_MAX && rd.left > 0; i++)
        step(&rd);
    return 0;
}
