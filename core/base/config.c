/* The keys of config.def: parsing, storing, reading. */
#include "core/base/config.h"
#include "core/base/config_lists.h"

#ifdef LB_SMALL /* firmware, whose page has the few that it shows */
#define SENTENCE(text) ""
#else
#define SENTENCE(text) text
#endif

static const struct lb_key_info keys[LB_KEY_COUNT] = {
#define TEXTS(word, initial, form, sentence) word "\0" initial "\0" form "\0" SENTENCE(sentence)
#define LB_KEY(name, word, type, initial, min, max, form, sentence)                                \
    [LB_KEY_##name] = {TEXTS(word, initial, form, sentence), max, min, LB_TYPE_##type},
#include "core/base/config.def"
#undef LB_KEY
#undef TEXTS
};

static const char *behind(const char *text) {
    return text + lb_strlen(text) + 1;
}

const char *lb_key_initial(const struct lb_key_info *info) {
    return behind(info->word);
}

const char *lb_key_choices(const struct lb_key_info *info) {
    return behind(lb_key_initial(info));
}

const char *lb_key_sentence(const struct lb_key_info *info) {
    return behind(lb_key_choices(info));
}

const char *lb_config_source_word(enum lb_config_source source) {
    static const char *const words[] = {
        [LB_SOURCE_NONE] = "default",
        [LB_SOURCE_IBFT] = "firmware's table (iBFT)",
        [LB_SOURCE_START] = "how it was started",
        [LB_SOURCE_OPEN_ISCSI] = "open-iscsi's configuration",
        [LB_SOURCE_FILE] = "configuration file",
        [LB_SOURCE_FIRMWARE] = "firmware variable",
        [LB_SOURCE_KERNEL] = "kernel command line",
        [LB_SOURCE_OPTION] = "command line",
        [LB_SOURCE_PERSON] = "typed in",
        [LB_SOURCE_VERIFIED] = "signed file",
        [LB_SOURCE_SIGNED] = "signed program",
    };
    return words[source];
}

const struct lb_key_info *lb_key_info(enum lb_key key) {
    return &keys[key];
}

/* Whether they are the word, which is in lower case, in any case. */
static bool is_word(struct lb_bytes bytes, const char *word) {
    return lb_text_begins(bytes, word) && bytes.len == lb_strlen(word);
}

bool lb_key_find(struct lb_bytes word, enum lb_key *key) {
    for (size_t i = 0; i < LB_KEY_COUNT; i++) {
        if (!is_word(word, keys[i].word))
            continue;
        *key = (enum lb_key)i;
        return true;
    }
    return false;
}

static void add_duration(struct lb_text *text, uint32_t ms) {
    if (ms % 60000 == 0 && ms > 0)
        lb_text_add(text, "%um", ms / 60000);
    else if (ms % 1000 == 0)
        lb_text_add(text, "%us", ms / 1000);
    else
        lb_text_add(text, "%ums", ms);
}

void lb_key_form(struct lb_text *text, enum lb_key key) {
    const struct lb_key_info *info = &keys[key];
    switch ((enum lb_key_type)info->type) {
    case LB_TYPE_BOOL:
        lb_text_add(text, "yes or no");
        break;
    case LB_TYPE_NUMBER:
        lb_text_add(text, "%u to %u", info->min, info->max);
        break;
    case LB_TYPE_DURATION:
        lb_text_add(text, "duration (500ms, 10s, 2m), ");
        add_duration(text, info->min);
        lb_text_add(text, " to ");
        add_duration(text, info->max);
        break;
    case LB_TYPE_TEXT:
        lb_text_add(text, "text, up to %u bytes", info->max);
        break;
    case LB_TYPE_HOSTNAME:
        lb_text_add(text, "name of letters, digits and . - _, up to %u bytes", info->max);
        break;
    case LB_TYPE_WORD:
        lb_text_add(text, "letters, digits and . _ : + @ -, up to %u bytes", info->max);
        break;
    case LB_TYPE_SECRET:
        lb_text_add(text, "secret of %u to %u bytes; 0x and pairs of hex digits for binary",
                    info->min, info->max);
        break;
    case LB_TYPE_ADDR:
        lb_text_add(text, "IP address");
        break;
    case LB_TYPE_PREFIX:
        lb_text_add(text, "ADDRESS/LENGTH");
        break;
    case LB_TYPE_ADDRS:
        lb_text_add(text, "IP addresses, with commas");
        break;
    case LB_TYPE_LIST:
        lb_text_add(text, "list, with commas");
        break;
    case LB_TYPE_SERVERS:
        lb_text_add(text, "addresses, ADDRESS/LENGTH or host names, with commas");
        break;
    case LB_TYPE_NAMES:
        lb_text_add(text, "iSCSI names, with commas; the end may be *");
        break;
    case LB_TYPE_HOSTS:
        lb_text_add(text, "HOST or HOST:PORT, with commas");
        break;
    case LB_TYPE_ROUTES:
        lb_text_add(text, "NETWORK/LENGTH via ROUTER, with commas; or without via ROUTER");
        break;
    case LB_TYPE_CARDS:
        lb_text_add(text, "MAC addresses or net0, net1, ..., with commas");
        break;
    case LB_TYPE_CHOICE:
        lb_text_add(text, "%s", lb_key_choices(info));
        break;
    case LB_TYPE_CHOICES:
        lb_text_add(text, "list, with commas, of %s", lb_key_choices(info));
        break;
    case LB_TYPE_BYTES:
        lb_text_add(text, "%u bytes as hex digits", info->max);
        break;
    }
}

/* ---- parsing -------------------------------------------------------------------------------- */

static bool parse_bool(struct lb_bytes value, uint32_t *out) {
    static const char *const words[] = {"no", "yes", "false", "true", "off", "on", "0", "1"};
    for (size_t i = 0; i < LB_COUNT(words); i++) {
        if (!is_word(value, words[i]))
            continue;
        *out = i % 2;
        return true;
    }
    return false;
}

static bool parse_number(const struct lb_key_info *info, struct lb_bytes value, uint32_t *out) {
    uint64_t number;
    if (!lb_parse_u64(value, info->max, &number) || number < info->min)
        return false;
    *out = (uint32_t)number;
    return true;
}

static bool ends_in(struct lb_bytes *value, const char *unit) {
    size_t len = lb_strlen(unit);
    if (value->len <= len || !lb_text_is(lb_bytes_after(*value, value->len - len), unit))
        return false;
    value->len -= len;
    return true;
}

static bool parse_duration(const struct lb_key_info *info, struct lb_bytes value, uint32_t *out) {
    uint64_t number, unit_ms = 1000;
    if (ends_in(&value, "ms"))
        unit_ms = 1;
    else if (ends_in(&value, "m"))
        unit_ms = 60000;
    else
        ends_in(&value, "s");
    if (!lb_parse_u64(value, UINT32_MAX, &number) || number * unit_ms > info->max ||
        number * unit_ms < info->min)
        return false;
    *out = (uint32_t)(number * unit_ms);
    return true;
}

static bool is_plain_text(const struct lb_key_info *info, struct lb_bytes value) {
    return value.len >= info->min && value.len <= info->max && lb_text_is_fit(value);
}

static bool is_choice(const char *form, struct lb_bytes value) {
    struct lb_bytes list = lb_bytes_of_text(form), word;
    while (lb_list_next(&list, '|', &word))
        if (lb_bytes_equal(word, value))
            return true;
    return false;
}

/* A secret's bytes: as they are, or from hex after 0x. */
static bool parse_secret(const struct lb_key_info *info, struct lb_bytes value, uint8_t room[256],
                         struct lb_bytes *out) {
    size_t len = value.len;
    *out = value;
    if (lb_text_begins(value, "0x")) {
        if (!lb_parse_hex_bytes(lb_bytes_after(value, 2), lb_span(room, 256), &len))
            return false;
        *out = lb_bytes(room, len);
    }
    return out->len >= info->min && out->len <= info->max;
}

static bool is_valid_text(const struct lb_key_info *info, struct lb_bytes value) {
    uint8_t room[72];
    size_t len;
    struct lb_addr addr;
    struct lb_prefix prefix;
    struct lb_config_item item;
    switch ((enum lb_key_type)info->type) {
    case LB_TYPE_ADDR:
        return lb_addr_parse(value, &addr);
    case LB_TYPE_PREFIX:
        return lb_prefix_parse(value, &prefix);
    case LB_TYPE_CHOICE:
        return is_choice(lb_key_choices(info), value);
    case LB_TYPE_BYTES:
        return lb_parse_hex_bytes(value, lb_span(room, sizeof room), &len) && len >= info->min &&
               len <= info->max;
    case LB_TYPE_TEXT:
        return is_plain_text(info, value);
    case LB_TYPE_HOSTNAME:
        return is_plain_text(info, value) && lb_host_name_is_plain(value);
    case LB_TYPE_WORD:
        return is_plain_text(info, value) && lb_interface_name_is_plain(value);
    case LB_TYPE_ADDRS:
    case LB_TYPE_LIST:
    case LB_TYPE_CHOICES:
    case LB_TYPE_SERVERS:
    case LB_TYPE_NAMES:
    case LB_TYPE_HOSTS:
    case LB_TYPE_CARDS:
    case LB_TYPE_ROUTES:
        return is_plain_text(info, value) && lb_config_list_check(info, value, &item);
    case LB_TYPE_BOOL:
    case LB_TYPE_NUMBER:
    case LB_TYPE_DURATION:
    case LB_TYPE_SECRET:
        return false;
    }
    return false;
}

/* ---- storing -------------------------------------------------------------------------------- */

/* Zeroes, also where a compiler sees that nobody reads any more. */
static void wipe(void *p, size_t len) {
    volatile uint8_t *at = p;
    for (size_t i = 0; i < len; i++)
        at[i] = 0;
}

static bool store(struct lb_config *config, enum lb_key key, struct lb_bytes value) {
    if (value.len + 1 > sizeof config->texts - config->used)
        return false;
    char *to = config->texts + config->used;
    if (value.len > 0)
        memcpy(to, value.p, value.len);
    to[value.len] = '\0';
    config->text_at[key] = (uint16_t)config->used;
    config->text_len[key] = (uint16_t)value.len;
    config->used += value.len + 1;
    return true;
}

static bool set_value(struct lb_config *config, enum lb_key key, struct lb_bytes value) {
    const struct lb_key_info *info = &keys[key];
    uint8_t room[256];
    struct lb_bytes secret;
    bool ok;
    switch ((enum lb_key_type)info->type) {
    case LB_TYPE_BOOL:
        return parse_bool(value, &config->number[key]);
    case LB_TYPE_NUMBER:
        return parse_number(info, value, &config->number[key]);
    case LB_TYPE_DURATION:
        return parse_duration(info, value, &config->number[key]);
    case LB_TYPE_SECRET:
        ok = parse_secret(info, value, room, &secret) && store(config, key, secret);
        wipe(room, sizeof room);
        return ok;
    case LB_TYPE_TEXT:
    case LB_TYPE_HOSTNAME:
    case LB_TYPE_WORD:
    case LB_TYPE_ADDR:
    case LB_TYPE_PREFIX:
    case LB_TYPE_ADDRS:
    case LB_TYPE_LIST:
    case LB_TYPE_CHOICE:
    case LB_TYPE_CHOICES:
    case LB_TYPE_SERVERS:
    case LB_TYPE_NAMES:
    case LB_TYPE_HOSTS:
    case LB_TYPE_CARDS:
    case LB_TYPE_ROUTES:
    case LB_TYPE_BYTES:
        return is_valid_text(info, value) && store(config, key, value);
    }
    return false;
}

/* How many letters two words share at their beginnings and ends: enough to find a misspelt key. */
static size_t likeness(struct lb_bytes word, const char *key) {
    size_t len = lb_strlen(key), front = 0, back = 0, shorter = LB_MIN(len, word.len);
    while (front < shorter && word.p[front] == (uint8_t)key[front])
        front++;
    while (back < shorter - front && word.p[word.len - 1 - back] == (uint8_t)key[len - 1 - back])
        back++;
    return front + back;
}

/* As far as it may be a key: behind that a value may stand, as in `chap-secret:...`. */
static void add_key(struct lb_text *text, struct lb_bytes word) {
    size_t len = 0;
    for (; len < word.len && len < 40; len++) {
        uint8_t c = lb_ascii_lower(word.p[len]);
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-' && c != '_' && c != '.')
            break;
    }
    lb_text_untrusted(text, lb_bytes(word.p, len));
    if (len < word.len)
        lb_text_add(text, "...");
}

static bool unknown_key(struct lb_bytes word, struct lb_error *error) {
    char shown[64];
    struct lb_text text = lb_text(shown, sizeof shown);
    size_t best = 0, best_likeness = 0;
    add_key(&text, word);
    for (size_t i = 0; i < LB_KEY_COUNT; i++) {
        size_t like = likeness(word, keys[i].word);
        if (like > best_likeness) {
            best = i;
            best_likeness = like;
        }
    }
    if (best_likeness >= 3)
        lb_fail(error, LB_E_CONFIG_KEY, "`%s`; did you mean `%s`?", shown, keys[best].word);
    else
        lb_fail(error, LB_E_CONFIG_KEY, "`%s`", shown);
    return false;
}

/* One item of a list: the list may be long, and the item is what is wrong. */
static void add_wrong_item(struct lb_text *text, enum lb_key key, struct lb_bytes value) {
    struct lb_config_item item;
    if (lb_config_list_check(&keys[key], value, &item))
        return;
    lb_text_add(text, "item %zu", item.number);
    if (item.text.len > 0) {
        lb_text_add(text, ", `");
        lb_text_given(text, item.text, 60);
        lb_text_add(text, "`,");
    }
    lb_text_add(text, " %s; ", item.why);
}

static bool wrong_value(enum lb_key key, struct lb_bytes value, struct lb_error *error) {
    char shown[240], form[120];
    struct lb_text text = lb_text(shown, sizeof shown), form_text = lb_text(form, sizeof form);
    lb_key_form(&form_text, key);
    if (keys[key].type == LB_TYPE_SECRET && lb_text_begins(value, "0x")) {
        lb_text_add(&text, "=a secret of 0x and %zu characters, ", value.len - 2);
    } else if (keys[key].type == LB_TYPE_SECRET) {
        lb_text_add(&text, "=a secret of %zu bytes, ", value.len);
    } else if (lb_config_is_list(&keys[key]) && value.len <= keys[key].max) {
        lb_text_add(&text, ": ");
        add_wrong_item(&text, key, value);
    } else {
        lb_text_add(&text, "=");
        lb_text_given(&text, value, 40);
        lb_text_add(&text, ", ");
    }
    lb_fail(error, LB_E_CONFIG_VALUE, "%s%sexpected %s", keys[key].word, shown, form);
    return false;
}

/* `no` of any source stands: what forbids is not overruled by a later line. */
static bool is_overruled(const struct lb_config *config, enum lb_key key,
                         enum lb_config_source source, uint32_t before) {
    bool was_set = config->source[key] != LB_SOURCE_NONE;
    if (key == LB_KEY_ENABLE && was_set && before != config->number[key])
        return before == 0;
    return source < config->source[key];
}

/* What one key was, so that a value that does not count leaves no trace. */
struct before {
    uint32_t number;
    uint16_t text_at, text_len;
    size_t used;
    bool may_set; /* the value may count */
};

static void take_back(struct lb_config *config, enum lb_key key, const struct before *before) {
    config->number[key] = before->number;
    config->text_at[key] = before->text_at;
    config->text_len[key] = before->text_len;
    wipe(config->texts + before->used, config->used - before->used);
    config->used = before->used;
}

static bool has_word(const char *list, struct lb_bytes word) {
    struct lb_bytes left = lb_bytes_of_text(list), item;
    while (lb_list_next(&left, ',', &item))
        if (lb_bytes_equal(item, word))
            return true;
    return false;
}

/* The words of both: a protection that one source requires is not taken back by another. */
static bool add_required(struct lb_config *config, struct lb_bytes more) {
    const char *before = lb_config_text(config, LB_KEY_REQUIRE);
    char both[2 * 128 + 2];
    struct lb_text text = lb_text(both, sizeof both);
    struct lb_bytes word;
    lb_text_add(&text, "%s", before);
    while (lb_list_next(&more, ',', &word))
        if (!has_word(before, word))
            lb_text_add(&text, ",%.*s", (int)word.len, (const char *)word.p);
    return lb_streq(both, before) || store(config, LB_KEY_REQUIRE, lb_bytes_of_text(both));
}

/* A value that is valid; before is what the key was. False: there is no room. */
static bool count_value(struct lb_config *config, enum lb_key key, enum lb_config_source source,
                        struct lb_bytes value, const struct before *before) {
    bool is_lower = !before->may_set || is_overruled(config, key, source, before->number);
    bool adds = key == LB_KEY_REQUIRE && before->may_set && lb_config_is_set(config, key);
    config->locked_out[source] += !before->may_set;
    if (is_lower || adds) /* checked all the same */
        take_back(config, key, before);
    if (adds && !add_required(config, value))
        return false;
    if (is_lower)
        return true;
    if (keys[key].type == LB_TYPE_SECRET)
        wipe(config->texts + before->text_at, before->text_len);
    config->source[key] = (uint8_t)source;
    config->line[key] = 0;
    return true;
}

/* The words of a choice count in any case; they are stored in lower case. */
static struct lb_bytes lower_choice(enum lb_key key, struct lb_bytes value, uint8_t room[256]) {
    bool is_choice = keys[key].type == LB_TYPE_CHOICE || keys[key].type == LB_TYPE_CHOICES;
    if (!is_choice || value.len > 256)
        return value;
    for (size_t i = 0; i < value.len; i++)
        room[i] = lb_ascii_lower(value.p[i]);
    return lb_bytes(room, value.len);
}

bool lb_config_set(struct lb_config *config, enum lb_config_source source, struct lb_bytes key,
                   struct lb_bytes value, struct lb_error *error) {
    uint8_t room[256];
    enum lb_key found;
    lb_assert(source != LB_SOURCE_NONE);
    if (!lb_key_find(key, &found))
        return unknown_key(key, error);
    struct before before = {config->number[found], config->text_at[found], config->text_len[found],
                            config->used, lb_config_may_set(config, source, found)};
    if (!lb_config_may_trust(source, found)) {
        lb_fail(error, LB_E_CONFIG_SIGNATURE, "`%s` cannot be set in %s", keys[found].word,
                source == LB_SOURCE_VERIFIED ? "the file that it verifies"
                                             : "a file that nobody has signed");
        return false;
    }
    struct lb_bytes lower = lower_choice(found, value, room);
    if (!set_value(config, found, lower) || !count_value(config, found, source, lower, &before))
        return wrong_value(found, value, error);
    return true;
}

/* ---- files and command lines ---------------------------------------------------------------- */

/* Whether two values of a key mean the same: `yes` and `on` do. */
static bool mean_the_same(enum lb_key key, struct lb_bytes a, struct lb_bytes b) {
    const struct lb_key_info *info = &keys[key];
    uint32_t first = 0, second = 0;
    if (info->type == LB_TYPE_BOOL)
        return parse_bool(a, &first) && parse_bool(b, &second) && first == second;
    if (info->type == LB_TYPE_NUMBER)
        return parse_number(info, a, &first) && parse_number(info, b, &second) && first == second;
    if (info->type == LB_TYPE_DURATION)
        return parse_duration(info, a, &first) && parse_duration(info, b, &second) &&
               first == second;
    return lb_bytes_equal(a, b);
}

static bool set_twice(const struct lb_config_seen *seen, enum lb_key key, struct lb_error *error) {
    if (seen->line[key] != 0)
        lb_fail(error, LB_E_CONFIG_TWICE, "%s, first set in line %u", keys[key].word,
                seen->line[key]);
    else
        lb_fail(error, LB_E_CONFIG_TWICE, "%s", keys[key].word);
    return false;
}

bool lb_config_set_once(struct lb_config *config, struct lb_config_seen *seen,
                        enum lb_config_source source, uint16_t line, struct lb_bytes key,
                        struct lb_bytes value, struct lb_error *error) {
    enum lb_key found;
    if (!lb_config_set(config, source, key, value, error))
        return false;
    lb_assert(lb_key_find(key, &found));
    if (seen->value[found].p != NULL && !mean_the_same(found, seen->value[found], value))
        return set_twice(seen, found, error);
    if (config->source[found] == source)
        config->line[found] = line;
    if (seen->value[found].p == NULL) {
        seen->value[found] = value;
        seen->line[found] = line;
    }
    return true;
}

/* Quotes that other files have round a value. In a secret every byte counts. */
static struct lb_bytes value_of_line(struct lb_bytes key, struct lb_bytes value) {
    enum lb_key found;
    value = lb_bytes_trim(value);
    bool is_secret = lb_key_find(key, &found) && keys[found].type == LB_TYPE_SECRET;
    return is_secret ? value : lb_bytes_trim(lb_bytes_unquote_any(value));
}

static bool set_line(struct lb_config *config, struct lb_config_seen *seen,
                     enum lb_config_source source, struct lb_bytes line, uint16_t number,
                     struct lb_error *error) {
    struct lb_error inner = {.code = LB_OK};
    struct lb_bytes key, value;
    if (!lb_split_at(line, '=', &key, &value) || lb_bytes_trim(key).len == 0) {
        lb_fail(error, LB_E_CONFIG_LINE, "line %u", number);
        return false;
    }
    key = lb_bytes_trim(key);
    if (lb_config_set_once(config, seen, source, number, key, value_of_line(key, value), &inner))
        return true;
    lb_fail(error, inner.code, "line %u: %s", number, inner.facts);
    return false;
}

/* A line that is no text is a sign that the file is not what its writer left. */
static const char *what_is_no_text(struct lb_bytes line) {
    for (size_t i = 0; i < line.len; i++) {
        if (line.p[i] == 0)
            return "a NUL byte: the file is damaged, or it is UTF-16";
        if ((line.p[i] < 0x20 && line.p[i] != '\t') || line.p[i] == 0x7f)
            return "a control character";
    }
    return lb_utf8_is_valid(line) ? NULL : "bytes that are no UTF-8";
}

bool lb_config_file(struct lb_config *config, enum lb_config_source source, struct lb_bytes file,
                    struct lb_error *error) {
    struct lb_bytes line, mark = lb_bytes("\xef\xbb\xbf", 3);
    struct lb_config_seen seen = {.line = {0}};
    if (lb_bytes_start_with(file, mark))
        file = lb_bytes_after(file, mark.len);
    for (unsigned number = 1; lb_list_next(&file, '\n', &line); number++) {
        const char *why = what_is_no_text(line);
        if (why != NULL || number > UINT16_MAX) {
            lb_fail(error, LB_E_CONFIG_BYTES, "line %u: %s", number,
                    why != NULL ? why : "too many lines");
            return false;
        }
        if (line.len == 0 || line.p[0] == '#')
            continue;
        if (!set_line(config, &seen, source, line, (uint16_t)number, error))
            return false;
    }
    return true;
}

/* As the kernel has it: what C calls a space. */
static bool is_space(uint8_t c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

bool lb_config_next_word(struct lb_bytes *line, struct lb_bytes *word) {
    while (line->len > 0 && is_space(line->p[0]))
        *line = lb_bytes_after(*line, 1);
    size_t len = 0;
    bool quoted = false;
    while (len < line->len && (quoted || !is_space(line->p[len]))) {
        quoted = quoted != (line->p[len] == '"');
        len++;
    }
    *word = lb_bytes(line->p, len);
    *line = lb_bytes_after(*line, len);
    return len > 0;
}

struct lb_bytes lb_config_unquote(struct lb_bytes text) {
    return lb_bytes_unquote(text, '"');
}

/* A quote that does not close: the line was cut, or its writer meant something else. */
static bool is_quoted_by_half(struct lb_bytes word) {
    size_t quotes = 0;
    for (size_t i = 0; i < word.len; i++)
        quotes += word.p[i] == '"';
    return quotes % 2 != 0;
}

static bool set_word(struct lb_config *config, struct lb_config_seen *seen, struct lb_bytes word,
                     struct lb_error *error) {
    struct lb_bytes key, value;
    enum lb_key found;
    if (lb_split_at(word, '=', &key, &value)) {
        value = lb_config_unquote(value);
    } else if (lb_key_find(key, &found) && keys[found].type != LB_TYPE_BOOL) {
        lb_fail(error, LB_E_CONFIG_LINE, "lunboot.%s without =VALUE", keys[found].word);
        return false;
    } else {
        value = lb_bytes_of_text("yes");
    }
    return lb_config_set_once(config, seen, LB_SOURCE_KERNEL, 0, key, value, error);
}

bool lb_config_cmdline(struct lb_config *config, struct lb_bytes line, struct lb_error *error) {
    struct lb_bytes prefix = lb_bytes_of_text("lunboot."), word;
    struct lb_config_seen seen = {.line = {0}};
    while (lb_config_next_word(&line, &word)) {
        bool is_half = is_quoted_by_half(word);
        word = lb_config_unquote(word);
        if (!lb_bytes_start_with(word, prefix) &&
            !(is_half && word.len > 0 && lb_bytes_start_with(lb_bytes_after(word, 1), prefix)))
            continue;
        if (is_half) {
            lb_fail(error, LB_E_CONFIG_LINE, "a word lunboot.KEY with a quote that does not close");
            return false;
        }
        if (!set_word(config, &seen, lb_bytes_after(word, prefix.len), error))
            return false;
    }
    return true;
}

void lb_config_wipe_secrets(struct lb_config *config) {
    for (size_t i = 0; i < LB_KEY_COUNT; i++) {
        if (keys[i].type != LB_TYPE_SECRET || config->source[i] == LB_SOURCE_NONE)
            continue;
        wipe(config->texts + config->text_at[i], config->text_len[i]);
        config->source[i] = LB_SOURCE_NONE;
        config->text_len[i] = 0;
    }
}

/* ---- reading -------------------------------------------------------------------------------- */

bool lb_config_is_set(const struct lb_config *config, enum lb_key key) {
    return config->source[key] != LB_SOURCE_NONE;
}

enum lb_config_source lb_config_source(const struct lb_config *config, enum lb_key key) {
    return (enum lb_config_source)config->source[key];
}

bool lb_config_bool(const struct lb_config *config, enum lb_key key) {
    uint32_t value = config->number[key];
    lb_assert(keys[key].type == LB_TYPE_BOOL);
    if (!lb_config_is_set(config, key))
        parse_bool(lb_bytes_of_text(lb_key_initial(&keys[key])), &value);
    return value != 0;
}

uint32_t lb_config_u32(const struct lb_config *config, enum lb_key key) {
    const struct lb_key_info *info = &keys[key];
    uint32_t value = config->number[key];
    lb_assert(info->type == LB_TYPE_NUMBER || info->type == LB_TYPE_DURATION);
    if (lb_config_is_set(config, key))
        return value;
    value = 0; /* a default outside min..max means "left alone", and is 0 */
    if (info->type == LB_TYPE_NUMBER)
        parse_number(info, lb_bytes_of_text(lb_key_initial(info)), &value);
    else
        parse_duration(info, lb_bytes_of_text(lb_key_initial(info)), &value);
    return value;
}

const char *lb_config_text(const struct lb_config *config, enum lb_key key) {
    lb_assert(keys[key].type != LB_TYPE_SECRET);
    return lb_config_is_set(config, key) ? config->texts + config->text_at[key]
                                         : lb_key_initial(&keys[key]);
}

struct lb_bytes lb_config_secret(const struct lb_config *config, enum lb_key key) {
    lb_assert(keys[key].type == LB_TYPE_SECRET);
    if (!lb_config_is_set(config, key))
        return lb_bytes("", 0);
    return lb_bytes(config->texts + config->text_at[key], config->text_len[key]);
}

struct lb_addr lb_config_addr(const struct lb_config *config, enum lb_key key) {
    struct lb_addr addr = {.family = LB_FAMILY_NONE};
    lb_assert(keys[key].type == LB_TYPE_ADDR);
    lb_addr_parse(lb_bytes_of_text(lb_config_text(config, key)), &addr);
    return addr;
}

struct lb_prefix lb_config_prefix(const struct lb_config *config, enum lb_key key) {
    struct lb_prefix prefix = {.len = 0};
    lb_assert(keys[key].type == LB_TYPE_PREFIX);
    lb_prefix_parse(lb_bytes_of_text(lb_config_text(config, key)), &prefix);
    return prefix;
}

bool lb_config_bytes(const struct lb_config *config, enum lb_key key, struct lb_span room) {
    size_t len = 0;
    lb_assert(keys[key].type == LB_TYPE_BYTES);
    return lb_config_is_set(config, key) &&
           lb_parse_hex_bytes(lb_bytes_of_text(lb_config_text(config, key)), room, &len) &&
           len == room.len;
}

bool lb_config_requires(const struct lb_config *config, const char *word) {
    struct lb_bytes list = lb_bytes_of_text(lb_config_text(config, LB_KEY_REQUIRE)), item;
    while (lb_list_next(&list, ',', &item))
        if (lb_text_is(item, word))
            return true;
    return false;
}
