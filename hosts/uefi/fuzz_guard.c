/* Frames of IPv6: the first six bytes are our MAC address. What is handed on lies in the frame. */
#include "hosts/uefi/esp.h"
#include "hosts/uefi/frame.h"
#include "hosts/uefi/guard.h"
#include "tests/fuzz.h"

static void look_at_ethernet(struct lb_bytes frame) {
    uint8_t room[256];
    size_t len = LB_MIN(frame.len, sizeof room);
    if (len > 0)
        memcpy(room, frame.p, len);
    size_t left = frame_untag(room, len);
    lb_assert(left <= len && (left == 0 || left >= FRAME_HEADER));
}

static void look_for_esp(struct lb_bytes frame) {
    uint8_t room[256];
    struct lb_endpoint from;
    size_t len = LB_MIN(frame.len, sizeof room);
    if (len > 0)
        memcpy(room, frame.p, len);
    struct lb_span esp = esp_of_frame(lb_span(room, len), &from);
    lb_assert(esp.len == 0 ||
              (esp.len >= 4 && esp.p >= room + FRAME_HEADER && esp.p + esp.len <= room + len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const uint8_t nobody[6];
    struct lb_bytes frame = lb_bytes(data, size);
    struct guard_view view = guard_look(frame, size < 6 ? nobody : data);
    if (view.advert.len > 0) {
        lb_assert(view.drop && lb_addr_is_link_local(view.from));
        lb_assert(view.advert.p >= data && view.advert.p + view.advert.len <= data + size);
    }
    look_at_ethernet(frame);
    look_for_esp(frame);
    return 0;
}
