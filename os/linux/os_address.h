/* The operating system's form of addresses. */
#ifndef LB_OS_ADDRESS_H
#define LB_OS_ADDRESS_H

#include "core/base/addr.h"
#include <netinet/in.h>
#include <sys/socket.h>

struct lb_os_address {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    };
    socklen_t len;
};

/* index: of the interface that a link-local address is on; 0: not known. */
struct lb_os_address lb_os_address(struct lb_endpoint endpoint, int index);
/* 0.0.0.0 or :: with a port. */
struct lb_os_address lb_os_any(enum lb_family family, uint16_t port);
/* Zero for another family than the two. */
struct lb_endpoint lb_os_endpoint(const struct sockaddr *address);

#endif
