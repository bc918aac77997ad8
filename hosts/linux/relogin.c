#include "hosts/linux/relogin.h"
#include "core/iscsi/iscsi_wire.h"
#include "hosts/linux/loop.h"
#include "hosts/linux/same_disk.h"
#include "hosts/linux/seed.h"
#include "hosts/linux/xfrm.h"
#include "os/linux/os_address.h"
#include "os/linux/tcp.h"
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ATTEMPT_US (30 * LB_US_SEC)
#define PDU_MAX    (LB_STREAM_BHS + LB_STREAM_LOGIN_DATA)
#define TAG_AT     16 /* of a header: RFC 7143 11.2.1 */

struct relogin {
    struct lb_kernel_iscsi *kernel;
    struct lb_login_again *again;
    struct lb_endpoint portal; /* where the disk was seen */
    struct lb_initiator session;
    struct lb_rand rand;
    struct lb_trace trace; /* zero: none */
    struct lb_kernel_pdu answer;
    int fd; /* of the new connection; -1: none */
    bool is_connected;
    uint8_t out[PDU_MAX]; /* a PDU that is being put together */
    size_t out_len;
    uint8_t tag[4]; /* of what we said last: the kernel writes its own into it */
};

static size_t padded(size_t len) {
    return (len + 3) & ~(size_t)3;
}

/* ---- the policy ------------------------------------------------------------------------------ */

/* The portal itself was judged when the session was made. */
bool lb_relogin_may_connect(const struct lb_login_again *again, const struct lb_initiator *session,
                            struct lb_endpoint peer, struct lb_error *error) {
    const struct lb_rules_portal portal = {.peer = peer, .was_redirected = true};
    bool permanent;
    if (!lb_initiator_was_redirected(session, &permanent) ||
        lb_rules_portal(&again->policy, &portal))
        return true;
    lb_fail(error, LB_E_SERVER_NOT_ALLOWED, "%s for %s, named by a redirect of %s",
            lb_endpoint_text(peer).s, again->config.target,
            lb_endpoint_text(again->config.portal).s);
    return false;
}

static bool bind_guarded(const struct lb_login_again *again, int fd, struct lb_addr to) {
    struct lb_os_address from =
        lb_os_address((struct lb_endpoint){.addr = again->guarded.local}, again->interface);
    if (!lb_addr_is_set(again->guarded.remote))
        return true;
    /* For any other nobody has keys. */
    errno = lb_addr_equal(again->guarded.remote, to) ? lb_xfrm_block(to) : EACCES;
    return errno == 0 && bind(fd, &from.any, from.len) == 0;
}

/* Not bound to the interface: by now it may have another name, and the routes lead there. */
int lb_relogin_connect(const struct lb_login_again *again, struct lb_endpoint to) {
    int fd = lb_tcp_open(to.addr.family);
    if (fd < 0)
        return -1;
    if (bind_guarded(again, fd, to.addr) && lb_tcp_connect(fd, to, again->interface) == 0)
        return fd;
    int refused = errno;
    close(fd);
    errno = refused;
    return -1;
}

bool lb_relogin_is_protected(const struct lb_login_again *again, const struct lb_initiator *session,
                             struct lb_error *error) {
    const char *unmet = lb_rules_unmet(&again->policy, lb_initiator_agreed(session));
    if (unmet)
        lb_fail(error, LB_E_REQUIRE_NOT_MET, "%s, with %s at %s", unmet, again->config.target,
                lb_endpoint_text(lb_initiator_peer(session)).s);
    return !unmet;
}

/* ---- what we say ----------------------------------------------------------------------------- */

/* 0: not all of it is there. */
static size_t pdu_len(const struct relogin *r, uint32_t *data_len) {
    uint16_t ahs_len;
    size_t len;
    if (r->out_len < LB_STREAM_BHS)
        return 0;
    lb_iscsi_lengths(r->out, &ahs_len, data_len);
    len = LB_STREAM_BHS + padded(*data_len);
    return r->out_len < len ? 0 : len;
}

static bool send_pdu(struct relogin *r, size_t data_len, struct lb_error *error) {
    memcpy(r->tag, r->out + TAG_AT, sizeof(r->tag));
    return lb_kernel_iscsi_send(r->kernel, r->out, lb_bytes(r->out + LB_STREAM_BHS, data_len),
                                error);
}

static bool send_all(struct relogin *r, struct lb_error *error) {
    struct lb_bytes piece;
    size_t len;
    uint32_t data_len;
    while (r->is_connected && lb_initiator_gather(&r->session, &piece, 1) > 0) {
        size_t took = LB_MIN(piece.len, sizeof(r->out) - r->out_len);
        if (took == 0) {
            lb_fail(error, LB_E_HAND_OVER, "a Login PDU is longer than 8192 bytes");
            return false;
        }
        memcpy(r->out + r->out_len, piece.p, took);
        r->out_len += took;
        lb_initiator_sent(&r->session, lb_now_us(), took);
        while ((len = pdu_len(r, &data_len)) > 0) {
            if (!send_pdu(r, data_len, error))
                return false;
            r->out_len -= len;
            memmove(r->out, r->out + len, r->out_len);
        }
    }
    return true;
}

/* ---- what the target says -------------------------------------------------------------------- */

static void feed(struct relogin *r, struct lb_bytes bytes) {
    while (bytes.len > 0) {
        struct lb_span spans[2];
        size_t len;
        if (lb_initiator_where(&r->session, spans) == 0)
            return;
        len = LB_MIN(spans[0].len, bytes.len);
        memcpy(spans[0].p, bytes.p, len);
        bytes = lb_bytes_after(bytes, len);
        lb_initiator_got(&r->session, lb_now_us(), len);
    }
}

/* CmdSN and what is said of it are the kernel's: our session looks at them after the login only. */
static void take_answer(struct relogin *r) {
    static const uint8_t padding[4] = {0};
    struct lb_kernel_pdu *answer = &r->answer;
    if (!answer->is_there)
        return;
    answer->is_there = false;
    memcpy(answer->bhs + TAG_AT, r->tag, sizeof(r->tag));
    feed(r, lb_bytes(answer->bhs, sizeof(answer->bhs)));
    feed(r, lb_bytes(answer->data, answer->len));
    feed(r, lb_bytes(padding, padded(answer->len) - answer->len));
}

/* ---- the connection -------------------------------------------------------------------------- */

static void close_connection(struct relogin *r) {
    struct lb_error ignored = {0};
    if (r->is_connected)
        (void)lb_kernel_iscsi_stop(r->kernel, &ignored);
    if (r->fd >= 0)
        close(r->fd);
    r->fd = -1;
    r->is_connected = r->answer.is_there = false;
    r->out_len = 0;
}

static void lost(struct relogin *r, int why) {
    bool was_open = r->is_connected;
    close_connection(r);
    lb_initiator_lost(&r->session, lb_now_us(), lb_loop_lost(why, was_open));
}

static void open_connection(struct relogin *r, struct lb_endpoint to) {
    close_connection(r);
    r->fd = lb_relogin_connect(r->again, to);
    if (r->fd < 0)
        lost(r, errno);
}

static bool connected(struct relogin *r, struct lb_error *error) {
    int refused = lb_tcp_outcome(r->fd);
    if (refused) {
        lost(r, refused);
        return true;
    }
    if (!lb_kernel_iscsi_bind(r->kernel, r->fd, error))
        return false;
    r->is_connected = true;
    lb_initiator_connected(&r->session, lb_now_us());
    return true;
}

/* ---- the attempt ----------------------------------------------------------------------------- */

/* What the target says before it closes the connection is heard first: it may be the reason. */
static bool wait(struct relogin *r, uint64_t until_us, struct lb_error *error) {
    uint64_t now_us = lb_now_us();
    struct pollfd fds[] = {{.fd = r->kernel->fd, .events = POLLIN},
                           {.fd = r->is_connected ? -1 : r->fd, .events = POLLOUT}};
    bool has_news = r->answer.is_there || (r->is_connected && r->kernel->broken != 0);
    if (now_us < until_us && !has_news)
        (void)poll(fds, LB_COUNT(fds), (int)((until_us - now_us) / LB_US_MS) + 1);
    bool is_lost = !lb_kernel_iscsi_look(r->kernel) && r->is_connected;
    take_answer(r);
    if (is_lost)
        lost(r, ECONNRESET);
    return !fds[1].revents || r->is_connected || connected(r, error);
}

static bool resume(struct relogin *r, struct lb_error *error) {
    struct lb_initiator_standing standing;
    if (!lb_relogin_is_protected(r->again, &r->session, error))
        return false;
    if (!lb_initiator_is_at_rest(&r->session, &standing)) {
        lb_fail(error, LB_E_HAND_OVER, "the target said more than the login");
        return false;
    }
    r->again->time2wait_s = standing.agreed->time2wait_s;
    return lb_kernel_iscsi_resume(r->kernel, &standing, &r->again->settings, error);
}

/* A redirect may lead to another disk: the next attempt looks at it there. */
static bool is_where_the_disk_is(const struct relogin *r, struct lb_endpoint to,
                                 struct lb_error *error) {
    if (!r->again->identity.is_known || lb_endpoint_equal(to, r->portal))
        return true;
    lb_fail(error, LB_E_HAND_OVER, "sent on to %s, where nobody has looked at the disk",
            lb_endpoint_text(to).s);
    return false;
}

static bool log_in(struct relogin *r, struct lb_error *error) {
    uint64_t until_us = lb_now_us() + ATTEMPT_US;
    while (lb_now_us() < until_us) {
        struct lb_initiator_action action = lb_initiator_poll(&r->session, lb_now_us());
        switch (action.event) {
        case LB_INITIATOR_WAIT:
            if (!send_all(r, error) || !wait(r, LB_MIN(action.until_us, until_us), error))
                return false;
            break;
        case LB_INITIATOR_CONNECT:
            if (!lb_relogin_may_connect(r->again, &r->session, action.peer, error) ||
                !is_where_the_disk_is(r, action.peer, error))
                return false;
            open_connection(r, action.peer);
            break;
        case LB_INITIATOR_RESOLVE: /* a redirect to a name: nobody is there to ask */
            lb_initiator_resolved(&r->session, lb_now_us(), NULL, 0, NULL);
            break;
        case LB_INITIATOR_CLOSE:
            close_connection(r);
            break;
        case LB_INITIATOR_READY:
            return resume(r, error);
        case LB_INITIATOR_OUT:
        case LB_INITIATOR_FAILED:
            *error = *lb_initiator_error(&r->session);
            return false;
        }
    }
    lb_fail(error, LB_E_LOGIN_TIMEOUT, "no login within %u s", (unsigned)(ATTEMPT_US / LB_US_SEC));
    return false;
}

/* Where the login goes: to the portal where the disk was seen. */
static bool find_disk(struct relogin *r, struct lb_span room, struct lb_error *error) {
    const struct lb_login_again *again = r->again;
    r->portal = again->config.portal;
    return !again->identity.is_known || lb_same_disk(again, room, &r->portal, error);
}

static void start(struct relogin *r, struct lb_span room) {
    struct lb_initiator_config config = r->again->config;
    config.portal = r->portal;
    lb_initiator_init(&r->session, lb_now_us(), &config, room, &r->rand, &r->trace);
    lb_wipe(&config, sizeof(config));
    lb_initiator_start(&r->session, lb_now_us());
}

bool lb_relogin(struct lb_kernel_iscsi *kernel, struct lb_login_again *again, struct lb_span room,
                struct lb_error *error) {
    static struct relogin r;
    struct lb_kernel_pdu *pdu_before = kernel->pdu;
    uint8_t seed[LB_RAND_SEED_BYTES];
    bool is_back;

    if (lb_seed_fill(seed, 0) == LB_SEED_NONE) {
        lb_fail(error, LB_E_INTERNAL, "random numbers: %s", strerror(errno));
        return false;
    }
    if (!lb_rules_target(&again->policy, again->config.target)) {
        lb_fail(error, LB_E_TARGET_NOT_ALLOWED, "%s", again->config.target);
        return false;
    }
    if (lb_config_requires(&again->policy, "ipsec") && !lb_addr_is_set(again->guarded.remote)) {
        lb_fail(error, LB_E_REQUIRE_NOT_MET, "ipsec, with %s", again->config.target);
        return false;
    }
    r = (struct relogin){.kernel = kernel, .again = again, .fd = -1};
    lb_rand_init(&r.rand, seed);
    kernel->pdu = &r.answer;
    is_back = lb_kernel_iscsi_stop(kernel, error) && find_disk(&r, room, error);
    if (is_back) {
        start(&r, room);
        is_back = log_in(&r, error);
    }
    if (!is_back)
        close_connection(&r);
    if (r.fd >= 0)
        close(r.fd);
    kernel->pdu = pdu_before;
    lb_wipe(&r, sizeof(r));
    lb_wipe(seed, sizeof(seed));
    return is_back;
}
