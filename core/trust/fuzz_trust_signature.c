/* Any bytes as a signature: what is accepted is DER, so it has one form, and is made again here. */
#include "core/trust/trust.h"
#include "tests/fuzz.h"

static void add_number(struct lb_wr *wr, const uint8_t *half) {
    size_t zeros = 0;
    while (zeros < 31 && half[zeros] == 0)
        zeros++;
    size_t sign = half[zeros] > 0x7f ? 1 : 0;
    lb_wr_u8(wr, 2);
    lb_wr_u8(wr, (uint8_t)(32 - zeros + sign));
    lb_wr_zero(wr, sign);
    lb_wr_bytes(wr, lb_bytes(half + zeros, 32 - zeros));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t signature[LB_P256_SIGNATURE_BYTES], room[LB_TRUST_SIGNATURE_MAX];
    if (!lb_trust_signature(lb_bytes(data, size), signature))
        return 0;
    struct lb_wr wr = lb_wr(lb_span(room, sizeof room));
    lb_wr_u8(&wr, 0x30);
    lb_wr_u8(&wr, 0);
    add_number(&wr, signature);
    add_number(&wr, signature + 32);
    lb_wr_u8_at(&wr, 1, (uint8_t)(wr.len - 2));
    lb_assert(lb_bytes_equal(lb_wr_done(&wr), lb_bytes(data, size)));
    return 0;
}
