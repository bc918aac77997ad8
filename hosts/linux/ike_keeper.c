#include "hosts/linux/ike_keeper.h"
#include "core/base/pace.h"
#include "hosts/linux/alone.h"
#include "hosts/linux/secrets.h"
#include "hosts/linux/seed.h"
#include "hosts/linux/tunnel.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LOOK_US     (2 * LB_US_SEC)  /* for the session, and for a daemon */
#define DAEMON_US   (10 * LB_US_SEC) /* a daemon is gone after so long */
#define COUNT_US    (30 * LB_US_SEC) /* between two looks at the packets under one key */
#define PAUSE_US    (1 * LB_US_SEC)
#define PAUSE_MAX   (30 * LB_US_SEC)
#define GOODBYE_US  (2 * LB_US_SEC)
#define PROBE_S     10 /* a peer that has lost the association is not known by anything else */
#define PACKETS_MAX (UINT64_C(1) << 31) /* as core/boot/shield.c has it */

struct ike_keeper {
    struct lb_ike ike;
    struct lb_ike_config config;
    struct lb_xfrm xfrm;
    struct lb_config policy; /* what the pointers of config lead to */
    struct lb_rand rand;
    struct lb_datagram port; /* fd -1: not open */
    int session_fd;          /* the session's state in sysfs */
    int udp_fd, udp6_fd;     /* /proc/net/udp */
    bool is_up, is_aside;
    unsigned failures;
    uint64_t anew_us;             /* when IKE begins anew; LB_NEVER: it runs */
    uint64_t count_us, daemon_us; /* of the next look at the packets; when a daemon was seen */
};

__attribute__((format(printf, 2, 3))) static void say(const struct ike_keeper *k,
                                                      const char *format, ...) {
    char line[512];
    struct lb_text text = lb_text(line, sizeof(line));
    va_list arguments;
    lb_text_add(&text, "<5>lunboot: IPsec with %s: ", lb_addr_text(k->config.remote).s);
    va_start(arguments, format);
    lb_text_addv(&text, format, arguments);
    va_end(arguments);
    lb_text_add(&text, "\n");
    (void)!write(STDERR_FILENO, line, text.len);
}

/* ---- what it sees ---------------------------------------------------------------------------- */

static bool has_session(const struct ike_keeper *k) {
    char text[32];
    return pread(k->session_fd, text, sizeof(text), 0) > 0;
}

/* "  12: 00000000:01F4 00000000:0000 07 ...": number, local address and port. */
bool lb_ike_keeper_is_daemon(struct lb_bytes line) {
    struct lb_bytes word = {0}, address, port;
    uint64_t number;
    for (unsigned words = 0; words < 2; words++)
        do
            if (!lb_list_next(&line, ' ', &word))
                return false;
        while (word.len == 0);
    return lb_list_next(&word, ':', &address) && lb_list_next(&word, ':', &port) &&
           lb_parse_hex_u64(port, &number) && number == LB_IKE_PORT;
}

static bool has_daemon(const struct ike_keeper *k) {
    const int fds[] = {k->udp_fd, k->udp6_fd};
    struct lb_bytes line;
    for (size_t i = 0; i < LB_COUNT(fds); i++) {
        struct lb_lines lines = {.fd = fds[i]};
        while (fds[i] >= 0 && lb_lines_next(&lines, &line))
            if (lb_ike_keeper_is_daemon(line))
                return true;
    }
    return false;
}

/* ---- the association ------------------------------------------------------------------------- */

static bool open_port(struct ike_keeper *k) {
    struct lb_endpoint from = {k->config.local, LB_IKE_NAT_PORT};
    return k->port.fd >= 0 || lb_tunnel_open_ike(from, &k->port) == 0;
}

static void begin_anew(struct ike_keeper *k, uint64_t now_us) {
    if (!open_port(k)) {
        k->anew_us = now_us + LOOK_US;
        return;
    }
    k->anew_us = LB_NEVER;
    lb_ike_init(&k->ike, now_us, &k->config, &k->rand, NULL);
}

static void plan_anew(struct ike_keeper *k, uint64_t now_us) {
    lb_ike_end(&k->ike);
    lb_xfrm_drop_all(&k->xfrm, k->config.remote);
    k->is_up = false;
    k->anew_us = now_us + lb_pace(PAUSE_US, PAUSE_MAX, k->failures++);
}

static void lost(struct ike_keeper *k, uint64_t now_us) {
    if (k->failures == 0)
        say(k, "%s: %s; trying until it is back", lb_code_word(k->ike.error.code),
            k->ike.error.facts);
    plan_anew(k, now_us);
}

static void protect(struct ike_keeper *k, uint64_t now_us, const struct lb_ipsec_terms *terms) {
    int refused = lb_xfrm_protect(&k->xfrm, terms);
    if (refused) {
        say(k, "the kernel takes no SAs: %s", strerror(refused));
        plan_anew(k, now_us);
        return;
    }
    say(k, k->is_up ? "new keys" : "the association is back");
    k->is_up = true;
    k->failures = 0;
}

/* One thing that the association wants. False: nothing until *until_us. */
static bool act(struct ike_keeper *k, uint64_t now_us, uint64_t *until_us) {
    if (now_us >= k->anew_us)
        begin_anew(k, now_us);
    if (k->anew_us != LB_NEVER) {
        *until_us = LB_MIN(*until_us, k->anew_us);
        return false;
    }
    struct lb_ike_action did = lb_ike_poll(&k->ike, now_us);
    switch (did.event) {
    case LB_IKE_WAIT:
        *until_us = LB_MIN(*until_us, did.until_us);
        return false;
    case LB_IKE_SEND:
        lb_datagram_send(&k->port, (struct lb_endpoint){0}, did.to, did.bytes);
        return true;
    case LB_IKE_UP:
        protect(k, now_us, did.terms);
        return true;
    case LB_IKE_GONE:
        lb_xfrm_drop(&k->xfrm, did.spi);
        return true;
    case LB_IKE_FAILED:
        lost(k, now_us);
        return true;
    }
    return false;
}

static void receive(struct ike_keeper *k, uint64_t now_us) {
    static uint8_t room[LB_DATAGRAM_MAX];
    struct lb_endpoint from, to = {k->config.local, LB_IKE_NAT_PORT};
    struct lb_bytes payload;
    while (k->port.fd >= 0 &&
           lb_datagram_receive(&k->port, lb_span(room, sizeof(room)), &from, &payload))
        if (k->anew_us == LB_NEVER)
            (void)lb_ike_input(&k->ike, now_us, from, to, lb_span(room, payload.len));
}

/* Keys are renewed long before the numbers under them end. */
static void count_packets(struct ike_keeper *k, uint64_t now_us) {
    if (now_us < k->count_us)
        return;
    k->count_us = now_us + COUNT_US;
    if (k->is_up && lb_xfrm_packets(&k->xfrm, k->config.remote) >= PACKETS_MAX)
        lb_ike_rekey(&k->ike, now_us);
}

/* ---- the daemon ------------------------------------------------------------------------------ */

/* What the kernel has stays as it is: a daemon's own policies and SAs take its place. */
static void step_aside(struct ike_keeper *k) {
    say(k, "an IKE daemon runs; it has the association now");
    lb_ike_end(&k->ike);
    lb_datagram_close(&k->port);
    k->is_aside = true;
    k->is_up = false;
    k->anew_us = LB_NEVER;
}

static void come_back(struct ike_keeper *k, uint64_t now_us) {
    say(k, "the IKE daemon is gone");
    k->is_aside = false;
    lb_xfrm_drop_all(&k->xfrm, k->config.remote);
    k->anew_us = now_us;
}

/* A daemon that is started again gets the port in between. */
static void look_for_daemon(struct ike_keeper *k, uint64_t now_us) {
    if (has_daemon(k)) {
        k->daemon_us = now_us;
        if (!k->is_aside)
            step_aside(k);
    } else if (k->is_aside && now_us >= k->daemon_us + DAEMON_US) {
        come_back(k, now_us);
    }
}

/* ---- until the session is gone --------------------------------------------------------------- */

static void wait_until(const struct ike_keeper *k, uint64_t now_us, uint64_t until_us) {
    struct pollfd at = {.fd = k->port.fd, .events = POLLIN};
    uint64_t wait_us = until_us > now_us ? until_us - now_us : 0;
    (void)poll(&at, 1, (int)(LB_MIN(wait_us, LOOK_US) / LB_US_MS) + 1);
}

static void serve(struct ike_keeper *k) {
    while (has_session(k)) {
        uint64_t now_us = lb_now_us(), until_us = now_us + LOOK_US;
        look_for_daemon(k, now_us);
        receive(k, now_us);
        count_packets(k, now_us);
        while (!k->is_aside && act(k, now_us, &until_us))
            continue;
        wait_until(k, now_us, until_us);
    }
}

static void say_goodbye(struct ike_keeper *k) {
    uint64_t end_us = lb_now_us() + GOODBYE_US;
    if (k->is_aside || k->anew_us != LB_NEVER)
        return;
    lb_ike_close(&k->ike, lb_now_us());
    while (k->ike.state != LB_IKE_OVER && lb_now_us() < end_us) {
        uint64_t now_us = lb_now_us(), until_us = end_us;
        while (k->ike.state != LB_IKE_OVER && act(k, now_us, &until_us))
            continue;
        wait_until(k, now_us, LB_MIN(until_us, end_us));
        receive(k, now_us);
    }
}

/* ---- the process ----------------------------------------------------------------------------- */

static bool open_files(struct ike_keeper *k, uint32_t sid) {
    char path[64];
    lb_format(path, sizeof(path), "/sys/class/iscsi_session/session%u/state", sid);
    k->session_fd = open(path, O_RDONLY | O_CLOEXEC);
    k->udp_fd = open("/proc/net/udp", O_RDONLY | O_CLOEXEC);
    k->udp6_fd = open("/proc/net/udp6", O_RDONLY | O_CLOEXEC);
    struct lb_xfrm opened;
    if (k->session_fd < 0 || k->udp_fd < 0 || lb_xfrm_open(&opened) != 0)
        return false;
    k->xfrm.fd = opened.fd;
    k->xfrm.seq = 0;
    return true;
}

/* As core/boot/shield.c has it. */
static void configure(struct ike_keeper *k, const struct lb_xfrm_guard *guard) {
    k->config = (struct lb_ike_config){
        .psk = lb_config_secret(&k->policy, LB_KEY_IPSEC_PSK),
        .id = lb_config_text(&k->policy, LB_KEY_IPSEC_ID),
        .peer_id = lb_config_text(&k->policy, LB_KEY_IPSEC_PEER_ID),
        .local = guard->local,
        .remote = guard->remote,
        .mode = guard->mode,
        .selector = {.local = guard->local,
                     .remote = guard->remote,
                     .local_last = UINT16_MAX,
                     .remote_last = UINT16_MAX},
        .no_ports = true,
        .probe_s = PROBE_S,
        .give_up_s = LB_SHIELD_GIVE_UP_S,
    };
}

/* Random numbers of its own: the boot that has ended had the same ones before it. */
static bool take(struct ike_keeper *k, const struct lb_ike_handed *handed) {
    uint8_t seed[LB_RAND_SEED_BYTES];
    if (lb_seed_fill(seed, 0) == LB_SEED_NONE)
        return false;
    lb_rand_init(&k->rand, seed);
    lb_wipe(seed, sizeof(seed));
    k->policy = handed->config;
    k->xfrm = handed->xfrm;
    configure(k, &handed->xfrm.guards[0]);
    k->anew_us = handed->has_ike ? LB_NEVER : 0;
    if (!handed->has_ike)
        return true;
    k->ike = handed->ike;
    k->ike.config.probe_s = PROBE_S;
    lb_ike_adopt(&k->ike, k->config.psk, k->config.id, k->config.peer_id, &k->rand, NULL);
    k->is_up = k->xfrm.pair_count > 0;
    return true;
}

_Noreturn static void be_keeper(const struct lb_ike_handed *handed, int port_fd, uint32_t sid) {
    static struct ike_keeper k;
    lb_alone_begin("lunboot-ike", port_fd);
    lb_secrets_guard_memory(&k, sizeof(k));
    k.port = (struct lb_datagram){.fd = port_fd, .family = handed->xfrm.guards[0].local.family};
    if (take(&k, handed) && open_files(&k, sid)) {
        lb_alone_hold_memory();
        serve(&k);
        say_goodbye(&k);
        lb_xfrm_close(&k.xfrm);
    }
    lb_wipe(&k, sizeof(k));
    _exit(0);
}

static uint32_t slot_of(struct lb_addr local) {
    return local.family == LB_V4 ? LB_BOOT_SLOT_IPSEC4 : LB_BOOT_SLOT_IPSEC6;
}

bool lb_ike_keeper_take(struct lb_run *run, struct lb_addr remote, struct lb_ike_handed *handed) {
    *handed = (struct lb_ike_handed){.xfrm.fd = -1, .port_fd = -1};
    lb_xfrm_split(&run->loop.xfrm, remote, &handed->xfrm);
    if (handed->xfrm.guard_count == 0)
        return false;
    handed->has_ike = lb_boot_hand_over_ike(&run->boot, remote, &handed->ike);
    handed->config = run->config;
    uint32_t slot = slot_of(handed->xfrm.guards[0].local);
    if (run->loop.pump.slots[slot] == LB_PUMP_DATAGRAM)
        handed->port_fd =
            fcntl(run->loop.slots[slot].datagram.fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    return true;
}

struct lb_guarded lb_ike_keeper_guarded(const struct lb_ike_handed *handed) {
    const struct lb_xfrm_guard *guard = &handed->xfrm.guards[0];
    return handed->xfrm.guard_count == 0 ? (struct lb_guarded){0}
                                         : (struct lb_guarded){guard->local, guard->remote};
}

bool lb_ike_keeper_start(struct lb_ike_handed *handed, uint32_t sid, struct lb_error *error) {
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        be_keeper(handed, handed->port_fd, sid);
    if (pid < 0)
        lb_fail(error, LB_E_HAND_OVER, "a process for it: %s", strerror(errno));
    if (handed->port_fd >= 0)
        close(handed->port_fd);
    lb_wipe(handed, sizeof(*handed));
    return pid > 0;
}
