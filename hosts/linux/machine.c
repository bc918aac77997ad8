#include "hosts/linux/machine.h"
#include "core/base/addr.h"
#include "os/linux/files.h"
#include <ifaddrs.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

/* "4c4c4544-0042-4d10-8054-b3c04f593732"; all ones or all zeroes is a board that was never told. */
void lb_machine_uuid(uint8_t uuid[16]) {
    uint8_t text[64], made[16];
    char digits[33];
    size_t count = 0, len;
    long got = lb_file_read("/sys/class/dmi/id/product_uuid", lb_span(text, sizeof(text)));

    memset(uuid, 0, 16);
    for (long i = 0; i < got && count < 32; i++) {
        if (lb_hex_digit(text[i]) >= 0)
            digits[count++] = (char)text[i];
    }
    if (count != 32 || !lb_parse_hex_bytes(lb_bytes(digits, 32), lb_span(made, 16), &len))
        return;
    for (size_t i = 1; i < 16; i++) {
        if (made[i] != made[0] || (made[0] != 0 && made[0] != 0xff)) {
            memcpy(uuid, made, 16);
            return;
        }
    }
}

static bool is_ethernet(const struct ifaddrs *one, uint8_t mac[6]) {
    struct sockaddr_ll link;
    if (!one->ifa_addr || one->ifa_addr->sa_family != AF_PACKET || (one->ifa_flags & IFF_LOOPBACK))
        return false;
    memcpy(&link, one->ifa_addr, sizeof(link));
    memcpy(mac, link.sll_addr, 6);
    return link.sll_hatype == ARPHRD_ETHER && link.sll_halen == 6;
}

void lb_machine_mac(uint8_t mac[6]) {
    struct ifaddrs *all;
    bool found = false;
    memset(mac, 0, 6);
    if (getifaddrs(&all) < 0)
        return;
    for (const struct ifaddrs *one = all; one && !found; one = one->ifa_next) {
        uint8_t its[6];
        found = is_ethernet(one, its);
        if (found)
            memcpy(mac, its, 6);
    }
    freeifaddrs(all);
}

bool lb_machine_interface_of(const uint8_t mac[6], char *name, size_t cap) {
    struct ifaddrs *all;
    bool found = false;
    if (getifaddrs(&all) < 0)
        return false;
    for (const struct ifaddrs *one = all; one && !found; one = one->ifa_next) {
        uint8_t its[6];
        found = is_ethernet(one, its) && memcmp(its, mac, 6) == 0 &&
                lb_text_copy(name, cap, lb_bytes_of_text(one->ifa_name));
    }
    freeifaddrs(all);
    return found;
}

void lb_machine_list_interfaces(struct lb_text *text) {
    struct ifaddrs *all;
    bool has_one = false;
    if (getifaddrs(&all) < 0)
        return;
    for (const struct ifaddrs *one = all; one; one = one->ifa_next) {
        uint8_t mac[6];
        if (!is_ethernet(one, mac))
            continue;
        lb_text_add(text, "%s%s", has_one ? ", " : "", one->ifa_name);
        has_one = true;
    }
    if (!has_one)
        lb_text_add(text, "none");
    freeifaddrs(all);
}

bool lb_machine_parse_mac(struct lb_bytes text, uint8_t mac[6]) {
    char digits[13];
    size_t len, at = 0;
    struct lb_bytes rest = text.len == 20 ? lb_bytes_after(text, 3) : text;
    bool has_marks = rest.len == 17;
    if (!has_marks && rest.len != 12)
        return false;
    for (size_t i = 0; i < rest.len; i++) {
        if (has_marks && i % 3 == 2) {
            if (rest.p[i] != '-' && rest.p[i] != ':')
                return false;
            continue;
        }
        digits[at++] = (char)rest.p[i];
    }
    return lb_parse_hex_bytes(lb_bytes(digits, at), lb_span(mac, 6), &len) && len == 6;
}

static struct lb_addr addr_of(const struct sockaddr *address) {
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof(in));
        return lb_addr_v4_bytes((const uint8_t *)&in.sin_addr);
    }
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, address, sizeof(in6));
        return lb_addr_v6_bytes((const uint8_t *)&in6.sin6_addr);
    }
    return (struct lb_addr){0};
}

bool lb_machine_has_address(const char *interface) {
    struct ifaddrs *all;
    bool has = false;
    if (getifaddrs(&all) < 0)
        return false;
    for (const struct ifaddrs *one = all; one; one = one->ifa_next) {
        struct lb_addr addr;
        if (!one->ifa_addr || strcmp(one->ifa_name, interface) != 0)
            continue;
        addr = addr_of(one->ifa_addr);
        has = has || (lb_addr_is_host(addr) && !lb_addr_is_link_local(addr));
    }
    freeifaddrs(all);
    return has;
}

bool lb_machine_is_initramfs(void) {
    return access("/etc/initrd-release", F_OK) == 0;
}
