/* The event loop: carries out what the engine asks for, with epoll and non-blocking sockets.
 *
 *   lb_loop_open
 *   lb_boot_init
 *   loop: lb_loop_run   -->  WORK: take completions (lb_boot_completed), submit more, call again
 *                            READY, OFFERS, FAILED, OUT: the engine's word; INTERRUPTED
 *   lb_loop_close
 *
 * One pass of the loop is one writev of all that is to be sent, one readv of what has come, and an
 * epoll_wait only when nothing has: bench/NOTES.md says why. */
#ifndef LB_LINUX_LOOP_H
#define LB_LINUX_LOOP_H

#include "core/boot/boot_state.h"
#include "core/boot/pump.h"
#include "hosts/linux/arp.h"
#include "hosts/linux/iface.h"
#include "hosts/linux/ike_names.h"
#include "hosts/linux/xfrm.h"
#include "os/linux/clock.h"
#include "os/linux/datagram.h"
#include "os/linux/packet.h"
#include "os/linux/tun.h"

enum lb_loop_event {
    LB_LOOP_WORK, /* something came, or until_us is over */
    LB_LOOP_READY,
    LB_LOOP_OFFERS,
    LB_LOOP_FAILED,
    LB_LOOP_OUT,
    LB_LOOP_INTERRUPTED, /* SIGINT, SIGTERM or SIGHUP; once for each */
};

/* The sockets behind a slot; the pump knows what it is open for. */
struct lb_slot {
    int fd;                      /* of a connection, or the packet socket of DHCP; -1: none */
    int udp_fd;                  /* DHCP, beside fd: -1 until there is an address to send from */
    struct lb_addr udp_addr;     /* what udp_fd is bound to */
    struct lb_datagram datagram; /* of DHCPv6, routers, services */
    uint32_t interest;           /* epoll events that are set */
    bool is_protected;           /* it is never in clear; not DHCP's */
    bool is_full;                /* a connection: the last send took less than was given */
};

/* Spins: tries again for a while before it sleeps, where that has been worth it. */
struct lb_spin {
    unsigned skip; /* so many waits will not spin */
    unsigned penalty;
    size_t answered; /* commands that the last read completed */
};

/* Of one writev: two for each of the deepest queue's commands; IOV_MAX is 1024. */
#define LB_LOOP_PIECES_MAX 512

struct lb_tunnel_name {
    struct lb_ike_name name;
    int fd; /* which has it */
};

struct lb_loop {
    struct lb_boot *boot;
    struct lb_iface *iface; /* NULL: the machine's own network */
    bool is_bound;          /* sockets are bound to the interface */
    int epoll_fd, signal_fd;
    int signal; /* the last that came */
    struct lb_pump pump;
    struct lb_bytes pieces[LB_LOOP_PIECES_MAX];
    struct lb_slot slots[LB_BOOT_SLOTS_MAX];
    bool in_kernel;      /* what is protected is so by the kernel: xfrm; else by tun */
    struct lb_tun tun;   /* of protected connections; fd -1: not open */
    struct lb_xfrm xfrm; /* fd -1: not open */
    struct lb_tunnel_name names[LB_SHIELD_PEERS]; /* by which other lunboots find this one */
    size_t name_count;
    bool has_others;          /* other lunboots on this machine speak IKE */
    struct lb_arp_socket arp; /* fd -1: not open */
    bool link_told;           /* the engine has asked for the link's state */
    bool has_announced;
    struct lb_spin spin;
    uint64_t passes;
    uint64_t reads, writes, waits; /* system calls, for benchmarks */
    bool probes6_due;              /* addresses of IPv6 may have been answered */
    uint8_t packet[LB_DATAGRAM_MAX];
};

/* iface: as lb_iface_open left it, or NULL. Blocks SIGINT, SIGTERM and SIGHUP for the process, to
 * take them as events. False: HOST_NETWORK. */
bool lb_loop_open(struct lb_loop *loop, struct lb_boot *boot, struct lb_iface *iface,
                  struct lb_error *error);
/* Closes all sockets; signals come as usual again. The interface stays as it is. */
void lb_loop_close(struct lb_loop *loop);
/* Runs until there is something to say, and until until_us (LB_NEVER) at the longest. */
enum lb_loop_event lb_loop_run(struct lb_loop *loop, uint64_t until_us);
/* Watches one more descriptor for its being writable, such as the pipe that is written to:
 * lb_loop_run then gives WORK. */
void lb_loop_watch(struct lb_loop *loop, int fd);
void lb_loop_unwatch(struct lb_loop *loop, int fd); /* ends lb_loop_watch; before fd is closed */

/* What errno of a connection attempt, or of a connection, means to the engine. */
enum lb_initiator_lost lb_loop_lost(int error, bool was_open);

#endif
