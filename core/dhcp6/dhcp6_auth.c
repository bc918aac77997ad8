/* Two protocols of option 11. The Reconfigure Key Authentication Protocol, RFC 8415 20.4: the key
 * comes in clear in the first Reply; it shows that a Reconfigure is of the same server, and no more
 * than that. Delayed authentication, RFC 3315 21.4: both ends have a key beforehand, and each
 * message proves it. RFC 8415 dropped the latter; RFC 4173 8 asks for it, and servers have it. */
#include "core/dhcp6/dhcp6_wire.h"

enum {
    PROTOCOL_DELAYED = 2,
    PROTOCOL_RKAP = 3,
    ALGORITHM_HMAC_MD5 = 1,
    RDM_COUNTER = 0,
    TYPE_KEY = 1,
    TYPE_MAC = 2,
    AUTH_BYTES = 28, /* protocol, algorithm, RDM, replay detection, type, 16 bytes */
    ASK_BYTES = 11,  /* of delayed authentication: protocol, algorithm, RDM, replay detection */
    PROOF_LEAST = ASK_BYTES + 4 + LB_DHCP6_KEY_BYTES, /* and realm, key id, MAC */
};

struct auth {
    uint64_t replay;
    uint8_t type;
    struct lb_bytes value; /* the key or the MAC, in the message */
};

/* How many options 11 there are, and the last of them. */
static unsigned count_auth(struct lb_bytes options, struct lb_bytes *found) {
    struct lb_rd rd = lb_rd(options);
    struct lb_bytes value;
    unsigned count = 0;
    uint16_t code;
    while (lb_dhcp6_next(&rd, &code, &value)) {
        if (code == LB_OPT6_AUTH) {
            *found = value;
            count++;
        }
    }
    return count;
}

/* RFC 8415 20.4.1. More than one option 11 makes none: it is not said which would count. */
static bool find_auth(struct lb_bytes options, struct auth *auth) {
    struct lb_bytes found = {0};
    if (count_auth(options, &found) != 1 || found.len != AUTH_BYTES)
        return false;
    struct lb_rd rd = lb_rd(found);
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

/* ---- delayed authentication ---- */

void lb_dhcp6_put_auth(struct lb_wr *wr, uint64_t replay, const struct lb_dhcp_key *key) {
    size_t opened = lb_dhcp6_open(wr, LB_OPT6_AUTH);
    lb_wr_u8(wr, PROTOCOL_DELAYED);
    lb_wr_u8(wr, ALGORITHM_HMAC_MD5);
    lb_wr_u8(wr, RDM_COUNTER);
    lb_wr_u64(wr, replay);
    if (key != NULL) {
        lb_wr_bytes(wr, key->realm);
        lb_wr_u32(wr, key->id);
        lb_wr_zero(wr, LB_DHCP6_KEY_BYTES);
    }
    lb_dhcp6_close(wr, opened);
}

bool lb_dhcp6_sign(struct lb_wr *wr, const struct lb_dhcp_key *key) {
    struct lb_dhcp6_message message;
    struct lb_bytes value;
    const char *why;
    uint8_t mac[LB_HASH_MAX_BYTES];
    if (!lb_dhcp6_decode(lb_wr_done(wr), &message, &why) ||
        count_auth(message.options, &value) != 1 || value.len < PROOF_LEAST)
        return false;
    size_t mac_at = (size_t)(value.p - message.whole.p) + value.len - LB_DHCP6_KEY_BYTES;
    compute_mac(message.whole, mac_at, lb_bytes(key->secret, key->secret_len), mac);
    for (size_t i = 0; i < LB_DHCP6_KEY_BYTES; i++)
        lb_wr_u8_at(wr, mac_at + i, mac[i]);
    return true;
}

/* The one option 11 of a message; its cursor stands behind protocol, algorithm and RDM, which are
 * ours. */
static const char *find_delayed(const struct lb_dhcp6_message *message, struct lb_bytes *value,
                                struct lb_rd *rd) {
    unsigned count = count_auth(message->options, value);
    if (count != 1)
        return count == 0 ? "not authenticated" : "authenticated more than once";
    *rd = lb_rd(*value);
    uint8_t protocol = lb_rd_u8(rd), algorithm = lb_rd_u8(rd), rdm = lb_rd_u8(rd);
    if (protocol != PROTOCOL_DELAYED || algorithm != ALGORITHM_HMAC_MD5 || rdm != RDM_COUNTER)
        return "authenticated in another way than by RFC 3315's delayed authentication";
    return NULL;
}

bool lb_dhcp6_asks_auth(const struct lb_dhcp6_message *message) {
    struct lb_bytes value = {0};
    struct lb_rd rd;
    return find_delayed(message, &value, &rd) == NULL && value.len >= ASK_BYTES;
}

const char *lb_dhcp6_check_auth(const struct lb_dhcp6_message *message, struct lb_bytes keys,
                                struct lb_dhcp6_proof *proof) {
    struct lb_bytes value = {0};
    struct lb_rd rd;
    struct lb_dhcp_key key;
    uint8_t mac[LB_HASH_MAX_BYTES];
    const char *why = find_delayed(message, &value, &rd);
    if (why)
        return why;
    if (value.len <= PROOF_LEAST) /* a key without a realm is none of DHCPv6 */
        return "authenticated without a proof";
    struct lb_dhcp6_proof found = {.replay = lb_rd_u64(&rd)};
    found.realm = lb_rd_bytes(&rd, value.len - PROOF_LEAST);
    found.key_id = lb_rd_u32(&rd);
    struct lb_bytes said = lb_rd_rest(&rd);
    if (!lb_dhcp_keys_find(keys, found.realm, found.key_id, &key))
        return "authenticated by a key that this machine does not have";
    compute_mac(message->whole, (size_t)(said.p - message->whole.p),
                lb_bytes(key.secret, key.secret_len), mac);
    lb_wipe(&key, sizeof key);
    if (!lb_equal_secret(lb_bytes(mac, LB_DHCP6_KEY_BYTES), said))
        return "the proof of its authentication is wrong";
    *proof = found;
    return NULL;
}
