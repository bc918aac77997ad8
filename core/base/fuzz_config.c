#include "core/base/config.h"
#include "tests/fuzz.h"

static struct lb_config config;

/* Reads everything that may be set. */
static void read_all(void) {
    for (unsigned i = 0; i < LB_KEY_COUNT; i++) {
        enum lb_key key = (enum lb_key)i;
        const struct lb_key_info *info = lb_key_info(key);
        if (info->type == LB_TYPE_NUMBER || info->type == LB_TYPE_DURATION) {
            uint32_t value = lb_config_u32(&config, key);
            lb_assert(!lb_config_is_set(&config, key) ||
                      (value >= info->min && value <= info->max));
        } else if (info->type == LB_TYPE_BOOL) {
            (void)lb_config_bool(&config, key);
        } else if (info->type == LB_TYPE_SECRET) {
            lb_assert(lb_config_secret(&config, key).len <= info->max);
        } else {
            lb_assert(lb_strlen(lb_config_text(&config, key)) < LB_CONFIG_TEXT_MAX);
        }
    }
}

/* The first byte chooses: a file, or a kernel command line. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct lb_bytes bytes = lb_bytes(data, size);
    struct lb_error error = {.code = LB_OK};
    memset(&config, 0, sizeof config);
    bool fine = size > 0 && data[0] == 'k'
                    ? lb_config_cmdline(&config, lb_bytes_after(bytes, 1), &error)
                    : lb_config_file(&config, LB_SOURCE_FILE, lb_bytes_after(bytes, 1), &error);
    lb_assert(fine == lb_is_ok(&error));
    read_all();
    lb_config_wipe_secrets(&config);
    for (unsigned i = 0; i < LB_KEY_COUNT; i++)
        lb_assert(lb_key_info((enum lb_key)i)->type != LB_TYPE_SECRET ||
                  !lb_config_is_set(&config, (enum lb_key)i));
    return 0;
}
