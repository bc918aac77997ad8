/* A detached signature: DER, and whose it is. */
#include "core/trust/trust.h"

#define DER_INTEGER  0x02
#define DER_SEQUENCE 0x30
#define HALF_BYTES   (LB_P256_SIGNATURE_BYTES / 2)

/* Lengths up to 127 are one byte (X.690 8.1.3.4), and no longer one is needed here. */
static struct lb_bytes read_tagged(struct lb_rd *rd, uint8_t tag) {
    bool is_it = lb_rd_u8(rd) == tag;
    uint8_t len = lb_rd_u8(rd);
    rd->bad = rd->bad || !is_it || len > 127;
    return rd->bad ? lb_bytes("", 0) : lb_rd_bytes(rd, len);
}

/* A positive number of the fewest bytes (X.690 8.3.2). A zero before it keeps its sign. */
static bool read_number(struct lb_rd *rd, uint8_t out[HALF_BYTES]) {
    struct lb_bytes number = read_tagged(rd, DER_INTEGER);
    if (number.len == 0 || number.p[0] > 0x7f)
        return false;
    if (number.p[0] == 0) {
        number = lb_bytes_after(number, 1);
        if (number.len == 0 || number.p[0] < 0x80)
            return false;
    }
    if (number.len > HALF_BYTES)
        return false;
    memset(out, 0, HALF_BYTES);
    memcpy(out + HALF_BYTES - number.len, number.p, number.len);
    return true;
}

bool lb_trust_signature(struct lb_bytes der, uint8_t out[LB_P256_SIGNATURE_BYTES]) {
    uint8_t both[LB_P256_SIGNATURE_BYTES];
    struct lb_rd outer = lb_rd(der);
    struct lb_rd inner = lb_rd(read_tagged(&outer, DER_SEQUENCE));
    if (!lb_rd_done(&outer) || !read_number(&inner, both) ||
        !read_number(&inner, both + HALF_BYTES) || !lb_rd_done(&inner))
        return false;
    memcpy(out, both, sizeof both);
    return true;
}

bool lb_trust_verify(const uint8_t signer[LB_TRUST_SIGNER_BYTES], struct lb_bytes text,
                     struct lb_bytes der) {
    uint8_t signature[LB_P256_SIGNATURE_BYTES];
    return signer[0] == 4 && lb_trust_signature(der, signature) &&
           lb_p256_verify(signer + 1, text, signature);
}
