/* TCP connections that are waited for by the caller's own loop. */
#ifndef LB_OS_TCP_H
#define LB_OS_TCP_H

#include "core/base/addr.h"

/* A socket that does not block; -1: errno. */
int lb_tcp_open(enum lb_family family);
/* Begins to connect, which has ended when fd is writable. index: as in lb_os_address. -1: errno. */
int lb_tcp_connect(int fd, struct lb_endpoint to, int index);
/* How that went: 0, or an errno. Where the peer accepted and has closed since, it is 0: the next
 * recv says the rest. */
int lb_tcp_outcome(int fd);
/* The next connection of a listener that does not block: it does not block either, and sends small
 * pieces at once where the listener has TCP_NODELAY. *from (may be NULL): who connects. -1: none is
 * there, see errno. */
int lb_tcp_accept(int listener, struct lb_endpoint *from);

#endif
