#include "hosts/uefi/link.h"

static bool is_being_tried(struct link *link, uint64_t now_us, bool is_in_turn) {
    if (link->is_owed_try && is_in_turn && link->try_us == 0) {
        link->is_owed_try = false;
        link->try_us = now_us;
    }
    if (link->try_us != 0 && now_us - link->try_us >= LINK_TRY_US) {
        link->try_us = 0;
        link->start_us = now_us;
    }
    return link->try_us != 0;
}

enum link_word link_judge(struct link *link, uint64_t now_us, const struct link_signs *signs) {
    uint64_t heard_us = signs->heard_us;
    if (!signs->is_told || signs->is_present) {
        *link = (struct link){0};
        return LINK_UP;
    }
    if (link->lost_us == 0)
        link->lost_us = link->start_us = now_us;
    link->is_wrong = link->is_wrong || heard_us >= link->lost_us + LINK_LATE_US;
    if (link->is_wrong || (heard_us != 0 && now_us - heard_us < LINK_HEARD_US))
        return LINK_UP;
    if (is_being_tried(link, now_us, signs->is_in_turn))
        return LINK_TRIED;
    uint64_t wait_us = LB_MAX(link->wait_us, (uint64_t)LINK_WAIT_US);
    if (now_us - link->start_us < wait_us)
        return LINK_DOWN;
    link->start_us = now_us;
    link->wait_us = 2 * wait_us;
    link->is_owed_try = true;
    return LINK_START;
}
