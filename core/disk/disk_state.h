/* The disk's fields, and what its files ask of one another. Not for callers: disk.h is. */
#ifndef LB_DISK_STATE_H
#define LB_DISK_STATE_H

#include "core/base/pace.h"
#include "core/disk/disk.h"
#include "core/initiator/initiator_session.h"

enum {
    LB_DISK_PIECE_BYTES = 262144, /* of one command: with a few in flight any link is full */
    LB_DISK_RETRIES_MAX = 10,     /* at once: each of a target's UNIT ATTENTIONs costs one */
    LB_DISK_ERRORS_MAX = 3,       /* tries more after an error of the medium */
    LB_DISK_ERROR_DELAY_MS = 50,  /* before the first of them; it doubles */
    LB_DISK_STANDBY_MS = 5000,    /* for a portal on standby, where there is no other */
    LB_DISK_OPTIONAL_MS = 3000,  /* for the answers that a disk can do without, behind the others */
    LB_DISK_POSTPONED_MAX = 12,  /* of optional questions; after that, no answer */
    LB_DISK_NAME_MS = 30000,     /* for the first name of a disk that is busy with nothing else */
    LB_DISK_EMPTY_MAX = 6,       /* questions for a capacity that is empty */
    LB_DISK_PIECE_MIN = 4096,    /* a MaxBurstLength below this does not make pieces smaller */
    LB_DISK_DELAY_MIN_MS = 10,   /* before a command is issued again to a busy disk */
    LB_DISK_DELAY_MAX_MS = 1000, /* it doubles up to this */
    LB_DISK_BUSY_MS = 60000,     /* how long BUSY and TASK SET FULL are borne */
    LB_DISK_REPLY_MAX = 1024,    /* room for one reply of the bring-up */
    LB_DISK_ROUNDS_MAX = 10,     /* of questions that met a UNIT ATTENTION, one after the other */
};

/* Why answers are not believed that are all there. */
#define LB_DISK_TORN                                                                               \
    "the disk reports changes (UNIT ATTENTION) between its answers, again and again"

/* One command: a piece of a request, or a question of the bring-up. */
struct lb_disk_task {
    struct lb_initiator_task task; /* task.user is this one's number */
    struct lb_disk_op *op;         /* NULL: a question */
    uint64_t lba;
    uint32_t blocks;
    uint32_t left; /* blocks behind these that are this task's, too, one piece after the other */
    unsigned retries, delays, errors;
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
    LB_DISK_PROVING, /* it was up; whether it is still the same disk is being asked */
    LB_DISK_CHANGED, /* it was up, and another disk has its place: nothing is asked any more */
    LB_DISK_BROKEN,  /* it did not come up */
};

/* Those of requests, and behind them one for each question. */
#define LB_DISK_TASKS_MAX (LB_INITIATOR_TASKS_MAX + LB_ASK_COUNT)

struct lb_disk {
    struct lb_initiator *session;
    struct lb_trace *trace;
    uint8_t lun[8];
    uint32_t ready_ms;
    enum lb_disk_state state;
    struct lb_error error;
    struct lb_error awaited;    /* why a disk that comes up was first asked again later */
    struct lb_error lost_write; /* a deferred error, for the next flush */
    struct lb_disk_info info;
    uint32_t piece_blocks;
    struct lb_disk_answer answers[LB_ASK_COUNT];

    /* Asking, at first and again: disk_proof.c. */
    struct lb_disk_identity identity;   /* of the disk that came up */
    uint32_t wanted;                    /* bits: a round ends when these questions have answers */
    uint32_t known;                     /* bits: those that had a good answer when it came up */
    unsigned asked_login, asked_missed; /* logins and missed answers when this round was asked */
    unsigned rounds, pauses;
    bool asks_again;        /* something changed while it was being asked */
    uint64_t since_us;      /* when the asking began */
    uint64_t again_us;      /* when the next round is; LB_NEVER: one is out, or none is needed */
    struct lb_error unsure; /* why there is no proof so far */
    uint32_t silent;        /* questions without an answer: no later round asks them */
    uint32_t postponed;     /* bits: given up for others, and asked again now */
    uint32_t postponements; /* how many there were */
    uint64_t enough_us;     /* when all had come that a disk cannot do without; LB_NEVER */

    struct lb_disk_task tasks[LB_DISK_TASKS_MAX];
    struct lb_disk_task *free_tasks, *waiting; /* waiting: for retry_us */
    struct lb_disk_op *queued, *queued_last;   /* not all of it issued yet */
    struct lb_disk_op *done, *done_last;

    /* Completed writes that may be in the target's volatile cache alone: the login under which the
     * first of them was done, of those before and after the last flush was submitted; 0: none. */
    unsigned cached_before, cached_after;
    unsigned flushes; /* submitted so far */
    bool has_writes;  /* a WRITE was submitted, ever */
};

static inline bool lb_disk_is_question(const struct lb_disk_task *task) {
    return task->op == NULL;
}

/* disk_probe.c */

/* Is this question (enum lb_disk_question) one whose answer says nothing about which disk it is? */
bool lb_disk_is_detail(uint64_t question);
/* Does a disk come up without its answer? A detail, or a name of a disk that is not up yet. */
bool lb_disk_is_optional(const struct lb_disk *disk, uint64_t question);

/* Asks the questions of these bits, unless they are out. */
void lb_disk_ask(struct lb_disk *disk, uint64_t now_us, uint32_t questions);
/* All that was wanted has an answer: is it a disk, and which? */
void lb_disk_judge(struct lb_disk *disk, uint64_t now_us);
/* The LUN was asked again: it is the same disk, another one, or this is not known yet. */
void lb_disk_judge_again(struct lb_disk *disk, uint64_t now_us);
/* What MODE SENSE says of a disk that is up. */
void lb_disk_take_mode(struct lb_disk *disk);

/* Until when the answer to this question is waited for, once the disk could do without it.
 * LB_NEVER: it cannot, or others are still to come. */
uint64_t lb_disk_optional_until(const struct lb_disk *disk, enum lb_disk_question question);
/* Answers that a disk can do without are not waited for once the others are there, and those that
 * delay the others are asked again after them; gives the next deadline. */
uint64_t lb_disk_optional_tick(struct lb_disk *disk, uint64_t now_us);

/* disk_proof.c */

/* Asks a new disk everything, from the first question on. */
void lb_disk_start_asking(struct lb_disk *disk, uint64_t now_us);
/* Asks a disk that came up elsewhere for what proves that it is the same one. */
void lb_disk_start_proving(struct lb_disk *disk, uint64_t now_us);
/* Whether this round has answers. */
bool lb_disk_has_answers(const struct lb_disk *disk);
/* A question was answered for good: error is LB_OK, or why there is no answer. */
void lb_disk_answered(struct lb_disk *disk, uint64_t now_us, struct lb_disk_task *task,
                      const struct lb_error *error);
/* The LUN may be another one now. Nothing more is issued to it, nor believed of it, until it has
 * proved that it is the same. */
void lb_disk_doubt(struct lb_disk *disk, uint64_t now_us);
/* What the judgement came to. */
void lb_disk_found_same(struct lb_disk *disk, uint64_t now_us);
/* Another disk has its place: DISK_CHANGED with these facts, and the session is ended. */
void lb_disk_found_other(struct lb_disk *disk, uint64_t now_us, const char *facts);
/* It cannot be told which disk it is: kept as the doubt's reason, and asked again after a pause.
 * After LB_DISK_BUSY_MS what waits for the disk fails. */
void lb_disk_found_nothing(struct lb_disk *disk, uint64_t now_us, enum lb_code code,
                           const char *facts);
/* Another round after a pause, a few times. False: not any more. */
bool lb_disk_ask_once_more(struct lb_disk *disk, uint64_t now_us);
/* New logins, and rounds that are due; gives the next deadline. */
uint64_t lb_disk_proof_tick(struct lb_disk *disk, uint64_t now_us);

/* disk.c */

/* The only writer of `state`. */
void lb_disk_enter(struct lb_disk *disk, uint64_t now_us, enum lb_disk_state state);
/* Submits a request's task, or submits it again. Time counts from the first time. */
void lb_disk_issue(struct lb_disk *disk, uint64_t now_us, struct lb_disk_task *task);
/* A task as for its first use. */
void lb_disk_reset_task(struct lb_disk_task *task);
/* Ends every request that waits, with disk->unsure. */
void lb_disk_end_waiting(struct lb_disk *disk, uint64_t now_us);

#endif
