/* TFTP: core/tftp's senders, each behind a socket of its own. */
#ifndef LB_SERVER_TFTP_H
#define LB_SERVER_TFTP_H

#include "core/tftp/tftp.h"
#include "server/files.h"
#include "server/link.h"
#include "server/rate.h"
#include "server/source.h"

#define LB_SERVER_TRANSFERS      256 /* at once; who comes later asks again */
#define LB_SERVER_TRANSFERS_EACH 8   /* of one client */

struct lb_server_transfer;

struct lb_server_tftp {
    struct lb_server_source source;
    enum lb_family family;
    int epoll;
    const struct lb_server_link *link;
    const struct lb_server_files *files;
    struct lb_server_transfer *transfers; /* a list */
    unsigned count;
    struct lb_rate rate; /* of answers to requests */
};

/* Opens port 69 of one family. The pointers stay the caller's and outlive it. */
bool lb_server_tftp_open(struct lb_server_tftp *tftp, int epoll, enum lb_family family,
                         const struct lb_server_link *link, const struct lb_server_files *files,
                         struct lb_server_error *error);
/* Port 69 is readable. */
void lb_server_tftp_ready(struct lb_server_tftp *tftp, uint64_t now_us);
/* A transfer's socket is readable; source is the transfer's. */
void lb_server_transfer_ready(struct lb_server_source *source, uint64_t now_us);
/* Sends what is due and ends what is over. Gives when it wants to be polled again. */
uint64_t lb_server_tftp_poll(struct lb_server_tftp *tftp, uint64_t now_us);
void lb_server_tftp_close(struct lb_server_tftp *tftp); /* harmless where it is closed */

#endif
