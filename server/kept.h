/* What initiators have set at a machine's disk, and what must outlive lunbootd: the keys and the
 * reservation of PERSISTENT RESERVE with APTPL (SPC-4 5.13.4). A text file of the folder `kept` of
 * the state, named after the disk's serial number, which is made of the target's name. It is
 * replaced whole, by a rename, and is durable before the initiator is answered. */
#ifndef LB_SERVER_KEPT_H
#define LB_SERVER_KEPT_H

#include "server/machines.h"

#define LB_SERVER_KEPT_MAX (512 + LB_SERVER_REGISTRATIONS * (LB_NAME_MAX + 64))

struct lb_server_kept {
    char target[LB_NAME_MAX + 1]; /* whose it is: the target's name without .gN */
    uint8_t reservation_type;     /* 0: nobody holds it */
    unsigned registration_count;
    struct lb_scsi_registration registrations[LB_SERVER_REGISTRATIONS];
};

/* Reads the text of such a file. False: it is none; *kept is untouched. */
bool lb_server_kept_parse(struct lb_bytes text, struct lb_server_kept *kept);
/* Its text. */
void lb_server_kept_format(struct lb_text *text, const struct lb_server_kept *kept);

/* Puts back what was kept of this machine, whose names are set; nothing where there is no file. A
 * file that cannot be read is told, and left. */
void lb_server_kept_load(const char *state, struct lb_server_machine *machine);
/* Keeps what is to be kept, or removes the file where there is nothing: durable when it returns. 0,
 * or an errno. */
int lb_server_kept_save(const char *state, const struct lb_server_machine *machine);
/* The disk begins anew: nobody has a key at it any more. 0, or an errno. */
int lb_server_kept_forget(const char *state, struct lb_server_machine *machine);

#endif
