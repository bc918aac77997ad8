/* Several servers: which offer is best for a boot, and what proxyDHCP servers add to it. */
#include "core/dhcp4/dhcp4_client.h"

/* Bits of a rank, the weightiest last. */
enum {
    RANK_RAPID_COMMIT = 1, /* a round trip less */
    RANK_DHCP = 2,         /* RFC 1534 3: a DHCP server before a BOOTP server */
    RANK_DISCOVERY = 4,    /* SLP or iSNS: RFC 4173 6 */
    RANK_SOUND = 8,        /* nothing about it is known to be wrong */
    RANK_ISCSI = 16,       /* RFC 4173 5 */
    RANK_USABLE = 32,
};

static bool has_iscsi_prefix(const struct lb_dhcp4_lease *offer) {
    return lb_text_begins(lb_bytes_trim(lb_bytes(offer->root_path, offer->root_path_len)),
                          "iscsi:");
}

/* Where nobody judges, what is wrong behind the prefix has to be reported, not passed over. */
static bool names_disk(const struct lb_dhcp4_lease *offer) {
    switch (offer->worth) {
    case LB_WORTH_UNKNOWN:
    case LB_WORTH_DOUBTFUL:
        return has_iscsi_prefix(offer);
    case LB_WORTH_BAD:
    case LB_WORTH_PLAIN:
        return false;
    case LB_WORTH_DISK:
        return true;
    }
    return false;
}

static bool has_discovery(const struct lb_dhcp4_lease *offer) {
    return offer->slp_da_count > 0 || offer->slp_scopes[0] || lb_addr_is_set(offer->isns_server);
}

unsigned lb_dhcp4_offer_rank(const struct lb_dhcp4_lease *offer) {
    bool is_sound = offer->worth != LB_WORTH_DOUBTFUL && offer->flaw == NULL;
    if (offer->worth == LB_WORTH_BAD)
        return 0;
    return RANK_USABLE | (names_disk(offer) ? RANK_ISCSI : 0u) | (is_sound ? RANK_SOUND : 0u) |
           (has_discovery(offer) ? RANK_DISCOVERY : 0u) | (offer->bootp ? 0u : RANK_DHCP) |
           (offer->rapid_commit ? RANK_RAPID_COMMIT : 0u);
}

/* PXE 2.1 2.2.3: a proxy's offer has no address, and says PXEClient. The latter is not asked for:
 * what else could an offer of no address be? */
bool lb_dhcp4_is_proxy(const struct lb_dhcp4_message *message) {
    return message->type == LB_DHCP4_OFFER && lb_addr_is_zero(message->header.yiaddr);
}

static size_t find_worst(const struct lb_dhcp4_client *client) {
    size_t worst = 0;
    for (size_t i = 1; i < client->offer_count; i++) {
        if (lb_dhcp4_offer_rank(&client->offers[i]) < lb_dhcp4_offer_rank(&client->offers[worst]))
            worst = i;
    }
    return worst;
}

static size_t find_server(const struct lb_dhcp4_client *client, struct lb_addr server) {
    size_t i = 0;
    while (i < client->offer_count && !lb_addr_equal(client->offers[i].server, server))
        i++;
    return i;
}

bool lb_dhcp4_offers_add(struct lb_dhcp4_client *client, const struct lb_dhcp4_lease *offer) {
    size_t at = find_server(client, offer->server);
    if (at == LB_DHCP4_OFFERS_MAX) {
        at = find_worst(client);
        if (lb_dhcp4_offer_rank(offer) <= lb_dhcp4_offer_rank(&client->offers[at]))
            return false;
    } else if (at == client->offer_count) {
        client->offer_count++;
    } else if (lb_dhcp4_offer_rank(offer) == 0) {
        return lb_dhcp4_offer_rank(&client->offers[at]) == 0; /* who forges a server's name */
    }
    client->offers[at] = *offer;
    return true;
}

void lb_dhcp4_proxy_add(struct lb_dhcp4_client *client, const struct lb_dhcp4_lease *offer) {
    if (client->has_proxy && names_disk(&client->proxy))
        return;
    if (client->has_proxy && !names_disk(offer) && has_discovery(&client->proxy))
        return;
    client->proxy = *offer;
    client->has_proxy = true;
}

size_t lb_dhcp4_offers_best(const struct lb_dhcp4_client *client) {
    size_t best = 0;
    for (size_t i = 1; i < client->offer_count; i++) {
        if (lb_dhcp4_offer_rank(&client->offers[i]) > lb_dhcp4_offer_rank(&client->offers[best]))
            best = i;
    }
    return best;
}

bool lb_dhcp4_offers_usable(const struct lb_dhcp4_client *client) {
    return client->offer_count > 0 &&
           lb_dhcp4_offer_rank(&client->offers[lb_dhcp4_offers_best(client)]) > 0;
}

bool lb_dhcp4_offers_suffice(const struct lb_dhcp4_client *client) {
    if (client->config.offers_only || !lb_dhcp4_offers_usable(client))
        return false;
    const struct lb_dhcp4_lease *best = &client->offers[lb_dhcp4_offers_best(client)];
    bool has_disk = names_disk(best) || (client->has_proxy && names_disk(&client->proxy));
    return has_disk && !best->bootp && (lb_dhcp4_offer_rank(best) & RANK_SOUND) != 0;
}

static void merge_discovery(struct lb_dhcp4_lease *lease, const struct lb_dhcp4_lease *other) {
    if (lease->slp_da_count == 0 && !lease->slp_scopes[0]) {
        lease->slp_da_mandatory = other->slp_da_mandatory;
        lease->slp_scope_mandatory = other->slp_scope_mandatory;
        memcpy(lease->slp_da, other->slp_da, sizeof lease->slp_da);
        lease->slp_da_count = other->slp_da_count;
        memcpy(lease->slp_scopes, other->slp_scopes, sizeof lease->slp_scopes);
    }
    if (!lb_addr_is_set(lease->isns_server)) {
        lease->isns_server = other->isns_server;
        lease->isns_backup = other->isns_backup;
        lease->isns_functions = other->isns_functions;
        lease->isns_dd_access = other->isns_dd_access;
        lease->isns_admin_flags = other->isns_admin_flags;
        lease->isns_security = other->isns_security;
    }
}

void lb_dhcp4_lease_merge(struct lb_dhcp4_lease *lease, const struct lb_dhcp4_lease *other) {
    /* A Root Path of somebody else (NFS) gives way to one of ours. */
    if (!has_iscsi_prefix(lease) && (has_iscsi_prefix(other) || lease->root_path_len == 0)) {
        memcpy(lease->root_path, other->root_path, sizeof lease->root_path);
        lease->root_path_len = other->root_path_len;
        lease->root_path_from = other->root_path_from;
        if (other->root_path_len > 0)
            lease->worth = other->worth;
    }
    if (!lease->initiator[0])
        memcpy(lease->initiator, other->initiator, sizeof lease->initiator);
    if (!lease->bootfile[0]) {
        memcpy(lease->bootfile, other->bootfile, sizeof lease->bootfile);
        memcpy(lease->tftp_server, other->tftp_server, sizeof lease->tftp_server);
        lease->next_server = other->next_server;
    }
    /* Option 43 means something only beside its own option 60. */
    if (lease->vendor_specific_len == 0) {
        memcpy(lease->vendor_specific, other->vendor_specific, sizeof lease->vendor_specific);
        lease->vendor_specific_len = other->vendor_specific_len;
        memcpy(lease->vendor_class, other->vendor_class, sizeof lease->vendor_class);
    }
    merge_discovery(lease, other);
}
