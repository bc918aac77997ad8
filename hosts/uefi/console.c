/* Text to the firmware's console, and keys from it. */
#include "hosts/uefi/uefi.h"

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

unsigned key_wait(unsigned wait_ms) {
    EFI_INPUT_KEY key;
    uint64_t until_us = clock_us() + wait_ms * LB_US_MS;
    do {
        if (st->ConIn->ReadKeyStroke(st->ConIn, &key) == EFI_SUCCESS)
            return key.UnicodeChar != 0 ? key.UnicodeChar : 0x1000U + key.ScanCode;
        bs->Stall(1000);
    } while (clock_us() < until_us);
    return 0;
}
