/* A kernel command line, as `lunboot initramfs` reads it: dracut's and open-iscsi's words, and
 * ours. */
#include "hosts/linux/dracut.h"
#include "tests/fuzz.h"

static struct lb_config config;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct lb_bytes line = lb_bytes(data, size), word;
    struct lb_error error = {.code = LB_OK};
    size_t count = 0;
    memset(&config, 0, sizeof(config));
    (void)lb_dracut_wants_ibft(line);
    lb_assert(lb_dracut_configure(line, &config, &error) == lb_is_ok(&error));
    for (unsigned i = 0; i < LB_KEY_COUNT; i++)
        lb_assert(config.source[i] == LB_SOURCE_NONE || config.source[i] == LB_SOURCE_KERNEL);
    lb_config_wipe_secrets(&config);
    error = (struct lb_error){.code = LB_OK};
    (void)lb_config_cmdline(&config, line, &error);
    while (lb_config_next_word(&line, &word)) {
        lb_assert(lb_config_unquote(word).len <= word.len);
        count++;
    }
    lb_assert(count <= size);
    return 0;
}
