#include "hosts/linux/choose.h"
#include "hosts/linux/loop.h"
#include "hosts/linux/machine.h"
#include "hosts/linux/netlink.h"
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <string.h>

#define CARDS_MAX 32 /* Ethernet interfaces of a machine that are looked at */

struct cards {
    struct lb_netlink netlink;
    struct {
        char name[IF_NAMESIZE];
        int index;
        bool was_raised, has_link;
    } card[CARDS_MAX];
    size_t count;
};

/* ---- looking ----------------------------------------------------------------------------------
 */

static bool is_known(const struct cards *cards, int index) {
    for (size_t i = 0; i < cards->count; i++) {
        if (cards->card[i].index == index)
            return true;
    }
    return false;
}

/* Brings up what is new, and looks at the link of all. */
static void look(struct cards *cards) {
    struct if_nameindex *all = if_nameindex();
    for (const struct if_nameindex *one = all; one && one->if_index; one++) {
        struct lb_link link;
        if (is_known(cards, (int)one->if_index) || cards->count == CARDS_MAX ||
            lb_netlink_find(&cards->netlink, one->if_name, &link) != 0 || !link.is_ethernet)
            continue;
        size_t at = cards->count++;
        lb_text_copy(cards->card[at].name, IF_NAMESIZE, lb_bytes_of_text(one->if_name));
        cards->card[at].index = link.index;
        cards->card[at].has_link = false;
        cards->card[at].was_raised =
            !link.is_up && lb_netlink_set_up(&cards->netlink, link.index, true) == 0;
    }
    if (all)
        if_freenameindex(all);
    for (size_t i = 0; i < cards->count; i++) {
        struct lb_link link;
        cards->card[i].has_link =
            lb_netlink_find(&cards->netlink, cards->card[i].name, &link) == 0 && link.has_carrier;
    }
}

static const char *with_link(const struct cards *cards) {
    for (size_t i = 0; i < cards->count; i++) {
        if (cards->card[i].has_link)
            return cards->card[i].name;
    }
    return NULL;
}

static void put_down(struct cards *cards, const char *but) {
    for (size_t i = 0; i < cards->count; i++) {
        if (cards->card[i].was_raised && (!but || strcmp(cards->card[i].name, but) != 0))
            lb_netlink_set_up(&cards->netlink, cards->card[i].index, false);
    }
}

/* ---- choosing ---------------------------------------------------------------------------------
 */

static const char *choose(struct cards *cards, const struct lb_choice *choice, char *room,
                          size_t cap) {
    struct lb_link link;
    if (choice->name)
        return lb_netlink_find(&cards->netlink, choice->name, &link) == 0 ? choice->name : NULL;
    if (choice->mac)
        return lb_machine_interface_of(choice->mac, room, cap) ? room : NULL;
    look(cards);
    return with_link(cards);
}

/* Until some link has changed, or one has appeared. */
static void wait_for_event(struct cards *cards, uint64_t until_us) {
    uint64_t now_us = lb_now_us();
    struct pollfd wait = {.fd = cards->netlink.events_fd, .events = POLLIN};
    if (now_us < until_us &&
        poll(&wait, 1, (int)((until_us - now_us + LB_US_MS - 1) / LB_US_MS)) > 0)
        (void)lb_netlink_changed(&cards->netlink, 0);
}

static void explain(const struct cards *cards, const struct lb_choice *choice,
                    struct lb_error *error) {
    if (choice->name)
        lb_fail(error, LB_E_NO_INTERFACE, "%s", choice->name);
    else if (choice->mac)
        lb_fail(error, LB_E_NO_INTERFACE, "none has the address %s", lb_mac_text(choice->mac).s);
    else if (cards->count == 0)
        lb_fail(error, LB_E_NO_INTERFACE, "there is no Ethernet interface");
    else
        lb_fail(error, LB_E_NO_LINK, "none of %zu interfaces, among them %s", cards->count,
                cards->card[0].name);
}

bool lb_choose_interface(const struct lb_choice *choice, uint32_t timeout_ms, char *name,
                         size_t cap, struct lb_error *error) {
    struct cards cards = {.count = 0};
    uint64_t until_us = lb_now_us() + timeout_ms * LB_US_MS;
    char room[IF_NAMESIZE];
    const char *chosen;
    int failed = lb_netlink_open(&cards.netlink);
    if (failed != 0) {
        lb_fail(error, LB_E_HOST_NETWORK, "netlink: %s", strerror(failed));
        return false;
    }
    chosen = choose(&cards, choice, room, sizeof(room));
    while (!chosen && lb_now_us() < until_us) {
        wait_for_event(&cards, until_us);
        chosen = choose(&cards, choice, room, sizeof(room));
    }
    put_down(&cards, chosen);
    if (chosen)
        lb_text_copy(name, cap, lb_bytes_of_text(chosen));
    else
        explain(&cards, choice, error);
    lb_netlink_close(&cards.netlink);
    return chosen != NULL;
}
