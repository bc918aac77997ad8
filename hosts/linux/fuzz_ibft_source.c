/* The firmware's table on its way into the configuration. The first byte chooses: a table of ACPI,
 * whose length and checksum are made right, or lines "FOLDER/NAME=VALUE" as the kernel's module
 * shows them. */
#include "hosts/linux/ibft_source.h"
#include "tests/fuzz.h"

static struct lb_config config;

static void take(const struct lb_ibft *ibft) {
    struct lb_error error = {.code = LB_OK};
    memset(&config, 0, sizeof(config));
    bool good = lb_ibft_configure(ibft, &config, &error);
    lb_assert(good == lb_is_ok(&error));
    lb_assert(good == lb_config_is_set(&config, LB_KEY_ENABLE));
    if (!good)
        return;
    const struct lb_ibft_target *target = lb_ibft_boot_target(ibft);
    lb_assert(target && lb_ibft_nic_of(ibft, target));
    (void)lb_ibft_is_enough(LB_IBFT_READ_WELL, ibft, true, &config, &error);
}

static void take_table(struct lb_bytes bytes) {
    static uint8_t table[LB_IBFT_MAX];
    struct lb_ibft ibft = {.nic_count = 0};
    uint8_t sum = 0;
    size_t len = LB_MIN(bytes.len, sizeof(table));
    if (len < 48)
        return;
    memcpy(table, bytes.p, len);
    table[4] = (uint8_t)len;
    table[5] = (uint8_t)(len >> 8);
    table[6] = table[7] = table[9] = 0;
    for (size_t i = 0; i < len; i++)
        sum = (uint8_t)(sum + table[i]);
    table[9] = (uint8_t)(0x100 - sum);
    if (lb_ibft_decode(lb_bytes(table, len), &ibft))
        take(&ibft);
}

static void take_lines(struct lb_bytes bytes) {
    struct lb_ibft_shown shown = {.ibft = {.nic_count = 0}};
    struct lb_bytes line, folder, name;
    while (lb_list_next(&bytes, '\n', &line)) {
        char word[32];
        if (!lb_list_next(&line, '/', &folder) || !lb_list_next(&line, '=', &name) ||
            !lb_text_copy(word, sizeof(word), name))
            continue;
        if (!lb_ibft_shown_add(&shown, folder, word, line))
            return;
    }
    lb_ibft_shown_end(&shown);
    take(&shown.ibft);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct lb_bytes bytes = lb_bytes_after(lb_bytes(data, size), 1);
    if (size > 0 && data[0] == 's')
        take_lines(bytes);
    else
        take_table(bytes);
    return 0;
}
