/* The sockets behind the engine's slots: what the pump asks of them (core/boot/pump.h), and what
 * loop.c does. */
#ifndef LB_LINUX_SLOT_H
#define LB_LINUX_SLOT_H

#include "hosts/linux/loop.h"

/* What an epoll event is about. */
enum lb_loop_source {
    LB_FROM_SLOT, /* + the slot's number */
    LB_FROM_SIGNAL = LB_BOOT_SLOTS_MAX,
    LB_FROM_NETLINK,
    LB_FROM_ARP,
    LB_FROM_TUN,
    LB_FROM_CALLER,
};
/* Has epoll watch fd for these EPOLL events, to be told as from source. */
void lb_loop_add(struct lb_loop *loop, int fd, uint32_t events, uint32_t source);

/* The loop of a host's function. */
struct lb_loop *lb_slot_loop(struct lb_host *host);
/* Gives the engine all datagrams that have come. */
void lb_slot_receive(struct lb_loop *loop, uint32_t number, uint64_t now_us);
/* The connection attempt has ended, in one way or the other. */
void lb_slot_connected(struct lb_loop *loop, uint32_t number, uint64_t now_us);
/* Sets what epoll is to look for: room where something waits to be sent, bytes where they are
 * wanted. */
void lb_slot_set_interest(struct lb_loop *loop, uint32_t number);
/* Closes the slot's sockets; harmless where it is free. */
void lb_slot_close(struct lb_loop *loop, uint32_t number);
/* The stream's descriptor, which is the caller's from now on, and out of the loop; -1: none. */
int lb_slot_release(struct lb_loop *loop, uint32_t number);

#endif
