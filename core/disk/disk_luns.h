/* Which LUNs of a target are disks: REPORT LUNS, then INQUIRY of each, over a session that has no
 * disk yet. For a boot that names a target and no LUN. Where several are, and somebody named what
 * is on the one that is meant, each is read until that is found: READ CAPACITY, then as
 * disk_root.h wants.
 *
 *   lb_disk_luns_start   once the session is READY
 *   lb_disk_luns_poll    after every call into the session, until lb_disk_luns_is_over */
#ifndef LB_DISK_LUNS_H
#define LB_DISK_LUNS_H

#include "core/disk/disk.h"
#include "core/disk/disk_root.h"

struct lb_disk_lun {
    uint8_t lun[8];
    char vendor[9], product[17];
};

enum lb_disk_luns_question {
    LB_LUNS_LIST,
    LB_LUNS_INQUIRY,
    LB_LUNS_CAPACITY,
    LB_LUNS_CAPACITY_10, /* where the longer form is not known */
    LB_LUNS_READ,
};

struct lb_disk_luns {
    /* The answer, once it is over without an error. */
    struct lb_disk_lun disks[LB_DISK_LUNS_MAX]; /* in the target's order */
    size_t disk_count;
    size_t count;  /* LUNs of any kind; a list that is longer than the room is cut */
    size_t holder; /* of disks: the one that holds what was named; disk_count: none does, or nothing
                      was named */

    /* Its own. */
    struct lb_initiator *session;
    bool is_over;
    struct lb_error error;
    uint8_t luns[LB_DISK_LUNS_MAX][8];
    enum lb_disk_luns_question question;
    size_t next; /* of luns, then of disks: the one that is asked */
    struct lb_disk_root root;
    uint32_t ready_ms;
    uint64_t first_us, retry_us; /* of the question; retry_us LB_NEVER: it is on its way */
    unsigned retries;
    struct lb_initiator_task task;
    uint8_t reply[LB_DISK_ROOT_ROOM];
};

/* The session stays the caller's, who takes no completed task from it before the end. ready_ms: how
 * long a busy target is asked again. root: what the disk that is meant holds, or of no kind; it is
 * copied. Zero *luns once before its first use. */
void lb_disk_luns_start(struct lb_disk_luns *luns, uint64_t now_us, struct lb_initiator *session,
                        uint32_t ready_ms, const struct lb_disk_root *root);
/* The deadline of its next question, or of an answer that there is another way to; LB_NEVER while
 * any other answer is awaited. */
uint64_t lb_disk_luns_poll(struct lb_disk_luns *luns, uint64_t now_us);
/* The search has ended: see disks, or lb_disk_luns_error. */
bool lb_disk_luns_is_over(const struct lb_disk_luns *luns);
/* Why the target could not be asked; LB_OK: it was. No LUN that is a disk is no error here. */
const struct lb_error *lb_disk_luns_error(const struct lb_disk_luns *luns);

#endif
