#include "hosts/uefi/boot_url.h"
#include "tests/tap.h"
#include <string.h>

static uint8_t options[600];
static size_t options_len;
static struct boot_url url;

static void add(uint16_t code, const char *value) {
    struct lb_wr wr = lb_wr(lb_span(options + options_len, sizeof options - options_len));
    lb_wr_u16(&wr, code);
    lb_wr_u16(&wr, (uint16_t)strlen(value));
    lb_wr_text(&wr, value);
    options_len += wr.len;
}

static bool is_found(const char *value) {
    options_len = 0;
    add(1, "a client's identifier");
    add(59, value);
    return boot_url_find(lb_bytes(options, options_len), &url);
}

static void the_folder_of_the_program_and_its_server_are_found(void) {
    CHECK(is_found("tftp://[2001:db8::1]/boot/x64/lunbootx64.efi"));
    CHECK_STR(lb_addr_text(url.server).s, "2001:db8::1");
    CHECK_BYTES(url.folder, lb_bytes_of_text("boot/x64/"));
}

static void a_program_at_the_root_has_no_folder(void) {
    CHECK(is_found("tftp://[fd00::1]/lunbootx64.efi"));
    CHECK_EQ(url.folder.len, 0);
    CHECK(is_found("tftp://[fd00::1]"));
    CHECK_EQ(url.folder.len, 0);
}

static void a_port_is_no_part_of_the_folder(void) {
    CHECK(is_found("tftp://[fd00::1]:69/boot/lunbootx64.efi"));
    CHECK_BYTES(url.folder, lb_bytes_of_text("boot/"));
}

static void other_ways_to_name_a_program_are_left_alone(void) {
    CHECK(!is_found("http://[fd00::1]/lunbootx64.efi"));
    CHECK(!is_found("tftp://boot.example.net/lunbootx64.efi"));
    CHECK(!is_found("tftp://[fd00::1/lunbootx64.efi"));
    CHECK(!is_found("tftp://["));
    CHECK(!is_found(""));
}

/* The firmware keeps 1024 bytes, with zeros behind the options, and not how long they are. */
static void what_is_behind_the_options_is_zeros(void) {
    CHECK(is_found("tftp://[fd00::1]/boot/lunbootx64.efi"));
    memset(options + options_len, 0, sizeof options - options_len);
    CHECK(boot_url_find(lb_bytes(options, sizeof options), &url));
    memset(options, 0, sizeof options);
    CHECK(!boot_url_find(lb_bytes(options, sizeof options), &url));
}

static void options_that_are_cut_off_name_nothing(void) {
    CHECK(is_found("tftp://[fd00::1]/boot/lunbootx64.efi"));
    for (size_t len = 0; len < options_len; len++)
        CHECK(!boot_url_find(lb_bytes(options, len), &url));
}

int main(void) {
    TEST(the_folder_of_the_program_and_its_server_are_found);
    TEST(a_program_at_the_root_has_no_folder);
    TEST(a_port_is_no_part_of_the_folder);
    TEST(other_ways_to_name_a_program_are_left_alone);
    TEST(what_is_behind_the_options_is_zeros);
    TEST(options_that_are_cut_off_name_nothing);
    return tap_done();
}
