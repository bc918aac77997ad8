#include "hosts/linux/same_disk.h"
#include "core/disk/disk_state.h"
#include "hosts/linux/loop.h"
#include "hosts/linux/seed.h"
#include "os/linux/tcp.h"
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LOOK_US   (30 * LB_US_SEC)
#define LOGOUT_US (2 * LB_US_SEC)
#define READY_MS  5000 /* which disk it is can be told before it is ready */

struct look {
    struct lb_initiator session;
    struct lb_disk disk;
    struct lb_rand rand;
    struct lb_trace trace; /* zero: none */
    const struct lb_login_again *again;
    struct lb_error error; /* of ours; that of the session is its own */
    int fd;                /* -1: none */
    bool is_connected, is_started;
};

/* ---- the connection -------------------------------------------------------------------------- */

static void close_connection(struct look *l) {
    if (l->fd >= 0)
        close(l->fd);
    l->fd = -1;
    l->is_connected = false;
}

static void lost(struct look *l, int why) {
    bool was_open = l->is_connected;
    close_connection(l);
    lb_initiator_lost(&l->session, lb_now_us(), lb_loop_lost(why, was_open));
}

static void open_connection(struct look *l, struct lb_endpoint to) {
    close_connection(l);
    l->fd = lb_relogin_connect(l->again, to);
    if (l->fd < 0)
        lost(l, errno);
}

static void connected(struct look *l) {
    int refused = lb_tcp_outcome(l->fd);
    if (refused) {
        lost(l, refused);
        return;
    }
    l->is_connected = true;
    lb_initiator_connected(&l->session, lb_now_us());
}

static bool is_for_later(int error) {
    return error == EAGAIN || error == EINTR || error == ENOBUFS;
}

/* True: there is more to send, and no room for it. */
static bool send_all(struct look *l) {
    struct lb_bytes piece;
    while (l->is_connected && lb_initiator_gather(&l->session, &piece, 1) > 0) {
        ssize_t sent = send(l->fd, piece.p, piece.len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && is_for_later(errno))
            return true;
        if (sent < 0)
            lost(l, errno);
        else
            lb_initiator_sent(&l->session, lb_now_us(), (size_t)sent);
    }
    return false;
}

static void receive(struct look *l) {
    struct lb_span spans[2];
    while (l->is_connected && lb_initiator_where(&l->session, spans) > 0) {
        ssize_t got = recv(l->fd, spans[0].p, spans[0].len, MSG_DONTWAIT);
        if (got < 0 && is_for_later(errno))
            return;
        if (got <= 0)
            lost(l, got < 0 ? errno : ECONNRESET);
        else
            lb_initiator_got(&l->session, lb_now_us(), (size_t)got);
    }
}

static void wait(struct look *l, uint64_t until_us) {
    uint64_t now_us = lb_now_us();
    bool wants_room = send_all(l) || !l->is_connected;
    struct pollfd at = {.fd = l->fd, .events = (short)(POLLIN | (wants_room ? POLLOUT : 0))};
    if (now_us < until_us)
        (void)poll(&at, 1, (int)((until_us - now_us) / LB_US_MS) + 1);
    if (at.revents != 0 && !l->is_connected)
        connected(l);
    else if (at.revents != 0)
        receive(l);
}

/* ---- the look -------------------------------------------------------------------------------- */

static void start_disk(struct look *l) {
    lb_disk_init(&l->disk, &l->session, l->again->lun, READY_MS, &l->trace);
    lb_disk_start_as(&l->disk, lb_now_us(), &l->again->identity);
    l->is_started = true;
}

static bool is_sure(const struct look *l) {
    return l->is_started && lb_disk_is_sure(&l->disk);
}

/* One thing. False: the session has ended, or may not go on. The disk first: what it makes of the
 * answers may be the end, and then the session has nothing to wait for. */
static bool turn(struct look *l, uint64_t until_us) {
    bool was_sure = is_sure(l);
    uint64_t disk_us = l->is_started ? lb_disk_poll(&l->disk, lb_now_us()) : LB_NEVER;
    struct lb_initiator_action action = lb_initiator_poll(&l->session, lb_now_us());
    switch (action.event) {
    case LB_INITIATOR_WAIT:
        if (is_sure(l) == was_sure)
            wait(l, LB_MIN(LB_MIN(action.until_us, disk_us), until_us));
        return true;
    case LB_INITIATOR_CONNECT:
        if (!lb_relogin_may_connect(l->again, &l->session, action.peer, &l->error))
            return false;
        open_connection(l, action.peer);
        return true;
    case LB_INITIATOR_RESOLVE: /* a redirect to a name: nobody is there to ask */
        lb_initiator_resolved(&l->session, lb_now_us(), NULL, 0, NULL);
        return true;
    case LB_INITIATOR_CLOSE:
        close_connection(l);
        return true;
    case LB_INITIATOR_READY:
        if (!lb_relogin_is_protected(l->again, &l->session, &l->error))
            return false;
        start_disk(l);
        return true;
    case LB_INITIATOR_OUT:
    case LB_INITIATOR_FAILED:
        return false;
    }
    return false;
}

static bool look(struct look *l, struct lb_error *error) {
    uint64_t until_us = lb_now_us() + LOOK_US;
    while (lb_now_us() < until_us) {
        if (is_sure(l))
            return true;
        if (!turn(l, until_us)) {
            *error = lb_is_ok(&l->error) ? *lb_initiator_error(&l->session) : l->error;
            return false;
        }
    }
    if (l->is_started)
        *error = *lb_disk_doubts(&l->disk);
    lb_fail(error, LB_E_LOGIN_TIMEOUT, "the disk was not seen within %u s",
            (unsigned)(LOOK_US / LB_US_SEC));
    return false;
}

static void log_out(struct look *l) {
    uint64_t until_us = lb_now_us() + LOGOUT_US;
    lb_initiator_logout(&l->session, lb_now_us());
    while (l->is_connected && lb_now_us() < until_us && turn(l, until_us))
        continue;
}

bool lb_same_disk(const struct lb_login_again *again, struct lb_span room,
                  struct lb_endpoint *portal, struct lb_error *error) {
    static struct look l;
    uint8_t seed[LB_RAND_SEED_BYTES];
    bool is_same;

    if (lb_seed_fill(seed, 0) == LB_SEED_NONE) {
        lb_fail(error, LB_E_INTERNAL, "random numbers: %s", strerror(errno));
        return false;
    }
    l = (struct look){.again = again, .fd = -1};
    lb_rand_init(&l.rand, seed);
    lb_initiator_init(&l.session, lb_now_us(), &again->config, room, &l.rand, &l.trace);
    lb_initiator_start(&l.session, lb_now_us());
    is_same = look(&l, error);
    *portal = lb_initiator_peer(&l.session);
    log_out(&l);
    close_connection(&l);
    lb_wipe(&l, sizeof(l));
    lb_wipe(seed, sizeof(seed));
    return is_same;
}
