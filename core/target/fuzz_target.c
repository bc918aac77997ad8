#include "core/target/target_memory.h"
#include "core/target/target_state.h"
#include "tests/fuzz.h"

/* The target against any bytes of an initiator. The first byte says how: */
enum {
    LOG_IN = 1,   /* a good login goes before */
    MEND = 2,     /* headers are mended: lengths that are there, CmdSN and tags that are expected */
    COPIES = 4,   /* the disk is behind buffers of the host's */
    LAZY = 8,     /* ios are answered late, the newest first */
    DIGESTS = 16, /* the login agrees on digests, so little of what follows is right */
    CHAP = 32,
    SPLIT = 64, /* a few bytes a read */
    FAULTS = 128,
};

enum { DISK_BYTES = 65536, GUARD = 64, IO_ROOM = 65536, IOS = LB_TARGET_TASKS, POLLS_MAX = 4000 };

static struct {
    uint8_t flags;
    uint64_t now;
    struct lb_target_server server;
    struct lb_target nodes[2];
    struct lb_scsi_unit units[2];
    struct lb_target_account account;
    struct lb_target_conn conn;
    struct lb_rand rand;
    uint8_t rx[LB_ISCSI_RX_MIN];
    uint64_t work[LB_TARGET_WORK_BYTES(8) / 8];
    struct lb_target_text text;
    struct lb_scsi_registration keys[2];
    uint8_t before[GUARD], disk[DISK_BYTES], after[GUARD];
    uint8_t buffers[IOS][IO_ROOM];
    bool used[IOS];
    struct lb_target_io *waiting[IOS];
    size_t waiting_count;
    unsigned ios;
} f;

static struct lb_span take_buffer(struct lb_target_io *io) {
    if ((f.flags & COPIES) == 0 && !io->is_apart) {
        uint64_t at = io->lba * 512;
        lb_assert(at <= DISK_BYTES && io->len <= DISK_BYTES - at);
        return lb_span(f.disk + at, io->len);
    }
    for (size_t i = 0; i < IOS; i++)
        if (!f.used[i]) {
            f.used[i] = true;
            io->user = i;
            lb_assert(io->len <= IO_ROOM);
            return lb_span(f.buffers[i], io->len);
        }
    lb_assert(f.ios == 0); /* never more buffers at once than tasks */
    return lb_span(NULL, 0);
}

static void free_buffer(const struct lb_target_io *io) {
    lb_assert(((f.flags & COPIES) != 0 || io->is_apart) && f.used[io->user]);
    lb_assert(io->buffer.p == f.buffers[io->user]);
    f.used[io->user] = false;
}

/* A lazy host goes on with it. */
static void sanitize(const struct lb_target_io *io) {
    struct lb_scsi_overwrite overwrite;
    if (io->sanitize == LB_SCSI_OVERWRITE)
        lb_assert(lb_scsi_overwrite_read(lb_bytes(io->buffer.p, io->buffer.len), 512, &overwrite));
    lb_assert(io->lun->sanitize.state != LB_SCSI_SANITIZE_GOES_ON);
    lb_scsi_sanitize_begin(io->lun, io->is_restricted);
    if ((f.flags & LAZY) == 0 || io->sanitize == LB_SCSI_EXIT_FAILURE)
        lb_scsi_sanitize_end(io->lun, (f.flags & FAULTS) == 0 || f.ios % 2 == 0);
}

static void answer(struct lb_target_io *io) {
    struct lb_target_answer answer = {0};
    bool fails = (f.flags & FAULTS) != 0 && f.ios++ % 3 == 0;
    lb_assert(io->lun == &f.units[0] || io->lun == &f.units[1]);
    if (io->kind == LB_IO_COPY) {
        lb_assert(io->source == &f.units[0] || io->source == &f.units[1]);
        lb_assert(io->blocks > 0 && io->lba * 512 <= DISK_BYTES);
        lb_assert(io->source_lba * 512 <= DISK_BYTES && io->blocks <= LB_SCSI_COPY_BYTES / 512);
        lb_assert(io->blocks <= DISK_BYTES / 512 - LB_MAX(io->lba, io->source_lba));
        lb_target_memory_copy(io, f.disk, f.disk);
    }
    if (io->kind == LB_IO_SANITIZE && !fails)
        sanitize(io);
    bool uses_up = io->kind == LB_IO_WRITE || io->kind == LB_IO_OR || io->kind == LB_IO_COMPARE ||
                   io->kind == LB_IO_COMPARE_AND_WRITE;
    bool is_special = (io->kind != LB_IO_WRITE && uses_up) || io->is_repeated ||
                      io->kind == LB_IO_UNMAP || io->kind == LB_IO_STATUS;
    if (is_special) {
        lb_assert(io->lba * 512 <= DISK_BYTES && io->blocks <= DISK_BYTES / 512 - io->lba);
        answer = lb_target_memory_do(io, f.disk + io->lba * 512);
    }
    if (uses_up && io->buffer.p != NULL && ((f.flags & COPIES) != 0 || io->is_apart))
        free_buffer(io);
    if (fails)
        answer.status = LB_SCSI_BUSY;
    else if (io->kind == LB_IO_READ || io->kind == LB_IO_BUFFER)
        answer.memory = take_buffer(io);
    lb_target_io_done(&f.conn, f.now, io, answer);
}

static void lend(enum lb_target_role role) {
    struct lb_span spans[] = {[LB_TARGET_STAGING] = lb_span(f.rx, sizeof f.rx),
                              [LB_TARGET_WORK] = lb_span((uint8_t *)f.work, sizeof f.work),
                              [LB_TARGET_TEXT] = lb_span((uint8_t *)&f.text, sizeof f.text)};
    memset(spans[role].p, 0xdd, spans[role].len);
    lb_target_lend(&f.conn, f.now, role, spans[role]);
}

/* What is not in use is taken, and worth nothing any more. */
static void take_back(void) {
    for (int role = 0; role < LB_TARGET_ROLES; role++) {
        struct lb_span memory = lb_target_take_back(&f.conn, (enum lb_target_role)role);
        if (memory.len > 0)
            memset(memory.p, 0xdd, memory.len);
    }
}

/* Everything that the machine wants to do now. */
static void serve(void) {
    struct lb_bytes pieces[4];
    unsigned sum = 0;
    for (unsigned polls = 0;; polls++) {
        struct lb_target_action action = lb_target_poll(&f.conn, f.now);
        lb_assert(polls < POLLS_MAX);
        if (action.event == LB_TARGET_IO && action.io->kind == LB_IO_RELEASE) {
            free_buffer(action.io);
        } else if (action.event == LB_TARGET_LEND) {
            lend(action.role);
        } else if (action.event == LB_TARGET_IO && (f.flags & LAZY) != 0) {
            lb_assert(f.waiting_count < IOS);
            f.waiting[f.waiting_count++] = action.io;
        } else if (action.event == LB_TARGET_IO) {
            answer(action.io);
        } else if (action.event == LB_TARGET_SEND) {
            size_t count = lb_target_gather(&f.conn, pieces, 4), len = 0;
            for (size_t i = 0; i < count; i++) {
                for (size_t k = 0; k < pieces[i].len; k++)
                    sum += pieces[i].p[k];
                len += pieces[i].len;
            }
            lb_assert(len > 0);
            lb_target_sent(&f.conn, f.now, len);
        } else {
            lb_assert(action.event == LB_TARGET_CLOSE || action.until_us > f.now);
            break;
        }
    }
    lb_assert(sum < UINT32_MAX);
    take_back();
    if (f.waiting_count > 0)
        answer(f.waiting[--f.waiting_count]);
}

static void feed(struct lb_bytes bytes) {
    while (bytes.len > 0) {
        struct lb_span spans[2];
        if (!lb_target_has(&f.conn, LB_TARGET_STAGING))
            lend(LB_TARGET_STAGING);
        size_t count = lb_target_where(&f.conn, spans), got = 0;
        size_t limit = (f.flags & SPLIT) != 0 ? LB_MIN(bytes.len, 7) : bytes.len;
        for (size_t i = 0; i < count && got < limit; i++) {
            size_t len = LB_MIN(spans[i].len, limit - got);
            memcpy(spans[i].p, bytes.p + got, len);
            got += len;
        }
        if (got > 0)
            lb_target_got(&f.conn, f.now, got);
        bytes = lb_bytes_after(bytes, got);
        f.now += 1000;
        serve();
        if (got == 0 && f.waiting_count == 0)
            return; /* it is closed, or takes no more */
    }
}

#define LOGIN(keys)                                                                                \
    "InitiatorName=iqn.a\0SessionType=Normal\0TargetName=iqn.t\0InitialR2T=No\0ImmediateData="     \
    "Yes\0"                                                                                        \
    "MaxRecvDataSegmentLength=4096\0FirstBurstLength=4096\0MaxBurstLength=8192\0" keys

static void log_in(void) {
    static const char plain[] = LOGIN("");
    static const char digests[] = LOGIN("HeaderDigest=CRC32C\0DataDigest=CRC32C\0");
    static uint8_t room[1024];
    bool has_digests = (f.flags & DIGESTS) != 0;
    size_t len = has_digests ? sizeof digests - 1 : sizeof plain - 1;
    struct lb_iscsi_pdu pdu = {.opcode = LB_OP_LOGIN_REQUEST,
                               .immediate = true,
                               .final = true,
                               .data_len = (uint32_t)len,
                               .login = {.csg = 1, .nsg = 3}};
    memset(room, 0, sizeof room);
    lb_iscsi_encode(&pdu, room);
    memcpy(room + LB_ISCSI_BHS_BYTES, has_digests ? digests : plain, len);
    feed(lb_bytes(room, LB_ISCSI_BHS_BYTES + ((len + 3) & ~(size_t)3)));
}

/* What a random header has no chance to hit. The bits of its own values choose. */
static void mend(struct lb_iscsi_pdu *pdu, size_t left) {
    uint32_t choice = pdu->exp_stat_sn;
    pdu->ahs_len = 0;
    pdu->data_len = (uint32_t)LB_MIN(pdu->data_len % 5000, left);
    if ((choice & 7) != 0)
        pdu->cmd_sn = f.conn.exp_cmd_sn;
    pdu->itt &= 0x1f;
    pdu->lun[0] = 0;
    if ((choice & 8) == 0)
        memset(pdu->lun, 0, sizeof pdu->lun);
    if (pdu->opcode == LB_OP_SCSI_COMMAND) {
        pdu->command.edtl = LB_MAX(pdu->command.edtl % 40000, pdu->data_len);
        memset(pdu->command.cdb + 2, 0, 3); /* an LBA that is there */
        pdu->command.cdb[7] = 0;
    } else if (pdu->opcode == LB_OP_DATA_OUT && (choice & 16) == 0) {
        for (size_t i = 0; f.conn.work != NULL && i < f.conn.work->fresh; i++) {
            const struct lb_target_task *task = &f.conn.work->tasks[i];
            if (task->state != LB_TTASK_RECEIVING || task->is_answered)
                continue;
            pdu->itt = task->itt;
            pdu->ttt = task->unsolicited ? LB_ISCSI_NO_TAG : task->ttt;
            pdu->data_out.data_sn = task->data_sn;
            pdu->data_out.buffer_offset = task->moved;
            pdu->data_len = LB_MIN(pdu->data_len, task->burst_end - task->moved);
            pdu->final = pdu->final || pdu->data_len == task->burst_end - task->moved;
        }
    }
}

static void feed_mended(struct lb_rd rd) {
    uint8_t bhs[LB_ISCSI_BHS_BYTES];
    static const uint8_t padding[4];
    struct lb_iscsi_pdu pdu;
    while (rd.left >= sizeof bhs && f.conn.phase < LB_TARGET_CLOSING) {
        lb_rd_copy(&rd, bhs, sizeof bhs);
        if (!lb_iscsi_decode(bhs, &pdu)) {
            feed(lb_bytes(bhs, sizeof bhs));
            continue;
        }
        mend(&pdu, rd.left);
        lb_iscsi_encode(&pdu, bhs);
        feed(lb_bytes(bhs, sizeof bhs));
        feed(lb_rd_bytes(&rd, pdu.data_len));
        feed(lb_bytes(padding, -pdu.data_len & 3));
    }
}

static void set_up(uint8_t flags) {
    static const uint8_t seed[LB_RAND_SEED_BYTES] = {1};
    struct lb_endpoint local = {lb_addr_v4(192, 0, 2, 1), 3260};
    memset(&f.server, 0, sizeof f.server);
    memset(f.nodes, 0, sizeof f.nodes);
    memset(f.used, 0, sizeof f.used);
    memset(f.before, 0xa5, GUARD);
    memset(f.after, 0xa5, GUARD);
    f.flags = flags;
    f.now = 1000000;
    f.waiting_count = f.ios = 0;
    f.server.nodes = f.nodes;
    f.server.node_count = 2;
    f.server.keeps_memory = (flags & COPIES) == 0;
    f.server.io_max = (flags & COPIES) != 0 ? IO_ROOM : 0;
    lb_text_copy(f.nodes[0].name, LB_NAME_MAX, lb_bytes_of_text("iqn.t"));
    lb_text_copy(f.nodes[1].name, LB_NAME_MAX, lb_bytes_of_text("iqn.u"));
    f.nodes[0].window = 8;
    f.nodes[0].header_digest = f.nodes[0].data_digest = LB_DIGEST_PREFER;
    f.units[0] = f.units[1] = (struct lb_scsi_unit){.blocks = DISK_BYTES / 512};
    f.units[1].read_only = true;
    f.units[0].is_thin = f.units[0].can_copy = f.units[0].can_sanitize = true;
    f.units[0].atomic_blocks = 16;
    f.units[0].registrations = f.keys;
    f.units[0].registration_cap = 2;
    f.units[0].can_keep = true;
    f.nodes[0].luns[0] = &f.units[0];
    f.nodes[0].luns[1] = &f.units[1];
    if ((flags & CHAP) != 0) {
        f.account = (struct lb_target_account){.name = "me", .secret = {1, 2, 3}, .secret_len = 16};
        f.nodes[0].accounts = &f.account;
        f.nodes[0].account_count = 1;
        f.nodes[0].own = (struct lb_target_account){.name = "t", .secret = {9}, .secret_len = 16};
    }
    lb_rand_init(&f.rand, seed);
    lb_target_conn_init(&f.conn, f.now, &f.server, local, &f.rand, NULL);
}

/* Whatever came, silence ends it, and nothing of the host's is kept for ever. */
static void finish(void) {
    while (f.waiting_count > 0)
        answer(f.waiting[--f.waiting_count]);
    serve();
    if (f.units[0].sanitize.state == LB_SCSI_SANITIZE_GOES_ON)
        lb_scsi_sanitize_end(&f.units[0], (f.flags & FAULTS) == 0);
    serve();
    f.now += 40 * LB_US_SEC;
    serve();
    f.now += 40 * LB_US_SEC;
    serve();
    lb_assert(lb_target_poll(&f.conn, f.now).event == LB_TARGET_CLOSE);
    lb_target_conn_end(&f.conn);
    lb_assert(f.server.logins == NULL && f.server.session_count == 0);
    for (size_t i = 0; i < GUARD; i++)
        lb_assert(f.before[i] == 0xa5 && f.after[i] == 0xa5);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1)
        return 0;
    set_up(data[0]);
    if ((f.flags & LOG_IN) != 0)
        log_in();
    if ((f.flags & MEND) != 0)
        feed_mended(lb_rd(lb_bytes(data + 1, size - 1)));
    else
        feed(lb_bytes(data + 1, size - 1));
    finish();
    return 0;
}
