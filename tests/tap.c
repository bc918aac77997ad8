#include "tests/tap.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
    unsigned points;
    unsigned failed;
    bool ok; /* the test that runs */
} tap;

_Noreturn void lb_assert_failed(const char *file, int line, const char *what) {
    printf("Bail out! %s:%d: assertion failed: %s\n", file, line, what);
    fflush(stdout);
    abort();
}

static void print_name(const char *name) {
    for (; *name; name++)
        putchar(*name == '_' ? ' ' : *name);
}

void tap_run(const char *name, void (*function)(void)) {
    tap.ok = true;
    function();
    tap.points++;
    if (!tap.ok)
        tap.failed++;
    printf("%s %u - ", tap.ok ? "ok" : "not ok", tap.points);
    print_name(name);
    putchar('\n');
    fflush(stdout);
}

void tap_skip(const char *name, const char *reason) {
    printf("ok %u - ", ++tap.points);
    print_name(name);
    printf(" # SKIP %s\n", reason);
}

int tap_done(void) {
    printf("1..%u\n", tap.points);
    return tap.failed ? 1 : 0;
}

void tap_note(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("# ", stdout);
    vprintf(format, arguments);
    putchar('\n');
    va_end(arguments);
}

static void failed(const char *file, int line) {
    tap.ok = false;
    printf("# %s:%d: ", file, line);
}

bool tap_check(const char *file, int line, const char *what, bool holds) {
    if (!holds) {
        failed(file, line);
        printf("%s\n", what);
    }
    return holds;
}

static void print_number(const char *text, uint64_t value) {
    printf("#     %s = %llu (%lld, 0x%llx)\n", text, (unsigned long long)value, (long long)value,
           (unsigned long long)value);
}

bool tap_check_eq(const char *file, int line, const char *a_text, const char *b_text, uint64_t a,
                  uint64_t b) {
    if (a == b)
        return true;
    failed(file, line);
    printf("%s == %s\n", a_text, b_text);
    print_number(a_text, a);
    print_number(b_text, b);
    return false;
}

/* Keeps every line of a value behind a '#', where TAP readers leave it alone. */
static void print_text(const char *text, const char *value) {
    printf("#     %s = ", text);
    if (!value)
        fputs("NULL", stdout);
    for (; value && *value; value++) {
        if (*value == '\n')
            fputs("\n#         ", stdout);
        else
            putchar(*value);
    }
    putchar('\n');
}

bool tap_check_str(const char *file, int line, const char *a_text, const char *b_text,
                   const char *a, const char *b) {
    if (a == b || (a && b && strcmp(a, b) == 0))
        return true;
    failed(file, line);
    printf("%s is %s\n", a_text, b_text);
    print_text("is", a);
    print_text("want", b);
    return false;
}

bool tap_check_has(const char *file, int line, const char *text, const char *whole,
                   const char *part) {
    if (whole && strstr(whole, part))
        return true;
    failed(file, line);
    printf("%s has \"%s\"\n", text, part);
    print_text("is", whole);
    return false;
}

static void print_bytes(const char *text, struct lb_bytes bytes) {
    printf("#     %s: %zu bytes:", text, bytes.len);
    for (size_t i = 0; i < bytes.len && i < 512; i++)
        printf(" %02x", bytes.p[i]);
    printf("%s\n", bytes.len > 512 ? " ..." : "");
}

bool tap_check_bytes(const char *file, int line, const char *a_text, const char *b_text,
                     struct lb_bytes a, struct lb_bytes b) {
    if (a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0))
        return true;
    failed(file, line);
    size_t same = 0;
    while (same < a.len && same < b.len && a.p[same] == b.p[same])
        same++;
    printf("%s equals %s: first difference at byte %zu\n", a_text, b_text, same);
    print_bytes("is", a);
    print_bytes("want", b);
    return false;
}

static int hex_digit(char c) {
    const char *digits = "0123456789abcdef";
    if (c >= 'A' && c <= 'F')
        c = (char)(c - 'A' + 'a');
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

struct lb_bytes tap_hex(const char *hex) {
    static uint8_t memory[65536];
    static size_t used;
    size_t room = strlen(hex) / 2 + 1;
    lb_assert(room <= sizeof(memory));
    if (used + room > sizeof(memory))
        used = 0;
    uint8_t *start = memory + used;
    size_t len = 0;
    while (*hex) {
        if (*hex == '#') {
            hex += strcspn(hex, "\n");
        } else if (strchr(" \t\n:-", *hex)) {
            hex++;
        } else {
            int high = hex_digit(hex[0]), low = hex_digit(hex[1]);
            lb_assert(high >= 0 && low >= 0);
            start[len++] = (uint8_t)(high * 16 + low);
            hex += 2;
        }
    }
    used += len;
    return lb_bytes(start, len);
}
