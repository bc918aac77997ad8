#include "core/boot/stage.h"

struct lb_boot_action *lb_ask(struct lb_common *common, enum lb_boot_event event) {
    struct lb_asks *asks = &common->asks;
    lb_assert(asks->count < LB_BOOT_ASKS_MAX);
    struct lb_boot_action *ask = &asks->asks[asks->count++];
    *ask = (struct lb_boot_action){.event = event, .slot = LB_BOOT_NO_SLOT};
    return ask;
}

bool lb_ask_take(struct lb_common *common, struct lb_boot_action *action) {
    struct lb_asks *asks = &common->asks;
    if (asks->count == 0)
        return false;
    *action = asks->asks[0];
    asks->count--;
    for (size_t i = 0; i < asks->count; i++)
        asks->asks[i] = asks->asks[i + 1];
    return true;
}

void lb_until(struct lb_common *common, uint64_t until_us) {
    common->until_us = LB_MIN(common->until_us, until_us);
}
