/* The client's messages: RFC 8415 18.2, and which options are in which (its appendix B). */
#include "core/dhcp6/dhcp6_client.h"

#define ELAPSED_US (10 * LB_US_MS) /* RFC 8415 21.9: hundredths of a second */

static const uint8_t all_servers[16] = {0xff, 0x02, [13] = 1, [15] = 2}; /* ff02::1:2 */

static uint8_t type_of(const struct lb_dhcp6_client *client) {
    switch (client->state) {
    case LB_DHCP6_SOLICITING:
        return LB_DHCP6_SOLICIT;
    case LB_DHCP6_REQUESTING:
        return LB_DHCP6_REQUEST;
    case LB_DHCP6_DECLINING:
        return LB_DHCP6_DECLINE;
    case LB_DHCP6_CONFIRMING:
        return LB_DHCP6_CONFIRM;
    case LB_DHCP6_RENEWING:
        return LB_DHCP6_RENEW;
    case LB_DHCP6_REBINDING:
        return LB_DHCP6_REBIND;
    case LB_DHCP6_INFORMING:
        return LB_DHCP6_INFORMATION_REQUEST;
    case LB_DHCP6_STOPPED:
        return LB_DHCP6_RELEASE;
    case LB_DHCP6_INIT:
    case LB_DHCP6_CHECKING:
    case LB_DHCP6_BOUND:
    case LB_DHCP6_INFORMED:
        break; /* these send nothing */
    }
    return 0;
}

/* RFC 8415 16: the server that is meant, where one is. */
static void put_server(const struct lb_dhcp6_client *client, uint8_t type, struct lb_wr *wr) {
    const struct lb_duid *server = &client->lease.server_id;
    if (type == LB_DHCP6_REQUEST || type == LB_DHCP6_DECLINE)
        server = &client->next.server_id;
    bool is_told = type == LB_DHCP6_INFORMATION_REQUEST && client->is_told; /* 18.2.11 */
    if (type == LB_DHCP6_REQUEST || type == LB_DHCP6_DECLINE || type == LB_DHCP6_RENEW ||
        type == LB_DHCP6_RELEASE || is_told)
        lb_dhcp6_put_duid(wr, LB_OPT6_SERVER_ID, server);
}

/* Lifetimes are the server's to say: 0 everywhere (RFC 8415 18.2.3, 18.2.4). */
static void put_addresses(const struct lb_dhcp6_client *client, uint8_t type, struct lb_wr *wr) {
    bool is_next = type == LB_DHCP6_REQUEST || type == LB_DHCP6_DECLINE;
    const struct lb_dhcp6_lease *lease = is_next ? &client->next : &client->lease;
    for (size_t i = 0; i < lease->addr_count; i++) {
        if (type != LB_DHCP6_DECLINE || client->probes[i] == PROBE_CONFLICT)
            lb_dhcp6_put_iaaddr(wr, lease->addrs[i].addr, 0, 0);
    }
}

static void put_ia(const struct lb_dhcp6_client *client, uint8_t type, struct lb_wr *wr) {
    if (type == LB_DHCP6_INFORMATION_REQUEST)
        return;
    size_t opened = lb_dhcp6_open_ia(wr, client->config.iaid, 0, 0);
    if (type != LB_DHCP6_SOLICIT)
        put_addresses(client, type, wr);
    lb_dhcp6_close(wr, opened);
}

/* RFC 8415 21.7: 82 is asked for in all of these but Information-request, and there 83 and 32. */
static void put_wishes(uint8_t type, struct lb_wr *wr) {
    size_t opened = lb_dhcp6_open(wr, LB_OPT6_ORO);
    lb_wr_u16(wr, LB_OPT6_BOOT_URL);
    lb_wr_u16(wr, LB_OPT6_BOOT_PARAMS);
    lb_wr_u16(wr, LB_OPT6_DNS);
    lb_wr_u16(wr, LB_OPT6_SEARCH);
    lb_wr_u16(wr, LB_OPT6_VENDOR);
    if (type == LB_DHCP6_INFORMATION_REQUEST) {
        lb_wr_u16(wr, LB_OPT6_REFRESH);
        lb_wr_u16(wr, LB_OPT6_INF_MAX_RT);
    } else {
        lb_wr_u16(wr, LB_OPT6_SOL_MAX_RT);
    }
    lb_dhcp6_close(wr, opened);
}

static bool is_end(uint8_t type) {
    return type == LB_DHCP6_CONFIRM || type == LB_DHCP6_DECLINE || type == LB_DHCP6_RELEASE;
}

/* RFC 5970 3.4: UNDI of version 3.16, as in DHCPv4. */
static const uint8_t undi[] = {1, 3, 16};

static void put_options(const struct lb_dhcp6_client *client, uint8_t type, uint64_t now_us,
                        struct lb_wr *wr) {
    const struct lb_dhcp6_config *config = &client->config;
    uint64_t elapsed = (now_us - client->began_us) / ELAPSED_US;
    lb_dhcp6_put_duid(wr, LB_OPT6_CLIENT_ID, &config->duid);
    put_server(client, type, wr);
    put_ia(client, type, wr);
    lb_dhcp6_put_u16(wr, LB_OPT6_ELAPSED, (uint16_t)LB_MIN(elapsed, UINT16_MAX));
    if (is_end(type))
        return;
    put_wishes(type, wr);
    if (type == LB_DHCP6_SOLICIT && !config->no_rapid_commit && !config->offers_only)
        lb_dhcp6_put(wr, LB_OPT6_RAPID_COMMIT, lb_bytes(NULL, 0));
    if (config->take_reconfigure)
        lb_dhcp6_put(wr, LB_OPT6_RECONF_ACCEPT, lb_bytes(NULL, 0));
    if (config->has_arch) {
        lb_dhcp6_put_u16(wr, LB_OPT6_ARCH, config->arch); /* RFC 5970 3.3 */
        lb_dhcp6_put(wr, LB_OPT6_UNDI, lb_bytes(undi, sizeof undi));
    }
    if (config->user_class) { /* RFC 8415 21.15 */
        struct lb_bytes name = lb_bytes_of_text(config->user_class);
        size_t opened = lb_dhcp6_open(wr, LB_OPT6_USER_CLASS);
        lb_wr_u16(wr, (uint16_t)name.len);
        lb_wr_bytes(wr, name);
        lb_dhcp6_close(wr, opened);
    }
}

/* RFC 3315 21.4.4: Solicit asks for authentication, and so does an Information-request before there
 * is a lease; the others prove that we have the key that the server used. */
static bool put_auth(struct lb_dhcp6_client *client, uint8_t type, struct lb_wr *wr,
                     struct lb_dhcp_key *key) {
    bool is_next = type == LB_DHCP6_REQUEST || type == LB_DHCP6_DECLINE;
    const struct lb_dhcp6_lease *lease = is_next ? &client->next : &client->lease;
    struct lb_bytes keys = client->config.keys;
    if (keys.len == 0)
        return false;
    client->replay++;
    bool is_first =
        type == LB_DHCP6_SOLICIT || (type == LB_DHCP6_INFORMATION_REQUEST && !client->has_lease);
    bool has_key = !is_first && lease->authentic &&
                   lb_dhcp_keys_find(keys, lb_bytes_of_text(lease->realm), lease->key_id, key);
    lb_dhcp6_put_auth(wr, client->replay, has_key ? key : NULL);
    return has_key;
}

struct lb_dhcp6_action lb_dhcp6_client_compose(struct lb_dhcp6_client *client, uint64_t now_us) {
    struct lb_wr wr = lb_wr(lb_span(client->packet, sizeof client->packet));
    uint8_t type = type_of(client);
    lb_assert(type != 0);
    lb_dhcp6_put_header(&wr, type, client->xid);
    put_options(client, type, now_us, &wr);
    struct lb_dhcp_key key;
    if (put_auth(client, type, &wr, &key)) {
        bool has_place = lb_dhcp6_sign(&wr, &key);
        lb_assert(has_place);
        lb_wipe(&key, sizeof key);
    }
    lb_assert(lb_wr_ok(&wr)); /* all of it is bounded, and fits many times */
    lb_trace(client->trace, now_us, "dhcp6", "send %s xid %06x", lb_dhcp6_type_word(type),
             client->xid);
    return (struct lb_dhcp6_action){
        .event = LB_DHCP6_SEND,
        .bytes = lb_wr_done(&wr),
        .from = {.port = LB_DHCP6_CLIENT_PORT},
        .to = {.addr = lb_addr_v6_bytes(all_servers), .port = LB_DHCP6_SERVER_PORT},
    };
}
