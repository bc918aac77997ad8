/* The default router, and the next hop of IPv4. */
#include "core/boot/boot.h"
#include "tests/tap.h"

static struct lb_boot_net net;

static struct lb_addr addr(const char *text) {
    struct lb_addr a = {0};
    CHECK(lb_addr_parse(lb_bytes_of_text(text), &a));
    return a;
}

static struct lb_prefix prefix(const char *text) {
    struct lb_prefix p = {0};
    CHECK(lb_prefix_parse(lb_bytes_of_text(text), &p));
    return p;
}

static void address_is(const char *text) {
    net = (struct lb_boot_net){.address = prefix(text)};
}

static struct lb_route route_of(const char *to, const char *via_or_null) {
    struct lb_route route = {.to = prefix(to)};
    if (via_or_null)
        route.via = addr(via_or_null);
    return route;
}

static void add(const char *to, const char *via_or_null) {
    net.routes[net.route_count++] = route_of(to, via_or_null);
}

static void add6(const char *to, const char *via_or_null) {
    net.routes6[net.route6_count++] = route_of(to, via_or_null);
}

/* The next hop of a packet to dest; "": there is no route. */
static const char *hop(const char *dest) {
    static struct lb_addr_text text;
    struct lb_addr way;
    if (!lb_boot_net_next_hop4(&net, addr(dest), &way))
        return "";
    text = lb_addr_text(way);
    return text.s;
}

static void the_first_default_route_with_a_router_has_the_gateway(void) {
    address_is("192.0.2.7/24");
    add("198.51.100.0/24", "192.0.2.9");
    add("0.0.0.0/0", NULL);
    add("0.0.0.0/0", "0.0.0.0");
    add("0.0.0.0/0", "192.0.2.1");
    add("0.0.0.0/0", "192.0.2.2");
    CHECK_STR(lb_addr_text(lb_boot_net_gateway(&net, LB_V4)).s, "192.0.2.1");
    CHECK(!lb_addr_is_set(lb_boot_net_gateway(&net, LB_V6)));
}

static void of_ipv6_it_is_the_best_router(void) {
    address_is("192.0.2.7/24");
    add6("2001:db8::/64", NULL);
    add6("::/0", "fe80::1");
    add6("::/0", "fe80::2");
    CHECK_STR(lb_addr_text(lb_boot_net_gateway(&net, LB_V6)).s, "fe80::1");
    CHECK(!lb_addr_is_set(lb_boot_net_gateway(&net, LB_V4)));
}

static void what_is_in_the_network_needs_no_router(void) {
    address_is("192.0.2.7/24");
    add("0.0.0.0/0", "192.0.2.1");
    CHECK_STR(hop("192.0.2.200"), "192.0.2.200");
    CHECK_STR(hop("192.0.3.1"), "192.0.2.1");
}

static void the_most_specific_route_wins_in_any_order(void) {
    address_is("192.0.2.7/24");
    add("0.0.0.0/0", "192.0.2.1");
    add("198.51.100.128/25", "192.0.2.3");
    add("198.51.100.0/24", "192.0.2.2");
    add("198.51.100.200/32", "192.0.2.4");
    CHECK_STR(hop("198.51.100.1"), "192.0.2.2");
    CHECK_STR(hop("198.51.100.129"), "192.0.2.3");
    CHECK_STR(hop("198.51.100.200"), "192.0.2.4");
    CHECK_STR(hop("203.0.113.1"), "192.0.2.1");
}

static void of_two_that_are_alike_the_first_wins(void) {
    address_is("192.0.2.7/24");
    add("198.51.100.0/24", "192.0.2.2");
    add("198.51.100.0/24", "192.0.2.3");
    add("192.0.2.0/24", "192.0.2.4"); /* the network itself is on the link */
    CHECK_STR(hop("198.51.100.1"), "192.0.2.2");
    CHECK_STR(hop("192.0.2.9"), "192.0.2.9");
}

static void a_route_to_a_part_of_the_network_wins_over_the_network(void) {
    address_is("192.0.2.7/24");
    add("192.0.2.128/25", "192.0.2.1");
    CHECK_STR(hop("192.0.2.200"), "192.0.2.1");
    CHECK_STR(hop("192.0.2.100"), "192.0.2.100");
}

static void a_route_without_a_router_is_on_the_link(void) {
    address_is("192.0.2.7/32");
    add("198.51.100.0/24", "0.0.0.0"); /* RFC 3442: router 0.0.0.0 */
    add("203.0.113.0/24", NULL);
    add("0.0.0.0/0", "10.0.0.1"); /* which is in no network of ours */
    CHECK_STR(hop("198.51.100.1"), "198.51.100.1");
    CHECK_STR(hop("203.0.113.1"), "203.0.113.1");
    CHECK_STR(hop("8.8.8.8"), "10.0.0.1");
}

static void link_local_targets_are_on_the_link_unless_a_route_is_theirs(void) {
    address_is("192.0.2.7/24");
    add("0.0.0.0/0", "192.0.2.1");
    CHECK_STR(hop("169.254.0.2"), "169.254.0.2");
    add("169.254.0.2/32", "192.0.2.9");
    CHECK_STR(hop("169.254.0.2"), "192.0.2.9");
}

static void without_a_route_there_is_no_way(void) {
    address_is("192.0.2.7/24");
    CHECK_STR(hop("198.51.100.1"), "");
    net = (struct lb_boot_net){.route_count = 0};
    CHECK_STR(hop("192.0.2.1"), "");
}

static void ways_of_both_families_are_known(void) {
    address_is("192.0.2.7/24");
    CHECK(lb_boot_net_has_way(&net, addr("192.0.2.9")));
    CHECK(!lb_boot_net_has_way(&net, addr("198.51.100.1")));
    CHECK(!lb_boot_net_has_way(&net, addr("2001:db8::1")));
    CHECK(lb_boot_net_has_way(&net, addr("fe80::1")));
    net.routes6[net.route6_count++] =
        (struct lb_route){.to = {.addr = addr("2001:db8::"), .len = 64}};
    CHECK(lb_boot_net_has_way(&net, addr("2001:db8::1")));
    CHECK(!lb_boot_net_has_way(&net, addr("2001:db8:1::1")));
}

/* What is left of an older list does not count. */
static void routes_behind_the_last_do_not_count(void) {
    address_is("192.0.2.9/24");
    add("0.0.0.0/0", "192.0.2.1");
    add6("::/0", "fe80::1");
    CHECK(lb_addr_is_set(lb_boot_net_gateway(&net, LB_V4)));
    CHECK(lb_addr_is_set(lb_boot_net_gateway(&net, LB_V6)));
    CHECK_STR(hop("198.51.100.1"), "192.0.2.1");
    net.route_count = net.route6_count = 0;
    CHECK(!lb_addr_is_set(lb_boot_net_gateway(&net, LB_V4)));
    CHECK(!lb_addr_is_set(lb_boot_net_gateway(&net, LB_V6)));
    CHECK_STR(hop("198.51.100.1"), "");
}

int main(void) {
    TEST(the_first_default_route_with_a_router_has_the_gateway);
    TEST(of_ipv6_it_is_the_best_router);
    TEST(what_is_in_the_network_needs_no_router);
    TEST(the_most_specific_route_wins_in_any_order);
    TEST(of_two_that_are_alike_the_first_wins);
    TEST(a_route_to_a_part_of_the_network_wins_over_the_network);
    TEST(a_route_without_a_router_is_on_the_link);
    TEST(link_local_targets_are_on_the_link_unless_a_route_is_theirs);
    TEST(without_a_route_there_is_no_way);
    TEST(ways_of_both_families_are_known);
    TEST(routes_behind_the_last_do_not_count);
    return tap_done();
}
