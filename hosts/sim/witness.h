/* A witness beside the client: reads what its session sends and receives, PDU by PDU, and knows by
 * itself what the client may do next. Recovery hides many faults: a wrong CmdSN costs a timeout, a
 * new login, and the boot ends well. The witness sees the wrong CmdSN.
 *
 * It reads what the client says before the network touches it, and what the client hears as the
 * target said it, so a world with hostile bytes has no witness. */
#ifndef SIM_WITNESS_H
#define SIM_WITNESS_H

#include "core/base/error.h"
#include "core/iscsi/iscsi_wire.h"
#include "hosts/sim/stream.h"

enum {
    SIM_SENT_MAX = 512,      /* commands of a session without an answer */
    SIM_OVERDUE_MAX = 16,    /* questions of a disk that are out at once */
    SIM_FORGER_BYTES = 4096, /* of a login response that the forger may change */
};

/* One direction: where the next header is. */
struct sim_framer {
    uint8_t bhs[LB_ISCSI_BHS_BYTES];
    size_t have;
    uint64_t left; /* bytes up to the next header */
};

/* A command that was sent and not answered. */
struct sim_sent {
    uint32_t itt, edtl;
    uint8_t lun[8], cdb[16];
    uint64_t active_us; /* when it was sent, or data moved for it */
    bool is_again;      /* of a list of commands to be issued again: it was */
    bool is_aborted;    /* and it need not be: it may have been given up */
};

struct sim_sents {
    struct sim_sent at[SIM_SENT_MAX];
    size_t count;
};

/* The answer to an ABORT TASK is not heard yet. */
struct sim_aborted {
    uint32_t itt, ref; /* of the request, and of the command */
};

struct sim_wire {
    uint32_t number; /* of the connection */
    struct sim_framer up, down;
    bool header_digest, data_digest; /* from full feature phase on */
    bool is_full;
    bool is_told;                             /* the client was told that the connection is lost */
    bool is_spoiled;                          /* what was heard was altered on its way */
    bool was_asked_out;                       /* the target asked for a logout */
    uint64_t connected_us, heard_us, held_us; /* held: when bytes last found no room to be sent */
    bool is_held;                             /* and they find none now */
    uint32_t cmd_sn, max_cmd_sn, stat_sn;     /* that follow */
    bool has_stat_sn;
    struct sim_sents sent;
    bool tmf_is_out, tmf_was_refused;
    uint8_t tmf_function;
    uint32_t tmf_itt;
    struct sim_aborted aborted[SIM_SENT_MAX]; /* of several, some may be nobody's any more */
    size_t aborted_count;
    uint64_t tmf_us;
    bool ping_is_out;
    uint64_t ping_us;

    /* The forger: everything before scan_at (a position of the stream) has been looked at. */
    uint64_t scan_at, forged_end;
    const char *forged;       /* what was forged; NULL: nothing */
    enum lb_code forged_code; /* what the session has to say of it */
    uint32_t forged_data;     /* whose Data-In it is; LB_ISCSI_NO_TAG: none */
};

/* Questions that were not waited for any more when the engine was polled, before it read. */
struct sim_overdue {
    uint64_t at_us;
    uint32_t itts[SIM_OVERDUE_MAX];
    size_t count;
};

struct sim_witness {
    struct sim_wire wire;   /* of the connection at hand */
    struct sim_sents again; /* what was lost, and has to be issued again in this order */
    size_t again_next;
    uint64_t lost_us; /* since when a session is lost, for which Time2Wait counts; LB_NEVER */
    uint64_t away_us; /* when the host was last later than a session forgives */
    uint64_t
        silent_us; /* when a command had last been silent for so long, before anything was read */
    struct sim_overdue overdue;
    char suspect[200]; /* a loss that is explained if the address goes in the same step */
    uint32_t resets;   /* LOGICAL UNIT RESETs that were sent */
    enum lb_initiator_state state; /* of the session, when it was polled last */
};

#endif
