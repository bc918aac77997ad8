/* EXTENDED COPY and RECEIVE COPY RESULTS: SPC-4 5.17, 6.4, 6.24. */
#include "core/target/test_target_two.h"

/* The disk's designator: NAA, made of its name and LUN; and another one that nobody has. */
static uint64_t naa_of(unsigned lun) {
    return lun == 0 ? UINT64_C(0x3000000000000001) : UINT64_C(0x3000000000000002);
}

struct list {
    uint8_t bytes[4096];
    struct lb_wr wr;
    size_t targets, segments;
};

static struct list list;

static void begin_list(uint8_t id, uint8_t usage) {
    list.wr = lb_wr(lb_span(list.bytes, sizeof list.bytes));
    list.targets = list.segments = 0;
    lb_wr_u8(&list.wr, id);
    lb_wr_u8(&list.wr, (uint8_t)(usage << 3));
    lb_wr_zero(&list.wr, 14);
}

static void add_target(uint64_t naa) {
    lb_wr_u32(&list.wr, 0xe4000000);
    lb_wr_u32(&list.wr, 0x01030008); /* binary, NAA, of the unit, 8 bytes */
    lb_wr_u64(&list.wr, naa);
    lb_wr_zero(&list.wr, 12);
    lb_wr_u32(&list.wr, 512);
    list.targets += 32;
}

static void add_segment(uint16_t from, uint16_t to, uint16_t blocks, uint64_t source_lba,
                        uint64_t lba) {
    lb_wr_u32(&list.wr, 0x02000018);
    lb_wr_u16(&list.wr, from);
    lb_wr_u16(&list.wr, to);
    lb_wr_u16(&list.wr, 0);
    lb_wr_u16(&list.wr, blocks);
    lb_wr_u64(&list.wr, source_lba);
    lb_wr_u64(&list.wr, lba);
    list.segments += 28;
}

/* With its two lengths; len is told in the CDB. */
static unsigned send_cut(unsigned who, uint16_t len) {
    uint8_t cdb[16] = {LB_SCSI_EXTENDED_COPY};
    lb_wr_u16_at(&list.wr, 2, (uint16_t)list.targets);
    lb_wr_u32_at(&list.wr, 8, (uint32_t)list.segments);
    cdb[12] = (uint8_t)(len >> 8);
    cdb[13] = (uint8_t)len;
    return say(who, lb_bytes(cdb, sizeof cdb), lb_bytes(list.bytes, len), 0);
}

static unsigned send(unsigned who) {
    return send_cut(who, (uint16_t)list.wr.len);
}

static void log_in_with_two_disks(void) {
    log_in_both();
    raw.unit.can_copy = true;
    raw.unit.naa = naa_of(0);
    raw.second = (struct lb_scsi_unit){.blocks = 1024, .naa = naa_of(1), .can_copy = true};
    memset(raw.second_disk, 0xee, sizeof raw.second_disk);
    raw.node.luns[1] = &raw.second;
}

#define STATUS(id) ASK(ME, "84 00 " id " 00000000000000 000000ff 00 00", 255)

static void blocks_are_copied_within_a_disk_and_to_another(void) {
    log_in_with_two_disks();
    begin_list(0, 3);
    add_target(naa_of(0));
    add_target(naa_of(1));
    add_segment(0, 0, 3, 10, 100);
    add_segment(0, 1, 2, 20, 1022);
    add_segment(1, 0, 1, 0, 200);
    CHECK_EQ(send(ME), LB_SCSI_GOOD);
    CHECK(is_filled(100, 1, 10) && is_filled(101, 1, 11) && is_filled(102, 1, 12));
    CHECK(is_filled(99, 1, 99) && is_filled(103, 1, 103));
    CHECK_EQ(raw.second_disk[1022 * 512], 20);
    CHECK_EQ(raw.second_disk[1023 * 512], 21);
    CHECK_EQ(raw.second_disk[1021 * 512], 0xee);
    CHECK(is_filled(200, 1, 0xee));
    CHECK_EQ(raw.copies, 3);
    CHECK_EQ(STATUS("00"), LB_SCSI_CHECK_CONDITION); /* nothing was to be held */
}

/* So that others are served between them. */
static void a_long_segment_is_copied_in_pieces(void) {
    log_in_with_two_disks();
    begin_list(7, 0);
    add_target(naa_of(0));
    add_segment(0, 0, 1000, 0, 1024);
    CHECK_EQ(send(ME), LB_SCSI_GOOD);
    CHECK_EQ(raw.copies, 2); /* 512 blocks, and 488 */
    for (unsigned i = 0; i < 1000; i++)
        CHECK(is_filled(1024 + i, 1, (uint8_t)i));
    CHECK_EQ(STATUS("08"), LB_SCSI_CHECK_CONDITION);
    CHECK_EQ(sense(), 0x052400);
    CHECK_EQ(STATUS("07"), LB_SCSI_GOOD);
    CHECK_BYTES(raw.data, tap_hex("00000008 01 0001 01 000001f4"));
    CHECK_EQ(STATUS("07"), LB_SCSI_CHECK_CONDITION); /* once */
}

static void a_segment_may_be_counted_in_bytes(void) {
    log_in_with_two_disks();
    begin_list(1, 3);
    list.bytes[0] = 0;
    add_target(naa_of(0));
    lb_wr_u32(&list.wr, 0x0a00001c);
    lb_wr_u32(&list.wr, 0);
    lb_wr_u32(&list.wr, 1024);
    lb_wr_u64(&list.wr, 10);
    lb_wr_u64(&list.wr, 100);
    lb_wr_u32(&list.wr, 0);
    list.segments = 32;
    CHECK_EQ(send(ME), LB_SCSI_GOOD);
    CHECK(is_filled(100, 1, 10) && is_filled(101, 1, 11) && is_filled(102, 1, 102));
    lb_wr_u32_at(&list.wr, 16 + 32 + 8, 1000); /* not whole blocks */
    CHECK_EQ(send(ME), LB_SCSI_CHECK_CONDITION);
    CHECK_EQ(sense(), 0x052600);
}

static void a_wrong_list_copies_nothing(void) {
    log_in_with_two_disks();
    CHECK_EQ(ASK(ME, "83 00 0000000000000000 00000000 00 00", 0), LB_SCSI_GOOD);
    begin_list(1, 0);
    add_target(naa_of(0));
    add_segment(0, 0, 1, 10, 100);
    for (uint16_t len = 1; len < list.wr.len; len++) {
        CHECK_EQ(send_cut(ME, len), LB_SCSI_CHECK_CONDITION);
        CHECK_EQ(sense(), 0x051a00);
    }
    lb_wr_u32_at(&list.wr, 12, 4); /* inline data */
    CHECK_EQ(send(ME), LB_SCSI_CHECK_CONDITION);
    CHECK_EQ(sense(), 0x05260b);
    lb_wr_u32_at(&list.wr, 12, 0);
    list.bytes[16] = 0xe0;
    CHECK_EQ(send(ME), LB_SCSI_CHECK_CONDITION);
    CHECK_EQ(sense(), 0x052607);
    list.bytes[16] = 0xe4;
    list.bytes[48] = 0x03;
    CHECK_EQ(send(ME), LB_SCSI_CHECK_CONDITION);
    CHECK_EQ(sense(), 0x052609);
    list.bytes[48] = 0x02;
    list.bytes[51] = 0x17;
    CHECK_EQ(send(ME), LB_SCSI_CHECK_CONDITION);
    CHECK_EQ(sense(), 0x052600);
    begin_list(1, 3); /* an identifier where there is none */
    add_target(naa_of(0));
    add_segment(0, 0, 1, 10, 100);
    CHECK_EQ(send(ME), LB_SCSI_CHECK_CONDITION);
    CHECK_EQ(sense(), 0x052600);
    CHECK_EQ(raw.copies, 0);
    CHECK_EQ(STATUS("01"), LB_SCSI_CHECK_CONDITION); /* none has begun */
}

static void there_are_limits_and_they_are_told(void) {
    log_in_with_two_disks();
    CHECK_EQ(ASK(ME, "84 03 0000000000000000 000000ff 00 00", 255), LB_SCSI_GOOD);
    CHECK_BYTES(raw.data, tap_hex("0000002b 00000000 0010 0040 00000900 01000000 00000000 00000000 "
                                  "00000000 0000 0040 01 09 00 00 000000 03 02 0a e4"));
    begin_list(1, 0);
    for (unsigned i = 0; i < 17; i++)
        add_target(naa_of(0));
    add_segment(0, 0, 1, 10, 100);
    CHECK_EQ(send(ME), LB_SCSI_CHECK_CONDITION);
    CHECK_EQ(sense(), 0x052606);
    begin_list(1, 0);
    add_target(naa_of(0));
    for (unsigned i = 0; i < 65; i++)
        add_segment(0, 0, 0, 0, 0);
    CHECK_EQ(send(ME), LB_SCSI_CHECK_CONDITION);
    CHECK_EQ(sense(), 0x052608);
    list.targets = list.segments = 0;
    begin_list(1, 0);
    for (unsigned i = 0; i < 17; i++)
        add_target(naa_of(0));
    for (unsigned i = 0; i < 65; i++)
        add_segment(0, 0, 0, 0, 0);
    CHECK_EQ(send(ME), LB_SCSI_CHECK_CONDITION);
    CHECK_EQ(sense(), 0x051a00);
    raw.unit.block_bytes = 4096;
    raw.unit.blocks = 1 << 20;
    begin_list(1, 0);
    add_target(naa_of(0));
    add_segment(0, 0, 4097, 0, 5000); /* more than 16 MiB */
    CHECK_EQ(send(ME), LB_SCSI_CHECK_CONDITION);
    CHECK_EQ(sense(), 0x052600);
}

static void what_cannot_be_reached_aborts_the_copy_where_it_is(void) {
    static const struct {
        uint16_t to, blocks;
        uint64_t lba;
        unsigned sense;
    } cases[] = {{3, 1, 100, 0x0a0804},
                 {1, 1, 100, 0x0a0d02}, /* nobody has that name */
                 {0, 2, 2047, 0x0a0d02},
                 {0, 1, UINT64_MAX, 0x0a0d02},
                 {2, 1, 100, 0x072700}};
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        log_in_with_two_disks();
        raw.second.read_only = true;
        begin_list(5, 0);
        add_target(naa_of(0));
        add_target(UINT64_C(0x3000000000000bad));
        add_target(naa_of(1));
        add_segment(0, 0, 1, 10, 300);
        add_segment(0, cases[i].to, cases[i].blocks, 10, cases[i].lba);
        CHECK_EQ(send(ME), LB_SCSI_CHECK_CONDITION);
        CHECK_EQ(sense(), cases[i].sense);
        CHECK(is_filled(300, 1, 10)); /* the segment before */
        CHECK_EQ(raw.copies, 1);
        CHECK_EQ(STATUS("05"), LB_SCSI_GOOD);
        CHECK_BYTES(raw.data, tap_hex("00000008 02 0001 01 00000000"));
    }
}

static void a_disk_that_is_full_says_so_as_for_a_write(void) {
    log_in_with_two_disks();
    raw.fails_copies = true;
    begin_list(5, 0);
    add_target(naa_of(0));
    add_segment(0, 0, 1, 10, 100);
    CHECK_EQ(send(ME), LB_SCSI_CHECK_CONDITION);
    CHECK_EQ(sense(), 0x072707);
    CHECK_EQ(STATUS("05"), LB_SCSI_GOOD);
    CHECK_BYTES(raw.data, tap_hex("00000008 02 0000 01 00000000"));
}

static void others_reservations_stand_against_it(void) {
    log_in_with_two_disks();
    CHECK_EQ(ASK(YOU, "16 0000000000", 0), LB_SCSI_GOOD);
    begin_list(5, 3);
    list.bytes[0] = 0;
    add_target(naa_of(0));
    add_segment(0, 0, 1, 10, 100);
    CHECK_EQ(send(ME), LB_SCSI_RESERVATION_CONFLICT);
    CHECK_EQ(ASK(YOU, "17 0000000000", 0), LB_SCSI_GOOD);
    CHECK_EQ(send(ME), LB_SCSI_GOOD);
    /* Of the other disk: the copy is aborted there. */
    lb_target_attention(&raw.server, &raw.node, 1, 0x2a, 0x09); /* reaches nobody yet */
    raw.second.reserved = &conns[YOU].nexuses[1];
    begin_list(0, 3);
    add_target(naa_of(0));
    add_target(naa_of(1));
    add_segment(0, 1, 1, 10, 100);
    CHECK_EQ(send(ME), LB_SCSI_CHECK_CONDITION);
    CHECK_EQ(sense(), 0x0a0d01);
    CHECK_EQ(raw.second_disk[100 * 512], 0xee);
}

static void an_aborted_copy_stops_after_its_piece(void) {
    log_in_with_two_disks();
    begin_list(9, 0);
    add_target(naa_of(0));
    add_segment(0, 0, 1000, 0, 1024);
    raw.holds = true;
    uint8_t cdb[16] = {LB_SCSI_EXTENDED_COPY};
    lb_wr_u16_at(&list.wr, 2, (uint16_t)list.targets);
    lb_wr_u32_at(&list.wr, 8, (uint32_t)list.segments);
    cdb[13] = (uint8_t)list.wr.len;
    struct lb_iscsi_pdu pdu = {.opcode = LB_OP_SCSI_COMMAND,
                               .final = true,
                               .itt = ++raw.itt,
                               .cmd_sn = cmd_sns[ME]++,
                               .command = {.write = true, .edtl = (uint32_t)list.wr.len}};
    memcpy(pdu.command.cdb, cdb, sizeof cdb);
    speak(ME);
    give(pdu, lb_bytes(list.bytes, list.wr.len));
    CHECK_EQ(raw.held_count, 1); /* room for the list */
    answer(raw.held[0]);
    raw.held_count = 0;
    serve();
    give_bytes(lb_bytes(list.bytes, list.wr.len)); /* there was no room for it before */
    if (!CHECK_EQ(raw.held_count, 1) || !CHECK_EQ(raw.held[0]->kind, LB_IO_COPY))
        return;
    struct lb_iscsi_pdu abort = tmf(LB_TMF_ABORT_TASK, pdu.itt);
    abort.cmd_sn = cmd_sns[ME];
    give(abort, nothing);
    CHECK(!take()); /* until the piece is done */
    release_held();
    CHECK(take_op(LB_OP_TMF_RESPONSE));
    CHECK_EQ(raw.pdu.tmf_response.response, LB_TMF_COMPLETE);
    CHECK_EQ(raw.copies, 1);
    CHECK_EQ(STATUS("09"), LB_SCSI_GOOD);
    CHECK_EQ(raw.data.p[4], 2);
}

static void it_is_told_where_there_is_a_copy_manager(void) {
    log_in_with_two_disks();
    CHECK_EQ(ASK(ME, "12 00 00 0060 00", 96), LB_SCSI_GOOD);
    CHECK_EQ(raw.data.p[5] & 8, 8); /* 3PC */
    CHECK_EQ(ASK(ME, "12 01 8f 00ff 00", 255), LB_SCSI_GOOD);
    CHECK_BYTES(
        raw.data,
        tap_hex("00 8f 0058 0001 0008 07 83 01 00 84 02 00 03 0004 001c 00000000 0010 0040 "
                "00000900 00000000 00000000 00000000 00000000 0008 0004 03 02 0a e4 "
                "8001 0020 00000040 00000001 01000000 09 00000000000000000000000000000000000000"));
    raw.unit.can_copy = false;
    CHECK_EQ(ASK(ME, "12 01 8f 00ff 00", 255), LB_SCSI_CHECK_CONDITION);
    CHECK_EQ(ASK(ME, "84 03 0000000000000000 000000ff 00 00", 255), LB_SCSI_CHECK_CONDITION);
    CHECK_EQ(sense(), 0x052000);
}

/* Each thing that stands against a use of the other disk aborts the copy there. */
static void a_disk_that_cannot_be_used_now_aborts_the_copy(void) {
    enum { STOPPED, BECOMES_READY, HAS_NO_MEDIUM, IS_BUSY, IS_SANITIZED, HAS_FAILED, ALL };
    for (unsigned why = STOPPED; why <= ALL; why++) {
        for (uint16_t from = 0; from <= 1; from++) {
            log_in_with_two_disks();
            lb_target_attention(&raw.server, &raw.node, 1, 0x2a, 0x09); /* reaches nobody yet */
            raw.second.state = why == STOPPED         ? LB_SCSI_UNIT_STOPPED
                               : why == BECOMES_READY ? LB_SCSI_UNIT_BECOMING_READY
                               : why == HAS_NO_MEDIUM ? LB_SCSI_UNIT_NO_MEDIUM
                                                      : LB_SCSI_UNIT_READY;
            raw.second.is_busy = why == IS_BUSY;
            raw.second.sanitize.state = why == IS_SANITIZED ? LB_SCSI_SANITIZE_GOES_ON
                                        : why == HAS_FAILED ? LB_SCSI_SANITIZE_FAILED
                                                            : LB_SCSI_SANITIZE_NONE;
            begin_list(0, 3);
            add_target(naa_of(0));
            add_target(naa_of(1));
            add_segment(from, 1 - from, 1, 10, 100);
            CHECK_EQ(send(ME), why == ALL ? LB_SCSI_GOOD : LB_SCSI_CHECK_CONDITION);
            if (why != ALL)
                CHECK_EQ(sense(), 0x0a0d02);
            CHECK_EQ(raw.copies, why == ALL);
        }
    }
}

int main(void) {
    TEST(blocks_are_copied_within_a_disk_and_to_another);
    TEST(a_long_segment_is_copied_in_pieces);
    TEST(a_segment_may_be_counted_in_bytes);
    TEST(a_wrong_list_copies_nothing);
    TEST(there_are_limits_and_they_are_told);
    TEST(what_cannot_be_reached_aborts_the_copy_where_it_is);
    TEST(a_disk_that_is_full_says_so_as_for_a_write);
    TEST(others_reservations_stand_against_it);
    TEST(an_aborted_copy_stops_after_its_piece);
    TEST(it_is_told_where_there_is_a_copy_manager);
    TEST(a_disk_that_cannot_be_used_now_aborts_the_copy);
    return tap_done();
}
