/* The server's side of SCSI: what a command is, and the answers that move no blocks. SPC-4, SBC-3.
 *
 * A struct lb_scsi_unit is a logical unit: it is its owner's, and outlives the sessions that reach
 * it. A struct lb_scsi_nexus is what a unit keeps for one initiator port (SAM-5: an I_T_L nexus). A
 * struct lb_scsi_device is a target device as one initiator port sees it: units by LUN.
 *
 *   lb_scsi_device_begin   the CDB is here: kind says what it moves; or it has failed
 *   READ, WRITE, FLUSH     the caller carries it out
 *   REPLY                  lb_scsi_device_reply makes the answer, when it is about to be sent
 *
 * Nothing here touches a disk, keeps time, or knows how commands travel. */
#ifndef LB_SCSI_DEVICE_H
#define LB_SCSI_DEVICE_H

#include "core/base/limits.h"
#include "core/scsi/scsi.h"

#define LB_SCSI_REPLY_MAX 512 /* the longest reply of lb_scsi_device_reply */
#define LB_SCSI_SENSE_MAX 18  /* the sense data of lb_scsi_device_sense */
#define LB_SCSI_UNITS_MAX 32  /* so that the reply to REPORT LUNS fits */
#define LB_SCSI_NO_UNIT   0xff

enum lb_scsi_unit_state {
    LB_SCSI_UNIT_READY,
    LB_SCSI_UNIT_BECOMING_READY, /* NOT READY 04/01 */
    LB_SCSI_UNIT_STOPPED,        /* NOT READY 04/02, until START STOP UNIT starts it */
    LB_SCSI_UNIT_NO_MEDIUM,      /* NOT READY 3A/00 */
};

/* A logical unit. Zero is the default; blocks must be given. */
struct lb_scsi_unit {
    uint64_t blocks;
    uint32_t block_bytes; /* 0: 512 */
    uint8_t physical_exponent;
    uint8_t type; /* INQUIRY's: 0 is a disk */
    bool read_only;
    bool no_capacity_16; /* as old targets: READ CAPACITY(16) is an invalid command */
    enum lb_scsi_unit_state state;
    bool is_busy; /* BUSY to every command but INQUIRY, REPORT LUNS and REQUEST SENSE */
    uint32_t max_transfer_blocks, optimal_transfer_blocks; /* VPD B0; 0: no limit */
    char vendor[9], product[17], revision[5];              /* empty: "LUNBOOT", "DISK", "1" */
    char serial[33];                                       /* empty: made as naa is, 16 digits */
    uint64_t naa;  /* VPD 83's 64 bits; 0: made from the device's name and the LUN */
    uint64_t user; /* the owner's */
    struct lb_scsi_nexus *nexuses; /* the unit's own: who reaches it now */
};

/* An initiator port: for iSCSI a name and an ISID (RFC 7143 4.4.1). */
struct lb_scsi_port {
    char name[LB_NAME_MAX + 1];
    uint8_t isid[6];
};

/* What a unit keeps for one initiator port while its session lasts. The memory is the session's. */
struct lb_scsi_nexus {
    struct lb_scsi_unit *unit;  /* NULL: none is there */
    struct lb_scsi_nexus *next; /* of the unit */
    const struct lb_scsi_port *port;
    void *owner;        /* the caller's: the session */
    uint16_t attention; /* UNIT ATTENTION that waits, asc << 8 | ascq; 0: none */
};

/* A target device as one initiator port sees it. */
struct lb_scsi_device {
    const char *name;                  /* its iSCSI name: VPD pages are made of it */
    struct lb_scsi_unit *const *units; /* by LUN; NULL: none */
    struct lb_scsi_nexus *nexuses;     /* by LUN, those of this initiator port */
    unsigned count;                    /* of both; at most LB_SCSI_UNITS_MAX */
};

enum lb_scsi_kind {
    LB_SCSI_KIND_REPLY, /* moves no blocks: lb_scsi_device_reply */
    LB_SCSI_KIND_READ,
    LB_SCSI_KIND_WRITE,
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
    uint64_t lba;   /* READ, WRITE: of its first block */
    uint32_t total; /* bytes that it moves, at most `expected` */
    bool force_unit_access;

    /* How it goes. With has_failed the status is known and not GOOD. */
    bool has_failed;
    uint8_t status; /* enum lb_scsi_status */
    uint8_t key, asc, ascq;
    bool is_deferred;         /* the sense is about an earlier command */
    bool overflow, underflow; /* it wants to move more, or less, than `expected` */
    uint32_t residual;        /* by so many bytes */
};

/* The unit that a LUN names (SAM-5 4.7: one level, peripheral device on bus 0 or flat space); or
 * LB_SCSI_NO_UNIT. */
uint8_t lb_scsi_device_find(const struct lb_scsi_device *device, const uint8_t lun[8]);

/* A unit's block length in bytes. */
uint32_t lb_scsi_unit_block_bytes(const struct lb_scsi_unit *unit);

/* A session begins to reach this unit (NULL: there is none yet), or another one than before. port
 * and owner are the session's. What waits in nexus->attention stays. */
void lb_scsi_nexus_begin(struct lb_scsi_nexus *nexus, struct lb_scsi_unit *unit,
                         const struct lb_scsi_port *port, void *owner);
/* It does not any more. */
void lb_scsi_nexus_end(struct lb_scsi_nexus *nexus);
/* UNIT ATTENTION for all who reach the unit; `but` (NULL: nobody) is left out. */
void lb_scsi_unit_attention(struct lb_scsi_unit *unit, const struct lb_scsi_nexus *but, uint8_t asc,
                            uint8_t ascq);

/* What a new command is. Its first group of fields is filled in, the rest is zero. A unit attention
 * that it reports is taken from the nexus. */
void lb_scsi_device_begin(const struct lb_scsi_device *device, struct lb_scsi_command *command);

/* The answer of a command will never be sent, as it is aborted: a unit attention that it was to
 * report goes back to the nexus, unless there is a newer one. */
void lb_scsi_device_untold(const struct lb_scsi_device *device,
                           const struct lb_scsi_command *command);

/* Carries out a command of the kind REPLY that has not failed. Writes its reply and gives its
 * length, at most `expected`; 0 when it has none or has failed. */
size_t lb_scsi_device_reply(const struct lb_scsi_device *device, struct lb_scsi_command *command,
                            uint8_t reply[LB_SCSI_REPLY_MAX]);

/* Fails a command with CHECK CONDITION and this sense. */
void lb_scsi_command_check(struct lb_scsi_command *command, uint8_t key, uint8_t asc, uint8_t ascq);

/* Its sense data in fixed format (SPC-4 4.5.3); empty unless it ended with CHECK CONDITION. */
struct lb_bytes lb_scsi_command_sense(const struct lb_scsi_command *command,
                                      uint8_t room[LB_SCSI_SENSE_MAX]);

#endif
