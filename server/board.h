/* The board: what a person sees of each machine, a row each. Events (say.h) and the sessions' own
 * counts go in; the page (page.h) and the metrics (metrics.h) show it.
 *
 * A row goes through the stages of a boot. A boot begins when a firmware asks for an address, or
 * with the first login where there was none. It is over, and the machine runs, when it has read
 * little for ten seconds; how much it read until then is what the next boot's progress is
 * measured by. Without a session for half a minute it is off. */
#ifndef LB_SERVER_BOARD_H
#define LB_SERVER_BOARD_H

#include "server/machines.h"
#include "server/say.h"

#define LB_BOARD_ROWS     1024 /* then the one that was idle for longest goes */
#define LB_BOARD_JSON_MAX 6144 /* bytes of a row as JSON, each byte of a name escaped */

struct lb_server_target;

enum lb_board_stage {
    LB_BOARD_UNSEEN,  /* known by its section alone */
    LB_BOARD_ADDRESS, /* it has asked for an address */
    LB_BOARD_LOADER,  /* it fetches its boot files */
    LB_BOARD_LOGIN,   /* it is logged in, and has read nothing */
    LB_BOARD_READING, /* the loader or the system reads */
    LB_BOARD_RUNNING,
    LB_BOARD_OFF,
    LB_BOARD_STAGES,
};

struct lb_board_row {
    bool is_used;
    char name[LB_SERVER_MACHINE_NAME_MAX + 1]; /* of its target; empty: it shares one */
    uint8_t mac[6];                            /* zeros: not known */
    struct lb_addr address;                    /* the last one; not set: none */
    char host[64];                             /* what it calls itself */
    enum lb_board_stage stage;
    uint64_t since_ms;   /* of the stage */
    uint64_t heard_ms;   /* when it last did something */
    uint64_t boot_ms;    /* when its boot began; 0: none has begun */
    uint64_t session_ms; /* when it last had a session */
    char file[80];       /* that it fetched last, in this boot */
    size_t sessions;
    /* Of all its sessions: those that have ended, and all of them as of the last refresh. */
    uint64_t ended_read, ended_written, bytes_read, bytes_written;
    uint64_t boot_read_from;          /* bytes_read when the boot began */
    uint64_t boot_bytes;              /* that its last boot read until it ran; 0: not known */
    uint64_t rate_read, rate_written; /* bytes a second, at the last refresh */
    unsigned quiet_s;                 /* for how long it has read little */
    uint64_t boots;                   /* that were seen to run */
    char trouble[200], hint[200];     /* the last one; empty: none */
    uint64_t trouble_ms;
    /* Of its machine, as of the last refresh. */
    bool has_machine, is_busy, is_ejected, is_maintained;
    bool has_overlay; /* it is open */
    enum lb_server_writes writes;
    char disk[LB_SERVER_PATH_MAX + 1];
    uint64_t overlay_bytes, overlay_limit; /* limit 0: none */
    enum lb_scsi_sanitize_state sanitize;
    unsigned sanitized; /* of 1000, while it goes on */
    uint64_t serial;    /* of the board, when it was last another than before */
    uint64_t hash;      /* of its JSON, to see a change */
};

struct lb_board {
    struct lb_board_row rows[LB_BOARD_ROWS];
    uint32_t name_keys[LB_BOARD_ROWS]; /* hashes, by which rows are found; 0: none */
    uint32_t mac_keys[LB_BOARD_ROWS], address_keys[LB_BOARD_ROWS];
    size_t count;         /* rows up to this one have been used */
    size_t free_count;    /* of these, that are free */
    size_t next;          /* where a row that may go is looked for next */
    uint64_t stamp;       /* of the machines, as of the last refresh */
    uint64_t serial;      /* grows with each change */
    uint64_t refresh_ms;  /* the last one; 0: none yet */
    uint64_t rate_ms;     /* the last one that measured rates */
    bool is_stirred;      /* an event came after it */
    bool is_lively;       /* something changes without an event: a refresh each second shows it */
    uint64_t usual_bytes; /* that the last boot of any machine read until it ran */
    uint64_t boots;       /* that were seen to run, since the start */
    /* Of the sessions' budget, as of the last refresh: bytes in all, and lent; how often a session
     * had to wait since the start. */
    uint64_t memory, memory_used, memory_waits;
    uint64_t events[LB_EVENT_TROUBLE + 1]; /* how many of each kind, since the start */
};

/* An event, by lb_server_tell. time_ms: of the wall clock. */
void lb_board_event(struct lb_board *board, uint64_t time_ms, const struct lb_event *event,
                    const char *sentence);
/* To be called each second while it is lively, and soon after an event: rows follow the machines
 * and the sessions. */
void lb_board_refresh(struct lb_board *board, uint64_t time_ms, struct lb_server_machines *machines,
                      const struct lb_server_target *target);
/* The row of the machine with this name; NULL: there is none. */
const struct lb_board_row *lb_board_find(const struct lb_board *board, const char *name);
/* What a person calls it: its name, else its card, else its address. */
struct lb_addr_text lb_board_name(const struct lb_board_row *row);
/* The stage as one word, such as "reading". A constant. */
const char *lb_board_stage_word(enum lb_board_stage stage);
/* That of its stage; with what a person did to the machine, "ejected", "committing"; with what is
 * done to its disk, "sanitizing", "unusable" (a SANITIZE failed). A constant. */
const char *lb_board_state(const struct lb_board_row *row);
/* How far the SANITIZE of its disk is, from 0 to 1000, or else its boot; -1: there is neither; -2:
 * that cannot be said. */
int lb_board_progress(const struct lb_board *board, const struct lb_board_row *row);
/* Adds a row as one JSON object, without an end of line; one that is not used: that it is gone. */
void lb_board_json(const struct lb_board *board, size_t row, struct lb_text *text);

#endif
