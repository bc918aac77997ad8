/* A wire with a length and losses between a virtual machine and this machine's network: frames from
 * QEMU's `-netdev dgram` (a unix datagram socket) go to a tap and back, each after a delay, and
 * some never. The kernel here has no netem. Writes what the virtual machine sees, when it sees it,
 * to a capture file.
 *
 *   lunboot-bench-relay --tap=NAME --socket=OURS --peer=QEMUS [--delay-us=N] [--loss-permille=N]
 *                       [--seed=N] [--capture=FILE]
 *
 * The delay is one way, in microseconds; so is the loss, in thousandths of the frames. Ends at
 * SIGTERM. */

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define FRAME_MAX 2048
#define QUEUE_FRAMES                                                                               \
    16384 /* 25 ms at 1 GB/s of full frames; what is more is lost, as in a router */
#define AT_ONCE  64
#define SNAP_MAX 1600

struct frame {
    uint64_t due_us;
    size_t len;
    uint8_t bytes[FRAME_MAX];
};

struct direction {
    int from, to;
    bool to_vm;
    struct frame *ring;
    size_t first, count;
};

static struct sockaddr_un vm_address = {.sun_family = AF_UNIX};
static uint64_t delay_us, random_state = 4173;
static unsigned loss_permille;
static FILE *capture;
static volatile sig_atomic_t is_over;

static void on_term(int signal_number) {
    (void)signal_number;
    is_over = 1;
}

static uint64_t clock_us(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static bool is_lost(void) {
    random_state = random_state * 6364136223846793005 + 1442695040888963407;
    return (random_state >> 33) % 1000 < loss_permille;
}

static void put_u32(uint32_t value) {
    fwrite(&value, sizeof value, 1, capture);
}

static void begin_capture(const char *path) {
    capture = fopen(path, "w");
    if (capture == NULL)
        return;
    put_u32(0xa1b2c3d4);
    put_u32(2 | 4 << 16); /* version 2.4 */
    put_u32(0);
    put_u32(0);
    put_u32(SNAP_MAX);
    put_u32(1); /* Ethernet */
}

static void note(const struct frame *frame) {
    uint64_t now_us = clock_us(CLOCK_REALTIME);
    size_t len = frame->len < SNAP_MAX ? frame->len : SNAP_MAX;
    if (capture == NULL)
        return;
    put_u32((uint32_t)(now_us / 1000000));
    put_u32((uint32_t)(now_us % 1000000));
    put_u32((uint32_t)len);
    put_u32((uint32_t)frame->len);
    fwrite(frame->bytes, len, 1, capture);
}

static void take_in(struct direction *way) {
    static struct frame dropped;
    for (unsigned i = 0; i < AT_ONCE; i++) {
        bool room = way->count < QUEUE_FRAMES;
        struct frame *frame =
            room ? &way->ring[(way->first + way->count) % QUEUE_FRAMES] : &dropped;
        ssize_t len = read(way->from, frame->bytes, FRAME_MAX);
        if (len <= 0)
            return;
        frame->len = (size_t)len;
        frame->due_us = clock_us(CLOCK_MONOTONIC) + delay_us;
        if (!way->to_vm)
            note(frame);
        if (room && !is_lost())
            way->count++;
    }
}

/* False: the receiver has no room; the frame stays. */
static bool pass(const struct direction *way, const struct frame *frame) {
    ssize_t sent = way->to_vm ? sendto(way->to, frame->bytes, frame->len, MSG_DONTWAIT,
                                       (struct sockaddr *)&vm_address, sizeof vm_address)
                              : write(way->to, frame->bytes, frame->len);
    return sent >= 0 || (errno != EAGAIN && errno != ENOBUFS);
}

/* Gives when to come again, in microseconds from now. */
static uint64_t let_out(struct direction *way) {
    for (; way->count > 0; way->count--) {
        const struct frame *frame = &way->ring[way->first];
        uint64_t now_us = clock_us(CLOCK_MONOTONIC);
        if (frame->due_us > now_us)
            return frame->due_us - now_us;
        if (!pass(way, frame))
            return 100;
        if (way->to_vm)
            note(frame);
        way->first = (way->first + 1) % QUEUE_FRAMES;
    }
    return 1000000;
}

static int open_tap(const char *name) {
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
    int tap = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    if (tap < 0 || ioctl(tap, TUNSETIFF, &request) < 0) {
        perror("tap");
        exit(1);
    }
    return tap;
}

static int open_socket(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), room = 4 << 20;
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        perror("socket");
        exit(1);
    }
    setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room);
    return fd;
}

static void run(struct direction ways[2]) {
    while (!is_over) {
        uint64_t a_us = let_out(&ways[0]), b_us = let_out(&ways[1]);
        uint64_t wait_us = a_us < b_us ? a_us : b_us;
        struct timespec wait = {(time_t)(wait_us / 1000000), (long)(wait_us % 1000000) * 1000};
        struct pollfd fds[2] = {{.fd = ways[0].from, .events = POLLIN},
                                {.fd = ways[1].from, .events = POLLIN}};
        if (ppoll(fds, 2, &wait, NULL) <= 0)
            continue;
        for (size_t i = 0; i < 2; i++)
            if (fds[i].revents != 0)
                take_in(&ways[i]);
    }
}

static const char *value_of(const char *word, const char *name) {
    size_t len = strlen(name);
    return strncmp(word, name, len) == 0 ? word + len : NULL;
}

int main(int argc, char **argv) {
    const char *tap_name = NULL, *path = NULL, *value;
    for (int i = 1; i < argc; i++) {
        if ((value = value_of(argv[i], "--tap=")) != NULL)
            tap_name = value;
        else if ((value = value_of(argv[i], "--socket=")) != NULL)
            path = value;
        else if ((value = value_of(argv[i], "--peer=")) != NULL)
            snprintf(vm_address.sun_path, sizeof vm_address.sun_path, "%s", value);
        else if ((value = value_of(argv[i], "--delay-us=")) != NULL)
            delay_us = strtoull(value, NULL, 10);
        else if ((value = value_of(argv[i], "--loss-permille=")) != NULL)
            loss_permille = (unsigned)strtoul(value, NULL, 10);
        else if ((value = value_of(argv[i], "--seed=")) != NULL)
            random_state = strtoull(value, NULL, 10);
        else if ((value = value_of(argv[i], "--capture=")) != NULL)
            begin_capture(value);
    }
    if (tap_name == NULL || path == NULL || vm_address.sun_path[0] == 0) {
        fprintf(stderr, "usage: see the head of delay_relay.c\n");
        return 2;
    }
    struct sigaction term = {.sa_handler = on_term};
    sigaction(SIGTERM, &term, NULL);
    int tap = open_tap(tap_name), vm = open_socket(path);
    struct direction ways[2] = {{.from = tap, .to = vm, .to_vm = true},
                                {.from = vm, .to = tap, .to_vm = false}};
    for (size_t i = 0; i < 2; i++)
        if ((ways[i].ring = calloc(QUEUE_FRAMES, sizeof *ways[i].ring)) == NULL)
            return 1;
    run(ways);
    if (capture != NULL)
        fclose(capture);
    return 0;
}
