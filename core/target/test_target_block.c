/* What other initiators ask of a disk: comparing, filling, giving back, reserving. SBC-3, SPC-4. */
#include "core/target/test_target_two.h"

/* ---- blocks ---- */

static void every_length_of_read_and_write_moves_the_same_blocks(void) {
    static const char *const writes[] = {"0a 000009 02 00", "2a 00 00000009 00 0002 00",
                                         "aa 00 00000009 00000002 00 00",
                                         "8a 00 0000000000000009 00000002 00 00"};
    static const char *const reads[] = {"08 000009 02 00", "28 00 00000009 00 0002 00",
                                        "a8 00 00000009 00000002 00 00",
                                        "88 00 0000000000000009 00000002 00 00"};
    log_in_both();
    for (uint8_t i = 0; i < 4; i++) {
        CHECK_EQ(SAY(ME, writes[i], filled(0x50 + i, 1024)), LB_SCSI_GOOD);
        CHECK(is_filled(9, 2, 0x50 + i) && raw.disk[8 * 512] == 8 && raw.disk[11 * 512] == 11);
        CHECK_EQ(ASK(ME, reads[i], 1024), LB_SCSI_GOOD);
        CHECK_EQ(raw.data.len, 1024);
        CHECK_EQ(raw.data.p[1023], 0x50 + i);
    }
}

/* libiscsi's suite writes 256 blocks as 0. */
static void compare_and_write_takes_exactly_twice_its_blocks(void) {
    log_in_both();
    CHECK_EQ(SAY(ME, "89 00 0000000000000009 00000000 00 00", filled(1, 1024)),
             LB_SCSI_CHECK_CONDITION);
    CHECK_EQ(sense(), 0x052400);
    CHECK_EQ(SAY(ME, "89 00 0000000000000009 00000001 00 00", filled(1, 512)),
             LB_SCSI_CHECK_CONDITION);
    CHECK_EQ(sense(), 0x050e03);
    CHECK(is_filled(9, 1, 9));
}

static void write_and_verify_is_durable_before_it_is_answered(void) {
    log_in_both();
    CHECK_EQ(SAY(ME, "2e 00 00000009 00 0002 00", filled(1, 1024)), LB_SCSI_GOOD);
    CHECK_EQ(SAY(ME, "ae 00 00000009 00000002 00 00", filled(2, 1024)), LB_SCSI_GOOD);
    CHECK_EQ(SAY(ME, "8e 02 0000000000000009 00000002 00 00", filled(3, 1024)), LB_SCSI_GOOD);
    CHECK_EQ(raw.fua_writes, 3);
    CHECK(is_filled(9, 2, 3));
}

static void verify_compares_what_it_is_given(void) {
    log_in_both();
    CHECK_EQ(ASK(ME, "2f 00 00000009 00 0002 00", 0), LB_SCSI_GOOD);
    CHECK_EQ(SAY(ME, "2f 02 00000009 00 0001 00", filled(9, 512)), LB_SCSI_GOOD);
    CHECK_EQ(SAY(ME, "8f 02 0000000000000009 00000002 00 00", filled(9, 1024)),
             LB_SCSI_CHECK_CONDITION);
    CHECK_EQ(sense(), 0x0e1d00);
    struct lb_scsi_sense s = lb_scsi_decode_sense(lb_bytes_after(raw.data, 2));
    CHECK(s.has_information && s.information == 512); /* the first byte that differs */
    memset(raw.disk + 20 * 512, 7, 4 * 512);
    CHECK_EQ(SAY(ME, "2f 06 00000014 00 0004 00", filled(7, 512)), LB_SCSI_GOOD); /* one, each */
    CHECK_EQ(SAY(ME, "af 06 00000014 00000005 00 00", filled(7, 512)), LB_SCSI_CHECK_CONDITION);
    CHECK_EQ(SAY(ME, "2f 04 00000014 00 0001 00", filled(7, 512)), LB_SCSI_CHECK_CONDITION);
    CHECK_EQ(sense(), 0x052400);
    CHECK_EQ(raw.releases, 0); /* with COMPARE's answer the buffer is the host's */
}

static void write_same_fills_and_unmaps(void) {
    log_in_both();
    CHECK_EQ(SAY(ME, "41 00 00000009 00 0003 00", filled(0x77, 512)), LB_SCSI_GOOD);
    CHECK(is_filled(9, 3, 0x77) && raw.disk[12 * 512] == 12);
    CHECK_EQ(SAY(ME, "93 08 0000000000000009 00000002 00 00", filled(0, 512)), LB_SCSI_GOOD);
    CHECK(is_filled(9, 2, 0) && is_filled(11, 1, 0x77));
    CHECK_EQ(ASK(ME, "93 01 000000000000000b 00000001 00 00", 0), LB_SCSI_GOOD); /* NDOB */
    CHECK(is_filled(11, 1, 0));
    CHECK_EQ(SAY(ME, "41 00 000007fe 00 0000 00", filled(0x66, 512)),
             LB_SCSI_GOOD); /* to the end */
    CHECK(is_filled(2046, 2, 0x66));
    CHECK_EQ(SAY(ME, "41 00 00000009 00 0003 00", filled(1, 1024)), LB_SCSI_CHECK_CONDITION);
    raw.unit.is_thin = false;
    CHECK_EQ(SAY(ME, "41 08 00000009 00 0003 00", filled(1, 512)), LB_SCSI_CHECK_CONDITION);
    CHECK_EQ(sense(), 0x052400);
}

static void unmap_gives_back_every_range_or_none(void) {
    log_in_both();
    CHECK_EQ(SAY(ME, "42 00 00000000 00 0028 00",
                 tap_hex("0026 0020 00000000"
                         "0000000000000009 00000002 00000000"
                         "0000000000000014 00000001 00000000")),
             LB_SCSI_GOOD);
    CHECK(is_filled(9, 2, 0) && is_filled(20, 1, 0) && raw.disk[11 * 512] == 11);
    CHECK_EQ(SAY(ME, "42 00 00000000 00 0028 00",
                 tap_hex("0026 0020 00000000"
                         "0000000000000030 00000002 00000000"
                         "00000000000007ff 00000002 00000000")),
             LB_SCSI_CHECK_CONDITION);
    CHECK_EQ(sense(), 0x052100);
    CHECK_EQ(raw.disk[0x30 * 512], 0x30);
    CHECK_EQ(raw.releases, 2); /* of the two lists */
}

static void compare_and_write_writes_what_was_compared(void) {
    static uint8_t both[1024];
    log_in_both();
    memset(both, 9, 512);
    memset(both + 512, 0x55, 512);
    CHECK_EQ(SAY(ME, "89 00 0000000000000009 000000 01 00 00", lb_bytes(both, 1024)), LB_SCSI_GOOD);
    CHECK(is_filled(9, 1, 0x55));
    CHECK_EQ(SAY(ME, "89 00 0000000000000009 000000 01 00 00", lb_bytes(both, 1024)),
             LB_SCSI_CHECK_CONDITION);
    CHECK_EQ(sense(), 0x0e1d00);
    CHECK_EQ(SAY(ME, "89 00 0000000000000009 000000 02 00 00", lb_bytes(both, 1024)),
             LB_SCSI_CHECK_CONDITION);
    CHECK_EQ(sense(), 0x050e03);
}

/* So that nobody waits for long: SBC-3 6.6.3, MAXIMUM WRITE SAME LENGTH. */
static void one_block_for_each_of_too_many_is_refused(void) {
    log_in_both();
    raw.unit.blocks = 1 << 20;
    CHECK_EQ(ASK(ME, "12 01 b0 00ff 00", 255), LB_SCSI_GOOD);
    CHECK_BYTES(lb_bytes(raw.data.p + 36, 8), tap_hex("0000000000020000"));
    static const char *const wrong[] = {"93 00 0000000000000000 00020001 00 00",
                                        "93 00 0000000000000000 00000000 00 00",
                                        "8f 06 0000000000000000 00020001 00 00"};
    for (size_t i = 0; i < LB_COUNT(wrong); i++) {
        CHECK_EQ(say(ME, tap_hex(wrong[i]), filled(1, 512), 0), LB_SCSI_CHECK_CONDITION);
        CHECK_EQ(sense(), 0x052400);
    }
    CHECK(is_filled(9, 1, 9));
    raw.unit.blocks = DISK_BYTES / 512; /* to the end: of these it may */
    CHECK_EQ(SAY(ME, "93 00 0000000000000400 00000000 00 00", filled(1, 512)), LB_SCSI_GOOD);
    CHECK(is_filled(1023, 1, 0xff) && is_filled(1024, 1024, 1));
}

/* SBC-4 5.46 */
static void an_atomic_write_is_one_piece_or_refused(void) {
    log_in_both();
    CHECK_EQ(SAY(ME, "9c 00 0000000000000009 0000 0002 00 00", filled(1, 1024)),
             LB_SCSI_CHECK_CONDITION);
    CHECK_EQ(sense(), 0x052000); /* not every disk can */
    raw.unit.atomic_blocks = 16;
    raw.server.io_max = 4096; /* others come in pieces of this */
    CHECK_EQ(SAY(ME, "9c 00 0000000000000009 0000 0010 00 00", filled(1, 8192)), LB_SCSI_GOOD);
    CHECK_EQ(raw.atomic_writes, 1);
    CHECK(is_filled(9, 16, 1) && is_filled(25, 1, 25));
    CHECK_EQ(SAY(ME, "9c 00 0000000000000009 0000 0011 00 00", filled(2, 8192)),
             LB_SCSI_CHECK_CONDITION);
    CHECK_EQ(sense(), 0x052400);
    CHECK_EQ(SAY(ME, "9c 00 0000000000000009 0008 0010 00 00", filled(2, 8192)),
             LB_SCSI_CHECK_CONDITION);
    CHECK_EQ(sense(), 0x052400); /* a boundary */
    CHECK_EQ(SAY(ME, "9c 00 0000000000000009 0000 0010 00 00", filled(2, 8191)),
             LB_SCSI_CHECK_CONDITION);
    CHECK_EQ(sense(), 0x050e03);
    CHECK_EQ(SAY(ME, "9c 00 00000000000007ff 0000 0002 00 00", filled(2, 1024)),
             LB_SCSI_CHECK_CONDITION);
    CHECK_EQ(sense(), 0x052100);
    CHECK_EQ(SAY(ME, "9c 20 0000000000000009 0000 0002 00 00", filled(2, 1024)),
             LB_SCSI_CHECK_CONDITION);
    CHECK_EQ(sense(), 0x052400);
    raw.unit.read_only = true;
    CHECK_EQ(SAY(ME, "9c 00 0000000000000009 0000 0002 00 00", filled(2, 1024)),
             LB_SCSI_CHECK_CONDITION);
    CHECK_EQ(sense(), 0x072700);
    raw.unit.read_only = false;
    CHECK_EQ(ASK(ME, "9c 00 0000000000000009 0000 0000 00 00", 0), LB_SCSI_GOOD);
    CHECK_EQ(raw.atomic_writes, 1);
    CHECK(is_filled(9, 16, 1));
    CHECK_EQ(ASK(ME, "12 01 b0 00ff 00", 255), LB_SCSI_GOOD);
    CHECK_BYTES(lb_bytes(raw.data.p + 44, 20),
                tap_hex("00000010 00000000 00000000 00000000 00000000"));
}

static void orwrite_adds_bits(void) {
    log_in_both();
    CHECK_EQ(SAY(ME, "8b 08 0000000000000009 00000002 00 00", filled(0x60, 1024)), LB_SCSI_GOOD);
    CHECK(is_filled(9, 1, 0x69) && is_filled(10, 1, 0x6a) && is_filled(11, 1, 11));
    CHECK_EQ(ASK(ME, "37 00 0d 00000000 0020 00", 32), LB_SCSI_GOOD); /* no defects */
    CHECK_BYTES(raw.data, tap_hex("00 0d 0000"));
}

static void a_write_shorter_than_a_block_writes_nothing_and_says_so(void) {
    log_in_both();
    CHECK_EQ(SAY(ME, "2a 00 00000009 00 0001 00", filled(1, 256)), LB_SCSI_CHECK_CONDITION);
    CHECK_EQ(sense(), 0x050e03);
    CHECK(raw.pdu.response.overflow && raw.pdu.response.residual == 256);
    CHECK(is_filled(9, 1, 9));
}

/* ---- modes ---- */

static void without_a_write_cache_each_write_is_durable(void) {
    log_in_both();
    CHECK_EQ(SAY(ME, "15 10 0000 18 00",
                 tap_hex("00000000 08 12 00 0000000000000000 000000000000000000")),
             LB_SCSI_GOOD);
    CHECK_EQ(SAY(ME, "2a 00 00000009 00 0001 00", filled(1, 512)), LB_SCSI_GOOD);
    CHECK_EQ(raw.fua_writes, 1);
    CHECK_EQ(ASK(YOU, "00 0000000000", 0), LB_SCSI_CHECK_CONDITION);
    CHECK_EQ(sense(), 0x062a01); /* the others are told */
    CHECK_EQ(SAY(ME, "15 10 0000 18 00",
                 tap_hex("00000000 08 12 01 0000000000000000 000000000000000000")),
             LB_SCSI_CHECK_CONDITION); /* RCD does not change */
    CHECK_EQ(sense(), 0x052600);
}

static void software_write_protection_is_for_all(void) {
    log_in_both();
    CHECK_EQ(SAY(ME, "15 10 0000 10 00", tap_hex("00000000 0a 0a 00 10 08 00000000000000")),
             LB_SCSI_GOOD);
    CHECK_EQ(SAY(ME, "2a 00 00000009 00 0001 00", filled(1, 512)), LB_SCSI_CHECK_CONDITION);
    CHECK_EQ(sense(), 0x072702);
    CHECK_EQ(SAY(ME, "15 10 0000 10 00", tap_hex("00000000 0a 0a 00 10 00 00000000000000")),
             LB_SCSI_GOOD);
    CHECK_EQ(SAY(ME, "2a 00 00000009 00 0001 00", filled(1, 512)), LB_SCSI_GOOD);
}

/* ---- reservations ---- */

#define REGISTER(who, key)                                                                         \
    SAY(who, "5f 06 00 0000 00000018 00", tap_hex("0000000000000000" key "0000000000000000"))

static void reserve_6_ends_with_the_session(void) {
    log_in_both();
    CHECK_EQ(ASK(ME, "16 0000000000", 0), LB_SCSI_GOOD);
    CHECK_EQ(ASK(YOU, "00 0000000000", 0), LB_SCSI_RESERVATION_CONFLICT);
    CHECK_EQ(ASK(YOU, "12 000000ff00", 255), LB_SCSI_GOOD);
    CHECK_EQ(ASK(YOU, "17 0000000000", 0), LB_SCSI_GOOD); /* and nothing is released */
    CHECK_EQ(ASK(YOU, "16 0000000000", 0), LB_SCSI_RESERVATION_CONFLICT);
    lb_target_conn_end(&conns[ME]);
    CHECK_EQ(ASK(YOU, "16 0000000000", 0), LB_SCSI_GOOD);
}

static void a_persistent_reservation_stands_against_others_alone(void) {
    log_in_both();
    CHECK_EQ(REGISTER(ME, "00000000000000aa"), LB_SCSI_GOOD);
    CHECK_EQ(SAY(ME, "5f 01 01 0000 00000018 00", /* write exclusive */
                 tap_hex("00000000000000aa 0000000000000000 0000000000000000")),
             LB_SCSI_GOOD);
    CHECK_EQ(SAY(YOU, "2a 00 00000009 00 0001 00", filled(1, 512)), LB_SCSI_RESERVATION_CONFLICT);
    CHECK_EQ(ASK(YOU, "28 00 00000009 00 0001 00", 512), LB_SCSI_GOOD);
    CHECK_EQ(SAY(ME, "2a 00 00000009 00 0001 00", filled(1, 512)), LB_SCSI_GOOD);
    CHECK_EQ(ASK(YOU, "5e 01 0000000000 00ff 00", 255), LB_SCSI_GOOD);
    CHECK_BYTES(raw.data, tap_hex("00000001 00000010 00000000000000aa 00000000 00 01 0000"));
    CHECK_EQ(ASK(YOU, "16 0000000000", 0), LB_SCSI_RESERVATION_CONFLICT); /* the kinds do not mix */
    CHECK_EQ(raw.keeps, 0);
}

/* SBC-3 table 13: a start, and removal that is allowed, pass the reservations of others. */
static void what_does_no_harm_passes_a_reservation(void) {
    static const struct {
        const char *cdb;
        bool passes;
    } cases[] = {
        {"1b 00 00 00 01 00", true},  {"1b 01 00 00 01 00", true},
        {"1b 00 00 00 00 00", false}, {"1b 00 00 00 11 00", false},
        {"1e 00 00 00 00 00", true},  {"1e 00 00 00 01 00", false},
        {"00 00 00 00 00 00", true},  {"35 00 00000000 00 0000 00", false},
    };
    log_in_both();
    raw.unit.is_removable = true;
    CHECK_EQ(REGISTER(ME, "00000000000000aa"), LB_SCSI_GOOD);
    CHECK_EQ(SAY(ME, "5f 01 03 0000 00000018 00", /* exclusive access */
                 tap_hex("00000000000000aa 0000000000000000 0000000000000000")),
             LB_SCSI_GOOD);
    for (size_t i = 0; i < LB_COUNT(cases); i++)
        CHECK_EQ(ASK(YOU, cases[i].cdb, 0),
                 cases[i].passes ? LB_SCSI_GOOD : LB_SCSI_RESERVATION_CONFLICT);
}

static void a_registration_survives_the_session_and_is_kept_if_asked(void) {
    log_in_both();
    CHECK_EQ(SAY(ME, "5f 00 00 0000 00000018 00",
                 tap_hex("0000000000000000 00000000000000aa 00000000 01 000000")),
             LB_SCSI_GOOD);
    CHECK_EQ(raw.keeps, 1);
    CHECK(raw.unit.is_kept);
    lb_target_conn_end(&conns[ME]);
    CHECK_EQ(raw.unit.registration_count, 1);
    CHECK_EQ(ASK(YOU, "5e 00 0000000000 00ff 00", 255), LB_SCSI_GOOD);
    CHECK_BYTES(raw.data, tap_hex("00000001 00000008 00000000000000aa"));
    CHECK_EQ(ASK(YOU, "5e 03 0000000000 0fff 00", 4095), LB_SCSI_GOOD);
    CHECK_EQ(raw.data.len, 8 + 24 + 4 + 40);
    CHECK(memcmp(raw.data.p + 36, "iqn.2026-11.test:me,i,0x800102030405", 36) == 0);
}

static void preempting_tells_who_was_preempted(void) {
    log_in_both();
    CHECK_EQ(REGISTER(ME, "00000000000000aa"), LB_SCSI_GOOD);
    CHECK_EQ(REGISTER(YOU, "00000000000000bb"), LB_SCSI_GOOD);
    CHECK_EQ(SAY(ME, "5f 01 03 0000 00000018 00",
                 tap_hex("00000000000000aa 0000000000000000 0000000000000000")),
             LB_SCSI_GOOD);
    CHECK_EQ(ASK(YOU, "28 00 00000009 00 0001 00", 512), LB_SCSI_RESERVATION_CONFLICT);
    CHECK_EQ(SAY(YOU, "5f 04 03 0000 00000018 00",
                 tap_hex("00000000000000bb 00000000000000aa 0000000000000000")),
             LB_SCSI_GOOD);
    CHECK_EQ(ASK(ME, "00 0000000000", 0), LB_SCSI_CHECK_CONDITION);
    CHECK_EQ(sense(), 0x062a05);
    CHECK_EQ(ASK(ME, "28 00 00000009 00 0001 00", 512), LB_SCSI_RESERVATION_CONFLICT);
    CHECK_EQ(ASK(YOU, "28 00 00000009 00 0001 00", 512), LB_SCSI_GOOD);
    CHECK_EQ(SAY(ME, "5f 01 03 0000 00000018 00",
                 tap_hex("00000000000000aa 0000000000000000 0000000000000000")),
             LB_SCSI_RESERVATION_CONFLICT); /* its key is gone */
}

static void there_are_no_more_keys_than_the_host_has_memory_for(void) {
    log_in_both();
    raw.unit.registration_cap = 1;
    CHECK_EQ(REGISTER(ME, "00000000000000aa"), LB_SCSI_GOOD);
    CHECK_EQ(REGISTER(YOU, "00000000000000bb"), LB_SCSI_CHECK_CONDITION);
    CHECK_EQ(sense(), 0x055504);
    raw.unit.registration_cap = 0;
    CHECK_EQ(ASK(ME, "5e 00 0000000000 00ff 00", 255), LB_SCSI_CHECK_CONDITION);
    CHECK_EQ(sense(), 0x052000);
}

/* ---- stopping, and what is told ---- */

static void a_disk_that_was_stopped_starts_when_the_session_ends(void) {
    log_in_both();
    CHECK_EQ(ASK(ME, "1b 000000 00 00", 0), LB_SCSI_GOOD);
    CHECK_EQ(ASK(YOU, "28 00 00000009 00 0001 00", 512), LB_SCSI_CHECK_CONDITION);
    CHECK_EQ(sense(), 0x020402);
    lb_target_conn_end(&conns[ME]);
    CHECK_EQ(ASK(YOU, "28 00 00000009 00 0001 00", 512), LB_SCSI_GOOD);
}

/* Its memory may be used for a new one, which has not stopped anything. */
static void the_end_of_a_session_that_stopped_a_disk_is_the_end_of_that(void) {
    const struct lb_scsi_port port = {0};
    struct lb_scsi_nexus nexus = {0};
    log_in_both();
    lb_scsi_nexus_begin(&nexus, &raw.unit, &port, NULL);
    nexus.has_stopped = true;
    lb_scsi_nexus_end(&nexus);
    lb_scsi_nexus_begin(&nexus, &raw.unit, &port, NULL);
    CHECK_EQ(ASK(ME, "1b 000000 00 00", 0), LB_SCSI_GOOD);
    lb_scsi_nexus_end(&nexus);
    CHECK_EQ(ASK(YOU, "28 00 00000009 00 0001 00", 512), LB_SCSI_CHECK_CONDITION);
    CHECK_EQ(sense(), 0x020402); /* the other's stop holds */
}

static void growth_and_a_full_overlay_are_both_told(void) {
    log_in_both();
    lb_scsi_unit_attention(&raw.unit, NULL, 0x2a, 0x09);
    lb_scsi_unit_attention(&raw.unit, NULL, 0x38, 0x07);
    lb_scsi_unit_attention(&raw.unit, NULL, 0x2a, 0x09);
    CHECK_EQ(ASK(ME, "00 0000000000", 0), LB_SCSI_CHECK_CONDITION);
    CHECK_EQ(sense(), 0x062a09);
    CHECK_EQ(ASK(ME, "00 0000000000", 0), LB_SCSI_CHECK_CONDITION);
    CHECK_EQ(sense(), 0x063807);
    CHECK_EQ(ASK(ME, "00 0000000000", 0), LB_SCSI_GOOD);
    lb_scsi_unit_attention(&raw.unit, NULL, 0x29, 0x00); /* stands for all before */
    CHECK_EQ(ASK(YOU, "00 0000000000", 0), LB_SCSI_CHECK_CONDITION);
    CHECK_EQ(sense(), 0x062900);
    CHECK_EQ(ASK(YOU, "00 0000000000", 0), LB_SCSI_GOOD);
}

static void every_command_that_is_reported_is_there(void) {
    log_in_both();
    CHECK_EQ(ASK(ME, "a3 0c 80 00 0000 00001000 00 00", 4096), LB_SCSI_GOOD);
    struct lb_rd rd = lb_rd(raw.data);
    size_t count = lb_rd_u32(&rd) / 20;
    CHECK(count > 40 && raw.data.len == 4 + count * 20);
    CHECK_EQ(ASK(ME, "a3 0c 02 5e 0003 000000ff 00 00", 255), LB_SCSI_GOOD);
    CHECK_BYTES(raw.data, tap_hex("00 03 000a 5e 03 0000000000 ffff 00"));
    CHECK_EQ(ASK(ME, "a3 0c 01 82 0000 000000ff 00 00", 255), LB_SCSI_GOOD);
    CHECK_EQ(raw.data.p[1], 1); /* not there */
    CHECK_EQ(ASK(ME, "a3 0c 01 5e 0000 000000ff 00 00", 255), LB_SCSI_CHECK_CONDITION);
    CHECK_EQ(sense(), 0x052400); /* it has service actions */
    CHECK_EQ(ASK(ME, "a3 0a 00000000 000000ff 00 00", 255), LB_SCSI_GOOD);
    CHECK_BYTES(raw.data, tap_hex("0000000c 00 01 0001 000000 01 0000 0001"));
}

static void lba_status_and_the_log_tell_of_a_thin_disk(void) {
    log_in_both();
    CHECK_EQ(ASK(ME, "9e 12 0000000000000009 000000ff 00 00", 255), LB_SCSI_GOOD);
    CHECK_BYTES(raw.data, tap_hex("00000014 00000000 0000000000000009 000007f7 00 000000"));
    raw.unit.used_blocks = 2048;
    CHECK_EQ(ASK(ME, "4d 00 0c 00 00 0000 00ff 00", 255), LB_SCSI_GOOD);
    CHECK_EQ(raw.data.len, 4 + 24);
    CHECK_EQ(raw.data.p[4 + 12 + 7], 1); /* used: one set of 2,048 blocks */
    CHECK_EQ(ASK(ME, "1d 04 0000 00 00", 0), LB_SCSI_GOOD);
}

/* SAM-5: a reset is told to all by UNIT ATTENTION 29/03, once; a cleared task set is told to the
 * others alone (2F/00). */
static void a_reset_is_told_to_all_and_a_cleared_task_set_to_the_others(void) {
    static const struct {
        enum lb_iscsi_tmf function;
        unsigned sense;
        bool is_own;
    } cases[] = {{LB_TMF_LUN_RESET, 0x062903, true},
                 {LB_TMF_TARGET_WARM_RESET, 0x062903, true},
                 {LB_TMF_CLEAR_TASK_SET, 0x062f00, false}};
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        log_in_both();
        speak(ME);
        struct lb_iscsi_pdu pdu = tmf(cases[i].function, LB_ISCSI_NO_TAG);
        pdu.cmd_sn = cmd_sns[ME]; /* immediate: it takes none */
        give(pdu, nothing);
        CHECK(take_op(LB_OP_TMF_RESPONSE));
        CHECK_EQ(raw.pdu.tmf_response.response, LB_TMF_COMPLETE);
        if (cases[i].is_own) {
            CHECK_EQ(ASK(ME, "00 00 00 00 00 00", 0), LB_SCSI_CHECK_CONDITION);
            CHECK_EQ(sense(), cases[i].sense);
        }
        CHECK_EQ(ASK(ME, "00 00 00 00 00 00", 0), LB_SCSI_GOOD);
        CHECK_EQ(ASK(YOU, "00 00 00 00 00 00", 0), LB_SCSI_CHECK_CONDITION);
        CHECK_EQ(sense(), cases[i].sense);
        CHECK_EQ(ASK(YOU, "00 00 00 00 00 00", 0), LB_SCSI_GOOD);
    }
}

/* SPC-4 6.36: a bit each of byte 0, of those that RFC 7143 has, too. */
static void the_functions_that_are_reported_are_carried_out(void) {
    static const struct {
        enum lb_iscsi_tmf function;
        uint8_t bit;
    } rows[] = {{LB_TMF_ABORT_TASK, 0x80},
                {LB_TMF_ABORT_TASK_SET, 0x40},
                {LB_TMF_CLEAR_ACA, 0x20},
                {LB_TMF_CLEAR_TASK_SET, 0x10},
                {LB_TMF_LUN_RESET, 0x08}};
    uint8_t all = 0;
    log_in_both();
    CHECK_EQ(ASK(ME, "a3 0d 00 00 0000 00000010 00 00", 16), LB_SCSI_GOOD);
    CHECK_EQ(raw.data.len, 4);
    uint8_t reported = raw.data.p[0];
    for (size_t i = 0; i < LB_COUNT(rows); i++) {
        struct lb_iscsi_pdu pdu = tmf(rows[i].function, LB_ISCSI_NO_TAG);
        pdu.cmd_sn = cmd_sns[ME];
        give(pdu, nothing);
        CHECK(take_op(LB_OP_TMF_RESPONSE));
        CHECK_EQ(raw.pdu.tmf_response.response != LB_TMF_NOT_SUPPORTED,
                 (reported & rows[i].bit) != 0);
        all |= rows[i].bit;
    }
    CHECK_EQ(reported & ~all, 0);
}

/* RFC 7143 11.5.1: a cold reset ends every session of the target. SAM-5 6.3.2: who comes next is
 * told of a power on. */
static void a_cold_reset_frees_what_is_reserved_and_ends_all_sessions(void) {
    log_in_both();
    CHECK_EQ(ASK(YOU, "16 0000000000", 0), LB_SCSI_GOOD);
    CHECK(raw.unit.reserved != NULL);
    speak(ME);
    struct lb_iscsi_pdu pdu = tmf(LB_TMF_TARGET_COLD_RESET, LB_ISCSI_NO_TAG);
    pdu.cmd_sn = cmd_sns[ME];
    give(pdu, nothing);
    CHECK(take_op(LB_OP_TMF_RESPONSE)); /* it is sent before the end */
    CHECK_EQ(raw.pdu.tmf_response.response, LB_TMF_COMPLETE);
    CHECK(raw.is_closed);
    CHECK(raw.unit.reserved == NULL && raw.unit.nexuses == NULL);
    CHECK_EQ(raw.server.session_count, 0);
    CHECK(raw.server.stirred);
    CHECK_STR(lb_target_reason(&conns[YOU]), "an initiator has reset the target");
    lb_target_conn_end(&conns[YOU]);
    accept_at(&conns[YOU], &conn_rooms[YOU]);
    log_in_with(TEXT("InitiatorName=iqn.2026-11.test:you\0TargetName=iqn.2026-11.test:disk\0"));
    cmd_sns[YOU] = raw.cmd_sn;
    CHECK_EQ(ASK(YOU, "00 0000000000", 0), LB_SCSI_CHECK_CONDITION);
    CHECK_EQ(sense(), 0x062901);
    CHECK_EQ(ASK(YOU, "00 0000000000", 0), LB_SCSI_GOOD);
}

/* A disk that many read: no initiator reserves it, stops it, or ends what others do there. */
static void what_is_for_all_nobody_keeps_from_the_others(void) {
    static const char *const refused[] = {"16 0000000000", "17 0000000000", "15 10 0000 00 00",
                                          "55 10 0000000000 0000 00", "5f 00 0000000000 0018 00"};
    static const enum lb_iscsi_tmf functions[] = {LB_TMF_LUN_RESET, LB_TMF_TARGET_WARM_RESET,
                                                  LB_TMF_CLEAR_TASK_SET, LB_TMF_TARGET_COLD_RESET};
    log_in_both();
    raw.unit.is_for_all = raw.unit.read_only = raw.unit.is_removable = true;
    for (size_t i = 0; i < LB_COUNT(refused); i++) {
        CHECK_EQ(say(ME, tap_hex(refused[i]), nothing, 0), LB_SCSI_CHECK_CONDITION);
        CHECK_EQ(sense(), 0x052000);
    }
    for (unsigned power = 0; power < 4; power += 2) { /* stopped; ejected */
        uint8_t cdb[6] = {0x1b, [4] = (uint8_t)power};
        CHECK_EQ(say(ME, lb_bytes(cdb, sizeof cdb), nothing, 0), LB_SCSI_GOOD);
        CHECK_EQ(ASK(YOU, "00 0000000000", 0), LB_SCSI_GOOD);
    }
    for (size_t i = 0; i < LB_COUNT(functions); i++) {
        struct lb_iscsi_pdu pdu = tmf(functions[i], LB_ISCSI_NO_TAG);
        bool is_cold = functions[i] == LB_TMF_TARGET_COLD_RESET;
        speak(ME);
        pdu.cmd_sn = cmd_sns[ME];
        give(pdu, nothing);
        CHECK(take_op(LB_OP_TMF_RESPONSE));
        CHECK_EQ(raw.pdu.tmf_response.response, is_cold ? LB_TMF_NOT_SUPPORTED : LB_TMF_COMPLETE);
        CHECK_EQ(ASK(YOU, "00 0000000000", 0), LB_SCSI_GOOD);
    }
    CHECK(!raw.is_closed);
    raw.unit.is_for_all = raw.unit.read_only = raw.unit.is_removable = false;
}

int main(void) {
    TEST(every_length_of_read_and_write_moves_the_same_blocks);
    TEST(compare_and_write_takes_exactly_twice_its_blocks);
    TEST(write_and_verify_is_durable_before_it_is_answered);
    TEST(verify_compares_what_it_is_given);
    TEST(write_same_fills_and_unmaps);
    TEST(unmap_gives_back_every_range_or_none);
    TEST(compare_and_write_writes_what_was_compared);
    TEST(one_block_for_each_of_too_many_is_refused);
    TEST(an_atomic_write_is_one_piece_or_refused);
    TEST(orwrite_adds_bits);
    TEST(a_write_shorter_than_a_block_writes_nothing_and_says_so);
    TEST(without_a_write_cache_each_write_is_durable);
    TEST(software_write_protection_is_for_all);
    TEST(reserve_6_ends_with_the_session);
    TEST(what_does_no_harm_passes_a_reservation);
    TEST(a_persistent_reservation_stands_against_others_alone);
    TEST(a_registration_survives_the_session_and_is_kept_if_asked);
    TEST(preempting_tells_who_was_preempted);
    TEST(there_are_no_more_keys_than_the_host_has_memory_for);
    TEST(a_disk_that_was_stopped_starts_when_the_session_ends);
    TEST(the_end_of_a_session_that_stopped_a_disk_is_the_end_of_that);
    TEST(growth_and_a_full_overlay_are_both_told);
    TEST(every_command_that_is_reported_is_there);
    TEST(lba_status_and_the_log_tell_of_a_thin_disk);
    TEST(the_functions_that_are_reported_are_carried_out);
    TEST(a_reset_is_told_to_all_and_a_cleared_task_set_to_the_others);
    TEST(a_cold_reset_frees_what_is_reserved_and_ends_all_sessions);
    TEST(what_is_for_all_nobody_keeps_from_the_others);
    return tap_done();
}
