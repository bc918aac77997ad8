/* lunboot.efi: from power-on to the loader on the network disk. */
#include "hosts/uefi/disk.h"
#include "hosts/uefi/launch.h"
#include "hosts/uefi/loop.h"
#include "hosts/uefi/settings.h"
#include "hosts/uefi/table.h"

static struct lb_config config;

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

/* One line a step, as it ends. */
static void show_steps(size_t *shown) {
    const struct lb_report *report = lb_boot_report(loop_engine());
    while (*shown < report->step_count && report->steps[*shown].outcome != LB_RUNNING) {
        char line[200];
        struct lb_text text = lb_text(line, sizeof line);
        lb_step_line(report, &report->steps[(*shown)++], &text);
        say("  %s\n", line);
    }
}

static bool run_to_ready(void) {
    size_t shown = 0;
    while (loop_state() == LOOP_RUNS) {
        if (!loop_turn())
            bs->Stall(50);
        show_steps(&shown);
    }
    return loop_state() == LOOP_READY;
}

static void run_loader(struct lb_error *error) {
    EFI_HANDLE handle = NULL;
    EFI_STATUS status = disk_install(&handle), table = table_install(&config);
    if (EFI_ERROR(table))
        say("  no iBFT for the operating system: %s\n", status_word(table));
    if (EFI_ERROR(status))
        lb_fail(error, LB_E_INTERNAL, "installing the disk: %s", status_word(status));
    else
        launch(disk_path(), lb_config_text(&config, LB_KEY_LOADER), error);
    table_remove();
    disk_remove();
}

/* One card, from its link to the loader. True when the machine's fate was decided here. */
static void try_card(EFI_HANDLE card, unsigned number, const uint8_t uuid[16],
                     struct lb_error *error) {
    if (!loop_start(card, number, &config, uuid, error))
        return;
    say("net%u %s\n", number, lb_mac_text(loop_nic()->mac).s);
    if (run_to_ready()) {
        run_loader(error);
    } else {
        const struct lb_error *why = &lb_boot_report(loop_engine())->error;
        lb_fail(error, why->code, "%s", why->facts);
    }
    if (!lb_is_ok(error))
        show_last_trace();
    loop_stop();
}

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *table);
EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *table) {
    struct lb_error error = {.code = LB_OK};
    EFI_HANDLE *cards = NULL;
    uint8_t uuid[16];
    self = image;
    st = table;
    bs = table->BootServices;
    bs->SetWatchdogTimer(0, 0, 0, NULL);
    clock_init();
    say("lunboot\n");
    machine_uuid(uuid);
    if (!settings_read(&config, &error)) {
        show_error(&error);
        return EFI_LOAD_ERROR;
    }
    size_t count = nic_find_all(&cards);
    for (size_t i = 0; i < count; i++) {
        struct lb_error of_card = {.code = LB_OK};
        try_card(cards[i], (unsigned)i, uuid, &of_card);
        show_error(&of_card);
        lb_fail(&error, of_card.code, "%s", of_card.facts);
    }
    if (count == 0) {
        lb_fail(&error, LB_E_NO_INTERFACE, "the firmware has no network card with a driver");
        show_error(&error);
    }
    lb_config_wipe_secrets(&config);
    uefi_free(cards);
    return EFI_LOAD_ERROR;
}
