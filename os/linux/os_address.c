#include "os/linux/os_address.h"
#include <arpa/inet.h>
#include <string.h>

/* ff01:: and ff02:: say nothing without their link, as fe80:: does not. */
static bool is_scoped(struct lb_addr addr) {
    return lb_addr_is_link_local(addr) ||
           (lb_addr_is_multicast(addr) && (addr.bytes[1] & 0x0f) <= 2);
}

struct lb_os_address lb_os_address(struct lb_endpoint endpoint, int index) {
    struct lb_os_address a = {0};
    if (endpoint.addr.family == LB_V6) {
        a.len = sizeof(a.v6);
        a.v6.sin6_family = AF_INET6;
        a.v6.sin6_port = htons(endpoint.port);
        memcpy(&a.v6.sin6_addr, endpoint.addr.bytes, 16);
        if (is_scoped(endpoint.addr))
            a.v6.sin6_scope_id = (uint32_t)index;
        return a;
    }
    a.len = sizeof(a.v4);
    a.v4.sin_family = AF_INET;
    a.v4.sin_port = htons(endpoint.port);
    memcpy(&a.v4.sin_addr, endpoint.addr.bytes, 4);
    return a;
}

struct lb_os_address lb_os_any(enum lb_family family, uint16_t port) {
    return lb_os_address((struct lb_endpoint){{.family = family}, port}, 0);
}

struct lb_endpoint lb_os_endpoint(const struct sockaddr *address) {
    struct lb_endpoint endpoint = {0};
    if (address->sa_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, address, sizeof(v4));
        endpoint.addr = lb_addr_v4_bytes((const uint8_t *)&v4.sin_addr);
        endpoint.port = ntohs(v4.sin_port);
    } else if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, address, sizeof(v6));
        endpoint.addr = lb_addr_v6_bytes((const uint8_t *)&v6.sin6_addr);
        endpoint.port = ntohs(v6.sin6_port);
    }
    return endpoint;
}
