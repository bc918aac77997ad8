/* The sockets that need rights: opened first, or inherited, and handed out once the rights are
 * given up (rights.h). */
#ifndef LB_SERVER_HELD_H
#define LB_SERVER_HELD_H

#include "core/base/addr.h"
#include "server/settings.h"
#include <sys/types.h>

struct lb_server_link;

#define LB_SERVER_HELD_MAX 32

/* One socket; or, with fd -1, why there is none. */
struct lb_server_held_socket {
    int fd;
    enum lb_family family;
    int type; /* SOCK_DGRAM, SOCK_STREAM; SOCK_PACKET: the one for frames; SOCK_RAW: for routers */
    uint16_t port;
    int code; /* an errno */
};

struct lb_server_held {
    struct lb_server_held_socket list[LB_SERVER_HELD_MAX];
    size_t count;
};

/* Takes the sockets that systemd hands over (sd_listen_fds(3): LISTEN_PID, LISTEN_FDS; numbers from
 * 3 on), and takes the two variables away. A socket of another kind is an error. */
bool lb_server_held_inherit(struct lb_server_held *held, struct lb_server_error *error);
/* Opens what the settings ask for and is not held. What cannot be had is told by the service that
 * asks for it. */
void lb_server_held_open(struct lb_server_held *held, const struct lb_server_link *link,
                         const struct lb_server_settings *settings);
/* The socket of that family, type and port, which is the caller's from now on; -1: it could not be
 * had, see errno; -2: it is not held. */
int lb_server_held_take(struct lb_server_held *held, enum lb_family family, int type,
                        uint16_t port);
/* Closes what nobody took. */
void lb_server_held_close(struct lb_server_held *held);

#endif
