/* A disk over an iSCSI session: finds out what the LUN is, then reads, writes and flushes with many
 * commands in flight, and climbs the retry ladder (UNIT ATTENTION, NOT READY, BUSY, TASK SET FULL)
 * so that its user sees an answer or an explained failure.
 *
 * It is the same disk all the time: after each new login, and when the target says that the LUN may
 * have changed, it has to prove that first (disk_identity.h). Its user sees a pause; or,
 * where another disk has its place, LB_E_DISK_CHANGED for every request, and the session ends with
 * it.
 *
 *   lb_disk_start            REPORT LUNS, INQUIRY, VPD 00/80/83/B0, READ CAPACITY in one flight
 *   lb_disk_poll             after every call into the session; moves tasks both ways
 *   lb_disk_is_up / lb_disk_error
 *   lb_disk_submit, lb_disk_completed */
#ifndef LB_DISK_H
#define LB_DISK_H

#include "core/disk/disk_identity.h"
#include "core/initiator/initiator.h"

enum lb_disk_kind {
    LB_DISK_READ,
    LB_DISK_WRITE,
    LB_DISK_FLUSH, /* SYNCHRONIZE CACHE of the whole disk: all completed writes become durable */
};

/* One request. The memory and the buffer are the user's, and stay in place from lb_disk_submit
 * until lb_disk_completed gives the request back. Zero it once before its first use. */
struct lb_disk_op {
    enum lb_disk_kind kind;
    uint64_t lba;
    uint32_t blocks;
    bool force_unit_access; /* WRITE: through the cache */
    uint8_t *buffer;        /* blocks * block_bytes; a WRITE does not change it */
    uint64_t user;          /* the user's */

    struct lb_error error; /* LB_OK: all of it was done */

    /* The disk's own. */
    uint32_t issued, done; /* blocks */
    unsigned in_flight;
    unsigned since;   /* login under which the first piece of a WRITE was done, or the first of the
                         writes that a FLUSH stands for; 0: none */
    unsigned flushes; /* a FLUSH: its number */
    struct lb_disk_op *next;
};

#define LB_DISK_LUNS_MAX 64 /* of REPORT LUNS, for messages */

struct lb_disk_info {
    uint64_t blocks;
    uint32_t block_bytes;
    uint8_t physical_exponent;    /* logical blocks per physical block: 2^n */
    bool read_only;               /* MODE SENSE says write protected */
    uint32_t max_transfer_blocks; /* VPD B0; 0: no limit */
    uint32_t optimal_transfer_blocks;
    uint16_t granularity_blocks; /* VPD B0: optimal transfers are multiples of it; 0: not said */
    char vendor[9], product[17], revision[5], serial[65];
    char id[80]; /* VPD 83, as "naa.…", "eui.…", "uuid.…", a SCSI name, "t10.…" */
    uint8_t luns[LB_DISK_LUNS_MAX][8];
    size_t lun_count;
};

struct lb_disk; /* fields in disk_state.h */

/* task_room: how many tasks of its own it may use, 1..LB_INITIATOR_TASKS_MAX (they are inside). */
void lb_disk_init(struct lb_disk *disk, struct lb_initiator *session, const uint8_t lun[8],
                  uint32_t ready_ms, struct lb_trace *trace);
/* Finds out what the LUN is, and makes it ready. Once, right after init. */
void lb_disk_start(struct lb_disk *disk, uint64_t now_us);
/* Instead: goes on with a disk that came up in another session, or in another program. It has to
 * prove that it is this one; its info is not known. */
void lb_disk_start_as(struct lb_disk *disk, uint64_t now_us,
                      const struct lb_disk_identity *identity);
/* Takes completed tasks from the session, retries, submits. The deadline of its next retry. */
uint64_t lb_disk_poll(struct lb_disk *disk, uint64_t now_us);

/* It came up; also while it proves again which one it is. */
bool lb_disk_is_up(const struct lb_disk *disk);
/* It is up, and there is no doubt which disk it is. */
bool lb_disk_is_sure(const struct lb_disk *disk);
/* Why it could not prove it so far, since the doubt began; LB_OK: nothing spoke against it. */
const struct lb_error *lb_disk_doubts(const struct lb_disk *disk);
/* Why it did not come up, or that another disk has its place. */
const struct lb_error *lb_disk_error(const struct lb_disk *disk);
/* Why it has to be waited for while it comes up: the first answer that asked for patience, such as
 * NOT READY. LB_OK: none did so far. It stays when the disk is up. */
const struct lb_error *lb_disk_awaited(const struct lb_disk *disk);
/* By which the disk is known again; is_known is false before it came up. */
const struct lb_disk_identity *lb_disk_identity(const struct lb_disk *disk);
/* Size, names and abilities, as the LUN told them when it came up. */
const struct lb_disk_info *lb_disk_info(const struct lb_disk *disk);

/* Requests outside the disk, or with no blocks, complete at once (with OUT_OF_RANGE, or done). */
void lb_disk_submit(struct lb_disk *disk, uint64_t now_us, struct lb_disk_op *op);
/* The next request that has ended, in order of completion; NULL: none. It is the caller's again. */
struct lb_disk_op *lb_disk_completed(struct lb_disk *disk);

#endif
