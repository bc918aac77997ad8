#include "hosts/linux/turns.h"
#include "hosts/linux/machine.h"
#include <stdio.h>

#define LONG_TURN_MS 60000
#define PAUSE_MAX_US (30 * LB_US_SEC)
#define TELL_US      (60 * LB_US_SEC) /* that a link is waited for */
#define HINT_US      (10 * LB_US_SEC) /* as udev gives a driver: choose.c */

struct turns {
    struct lb_run *run;
    struct lb_chooser chooser;
    struct lb_config config; /* the administrator's, as it was */
    struct lb_report report; /* of the turns before */
    struct lb_error error;   /* of the one that came furthest */
    enum lb_card_worth worth;
    uint64_t start_us, end_us;
    uint64_t told_us;
    uint64_t pause_us; /* before a card has another turn */
    bool cards_had_turns;
};

/* ---- time ------------------------------------------------------------------------------------ */

static uint64_t key_us(const struct turns *t, enum lb_key key) {
    return lb_config_u32(&t->config, key) * LB_US_MS;
}

/* Of a link or an interface: one attempt has the time of one, and link-timeout=0 does not wait;
 * else it may come as long as there are attempts. */
static uint64_t end_us(const struct turns *t) {
    uint64_t link_us = key_us(t, LB_KEY_LINK_TIMEOUT), retry_us = key_us(t, LB_KEY_RETRY_TIME);
    bool is_one = lb_config_u32(&t->config, LB_KEY_ATTEMPTS) == 1;
    return t->start_us + (is_one || link_us == 0 ? link_us : LB_MAX(link_us, retry_us));
}

static bool is_late(const struct turns *t) {
    return lb_now_us() >= t->start_us + key_us(t, LB_KEY_LINK_TIMEOUT);
}

static bool has_had_attempts(const struct turns *t) {
    uint32_t attempts = lb_config_u32(&t->config, LB_KEY_ATTEMPTS);
    for (size_t i = 0; i < t->chooser.cards.count; i++) {
        const struct lb_card *card = &t->chooser.cards.card[i];
        if (card->has_link && card->turns < attempts)
            return false;
    }
    return attempts != 0;
}

static bool is_over(const struct turns *t) {
    return lb_now_us() >= t->end_us || has_had_attempts(t) ||
           lb_cards_have_failed(&t->chooser.cards, is_late(t));
}

/* ---- one turn -------------------------------------------------------------------------------- */

static bool set(struct turns *t, const char *key, const char *value) {
    return lb_config_set(&t->run->config, LB_SOURCE_PERSON, lb_bytes_of_text(key),
                         lb_bytes_of_text(value), &t->run->error);
}

static bool set_ms(struct turns *t, const char *key, uint64_t ms) {
    char text[24];
    lb_format(text, sizeof(text), "%llums", (unsigned long long)ms);
    return set(t, key, text);
}

/* The engine is told how long to try: a minute of attempts, by the only card and by one by which a
 * disk was named; else one attempt, and so where attempts are counted. */
static bool configure(struct turns *t, const struct lb_card *card) {
    uint64_t now_us = lb_now_us();
    uint64_t left_ms = (LB_MAX(t->end_us, now_us + LB_US_SEC) - now_us) / LB_US_MS;
    uint32_t longest_ms = lb_config_u32(&t->config, LB_KEY_DHCP_TIMEOUT);
    uint64_t patience_ms = lb_cards_patience_ms(&t->chooser.cards, card, longest_ms);
    bool is_long = lb_config_u32(&t->config, LB_KEY_ATTEMPTS) == 0 &&
                   (t->chooser.cards.count == 1 || card->worth == LB_CARD_HAS_DISK);
    t->run->config = t->config;
    lb_error_clear(&t->run->error);
    return set(t, "interface", card->name) &&
           set_ms(t, "dhcp-timeout", LB_MAX(LB_MIN(patience_ms, left_ms), 1000)) &&
           set_ms(t, "retry-time", is_long ? LB_MIN(LONG_TURN_MS, left_ms) : left_ms) &&
           (is_long || set(t, "attempts", "1"));
}

static void note_failure(struct turns *t, struct lb_card *card) {
    lb_cards_note(card, t->run->error.code);
    if (lb_is_ok(&t->error) || card->worth >= t->worth)
        t->error = t->run->error;
    t->worth = LB_MAX(t->worth, card->worth);
    if (!t->run->has_loop)
        return;
    t->report = *lb_boot_report(&t->run->boot);
    lb_run_stop(t->run, true);
}

/* True: READY, and open; what was raised for it is the run's to put down. */
static bool take_turn(struct turns *t, struct lb_card *card) {
    bool is_ready;
    t->run->report_before = t->cards_had_turns ? &t->report : NULL;
    is_ready = configure(t, card) && lb_run_open(t->run, LB_GOAL_DISK, true, false) &&
               lb_run_until_ready(t->run);
    if (is_ready) {
        t->run->iface.was_raised = t->run->iface.was_raised || card->was_raised;
        t->run->iface.was_in_use = card->was_in_use;
        return true;
    }
    note_failure(t, card);
    lb_run_close(t->run, true);
    lb_chooser_hold_signals();
    return false;
}

/* ---- all of them ----------------------------------------------------------------------------- */

static void tell_of_waiting(struct turns *t) {
    const struct lb_card_choice *choice = &t->chooser.choice;
    const struct lb_cards *cards = &t->chooser.cards;
    uint64_t now_us = lb_now_us();
    char there[128];
    struct lb_text text = lb_text(there, sizeof(there));
    if (t->told_us != 0 && now_us < t->told_us + TELL_US)
        return;
    t->told_us = now_us;
    lb_machine_list_interfaces(&text);
    fprintf(stderr, "%8.3f  link      waiting for ", (double)(now_us - t->start_us) / 1e6);
    if (choice->name || choice->mac)
        fprintf(stderr, "interface %s; those that there are: %s\n",
                choice->name ? choice->name : lb_mac_text(choice->mac).s, there);
    else if (cards->count == 0)
        fprintf(stderr, "a card\n");
    else
        fprintf(stderr, "a link:");
    for (size_t i = 0; i < cards->count; i++)
        fprintf(stderr, " %s%s", cards->card[i].name, i + 1 == cards->count ? "\n" : "");
}

static bool wait_until(struct turns *t, uint64_t until_us) {
    if (lb_chooser_wait(&t->chooser, LB_MIN(until_us, t->end_us)))
        return true;
    t->run->is_interrupted = true;
    lb_error_clear(&t->run->error);
    lb_fail(&t->run->error, LB_E_CANCELLED, "by a signal");
    return false;
}

/* The next card with a link; one that has had a turn has another after the pause. */
static struct lb_card *next_card(struct turns *t, uint64_t turn_us) {
    uint64_t pause_end_us = turn_us + t->pause_us;
    for (;;) {
        bool is_new = false;
        lb_chooser_look(&t->chooser);
        for (size_t i = 0; i < t->chooser.cards.count; i++) {
            const struct lb_card *card = &t->chooser.cards.card[i];
            is_new = is_new || (card->has_link && card->turns == 0);
        }
        uint64_t now_us = lb_now_us();
        struct lb_card *next =
            is_new || now_us >= pause_end_us ? lb_cards_next(&t->chooser.cards) : NULL;
        if (next || now_us >= t->end_us)
            return next;
        if (now_us >= pause_end_us)
            tell_of_waiting(t);
        if (!wait_until(t, now_us < pause_end_us ? pause_end_us : now_us + TELL_US))
            return NULL;
    }
}

static bool by_any_card(struct turns *t) {
    uint64_t turn_us = 0;
    for (;;) {
        struct lb_card *card = next_card(t, turn_us);
        if (!card)
            break;
        turn_us = lb_now_us();
        if (take_turn(t, card)) {
            lb_chooser_close(&t->chooser, card);
            return true;
        }
        t->cards_had_turns = true;
        t->pause_us = LB_MIN(LB_MAX(t->pause_us * 2, key_us(t, LB_KEY_RETRY_DELAY)), PAUSE_MAX_US);
        if (t->run->is_interrupted || is_over(t))
            break;
    }
    if (lb_is_ok(&t->error))
        lb_chooser_explain(&t->chooser, &t->error);
    if (!t->run->is_interrupted)
        t->run->error = t->error;
    lb_chooser_close(&t->chooser, NULL);
    return false;
}

static bool find_named(struct turns *t) {
    char name[IF_NAMESIZE];
    bool is_hint = t->chooser.choice.is_hint;
    uint64_t until_us = is_hint ? LB_MIN(t->end_us, t->start_us + HINT_US) : t->end_us;
    bool is_there = lb_chooser_find(&t->chooser, name, sizeof(name));
    while (!is_there && lb_now_us() < until_us) {
        tell_of_waiting(t);
        if (!wait_until(t, LB_MIN(until_us, lb_now_us() + TELL_US)))
            break;
        is_there = lb_chooser_find(&t->chooser, name, sizeof(name));
    }
    if (!is_there && !t->run->is_interrupted && !is_hint)
        lb_chooser_explain(&t->chooser, &t->run->error);
    lb_chooser_close(&t->chooser, NULL);
    return is_there &&
           lb_config_set(&t->run->config, LB_SOURCE_OPTION, lb_bytes_of_text("interface"),
                         lb_bytes_of_text(name), &t->run->error);
}

/* The card that BOOTIF= names is not there: others have their turns. */
static bool by_another_card(struct turns *t) {
    struct lb_card_choice any = t->chooser.choice;
    any.name = NULL;
    any.mac = NULL;
    t->told_us = 0;
    t->config = t->run->config;
    fprintf(stderr, "%8.3f  link      there is no interface %s: any card\n",
            (double)(lb_now_us() - t->start_us) / 1e6,
            t->chooser.choice.name ? t->chooser.choice.name : lb_mac_text(t->chooser.choice.mac).s);
    return lb_chooser_open(&t->chooser, &any, &t->run->error) && by_any_card(t);
}

static bool by_name(struct turns *t) {
    if (find_named(t))
        return lb_run_open(t->run, LB_GOAL_DISK, true, false) && lb_run_until_ready(t->run);
    return t->chooser.choice.is_hint && !t->run->is_interrupted && lb_is_ok(&t->run->error) &&
           by_another_card(t);
}

bool lb_turns_boot(struct lb_run *run, const struct lb_card_choice *choice) {
    static struct turns t;
    bool is_ready;
    t = (struct turns){.run = run, .config = run->config, .start_us = lb_now_us()};
    t.end_us = end_us(&t);
    if (!lb_chooser_open(&t.chooser, choice, &run->error))
        return false;
    is_ready = choice->name || choice->mac ? by_name(&t) : by_any_card(&t);
    lb_config_wipe_secrets(&t.config);
    run->report_before = NULL;
    return is_ready;
}
