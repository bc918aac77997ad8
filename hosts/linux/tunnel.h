/* IPsec of the loop. In user space: the engine's ESP between a TUN interface, which protected
 * sockets are bound to, and UDP port 4500. Or in the kernel (loop->in_kernel): SAs and policies
 * (xfrm.h), under which sockets are as others, and port 4500 is IKE's. Used by loop.c and slot.c,
 * and by who keeps the association afterwards. */
#ifndef LB_LINUX_TUNNEL_H
#define LB_LINUX_TUNNEL_H

#include "hosts/linux/slot.h"

/* Opens the TUN interface, or the netlink socket to the kernel's IPsec, once. 0, or an errno. */
int lb_tunnel_open(struct lb_loop *loop);
/* Others find this process no more: it has ended, or another one has its association. */
void lb_tunnel_forget_names(struct lb_loop *loop);
/* Whether the slot is that of IKE and ESP. */
bool lb_tunnel_is_port(uint32_t number);
/* Opens that slot's socket, which must be the only one on its port. Where another lunboot has port
 * 4500, it is any other port, as behind a NAT. 0, or an errno. */
int lb_tunnel_open_port(const struct lb_loop *loop, const struct lb_boot_action *action,
                        struct lb_datagram *datagram);
/* The same for IKE alone, where the kernel has the SAs: its own packets pass in clear, those of ESP
 * do not come up. is_alone: no other lunboot speaks IKE here, so the port is that of `from` or
 * none. 0, or an errno. */
int lb_tunnel_open_ike(struct lb_endpoint from, bool is_alone, struct lb_datagram *datagram);
/* The local port of these terms is that of this socket of IKE, where it is open. */
void lb_tunnel_name_port(const struct lb_datagram *datagram_or_null, struct lb_ipsec_terms *terms);
/* The interface that protected datagrams are bound to, which otherwise is `usual`. */
const char *lb_tunnel_interface(const struct lb_loop *loop, const char *usual);
/* Whether a protected datagram socket of ours may speak to this address, and hear it. */
bool lb_tunnel_may_speak(const struct lb_loop *loop, struct lb_addr to);
/* Ends the boot: what is needed for IPsec is not there; refused is an errno. */
void lb_tunnel_failed(struct lb_loop *loop, uint64_t now_us, const char *what, int refused);
/* Binds a socket of a protected connection. -1: errno, and it must not be used. */
int lb_tunnel_bind(struct lb_loop *loop, int fd, const struct lb_boot_action *action);
/* Sends all packets that wait in the interface. */
void lb_tunnel_send(struct lb_loop *loop);
/* Takes all datagrams of the slot: IKE's to the engine, ESP's packets to the interface. */
void lb_tunnel_receive(struct lb_loop *loop, uint32_t number, uint64_t now_us);
/* Before a connection is closed: what both ends have to say of it is protected while what protects
 * it is there, for a tenth of a second at most. It is not mentioned after that. */
void lb_tunnel_linger(struct lb_loop *loop, int fd);

#endif
