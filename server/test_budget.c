/* The budget: what is each session's own, what is common, and who waits. */
#include "server/budget.h"
#include "tests/tap.h"

#define MIB (1u << 20)

static struct lb_budget budget;
static struct lb_budget_share shares[1000];

static void begin(uint64_t bytes) {
    memset(shares, 0, sizeof shares);
    lb_budget_init(&budget, bytes, 1024);
}

static uint32_t take(size_t who, uint32_t bytes, bool is_piece) {
    return lb_budget_take(&budget, &shares[who], bytes, is_piece).bytes;
}

static void it_is_divided_into_own_parts_and_a_common_one(void) {
    begin(256 * MIB);
    CHECK_EQ(budget.sessions_max, 1024);
    CHECK_EQ(budget.common + 1024 * (uint64_t)LB_BUDGET_EACH, 256 * MIB);
    CHECK(budget.common > 80 * MIB);
    begin(8 * MIB);
    CHECK_EQ(budget.sessions_max, 35);
    CHECK(budget.common >= 2 * MIB);
}

/* However much one asks for, another has enough. */
static void nobody_takes_more_than_a_part_of_what_is_free(void) {
    uint64_t taken = 0;
    begin(256 * MIB);
    for (uint32_t got; (got = take(0, 262144, false)) > 0;)
        taken += got;
    CHECK(taken <= budget.common / LB_BUDGET_PART);
    CHECK(taken > budget.common / (LB_BUDGET_PART + 2));
    CHECK_EQ(take(1, MIB, false), MIB);
}

/* A thousand that take what they can leave something to the next, and the sum is right. */
static void a_thousand_that_take_all_they_can_leave_enough(void) {
    uint64_t taken = 0;
    begin(256 * MIB);
    for (size_t who = 0; who < 999; who++)
        for (uint32_t got; (got = take(who, 262144, true)) > 0;)
            taken += got;
    CHECK_EQ(budget.used, taken);
    CHECK(taken <= budget.common + 999 * (uint64_t)LB_BUDGET_OWN);
    for (size_t who = 0; who < 999; who++)
        if (shares[who].own != LB_BUDGET_OWN)
            CHECK(shares[who].common > 0); /* each has something */
    CHECK_EQ(take(999, 4096, true), 4096);
    CHECK_EQ(take(999, 262144, true), 262144 * (shares[999].common > 0));
    CHECK(budget.free >= MIB);
}

static void a_long_piece_is_cut_to_the_own_part(void) {
    begin(8 * MIB);
    while (take(0, 65536, false) > 0)
        ;
    while (take(1, 65536, false) > 0 || take(2, 65536, false) > 0)
        ;
    CHECK_EQ(take(3, 262144, false), 0);
    CHECK_EQ(take(3, 262144, true), LB_BUDGET_OWN);
    CHECK_EQ(take(3, 262144, true), 0); /* its own part is not whole any more */
    CHECK_EQ(take(3, 1, true), budget.free / LB_BUDGET_PART > 0);
}

static void what_is_borrowed_leaves_the_own_part(void) {
    begin(8 * MIB);
    CHECK_EQ(lb_budget_borrow(&budget, &shares[0], 49152).bytes, 49152);
    CHECK_EQ(shares[0].own, 0);
    CHECK_EQ(take(0, LB_BUDGET_OWN, false), LB_BUDGET_OWN);
    CHECK_EQ(lb_budget_borrow(&budget, &shares[0], 4 * MIB).bytes, 0);
}

static void who_waits_is_woken_in_order_by_what_is_common(void) {
    struct lb_budget_grant none = {0}, own, common;
    begin(8 * MIB);
    own = lb_budget_take(&budget, &shares[0], LB_BUDGET_OWN, false);
    common = lb_budget_take(&budget, &shares[0], 65536, false);
    CHECK(!own.is_common && common.is_common);
    for (size_t who = 1; who < 5; who++)
        lb_budget_wait(&budget, &shares[who]);
    lb_budget_wait(&budget, &shares[1]); /* it does already */
    lb_budget_leave(&budget, &shares[2]);
    lb_budget_leave(&budget, &shares[4]);
    lb_budget_leave(&budget, &shares[4]);
    CHECK_EQ(budget.waits, 4);
    CHECK(lb_budget_give_back(&budget, &shares[0], none) == NULL);
    CHECK(lb_budget_give_back(&budget, &shares[0], own) == NULL);
    CHECK(lb_budget_give_back(&budget, &shares[0], common) == &shares[1]);
    common = lb_budget_borrow(&budget, &shares[0], 4096);
    CHECK(lb_budget_give_back(&budget, &shares[0], common) == &shares[3]);
    common = lb_budget_borrow(&budget, &shares[0], 4096);
    CHECK(lb_budget_give_back(&budget, &shares[0], common) == NULL);
    CHECK_EQ(budget.used, 0);
    CHECK_EQ(budget.free, budget.common);
    lb_budget_wait(&budget, &shares[4]); /* the list is whole */
    CHECK(budget.first == &shares[4]);
}

/* Threads have parts of what is common; a session takes along what was reserved for it. */
static void it_is_split_between_threads(void) {
    struct lb_budget parts[2];
    begin(256 * MIB);
    uint64_t common = budget.common;
    for (size_t i = 0; i < 2; i++)
        lb_budget_split(&budget, &parts[i], common / 2);
    CHECK_EQ(budget.free, common % 2);
    CHECK_EQ(budget.bytes, 256 * MIB);
    CHECK_EQ(lb_budget_borrow(&budget, &shares[0], 4096).bytes, 0);
    CHECK_EQ(take(0, 4096, false), 4096); /* its own */
    lb_budget_room(&budget, 1000);
    lb_budget_move(&budget, &parts[1], &shares[0], 1000);
    CHECK_EQ(budget.used, 0);
    CHECK_EQ(parts[1].used, 5096);
    CHECK_EQ(lb_budget_take(&parts[1], &shares[0], MIB, false).bytes, MIB);
    CHECK_EQ(parts[1].free, common / 2 - MIB);
    CHECK_EQ(parts[0].free, common / 2);
    lb_budget_wait(&parts[0], &shares[1]);
    lb_budget_leave(&parts[0], &shares[1]);
    CHECK(parts[0].first == NULL && parts[0].end == &parts[0].first);
}

int main(void) {
    TEST(it_is_divided_into_own_parts_and_a_common_one);
    TEST(nobody_takes_more_than_a_part_of_what_is_free);
    TEST(a_thousand_that_take_all_they_can_leave_enough);
    TEST(a_long_piece_is_cut_to_the_own_part);
    TEST(what_is_borrowed_leaves_the_own_part);
    TEST(who_waits_is_woken_in_order_by_what_is_common);
    TEST(it_is_split_between_threads);
    return tap_done();
}
