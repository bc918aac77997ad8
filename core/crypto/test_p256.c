/* ECDSA P-256 with SHA-256 by RFC 6979's vectors (A.2.5). */
#include "core/base/text.h"
#include "core/crypto/p256.h"
#include "tests/tap.h"

static const char point[] = "60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6"
                            "7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299";
static const char sample[] = "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716"
                             "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8";
static const char test[] = "F1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367"
                           "019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083";

static void ecdsa_of_rfc_6979_a_2_5(void) {
    CHECK(lb_p256_verify(tap_hex(point).p, lb_bytes_of_text("sample"), tap_hex(sample).p));
    CHECK(lb_p256_verify(tap_hex(point).p, lb_bytes_of_text("test"), tap_hex(test).p));
    CHECK(!lb_p256_verify(tap_hex(point).p, lb_bytes_of_text("test"), tap_hex(sample).p));
    CHECK(!lb_p256_verify(tap_hex(point).p, lb_bytes_of_text(""), tap_hex(test).p));
}

/* SEC 1 4.1.4: r and s from 1 to the order of the curve; the point is on it. */
static void numbers_that_no_signature_has_are_refused(void) {
    uint8_t zero[64] = {0}, large[64], off[64];
    CHECK(!lb_p256_verify(tap_hex(point).p, lb_bytes_of_text("test"), zero));
    CHECK(!lb_p256_verify(zero, lb_bytes_of_text("test"), tap_hex(test).p));
    memset(large, 0xff, sizeof large);
    CHECK(!lb_p256_verify(tap_hex(point).p, lb_bytes_of_text("test"), large));
    memcpy(off, tap_hex(point).p, sizeof off);
    off[63] ^= 1;
    CHECK(!lb_p256_verify(off, lb_bytes_of_text("test"), tap_hex(test).p));
}

int main(void) {
    TEST(ecdsa_of_rfc_6979_a_2_5);
    TEST(numbers_that_no_signature_has_are_refused);
    return tap_done();
}
