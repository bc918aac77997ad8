#include "hosts/linux/ike_keeper.h"
#include "core/base/pace.h"
#include "hosts/linux/alone.h"
#include "hosts/linux/ike_names.h"
#include "hosts/linux/ike_watch.h"
#include "hosts/linux/secrets.h"
#include "hosts/linux/seed.h"
#include "hosts/linux/spare.h"
#include "hosts/linux/tunnel.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LOOK_US     (2 * LB_US_SEC)  /* for the session, and for a daemon */
#define DAEMON_US   (10 * LB_US_SEC) /* a daemon is gone after so long */
#define COUNT_US    (30 * LB_US_SEC) /* between two looks at the packets under one key */
#define PAUSE_US    (1 * LB_US_SEC)
#define PAUSE_MAX   (30 * LB_US_SEC)
#define QUIET_US    (10 * LB_US_SEC) /* a login soon after a logout finds all as it was */
#define GOODBYE_US  (2 * LB_US_SEC)
#define PROBE_S     10 /* a peer that has lost the association is not known by anything else */
#define PACKETS_MAX (UINT64_C(1) << 31) /* as core/boot/shield.c has it */

/* What a second process has to know when it steps in: no keys. */
struct ike_told {
    struct lb_ipsec_terms pairs[LB_XFRM_PAIRS_MAX];
    size_t pair_count;
    unsigned deaths; /* of first ones, since the association was up */
};

struct ike_keeper {
    struct lb_ike ike;
    struct lb_ike_config config;
    struct lb_xfrm xfrm;
    struct lb_config policy; /* what the pointers of config lead to */
    struct lb_rand rand;
    struct lb_datagram port; /* fd -1: not open */
    struct lb_ike_watch watch;
    struct lb_endpoint peer; /* of the session */
    bool is_up, is_aside, is_quiet;
    uint64_t quiet_us; /* since when nothing speaks to the peer, where is_quiet */
    unsigned failures, deaths;
    size_t left_over; /* so many of the first pairs are of a process that has died */
    struct lb_ike_name name;
    int name_fd;       /* by which others find us; the second process has it as well; -1: none */
    int spare_fd;      /* the second process; -1: none */
    uint64_t spare_us; /* when one may be started */
    struct ike_told told;
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

/* Somebody ends the process, who may know more than it does. */
static volatile sig_atomic_t is_told_to_end;

static void end_of(int number) {
    (void)number;
    is_told_to_end = 1;
}

/* ---- the association ------------------------------------------------------------------------- */

/* The second process has the port as well: behind a NAT the kernel finds ESP in it meanwhile. So a
 * port that is opened or closed needs another one. */
static void renew_spare(struct ike_keeper *k) {
    lb_spare_end(&k->spare_fd);
    k->spare_us = 0;
}

static enum lb_ike_others look_beside(const struct ike_keeper *k) {
    return lb_ike_names_beside(k->watch.names_fd, &k->name);
}

static bool open_port(struct ike_keeper *k) {
    struct lb_endpoint from = {k->config.local, LB_IKE_NAT_PORT};
    if (k->port.fd >= 0)
        return true;
    if (lb_tunnel_open_ike(from, look_beside(k) == LB_IKE_OTHERS_NONE, &k->port) != 0)
        return false;
    renew_spare(k);
    return true;
}

static void begin_anew(struct ike_keeper *k, uint64_t now_us) {
    if (!open_port(k)) {
        k->anew_us = now_us + LOOK_US;
        return;
    }
    k->anew_us = LB_NEVER;
    k->config.is_second = look_beside(k) == LB_IKE_OTHERS_SAME_IDS;
    lb_ike_init(&k->ike, now_us, &k->config, &k->rand, NULL);
}

/* Pairs of a process that has died serve until there are others: the peer knows nothing of it. */
static void plan_anew(struct ike_keeper *k, uint64_t now_us) {
    lb_ike_end(&k->ike);
    if (k->left_over == 0)
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

static void protect(struct ike_keeper *k, uint64_t now_us, const struct lb_ipsec_terms *agreed) {
    struct lb_ipsec_terms terms = *agreed;
    lb_tunnel_name_port(k->port.fd >= 0 ? &k->port : NULL, &terms);
    int refused = lb_xfrm_protect(&k->xfrm, &terms);
    lb_wipe(&terms, sizeof(terms));
    if (refused) {
        say(k, "the kernel takes no SAs: %s", strerror(refused));
        plan_anew(k, now_us);
        return;
    }
    say(k, k->is_up ? "new keys" : "the association is back");
    k->is_up = true;
    k->failures = k->deaths = 0;
    for (; k->left_over > 0; k->left_over--)
        lb_xfrm_drop(&k->xfrm, k->xfrm.pairs[0].in_spi);
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

/* Keys are renewed long before the numbers under them end, and where the kernel has lost them. */
static void count_packets(struct ike_keeper *k, uint64_t now_us) {
    if (now_us < k->count_us)
        return;
    k->count_us = now_us + COUNT_US;
    if (!k->is_up)
        return;
    bool has_keys = lb_xfrm_has_keys(&k->xfrm, k->config.remote);
    if (!has_keys)
        say(k, "somebody took the kernel's keys away; asking for new ones");
    if (!has_keys || lb_xfrm_packets(&k->xfrm, k->config.remote) >= PACKETS_MAX)
        lb_ike_rekey(&k->ike, now_us);
}

/* An IKE daemon that starts may take away all that the kernel has, and so may a person. */
static void look_for_loss(struct ike_keeper *k, uint64_t now_us) {
    struct lb_xfrm_taken taken = lb_xfrm_taken(k->watch.taken_fd);
    if (taken.policies && lb_xfrm_restore(&k->xfrm, k->is_aside))
        say(k, "somebody took the kernel's policies away; they are back");
    if (taken.sas)
        k->count_us = LB_MIN(k->count_us, now_us);
}

/* ---- the daemon ------------------------------------------------------------------------------ */

/* What the kernel has stays as it is: a daemon's own policies and SAs take its place, and what
 * blocks is put back if the daemon takes it away (look_for_loss). */
static void step_aside(struct ike_keeper *k) {
    say(k, "an IKE daemon runs; it has the association now");
    lb_ike_end(&k->ike);
    lb_datagram_close(&k->port);
    renew_spare(k);
    k->is_aside = true;
    k->is_up = false;
    k->anew_us = LB_NEVER;
}

static void come_back(struct ike_keeper *k, uint64_t now_us) {
    say(k, "the IKE daemon is gone");
    k->is_aside = false;
    k->left_over = 0;
    lb_xfrm_drop_all(&k->xfrm, k->config.remote);
    k->anew_us = now_us;
}

/* A daemon that is started again gets the port in between. */
static void look_for_daemon(struct ike_keeper *k, uint64_t now_us) {
    if (lb_ike_watch_has_daemon(&k->watch)) {
        k->daemon_us = now_us;
        if (!k->is_aside)
            step_aside(k);
    } else if (k->is_aside && now_us >= k->daemon_us + DAEMON_US) {
        come_back(k, now_us);
    }
}

/* ---- the second process ---------------------------------------------------------------------- */

/* Random numbers of its own: another process has had the same ones before it. */
static bool seed(struct ike_keeper *k) {
    uint8_t bytes[LB_RAND_SEED_BYTES];
    if (lb_seed_fill(bytes, 0) == LB_SEED_NONE)
        return false;
    lb_rand_init(&k->rand, bytes);
    lb_wipe(bytes, sizeof(bytes));
    return true;
}

static void heed_signals(void) {
    const struct sigaction action = {.sa_handler = end_of};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    signal(SIGCHLD, SIG_IGN); /* nobody waits for a second process */
}

/* The association died with the process that had it; its pairs are the kernel's, and serve until
 * the peer has agreed on others. Where each one dies at once, they do so ever more slowly. */
static void step_in(struct ike_keeper *k) {
    uint64_t pause_us = k->told.deaths > 0 ? lb_pace(PAUSE_US, PAUSE_MAX, k->told.deaths) : 0;
    (void)poll(NULL, 0, (int)(pause_us / LB_US_MS));
    lb_alone_hold_memory();
    heed_signals();
    close(k->xfrm.fd); /* an answer to the other process may be in it */
    int refused = lb_xfrm_reopen(&k->xfrm);
    if (refused != 0 || !seed(k)) {
        say(k, "lunboot-ike has died, and nobody can step in: %s", strerror(refused));
        _exit(1);
    }
    memcpy(k->xfrm.pairs, k->told.pairs, sizeof(k->told.pairs));
    k->xfrm.pair_count = k->left_over = k->told.pair_count;
    k->deaths = k->told.deaths + 1;
    k->spare_fd = -1;
    k->spare_us = k->count_us = 0;
    k->failures = 0;
    k->is_up = false;
    k->anew_us = k->is_aside ? LB_NEVER : 0;
    say(k, "lunboot-ike has died; another one steps in%s",
        k->is_aside ? "" : ", and agrees on others");
}

static struct ike_told what_to_tell(const struct ike_keeper *k) {
    struct ike_told told;
    memset(&told, 0, sizeof(told));
    memcpy(told.pairs, k->xfrm.pairs, sizeof(told.pairs));
    told.pair_count = k->xfrm.pair_count;
    told.deaths = k->deaths;
    return told;
}

/* In the second process this returns when the first has died. */
static void start_spare(struct ike_keeper *k) {
    k->told = what_to_tell(k);
    switch (lb_spare_fork(&k->spare_fd)) {
    case LB_SPARE_NONE:
    case LB_SPARE_FIRST:
        return;
    case LB_SPARE_SECOND:
        lb_wipe(&k->ike, sizeof(k->ike));
        lb_spare_wait(k->spare_fd, "lunboot-spare", "lunboot-ike",
                      lb_span(&k->told, sizeof(k->told)));
        step_in(k);
    }
}

/* There is always a second one, and it knows which pairs the kernel has. */
static void look_for_spare(struct ike_keeper *k, uint64_t now_us) {
    if (!lb_spare_is_there(k->spare_fd) && now_us >= k->spare_us) {
        lb_spare_end(&k->spare_fd);
        k->spare_us = now_us + LOOK_US;
        start_spare(k);
    }
    struct ike_told told = what_to_tell(k);
    if (k->spare_fd >= 0 && memcmp(&told, &k->told, sizeof(told)) != 0 &&
        lb_spare_tell(k->spare_fd, lb_bytes(&told, sizeof(told))))
        k->told = told;
}

/* ---- until nothing is left to protect -------------------------------------------------------- */

static void wait_until(const struct ike_keeper *k, uint64_t now_us, uint64_t until_us) {
    struct pollfd at[] = {{.fd = k->port.fd, .events = POLLIN},
                          {.fd = k->watch.taken_fd, .events = POLLIN},
                          {.fd = k->spare_fd}};
    uint64_t wait_us = until_us > now_us ? until_us - now_us : 0;
    (void)poll(at, LB_COUNT(at), (int)(LB_MIN(wait_us, LOOK_US) / LB_US_MS) + 1);
}

static bool has_speaker(const struct ike_keeper *k) {
    return lb_ike_watch_has_session(&k->watch) || lb_ike_watch_has_speaker(&k->watch, k->peer);
}

/* The session may be gone for another one to be made: nothing speaks to the peer for a while, or
 * somebody says that nothing will. */
static bool is_over(struct ike_keeper *k, uint64_t now_us) {
    bool was_quiet = k->is_quiet;
    k->is_quiet = !has_speaker(k);
    if (!was_quiet)
        k->quiet_us = now_us;
    return k->is_quiet && (is_told_to_end || now_us >= k->quiet_us + QUIET_US);
}

/* True: nothing is left to protect. False: the process is told to end, although something is. */
static bool serve(struct ike_keeper *k) {
    for (;;) {
        look_for_spare(k, lb_now_us()); /* may return much later, in another process */
        uint64_t now_us = lb_now_us(), until_us = now_us + LOOK_US;
        if (is_over(k, now_us))
            return true;
        if (is_told_to_end)
            return false;
        look_for_loss(k, now_us);
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
    return lb_ike_watch_open(&k->watch, sid) && lb_xfrm_reopen(&k->xfrm) == 0;
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

static bool take(struct ike_keeper *k, const struct lb_ike_handed *handed) {
    if (!seed(k))
        return false;
    k->policy = handed->config;
    k->xfrm = handed->xfrm;
    k->peer = handed->peer;
    configure(k, &handed->xfrm.guards[0]);
    k->name = (struct lb_ike_name){.local = k->config.local,
                                   .remote = k->config.remote,
                                   .in_kernel = true,
                                   .ids = lb_ike_names_ids(k->config.id, k->config.peer_id)};
    k->name_fd = lb_ike_names_take(&k->name);
    k->anew_us = handed->has_ike ? LB_NEVER : 0;
    if (!handed->has_ike)
        return true;
    k->ike = handed->ike;
    k->ike.config.probe_s = PROBE_S;
    lb_ike_adopt(&k->ike, k->config.psk, k->config.id, k->config.peer_id, &k->rand, NULL);
    k->is_up = k->xfrm.pair_count > 0;
    return true;
}

/* What was to be protected must not be in clear, whoever speaks to it later: iscsid may log in
 * again at any time. All else between the two machines may be in clear from now on. */
static void end_with_nothing_left(struct ike_keeper *k) {
    say_goodbye(k);
    lb_xfrm_rest(&k->xfrm, k->peer.port);
    say(k, "the session has ended; clear packets to TCP port %u stay blocked (ip xfrm policy)",
        k->peer.port);
}

/* However it ends, the kernel goes on with what it has: guards that nobody has taken away. */
static void keep(struct ike_keeper *k, uint32_t sid) {
    if (!open_files(k, sid)) {
        say(k, "no process for it: %s; the kernel guards it still", strerror(errno));
        return;
    }
    lb_alone_hold_memory();
    bool has_nothing_left = serve(k);
    lb_spare_end(&k->spare_fd);
    if (has_nothing_left)
        end_with_nothing_left(k);
    else
        say(k, "ended by a signal; nothing goes in clear, and nobody renews the keys");
}

_Noreturn static void be_keeper(const struct lb_ike_handed *handed, int port_fd, uint32_t sid) {
    static struct ike_keeper k;
    lb_alone_begin("lunboot-ike", port_fd);
    heed_signals();
    lb_secrets_guard_memory(&k, sizeof(k));
    k.spare_fd = -1;
    k.port = (struct lb_datagram){.fd = port_fd, .family = handed->xfrm.guards[0].local.family};
    if (take(&k, handed))
        keep(&k, sid);
    lb_wipe(&k, sizeof(k));
    _exit(0);
}

static uint32_t slot_of(struct lb_addr local) {
    return local.family == LB_V4 ? LB_BOOT_SLOT_IPSEC4 : LB_BOOT_SLOT_IPSEC6;
}

bool lb_ike_keeper_take(struct lb_run *run, struct lb_endpoint peer, struct lb_ike_handed *handed) {
    *handed = (struct lb_ike_handed){.xfrm.fd = -1, .peer = peer, .port_fd = -1};
    lb_xfrm_split(&run->loop.xfrm, peer.addr, &handed->xfrm);
    if (handed->xfrm.guard_count == 0)
        return false;
    if (handed->xfrm.guards[0].is_anothers)
        return true;
    lb_tunnel_forget_names(&run->loop); /* lunboot-ike takes it */
    handed->has_ike = lb_boot_hand_over_ike(&run->boot, peer.addr, &handed->ike);
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
    if (handed->xfrm.guards[0].is_anothers) {
        lb_wipe(handed, sizeof(*handed));
        return true;
    }
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
