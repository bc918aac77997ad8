#include "core/dns/dns.h"
#include "tests/tap.h"

static const char file[] = "# the machine's own\n"
                           "127.0.0.1\tlocalhost\n"
                           "192.0.2.1   storage.a.example storage # the disks\r\n"
                           "not-an-address storage\n"
                           "2001:db8::1 Storage\n"
                           "192.0.2.9 other";

static size_t find(const char *name, struct lb_addr *addrs) {
    return lb_dns_hosts_find(lb_bytes_of_text(file), name, addrs, 4);
}

static void all_addresses_of_a_name_are_found_in_any_case(void) {
    struct lb_addr addrs[4];
    CHECK_EQ(find("STORAGE", addrs), 2);
    CHECK_STR(lb_addr_text(addrs[0]).s, "192.0.2.1");
    CHECK_STR(lb_addr_text(addrs[1]).s, "2001:db8::1");
    CHECK_EQ(find("storage.a.example.", addrs), 1);
    CHECK_EQ(find("other", addrs), 1); /* the last line has no line end */
}

static void names_in_comments_and_parts_of_names_are_not_found(void) {
    struct lb_addr addrs[4];
    CHECK_EQ(find("disks", addrs), 0);
    CHECK_EQ(find("stor", addrs), 0);
    CHECK_EQ(find("", addrs), 0);
    CHECK_EQ(lb_dns_hosts_find((struct lb_bytes){0}, "storage", addrs, 4), 0);
}

static void no_more_are_given_than_there_is_room_for(void) {
    struct lb_addr addrs[4];
    CHECK_EQ(lb_dns_hosts_find(lb_bytes_of_text(file), "storage", addrs, 1), 1);
}

int main(void) {
    TEST(all_addresses_of_a_name_are_found_in_any_case);
    TEST(names_in_comments_and_parts_of_names_are_not_found);
    TEST(no_more_are_given_than_there_is_room_for);
    return tap_done();
}
