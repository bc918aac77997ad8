/* The initiator of iSCSI: one session to one target, over one connection at a time. Start here.
 *
 * RFC 7143 (and 7144, 5048 within it). ErrorRecoveryLevel 0: a broken connection ends every task on
 * the target; the session logs in again with the same ISID and issues the unanswered tasks again,
 * so that the owner of a task sees a pause, not an error, until recovery_ms has run out.
 *
 *   host                                session                          owner of tasks
 *   lb_initiator_init
 *   loop: lb_initiator_poll            -->  CONNECT peer | RESOLVE host | CLOSE | WAIT
 *         lb_initiator_connected/lost  -->
 *         lb_initiator_where, _got     -->  received bytes, straight into the tasks' buffers
 *         lb_initiator_gather, _sent   <--  bytes to send, straight from the tasks' buffers
 *                                           READY  -->                 lb_initiator_submit
 *                                                                      lb_initiator_completed
 * Its files are listed in initiator_session.h. PDUs, keys and framing are core/iscsi, a disk over a
 * session is core/disk, the other end is core/target. */
#ifndef LB_INITIATOR_H
#define LB_INITIATOR_H

#include "core/base/addr.h"
#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/base/trace.h"
#include "core/chap/chap.h"
#include "core/crypto/crypto.h"
#include "core/iscsi/iscsi.h"

/* ---- configuration: zero is the default everywhere ------------------------------------------- */

struct lb_initiator_config {
    char initiator[LB_NAME_MAX + 1];
    char target[LB_NAME_MAX + 1]; /* empty: a discovery session */
    uint8_t isid[6];              /* RFC 7143 10.12.5; the same over reconnects and reboots */
    struct lb_endpoint portal;    /* where to connect; family none: resolve `host` first */
    char host[LB_HOST_MAX + 1];
    int32_t expected_tpgt; /* 0: any; else the tag + 1 that must be answered */

    /* CHAP: an empty name means no authentication is offered. */
    char chap_name[LB_CHAP_NAME_MAX + 1];
    uint8_t chap_secret[LB_SECRET_MAX];
    size_t chap_secret_len;
    char chap_target_name[LB_CHAP_NAME_MAX + 1]; /* empty: any name with the right secret */
    uint8_t chap_target_secret[LB_SECRET_MAX];   /* len > 0: mutual CHAP */
    size_t chap_target_secret_len;
    struct lb_chap_algs chap_algs; /* in order of preference; empty: SHA3-256, SHA-256, MD5 */
    bool require_chap, require_mutual;

    enum lb_digest_want header_digest, data_digest;
    uint32_t max_recv_data; /* our MaxRecvDataSegmentLength, bytes; 0: 262144 */
    uint32_t queue_depth;   /* tasks in flight at most, 1..LB_INITIATOR_TASKS_MAX; 0: 32 */
    uint32_t connect_ms;    /* 0: 5000 */
    uint32_t hurry_ms;    /* instead of connect_ms, where that is longer, before the first login and
                             while there are other addresses to try; 0: connect_ms always */
    bool has_others;      /* the owner has portals to try besides this one */
    uint32_t login_ms;    /* for all exchanges of one login; 0: 10000 */
    uint32_t task_ms;     /* silence on a task before abort, LU reset, reinstatement; 0: 30000 */
    uint32_t ping_ms;     /* a NOP-Out after so much silence with tasks waiting or not;
                             0: 10000; UINT32_MAX: never */
    uint32_t recovery_ms; /* from the loss of a session that was READY; 0: 120000 */
    bool recover;         /* false: the first loss is the end (a first login attempt always is) */
};

#define LB_INITIATOR_TASKS_MAX     256 /* ITTs in use at once: the deepest queue that there is */
#define LB_INITIATOR_REDIRECTS_MAX 4 /* RFC 7143 sets no limit; A<->B loops are seen in the field */
#define LB_INITIATOR_WARNINGS_MAX  12    /* lines of one login; there are 14 keys that we offer */
#define LB_INITIATOR_WARNING_MAX   160   /* bytes of one */
#define LB_INITIATOR_SLEPT_MS      30000 /* a host that did not poll for so long has slept */

/* ---- tasks ---------------------------------------------------------------------------------- */

enum lb_initiator_task_state {
    LB_TASK_IDLE,   /* the owner's */
    LB_TASK_QUEUED, /* waits for the window or for the connection */
    LB_TASK_SENT,
    LB_TASK_DONE,   /* has an answer of the target: status, sense, residual */
    LB_TASK_SILENT, /* has none: lb_initiator_give_up, or is_alone and silent for too long */
    LB_TASK_LOST, /* has none: the session ended (lb_initiator_error), or lb_initiator_lose_held */
};

/* One SCSI command. The memory is the owner's, and both the struct and the buffer must stay where
 * they are from lb_initiator_submit until lb_initiator_completed gives the task back. The contents
 * of `in` are undefined until then. Zero the struct once before its first use. */
struct lb_initiator_task {
    uint8_t lun[8];
    uint8_t cdb[16];
    struct lb_span in;   /* data to read; at most 2^24-1 bytes */
    struct lb_bytes out; /* data to write; only one of both */
    uint64_t user;       /* the owner's */
    bool is_alone;       /* its silence is its own: it ends SILENT, and the session lives */
    bool goes_ahead;     /* it is issued also while the session is held: lb_initiator_hold */

    /* The answer, when DONE. */
    enum lb_initiator_task_state state;
    uint8_t response; /* 0: status is valid; else the target failed to deliver: RFC 7143 11.4.3 */
    uint8_t status;   /* SAM status: 0 GOOD, 2 CHECK CONDITION, 8 BUSY, 0x28 TASK SET FULL */
    bool overflow, underflow;
    uint32_t residual;
    uint8_t sense[96]; /* without the two length bytes; the longest of use: 18 fixed, more is cut */
    size_t sense_len;
    size_t in_len; /* bytes of `in` that came */
    size_t
        out_len; /* bytes of `out` that the target took or asked for, as far as they were queued */

    /* The session's own, from here on. */
    uint32_t itt, cmd_sn;
    uint32_t data_sn;          /* of the next Data-In or R2T: they share one count */
    uint32_t received;         /* bytes of `in` */
    uint32_t sent, burst_end;  /* bytes of `out` queued, and to be queued in this burst */
    uint32_t ttt, data_out_sn; /* of this burst */
    bool is_sending;
    bool has_next; /* an R2T that came while unsolicited data was still to be queued */
    uint32_t next_ttt, next_sent, next_end;
    unsigned reissues, strikes; /* new sessions; times that it was silent for task_ms */
    uint64_t active_us;         /* when the target last dealt with it */
    uint64_t tx_end;            /* stream position of its last byte in the send queue */
    struct lb_initiator_task *prev, *next, *next_sending;
};

/* ---- the session ---------------------------------------------------------------------------- */

enum lb_initiator_state {
    LB_INITIATOR_IDLE,
    LB_INITIATOR_RESOLVING,
    LB_INITIATOR_CONNECTING,
    LB_INITIATOR_LOGIN_SECURITY,
    LB_INITIATOR_LOGIN_OPERATIONAL,
    LB_INITIATOR_FULL_FEATURE,
    LB_INITIATOR_LOGGING_OUT,
    LB_INITIATOR_RECOVERING, /* waits before it connects again */
    LB_INITIATOR_ENDED,
};
/* "login: security", "full feature", ...; a constant, for the trace and reports. */
const char *lb_initiator_state_word(enum lb_initiator_state state);

enum lb_initiator_event {
    LB_INITIATOR_WAIT, /* send what lb_initiator_gather has, then nothing until until_us, input, or
                          a submit. There is no event for sending: gather after each WAIT. */
    LB_INITIATOR_RESOLVE, /* resolve `host`; answer with lb_initiator_resolved */
    LB_INITIATOR_CONNECT, /* open TCP to `peer`; answer with lb_initiator_connected or
                             lb_initiator_lost. After a redirect `peer` is what the target said, of
                             any kind but zero or multicast: a host that does not want to go there
                             says lb_initiator_lost, or gives the session up */
    LB_INITIATOR_CLOSE,   /* close the connection (or the attempt), without an answer; poll again */
    LB_INITIATOR_READY,   /* once per login, also after a recovery: full feature phase */
    LB_INITIATOR_OUT,     /* once: logged out as asked, closed */
    LB_INITIATOR_FAILED,  /* for good, once; see lb_initiator_error */
};

struct lb_initiator_action {
    enum lb_initiator_event event;
    uint64_t until_us;
    struct lb_endpoint peer;
    const char *host; /* RESOLVE: valid until answered */
};

/* What was agreed on in the login. */
struct lb_initiator_agreed {
    bool header_digest, data_digest, initial_r2t, immediate_data;
    bool chap, mutual;
    enum lb_hash_alg chap_alg;
    uint32_t max_send_data; /* the target's MaxRecvDataSegmentLength */
    uint32_t max_burst, first_burst, max_outstanding_r2t;
    uint32_t time2wait_s, time2retain_s;
    uint16_t tpgt, tsih;
    char target_alias[LB_HOST_MAX + 1];
};

enum lb_initiator_lost {
    LB_LOST_REFUSED,
    LB_LOST_TIMEOUT,
    LB_LOST_UNREACHABLE,
    LB_LOST_CLOSED, /* FIN or RST of an open connection */
};

struct lb_initiator; /* initiator_session.h has its fields; a caller needs its size alone */

/* rx is staging room for received PDUs, LB_ISCSI_RX_MIN bytes or more (256 KiB is best on Linux).
 * config is copied; rx, rand and trace stay the caller's and outlive the session. */
void lb_initiator_init(struct lb_initiator *session, uint64_t now_us,
                       const struct lb_initiator_config *config, struct lb_span rx,
                       struct lb_rand *rand, struct lb_trace *trace);
/* Begins with RESOLVE or CONNECT. */
void lb_initiator_start(struct lb_initiator *session, uint64_t now_us);
/* What the host is to do next, one thing at a time. Poll again after each until it says WAIT. */
struct lb_initiator_action lb_initiator_poll(struct lb_initiator *session, uint64_t now_us);

/* Addresses of `host`; they are tried in turn. count 0: it does not resolve, and `why` says what
 * was asked of whom (NULL: nobody was asked). */
void lb_initiator_resolved(struct lb_initiator *session, uint64_t now_us,
                           const struct lb_addr *addrs, size_t count, const char *why);
/* The host's answer to CONNECT: the connection is there. The login begins. */
void lb_initiator_connected(struct lb_initiator *session, uint64_t now_us);
/* The connection that CONNECT asked for is prepared first (IPsec): its time is from begins_us. */
void lb_initiator_connects_at(struct lb_initiator *session, uint64_t begins_us);
/* What had to be prepared cannot be: another answer to CONNECT. */
void lb_initiator_unprepared(struct lb_initiator *session, uint64_t now_us,
                             const struct lb_error *why);
/* The other answer to CONNECT, or the end of the connection at any time; why says how. */
void lb_initiator_lost(struct lb_initiator *session, uint64_t now_us, enum lb_initiator_lost why);

/* Where the next received bytes belong: up to two spans, to be filled in order by one readv; the
 * first may be a task's buffer. No span: do not read now. Then say how many bytes came. */
size_t lb_initiator_where(struct lb_initiator *session, struct lb_span spans[2]);
/* len bytes came into the spans of lb_initiator_where; 0 is harmless. */
void lb_initiator_got(struct lb_initiator *session, uint64_t now_us, size_t len);
/* What to send: up to `cap` pieces, to be sent in order by one writev; then how much was taken. */
size_t lb_initiator_gather(struct lb_initiator *session, struct lb_bytes *pieces, size_t cap);
/* The first len bytes of the pieces of lb_initiator_gather were taken. */
void lb_initiator_sent(struct lb_initiator *session, uint64_t now_us, size_t len);

/* Queues a task; it needs not be READY. */
void lb_initiator_submit(struct lb_initiator *session, uint64_t now_us,
                         struct lb_initiator_task *task);
/* A task that is DONE or LOST, in order of completion; NULL when there is none. */
struct lb_initiator_task *lb_initiator_completed(struct lb_initiator *session);
/* Tasks that could be submitted now and be sent at once. */
size_t lb_initiator_room(const struct lb_initiator *session);

/* The owner is not sure any more that the LUN is the one that its tasks are for: until
 * lb_initiator_release only tasks with goes_ahead are issued. What is in flight is answered. */
void lb_initiator_hold(struct lb_initiator *session);
/* The LUN is the right one: every task may be issued again. */
void lb_initiator_release(struct lb_initiator *session, uint64_t now_us);
/* From now on each login, each answer that is missed (lb_initiator_missed), and each pause as long
 * as LB_INITIATOR_SLEPT_MS in which the host did not poll, holds the session: no task is issued
 * (again) before the owner has looked at the LUN. */
void lb_initiator_hold_logins(struct lb_initiator *session);
bool lb_initiator_is_held(const struct lb_initiator *session); /* between hold and release */
/* How many answers there were that nobody saw: of tasks that were aborted, reset or given up. Each
 * may have been a UNIT ATTENTION, which a target says once, so each holds the session as a login
 * does: after lb_initiator_hold_logins. */
unsigned lb_initiator_missed(const struct lb_initiator *session);
/* Of a held session: the tasks that wait to be issued become LOST, those with goes_ahead
 * excepted. */
void lb_initiator_lose_held(struct lb_initiator *session);

/* Nobody waits for this task any more: it is aborted, and completes as SILENT. What the target
 * still says to it is passed over. Only for a task that writes nothing. False: its answer is just
 * coming; ask again later. */
bool lb_initiator_give_up(struct lb_initiator *session, uint64_t now_us,
                          struct lb_initiator_task *task);

/* Logs out (reason 0) when no task is in flight, and closes: OUT. */
void lb_initiator_logout(struct lb_initiator *session, uint64_t now_us);
/* Drops the connection as a peer's failure would: for tests and for a link that went down. */
void lb_initiator_drop(struct lb_initiator *session, uint64_t now_us);

/* The owner has another portal to try now: has_others, also for the connection being opened. */
void lb_initiator_hurry(struct lb_initiator *session);

/* The state; a session that has ended for good is ENDED. */
enum lb_initiator_state lb_initiator_state(const struct lb_initiator *session);
/* Why the session has ended; LB_OK while it goes on, and where it ended as asked. */
const struct lb_error *lb_initiator_error(const struct lb_initiator *session);
/* Why the last connection ended, of a session that goes on; LB_OK when it was as agreed. */
const struct lb_error *lb_initiator_last_error(const struct lb_initiator *session);
/* What the last login agreed on; it is filled in while a login runs. */
const struct lb_initiator_agreed *lb_initiator_agreed(const struct lb_initiator *session);
struct lb_endpoint lb_initiator_peer(const struct lb_initiator *session); /* after redirects */
unsigned lb_initiator_logins(const struct lb_initiator *session);         /* completed so far */
/* Tasks sent and not answered yet. Where the target refuses one because it has too many (TASK SET
 * FULL, BUSY), no more than the others are in flight from then on; while nothing is refused the
 * number grows again. */
size_t lb_initiator_in_flight(const struct lb_initiator *session);
/* A task that was refused so may be submitted again at once: others are in flight, and the answer
 * to one of them makes room. False: it is refused for another reason, and a pause is better. */
bool lb_initiator_is_draining(const struct lb_initiator *session);
/* What the last login passed over although it breaks the rules: a sentence each, the first ones.
 * NULL when there are no more. */
const char *lb_initiator_warning(const struct lb_initiator *session, size_t index);
/* Whether the connection, or the attempt at one, is where a redirect led. */
bool lb_initiator_was_redirected(const struct lb_initiator *session, bool *permanent);
/* Where to log in the next time, once there was a connection: where a permanent redirect led, else
 * the portal that was asked for, for a temporary one may lead elsewhere then. Of a host name it is
 * the address that the name had. */
struct lb_endpoint lb_initiator_home(const struct lb_initiator *session);

/* ---- hand-over ------------------------------------------------------------------------------ */

/* What another initiator needs to go on with this very connection: with what was agreed, from the
 * next command on (RFC 7143 4.2.2). */
struct lb_initiator_standing {
    const struct lb_initiator_config *config; /* names and secrets; until lb_initiator_hand_over */
    const struct lb_initiator_agreed *agreed;
    uint32_t cmd_sn;                 /* of its first command */
    uint32_t exp_stat_sn;            /* that it acknowledges, and the target's next status has */
    uint32_t exp_cmd_sn, max_cmd_sn; /* what the target last said */
    uint32_t max_recv_data;          /* that we declared */
    /* Where to log in again, should the connection be lost: the portal that was asked for, or the
     * one of a permanent redirect; as an address where one is known, else home_host. */
    struct lb_endpoint home;
    const char *home_host;
    const char *chap_target_name; /* that the target answered with; empty: it was not asked */
};

/* Whether the session can change hands now: in full feature phase, not held, without a task, a
 * question of ours that the target still owes an answer, or a PDU that is not all sent or not all
 * received.
 * Only then *standing is written. False is "not yet": go on, and ask again. */
bool lb_initiator_is_at_rest(const struct lb_initiator *session,
                             struct lb_initiator_standing *standing);
/* The connection has a new owner, who got it at rest: this session ends without a word to the
 * target and without a CLOSE, and wipes its secrets. */
void lb_initiator_hand_over(struct lb_initiator *session, uint64_t now_us);

#endif
