/* A TFTP server's errors, with the words of real servers. */
#include "core/base/mem.h"
#include "hosts/uefi/tftp_error.h"
#include "tests/tap.h"

static bool is_no_file(uint8_t code, const char *words) {
    uint8_t room[127] = {0}; /* as in EFI_PXE_BASE_CODE_TFTP_ERROR; behind the NUL is anything */
    memset(room, 'x', sizeof room);
    memcpy(room, words, lb_strlen(words) + 1);
    return tftp_error_is_no_file(code, lb_bytes(room, sizeof room));
}

static void the_code_decides_where_there_is_one(void) {
    CHECK(is_no_file(1, "whatever"));
    for (uint8_t code = 2; code <= 8; code++)
        CHECK(!is_no_file(code, "File not found"));
}

static void without_a_code_the_words_do(void) {
    CHECK(is_no_file(0, "File not found")); /* tftp-hpa, atftpd */
    CHECK(is_no_file(0, "file /srv/tftp/lunboot.conf not found for 192.0.2.157")); /* dnsmasq */
    CHECK(is_no_file(0, "No such file or directory"));
    CHECK(is_no_file(0, "The file does not exist"));
    CHECK(!is_no_file(0, "Access violation"));
    CHECK(!is_no_file(0, "Permission denied"));
    CHECK(!is_no_file(0, "Server busy"));
    CHECK(!is_no_file(0, ""));
}

static void what_is_behind_the_words_does_not_count(void) {
    static const char hidden[] = "busy\0not found";
    CHECK(!tftp_error_is_no_file(0, lb_bytes(hidden, sizeof hidden)));
    CHECK(!tftp_error_is_no_file(0, lb_bytes("not foun", 8)));
    CHECK(tftp_error_is_no_file(0, lb_bytes("not found", 9)));
}

int main(void) {
    TEST(the_code_decides_where_there_is_one);
    TEST(without_a_code_the_words_do);
    TEST(what_is_behind_the_words_does_not_count);
    return tap_done();
}
