#include "hosts/linux/choose.h"
#include "hosts/linux/loop.h"
#include "hosts/linux/machine.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define UDEV_US      (10 * LB_US_SEC) /* as long as udev is waited for */
#define UDEV_LOOK_US (50 * LB_US_MS)

/* ---- udev ------------------------------------------------------------------------------------ */

static bool exists(const char *root, const char *folder, const char *name, const char *file) {
    char path[256];
    lb_format(path, sizeof(path), "%s%s/%s%s", root, folder, name, file);
    return access(path, F_OK) == 0;
}

static bool is_done_by_udev(const struct lb_chooser *chooser, int index) {
    char number[16];
    lb_format(number, sizeof(number), "n%d", index);
    return !exists(chooser->choice.run, "", "udev", "") ||
           exists(chooser->choice.run, "/udev/data", number, "");
}

/* Its place among those that udev has something to do with; the end where there is no room. */
static size_t find_unsettled(struct lb_chooser *chooser, int index) {
    size_t i = 0;
    while (i < chooser->unsettled_count && chooser->unsettled[i].index != index)
        i++;
    return i;
}

static void add_unsettled(struct lb_chooser *chooser, int index, const char *name) {
    size_t at = chooser->unsettled_count++;
    chooser->unsettled[at].index = index;
    chooser->unsettled[at].since_us = lb_now_us();
    lb_text_copy(chooser->unsettled[at].name, IF_NAMESIZE, lb_bytes_of_text(name));
}

/* A udev that says nothing is not waited for without end; a new name is as good as its word. */
static bool is_settled(struct lb_chooser *chooser, int index, const char *name) {
    size_t at = find_unsettled(chooser, index);
    bool is_known = at < chooser->unsettled_count;
    if (is_done_by_udev(chooser, index)) {
        if (is_known)
            chooser->unsettled[at] = chooser->unsettled[--chooser->unsettled_count];
        return true;
    }
    if (is_known)
        return lb_now_us() >= chooser->unsettled[at].since_us + UDEV_US ||
               !lb_streq(chooser->unsettled[at].name, name);
    if (at == LB_CARDS_MAX)
        return true;
    add_unsettled(chooser, index, name);
    return false;
}

/* ---- cards ----------------------------------------------------------------------------------- */

static struct lb_card *find_card(struct lb_cards *cards, int index) {
    for (size_t i = 0; i < cards->count; i++) {
        if (cards->card[i].index == index)
            return &cards->card[i];
    }
    return NULL;
}

static bool has_real(const struct lb_cards *cards) {
    for (size_t i = 0; i < cards->count; i++) {
        if (cards->card[i].is_real)
            return true;
    }
    return false;
}

/* Ports of bonds and bridges are their masters' affair, and those themselves somebody else's. */
static bool may_be_card(const struct lb_chooser *chooser, const char *name,
                        const struct lb_link *link, bool *is_real) {
    const char *sysfs = chooser->choice.sysfs;
    *is_real = exists(sysfs, "/sys/class/net", name, "/device");
    if (!link->is_ethernet || link->has_master ||
        exists(sysfs, "/sys/class/net", name, "/phy80211") ||
        exists(sysfs, "/sys/class/net", name, "/wireless"))
        return false;
    return *is_real || (lb_streq(link->kind, "veth") && !has_real(&chooser->cards));
}

static void drop_card(struct lb_chooser *chooser, size_t at) {
    struct lb_card *card = &chooser->cards.card[at];
    if (card->was_raised)
        lb_netlink_set_up(&chooser->netlink, card->index, false);
    *card = chooser->cards.card[--chooser->cards.count];
}

static void add_card(struct lb_chooser *chooser, const char *name) {
    struct lb_cards *cards = &chooser->cards;
    struct lb_link link;
    bool is_real;
    if (cards->count == LB_CARDS_MAX || lb_netlink_find(&chooser->netlink, name, &link) != 0 ||
        find_card(cards, link.index) || !may_be_card(chooser, name, &link, &is_real) ||
        !is_settled(chooser, link.index, name))
        return;
    for (size_t i = cards->count; is_real && i > 0; i--) {
        if (!cards->card[i - 1].is_real)
            drop_card(chooser, i - 1);
    }
    struct lb_card *card = &cards->card[cards->count++];
    *card = (struct lb_card){.index = link.index, .is_real = is_real};
    card->was_in_use = lb_netlink_is_in_use(&chooser->netlink, link.index);
    lb_text_copy(card->name, IF_NAMESIZE, lb_bytes_of_text(name));
    card->was_raised = !link.is_up && lb_netlink_set_up(&chooser->netlink, link.index, true) == 0;
}

void lb_chooser_look(struct lb_chooser *chooser) {
    struct lb_cards *cards = &chooser->cards;
    struct if_nameindex *all = if_nameindex();
    for (const struct if_nameindex *one = all; one && one->if_index; one++)
        add_card(chooser, one->if_name);
    if (all)
        if_freenameindex(all);
    for (size_t i = cards->count; i > 0; i--) {
        struct lb_card *card = &cards->card[i - 1];
        struct lb_link link = {0};
        if (!if_indextoname((unsigned)card->index, card->name)) {
            drop_card(chooser, i - 1); /* it was taken out of the machine */
            continue;
        }
        card->has_link =
            lb_netlink_find(&chooser->netlink, card->name, &link) == 0 && link.has_carrier;
    }
}

/* ---- the choice ------------------------------------------------------------------------------ */

bool lb_chooser_find(struct lb_chooser *chooser, char *name, size_t cap) {
    const struct lb_card_choice *choice = &chooser->choice;
    struct lb_link link;
    if (choice->name)
        lb_text_copy(name, cap, lb_bytes_of_text(choice->name));
    else if (!choice->mac || !lb_machine_interface_of(choice->mac, name, cap))
        return false;
    return lb_netlink_find(&chooser->netlink, name, &link) == 0 &&
           is_settled(chooser, link.index, name);
}

bool lb_chooser_wait(struct lb_chooser *chooser, uint64_t until_us) {
    struct signalfd_siginfo info;
    uint64_t now_us = lb_now_us();
    struct pollfd wait[] = {{.fd = chooser->netlink.events_fd, .events = POLLIN},
                            {.fd = chooser->signal_fd, .events = POLLIN}};
    if (chooser->unsettled_count > 0)
        until_us = LB_MIN(until_us, now_us + UDEV_LOOK_US);
    uint64_t left_ms = now_us < until_us ? (until_us - now_us + LB_US_MS - 1) / LB_US_MS : 0;
    if (poll(wait, LB_COUNT(wait), (int)LB_MIN(left_ms, UINT64_C(3600000))) > 0 &&
        (wait[0].revents & POLLIN))
        (void)lb_netlink_changed(&chooser->netlink, 0);
    return read(chooser->signal_fd, &info, sizeof(info)) != sizeof(info);
}

void lb_chooser_explain(const struct lb_chooser *chooser, struct lb_error *error) {
    const struct lb_card_choice *choice = &chooser->choice;
    char there[128];
    struct lb_text text = lb_text(there, sizeof(there));
    lb_machine_list_interfaces(&text);
    if (choice->name)
        lb_fail(error, LB_E_NO_INTERFACE, "%s; those that there are: %s", choice->name, there);
    else if (choice->mac)
        lb_fail(error, LB_E_NO_INTERFACE, "none has the address %s; those that there are: %s",
                lb_mac_text(choice->mac).s, there);
    else if (chooser->cards.count == 0)
        lb_fail(error, LB_E_NO_INTERFACE, "there is no Ethernet interface");
    else
        lb_fail(error, LB_E_NO_LINK, "none of %zu interfaces, among them %s", chooser->cards.count,
                chooser->cards.card[0].name);
}

static sigset_t our_signals(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    return set;
}

void lb_chooser_hold_signals(void) {
    sigset_t set = our_signals();
    sigprocmask(SIG_BLOCK, &set, NULL);
}

bool lb_chooser_open(struct lb_chooser *chooser, const struct lb_card_choice *choice,
                     struct lb_error *error) {
    sigset_t set = our_signals();
    int failed;
    *chooser = (struct lb_chooser){.choice = *choice};
    lb_chooser_hold_signals();
    chooser->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    failed = lb_netlink_open(&chooser->netlink);
    if (failed != 0)
        lb_fail(error, LB_E_HOST_NETWORK, "netlink: %s", strerror(failed));
    return failed == 0;
}

void lb_chooser_close(struct lb_chooser *chooser, const struct lb_card *but) {
    sigset_t set = our_signals();
    for (size_t i = 0; i < chooser->cards.count; i++) {
        const struct lb_card *card = &chooser->cards.card[i];
        if (card->was_raised && card != but &&
            (card->was_in_use || !lb_netlink_is_in_use(&chooser->netlink, card->index)))
            lb_netlink_set_up(&chooser->netlink, card->index, false);
    }
    lb_netlink_close(&chooser->netlink);
    if (chooser->signal_fd >= 0)
        close(chooser->signal_fd);
    if (!but)
        sigprocmask(SIG_UNBLOCK, &set, NULL);
}
