/* The interface's addresses, and the way of IPv4. */
#include "hosts/uefi/net_lwip.h"

#include "lwip/etharp.h"

static const struct lb_boot_net *in_use; /* the engine's; NULL: none yet */

/* ---- IPv4 ------------------------------------------------------------------------------------ */

static struct lb_addr mask_of(uint8_t len) {
    uint32_t mask = len == 0 ? 0 : UINT32_MAX << (32 - len);
    return lb_addr_v4((uint8_t)(mask >> 24), (uint8_t)(mask >> 16), (uint8_t)(mask >> 8),
                      (uint8_t)mask);
}

static void set_address4(const struct lb_boot_net *config) {
    ip_addr_t addr = net_to_ip(config->address.addr),
              mask = net_to_ip(mask_of(config->address.len));
    netif_set_addr(&net_interface, ip_2_ip4(&addr), ip_2_ip4(&mask), NULL);
}

/* What lwIP takes for its next hop is on the link: it has a default router and no other routes. */
err_t net_address_output(struct netif *netif, struct pbuf *p, const ip4_addr_t *to) {
    struct lb_addr way;
    if (ip4_addr_isbroadcast(to, netif) || ip4_addr_ismulticast(to))
        return etharp_output(netif, p, to);
    if (in_use == NULL ||
        !lb_boot_net_next_hop4(in_use, lb_addr_v4_bytes((const uint8_t *)&to->addr), &way))
        return ERR_RTE;
    ip_addr_t hop = net_to_ip(way);
    return etharp_output(netif, p, ip_2_ip4(&hop));
}

/* ---- IPv6 ------------------------------------------------------------------------------------ */

/* An address without a lifetime would be one of lwIP's static ones, which stand for a whole /64. */
static void set_lifetimes(s8_t index, uint32_t preferred_s, uint32_t valid_s) {
    netif_ip6_addr_set_valid_life(&net_interface, index, valid_s);
    netif_ip6_addr_set_pref_life(&net_interface, index, preferred_s);
    netif_ip6_addr_set_state(&net_interface, index,
                             preferred_s == 0 ? IP6_ADDR_DEPRECATED : IP6_ADDR_PREFERRED);
}

void net_address_add6(struct lb_addr addr, uint32_t preferred_s, uint32_t valid_s) {
    ip_addr_t ip = net_to_ip(addr);
    s8_t index = -1;
    if (valid_s > 0 && netif_add_ip6_address(&net_interface, ip_2_ip6(&ip), &index) == ERR_OK)
        set_lifetimes(index, preferred_s, valid_s);
}

static bool is_in(const struct lb_boot_net *config, struct lb_addr addr) {
    for (size_t i = 0; i < config->addr6_count; i++)
        if (lb_addr_equal(config->addrs6[i].address.addr, addr))
            return true;
    return false;
}

static void remove_addresses6(const struct lb_boot_net *keep) {
    for (s8_t i = 0; i < LWIP_IPV6_NUM_ADDRESSES; i++) {
        struct lb_addr addr = net_from_ip(netif_ip_addr6(&net_interface, i));
        if (!ip6_addr_isinvalid(netif_ip6_addr_state(&net_interface, i)) &&
            !lb_addr_is_link_local(addr) && !is_in(keep, addr))
            netif_ip6_addr_set_state(&net_interface, i, IP6_ADDR_INVALID);
    }
}

static void set_addresses6(const struct lb_boot_net *config) {
    remove_addresses6(config);
    for (size_t i = 0; i < config->addr6_count; i++) {
        const struct lb_boot_addr6 *addr = &config->addrs6[i];
        net_address_add6(addr->address.addr, addr->preferred_s, addr->valid_s);
    }
    net_routes6_set(config);
}

/* ---- both ------------------------------------------------------------------------------------ */

void net_set_address(const struct lb_boot_net *config) {
    in_use = config;
    set_address4(config);
    set_addresses6(config);
    net_interface.mtu =
        net_ipsec_mtu(config->mtu >= 576 && config->mtu < 1500 ? config->mtu : 1500);
}

void net_clear_address(void) {
    static struct lb_boot_net nothing; /* not const: zeros that a file need not hold */
    net_set_address(&nothing);
}

bool net_address_has_way(struct lb_addr to) {
    struct lb_addr hop;
    if (to.family == LB_V6)
        return lb_addr_is_link_local(to) || net_routes6_have(to);
    return in_use != NULL && lb_boot_net_next_hop4(in_use, to, &hop);
}

void net_address_close(void) {
    in_use = NULL;
    net_routes6_close();
    net_probe_close();
}
