/* The session's fields, and what its files ask of one another. Not for callers: initiator.h is.
 *
 *   initiator_session.c        the life of the session, its calls, its timers
 *   initiator_recovery.c       when a connection ends: again, elsewhere, or for good
 *   initiator_login.c          the login exchange
 *   initiator_login_keys.c     what is offered, and agreed
 *   initiator_login_answers.c  what is accepted
 *   initiator_login_chap.c     who proves what
 *   initiator_task.c           commands and their data
 *   initiator_ladder.c         tasks that are not answered
 *   initiator_giveup.c         how many tasks at once, and those that nobody waits for any more
 *   initiator_full.c           everything else in full feature phase: NOP, async, reject, logout
 *   initiator_text.c           text requests
 *   initiator_targets.c        SendTargets: the list that such a request brings
 *   initiator_handover.c       to another initiator */
#ifndef LB_INITIATOR_SESSION_H
#define LB_INITIATOR_SESSION_H

#include "core/initiator/initiator.h"

enum {
    LB_LOGIN_EXCHANGES_MAX = 16, /* requests of one login; a mutual CHAP login takes four */
    LB_LOGIN_TEXT_MAX = 16384,   /* joined text of one answer; RFC 7143 6.2 asks for 8192 */
    LB_LOGIN_BYTES_MAX = 65536,  /* text of a whole login */
    LB_LOGIN_REQUEST_MAX = 2048, /* our longest: names of 223 and 255 bytes, a mutual CHAP answer */
    LB_INITIATOR_DIGEST_ERRORS_MAX = 5, /* in a row, without a task done between */
    LB_INITIATOR_PROTOCOL_ERRORS_MAX =
        3,                          /* the same; a target that is wrong is so again and again */
    LB_INITIATOR_REISSUES_MAX = 16, /* of one task: it might be what breaks the connection */
    LB_INITIATOR_EARLY_ENDS_MAX =
        3, /* closed after the login: by an access list, not by accident */
    LB_INITIATOR_BACKOFF_MIN_MS = 250,
    LB_INITIATOR_BACKOFF_MAX_MS = 4000,
    LB_INITIATOR_TEXT_ROUNDS_MAX = 256, /* answers to one text request */
    LB_INITIATOR_STRIKES_MAX = 3, /* of a silent task: abort, LU reset, new session, the end */
    LB_INITIATOR_ABORT_MS = 5000, /* for the answer to the abort of what was given up */
    LB_INITIATOR_TX_RESERVE = 32, /* PDUs of the send queue kept for answers to the target */
    LB_INITIATOR_LOGOUT_MS = 5000,
    LB_INITIATOR_OFFER_MAX_BURST =
        16776192, /* one R2T for nearly every write; the target's counts */
    LB_INITIATOR_OFFER_FIRST_BURST = 262144,
    LB_INITIATOR_OFFER_OUTSTANDING_R2T = 1,
    LB_INITIATOR_DEFAULT_MAX_BURST = 262144,  /* RFC 7143 13.13 */
    LB_INITIATOR_DEFAULT_FIRST_BURST = 65536, /* 13.14 */
    LB_INITIATOR_DEFAULT_TIME2WAIT = 2,       /* 13.15 */
    LB_INITIATOR_LATE_MS = 500, /* a host that polls later than asked has slept, or was stopped */
};

/* Tags: the slot in the low 9 bits, a generation above, so that a late answer finds nothing. */
enum lb_initiator_slot {
    LB_SLOT_BITS = 9,
    LB_SLOT_PING = LB_INITIATOR_TASKS_MAX,
    LB_SLOT_TMF,
    LB_SLOT_TEXT,
    LB_SLOT_LOGOUT,
    LB_SLOT_LOGIN,
};

/* What the next login request is about. */
enum lb_login_step {
    LB_LOGIN_NAMES,  /* security stage: who we are, AuthMethod */
    LB_LOGIN_CHAP_A, /* our algorithms */
    LB_LOGIN_CHAP_R, /* our answer, and in mutual CHAP our question */
    LB_LOGIN_KEYS,   /* operational stage: all keys */
    LB_LOGIN_AGREE,  /* nothing left to say: asking for the transition */
};

struct lb_initiator_login {
    enum lb_login_step step;
    uint8_t csg, nsg;
    bool transition;        /* what is said in this step ends with T */
    bool transition_is_out; /* T of the request that is out */
    bool names_sent;
    unsigned exchanges;
    size_t bytes; /* text received in this login */
    uint32_t itt;
    uint64_t answered, warned; /* sets of lb_iscsi_key */
    bool no_unsolicited;       /* FirstBurstLength is 0 */

    uint8_t out[LB_LOGIN_REQUEST_MAX]; /* the request; [sent, len) is yet to be sent */
    size_t out_len, out_sent;
    uint8_t
        replies[512]; /* to what the target offered of its own; goes out with the next request */
    size_t replies_len;
    uint8_t in[LB_LOGIN_TEXT_MAX]; /* answers joined over C bits */
    size_t in_len;

    bool chap, target_proved;
    bool has_alg, has_id, has_challenge, has_response;
    struct lb_chap_alg alg;
    struct lb_chap_challenge received;
    uint8_t response[LB_CHAP_BINARY_MAX];
    size_t response_len;
    char target_name[LB_CHAP_NAME_MAX + 1];
    char redirect[LB_HOST_MAX + 32]; /* TargetAddress */
};

struct lb_initiator_list {
    struct lb_initiator_task *first, *last;
    size_t count;
};

/* A task management function that is out. */
struct lb_initiator_tmf_out {
    bool is_out;
    uint8_t function;
    uint32_t itt, task_itt;
    uint8_t lun[8];
    uint64_t sent_us;
};

struct lb_initiator {
    struct lb_initiator_config config;
    struct lb_rand *rand;
    struct lb_trace *trace;

    enum lb_initiator_state state;
    uint64_t state_us;    /* since when */
    uint64_t deadline_us; /* of the state */
    uint64_t promised_us; /* when the host was last told to poll again */
    struct lb_error error;
    struct lb_initiator_agreed agreed;
    struct lb_stream stream;
    struct lb_stream_tx tx;
    struct lb_iscsi_pdu pdu; /* the one at hand */

    /* What poll says next. */
    bool is_open; /* the host has a connection, or tries */
    bool say_close, say_resolve, say_connect, say_ready, say_end;
    bool ended_well;

    /* Where to. */
    struct lb_endpoint home; /* the portal to begin with; changed by permanent redirects */
    char home_host[LB_HOST_MAX + 1];
    struct lb_addr home_addr; /* that home was connected to at last; the name's, if it has one */
    struct lb_endpoint peer;
    char host[LB_HOST_MAX + 1];
    struct lb_addr addrs[LB_PORTALS_MAX];
    size_t addr_count, addr_next;
    unsigned redirects;
    bool was_redirected, redirected_for_good;
    struct lb_endpoint sent_by; /* who redirected us last */

    /* Numbers: RFC 7143 4.2.2. */
    uint32_t cmd_sn, exp_cmd_sn, max_cmd_sn, exp_stat_sn;
    uint32_t generation;

    struct lb_initiator_login login;
    struct lb_chap_algs algs; /* offered: as configured, or without the one that misfired */
    bool use_security;        /* begin in the security stage although no CHAP is configured */
    bool offers_md5_alone;    /* the target refused our list of algorithms */
    bool offers_digests;      /* the target refused to do without digests */
    size_t login_part_max;    /* data segment of one login request */
    char warnings[LB_INITIATOR_WARNINGS_MAX][LB_INITIATOR_WARNING_MAX]; /* of the last login */
    size_t warning_count;
    struct lb_chap_challenge issued; /* our last one, also of the connection before: 12.1.3 */
    unsigned logins;

    /* Tasks. */
    struct lb_initiator_task *slots[LB_INITIATOR_TASKS_MAX];
    uint16_t free_slots[LB_INITIATOR_TASKS_MAX];
    size_t free_count;
    struct lb_initiator_list queued, in_flight, done; /* in flight: in the order of CmdSN */
    bool is_held, holds_logins;
    unsigned missed;   /* lb_initiator_missed */
    uint32_t depth;    /* tasks in flight at most: queue_depth, or what the target has room for */
    uint32_t calm;     /* tasks done since it changed */
    uint32_t refusals; /* in a row */
    unsigned depth_doubts; /* how often it was wrong to let it grow, in a row */
    bool depth_grew;
    uint32_t orphans[LB_INITIATOR_TASKS_MAX]; /* the tag that was last given up, for each slot */
    uint32_t owed[LB_INITIATOR_TASKS_MAX];    /* tags of aborts whose answers are passed over */
    unsigned owed_count;
    bool orphans_may_tell; /* of those that were given up one may be answered by UNIT ATTENTION */
    unsigned aborts_out;   /* of these, what is waited for before the session is handed over */
    uint64_t aborts_us;
    struct lb_initiator_task *sending, *sending_last; /* have Data-Out to queue */
    uint64_t answered_us;                             /* when a task was last done */
    uint64_t idle_us;     /* when a task was last queued, issued or done */
    uint8_t scratch[128]; /* data segments that are looked at but are no task's data */

    /* Watch over the peer. */
    uint64_t last_rx_us, ping_us;
    bool ping_is_out, ping_off;
    uint32_t ping_itt;
    struct lb_initiator_tmf_out tmf;
    uint32_t logout_itt;
    bool logout_wanted, logout_asked; /* by the owner; by the target */
    uint64_t logout_by_us;

    /* Recovery. */
    uint64_t outage_us; /* since when no task was done; LB_NEVER: no outage */
    unsigned attempts, digest_errors, protocol_errors;
    bool has_progressed;        /* a task was done, in any of the sessions */
    unsigned early_ends;        /* sessions that the target closed before that */
    uint64_t wait_us;           /* before the next connection: Time2Wait */
    bool wait_was_told;         /* by an async message or the answer to a logout */
    struct lb_error last_error; /* why the last connection ended */

    /* Text requests. */
    bool text_is_out, text_is_discovery;
    struct lb_initiator_targets *targets; /* the owner's list, until it is whole; NULL: none */
    uint32_t text_itt;
    uint64_t text_us;
    unsigned text_rounds;
    char text_request[LB_NAME_MAX + 32];
    uint8_t text_in[LB_NAME_MAX + LB_HOST_MAX + 512]; /* a pair that straddles answers */
    size_t text_in_len;
    bool text_skipping; /* within a pair that is too long */
};

/* ---- initiator_session.c ---- */

/* The only writer of `state`. */
void lb_initiator_enter(struct lb_initiator *session, uint64_t now_us,
                        enum lb_initiator_state state, uint64_t deadline_us);
/* In one of the two stages of the login. */
bool lb_initiator_is_in_login(const struct lb_initiator *session);
/* Whether PDUs may come: from the login until the logout is answered. */
bool lb_initiator_is_receiving(const struct lb_initiator *session);
/* The owner wants to log out, and has no task left. */
bool lb_initiator_may_end(const struct lb_initiator *session);
/* A new initiator task tag: the slot in its low bits, a count above, so that tags are not soon used
 * again. */
uint32_t lb_initiator_new_tag(struct lb_initiator *session, unsigned slot);
/* Fills what all our PDUs have (ExpStatSN, CmdSN) and queues it. */
uint64_t lb_initiator_send(struct lb_initiator *session, struct lb_iscsi_pdu *pdu,
                           struct lb_bytes data);
/* The same for PDUs that answer the target, or watch it. False: so many wait unsent that the peer
 * must be dead or hostile, and the session was told. */
bool lb_initiator_send_control(struct lb_initiator *session, uint64_t now_us,
                               struct lb_iscsi_pdu *pdu, struct lb_bytes data);
/* `queue_depth` and the like with their defaults. */
uint32_t lb_initiator_or(uint32_t value, uint32_t fallback);

/* ---- initiator_recovery.c ---- */

/* The connection cannot go on. Closes it; recovers, or ends the session with this code. The facts
 * begin with the peer. */
void lb_initiator_break(struct lb_initiator *session, uint64_t now_us, enum lb_code code,
                        const char *facts, ...) __attribute__((format(printf, 4, 5)));
/* The end: `error` is kept, or none when it went as asked. */
void lb_initiator_end(struct lb_initiator *session, uint64_t now_us, const struct lb_error *error);
/* Closes and waits, without an error: after a logout that the target asked for. */
void lb_initiator_reconnect(struct lb_initiator *session, uint64_t now_us, const char *why);
/* Begins at the home portal. */
void lb_initiator_begin(struct lb_initiator *session, uint64_t now_us);
/* Connects to where login.redirect points (status 0101, or 0102: permanent); breaks the session if
 * that is no address, or after too many redirects. */
void lb_initiator_redirect(struct lb_initiator *session, uint64_t now_us, bool permanent);
/* The same address once more, at once. */
void lb_initiator_again(struct lb_initiator *session, uint64_t now_us);
/* Connects to the next of the name's addresses; there must be one left. */
void lb_initiator_next_address(struct lb_initiator *session, uint64_t now_us);
/* The target did something useful: failures are counted from 0 again. */
void lb_initiator_progress(struct lb_initiator *session);

/* ---- initiator_login.c, and _keys, _answers, _chap ---- */

/* Sends the first request: security where CHAP may be used, else operational. The whole login has
 * login_ms. */
void lb_initiator_login_start(struct lb_initiator *session, uint64_t now_us);
/* A PDU that came during login, with its data complete. */
void lb_initiator_login_pdu(struct lb_initiator *session, uint64_t now_us);
/* Who we are, whom we want, and the kind of session: in the first request of each login. */
void lb_initiator_login_put_names(struct lb_initiator *session, struct lb_wr *wr);
/* What we offer in the operational stage: digests, lengths and limits. */
void lb_initiator_login_put_keys(struct lb_initiator *session, struct lb_wr *wr);
/* One pair of the target's answer. False: it broke the rules, and the session was told. */
bool lb_initiator_login_take(struct lb_initiator *session, uint64_t now_us,
                             const struct lb_iscsi_pair *pair);
/* Something that breaks the rules was taken all the same: for the trace and the report. */
void lb_initiator_login_warn(struct lb_initiator *session, uint64_t now_us, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* What was never answered takes its default; false: something that we insist on is missing. */
bool lb_initiator_login_settle(struct lb_initiator *session, uint64_t now_us);
bool lb_initiator_wants_chap(const struct lb_initiator *session); /* a CHAP name is configured */
/* The target must prove itself, too: its secret is configured. */
bool lb_initiator_wants_mutual(const struct lb_initiator *session);
/* The list of algorithms was refused: whether the login is worth another try with MD5 alone. */
bool lb_initiator_login_offer_md5(struct lb_initiator *session);
/* After status 0200: whether the login is worth another try without the algorithm that was used. */
bool lb_initiator_login_drop_alg(struct lb_initiator *session);
/* AuthMethod: CHAP alone, CHAP or None, or None. */
void lb_initiator_login_put_auth(struct lb_initiator *session, struct lb_wr *wr);
/* CHAP_A: the algorithms that are still offered, best first. */
void lb_initiator_login_put_chap_a(struct lb_initiator *session, struct lb_wr *wr);
/* CHAP_N and CHAP_R: our answer to the challenge; for mutual CHAP our own challenge, too. */
void lb_initiator_login_put_chap_r(struct lb_initiator *session, struct lb_wr *wr);
/* `again`: the key has come before in this login. */
bool lb_initiator_login_take_auth(struct lb_initiator *session, uint64_t now_us,
                                  const struct lb_iscsi_pair *pair, bool again);
/* After a whole answer of the security stage: what to say next. False: the session was told. */
bool lb_initiator_login_judge(struct lb_initiator *session, uint64_t now_us, bool transition,
                              enum lb_login_step *next);

/* ---- initiator_task.c ---- */

void lb_initiator_tasks_init(struct lb_initiator *session); /* all slots are free */
/* Issues what the window, the depth and the stream's ring allow. */
void lb_initiator_pump(struct lb_initiator *session, uint64_t now_us);
/* The next task that may be issued as far as holding goes; NULL: there is none. */
struct lb_initiator_task *lb_initiator_next_task(const struct lb_initiator *session);
/* The task with this tag that is in a slot; NULL: none, or an earlier one had it. */
struct lb_initiator_task *lb_initiator_task_of(struct lb_initiator *session, uint32_t itt);
/* Data-In: checked, and where its data goes. False: the session was told. */
bool lb_initiator_data_in_header(struct lb_initiator *session, uint64_t now_us, struct lb_span *to);
/* Data-In whose data has been placed; with a status it completes the task. */
void lb_initiator_data_in(struct lb_initiator *session, uint64_t now_us);
/* SCSI Response: completes its task with status, residual and sense. */
void lb_initiator_response(struct lb_initiator *session, uint64_t now_us);
/* Ready To Transfer: queues the data that the target asks for. */
void lb_initiator_r2t(struct lb_initiator *session, uint64_t now_us);
/* Takes the task out of the flight or the queue, as SILENT. */
void lb_initiator_silence(struct lb_initiator *session, struct lb_initiator_task *task);
/* All tasks in flight, or those of one LUN, or one, back to the front of the queue. */
void lb_initiator_requeue_all(struct lb_initiator *session);
/* As lb_initiator_requeue_all, the tasks of one LUN. */
void lb_initiator_requeue_lun(struct lb_initiator *session, const uint8_t lun[8]);
/* An answer that may have been a UNIT ATTENTION is not seen: lb_initiator_missed. */
void lb_initiator_miss(struct lb_initiator *session);
/* Whether the answer of a task may be a UNIT ATTENTION. */
bool lb_initiator_may_tell(const struct lb_initiator_task *task);
/* As lb_initiator_requeue_all, one task. */
void lb_initiator_requeue(struct lb_initiator *session, struct lb_initiator_task *task);
/* The session ends: every task, in flight or queued, completes as LOST. */
void lb_initiator_lose_all(struct lb_initiator *session);

/* ---- initiator_giveup.c ---- */

/* A task was done: with this status, or with 0 where it has none. */
void lb_initiator_note_depth(struct lb_initiator *session, uint8_t status);
/* The PDU at hand answers something that was given up. */
bool lb_initiator_is_orphan(const struct lb_initiator *session, uint32_t itt);
/* It has come, or was rejected. */
void lb_initiator_orphan_answered(struct lb_initiator *session, uint32_t itt);
/* Nobody waits for the answer to this task management function any more. */
void lb_initiator_owe_abort(struct lb_initiator *session, uint64_t now_us, uint32_t itt);
/* For a new connection: no answers are owed any more. */
void lb_initiator_forget_orphans(struct lb_initiator *session);

/* ---- initiator_ladder.c ---- */

/* When lb_initiator_ladder_tick has something to do; LB_NEVER: nothing is waited for. */
uint64_t lb_initiator_ladder_deadline(const struct lb_initiator *session);
/* After the deadline: aborts the silent task, then resets its LUN, at last gives the connection
 * up. */
void lb_initiator_ladder_tick(struct lb_initiator *session, uint64_t now_us);
/* The function that is out was answered. */
void lb_initiator_tmf_response(struct lb_initiator *session, uint64_t now_us);
/* The function that is out was refused. */
void lb_initiator_ladder_climb(struct lb_initiator *session, uint64_t now_us);

/* ---- initiator_full.c ---- */

/* The login is done: takes over what was agreed, and is READY. */
void lb_initiator_full_start(struct lb_initiator *session, uint64_t now_us);
/* A header with data is there: place or keep. */
void lb_initiator_full_header(struct lb_initiator *session, uint64_t now_us);
/* A PDU of the full feature phase, with its data complete. */
void lb_initiator_full_pdu(struct lb_initiator *session, uint64_t now_us);
/* The host slept for so long: the target's answers may lie unread, so its time does not count. */
void lb_initiator_full_forgive(struct lb_initiator *session, uint64_t now_us, uint64_t late_us);
/* The earliest of ping, ladder, text request and logout; LB_NEVER: none. */
uint64_t lb_initiator_full_deadline(const struct lb_initiator *session);
/* Does what is due. Early calls do nothing. */
void lb_initiator_full_tick(struct lb_initiator *session, uint64_t now_us);
/* Sends the Logout Request that closes the session, and waits LB_INITIATOR_LOGOUT_MS for its
 * answer. */
void lb_initiator_send_logout(struct lb_initiator *session, uint64_t now_us);

/* ---- initiator_text.c ---- */

/* Begins the text request that is wanted: SendTargets, or an empty one. */
void lb_initiator_text_start(struct lb_initiator *session, uint64_t now_us);
/* Takes a piece of the target's answer, and asks for the next one. */
void lb_initiator_text_response(struct lb_initiator *session, uint64_t now_us);

/* ---- initiator_targets.c ---- */

struct lb_initiator_targets;
/* A list begins, of this portal and its group. */
void lb_initiator_targets_begin(struct lb_initiator_targets *targets, struct lb_endpoint peer,
                                int32_t tpgt, struct lb_trace *trace);
/* One pair of the list. */
void lb_initiator_targets_take(struct lb_initiator_targets *targets, uint64_t now_us,
                               const struct lb_iscsi_pair *pair);
/* The list is complete. */
void lb_initiator_targets_end(struct lb_initiator_targets *targets);
/* TargetAddress, without blanks around it: host or address, optional port (3260), optional ",tpgt".
 * An address is in *endpoint; a name is in host, and endpoint has the port alone. *tpgt is -1 where
 * there is none, or none that is a tag. */
bool lb_initiator_parse_address(struct lb_bytes value, struct lb_endpoint *endpoint,
                                char host[LB_HOST_MAX + 1], int32_t *tpgt);

#endif
