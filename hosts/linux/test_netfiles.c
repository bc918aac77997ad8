/* The files for the running system's network, word for word. */
#include "hosts/linux/machine.h"
#include "hosts/linux/netfiles.h"
#include "os/linux/files.h"
#include "tests/tap.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct lb_boot_net net;
static struct lb_netfiles from;
static char buffer[8192];
static struct lb_text text;
static uint8_t client_id[64];

static struct lb_addr addr(const char *word) {
    struct lb_addr made = {0};
    CHECK(lb_addr_parse(lb_bytes_of_text(word), &made));
    return made;
}

static struct lb_prefix prefix(const char *word) {
    struct lb_prefix made = {0};
    CHECK(lb_prefix_parse(lb_bytes_of_text(word), &made));
    return made;
}

static void add_route(const char *to, const char *via) {
    net.routes[net.route_count++] = (struct lb_route){prefix(to), addr(via)};
}

static void begin(void) {
    net = (struct lb_boot_net){0};
    from = (struct lb_netfiles){.interface = "eth0",
                                .index = 2,
                                .mac = {0x52, 0x54, 0, 0x12, 0x34, 0x56},
                                .net = &net,
                                .rootpath = "iscsi:192.0.2.1:::1:iqn.2026-11.test:disk"};
    text = lb_text(buffer, sizeof(buffer));
}

/* As DHCP gave it. */
static void begin_leased(void) {
    begin();
    net.address = prefix("192.0.2.157/24");
    net.lease_s = 3600;
    net.dhcp_server = addr("192.0.2.1");
    net.dns[net.dns_count++] = addr("192.0.2.53");
    lb_format(net.domain, sizeof(net.domain), "lab.test");
    add_route("0.0.0.0/0", "192.0.2.254");
    memcpy(client_id, "\x01\x52\x54\x00\x12\x34\x56", 7);
    from.client_id = lb_bytes(client_id, 7);
}

/* As a person gave it. */
static void begin_static(void) {
    begin();
    net.address = prefix("192.0.2.50/24");
    add_route("0.0.0.0/0", "192.0.2.254");
    add_route("198.51.100.0/24", "203.0.113.1");
    net.dns[net.dns_count++] = addr("192.0.2.53");
    net.dns[net.dns_count++] = addr("2001:db8::53");
}

static void add_v6(const char *address, uint32_t valid_s) {
    net.addrs6[net.addr6_count++] = (struct lb_boot_addr6){
        .address = prefix(address), .preferred_s = valid_s, .valid_s = valid_s};
}

#define NETWORKD_HEAD                                                                              \
    "# Written by lunboot. This interface carries the root disk: it must stay up.\n"               \
    "[Match]\nMACAddress=52:54:00:12:34:56\nType=ether\nKind=!*\n"

/* ---- systemd-networkd ------------------------------------------------------------------------ */

static void networkd_goes_on_with_the_lease(void) {
    begin_leased();
    lb_netfiles_networkd(&text, &from);
    CHECK_STR(buffer, NETWORKD_HEAD "\n[Network]\nKeepConfiguration=yes\nIgnoreCarrierLoss=yes\n"
                                    "DHCP=ipv4\nIPv6AcceptRA=no\nDNS=192.0.2.53\nDomains=lab.test\n"
                                    "\n[DHCPv4]\nSendRelease=no\nClientIdentifier=mac\n");
}

static void networkd_keeps_what_a_person_configured(void) {
    begin_static();
    net.mtu = 9000;
    lb_netfiles_networkd(&text, &from);
    CHECK_STR(buffer, NETWORKD_HEAD
              "\n[Link]\nMTUBytes=9000\n"
              "\n[Network]\nKeepConfiguration=yes\nIgnoreCarrierLoss=yes\nDHCP=no\n"
              "IPv6AcceptRA=no\nAddress=192.0.2.50/24\nDNS=192.0.2.53 2001:db8::53\n"
              "\n[Route]\nDestination=0.0.0.0/0\nGateway=192.0.2.254\n"
              "\n[Route]\nDestination=198.51.100.0/24\nGateway=203.0.113.1\nGatewayOnLink=yes\n");
}

static void networkd_says_who_we_are_by_duid(void) {
    begin_leased();
    memcpy(client_id, "\xff\x00\x12\x34\x56\x00\x03\x00\x01\x52\x54\x00\x12\x34\x56", 15);
    from.client_id = lb_bytes(client_id, 15);
    lb_netfiles_networkd(&text, &from);
    CHECK_HAS(buffer, "ClientIdentifier=duid\nIAID=1193046\nDUIDType=3\n"
                      "DUIDRawData=00:01:52:54:00:12:34:56\n");
}

static void networkd_hears_routers_and_keeps_the_address_of_dhcpv6(void) {
    begin();
    add_v6("2001:db8:77::100/128", 3600);
    lb_netfiles_networkd(&text, &from);
    CHECK_HAS(buffer, "DHCP=no\nIPv6AcceptRA=yes\nAddress=2001:db8:77::100/128\n");
    CHECK_HAS(buffer, "[IPv6AcceptRA]\nDHCPv6Client=no\n");
    begin_leased();
    add_v6("2001:db8:77::100/128", 3600);
    lb_netfiles_networkd(&text, &from);
    CHECK_HAS(buffer, "DHCP=ipv4\nIPv6AcceptRA=yes\nAddress=2001:db8:77::100/128\n");
    begin();
    add_v6("2001:db8:77::5054/64", 86400);
    lb_netfiles_networkd(&text, &from);
    CHECK_HAS(buffer, "DHCP=no\nIPv6AcceptRA=yes\n");
    begin();
    add_v6("2001:db8:77::50/64", LB_FOREVER);
    net.routes6[net.route6_count++] = (struct lb_route){prefix("::/0"), addr("fe80::1")};
    lb_netfiles_networkd(&text, &from);
    CHECK_HAS(buffer, "DHCP=no\nIPv6AcceptRA=no\nAddress=2001:db8:77::50/64\n");
    CHECK_HAS(buffer, "[Route]\nDestination=::/0\nGateway=fe80::1\n");
}

/* ---- NetworkManager -------------------------------------------------------------------------- */

#define MANAGER_HEAD                                                                               \
    "# Written by lunboot. This interface carries the root disk: it must stay up.\n"               \
    "[connection]\nid=lunboot\nuuid=6c756e62-6f6f-8400-8000-525400123456\ntype=ethernet\n"         \
    "autoconnect-priority=999\nautoconnect-retries=0\n"                                            \
    "\n[ethernet]\nmac-address=52:54:00:12:34:56\n"

static void networkmanager_goes_on_with_the_lease(void) {
    begin_leased();
    lb_netfiles_manager(&text, &from);
    CHECK_STR(buffer,
              MANAGER_HEAD "\n[ipv4]\nmethod=auto\nmay-fail=false\ndhcp-timeout=2147483647\n"
                           "dhcp-client-id=01:52:54:00:12:34:56\n"
                           "dns=192.0.2.53;\ndns-search=lab.test;\n"
                           "\n[ipv6]\nmethod=ignore\n");
}

static void networkmanager_keeps_what_a_person_configured(void) {
    begin_static();
    lb_format(net.search, sizeof(net.search), "a.test b.test");
    add_v6("2001:db8:77::50/64", LB_FOREVER);
    lb_netfiles_manager(&text, &from);
    CHECK_STR(buffer, MANAGER_HEAD "\n[ipv4]\nmethod=manual\naddress1=192.0.2.50/24\n"
                                   "gateway=192.0.2.254\nroute1=198.51.100.0/24,203.0.113.1\n"
                                   "dns=192.0.2.53;\ndns-search=a.test;b.test;\n"
                                   "\n[ipv6]\nmethod=manual\naddress1=2001:db8:77::50/64\n"
                                   "dns=2001:db8::53;\ndns-search=a.test;b.test;\n");
}

static void networkmanager_gets_one_gateway_the_first(void) {
    begin_static();
    net.routes[net.route_count++] = (struct lb_route){prefix("0.0.0.0/0"), addr("192.0.2.253")};
    add_v6("2001:db8:77::50/64", LB_FOREVER);
    net.routes6[net.route6_count++] = (struct lb_route){prefix("::/0"), addr("fe80::1")};
    net.routes6[net.route6_count++] = (struct lb_route){prefix("::/0"), addr("fe80::2")};
    lb_netfiles_manager(&text, &from);
    CHECK_HAS(buffer, "gateway=192.0.2.254\nroute1=198.51.100.0/24,203.0.113.1\ndns=");
    CHECK_HAS(buffer, "gateway=fe80::1\ndns=");
}

static void networkmanager_finds_the_profile_active(void) {
    begin_leased();
    lb_netfiles_manager_device(&text, &from);
    CHECK_STR(buffer,
              "[device]\nmanaged=true\nconnection-uuid=6c756e62-6f6f-8400-8000-525400123456\n"
              "nm-owned=false\nroot-path=iscsi:192.0.2.1:::1:iqn.2026-11.test:disk\n");
}

static void networkmanager_uses_ipv6_alone_where_the_boot_did(void) {
    begin();
    add_v6("2001:db8:77::100/128", 3600);
    lb_netfiles_manager(&text, &from);
    CHECK_HAS(buffer, "[ipv4]\nmethod=disabled\n");
    CHECK_HAS(buffer, "[ipv6]\nmethod=auto\naddr-gen-mode=eui64\nmay-fail=false\n");
}

/* ---- ifupdown and Debian's scripts ----------------------------------------------------------- */

static void ifupdown_never_takes_it_down(void) {
    begin_leased();
    lb_netfiles_ifupdown(&text, &from);
    CHECK_STR(buffer,
              "# Written by lunboot. This interface carries the root disk: it must stay up.\n"
              "auto eth0\nno-auto-down eth0\niface eth0 inet dhcp\n");
    begin_static();
    add_v6("2001:db8:77::100/128", 3600);
    lb_netfiles_ifupdown(&text, &from);
    CHECK_HAS(buffer, "iface eth0 inet manual\niface eth0 inet6 auto\n");
}

static void ifupdowns_units_leave_it_up_at_shutdown(void) {
    begin_leased();
    lb_netfiles_networking(&text, &from);
    CHECK_STR(buffer,
              "# Written by lunboot. This interface carries the root disk: it must stay up.\n"
              "[Service]\nExecStop=\n"
              "ExecStop=/sbin/ifdown -a --read-environment --exclude=lo --exclude=eth0\n");
    text = lb_text(buffer, sizeof(buffer));
    lb_netfiles_escape(&text, "br-lan.1 ä");
    CHECK_STR(buffer, "br\\x2dlan.1\\x20\\xc3\\xa4");
}

static void debians_scripts_find_what_klibc_would_have_written(void) {
    begin_leased();
    lb_netfiles_klibc(&text, &from);
    CHECK_STR(buffer, "DEVICE='eth0'\nPROTO='dhcp'\nIPV4ADDR='192.0.2.157'\n"
                      "IPV4NETMASK='255.255.255.0'\nIPV4GATEWAY='192.0.2.254'\n"
                      "IPV4DNS0='192.0.2.53'\nIPV4DNS1='0.0.0.0'\nHOSTNAME=''\n"
                      "DNSDOMAIN='lab.test'\nDOMAINSEARCH=''\nROOTSERVER='192.0.2.1'\n"
                      "DHCPLEASETIME='3600'\n");
}

/* ---- files ----------------------------------------------------------------------------------- */

static char folder[] = "/tmp/lb-netfiles-XXXXXX";

static const char *path_of(const char *name) {
    static char path[512];
    lb_format(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

/* Reads it, and takes it away. */
static void take_file(const char *name, const char *word, unsigned mode) {
    struct stat status = {0};
    long got = lb_file_read(path_of(name), lb_span(buffer, sizeof(buffer) - 1));
    if (!CHECK(got > 0))
        tap_note("%s", name);
    buffer[got > 0 ? got : 0] = 0;
    CHECK_HAS(buffer, word);
    CHECK_EQ(stat(path_of(name), &status), 0);
    CHECK_EQ(status.st_mode & 0777, mode);
    CHECK_EQ(unlink(path_of(name)), 0);
}

static void remove_folders(void) {
    static const char *const names[] = {"systemd/network",
                                        "systemd/system.control/networking.service.d",
                                        "systemd/system.control/ifup@eth0.service.d",
                                        "systemd/system.control",
                                        "systemd",
                                        "network/interfaces.d",
                                        "network",
                                        "NetworkManager/system-connections",
                                        "NetworkManager/devices",
                                        "NetworkManager",
                                        "initramfs",
                                        "."};
    for (size_t i = 0; i + 1 < LB_COUNT(names); i++)
        CHECK_EQ(rmdir(path_of(names[i])), 0);
    CHECK_EQ(rmdir(folder), 0);
}

static void all_of_them_are_written(void) {
    struct lb_error error = {0};
    if (!CHECK(mkdtemp(folder) != NULL))
        return;
    begin_leased();
    umask(022);
    CHECK(lb_netfiles_write(&from, folder, &error));
    take_file("systemd/network/05-lunboot.network", "KeepConfiguration=yes", 0644);
    take_file("NetworkManager/system-connections/lunboot.nmconnection", "[ipv4]", 0600);
    take_file("NetworkManager/devices/2", "connection-uuid", 0644);
    take_file("network/interfaces.d/lunboot", "no-auto-down", 0644);
    take_file("systemd/system.control/networking.service.d/lunboot.conf", "=eth0\n", 0644);
    take_file("systemd/system.control/ifup@eth0.service.d/lunboot.conf", "ExecStop=\n", 0644);
    take_file("net-eth0.conf", "IPV4ADDR", 0644);
    take_file("initramfs/open-iscsi.interface", "eth0\n", 0644);
    remove_folders();
}

static void a_folder_that_cannot_be_written_is_told(void) {
    struct lb_error error = {0};
    begin_leased();
    CHECK(!lb_netfiles_write(&from, "/dev/null", &error));
    CHECK_EQ(error.code, LB_E_OUTPUT);
    CHECK_HAS(error.facts, "/dev/null/systemd/network/05-lunboot.network: Not a directory");
}

/* ---- virtual interfaces ---------------------------------------------------------------------- */

/* The ports below have the same MAC address: they must never be matched. */
static void a_virtual_interface_is_matched_by_name_and_kind(void) {
    static const struct {
        const char *name, *kind, *match;
    } cases[] = {
        {"eth0.42", "vlan", "Kind=vlan\nName=eth0.42\n"},
        {"bond0", "bond", "Kind=bond\nName=bond0\n"},
        {"br-lan", "bridge", "Kind=bridge\nName=br-lan\n"},
        {"team0", "team", "Kind=team\nName=team0\n"},
        {"v*[a]", "vlan", "Kind=vlan\nName=v??a?\n"},
    };
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        begin_leased();
        from.interface = cases[i].name;
        from.kind = cases[i].kind;
        lb_netfiles_networkd(&text, &from);
        CHECK_HAS(buffer, cases[i].match);
        CHECK_HAS(buffer, "MACAddress=52:54:00:12:34:56\n");
        CHECK(strstr(buffer, "Kind=!*") == NULL && strstr(buffer, "Type=ether") == NULL);
    }
}

/* Where another interface has the default route, there is a route to the target alone. */
static void the_way_to_the_target_is_kept_by_both_managers(void) {
    static struct lb_routes pins;
    pins = (struct lb_routes){.count = 2};
    pins.made[0].route = (struct lb_route){prefix("198.51.100.7/32"), addr("192.0.2.254")};
    pins.made[1].route = (struct lb_route){prefix("2001:db8:9::7/128"), addr("fe80::1")};
    begin_leased();
    from.pins = &pins;
    lb_netfiles_networkd(&text, &from);
    CHECK_HAS(buffer, "\n[Route]\nDestination=198.51.100.7/32\nGateway=192.0.2.254\n");
    CHECK_HAS(buffer, "\n[Route]\nDestination=2001:db8:9::7/128\nGateway=fe80::1\n");
    text = lb_text(buffer, sizeof(buffer));
    lb_netfiles_manager(&text, &from);
    CHECK_HAS(buffer, "route17=198.51.100.7/32,192.0.2.254\n");
}

static void network_manager_leaves_a_virtual_interface_alone(void) {
    begin_leased();
    from.kind = "bond";
    lb_netfiles_manager_device(&text, &from);
    CHECK_STR(buffer, "[device]\nmanaged=false\n");
}

static void klibc_has_two_servers_of_dns_of_ipv4(void) {
    begin_static();
    net.dns[net.dns_count++] = addr("192.0.2.54");
    net.dns[net.dns_count++] = addr("192.0.2.55");
    lb_netfiles_klibc(&text, &from);
    CHECK_HAS(buffer, "IPV4DNS0='192.0.2.53'\nIPV4DNS1='192.0.2.54'\n");
}

int main(void) {
    TEST(networkd_goes_on_with_the_lease);
    TEST(networkd_keeps_what_a_person_configured);
    TEST(networkd_says_who_we_are_by_duid);
    TEST(networkd_hears_routers_and_keeps_the_address_of_dhcpv6);
    TEST(networkmanager_goes_on_with_the_lease);
    TEST(networkmanager_keeps_what_a_person_configured);
    TEST(networkmanager_gets_one_gateway_the_first);
    TEST(networkmanager_finds_the_profile_active);
    TEST(networkmanager_uses_ipv6_alone_where_the_boot_did);
    TEST(ifupdown_never_takes_it_down);
    TEST(ifupdowns_units_leave_it_up_at_shutdown);
    TEST(debians_scripts_find_what_klibc_would_have_written);
    TEST(all_of_them_are_written);
    TEST(a_folder_that_cannot_be_written_is_told);
    TEST(a_virtual_interface_is_matched_by_name_and_kind);
    TEST(the_way_to_the_target_is_kept_by_both_managers);
    TEST(network_manager_leaves_a_virtual_interface_alone);
    TEST(klibc_has_two_servers_of_dns_of_ipv4);
    return tap_done();
}
