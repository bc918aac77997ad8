#include "core/boot/boot_rules.h"

static bool list_has_addr(struct lb_bytes list, struct lb_addr addr) {
    struct lb_bytes item;
    struct lb_prefix prefix;
    while (lb_list_next(&list, ',', &item))
        if (lb_prefix_parse(item, &prefix) && lb_prefix_has(prefix, addr))
            return true;
    return false;
}

static struct lb_bytes list_of(const struct lb_config *config, enum lb_key key) {
    return lb_bytes_of_text(lb_config_text(config, key));
}

bool lb_rules_target(const struct lb_config *config, const char *target) {
    if (!lb_config_is_set(config, LB_KEY_ALLOW_TARGET))
        return true;
    return lb_list_has_name(list_of(config, LB_KEY_ALLOW_TARGET), target);
}

bool lb_rules_initiator(const struct lb_config *config, const char *initiator) {
    if (lb_config_is_set(config, LB_KEY_ALLOW_INITIATOR))
        return lb_list_has_name(list_of(config, LB_KEY_ALLOW_INITIATOR), initiator);
    return !lb_config_is_set(config, LB_KEY_ALLOW_SERVER) &&
           !lb_config_is_set(config, LB_KEY_ALLOW_TARGET);
}

static bool addr_is_listed(const struct lb_config *config, struct lb_addr addr) {
    return !lb_config_is_set(config, LB_KEY_ALLOW_SERVER) ||
           list_has_addr(list_of(config, LB_KEY_ALLOW_SERVER), addr);
}

static bool addr_is_plausible(struct lb_addr addr, bool by_person) {
    return by_person ? !lb_addr_is_multicast(addr) && !lb_addr_is_zero(addr)
                     : lb_addr_is_host(addr);
}

bool lb_rules_server(const struct lb_config *config, struct lb_addr addr, bool by_person) {
    return addr_is_plausible(addr, by_person) && addr_is_listed(config, addr);
}

static size_t without_dot(struct lb_bytes name) {
    return name.len > 0 && name.p[name.len - 1] == '.' ? name.len - 1 : name.len;
}

static bool has_host(struct lb_bytes list, const char *host) {
    struct lb_bytes item, name = lb_bytes_of_text(host);
    size_t len = without_dot(name), at;
    while (lb_list_next(&list, ',', &item)) {
        for (at = 0; at < len && without_dot(item) == len; at++)
            if (lb_ascii_lower(item.p[at]) != lb_ascii_lower(name.p[at]))
                break;
        if (at == len && len > 0 && without_dot(item) == len)
            return true;
    }
    return false;
}

bool lb_rules_host(const struct lb_config *config, const char *name) {
    return has_host(list_of(config, LB_KEY_ALLOW_SERVER), name);
}

/* A name on the list stands for whatever it resolves to, but not for where a redirect leads. */
bool lb_rules_portal(const struct lb_config *config, const struct lb_rules_portal *portal) {
    bool has_name = portal->name != NULL && !portal->was_redirected;
    if (!addr_is_plausible(portal->peer.addr, portal->by_person && !portal->was_redirected))
        return false;
    return addr_is_listed(config, portal->peer.addr) ||
           (has_name && lb_rules_host(config, portal->name));
}

const char *lb_rules_unmet(const struct lb_config *config,
                           const struct lb_initiator_agreed *agreed) {
    const struct {
        const char *word;
        bool have;
    } protections[] = {
        {"chap", agreed->chap},
        {"mutual-chap", agreed->mutual},
        {"header-digest", agreed->header_digest},
        {"data-digest", agreed->data_digest},
    };
    for (size_t i = 0; i < LB_COUNT(protections); i++) {
        if (!protections[i].have && lb_config_requires(config, protections[i].word))
            return protections[i].word;
    }
    return NULL;
}
