/* iSCSI target: the other end, as a pure machine over a disk that the host has.
 *
 * RFC 7143, ErrorRecoveryLevel 0, one connection a session, normal and discovery sessions, CHAP
 * both ways, digests. A struct lb_target is one target node with its LUNs and its policy; a struct
 * lb_target_server is what listens on a portal and has some nodes; a struct lb_target_conn is one
 * TCP connection. Driven like the initiator:
 *
 *   accept            lb_target_conn_init
 *   receive           lb_target_lend STAGING if it has none; lb_target_where, read, lb_target_got
 *   loop: poll    --> LEND: lb_target_lend memory of this role, at once or when there is some
 *                     WHO: lb_target_admit, at once or later
 *                     IO: do what `io` asks, then lb_target_io_done (at once or later)
 *                     SEND: lb_target_gather, write, lb_target_sent
 *                     CLOSE: close the connection, lb_target_conn_end
 *                     WAIT: until until_us, input, or an answer to an `io`
 *   any time          lb_target_take_back what is not in use
 *
 * Memory. A session that has nothing to do owns its struct alone. What it needs while there is work
 * is the host's, and lent by role: room for received bytes, for commands and what waits to be sent,
 * and for text. A host with little of it lends later: TCP holds the initiator back meanwhile.
 *
 * The disk. The machine never touches a disk; it asks for one thing at a time and task:
 *
 *   LB_IO_READ     give `len` bytes from `lba` on: they must stay unchanged until LB_IO_RELEASE
 *   LB_IO_BUFFER   give room for `len` bytes that will be written: it is filled as they come
 *   LB_IO_WRITE    `buffer`, which was given, holds the bytes for `lba`: write them; with its
                  answer the buffer is the host's again, and no RELEASE comes
 *                  with is_repeated the buffer is one block, for each of `blocks` (empty: zeros;
 *                  with `unmaps` blocks that read so may be given back)
 *   LB_IO_OR       as WRITE, but `buffer` is ORed into what is at `lba`
 *   LB_IO_COMPARE  `buffer` is compared with what is at `lba`: GOOD, or MISCOMPARE 1D/00 with
 *                  differs_at; the buffer is the host's again. is_repeated as in WRITE
 *   LB_IO_COMPARE_AND_WRITE  the first half of `buffer` is compared, and if it is the same the
 *                  second half is written, and nothing of anybody between; as COMPARE and WRITE
 *   LB_IO_UNMAP    `blocks` at `lba` are given back, and read as zeros
 *   LB_IO_SANITIZE begin `sanitize` of all blocks of `lun`; OVERWRITE's list is in `buffer`, which
 *                  stays the host's to be released. Call lb_scsi_sanitize_begin and answer; later
 *                  lb_scsi_sanitize_end, when it is durable, and set server->stirred. Or do it at
 *                  once, before the answer. An answer that fails: nothing has changed
 *   LB_IO_STATUS   whether the block at `lba` is there, and how many like it follow, up to `blocks`
 *   LB_IO_COPY     `blocks` from `source_lba` of the unit `source` are copied to `lba` of `lun`; at
 *                  most LB_SCSI_COPY_BYTES, so that others need not wait for long
 *   LB_IO_KEEP     make the unit's registrations durable
 *   LB_IO_FLUSH    make all finished writes durable
 *   LB_IO_RELEASE  the buffer given for this `io` is not used any more; has no answer, and `io` is
 *                  valid until the next call only
 *
 * A disk in memory answers READ and BUFFER with pointers into itself (no copy; set keeps_memory and
 * RELEASE does not come). Commands longer than io_max come in pieces, one after the other.
 *
 * Against a hostile initiator: every length, offset, number and flag is checked before a byte
 * moves; commands, text and time are bounded (limits below); what breaks the protocol is rejected
 * and then the connection is closed. Nothing here waits for an initiator without a deadline. */
#ifndef LB_TARGET_H
#define LB_TARGET_H

#include "core/base/addr.h"
#include "core/base/limits.h"
#include "core/base/siphash.h"
#include "core/base/trace.h"
#include "core/chap/chap.h"
#include "core/crypto/crypto.h"
#include "core/iscsi/iscsi.h"
#include "core/scsi/scsi_device.h"

#define LB_TARGET_LUNS_MAX                                                                         \
    LB_SCSI_UNITS_MAX /* REPORT LUNS fits a PDU of the least size (512 bytes) */
#define LB_TARGET_WINDOW_MAX                                                                       \
    128                        /* commands at once on a connection, immediate ones not counted     \
                                */
#define LB_TARGET_URGENT_MAX 8 /* immediate commands at once */
#define LB_TARGET_TASKS                                                                            \
    (LB_TARGET_WINDOW_MAX + LB_TARGET_URGENT_MAX + 32) /* 32: answered, and memory still in use */
#define LB_TARGET_TEXT_MAX                                                                         \
    16384                      /* text of one negotiation, both ways; RFC 7143 6.2: 8192 or more */
#define LB_TARGET_EXCHANGES 32 /* login requests; a login needs two to five */

/* ---- configuration: the host's memory, which outlives the connections; zero is the default --- */

struct lb_target_account {
    char name[LB_CHAP_NAME_MAX + 1];
    uint8_t secret[LB_SECRET_MAX];
    size_t secret_len;
};

struct lb_target_faults; /* target_faults.h */

struct lb_target {
    char name[LB_NAME_MAX + 1];
    char alias[LB_HOST_MAX + 1];
    uint16_t tpgt; /* 0: 1 */
    /* Logical units by LUN; NULL: none. They outlive the connections, as the node does. A unit may
     * be of several nodes: all who reach it share its reservations. */
    struct lb_scsi_unit *luns[LB_TARGET_LUNS_MAX];

    /* Who may log in. */
    const char *const *initiators; /* count 0: everybody */
    size_t initiator_count;
    const struct lb_target_account *accounts; /* count 0: no authentication */
    size_t account_count;
    struct lb_target_account own;  /* named: the answer to mutual CHAP */
    struct lb_chap_algs chap_algs; /* empty: all four */

    /* What is agreed to. */
    enum lb_digest_want header_digest, data_digest; /* NONE: None alone; PREFER: as is offered */
    uint32_t window;                 /* commands at once, 1..LB_TARGET_WINDOW_MAX; 0: 64 */
    uint32_t max_recv_data;          /* our MaxRecvDataSegmentLength; 0: 262144 */
    uint32_t max_burst, first_burst; /* 0: 262144, 65536; the smaller of both ends is agreed on */
    bool refuse_immediate;           /* ImmediateData=No */
    bool insist_r2t;                 /* InitialR2T=Yes */
    uint16_t time2wait_s;            /* DefaultTime2Wait; the larger of both ends is agreed on */

    /* Out of service, or moved. */
    uint16_t login_status;          /* enum lb_iscsi_login_status: every login ends so */
    char redirect[LB_HOST_MAX + 9]; /* with a MOVED status: TargetAddress, "host:port" */

    bool attention_at_start; /* UNIT ATTENTION 29/00 on each LUN of a new session: power on */
    bool was_reset;          /* cold, by an initiator: as attention_at_start, with 29/01 */
    const struct lb_target_faults *faults; /* of a test or the simulator; NULL: none */
};

struct lb_target_conn;

#define LB_TARGET_BUCKETS 256 /* sessions by initiator: 40 in each at 10,000 */

struct lb_target_server {
    /* All nodes, and each initiator is shown those that let it in. With asks_who the host is asked
     * instead, at each login, and nodes is not looked at. */
    struct lb_target *nodes;
    size_t node_count;
    bool asks_who;
    bool keeps_memory; /* answers to READ and BUFFER are the disk itself: see above, and is_apart */
    uint32_t io_max;   /* longest READ and BUFFER asked for, bytes, 65536 or more; 0: 1 MiB, or no
                          limit if keeps_memory */
    uint32_t login_ms; /* 0: 15000 */
    uint32_t ping_ms;  /* NOP-In after so much silence, and again so much until it closes;
                          0: 30000; UINT32_MAX: never */
    uint32_t conns_max; /* sessions at once; 0: no limit. More get 0302. Each ISID of an initiator
                           is one (a path), and one that logs in again takes its own place */
    uint32_t initiator_max; /* of these by one initiator; 0: no limit */
    bool no_discovery;      /* discovery sessions are refused */

    /* Set when the input of one connection gave others something to do (an old session is closed, a
     * reset aborts their commands): poll all of them, and clear it. */
    bool stirred;

    /* A secret of the host: initiators choose their names, and a challenge of ours is known by it.
     * Servers between which connections move have the same. */
    struct lb_hash_key hash_key;

    /* The machine's own. */
    struct lb_target_conn *logins;                      /* connections that have not logged in */
    struct lb_target_conn *sessions[LB_TARGET_BUCKETS]; /* the others, by their initiator */
    size_t session_count;
    uint16_t last_tsih;
};

/* ---- disk ------------------------------------------------------------------------------------ */

enum lb_io_kind {
    LB_IO_READ,
    LB_IO_BUFFER,
    LB_IO_WRITE,
    LB_IO_FLUSH,
    LB_IO_RELEASE,
    /* What initiators ask for that are not ours: each needs its own command. */
    LB_IO_OR,
    LB_IO_COMPARE,
    LB_IO_COMPARE_AND_WRITE,
    LB_IO_UNMAP,
    LB_IO_STATUS,
    LB_IO_KEEP,
    LB_IO_COPY,
    LB_IO_SANITIZE,
};

/* Inside the connection; the host's from IO until it answers. */
struct lb_target_io {
    enum lb_io_kind kind;
    struct lb_target *target;
    struct lb_scsi_unit *lun;
    struct lb_scsi_unit *source; /* COPY */
    uint64_t source_lba;
    uint64_t lba;
    uint32_t blocks;
    uint32_t len;     /* bytes: blocks * block_bytes; BUFFER may be for other data, of any length */
    bool is_repeated; /* WRITE, COMPARE: the buffer is one block, for each */
    bool unmaps;      /* WRITE is_repeated */
    bool is_piece;    /* READ, BUFFER: a host with little memory may answer with less, whole
                               blocks and 65536 bytes or more; the rest is asked for next */
    enum lb_scsi_sanitize_action sanitize; /* SANITIZE */
    bool is_restricted;                    /* SANITIZE: without AUSE */
    bool is_atomic;                        /* WRITE: a power cut leaves all of it, or nothing */
    bool force_unit_access;                /* WRITE: durable before it is answered */
    /* With keeps_memory, BUFFER and what is done with it: the room must not be the disk itself, for
     * what is put there has a digest that is yet to be checked, or is not for the disk; and it is
     * released, if it is not used up. */
    bool is_apart;
    struct lb_span buffer; /* WRITE, RELEASE: what was given. RELEASE of a READ: as it was given */
    uint64_t user;         /* the host's, from BUFFER or READ until RELEASE */
};

/* How it went: a SAM status, and with CHECK CONDITION the sense. Zero is success. */
struct lb_target_answer {
    uint8_t status; /* enum lb_scsi_status; BUSY and TASK SET FULL are passed on */
    uint8_t key, asc, ascq;
    bool is_deferred; /* the sense is about an earlier command, and this one was not carried out */
    struct lb_span memory; /* READ: the bytes; BUFFER: the room; len as asked: see is_piece */
    uint32_t differs_at;   /* COMPARE: the offset in `buffer` of the first byte that differs */
    uint64_t blocks;       /* STATUS: that are alike; 0: all */
    bool is_unmapped;      /* STATUS: they are not there, and read as zeros */
};

/* ---- connection ------------------------------------------------------------------------------ */

enum lb_target_event {
    LB_TARGET_WAIT,
    LB_TARGET_LEND, /* memory of `role` is wanted; nothing else goes on before */
    LB_TARGET_WHO,  /* a login: lb_target_who says whose; lb_target_admit is awaited */
    LB_TARGET_IO,
    LB_TARGET_SEND,
    LB_TARGET_CLOSE, /* for good; again and again until lb_target_conn_end */
};

/* What lent memory is for, and how much of it. */
enum lb_target_role {
    LB_TARGET_STAGING, /* received bytes: LB_ISCSI_RX_MIN or more */
    LB_TARGET_WORK,    /* commands, and what waits to be sent: LB_TARGET_WORK_BYTES(window), where
                          window is the node's; with less of it fewer commands run at once */
    LB_TARGET_TEXT,    /* logins, Text Requests, long pings: LB_TARGET_TEXT_BYTES */
    LB_TARGET_ROLES,
};

struct lb_target_action {
    enum lb_target_event event;
    enum lb_target_role role; /* LEND */
    uint64_t until_us;        /* LEND, WHO, SEND, WAIT: poll again then */
    struct lb_target_io *io;
};

/* local: the address the connection came to, for SendTargets. server, rand and trace stay the
 * host's and outlive the connection. It has no memory but its own yet. */
void lb_target_conn_init(struct lb_target_conn *conn, uint64_t now_us,
                         struct lb_target_server *server, struct lb_endpoint local,
                         struct lb_rand *rand, struct lb_trace *trace);
/* Takes it out of the server's lists. Each io that the host has not answered is void; buffers given
 * and not released are the host's again, and lb_target_take_back gives all that was lent. */
void lb_target_conn_end(struct lb_target_conn *conn);

/* Lends memory, which is aligned as malloc's is, for a role in which it has none. */
void lb_target_lend(struct lb_target_conn *conn, uint64_t now_us, enum lb_target_role role,
                    struct lb_span memory);
/* Whether it has memory of this role. */
bool lb_target_has(const struct lb_target_conn *conn, enum lb_target_role role);
/* Gives back what was lent for this role; empty while it is in use, or when there is none. */
struct lb_span lb_target_take_back(struct lb_target_conn *conn, enum lb_target_role role);

/* Who wants to log in, after WHO. Valid until lb_target_admit or lb_target_conn_end. */
struct lb_target_who {
    const char *initiator;
    const uint8_t *isid; /* 6 bytes */
    const char *target;  /* the name it asks for; empty: a discovery session */
};
struct lb_target_who lb_target_who(const struct lb_target_conn *conn); /* after WHO alone */

/* The host's answer. Its memory outlives the connection. */
struct lb_target_admission {
    uint16_t status;        /* enum lb_iscsi_login_status; 0: it may go on, if it proves itself */
    struct lb_target *node; /* as this initiator sees it; NULL: there is none (0203) */
    struct lb_target *const *listed; /* of a discovery session: what SendTargets tells */
    size_t listed_count;
};
void lb_target_admit(struct lb_target_conn *conn, uint64_t now_us,
                     const struct lb_target_admission *admission); /* answers WHO */
/* After WHO, before the answer: the connection is another server's from here on, such as that of
 * the thread on which the node's other sessions are. rand outlives the connection. Nothing else may
 * be done with either server at the same time. */
void lb_target_move(struct lb_target_conn *conn, struct lb_target_server *server,
                    struct lb_rand *rand);

/* What the caller is to do next: an IO to carry out, WAIT, or close. */
struct lb_target_action lb_target_poll(struct lb_target_conn *conn, uint64_t now_us);
/* Where received bytes go, up to two spans; none: do not read now. */
size_t lb_target_where(struct lb_target_conn *conn, struct lb_span spans[2]);
/* len bytes came into these spans. */
void lb_target_got(struct lb_target_conn *conn, uint64_t now_us, size_t len);
/* What to send, at most cap pieces; gives their count. */
size_t lb_target_gather(struct lb_target_conn *conn, struct lb_bytes *pieces, size_t cap);
/* The first len bytes of them were sent. */
void lb_target_sent(struct lb_target_conn *conn, uint64_t now_us, size_t len);

/* The answer to an io that poll gave: at once or later, in any order. */
void lb_target_io_done(struct lb_target_conn *conn, uint64_t now_us, struct lb_target_io *io,
                       struct lb_target_answer answer);

/* The BUFFER for which all input waits: its data is the next that comes. NULL: there is none. */
struct lb_target_io *lb_target_stalled(struct lb_target_conn *conn);

/* ---- acts of the host on sessions in full feature phase -------------------------------------- */

/* UNIT ATTENTION asc/ascq for this LUN on every session of the target, once each. For all who reach
 * a unit, by whatever node: lb_scsi_unit_attention. */
void lb_target_attention(struct lb_target_server *server, struct lb_target *target, unsigned lun,
                         uint8_t asc, uint8_t ascq);
/* Async message: log out within so many seconds, or the connection is closed. */
void lb_target_ask_logout(struct lb_target_conn *conn, uint64_t now_us, uint16_t seconds);
/* A NOP-In that must be answered, now. */
void lb_target_ping(struct lb_target_conn *conn, uint64_t now_us);
/* Closes without a word. */
void lb_target_drop(struct lb_target_conn *conn);

/* The login is done, and the connection is not closing. */
bool lb_target_is_full_feature(const struct lb_target_conn *conn);
/* The initiator's name; empty before it has said it. */
const char *lb_target_initiator(const struct lb_target_conn *conn);
/* The node of a normal session; NULL before it is known, and in a discovery session. */
struct lb_target *lb_target_node(const struct lb_target_conn *conn);
/* Why it closes or was closed, in words; empty while it lives. */
const char *lb_target_reason(const struct lb_target_conn *conn);

#endif
