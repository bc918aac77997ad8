#include "hosts/uefi/keys.h"

static bool is_ours(unsigned key) {
    return (key >= 0x20 && key < 0x7f) || key == KEY_ENTER || key == KEY_LINE_FEED ||
           key == KEY_BACKSPACE || key == KEY_DELETE || key == KEY_ESC || key == KEY_PAGE;
}

/* Arrows and function keys are nothing to us, but a person presses them. */
static bool is_noise(unsigned key) {
    return !is_ours(key) && key < KEY_SCAN;
}

static bool has_ended(const struct keys *keys, uint64_t now_us) {
    return !keys->has_come || now_us - keys->last_us >= KEYS_PAUSE_US;
}

static void begin(struct keys *keys) {
    keys->count = 0;
    keys->is_bad = false;
}

static void count_in_a_row(struct keys *keys, uint64_t now_us, unsigned key) {
    bool goes_on = keys->has_come && key == keys->last && now_us - keys->last_us < KEYS_SAME_US;
    keys->same = goes_on ? keys->same + 1 : 1;
    keys->last = key;
    keys->last_us = now_us;
    keys->has_come = true;
}

void keys_input(struct keys *keys, uint64_t now_us, unsigned key) {
    if (has_ended(keys, now_us))
        begin(keys); /* what nobody asked for in time is gone */
    count_in_a_row(keys, now_us, key);
    if (is_noise(key)) {
        keys->was_noise = true;
        keys->noise_us = now_us;
    }
    if (!is_ours(key) || keys->same > KEYS_SAME_MAX || keys->count == KEYS_BURST_MAX)
        keys->is_bad = true;
    else
        keys->burst[keys->count++] = (uint16_t)key;
}

bool keys_burst(struct keys *keys, uint64_t now_us, const uint16_t **burst, size_t *count) {
    bool is_quiet = !keys->was_noise || keys->last_us - keys->noise_us >= KEYS_QUIET_US;
    if (!has_ended(keys, now_us))
        return false;
    *burst = keys->burst;
    *count = keys->is_bad || !is_quiet ? 0 : keys->count;
    begin(keys);
    return *count > 0;
}

unsigned keys_only(const uint16_t *burst, size_t count) {
    for (size_t i = 1; i < count; i++)
        if (burst[i] != burst[0])
            return 0;
    return count > 0 ? burst[0] : 0;
}

void patience_begin(struct patience *patience, uint64_t now_us) {
    patience->key_us = patience->value_us = now_us;
}

void patience_key(struct patience *patience, uint64_t now_us) {
    patience->key_us = now_us;
}

void patience_value(struct patience *patience, uint64_t now_us) {
    patience->key_us = patience->value_us = now_us;
}

bool patience_is_over(const struct patience *patience, uint64_t now_us) {
    return now_us - patience->key_us >= PATIENCE_IDLE_US ||
           now_us - patience->value_us >= PATIENCE_TOTAL_US;
}
