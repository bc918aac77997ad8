/* The bytes are the program's own, which its signature covers; all the same. */
#include "hosts/uefi/inflate.h"
#include "tests/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    static uint8_t room[2048], again[2048];
    size_t want = len > 0 ? data[0] * (size_t)8 : 0;
    bool good = inflate(lb_bytes(data, len), lb_span(room, want));
    lb_assert(inflate(lb_bytes(data, len), lb_span(again, want)) == good);
    lb_assert(!good || memcmp(room, again, want) == 0);
    return 0;
}
