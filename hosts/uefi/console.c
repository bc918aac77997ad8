/* Text to the firmware's console, and keys from it. */
#include "hosts/uefi/uefi.h"

#define KEYS_AT_START_MAX 4096 /* the firmware keeps a few hundred */

static void put(const char *text) {
    CHAR16 wide[130];
    while (*text != '\0') {
        size_t len = 0;
        while (*text != '\0' && len < LB_COUNT(wide) - 3) {
            if (*text == '\n')
                wide[len++] = '\r';
            wide[len++] = (uint8_t)*text < 0x80 ? (CHAR16)*text : '?';
            text++;
        }
        wide[len] = 0;
        st->ConOut->OutputString(st->ConOut, wide);
    }
}

void say(const char *format, ...) {
    char line[1024];
    struct lb_text text = lb_text(line, sizeof line);
    va_list arguments;
    va_start(arguments, format);
    lb_text_addv(&text, format, arguments);
    va_end(arguments);
    put(line);
}

void say_progress(const char *what, uint64_t done, uint64_t of) {
    char bar[41];
    size_t filled = of == 0 ? 0 : (size_t)(done * 40 / of);
    for (size_t i = 0; i < 40; i++)
        bar[i] = i < filled ? '#' : '.';
    bar[40] = '\0';
    say("\r  %-10s [%s] %llu KiB", what, bar, (unsigned long long)(done / 1024));
}

bool key_read(unsigned *key) {
    EFI_INPUT_KEY stroke = {0};
    if (st->ConIn == NULL || st->ConIn->ReadKeyStroke(st->ConIn, &stroke) != EFI_SUCCESS)
        return false;
    *key = stroke.ScanCode == 0 ? stroke.UnicodeChar : 0x1000U + stroke.ScanCode;
    return true;
}

void keys_discard(void) {
    unsigned key;
    for (unsigned i = 0; i < KEYS_AT_START_MAX && key_read(&key); i++)
        ;
}
