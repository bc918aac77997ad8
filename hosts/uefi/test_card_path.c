/* Which handles are network cards, and which devices may be ones, by their device paths. */
#include "hosts/uefi/card_path.h"
#include "tests/tap.h"

#define ACPI   "02 01 0c00 d041030a 00000000"
#define PCI    "01 01 0600 00 03"
#define MMIO   "01 03 1800 01000000 0000 5dfd00000000 ffff 5dfd00000000"
#define VENDOR "01 04 1400 00112233445566778899aabbccddeeff"
#define USB    "03 05 0600 01 00"
#define MAC    "03 0b 2500 525400123456 0000000000000000000000000000000000000000000000000000 01"
#define IPV4   "03 0c 1b00 0000000000000000000000000000000000000000000000"
#define IPV6   "03 0d 3c00 " ZEROS56
#define ZEROS56                                                                                    \
    "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000" \
    "00000000000000000000"
#define URI  "03 18 0400"
#define VLAN "03 14 0600 2a00"

static void a_card_is_no_child(void) {
    CHECK(!card_path_is_child(tap_hex(ACPI PCI MAC)));
    CHECK(!card_path_is_child(tap_hex(ACPI PCI USB MAC))); /* a USB adapter */
    CHECK(!card_path_is_child(tap_hex(MMIO MAC)));
    CHECK(!card_path_is_child(tap_hex(VENDOR)));
    CHECK(!card_path_is_child(tap_hex(ACPI PCI)));
    CHECK(!card_path_is_child(lb_bytes(NULL, 0)));
}

static void handles_of_drivers_and_vlans_are_children(void) {
    CHECK(card_path_is_child(tap_hex(ACPI PCI MAC IPV4)));
    CHECK(card_path_is_child(tap_hex(ACPI PCI MAC IPV6)));
    CHECK(card_path_is_child(tap_hex(ACPI PCI MAC IPV4 URI)));
    CHECK(card_path_is_child(tap_hex(ACPI PCI MAC VLAN)));
    CHECK(card_path_is_child(tap_hex(ACPI PCI MAC VLAN IPV4)));
}

static void devices_on_no_bus_may_be_cards(void) {
    CHECK(card_path_is_platform(tap_hex(MMIO)));   /* GENET of a Raspberry Pi 4 */
    CHECK(card_path_is_platform(tap_hex(VENDOR))); /* virtio over MMIO */
    CHECK(card_path_is_platform(tap_hex(VENDOR MMIO)));
    CHECK(card_path_is_platform(tap_hex(ACPI MAC))); /* it says that it is one */
    CHECK(card_path_is_platform(tap_hex(ACPI PCI USB MAC)));
}

static void others_are_left_alone(void) {
    CHECK(!card_path_is_platform(tap_hex(ACPI PCI))); /* their class says it */
    CHECK(!card_path_is_platform(tap_hex(PCI)));
    CHECK(!card_path_is_platform(tap_hex(ACPI)));
    CHECK(!card_path_is_platform(tap_hex(VENDOR PCI)));
    CHECK(!card_path_is_platform(tap_hex(ACPI PCI USB)));
    CHECK(!card_path_is_platform(lb_bytes(NULL, 0)));
}

/* A length below 4 would never end, and one beyond the path would leave it. */
static void nodes_that_are_none_end_the_path(void) {
    static const char *const broken[] = {"01 04 0300", "01 04 0000", "01 04 0500", "01 04 04",
                                         "01 04 ffff 00"};
    for (size_t i = 0; i < LB_COUNT(broken); i++) {
        CHECK(!card_path_is_child(tap_hex(broken[i])));
        CHECK(!card_path_is_platform(tap_hex(broken[i])));
    }
    CHECK(!card_path_is_child(tap_hex("01 04 0300" IPV4)));
    CHECK(!card_path_is_platform(tap_hex(VENDOR "01 04 0300")));
}

int main(void) {
    TEST(a_card_is_no_child);
    TEST(handles_of_drivers_and_vlans_are_children);
    TEST(devices_on_no_bus_may_be_cards);
    TEST(others_are_left_alone);
    TEST(nodes_that_are_none_end_the_path);
    return tap_done();
}
