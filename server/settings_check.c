#include "core/base/dhcp_keys.h"
#include "core/names/rootpath.h"
#include "server/settings.h"
#include <string.h>
#include <sys/stat.h>

/* ---- the file ---- */

static bool has_secret(const struct lb_server_chap *chap) {
    return chap->secret.len > 0 || chap->target_secret.len > 0;
}

bool lb_server_settings_is_closed(const struct lb_server_settings *settings, const char *name,
                                  uint32_t mode, uint32_t owner, uint32_t own,
                                  struct lb_server_error *error) {
    uint32_t writers = own == 0 ? S_IWGRP | S_IWOTH : S_IWOTH;
    bool has = has_secret(&settings->chap) || settings->dhcp_keys.text[0] != '\0';
    char shown[8];
    lb_format(shown, sizeof shown, "%u%u%u", mode >> 6 & 7, mode >> 3 & 7, mode & 7);
    for (size_t i = 0; i < settings->machine_count; i++)
        has = has || has_secret(&settings->machines[i].chap);
    if ((owner != 0 && owner != own) || (mode & writers) != 0)
        return lb_server_fail(error, "chown root, and chmod 600",
                              "%s: others can change it (mode %s, user %u)", name, shown, owner);
    if (has && (mode & (S_IRGRP | S_IROTH)) != 0)
        return lb_server_fail(error, "chmod 600",
                              "%s: it has secrets, and others can read it (mode %s)", name, shown);
    return true;
}

/* ---- what belongs together ---- */

bool lb_server_settings_has_ipv6(const struct lb_server_settings *settings) {
    return settings->ipv6 || settings->dhcp6 != LB_SERVER_DHCP6_OFF ||
           settings->router_advertisements;
}

struct lb_server_disk_choice
lb_server_settings_disk(const struct lb_server_settings *settings,
                        const struct lb_server_machine_settings *section) {
    if (section != NULL && (section->disk[0] != '\0' || section->image[0] != '\0'))
        return (struct lb_server_disk_choice){section->disk, section->image};
    return (struct lb_server_disk_choice){settings->disk, settings->image};
}

bool lb_server_settings_has_overlays(const struct lb_server_settings *settings) {
    bool has = settings->writes != LB_WRITES_DIRECT;
    for (size_t i = 0; i < settings->machine_count && !has; i++)
        has = settings->machines[i].writes == LB_WRITES_KEEP ||
              settings->machines[i].writes == LB_WRITES_DROP;
    return has;
}

/* section: NULL for machines without one. */
static bool check_disk(const struct lb_server_settings *settings,
                       const struct lb_server_machine_settings *section,
                       struct lb_server_error *error) {
    struct lb_server_disk_choice choice = lb_server_settings_disk(settings, section);
    const char *whose = section != NULL ? section->name : "all machines";
    uint32_t writes =
        section != NULL && section->writes != LB_WRITES_AS_ALL ? section->writes : settings->writes;
    if (choice.disk[0] != '\0' && choice.image[0] != '\0')
        return lb_server_fail(error, "give one of the two", "%s: disk and image are both given",
                              whose);
    if (choice.image[0] != '\0' && writes == LB_WRITES_DIRECT)
        return lb_server_fail(error, "give writes = drop or writes = keep",
                              "%s: a version of an image is never written, and writes is direct",
                              whose);
    return true;
}

/* There is one for all, or machines without a section get none and each of the others has one. */
static bool has_disks(const struct lb_server_settings *settings) {
    if (settings->disk[0] != '\0' || settings->image[0] != '\0')
        return true;
    for (size_t i = 0; i < settings->machine_count; i++)
        if (settings->machines[i].disk[0] == '\0' && settings->machines[i].image[0] == '\0')
            return false;
    return settings->machine_count > 0;
}

static bool check_name(const char *given, const char *whose, struct lb_server_error *error) {
    char name[LB_NAME_MAX + 1];
    unsigned warnings;
    size_t offset;
    if (given[0] == '\0' ||
        lb_iscsi_name_parse(lb_bytes_of_text(given), 0, name, &warnings, &offset))
        return true;
    return lb_server_fail(error, "give iqn.YYYY-MM.reversed.domain:anything, in lower case",
                          "%s \"%s\" is no iSCSI name", whose, given);
}

/* of: a machine's name; empty: all. */
static bool check_chap(const struct lb_server_chap *chap, const char *of,
                       struct lb_server_error *error) {
    const char *whose = of[0] != '\0' ? of : "all machines";
    struct lb_bytes secret = lb_bytes(chap->secret.bytes, chap->secret.len);
    struct lb_bytes target = lb_bytes(chap->target_secret.bytes, chap->target_secret.len);
    bool has_name = chap->name[0] != '\0';
    if (has_name != (secret.len > 0))
        return lb_server_fail(error, "give both, or neither", "%s: %s is given without %s", whose,
                              has_name ? "chap-name" : "chap-secret",
                              has_name ? "chap-secret" : "chap-name");
    if (!has_name && target.len > 0)
        return lb_server_fail(error, "give chap-name and chap-secret as well",
                              "%s: chap-target-secret is given without chap-name", whose);
    if (target.len == 0 && chap->target_name[0] != '\0')
        return lb_server_fail(error, "give chap-target-secret as well",
                              "%s: chap-target-name is given without chap-target-secret", whose);
    if (target.len > 0 && lb_chap_secrets_are_equal(secret, target)) /* RFC 7143 9.2.1 */
        return lb_server_fail(error, "give two secrets that differ",
                              "%s: chap-secret and chap-target-secret are the same", whose);
    return true;
}

/* What is one machine's alone. */
static bool check_pair(const struct lb_server_machine_settings *a,
                       const struct lb_server_machine_settings *b, struct lb_server_error *error) {
    static const uint8_t none[16] = {0};
    const char *same = NULL;
    if (lb_mac_is_set(b->mac) && memcmp(a->mac, b->mac, 6) == 0)
        same = "mac";
    else if (memcmp(b->uuid, none, 16) != 0 && memcmp(a->uuid, b->uuid, 16) == 0)
        same = "uuid";
    else if (lb_addr_is_set(b->address) && lb_addr_equal(a->address, b->address))
        same = "address";
    else if (lb_addr_is_set(b->address6) && lb_addr_equal(a->address6, b->address6))
        same = "address6";
    return same == NULL ||
           lb_server_fail(error, "give each machine its own, or remove one of the sections",
                          "machines %s and %s have the same %s", a->name, b->name, same);
}

/* Each section says which machine it is about, and no two are about one. */
static bool check_machines(const struct lb_server_settings *settings,
                           struct lb_server_error *error) {
    static const uint8_t none[16] = {0};
    for (size_t i = 0; i < settings->machine_count; i++) {
        const struct lb_server_machine_settings *machine = &settings->machines[i];
        if (!lb_mac_is_set(machine->mac) && memcmp(machine->uuid, none, 16) == 0)
            return lb_server_fail(error, "give mac = or uuid = in its section",
                                  "nothing says which machine %s is", machine->name);
        if (!check_disk(settings, machine, error) ||
            !check_name(machine->initiator, "the initiator's name", error) ||
            !check_chap(&machine->chap, machine->name, error))
            return false;
        if (lb_addr_is_set(machine->address) && !lb_mac_is_set(machine->mac))
            return lb_server_fail(error, "give mac = as well",
                                  "machine %s has an address, and is not known by its card",
                                  machine->name);
        for (size_t k = 0; k < i; k++)
            if (!check_pair(&settings->machines[k], machine, error))
                return false;
    }
    return true;
}

static bool check_range(struct lb_server_range range, struct lb_prefix network, const char *key,
                        const char *whose, struct lb_server_error *error) {
    if (!lb_addr_is_set(range.first) ||
        (lb_prefix_has(network, range.first) && lb_prefix_has(network, range.last)))
        return true;
    if (network.len == 0)
        return lb_server_fail(error, "give its network as well", "%s of %s has no network", key,
                              whose);
    return lb_server_fail(error, "give addresses of that network, as FIRST-LAST",
                          "%s of %s is not within %s", key, whose, lb_prefix_text(network).s);
}

static bool overlap(struct lb_prefix a, struct lb_prefix b) {
    return lb_prefix_has(a, b.addr) || lb_prefix_has(b, a.addr);
}

static bool check_subnets(const struct lb_server_settings *settings,
                          struct lb_server_error *error) {
    for (size_t i = 0; i < settings->subnet_count; i++) {
        const struct lb_server_subnet_settings *subnet = &settings->subnets[i];
        if (subnet->network.len == 0 && subnet->network6.len == 0)
            return lb_server_fail(error,
                                  "give network = NETWORK/LENGTH in its section, or network6",
                                  "nothing says which network %s is", subnet->name);
        if (!check_range(subnet->range, subnet->network, "dhcp-range", subnet->name, error) ||
            !check_range(subnet->range6, subnet->network6, "dhcp6-range", subnet->name, error))
            return false;
        for (size_t k = 0; k < i; k++)
            if (overlap(subnet->network, settings->subnets[k].network) ||
                overlap(subnet->network6, settings->subnets[k].network6))
                return lb_server_fail(error, "give networks that have no address in common",
                                      "the networks of %s and %s overlap",
                                      settings->subnets[k].name, subnet->name);
    }
    return true;
}

static bool check_ipv6(const struct lb_server_settings *settings, struct lb_server_error *error) {
    if (settings->router_lifetime_s > 0 && !settings->router_advertisements)
        return lb_server_fail(error, "give router-advertisements = yes as well",
                              "router-lifetime is given, and no router advertisements are sent");
    if (lb_addr_is_set(settings->dhcp6_range.first) && settings->dhcp6 != LB_SERVER_DHCP6_SERVER)
        return lb_server_fail(error, "give dhcp6 = server as well",
                              "dhcp6-range is given, and dhcp6 is not server");
    return true;
}

/* Where it is required, no family may answer without. */
static bool check_dhcp_auth(const struct lb_server_settings *settings,
                            struct lb_server_error *error) {
    struct lb_bytes keys = lb_bytes_of_text(settings->dhcp_keys.text);
    if (settings->dhcp_auth != LB_DHCP_AUTH_REQUIRE)
        return true;
    if (settings->dhcp != LB_SERVER_DHCP_OFF && !lb_dhcp_keys_have(keys, false))
        return lb_server_fail(error, "give dhcp-keys = ID:SECRET, or dhcp = off",
                              "dhcp-auth is require, and dhcp-keys has no key of DHCPv4");
    if (settings->dhcp6 != LB_SERVER_DHCP6_OFF && !lb_dhcp_keys_have(keys, true))
        return lb_server_fail(error, "give dhcp-keys = ID@REALM:SECRET, or dhcp6 = off",
                              "dhcp-auth is require, and dhcp-keys has no key of DHCPv6");
    return true;
}

bool lb_server_settings_check(const struct lb_server_settings *settings,
                              struct lb_server_error *error) {
    if (settings->interface[0] == '\0')
        return lb_server_fail(error, "give --interface=NAME; `ip address` lists them",
                              "nothing says which network interface is to be served");
    if (!has_disks(settings))
        return lb_server_fail(error, "lunbootd --interface=NAME DISK",
                              "nothing says which disk is to be served");
    return check_disk(settings, NULL, error) &&
           check_name(settings->target, "the target's name", error) &&
           check_chap(&settings->chap, "", error) && check_machines(settings, error) &&
           check_subnets(settings, error) && check_ipv6(settings, error) &&
           check_dhcp_auth(settings, error);
}
