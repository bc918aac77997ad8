/* The first byte says which terms; then packets, each behind two bytes of length, come in as they
 * are, are asked after by the selector, and go out. */
#include "core/ipsec/test_ipsec.h"
#include "tests/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct lb_ipsec a, b;
    static uint8_t in[65536], out[65536];
    struct lb_rd rd = lb_rd(lb_bytes(data, size));
    uint8_t kind = lb_rd_u8(&rd);
    enum lb_ipsec_mode mode = kind & 1 ? LB_IPSEC_TUNNEL : LB_IPSEC_TRANSPORT;
    struct lb_ipsec_terms terms = test_terms(mode, kind & 2, kind & 4, kind & 8);
    struct lb_ipsec_terms turned = test_turned(terms);
    lb_ipsec_begin(&a, &terms);
    lb_ipsec_begin(&b, &turned);
    while (rd.left > 2) {
        size_t wanted = lb_rd_u16(&rd);
        struct lb_bytes packet = lb_rd_bytes(&rd, LB_MIN(wanted, rd.left));
        if (packet.len > 0)
            memcpy(in, packet.p, packet.len);
        lb_assert(lb_ipsec_open(&a, lb_span(in, packet.len)).len == 0); /* nobody has the key */
        (void)lb_ipsec_is_ours(&a, packet);
        bool is_named = lb_ipsec_selects(&terms.selector, packet, true);
        size_t len = lb_ipsec_seal(&a, packet, lb_span(out, sizeof out)).len;
        if (len == 0)
            continue;
        bool comes_out = lb_ipsec_open(&b, lb_span(out, len)).len > 0;
        lb_assert(is_named || !comes_out);
    }
    return 0;
}
