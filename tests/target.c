/* lunboot-test-target: the target half of core/ behind a TCP socket, with a disk in memory, so that
 * other people's initiators can be set on it. For tests/interop/target-*.sh. No server for use:
 * that is lunbootd. Serves until it is ended by a signal. */
#include "core/target/target.h"
#include "core/target/target_memory.h"
#include "core/target/target_rooms.h"
#include "os/linux/clock.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { CONNS_MAX = 16, PIECES_MAX = 64, IO_MAX = 65536 };

struct peer {
    int fd; /* -1: free */
    bool wants_write;
    struct lb_target_conn conn;
    struct lb_target_rooms rooms;
};

static struct {
    struct lb_target_server server;
    struct lb_target node;
    struct lb_scsi_unit lun;
    struct lb_target_account account;
    struct lb_rand rand;
    struct lb_endpoint local;
    uint8_t *disk, *unmapped; /* a byte a block */
    struct lb_scsi_registration keys[16];
    uint64_t disk_bytes;
    uint32_t block_bytes;
    bool has_buffers, has_everything;
    struct peer peers[CONNS_MAX];
} host = {.disk_bytes = 64 << 20, .block_bytes = 512, .local = {.port = 3260}};

_Noreturn void lb_assert_failed(const char *file, int line, const char *what) {
    fprintf(stderr, "%s:%d: %s\n", file, line, what);
    abort();
}

_Noreturn static void die(const char *what) {
    perror(what);
    exit(1);
}

/* ---- the disk ---- */

/* Which blocks are there: what was given back and not written since is not. */
static void mark(const struct lb_target_io *io, bool is_unmapped) {
    memset(host.unmapped + io->lba, is_unmapped, io->blocks);
}

static struct lb_target_answer lba_status(const struct lb_target_io *io) {
    struct lb_target_answer answer = {.is_unmapped = host.unmapped[io->lba], .blocks = 1};
    while (answer.blocks < io->blocks &&
           host.unmapped[io->lba + answer.blocks] == host.unmapped[io->lba])
        answer.blocks++;
    return answer;
}

static struct lb_target_answer give_memory(const struct lb_target_io *io) {
    uint8_t *at = host.disk + io->lba * host.block_bytes, *buffer = at;
    if (host.has_buffers || io->is_apart) {
        buffer = malloc(io->len);
        if (buffer == NULL)
            return (struct lb_target_answer){.status = LB_SCSI_TASK_SET_FULL};
    }
    if (buffer != at && io->kind == LB_IO_READ)
        memcpy(buffer, at, io->len);
    return (struct lb_target_answer){.memory = lb_span(buffer, io->len)};
}

static struct lb_target_answer answer_io(const struct lb_target_io *io) {
    switch (io->kind) {
    case LB_IO_READ:
    case LB_IO_BUFFER:
        return give_memory(io);
    case LB_IO_OR:
    case LB_IO_COMPARE:
    case LB_IO_COMPARE_AND_WRITE: {
        struct lb_target_answer answer =
            lb_target_memory_do(io, host.disk + io->lba * host.block_bytes);
        free(io->buffer.p);
        return answer;
    }
    case LB_IO_UNMAP:
        mark(io, true);
        return lb_target_memory_do(io, host.disk + io->lba * host.block_bytes);
    case LB_IO_STATUS:
        return lba_status(io);
    case LB_IO_KEEP:
        break;
    case LB_IO_COPY:
        mark(io, false);
        return lb_target_memory_copy(io, host.disk, host.disk);
    case LB_IO_SANITIZE: /* can_sanitize is not set */
        break;
    case LB_IO_WRITE:
        mark(io, io->unmaps);
        if (io->is_repeated) {
            lb_target_memory_do(io, host.disk + io->lba * host.block_bytes);
            free(io->buffer.p);
            break;
        }
        if (host.has_buffers || io->is_apart) {
            memcpy(host.disk + io->lba * host.block_bytes, io->buffer.p, io->len);
            free(io->buffer.p);
        }
        break;
    case LB_IO_RELEASE:
        free(io->buffer.p);
        break;
    case LB_IO_FLUSH:
        break;
    }
    return (struct lb_target_answer){0};
}

/* ---- connections ---- */

static void hang_up(struct peer *peer) {
    lb_target_conn_end(&peer->conn);
    printf("closed: %s\n", lb_target_reason(&peer->conn));
    close(peer->fd);
    peer->fd = -1;
}

/* False when the connection is gone. */
static bool send_out(struct peer *peer, uint64_t now) {
    struct lb_bytes pieces[PIECES_MAX];
    struct iovec iov[PIECES_MAX];
    size_t count = lb_target_gather(&peer->conn, pieces, PIECES_MAX);
    for (size_t i = 0; i < count; i++)
        iov[i] = (struct iovec){(void *)(uintptr_t)pieces[i].p, pieces[i].len};
    struct msghdr message = {.msg_iov = iov, .msg_iovlen = count};
    ssize_t n = sendmsg(peer->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    peer->wants_write = n < 0 && errno == EAGAIN;
    if (n > 0)
        lb_target_sent(&peer->conn, now, (size_t)n);
    return n > 0 || peer->wants_write;
}

/* Does what the machine wants; gives the moment when it wants to be asked again. */
static uint64_t serve(struct peer *peer, uint64_t now) {
    peer->wants_write = false;
    for (;;) {
        struct lb_target_action action = lb_target_poll(&peer->conn, now);
        if (action.event == LB_TARGET_LEND) {
            lb_target_rooms_lend(&peer->rooms, &peer->conn, now, action.role);
        } else if (action.event == LB_TARGET_IO) {
            struct lb_target_answer answer = answer_io(action.io);
            if (action.io->kind != LB_IO_RELEASE)
                lb_target_io_done(&peer->conn, now, action.io, answer);
        } else if (action.event == LB_TARGET_SEND && !peer->wants_write) {
            if (!send_out(peer, now)) {
                hang_up(peer);
                return LB_NEVER;
            }
        } else if (action.event == LB_TARGET_CLOSE) {
            hang_up(peer);
            return LB_NEVER;
        } else {
            (void)lb_target_rooms_take_back(&peer->conn);
            return action.until_us;
        }
    }
}

static void receive(struct peer *peer, uint64_t now) {
    struct lb_span spans[2];
    struct iovec iov[2];
    lb_target_rooms_lend(&peer->rooms, &peer->conn, now, LB_TARGET_STAGING);
    size_t count = lb_target_where(&peer->conn, spans);
    if (count == 0)
        return;
    for (size_t i = 0; i < count; i++)
        iov[i] = (struct iovec){spans[i].p, spans[i].len};
    struct msghdr message = {.msg_iov = iov, .msg_iovlen = count};
    ssize_t n = recvmsg(peer->fd, &message, MSG_DONTWAIT);
    if (n > 0)
        lb_target_got(&peer->conn, now, (size_t)n);
    else if (n == 0 || errno != EAGAIN)
        hang_up(peer);
}

static void take_connection(int listener, uint64_t now) {
    int on = 1, fd = accept(listener, NULL, NULL);
    for (size_t i = 0; fd >= 0 && i < CONNS_MAX; i++) {
        struct peer *peer = &host.peers[i];
        if (peer->fd >= 0)
            continue;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        peer->fd = fd;
        lb_target_conn_init(&peer->conn, now, &host.server, host.local, &host.rand, NULL);
        return;
    }
    if (fd >= 0)
        close(fd);
}

static void run(int listener) {
    for (;;) {
        struct pollfd fds[CONNS_MAX + 1] = {{.fd = listener, .events = POLLIN}};
        uint64_t until = LB_NEVER, now = lb_now_us();
        for (size_t i = 0; i < CONNS_MAX; i++) {
            struct peer *peer = &host.peers[i];
            struct lb_span spans[2];
            if (peer->fd >= 0) {
                uint64_t due = serve(peer, now);
                until = LB_MIN(until, due);
            }
            fds[i + 1].fd = peer->fd;
            if (peer->fd < 0)
                continue;
            fds[i + 1].events = peer->wants_write ? POLLOUT : 0;
            if (!lb_target_has(&peer->conn, LB_TARGET_STAGING) ||
                lb_target_where(&peer->conn, spans) > 0)
                fds[i + 1].events |= POLLIN;
        }
        uint64_t wait_ms = until <= now ? 0 : (until - now) / LB_US_MS + 1;
        if (poll(fds, CONNS_MAX + 1, (int)LB_MIN(wait_ms, 1000)) < 0 && errno != EINTR)
            die("poll");
        now = lb_now_us();
        if (fds[0].revents != 0)
            take_connection(listener, now);
        for (size_t i = 0; i < CONNS_MAX; i++)
            if (fds[i + 1].revents & (POLLIN | POLLHUP | POLLERR) && host.peers[i].fd >= 0)
                receive(&host.peers[i], now);
    }
}

/* ---- options ---- */

/* "NAME:SECRET" */
static void set_account(struct lb_target_account *account, const char *value) {
    const char *colon = strchr(value, ':');
    if (colon == NULL || strlen(colon + 1) > LB_SECRET_MAX)
        die(value);
    lb_text_copy(account->name, sizeof account->name, lb_bytes(value, (size_t)(colon - value)));
    account->secret_len = strlen(colon + 1);
    memcpy(account->secret, colon + 1, account->secret_len);
}

static void take_option(const char *option) {
    const char *equals = strchr(option, '=');
    const char *value = equals == NULL ? "" : equals + 1;
    struct lb_bytes name = lb_bytes(option, equals ? (size_t)(equals - option) : strlen(option));
    if (lb_text_is(name, "--port")) {
        host.local.port = (uint16_t)atoi(value);
    } else if (lb_text_is(name, "--address")) {
        lb_addr_parse(lb_bytes_of_text(value), &host.local.addr);
    } else if (lb_text_is(name, "--target")) {
        lb_text_copy(host.node.name, sizeof host.node.name, lb_bytes_of_text(value));
    } else if (lb_text_is(name, "--block-bytes")) {
        host.block_bytes = (uint32_t)atoi(value);
    } else if (lb_text_is(name, "--buffers")) {
        host.has_buffers = true;
    } else if (lb_text_is(name, "--everything")) { /* thin, with persistent reservations */
        host.has_everything = true;
    } else if (lb_text_is(name, "--removable")) {
        host.lun.is_removable = true;
    } else if (lb_text_is(name, "--read-only")) {
        host.lun.read_only = true;
    } else if (lb_text_is(name, "--digests")) {
        host.node.header_digest = host.node.data_digest = LB_DIGEST_PREFER;
    } else if (lb_text_is(name, "--insist-r2t")) {
        host.node.insist_r2t = host.node.refuse_immediate = true;
    } else if (lb_text_is(name, "--chap")) {
        set_account(&host.account, value);
        host.node.accounts = &host.account;
        host.node.account_count = 1;
    } else if (lb_text_is(name, "--mutual")) {
        set_account(&host.node.own, value);
    } else {
        fprintf(stderr, "unknown option %s\n", option);
        exit(2);
    }
}

static int listen_at_port(void) {
    struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(host.local.port)};
    int on = 1, off = 0, fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        die("socket");
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (bind(fd, (struct sockaddr *)&any, sizeof any) < 0 || listen(fd, CONNS_MAX) < 0)
        die("bind");
    return fd;
}

int main(int argc, char **argv) {
    uint8_t seed[LB_RAND_SEED_BYTES];
    lb_text_copy(host.node.name, sizeof host.node.name, lb_bytes_of_text("iqn.2026-11.test:disk1"));
    for (int i = 1; i < argc; i++)
        take_option(argv[i]);
    host.disk = calloc(1, host.disk_bytes);
    host.unmapped = calloc(1, host.disk_bytes / host.block_bytes);
    if (host.disk == NULL || host.unmapped == NULL ||
        getrandom(seed, sizeof seed, 0) != sizeof seed)
        die("set up");
    lb_rand_init(&host.rand, seed);
    host.lun.blocks = host.disk_bytes / host.block_bytes;
    host.lun.block_bytes = host.block_bytes;
    if (host.has_everything) {
        host.lun.is_thin = host.lun.can_keep = true;
        host.lun.physical_exponent = 3;
        host.lun.registrations = host.keys;
        host.lun.registration_cap = LB_COUNT(host.keys);
    }
    host.node.luns[1] = &host.lun;
    host.server = (struct lb_target_server){.nodes = &host.node,
                                            .node_count = 1,
                                            .keeps_memory = !host.has_buffers,
                                            .io_max = host.has_buffers ? IO_MAX : 0};
    for (size_t i = 0; i < CONNS_MAX; i++)
        host.peers[i].fd = -1;
    setvbuf(stdout, NULL, _IOLBF, 0);
    run(listen_at_port());
}
