/* The first byte is the type of the first payload; the rest are payloads. What can be read is asked
 * for proposals and selectors. */
#include "core/ike/ike_wire.h"
#include "tests/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct lb_ipsec_selector selector = {
        .local = {.family = LB_V4, .bytes = {192, 0, 2, 100}},
        .remote = {.family = LB_V4, .bytes = {192, 0, 2, 3}},
        .local_last = 65535,
        .remote_last = 65535};
    struct lb_ike_header header;
    struct lb_ike_parsed parsed;
    struct lb_ike_choice choice;
    (void)lb_ike_read_header(lb_bytes(data, size), &header);
    if (size == 0 || !lb_ike_parse(data[0], lb_bytes(data + 1, size - 1), &parsed))
        return 0;
    for (unsigned kind = 0; kind < 8; kind++) {
        uint8_t protocol = kind & 1 ? LB_IKE_PROTO_IKE : LB_IKE_PROTO_ESP;
        if (!lb_ike_choose(parsed.sa, protocol, kind & 2, LB_DH_P256, kind & 4, &choice))
            continue;
        lb_assert(choice.key_bytes == 16 || choice.key_bytes == 32);
        lb_assert((choice.group != 0) == ((kind & 2) != 0));
        lb_assert(choice.spi_len <= sizeof choice.spi);
    }
    static const struct lb_ipsec_selector need = {
        .local = {.family = LB_V4, .bytes = {192, 0, 2, 100}},
        .remote = {.family = LB_V4, .bytes = {192, 0, 2, 3}},
        .protocol = 6,
        .local_last = 65535,
        .remote_first = 3260,
        .remote_last = 3260};
    for (unsigned has_nat = 0; has_nat < 2; has_nat++) {
        struct lb_ipsec_selector agreed = selector;
        if (!lb_ike_narrow_ts(parsed.ts_i, &selector, &need, true, has_nat, &agreed) ||
            !lb_ike_narrow_ts(parsed.ts_r, &selector, &need, false, has_nat, &agreed))
            continue;
        lb_assert(lb_ike_has_ts(parsed.ts_i, &need, true, has_nat) &&
                  lb_ike_has_ts(parsed.ts_r, &need, false, has_nat));
        lb_assert(agreed.protocol == 0 || agreed.protocol == 6);
        lb_assert(agreed.remote_first <= 3260 && agreed.remote_last >= 3260);
    }
    return 0;
}
