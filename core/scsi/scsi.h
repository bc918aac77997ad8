/* SCSI, as far as a disk that boots needs it: CDBs, replies, sense data, and what to do about them.
 * Pure conversions, no state. SPC-4 and SBC-3 in parts; RFC 7143 says how they travel.
 *
 *   scsi_cdb.c    commands -> CDB
 *   scsi_reply.c  data of REPORT LUNS, INQUIRY, READ CAPACITY, MODE SENSE -> structs
 *   scsi_designator.c  VPD page 83: the names of a logical unit
 *   scsi_sense.c  status and sense data -> a verdict and words
 *
 * The other end, a logical unit, is in scsi_device.h.
 *
 * A decoder takes the bytes that really came, which may be fewer than were asked for, and believes
 * no length in them that goes beyond. False leaves its output as it was. */
#ifndef LB_SCSI_H
#define LB_SCSI_H

#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/base/text.h"

#define LB_SCSI_CDB_BYTES 16

enum lb_scsi_op {
    LB_SCSI_TEST_UNIT_READY = 0x00,
    LB_SCSI_REQUEST_SENSE = 0x03,
    LB_SCSI_READ_6 = 0x08,
    LB_SCSI_WRITE_6 = 0x0a,
    LB_SCSI_INQUIRY = 0x12,
    LB_SCSI_MODE_SELECT_6 = 0x15,
    LB_SCSI_RESERVE_6 = 0x16,
    LB_SCSI_RELEASE_6 = 0x17,
    LB_SCSI_MODE_SENSE_6 = 0x1a,
    LB_SCSI_START_STOP_UNIT = 0x1b,
    LB_SCSI_SEND_DIAGNOSTIC = 0x1d,
    LB_SCSI_PREVENT_ALLOW = 0x1e,
    LB_SCSI_READ_CAPACITY_10 = 0x25,
    LB_SCSI_READ_10 = 0x28,
    LB_SCSI_WRITE_10 = 0x2a,
    LB_SCSI_WRITE_VERIFY_10 = 0x2e,
    LB_SCSI_VERIFY_10 = 0x2f,
    LB_SCSI_PREFETCH_10 = 0x34,
    LB_SCSI_SYNCHRONIZE_CACHE_10 = 0x35,
    LB_SCSI_READ_DEFECT_DATA_10 = 0x37,
    LB_SCSI_WRITE_SAME_10 = 0x41,
    LB_SCSI_UNMAP = 0x42,
    LB_SCSI_SANITIZE = 0x48,
    LB_SCSI_LOG_SENSE = 0x4d,
    LB_SCSI_MODE_SELECT_10 = 0x55,
    LB_SCSI_MODE_SENSE_10 = 0x5a,
    LB_SCSI_PERSISTENT_RESERVE_IN = 0x5e,
    LB_SCSI_PERSISTENT_RESERVE_OUT = 0x5f,
    LB_SCSI_EXTENDED_COPY = 0x83,        /* with service action 0: list identifiers of a byte */
    LB_SCSI_RECEIVE_COPY_RESULTS = 0x84, /* of these, with service actions 0 and 3 */
    LB_SCSI_READ_16 = 0x88,
    LB_SCSI_COMPARE_AND_WRITE = 0x89,
    LB_SCSI_WRITE_16 = 0x8a,
    LB_SCSI_ORWRITE_16 = 0x8b,
    LB_SCSI_WRITE_VERIFY_16 = 0x8e,
    LB_SCSI_VERIFY_16 = 0x8f,
    LB_SCSI_PREFETCH_16 = 0x90,
    LB_SCSI_SYNCHRONIZE_CACHE_16 = 0x91,
    LB_SCSI_WRITE_SAME_16 = 0x93,
    LB_SCSI_WRITE_ATOMIC_16 = 0x9c,
    LB_SCSI_SERVICE_ACTION_IN_16 = 0x9e, /* with service action 0x10: READ CAPACITY(16) */
    LB_SCSI_REPORT_LUNS = 0xa0,
    LB_SCSI_MAINTENANCE_IN = 0xa3, /* with service actions 0a, 0c and 0d: report */
    LB_SCSI_READ_12 = 0xa8,
    LB_SCSI_WRITE_12 = 0xaa,
    LB_SCSI_WRITE_VERIFY_12 = 0xae,
    LB_SCSI_VERIFY_12 = 0xaf,
    LB_SCSI_READ_DEFECT_DATA_12 = 0xb7,
};
#define LB_SCSI_READ_CAPACITY_16_ACTION 0x10
#define LB_SCSI_GET_LBA_STATUS_ACTION   0x12
#define LB_SCSI_OVERWRITE_ACTION        0x01
#define LB_SCSI_BLOCK_ERASE_ACTION      0x02
#define LB_SCSI_EXIT_FAILURE_ACTION     0x1f
#define LB_SCSI_COPY_STATUS_ACTION      0x00
#define LB_SCSI_COPY_PARAMETERS_ACTION  0x03

enum lb_scsi_status { /* SAM-5 5.3 */
                      LB_SCSI_GOOD = 0x00,
                      LB_SCSI_CHECK_CONDITION = 0x02,
                      LB_SCSI_CONDITION_MET = 0x04, /* of PRE-FETCH: as good as GOOD */
                      LB_SCSI_BUSY = 0x08,
                      LB_SCSI_RESERVATION_CONFLICT = 0x18,
                      LB_SCSI_TASK_SET_FULL = 0x28,
                      LB_SCSI_ACA_ACTIVE = 0x30,
                      LB_SCSI_TASK_ABORTED = 0x40,
};

/* ---- CDBs: 16 bytes each, what is not used is 0. `alloc` is the room for the reply in bytes. - */

void lb_scsi_cdb_test_unit_ready(uint8_t cdb[LB_SCSI_CDB_BYTES]);             /* TEST UNIT READY */
void lb_scsi_cdb_report_luns(uint8_t cdb[LB_SCSI_CDB_BYTES], uint32_t alloc); /* 16 or more */
/* Standard INQUIRY; alloc: bytes of room for the answer. */
void lb_scsi_cdb_inquiry(uint8_t cdb[LB_SCSI_CDB_BYTES], uint16_t alloc);
/* INQUIRY for a page of vital product data. */
void lb_scsi_cdb_vpd(uint8_t cdb[LB_SCSI_CDB_BYTES], uint8_t page, uint16_t alloc);
void lb_scsi_cdb_read_capacity_10(uint8_t cdb[LB_SCSI_CDB_BYTES]); /* reply: 8 bytes */
/* READ CAPACITY(16): blocks beyond 2 TiB, provisioning. */
void lb_scsi_cdb_read_capacity_16(uint8_t cdb[LB_SCSI_CDB_BYTES], uint32_t alloc);
/* MODE SENSE(6) for a page (0x3f: all), without block descriptors. */
void lb_scsi_cdb_mode_sense_6(uint8_t cdb[LB_SCSI_CDB_BYTES], uint8_t page, uint8_t alloc);
/* MODE SENSE(10), the same. */
void lb_scsi_cdb_mode_sense_10(uint8_t cdb[LB_SCSI_CDB_BYTES], uint8_t page, uint16_t alloc);
/* START STOP UNIT; false stops it. */
void lb_scsi_cdb_start_unit(uint8_t cdb[LB_SCSI_CDB_BYTES], bool start);
/* The 10-byte form where it can say it, else the 16-byte form. */
void lb_scsi_cdb_read(uint8_t cdb[LB_SCSI_CDB_BYTES], uint64_t lba, uint32_t blocks);
/* As lb_scsi_cdb_read; force_unit_access: on the medium before it is answered. */
void lb_scsi_cdb_write(uint8_t cdb[LB_SCSI_CDB_BYTES], uint64_t lba, uint32_t blocks,
                       bool force_unit_access);
/* The whole disk; the 16-byte form if `long_form`. */
void lb_scsi_cdb_synchronize_cache(uint8_t cdb[LB_SCSI_CDB_BYTES], bool long_form);

/* ---- replies ---- */

#define LB_SCSI_VPD_PAGES         0x00
#define LB_SCSI_VPD_SERIAL        0x80
#define LB_SCSI_VPD_IDS           0x83
#define LB_SCSI_VPD_EXTENDED      0x86
#define LB_SCSI_VPD_THIRD_PARTY   0x8f
#define LB_SCSI_VPD_BLOCK_LIMITS  0xb0
#define LB_SCSI_VPD_BLOCK_DEVICE  0xb1
#define LB_SCSI_VPD_PROVISIONING  0xb2
#define LB_SCSI_INQUIRY_BYTES     36
#define LB_SCSI_CAPACITY_10_BYTES 8
#define LB_SCSI_CAPACITY_16_BYTES 32

struct lb_scsi_inquiry {
    uint8_t qualifier; /* 0: there is such a LUN; 1 and 3: there is none */
    uint8_t type;      /* 0: a disk; 5: CD/DVD; 0x1f: none */
    uint8_t version;
    char vendor[9], product[17], revision[5]; /* trimmed; what is not printable is '?' */
};
/* At least the first 5 bytes; texts that did not come are empty. */
bool lb_scsi_decode_inquiry(struct lb_bytes reply, struct lb_scsi_inquiry *inquiry);

/* The list as it came: up to cap LUNs, *count of them; *total is what the target says there are,
 * and asking again with room for `*total` makes sense when it is more. */
bool lb_scsi_decode_luns(struct lb_bytes reply, uint8_t (*luns)[8], size_t cap, size_t *count,
                         size_t *total);

/* Whether VPD page 00 lists `page`; false, too, when the reply is none. */
bool lb_scsi_vpd_has(struct lb_bytes reply, uint8_t page);
/* VPD 80. Trimmed, what is not printable is '?', cut at cap-1. */
bool lb_scsi_decode_serial(struct lb_bytes reply, char *serial, size_t cap);
/* The content of a VPD page behind its header, at most what really came. False: another page, or
 * less than a header. */
bool lb_scsi_vpd_content(struct lb_bytes reply, uint8_t page, struct lb_bytes *content);
/* A text field without the spaces and NULs at either end. */
struct lb_bytes lb_scsi_trim(struct lb_bytes field);
/* The same as a string, cut at cap-1; what is not printable is '?'. */
void lb_scsi_copy_ascii(char *to, size_t cap, struct lb_bytes field);

/* A name of the logical unit itself (association 0) of VPD 83. */
struct lb_scsi_designator {
    uint8_t type;          /* SPC-4 table 569: 1 T10, 2 EUI-64, 3 NAA, 8 SCSI name, 10 UUID */
    struct lb_bytes value; /* points into the reply; text is trimmed */
};
/* The best name: NAA, EUI-64, UUID, SCSI name, T10, a locally assigned NAA, in this order, the
 * first of its kind. Zeros and blanks are no name, nor is a vendor without more. False when there
 * is none. */
bool lb_scsi_best_designator(struct lb_bytes reply, struct lb_scsi_designator *best);
/* Whether no other disk in the world should have this name: not so of T10 and locally assigned
 * NAA. */
bool lb_scsi_is_world_wide(const struct lb_scsi_designator *designator);
/* Whether the reply has this very name, among others perhaps. */
bool lb_scsi_has_designator(struct lb_bytes reply, const struct lb_scsi_designator *wanted);
/* As text: "naa.6001405…", "eui.…", "uuid.…", a SCSI name as it is, "t10.…". */
void lb_scsi_designator_format(struct lb_text *text, const struct lb_scsi_designator *designator);
/* VPD 83: the best name as text. False when there is none. */
bool lb_scsi_decode_id(struct lb_bytes reply, char *id, size_t cap);

struct lb_scsi_limits {
    uint16_t granularity_blocks;      /* optimal transfer length granularity; 0: not said */
    uint32_t max_transfer_blocks;     /* 0: no limit */
    uint32_t optimal_transfer_blocks; /* 0: not said */
};
bool lb_scsi_decode_limits(struct lb_bytes reply, struct lb_scsi_limits *limits); /* VPD B0 */

struct lb_scsi_capacity {
    uint64_t blocks; /* the last LBA plus 1 */
    uint32_t block_bytes;
    uint8_t physical_exponent; /* 2^n logical blocks per physical one; READ CAPACITY(10): 0 */
    uint16_t lowest_aligned;   /* LBA */
    bool is_cut;               /* READ CAPACITY(10) on a disk that it cannot describe: ask (16) */
};
/* READ CAPACITY(10); is_cut: the disk is larger than it can say. False: too short. */
bool lb_scsi_decode_capacity_10(struct lb_bytes reply, struct lb_scsi_capacity *capacity);
/* False also for 2^64 blocks, which no disk has. */
bool lb_scsi_decode_capacity_16(struct lb_bytes reply, struct lb_scsi_capacity *capacity);

/* The WP bit of MODE SENSE(6) and (10). */
bool lb_scsi_decode_mode_6(struct lb_bytes reply, bool *write_protected);
/* MODE SENSE(10): the WP bit. False: too short. */
bool lb_scsi_decode_mode_10(struct lb_bytes reply, bool *write_protected);

/* What kind of device it is: "CD or DVD"; "" for an unknown one. A constant. */
const char *lb_scsi_type_word(uint8_t type);

/* ---- status and sense ---- */

struct lb_scsi_sense {
    bool is_valid;    /* there was sense data of a known format with a key */
    bool is_deferred; /* 71h, 73h: about an earlier command; this one was not carried out */
    uint8_t key;      /* SPC-4 table 28 */
    uint8_t asc, ascq;
    bool has_information;
    uint64_t information; /* for medium errors: the LBA */
};
/* Also short sense: fields that did not come are 0. */
struct lb_scsi_sense lb_scsi_decode_sense(struct lb_bytes sense);

enum lb_scsi_verdict {
    LB_SCSI_OK,
    LB_SCSI_RETRY_NOW, /* UNIT ATTENTION and the like: issue it again */
    LB_SCSI_RETRY_FEW, /* an error of the medium: issue it again a few times, after short pauses */
    LB_SCSI_RETRY_LATER, /* busy, becoming ready: issue it again after a pause */
    LB_SCSI_START,       /* needs START STOP UNIT first, then again */
    LB_SCSI_VERIFY,      /* the LUN may be another one now: find out what it is, then issue it again
                          */
    LB_SCSI_FAIL,
};

struct lb_scsi_judgement {
    enum lb_scsi_verdict verdict;
    enum lb_code code; /* what to say, now or when retries have run out; LB_OK with LB_SCSI_OK */
    struct lb_scsi_sense sense;
};
/* Judges the answer to one command. sense is as it came, without iSCSI's length bytes. */
struct lb_scsi_judgement lb_scsi_judge(uint8_t status, struct lb_bytes sense);

/* "CHECK CONDITION", ...; a constant. */
const char *lb_scsi_status_word(uint8_t status);
const char *lb_scsi_key_word(uint8_t key); /* "NOT READY", ...; a constant */
/* "unrecovered read error", ...; "" when not known. A constant. */
const char *lb_scsi_asc_word(uint8_t asc, uint8_t ascq);
/* "CHECK CONDITION, MEDIUM ERROR 11/00 unrecovered read error at LBA 77" */
void lb_scsi_answer_format(struct lb_text *text, uint8_t status, const struct lb_scsi_sense *sense);

#endif
