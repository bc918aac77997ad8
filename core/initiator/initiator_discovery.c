/* Text requests in full feature phase: SendTargets (RFC 7143 appendix C), and the empty one that a
 * target asks for by an asynchronous message (11.9.1, event 4). Pairs may straddle answers. */
#include "core/initiator/initiator_session.h"
#include "core/names/rootpath.h"

/* ---- addresses and names -------------------------------------------------------------------- */

static size_t find_last(struct lb_bytes text, uint8_t c) {
    size_t at = text.len;
    while (at > 0 && text.p[at - 1] != c)
        at--;
    return at == 0 ? text.len : at - 1;
}

bool lb_initiator_parse_address(struct lb_bytes value, struct lb_endpoint *endpoint,
                                char host[LB_HOST_MAX + 1], int32_t *tpgt) {
    struct lb_host_port got;
    uint64_t tag = 0;
    value = lb_bytes_trim(value);
    size_t comma = find_last(value, ',');
    /* Nothing depends on the tag, and some targets say -1. */
    bool has_tag = comma < value.len &&
                   lb_iscsi_parse_number(lb_bytes_after(value, comma + 1), 0, UINT16_MAX, &tag);
    value.len = comma;
    if (!lb_host_port_parse(value, &got))
        return false;
    *endpoint = got.at;
    if (endpoint->port == 0)
        endpoint->port = LB_ISCSI_PORT;
    memcpy(host, got.name, sizeof got.name);
    *tpgt = has_tag ? (int32_t)tag : -1;
    return true;
}

/* ---- what is found -------------------------------------------------------------------------- */

static void add_found(struct lb_initiator *session, struct lb_endpoint portal, const char *host,
                      int32_t tpgt) {
    bool is_meant =
        session->look_for.len == 0 || lb_list_has_name(session->look_for, session->found_target);
    if (session->found_count >= (is_meant ? session->found_cap : session->found_cap / 2)) {
        session->found_dropped++;
        return;
    }
    struct lb_initiator_found *found = &session->found[session->found_count++];
    *found = (struct lb_initiator_found){.portal = portal, .tpgt = tpgt};
    memcpy(found->target, session->found_target, sizeof found->target);
    lb_text_copy(found->host, sizeof found->host, lb_bytes_of_text(host));
}

/* Appendix C.2: a target without an address is here. */
static void end_target(struct lb_initiator *session) {
    if (session->found_has_target && !session->found_had_address)
        add_found(session, session->peer, "", session->agreed.tpgt);
    session->found_has_target = false;
}

static void take_target(struct lb_initiator *session, uint64_t now_us, struct lb_bytes name) {
    end_target(session);
    session->found_had_address = false;
    session->found_has_target =
        lb_iscsi_is_name(name) &&
        lb_text_copy(session->found_target, sizeof session->found_target, name);
    if (session->found_has_target)
        return;
    struct lb_text text = lb_text(session->found_bad_name, sizeof session->found_bad_name);
    if (session->found_invalid++ == 0)
        lb_text_untrusted(&text, name);
    lb_trace(session->trace, now_us, "iscsi", "a target name that is not valid: left out");
}

static void take_address(struct lb_initiator *session, uint64_t now_us, struct lb_bytes value) {
    struct lb_endpoint portal;
    char host[LB_HOST_MAX + 1];
    int32_t tpgt;
    if (!session->found_has_target)
        return;
    session->found_had_address = true;
    if (!lb_initiator_parse_address(value, &portal, host, &tpgt) ||
        lb_addr_is_multicast(portal.addr)) {
        lb_trace(session->trace, now_us, "iscsi", "a target address that is not valid: left out");
        return;
    }
    /* 0.0.0.0 comes from targets that listen everywhere and do not know where they are. */
    if (host[0] == 0 && lb_addr_is_zero(portal.addr))
        portal.addr = session->peer.addr;
    add_found(session, portal, host, tpgt);
}

static void take_pair(struct lb_initiator *session, uint64_t now_us, struct lb_bytes text) {
    struct lb_iscsi_pair pair;
    uint64_t number;
    if (!lb_iscsi_text_next(&text, &pair))
        return;
    pair.key = lb_iscsi_key_guess(pair.name);
    pair.value = lb_bytes_trim(pair.value);
    if (session->text_is_discovery && pair.key == LB_ISCSI_KEY_TARGET_NAME)
        take_target(session, now_us, pair.value);
    else if (session->text_is_discovery && pair.key == LB_ISCSI_KEY_TARGET_ADDRESS)
        take_address(session, now_us, pair.value);
    else if (pair.key == LB_ISCSI_KEY_MAX_RECV_DATA_SEGMENT_LENGTH &&
             lb_iscsi_parse_number(pair.value, 512, (1 << 24) - 1, &number))
        session->agreed.max_send_data = (uint32_t)number; /* 13.12: may change at any time */
}

static void take_text(struct lb_initiator *session, uint64_t now_us, struct lb_bytes data) {
    for (size_t i = 0; i < data.len; i++) {
        bool is_full = session->text_in_len == sizeof session->text_in;
        if (data.p[i] != 0 && !is_full && !session->text_skipping) {
            session->text_in[session->text_in_len++] = data.p[i];
            continue;
        }
        if (data.p[i] != 0) {
            session->text_skipping = true;
            continue;
        }
        if (!session->text_skipping)
            take_pair(session, now_us, lb_bytes(session->text_in, session->text_in_len));
        session->text_skipping = false;
        session->text_in_len = 0;
    }
}

/* ---- the exchange --------------------------------------------------------------------------- */

static void send_text(struct lb_initiator *session, uint64_t now_us, uint32_t ttt,
                      const uint8_t lun[8], bool final, struct lb_bytes data) {
    struct lb_iscsi_pdu pdu = {
        .opcode = LB_OP_TEXT_REQUEST,
        .immediate = true,
        .final = final,
        .itt = session->text_itt,
        .ttt = ttt,
    };
    memcpy(pdu.lun, lun, sizeof pdu.lun);
    session->text_us = now_us;
    session->text_rounds++;
    lb_initiator_send_control(session, now_us, &pdu, data);
}

void lb_initiator_text_start(struct lb_initiator *session, uint64_t now_us) {
    static const uint8_t no_lun[8];
    struct lb_bytes request = lb_bytes(NULL, 0);
    session->text_is_out = true;
    session->text_is_discovery = session->targets_wanted;
    session->text_rounds = 0;
    session->text_in_len = 0;
    session->text_skipping = false;
    session->found_count = session->found_dropped = session->found_invalid = 0;
    session->found_has_target = false;
    session->text_itt = lb_initiator_new_tag(session, LB_SLOT_TEXT);
    if (session->text_is_discovery)
        request = lb_bytes(session->text_request, lb_strlen(session->text_request) + 1);
    send_text(session, now_us, LB_ISCSI_NO_TAG, no_lun, true, request);
}

static void end_text(struct lb_initiator *session, uint64_t now_us) {
    session->text_is_out = false;
    if (!session->text_skipping && session->text_in_len > 0) /* the last one lacks its NUL */
        take_pair(session, now_us, lb_bytes(session->text_in, session->text_in_len));
    session->text_in_len = 0;
    if (session->text_is_discovery) {
        end_target(session);
        session->found_is_done = true;
        session->targets_wanted = false;
        lb_initiator_progress(session);
    } else if (session->targets_wanted) {
        lb_initiator_text_start(session, now_us); /* had to wait for the exchange that ends here */
    }
}

void lb_initiator_text_response(struct lb_initiator *session, uint64_t now_us) {
    const struct lb_iscsi_pdu *pdu = &session->pdu;
    if (!session->text_is_out || pdu->itt != session->text_itt) {
        lb_initiator_break(session, now_us, LB_E_PROTOCOL, "Text Response without a request");
        return;
    }
    /* 11.11.1, 11.11.4: F excludes C, and more to come has a tag to ask for it. */
    if (pdu->final ? pdu->text.more : pdu->ttt == LB_ISCSI_NO_TAG) {
        lb_initiator_break(session, now_us, LB_E_PROTOCOL,
                           "Text Response with flags that contradict");
        return;
    }
    take_text(session, now_us, session->stream.data);
    if (pdu->final)
        end_text(session, now_us);
    else if (session->text_rounds >= LB_INITIATOR_TEXT_ROUNDS_MAX)
        lb_initiator_break(session, now_us, LB_E_PROTOCOL, "more than %u Text Responses",
                           LB_INITIATOR_TEXT_ROUNDS_MAX);
    else
        send_text(session, now_us, pdu->ttt, pdu->lun, !pdu->text.more, lb_bytes(NULL, 0));
}

void lb_initiator_send_targets(struct lb_initiator *session, uint64_t now_us,
                               const char *target_or_null, struct lb_initiator_found *found,
                               size_t cap) {
    lb_format(session->text_request, sizeof session->text_request, "SendTargets=%s",
              target_or_null != NULL ? target_or_null : "All");
    session->found = found;
    session->found_cap = cap;
    session->found_is_done = false;
    session->targets_wanted = true;
    if (session->state == LB_INITIATOR_FULL_FEATURE && !session->text_is_out)
        lb_initiator_text_start(session, now_us);
}

void lb_initiator_look_for(struct lb_initiator *session, struct lb_bytes names) {
    session->look_for = names;
}

size_t lb_initiator_found_invalid(const struct lb_initiator *session, const char **first) {
    *first = session->found_bad_name;
    return session->found_invalid;
}

int32_t lb_initiator_found_count(const struct lb_initiator *session, size_t *dropped) {
    *dropped = session->found_dropped;
    return session->found_is_done ? (int32_t)session->found_count : -1;
}
