/* The facts that each stage adds to the report. */
#include "core/boot/boot_report.h"

static void learned_addrs(struct lb_report *report, uint64_t now_us, const char *source,
                          const char *key, const struct lb_addr *addrs, size_t count) {
    for (size_t i = 0; i < count; i++)
        lb_report_learned(report, now_us, LB_STAGE_DHCP, key, source, "%s",
                          lb_addr_text(addrs[i]).s);
}

static void learned_text(struct lb_report *report, uint64_t now_us, const char *source,
                         const char *key, struct lb_bytes value) {
    char shown[200];
    struct lb_text text = lb_text(shown, sizeof shown);
    if (value.len == 0)
        return;
    lb_text_untrusted(&text, value);
    lb_report_learned(report, now_us, LB_STAGE_DHCP, key, source, "%s", shown);
}

static void warn_elsewhere(struct lb_report *report, uint64_t now_us, const char *source,
                           const char *where, const char *text) {
    if (where != NULL)
        lb_report_learned(report, now_us, LB_STAGE_DHCP, "warning", source,
                          "%s names a disk, where it is not looked for: %s", where, text);
}

/* What is wrong about an answer that is used all the same. */
static void warn_of_lease(struct lb_report *report, uint64_t now_us, const char *source,
                          const struct lb_dhcp4_lease *lease) {
    char codes[48];
    struct lb_text text = lb_text(codes, sizeof codes);
    for (size_t i = 0; i < lease->left_out_count; i++)
        lb_text_add(&text, "%s%u", i > 0 ? ", " : "", (unsigned)lease->left_out[i]);
    if (lease->left_out_count > 0)
        lb_report_learned(report, now_us, LB_STAGE_DHCP, "warning", source,
                          "malformed, so it is left out: option %s", codes);
    if (lease->no_server_id)
        lb_report_learned(report, now_us, LB_STAGE_DHCP, "warning", source,
                          "there is no server identifier (option 54); the sender is taken for it");
    if (lease->flaw != NULL)
        lb_report_learned(report, now_us, LB_STAGE_DHCP, "warning", source, "%s", lease->flaw);
    warn_elsewhere(report, now_us, source, lease->elsewhere, lease->elsewhere_text);
}

void lb_report_lease(struct lb_report *report, uint64_t now_us,
                     const struct lb_dhcp4_lease *lease) {
    char source[48], giver[48];
    lb_format(source, sizeof source, "%s server %s", lease->bootp ? "BOOTP" : "DHCP",
              lb_addr_text(lease->server).s);
    lb_format(giver, sizeof giver, "DHCP server %s", lb_addr_text(lease->root_path_from).s);
    lb_report_learned(report, now_us, LB_STAGE_DHCP, "address", source, "%s",
                      lb_prefix_text(lease->address).s);
    if (lease->bootp || lease->lease_s == LB_DHCP4_INFINITE)
        lb_report_learned(report, now_us, LB_STAGE_DHCP, "lease", source, "without end");
    else
        lb_report_learned(report, now_us, LB_STAGE_DHCP, "lease", source, "%u s", lease->lease_s);
    if (lease->authentic)
        lb_report_learned(report, now_us, LB_STAGE_DHCP, "authenticated", source, "by key %u",
                          lease->key_id);
    learned_addrs(report, now_us, source, "router", lease->routers, lease->router_count);
    learned_addrs(report, now_us, source, "dns", lease->dns, lease->dns_count);
    if (lease->mtu != 0)
        lb_report_learned(report, now_us, LB_STAGE_DHCP, "mtu", source, "%u", (unsigned)lease->mtu);
    learned_text(report, now_us, source, "hostname", lb_bytes_of_text(lease->hostname));
    learned_text(report, now_us, source, "domain", lb_bytes_of_text(lease->domain));
    learned_text(report, now_us, source, "search", lb_bytes_of_text(lease->search));
    learned_text(report, now_us, giver, "root-path",
                 lb_bytes(lease->root_path, lease->root_path_len));
    warn_of_lease(report, now_us, source, lease);
}

void lb_report_routers6(struct lb_report *report, uint64_t now_us, const struct lb_nd6_info *info) {
    const struct lb_boot_answer answer = lb_answer_of_routers6(info);
    const char *source = answer.from;
    for (size_t i = 0; i < info->router_count; i++)
        lb_report_learned(report, now_us, LB_STAGE_DHCP, "router", source, "%s",
                          lb_addr_text(info->routers[i].addr).s);
    for (size_t i = 0; i < info->on_link_count; i++)
        lb_report_learned(report, now_us, LB_STAGE_DHCP, "network", source, "%s",
                          lb_prefix_text(info->on_link[i].prefix).s);
    learned_addrs(report, now_us, source, "dns", info->dns, info->dns_count);
    if (info->mtu != 0)
        lb_report_learned(report, now_us, LB_STAGE_DHCP, "mtu", source, "%u", (unsigned)info->mtu);
    lb_report_learned(report, now_us, LB_STAGE_DHCP, "dhcpv6", source, "%s",
                      info->managed ? "addresses and the rest (M)"
                      : info->other ? "the rest (O)"
                                    : "there is none");
}

void lb_report_addresses6(struct lb_report *report, uint64_t now_us,
                          const struct lb_nd6_info *info) {
    const struct lb_boot_answer answer = lb_answer_of_routers6(info);
    for (size_t i = 0; i < info->address_count; i++)
        lb_report_learned(report, now_us, LB_STAGE_DHCP, "address", answer.from, "%s",
                          lb_prefix_text(info->addresses[i].address).s);
}

void lb_report_lease6(struct lb_report *report, uint64_t now_us,
                      const struct lb_dhcp6_lease *lease) {
    char source[48];
    lb_format(source, sizeof source, "DHCPv6 server %s", lb_addr_text(lease->server).s);
    for (size_t i = 0; i < lease->addr_count; i++) {
        lb_report_learned(report, now_us, LB_STAGE_DHCP, "address", source, "%s",
                          lb_addr_text(lease->addrs[i].addr).s);
        if (lease->addrs[i].valid_s == LB_DHCP6_INFINITE)
            lb_report_learned(report, now_us, LB_STAGE_DHCP, "lease", source, "without end");
        else
            lb_report_learned(report, now_us, LB_STAGE_DHCP, "lease", source, "%u s",
                              lease->addrs[i].valid_s);
    }
    if (lease->authentic)
        lb_report_learned(report, now_us, LB_STAGE_DHCP, "authenticated", source, "by key %u of %s",
                          lease->key_id, lease->realm);
    learned_addrs(report, now_us, source, "dns", lease->dns, lease->dns_count);
    learned_text(report, now_us, source, "root-path",
                 lb_bytes(lease->root_path, lease->root_path_len));
    warn_elsewhere(report, now_us, source, lease->elsewhere, lease->elsewhere_text);
}

void lb_report_target(struct lb_report *report, uint64_t now_us, const struct lb_choice *choice) {
    char lun[48], server[LB_HOST_MAX + 1];
    struct lb_text text = lb_text(lun, sizeof lun);
    const struct lb_rootpath *target = &choice->target;
    if (target->lun_choice == LB_LUN_AS_GIVEN)
        lb_lun_format_both(&text, target->lun, "Root Path: ");
    else
        lb_text_add(&text, "not named: the %s that is a disk",
                    target->lun_choice == LB_LUN_ANY ? "only one" : "first");
    if (target->host == LB_HOST_NAME)
        lb_format(server, sizeof server, "%s", target->name);
    else
        lb_format(server, sizeof server, "%s", lb_addr_text(target->addr).s);
    lb_report_decided(report, now_us, LB_STAGE_CONNECT, "target", choice->source, "%s",
                      target->target);
    lb_report_decided(report, now_us, LB_STAGE_CONNECT, "server", choice->source, "%s", server);
    lb_report_decided(report, now_us, LB_STAGE_CONNECT, "lun", choice->source, "%s", lun);
    for (unsigned warning = 1; warning <= LB_WARN_LAST; warning <<= 1)
        if (target->warnings & warning)
            lb_report_learned(report, now_us, LB_STAGE_CONNECT, "warning", "root path", "%s",
                              lb_rootpath_warning_text((enum lb_rootpath_warning)warning));
}

void lb_report_warnings(struct lb_report *report, uint64_t now_us,
                        const struct lb_initiator *session) {
    const char *warning;
    for (size_t i = 0; (warning = lb_initiator_warning(session, i)) != NULL; i++)
        lb_report_learned(report, now_us, LB_STAGE_LOGIN, "warning", "login", "%s", warning);
}

void lb_report_session(struct lb_report *report, uint64_t now_us,
                       const struct lb_initiator *session) {
    const struct lb_initiator_agreed *agreed = lb_initiator_agreed(session);
    const char *source = "login";
    lb_report_learned(report, now_us, LB_STAGE_LOGIN, "portal", source, "%s",
                      lb_endpoint_text(lb_initiator_peer(session)).s);
    if (agreed->chap)
        lb_report_decided(report, now_us, LB_STAGE_LOGIN, "authentication", source,
                          "%s CHAP with %s", agreed->mutual ? "mutual" : "one-way",
                          lb_hash_name(agreed->chap_alg));
    else
        lb_report_decided(report, now_us, LB_STAGE_LOGIN, "authentication", source, "none");
    lb_report_decided(report, now_us, LB_STAGE_LOGIN, "digests", source, "%s",
                      agreed->header_digest && agreed->data_digest ? "header and data"
                      : agreed->header_digest                      ? "header"
                      : agreed->data_digest                        ? "data"
                                                                   : "none");
}

void lb_report_disk(struct lb_report *report, uint64_t now_us, const struct lb_disk *disk) {
    const struct lb_disk_info *info = lb_disk_info(disk);
    const char *source = "disk";
    char identity[100];
    struct lb_text text = lb_text(identity, sizeof identity);
    lb_report_learned(report, now_us, LB_STAGE_DISK, "disk", source, "%s %s %s", info->vendor,
                      info->product, info->revision);
    lb_report_learned(
        report, now_us, LB_STAGE_DISK, "size", source, "%llu MiB, %llu blocks of %u bytes%s",
        (unsigned long long)(info->blocks / (1048576 / LB_MIN(info->block_bytes, 1048576U))),
        (unsigned long long)info->blocks, info->block_bytes, info->read_only ? ", read-only" : "");
    lb_disk_identity_format(&text, lb_disk_identity(disk));
    lb_report_learned(report, now_us, LB_STAGE_DISK, "identity", source, "%s", identity);
}
