#include "core/iscsi/iscsi_wire.h"
#include "tests/fuzz.h"

/* What was decoded is encoded and decoded again: nothing that the struct holds may be lost. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t bhs[LB_ISCSI_BHS_BYTES], again_bhs[LB_ISCSI_BHS_BYTES];
    struct lb_iscsi_pdu pdu, again;
    uint16_t ahs_len;
    uint32_t data_len;
    if (size < sizeof bhs)
        return 0;
    memcpy(bhs, data, sizeof bhs);
    lb_iscsi_lengths(bhs, &ahs_len, &data_len);
    if (!lb_iscsi_decode(bhs, &pdu))
        return 0;
    lb_assert(pdu.ahs_len == ahs_len && pdu.data_len == data_len);
    lb_iscsi_encode(&pdu, bhs);
    lb_assert(lb_iscsi_decode(bhs, &again));
    lb_iscsi_encode(&again, again_bhs);
    lb_assert(memcmp(bhs, again_bhs, sizeof bhs) == 0);
    lb_assert(again.opcode == pdu.opcode && again.itt == pdu.itt && again.ttt == pdu.ttt);
    return 0;
}
