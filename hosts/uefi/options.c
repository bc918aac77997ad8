#include "hosts/uefi/options.h"

/* ---- what they are ---- */

static bool is_blank(uint8_t c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_key_char(uint8_t c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

/* Whether there is a key of ours with a = behind it. */
static bool sets_a_key(struct lb_bytes text) {
    enum lb_key key;
    for (size_t end = 0; end < text.len; end++) {
        size_t start = end;
        while (text.p[end] == '=' && start > 0 && is_key_char(text.p[start - 1]))
            start--;
        for (; start < end; start++) /* "--key", and what stood before by chance */
            if (lb_key_find(lb_bytes(text.p + start, end - start), &key))
                return true;
    }
    return false;
}

/* Of anything: the bytes but zeros, so that both codings look alike. False: cut. */
static bool squeeze(struct lb_bytes raw, struct lb_wr *wr) {
    for (size_t i = 0; i < raw.len; i++)
        if (raw.p[i] != 0)
            lb_wr_u8(wr, raw.p[i]);
    return lb_wr_ok(wr);
}

static enum options_kind no_text(struct lb_bytes raw, struct lb_span room) {
    struct lb_wr wr = lb_wr(room);
    if (!squeeze(raw, &wr))
        return OPTIONS_LONG;
    return sets_a_key(lb_wr_done(&wr)) ? OPTIONS_DAMAGED : OPTIONS_FOREIGN;
}

static bool is_text_char(uint8_t c) {
    return (c >= 0x20 && c != 0x7f) || is_blank(c);
}

/* False: no text in this coding. */
static bool read_ucs2(struct lb_bytes raw, struct lb_wr *wr) {
    struct lb_rd rd = lb_rd(raw);
    while (rd.left >= 2) {
        uint16_t c = lb_rd_u16le(&rd);
        if (c == 0)
            break;
        if (c == 0xfeff)
            continue;
        if (c >= 0x7f || !is_text_char((uint8_t)c))
            return false;
        lb_wr_u8(wr, (uint8_t)c);
    }
    return true;
}

static bool read_bytes(struct lb_bytes raw, struct lb_wr *wr) {
    size_t len = 0;
    while (len < raw.len && raw.p[len] != 0)
        len++;
    for (size_t i = len; i < raw.len; i++)
        if (raw.p[i] != 0)
            return false;
    for (size_t i = 0; i < len; i++)
        if (!is_text_char(raw.p[i]))
            return false;
    lb_wr_bytes(wr, lb_bytes(raw.p, len));
    return lb_utf8_is_valid(lb_bytes(raw.p, len));
}

enum options_kind options_read(struct lb_bytes raw, struct lb_span room, struct lb_bytes *line) {
    struct lb_wr wr = lb_wr(room);
    bool is_wide = raw.len >= 2 && raw.p[1] == 0;
    if (raw.len >= 2 && raw.p[0] == 0xff && raw.p[1] == 0xfe)
        is_wide = true;
    if (!(is_wide ? read_ucs2(raw, &wr) : read_bytes(raw, &wr)))
        return no_text(raw, room);
    if (!lb_wr_ok(&wr))
        return OPTIONS_LONG;
    *line = lb_bytes_trim(lb_wr_done(&wr));
    return line->len == 0 ? OPTIONS_NONE : OPTIONS_TEXT;
}

/* ---- what they say ---- */

static bool wrong_word(struct lb_bytes word, struct lb_error *error) {
    char shown[60];
    struct lb_text text = lb_text(shown, sizeof shown);
    lb_text_untrusted(&text, lb_bytes(word.p, LB_MIN(word.len, (size_t)40)));
    lb_fail(error, LB_E_CONFIG_LINE, "the word %s", shown);
    return false;
}

static bool set_word(struct lb_config *config, struct lb_config_seen *seen, struct lb_bytes word,
                     bool is_first, struct lb_error *error) {
    bool is_option = lb_bytes_start_with(word, lb_bytes_of_text("--"));
    struct lb_bytes key, value;
    bool has_value = lb_split_at(is_option ? lb_bytes_after(word, 2) : word, '=', &key, &value);
    if (!has_value && !is_option)
        return is_first || wrong_word(word, error);
    value = has_value ? lb_config_unquote(value) : lb_bytes_of_text("yes");
    return lb_config_set_once(config, seen, LB_SOURCE_OPTION, 0, key, value, error);
}

bool options_set(struct lb_config *config, struct lb_bytes line, struct lb_error *error) {
    struct lb_config_seen seen = {0};
    struct lb_bytes word;
    for (bool is_first = true; lb_config_next_word(&line, &word); is_first = false)
        if (!set_word(config, &seen, lb_config_unquote(word), is_first, error))
            return false;
    return true;
}
