/* Sections of a PE program in memory, and signatures that openssl made. */
#include "core/base/text.h"
#include "core/trust/trust.h"
#include "tests/tap.h"

/* ---- sections ---- */

#define IMAGE_BYTES 2048
static uint8_t image[IMAGE_BYTES];
static struct lb_wr headers;

static void begin_program(uint16_t sections) {
    memset(image, 0, sizeof image);
    headers = lb_wr(lb_span(image, sizeof image));
    lb_wr_u16(&headers, 0x4d5a);
    lb_wr_zero(&headers, 58);
    lb_wr_u32le(&headers, 0x80);
    lb_wr_zero(&headers, 0x80 - 64);
    lb_wr_u32(&headers, 0x50450000);
    lb_wr_u16le(&headers, 0x8664);
    lb_wr_u16le(&headers, sections);
    lb_wr_zero(&headers, 12);
    lb_wr_u16le(&headers, 240);
    lb_wr_u16le(&headers, 0x22);
    lb_wr_zero(&headers, 240);
}

static void add_section(const char *name, uint32_t size, uint32_t at) {
    size_t len = lb_strlen(name);
    lb_wr_text(&headers, name);
    lb_wr_zero(&headers, 8 - len);
    lb_wr_u32le(&headers, size);
    lb_wr_u32le(&headers, at);
    lb_wr_zero(&headers, 24);
}

static enum lb_trust_section find(struct lb_bytes *out) {
    *out = (struct lb_bytes){0};
    return lb_trust_section(lb_bytes(image, sizeof image), out);
}

static void a_section_is_found_by_its_name_without_its_padding(void) {
    struct lb_bytes out;
    begin_program(3);
    add_section(".text", 100, 1024);
    add_section(".lunconf", 64, 1536);
    add_section(".data", 100, 1024);
    memcpy(image + 1536, "lock = yes\n", 11);
    CHECK_EQ(find(&out), LB_TRUST_FOUND);
    CHECK_BYTES(out, lb_bytes_of_text("lock = yes\n"));
}

static void a_program_without_it_has_none(void) {
    struct lb_bytes out;
    begin_program(2);
    add_section(".text", 100, 1024);
    add_section(".lunco", 64, 1536);
    CHECK_EQ(find(&out), LB_TRUST_NONE);
    CHECK(out.p == NULL);
}

static void two_of_its_name_are_damage(void) {
    struct lb_bytes out;
    begin_program(2);
    add_section(".lunconf", 64, 1536);
    add_section(".lunconf", 64, 1700);
    CHECK_EQ(find(&out), LB_TRUST_DAMAGED);
    CHECK(out.p == NULL);
}

static void a_section_outside_the_program_is_damage(void) {
    static const uint32_t outside[][2] = {
        {64, IMAGE_BYTES - 63}, {IMAGE_BYTES + 1, 0}, {64, 0xffffffff}, {0xffffffff, 64}};
    struct lb_bytes out;
    for (size_t i = 0; i < LB_COUNT(outside); i++) {
        begin_program(1);
        add_section(".lunconf", outside[i][0], outside[i][1]);
        CHECK_EQ(find(&out), LB_TRUST_DAMAGED);
    }
    begin_program(1);
    add_section(".lunconf", 64, IMAGE_BYTES - 64);
    CHECK_EQ(find(&out), LB_TRUST_FOUND);
    CHECK_EQ(out.len, 0);
}

static void what_is_no_program_is_damage(void) {
    struct lb_bytes out = {0};
    begin_program(1);
    add_section(".lunconf", 64, 1536);
    for (size_t len = 0; len < headers.len; len++)
        CHECK_EQ(lb_trust_section(lb_bytes(image, len), &out), LB_TRUST_DAMAGED);
    image[0] = 'N';
    CHECK_EQ(find(&out), LB_TRUST_DAMAGED);
    begin_program(97);
    CHECK_EQ(find(&out), LB_TRUST_DAMAGED);
    begin_program(1);
    image[0x82] = 1;
    CHECK_EQ(find(&out), LB_TRUST_DAMAGED);
}

/* ---- signatures: openssl ecparam -name prime256v1 -genkey; openssl dgst -sha256 -sign ---- */

static const char signer_hex[] =
    "04eeb79085241bc80078f8a9d7289be6b85b7d97568c0a4112fa928ca57e3db685"
    "5b41288340db4a6535eb5ee3648b43e7a904ef624044025b14ef2c15cda54120";
static const char der_hex[] =
    "3045022100a32918face50307706f266f22ec9bb15e8895fbb31341a1d352558c6fca180a1"
    "02203dd997b7a00853bf2a5f10c498ada50d44634276c9ea5bbaf85abb3511be1ba7";
static const char text[] = "allow-server = 192.0.2.1\nenable = yes\n";

static bool verify(struct lb_bytes what, struct lb_bytes der) {
    return lb_trust_verify(tap_hex(signer_hex).p, what, der);
}

static void the_signer_is_known_by_the_signature(void) {
    CHECK(verify(lb_bytes_of_text(text), tap_hex(der_hex)));
}

static void each_byte_of_text_signature_and_signer_counts(void) {
    char changed[sizeof text];
    uint8_t der[71], signer[LB_TRUST_SIGNER_BYTES];
    for (size_t i = 0; i + 1 < sizeof text; i++) {
        memcpy(changed, text, sizeof text);
        changed[i] ^= 1;
        CHECK(!verify(lb_bytes_of_text(changed), tap_hex(der_hex)));
    }
    for (size_t i = 0; i < sizeof der; i++) {
        memcpy(der, tap_hex(der_hex).p, sizeof der);
        der[i] ^= 1;
        CHECK(!verify(lb_bytes_of_text(text), lb_bytes(der, sizeof der)));
    }
    for (size_t i = 0; i < sizeof signer; i++) {
        memcpy(signer, tap_hex(signer_hex).p, sizeof signer);
        signer[i] ^= 1;
        CHECK(!lb_trust_verify(signer, lb_bytes_of_text(text), tap_hex(der_hex)));
    }
}

static void a_signature_is_exactly_its_der(void) {
    static const char *const wrong[] = {
        "",
        "30",
        "3000",
        "3003020101",
        "30060201010201",
        "300602010102010100",     /* something behind it */
        "30070201010201010500",   /* something behind the numbers */
        "3006020100020101ff",     /* and a wrong length */
        "300602018102010f",       /* below zero */
        "3007020200010201ff",     /* a zero that is not needed; below zero */
        "30070202007f020101",     /* a zero that is not needed */
        "3081060201010201010000", /* a long form of the length */
        "3005020002010101",       /* a number without bytes */
        "3106020101020101",       /* a SET */
        "302702220100000000000000000000000000000000000000000000000000000000000000000000020101",
    };
    uint8_t out[LB_P256_SIGNATURE_BYTES] = {0xaa};
    for (size_t i = 0; i < LB_COUNT(wrong); i++)
        CHECK(!lb_trust_signature(tap_hex(wrong[i]), out));
    CHECK_EQ(out[0], 0xaa);
    struct lb_bytes der = tap_hex(der_hex);
    for (size_t len = 0; len < der.len; len++)
        CHECK(!lb_trust_signature(lb_bytes(der.p, len), out));
    CHECK(lb_trust_signature(tap_hex("3007020200810201 7f"), out));
    CHECK_EQ(out[31], 0x81);
    CHECK_EQ(out[63], 0x7f);
}

int main(void) {
    TEST(a_section_is_found_by_its_name_without_its_padding);
    TEST(a_program_without_it_has_none);
    TEST(two_of_its_name_are_damage);
    TEST(a_section_outside_the_program_is_damage);
    TEST(what_is_no_program_is_damage);
    TEST(the_signer_is_known_by_the_signature);
    TEST(each_byte_of_text_signature_and_signer_counts);
    TEST(a_signature_is_exactly_its_der);
    return tap_done();
}
