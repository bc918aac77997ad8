/* What the parts of the SCSI device share. Not for others. */
#ifndef LB_SCSI_DEVICE_STATE_H
#define LB_SCSI_DEVICE_STATE_H

#include "core/scsi/scsi_device.h"

enum lb_scsi_key {
    LB_SCSI_NOT_READY = 2,
    LB_SCSI_MEDIUM_ERROR = 3,
    LB_SCSI_ILLEGAL_REQUEST = 5,
    LB_SCSI_UNIT_ATTENTION = 6,
    LB_SCSI_DATA_PROTECT = 7,
    LB_SCSI_COPY_ABORTED = 0x0a,
    LB_SCSI_MISCOMPARE = 0x0e,
};

/* How a command is treated before it is carried out: SAM-5, SPC-4 table 52. */
enum lb_scsi_flag {
    LB_SCSI_ALWAYS = 1, /* answered whatever stands against it, without a LUN, too */
    LB_SCSI_MEDIUM = 2, /* needs a medium that is ready */
    LB_SCSI_READS = 4,  /* others' reservations of exclusive access stand against it */
    LB_SCSI_WRITES = 8, /* and those of writing */
    LB_SCSI_OLD = 16,   /* RESERVE(6) of others stands against it */
};

struct lb_scsi_row {
    uint8_t op;
    int8_t action; /* service action; -1: it has none */
    uint8_t cdb_len;
    uint8_t flags;
    const char *usage; /* which bits of the CDB are looked at, in hex; the rest is 0 */
};

/* The table of commands; NULL: the unit does not know it. */
const struct lb_scsi_row *lb_scsi_find_row(const struct lb_scsi_unit *unit, uint8_t op, int action);
/* The service action of a CDB that has one, or -1. */
int lb_scsi_action_of(const uint8_t cdb[16]);
/* By number; NULL behind the last. */
const struct lb_scsi_row *lb_scsi_row_at(const struct lb_scsi_unit *unit, size_t number);

/* The command's unit; NULL: there is none. */
struct lb_scsi_unit *lb_scsi_unit_of(const struct lb_scsi_device *device,
                                     const struct lb_scsi_command *command);
/* 24/00. */
void lb_scsi_invalid_field(struct lb_scsi_command *command);
/* 26/00: of a parameter list. */
void lb_scsi_invalid_parameter(struct lb_scsi_command *command);
/* It moves these bytes in, of which at most `expected` come. False: the direction is another. */
bool lb_scsi_takes(struct lb_scsi_command *command, uint64_t wanted);
/* It can be written to. */
bool lb_scsi_is_writable(const struct lb_scsi_unit *unit);
/* The UNIT ATTENTION that waited longest, which waits no more; 0: none. */
uint16_t lb_scsi_take_attention(struct lb_scsi_nexus *nexus);
/* Whether this nexus is that of the port. */
bool lb_scsi_is_port(const struct lb_scsi_port *a, const struct lb_scsi_port *b);

/* ---- scsi_device_block.c ---- */

/* What a command that names blocks is; false: it names none. */
bool lb_scsi_begin_blocks(const struct lb_scsi_unit *unit, struct lb_scsi_command *command);
/* What COMPARE AND WRITE may write at once. */
uint32_t lb_scsi_caw_blocks(const struct lb_scsi_unit *unit);
/* What WRITE SAME, and VERIFY with one block, may concern at once: others wait meanwhile. Of WRITE
 * SAME with UNMAP, which moves nothing, it may be more. */
uint32_t lb_scsi_each_blocks(const struct lb_scsi_unit *unit);
/* UNMAP's list: checked, and then one range after the other. */
void lb_scsi_take_unmap(const struct lb_scsi_unit *unit, struct lb_scsi_command *command,
                        struct lb_bytes list);

/* It can be written to; else the command fails with DATA PROTECT. */
bool lb_scsi_may_write(struct lb_scsi_command *command, const struct lb_scsi_unit *unit);

/* ---- scsi_device_copy.c ---- */
/* EXTENDED COPY's list: checked, and then one piece after the other. */
void lb_scsi_take_copy(const struct lb_scsi_device *device, struct lb_scsi_command *command,
                       struct lb_bytes list);
void lb_scsi_copy_results(struct lb_scsi_nexus *nexus, struct lb_scsi_command *command,
                          struct lb_wr *wr);    /* RECEIVE COPY RESULTS */
void lb_scsi_put_third_party(struct lb_wr *wr); /* VPD page 8F, without its header */

/* ---- scsi_device_sanitize.c ---- */
/* What SANITIZE is; true: its list is to be taken. */
bool lb_scsi_begin_sanitize(const struct lb_scsi_unit *unit, struct lb_scsi_command *command);
void lb_scsi_take_sanitize(const struct lb_scsi_unit *unit, struct lb_scsi_command *command,
                           struct lb_bytes list); /* the list of OVERWRITE */
/* What a SANITIZE that goes on, or has failed, says to other commands. */
void lb_scsi_check_sanitize(struct lb_scsi_command *command, const struct lb_scsi_unit *unit);

/* ---- scsi_device_inquiry.c ---- */
void lb_scsi_inquiry(const struct lb_scsi_device *device, struct lb_scsi_command *command,
                     struct lb_wr *wr); /* writes the page, or fails the command */
/* 64-bit NAA 3h (locally assigned): from the target's name and the LUN, so that it stays. */
uint64_t lb_scsi_naa_of(const char *name, const struct lb_scsi_unit *unit, uint8_t index);

/* ---- scsi_device_mode.c ---- */
void lb_scsi_mode_sense(const struct lb_scsi_unit *unit, struct lb_scsi_command *command,
                        struct lb_wr *wr); /* MODE SENSE(6) and (10) */
/* MODE SELECT(6) and (10): the list is checked whole before anything changes. */
void lb_scsi_mode_select(struct lb_scsi_unit *unit, struct lb_scsi_nexus *nexus,
                         struct lb_scsi_command *command, struct lb_bytes list);
void lb_scsi_log_sense(const struct lb_scsi_unit *unit, struct lb_scsi_command *command,
                       struct lb_wr *wr); /* pages 00 and 0C */

/* ---- scsi_device_report.c ---- */
void lb_scsi_report_luns(const struct lb_scsi_device *device, struct lb_scsi_command *command,
                         struct lb_wr *wr); /* those that this initiator sees */
void lb_scsi_read_capacity_10(const struct lb_scsi_unit *unit, struct lb_scsi_command *command,
                              struct lb_wr *wr); /* 8 bytes */
void lb_scsi_read_capacity_16(const struct lb_scsi_unit *unit, struct lb_scsi_command *command,
                              struct lb_wr *wr); /* 32 bytes */
void lb_scsi_read_defects(const struct lb_scsi_command *command,
                          struct lb_wr *wr); /* an empty list, in the format that is asked for */
void lb_scsi_maintenance_in(const struct lb_scsi_device *device, struct lb_scsi_command *command,
                            struct lb_wr *wr); /* operation codes, port groups */
void lb_scsi_request_sense(const struct lb_scsi_device *device, struct lb_scsi_command *command,
                           struct lb_wr *wr); /* takes an attention that waits */

/* ---- scsi_device_reserve.c ---- */
/* Whether somebody's reservation stands against the command. */
bool lb_scsi_is_reserved(const struct lb_scsi_unit *unit, const struct lb_scsi_nexus *nexus,
                         const struct lb_scsi_row *row, const uint8_t cdb[16]);
void lb_scsi_reserve(struct lb_scsi_unit *unit, const struct lb_scsi_nexus *nexus,
                     struct lb_scsi_command *command); /* RESERVE(6), RELEASE(6) */
void lb_scsi_persistent_in(const struct lb_scsi_unit *unit, struct lb_scsi_command *command,
                           struct lb_wr *wr); /* PERSISTENT RESERVE IN */
/* PERSISTENT RESERVE OUT with its list. */
void lb_scsi_persistent_out(struct lb_scsi_unit *unit, struct lb_scsi_nexus *nexus,
                            struct lb_scsi_command *command, struct lb_bytes list);

#endif
