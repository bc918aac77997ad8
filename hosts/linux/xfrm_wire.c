#include "hosts/linux/xfrm_wire.h"
#include "core/base/text.h"
#include <errno.h>
#include <linux/netlink.h>
#include <linux/udp.h>
#include <linux/xfrm.h>
#include <netinet/in.h>
#include <sys/socket.h>

#define SALT_BYTES    4
#define TAG_BITS      128
#define SELECTOR_BITS 8 /* of a byte, for lengths of prefixes */

static const char algorithm[] = "rfc4106(gcm(aes))";

/* ---- writing --------------------------------------------------------------------------------- */

static struct lb_wr begin(struct lb_span room, uint16_t type, uint32_t seq) {
    struct nlmsghdr header = {
        .nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK, .nlmsg_seq = seq};
    struct lb_wr wr = lb_wr(room);
    lb_wr_bytes(&wr, lb_bytes(&header, sizeof(header)));
    return wr;
}

/* The length is known at the end. */
static struct lb_bytes finish(struct lb_wr *wr, struct lb_span room) {
    struct lb_bytes message = lb_wr_done(wr);
    uint32_t len = (uint32_t)message.len;
    if (len > 0)
        memcpy(room.p, &len, sizeof(len));
    return message;
}

static void open_attribute(struct lb_wr *wr, uint16_t type, size_t len) {
    struct nlattr attribute = {.nla_type = type, .nla_len = (uint16_t)(NLA_HDRLEN + len)};
    lb_wr_bytes(wr, lb_bytes(&attribute, sizeof(attribute)));
}

static xfrm_address_t address(struct lb_addr addr) {
    xfrm_address_t to = {0};
    memcpy(&to, addr.bytes, addr.family == LB_V6 ? 16 : 4);
    return to;
}

static uint16_t os_family(struct lb_addr addr) {
    return addr.family == LB_V6 ? AF_INET6 : AF_INET;
}

static const struct xfrm_lifetime_cfg no_end = {.soft_byte_limit = XFRM_INF,
                                                .hard_byte_limit = XFRM_INF,
                                                .soft_packet_limit = XFRM_INF,
                                                .hard_packet_limit = XFRM_INF};

/* ---- SAs ------------------------------------------------------------------------------------- */

static struct lb_endpoint from_of(const struct lb_ipsec_terms *terms, enum lb_xfrm_way way) {
    return way == LB_XFRM_OUT ? terms->local : terms->remote;
}

static struct lb_endpoint to_of(const struct lb_ipsec_terms *terms, enum lb_xfrm_way way) {
    return way == LB_XFRM_OUT ? terms->remote : terms->local;
}

static uint32_t spi_of(const struct lb_ipsec_terms *terms, enum lb_xfrm_way way) {
    return way == LB_XFRM_OUT ? terms->out_spi : terms->in_spi;
}

/* RFC 3948. */
static void put_encap(struct lb_wr *wr, const struct lb_ipsec_terms *terms, enum lb_xfrm_way way) {
    struct xfrm_encap_tmpl encap = {.encap_type = UDP_ENCAP_ESPINUDP,
                                    .encap_sport = htons(from_of(terms, way).port),
                                    .encap_dport = htons(to_of(terms, way).port)};
    if (!terms->in_udp)
        return;
    open_attribute(wr, XFRMA_ENCAP, sizeof(encap));
    lb_wr_bytes(wr, lb_bytes(&encap, sizeof(encap)));
}

/* Its key is key and salt, and the kernel counts them in bits. */
static void put_aead(struct lb_wr *wr, const struct lb_ipsec_terms *terms, enum lb_xfrm_way way) {
    const uint8_t *key = way == LB_XFRM_OUT ? terms->out_key : terms->in_key;
    struct xfrm_algo_aead aead = {.alg_key_len = (unsigned)terms->key_len * 8,
                                  .alg_icv_len = TAG_BITS};
    lb_assert(terms->key_len > SALT_BYTES && terms->key_len <= LB_IPSEC_KEY_MAX);
    memcpy(aead.alg_name, algorithm, sizeof(algorithm));
    open_attribute(wr, XFRMA_ALG_AEAD, sizeof(aead) + terms->key_len);
    lb_wr_bytes(wr, lb_bytes(&aead, sizeof(aead)));
    lb_wr_bytes(wr, lb_bytes(key, terms->key_len));
}

/* Beyond 32 packets the window has an attribute of its own, long numbers or not. */
static void put_window(struct lb_wr *wr) {
    struct xfrm_replay_state_esn window = {.bmp_len = LB_IPSEC_WINDOW / 32,
                                           .replay_window = LB_IPSEC_WINDOW};
    open_attribute(wr, XFRMA_REPLAY_ESN_VAL, sizeof(window));
    lb_wr_bytes(wr, lb_bytes(&window, sizeof(window)));
}

struct lb_bytes lb_xfrm_new_sa(const struct lb_ipsec_terms *terms, enum lb_xfrm_way way,
                               uint32_t seq, struct lb_span room) {
    struct lb_wr wr = begin(room, XFRM_MSG_NEWSA, seq);
    struct xfrm_usersa_info info;
    memset(&info, 0, sizeof(info));
    info.id.daddr = address(to_of(terms, way).addr);
    info.id.spi = htonl(spi_of(terms, way));
    info.id.proto = IPPROTO_ESP;
    info.saddr = address(from_of(terms, way).addr);
    info.lft = no_end;
    info.reqid = LB_XFRM_REQID;
    info.family = os_family(terms->local.addr);
    info.mode = terms->mode == LB_IPSEC_TUNNEL ? XFRM_MODE_TUNNEL : XFRM_MODE_TRANSPORT;
    info.flags = terms->has_esn ? XFRM_STATE_ESN : 0;
    lb_wr_bytes(&wr, lb_bytes(&info, sizeof(info)));
    put_encap(&wr, terms, way);
    put_aead(&wr, terms, way);
    put_window(&wr);
    return finish(&wr, room);
}

/* A message that names an SA: where it leads and its SPI do, and where it comes from. */
static struct lb_bytes name_sa(uint16_t type, const struct lb_ipsec_terms *terms,
                               enum lb_xfrm_way way, uint32_t seq, struct lb_span room) {
    struct lb_wr wr = begin(room, type, seq);
    xfrm_address_t from = address(from_of(terms, way).addr);
    struct xfrm_usersa_id id;
    memset(&id, 0, sizeof(id));
    id.daddr = address(to_of(terms, way).addr);
    id.spi = htonl(spi_of(terms, way));
    id.family = os_family(terms->local.addr);
    id.proto = IPPROTO_ESP;
    lb_wr_bytes(&wr, lb_bytes(&id, sizeof(id)));
    open_attribute(&wr, XFRMA_SRCADDR, sizeof(from));
    lb_wr_bytes(&wr, lb_bytes(&from, sizeof(from)));
    return finish(&wr, room);
}

struct lb_bytes lb_xfrm_del_sa(const struct lb_ipsec_terms *terms, enum lb_xfrm_way way,
                               uint32_t seq, struct lb_span room) {
    return name_sa(XFRM_MSG_DELSA, terms, way, seq, room);
}

struct lb_bytes lb_xfrm_get_sa(const struct lb_ipsec_terms *terms, enum lb_xfrm_way way,
                               uint32_t seq, struct lb_span room) {
    return name_sa(XFRM_MSG_GETSA, terms, way, seq, room);
}

/* ---- policies -------------------------------------------------------------------------------- */

static struct lb_addr source_of(const struct lb_xfrm_policy *policy) {
    return policy->way == LB_XFRM_OUT ? policy->local : policy->remote;
}

static struct lb_addr destination_of(const struct lb_xfrm_policy *policy) {
    return policy->way == LB_XFRM_OUT ? policy->remote : policy->local;
}

static uint8_t bits(struct lb_addr addr) {
    if (lb_addr_is_zero(addr))
        return 0;
    return addr.family == LB_V6 ? 16 * SELECTOR_BITS : 4 * SELECTOR_BITS;
}

/* The type of an ICMPv6 message stands where ports have the source's. */
static struct xfrm_selector selector(const struct lb_xfrm_policy *policy) {
    struct xfrm_selector sel;
    memset(&sel, 0, sizeof(sel));
    sel.saddr = address(source_of(policy));
    sel.daddr = address(destination_of(policy));
    sel.family = os_family(policy->remote);
    sel.prefixlen_s = bits(source_of(policy));
    sel.prefixlen_d = bits(destination_of(policy));
    if (policy->does == LB_XFRM_PASSES) {
        sel.proto = IPPROTO_ICMPV6;
        sel.sport = htons(policy->icmp6_type);
        sel.sport_mask = htons(UINT16_MAX);
    }
    if (policy->port != 0) {
        bool is_out = policy->way == LB_XFRM_OUT;
        sel.proto = IPPROTO_TCP;
        *(is_out ? &sel.dport : &sel.sport) = htons(policy->port);
        *(is_out ? &sel.dport_mask : &sel.sport_mask) = htons(UINT16_MAX);
    }
    return sel;
}

/* The least number decides about a packet. What blocks stands behind the policies of any daemon:
 * strongSwan's are at 200000 and more. */
static uint32_t priority(enum lb_xfrm_does does) {
    switch (does) {
    case LB_XFRM_PASSES:
        return 1000;
    case LB_XFRM_PROTECTS:
        return LB_XFRM_PRIORITY;
    case LB_XFRM_BLOCKS:
        return INT32_MAX - 1;
    case LB_XFRM_ADMITS:
        break;
    }
    return LB_XFRM_ADMIT;
}

static uint8_t direction(const struct lb_xfrm_policy *policy) {
    return policy->way == LB_XFRM_OUT ? XFRM_POLICY_OUT : XFRM_POLICY_IN;
}

/* What protected packets must have gone through. */
static void put_template(struct lb_wr *wr, const struct lb_xfrm_policy *policy) {
    struct xfrm_user_tmpl tmpl;
    memset(&tmpl, 0, sizeof(tmpl));
    tmpl.id.daddr = address(destination_of(policy));
    tmpl.id.proto = IPPROTO_ESP;
    tmpl.family = os_family(policy->remote);
    tmpl.saddr = address(source_of(policy));
    tmpl.reqid = LB_XFRM_REQID;
    tmpl.mode = policy->mode == LB_IPSEC_TUNNEL ? XFRM_MODE_TUNNEL : XFRM_MODE_TRANSPORT;
    tmpl.aalgos = tmpl.ealgos = tmpl.calgos = UINT32_MAX;
    open_attribute(wr, XFRMA_TMPL, sizeof(tmpl));
    lb_wr_bytes(wr, lb_bytes(&tmpl, sizeof(tmpl)));
}

static struct lb_bytes put_policy(uint16_t type, const struct lb_xfrm_policy *policy, uint32_t seq,
                                  struct lb_span room) {
    struct lb_wr wr = begin(room, type, seq);
    struct xfrm_userpolicy_info info;
    memset(&info, 0, sizeof(info));
    info.sel = selector(policy);
    info.lft = no_end;
    info.priority = priority(policy->does);
    info.dir = direction(policy);
    info.action = policy->does == LB_XFRM_BLOCKS ? XFRM_POLICY_BLOCK : XFRM_POLICY_ALLOW;
    lb_wr_bytes(&wr, lb_bytes(&info, sizeof(info)));
    if (policy->does == LB_XFRM_PROTECTS)
        put_template(&wr, policy);
    return finish(&wr, room);
}

struct lb_bytes lb_xfrm_set_policy(const struct lb_xfrm_policy *policy, uint32_t seq,
                                   struct lb_span room) {
    return put_policy(XFRM_MSG_UPDPOLICY, policy, seq, room);
}

struct lb_bytes lb_xfrm_add_policy(const struct lb_xfrm_policy *policy, uint32_t seq,
                                   struct lb_span room) {
    return put_policy(XFRM_MSG_NEWPOLICY, policy, seq, room);
}

/* A message that names a policy. */
static struct lb_bytes name_policy(uint16_t type, const struct lb_xfrm_policy *policy, uint32_t seq,
                                   struct lb_span room) {
    struct lb_wr wr = begin(room, type, seq);
    struct xfrm_userpolicy_id id;
    memset(&id, 0, sizeof(id));
    id.sel = selector(policy);
    id.dir = direction(policy);
    lb_wr_bytes(&wr, lb_bytes(&id, sizeof(id)));
    return finish(&wr, room);
}

struct lb_bytes lb_xfrm_get_policy(const struct lb_xfrm_policy *policy, uint32_t seq,
                                   struct lb_span room) {
    return name_policy(XFRM_MSG_GETPOLICY, policy, seq, room);
}

struct lb_bytes lb_xfrm_del_policy(const struct lb_xfrm_policy *policy, uint32_t seq,
                                   struct lb_span room) {
    return name_policy(XFRM_MSG_DELPOLICY, policy, seq, room);
}

/* ---- where there is no policy ---------------------------------------------------------------- */

static struct lb_bytes put_default(uint16_t type, uint8_t both, uint32_t seq, struct lb_span room) {
    struct lb_wr wr = begin(room, type, seq);
    struct xfrm_userpolicy_default info = {.in = both, .fwd = XFRM_USERPOLICY_UNSPEC, .out = both};
    lb_wr_bytes(&wr, lb_bytes(&info, sizeof(info)));
    return finish(&wr, room);
}

struct lb_bytes lb_xfrm_set_default(bool blocks, uint32_t seq, struct lb_span room) {
    return put_default(XFRM_MSG_SETDEFAULT, blocks ? XFRM_USERPOLICY_BLOCK : XFRM_USERPOLICY_ACCEPT,
                       seq, room);
}

struct lb_bytes lb_xfrm_get_default(uint32_t seq, struct lb_span room) {
    return put_default(XFRM_MSG_GETDEFAULT, XFRM_USERPOLICY_UNSPEC, seq, room);
}

/* ---- reading --------------------------------------------------------------------------------- */

static void take_error(struct lb_rd rd, struct lb_xfrm_answer *answer) {
    int32_t error = 0;
    lb_rd_copy(&rd, &error, sizeof(error));
    if (!lb_rd_ok(&rd) || error > 0 || error == INT32_MIN)
        return;
    answer->is_over = true;
    answer->refused = -error;
}

static void take_sa(struct lb_rd rd, struct lb_xfrm_answer *answer) {
    struct xfrm_usersa_info info;
    memset(&info, 0, sizeof(info));
    lb_rd_copy(&rd, &info, sizeof(info));
    if (!lb_rd_ok(&rd))
        return;
    answer->has_sa = true;
    answer->spi = ntohl(info.id.spi);
    answer->packets = info.curlft.packets;
}

static void take_policy(struct lb_rd rd, struct lb_xfrm_answer *answer) {
    struct xfrm_userpolicy_info info;
    memset(&info, 0, sizeof(info));
    lb_rd_copy(&rd, &info, sizeof(info));
    if (!lb_rd_ok(&rd))
        return;
    answer->has_policy = true;
    answer->priority = info.priority;
}

static void take_default(struct lb_rd rd, struct lb_xfrm_answer *answer) {
    struct xfrm_userpolicy_default info = {.in = XFRM_USERPOLICY_UNSPEC};
    lb_rd_copy(&rd, &info, sizeof(info));
    if (!lb_rd_ok(&rd))
        return;
    answer->has_default = true;
    answer->blocks = info.in == XFRM_USERPOLICY_BLOCK && info.out == XFRM_USERPOLICY_BLOCK;
}

/* Each message begins at a multiple of four bytes; the last padding may be missing. */
static bool next_message(struct lb_rd *rd, struct nlmsghdr *header, struct lb_rd *body) {
    struct lb_rd message = *rd;
    if (rd->left < sizeof(*header))
        return false;
    lb_rd_copy(&message, header, sizeof(*header));
    if (header->nlmsg_len < sizeof(*header) || header->nlmsg_len > rd->left)
        return false;
    *body = lb_rd(lb_rd_bytes(&message, header->nlmsg_len - sizeof(*header)));
    lb_rd_skip(rd, LB_MIN(NLMSG_ALIGN((size_t)header->nlmsg_len), rd->left));
    return true;
}

struct lb_xfrm_answer lb_xfrm_read(struct lb_bytes messages, uint32_t seq) {
    struct lb_xfrm_answer answer = {.refused = 0};
    struct nlmsghdr header;
    struct lb_rd rd = lb_rd(messages), body;
    while (!answer.is_over && next_message(&rd, &header, &body)) {
        if (header.nlmsg_seq != seq)
            continue;
        if (header.nlmsg_type == NLMSG_ERROR)
            take_error(body, &answer);
        if (header.nlmsg_type == XFRM_MSG_NEWSA)
            take_sa(body, &answer);
        if (header.nlmsg_type == XFRM_MSG_NEWPOLICY)
            take_policy(body, &answer);
        if (header.nlmsg_type == XFRM_MSG_GETDEFAULT)
            take_default(body, &answer);
    }
    return answer;
}

struct lb_xfrm_taken lb_xfrm_read_taken(struct lb_bytes messages) {
    struct lb_xfrm_taken taken = {false, false};
    struct nlmsghdr header;
    struct lb_rd rd = lb_rd(messages), body;
    while (next_message(&rd, &header, &body)) {
        uint16_t type = header.nlmsg_type;
        taken.policies = taken.policies || type == XFRM_MSG_DELPOLICY ||
                         type == XFRM_MSG_FLUSHPOLICY || type == XFRM_MSG_POLEXPIRE;
        taken.sas = taken.sas || type == XFRM_MSG_DELSA || type == XFRM_MSG_FLUSHSA ||
                    type == XFRM_MSG_EXPIRE;
    }
    return taken;
}
