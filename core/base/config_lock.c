/* Which source may say what: a signed configuration stands above the others, and may lock them
 * out. */
#include "core/base/config.h"
#include "core/base/text.h"

static bool is_signed(enum lb_config_source source) {
    return source == LB_SOURCE_VERIFIED || source == LB_SOURCE_SIGNED;
}

/* How the firmware started us and what it booted are no configurations: they stay. */
static bool is_below_lock(const struct lb_config *config, enum lb_config_source source) {
    return lb_config_bool(config, LB_KEY_LOCK) && source > LB_SOURCE_START &&
           source < lb_config_source(config, LB_KEY_LOCK) && !is_signed(source);
}

bool lb_config_is_locked(const struct lb_config *config, enum lb_config_source source) {
    return is_below_lock(config, source) && !lb_config_is_set(config, LB_KEY_UNLOCKED);
}

bool lb_config_may_trust(enum lb_config_source source, enum lb_key key) {
    if (key == LB_KEY_CONFIG_SIGNER)
        return source > LB_SOURCE_FILE && source != LB_SOURCE_VERIFIED;
    return source > LB_SOURCE_FILE || (key != LB_KEY_LOCK && key != LB_KEY_UNLOCKED);
}

/* Set anywhere, they allow more than without them. */
static bool widens(enum lb_key key) {
    return key == LB_KEY_TRUST_OPEN_SLP || key == LB_KEY_ALLOW_INITIATOR;
}

bool lb_config_may_set(const struct lb_config *config, enum lb_config_source source,
                       enum lb_key key) {
    bool has_signed =
        config->name[LB_SOURCE_VERIFIED] != NULL || config->name[LB_SOURCE_SIGNED] != NULL;
    if (is_signed(source))
        return true;
    if (has_signed && widens(key))
        return false;
    return !is_below_lock(config, source) ||
           lb_list_has_name(lb_bytes_of_text(lb_config_text(config, LB_KEY_UNLOCKED)),
                            lb_key_info(key)->word);
}

void lb_config_cmdline_trust(struct lb_config *config, struct lb_bytes line) {
    static const enum lb_key keys[] = {LB_KEY_CONFIG_SIGNER, LB_KEY_LOCK, LB_KEY_UNLOCKED};
    struct lb_bytes prefix = lb_bytes_of_text("lunboot."), word;
    while (lb_config_next_word(&line, &word)) {
        struct lb_error error = {.code = LB_OK};
        struct lb_bytes key, value = lb_bytes_of_text("yes");
        word = lb_config_unquote(word);
        if (!lb_bytes_start_with(word, prefix))
            continue;
        word = lb_bytes_after(word, prefix.len);
        key = word;
        for (key.len = 0; key.len < word.len && word.p[key.len] != '=';)
            key.len++;
        if (key.len < word.len)
            value = lb_config_unquote(lb_bytes_after(word, key.len + 1));
        for (size_t i = 0; i < LB_COUNT(keys); i++)
            if (lb_text_is(key, lb_key_info(keys[i])->word))
                lb_config_set(config, LB_SOURCE_KERNEL, key, value, &error);
    }
}
