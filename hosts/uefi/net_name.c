/* Names: an address of either family, asked for at once. */
#include "hosts/uefi/net_lwip.h"

#include "lwip/dns.h"

enum { V6, V4, FAMILIES };

static struct {
    bool is_wanted;
    unsigned asked; /* counts the questions: what answers an earlier one is not heard */
    unsigned waiting;
    struct lb_addr addrs[FAMILIES];
} names;

static void on_name(const char *name, const ip_addr_t *addr, void *arg) {
    uintptr_t asked = (uintptr_t)arg;
    (void)name;
    if (asked != names.asked)
        return;
    names.waiting--;
    if (addr != NULL)
        names.addrs[IP_IS_V6(addr) ? V6 : V4] = net_from_ip(addr);
}

static void ask(const char *name, u8_t type) {
    ip_addr_t addr;
    void *asked = (void *)(uintptr_t)names.asked;
    names.waiting++;
    err_t did = dns_gethostbyname_addrtype(name, &addr, on_name, asked, type);
    if (did != ERR_INPROGRESS)
        on_name(name, did == ERR_OK ? &addr : NULL, asked);
}

/* A family in which the interface has no address is of no use. */
static bool has_v6(void) {
    for (s8_t i = 0; i < LWIP_IPV6_NUM_ADDRESSES; i++)
        if (ip6_addr_isvalid(netif_ip6_addr_state(&net_interface, i)) &&
            !ip6_addr_islinklocal(netif_ip6_addr(&net_interface, i)))
            return true;
    return false;
}

void net_resolve(const char *name) {
    names.asked++;
    names.waiting = 0;
    names.is_wanted = true;
    memset(names.addrs, 0, sizeof names.addrs);
    if (has_v6())
        ask(name, LWIP_DNS_ADDRTYPE_IPV6);
    if (!ip4_addr_isany(netif_ip4_addr(&net_interface)))
        ask(name, LWIP_DNS_ADDRTYPE_IPV4);
}

bool net_resolved(struct lb_addr addrs[NET_RESOLVED_MAX], size_t *count) {
    if (!names.is_wanted || names.waiting > 0)
        return false;
    names.is_wanted = false;
    *count = 0;
    for (size_t i = 0; i < FAMILIES; i++)
        if (lb_addr_is_set(names.addrs[i]))
            addrs[(*count)++] = names.addrs[i];
    return true;
}
