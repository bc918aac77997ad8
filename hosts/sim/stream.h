/* TCP as two pipes of bytes. Bytes arrive in order and late; each side sees them in parts of any
 * size; a pipe may be full, clogged, cut at a byte, or end in silence for one side or both. */
#ifndef SIM_STREAM_H
#define SIM_STREAM_H

#include "core/base/addr.h"
#include "hosts/sim/world.h"

#define SIM_PIPE_BYTES    65536 /* room of a pipe; a power of two */
#define SIM_PIPE_SEGMENTS 256

struct sim_segment {
    uint64_t end, at_us; /* bytes up to position `end` are readable from at_us on */
};

struct sim_pipe {
    uint8_t *ring;
    uint64_t written, read; /* positions in the stream */
    struct sim_segment segments[SIM_PIPE_SEGMENTS];
    size_t first, count;
    uint64_t readable; /* up to here, as far as segments were taken */
    uint64_t last_us;  /* when the last segment arrives */
    uint64_t cut_at;   /* bytes from this position on get lost, and the connection with them */
    bool is_cut, is_finished; /* finished: its writer closed it; what is in it still arrives */
    bool is_hostile;
};

enum sim_conn_state {
    SIM_CONN_FREE,
    SIM_CONN_ASKED, /* SYN */
    SIM_CONN_OPEN,
};

/* How a connection behaves; drawn when it is made. */
struct sim_manner {
    uint32_t delay_us, jitter_us;
    uint32_t part_max;    /* bytes moved at once at the most */
    uint64_t tight_until; /* before this position the pipes have but `room` bytes */
    uint32_t room;
    bool tells[2]; /* when it is cut: whether the client (0), the server (1) is told */
};

/* Who is at the other end of a connection; a service's own connections alone are its affair. */
enum sim_service {
    SIM_AT_NOBODY, /* an address where nobody lives */
    SIM_AT_TARGETS,
    SIM_AT_AGENTS,
    SIM_AT_ISNS,
};

struct sim_conn {
    enum sim_conn_state state;
    uint32_t number; /* of all connections of the run */
    uint32_t slot;   /* of the engine, while it has the client's end */
    enum sim_service service;
    unsigned portal;             /* which of the service's */
    bool has_client, has_server; /* this end is still open */
    bool is_severed;
    struct sim_manner manner;
    struct sim_pipe up, down; /* up: from the client */
    bool is_protected;        /* by IPsec: its packets are those of tunnel.c */
    struct lb_endpoint from, to;
    unsigned lost[2];         /* packets one after the other, down and up */
    uint64_t again_us[2];     /* the next one is sent then at the earliest */
    uint64_t server_until_us; /* when the target's end wants to be polled */
};

/* Begins a connection of this number: empty pipes, and by chance its speed and its end. */
void sim_conn_open(struct sim_conn *conn, struct sim_world *world, uint32_t number);
void sim_conn_free(struct sim_conn *conn); /* frees both pipes */

/* How many bytes may be written now, and to be taken at once. */
size_t sim_pipe_room(const struct sim_conn *conn, const struct sim_pipe *pipe);
/* Writes len bytes, no more than there is room for; plans their arrival. Cuts the stream where that
 * is due: true. */
bool sim_pipe_write(struct sim_conn *conn, struct sim_world *world, struct sim_pipe *pipe,
                    struct lb_bytes bytes);
/* How many bytes can be read now. */
size_t sim_pipe_readable(struct sim_pipe *pipe, uint64_t now_us);
/* Copies the next len bytes; no more than sim_pipe_readable said. */
void sim_pipe_peek(const struct sim_pipe *pipe, uint8_t *to, size_t len);
/* Takes len bytes out; no more than sim_pipe_readable said. */
void sim_pipe_read(struct sim_pipe *pipe, uint8_t *to, size_t len);
/* Its writer closed it and all was read. */
bool sim_pipe_is_over(const struct sim_pipe *pipe);
/* How many of `len` bytes are to be moved in one go. */
size_t sim_part(const struct sim_conn *conn, struct sim_world *world, size_t len);
/* Changes one bit of the span, which is not empty. */
void sim_flip(struct sim_world *world, struct lb_span span);

#endif
