#include "hosts/linux/cards.h"
#include "core/boot/boot_state.h"

#define PATIENCE_MS 10000
#define RARELY      4 /* a turn in so many, for a silent card beside one that answered */
#define FIRST_TURNS 2 /* that it has like the others: its server may start late */

/* ---- whose turn it is ------------------------------------------------------------------------ */

static enum lb_card_worth best_worth(const struct lb_cards *cards) {
    enum lb_card_worth best = LB_CARD_SILENT;
    for (size_t i = 0; i < cards->count; i++) {
        if (cards->card[i].has_link)
            best = LB_MAX(best, cards->card[i].worth);
    }
    return best;
}

static bool is_passed_over(const struct lb_cards *cards, const struct lb_card *card) {
    return card->worth < best_worth(cards) && card->turns >= FIRST_TURNS &&
           cards->turns - card->last_turn < RARELY;
}

struct lb_card *lb_cards_next(struct lb_cards *cards) {
    struct lb_card *next = NULL;
    for (size_t i = 0; i < cards->count; i++) {
        struct lb_card *card = &cards->card[i];
        if (card->has_link && !is_passed_over(cards, card) &&
            (!next || card->last_turn < next->last_turn))
            next = card;
    }
    if (next) {
        next->turns++;
        next->last_turn = ++cards->turns;
    }
    return next;
}

uint32_t lb_cards_patience_ms(const struct lb_cards *cards, const struct lb_card *card,
                              uint32_t longest_ms) {
    uint32_t ms = PATIENCE_MS;
    if (cards->count == 1)
        return longest_ms;
    for (unsigned i = 1; i < card->turns && ms < longest_ms; i++)
        ms *= 2;
    return LB_MIN(ms, longest_ms);
}

/* ---- what a turn has shown ------------------------------------------------------------------- */

static enum lb_card_worth worth_of(enum lb_code code) {
    enum lb_stage stage = lb_code_stage(code);
    if (stage == LB_STAGE_LINK || lb_code_tells(code, LB_TELLS_ALONE))
        return LB_CARD_SILENT;
    return stage == LB_STAGE_POLICY || stage == LB_STAGE_DHCP || stage == LB_STAGE_DISCOVERY ||
                   stage == LB_STAGE_ROOTPATH
               ? LB_CARD_ANSWERED
               : LB_CARD_HAS_DISK;
}

void lb_cards_note(struct lb_card *card, enum lb_code code) {
    card->worth = LB_MAX(card->worth, worth_of(code));
    card->has_failed = !lb_code_may_pass(code);
}

bool lb_cards_have_failed(const struct lb_cards *cards, bool is_late) {
    size_t failed = 0, waiting = 0;
    for (size_t i = 0; i < cards->count; i++) {
        const struct lb_card *card = &cards->card[i];
        failed += card->has_failed ? 1 : 0;
        waiting += !card->has_failed && (card->has_link || !is_late) ? 1 : 0;
    }
    return failed > 0 && waiting == 0;
}
