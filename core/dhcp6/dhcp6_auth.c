/* The Reconfigure Key Authentication Protocol: RFC 8415 20.4. The key comes in clear in the first
 * Reply; it shows that a Reconfigure is of the same server, and no more than that. */
#include "core/dhcp6/dhcp6_wire.h"

enum {
    PROTOCOL_RKAP = 3,
    ALGORITHM_HMAC_MD5 = 1,
    RDM_COUNTER = 0,
    TYPE_KEY = 1,
    TYPE_MAC = 2,
    AUTH_BYTES = 28, /* protocol, algorithm, RDM, replay detection, type, 16 bytes */
};

struct auth {
    uint64_t replay;
    uint8_t type;
    struct lb_bytes value; /* the key or the MAC, in the message */
};

/* RFC 8415 20.4.1. More than one option 11 makes none: it is not said which would count. */
static bool find_auth(struct lb_bytes options, struct auth *auth) {
    struct lb_rd rd = lb_rd(options);
    struct lb_bytes value, found = {0};
    unsigned count = 0;
    uint16_t code;
    while (lb_dhcp6_next(&rd, &code, &value)) {
        if (code == LB_OPT6_AUTH) {
            found = value;
            count++;
        }
    }
    if (count != 1 || found.len != AUTH_BYTES)
        return false;
    rd = lb_rd(found);
    if (lb_rd_u8(&rd) != PROTOCOL_RKAP || lb_rd_u8(&rd) != ALGORITHM_HMAC_MD5 ||
        lb_rd_u8(&rd) != RDM_COUNTER)
        return false;
    auth->replay = lb_rd_u64(&rd);
    auth->type = lb_rd_u8(&rd);
    auth->value = lb_rd_rest(&rd);
    return true;
}

bool lb_dhcp6_take_key(const struct lb_dhcp6_message *message, struct lb_dhcp6_key *key) {
    struct lb_dhcp6_key taken = {.is_set = true};
    struct auth auth;
    if (!find_auth(message->options, &auth) || auth.type != TYPE_KEY ||
        !lb_dhcp6_find_duid(message->options, LB_OPT6_SERVER_ID, &taken.server))
        return false;
    memcpy(taken.bytes, auth.value.p, sizeof taken.bytes);
    taken.replay = auth.replay;
    *key = taken;
    return true;
}

/* Over the whole message, with zeros where the MAC is. */
static void compute_mac(struct lb_bytes whole, size_t mac_at, struct lb_bytes key,
                        uint8_t out[LB_HASH_MAX_BYTES]) {
    static const uint8_t zeros[LB_DHCP6_KEY_BYTES] = {0};
    struct lb_bytes parts[] = {
        lb_bytes(whole.p, mac_at),
        lb_bytes(zeros, sizeof zeros),
        lb_bytes_after(whole, mac_at + sizeof zeros),
    };
    lb_hmac(LB_HASH_MD5, key, parts, LB_COUNT(parts), out);
}

bool lb_dhcp6_is_authentic(const struct lb_dhcp6_message *message, struct lb_dhcp6_key *key) {
    struct lb_duid server;
    struct auth auth;
    uint8_t mac[LB_HASH_MAX_BYTES];
    if (!key->is_set || !find_auth(message->options, &auth) || auth.type != TYPE_MAC ||
        !lb_dhcp6_find_duid(message->options, LB_OPT6_SERVER_ID, &server) ||
        !lb_duid_equal(&server, &key->server))
        return false;
    compute_mac(message->whole, (size_t)(auth.value.p - message->whole.p),
                lb_bytes(key->bytes, sizeof key->bytes), mac);
    if (!lb_equal_secret(lb_bytes(mac, LB_DHCP6_KEY_BYTES), auth.value))
        return false;
    if (auth.replay <= key->replay) /* RFC 8415 20.3 */
        return false;
    key->replay = auth.replay;
    return true;
}

static void put_auth(struct lb_wr *wr, uint64_t replay, uint8_t type, struct lb_bytes value) {
    lb_assert(value.len == LB_DHCP6_KEY_BYTES);
    size_t opened = lb_dhcp6_open(wr, LB_OPT6_AUTH);
    lb_wr_u8(wr, PROTOCOL_RKAP);
    lb_wr_u8(wr, ALGORITHM_HMAC_MD5);
    lb_wr_u8(wr, RDM_COUNTER);
    lb_wr_u64(wr, replay);
    lb_wr_u8(wr, type);
    lb_wr_bytes(wr, value);
    lb_dhcp6_close(wr, opened);
}

void lb_dhcp6_put_key(struct lb_wr *wr, uint64_t replay, struct lb_bytes key) {
    put_auth(wr, replay, TYPE_KEY, key);
}

void lb_dhcp6_put_mac(struct lb_wr *wr, uint64_t replay, struct lb_bytes key) {
    static const uint8_t zeros[LB_DHCP6_KEY_BYTES] = {0};
    uint8_t mac[LB_HASH_MAX_BYTES];
    put_auth(wr, replay, TYPE_MAC, lb_bytes(zeros, sizeof zeros));
    if (!lb_wr_ok(wr))
        return;
    size_t mac_at = wr->len - sizeof zeros;
    compute_mac(lb_wr_done(wr), mac_at, key, mac);
    for (size_t i = 0; i < sizeof zeros; i++)
        lb_wr_u8_at(wr, mac_at + i, mac[i]);
}
