/* The sockets behind the engine's slots. Used by loop.c alone. */
#ifndef LB_LINUX_SLOT_H
#define LB_LINUX_SLOT_H

#include "hosts/linux/loop.h"

/* What an epoll event is about. */
enum lb_loop_source {
    LB_FROM_SLOT, /* + the slot's number */
    LB_FROM_SIGNAL = LB_BOOT_SLOTS_MAX,
    LB_FROM_NETLINK,
    LB_FROM_ARP,
    LB_FROM_CALLER,
};
void lb_loop_add(struct lb_loop *loop, int fd, uint32_t events, uint32_t source);

void lb_slot_open(struct lb_loop *loop, const struct lb_boot_action *action, uint64_t now_us);
void lb_slot_send(struct lb_loop *loop, const struct lb_boot_action *action);
void lb_slot_receive(struct lb_loop *loop, uint32_t number, uint64_t now_us);
void lb_slot_connect(struct lb_loop *loop, uint32_t number, struct lb_endpoint to, uint64_t now_us);
/* The connection attempt has ended, in one way or the other. */
void lb_slot_connected(struct lb_loop *loop, uint32_t number, uint64_t now_us);
/* Sends what the engine has for the stream, by one system call; true when all of it went. */
bool lb_slot_flush(struct lb_loop *loop, uint32_t number, uint64_t now_us);
/* One read; true when something came, or the connection was lost. */
bool lb_slot_read(struct lb_loop *loop, uint32_t number, uint64_t now_us);
/* Sets what epoll is to look for: room where something waits to be sent, bytes where they are
 * wanted. */
void lb_slot_set_interest(struct lb_loop *loop, uint32_t number);
void lb_slot_close(struct lb_loop *loop, uint32_t number);
/* The stream's descriptor, which is the caller's from now on, and out of the loop; -1: none. */
int lb_slot_release(struct lb_loop *loop, uint32_t number);

#endif
