/* Frames of IPv6: the first six bytes are our MAC address. What is handed on lies in the frame. */
#include "hosts/uefi/guard.h"
#include "tests/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const uint8_t nobody[6];
    struct lb_bytes frame = lb_bytes(data, size);
    struct guard_view view = guard_look(frame, size < 6 ? nobody : data);
    if (view.advert.len > 0) {
        lb_assert(view.drop && lb_addr_is_link_local(view.from));
        lb_assert(view.advert.p >= data && view.advert.p + view.advert.len <= data + size);
    }
    return 0;
}
