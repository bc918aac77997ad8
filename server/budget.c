#include "server/budget.h"

void lb_budget_init(struct lb_budget *budget, uint64_t bytes, size_t sessions_max) {
    *budget = (struct lb_budget){.bytes = bytes, .end = &budget->first};
    budget->sessions_max = (size_t)LB_MIN(bytes / 4 * 3 / LB_BUDGET_EACH, sessions_max);
    budget->common = budget->free = bytes - budget->sessions_max * (uint64_t)LB_BUDGET_EACH;
}

void lb_budget_split(struct lb_budget *budget, struct lb_budget *part, uint64_t bytes) {
    lb_assert(bytes <= budget->free);
    budget->common -= bytes;
    budget->free -= bytes;
    *part = (struct lb_budget){.bytes = bytes, .common = bytes, .free = bytes, .end = &part->first};
}

void lb_budget_move(struct lb_budget *from, struct lb_budget *to,
                    const struct lb_budget_share *share, uint64_t rooms) {
    lb_assert(share->common == 0 && share->before == NULL);
    from->used -= rooms + share->own;
    to->used += rooms + share->own;
}

static struct lb_budget_grant take_own(struct lb_budget *budget, struct lb_budget_share *share,
                                       uint32_t bytes) {
    share->own += bytes;
    budget->used += bytes;
    return (struct lb_budget_grant){.bytes = bytes};
}

struct lb_budget_grant lb_budget_borrow(struct lb_budget *budget, struct lb_budget_share *share,
                                        uint32_t bytes) {
    if (share->common + bytes > budget->free / LB_BUDGET_PART)
        return (struct lb_budget_grant){0};
    share->common += bytes;
    budget->free -= bytes;
    budget->used += bytes;
    return (struct lb_budget_grant){.bytes = bytes, .is_common = true};
}

struct lb_budget_grant lb_budget_take(struct lb_budget *budget, struct lb_budget_share *share,
                                      uint32_t bytes, bool is_piece) {
    uint64_t own = LB_BUDGET_OWN - share->own;
    if (bytes <= own)
        return take_own(budget, share, bytes);
    struct lb_budget_grant grant = lb_budget_borrow(budget, share, bytes);
    if (grant.bytes == 0 && is_piece && own == LB_BUDGET_OWN)
        grant = take_own(budget, share, LB_BUDGET_OWN);
    return grant;
}

void lb_budget_room(struct lb_budget *budget, int64_t bytes) {
    budget->used += (uint64_t)bytes;
}

void lb_budget_wait(struct lb_budget *budget, struct lb_budget_share *share) {
    if (share->before != NULL)
        return;
    share->next = NULL;
    share->before = budget->end;
    *budget->end = share;
    budget->end = &share->next;
    budget->waits++;
}

void lb_budget_leave(struct lb_budget *budget, struct lb_budget_share *share) {
    if (share->before == NULL)
        return;
    *share->before = share->next;
    if (share->next != NULL)
        share->next->before = share->before;
    else
        budget->end = share->before;
    share->before = NULL;
}

struct lb_budget_share *lb_budget_give_back(struct lb_budget *budget, struct lb_budget_share *share,
                                            struct lb_budget_grant grant) {
    budget->used -= grant.bytes;
    if (grant.bytes == 0)
        return NULL;
    if (!grant.is_common) {
        share->own -= grant.bytes;
        return NULL;
    }
    share->common -= grant.bytes;
    budget->free += grant.bytes;
    struct lb_budget_share *waiter = budget->first;
    if (waiter != NULL)
        lb_budget_leave(budget, waiter);
    return waiter;
}
