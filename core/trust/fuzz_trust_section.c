/* Any bytes as a program: what is found lies within them. */
#include "core/trust/trust.h"
#include "tests/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct lb_bytes found = {0};
    if (lb_trust_section(lb_bytes(data, size), &found) != LB_TRUST_FOUND) {
        lb_assert(found.p == NULL);
        return 0;
    }
    lb_assert(found.p >= data && found.len <= size && found.p + found.len <= data + size);
    lb_assert(found.len == 0 || found.p[found.len - 1] != 0);
    return 0;
}
