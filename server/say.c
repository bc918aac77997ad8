#include "server/say.h"
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

void lb_server_say(const char *who, const char *format, ...) {
    char line[600], clock[16] = "";
    struct lb_text text = lb_text(line, sizeof line);
    time_t seconds = time(NULL);
    struct tm local;
    va_list arguments;
    if (localtime_r(&seconds, &local) != NULL)
        strftime(clock, sizeof clock, "%H:%M:%S", &local);
    lb_text_add(&text, "%s  %-15s  ", clock, who);
    va_start(arguments, format);
    lb_text_addv(&text, format, arguments);
    va_end(arguments);
    puts(line);
    fflush(stdout);
}

void lb_server_complain(const struct lb_server_error *error) {
    fprintf(stderr, "lunbootd: %s\n", error->what);
    if (error->hint[0] != '\0')
        fprintf(stderr, "  try: %s\n", error->hint);
}

uint64_t lb_server_now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * LB_US_SEC + (uint64_t)t.tv_nsec / 1000;
}

struct lb_server_size_text lb_server_size_text(uint64_t bytes) {
    static const char *const units[] = {"bytes", "KB", "MB", "GB", "TB"};
    struct lb_server_size_text text;
    unsigned unit = 0;
    uint64_t tenths = bytes * 10;
    for (; tenths >= 10000 && unit + 1 < LB_COUNT(units); unit++)
        tenths /= 1000;
    if (unit == 0)
        lb_format(text.s, sizeof text.s, "%llu bytes", (unsigned long long)bytes);
    else
        lb_format(text.s, sizeof text.s, "%llu.%llu %s", (unsigned long long)tenths / 10,
                  (unsigned long long)tenths % 10, units[unit]);
    return text;
}
