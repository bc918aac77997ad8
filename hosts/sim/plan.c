/* What a seed means: which faults may happen and how often, what is wrong for good, how the client
 * is configured. Each run has but some kinds of faults, so that each of them also meets a world
 * that is well otherwise, and some runs have none. */
#include "hosts/sim/sim.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECRET_OURS   "the-client-secret-Kq7"
#define SECRET_THEIRS "the-target-secret-Zx3"
#define SECRET_WRONG  "this-is-not-right-Vb9"

__attribute__((format(printf, 3, 4))) static void set(struct sim *sim, const char *key,
                                                      const char *format, ...) {
    char value[300];
    struct lb_error error = {.code = LB_OK};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(value, sizeof value, format, arguments);
    va_end(arguments);
    if (!lb_config_set(&sim->config, LB_SOURCE_OPTION, lb_bytes_of_text(key),
                       lb_bytes_of_text(value), &error)) {
        fprintf(stderr, "lunboot-sim: %s=%s: %s\n", key, value, error.facts);
        abort();
    }
    sim_say(&sim->world, "config", "%s=%s", key,
            strstr(key, "secret") != NULL || strstr(key, "psk") != NULL ? "..." : value);
}

/* ---- faults ---------------------------------------------------------------------------------- */

static bool is_of_enemy(unsigned fault) {
    return fault == SIM_HOSTILE_TARGET || fault == SIM_HOSTILE_INITIATOR;
}

/* Faults that were added later have other dice. */
static void draw_later_faults(struct sim_world *world) {
    uint32_t density = sim_other_between(world, 1, 8);
    for (unsigned i = SIM_HOST_LATE + 1; i < SIM_FAULT_COUNT; i++) {
        unsigned most = sim_fault_most((enum sim_fault)i);
        if (most > 0 && sim_other_one_in(world, density))
            world->chance[i] = (uint16_t)sim_other_between(world, 1, most);
    }
}

static void draw_faults(struct sim *sim) {
    struct sim_world *world = &sim->world;
    uint32_t density = sim_between(world, 1, 8); /* one in so many kinds */
    for (unsigned i = 0; i <= SIM_HOST_LATE; i++) {
        unsigned most = sim_fault_most((enum sim_fault)i);
        if (most > 0 && !is_of_enemy(i) && sim_one_in(world, density))
            world->chance[i] = (uint16_t)sim_between(world, 1, most);
    }
    draw_later_faults(world);
    if (sim->plan.is_hostile) {
        bool target = !sim_one_in(world, 3);
        world->chance[target ? SIM_HOSTILE_TARGET : SIM_HOSTILE_INITIATOR] =
            (uint16_t)sim_between(world, 1, 300);
    }
    uint32_t calm_ms =
        sim_one_in(world, 3) ? sim_skewed(world, 100, 60000) : sim_between(world, 100, 60000);
    world->calm_us = world->now_us + calm_ms * LB_US_MS;
}

static void draw_mix(struct sim *sim) {
    struct sim_world *world = &sim->world;
    struct sim_plan *plan = &sim->plan;
    uint32_t mix = sim_below(world, 12);
    plan->is_clean = mix <= 1;
    plan->is_hostile = mix == 2 || mix == 4;
    if (mix == 1 || mix == 3)
        plan->wrong = (enum sim_wrong)sim_between(world, 1, SIM_WRONG_COUNT - 1);
    if (!plan->is_clean)
        draw_faults(sim);
}

/* ---- who and where --------------------------------------------------------------------------- */

static bool wrong_is(const struct sim *sim, enum sim_wrong first, enum sim_wrong last) {
    return sim->plan.wrong >= first && sim->plan.wrong <= last;
}

/* What is wrong decides how far the boot has to come to meet it. */
static bool wants_dhcp(const struct sim *sim) {
    return wrong_is(sim, SIM_WRONG_DHCP, SIM_WRONG_NO_SERVER);
}

static bool wants_link(const struct sim *sim) {
    return wrong_is(sim, SIM_WRONG_LINK, SIM_WRONG_NO_SERVER);
}

/* What is wrong with one family needs a network of that family alone, else the other one boots. */
static bool wants_only4(const struct sim *sim) {
    return wrong_is(sim, SIM_WRONG_DHCP, SIM_WRONG_NAK) ||
           wrong_is(sim, SIM_WRONG_ISNS_EMPTY, SIM_WRONG_ISNS_REFUSES);
}

static bool wants_only6(const struct sim *sim) {
    return wrong_is(sim, SIM_WRONG_DHCP6, SIM_WRONG_ROUTERS);
}

static void draw_routers(struct sim *sim) {
    struct sim_world *world = &sim->world;
    struct sim_plan *plan = &sim->plan;
    plan->routers = sim_one_in(world, 4) ? 2 : 1;
    if (plan->wrong == SIM_WRONG_ROUTERS || (plan->net4 && sim_one_in(world, 8)))
        plan->routers = 0;
    uint32_t flags = sim_below(world, 5);
    plan->managed = flags <= 1 || wants_only6(sim);
    plan->other = flags == 1 || flags == 2 || flags == 3 || (wants_dhcp(sim) && !plan->net4);
    plan->also_slaac = !wants_only6(sim) && sim_one_in(world, 2);
    plan->short_ra = sim_one_in(world, 4);
    plan->lease6_s = sim_one_in(world, 3) ? sim_between(world, 10, 200) : 0;
}

/* Who names the disk: each family alone, or both. */
static void draw_root(struct sim *sim) {
    struct sim_plan *plan = &sim->plan;
    bool can6 = plan->net6 && (plan->managed || plan->other);
    plan->root4 = plan->net4 && (!can6 || !sim_one_in(&sim->world, 3));
    plan->root6 = can6 && (!plan->root4 || sim_one_in(&sim->world, 2));
    plan->plain_url = sim_one_in(&sim->world, 3);
}

static void draw_families(struct sim *sim) {
    struct sim_world *world = &sim->world;
    struct sim_plan *plan = &sim->plan;
    uint32_t kind = sim_below(world, 8);
    plan->net4 = wants_only4(sim) || (kind <= 5 && !wants_only6(sim));
    plan->net6 = wants_only6(sim) || (kind >= 4 && !wants_only4(sim));
    plan->has_ipv6 = plan->net6 || sim_one_in(world, 2);
    if (plan->net6)
        draw_routers(sim);
    draw_root(sim);
    /* Without a router nobody says that the target is on the link. */
    plan->uses_v6 = !plan->net4 || (plan->routers > 0 && sim_one_in(world, 2));
    if (plan->uses_network)
        plan->uses_v6 = sim_one_in(world, 2);
    if (!plan->root4 && !plan->root6)
        plan->uses_rootpath = true;
}

static void draw_stages(struct sim *sim) {
    struct sim_world *world = &sim->world;
    struct sim_plan *plan = &sim->plan;
    plan->uses_network = !wants_link(sim) && sim_one_in(world, 8);
    plan->uses_address = !plan->uses_network && !wants_dhcp(sim) && sim_one_in(world, 6);
    plan->uses_rootpath =
        plan->uses_network || plan->uses_address || (!wants_dhcp(sim) && sim_one_in(world, 4));
    plan->is_probe = plan->wrong == SIM_WRONG_NONE && sim_one_in(world, 25);
    plan->uses_name = plan->wrong == SIM_WRONG_RESOLVE || sim_one_in(world, 4);
    plan->dead_address = plan->uses_name && sim_one_in(world, 3);
    draw_families(sim);
    plan->two_servers = sim_one_in(world, 4);
    plan->bootp = plan->wrong != SIM_WRONG_NAK && sim_one_in(world, 8);
    plan->proxy = !plan->bootp && plan->wrong != SIM_WRONG_NAK && sim_one_in(world, 8);
    plan->rapid = plan->wrong != SIM_WRONG_NAK && sim_one_in(world, 4);
    plan->overload = sim_one_in(world, 4);
    plan->authoritative = sim_one_in(world, 2);
    plan->lease_s = sim_one_in(world, 3) ? sim_between(world, 10, 200) : 0;
}

/* In some worlds the root path names no server. */
static void draw_slp(struct sim *sim) {
    struct sim_plan *plan = &sim->plan;
    uint32_t kind = sim_aside(&sim->world, 1);
    plan->by_slp = plan->wrong == SIM_WRONG_NONE && !plan->is_probe && kind % 5 == 0;
    plan->agents = 1 + kind / 5 % SIM_AGENTS;
    plan->slp_directory = kind / 16 % 2;
    plan->slp_option = plan->by_slp && plan->slp_directory && kind / 32 % 2;
    plan->slp_mandatory = kind / 64 % 2;
}

/* Or iSNS finds the disk, in a network of IPv4. */
static void draw_isns(struct sim *sim) {
    struct sim_plan *plan = &sim->plan;
    uint32_t kind = sim_aside(&sim->world, 31);
    bool is_wanted = wrong_is(sim, SIM_WRONG_ISNS_EMPTY, SIM_WRONG_ISNS_REFUSES);
    bool can = plan->net4 && !plan->is_probe && !plan->by_slp &&
               !(plan->uses_v6 && (plan->uses_address || plan->uses_network));
    if (!is_wanted && (plan->wrong != SIM_WRONG_NONE || !can || kind % 4 != 0))
        return;
    plan->isns = kind / 4 % 2 ? SIM_ISNS_BY_NAME : SIM_ISNS_BY_LIST;
    if (plan->wrong == SIM_WRONG_ISNS_EMPTY)
        plan->isns = SIM_ISNS_BY_LIST;
    plan->isns_dead_portal = kind / 8 % 4 == 0;
    plan->uses_name = plan->dead_address = false;
    bool has_dhcp = !plan->uses_network && !plan->uses_address && !plan->net6 && !plan->proxy;
    plan->isns_by_dhcp = has_dhcp && kind / 32 % 2;
    if (plan->isns_by_dhcp)
        plan->two_servers = false;
}

/* ---- IPsec ----------------------------------------------------------------------------------- */

static void draw_ipsec_faults(struct sim_world *world) {
    static const struct {
        enum sim_fault fault;
        uint16_t most;
    } faults[] = {
        {SIM_IPSEC_RENEWED, 500}, {SIM_IPSEC_RENEWED_IKE, 500}, {SIM_GATE_RESTARTED, 200},
        {SIM_ESP_LOST, 150},      {SIM_ESP_LATE, 100},          {SIM_ESP_TWICE, 300},
        {SIM_ESP_REPLAYED, 500},  {SIM_ESP_FORGED, 500},        {SIM_IKE_REPLAYED, 400},
        {SIM_IKE_FORGED, 400},    {SIM_IKE_REFUSED, 400},
    };
    uint32_t density = sim_between(world, 1, 4);
    for (size_t i = 0; i < LB_COUNT(faults); i++)
        if (sim_one_in(world, density))
            world->chance[faults[i].fault] = (uint16_t)sim_between(world, 1, faults[i].most);
}

/* Only in worlds of --ipsec: what a seed means without it stays. */
static void draw_ipsec(struct sim *sim) {
    struct sim_world *world = &sim->world;
    struct sim_plan *plan = &sim->plan;
    plan->has_ipsec = world->has_ipsec;
    if (!plan->has_ipsec)
        return;
    plan->ipsec_all = !plan->by_slp && !sim_one_in(world, 4);
    plan->ipsec_transport = sim_one_in(world, 2);
    plan->gate_p256 = sim_one_in(world, 4);
    plan->gate_cookie = sim_one_in(world, 4);
    plan->gate_rekey_s = sim_one_in(world, 2) ? sim_between(world, 5, 90) : 0;
    plan->gate_rekey_ike_s = sim_one_in(world, 2) ? sim_between(world, 5, 90) : 0;
    if (plan->wrong == SIM_WRONG_NONE && sim_one_in(world, 16))
        plan->ipsec_wrong = (enum sim_ipsec_wrong)sim_between(world, 1, SIM_IPSEC_WRONGS - 1);
    if (plan->ipsec_wrong == SIM_IPSEC_MODE && sim_aside(world, 81) % 2)
        plan->ipsec_wrong = SIM_IPSEC_NARROW;
    if (plan->ipsec_all)
        sim_saw(world, SIM_IPSEC_ALL);
    if (plan->ipsec_wrong != SIM_IPSEC_WELL)
        sim_saw(world, SIM_IPSEC_WRONG);
    if (!plan->is_clean)
        draw_ipsec_faults(world);
}

static void configure_ipsec(struct sim *sim) {
    struct sim_world *world = &sim->world;
    const struct sim_plan *plan = &sim->plan;
    sim->secrets[sim->secret_count++] = SIM_PSK;
    if (!plan->has_ipsec)
        return;
    set(sim, "ipsec-psk", "%s", SIM_PSK);
    set(sim, "ipsec-id", SIM_CLIENT_ID);
    set(sim, "ipsec-peer-id", SIM_GATE_ID);
    if (!plan->ipsec_all)
        set(sim, "ipsec", "target");
    else if (sim_one_in(world, 2))
        set(sim, "ipsec", "all");
    if (plan->ipsec_transport)
        set(sim, "ipsec-mode", "transport");
}

static bool wrong_wants_redirect(const struct sim *sim) {
    return wrong_is(sim, SIM_WRONG_REDIRECT_LOOP, SIM_WRONG_REDIRECT_FORBIDDEN);
}

static void draw_redirect(struct sim *sim) {
    if (sim->plan.wrong != SIM_WRONG_NONE && !wrong_wants_redirect(sim))
        return;
    /* BOOTP is asked anew by each attempt: a redirect to its family may come before its answer. */
    if (wrong_wants_redirect(sim))
        sim->plan.bootp = false;
    if (sim->plan.bootp && sim->plan.net6)
        return;
    if (wrong_wants_redirect(sim) || sim_one_in(&sim->world, 8))
        sim->plan.redirect =
            sim_one_in(&sim->world, 2) ? LB_LOGIN_MOVED_TEMPORARILY : LB_LOGIN_MOVED_PERMANENTLY;
}

/* ---- the root path --------------------------------------------------------------------------- */

const char *sim_plan_server(const struct sim *sim) {
    if (sim->plan.uses_name)
        return SIM_DISK_NAME;
    return sim->plan.uses_v6 ? "[fd00::10]" : "10.0.0.10";
}

static void root_path_of_wrong(struct sim *sim, const char *server, const char *target) {
    struct sim_plan *plan = &sim->plan;
    char *to = plan->root_path;
    size_t cap = sizeof plan->root_path;
    const char *lun = plan->wrong == SIM_WRONG_LUN_MISSING ? "7" : "";
    switch ((unsigned)plan->wrong) {
    case SIM_WRONG_NFS_ROOT_PATH:
        snprintf(to, cap, "10.0.0.10:/srv/root");
        return;
    case SIM_WRONG_ROOT_PATH_FIELDS:
        snprintf(to, cap, "iscsi:%s::", server);
        return;
    case SIM_WRONG_ROOT_PATH_SERVER:
        snprintf(to, cap, "iscsi:no server::::%s", target);
        return;
    case SIM_WRONG_ROOT_PATH_PROTOCOL:
        snprintf(to, cap, "iscsi:%s:17:::%s", server, target);
        return;
    case SIM_WRONG_ROOT_PATH_PORT:
        snprintf(to, cap, "iscsi:%s::65536::%s", server, target);
        return;
    case SIM_WRONG_ROOT_PATH_LUN:
        snprintf(to, cap, "iscsi:%s:::0x1:%s", server, target);
        return;
    case SIM_WRONG_ROOT_PATH_TARGET:
        snprintf(to, cap, "iscsi:%s::::disk", server);
        return;
    case SIM_WRONG_NO_SERVER:
        snprintf(to, cap, "iscsi:::::%s", target);
        return;
    default:
        snprintf(to, cap, "iscsi:%s:::%s:%s", server, lun, target);
    }
}

static void draw_root_path(struct sim *sim) {
    struct sim_plan *plan = &sim->plan;
    const char *target =
        plan->wrong == SIM_WRONG_TARGET_NAME ? SIM_TARGET_NAME "s" : SIM_TARGET_NAME;
    if (plan->wrong == SIM_WRONG_NO_ROOT_PATH || plan->isns == SIM_ISNS_BY_LIST)
        return;
    root_path_of_wrong(
        sim, plan->by_slp || plan->isns == SIM_ISNS_BY_NAME ? "" : sim_plan_server(sim), target);
    plan->root_path_len = strlen(plan->root_path);
    if (plan->wrong == SIM_WRONG_ROOT_PATH_BYTES)
        plan->root_path[plan->root_path_len / 2] = '\0';
}

/* ---- configuration --------------------------------------------------------------------------- */

static void configure_policy(struct sim *sim) {
    struct sim_world *world = &sim->world;
    struct sim_plan *plan = &sim->plan;
    if (plan->wrong != SIM_WRONG_NOT_ENABLED)
        set(sim, "enable", "yes");
    if (plan->wrong == SIM_WRONG_ALLOW_SERVER)
        set(sim, "allow-server", "10.9.0.0/16,other.example.net");
    else if (plan->wrong == SIM_WRONG_REDIRECT_FORBIDDEN)
        set(sim, "allow-server", "%s," SIM_DISK_NAME, plan->uses_v6 ? "fd00::10" : "10.0.0.10");
    else if ((plan->has_allow_server = sim_one_in(world, 6)))
        set(sim, "allow-server", "10.0.0.0/24,fd00::/16");
    if (plan->wrong == SIM_WRONG_ALLOW_TARGET)
        set(sim, "allow-target", "iqn.2026-11.net.example:other*");
    else if ((plan->has_allow_target = sim_one_in(world, 6)))
        set(sim, "allow-target", "iqn.2026-11.net.example:*");
    if (plan->wrong == SIM_WRONG_REQUIRE_CHAP)
        set(sim, "require", "chap");
    if (plan->wrong == SIM_WRONG_REQUIRE_DIGEST)
        set(sim, "require", "header-digest");
}

static void configure_chap(struct sim *sim) {
    struct sim_plan *plan = &sim->plan;
    enum sim_wrong wrong = plan->wrong;
    bool is_needed = wrong_is(sim, SIM_WRONG_CHAP_SECRET, SIM_WRONG_CHAP_TARGET);
    plan->chap = is_needed || (wrong != SIM_WRONG_REQUIRE_CHAP && sim_one_in(&sim->world, 3));
    plan->mutual =
        wrong == SIM_WRONG_CHAP_TARGET || (plan->chap && !is_needed && sim_one_in(&sim->world, 2));
    sim->secrets[sim->secret_count++] = SECRET_OURS;
    sim->secrets[sim->secret_count++] = SECRET_THEIRS;
    sim->secrets[sim->secret_count++] = SECRET_WRONG;
    if (!plan->chap || wrong == SIM_WRONG_CHAP_NEEDED)
        return;
    set(sim, "chap-name", "client");
    set(sim, "chap-secret", "%s", wrong == SIM_WRONG_CHAP_SECRET ? SECRET_WRONG : SECRET_OURS);
    if (plan->mutual)
        set(sim, "chap-target-secret", "%s",
            wrong == SIM_WRONG_CHAP_TARGET ? SECRET_WRONG : SECRET_THEIRS);
    if (wrong == SIM_WRONG_CHAP_METHOD)
        set(sim, "chap-algorithms", "md5");
    else if (sim_one_in(&sim->world, 3))
        set(sim, "chap-algorithms", "%s", sim_one_in(&sim->world, 2) ? "md5" : "sha1,sha256");
    sim_saw(&sim->world, plan->mutual ? SIM_MUTUAL_CHAP : SIM_CHAP);
}

static void configure_session(struct sim *sim) {
    static const char *const wants[] = {"none", "prefer", "crc32c"};
    struct sim_world *world = &sim->world;
    bool flips = world->chance[SIM_FLIPPED] > 0;
    if (flips || sim_one_in(world, 3)) {
        uint32_t header = flips ? 2 : sim_below(world, 3), data = flips ? 2 : sim_below(world, 3);
        if (sim->plan.wrong == SIM_WRONG_REQUIRE_DIGEST)
            header = 0;
        set(sim, "header-digest", "%s", wants[header]);
        set(sim, "data-digest", "%s", wants[data]);
        sim_saw(world, SIM_DIGESTS);
    }
    if (sim_one_in(world, 3))
        set(sim, "queue-depth", "%u", sim_skewed(world, 1, 256));
    if (sim_one_in(world, 6))
        set(sim, "task-timeout", "%us", sim_between(world, 1, 40));
    if (sim_one_in(world, 6))
        set(sim, "ping-interval", "%us", sim_between(world, 1, 20));
    if (sim_one_in(world, 4))
        set(sim, "recovery-time", "%ums", sim_skewed(world, 0, 60000));
    if (sim_one_in(world, 8))
        set(sim, "connect-timeout", "%ums", sim_between(world, 500, 9000));
    if (sim_one_in(world, 8))
        set(sim, "retry-delay", "%ums", sim_between(world, 1, 9000));
    if (sim_one_in(world, 10))
        set(sim, "login-timeout", "%us", sim_between(world, 2, 20));
}

static void configure_network(struct sim *sim) {
    struct sim_world *world = &sim->world;
    struct sim_plan *plan = &sim->plan;
    if (plan->uses_address) {
        set(sim, "address", plan->uses_v6 ? "fd00::77/64" : "10.0.0.77/24");
        if (sim_one_in(world, 2))
            set(sim, "gateway", plan->uses_v6 ? "fe80::1" : "10.0.0.1");
    }
    if (wants_only6(sim))
        set(sim, "family", "6");
    else if (sim_one_in(world, 6))
        set(sim, "prefer-family", sim_one_in(world, 2) ? "4" : "6");
    /* Silence is no reason to go on where nobody said that somebody should answer. */
    if (plan->by_slp && !plan->is_clean)
        set(sim, "discovery", sim_aside(world, 2) % 2 ? "auto" : "slp");
    if (plan->uses_rootpath && plan->root_path_len > 0)
        set(sim, "rootpath", "%s", plan->root_path);
    if (sim_one_in(world, 4))
        set(sim, "client-id", "%s", sim_one_in(world, 2) ? "duid" : "0102030405060708");
    if (sim_one_in(world, 8))
        set(sim, "rapid-commit", "no");
    plan->no_probe = sim_one_in(world, 8);
    if (plan->no_probe)
        set(sim, "arp-probe", "no");
    if (plan->bootp && sim_one_in(world, 2))
        set(sim, "bootp", "yes");
    if (sim_one_in(world, 8))
        set(sim, "dhcp-timeout", "%us", sim_between(world, 20, 90));
    if (plan->isns != SIM_ISNS_NONE && !plan->isns_by_dhcp)
        set(sim, "isns-server", "%s",
            sim_aside(world, 32) % 4 == 0 && !plan->ipsec_all ? "10.0.0.98,10.0.0.20"
                                                              : "10.0.0.20");
    if (plan->isns != SIM_ISNS_NONE && sim_aside(world, 33) % 2)
        set(sim, "discovery", "isns");
    set(sim, "initiator", "%s",
        plan->wrong == SIM_WRONG_INITIATOR ? SIM_INITIATOR "2" : SIM_INITIATOR);
    if (plan->wrong != SIM_WRONG_NONE && sim_one_in(world, 2))
        set(sim, "attempts", "%u", sim_between(world, 1, 4));
}

/* A target that is not there yet, or never answers what it need not know. */
static void draw_late(struct sim *sim) {
    struct sim_world *world = &sim->world;
    struct sim_plan *plan = &sim->plan;
    if (plan->wrong != SIM_WRONG_NONE || plan->is_probe || plan->is_hostile || plan->is_clean)
        return;
    if (sim_other_one_in(world, 10)) {
        plan->late = (enum sim_late)sim_other_between(world, SIM_LATE_REFUSES, SIM_LATE_READY);
        plan->late_until_us = world->now_us + sim_other_between(world, 100, 60000) * LB_US_MS;
    }
    if (sim_other_one_in(world, 25))
        plan->silent = (uint8_t)(1U << sim_other_below(world, 3));
    /* A boot may still end there: with target-not-found, lun-missing or task-timeout. */
    if (plan->late == SIM_LATE_NAME || plan->late == SIM_LATE_LUN || plan->silent != 0)
        plan->must_boot = false;
}

/* Where the network names the disk. What else DHCP has to say there, a rogue server does not
 * know. */
static void draw_rogue(struct sim *sim) {
    struct sim_plan *plan = &sim->plan;
    bool knows_all = !plan->bootp && !plan->slp_option && !plan->isns_by_dhcp;
    plan->has_rogue = sim_aside(&sim->world, 61) % 4 == 0 && plan->wrong == SIM_WRONG_NONE &&
                      !plan->is_hostile && !plan->is_probe && !plan->uses_rootpath && knows_all;
}

/* Datagrams that were altered may say anything, also that the disk is elsewhere. An answer of BOOTP
 * cannot be confirmed, so it is asked for anew in each attempt, and IPv6 does not wait for it. */
static bool is_curable(const struct sim *sim) {
    const uint16_t *chance = sim->world.chance;
    return chance[SIM_CORRUPTED] == 0 && chance[SIM_TRUNCATED] == 0 && chance[SIM_DHCP_LIES] == 0 &&
           (sim->plan.isns == SIM_ISNS_NONE || chance[SIM_ISNS_LIES] == 0) &&
           !(sim->plan.bootp && sim->plan.net6);
}

/* Who changes what an initiator or its gate says first makes a good key look like a wrong one, and
 * anybody can write a refusal of the first message, which is the reason when silence follows. */
static bool can_agree(const struct sim *sim) {
    return sim->world.chance[SIM_IKE_FORGED] == 0 && sim->world.chance[SIM_IKE_REFUSED] == 0;
}

void sim_plan_draw(struct sim *sim) {
    struct sim_plan *plan = &sim->plan;
    draw_mix(sim);
    draw_stages(sim);
    draw_slp(sim);
    draw_isns(sim);
    draw_ipsec(sim);
    draw_redirect(sim);
    draw_root_path(sim);
    configure_policy(sim);
    configure_chap(sim);
    configure_ipsec(sim);
    configure_session(sim);
    configure_network(sim);
    plan->must_boot = plan->wrong == SIM_WRONG_NONE && !plan->is_hostile && !plan->is_probe &&
                      is_curable(sim) && sim->world.chance[SIM_FORGED_PDU] == 0 &&
                      plan->ipsec_wrong == SIM_IPSEC_WELL && can_agree(sim);
    draw_late(sim);
    draw_rogue(sim);
    plan->has_impostor = sim_aside(&sim->world, 51) % 6 == 0;
    plan->stop_us = LB_NEVER;
    if (!plan->is_clean && plan->wrong == SIM_WRONG_NONE && sim_one_in(&sim->world, 10)) {
        plan->stop_us = sim->world.now_us + sim_skewed(&sim->world, 0, 60000000);
        plan->must_boot = false;
    }
    bool is_long = sim_one_in(&sim->world, 3);
    plan->ops = is_long ? sim_between(&sim->world, 50, 500) : sim_skewed(&sim->world, 10, 300);
    if (plan->silent & LB_SILENT_FLUSH) /* each flush ends after three times task-timeout */
        plan->ops = LB_MIN(plan->ops, 20U);
    plan->depth = sim_between(&sim->world, 1, SIM_OPS_MAX);
    plan->flush_in = sim_one_in(&sim->world, 3) ? 3 : sim_between(&sim->world, 6, 30);
    plan->writes = sim_between(&sim->world, 0, 100);
    plan->pause_us = is_long ? sim_between(&sim->world, 1000, 10000000)
                             : sim_skewed(&sim->world, 1000, 60000000);
    sim_say(&sim->world, "plan", "%s%s%s, wrong: %s, calm after %llu ms",
            plan->is_clean ? "clean" : "faults", plan->is_hostile ? ", hostile" : "",
            plan->is_probe ? ", probe" : "", sim_wrong_word(plan->wrong),
            (unsigned long long)(sim->world.calm_us / LB_US_MS));
}
