/* Has anybody this address? ARP and duplicate address detection. */
#include "core/arp/arp.h"
#include "hosts/uefi/net_lwip.h"

#include "lwip/etharp.h"
#include "lwip/inet_chksum.h"
#include "lwip/ip6.h"
#include "lwip/mld6.h"
#include "lwip/nd6.h"
#include "lwip/priv/nd6_priv.h"
#include "lwip/prot/icmp6.h"
#include "lwip/prot/nd6.h"

/* As core/arp has it: an address counts as free when two questions, 50 ms apart, had no answer for
 * a tenth of a second. IPv6 goes on listening for the whole second of RFC 4861's RETRANS_TIMER: a
 * machine that answers late has the address all the same. */
#define FREE_US  (LB_ARP_PROBES * LB_ARP_INTERVAL_US)
#define AGAIN_US LB_ARP_INTERVAL_US
#define WATCH_US LB_US_SEC

struct probe {
    struct lb_addr addr;       /* none: a free entry */
    bool is_repeated, is_told; /* asked for a second time; said to be free */
    bool conflict;
    uint64_t since_us;
};

static struct probe probes[NET_PROBES_MAX];

static ip_addr_t group_of(struct lb_addr addr) {
    ip_addr_t ip = net_to_ip(addr), group = {0};
    ip6_addr_set_solicitednode(ip_2_ip6(&group), ip_2_ip6(&ip)->addr[3]);
    IP_SET_TYPE_VAL(group, IPADDR_TYPE_V6);
    return group;
}

/* RFC 4862 5.4.2: from the unspecified address, to the group of those that might have it. */
static void solicit(struct lb_addr addr) {
    ip_addr_t group = group_of(addr);
    struct pbuf *p = pbuf_alloc(PBUF_IP, sizeof(struct ns_header), PBUF_RAM);
    if (p == NULL)
        return;
    struct lb_wr wr = lb_wr(lb_span(p->payload, p->len));
    lb_wr_u8(&wr, ICMP6_TYPE_NS);
    lb_wr_zero(&wr, 7);
    lb_wr_addr(&wr, addr);
    ((struct ns_header *)p->payload)->chksum =
        ip6_chksum_pseudo(p, IP6_NEXTH_ICMP6, p->len, IP6_ADDR_ANY6, ip_2_ip6(&group));
    ip6_output_if_src(p, IP6_ADDR_ANY6, ip_2_ip6(&group), ND6_HOPLIM, 0, IP6_NEXTH_ICMP6,
                      &net_interface);
    pbuf_free(p);
}

static struct probe *find_probe(struct lb_addr addr) {
    for (size_t i = 0; i < NET_PROBES_MAX; i++)
        if (probes[i].addr.family == addr.family && lb_addr_equal(probes[i].addr, addr))
            return &probes[i];
    return NULL;
}

static bool is_ours(struct lb_addr addr) {
    ip_addr_t ip = net_to_ip(addr);
    return netif_get_ip6_addr_match(&net_interface, ip_2_ip6(&ip)) >= 0;
}

static void begin_probe6(struct probe *probe) {
    ip_addr_t group = group_of(probe->addr);
    if (is_ours(probe->addr)) { /* it has passed before */
        probe->is_repeated = true;
        probe->since_us -= WATCH_US;
        return;
    }
    mld6_joingroup_netif(&net_interface, ip_2_ip6(&group));
    solicit(probe->addr);
}

static void ask4(struct lb_addr addr) {
    ip_addr_t ip = net_to_ip(addr);
    etharp_request(&net_interface, ip_2_ip4(&ip)); /* from 0.0.0.0: there is no address yet */
}

void net_probe_claimed(struct lb_addr addr) {
    struct probe *probe = find_probe(addr);
    if (probe != NULL)
        probe->conflict = true;
}

/* The group was joined for the probe; an address that the interface has joins it once more. */
static void leave_group(const struct probe *probe) {
    ip_addr_t group = group_of(probe->addr);
    mld6_leavegroup_netif(&net_interface, ip_2_ip6(&group));
}

static void found_free(struct probe *probe) {
    bool is_new = probe->addr.family == LB_V6 && !is_ours(probe->addr);
    probe->is_told = true;
    if (!is_new)
        return;
    net_address_add6(probe->addr, LB_FOREVER, LB_FOREVER);
    leave_group(probe);
}

static void end_probe(struct probe *probe) {
    ip_addr_t ip = net_to_ip(probe->addr);
    s8_t index =
        probe->addr.family == LB_V6 ? netif_get_ip6_addr_match(&net_interface, ip_2_ip6(&ip)) : -1;
    if (index >= 0 && probe->is_told && probe->conflict)
        netif_ip6_addr_set_state(&net_interface, index, IP6_ADDR_INVALID);
    else if (index < 0 && probe->addr.family == LB_V6 && !probe->is_told)
        leave_group(probe);
    *probe = (struct probe){0};
}

/* A free one, or the oldest, which may be of an answer that the engine has dropped since. */
static struct probe *take_probe(void) {
    struct probe *oldest = &probes[0];
    for (size_t i = 0; i < NET_PROBES_MAX; i++) {
        struct probe *probe = &probes[i];
        if (!lb_addr_is_set(probe->addr))
            return probe;
        if (probe->since_us < oldest->since_us)
            oldest = probe;
    }
    oldest->conflict = false; /* nothing is known of it */
    end_probe(oldest);
    return oldest;
}

void net_probe(struct lb_addr addr) {
    struct probe *probe = find_probe(addr);
    if (probe != NULL && !probe->is_told)
        return; /* it is being asked for */
    if (probe == NULL)
        probe = take_probe();
    *probe = (struct probe){.addr = addr, .since_us = clock_us()};
    if (addr.family == LB_V6)
        begin_probe6(probe);
    else
        ask4(addr);
}

/* Whether there is something to say about it. */
static bool has_news(struct probe *probe) {
    uint64_t age_us = clock_us() - probe->since_us;
    if (!probe->is_repeated && age_us >= AGAIN_US) {
        probe->is_repeated = true;
        if (probe->addr.family == LB_V6)
            solicit(probe->addr);
        else
            ask4(probe->addr);
    }
    if (probe->conflict)
        return true;
    if (probe->is_told && (probe->addr.family == LB_V4 || age_us >= WATCH_US))
        end_probe(probe);
    return lb_addr_is_set(probe->addr) && !probe->is_told && age_us >= FREE_US;
}

bool net_probe_result(struct lb_addr *addr, bool *conflict) {
    for (size_t i = 0; i < NET_PROBES_MAX; i++) {
        struct probe *probe = &probes[i];
        if (!lb_addr_is_set(probe->addr) || !has_news(probe))
            continue;
        *addr = probe->addr;
        *conflict = probe->conflict;
        if (probe->conflict)
            end_probe(probe);
        else
            found_free(probe);
        return true;
    }
    return false;
}

void net_probe_close(void) {
    memset(probes, 0, sizeof probes);
}
