/* Load options come from a boot entry, which may hold anything. */
#include "hosts/uefi/options.h"
#include "tests/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    static uint8_t room[256]; /* so that what is too long is met often */
    static struct lb_config config;
    struct lb_error error = {.code = LB_OK};
    struct lb_bytes line = {0};
    config = (struct lb_config){0};
    enum options_kind kind = options_read(lb_bytes(data, len), lb_span(room, sizeof room), &line);
    if (kind == OPTIONS_TEXT) {
        lb_assert(line.len > 0 && line.len <= len && lb_utf8_is_valid(line));
        lb_assert(options_set(&config, line, &error) == lb_is_ok(&error));
    }
    return 0;
}
