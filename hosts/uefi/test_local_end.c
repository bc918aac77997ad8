/* What the iBFT is told of our own address, on Linux. */
#include "core/base/mem.h"
#include "hosts/uefi/local_end.h"
#include "tests/tap.h"

static struct lb_boot_net net;

static struct lb_addr addr(const char *text) {
    struct lb_addr parsed = {0};
    CHECK(text[0] == '\0' || lb_addr_parse(lb_bytes_of_text(text), &parsed));
    return parsed;
}

static struct lb_prefix prefix(const char *text) {
    struct lb_prefix parsed = {0};
    CHECK(lb_prefix_parse(lb_bytes_of_text(text), &parsed));
    return parsed;
}

static void both_families(void) {
    net = (struct lb_boot_net){.address = prefix("192.0.2.50/24"),
                               .dhcp_server = addr("192.0.2.1"),
                               .dhcp6_server = addr("fe80::1"),
                               .route_count = 1,
                               .addr6_count = 2,
                               .route6_count = 2,
                               .dns_count = 3};
    net.routes[0] = (struct lb_route){prefix("0.0.0.0/0"), addr("192.0.2.254")};
    net.addrs6[0].address = prefix("2001:db8::1:2:3:4/64");
    net.addrs6[1].address = prefix("2001:db8::100/128");
    net.routes6[0] = (struct lb_route){prefix("2001:db8::/64"), addr("")};
    net.routes6[1] = (struct lb_route){prefix("::/0"), addr("fe80::1")};
    net.dns[0] = addr("192.0.2.3");
    net.dns[1] = addr("2001:db8::3");
    net.dns[2] = addr("192.0.2.4");
}

static void a_leased_ipv4_address_has_its_server_and_router(void) {
    both_families();
    struct local_end end = local_end_of(&net, addr("192.0.2.50"), addr(""));
    CHECK_EQ(end.origin, LOCAL_DHCP);
    CHECK_EQ(end.prefix_len, 24);
    CHECK_STR(lb_addr_text(end.gateway).s, "192.0.2.254");
    CHECK_STR(lb_addr_text(end.dhcp).s, "192.0.2.1");
    CHECK_STR(lb_addr_text(end.dns[0]).s, "192.0.2.3");
    CHECK_STR(lb_addr_text(end.dns[1]).s, "192.0.2.4");
}

static void an_address_of_dhcpv6_has_the_length_of_the_links_prefix(void) {
    both_families();
    struct local_end end = local_end_of(&net, addr("2001:db8::100"), addr(""));
    CHECK_EQ(end.origin, LOCAL_DHCP);
    CHECK_EQ(end.prefix_len, 64);
    CHECK_STR(lb_addr_text(end.gateway).s, "fe80::1");
    CHECK_STR(lb_addr_text(end.dhcp).s, "fe80::1");
    CHECK_STR(lb_addr_text(end.dns[0]).s, "2001:db8::3");
    CHECK_STR(lb_addr_text(end.dns[1]).s, "192.0.2.3");
}

static void without_a_prefix_on_the_link_it_is_128_bits_long(void) {
    both_families();
    net.routes6[0] = net.routes6[1];
    net.route6_count = 1;
    CHECK_EQ(local_end_of(&net, addr("2001:db8::100"), addr("")).prefix_len, 128);
}

static void a_stateless_address_came_from_a_router_and_no_dhcp_server(void) {
    both_families();
    struct local_end end = local_end_of(&net, addr("2001:db8::1:2:3:4"), addr(""));
    CHECK_EQ(end.origin, LOCAL_ROUTER);
    CHECK_EQ(end.prefix_len, 64);
    CHECK(!lb_addr_is_set(end.dhcp));
}

static void what_a_person_set_is_manual(void) {
    both_families();
    CHECK_EQ(local_end_of(&net, addr("192.0.2.50"), addr("192.0.2.50")).origin, LOCAL_MANUAL);
    CHECK_EQ(local_end_of(&net, addr("2001:db8::1:2:3:4"), addr("2001:db8::1:2:3:4")).origin,
             LOCAL_MANUAL);
    CHECK_EQ(local_end_of(&net, addr("2001:db8::100"), addr("192.0.2.50")).origin, LOCAL_DHCP);
}

static void while_the_session_is_lost_it_is_what_the_interface_has(void) {
    both_families();
    CHECK_STR(lb_addr_text(local_end_of(&net, addr(""), addr("")).addr).s, "192.0.2.50");
    net.address = (struct lb_prefix){0};
    CHECK_STR(lb_addr_text(local_end_of(&net, addr(""), addr("")).addr).s, "2001:db8::1:2:3:4");
}

int main(void) {
    TEST(a_leased_ipv4_address_has_its_server_and_router);
    TEST(an_address_of_dhcpv6_has_the_length_of_the_links_prefix);
    TEST(without_a_prefix_on_the_link_it_is_128_bits_long);
    TEST(a_stateless_address_came_from_a_router_and_no_dhcp_server);
    TEST(what_a_person_set_is_manual);
    TEST(while_the_session_is_lost_it_is_what_the_interface_has);
    return tap_done();
}
