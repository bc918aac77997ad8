#include "core/boot/path.h"

/* ---- steps of the report -------------------------------------------------------------------- */

/* The session's states, as steps that a person knows. */
static bool step_of_state(enum lb_initiator_state state, enum lb_stage *stage) {
    switch (state) {
    case LB_INITIATOR_RESOLVING:
        *stage = LB_STAGE_RESOLVE;
        return true;
    case LB_INITIATOR_CONNECTING:
        *stage = LB_STAGE_CONNECT;
        return true;
    case LB_INITIATOR_LOGIN_SECURITY:
    case LB_INITIATOR_LOGIN_OPERATIONAL:
        *stage = LB_STAGE_LOGIN;
        return true;
    case LB_INITIATOR_IDLE:
    case LB_INITIATOR_FULL_FEATURE:
    case LB_INITIATOR_LOGGING_OUT:
    case LB_INITIATOR_RECOVERING:
    case LB_INITIATOR_ENDED:
        return false;
    }
    return false;
}

static const char *failure_word(const struct lb_path *path) {
    const struct lb_error *error = lb_initiator_error(&path->session);
    if (lb_is_ok(error)) /* it goes on */
        error = lb_initiator_last_error(&path->session);
    return lb_is_ok(error) ? "closed" : lb_code_word(error->code);
}

static void follow(struct lb_path *path, uint64_t now_us) {
    enum lb_initiator_state state = lb_initiator_state(&path->session);
    enum lb_stage before, stage;
    if (state == path->seen)
        return;
    bool was = step_of_state(path->seen, &before), is = step_of_state(state, &stage);
    path->seen = state;
    if (was && is && before == stage)
        return;
    bool failed = state == LB_INITIATOR_RECOVERING || state == LB_INITIATOR_ENDED;
    lb_report_end(path->common->report, now_us, path->step, failed ? LB_DONE_FAILED : LB_DONE_OK,
                  "%s", failed ? failure_word(path) : "");
    path->step = LB_NO_STEP;
    if (is)
        path->step = lb_report_begin(
            path->common->report, now_us, stage, lb_initiator_peer(&path->session), "%s",
            stage == LB_STAGE_RESOLVE ? path->target->name : path->target->target);
}

/* ---- our end of the connection -------------------------------------------------------------- */

/* Bits that both have in common, of the 64 that name a network. */
static unsigned common_bits(struct lb_addr a, struct lb_addr b) {
    unsigned bits = 0;
    while (bits < 64 && ((a.bytes[bits / 8] ^ b.bytes[bits / 8]) & (0x80 >> bits % 8)) == 0)
        bits++;
    return bits;
}

static bool is_deprecated(const struct lb_boot_addr6 *address) {
    return address->preferred_s == 0;
}

/* As RFC 6724 5 chooses, by rules 3 and 8. Of several equals the host's choice is not known: all
 * are kept. */
static void note_locals6(struct lb_path *path, const struct lb_boot_net *net, struct lb_addr peer) {
    unsigned best = 0;
    for (size_t i = 0; i < net->addr6_count; i++) {
        const struct lb_boot_addr6 *mine = &net->addrs6[i];
        unsigned rank = common_bits(mine->address.addr, peer) + (is_deprecated(mine) ? 0 : 128);
        if (rank > best)
            path->local_count = 0;
        best = LB_MAX(best, rank);
        if (rank == best)
            path->locals[path->local_count++] = mine->address.addr;
    }
}

static void note_local(struct lb_path *path, const struct lb_boot_net *net, struct lb_addr peer) {
    path->local_count = 0;
    path->local_is_link = peer.family == LB_V6 && lb_addr_is_link_local(peer);
    if (peer.family == LB_V6 && !path->local_is_link)
        note_locals6(path, net, peer);
    else if (peer.family == LB_V4 && lb_addr_is_set(net->address.addr))
        path->locals[path->local_count++] = net->address.addr;
}

static bool has_address(const struct lb_boot_net *net, struct lb_addr addr) {
    if (addr.family == LB_V4)
        return lb_addr_equal(net->address.addr, addr);
    for (size_t i = 0; i < net->addr6_count; i++)
        if (lb_addr_equal(net->addrs6[i].address.addr, addr))
            return true;
    return false;
}

bool lb_path_has_local(const struct lb_path *path) {
    if (!path->is_open)
        return true; /* it is from no address yet */
    for (size_t i = 0; i < path->local_count; i++)
        if (!has_address(&path->network->net, path->locals[i]))
            return false;
    return path->local_count > 0 || path->local_is_link;
}

/* ---- beginning and end ---------------------------------------------------------------------- */

void lb_path_init(struct lb_path *path, struct lb_common *common, uint32_t slot,
                  const struct lb_network *network, struct lb_shield *shield) {
    memset(path, 0, sizeof *path);
    path->common = common;
    path->slot = slot;
    path->network = network;
    path->shield = shield;
}

void lb_path_begin(struct lb_path *path) {
    path->step = LB_NO_STEP;
}

void lb_path_start(struct lb_path *path, uint64_t now_us, const struct lb_initiator_config *config,
                   struct lb_span rx, const struct lb_rootpath *target) {
    lb_initiator_init(&path->session, now_us, config, rx, path->common->rand, path->common->trace);
    path->target = target;
    path->runs = true;
    path->seen = LB_INITIATOR_IDLE;
    path->step = LB_NO_STEP;
    lb_initiator_start(&path->session, now_us);
}

void lb_path_end(struct lb_path *path, uint64_t now_us, const struct lb_error *why) {
    if (path->runs)
        lb_initiator_end(&path->session, now_us, why);
    if (path->is_open)
        lb_ask(path->common, LB_BOOT_CLOSE)->slot = path->slot;
    path->runs = path->is_open = false;
    path->waits_for.addr.family = LB_FAMILY_NONE;
}

void lb_path_hand_over(struct lb_path *path, uint64_t now_us) {
    lb_initiator_hand_over(&path->session, now_us);
    path->runs = path->is_open = false;
}

void lb_path_end_step(struct lb_path *path, uint64_t now_us, const char *why) {
    lb_report_end(path->common->report, now_us, path->step, LB_DONE_FAILED, "%s", why);
}

/* ---- the way to the portal ------------------------------------------------------------------ */

static bool waits(const struct lb_path *path) {
    return lb_addr_is_set(path->waits_for.addr);
}

/* From our address in the association with it, if there is one. */
static void open_slot(struct lb_path *path, struct lb_boot_action *action) {
    struct lb_addr shielded = lb_shield_local(path->shield, path->waits_for.addr);
    path->is_open = true;
    note_local(path, &path->network->net, path->waits_for.addr);
    *action = (struct lb_boot_action){.event = LB_BOOT_CONNECT,
                                      .slot = path->slot,
                                      .from = {.addr = shielded},
                                      .to = path->waits_for,
                                      .is_protected = lb_addr_is_set(shielded)};
    path->waits_for.addr.family = LB_FAMILY_NONE;
}

/* Connects if IPsec is there, or is not needed. */
static enum lb_turn try_to_connect(struct lb_path *path, uint64_t now_us,
                                   struct lb_boot_action *action) {
    struct lb_error why = {.code = LB_OK};
    switch (lb_shield_want(path->shield, now_us, path->waits_for.addr, false, &why)) {
    case LB_SHIELD_WAIT:
        return LB_TURN_IDLE;
    case LB_SHIELD_FAILED:
        path->waits_for.addr.family = LB_FAMILY_NONE;
        lb_initiator_unprepared(&path->session, now_us, &why);
        return LB_TURN_AGAIN;
    case LB_SHIELD_UP:
        lb_initiator_connects_at(&path->session, now_us);
        break;
    case LB_SHIELD_CLEAR:
        break;
    }
    open_slot(path, action);
    return LB_TURN_ACT;
}

enum lb_turn lb_path_connect(struct lb_path *path, uint64_t now_us, struct lb_endpoint peer,
                             struct lb_boot_action *action) {
    path->waits_for = peer;
    enum lb_turn did = try_to_connect(path, now_us, action);
    if (!waits(path))
        return did;
    /* its own patience is long enough */
    lb_initiator_connects_at(&path->session, now_us + LB_SHIELD_GIVE_UP_S * LB_US_SEC);
    return LB_TURN_AGAIN;
}

bool lb_path_is_shielded(const struct lb_path *path) {
    struct lb_addr peer = lb_initiator_peer(&path->session).addr;
    return !lb_shield_covers(path->shield, false) ||
           lb_addr_is_set(lb_shield_local(path->shield, peer));
}

/* ---- why it has failed ---------------------------------------------------------------------- */

static bool is_unreached(enum lb_code code) {
    return code == LB_E_CONNECT_TIMEOUT || code == LB_E_CONNECT_UNREACHABLE;
}

/* A server that no route leads to looks like a silent one, for a system that asks the link for any
 * address. */
static void explain_route(const struct lb_path *path, struct lb_error *error) {
    const struct lb_network *network = path->network;
    struct lb_addr to = lb_initiator_peer(&path->session).addr;
    const struct lb_addr *ignored = &network->dhcp.lease.ignored_router;
    if (path->common->interface[0] == '\0' && lb_addr_is_link_local(to))
        lb_fail(error, LB_E_CONNECT_UNREACHABLE,
                "%s is a link-local address: give interface=", lb_addr_text(to).s);
    if (!network->is_set || lb_boot_net_has_way(&network->net, to))
        return;
    if (to.family == LB_V4 && network->has_lease && lb_addr_is_set(*ignored))
        lb_fail(error, LB_E_CONNECT_UNREACHABLE,
                "no route to %s: option 121 has none for it, and stands above option 3, which "
                "names router %s (RFC 3442)",
                lb_addr_text(to).s, lb_addr_text(*ignored).s);
    else
        lb_fail(error, LB_E_CONNECT_UNREACHABLE, "no route to %s: no router is known for it",
                lb_addr_text(to).s);
}

void lb_path_explain(const struct lb_path *path, struct lb_error *error) {
    const struct lb_error *why = lb_initiator_error(&path->session);
    const struct lb_error *lost = &path->network->lost;
    enum lb_family family = lb_initiator_peer(&path->session).addr.family;
    bool is_of_other = family != LB_FAMILY_NONE && family != path->network->lost_family;
    if (!lb_is_ok(lost) && !is_of_other) /* there was no address to reach it from */
        lb_fail(error, lost->code, "%s", lost->facts);
    else if (is_unreached(why->code))
        explain_route(path, error);
    lb_fail(error, why->code, "%s", why->facts);
}

/* ---- turns ---------------------------------------------------------------------------------- */

static enum lb_turn close_slot(struct lb_path *path, struct lb_boot_action *action) {
    if (!path->is_open)
        return LB_TURN_AGAIN;
    path->is_open = false;
    *action = (struct lb_boot_action){.event = LB_BOOT_CLOSE, .slot = path->slot};
    return LB_TURN_ACT;
}

static enum lb_turn carry_out(struct lb_path *path, const struct lb_initiator_action *did,
                              struct lb_boot_action *action, struct lb_path_news *news) {
    switch (did->event) {
    case LB_INITIATOR_WAIT:
        lb_until(path->common, did->until_us);
        return LB_TURN_IDLE;
    case LB_INITIATOR_RESOLVE:
        *news = (struct lb_path_news){.what = LB_PATH_RESOLVE, .host = did->host};
        return LB_TURN_AGAIN;
    case LB_INITIATOR_CONNECT:
        *news = (struct lb_path_news){.what = LB_PATH_CONNECT, .peer = did->peer};
        return LB_TURN_AGAIN;
    case LB_INITIATOR_CLOSE:
        return close_slot(path, action);
    case LB_INITIATOR_READY:
        news->what = LB_PATH_READY;
        return LB_TURN_AGAIN;
    case LB_INITIATOR_OUT:
        return LB_TURN_AGAIN;
    case LB_INITIATOR_FAILED:
        news->what = LB_PATH_FAILED;
        return LB_TURN_AGAIN;
    }
    return LB_TURN_IDLE;
}

enum lb_turn lb_path_turn(struct lb_path *path, uint64_t now_us, struct lb_boot_action *action,
                          struct lb_path_news *news) {
    if (!path->runs)
        return LB_TURN_IDLE;
    struct lb_initiator_action did = lb_initiator_poll(&path->session, now_us);
    follow(path, now_us);
    enum lb_turn turn = carry_out(path, &did, action, news);
    if (lb_initiator_state(&path->session) != LB_INITIATOR_CONNECTING)
        path->waits_for.addr.family = LB_FAMILY_NONE;
    return turn == LB_TURN_IDLE && waits(path) ? try_to_connect(path, now_us, action) : turn;
}

void lb_path_lost(struct lb_path *path, uint64_t now_us, enum lb_initiator_lost why) {
    if (!path->is_open)
        return;
    path->is_open = false;
    if (path->runs)
        lb_initiator_lost(&path->session, now_us, why);
}
