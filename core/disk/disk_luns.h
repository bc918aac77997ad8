/* Which LUNs of a target are disks: REPORT LUNS, then INQUIRY of each, over a session that has no
 * disk yet. For a boot that names a target and no LUN.
 *
 *   lb_disk_luns_start   once the session is READY
 *   lb_disk_luns_poll    after every call into the session, until lb_disk_luns_is_over */
#ifndef LB_DISK_LUNS_H
#define LB_DISK_LUNS_H

#include "core/disk/disk.h"

struct lb_disk_lun {
    uint8_t lun[8];
    char vendor[9], product[17];
};

struct lb_disk_luns {
    /* The answer, once it is over without an error. */
    struct lb_disk_lun disks[LB_DISK_LUNS_MAX]; /* in the target's order */
    size_t disk_count;
    size_t count; /* LUNs of any kind; a list that is longer than the room is cut */

    /* Its own. */
    struct lb_initiator *session;
    bool is_over;
    struct lb_error error;
    uint8_t luns[LB_DISK_LUNS_MAX][8];
    bool has_list;
    size_t next; /* of luns: the one that is asked */
    uint32_t ready_ms;
    uint64_t first_us, retry_us; /* of the question; retry_us LB_NEVER: it is on its way */
    unsigned retries;
    struct lb_initiator_task task;
    uint8_t reply[16 + 8 * LB_DISK_LUNS_MAX];
};

/* The session stays the caller's, who takes no completed task from it before the end. ready_ms: how
 * long a busy target is asked again. Zero *luns once before its first use. */
void lb_disk_luns_start(struct lb_disk_luns *luns, uint64_t now_us, struct lb_initiator *session,
                        uint32_t ready_ms);
/* The deadline of its next question; LB_NEVER while an answer is awaited. */
uint64_t lb_disk_luns_poll(struct lb_disk_luns *luns, uint64_t now_us);
/* The search has ended: see disks, or lb_disk_luns_error. */
bool lb_disk_luns_is_over(const struct lb_disk_luns *luns);
/* Why the target could not be asked; LB_OK: it was. No LUN that is a disk is no error here. */
const struct lb_error *lb_disk_luns_error(const struct lb_disk_luns *luns);

#endif
