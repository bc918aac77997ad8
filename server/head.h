/* The head of an overlay: a text file beside `data` and `map` (overlay.h) that says whose it is,
 * and which base it lies over. It is replaced whole, by a rename, so that a cut leaves the old one
 * or the new one. */
#ifndef LB_SERVER_HEAD_H
#define LB_SERVER_HEAD_H

#include "server/settings.h"

#define LB_SERVER_HEAD_MAX 1024

struct lb_server_head {
    uint8_t mac[6];                    /* zeros: it belongs to a section of lunbootd.conf */
    char base[LB_SERVER_PATH_MAX + 1]; /* the disk below */
    uint64_t base_bytes;
    uint64_t base_changed_ns; /* its time of change, by the file system; 0: a block device */
    uint32_t generation;      /* boots that it has seen, with writes = drop */
    bool is_used;             /* somebody has logged in to this generation */
};

/* Reads the text of a head. False: it is none; *head is untouched. */
bool lb_server_head_parse(struct lb_bytes text, struct lb_server_head *head);
/* The text of a head. */
void lb_server_head_format(struct lb_text *text, const struct lb_server_head *head);
/* Reads FOLDER/head. False: there is none that can be read. */
bool lb_server_head_load(const char *folder, struct lb_server_head *head);
/* Replaces FOLDER/head, durably. False: errno. */
bool lb_server_head_save(const char *folder, const struct lb_server_head *head);

#endif
