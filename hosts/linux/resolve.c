#include "hosts/linux/resolve.h"
#include <ares.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/time.h>
#include <unistd.h>

#define TIMEOUT_MS 1000 /* of the first try of each server; c-ares doubles it */
#define TRIES      3

int lb_resolve_open(struct lb_resolve *resolve) {
    *resolve = (struct lb_resolve){.epoll_fd = epoll_create1(EPOLL_CLOEXEC)};
    if (resolve->epoll_fd < 0)
        return errno;
    return ares_library_init(ARES_LIB_INIT_ALL) == ARES_SUCCESS ? 0 : ENOMEM;
}

static void end(struct lb_resolve *resolve) {
    struct ares_channeldata *channel = resolve->channel;
    resolve->channel = NULL; /* the answer callback is called once more, with "destroyed" */
    if (channel)
        ares_destroy(channel);
}

void lb_resolve_close(struct lb_resolve *resolve) {
    end(resolve);
    if (resolve->epoll_fd >= 0)
        close(resolve->epoll_fd);
    resolve->epoll_fd = -1;
    ares_library_cleanup();
}

static void watch(void *data, ares_socket_t fd, int readable, int writable) {
    struct lb_resolve *resolve = data;
    struct epoll_event event = {.events = (readable ? EPOLLIN : 0u) | (writable ? EPOLLOUT : 0u),
                                .data.fd = fd};
    if (!readable && !writable)
        epoll_ctl(resolve->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
    else if (epoll_ctl(resolve->epoll_fd, EPOLL_CTL_MOD, fd, &event) < 0)
        epoll_ctl(resolve->epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

static bool take_address(const struct sockaddr *address, struct lb_addr *addr) {
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof(in));
        *addr = lb_addr_v4_bytes((const uint8_t *)&in.sin_addr);
        return true;
    }
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, address, sizeof(in6));
        *addr = lb_addr_v6_bytes((const uint8_t *)&in6.sin6_addr);
        return true;
    }
    return false;
}

static void answer(void *data, int status, int timeouts, struct ares_addrinfo *result) {
    struct lb_resolve *resolve = data;
    (void)timeouts;
    if (status == ARES_EDESTRUCTION || status == ARES_ECANCELLED) {
        ares_freeaddrinfo(result);
        return;
    }
    resolve->is_done = true;
    if (status != ARES_SUCCESS)
        return;
    for (struct ares_addrinfo_node *node = result->nodes; node; node = node->ai_next) {
        if (resolve->addr_count < LB_COUNT(resolve->addrs) &&
            take_address(node->ai_addr, &resolve->addrs[resolve->addr_count]))
            resolve->addr_count++;
    }
    ares_freeaddrinfo(result);
}

/* The boot's own name servers, "192.0.2.53,[2001:db8::53]:53" (c-ares has brackets only with a
 * port); without any the machine's stay. */
static bool use_servers(struct lb_resolve *resolve, const struct lb_boot_net *net) {
    char list[LB_DNS_MAX * 64];
    struct lb_text text = lb_text(list, sizeof(list));
    if (!net || net->dns_count == 0)
        return true;
    for (size_t i = 0; i < net->dns_count; i++)
        lb_text_add(&text, net->dns[i].family == LB_V6 ? "%s[%s]:53" : "%s%s", i ? "," : "",
                    lb_addr_text(net->dns[i]).s);
    return ares_set_servers_ports_csv(resolve->channel, list) == ARES_SUCCESS;
}

/* The boot's search list, or else its domain; the machine's where it has neither. */
static int set_domains(const struct lb_boot_net *net, struct ares_options *options,
                       char (*names)[LB_HOST_MAX + 1], char **pointers, size_t cap) {
    struct lb_bytes list = {0}, item;
    if (net)
        list = lb_bytes_of_text(net->search[0] ? net->search : net->domain);
    while ((size_t)options->ndomains < cap && lb_list_next(&list, ' ', &item)) {
        if (item.len == 0 || !lb_text_copy(names[options->ndomains], LB_HOST_MAX + 1, item))
            continue;
        pointers[options->ndomains] = names[options->ndomains];
        options->ndomains++;
    }
    options->domains = pointers;
    return options->ndomains > 0 ? ARES_OPT_DOMAINS : 0;
}

bool lb_resolve_start(struct lb_resolve *resolve, const char *name, const struct lb_boot_net *net,
                      const char *interface) {
    char names[6][LB_HOST_MAX + 1], *pointers[6];
    struct ares_options options = {.timeout = TIMEOUT_MS,
                                   .tries = TRIES,
                                   .sock_state_cb = watch,
                                   .sock_state_cb_data = resolve};
    int mask = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB;
    struct ares_addrinfo_hints hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};

    end(resolve);
    resolve->is_done = false;
    resolve->addr_count = 0;
    mask |= set_domains(net, &options, names, pointers, LB_COUNT(names));
    if (ares_init_options(&resolve->channel, &options, mask) != ARES_SUCCESS) {
        resolve->channel = NULL;
        return false;
    }
    if (interface)
        ares_set_local_dev(resolve->channel, interface);
    if (!use_servers(resolve, net)) {
        end(resolve);
        return false;
    }
    ares_getaddrinfo(resolve->channel, name, NULL, &hints, answer, resolve);
    return true;
}

bool lb_resolve_poll(struct lb_resolve *resolve) {
    struct epoll_event events[8];
    int count;

    if (!resolve->channel)
        return false;
    count = epoll_wait(resolve->epoll_fd, events, LB_COUNT(events), 0);
    for (int i = 0; i < count; i++) {
        ares_socket_t fd = events[i].data.fd;
        bool can_read = events[i].events & (EPOLLIN | EPOLLERR | EPOLLHUP);
        ares_process_fd(resolve->channel, can_read ? fd : ARES_SOCKET_BAD,
                        events[i].events & EPOLLOUT ? fd : ARES_SOCKET_BAD);
    }
    ares_process_fd(resolve->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD); /* its timers */
    if (!resolve->is_done)
        return false;
    end(resolve);
    return true;
}

uint64_t lb_resolve_wait_us(const struct lb_resolve *resolve) {
    struct timeval most = {.tv_sec = 3600}, left;
    struct timeval *wait;
    if (!resolve->channel)
        return LB_NEVER;
    if (resolve->is_done)
        return 0;
    wait = ares_timeout(resolve->channel, &most, &left);
    return (uint64_t)wait->tv_sec * LB_US_SEC + (uint64_t)wait->tv_usec;
}
