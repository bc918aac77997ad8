/* Two initiators at one disk, whose commands are written in hex. For test_target*.c. */
#ifndef LB_TEST_TARGET_TWO_H
#define LB_TEST_TARGET_TWO_H

#include "core/target/test_target_raw.h"

enum { ME, YOU };
static struct lb_target_conn conns[2];
static struct lb_target_rooms conn_rooms[2];
static struct lb_scsi_registration keys[3];
static uint32_t cmd_sns[2];

static inline void log_in_both(void) {
    static const char *const names[] = {"iqn.2026-11.test:me", "iqn.2026-11.test:you"};
    connect();
    lb_target_conn_end(&raw.conn);
    memset(keys, 0, sizeof keys);
    raw.unit.is_thin = raw.unit.can_keep = true;
    raw.unit.registrations = keys;
    raw.unit.registration_cap = LB_COUNT(keys);
    for (unsigned i = 0; i < 2; i++) {
        char text[256];
        struct lb_text to = lb_text(text, sizeof text);
        lb_text_add(&to, "InitiatorName=%s%cTargetName=iqn.2026-11.test:disk%cInitialR2T=No%c",
                    names[i], 0, 0, 0);
        accept_at(&conns[i], &conn_rooms[i]);
        log_in_with(lb_bytes(text, to.len));
        cmd_sns[i] = raw.cmd_sn;
    }
}

/* From now on it is this one that speaks. */
static inline void speak(unsigned who) {
    raw.to = &conns[who];
    raw.to_rooms = &conn_rooms[who];
}

/* A command with its data, of this initiator; gives its status. Data that comes is raw.data. */
static inline unsigned say(unsigned who, struct lb_bytes cdb, struct lb_bytes data,
                           uint32_t expected) {
    struct lb_iscsi_pdu pdu = {
        .opcode = LB_OP_SCSI_COMMAND,
        .final = true,
        .itt = ++raw.itt,
        .cmd_sn = cmd_sns[who]++,
        .command = {.read = data.len == 0 && expected > 0,
                    .write = data.len > 0,
                    .edtl = data.len > 0 ? (uint32_t)data.len : expected},
    };
    memcpy(pdu.command.cdb, cdb.p, cdb.len);
    speak(who);
    give(pdu, data);
    if (!CHECK(take()))
        return 0xff;
    if (raw.pdu.opcode == LB_OP_DATA_IN)
        return LB_SCSI_GOOD;
    CHECK_EQ(raw.pdu.opcode, LB_OP_SCSI_RESPONSE);
    return raw.pdu.response.status;
}

#define SAY(who, cdb, data) say(who, tap_hex(cdb), data, 0)
#define ASK(who, cdb, len)  say(who, tap_hex(cdb), nothing, len)

/* The sense of the last answer: key, asc, ascq. */
static inline unsigned sense(void) {
    struct lb_scsi_sense s = lb_scsi_decode_sense(lb_bytes_after(raw.data, 2));
    return (unsigned)s.key << 16 | (unsigned)s.asc << 8 | s.ascq;
}

static inline struct lb_bytes filled(uint8_t value, size_t len) {
    static uint8_t room[8192];
    memset(room, value, sizeof room);
    return lb_bytes(room, len);
}

static inline bool is_filled(uint64_t lba, uint32_t blocks, uint8_t value) {
    for (size_t i = 0; i < blocks * (size_t)512; i++)
        if (raw.disk[lba * 512 + i] != value)
            return false;
    return true;
}

#endif
