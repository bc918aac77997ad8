/* The interface to boot from, where there may be several, or none yet.
 *
 * In an initramfs a card's driver may still be on its way, and where there is a udev it may still
 * rename the card, which an interface that is up forbids (Linux before 6.2): a card counts when
 * udev has done with it. Nothing is polled but that. */
#ifndef LB_LINUX_CHOOSE_H
#define LB_LINUX_CHOOSE_H

#include "hosts/linux/cards.h"

struct lb_card_choice {
    const char *name;   /* this one; NULL: any */
    const uint8_t *mac; /* the one with this address; NULL: any */
    bool is_hint;       /* where there is no such card soon, any */
    const char *sysfs;  /* what stands before /sys; "": nothing */
    const char *run;    /* the system's /run, where udev's files are */
};

struct lb_chooser {
    struct lb_card_choice choice;
    struct lb_netlink netlink;
    int signal_fd;         /* SIGINT, SIGTERM and SIGHUP */
    struct lb_cards cards; /* where neither name nor address is known */
    struct {
        int index;
        char name[IF_NAMESIZE]; /* that it had at first */
        uint64_t since_us;
    } unsettled[LB_CARDS_MAX]; /* that udev has not done with */
    size_t unsettled_count;
};

/* The texts of the choice stay the caller's. Blocks SIGINT, SIGTERM and SIGHUP, which end a wait;
 * a loop that is closed lets them pass again: lb_chooser_hold_signals. False: HOST_NETWORK. */
bool lb_chooser_open(struct lb_chooser *chooser, const struct lb_card_choice *choice,
                     struct lb_error *error);
/* Blocks SIGINT, SIGTERM and SIGHUP again, after a loop that was closed has let them pass. */
void lb_chooser_hold_signals(void);
/* Those that were brought up for nothing are put down again, all `but` one, whose loop is open;
 * NULL: all, and signals come as usual again. */
void lb_chooser_close(struct lb_chooser *chooser, const struct lb_card *but);

/* The interface of the choice's name or address, when it is there and udev has done with it. */
bool lb_chooser_find(struct lb_chooser *chooser, char *name, size_t cap);
/* Without both: brings up the cards that are new, and looks at the links of all. Cards are Ethernet
 * interfaces with a device behind them but wireless ones; where there is none of these, as in a
 * network namespace, ends of virtual cables. */
void lb_chooser_look(struct lb_chooser *chooser);
/* Until some link has changed or appeared, or udev may have done with one, or until_us. False: a
 * signal came. */
bool lb_chooser_wait(struct lb_chooser *chooser, uint64_t until_us);
/* Why there is none: NO_INTERFACE or NO_LINK. */
void lb_chooser_explain(const struct lb_chooser *chooser, struct lb_error *error);

#endif
