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
    LB_FROM_TUN,
    LB_FROM_CALLER,
};
/* Has epoll watch fd for these EPOLL events, to be told as from source. */
void lb_loop_add(struct lb_loop *loop, int fd, uint32_t events, uint32_t source);

/* Carries out OPEN. A socket that cannot be made ends the boot with the host's error. */
void lb_slot_open(struct lb_loop *loop, const struct lb_boot_action *action, uint64_t now_us);
/* Carries out SEND. What cannot be sent is lost, as on a wire. */
void lb_slot_send(struct lb_loop *loop, const struct lb_boot_action *action);
/* Gives the engine all datagrams that have come. */
void lb_slot_receive(struct lb_loop *loop, uint32_t number, uint64_t now_us);
/* Carries out CONNECT; an error at once is told to the engine as lb_boot_lost. */
void lb_slot_connect(struct lb_loop *loop, const struct lb_boot_action *action, uint64_t now_us);
/* The connection attempt has ended, in one way or the other. */
void lb_slot_connected(struct lb_loop *loop, uint32_t number, uint64_t now_us);
/* Sends what the engine has for the stream, by one system call; true when all of it went. */
bool lb_slot_flush(struct lb_loop *loop, uint32_t number, uint64_t now_us);
/* One read; true when something came, or the connection was lost. */
bool lb_slot_read(struct lb_loop *loop, uint32_t number, uint64_t now_us);
/* Sets what epoll is to look for: room where something waits to be sent, bytes where they are
 * wanted. */
void lb_slot_set_interest(struct lb_loop *loop, uint32_t number);
/* Carries out CLOSE; harmless where it is free. */
void lb_slot_close(struct lb_loop *loop, uint32_t number);
/* The stream's descriptor, which is the caller's from now on, and out of the loop; -1: none. */
int lb_slot_release(struct lb_loop *loop, uint32_t number);

#endif
