/* The disk above a session whose target speaks iSCSI well, but answers SCSI commands as it likes.
 * For each command the input has a byte that says how, and what that needs:
 *
 *   0 LEN BYTES     GOOD with these bytes, LEN * 2 of them, at most what was asked for
 *   1 LEN BYTES     CHECK CONDITION with these bytes of sense
 *   2 STATUS        that status alone
 *   3               the target failed: Response 1
 *   4..             as a good disk of 2048 blocks would
 *
 * and, when the input is used up, as a good disk. What must hold: every request comes back once, in
 * a bounded time; what is GOOD is all there; no byte outside of the readers' buffers. */
#include "core/disk/disk_state.h"
#include "tests/fuzz.h"

enum { OPS = 6, BLOCKS_MAX = 8, GUARD = 64, BUFFER = BLOCKS_MAX * 512, TURNS_MAX = 30000 };

static struct lb_initiator session;
static struct lb_disk disk;
static uint8_t rx[LB_ISCSI_RX_MIN];
static uint8_t wire[65536]; /* what the session sent */
static size_t wire_len;
static uint8_t reply[65536];
static uint64_t now;
static struct lb_rd input;
static uint32_t stat_sn;
static struct lb_disk_op ops[OPS];
static uint8_t buffers[OPS][GUARD + BUFFER + GUARD];
static bool is_out[OPS];
static unsigned rounds;

/* ---- the target ---- */

static void feed(struct lb_bytes bytes) {
    while (bytes.len > 0) {
        struct lb_span spans[2];
        if (lb_initiator_where(&session, spans) == 0)
            return;
        size_t len = LB_MIN(spans[0].len, bytes.len);
        memcpy(spans[0].p, bytes.p, len);
        bytes = lb_bytes_after(bytes, len);
        lb_initiator_got(&session, now, len);
    }
}

static void give(struct lb_iscsi_pdu *pdu, struct lb_bytes data) {
    uint8_t bhs[LB_ISCSI_BHS_BYTES];
    struct lb_wr wr = lb_wr(lb_span(reply, sizeof reply));
    pdu->final = true;
    pdu->data_len = (uint32_t)data.len;
    pdu->stat_sn = stat_sn++;
    pdu->exp_cmd_sn = session.cmd_sn;
    pdu->max_cmd_sn = session.cmd_sn + 31;
    lb_iscsi_encode(pdu, bhs);
    lb_wr_bytes(&wr, lb_bytes(bhs, sizeof bhs));
    lb_wr_bytes(&wr, data);
    lb_wr_zero(&wr, -data.len & 3);
    feed(lb_wr_done(&wr));
}

static void log_in(const struct lb_iscsi_pdu *request) {
    static const char keys[] = "InitialR2T=Yes\0ImmediateData=Yes\0FirstBurstLength=65536\0"
                               "MaxRecvDataSegmentLength=65536\0DefaultTime2Wait=0\0";
    struct lb_iscsi_pdu pdu = {.opcode = LB_OP_LOGIN_RESPONSE,
                               .itt = request->itt,
                               .login = {.csg = 1, .nsg = 3, .tsih = 1}};
    stat_sn = 7;
    give(&pdu, lb_bytes(keys, sizeof keys - 1));
}

static void respond(uint32_t itt, uint8_t response, uint8_t status, uint32_t residual,
                    struct lb_bytes sense) {
    uint8_t room[2 + 255];
    struct lb_wr wr = lb_wr(lb_span(room, sizeof room));
    struct lb_iscsi_pdu pdu = {.opcode = LB_OP_SCSI_RESPONSE, .itt = itt};
    pdu.response.response = response;
    pdu.response.status = status;
    pdu.response.underflow = residual > 0;
    pdu.response.residual = residual;
    if (sense.len > 0) {
        lb_wr_u16(&wr, (uint16_t)sense.len);
        lb_wr_bytes(&wr, sense);
    }
    give(&pdu, lb_wr_done(&wr));
}

/* GOOD, with so many bytes of what was asked for. */
static void good(const struct lb_iscsi_pdu *request, struct lb_bytes data) {
    uint32_t wanted = request->command.edtl;
    if (!request->command.read) {
        respond(request->itt, 0, LB_SCSI_GOOD, 0, lb_bytes(NULL, 0));
        return;
    }
    data.len = LB_MIN(data.len, wanted);
    if (data.len == 0) {
        respond(request->itt, 0, LB_SCSI_GOOD, wanted, lb_bytes(NULL, 0));
        return;
    }
    struct lb_iscsi_pdu pdu = {
        .opcode = LB_OP_DATA_IN, .itt = request->itt, .ttt = LB_ISCSI_NO_TAG};
    pdu.data_in.has_status = true;
    pdu.data_in.underflow = data.len < wanted;
    pdu.data_in.residual = wanted - (uint32_t)data.len;
    give(&pdu, data);
}

static void as_a_good_disk(const struct lb_iscsi_pdu *request) {
    static const uint8_t capacity_16[32] = {[6] = 7, [7] = 0xff, [10] = 2};
    static const uint8_t capacity_10[8] = {0, 0, 7, 0xff, 0, 0, 2, 0};
    static const uint8_t inquiry[36] = {[2] = 6, [3] = 2, [4] = 31};
    static const uint8_t zero[BUFFER];
    switch (request->command.cdb[0]) {
    case LB_SCSI_SERVICE_ACTION_IN_16:
        good(request, lb_bytes(capacity_16, sizeof capacity_16));
        return;
    case LB_SCSI_READ_CAPACITY_10:
        good(request, lb_bytes(capacity_10, sizeof capacity_10));
        return;
    case LB_SCSI_INQUIRY:
        good(request, lb_bytes(inquiry, sizeof inquiry));
        return;
    default:
        good(request, lb_bytes(zero, sizeof zero));
        return;
    }
}

static void command(const struct lb_iscsi_pdu *request) {
    switch (input.left == 0 ? 255 : lb_rd_u8(&input)) {
    case 0: {
        size_t len = (size_t)lb_rd_u8(&input) * 2;
        good(request, lb_rd_bytes(&input, LB_MIN(len, input.left)));
        return;
    }
    case 1: {
        size_t len = lb_rd_u8(&input);
        respond(request->itt, 0, LB_SCSI_CHECK_CONDITION, 0,
                lb_rd_bytes(&input, LB_MIN(len, input.left)));
        return;
    }
    case 2:
        respond(request->itt, 0, lb_rd_u8(&input), 0, lb_bytes(NULL, 0));
        return;
    case 3:
        respond(request->itt, 1, 0, 0, lb_bytes(NULL, 0));
        return;
    default:
        as_a_good_disk(request);
        return;
    }
}

/* Takes what the session sent and answers it. */
static void serve(void) {
    struct lb_bytes pieces[8];
    size_t count;
    while ((count = lb_initiator_gather(&session, pieces, 8)) > 0) {
        size_t len = 0;
        for (size_t i = 0; i < count; i++) {
            lb_assert(pieces[i].len <= sizeof wire - wire_len);
            memcpy(wire + wire_len, pieces[i].p, pieces[i].len);
            wire_len += pieces[i].len;
            len += pieces[i].len;
        }
        lb_initiator_sent(&session, now, len);
    }
    struct lb_rd rd = lb_rd(lb_bytes(wire, wire_len));
    wire_len = 0; /* whole PDUs alone have been gathered */
    while (rd.left > 0) {
        struct lb_iscsi_pdu pdu;
        struct lb_bytes bhs = lb_rd_bytes(&rd, LB_ISCSI_BHS_BYTES);
        lb_assert(lb_rd_ok(&rd) && lb_iscsi_decode(bhs.p, &pdu));
        lb_rd_skip(&rd, (pdu.data_len + 3) & ~UINT32_C(3));
        lb_assert(lb_rd_ok(&rd));
        if (pdu.opcode == LB_OP_LOGIN_REQUEST)
            log_in(&pdu);
        else if (pdu.opcode == LB_OP_SCSI_COMMAND)
            command(&pdu);
    }
}

/* ---- the user ---- */

static void submit_all(void) {
    for (unsigned i = 0; i < OPS; i++) {
        struct lb_disk_op *op = &ops[i];
        memset(buffers[i], 0xee, sizeof buffers[i]);
        *op = (struct lb_disk_op){
            .kind = i % 3 == 2   ? LB_DISK_FLUSH
                    : i % 3 == 1 ? LB_DISK_WRITE
                                 : LB_DISK_READ,
            .lba = i * 700, /* the last are beyond the good disk's end */
            .blocks = BUFFER / lb_disk_info(&disk)->block_bytes,
            .buffer = buffers[i] + GUARD,
            .user = i,
        };
        is_out[i] = true;
        lb_disk_submit(&disk, now, op);
    }
}

static void collect(void) {
    struct lb_disk_op *op;
    while ((op = lb_disk_completed(&disk)) != NULL) {
        size_t i = (size_t)op->user;
        lb_assert(is_out[i] && op == &ops[i]);
        is_out[i] = false;
        lb_assert(op->error.code != LB_OK || op->kind == LB_DISK_FLUSH || op->done == op->blocks);
        for (size_t at = 0; at < GUARD; at++)
            lb_assert(buffers[i][at] == 0xee && buffers[i][GUARD + BUFFER + at] == 0xee);
    }
}

static bool is_any_out(void) {
    for (unsigned i = 0; i < OPS; i++)
        if (is_out[i])
            return true;
    return false;
}

/* One turn of everything; false when there is nothing more to do. */
static bool turn(void) {
    uint64_t until = lb_disk_poll(&disk, now);
    struct lb_initiator_action action = lb_initiator_poll(&session, now);
    collect();
    if (action.event == LB_INITIATOR_CONNECT)
        lb_initiator_connected(&session, now);
    if (action.event == LB_INITIATOR_READY && disk.state == LB_DISK_DOWN)
        lb_disk_start(&disk, now);
    if (lb_disk_is_up(&disk) && !is_any_out() && rounds-- > 0)
        submit_all();
    bool is_over =
        disk.state == LB_DISK_BROKEN || lb_initiator_state(&session) == LB_INITIATOR_ENDED;
    if (is_over || (lb_disk_is_up(&disk) && !is_any_out()))
        return is_any_out();
    if (action.event == LB_INITIATOR_WAIT &&
        lb_initiator_gather(&session, &(struct lb_bytes){0}, 1) == 0) {
        until = LB_MIN(until, action.until_us);
        lb_assert(until != LB_NEVER);
        now = LB_MAX(now + 1, until);
    }
    serve();
    return true;
}

static void set_up(struct lb_bytes bytes) {
    static const uint8_t seed[LB_RAND_SEED_BYTES] = {1}, lun[8] = {0, 1};
    static struct lb_rand rand;
    static struct lb_initiator_config c;
    memset(&c, 0, sizeof c);
    memset(is_out, 0, sizeof is_out);
    now = 1000;
    wire_len = 0;
    rounds = 2;
    input = lb_rd(bytes);
    lb_rand_init(&rand, seed);
    lb_format(c.initiator, sizeof c.initiator, "iqn.2026-11.test:me");
    lb_format(c.target, sizeof c.target, "iqn.2026-11.test:disk");
    c.portal = (struct lb_endpoint){.addr = lb_addr_v4(192, 0, 2, 1), .port = 3260};
    c.ping_ms = UINT32_MAX;
    lb_initiator_init(&session, now, &c, lb_span(rx, sizeof rx), &rand, NULL);
    lb_disk_init(&disk, &session, lun, 2000, NULL);
    lb_initiator_start(&session, now);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    unsigned turns = 0;
    set_up(lb_bytes(data, size));
    while (turn())
        lb_assert(turns++ < TURNS_MAX);
    return 0;
}
