/* IPsec in user space: the engine's ESP between a TUN interface, which protected sockets are bound
 * to, and UDP port 4500. Used by loop.c and slot.c alone. */
#ifndef LB_LINUX_TUNNEL_H
#define LB_LINUX_TUNNEL_H

#include "hosts/linux/slot.h"

/* Carries out SOURCE. Where there can be no tunnel the boot ends: IPSEC_MISSING. */
void lb_tunnel_source(struct lb_loop *loop, const struct lb_boot_action *action, uint64_t now_us);
/* Opens the TUN interface, once. 0, or an errno. */
int lb_tunnel_open(struct lb_loop *loop);
/* Whether the slot is that of IKE and ESP. */
bool lb_tunnel_is_port(uint32_t number);
/* Opens that slot's socket, which must be the only one on its port. 0, or an errno. */
int lb_tunnel_open_port(const struct lb_boot_action *action, struct lb_datagram *datagram);
/* Ends the boot: what is needed for IPsec is not there; refused is an errno. */
void lb_tunnel_failed(struct lb_loop *loop, uint64_t now_us, const char *what, int refused);
/* Binds a socket of a protected connection. -1: errno, and it must not be used. */
int lb_tunnel_bind(struct lb_loop *loop, int fd, const struct lb_boot_action *action);
/* Sends all packets that wait in the interface. */
void lb_tunnel_send(struct lb_loop *loop);
/* Takes all datagrams of the slot: IKE's to the engine, ESP's packets to the interface. */
void lb_tunnel_receive(struct lb_loop *loop, uint32_t number, uint64_t now_us);
/* Before a connection is closed: what both ends have to say of it goes through the tunnel while
 * that is there, for a tenth of a second at most. */
void lb_tunnel_linger(struct lb_loop *loop, int fd);

#endif
