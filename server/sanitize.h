/* SANITIZE of a machine's overlay: SBC-3 4.11. A session asks for it, and it is the unit's from
 * then on. It goes on a piece at a time, so that other machines are served in between; also when
 * the session ends, and after a restart of lunbootd.
 *
 * A file of the overlay's folder, `sanitize`, says what is done and how far. It is durable before
 * the command is answered, and it is removed when all blocks are durable; or it says that it has
 * failed. So a cut leaves a disk that goes on with it, never one with a part of its old contents.
 *
 * BLOCK ERASE gives all blocks back, and they read as zeros. OVERWRITE writes all blocks of the
 * overlay, and each pass is on stable storage before the next begins. The base is untouched. */
#ifndef LB_SERVER_SANITIZE_H
#define LB_SERVER_SANITIZE_H

#include "server/machines.h"

#define LB_SANITIZE_PATTERN_MAX 4096 /* the largest block of an overlay's disk */
#define LB_SANITIZE_TEXT_MAX    (512 + 2 * LB_SANITIZE_PATTERN_MAX)

/* What the file says. */
struct lb_sanitize_record {
    bool has_failed;
    bool is_restricted; /* without AUSE */
    bool inverts;
    uint8_t passes; /* 0: BLOCK ERASE */
    uint8_t pass;   /* the one at hand; the first is 0 */
    uint64_t done;  /* bytes of it that are durable; whole blocks */
    size_t pattern_len;
    uint8_t pattern[LB_SANITIZE_PATTERN_MAX];
};

/* One that goes on, or has failed: of a machine whose overlay is open. */
struct lb_server_sanitize {
    struct lb_server_machine *machine;
    struct lb_server_sanitize *next,
        **before; /* of those that are polled; before NULL: it is not */
    char folder[LB_SERVER_PATH_MAX + 64];
    struct lb_sanitize_record record;
    uint64_t at;    /* bytes of this pass that are written */
    uint64_t saved; /* of these, as the file says */
    uint8_t *run;   /* what is written at a time; NULL: not made for this pass yet */
};

/* Reads the text of such a file. False: it is none; *record is untouched. */
bool lb_sanitize_parse(struct lb_bytes text, struct lb_sanitize_record *record);
/* Its text. */
void lb_sanitize_format(struct lb_text *text, const struct lb_sanitize_record *record);

/* The machine's overlay, of this folder, was just opened: goes on with what its file says. A file
 * that cannot be read is a failure. 0, or an errno: there is no memory. */
int lb_server_sanitize_load(struct lb_server_machine *machine, const char *folder);
/* Carries out what LB_IO_SANITIZE asks for, of an overlay that is open. list: of those that are
 * polled. 0, or an errno: nothing has changed. ENOSPC: the overlay's limit, or its file system, has
 * no room for all blocks. */
int lb_server_sanitize_begin(struct lb_server_sanitize **list, struct lb_server_machine *machine,
                             const char *folder, const struct lb_target_io *io);
/* lunbootd has started: what it was at goes on, also before its machine logs in. */
void lb_server_sanitize_resume(struct lb_server_sanitize **list,
                               struct lb_server_machines *machines);
/* It is polled with this list from now on, unless it is already, or has failed. */
void lb_server_sanitize_watch(struct lb_server_sanitize **list, struct lb_server_sanitize *job);
/* Nothing is polled with this list any more. */
void lb_server_sanitize_unwatch(struct lb_server_sanitize **list);
/* The first of them whose disk does not make others wait (threads.h); NULL: there is none. */
struct lb_server_sanitize *lb_server_sanitize_next(struct lb_server_sanitize *list);
/* Does a piece of this one of the list, which is empty when there is no more to do. True: it is
 * over, and its sessions are to be polled. */
bool lb_server_sanitize_poll(struct lb_server_sanitize **list, struct lb_server_sanitize *job);
/* The overlay is about to be closed. Harmless where there is none. */
void lb_server_sanitize_stop(struct lb_server_machine *machine);
/* The overlay has begun anew: there is nothing to go on with. 0, or an errno. */
int lb_server_sanitize_forget(struct lb_server_machine *machine, const char *folder);

#endif
