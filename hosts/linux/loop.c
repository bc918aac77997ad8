#include "hosts/linux/tunnel.h"
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define SPIN_US     50 /* a peer's wake-up on a virtual machine takes 20 to 30: bench/NOTES.md */
#define SPIN_PART   16 /* of what is in flight: bench/NOTES.md */
#define PENALTY_MAX 63
#define EVENTS_MAX  16

#define PASSES_WITHOUT_WAIT 64

void lb_loop_add(struct lb_loop *loop, int fd, uint32_t events, uint32_t source) {
    struct epoll_event event = {.events = events, .data.u32 = source};
    epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

static sigset_t our_signals(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    return set;
}

bool lb_loop_open(struct lb_loop *loop, struct lb_boot *boot, struct lb_iface *iface,
                  struct lb_error *error) {
    sigset_t set = our_signals();

    *loop = (struct lb_loop){.boot = boot, .iface = iface, .is_bound = iface != NULL};
    loop->arp.fd = loop->tun.fd = loop->xfrm.fd = -1;
    for (uint32_t i = 0; i < LB_BOOT_SLOTS_MAX; i++)
        loop->slots[i] = (struct lb_slot){.fd = -1, .udp_fd = -1};
    lb_pump_init(&loop->pump, boot, (struct lb_host *)(void *)loop, loop->pieces,
                 LB_LOOP_PIECES_MAX);
    /* A shell starts what runs in its background with SIGINT ignored, and an ignored signal is no
     * event. */
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    sigprocmask(SIG_BLOCK, &set, NULL);
    loop->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (loop->epoll_fd < 0 || loop->signal_fd < 0) {
        lb_fail(error, LB_E_HOST_NETWORK, "opening descriptors: %s", strerror(errno));
        return false;
    }
    lb_loop_add(loop, loop->signal_fd, EPOLLIN, LB_FROM_SIGNAL);
    if (iface)
        lb_loop_add(loop, iface->netlink.events_fd, EPOLLIN, LB_FROM_NETLINK);
    return true;
}

void lb_loop_close(struct lb_loop *loop) {
    sigset_t set = our_signals();
    for (uint32_t i = 0; i < LB_BOOT_SLOTS_MAX; i++)
        lb_slot_close(loop, i);
    lb_arp_socket_close(&loop->arp);
    lb_tun_close(&loop->tun);
    lb_xfrm_close(&loop->xfrm);
    lb_tunnel_forget_names(loop);
    close(loop->signal_fd);
    close(loop->epoll_fd);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

void lb_loop_watch(struct lb_loop *loop, int fd) {
    lb_loop_add(loop, fd, EPOLLOUT, LB_FROM_CALLER);
}

void lb_loop_unwatch(struct lb_loop *loop, int fd) {
    epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
}

/* ---- what the engine asks for ---------------------------------------------------------------- */

/* What else happens on the interface because of us is told. */
static void report_take_over(struct lb_loop *loop, uint64_t now_us) {
    struct lb_report *report = lb_boot_report(loop->boot);
    const struct lb_iface *iface = loop->iface;
    if (loop->link_told || !iface->v6.is_ours)
        return;
    if (iface->v6.remark[0])
        lb_report_learned(report, now_us, LB_STAGE_LINK, "warning", "this machine", "%s",
                          iface->v6.remark);
    else
        lb_report_decided(report, now_us, LB_STAGE_LINK, "autoconfiguration", "this machine",
                          "the kernel's own for IPv6 is off on %s during the boot", iface->name);
}

void lb_host_link(struct lb_host *host, uint64_t now_us) {
    struct lb_loop *loop = lb_slot_loop(host);
    struct lb_error error = {0};
    if (!lb_iface_raise(loop->iface, &error)) {
        lb_boot_host_failed(loop->boot, now_us, &error);
        return;
    }
    report_take_over(loop, now_us);
    loop->link_told = true;
    lb_boot_link(loop->boot, now_us, loop->iface->link.has_carrier);
}

static bool open_arp(struct lb_loop *loop) {
    if (loop->arp.fd >= 0)
        return true;
    if (lb_arp_socket_open(&loop->arp, loop->iface->link.index, loop->iface->found.mac) != 0)
        return false;
    lb_loop_add(loop, loop->arp.fd, EPOLLIN, LB_FROM_ARP);
    return true;
}

/* Gives the answer when there is one; none takes 100 ms. */
static void poll_arp(struct lb_loop *loop, uint64_t now_us) {
    enum lb_arp_event answer;
    struct lb_addr asked = loop->arp.probe.addr; /* which the answer clears */
    if (loop->arp.fd < 0)
        return;
    answer = lb_arp_socket_poll(&loop->arp, now_us);
    if (answer != LB_ARP_WAIT)
        lb_boot_probed(loop->boot, now_us, asked, answer == LB_ARP_TAKEN);
}

static void poll_probes6(struct lb_loop *loop, uint64_t now_us) {
    struct lb_addr addr;
    bool conflict;
    if (!loop->probes6_due)
        return;
    loop->probes6_due = false;
    while (lb_iface6_next(&loop->iface->v6, &loop->iface->netlink, &addr, &conflict))
        lb_boot_probed(loop->boot, now_us, addr, conflict);
}

void lb_host_probe(struct lb_host *host, uint64_t now_us, const struct lb_boot_action *action) {
    struct lb_loop *loop = lb_slot_loop(host);
    struct lb_addr addr = action->probe;
    if (addr.family == LB_V6) {
        lb_iface6_probe(&loop->iface->v6, &loop->iface->netlink,
                        (struct lb_prefix){addr, action->probe_len});
        loop->probes6_due = true; /* it may be there already */
        return;
    }
    if (!open_arp(loop)) { /* without a way to ask, nobody is known to have it */
        lb_boot_probed(loop->boot, now_us, addr, false);
        return;
    }
    lb_arp_start(&loop->arp.probe, now_us, addr);
    poll_arp(loop, now_us);
}

void lb_host_set_address(struct lb_host *host, uint64_t now_us, const struct lb_boot_net *net) {
    struct lb_loop *loop = lb_slot_loop(host);
    bool is_new = lb_addr_is_set(net->address.addr) &&
                  !lb_addr_equal(loop->iface->net.address.addr, net->address.addr);
    const char *why = lb_iface_configure(loop->iface, net);
    if (!why && is_new && open_arp(loop))
        lb_arp_socket_announce(&loop->arp, net->address.addr);
    if (loop->iface->remark[0])
        lb_report_learned(lb_boot_report(loop->boot), now_us, LB_STAGE_DHCP, "warning",
                          "this machine", "%s", loop->iface->remark);
    lb_boot_address_set(loop->boot, now_us, why);
}

void lb_host_clear_address(struct lb_host *host) {
    lb_iface_clear(lb_slot_loop(host)->iface);
}

/* ---- waiting --------------------------------------------------------------------------------- */

static void take_signal(struct lb_loop *loop) {
    struct signalfd_siginfo info;
    if (read(loop->signal_fd, &info, sizeof(info)) == sizeof(info))
        loop->signal = (int)info.ssi_signo;
}

static void take_link_events(struct lb_loop *loop, uint64_t now_us) {
    unsigned changed = lb_iface_changed(loop->iface);
    if (changed & LB_NETLINK_ADDRS6)
        loop->probes6_due = true;
    if ((changed & LB_NETLINK_LINK) && loop->link_told)
        lb_boot_link(loop->boot, now_us, loop->iface->link.has_carrier);
}

static bool take_slot_event(struct lb_loop *loop, uint32_t number, uint64_t now_us) {
    switch (loop->pump.slots[number]) {
    case LB_PUMP_FREE:
        return false;
    case LB_PUMP_DATAGRAM:
        lb_slot_receive(loop, number, now_us);
        return false;
    case LB_PUMP_CONNECTING:
        lb_slot_connected(loop, number, now_us);
        return false;
    case LB_PUMP_STREAM:
        loop->slots[number].is_full = false;
        return lb_pump_read_slot(&loop->pump, now_us, number);
    }
    return false;
}

/* True: something came that the caller of the loop may want to look at. */
static bool take_event(struct lb_loop *loop, uint32_t source, uint64_t now_us) {
    switch (source) {
    case LB_FROM_SIGNAL:
        take_signal(loop);
        return true;
    case LB_FROM_NETLINK:
        take_link_events(loop, now_us);
        return false;
    case LB_FROM_ARP:
        return false; /* looked at in every pass */
    case LB_FROM_TUN:
        lb_tunnel_send(loop);
        return false;
    case LB_FROM_CALLER:
        return true;
    default:
        return take_slot_event(loop, source - LB_FROM_SLOT, now_us);
    }
}

static uint64_t deadline(const struct lb_loop *loop, uint64_t until_us) {
    until_us = LB_MIN(until_us, loop->pump.until_us);
    if (loop->arp.fd >= 0 && lb_addr_is_set(loop->arp.probe.addr))
        until_us = LB_MIN(until_us, loop->arp.probe.until_us);
    return until_us;
}

static bool wait_for_events(struct lb_loop *loop, uint64_t now_us, uint64_t until_us) {
    struct epoll_event events[EVENTS_MAX];
    uint64_t left_ms = until_us <= now_us ? 0 : (until_us - now_us + 999) / 1000;
    int count, timeout = until_us == LB_NEVER ? -1 : (int)LB_MIN(left_ms, UINT64_C(3600000));
    bool has_work = false;

    for (uint32_t i = 0; i < LB_BOOT_SLOTS_MAX; i++)
        lb_slot_set_interest(loop, i);
    loop->waits++;
    count = epoll_wait(loop->epoll_fd, events, EVENTS_MAX, timeout);
    now_us = lb_now_us();
    for (int i = 0; i < count; i++)
        has_work = take_event(loop, events[i].data.u32, now_us) || has_work;
    return has_work;
}

/* ---- the streams ----------------------------------------------------------------------------- */

static size_t in_flight(const struct lb_loop *loop) {
    return lb_initiator_in_flight(lb_boot_session(loop->boot));
}

static bool read_streams(struct lb_loop *loop, uint64_t now_us) {
    size_t before = in_flight(loop);
    bool came = lb_pump_read(&loop->pump, now_us);
    if (came)
        loop->spin.answered = before - LB_MIN(before, in_flight(loop));
    return came;
}

static bool has_stream(const struct lb_loop *loop) {
    for (uint32_t i = 0; i < LB_BOOT_SLOTS_MAX; i++) {
        if (loop->pump.slots[i] == LB_PUMP_STREAM)
            return true;
    }
    return false;
}

/* A server that answers less than this part of what it was asked is busy with the rest: sleeping
 * lets its answers gather. */
static bool answers_come_fast(const struct lb_loop *loop) {
    return loop->spin.answered * SPIN_PART >= in_flight(loop);
}

/* Looks again and again for a moment before it sleeps; each time that was in vain it skips more of
 * the following occasions, so that on a network with some delay this ends by itself. */
static bool spin(struct lb_loop *loop, uint64_t now_us, uint64_t until_us) {
    uint64_t end_us = LB_MIN(now_us + SPIN_US, until_us);
    if (!has_stream(loop) || !answers_come_fast(loop))
        return false;
    if (loop->spin.skip > 0) {
        loop->spin.skip--;
        return false;
    }
    while (now_us < end_us) {
        if (read_streams(loop, now_us)) {
            loop->spin.penalty /= 2;
            return true;
        }
        now_us = lb_now_us();
    }
    loop->spin.penalty = LB_MIN(2 * loop->spin.penalty + 1, PENALTY_MAX);
    loop->spin.skip = loop->spin.penalty;
    return false;
}

/* ---- running --------------------------------------------------------------------------------- */

/* What of the engine's word is the caller's; WORK: nothing. */
static enum lb_loop_event event_of(enum lb_boot_event word) {
    return word == LB_BOOT_READY    ? LB_LOOP_READY
           : word == LB_BOOT_OFFERS ? LB_LOOP_OFFERS
           : word == LB_BOOT_FAILED ? LB_LOOP_FAILED
           : word == LB_BOOT_OUT    ? LB_LOOP_OUT
                                    : LB_LOOP_WORK;
}

/* Lets the engine work on what came, so that the caller finds what has completed by it. */
static enum lb_loop_event after_input(struct lb_loop *loop) {
    if (loop->signal) {
        loop->signal = 0;
        return LB_LOOP_INTERRUPTED;
    }
    return event_of(lb_pump_serve(&loop->pump, lb_now_us()));
}

enum lb_loop_event lb_loop_run(struct lb_loop *loop, uint64_t until_us) {
    for (;;) {
        enum lb_loop_event event;
        uint64_t now_us = lb_now_us(), until;
        poll_arp(loop, now_us);
        do {
            poll_probes6(loop, now_us);
            event = event_of(lb_pump_run(&loop->pump, now_us));
            if (event != LB_LOOP_WORK)
                return event;
        } while (loop->probes6_due);
        if (++loop->passes % PASSES_WITHOUT_WAIT == 0) { /* a busy stream would hide all others */
            if (wait_for_events(loop, now_us, now_us))
                return after_input(loop);
            event = event_of(lb_pump_serve(&loop->pump, now_us));
            if (event != LB_LOOP_WORK) /* what came is worked on before any sleep */
                return event;
        }
        if (read_streams(loop, now_us))
            return after_input(loop);
        until = deadline(loop, until_us);
        if (loop->signal || spin(loop, now_us, until) || wait_for_events(loop, now_us, until))
            return after_input(loop);
        if (lb_now_us() >= until_us)
            return LB_LOOP_WORK;
    }
}
