/* Delayed authentication: RFC 3118 5. Who has the key proves it with a MAC over the whole message,
 * in option 90. hops, giaddr and option 82 are a relay's, and are not covered. */
#include "core/dhcp4/dhcp4_wire.h"

enum {
    PROTOCOL_DELAYED = 1,
    ALGORITHM_HMAC_MD5 = 1,
    RDM_COUNTER = 0,
    MAC_BYTES = 16,
    ASK_BYTES = 11,   /* protocol, algorithm, RDM, replay detection: DISCOVER and INFORM */
    PROOF_BYTES = 31, /* and the key's id and the MAC */
    HOPS_AT = 3,
    GIADDR_AT = 24,
    GIADDR_BYTES = 4,
};

/* Where options 90 and 82 lie in the options field. */
struct places {
    size_t value_at, value_len; /* of option 90 */
    size_t relay_at, relay_len; /* of option 82, with its code and length; 0: there is none */
    unsigned count;             /* of options 90 */
};

/* RFC 3118 says nothing of option 90 in `file` or `sname`, nor of one in parts: neither counts. */
static struct places find_places(struct lb_bytes payload) {
    struct places places = {.count = 0, .relay_at = payload.len};
    struct lb_rd rd = lb_rd(lb_bytes_after(payload, LB_DHCP4_FIXED_BYTES));
    while (rd.left > 0) {
        size_t at = payload.len - rd.left;
        uint8_t code = lb_rd_u8(&rd);
        if (code == LB_OPT_PAD)
            continue;
        if (code == LB_OPT_END)
            break;
        uint8_t len = lb_rd_u8(&rd);
        lb_rd_skip(&rd, len);
        if (!lb_rd_ok(&rd))
            break;
        if (code == LB_OPT_AUTH) {
            places.count++;
            places.value_at = at + 2;
            places.value_len = len;
        } else if (code == LB_OPT_RELAY_AGENT && places.relay_len == 0) {
            places.relay_at = at;
            places.relay_len = len + 2u;
        }
    }
    return places;
}

/* What the MAC covers, in order. */
struct cover {
    struct lb_bytes parts[9]; /* four of the header, two before the MAC, itself, two behind it */
    size_t count;
};

static void add_part(struct cover *cover, struct lb_bytes part) {
    lb_assert(cover->count < LB_COUNT(cover->parts));
    cover->parts[cover->count++] = part;
}

/* The bytes from `at` up to `end`, without the option 82 that may lie among them. */
static void add_range(struct cover *cover, struct lb_bytes payload, const struct places *places,
                      size_t at, size_t end) {
    if (places->relay_len > 0 && places->relay_at >= at && places->relay_at < end) {
        add_part(cover, lb_bytes(payload.p + at, places->relay_at - at));
        at = places->relay_at + places->relay_len;
    }
    add_part(cover, lb_bytes(payload.p + at, end - at));
}

static void compute_mac(struct lb_bytes payload, const struct places *places,
                        const struct lb_dhcp_key *key, uint8_t out[LB_HASH_MAX_BYTES]) {
    static const uint8_t zeros[MAC_BYTES] = {0};
    size_t mac_at = places->value_at + PROOF_BYTES - MAC_BYTES;
    struct cover cover = {.count = 0};
    add_part(&cover, lb_bytes(payload.p, HOPS_AT));
    add_part(&cover, lb_bytes(zeros, 1));
    add_part(&cover, lb_bytes(payload.p + HOPS_AT + 1, GIADDR_AT - HOPS_AT - 1));
    add_part(&cover, lb_bytes(zeros, GIADDR_BYTES));
    add_range(&cover, payload, places, GIADDR_AT + GIADDR_BYTES, mac_at);
    add_part(&cover, lb_bytes(zeros, MAC_BYTES));
    add_range(&cover, payload, places, mac_at + MAC_BYTES, payload.len);
    lb_hmac(LB_HASH_MD5, lb_bytes(key->secret, key->secret_len), cover.parts, cover.count, out);
}

void lb_dhcp4_put_auth(struct lb_wr *list, uint64_t replay, const struct lb_dhcp_key *key) {
    uint8_t value[PROOF_BYTES] = {PROTOCOL_DELAYED, ALGORITHM_HMAC_MD5, RDM_COUNTER};
    struct lb_wr wr = lb_wr(lb_span(value, sizeof value));
    wr.len = 3;
    lb_wr_u64(&wr, replay);
    if (key != NULL) {
        lb_wr_u32(&wr, key->id);
        lb_wr_zero(&wr, MAC_BYTES);
    }
    lb_dhcp4_put(list, LB_OPT_AUTH, lb_wr_done(&wr));
}

bool lb_dhcp4_sign(struct lb_span message, const struct lb_dhcp_key *key) {
    struct lb_bytes payload = lb_bytes(message.p, message.len);
    struct places places = find_places(payload);
    uint8_t mac[LB_HASH_MAX_BYTES];
    if (places.count != 1 || places.value_len != PROOF_BYTES)
        return false;
    compute_mac(payload, &places, key, mac);
    memcpy(message.p + places.value_at + PROOF_BYTES - MAC_BYTES, mac, MAC_BYTES);
    return true;
}

/* The one option 90 of a message: its value behind protocol, algorithm and RDM, which are ours. */
static const char *find_auth(struct lb_bytes payload, struct places *places, struct lb_rd *rd) {
    *places = find_places(payload);
    if (places->count == 0)
        return "not authenticated";
    if (places->count > 1)
        return "authenticated more than once";
    *rd = lb_rd(lb_bytes(payload.p + places->value_at, places->value_len));
    uint8_t protocol = lb_rd_u8(rd), algorithm = lb_rd_u8(rd), rdm = lb_rd_u8(rd);
    if (protocol != PROTOCOL_DELAYED || algorithm != ALGORITHM_HMAC_MD5 || rdm != RDM_COUNTER)
        return "authenticated in another way than by RFC 3118's delayed authentication";
    return NULL;
}

bool lb_dhcp4_asks_auth(struct lb_bytes payload) {
    struct places places;
    struct lb_rd rd;
    return find_auth(payload, &places, &rd) == NULL && places.value_len >= ASK_BYTES;
}

const char *lb_dhcp4_check_auth(struct lb_bytes payload, struct lb_bytes keys,
                                struct lb_dhcp4_proof *proof) {
    struct places places;
    struct lb_rd rd;
    uint8_t mac[LB_HASH_MAX_BYTES];
    struct lb_dhcp_key key;
    const char *why = find_auth(payload, &places, &rd);
    if (why)
        return why;
    if (places.value_len != PROOF_BYTES)
        return "authenticated without a proof";
    uint64_t replay = lb_rd_u64(&rd);
    uint32_t key_id = lb_rd_u32(&rd);
    if (!lb_dhcp_keys_find(keys, lb_bytes(keys.p, 0), key_id, &key))
        return "authenticated by a key that this machine does not have";
    compute_mac(payload, &places, &key, mac);
    bool is_equal = lb_equal_secret(lb_bytes(mac, MAC_BYTES), lb_rd_rest(&rd));
    lb_wipe(&key, sizeof key);
    if (!is_equal)
        return "the proof of its authentication is wrong";
    *proof = (struct lb_dhcp4_proof){.key_id = key_id, .replay = replay};
    return NULL;
}
