/* The UNIX socket STATE/control, of mode 0600: requests come in, see request.h, and answers go out.
 * What a command does is in commands.c. */
#ifndef LB_SERVER_CONTROL_H
#define LB_SERVER_CONTROL_H

#include "server/request.h"
#include "server/source.h"

#define LB_CONTROL_CLIENTS_MAX 16
#define LB_CONTROL_ANSWER_BYTES                                                                    \
    (16 << 20) /* of all lines of an answer; as JSON, a machine takes 600 or so */

/* One lunbootctl. */
struct lb_control_client {
    struct lb_server_source source; /* fd -1: the place is free */
    uint64_t serial;                /* no other has had it */
    int file;                       /* that came along; -1: none */
    size_t line_len, sent;
    bool is_ended; /* the answer is whole */
    struct lb_text answer;
    char *room;
    char line[LB_REQUEST_MAX];
};

struct lb_server_control {
    struct lb_server_source source; /* new connections */
    int epoll;
    uint64_t last_serial;
    char path[108]; /* of a sockaddr_un; empty: there is none to be removed */
    struct lb_control_client clients[LB_CONTROL_CLIENTS_MAX];
};

/* Makes the socket in this folder. One that a killed lunbootd has left is replaced: the caller has
 * the store, so there is no other lunbootd. */
bool lb_server_control_open(struct lb_server_control *control, int epoll, const char *folder,
                            struct lb_server_error *error);
/* Connections wait to be accepted. */
void lb_server_control_ready(struct lb_server_control *control);
/* A client's socket is ready. Gives the client when its request is whole: the caller answers it,
 * now or later; else NULL. */
struct lb_control_client *lb_server_control_client_ready(struct lb_server_control *control,
                                                         struct lb_server_source *source);
/* The client with this serial; NULL: it has gone. */
struct lb_control_client *lb_server_control_find(struct lb_server_control *control,
                                                 uint64_t serial);
void lb_server_control_close(struct lb_server_control *control); /* harmless where it is closed */

/* Adds a line to the answer. sign: ' ', or '%' for progress. */
void lb_control_say(struct lb_control_client *client, char sign, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The answer is whole: all went well, or *error says what did not. It is sent from here on. */
void lb_control_end(struct lb_server_control *control, struct lb_control_client *client,
                    const struct lb_server_error *error);
/* Sends what there is so far, where that is possible at once. */
void lb_control_flush(struct lb_server_control *control, struct lb_control_client *client);

#endif
