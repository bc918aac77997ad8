#include "hosts/uefi/cards.h"
#include "hosts/uefi/card_path.h"
#include "hosts/uefi/connect.h"
#include "hosts/uefi/origin.h"
#include "hosts/uefi/path.h"

#define TEND_US (20 * LB_US_MS)

static struct lb_dhcp4_lease pxe_lease;
static EFI_GUID snp_guid = EFI_SIMPLE_NETWORK_PROTOCOL_GUID;

/* Link states are what the card's driver knew last: a card is asked anew when it is its turn.
 * False: it is no Ethernet card. */
static bool look_at(struct card *card) {
    EFI_SIMPLE_NETWORK *snp = NULL;
    if (EFI_ERROR(bs->HandleProtocol(card->handle, &snp_guid, (void **)&snp)) ||
        !nic_is_ethernet(snp))
        return false;
    memcpy(card->mac, snp->Mode->CurrentAddress.Addr, sizeof card->mac);
    card->has_link = !snp->Mode->MediaPresentSupported || snp->Mode->MediaPresent;
    return true;
}

static bool is_child(EFI_HANDLE handle) {
    EFI_GUID path_guid = EFI_DEVICE_PATH_PROTOCOL_GUID;
    EFI_DEVICE_PATH *path = NULL;
    return !EFI_ERROR(bs->HandleProtocol(handle, &path_guid, (void **)&path)) &&
           card_path_is_child(lb_bytes(path, path_len(path)));
}

static size_t find_all(struct card all[CARDS_MAX]) {
    EFI_HANDLE *handles = NULL;
    UINTN there_are = 0;
    size_t found = 0;
    if (EFI_ERROR(bs->LocateHandleBuffer(ByProtocol, &snp_guid, NULL, &there_are, &handles)))
        return 0;
    for (UINTN i = 0; i < there_are && found < CARDS_MAX; i++) {
        if (is_child(handles[i]))
            continue;
        all[found] = (struct card){.handle = handles[i], .number = (unsigned)found};
        found += look_at(&all[found]);
    }
    pool_free(handles);
    return found;
}

static bool is_named(const struct card *card, struct lb_bytes name) {
    char number[16];
    uint8_t mac[6];
    size_t len = 0;
    lb_format(number, sizeof number, "net%u", card->number);
    return lb_text_is(name, number) ||
           (lb_parse_hex_bytes(name, lb_span(mac, sizeof mac), &len) && len == sizeof mac &&
            memcmp(mac, card->mac, sizeof mac) == 0);
}

static size_t in_configured_order(struct lb_bytes list, const struct card *all, size_t found,
                                  struct card cards[CARDS_MAX]) {
    struct lb_bytes name;
    size_t count = 0;
    while (lb_list_next(&list, ',', &name))
        for (size_t i = 0; i < found && count < CARDS_MAX; i++)
            if (is_named(&all[i], name))
                cards[count++] = all[i];
    return count;
}

/* 0 is the best. */
static unsigned rank(const struct card *card) {
    return card->lease != NULL ? 0 : card->has_link ? 1 : 2;
}

static size_t in_order_of_rank(const struct card *all, size_t found, struct card cards[CARDS_MAX]) {
    size_t count = 0;
    for (unsigned wanted = 0; wanted <= 2; wanted++)
        for (size_t i = 0; i < found; i++)
            if (rank(&all[i]) == wanted)
                cards[count++] = all[i];
    return count;
}

static size_t choose(const struct lb_config *config, const struct card *all, size_t found,
                     struct card cards[CARDS_MAX]) {
    struct lb_bytes list = lb_bytes_of_text(lb_config_text(config, LB_KEY_CARDS));
    return list.len > 0 ? in_configured_order(list, all, found, cards)
                        : in_order_of_rank(all, found, cards);
}

static size_t find_and_choose(const struct lb_config *config, struct card cards[CARDS_MAX]) {
    static struct card all[CARDS_MAX];
    uint8_t came_by[6];
    size_t found = find_all(all);
    bool has_lease = lb_config_bool(config, LB_KEY_PXE_LEASE) && origin_lease(&pxe_lease, came_by);
    for (size_t i = 0; i < found && has_lease; i++)
        if (memcmp(all[i].mac, came_by, sizeof came_by) == 0)
            all[i].lease = &pxe_lease;
    return choose(config, all, found, cards);
}

size_t cards_find(const struct lb_config *config, struct card cards[CARDS_MAX]) {
    connect_network();
    size_t count = find_and_choose(config, cards);
    if (count > 0)
        return count;
    connect_all();
    return find_and_choose(config, cards);
}

/* ---- turns ----------------------------------------------------------------------------------- */

void cards_open(struct card *cards, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (cards[i].nic.snp == NULL)
            cards[i].open_status = nic_open(&cards[i].nic, cards[i].handle, cards[i].number);
}

void cards_tend(struct card *cards, size_t count, const struct card *in_turn) {
    static uint64_t tend_us;
    uint64_t now_us = clock_us();
    if (now_us < tend_us)
        return;
    tend_us = now_us + TEND_US;
    for (size_t i = 0; i < count; i++) {
        if (cards[i].nic.snp == NULL || &cards[i] == in_turn)
            continue;
        nic_drain(&cards[i].nic);
        nic_link(&cards[i].nic, false);
    }
}

void cards_close(struct card *cards, size_t count, const struct card *but) {
    for (size_t i = 0; i < count; i++)
        if (&cards[i] != but)
            nic_close(&cards[i].nic);
}
