/* Whether a card has a link, where its driver's word may be wrong. There are drivers that look for
 * a link at their start alone, and drivers that never see one. So a card that has none for 10 s is
 * started anew, and again after twice that. When that brings no link, it is tried for a while as if
 * there were one, in its turn. A card that gives frames has a link, whatever it says. No EFI types:
 * tested on Linux, test_link.c. */
#ifndef LB_UEFI_LINK_H
#define LB_UEFI_LINK_H

#include "core/base/mem.h"

/* Before a card without a link is started anew: 10GBASE-T takes up to 8 s, and begins again with a
 * start. */
#define LINK_WAIT_US (10 * LB_US_SEC)
/* As long is a card tried without a link: less than the 15 s that DHCP has where cards take turns,
 * so that its failure is the link's. */
#define LINK_TRY_US (12 * LB_US_SEC)
/* A frame that came this long after the link went was not in the card's ring before. */
#define LINK_LATE_US (1 * LB_US_SEC)
/* After a frame the link is taken to be there for so long. */
#define LINK_HEARD_US (2 * LB_US_SEC)

enum link_word {
    LINK_DOWN,
    LINK_UP,
    LINK_TRIED, /* the card says that there is none, and it is tried all the same */
    LINK_START, /* the card is to be started anew; then ask again */
};

/* What is seen of the card now. */
struct link_signs {
    bool is_told;      /* the driver can tell whether there is a link */
    bool is_present;   /* and says that there is one */
    bool is_in_turn;   /* the card is the one that the boot uses now */
    uint64_t heard_us; /* when the last frame came; 0: none yet */
};

struct link {
    uint64_t lost_us;  /* the driver has said "none" since then; 0: it says that there is one */
    uint64_t start_us; /* the wait for the next start began: at a loss, a start, a try's end */
    uint64_t wait_us;  /* how long it lasts; 0: LINK_WAIT_US */
    uint64_t try_us;   /* it is tried without a link since then; 0: it is not */
    bool is_owed_try;  /* the last start brought no link: it is tried in its next turn */
    bool is_wrong;     /* frames came while it said that there was no link */
};

/* Begins from zero bytes. The caller asks a few times a second. */
enum link_word link_judge(struct link *link, uint64_t now_us, const struct link_signs *signs);

#endif
