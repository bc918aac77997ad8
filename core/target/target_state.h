/* The fields of a target's connection. For the files of the target, and for hosts that need the
 * struct's size; nobody else looks inside. */
#ifndef LB_TARGET_STATE_H
#define LB_TARGET_STATE_H

#include "core/iscsi/iscsi_text.h"
#include "core/target/target.h"
#include "core/target/target_faults.h"

enum lb_target_phase {
    LB_TARGET_SECURITY,    /* login, CSG 0 */
    LB_TARGET_OPERATIONAL, /* login, CSG 1 */
    LB_TARGET_FULL_FEATURE,
    LB_TARGET_CLOSING, /* what is queued is sent, then it closes */
    LB_TARGET_CLOSED,
};

enum lb_target_auth {
    LB_AUTH_OPEN,       /* nothing agreed on yet */
    LB_AUTH_CHAP,       /* AuthMethod=CHAP is agreed on, CHAP_A awaited */
    LB_AUTH_CHALLENGED, /* CHAP_R awaited */
    LB_AUTH_DONE,
};

/* Drawn in target_task.c. */
enum lb_target_task_state {
    LB_TTASK_IDLE,
    LB_TTASK_ASK,       /* in the list of ios that poll gives out */
    LB_TTASK_AT_HOST,   /* an io is to be answered */
    LB_TTASK_RECEIVING, /* Data-Out is awaited; or, in the list `out`, an R2T is to be sent */
    LB_TTASK_SENDING,   /* in the list `out`: Data-In is to be queued */
    LB_TTASK_UNSENT,    /* Data-In is queued; its memory is in use until it is sent */
    LB_TTASK_ANSWERING, /* in the list `out`: a response is to be queued */
    LB_TTASK_AT_UNIT,   /* a SANITIZE, whose end is awaited */
};

#define LB_TTASK_NONE 0xff /* no index into tasks */

struct lb_target_task {
    struct lb_target_io io;
    enum lb_target_task_state state;
    bool is_immediate; /* takes no room of the window */
    bool is_aborted;   /* no answer; freed as soon as nobody uses its memory */
    bool is_answered;  /* its status is queued: out of the window, its ITT may come again */
    bool has_memory;   /* io.buffer is the host's, to be released */
    bool wants_r2t;    /* RECEIVING: the next R2T is to be sent */
    bool unsolicited;  /* Data-Out without R2T is awaited until F */
    bool is_taken;     /* its parameter list has been carried out */
    uint8_t next;      /* in a list */
    uint8_t hash_next; /* among tasks of the same hash of itt */
    uint8_t lun[8];
    struct lb_scsi_command scsi; /* once it has failed, data that comes is thrown away */
    uint32_t itt, ttt;
    uint32_t piece;     /* offset of the piece in `io`, in the whole */
    uint32_t piece_end; /* where it ends: at most scsi.total */
    uint32_t moved;     /* bytes of the whole that were received, or queued as Data-In */
    uint32_t burst_end; /* offset where the R2T in flight, or the unsolicited data, ends */
    uint32_t data_sn;   /* next of Data-In; expected of Data-Out */
    uint32_t r2t_sn;
    uint32_t in_sequence; /* bytes of Data-In since F */
    uint64_t sent_at;     /* stream position after its last Data-In */
};

struct lb_target_list {
    uint8_t first, last; /* LB_TTASK_NONE: empty */
};

/* What is lent for LB_TARGET_WORK. Tasks from `fresh` on have never been used. */
struct lb_target_work {
    struct lb_stream_tx tx;
    uint8_t by_itt[256];
    uint8_t free_task; /* first of the free list, of those before `fresh` */
    uint8_t fresh, cap;
    struct lb_target_task tasks[];
};
#define LB_TARGET_WORK_BYTES(window)                                                               \
    (sizeof(struct lb_target_work) +                                                               \
     ((window) + LB_TARGET_TASKS - LB_TARGET_WINDOW_MAX) * sizeof(struct lb_target_task))
#define LB_TARGET_WORK_MAX LB_TARGET_WORK_BYTES(LB_TARGET_WINDOW_MAX)

/* What is lent for LB_TARGET_TEXT: what came of a negotiation, and the answer. */
struct lb_target_text {
    uint8_t in[LB_TARGET_TEXT_MAX];
    uint8_t out[LB_TARGET_TEXT_MAX];
    char wanted[LB_NAME_MAX + 1]; /* TargetName of the login that WHO is asked about */
};
#define LB_TARGET_TEXT_BYTES sizeof(struct lb_target_text)

#define LB_TARGET_IDLE_MAX 8192 /* bytes that a session owns while it has nothing to do */

struct lb_target_conn {
    struct lb_target_server *server;
    struct lb_target_conn *next; /* in one of the server's lists */
    struct lb_rand *rand;
    struct lb_trace *trace;
    struct lb_endpoint local;
    enum lb_target_phase phase;
    const char *reason;
    uint64_t now_us;      /* of the call at hand */
    uint64_t deadline_us; /* login, answer to a ping, logout */
    uint64_t heard_us;    /* when bytes came last */
    bool ping_waits;      /* a NOP-In was sent and is not answered */
    bool ping_is_due;     /* it is to be sent */
    bool logout_waits;    /* an async message asked for logout */
    bool logout_is_due;   /* it is to be sent */
    uint16_t logout_s;    /* and says so many seconds */

    /* On loan; NULL: not now. The staging room is the stream's. */
    struct lb_target_work *work;
    size_t work_len;
    struct lb_target_text *text;
    size_t text_len;

    /* Session. */
    struct lb_target *node; /* NULL in a discovery session */
    bool is_discovery;
    struct lb_scsi_port port; /* of the initiator: its name and ISID */
    uint8_t bucket;           /* of its name */
    uint16_t tsih, cid;
    struct lb_scsi_nexus nexuses[LB_TARGET_LUNS_MAX]; /* by LUN */
    struct lb_target *const *listed;                  /* a discovery session's, with asks_who */
    size_t listed_count;

    /* Numbers. */
    uint32_t stat_sn, exp_cmd_sn;
    uint32_t window, window_used;
    uint32_t next_ttt;

    /* Login. */
    unsigned exchanges;
    bool has_first;     /* the first request is complete: names are known */
    bool who_waits;     /* the host has been asked, and has not answered */
    bool is_admitted;   /* it has */
    uint16_t admission; /* how: enum lb_iscsi_login_status */
    bool is_declared;   /* our MaxRecvDataSegmentLength has been said */
    uint64_t keys_seen; /* bit: enum lb_iscsi_key */
    enum lb_target_auth auth;
    struct lb_chap_alg alg;
    struct lb_chap_challenge challenge;

    /* Agreed on. */
    bool header_digest, data_digest, initial_r2t, immediate_data;
    uint32_t max_send_data; /* the initiator's MaxRecvDataSegmentLength */
    uint32_t max_burst, first_burst;

    /* Text: what came of a negotiation (C bit), and the answer, of which a part may be sent. */
    bool text_waits; /* the PDU at hand needs room for text */
    size_t text_in_len;
    size_t text_out_len, text_out_sent; /* of a Text Response that goes on */
    uint32_t text_ttt;                  /* of an answer that goes on; LB_ISCSI_NO_TAG: none */
    uint64_t text_busy_until;           /* stream position from which text_out may be changed */

    /* The PDU at hand. */
    struct lb_iscsi_pdu pdu;
    bool has_pdu;      /* begun; its data segment is awaited */
    bool is_ignored;   /* what it says is not done: out of the window, or it was rejected */
    uint8_t receiving; /* task whose data it brings, or LB_TTASK_NONE */
    uint8_t stalled;   /* task whose BUFFER must be answered first, or LB_TTASK_NONE */

    /* Task management that waits for ios at the host. */
    bool tmf_waits;
    bool tmf_closes; /* once it is answered, all sessions of the target end */
    uint8_t tmf_response;
    uint32_t tmf_itt;
    struct lb_target_io released; /* the RELEASE that poll gave last */

    struct lb_target_list asks, out, unsent;
    bool awaits_unit; /* a task is AT_UNIT */
    uint8_t urgent_used;
    uint8_t tasks_used; /* not IDLE */

    struct lb_stream stream;
};

/* ---- target.c ---- */

/* Numbers the PDU (StatSN, ExpCmdSN, MaxCmdSN) and encodes it. */
void lb_target_number(struct lb_target_conn *conn, struct lb_iscsi_pdu *pdu, bool takes_stat_sn,
                      uint8_t bhs[LB_ISCSI_BHS_BYTES]);
/* The target as this session sees it. */
struct lb_scsi_device lb_target_device(struct lb_target_conn *conn);
/* Out of the server's list of logins, into its sessions. */
void lb_target_enlist(struct lb_target_conn *conn);
/* Rejects the PDU at hand. */
void lb_target_reject(struct lb_target_conn *conn, enum lb_iscsi_reject_reason reason);
/* Rejects it as against the protocol, and closes. why is a constant. */
void lb_target_violation(struct lb_target_conn *conn, const char *why);
/* Sends what is queued, then closes. why is a constant. */
void lb_target_close(struct lb_target_conn *conn, const char *why);
/* Puts text, which lies in text->out, behind the header, and keeps it busy until it is sent. */
void lb_target_queue_text(struct lb_target_conn *conn, const uint8_t bhs[LB_ISCSI_BHS_BYTES],
                          struct lb_bytes text);

/* ---- target_login.c, target_text.c: a complete PDU is in conn->pdu ---- */

/* A Login Request with its data; answers it, or closes, or asks the host who it is. */
void lb_target_login(struct lb_target_conn *conn, struct lb_bytes data);
/* The host has said who it is: goes on with that Login Request. */
void lb_target_login_admitted(struct lb_target_conn *conn);
/* A Text Request with its data: answers SendTargets, in pieces where it is long. */
void lb_target_text(struct lb_target_conn *conn, struct lb_bytes data);
/* target_keys.c */
/* Answers the pairs of one negotiation into wr; gives LB_LOGIN_OK, or the status with which the
 * login fails. */
enum lb_iscsi_login_status lb_target_keys(struct lb_target_conn *conn, struct lb_bytes text,
                                          struct lb_wr *wr);
/* Joins `data` to text->in; false when it is too much. */
bool lb_target_text_add(struct lb_target_conn *conn, struct lb_bytes data);

/* ---- target_task.c ---- */

/* No task is in any list. */
void lb_target_tasks_init(struct lb_target_conn *conn);
/* Makes tasks of lent memory, all of them free. */
void lb_target_tasks_lend(struct lb_target_conn *conn, struct lb_span memory);
/* Whether another command can be taken. */
bool lb_target_has_free_task(const struct lb_target_conn *conn);
/* The header of a SCSI Command or Data-Out, with or without data to come. Gives the span where its
 * data goes, unless it stalls (conn->stalled is set). */
struct lb_span lb_target_command(struct lb_target_conn *conn);
/* Where the data of a Data-Out goes. Empty: it is ignored, or broke the rules and the connection
 * closes. */
struct lb_span lb_target_data_out(struct lb_target_conn *conn);
/* Its data segment is complete. */
void lb_target_data_came(struct lb_target_conn *conn);
/* The io at the head of `asks`; NULL when there is none. */
struct lb_target_io *lb_target_next_ask(struct lb_target_conn *conn);

/* Tasks whose SANITIZE is over are to be answered. False: there is none. */
bool lb_target_leave_unit(struct lb_target_conn *conn);

/* The answer to an io. */
void lb_target_io_came(struct lb_target_conn *conn, struct lb_target_io *io,
                       const struct lb_target_answer *answer);

/* Its place among the tasks. */
uint8_t lb_target_index_of(const struct lb_target_conn *conn, const struct lb_target_task *task);
/* The task with this Initiator Task Tag; NULL: there is none. */
struct lb_target_task *lb_target_find_task(struct lb_target_conn *conn, uint32_t itt);
/* The host may have mapped another unit, or the first, to this LUN. */
void lb_target_attach(struct lb_target_conn *conn, unsigned lun_index);
/* The number of this LUN, which is attached; or LB_SCSI_NO_UNIT. */
uint8_t lb_target_find_lun(struct lb_target_conn *conn, const struct lb_scsi_device *device,
                           const uint8_t lun[8]);

/* ---- target_manage.c ---- */

/* A task management request; answered when all that it aborts is over. */
void lb_target_task_management(struct lb_target_conn *conn);
/* Sends its response once no aborted task is at the host any more. */
void lb_target_end_task_management(struct lb_target_conn *conn);
/* PREEMPT AND ABORT: the tasks of those who have lost their registration. */
void lb_target_abort_preempted(struct lb_target_conn *conn, const struct lb_target_task *task);

/* ---- target_data.c ---- */

/* Queues what can be queued: Data-In, R2T, responses. */
void lb_target_pump(struct lb_target_conn *conn);
/* Goes on with tasks whose Data-In has been sent. */
void lb_target_reap(struct lb_target_conn *conn);

/* The host's memory for an io: of a piece it may have given less than was asked for, and then the
 * rest is another piece. */
void lb_target_take_memory(struct lb_target_task *task, struct lb_span memory);

/* ---- lists and life of tasks, target_task.c for target_data.c ---- */

/* Adds at the end. */
void lb_target_list_add(struct lb_target_conn *conn, struct lb_target_list *list,
                        struct lb_target_task *task);
/* Takes the first one off; NULL: the list is empty. */
struct lb_target_task *lb_target_list_take(struct lb_target_conn *conn,
                                           struct lb_target_list *list);
/* Its status is about to be queued: it leaves the window, and its ITT may come again. */
void lb_target_task_answered(struct lb_target_conn *conn, struct lb_target_task *task);
/* All its Data-In of this piece has been sent, or it needs no memory any more. */
void lb_target_task_rest(struct lb_target_conn *conn, struct lb_target_task *task);

#endif
