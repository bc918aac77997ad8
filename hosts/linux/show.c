#include "hosts/linux/show.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define WIDTH_DEFAULT 80
#define PICTURE_MAX   65536

void lb_json_string(struct lb_text *text, const char *string) {
    lb_text_json(text, lb_bytes_of_text(string));
}

/* ---- the report ------------------------------------------------------------------------------ */

static unsigned terminal_width(void) {
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 60)
        return LB_MIN(size.ws_col, 250u);
    return WIDTH_DEFAULT;
}

void lb_show_report(struct lb_run *run) {
    static char picture[PICTURE_MAX];
    struct lb_text text = lb_text(picture, sizeof(picture));
    const struct lb_report *report = lb_boot_report(&run->boot);
    bool colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");

    lb_report_waterfall(report, &text, terminal_width(), colour);
    lb_text_add(&text, "\n");
    lb_report_facts(report, &text);
    fputs(picture, stdout);
}

/* ---- the disk -------------------------------------------------------------------------------- */

static struct lb_addr_text portal_of(const struct lb_run *run) {
    return lb_endpoint_text(lb_initiator_peer(&run->boot.path.session));
}

void lb_show_disk(const struct lb_run *run) {
    const struct lb_disk_info *disk = lb_boot_disk(&run->boot);
    const struct lb_rootpath *target = lb_boot_target(&run->boot);
    printf("disk\n  %s\n  LUN %s at %s\n", target->target, lb_lun_text(target->lun).s,
           portal_of(run).s);
    printf("  %s %s %s", disk->vendor, disk->product, disk->revision);
    printf(disk->serial[0] ? ", serial number %s\n" : "%s\n", disk->serial);
    if (disk->id[0])
        printf("  %s\n", disk->id);
    printf("  %s: %llu blocks of %u bytes%s\n", lb_size_text(disk->blocks * disk->block_bytes).s,
           (unsigned long long)disk->blocks, disk->block_bytes,
           disk->read_only ? ", read-only" : "");
}

static void json_member(struct lb_text *text, const char *name, const char *value) {
    lb_text_add(text, ",\"%s\":", name);
    lb_json_string(text, value);
}

void lb_json_disk(struct lb_text *text, const struct lb_run *run) {
    const struct lb_disk_info *disk = lb_boot_disk(&run->boot);
    const struct lb_rootpath *target = lb_boot_target(&run->boot);

    lb_text_add(text, "{\"targetname\":");
    lb_json_string(text, target->target);
    json_member(text, "portal", portal_of(run).s);
    json_member(text, "initiator", lb_boot_initiator(&run->boot));
    lb_text_add(text, ",\"lun\":\"");
    lb_text_hex(text, lb_bytes(target->lun, 8));
    lb_text_add(text, "\",\"blocks\":%llu,\"block_bytes\":%u,\"read_only\":%s",
                (unsigned long long)disk->blocks, disk->block_bytes,
                disk->read_only ? "true" : "false");
    json_member(text, "vendor", disk->vendor);
    json_member(text, "product", disk->product);
    json_member(text, "revision", disk->revision);
    json_member(text, "serial", disk->serial);
    json_member(text, "id", disk->id);
    lb_text_add(text, "}");
}

/* ---- targets --------------------------------------------------------------------------------- */

void lb_show_targets(const struct lb_run *run) {
    size_t count, dropped;
    const char *first;
    const struct lb_initiator_found *found = lb_boot_targets(&run->boot, &count, &dropped);

    printf(count > 0 ? "targets\n" : "targets\n  none\n");
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || !lb_streq(found[i].target, found[i - 1].target))
            printf("  %s\n", found[i].target);
        if (found[i].host[0])
            printf("    %s:%u", found[i].host, found[i].portal.port);
        else
            printf("    %s", lb_endpoint_text(found[i].portal).s);
        if (found[i].tpgt >= 0)
            printf(", portal group %d", (int)found[i].tpgt);
        printf("\n");
    }
    if (dropped > 0)
        printf("  and %zu more\n", dropped);
    size_t invalid = lb_boot_targets_left_out(&run->boot, &first);
    if (invalid > 0)
        printf("  %zu left out: %s not valid: %s%s\n", invalid,
               invalid == 1 ? "its name is" : "their names are", first,
               invalid == 1 ? "" : " and others");
}

void lb_json_targets(struct lb_text *text, const struct lb_run *run) {
    size_t count, dropped;
    const struct lb_initiator_found *found = lb_boot_targets(&run->boot, &count, &dropped);

    lb_text_add(text, "[");
    for (size_t i = 0; i < count; i++) {
        lb_text_add(text, "%s{\"targetname\":", i ? "," : "");
        lb_json_string(text, found[i].target);
        json_member(text, "server",
                    found[i].host[0] ? found[i].host : lb_addr_text(found[i].portal.addr).s);
        lb_text_add(text, ",\"port\":%u,\"group\":", found[i].portal.port);
        if (found[i].tpgt >= 0)
            lb_text_add(text, "%d}", (int)found[i].tpgt);
        else
            lb_text_add(text, "null}");
    }
    lb_text_add(text, "]");
}

/* ---- offers ---------------------------------------------------------------------------------- */

static void print_root_path(const uint8_t *bytes, size_t len) {
    char path[4 * LB_ROOTPATH_MAX + 1];
    struct lb_text text = lb_text(path, sizeof(path));
    lb_text_untrusted(&text, lb_bytes(bytes, len));
    printf("    root path: %s\n", path[0] ? path : "none");
}

static void print_dns(const struct lb_addr *dns, size_t count) {
    for (size_t i = 0; i < count; i++)
        printf("    name server: %s\n", lb_addr_text(dns[i]).s);
}

static void print_elsewhere(const char *where, const char *text) {
    if (where != NULL)
        printf("    %s names a disk, where it is not looked for: %s\n", where, text);
}

/* A dry run takes no lease. RFC 2131 4.3.1 wants the same in OFFER and ACK, and not all servers do
 * so; nor do all of DHCPv6. */
static void say_what_offers_hide(size_t count) {
    if (count > 0)
        printf("  (some servers say more when an offer is taken, as `lunboot boot --then=report` "
               "does)\n");
}

static void show_offers4(const struct lb_run *run) {
    size_t count;
    const struct lb_dhcp4_lease *offers = lb_boot_offers(&run->boot, &count);

    for (size_t i = 0; i < count; i++) {
        printf("  %s offers %s%s", lb_addr_text(offers[i].server).s,
               lb_prefix_text(offers[i].address).s, offers[i].bootp ? " (BOOTP)" : "");
        if (!offers[i].bootp && offers[i].lease_s != LB_DHCP4_INFINITE)
            printf(" for %u s", offers[i].lease_s);
        printf("\n");
        print_root_path(offers[i].root_path, offers[i].root_path_len);
        print_elsewhere(offers[i].elsewhere, offers[i].elsewhere_text);
        for (size_t j = 0; j < offers[i].router_count && j < 1; j++)
            printf("    router: %s\n", lb_addr_text(offers[i].routers[j]).s);
        print_dns(offers[i].dns, offers[i].dns_count);
    }
}

static void show_offers6(const struct lb_run *run) {
    size_t count;
    const struct lb_dhcp6_lease *offers = lb_boot_offers6(&run->boot, &count);

    for (size_t i = 0; i < count; i++) {
        printf("  %s offers %s", lb_addr_text(offers[i].server).s,
               offers[i].addr_count == 0 ? "information" : "");
        for (size_t j = 0; j < offers[i].addr_count; j++)
            printf("%s%s", j ? " and " : "", lb_addr_text(offers[i].addrs[j].addr).s);
        printf(" (DHCPv6)\n");
        print_root_path(offers[i].root_path, offers[i].root_path_len);
        print_elsewhere(offers[i].elsewhere, offers[i].elsewhere_text);
        print_dns(offers[i].dns, offers[i].dns_count);
    }
}

/* How many name no disk. */
static size_t offers_without_disk(const struct lb_run *run) {
    size_t count4, count6, without = 0;
    const struct lb_dhcp4_lease *offers4 = lb_boot_offers(&run->boot, &count4);
    const struct lb_dhcp6_lease *offers6 = lb_boot_offers6(&run->boot, &count6);
    for (size_t i = 0; i < count4; i++)
        without += offers4[i].root_path_len == 0;
    for (size_t i = 0; i < count6; i++)
        without += offers6[i].root_path_len == 0;
    return without;
}

static const char *preference_word(enum lb_nd6_preference preference) {
    return preference == LB_ND6_HIGH  ? ", preferred"
           : preference == LB_ND6_LOW ? ", if need be"
                                      : "";
}

static void show_routers6(const struct lb_run *run) {
    const struct lb_nd6_info *info = lb_boot_routers6(&run->boot);
    if (!info || !info->advertised)
        return;
    printf("routers of IPv6\n");
    for (size_t i = 0; i < info->router_count; i++)
        printf("  %s%s\n", lb_addr_text(info->routers[i].addr).s,
               preference_word(info->routers[i].preference));
    printf("    addresses: %s\n", info->managed         ? "by DHCPv6 (M)"
                                  : info->address_count ? "stateless"
                                                        : "none");
    for (size_t i = 0; i < info->on_link_count; i++)
        printf("    prefix: %s\n", lb_prefix_text(info->on_link[i].prefix).s);
    if (info->other && !info->managed)
        printf("    the rest by DHCPv6 (O)\n");
    print_dns(info->dns, info->dns_count);
}

void lb_show_offers(const struct lb_run *run) {
    printf("offers\n");
    show_offers4(run);
    show_offers6(run);
    say_what_offers_hide(offers_without_disk(run));
    show_routers6(run);
}

static void json_addrs(struct lb_text *text, const char *name, const struct lb_addr *addrs,
                       size_t count) {
    lb_text_add(text, ",\"%s\":[", name);
    for (size_t i = 0; i < count; i++)
        lb_text_add(text, "%s\"%s\"", i ? "," : "", lb_addr_text(addrs[i]).s);
    lb_text_add(text, "]");
}

static void json_root_path(struct lb_text *text, const uint8_t *bytes, size_t len) {
    lb_text_add(text, ",\"root_path\":");
    if (len > 0)
        lb_text_json(text, lb_bytes(bytes, len));
    else
        lb_text_add(text, "null");
}

static void json_offer(struct lb_text *text, const struct lb_dhcp4_lease *offer) {
    lb_text_add(text, "{\"bootp\":%s,\"lease_s\":%u", offer->bootp ? "true" : "false",
                offer->lease_s);
    json_member(text, "server", lb_addr_text(offer->server).s);
    json_member(text, "address", lb_prefix_text(offer->address).s);
    json_member(text, "hostname", offer->hostname);
    json_member(text, "domain", offer->domain);
    json_member(text, "initiator", offer->initiator);
    json_root_path(text, offer->root_path, offer->root_path_len);
    json_addrs(text, "dns", offer->dns, offer->dns_count);
    json_addrs(text, "routers", offer->routers, offer->router_count);
    lb_text_add(text, "}");
}

void lb_json_offers(struct lb_text *text, const struct lb_run *run) {
    size_t count;
    const struct lb_dhcp4_lease *offers = lb_boot_offers(&run->boot, &count);
    lb_text_add(text, "[");
    for (size_t i = 0; i < count; i++) {
        lb_text_add(text, i ? "," : "");
        json_offer(text, &offers[i]);
    }
    lb_text_add(text, "]");
}

static void json_offer6(struct lb_text *text, const struct lb_dhcp6_lease *offer) {
    struct lb_addr addrs[LB_DHCP6_ADDRS_MAX];
    for (size_t i = 0; i < offer->addr_count; i++)
        addrs[i] = offer->addrs[i].addr;
    lb_text_add(text, "{\"stateless\":%s,\"preference\":%u", offer->stateless ? "true" : "false",
                offer->preference);
    json_member(text, "server", lb_addr_text(offer->server).s);
    json_member(text, "search", offer->search);
    json_root_path(text, offer->root_path, offer->root_path_len);
    json_addrs(text, "addresses", addrs, offer->addr_count);
    json_addrs(text, "dns", offer->dns, offer->dns_count);
    lb_text_add(text, "}");
}

void lb_json_offers6(struct lb_text *text, const struct lb_run *run) {
    size_t count;
    const struct lb_dhcp6_lease *offers = lb_boot_offers6(&run->boot, &count);
    lb_text_add(text, "[");
    for (size_t i = 0; i < count; i++) {
        lb_text_add(text, i ? "," : "");
        json_offer6(text, &offers[i]);
    }
    lb_text_add(text, "]");
}

void lb_json_routers6(struct lb_text *text, const struct lb_run *run) {
    const struct lb_nd6_info *info = lb_boot_routers6(&run->boot);
    struct lb_addr routers[LB_ROUTERS_MAX];
    if (!info || !info->advertised) {
        lb_text_add(text, "null");
        return;
    }
    for (size_t i = 0; i < info->router_count; i++)
        routers[i] = info->routers[i].addr;
    lb_text_add(text, "{\"managed\":%s,\"other\":%s,\"mtu\":%u", info->managed ? "true" : "false",
                info->other ? "true" : "false", info->mtu);
    json_member(text, "search", info->search);
    json_addrs(text, "routers", routers, info->router_count);
    lb_text_add(text, ",\"prefixes\":[");
    for (size_t i = 0; i < info->on_link_count; i++)
        lb_text_add(text, "%s\"%s\"", i ? "," : "", lb_prefix_text(info->on_link[i].prefix).s);
    lb_text_add(text, "]");
    json_addrs(text, "dns", info->dns, info->dns_count);
    lb_text_add(text, "}");
}

/* ---- partitions ------------------------------------------------------------------------------ */

/* A GUID as people write it: its first three fields are little-endian on the disk. */
static void add_guid(struct lb_text *text, const uint8_t guid[16]) {
    uint8_t in_order[16];
    lb_uuid_swap(guid, in_order);
    for (unsigned i = 0; i < 16; i++)
        lb_text_add(text, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", in_order[i]);
}

static void add_type(struct lb_text *text, const struct lb_loader *loader,
                     const struct lb_partition *partition) {
    if (loader->table == LB_TABLE_NONE)
        lb_text_add(text, "bare disk");
    else if (partition->is_esp)
        lb_text_add(text, "EFI system");
    else if (loader->table == LB_TABLE_MBR)
        lb_text_add(text, "type %02x", partition->type[0]);
    else
        add_guid(text, partition->type);
}

void lb_show_partitions(const struct lb_loader *loader) {
    printf("partitions: %s\n", lb_loader_table_word(loader->table));
    for (size_t i = 0; i < loader->partition_count; i++) {
        const struct lb_partition *partition = &loader->partitions[i];
        char type[40], name[4 * sizeof(partition->name)];
        struct lb_text type_text = lb_text(type, sizeof(type));
        struct lb_text name_text = lb_text(name, sizeof(name));
        add_type(&type_text, loader, partition);
        lb_text_untrusted(&name_text, lb_bytes_of_text(partition->name));
        printf("  %2u  %-10s  block %llu, %s%s%s\n", partition->number, type,
               (unsigned long long)partition->lba,
               lb_size_text(partition->blocks * loader->block_bytes).s, name[0] ? "  " : "", name);
    }
    if (loader->partitions_dropped > 0)
        printf("  and %zu more\n", loader->partitions_dropped);
}

void lb_json_partitions(struct lb_text *text, const struct lb_loader *loader) {
    lb_text_add(text, "[");
    for (size_t i = 0; i < loader->partition_count; i++) {
        const struct lb_partition *partition = &loader->partitions[i];
        lb_text_add(text, "%s{\"number\":%u,\"lba\":%llu,\"blocks\":%llu,\"is_esp\":%s,\"type\":\"",
                    i ? "," : "", partition->number, (unsigned long long)partition->lba,
                    (unsigned long long)partition->blocks, partition->is_esp ? "true" : "false");
        add_type(text, loader, partition);
        lb_text_add(text, "\",\"name\":");
        lb_json_string(text, partition->name);
        lb_text_add(text, "}");
    }
    lb_text_add(text, "]");
}
