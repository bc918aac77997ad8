#include "os/linux/tcp.h"
#include "os/linux/os_address.h"
#include <errno.h>
#include <netinet/tcp.h>

int lb_tcp_open(enum lb_family family) {
    return socket(family == LB_V6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
                  0);
}

int lb_tcp_connect(int fd, struct lb_endpoint to, int index) {
    struct lb_os_address address = lb_os_address(to, index);
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    return connect(fd, &address.any, address.len) < 0 && errno != EINPROGRESS ? -1 : 0;
}

int lb_tcp_outcome(int fd) {
    int error = 0;
    socklen_t len = sizeof(error);
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
        return errno;
    /* A reset of what was never open is ECONNREFUSED: this one was open, and is closed already. */
    return error == ECONNRESET || error == EPIPE ? 0 : error;
}

int lb_tcp_accept(int listener, struct lb_endpoint *from) {
    struct lb_os_address address = {0};
    socklen_t len = sizeof(address.v6);
    int fd = accept4(listener, &address.any, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return -1;
    if (from)
        *from = lb_os_endpoint(&address.any);
    return fd;
}
