/* The server's side of SCSI: what a command is, and the answers that move no blocks. SPC-4, SBC-3.
 *
 * A struct lb_scsi_unit is a logical unit: it is its owner's, and outlives the sessions that reach
 * it. A struct lb_scsi_nexus is what a unit keeps for one initiator port (SAM-5: an I_T_L nexus). A
 * struct lb_scsi_device is a target device as one initiator port sees it: units by LUN.
 *
 *   lb_scsi_device_begin   the CDB is here: kind says what it moves; or it has failed
 *   READ, WRITE, ...       the caller carries it out
 *   PARAMETERS             lb_scsi_device_take takes the bytes; it may ask for KEEP, UNMAP, COPY
 *   REPLY, LONG_REPLY      lb_scsi_device_reply makes the answer, when it is about to be sent
 *
 *   scsi_device.c           what a command is, and what stands against it
 *   scsi_device_block.c     commands that name blocks
 *   scsi_device_copy.c      EXTENDED COPY, RECEIVE COPY RESULTS
 *   scsi_device_inquiry.c   INQUIRY and its pages
 *   scsi_device_mode.c      MODE SENSE, MODE SELECT, LOG SENSE
 *   scsi_device_report.c    REPORT LUNS, capacity, supported operation codes, target port groups
 *   scsi_device_sanitize.c  SANITIZE
 *   scsi_device_reserve.c   RESERVE, RELEASE, PERSISTENT RESERVE
 *
 * Nothing here touches a disk, keeps time, or knows how commands travel. */
#ifndef LB_SCSI_DEVICE_H
#define LB_SCSI_DEVICE_H

#include "core/base/limits.h"
#include "core/scsi/scsi.h"

#define LB_SCSI_REPLY_MAX         512   /* the longest reply of the kind REPLY */
#define LB_SCSI_LONG_REPLY_MAX    65536 /* of the kind LONG_REPLY */
#define LB_SCSI_PARAMETERS_MAX    4100 /* the longest list that is taken: a pattern of 4096 bytes */
#define LB_SCSI_CAW_BYTES_MAX     32768 /* that one COMPARE AND WRITE writes */
#define LB_SCSI_UNMAP_RANGES      255
#define LB_SCSI_EACH_BYTES_MAX    (64 << 20) /* of WRITE SAME, and of VERIFY with one block */
#define LB_SCSI_COPY_BYTES        262144     /* one piece of EXTENDED COPY, at most */
#define LB_SCSI_REGISTRATIONS_MAX 200        /* so that READ FULL STATUS is a LONG_REPLY */
#define LB_SCSI_ATTENTIONS        4  /* UNIT ATTENTIONs that wait; of more the last is replaced */
#define LB_SCSI_SENSE_MAX         18 /* the sense data of lb_scsi_device_sense */
#define LB_SCSI_UNITS_MAX         32 /* so that the reply to REPORT LUNS fits */
#define LB_SCSI_NO_UNIT           0xff

enum lb_scsi_unit_state {
    LB_SCSI_UNIT_READY,
    LB_SCSI_UNIT_BECOMING_READY, /* NOT READY 04/01 */
    LB_SCSI_UNIT_STOPPED,        /* NOT READY 04/02, until START STOP UNIT starts it */
    LB_SCSI_UNIT_NO_MEDIUM,      /* NOT READY 3A/00 */
};

/* An initiator port: for iSCSI a name and an ISID (RFC 7143 4.4.1). */
struct lb_scsi_port {
    char name[LB_NAME_MAX + 1];
    uint8_t isid[6];
};

/* An initiator port that has registered a key for persistent reservations (SPC-4 5.13). It stays
 * when the session ends, and over a restart of the host if that keeps it. */
struct lb_scsi_registration {
    struct lb_scsi_port port;
    uint64_t key;
    bool is_holder;
};

/* What SANITIZE does to a unit: SBC-3 4.11. Drawn in scsi_device_sanitize.c. */
enum lb_scsi_sanitize_state {
    LB_SCSI_SANITIZE_NONE,
    LB_SCSI_SANITIZE_GOES_ON,
    LB_SCSI_SANITIZE_FAILED,
};

struct lb_scsi_sanitize {
    enum lb_scsi_sanitize_state state;
    bool is_restricted; /* without AUSE: a failure ends by another SANITIZE that succeeds */
    uint16_t progress;  /* of 65536 */
};

/* What is asked of the owner. */
enum lb_scsi_sanitize_action {
    LB_SCSI_BLOCK_ERASE,
    LB_SCSI_OVERWRITE,
    LB_SCSI_EXIT_FAILURE, /* what has failed is over: lb_scsi_sanitize_end */
};

/* What OVERWRITE's parameter list says: SBC-3 5.32.2.2. */
struct lb_scsi_overwrite {
    struct lb_bytes pattern; /* for each block from its first byte on; of the list */
    uint8_t passes;          /* 1..31 */
    bool inverts;            /* each pass but the last is the inverse of the next */
};

/* A logical unit. Zero is the default; blocks must be given. */
struct lb_scsi_unit {
    uint64_t blocks;
    uint32_t block_bytes; /* 0: 512 */
    uint8_t physical_exponent;
    uint8_t type; /* INQUIRY's: 0 is a disk */
    bool read_only;
    bool is_removable;
    /* Read only, and of machines that know nothing of each other: none of them keeps it from the
     * others. It cannot be reserved, nor stopped, and a reset ends one's own commands alone. */
    bool is_for_all;
    bool is_thin;        /* blocks can be given back, and then read as zeros: UNMAP, LBA status */
    bool can_copy;       /* EXTENDED COPY, to and from it */
    bool can_sanitize;   /* SANITIZE BLOCK ERASE and OVERWRITE; is_thin */
    bool no_capacity_16; /* as old targets: READ CAPACITY(16) is an invalid command */
    enum lb_scsi_unit_state state;
    bool is_busy; /* BUSY to every command but INQUIRY, REPORT LUNS and REQUEST SENSE */
    uint32_t max_transfer_blocks, optimal_transfer_blocks; /* VPD B0; 0: no limit */
    uint32_t atomic_blocks;    /* WRITE ATOMIC: that a power cut leaves whole or undone; 0: none */
    uint8_t threshold_percent; /* thin: of used_blocks that raises 38/07, for LOG SENSE; 0: none */
    uint64_t used_blocks;      /* thin: the owner counts them */
    char vendor[9], product[17], revision[5]; /* empty: "LUNBOOT", "DISK", "1" */
    char serial[33];                          /* empty: made as naa is, 16 digits */
    uint64_t naa;  /* VPD 83's 64 bits; 0: made from the device's name and the LUN */
    uint64_t user; /* the owner's */

    /* What initiators have set. A host that keeps it over a restart puts it back. */
    bool no_write_cache;  /* MODE SELECT: each write is durable before it is answered */
    bool write_protected; /* MODE SELECT: SWP */
    bool holds_medium;    /* PREVENT ALLOW MEDIUM REMOVAL, by somebody who is logged in */
    /* Persistent reservations: the owner's memory; cap 0: the command does not exist. With can_keep
     * they are kept when an initiator asks for it (APTPL): LB_SCSI_KIND_KEEP. */
    struct lb_scsi_registration *registrations;
    unsigned registration_cap, registration_count;
    bool can_keep, is_kept;
    uint8_t reservation_type; /* SPC-4 table 51; 0: nobody holds it */
    uint32_t generation;

    struct lb_scsi_sanitize sanitize; /* set by the functions below alone */

    /* The unit's own. */
    struct lb_scsi_nexus *nexuses;        /* who reaches it now */
    const struct lb_scsi_nexus *reserved; /* RESERVE(6): by whom; NULL: nobody */
};

/* What became of an EXTENDED COPY whose initiator may ask. */
enum lb_scsi_copy_status {
    LB_SCSI_COPY_NONE,
    LB_SCSI_COPY_GOES_ON,
    LB_SCSI_COPY_DONE,
    LB_SCSI_COPY_FAILED,
};

/* The last one of an initiator port. */
struct lb_scsi_copy {
    uint8_t list_id;
    uint8_t status;    /* enum lb_scsi_copy_status */
    uint16_t segments; /* that are done */
    uint64_t bytes;
};

/* What a unit keeps for one initiator port while its session lasts. The memory is the session's. */
struct lb_scsi_nexus {
    struct lb_scsi_unit *unit;  /* NULL: none is there */
    struct lb_scsi_nexus *next; /* of the unit */
    const struct lb_scsi_port *port;
    void *owner;                             /* the caller's: the session */
    uint16_t attentions[LB_SCSI_ATTENTIONS]; /* that wait, asc << 8 | ascq, the first first */
    uint8_t attention_count;
    struct lb_scsi_copy copy; /* RECEIVE COPY RESULTS tells of it */
    bool prevents_removal;
    bool has_stopped; /* START STOP UNIT: the unit starts when the session ends */
};

/* A target device as one initiator port sees it. */
struct lb_scsi_device {
    const char *name;                  /* its iSCSI name: VPD pages are made of it */
    uint16_t port_group;               /* its target portal group tag; 0: 1 */
    struct lb_scsi_unit *const *units; /* by LUN; NULL: none */
    struct lb_scsi_nexus *nexuses;     /* by LUN, those of this initiator port */
    unsigned count;                    /* of both; at most LB_SCSI_UNITS_MAX */
};

enum lb_scsi_kind {
    LB_SCSI_KIND_REPLY,      /* moves no blocks: lb_scsi_device_reply */
    LB_SCSI_KIND_LONG_REPLY, /* the same, with a reply of up to `room` bytes */
    LB_SCSI_KIND_PARAMETERS, /* `total` bytes come: lb_scsi_device_take */
    LB_SCSI_KIND_READ,
    LB_SCSI_KIND_WRITE,
    LB_SCSI_KIND_OR,                /* what comes is ORed into the blocks */
    LB_SCSI_KIND_COMPARE,           /* what comes is compared with the blocks */
    LB_SCSI_KIND_COMPARE_EACH,      /* one block comes, and is compared with each of `blocks` */
    LB_SCSI_KIND_COMPARE_AND_WRITE, /* twice `blocks` come: the second half is written if the first
                                       is what is there, in one */
    LB_SCSI_KIND_WRITE_EACH,        /* one block comes (or none: zeros), and is written to each */
    LB_SCSI_KIND_UNMAP,             /* `blocks` from `lba` on are given back */
    LB_SCSI_KIND_STATUS,   /* GET LBA STATUS: whether `lba` is there, and how many like it follow */
    LB_SCSI_KIND_KEEP,     /* the registrations are to be kept */
    LB_SCSI_KIND_SANITIZE, /* `sanitize` is done to all blocks, durably */
    LB_SCSI_KIND_COPY,     /* `blocks` from `source_lba` of the unit `source` on are copied to `lba`
                            of the unit `destination` */
    LB_SCSI_KIND_FLUSH,
};

struct lb_scsi_command {
    /* From the initiator. */
    uint8_t cdb[LB_SCSI_CDB_BYTES];
    uint8_t unit;       /* lb_scsi_device_find; LB_SCSI_NO_UNIT: there is no such LUN */
    bool reads, writes; /* what it says of its data: the R and W bits */
    uint32_t expected;  /* bytes that it sends or has room for */

    /* What it is, from lb_scsi_device_begin. */
    enum lb_scsi_kind kind;
    uint64_t lba;        /* of its first block */
    uint64_t blocks;     /* that it concerns */
    uint32_t total;      /* bytes that it moves, at most `expected` */
    uint32_t room;       /* LONG_REPLY */
    uint32_t next_range; /* UNMAP, EXTENDED COPY: of its list */
    uint32_t copied;     /* EXTENDED COPY: blocks of the segment at hand that are done */
    uint64_t source_lba;
    uint8_t source, destination; /* COPY: by LUN, which are there */
    bool force_unit_access;
    bool is_atomic;    /* WRITE: all of it or nothing, as one piece */
    bool unmaps;       /* WRITE_EACH: blocks may be given back, where they then read as it says */
    bool is_immediate; /* SANITIZE: the answer does not wait for its end */
    enum lb_scsi_sanitize_action sanitize;
    bool aborts; /* PREEMPT AND ABORT: the tasks of all who reach the unit but have no key */
    bool has_begun, holds_result; /* EXTENDED COPY: its list is right; RECEIVE COPY RESULTS */
    uint8_t list_id;

    /* How it goes. With has_failed the status is known and not GOOD. */
    bool has_failed;
    uint8_t status; /* enum lb_scsi_status */
    uint8_t key, asc, ascq;
    bool is_deferred;     /* the sense is about an earlier command */
    bool has_information; /* the sense has `information` */
    bool has_progress;    /* the sense has `progress`, of 65536: SPC-4 4.5.2.4.4 */
    uint16_t progress;
    uint8_t field;            /* of the CDB, by its byte, that is invalid; 0: not told */
    bool tells_residual;      /* also though it has failed */
    bool overflow, underflow; /* it wants to move more, or less, than `expected` */
    uint32_t information;     /* MISCOMPARE: the offset of the first byte that differs */
    uint32_t residual;        /* by so many bytes */
};

/* The unit that a LUN names (SAM-5 4.7: one level, peripheral device on bus 0 or flat space); or
 * LB_SCSI_NO_UNIT. */
uint8_t lb_scsi_device_find(const struct lb_scsi_device *device, const uint8_t lun[8]);

/* A unit's block length in bytes. */
uint32_t lb_scsi_unit_block_bytes(const struct lb_scsi_unit *unit);

/* A session begins to reach this unit (NULL: there is none yet), or another one than before. port
 * and owner are the session's. What waits in nexus->attentions stays. */
void lb_scsi_nexus_begin(struct lb_scsi_nexus *nexus, struct lb_scsi_unit *unit,
                         const struct lb_scsi_port *port, void *owner);
/* It does not any more. */
void lb_scsi_nexus_end(struct lb_scsi_nexus *nexus);
/* UNIT ATTENTION for this initiator port, unless the same waits already. One of the group 29
 * (reset, power on) stands for all that waited before. */
void lb_scsi_nexus_attention(struct lb_scsi_nexus *nexus, uint8_t asc, uint8_t ascq);
/* UNIT ATTENTION for all who reach the unit; `but` (NULL: nobody) is left out. */
void lb_scsi_unit_attention(struct lb_scsi_unit *unit, const struct lb_scsi_nexus *but, uint8_t asc,
                            uint8_t ascq);

/* What a new command is. Its first group of fields is filled in, the rest is zero. A unit attention
 * that it reports is taken from the nexus. */
void lb_scsi_device_begin(const struct lb_scsi_device *device, struct lb_scsi_command *command);

/* The answer of a command will never be sent, as it is aborted: a unit attention that it was to
 * report goes back to the nexus, before those that came since. */
void lb_scsi_device_untold(const struct lb_scsi_device *device,
                           const struct lb_scsi_command *command);

/* A command ends before it is done: its caller failed to do what it asked for, or it is aborted.
 * The results of an EXTENDED COPY say so from here on. */
void lb_scsi_device_stopped(const struct lb_scsi_device *device,
                            const struct lb_scsi_command *command);

/* Carries out a command of the kind REPLY or LONG_REPLY that has not failed. Writes its reply, of
 * at most LB_SCSI_REPLY_MAX or `room` bytes, and gives its length, at most `expected`; 0 when it
 * has none or has failed. */
size_t lb_scsi_device_reply(const struct lb_scsi_device *device, struct lb_scsi_command *command,
                            struct lb_span reply);
/* A command of the kind PARAMETERS: its bytes are here. It is done, or has failed; or `kind` is
 * UNMAP or COPY (one range, with lba and blocks: call again when that is done, until kind is REPLY)
 * or KEEP. */
void lb_scsi_device_take(const struct lb_scsi_device *device, struct lb_scsi_command *command,
                         struct lb_bytes parameters);
/* The reply of GET LBA STATUS: so many blocks from lba on are all there, or all not. */
size_t lb_scsi_device_status(const struct lb_scsi_device *device, struct lb_scsi_command *command,
                             uint64_t blocks, bool is_mapped, uint8_t reply[LB_SCSI_REPLY_MAX]);

/* Whether there are persistent reservations of this type (SPC-4 table 51). */
bool lb_scsi_is_reservation(uint8_t type);
/* Whether everybody who has a key holds one of this type. */
bool lb_scsi_is_reservation_of_all(uint8_t type);
/* Whether this initiator port has a key at the unit. */
bool lb_scsi_is_registered(const struct lb_scsi_unit *unit, const struct lb_scsi_nexus *nexus);

/* A reset of the unit (task management): what initiators have reserved by RESERVE(6) is free, and
 * the medium may be removed. The persistent reservations stay. */
void lb_scsi_unit_reset(struct lb_scsi_unit *unit);

/* What OVERWRITE's list says. False: it is against SBC-3; *overwrite is untouched. */
bool lb_scsi_overwrite_read(struct lb_bytes list, uint32_t block_bytes,
                            struct lb_scsi_overwrite *overwrite);
/* Whether this pass, the first is 0, writes the inverse of the pattern. The last never does. */
bool lb_scsi_overwrite_is_inverted(const struct lb_scsi_overwrite *overwrite, unsigned pass);
/* The owner begins what SANITIZE asks for; is_restricted: without AUSE. Others wait. */
void lb_scsi_sanitize_begin(struct lb_scsi_unit *unit, bool is_restricted);
/* So much of it is done; total is not 0. */
void lb_scsi_sanitize_progress(struct lb_scsi_unit *unit, uint64_t done, uint64_t total);
/* It is done, and durable; or it has failed, and the unit says so to all until it is sent again. */
void lb_scsi_sanitize_end(struct lb_scsi_unit *unit, bool is_done);
/* Fails a command as a SANITIZE that goes on, or has failed, wants it; false: there is none. */
bool lb_scsi_command_sanitize(struct lb_scsi_command *command, const struct lb_scsi_unit *unit);

/* Fails a command with CHECK CONDITION and this sense. */
void lb_scsi_command_check(struct lb_scsi_command *command, uint8_t key, uint8_t asc, uint8_t ascq);

/* Its sense data in fixed format (SPC-4 4.5.3); empty unless it ended with CHECK CONDITION. */
struct lb_bytes lb_scsi_command_sense(const struct lb_scsi_command *command,
                                      uint8_t room[LB_SCSI_SENSE_MAX]);

#endif
