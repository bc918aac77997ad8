/* lunboot.efi: from power-on to the loader on the network disk. */
#include "core/crypto/crypto.h"
#include "hosts/uefi/cards.h"
#include "hosts/uefi/disk.h"
#include "hosts/uefi/launch.h"
#include "hosts/uefi/loop.h"
#include "hosts/uefi/page.h"
#include "hosts/uefi/rival.h"
#include "hosts/uefi/settings.h"
#include "hosts/uefi/steps.h"
#include "hosts/uefi/table.h"

static struct lb_config config;
static struct card cards[CARDS_MAX];
static size_t card_count;
static uint8_t uuid[16];
/* What the boot manager hears: UEFI 2.10 3.1.1 goes on with the next boot option unless it is a
 * success. A loader that came back has the word. */
static EFI_STATUS end_status = EFI_LOAD_ERROR;

void wipe_everything(void) {
    uefi_wipe_all();
    settings_wipe();
    loop_wipe();
    lb_wipe(&config, sizeof config);
}

static void show_error(const struct lb_error *error) {
    char text[600];
    struct lb_text out = lb_text(text, sizeof text);
    lb_error_format(&out, error);
    say("\nlunboot: %s\n", text);
}

static void show_last_trace(void) {
    char line[LB_TRACE_LINE_MAX], last[12][LB_TRACE_LINE_MAX];
    size_t count = 0;
    lb_trace_rewind(lb_boot_trace(loop_engine()));
    while (lb_trace_next(lb_boot_trace(loop_engine()), line))
        memcpy(last[count++ % LB_COUNT(last)], line, sizeof line);
    size_t shown = LB_MIN(count, LB_COUNT(last));
    say("last lines of the trace:\n");
    for (size_t i = count - shown; i < count; i++)
        say("  %s\n", last[i % LB_COUNT(last)]);
}

/* True: the disk is there. A person may open the page; *again then says whether to begin anew. */
static bool run_to_ready(const struct card *card, bool *again) {
    bool stopped = false;
    steps_begin();
    while (loop_state() == LOOP_RUNS && !stopped) {
        if (!loop_turn())
            bs->Stall(50);
        cards_tend(cards, card_count, card);
        steps_show();
        stopped = page_is_wanted(&config, 0);
    }
    *again = stopped && page_show(&config, lb_boot_report(loop_engine())) != PAGE_FIRMWARE;
    return loop_state() == LOOP_READY && !stopped;
}

static void run_loader(const struct card *card, struct lb_error *error) {
    EFI_HANDLE handle = NULL;
    cards_close(cards, card_count, card);
    rival_end(loop_nic()->handle);
    EFI_STATUS status = disk_install(&handle), table = table_install(&config);
    if (EFI_ERROR(table))
        say("  no iBFT for the operating system: %s\n", status_word(table));
    if (EFI_ERROR(status))
        lb_fail(error, LB_E_INTERNAL, "installing the disk: %s", status_word(status));
    else
        launch(disk_path(), lb_config_text(&config, LB_KEY_LOADER), error, &end_status);
    table_remove();
    disk_remove();
}

/* One card, from its link to the loader. */
static void try_card(struct card *card, struct lb_error *error) {
    bool again;
    cards_open(cards, card_count);
    if (card->nic.snp == NULL) {
        lb_fail(error, LB_E_HOST_NETWORK, "taking net%u: %s", card->number,
                status_word(card->open_status));
        return;
    }
    do {
        lb_error_clear(error);
        again = false;
        if (!loop_start(&card->nic, &config, uuid, card->lease, error))
            return;
        say("net%u %s\n", card->number, lb_mac_text(loop_nic()->mac).s);
        bool is_ready = run_to_ready(card, &again);
        loop_store_seen();
        if (is_ready) {
            run_loader(card, error);
        } else {
            const struct lb_error *why = &lb_boot_report(loop_engine())->error;
            lb_fail(error, lb_is_ok(why) ? LB_E_CANCELLED : why->code, "%s", why->facts);
        }
        if (!again)
            show_last_trace();
        loop_stop();
    } while (again);
}

/* Several cards take turns with one attempt each, so that one without a network does not keep the
 * others waiting; a single card's engine sees to its attempts itself. */
static void one_attempt_each(void) {
    struct lb_error error = {.code = LB_OK};
    if (card_count < 2 || lb_config_is_set(&config, LB_KEY_ATTEMPTS))
        return;
    lb_config_set(&config, LB_SOURCE_START, lb_bytes_of_text("attempts"), lb_bytes_of_text("1"),
                  &error);
    lb_config_set(&config, LB_SOURCE_START, lb_bytes_of_text("link-timeout"),
                  lb_bytes_of_text("3s"), &error);
    lb_config_set(&config, LB_SOURCE_START, lb_bytes_of_text("dhcp-timeout"),
                  lb_bytes_of_text("15s"), &error);
}

static bool may_go_on(const struct lb_error *error, uint64_t start_us) {
    uint64_t retry_us = lb_config_u32(&config, LB_KEY_RETRY_TIME) * LB_US_MS;
    return card_count > 1 && error->code != LB_E_CANCELLED && lb_code_may_pass(error->code) &&
           clock_us() - start_us < retry_us;
}

/* Rounds, until a boot has ended or time is up. */
static void take_turns(struct lb_error *error) {
    uint64_t start_us = clock_us();
    bool go_on = card_count > 0;
    while (go_on) {
        go_on = false;
        for (size_t i = 0; i < card_count; i++) {
            struct lb_error of_card = {.code = LB_OK};
            try_card(&cards[i], &of_card);
            show_error(&of_card);
            *error = of_card;
            if (of_card.code == LB_E_CANCELLED || of_card.code == LB_E_LOADER_RETURNED)
                return;
            go_on = go_on || may_go_on(&of_card, start_us);
        }
    }
}

static void try_cards(struct lb_error *error) {
    card_count = cards_find(&config, cards);
    if (card_count == 0)
        lb_fail(error, LB_E_NO_INTERFACE, "the firmware has no network card with a driver");
    one_attempt_each();
    take_turns(error);
    cards_close(cards, card_count, NULL);
}

/* As at-end says, unless a person wanted to go back to the firmware. */
static void end_as_configured(const struct lb_error *error) {
    const char *word = lb_config_text(&config, LB_KEY_AT_END);
    if (error->code == LB_E_CANCELLED || lb_streq(word, "firmware"))
        return;
    if (lb_streq(word, "restart"))
        restart("the boot is over");
    say("the boot is over: power off\n");
    st->RuntimeServices->ResetSystem(EfiResetShutdown, EFI_SUCCESS, 0, NULL);
}

/* What the configuration asks for, from the page to the loader's return. */
static void boot(struct lb_error *error) {
    page_begin(&config);
    if (page_is_wanted(&config, lb_config_u32(&config, LB_KEY_PAGE_WAIT)) &&
        page_show(&config, NULL) == PAGE_FIRMWARE) {
        end_status = EFI_ABORTED;
        return;
    }
    if (lb_config_bool(&config, LB_KEY_ENABLE)) {
        try_cards(error);
        end_as_configured(error);
        return;
    }
    const char *file = config.name[LB_SOURCE_FILE] != NULL ? config.name[LB_SOURCE_FILE]
                                                           : config.name[LB_SOURCE_VERIFIED];
    lb_fail(error, LB_E_NOT_ENABLED, "enable is %s; %s%s",
            lb_config_is_set(&config, LB_KEY_ENABLE) ? "no" : "not set",
            file != NULL ? "read: "
                         : "no lunboot.conf beside the program, in \\EFI\\lunboot or in \\",
            file != NULL ? file : "");
    show_error(error); /* no card is touched */
}

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *table);
EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *table) {
    struct lb_error error = {.code = LB_OK};
    self = image;
    st = table;
    bs = table->BootServices;
    clock_init();
    watchdog_begin();
    say("lunboot %s, ", LB_VERSION);
    machine_uuid(uuid);
    if (!settings_read(&config, &error))
        show_error(&error);
    else
        boot(&error);
    wipe_everything();
    uefi_free_all();
    watchdog_end();
    return end_status;
}
