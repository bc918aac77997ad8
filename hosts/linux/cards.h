/* The cards of a machine that does not say by which of them it boots: they take turns.
 *
 * A turn is a boot by one card, for as long as it has said something worth waiting for: a card that
 * has a link and no DHCP server, as that of a server's management controller, gets one attempt, in
 * which it is not listened to for long; a card by which a disk was named gets a minute at a time.
 * All cards are kept up meanwhile, for a link may take longer to come than a turn. */
#ifndef LB_LINUX_CARDS_H
#define LB_LINUX_CARDS_H

#include "core/base/error.h"
#include "os/linux/netlink.h"
#include <net/if.h>

#define LB_CARDS_MAX 32 /* Ethernet interfaces of a machine that are looked at */

enum lb_card_worth {
    LB_CARD_SILENT,   /* nobody has answered yet */
    LB_CARD_ANSWERED, /* somebody has, and no disk was named that could be tried */
    LB_CARD_HAS_DISK, /* a disk was named */
};

struct lb_card {
    char name[IF_NAMESIZE];
    int index;
    bool is_real; /* has a device behind it; else it may be a namespace's cable */
    bool was_raised, has_link;
    bool was_in_use; /* before it was raised */
    bool has_failed; /* its last turn ended with an error that does not pass */
    enum lb_card_worth worth;
    unsigned turns, last_turn; /* last_turn: the number of it, of all; 0: none */
};

struct lb_cards {
    struct lb_card card[LB_CARDS_MAX];
    size_t count;
    unsigned turns; /* of all */
};

/* Whose turn it is: of those with a link, the one whose turn was longest ago; one that stays silent
 * is passed over most times while another has answered. NULL: nobody has a link. */
struct lb_card *lb_cards_next(struct lb_cards *cards);
/* How long this card is asked for an address in its turn, of a longest time, in ms: of several,
 * 10 s, and twice as long in each further turn. */
uint32_t lb_cards_patience_ms(const struct lb_cards *cards, const struct lb_card *card,
                              uint32_t longest_ms);
/* What a turn that failed so has shown of its card. */
void lb_cards_note(struct lb_card *card, enum lb_code code);
/* Whether no card can bring another end any more: each has a link, and has had a turn that failed
 * for good. is_late: those without a link have had their time. */
bool lb_cards_have_failed(const struct lb_cards *cards, bool is_late);

#endif
