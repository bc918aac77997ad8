/* The disk's fields, and what its files ask of one another. Not for callers: iscsi_disk.h is. */
#ifndef LB_ISCSI_DISK_STATE_H
#define LB_ISCSI_DISK_STATE_H

#include "core/iscsi/iscsi_disk.h"
#include "core/iscsi/iscsi_session.h"

enum {
    LB_DISK_PIECE_BYTES = 262144, /* of one command: with a few in flight any link is full */
    LB_DISK_RETRIES_MAX = 10,     /* at once: each of a target's UNIT ATTENTIONs costs one */
    LB_DISK_DELAY_MIN_MS = 10,    /* before a command is issued again to a busy disk */
    LB_DISK_DELAY_MAX_MS = 1000,  /* it doubles up to this */
    LB_DISK_BUSY_MS = 60000,      /* how long BUSY and TASK SET FULL are borne */
    LB_DISK_REPLY_MAX = 1024,     /* room for one reply of the bring-up */
};

/* One command: a piece of a request, or a question of the bring-up. */
struct lb_disk_task {
    struct lb_iscsi_task task; /* task.user is this one's number */
    struct lb_disk_op *op;     /* NULL: a question */
    uint64_t lba;
    uint32_t blocks;
    unsigned retries, delays;
    uint64_t first_us;         /* when it was first issued, for the patience with busy disks */
    uint64_t retry_us;         /* in the list of those that wait */
    struct lb_disk_task *next; /* of the free ones, or of those that wait */
};

/* The questions, all asked in one flight. TEST UNIT READY goes first, to meet the UNIT ATTENTION
 * that every new session meets: the answers behind it then come without one. */
enum lb_disk_question {
    LB_ASK_READY,
    LB_ASK_INQUIRY,
    LB_ASK_LUNS,
    LB_ASK_CAPACITY_16,
    LB_ASK_CAPACITY_10,
    LB_ASK_MODE,
    LB_ASK_SERIAL,
    LB_ASK_IDS,
    LB_ASK_LIMITS,
    LB_ASK_START, /* START STOP UNIT, only when the disk says it needs it */
    LB_ASK_COUNT,
};

struct lb_disk_answer {
    bool is_out, is_there, is_good;
    struct lb_error error; /* why it is not good */
    uint8_t room[LB_DISK_REPLY_MAX];
    size_t len;
};

enum lb_disk_state {
    LB_DISK_DOWN,
    LB_DISK_ASKING,
    LB_DISK_UP,
    LB_DISK_BROKEN, /* it did not come up */
};

#define LB_DISK_TASKS_MAX (LB_ISCSI_TASKS_MAX + LB_ASK_COUNT)

struct lb_disk {
    struct lb_iscsi *session;
    struct lb_trace *trace;
    uint8_t lun[8];
    uint32_t ready_ms;
    enum lb_disk_state state;
    struct lb_error error;
    struct lb_error lost_write; /* a deferred error, for the next flush */
    struct lb_disk_info info;
    uint32_t piece_blocks;
    struct lb_disk_answer answers[LB_ASK_COUNT];

    struct lb_disk_task tasks[LB_DISK_TASKS_MAX];
    struct lb_disk_task *free_tasks, *waiting; /* waiting: for retry_us */
    struct lb_disk_op *queued, *queued_last;   /* not all of it issued yet */
    struct lb_disk_op *done, *done_last;

    /* Completed writes that may be in the target's volatile cache alone: the login under which the
     * first of them was done, of those before and after the last flush was submitted; 0: none. */
    unsigned cached_before, cached_after;
    unsigned flushes; /* submitted so far */
};

/* iscsi_disk_probe.c */
void lb_disk_ask_all(struct lb_disk *disk, uint64_t now_us);
/* A question was answered for good: error is LB_OK, or why there is no answer. */
void lb_disk_answered(struct lb_disk *disk, uint64_t now_us, struct lb_disk_task *task,
                      const struct lb_error *error);
/* The target said that something about the LUN changed. */
void lb_disk_refresh(struct lb_disk *disk, uint64_t now_us);
void lb_disk_start_unit(struct lb_disk *disk, uint64_t now_us);

/* iscsi_disk.c */

/* The only writer of `state`. */
void lb_disk_enter(struct lb_disk *disk, uint64_t now_us, enum lb_disk_state state);
struct lb_disk_task *lb_disk_take_task(struct lb_disk *disk);
void lb_disk_issue(struct lb_disk *disk, uint64_t now_us, struct lb_disk_task *task);

#endif
