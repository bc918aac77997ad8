#include "core/base/text.h"

struct lb_text lb_text(char *buffer, size_t cap) {
    lb_assert(cap > 0);
    buffer[0] = 0;
    return (struct lb_text){.at = buffer, .cap = cap};
}

/* Everything that is added passes here. The cut never splits a UTF-8 sequence of one piece. */
static void put(struct lb_text *text, const void *from, size_t len) {
    if (text->cut || len == 0)
        return;
    const uint8_t *bytes = from;
    size_t room = text->cap - 1 - text->len;
    if (len > room) {
        text->cut = true;
        len = room;
        while (len > 0 && (bytes[len] & 0xc0) == 0x80)
            len--;
    }
    memcpy(text->at + text->len, bytes, len);
    text->len += len;
    text->at[text->len] = 0;
}

static void put_char(struct lb_text *text, char c) {
    put(text, &c, 1);
}

static void put_times(struct lb_text *text, char c, size_t times) {
    for (; times > 0 && !text->cut; times--)
        put_char(text, c);
}

/* One conversion of a format, such as %-8s or %08llx. */
struct conversion {
    bool left, zero;
    size_t width;
    size_t precision; /* SIZE_MAX: none */
    int size;         /* 0 int, 1 long, 2 long long, 3 size_t */
};

static size_t decimal(const char **at) {
    size_t value = 0;
    for (; **at >= '0' && **at <= '9'; (*at)++)
        value = value * 10 + (size_t)(**at - '0');
    return value;
}

static void put_padded(struct lb_text *text, const struct conversion *conversion, const char *from,
                       size_t len) {
    size_t padding = conversion->width > len ? conversion->width - len : 0;
    if (!conversion->left)
        put_times(text, ' ', padding);
    put(text, from, len);
    if (conversion->left)
        put_times(text, ' ', padding);
}

static void put_string(struct lb_text *text, const struct conversion *conversion,
                       const char *from) {
    size_t len = 0;
    while (len < conversion->precision && from[len])
        len++;
    put_padded(text, conversion, from, len);
}

static void put_number(struct lb_text *text, const struct conversion *conversion, char kind,
                       bool negative, uint64_t value) {
    char reversed[24], digits[24];
    const char *alphabet = kind == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
    unsigned base = kind == 'x' || kind == 'X' ? 16 : 10;
    size_t len = 0, at = 0;
    do {
        reversed[len++] = alphabet[value % base];
        value /= base;
    } while (value > 0);
    if (negative)
        reversed[len++] = '-';
    if (conversion->zero && !conversion->left && conversion->width > len) {
        if (negative)
            put_char(text, reversed[--len]);
        put_times(text, '0', conversion->width - len - (negative ? 1 : 0));
        while (len > 0)
            put_char(text, reversed[--len]);
        return;
    }
    while (len > 0)
        digits[at++] = reversed[--len];
    put_padded(text, conversion, digits, at);
}

/* va_list may be an array: inside a struct it can be passed on by address. */
struct arguments {
    va_list list;
};

static uint64_t next_unsigned(struct arguments *arguments, int size) {
    if (size == 1)
        return va_arg(arguments->list, unsigned long);
    if (size == 2)
        return va_arg(arguments->list, unsigned long long);
    if (size == 3)
        return va_arg(arguments->list, size_t);
    return va_arg(arguments->list, unsigned);
}

static int64_t next_signed(struct arguments *arguments, int size) {
    if (size == 1)
        return va_arg(arguments->list, long);
    if (size == 2)
        return va_arg(arguments->list, long long);
    if (size == 3)
        return (int64_t)va_arg(arguments->list, size_t);
    return va_arg(arguments->list, int);
}

static size_t width_of(const char **at, struct arguments *arguments) {
    if (**at != '*')
        return decimal(at);
    (*at)++;
    int value = va_arg(arguments->list, int);
    return value > 0 ? (size_t)value : 0;
}

static struct conversion parse_conversion(const char **at, struct arguments *arguments) {
    struct conversion conversion = {.precision = SIZE_MAX};
    for (; **at == '-' || **at == '0'; (*at)++) {
        conversion.left |= **at == '-';
        conversion.zero |= **at == '0';
    }
    conversion.width = width_of(at, arguments);
    if (**at == '.') {
        (*at)++;
        conversion.precision = width_of(at, arguments);
    }
    if (**at == 'z') {
        (*at)++;
        conversion.size = 3;
    }
    for (; **at == 'l' && conversion.size < 2; (*at)++)
        conversion.size++;
    return conversion;
}

static void put_conversion(struct lb_text *text, const char **at, struct arguments *arguments) {
    struct conversion conversion = parse_conversion(at, arguments);
    char kind = **at;
    if (kind)
        (*at)++;
    if (kind == '%') {
        put_char(text, '%');
    } else if (kind == 'c') {
        char c = (char)va_arg(arguments->list, int);
        put_padded(text, &conversion, &c, 1);
    } else if (kind == 's') {
        put_string(text, &conversion, va_arg(arguments->list, const char *));
    } else if (kind == 'd') {
        int64_t value = next_signed(arguments, conversion.size);
        put_number(text, &conversion, kind, value < 0,
                   value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
    } else if (kind == 'u' || kind == 'x' || kind == 'X') {
        put_number(text, &conversion, kind, false, next_unsigned(arguments, conversion.size));
    } else {
        lb_assert(kind == 's'); /* the format has a conversion that is not offered */
    }
}

void lb_text_addv(struct lb_text *text, const char *format, va_list list) {
    struct arguments arguments;
    va_copy(arguments.list, list);
    while (*format) {
        size_t plain = 0;
        while (format[plain] && format[plain] != '%')
            plain++;
        put(text, format, plain);
        format += plain;
        if (*format == '%') {
            format++;
            put_conversion(text, &format, &arguments);
        }
    }
    va_end(arguments.list);
}

void lb_text_add(struct lb_text *text, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    lb_text_addv(text, format, arguments);
    va_end(arguments);
}

void lb_format(char *buffer, size_t cap, const char *format, ...) {
    struct lb_text text = lb_text(buffer, cap);
    va_list arguments;
    va_start(arguments, format);
    lb_text_addv(&text, format, arguments);
    va_end(arguments);
}

struct lb_size_text lb_size_text(uint64_t bytes) {
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    struct lb_size_text text;
    uint64_t whole = bytes, rest = 0;
    unsigned unit = 0;

    while (whole >= 1024 && unit + 1 < LB_COUNT(units)) {
        rest = whole % 1024;
        whole /= 1024;
        unit++;
    }
    if (unit == 0)
        lb_format(text.s, sizeof(text.s), "%llu bytes", (unsigned long long)bytes);
    else
        lb_format(text.s, sizeof(text.s), "%llu.%llu %s", (unsigned long long)whole,
                  (unsigned long long)(rest * 10 / 1024), units[unit]);
    return text;
}

void lb_text_hex(struct lb_text *text, struct lb_bytes bytes) {
    for (size_t i = 0; i < bytes.len; i++)
        lb_text_add(text, "%02x", bytes.p[i]);
}

size_t lb_utf8_next(struct lb_bytes bytes, uint32_t *code_point) {
    uint8_t first = bytes.p[0];
    size_t len = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if ((first >= 0x80 && first < 0xc2) || first > 0xf4 || bytes.len < len)
        return 0;
    static const uint8_t first_mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    static const uint32_t shortest[] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t value = first & first_mask[len];
    for (size_t i = 1; i < len; i++) {
        if ((bytes.p[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (bytes.p[i] & 0x3f);
    }
    if (value < shortest[len] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
        return 0;
    *code_point = value;
    return len;
}

bool lb_utf8_is_valid(struct lb_bytes bytes) {
    uint32_t code_point;
    while (bytes.len > 0) {
        size_t len = lb_utf8_next(bytes, &code_point);
        if (len == 0)
            return false;
        bytes = lb_bytes_after(bytes, len);
    }
    return true;
}

/* Controls, and what turns, hides or breaks the text around it on a terminal: Unicode's format
 * characters (Cf), separators of lines, and blanks that take no room. */
static const struct {
    uint32_t first, last;
} unprintable[] = {
    {0x0000, 0x001f}, {0x007f, 0x009f},   {0x00ad, 0x00ad},   {0x034f, 0x034f},   {0x061c, 0x061c},
    {0x115f, 0x1160}, {0x17b4, 0x17b5},   {0x180b, 0x180f},   {0x200b, 0x200f},   {0x2028, 0x202e},
    {0x2060, 0x206f}, {0x3164, 0x3164},   {0xfe00, 0xfe0f},   {0xfeff, 0xfeff},   {0xffa0, 0xffa0},
    {0xfff0, 0xfffb}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},
};

static bool is_printable(uint32_t code_point) {
    for (size_t i = 0; i < LB_COUNT(unprintable); i++) {
        if (code_point >= unprintable[i].first && code_point <= unprintable[i].last)
            return false;
    }
    return true;
}

bool lb_text_is_fit(struct lb_bytes bytes) {
    uint32_t code_point = 0;
    while (bytes.len > 0) {
        size_t len = lb_utf8_next(bytes, &code_point);
        if (len == 0 || !is_printable(code_point))
            return false;
        bytes = lb_bytes_after(bytes, len);
    }
    return true;
}

void lb_text_untrusted(struct lb_text *text, struct lb_bytes bytes) {
    uint32_t code_point = 0;
    while (bytes.len > 0 && !text->cut) {
        size_t len = lb_utf8_next(bytes, &code_point);
        if (len > 0 && is_printable(code_point)) {
            put(text, bytes.p, len);
        } else {
            char escape[8];
            lb_format(escape, sizeof(escape), "\\x%02x", bytes.p[0]);
            if (text->cap - 1 - text->len < 4)
                text->cut = true; /* no half escapes */
            put(text, escape, 4);
            len = 1;
        }
        bytes = lb_bytes_after(bytes, len);
    }
}

void lb_text_given(struct lb_text *text, struct lb_bytes bytes, size_t most) {
    for (size_t i = 0; i < bytes.len; i++) {
        if (bytes.p[i] == '@') {
            lb_text_add(text, "(not shown: it may hold a secret)");
            return;
        }
    }
    lb_text_untrusted(text, lb_bytes(bytes.p, LB_MIN(bytes.len, most)));
    if (bytes.len > most)
        lb_text_add(text, "...");
}

static const char *json_escape(uint8_t c) {
    return c == '"'    ? "\\\""
           : c == '\\' ? "\\\\"
           : c == '\n' ? "\\n"
           : c == '\r' ? "\\r"
           : c == '\t' ? "\\t"
                       : NULL;
}

/* As UTF-16, as RFC 8259 7 has it. */
static void put_json_code(struct lb_text *text, uint32_t code_point) {
    if (code_point < 0x10000) {
        lb_text_add(text, "\\u%04x", (unsigned)code_point);
        return;
    }
    code_point -= 0x10000;
    lb_text_add(text, "\\u%04x\\u%04x", 0xd800 + (unsigned)(code_point >> 10),
                0xdc00 + (unsigned)(code_point & 0x3ff));
}

/* A byte that is not UTF-8 becomes the code point of the same number, so that the text stays
 * readable and the document valid. */
void lb_text_json(struct lb_text *text, struct lb_bytes bytes) {
    put_char(text, '"');
    uint32_t code_point = 0;
    while (bytes.len > 0) {
        size_t len = lb_utf8_next(bytes, &code_point);
        uint8_t first = bytes.p[0];
        if (json_escape(first))
            put(text, json_escape(first), 2);
        else if (len == 0)
            put_json_code(text, first);
        else if (!is_printable(code_point))
            put_json_code(text, code_point);
        else
            put(text, bytes.p, len);
        bytes = lb_bytes_after(bytes, len > 0 ? len : 1);
    }
    put_char(text, '"');
}

bool lb_parse_u64(struct lb_bytes text, uint64_t max, uint64_t *value) {
    uint64_t result = 0;
    if (text.len == 0)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
        uint64_t digit = (uint64_t)(text.p[i] - '0');
        if (result > (UINT64_MAX - digit) / 10)
            return false;
        result = result * 10 + digit;
    }
    if (result > max)
        return false;
    *value = result;
    return true;
}

int lb_hex_digit(uint8_t c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    c = lb_ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool lb_parse_hex_u64(struct lb_bytes text, uint64_t *value) {
    uint64_t result = 0;
    if (text.len == 0 || text.len > 16)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        int digit = lb_hex_digit(text.p[i]);
        if (digit < 0)
            return false;
        result = result << 4 | (uint64_t)digit;
    }
    *value = result;
    return true;
}

bool lb_parse_hex_bytes(struct lb_bytes text, struct lb_span room, size_t *len) {
    size_t count = 0, at = 0;
    while (at < text.len) {
        if (count > 0 && text.p[at] == ':')
            at++;
        if (text.len - at < 2 || count == room.len)
            return false;
        int high = lb_hex_digit(text.p[at]), low = lb_hex_digit(text.p[at + 1]);
        if (high < 0 || low < 0)
            return false;
        room.p[count++] = (uint8_t)(high << 4 | low);
        at += 2;
    }
    *len = count;
    return true;
}

size_t lb_strlen(const char *text) {
    return lb_bytes_of_text(text).len;
}

bool lb_streq(const char *a, const char *b) {
    return lb_bytes_equal(lb_bytes_of_text(a), lb_bytes_of_text(b));
}

bool lb_text_is(struct lb_bytes bytes, const char *text) {
    return lb_bytes_equal(bytes, lb_bytes_of_text(text));
}

bool lb_text_copy(char *to, size_t cap, struct lb_bytes from) {
    lb_assert(cap > 0);
    to[0] = 0;
    if (from.len >= cap)
        return false;
    for (size_t i = 0; i < from.len; i++) {
        if (from.p[i] == 0)
            return false;
    }
    if (from.len > 0)
        memcpy(to, from.p, from.len);
    to[from.len] = 0;
    return true;
}

uint8_t lb_ascii_lower(uint8_t c) {
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c;
}

bool lb_text_begins(struct lb_bytes bytes, const char *lower) {
    size_t i = 0;
    while (i < bytes.len && lower[i] != '\0' && lb_ascii_lower(bytes.p[i]) == (uint8_t)lower[i])
        i++;
    return lower[i] == '\0';
}

static bool is_blank(uint8_t c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct lb_bytes lb_bytes_trim(struct lb_bytes bytes) {
    while (bytes.len > 0 && is_blank(bytes.p[0]))
        bytes = lb_bytes_after(bytes, 1);
    while (bytes.len > 0 && is_blank(bytes.p[bytes.len - 1]))
        bytes.len--;
    return bytes;
}

bool lb_split_at(struct lb_bytes text, char mark, struct lb_bytes *before, struct lb_bytes *after) {
    size_t at = 0;
    while (at < text.len && text.p[at] != (uint8_t)mark)
        at++;
    *before = lb_bytes(text.p, at);
    *after = lb_bytes_after(text, LB_MIN(at + 1, text.len));
    return at < text.len;
}

void lb_uuid_swap(const uint8_t from[16], uint8_t to[16]) {
    static const uint8_t order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
    for (size_t i = 0; i < sizeof order; i++)
        to[i] = from[order[i]];
}

bool lb_list_next(struct lb_bytes *list, char separator, struct lb_bytes *item) {
    if (list->len == 0)
        return false;
    size_t len = 0;
    while (len < list->len && list->p[len] != (uint8_t)separator)
        len++;
    *item = lb_bytes_trim(lb_bytes(list->p, len));
    *list = lb_bytes_after(*list, len + 1);
    return true;
}

bool lb_list_has_name(struct lb_bytes list, const char *name) {
    struct lb_bytes item;
    size_t len = lb_strlen(name);
    while (lb_list_next(&list, ',', &item)) {
        bool prefix = item.len > 0 && item.p[item.len - 1] == '*';
        size_t compared = item.len - prefix;
        if (compared > len || (!prefix && compared != len))
            continue;
        bool equal = true;
        for (size_t i = 0; i < compared; i++)
            equal = equal && lb_ascii_lower(item.p[i]) == lb_ascii_lower((uint8_t)name[i]);
        if (equal)
            return true;
    }
    return false;
}
